"""Cron lines: the standard meaning, and what happens at the edges of months and of daylight time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Period
from digest.rules.cron import instants, last_slot, next_slot, read_cron, slot_in, slots_between

TORONTO = "America/Toronto"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_the_first_of_the_month_at_nine_follows_the_clocks_of_the_list() -> None:
    assert instants("0 9 1 * *", TORONTO, after=utc(2026, 10, 15), count=3) == [
        utc(2026, 11, 1, 14), utc(2026, 12, 1, 14), utc(2027, 1, 1, 14)
    ]  # fmt: skip
    assert next_slot("0 9 1 * *", TORONTO, after=utc(2026, 6, 2)) == utc(2026, 7, 1, 13)


def test_a_slot_is_later_than_the_moment_asked_about() -> None:
    assert next_slot("0 9 1 * *", TORONTO, after=utc(2026, 11, 1, 14)) == utc(2026, 12, 1, 14)
    assert last_slot("0 9 1 * *", TORONTO, until=utc(2026, 11, 1, 14)) == utc(2026, 11, 1, 14)


@pytest.mark.parametrize("sunday", ["0", "7", "sun", "SUN"])
def test_nought_and_seven_are_sunday(sunday: str) -> None:
    assert next_slot(f"0 12 * * {sunday}", "UTC", after=utc(2026, 11, 20)) == utc(2026, 11, 22, 12)


def test_monday_is_one() -> None:
    assert next_slot("0 12 * * 1", "UTC", after=utc(2026, 11, 20)) == utc(2026, 11, 23, 12)
    assert read_cron("0 12 * * fri-sun").weekdays == {5, 6, 0}


def test_with_day_and_weekday_either_will_do() -> None:
    assert instants("0 0 13 * 5", "UTC", after=utc(2026, 11, 1), count=3) == [
        utc(2026, 11, 6), utc(2026, 11, 13), utc(2026, 11, 20)
    ]  # fmt: skip
    assert next_slot("0 0 15 * 1", "UTC", after=utc(2026, 11, 10)) == utc(2026, 11, 15)


def test_a_day_that_the_month_lacks_is_its_last() -> None:
    assert instants("0 9 31 * *", "UTC", after=utc(2027, 1, 1), count=4) == [
        utc(2027, 1, 31, 9), utc(2027, 2, 28, 9), utc(2027, 3, 31, 9), utc(2027, 4, 30, 9)
    ]  # fmt: skip
    assert slot_in("0 9 30,31 * *", "UTC", period=Period(2028, 2)) == utc(2028, 2, 29, 9)


def test_an_hour_that_the_clocks_repeat_counts_once() -> None:
    day = slots_between("30 1 * * *", TORONTO, after=utc(2026, 11, 1, 4), until=utc(2026, 11, 2, 4))
    assert day == [utc(2026, 11, 1, 5, 30)]


def test_an_hour_that_the_clocks_skip_is_not_lost() -> None:
    day = slots_between("30 2 * * *", TORONTO, after=utc(2026, 3, 8, 5), until=utc(2026, 3, 9, 4))
    assert day == [utc(2026, 3, 8, 7, 30)]


def test_steps_ranges_and_names() -> None:
    assert read_cron("*/20 8-10 1,15 jan-mar,12 *").minutes == (0, 20, 40)
    assert read_cron("0 8-20/6 * * *").hours == (8, 14, 20)
    assert read_cron("5/15 * * * *").minutes == (5, 20, 35, 50)
    assert read_cron("0 0 * jan-mar,12 *").months == {1, 2, 3, 12}
    assert read_cron("@monthly") == read_cron("0 0 1 * *")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("0 9 1 *", "five fields"),
        ("60 9 1 * *", "minute"),
        ("0 24 1 * *", "hour"),
        ("0 9 0 * *", "day"),
        ("0 9 1 13 *", "month"),
        ("0 9 1 * 8", "weekday"),
        ("0 9 1 * someday", "weekday"),
        ("*/0 9 1 * *", "minute"),
        ("5-1 9 1 * *", "minute"),
        ("0 9 ¹ * *", "day"),
    ],
)
def test_a_line_that_is_wrong_says_where(line: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_cron(line)


def test_the_slot_of_a_month_or_none() -> None:
    assert slot_in("0 9 1 * *", TORONTO, period=Period(2026, 12)) == utc(2026, 12, 1, 14)
    assert slot_in("0 9 1 2 *", TORONTO, period=Period(2026, 12)) is None
    assert last_slot("0 9 1 2 *", TORONTO, until=utc(2026, 1, 15)) == utc(2025, 2, 1, 14)


def field(least: int, most: int) -> st.SearchStrategy[str]:
    return st.one_of(
        st.just("*"),
        st.integers(least, most).map(str),
        st.integers(2, 9).map(lambda step: f"*/{step}"),
        st.lists(st.integers(least, most), min_size=1, max_size=4).map(lambda days: ",".join(map(str, days))),
    )


LINES = st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)).map(" ".join)


MOMENTS = st.integers(0, 5 * 365 * 24 * 60).map(lambda minutes: utc(2025, 1, 1) + timedelta(minutes=minutes))
ZONES = st.sampled_from([TORONTO, "America/St_Johns", "UTC", "Australia/Lord_Howe"])


@given(line=LINES, after=MOMENTS, zone=ZONES)
def test_every_line_comes_round_and_is_found_again(line: str, after: datetime, zone: str) -> None:
    first, second = instants(line, zone, after=after, count=2)
    assert after < first < second
    assert first - after < timedelta(days=4000)
    assert last_slot(line, zone, until=second) == second
    assert slots_between(line, zone, after=after, until=second) == [first, second]
