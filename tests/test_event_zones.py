"""In whose time an event is told: that of its place in Canada, whatever clock wrote it down, and a flag where the two differ."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.app import use_packaged_zones
from digest.model import Entry
from digest.sources import KINDS, ParseContext
from digest.sources._places import zone_of_location, zone_of_words
from tests.http_kit import ics

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
V, E, W, T, H = (f"America/{city}" for city in ("Vancouver", "Edmonton", "Winnipeg", "Toronto", "Halifax"))


@pytest.fixture(autouse=True)
def packaged_zones() -> None:
    use_packaged_zones()


def one(kind: str, body: bytes, *, zone: str = T) -> Entry:
    context = ParseContext(
        url="https://x.example/e", now=NOW, horizon=NOW + timedelta(days=80), language="en", timezone=zone
    )
    (entry,) = KINDS[kind].parse(body, context).entries
    return entry


def page(start: str, *, city: str = "", region: str = "", zone: str = T, **more: object) -> Entry:
    place = {
        "@type": "Place",
        "name": "Library",
        "address": {"addressLocality": city, "addressRegion": region},
    }
    stated = {"@type": "Event", "name": "Talk", "startDate": start, "location": place, **more}
    script = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    return one("event-page", f"<!doctype html><html><head>{script}</head></html>".encode(), zone=zone)


def told(entry: Entry) -> tuple[str, str, tuple[str, ...]]:
    """The hour on the clock of the zone it is told in, that zone, and what an editor should look at."""
    assert entry.occasion is not None
    at = entry.occasion.starts.astimezone(ZoneInfo(entry.occasion.timezone))
    return f"{at:%d %H:%M}", entry.occasion.timezone, entry.flags


@pytest.mark.parametrize(
    ("start", "city", "region", "hour", "zone", "flags"),
    [
        ("2026-12-03T18:00:00-08:00", "Vancouver", "BC", "03 19:00", V, ("check-zone",)),
        ("2026-12-03T18:00:00-07:00", "Vancouver", "BC", "03 18:00", V, ()),
        ("2026-12-03T18:00:00-07:00", "Calgary", "Alberta", "03 19:00", E, ("check-zone",)),
        ("2026-12-03T18:00:00-06:00", "Winnipeg", "MB", "03 19:00", W, ("check-zone",)),
        ("2026-12-03T18:00:00-05:00", "Vancouver", "Colombie-Britannique", "03 16:00", V, ("check-zone",)),
        ("2026-12-03T18:00:00-06:00", "Thunder Bay", "ON", "03 19:00", T, ("check-zone",)),
        ("2026-12-03T18:00:00-06:00", "Cranbrook", "BC", "03 18:00", E, ()),
        ("2026-12-03T23:00:00Z", "Vancouver", "BC", "03 16:00", V, ()),
        ("2026-12-03T23:00:00.000Z", "Halifax", "", "03 19:00", H, ()),
        ("2026-12-03T10:00:00Z", "Vancouver", "BC", "03 03:00", V, ("check-zone",)),
        ("2026-12-03T18:00:00+00:00", "Vancouver", "BC", "03 11:00", V, ("check-zone",)),
        ("2026-12-03T18:00:00", "Vancouver", "BC", "03 18:00", V, ("zone-guessed",)),
        ("2026-12-03T18:00:00 PST", "Vancouver", "BC", "03 19:00", V, ("check-zone",)),
        ("Dec 3, 2026 6 pm PT", "Vancouver", "BC", "03 18:00", V, ()),
        ("2026-12-03T18:00:00-05:00", "Québec", "", "03 18:00", T, ()),
    ],
)
def test_an_event_at_a_place_is_told_by_the_clock_of_that_place(
    start: str, city: str, region: str, hour: str, zone: str, flags: tuple[str, ...]
) -> None:
    assert told(page(start, city=city, region=region)) == (hour, zone, flags)


@pytest.mark.parametrize(
    ("start", "own", "hour", "zone", "flags"),
    [
        ("2026-12-03T18:00:00-08:00", V, "03 19:00", V, ("check-zone",)),
        ("2026-12-03T18:00:00-07:00", E, "03 19:00", E, ("check-zone",)),
        ("2026-12-03T18:00:00-08:00", T, "03 18:00", "America/Los_Angeles", ("check-zone",)),
        ("2026-12-03T18:00:00-07:00", T, "03 18:00", V, ()),
        ("2026-12-03 18:00:00 America/Vancouver", T, "03 18:00", V, ()),
        ("2026-12-03T23:00:00Z", T, "03 18:00", T, ()),
    ],
)
def test_without_a_place_the_zone_is_the_sources_own_the_named_one_or_one_that_agrees(
    start: str, own: str, hour: str, zone: str, flags: tuple[str, ...]
) -> None:
    assert told(page(start, zone=own)) == (hour, zone, flags)


def test_an_event_that_is_only_online_is_at_no_place() -> None:
    entry = page(
        "2026-12-03T23:00:00Z", city="Vancouver", region="BC", eventAttendanceMode="OnlineEventAttendanceMode"
    )
    assert told(entry) == ("03 18:00", T, ())


def test_a_calendar_that_writes_universal_time_is_told_by_the_clock_of_the_place() -> None:
    lines = "UID:a-long-uid@x.example\nSUMMARY:Talk\nDTSTART:20261204T010000Z\nLOCATION:"
    hall = one("ical", ics(lines + "Public Library\\, 350 W Georgia St\\, Vancouver\\, BC V6B 6B1"))
    assert told(hall) == ("03 18:00", V, ())
    assert told(one("ical", ics(lines + "Vancouver Room\\, 90 Elgin St\\, Ottawa"))) == ("03 20:00", T, ())


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("350 W Georgia St, Vancouver BC  V6B 6B1, Canada", V),
        ("Hôtel de ville, Gatineau (Québec)", T),
        ("The Rooms, 9 Bonaventure Ave, St. John’s, N.L.", "America/St_Johns"),
        ("Centre culturel, Moncton, N.-B.", H),
        ("Halifax Room, 90 Elgin St, Ottawa, ON", T),
        ("Edmonton St, Winnipeg", W),
        ("Kenora, ON", W),
        ("Vancouver, WA", None),
        ("Ontario, CA 91764", None),
        ("Federation Square, Melbourne, Victoria, Australia", None),
        ("Learn on, sit in", None),
        ("Library", None),
        ("", None),
    ],
)
def test_a_province_or_city_between_commas_says_where_it_is(place: str, zone: str | None) -> None:
    assert zone_of_words(place) == zone


def test_an_address_abroad_and_places_apart_are_no_place_of_ours() -> None:
    vancouver = {"@type": "Place", "address": {"addressLocality": "Vancouver", "addressRegion": "BC"}}
    calgary = {"@type": "Place", "name": "Library", "address": "Calgary, AB"}
    abroad = {"address": {"addressLocality": "Victoria", "addressCountry": {"name": "Australia"}}}
    online = {"@type": "VirtualLocation", "url": "https://zoom.us/j/1", "name": "Vancouver"}
    assert zone_of_location([vancouver, online]) == V
    assert zone_of_location(abroad) is None
    assert zone_of_location([vancouver, calgary]) is None
