"""Repeating events become dates, each in the zone of its series. Bounded in number and in time; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar
from icalendar.prop import vDDDLists, vDDDTypes
from icalendar.prop.broken import vBroken
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from digest.rules.dates import zone_named
from digest.sources._zones import alike, canadian, displayed

MOST_DATES = 50  # of one series
LOOK_BACK = timedelta(days=60)
EDGE = timedelta(days=2)  # whole days and local hours may fall on either side of the end
_ABBREVIATIONS = {
    "EST": "America/Toronto", "EDT": "America/Toronto", "ET": "America/Toronto", "CST": "America/Chicago",
    "CDT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles", "AST": "America/Halifax", "ADT": "America/Halifax", "NST": "America/St_Johns",
    "NDT": "America/St_Johns",
}  # fmt: skip
_SHORT = {
    "newfoundland": "NST", "atlantic": "AST", "eastern": "EST", "central": "CST", "mountain": "MST", "pacific": "PST",
}  # fmt: skip
_SPELLED_OUT = re.compile(
    r"\b(Newfoundland|Atlantic|Eastern|Central|Mountain|Pacific)\b.*\bTime\b", re.IGNORECASE
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
MOST_EFFORT = 2_000_000  # about microseconds
_DAYS = {"WEEKLY": 7, "MONTHLY": 30, "YEARLY": 365}
_TOO_FINE = {"SECONDLY", "MINUTELY", "HOURLY"}
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


class Refused(ValueError):
    """A rule that we do not expand; the text says why."""


class Unreadable(Refused):
    """A rule that makes no sense: the first date is still true."""


class Zones:
    """Which zone a time of one calendar is in. guessed: whether this one had to be guessed."""

    def __init__(self, *, calendar: str | None, source: str) -> None:
        self.default: tzinfo = zone_named(calendar) or zone_named(source) or UTC
        self.source = zone_named(source)
        self.calendar = zone_named(calendar)

    def settle(self, event: Any) -> bool:
        """Gives every time of the event a zone, in place. True when one was named that nobody knows."""
        guessed = False
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            prop = event.get(name)
            if isinstance(prop, list):
                prop = prop[0]
            if prop is None or not isinstance(getattr(prop, "dt", None), datetime):
                continue
            at, sure = self._settled(prop.dt, str(prop.params.get("TZID") or ""))
            guessed |= not sure
            parameters = {key: value for key, value in prop.params.items() if key not in ("TZID", "VALUE")}
            event[name] = settled = vDDDTypes(at)
            settled.params.update(parameters)
        for name in ("EXDATE", "RDATE"):
            if name in event:
                _settle_list(event, name, self)
        if "EXDATE" in event:
            event["EXDATE"] = [vDDDLists([at_the_hour(part.dts[0].dt, event)]) for part in event["EXDATE"]]
        return guessed

    def _settled(self, at: datetime, tzid: str) -> tuple[datetime, bool]:
        """The time in its zone, and whether that zone is sure. A name we know wins over the rules in the file."""
        if at.tzinfo is not None and _is_utc(at.tzinfo):
            # Google writes single events in UTC beside X-WR-TIMEZONE.
            return at.astimezone(self.calendar or at.tzinfo), True
        wall = at.replace(tzinfo=None)
        ours, sure = self._canadian(tzid, wall)
        if ours is not None:
            return at.replace(tzinfo=ours), sure
        named, sure = self._named(tzid, wall)
        if named is not None and (sure or at.tzinfo is None):
            return at.replace(tzinfo=named), sure
        if at.tzinfo is not None:
            return at, isinstance(at.tzinfo, ZoneInfo)
        return at.replace(tzinfo=self.default), not tzid

    def _canadian(self, tzid: str, wall: datetime) -> tuple[tzinfo | None, bool]:
        """Windows and US names in a calendar of ours, and what is spelt out; a mere abbreviation may be anybody's."""
        name = tzid.strip().strip('"')
        if not name or name in _ABBREVIATIONS:
            return None, False
        spelled = _SPELLED_OUT.search(name) if name not in WINDOWS_TO_OLSON else None
        name = _SHORT[spelled[1].lower()] if spelled else displayed(name)[0] or name
        return canadian(name, wall, calendar=self.calendar, source=self.source)

    def _named(self, tzid: str, wall: datetime) -> tuple[tzinfo | None, bool]:
        """The zone of an IANA or Windows name, an offset, or (less sure) an abbreviation."""
        tzid = tzid.strip().strip('"')
        if not tzid:
            return None, False
        if written := re.fullmatch(r"(?:UTC|GMT)([+-])(\d{1,2}):?(\d{2})?", tzid):
            minutes = int(written[2]) * 60 + int(written[3] or 0)
            return timezone(timedelta(minutes=minutes if written[1] == "+" else -minutes)), True
        if tzid.lower() == "tzone://microsoft/utc":
            return UTC, True
        abbreviated = zone_named(_ABBREVIATIONS.get(tzid, ""))
        if abbreviated:
            agrees = self.calendar is not None and alike(abbreviated, self.calendar, wall)
            return (self.calendar if agrees else abbreviated), agrees
        path = "/".join(tzid.strip("/").split("/")[-2:])
        zone = (
            zone_named(WINDOWS_TO_OLSON.get(tzid, ""))
            or zone_named(path)
            or ("/" in path and zone_named(path.title()))
        )
        if not zone and (spelled := _SPELLED_OUT.search(tzid)):
            return zone_named(_ABBREVIATIONS[_SHORT[spelled[1].lower()]]), False
        if not zone and (offset := displayed(tzid)[1]) is not None:
            return timezone(offset), False  # that of its winter
        return zone or None, bool(zone)


