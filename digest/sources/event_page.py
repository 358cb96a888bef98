"""Pages that state events in schema.org terms (JSON-LD, else microdata) become entries. Pure; nothing else is read there."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from digest.errors import ErrorKind, SourceError
from digest.model import Entry, EventStatus, Harvest, LeftOut, LeftOutWhy, Occasion
from digest.rules.dates import When, read_date, read_hour, stated_offset, zone_named
from digest.rules.links import host_of, same_page_key, shown_link
from digest.rules.marks import MOVABLE
from digest.rules.text import language_tag, one_line, title_text
from digest.sources._entry import hashed_key
from digest.sources._event import Stated, event_entry, odd_title, told_apart
from digest.sources._kind import Kind, ParseContext
from digest.sources._markup import LONGEST_PAGE, json_ld_events, microdata_events
from digest.sources._page import challenge, decoded, is_challenge, not_a_feed
from digest.sources._places import told_in, zone_of_location
from digest.sources._whole_days import begin_of, whole_days

_EVENTON = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})T(\d{2})-\2-(\d{2})-00$"
)  # a WordPress plugin's idea of ISO 8601
_NEWS = re.compile(
    r"[(\[][^)\]]*[)\]]|\b(re-?scheduled|postponed|moved|cancel+ed|new (date|time)|report[ée]e?|déplacée?"
    r"|annul[ée]e?|nouvelle (date|heure))\b|[^\w]+",
    re.IGNORECASE,
)  # of a title: what a move adds to it
_STATUS = {
    "eventcancelled": EventStatus.CANCELLED, "eventcanceled": EventStatus.CANCELLED, "cancelled": EventStatus.CANCELLED,
    "eventpostponed": EventStatus.POSTPONED, "eventrescheduled": EventStatus.RESCHEDULED,
}  # fmt: skip


def parse(body: bytes, context: ParseContext) -> Harvest:
    """Raises SourceError: challenge, not-a-feed for a page without events, parse when none of its events has a date."""
    if is_challenge(body, context.headers):
        raise challenge(context.url)
    text = decoded(body[:LONGEST_PAGE], context.headers)
    stated, broken = json_ld_events(text)
    if not stated and "<" in text[:2_000]:
        stated = microdata_events(text)
    left_out = [LeftOut("JSON-LD", LeftOutWhy.BLOCK, f"{broken} blocks of it are broken")] if broken else []
    entries = []
    language = _page_language(text)
    spoken = replace(context, language=context.language or language)
    read = [(raw, *_occasion(raw, context)) for raw in stated]
    links = [_link(raw, context, alone=len(stated) == 1) for raw in stated]
    shared = _of_several(links, [occasion for _, occasion, _ in read])
    called = _page_title(text)
    for (raw, occasion, flags), link in zip(read, links, strict=True):
        if occasion is None:
            left_out.append(
                LeftOut(
                    title_text(_text(raw.get("name")))[:60], LeftOutWhy.NO_START, "no start that can be read"
                )
            )
        else:
            entries.append(
                _entry(raw, occasion, flags, spoken, link=link, is_shared=link in shared, within=called or "")
            )
    if not entries:
        if stated or broken:
            from digest.rules.visit_words import with_left_out  # most pages never need it

            raise SourceError(ErrorKind.PARSE, with_left_out("events_page", left_out))
        raise not_a_feed(body, context.url)
    return Harvest(title=called, language=language, entries=told_apart(entries), left_out=tuple(left_out))


def _link(raw: dict[str, Any], context: ParseContext, *, alone: bool) -> str | None:
    address = unescape(_text(raw.get("url")) or _identifier(raw))
    return shown_link(address, base=context.url) or (context.url if alone else None)


def _of_several(links: Sequence[str | None], occasions: Sequence[Occasion | None]) -> frozenset[str]:
    """Addresses under which the page states more than one hour: a series, or a page for all of them."""
    hours: dict[str, set[datetime]] = {}
    for link, occasion in zip(links, occasions, strict=True):
        if link and occasion:
            hours.setdefault(same_page_key(link), set()).add(occasion.starts)
    return frozenset(link for link in links if link and len(hours.get(same_page_key(link), ())) > 1)


def _entry(
    raw: dict[str, Any],
    occasion: Occasion,
    flags: tuple[str, ...],
    context: ParseContext,
    *,
    link: str | None,
    is_shared: bool,
    within: str,
) -> Entry:
    """is_shared: its address is that of other hours too, so that only address and hour together name it."""
    title = title_text(_text(raw.get("name")))
    keys = []
    if link:
        page = same_page_key(link)
        keys.append(f"page:{page}@{_stamp(occasion.starts)}")
        if previous := _when(raw.get("previousStartDate"), context):
            keys.append(f"page:{page}@{_stamp(previous.at)}")
        if not is_shared:
            name = "" if _is_numbered(link) else "#" + hashed_key(*_NEWS.sub(" ", title).casefold().split())
            keys.append(f"{MOVABLE}{page}{name}")
    keys.append("event-" + hashed_key(title, _stamp(occasion.starts), occasion.place, host_of(context.url)))
    stated = Stated(
        title=title,
        within=within,
        occasion=occasion,
        about=_text(raw.get("description")),
        url=link,
        author=_name(raw.get("organizer")) or None,
        language=language_tag(_text(raw.get("inLanguage"))),
        tags=_keywords(raw.get("keywords")),
        flags=(*flags, *odd_title(_text(raw.get("name")))),
    )
    return event_entry(stated, keys=tuple(dict.fromkeys(keys)), context=context)


def _is_numbered(link: str) -> bool:
    """Whether the address is made for one event alone: a number of it that is no year or day."""
    numbers = re.findall(r"\d{3,}", urlsplit(link).path)
    return any(not re.fullmatch(r"(19|20)\d\d((0\d|1[0-2])([0-3]\d)?)?", number) for number in numbers)


def _occasion(raw: dict[str, Any], context: ParseContext) -> tuple[Occasion | None, tuple[str, ...]]:
    start = _when(raw.get("startDate"), context)
    if start is None:
        return None, ()
    places, online = _where(raw)
    there = zone_of_location(raw.get("location")) if places else None
    if there and start.zone_guessed:  # an hour without a zone is that of the place
        context = replace(context, timezone=there)
        start = _when(raw.get("startDate"), context) or start
    offset = stated_offset(_text(raw.get("startDate")))
    zone, flags = told_in(start, offset=offset, there=there, own=context.timezone)
    clock = (zone_named(zone) or UTC) if offset is None else timezone(offset)
    end = _when(raw.get("endDate"), context) or _hour_alone(_text(raw.get("endDate")), start, clock)
    starts, ends, all_day = start.at, end.at if end else None, not start.has_time
    if end is not None and not end.has_time and all_day:
        ends = end.at + timedelta(days=1)  # a last day is meant, ours is exclusive
    elif days := _days(start, end, clock, zone=zone_named(zone)):
        starts, ends, all_day, flags = *days, True, ()
    return (
        Occasion(
            starts=starts,
            ends=ends if ends and ends > starts else None,
            timezone=zone,
            all_day=all_day,
            place=places or None,
            online=online,
            status=_status(raw),
        ),
        flags,
    )


def _hour_alone(text: str, start: When, clock: tzinfo) -> When | None:
    """Of an end without its day: the next such hour after the start."""
    hour = read_hour(text) if start.has_time else None
    if hour is None:
        return None
    end = datetime.combine(start.at.astimezone(clock).date(), hour, clock).astimezone(UTC)
    return When(end if end > start.at else end + timedelta(days=1))


def _days(
    start: When, end: When | None, clock: tzinfo, *, zone: tzinfo | None
) -> tuple[datetime, datetime] | None:
    """First midnight and last, in its zone, where whole days are meant; a midnight of UTC alone may be any evening."""
    if not start.has_time or (end is not None and not end.has_time):
        return None
    for wall in (clock, *(() if start.zone_guessed or start.timezone else (UTC,))):
        is_evening = wall is UTC and (end is None or end.at == start.at)
        days = whole_days(start.at.astimezone(wall), end.at.astimezone(wall) if end else None)
        if days and not is_evening:
            return begin_of(days[0], zone), begin_of(days[1], zone)
    return None


def _when(value: Any, context: ParseContext) -> When | None:
    text = _text(value)
    odd = _EVENTON.fullmatch(text.strip())
    if odd:
        text = f"{odd[1]}T{odd[2]}:{odd[3]}"
    found = read_date(text, timezone=context.timezone)
    return found if found and 1995 <= found.at.year < 2200 else None


def _status(raw: dict[str, Any]) -> EventStatus:
    return next(
        (_STATUS[said] for said in _terms(raw.get("eventStatus")) if said in _STATUS), EventStatus.CONFIRMED
    )


def _terms(value: Any) -> list[str]:
    """`https://schema.org/EventCancelled`, `schema:EventCancelled` or several of these, as `eventcancelled`."""
    words = value if isinstance(value, list) else [value]
    return [re.split(r"[/#:]", _text(word).rstrip("/"))[-1].lower() for word in words[:5]]


def _where(raw: dict[str, Any]) -> tuple[str, str | None]:
    """Place in words, and how to join when it is (also) online; a place that is an address on the web is both."""
    mode = _terms(raw.get("eventAttendanceMode") or "")[0]
    moved = "eventmovedonline" in _terms(raw.get("eventStatus"))
    places, online = [], None
    locations = raw.get("location")
    for location in locations if isinstance(locations, list) else [locations]:
        if isinstance(location, dict) and "virtuallocation" in _text(location.get("@type")).lower():
            online = shown_link(_text(location.get("url"))) or online or ""
        elif isinstance(location, str) and (link := shown_link(location)):
            online = online or link
        elif place := _place(location):
            places.append(place)
    if online is None and (moved or mode.startswith(("online", "mixed"))):
        online = ""
    only_online = moved or mode.startswith("online")
    return ("" if only_online else "; ".join(dict.fromkeys(places))), online


def _place(location: Any) -> str:
    if not isinstance(location, dict):
        return title_text(_text(location))
    address = location.get("address")
    if isinstance(address, dict):
        parts = [_text(address.get(name)) for name in ("streetAddress", "addressLocality", "addressRegion")]
        address = ", ".join(part for part in parts if part)
    name, street = title_text(_text(location.get("name"))), title_text(_text(address))
    return (
        name
        if not street or street in name
        else street
        if not name or name in street
        else f"{name}, {street}"
    )


def _name(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    name = title_text(_text(first.get("name")) if isinstance(first, dict) else _text(first))
    return "" if "@" in name or "://" in name else one_line(name, longest=120)


def _keywords(value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list) else _text(value).split(",")
    found = (one_line(_text(word), longest=60) for word in words[:20])
    return tuple(dict.fromkeys(word for word in found if word))


def _identifier(raw: dict[str, Any]) -> str:
    identifier = _text(raw.get("@id"))
    return identifier if identifier.startswith(("http://", "https://")) else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@value") or value.get("@id") or value.get("name") or ""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _page_title(text: str) -> str | None:
    opening = re.search(r"<title\b[^<>]*>", text[:200_000], re.IGNORECASE)
    written = text[opening.end() : opening.end() + 2_000].partition("</")[0] if opening else ""
    return title_text(written) or None


def _page_language(text: str) -> str | None:
    """As the page declares it in its first tag."""
    found = re.search(r"<html\b[^>]*?\slang\s*=\s*[\"']?([\w-]+)", text[:20_000], re.IGNORECASE)
    return language_tag(found[1]) if found else None


KIND = Kind(
    name="event-page", version="event-page-8", parse=parse, claims=lambda url: False, prepare=lambda url: url
)
