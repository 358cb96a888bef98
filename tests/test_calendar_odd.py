"""Calendars as programs and mistakes write them: years nobody means, changes of all later dates, zones by other names."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.app import use_packaged_zones
from digest.errors import SourceError
from digest.model import Harvest, LeftOutWhy
from digest.sources import KINDS, ParseContext
from tests.conftest import NOW
from tests.http_kit import ics

CONTEXT = ParseContext(
    url="https://cal.example.org/all.ics",
    now=NOW,
    horizon=NOW + timedelta(days=80),
    timezone="America/Toronto",
)


@pytest.fixture(autouse=True)
def packaged_zones() -> None:
    use_packaged_zones()


def read(body: bytes) -> Harvest:
    return KINDS["ical"].parse(body, CONTEXT)


def starts(body: bytes) -> list[str]:
    zone = ZoneInfo(CONTEXT.timezone)
    return [
        f"{one.occasion.starts.astimezone(zone):%m-%d %H:%M}" for one in read(body).entries if one.occasion
    ]


YEARS = [
    "DTSTART;TZID=America/Toronto:99991231T235959",
    "DTSTART:00010101T000000Z",
    "DTSTART;VALUE=DATE:00010101",
    "DTSTART;TZID=America/Toronto:99991231T235959\nRRULE:FREQ=DAILY",
    "DTSTART;TZID=America/Toronto:20261201T180000\nRRULE:FREQ=WEEKLY;UNTIL=99991231T235959Z",
    "DTSTART;TZID=America/Toronto:20261201T180000\nDTEND;TZID=America/Toronto:99991231T235959",
    "DTSTART;TZID=America/Toronto:20261201T180000\nDURATION:P9999999D",
    "DTSTART;TZID=America/Toronto:20261201T180000\nRDATE:99991231T235959Z",
    "DTSTART;TZID=America/Toronto:20261201T180000\nRRULE:FREQ=WEEKLY\nEXDATE:00010101T000000Z",
    "DTSTART;TZID=America/Toronto:20261201T180000\nRECURRENCE-ID:99991231T235959Z",
    "DTSTART;TZID=America/Toronto:20261201T180000\nDTSTAMP:00010101T000000Z\nLAST-MODIFIED:99991231T235959Z",
]


@pytest.mark.parametrize("lines", YEARS)
def test_a_year_that_nobody_means_costs_no_other_event(lines: str) -> None:
    body = ics(
        f"UID:odd@x.example\nSUMMARY:Odd\n{lines}",
        "UID:good@x.example\nSUMMARY:Good\nDTSTART:20261203T150000Z",
    )
    found = read(body)
    assert "Good" in [entry.title for entry in found.entries]
    in_its_year = "DTSTART;TZID=America/Toronto:2026" in lines and "RECURRENCE-ID" not in lines
    assert ("Odd" in [entry.title for entry in found.entries]) is in_its_year
    assert bool(found.left_out) is not in_its_year


def test_a_change_of_this_and_all_later_dates_keeps_them_apart() -> None:
    body = ics(
        "UID:w@x.example\nSUMMARY:W\nDTSTART;TZID=America/Toronto:20261124T180000\nRRULE:FREQ=WEEKLY;COUNT=5",
        "UID:w@x.example\nSUMMARY:W\nRECURRENCE-ID;TZID=America/Toronto;RANGE=THISANDFUTURE:20261208T180000\n"
        "DTSTART;TZID=America/Toronto:20261209T190000",
    )
    assert starts(body) == ["11-24 18:00", "12-01 18:00", "12-09 19:00", "12-16 19:00", "12-23 19:00"]
    firsts = [entry.keys[0].rpartition("/")[2] for entry in read(body).entries]
    assert firsts == ["20261124", "20261201", "20261208", "20261215", "20261222"]


@pytest.mark.parametrize(
    ("tzid", "own", "zone", "sure"),
    [
        ("Pacific Standard Time", "America/Toronto", "America/Vancouver", False),
        ("Pacific Standard Time", "America/Vancouver", "America/Vancouver", True),
        ("Mountain Standard Time", "America/Toronto", "America/Edmonton", False),
        ("Mountain Standard Time", "America/Yellowknife", "America/Yellowknife", True),
        ("Eastern Standard Time", "America/Vancouver", "America/Toronto", True),
        ("Eastern Standard Time", "America/Iqaluit", "America/Iqaluit", True),
        ("Atlantic Standard Time", "America/Moncton", "America/Moncton", True),
        ("Canada Central Standard Time", "America/Toronto", "America/Regina", True),
        ("US/Pacific", "America/Toronto", "America/Vancouver", False),
        ("EST5EDT", "America/Toronto", "America/Toronto", True),
        ("(UTC-08:00) Pacific Time (US & Canada)", "America/Vancouver", "America/Vancouver", True),
        ("(UTC-03:30) Newfoundland", "America/Toronto", "America/St_Johns", True),
        ("(UTC-06:00) Saskatchewan", "America/Toronto", "America/Regina", True),
        ("(UTC-05:00) Est (É.-U. et Canada)", "America/Toronto", "America/Toronto", True),
        ("(UTC-05:00) Est (É.-U. et Canada)", "America/Vancouver", "America/Toronto", True),
        ("(UTC-08:00) Pacifique (É.-U. et Canada)", "America/Vancouver", "America/Vancouver", True),
        ("(UTC-08:00) Pacifique (É.-U. et Canada)", "America/Toronto", "America/Vancouver", False),
        ("(UTC-07:00) Montagnes Rocheuses (É.-U. et Canada)", "America/Edmonton", "America/Edmonton", True),
        ("(UTC-06:00) Centre (É.-U. et Canada)", "America/Winnipeg", "America/Winnipeg", True),
        ("(UTC-04:00) Atlantique (Canada)", "America/Toronto", "America/Halifax", True),
        ("(UTC-03:30) Terre-Neuve", "America/Toronto", "America/St_Johns", True),
        ("(UTC-07:00) Yukon", "America/Toronto", "America/Whitehorse", True),
        ("Heure de l’Est", "America/Toronto", "America/Toronto", True),
        ("Pacific Standard Time", "America/New_York", "America/Los_Angeles", True),
        ("America/Los_Angeles", "America/Vancouver", "America/Los_Angeles", True),
        ("US/Pacific", "Europe/Paris", "US/Pacific", True),
    ],
)
def test_names_of_windows_and_of_the_states_are_canadian_clocks_here(
    tzid: str, own: str, zone: str, sure: bool
) -> None:
    body = ics(f'UID:a-long-uid@x.example\nSUMMARY:Talk\nDTSTART;TZID="{tzid}":20261201T180000')
    (entry,) = KINDS["ical"].parse(body, replace(CONTEXT, timezone=own)).entries
    assert entry.occasion is not None
    assert (entry.occasion.timezone, "zone-guessed" not in entry.flags) == (zone, sure)
    assert f"{entry.occasion.starts.astimezone(ZoneInfo(zone)):%H:%M}" == "18:00"


def series(number: int, rule: str, *, day: str = "20261124") -> str:
    start = f"DTSTART;TZID=America/Toronto:{day}T180000"
    return f"UID:{number}-of-many@x.example\nSUMMARY:W {number}\n{start}" + (
        f"\nRRULE:{rule}" if rule else ""
    )


def limits(harvest: Harvest) -> list[str]:
    return [str(one) for one in harvest.left_out if one.why is LeftOutWhy.LIMIT]


def test_of_too_many_events_the_nearest_are_kept_and_the_rest_is_counted() -> None:
    past = [series(number, "", day="20260105") for number in range(300)]
    ahead = [series(number, "", day="20261201") for number in range(300, 5_200)]
    found = read(ics(series(9_999, "FREQ=WEEKLY"), *past, *ahead))
    days = Counter(
        f"{one.occasion.starts:%m}" for one in found.entries if one.occasion and not one.occasion.recurs
    )
    assert days == {"12": 4_900, "01": 89}
    assert limits(found) == ["'201': events beyond the nearest 5000", "'10': dates beyond the nearest 5000"]
    assert len(found.entries) == 5_000
    whole = {one.uid for one in found.whole}
    assert "9999-of-many@x.example" in whole
    assert len(whole) == 4_990, "what was left out is not stated"


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY"])
def test_of_too_many_series_as_many_are_followed_as_can_be(rule: str) -> None:
    found = read(ics(*(series(number, rule) for number in range(1_200))))
    followed = {one.occasion.uid for one in found.entries if one.occasion}
    assert 100 < len(followed) < 1_200
    assert limits(found)[0] == f"'{1_200 - len(followed)}': series beyond what can be worked out in seconds"
    assert len(found.entries) <= 5_000


@pytest.mark.parametrize("name", ["VEVENT", "VTODO", "VALARM", "VTIMEZONE", "VCALENDAR"])
@pytest.mark.parametrize("place", ["before", "inside", "after"])
def test_what_opens_and_never_ends_is_passed_over(name: str, place: str) -> None:
    rubbish = f"BEGIN:{name}\n" * 20_000
    good = "UID:good@x.example\nSUMMARY:Good\nDTSTART:20261203T150000Z"
    inside, rest = (f"{good}\n{rubbish}", "") if place == "inside" else (good, rubbish)
    body = ics(inside, head=rest if place == "before" else "")
    if place == "after":
        body = body.replace(b"END:VCALENDAR", rubbish.encode() + b"END:VCALENDAR")
    lost = place == "inside" and name in ("VEVENT", "VTIMEZONE")
    if lost:
        with pytest.raises(SourceError):
            read(body)
    else:
        found = read(body)
        assert [one.title for one in found.entries] == ["Good"]
        assert not found.whole or name in ("VTODO", "VALARM", "VCALENDAR")


def test_a_zone_name_of_mere_slashes_is_read_in_one_pass() -> None:
    body = ics("UID:1@x.example\nSUMMARY:T\nDTSTART:20261203T150000Z\nX-A;" + "TZID=/" * 50_000)
    assert [one.title for one in read(body).entries] == ["T"]


@pytest.mark.parametrize(
    ("tzid", "hour", "sure"),
    [
        ("tzone://Microsoft/Utc", "13:00", True),
        ("Etc/GMT+5", "18:00", True),
        ("(UTC-06:00) Central America", "19:00", False),
        ("(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris", "12:00", False),
    ],
)
def test_a_zone_that_is_only_a_number_keeps_its_instant_and_is_told_in_the_sources_zone(
    tzid: str, hour: str, sure: bool
) -> None:
    body = ics(f'UID:a-long-uid@x.example\nSUMMARY:Talk\nDTSTART;TZID="{tzid}":20261201T180000')
    (entry,) = KINDS["ical"].parse(body, replace(CONTEXT, timezone="America/Toronto")).entries
    assert entry.occasion is not None
    assert (entry.occasion.timezone, "zone-guessed" not in entry.flags) == ("America/Toronto", sure)
    assert f"{entry.occasion.starts.astimezone(ZoneInfo('America/Toronto')):%H:%M}" == hour


def test_a_date_that_is_called_off_without_a_word_keeps_the_words_of_its_series() -> None:
    series = "UID:drop-in@x.example\nSUMMARY:Weekly drop-in\nLOCATION:Library\nDTSTART:20261202T230000Z"
    series += "\nRRULE:FREQ=WEEKLY;COUNT=3"
    off = "UID:drop-in@x.example\nSTATUS:CANCELLED\nRECURRENCE-ID:20261209T230000Z\nDTSTART:20261209T230000Z"
    entries = KINDS["ical"].parse(ics(series, off), CONTEXT).entries
    assert [(e.title, e.occasion.place, e.occasion.status.value) for e in entries if e.occasion] == [
        ("Weekly drop-in", "Library", "confirmed"),
        ("Weekly drop-in", "Library", "cancelled"),
        ("Weekly drop-in", "Library", "confirmed"),
    ]
