"""A calendar file cut into its events and zones, line by line, before any library sees it: linear, whatever was nested."""

import re
from dataclasses import dataclass, field

_EDGE = re.compile(r"(BEGIN|END):([A-Z0-9-]+)\s*\Z", re.IGNORECASE)
_START = re.compile(r"^DTSTART[^:\n]*:\s*(\d{8})", re.MULTILINE | re.IGNORECASE)
_REPEATED = re.compile(r"^(?:RRULE|RDATE|RECURRENCE-ID)[;:]", re.MULTILINE | re.IGNORECASE)
MOST_ZONES, LONGEST_ZONE = 200, 2_000  # LONGEST_ZONE in lines


@dataclass(slots=True)
class Blocks:
    """events, zones: whole blocks, alarms and other inner parts of events taken out. torn: some did not come to an end."""

    events: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    torn: bool = False


def cut(text: str) -> Blocks:
    found = Blocks()
    lines: list[str] = []
    what, inner = "", ""
    for line in text.split("\n"):
        edge = _EDGE.match(line) if line[:1] in "BbEe" else None
        if edge is None:
            if what and not inner:
                lines.append(line)
            continue
        opens, name = edge[1].upper() == "BEGIN", edge[2].upper()
        if opens and name in ("VEVENT", "VTIMEZONE"):
            found.torn |= bool(what)
            what, inner, lines = name, "", [line]
        elif not opens and name == what:
            lines.append(line)
            found.torn |= bool(inner)
            if what == "VEVENT":
                found.events.append("\n".join(lines))
            elif len(lines) < LONGEST_ZONE and len(found.zones) < MOST_ZONES:
                found.zones.append("\n".join(lines))
            what, inner, lines = "", "", []
        elif what == "VTIMEZONE":
            lines.append(line)
        elif what and opens and not inner:
            inner = name
        elif what and not opens and name == inner:
            inner = ""
    found.torn |= bool(what)
    return found


def nearest(events: list[str], *, day: str, most: int) -> tuple[list[str], int]:
    """Those that are read where there are too many, and how many are not: what repeats comes first, of the rest the next
    and then the latest ones. In the order of the file. day: today, as calendars write it."""
    if len(events) <= most:
        return events, 0
    order = []
    for place, block in enumerate(events):
        start = _START.search(block)
        on = start[1] if start else ""
        if _REPEATED.search(block):
            order.append((0, 0, place))
        elif on >= day:
            order.append((1, int(on), place))
        else:
            order.append((2, -int(on or 0), place))
    kept = sorted(place for _, _, place in sorted(order)[:most])
    return [events[place] for place in kept], len(events) - len(kept)
