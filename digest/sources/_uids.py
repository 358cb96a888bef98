"""What one date of a calendar is known by, and which UIDs a calendar states whole. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from digest.model import Occasion, Whole
from digest.rules.links import host_of, is_front_page, same_page_key, shown_link
from digest.rules.marks import OWN_MARK
from digest.rules.recognise import SAME_EVENT
from digest.rules.text import one_line
from digest.sources._calendar import Sheet
from digest.sources._entry import hashed_key, scoped
from digest.sources._kind import ParseContext
from digest.sources._series import repeats, stamp, start_of

_YEAR = re.compile(r"(?:19|20)\d\d")
NAMELESS = "\0"  # how our own names of events without UID begin


@dataclass(frozen=True, slots=True)
class Dated:
    """One date of a UID. meant: the day and hour that the series itself gives it, wherever it was moved."""

    event: Any
    flags: tuple[str, ...]
    meant: date


def meant(event: Any, *, master: Any | None, overrides: Sequence[Any]) -> date:
    """On the clock of the series, whatever zone its RECURRENCE-ID is written in."""
    start: date = event["DTSTART"].dt
    if "RECURRENCE-ID" not in event:
        return start
    recurrence = event["RECURRENCE-ID"]
    at: date = recurrence.dt
    if recurrence.params.get("RANGE"):  # every date from there on carries this one's name
        first = next((one for one in overrides if stamp(one["RECURRENCE-ID"].dt) == stamp(at)), event)
        at = _moved_back(start, first["DTSTART"].dt, at)
    clock = master["DTSTART"].dt if master is not None else at
    if isinstance(at, datetime) and not isinstance(clock, datetime):
        return at.date()
    if isinstance(at, datetime) and isinstance(clock, datetime) and at.tzinfo and clock.tzinfo:
        return at.astimezone(clock.tzinfo)
    return at


def _moved_back(start: date, first: date, at: date) -> date:
    if isinstance(start, datetime) and isinstance(first, datetime) and isinstance(at, datetime):
        moved = start.replace(tzinfo=None) - first.replace(tzinfo=None)
        return at + moved  # wall time: adding to an aware time keeps its zone's clock
    return at + (date(start.year, start.month, start.day) - date(first.year, first.month, first.day))


class Names:
    """The keys of the dates of one UID in one calendar."""

    def __init__(self, uid: str, dates: Sequence[Dated], context: ParseContext) -> None:
        self._uid, self._context = uid, context
        self._days = Counter(f"{one.meant:%Y%m%d}" for one in dates)
        self._hours = Counter(self._which(one) for one in dates)
        self._starts = Counter(stamp(one.event["DTSTART"].dt) for one in dates)
        self._single = len(dates) == 1 and not (repeats(dates[0].event) or "series" in dates[0].flags)

    def keys(self, one: Dated, occasion: Occasion, *, title: str) -> tuple[str, ...]:
        """UID and the local day that the series means, so that a date keeps its name when its hour, its zone, its place or
        its whole series changes; the hour too where a series has several a day. A single event may change its day: it
        has its UID alone besides. The instant is what earlier versions called it."""
        keys = []
        mark = "" if self._hours[self._which(one)] == 1 else f" {hashed_key(title)}"
        if not self._uid.startswith(NAMELESS):
            name = scoped(self._uid, self._context.url)
            keys.append(f"uid:{name}/{self._which(one)}{mark}")
            if self._single and "RECURRENCE-ID" not in one.event:
                keys.append(f"uid:{name}")
            keys.append(f"uid:{name}/{stamp(one.meant)}{mark}")
        link = shown_link(_text(one.event, "URL"), base=self._context.url)
        if link and not is_front_page(link) and self._starts[stamp(one.event["DTSTART"].dt)] == 1:
            if not keys and _is_of_one_event(link):
                keys.append(f"page:{same_page_key(link)}")  # it may change its day, too
            keys.append(f"page:{same_page_key(link)}@{stamp(occasion.starts)}")
        what = hashed_key(title, stamp(occasion.starts), occasion.place, host_of(self._context.url))
        keys.append(f"{SAME_EVENT}{OWN_MARK}{what}" if keys else f"event-{what}")
        return tuple(dict.fromkeys(keys))

    def _which(self, one: Dated) -> str:
        day = f"{one.meant:%Y%m%d}"
        crowded = self._days[day] > 1 and isinstance(one.meant, datetime)
        return f"{day}T{one.meant:%H%M}" if crowded else day


def whole(
    uid: str, series: Sequence[tuple[Any, Any]], sheet: Sheet, *, until: datetime | None, sequence: int
) -> Whole | None:
    """What the calendar states of this UID, when that is all there is to it: one event or series and its changed dates,
    of which every line could be read, in a file that came to its end."""
    stated = sum(1 for event, _ in series if "RECURRENCE-ID" not in event)
    published = sheet.method.upper() in ("", "PUBLISH")
    if uid.startswith(NAMELESS) or stated != 1 or not published or sheet.torn or uid in sheet.doubtful:
        return None
    return Whole(one_line(uid, longest=400), until, sequence)


def nearest(dates: Iterable[tuple[str, Dated]], *, now: datetime, most: int) -> set[int]:
    """The places of those that are kept where there are too many: what lies ahead first, the nearest first."""
    dates = list(dates)
    if len(dates) <= most:
        return set(range(len(dates)))
    order = sorted(
        (start_of(one.event) < now, abs((start_of(one.event) - now).total_seconds()), place)
        for place, (_, one) in enumerate(dates)
    )
    return {place for _, _, place in order[:most]}


def _is_of_one_event(link: str) -> bool:
    """An address that was made for one event: it has a number that is no year."""
    return any(not _YEAR.fullmatch(digits) for digits in re.findall(r"\d{3,}", urlsplit(link).path))


def _text(event: Any, name: str) -> str:
    value = event.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value) if value is not None else ""
