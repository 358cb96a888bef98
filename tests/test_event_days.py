"""Whole days that sources write as hours, hours named in words, and ends without their day."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.app import use_packaged_zones
from digest.model import Entry
from tests.http_kit import ics, rss
from tests.test_event_zones import V, one, page


@pytest.fixture(autouse=True)
def packaged_zones() -> None:
    use_packaged_zones()


def days(entry: Entry) -> tuple[date, date] | None:
    """First and last of an event that lasts whole days."""
    assert entry.occasion is not None
    if not entry.occasion.all_day:
        return None
    zone = ZoneInfo(entry.occasion.timezone)
    last = (entry.occasion.ends or entry.occasion.starts + timedelta(hours=1)) - timedelta(minutes=1)
    return entry.occasion.starts.astimezone(zone).date(), last.astimezone(zone).date()


def hours(entry: Entry) -> tuple[str, str]:
    assert entry.occasion is not None
    assert not entry.occasion.all_day
    zone = ZoneInfo(entry.occasion.timezone)
    ends = entry.occasion.ends
    return (
        f"{entry.occasion.starts.astimezone(zone):%d %H:%M}",
        f"{ends.astimezone(zone):%d %H:%M}" if ends else "",
    )


def december(first: int, last: int) -> tuple[date, date]:
    return date(2026, 12, first), date(2026, 12, last)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-12-03T00:00:00-05:00", "2026-12-03T23:59:59-05:00", december(3, 3)),
        ("2026-12-04T00:00:00-05:00", "2026-12-06T23:59:59-05:00", december(4, 6)),
        ("2026-12-07T00:00:00-0500", "2026-12-07T00:00:00-0500", december(7, 7)),
        ("2026-12-07T00:00:00-05:00", None, december(7, 7)),
        ("2026-12-08T00:00:00", "2026-12-09T00:00:00", december(8, 8)),
        ("2026-12-08T00:00:00Z", "2026-12-09T23:59:59Z", december(8, 9)),
        ("2026-12-08T00:00:00-08:00", "2026-12-08T23:59:00-08:00", december(8, 8)),
        ("2026-12-08", "2026-12-09", december(8, 9)),
        ("2026-12-08T00:00:00-05:00", "2026-12-08T02:00:00-05:00", None),
        ("2026-12-08T00:00:00Z", None, None),
        ("2026-12-08T09:00:00-05:00", "2026-12-08T23:59:00-05:00", None),
    ],
)
@pytest.mark.parametrize("place", [{}, {"city": "Vancouver", "region": "BC"}])
def test_a_page_that_writes_whole_days_as_hours_means_days(
    start: str, end: str | None, found: tuple[date, date] | None, place: dict[str, str]
) -> None:
    entry = page(start, **place, **({"endDate": end} if end else {}))
    assert days(entry) == found
    assert found is None or entry.flags == ()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("DTSTART;TZID=Eastern Standard Time:20261211T000000\nDTEND;TZID=Eastern Standard Time:20261212T000000\n"
         "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE", december(11, 11)),
        ("DTSTART:20261217T000000Z\nDTEND:20261219T000000Z\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", december(17, 18)),
        ("DTSTART:20261217T080000Z\nDTEND:20261218T080000Z\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", december(17, 17)),
        ("DTSTART:20261217T050000Z\nDTEND:20261218T050000Z", december(17, 17)),
        ("DTSTART:20261217T230000Z\nDTEND:20261218T010000Z\nX-MICROSOFT-CDO-ALLDAYEVENT:FALSE", None),
        ("DTSTART:20261217T000000Z\nDTEND:20261217T020000Z", None),
    ],
)  # fmt: skip
def test_a_calendar_that_writes_whole_days_as_hours_means_days(
    lines: str, found: tuple[date, date] | None
) -> None:
    assert days(one("ical", ics(f"UID:a-long-uid@x.example\nSUMMARY:Closed\n{lines}"))) == found


def test_a_feed_of_events_that_writes_whole_days_as_hours_means_days() -> None:
    starts = "<ev:startdate>2026-12-03T00:00:00-05:00</ev:startdate><ev:enddate>2026-12-04T23:59:59-05:00</ev:enddate>"
    body = rss(
        f"<title>Data days</title><link>/e/1</link>{starts}",
        head="<language>en</language>",
    ).replace(b"<rss ", b'<rss xmlns:ev="http://purl.org/rss/1.0/modules/event/" ', 1)
    assert days(one("feed", body)) == december(3, 4)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("Dec. 9, 2026, noon", "1 p.m.", ("09 12:00", "09 13:00")),
        ("9 décembre 2026, midi", "13 h 30", ("09 12:00", "09 13:30")),
        ("December 9, 2026 12 noon ET", "2:30 PM", ("09 12:00", "09 14:30")),
        ("December 3, 2026 6:00 PM", "8:00 PM", ("03 18:00", "03 20:00")),
        ("December 3, 2026 6:00 PM", "midnight", ("03 18:00", "04 00:00")),
        ("2026-12-03T18:00:00-05:00", "20:00", ("03 18:00", "03 20:00")),
        ("December 3, 2026 6:00 PM", "late", ("03 18:00", "")),
    ],
)
def test_hours_in_words_and_ends_without_their_day_are_read(
    start: str, end: str, found: tuple[str, str]
) -> None:
    assert hours(page(start, endDate=end)) == found


def test_a_date_that_names_its_zone_is_told_in_it() -> None:
    entry = page("2026-12-10 18:00:00 America/Vancouver", endDate="20:00")
    assert entry.occasion is not None
    assert (hours(entry), entry.occasion.timezone) == (("10 18:00", "10 20:00"), V)
    assert days(page("9 décembre 2026 en après-midi")) == december(9, 9)


@pytest.mark.parametrize(
    ("said", "found", "place"),
    [
        ("<ev:startdate>2026-12-03T18:00:00-05:00</ev:startdate><ev:location>Hall</ev:location>", ("03 18:00", ""), "Hall"),
        ("<xCal:dtstart>2026-12-03T23:00:00Z</xCal:dtstart><xCal:dtend>20261204T010000Z</xCal:dtend>"
         "<xCal:location>Hall</xCal:location>", ("03 18:00", "03 20:00"), "Hall"),
        ("<mec:startDate>2026-12-03</mec:startDate><mec:startHour>6:00 pm</mec:startHour><mec:endDate>2026-12-03</mec:endDate>"
         "<mec:endHour>20:00</mec:endHour>", ("03 18:00", "03 20:00"), None),
        ("<mec:startDate>2026-12-03</mec:startDate><mec:endDate>2026-12-04</mec:endDate>", december(3, 4), None),
        ("<xCal:dtstart>20261203</xCal:dtstart><xCal:dtend>20261205</xCal:dtend>", december(3, 4), None),
    ],
)  # fmt: skip
def test_event_feeds_of_three_dialects_are_events_with_their_hours(
    said: str, found: tuple[object, object], place: str | None
) -> None:
    spaces = (
        'xmlns:ev="http://purl.org/rss/1.0/modules/event/" xmlns:xCal="urn:ietf:params:xml:ns:xcal" '
        'xmlns:mec="http://webnus.net/rss/mec/" '
    )
    body = rss(
        f"<title>Open house</title><link>/e/1</link><pubDate>Mon, 16 Nov 2026 10:00:00 GMT</pubDate>{said}",
        head="<language>en</language>",
    ).replace(b"<rss ", f"<rss {spaces}".encode(), 1)
    entry = one("feed", body)
    assert entry.occasion is not None
    assert (days(entry) or hours(entry), entry.occasion.place) == (found, place)
