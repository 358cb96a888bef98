"""Calendar files (RFC 5545): one event, an issue's events, or a subscription. UTC times, stable UIDs, folded, CRLF.

Linked from the letter and never attached. A cancelled event stays in, with STATUS:CANCELLED, so calendars take it out.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.config import Config
from digest.model import EventStatus, Issue, Item, Language, Occasion
from digest.render.text import clean
from digest.render.view import event_place, safe_url

if TYPE_CHECKING:
    from icalendar import Event

_STATUS = {
    EventStatus.CONFIRMED: "CONFIRMED",
    EventStatus.RESCHEDULED: "CONFIRMED",
    EventStatus.TENTATIVE: "TENTATIVE",
    EventStatus.POSTPONED: "TENTATIVE",
    EventStatus.CANCELLED: "CANCELLED",
}


def event_file(item: Item, *, config: Config, language: Language, now: datetime) -> bytes:
    """One event as a calendar file. now: when it is written (DTSTAMP). Raises ValueError for an item without a date."""
    return _calendar((item,), domain=config.list.domain, language=language, now=now, name=clean(item.title))


def issue_file(issue: Issue, *, config: Config, language: Language, now: datetime) -> bytes:
    """All events of an issue, bench left out."""
    items = tuple(p.item for p in issue.placed if p.section is not None and p.item.occasion)
    name = f"{config.list.name.in_(language)} {issue.period}"
    return _calendar(items, domain=config.list.domain, language=language, now=now, name=name)


def subscription_file(items: Sequence[Item], *, config: Config, language: Language, now: datetime) -> bytes:
    """The events that calendars fetch again and again (webcal); readers of it are asked to come back every 12 hours."""
    name = config.list.name.in_(language)
    return _calendar(
        tuple(items), domain=config.list.domain, language=language, now=now, name=name, is_subscription=True
    )


def uid(item: Item, *, config: Config) -> str:
    """The event's identity for life (RFC 5545 section 3.8.4.7): ours, since a series shares one and feeds hold junk."""
    return _uid(item, config.list.domain)


def _uid(item: Item, domain: str) -> str:
    return f"item-{item.id}@{domain}"


# Preflight reads the same file after every edit at the desk, and few edits touch an event.
@lru_cache(maxsize=8)
def _calendar(
    items: tuple[Item, ...], *, domain: str, language: Language, now: datetime, name: str,
    is_subscription: bool = False,
) -> bytes:  # fmt: skip
    from icalendar import Calendar  # 3 MB, which a million letters need not carry

    calendar = Calendar()
    calendar.add("prodid", f"-//{domain}//digest//{language.value.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    if is_subscription:
        calendar.add("refresh-interval", timedelta(hours=12), parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT12H")
    for item in sorted((i for i in items if i.occasion), key=lambda i: (_occasion(i).starts, i.id)):
        calendar.add_component(_event(item, domain=domain, language=language, now=now))
    return bytes(calendar.to_ical())


def _event(item: Item, *, domain: str, language: Language, now: datetime) -> "Event":
    from icalendar import Event, vText, vUri

    occasion, event = _occasion(item), Event()
    event.add("uid", _uid(item, domain))
    event.add("dtstamp", now.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", occasion.sequence)
    event.add(
        "summary", vText(clean(item.title), params={"LANGUAGE": item.language} if item.language else {})
    )
    event.add("dtstart", _moment(occasion, occasion.starts))
    if occasion.ends and occasion.ends > occasion.starts:
        event.add("dtend", _moment(occasion, occasion.ends))
    event.add("status", _STATUS[occasion.status])
    place, online, url = event_place(occasion, language), safe_url(occasion.online), safe_url(item.url)
    if place:
        event.add("location", place)
    about = [clean(item.summary), online, url if url != online else None]
    event.add("description", "\n\n".join(piece for piece in about if piece))
    if url:
        event.add("url", vUri(url))
    if item.updated:
        event.add("last-modified", item.updated.astimezone(UTC).replace(microsecond=0))
    return event


def _moment(occasion: Occasion, at: datetime) -> object:
    """A date for a whole day, as its zone counts days; else an instant in UTC, which needs no VTIMEZONE."""
    if occasion.all_day:
        return at.astimezone(ZoneInfo(occasion.timezone)).date()
    return at.astimezone(UTC).replace(microsecond=0)


def _occasion(item: Item) -> Occasion:
    if item.occasion is None:
        raise ValueError(f"item {item.id} is no event: it has no date")
    return item.occasion
