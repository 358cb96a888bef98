"""The days and hours in which issues may leave: a line of config.toml becomes times. Pure, by the list's own calendar.

An hour that the clocks repeat counts both times, one that they skip is passed over: only the local wall clock is read.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LINE = re.compile(r"(?:([a-z,\- ]+?)\s+)?(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """days: 0 is Monday; the day on which it opens. closes before opens: it lasts past midnight. 24:00 is midnight."""

    days: frozenset[int]
    opens: time
    closes: time

    def is_open(self, now: datetime, zone: str) -> bool:
        local = now.astimezone(ZoneInfo(zone))
        hour, day = local.time(), local.weekday()
        if self.opens < self.closes:
            return day in self.days and self.opens <= hour < self.closes
        return (day in self.days and hour >= self.opens) or (
            (day - 1) % 7 in self.days and hour < self.closes
        )

    def next_opening(self, now: datetime, zone: str) -> datetime:
        """When it opens next, after `now`, in UTC. It is shut now."""
        today = now.astimezone(ZoneInfo(zone)).date()
        for ahead in range(9):
            day = today + timedelta(days=ahead)
            at = _instant(day, self.opens, zone)
            if day.weekday() in self.days and at > now:
                return at
        raise AssertionError("a window opens once a week at least")


def read_window(line: str) -> Window | None:
    """`mon-fri 08:00-18:00`, `22:00-06:00`, `sat,sun 9:00-12:00`; None for an empty line. Raises ValueError."""
    if not line.strip():
        return None
    found = _LINE.fullmatch(line.strip().lower())
    if found is None:
        raise ValueError(f"{line!r} is no window; write it like mon-fri 08:00-18:00")
    days = _days(found[1]) if found[1] else frozenset(range(7))
    opens, closes = _time(found[2], found[3]), _time(found[4], found[5])
    if opens == closes:
        raise ValueError(f"{line!r} opens and closes at the same minute")
    return Window(days, opens, closes)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first[:3] not in _DAYS or (dash and last[:3] not in _DAYS):
            raise ValueError(f"{part!r} is no day; write mon, tue, wed, thu, fri, sat or sun")
        begin = _DAYS.index(first[:3])
        length = (_DAYS.index(last[:3]) - begin) % 7 if dash else 0
        days |= {(begin + step) % 7 for step in range(length + 1)}
    return frozenset(days)


def _time(hour: str, minute: str) -> time:
    if (int(hour), int(minute)) == (24, 0):
        return time(0)
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise ValueError(f"{hour}:{minute} is no time of day") from None


def _instant(day: date, hour: time, zone: str) -> datetime:
    """A local wall time as an instant: of a repeated hour the first, of a skipped one the moment after the gap."""
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)
