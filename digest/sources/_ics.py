"""The reader behind ical.py: a calendar becomes entries, one a date. Pure; a broken event or rule never costs the others."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar.prop.broken import vBroken

from digest.errors import ErrorKind, SourceError
from digest.model import Entry, EventStatus, Harvest, LeftOut, LeftOutWhy, Occasion, Whole
from digest.rules.links import shown_link
from digest.rules.text import one_line, title_text
from digest.sources._calendar import Sheet, read_sheet
from digest.sources._event import Stated, event_entry, odd_title, told_apart
from digest.sources._kind import ParseContext
from digest.sources._places import zone_of_words
from digest.sources._series import (
    Refused,
    Unreadable,
    Zones,
    at_the_hour,
    dates_of,
    is_meant,
    repeats,
    stamp,
    with_masters_words,
    within_effort,
)
from digest.sources._uids import NAMELESS, Dated, Names, meant, nearest, whole
from digest.sources._whole_days import days_by
from digest.sources._zones import is_named

_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    RecursionError,
    ArithmeticError,
)

MOST_IN_ALL = 5_000  # dates of one calendar
_Series = Sequence[tuple[Any, tuple[str, ...]]]
LONGEST = timedelta(days=400)
_SINGLE = frozenset({"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"})
_DATING = frozenset({"DTSTART", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE"})


def read(body: bytes, context: ParseContext) -> Harvest:
    """What ical.parse promises, of bytes that are a calendar. Raises SourceError."""
    sheet = read_sheet(body, today=context.now.date())
    zones = Zones(calendar=sheet.zone, source=context.timezone)
    groups = _by_uid(sheet, zones)
    affordable = within_effort(
        {uid: [event for event, _ in series] for uid, series in groups.items()}, horizon=context.horizon
    )
    _say_limit(sheet, len(groups) - len(affordable), "series beyond what can be worked out in seconds")
    dates, ends = _all_dates({uid: groups[uid] for uid in groups if uid in affordable}, sheet, context)
    entries: list[Entry] = []
    stated: list[Whole] = []
    for uid, found in dates.items():
        version = _version(groups[uid])
        entries += _entries(found, sheet, context, uid=uid, version=version)
        if all_of_it := whole(uid, groups[uid], sheet, until=ends[uid], sequence=version[0]):
            stated.append(all_of_it)
    if sheet.left_out and not entries:
        from digest.rules.visit_words import with_left_out  # most calendars never need it

        raise SourceError(ErrorKind.PARSE, with_left_out("calendar", sheet.left_out))
    return Harvest(
        title=title_text(sheet.name) or None,
        language=None,
        entries=told_apart(entries),
        left_out=tuple(sheet.left_out),
        whole=tuple(stated),
        pause_s=_ttl_s(sheet.ttl),
    )


def _say_limit(sheet: Sheet, more: int, what: str) -> None:
    if more:
        sheet.left_out.append(LeftOut(f"{more}", LeftOutWhy.LIMIT, what))


def _all_dates(
    groups: Mapping[str, _Series], sheet: Sheet, context: ParseContext
) -> tuple[dict[str, list[Dated]], dict[str, datetime | None]]:
    """The dates of each UID, the nearest in all, and up to when they are all there is of it."""
    dates: list[tuple[str, Dated]] = []
    ends: dict[str, datetime | None] = {}
    for uid, series in groups.items():
        try:
            found, ends[uid] = _dates(series, sheet, context, uid=uid)
        except Refused as refused:
            sheet.left_out.append(_left_out(series[0][0], LeftOutWhy.RULE, str(refused)))
            continue
        dates += [(uid, one) for one in found]
    kept = nearest(dates, now=context.now, most=MOST_IN_ALL)
    _say_limit(sheet, len(dates) - len(kept), f"dates beyond the nearest {MOST_IN_ALL}")
    chosen: dict[str, list[Dated]] = {}
    for place, (uid, one) in enumerate(dates):
        if place in kept:
            chosen.setdefault(uid, []).append(one)
        else:
            sheet.doubtful.add(uid)
    return chosen, ends


def _left_out(event: Any, why: LeftOutWhy, detail: str) -> LeftOut:
    return LeftOut(one_line(_text(event, "SUMMARY"), longest=60), why, detail)


def _by_uid(sheet: Sheet, zones: Zones) -> dict[str, list[tuple[Any, tuple[str, ...]]]]:
    """Events with their flags, by UID; those without one stand alone. Of two versions the later SEQUENCE counts."""
    groups: dict[str, list[tuple[Any, tuple[str, ...]]]] = {}
    for number, event in enumerate(sheet.events):
        lost_a_date = _mend(event) | any(_may_date(said) for name, said in event.errors if name is None)
        uid = _text(event, "UID").strip() or f"{NAMELESS}{number}"
        if lost_a_date:
            sheet.doubtful.add(uid)
        start = event.get("DTSTART")
        if start is None or not hasattr(start, "dt"):
            sheet.left_out.append(_left_out(event, LeftOutWhy.NO_START, "no start that can be read"))
            sheet.doubtful.add(uid)
            continue
        if not is_meant(event):
            sheet.left_out.append(
                _left_out(event, LeftOutWhy.TIMES, f"it begins in the year {start.dt.year}")
            )
            sheet.doubtful.add(uid)
            continue
        try:
            guessed = zones.settle(event)
        except _FAULTS:
            sheet.left_out.append(_left_out(event, LeftOutWhy.TIMES, "its times contradict each other"))
            sheet.doubtful.add(uid)
            continue
        flags = (*(("zone-guessed",) if guessed else ()), *(("private",) if _is_private(event) else ()))
        groups.setdefault(uid, []).append((event, flags))
    return {uid: _latest(group, sheet) for uid, group in groups.items()}


def _mend(event: Any) -> bool:
    """The library keeps a line that it could not read as a trap that raises when touched, and a doubled one as a list.
    True when such a line may have said when."""
    lost = False
    for name, prop in list(event.items()):
        kept = [
            part for part in (prop if isinstance(prop, list) else [prop]) if not isinstance(part, vBroken)
        ]
        lost |= name in _DATING and len(kept) < (len(prop) if isinstance(prop, list) else 1)
        if not kept:
            del event[name]
        elif isinstance(prop, list):
            event[name] = kept[0] if name in _SINGLE else kept
    return lost


def _may_date(line: str) -> bool:
    return any(name in line.upper() for name in _DATING)


def _latest(group: list[tuple[Any, tuple[str, ...]]], sheet: Sheet) -> list[tuple[Any, tuple[str, ...]]]:
    kept: dict[tuple[str, str], tuple[Any, tuple[str, ...]]] = {}
    for event, flags in group:
        recurrence = event.get("RECURRENCE-ID")
        identity = ("", "") if recurrence is None and repeats(event) else (
            ("r", stamp(recurrence.dt)) if recurrence is not None else ("s", stamp(event["DTSTART"].dt))
        )  # fmt: skip
        other = kept.get(identity)
        if other is not None:
            if identity == ("", "") and _sequence(event) == _sequence(other[0]):
                identity = ("m", stamp(event["DTSTART"].dt) + _text(event, "SUMMARY"))
            elif _text(event, "SUMMARY") != _text(other[0], "SUMMARY") and _sequence(event) == _sequence(
                other[0]
            ):
                identity = (identity[0] + "+", identity[1] + _text(event, "SUMMARY"))
            else:
                same = _sequence(event) == _sequence(other[0])
                reason = "it stands there twice" if same else "a later version of it counts"
                sheet.left_out.append(_left_out(event, LeftOutWhy.COUNTED, reason))
                if _sequence(event) < _sequence(other[0]):
                    continue
        kept[identity] = (event, flags)
    return list(kept.values())


def _dates(
    series: Sequence[tuple[Any, tuple[str, ...]]], sheet: Sheet, context: ParseContext, *, uid: str
) -> tuple[list[Dated], datetime | None]:
    """The dates of a UID, and up to when these are all."""
    if not any(repeats(event) for event, _ in series):
        return [Dated(event, flags, meant(event, master=None, overrides=())) for event, flags in series], None
    flags = tuple(dict.fromkeys(flag for _, flags in series for flag in flags))
    masters = [event for event, _ in series if "RECURRENCE-ID" not in event and repeats(event)]
    plain = [pair for pair in series if "RECURRENCE-ID" not in pair[0] and not repeats(pair[0])]
    overrides = [event for event, _ in series if "RECURRENCE-ID" in event]
    for event in overrides if masters else ():
        event["RECURRENCE-ID"].dt = at_the_hour(event["RECURRENCE-ID"].dt, masters[0])
        with_masters_words(event, masters[0])
    dates = [Dated(event, flags, meant(event, master=None, overrides=())) for event, flags in plain]
    until = context.horizon
    for place, master in enumerate(masters):
        mine = [master, *(overrides if place == 0 else [])]
        try:
            found, until = dates_of(mine, now=context.now, horizon=context.horizon)
            if len(found) < len(mine):
                why = "every date of it was changed one by one"
                sheet.left_out.append(_left_out(master, LeftOutWhy.COUNTED, why))
            dates += [
                Dated(event, (*flags, "series"), meant(event, master=master, overrides=mine[1:]))
                for event in found
            ]
        except Unreadable as unreadable:
            sheet.left_out.append(_left_out(master, LeftOutWhy.RULE_UNREAD, str(unreadable)))
            sheet.doubtful.add(uid)
            dates += [
                Dated(event, (*flags, "series-unread"), meant(event, master=master, overrides=()))
                for event in mine
            ]
        except Refused as refused:
            if len(series) == 1:
                raise
            sheet.left_out.append(_left_out(master, LeftOutWhy.RULE, str(refused)))
            sheet.doubtful.add(uid)
            dates += [Dated(event, flags, meant(event, master=master, overrides=())) for event in mine[1:]]
    return dates, until


def _entries(
    dates: Sequence[Dated],
    sheet: Sheet,
    context: ParseContext,
    *,
    uid: str,
    version: tuple[int, datetime | None],
) -> list[Entry]:
    made = []
    names, called = Names(uid, dates, context), title_text(sheet.name)
    for one in dates:
        event, flags = one.event, one.flags
        try:
            occasion = _occasion(event, sheet, context, uid=uid, recurs="series" in flags)
        except _FAULTS:
            sheet.left_out.append(_left_out(event, LeftOutWhy.TIMES, "its dates cannot be used"))
            sheet.doubtful.add(uid)
            continue
        title = title_text(_text(event, "SUMMARY"))
        stated = Stated(
            title=title,
            within=called,
            occasion=occasion,
            about=_about(event),
            url=_text(event, "URL") or None,
            author=_organizer(event),
            tags=_categories(event),
            flags=(*(flag for flag in flags if flag != "series"), *odd_title(_text(event, "SUMMARY"))),
        )
        entry = event_entry(stated, keys=names.keys(one, occasion, title=title), context=context)
        made.append(
            replace(
                entry, occasion=replace(entry.occasion or occasion, sequence=version[0]), revised=version[1]
            )
        )
    return made


def _version(series: Sequence[tuple[Any, tuple[str, ...]]]) -> tuple[int, datetime | None]:
    """The latest of a UID: changed dates and the series count for themselves, and either may be changed. And when it was
    written, or the file made."""
    stamps = [
        getattr(event.get(name), "dt", None) for event, _ in series for name in ("LAST-MODIFIED", "DTSTAMP")
    ]
    aware = [
        at.astimezone(UTC)
        for at in stamps
        if isinstance(at, datetime) and at.tzinfo and 1995 <= at.year < 2200
    ]
    return max(_sequence(event) for event, _ in series), max(aware, default=None)


def _occasion(event: Any, sheet: Sheet, context: ParseContext, *, uid: str, recurs: bool) -> Occasion:
    start = event["DTSTART"].dt
    all_day = not isinstance(start, datetime)
    default = Zones(calendar=sheet.zone, source=context.timezone).default
    zone = default if all_day else start.tzinfo or UTC
    starts, ends = _instant(start, zone), _end(event, start, zone)
    clock = zone if is_named(zone) else default
    said = _text(event, "X-MICROSOFT-CDO-ALLDAYEVENT").strip().upper() == "TRUE"
    if not all_day and (days := days_by(clock, starts, ends, said=said)):
        all_day, zone, (starts, ends) = True, clock, days
    place = _text(event, "LOCATION") or None
    return Occasion(
        starts=starts,
        ends=ends if ends and ends > starts else None,
        timezone=_zone_name(zone, sheet, context, there=None if all_day else zone_of_words(place)),
        all_day=all_day,
        place=place,
        online=shown_link(_text(event, "CONFERENCE") or _text(event, "X-GOOGLE-CONFERENCE")),
        status=_status(event, sheet),
        uid=None if uid.startswith(NAMELESS) else one_line(uid, longest=400),
        sequence=_sequence(event),
        recurs=recurs,
    )


def _end(event: Any, start: Any, zone: tzinfo) -> datetime | None:
    end = event.get("DTEND")
    if end is not None and hasattr(end, "dt"):
        return _instant(end.dt, zone)
    length = getattr(event.get("DURATION"), "dt", None)
    if isinstance(length, timedelta) and timedelta(0) < length < LONGEST:
        return _instant(start + length, zone)
    return _instant(start + timedelta(days=1), zone) if not isinstance(start, datetime) else None


def _instant(at: Any, zone: tzinfo) -> datetime:
    if not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day, tzinfo=zone)
    settled: datetime = at if at.tzinfo else at.replace(tzinfo=zone)
    return settled.astimezone(UTC)


def _zone_name(zone: tzinfo, sheet: Sheet, context: ParseContext, *, there: str | None) -> str:
    """An IANA name people know; rules of the file itself, and UTC, have none: then that of the place, of the calendar or
    of the source stands in."""
    if isinstance(zone, ZoneInfo) and is_named(zone):
        return zone.key
    if there:
        return there
    default = Zones(calendar=sheet.zone, source=context.timezone).default
    return default.key if isinstance(default, ZoneInfo) else "UTC"


def _status(event: Any, sheet: Sheet) -> EventStatus:
    if sheet.method.upper() == "CANCEL":
        return EventStatus.CANCELLED
    said = _text(event, "STATUS").upper()
    return {
        "CANCELLED": EventStatus.CANCELLED,
        "CANCELED": EventStatus.CANCELLED,
        "TENTATIVE": EventStatus.TENTATIVE,
    }.get(said, EventStatus.CONFIRMED)


def _about(event: Any) -> str:
    html = event.get("X-ALT-DESC")
    if html is not None and "html" in str(getattr(html, "params", {}).get("FMTTYPE", "")).lower():
        return str(html)
    return _text(event, "DESCRIPTION")


def _organizer(event: Any) -> str | None:
    """The common name, when it is a name: addresses are personal data that we have no use for."""
    organizer = event.get("ORGANIZER")
    if isinstance(organizer, list):
        organizer = organizer[0]
    name = title_text(str(getattr(organizer, "params", {}).get("CN", "") or ""))
    return None if not name or "@" in name else one_line(name, longest=120)


def _categories(event: Any) -> tuple[str, ...]:
    found = event.get("CATEGORIES") or []
    lists = found if isinstance(found, list) else [found]
    names = [one_line(str(name), longest=60) for part in lists for name in getattr(part, "cats", [part])]
    return tuple(dict.fromkeys(name for name in names if name))[:20]


def _text(event: Any, name: str) -> str:
    value = event.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value) if value is not None else ""


def _sequence(event: Any) -> int:
    found = re.match(r"\d{1,9}", _text(event, "SEQUENCE"))
    return int(found[0]) if found else 0


def _is_private(event: Any) -> bool:
    return _text(event, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL")


def _ttl_s(text: str) -> float | None:
    found = re.fullmatch(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?", text.upper())
    if not found:
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return float(days * 86_400 + hours * 3_600 + minutes * 60) or None
