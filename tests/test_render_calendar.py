"""Calendar files that strict programs read: parsed back, zones right, identities stable."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from digest.model import EventStatus, Language
from digest.render.calendar import event_file, issue_file, subscription_file, uid
from tests import render_kit as kit

CONFIG = kit.config()


def events(data: bytes) -> list[Any]:
    return list(Calendar.from_ical(data).walk("VEVENT"))


def issued(**more: Any) -> bytes:
    return issue_file(kit.month_of_12(), config=CONFIG, language=Language.EN, now=kit.SEND_AT, **more)


def test_an_issue_is_one_calendar_of_its_events_in_order() -> None:
    found = events(issued())
    assert [e["summary"] for e in found][:2] == [
        "Office hours: ask a service designer",
        "Hack night 612: open transit data",
    ]
    assert len(found) == 5
    starts = [e["dtstart"].dt for e in found]
    assert starts == sorted(starts)
    assert starts[0] == datetime(2026, 12, 3, 17, tzinfo=UTC)


def test_the_form_is_strict() -> None:
    data = issued()
    assert data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 75
    assert b"METHOD:PUBLISH" in data
    assert b"VERSION:2.0" in data
    assert b"TZID" not in data
    assert data.count(b"DTSTAMP:20261201T140000Z") == 5


def test_an_identity_outlives_a_change_and_a_cancelled_event_stays() -> None:
    event = kit.event(
        7, "Meet-up", "2026-12-03T12:00-05:00", place="Toronto", sequence=2, uid="<span>junk</span>"
    )
    assert event.occasion is not None
    moved = replace(event, title="Meet-up, moved", occasion=replace(event.occasion, starts=kit.SEND_AT, sequence=3,
                                                                   status=EventStatus.CANCELLED))  # fmt: skip
    before, after = (
        events(event_file(e, config=CONFIG, language=Language.EN, now=kit.SEND_AT))[0] for e in (event, moved)
    )
    assert before["uid"] == after["uid"] == uid(event, config=CONFIG)
    assert (before["sequence"], after["sequence"]) == (2, 3)
    assert (before["status"], after["status"]) == ("CONFIRMED", "CANCELLED")


@pytest.mark.parametrize("status", list(EventStatus))
def test_every_status_has_a_word_that_calendars_know(status: EventStatus) -> None:
    event = kit.event(7, "Meet-up", "2026-12-03T12:00-05:00", status=status)
    found = events(event_file(event, config=CONFIG, language=Language.EN, now=kit.SEND_AT))[0]
    assert found["status"] in {"CONFIRMED", "TENTATIVE", "CANCELLED"}


def test_whole_days_are_dates_of_their_own_zone() -> None:
    jam = kit.event(7, "Jam", "2026-12-05T00:00-07:00", hours=48, timezone="America/Vancouver", all_day=True)
    found = events(event_file(jam, config=CONFIG, language=Language.FR, now=kit.SEND_AT))[0]
    assert found["dtstart"].dt == date(2026, 12, 5)
    assert found["dtend"].dt == date(2026, 12, 7)


def test_where_and_what_are_told_and_hostile_words_stay_words() -> None:
    event = kit.event(7, "A, b; c\\n\r\nBEGIN:VALARM\x07", "2026-12-03T12:00-05:00", place="Room 1\r\nATTACH:x", online="https://meet.example.org/a",
                      summary="Bring a form.", url="javascript:alert(1)")  # fmt: skip
    data = event_file(event, config=CONFIG, language=Language.FR, now=kit.SEND_AT)
    found = events(data)[0]
    assert found["summary"] == "A, b; c\\n BEGIN:VALARM"
    assert found["location"] == "Room 1 ATTACH:x et en ligne"
    assert found["description"] == "Bring a form.\n\nhttps://meet.example.org/a"
    assert "url" not in found
    assert b"\r\nBEGIN:VALARM" not in data
    assert b"\r\nATTACH" not in data


def test_a_subscription_asks_to_be_fetched_again() -> None:
    data = subscription_file(
        [kit.event(1, "x", "2026-12-03T12:00-05:00")], config=CONFIG, language=Language.EN, now=kit.SEND_AT
    )
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT12H" in data
    assert b"X-PUBLISHED-TTL:PT12H" in data


def test_the_same_calendar_at_the_same_time_is_the_same_file() -> None:
    assert issued() == issued()


def test_a_post_has_no_calendar_file() -> None:
    assert (
        events(
            issue_file(
                kit.issue(posts=[kit.post(1, "x")]), config=CONFIG, language=Language.EN, now=kit.SEND_AT
            )
        )
        == []
    )


def test_an_event_without_an_end_has_none() -> None:
    event = kit.event(7, "Meet-up", "2026-12-03T12:00-05:00")
    assert event.occasion is not None
    endless = replace(event, occasion=replace(event.occasion, ends=None))
    found = events(
        event_file(endless, config=CONFIG, language=Language.EN, now=kit.SEND_AT + timedelta(days=1))
    )[0]
    assert "dtend" not in found