def within_effort(groups: Mapping[str, Sequence[Any]], *, horizon: datetime) -> set[str]:
    """The UIDs whose dates we work out: all of them, or as many as can be done in a few seconds, the quickest first."""
    efforts = sorted(
        (sum(_effort(event, horizon) for event in events), place, uid)
        for place, (uid, events) in enumerate(groups.items())
    )
    spent, chosen = 0, set()
    for effort, _, uid in efforts:
        spent += effort
        if effort and spent > MOST_EFFORT:
            break
        chosen.add(uid)
    return chosen


def _effort(event: Any, horizon: datetime) -> int:
    """About microseconds: the library counts from the first date on, and makes those that are near."""
    if not repeats(event):
        return 60 if "RECURRENCE-ID" in event else 0
    listed = sum(len(event.get(name) or ()) for name in ("RDATE", "EXDATE"))
    days = max(0, (horizon - start_of(event)).days)
    rules = event.get("RRULE") or []
    steps = near = 0
    for rule in rules if isinstance(rules, list) else [rules]:
        step = (rule.get("INTERVAL") or [1])[0]
        every = _DAYS.get(str((rule.get("FREQ") or [""])[0]).upper(), 1) * (
            step if isinstance(step, int) and step > 0 else 1
        )
        steps += days // every
        near += min(days, 150) // every
    return 1_500 + 3 * steps + 60 * (near + listed)


def is_meant(event: Any) -> bool:
    """Whether it begins in a year that anybody means: 0001 and 9999 stand for "unknown" and "never", and no clock counts
    with them. Other such dates are taken out of it."""
    for name in ("DTSTART", "RECURRENCE-ID"):
        if name in event and not _is_near(event[name].dt):
            return False
    if "DTEND" in event and not _is_near(getattr(event["DTEND"], "dt", None)):
        del event["DTEND"]
    rules = event.get("RRULE") or []
    for rule in rules if isinstance(rules, list) else [rules]:
        if any(not _is_near(at) for at in rule.get("UNTIL") or []):
            del rule["UNTIL"]  # it goes on for ever
    return True


def _is_near(at: Any) -> bool:
    return isinstance(at, date) and _FIRST_YEAR <= at.year <= _LAST_YEAR


def dates_of(series: Sequence[Any], *, now: datetime, horizon: datetime) -> tuple[list[Any], datetime]:
    """The occurrences of one UID: master and overrides, near now (60 days back) up to the horizon, at most 50; and up to
    when these are all.

    Overrides come whatever their date. A series without a date near gives one of its first year. Raises Refused.
    """
    for event in series:
        _check_rules(event)
    calendar = Calendar()
    calendar.add("prodid", "-//digest//")
    for event in series:
        calendar.add_component(event)
    near = _between(calendar, now - LOOK_BACK, horizon)
    limit = now - timedelta(days=1)
    ahead = [event for event in near if start_of(event) >= limit]
    chosen = ahead[:MOST_DATES]
    until = start_of(chosen[-1]) if len(ahead) > MOST_DATES else horizon
    room = MOST_DATES - len(chosen)
    chosen = near[: len(near) - len(ahead)][-room:] + chosen if room else chosen
    named = {_recurrence(event) for event in series if "RECURRENCE-ID" in event}
    if not any(_recurrence(event) not in named for event in chosen):
        first = start_of(series[0])
        early = _between(calendar, first - timedelta(days=1), first + timedelta(days=370))
        chosen += [event for event in early if _recurrence(event) not in named][-1:]
    met = {_recurrence(event) for event in chosen}
    chosen += [event for event in series if "RECURRENCE-ID" in event and _recurrence(event) not in met]
    return chosen or [series[0]], until - EDGE


