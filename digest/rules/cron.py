"""When a cron line is due, in a zone. Values in, instants out; nothing here knows what time it is now.

Standard cron: minute hour day month weekday; `*`, lists, ranges, steps, English names; 0 and 7 are Sunday;
when both day and weekday are given, either will do. Two departures, both for a letter that leaves once a
month: a day that a month does not have is its last day, and an hour that the clocks repeat counts once (one
that they skip is taken as if they had not).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from digest.model import Period

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *"}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line, read. weekdays: 0 is Sunday. any_day, any_weekday: the field begins with `*`."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def falls_on(self, day: date) -> bool:
        """Whether the line is due on this day of the calendar."""
        if day.month not in self.months:
            return False
        by_day = day.day in self.days or (not self.any_day and _is_last(day) and max(self.days) > day.day)
        by_weekday = day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


@cache
def read_cron(line: str) -> Cron:
    """Raises ValueError with a sentence that names the field."""
    fields = _MACROS.get(line.strip().lower(), line).split()
    if len(fields) != 5:
        raise ValueError(f"{line!r} is not a cron line: five fields, minute hour day month weekday")
    minute, hour, day, month, weekday = fields
    weekdays = _values(weekday, 0, 7, name="weekday", words=_WEEKDAYS, first=0)
    return Cron(
        minutes=tuple(sorted(_values(minute, 0, 59, name="minute"))),
        hours=tuple(sorted(_values(hour, 0, 23, name="hour"))),
        days=frozenset(_values(day, 1, 31, name="day")),
        months=frozenset(_values(month, 1, 12, name="month", words=_MONTHS, first=1)),
        weekdays=frozenset(number % 7 for number in weekdays),
        any_day=day.startswith("*"),
        any_weekday=weekday.startswith("*"),
    )


def instants(line: str, zone: str, *, after: datetime, count: int) -> list[datetime]:
    """The first `count` moments (UTC) later than `after` at which the line is due."""
    return list(islice(_instants(line, zone, after=after), count))


def next_slot(line: str, zone: str, *, after: datetime) -> datetime:
    """The first moment (UTC) later than `after` at which the line is due."""
    return next(_instants(line, zone, after=after))


def slots_between(line: str, zone: str, *, after: datetime, until: datetime) -> list[datetime]:
    """Every moment (UTC) in (after, until], oldest first."""
    return list(takewhile(lambda moment: moment <= until, _instants(line, zone, after=after)))


def last_slot(line: str, zone: str, *, until: datetime) -> datetime | None:
    """The latest moment (UTC) not later than `until`, looking back 400 days; None when there is none."""
    cron, tz = read_cron(line), ZoneInfo(zone)
    day = until.astimezone(tz).date()
    for back in range(401):
        due = [moment for moment in _on(cron, tz, day - timedelta(days=back)) if moment <= until]
        if due:
            return due[-1]
    return None


def slot_in(line: str, zone: str, *, period: Period) -> datetime | None:
    """The first moment (UTC) of that month, in the zone; None when the line skips it.

    For the line `[schedule] send`: when the issue of that month leaves.
    """
    cron, tz = read_cron(line), ZoneInfo(zone)
    day = date(period.year, period.month, 1)
    while day.month == period.month:
        due = _on(cron, tz, day)
        if due:
            return due[0]
        day += timedelta(days=1)
    return None


def _instants(line: str, zone: str, *, after: datetime) -> Iterator[datetime]:
    cron, tz = read_cron(line), ZoneInfo(zone)
    day = after.astimezone(tz).date()
    while True:
        yield from (moment for moment in _on(cron, tz, day) if moment > after)
        day += timedelta(days=1)


def _on(cron: Cron, tz: ZoneInfo, day: date) -> list[datetime]:
    """The moments of one day. fold=0: of a repeated hour the first; a skipped one as if not skipped."""
    if not cron.falls_on(day):
        return []
    clock = ((hour, minute) for hour in cron.hours for minute in cron.minutes)
    return sorted({datetime.combine(day, time(hour, minute), tz).astimezone(UTC) for hour, minute in clock})


def _values(
    field: str, least: int, most: int, *, name: str, words: tuple[str, ...] = (), first: int = 0
) -> set[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        span, slash, step = part.partition("/")
        low, dash, high = span.partition("-")
        if span == "*":
            start, end = least, min(most, 6) if name == "weekday" else most
        else:
            start = _number(low, name=name, words=words, first=first)
            end = _number(high, name=name, words=words, first=first) if dash else (most if slash else start)
            if name == "weekday" and dash and end == 0:
                end = 7  # fri-sun
        stepped = not slash or (step.isascii() and step.isdigit() and int(step) > 0)
        if not (stepped and least <= start <= end <= most):
            raise ValueError(
                f"{field!r} is no {name} of a cron line: {least} to {most}, like *, 3, 1-5 or */2"
            )
        found.update(range(start, end + 1, int(step) if slash else 1))
    return found


def _number(text: str, *, name: str, words: tuple[str, ...], first: int) -> int:
    if text in words:
        return words.index(text) + first
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is no {name} of a cron line")
    return int(text)


def _is_last(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month
