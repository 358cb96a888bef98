"""When and where, as the dialects of event feeds write it beside a post: ev:, xCal: and Modern Events Calendar. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from digest.rules.dates import When, read_date
from digest.rules.text import one_line

_DIALECTS = {
    "ev_startdate": ("ev_enddate", "ev_location"),
    "xcal_dtstart": ("xcal_dtend", "xcal_location"),
    "mec_startdate": ("mec_enddate", "mec_location"),
}  # of what says the start: what says the end and the place


class Told(NamedTuple):
    starts: When | None = None
    ends: When | None = None
    place: str | None = None


_NOTHING = Told()


def told(raw: Mapping[str, Any], *, timezone: str) -> Told:
    """Nothing for an entry that is no event, as nearly all are."""
    for start, (end, place) in _DIALECTS.items():
        if start in raw and (starts := _when(raw, start, timezone=timezone)):
            ends = _when(raw, end, timezone=timezone)
            if ends and not ends.has_time and not starts.has_time and start != "xcal_dtstart":
                ends = replace(ends, at=ends.at + timedelta(days=1))  # a last day is meant, ours is exclusive
            return Told(starts, ends, one_line(raw.get(place)) or None)
    return _NOTHING


def _when(raw: Mapping[str, Any], name: str, *, timezone: str) -> When | None:
    """The hour may stand by itself, as `mec:startHour` does."""
    day, hour = str(raw.get(name) or ""), str(raw.get(name.removesuffix("date") + "hour") or "")
    whole = read_date(f"{day} {hour}", timezone=timezone) if hour.strip() else None
    return whole or read_date(day, timezone=timezone)