def _between(calendar: Any, since: datetime, until: datetime) -> list[Any]:
    try:
        return sorted(recurring_ical_events.of(calendar).between(since, until), key=start_of)
    except _FAULTS as error:
        raise Unreadable(f"its repetition could not be worked out ({type(error).__name__})") from error


def start_of(event: Any) -> datetime:
    """As an instant; a day starts at midnight UTC, which is good enough to sort and cut by."""
    at = event["DTSTART"].dt
    if not isinstance(at, datetime):
        return datetime(at.year, at.month, at.day, tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def repeats(event: Any) -> bool:
    return ("RRULE" in event or "RDATE" in event) and "RECURRENCE-ID" not in event


def _recurrence(event: Any) -> str:
    prop = event.get("RECURRENCE-ID", event["DTSTART"])
    return stamp(prop[0].dt if isinstance(prop, list) else prop.dt)


def stamp(at: date) -> str:
    """One spelling for an instant or a day, whatever zone it was written in."""
    if not isinstance(at, datetime):
        return f"{at:%Y%m%d}"
    return f"{at.astimezone(UTC) if at.tzinfo else at:%Y%m%dT%H%M%SZ}"


def _check_rules(event: Any) -> None:
    """Rules finer than daily, without step, or with too many times a day would expand for ever."""
    rules = event.get("RRULE") or []
    for rule in rules if isinstance(rules, list) else [rules]:
        if str((rule.get("FREQ") or [""])[0]).upper() in _TOO_FINE:
            raise Refused("it repeats more often than daily")
        steps = rule.get("INTERVAL") or [1]
        if any(
            not isinstance(step, int) or step < 1 for step in (steps if isinstance(steps, list) else [steps])
        ):
            raise Refused("its repetition has no step")
        times = 1
        for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            times *= max(1, len(rule.get(name) or []))
        if times > 8:
            raise Refused("it repeats too many times a day")
        if _never_happens(rule):
            raise Refused("its repetition names a day that no month has")


def _never_happens(rule: Any) -> bool:
    """30 February: the library would look for it until the year 9999."""
    months, days = rule.get("BYMONTH"), rule.get("BYMONTHDAY")
    if not months or not days:
        return False
    longest = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return not any(
        abs(int(day)) <= longest[int(month) - 1] for month in months for day in days if 1 <= int(month) <= 12
    )


def _settle_list(event: Any, name: str, zones: Zones) -> None:
    lists = event[name] if isinstance(event[name], list) else [event[name]]
    settled = []
    for dates in lists:
        tzid = str(dates.params.get("TZID") or "")
        for prop in [] if isinstance(dates, vBroken) else getattr(dates, "dts", ()):
            at = prop.dt
            if _is_near(at[0] if isinstance(at, tuple) else at):
                settled.append(_settled_date(at, tzid, zones))
    del event[name]
    if settled:
        event[name] = [vDDDLists([at]) for at in settled]


def _settled_date(at: Any, tzid: str, zones: Zones) -> Any:
    if isinstance(at, tuple):
        return tuple(_settled_date(part, tzid, zones) if isinstance(part, datetime) else part for part in at)
    return zones._settled(at, tzid)[0] if isinstance(at, datetime) else at


def with_masters_words(event: Any, master: Any) -> None:
    """What calls one date off may say nothing but that: it is still called as its series is, and is to be there."""
    if "SUMMARY" not in event:
        lent = ("SUMMARY", "LOCATION", "DESCRIPTION", "URL")
        event.update({name: master[name] for name in lent if name in master and name not in event})


def at_the_hour(at: Any, master: Any) -> Any:
    """A mere day that names one date of a series with an hour: the day as the series' own clock has it."""
    start = master["DTSTART"].dt
    if isinstance(at, datetime) or not isinstance(at, date) or not isinstance(start, datetime):
        return at
    return datetime.combine(at, start.time(), start.tzinfo)


def _is_utc(zone: tzinfo) -> bool:
    return zone is UTC or str(zone) in ("UTC", "Etc/UTC", "Z")
