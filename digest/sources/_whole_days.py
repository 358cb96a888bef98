"""Hours that mean whole days: from midnight to midnight, or to a minute before it, as calendars of the web write them. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)


def whole_days(start: datetime, end: datetime | None) -> tuple[date, date] | None:
    """The first day and the one after the last, of two times on one clock; None where hours are meant.

    Midnight with no end, or with itself for an end, is what sites write that keep days in a field made for hours.
    """
    if start.time().replace(microsecond=0) != time():
        return None
    if end is None or end == start:
        return start.date(), start.date() + _DAY
    if end > start and (end.hour, end.minute) == (23, 59):
        return start.date(), end.date() + _DAY
    if end.date() > start.date() and end.time().replace(microsecond=0) == time():
        return start.date(), end.date()
    return None


def days_by(
    clock: tzinfo, starts: datetime, ends: datetime | None, *, said: bool
) -> tuple[datetime, datetime] | None:
    """The same as instants on the clock of a zone. said: its calendar calls it a matter of days, by whatever clock: midnight
    in the Americas is morning in UTC."""
    days = whole_days(starts.astimezone(clock), ends.astimezone(clock) if ends else None)
    if days is None and said:
        first = starts.astimezone(UTC).date()
        days = first, first + _DAY * max(1, round((ends - starts) / _DAY) if ends else 1)
    return (begin_of(days[0], clock), begin_of(days[1], clock)) if days else None


def begin_of(day: date, zone: tzinfo | None) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone or UTC).astimezone(UTC)
