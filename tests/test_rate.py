"""Paces and windows as plain values: what slows a relay down, what lets it creep up, when a window opens."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.model import LearnedPace
from digest.rules.rate import COOL_S, CREEP_AFTER, CREEP_S, LEAST_RATE, START_RATE, Pace, Paces, pushes_back
from digest.rules.window import read_window

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ZONE = "America/Toronto"


@pytest.mark.parametrize(
    ("code", "text", "slower"),
    [
        (421, "too many connections", True),
        (450, "try again later", True),
        (450, "4.7.1 rate limited", True),
        (451, "4.7.0 temporary rate limit", True),
        (450, "4.2.1 this mailbox receives too quickly", False),
        (450, "4.2.0 greylisted", False),
        (451, "4.7.1 Greylisting in action", False),
        (452, "4.2.2 mailbox full", False),
        (451, "local error", False),
        (550, "5.7.1 policy", False),
    ],
)
def test_only_a_wish_to_be_slower_slows_us(code: int, text: str, slower: bool) -> None:
    assert pushes_back(code, text) is slower


def test_a_pace_halves_once_for_all_that_was_in_hand_and_creeps_up_again() -> None:
    pace = Pace(most_rate=10, most_width=4)
    assert pace.push_back(0.0, "slower")
    assert not pace.push_back(COOL_S - 1, "slower")
    assert (pace.rate, pace.width) == (5.0, 2)
    assert pace.push_back(COOL_S, "slower")
    assert (pace.rate, pace.width) == (2.5, 1)
    assert creep(pace, steps=1) == (pytest.approx(2.75), 2)
    assert creep(pace, steps=40) == (10, 4)
    assert not pace.is_slowed


def creep(pace: Pace, *, steps: int) -> tuple[float, int]:
    """So many times all that it takes to be a tenth faster."""
    now_s = 1_000.0 + (pace._crept_s or 0.0)
    for step in range(steps):
        for _ in range(CREEP_AFTER):
            if pace.is_slowed:
                pace.took(now_s + step * CREEP_S)
    return pace.rate, pace.width


def test_a_fast_relay_is_halved_not_stopped_and_does_not_leap_back() -> None:
    pace = Pace(most_width=20)
    pace.push_back(0.0, "slower", seen=1_000.0)
    assert pace.rate == 500
    for _ in range(5_000):
        pace.took(CREEP_S - 0.1)
    assert pace.rate == 500


def test_what_has_no_limit_gets_one_and_loses_it_again() -> None:
    pace = Pace()
    pace.push_back(0.0, "slower")
    assert pace.rate == START_RATE / 2
    for _ in range(30):
        pace.push_back(pace._pushed_s + COOL_S if pace._pushed_s is not None else 0, "slower")
    assert (pace.rate, pace.width) == (LEAST_RATE, 1)
    assert creep(pace, steps=80) == (0.0, 0)


def test_a_rate_is_kept_over_time_and_no_more_than_a_second_is_saved_up() -> None:
    pace, begun, now_s = Pace(most_rate=5), 0, 1_000.0
    while now_s < 1_010:
        if pace.wait_s(now_s) == 0:
            pace.spend(now_s)
            begun += 1
        now_s += 0.01
    assert 49 <= begun <= 52
    burst, now_s = 0, now_s + 3_600
    while pace.wait_s(now_s) == 0:
        pace.spend(now_s)
        burst += 1
    assert burst == 5


def test_what_was_learned_is_known_to_the_next_run_unless_it_is_stale() -> None:
    first = Paces()
    first.domain_pushed_back("example.org", 0.0, "450 slower")
    kept = first.learned(now=NOW)
    assert [(one.kind, one.name, one.rate) for one in kept] == [("domain", "example.org", START_RATE / 2)]
    assert first.learned(now=NOW) == []
    second = Paces()
    second.load(kept, now=NOW + timedelta(days=1))
    assert second.domains["example.org"].rate == START_RATE / 2
    third = Paces()
    third.load(kept, now=NOW + timedelta(days=30))
    assert third.domains == {}


def test_config_wins_over_what_was_learned() -> None:
    paces = Paces(domains={"example.org": Pace(most_rate=1)})
    paces.load([LearnedPace(kind="domain", name="example.org", rate=50, width=9, at=NOW)], now=NOW)
    assert paces.domains["example.org"].rate == 1


def local(text: str) -> datetime:
    """An hour in Toronto, in summer time (-04:00) or winter time (-05:00) as written."""
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("line", "at", "is_open"),
    [
        ("mon-fri 08:00-18:00", "2026-11-20T08:00:00-05:00", True),
        ("mon-fri 08:00-18:00", "2026-11-20T18:00:00-05:00", False),
        ("mon-fri 08:00-18:00", "2026-11-21T12:00:00-05:00", False),
        ("22:00-06:00", "2026-11-21T05:59:00-05:00", True),
        ("fri 22:00-06:00", "2026-11-21T05:59:00-05:00", True),
        ("fri 22:00-06:00", "2026-11-20T05:59:00-05:00", False),
        ("sat,sun 9:00-24:00", "2026-11-22T23:59:00-05:00", True),
        ("sun 01:00-02:00", "2026-11-01T01:30:00-04:00", True),  # the repeated hour, first
        ("sun 01:00-02:00", "2026-11-01T01:30:00-05:00", True),  # and again
        ("sun 03:00-04:00", "2026-03-08T03:00:00-04:00", True),  # a second after 01:59:59
    ],
)
def test_a_window_is_read_from_the_clock_on_the_wall(line: str, at: str, is_open: bool) -> None:
    window = read_window(line)
    assert window is not None
    assert window.is_open(local(at), ZONE) is is_open


@pytest.mark.parametrize(
    ("line", "at", "opens"),
    [
        ("mon-fri 08:00-18:00", "2026-11-20T18:00:00-05:00", "2026-11-23T08:00:00-05:00"),
        ("08:00-18:00", "2026-03-07T20:00:00-05:00", "2026-03-08T08:00:00-04:00"),
        ("08:00-18:00", "2026-10-31T20:00:00-04:00", "2026-11-01T08:00:00-05:00"),
        ("sun 02:30-05:00", "2026-03-07T12:00:00-05:00", "2026-03-08T03:30:00-04:00"),  # 02:30 does not exist
    ],
)
def test_the_next_opening_is_known_over_a_change_of_the_clocks(line: str, at: str, opens: str) -> None:
    window = read_window(line)
    assert window is not None
    assert window.next_opening(local(at), ZONE) == local(opens)


@pytest.mark.parametrize("line", ["8 to 6", "mon-fri", "mon-fry 08:00-18:00", "25:00-26:00", "08:00-08:00"])
def test_a_window_that_cannot_be_read_is_told(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_window(line)
