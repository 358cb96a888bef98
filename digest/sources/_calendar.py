"""Calendar bytes to VEVENTs, as tolerantly as honesty allows: whole, then without time-zone rules, then event by event."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from icalendar import Calendar, Event
from icalendar.timezone import tzp

from digest.errors import ErrorKind, SourceError
from digest.model import LeftOut, LeftOutWhy
from digest.rules.text import one_line

_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    RecursionError,
    ArithmeticError,
    OSError,  # a zone called like a folder of the zone data
)
_ZONE_BLOCK = re.compile(
    r"^BEGIN:VTIMEZONE.*?^END:VTIMEZONE[^\n]*\n?", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_ALARM_BLOCK = re.compile(r"^BEGIN:VALARM.*?^END:VALARM[^\n]*\n?", re.DOTALL | re.MULTILINE | re.IGNORECASE)
_EVENT_BLOCK = re.compile(
    r"^BEGIN:VEVENT\s*?\n.*?^END:VEVENT[^\n]*", re.DOTALL | re.MULTILINE | re.IGNORECASE
)
_VENDOR_ZONE = re.compile(
    r"(TZID[:=]\"?)/[^:;\"\n]*?/([A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?)(?=[:;\"\n])"
)
_QUOTED_TOO_FAR = re.compile(r"TZID=\"([^\":\n]+):(\d{8}T\d{6}Z?)\"")
_PROPERTY_LINE = re.compile(r"[A-Za-z0-9-]+(;[A-Za-z0-9-]+=(\"[^\"]*\"|[^\":;]*))*:")
_NEEDED = (
    "UID",
    "DTSTART",
    "DTEND",
    "DURATION",
    "SUMMARY",
    "LOCATION",
    "DESCRIPTION",
    "URL",
    "STATUS",
    "SEQUENCE",
)
_ENDED = re.compile(r"^END:VCALENDAR\s*\Z", re.MULTILINE | re.IGNORECASE)
MOST_EVENTS = 20_000


@dataclass(slots=True)
class Sheet:
    """What stands in a calendar file. left_out: what could not be read, each with its reason.

    doubtful: UIDs of which a line was lost that may say when. torn: events may be missing, nobody knows which.
    """

    events: list[Any] = field(default_factory=list)
    name: str | None = None
    zone: str | None = None
    method: str = ""
    ttl: str = ""
    left_out: list[LeftOut] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    torn: bool = False


def read_sheet(body: bytes) -> Sheet:
    """Raises SourceError(PARSE) when not a single VEVENT of a file that holds some can be read."""
    text = _VENDOR_ZONE.sub(r"\1\2", _decoded(body))
    text = _QUOTED_TOO_FAR.sub(r'TZID="\1":\2', text)
    tzp.use_default()  # forgets the zones that other calendars defined: the library would lend them to this one
    sheet = Sheet(torn=not _ENDED.search(text[-200:]))
    blocks = _EVENT_BLOCK.findall(text)
    if len(blocks) > MOST_EVENTS:
        raise SourceError(
            ErrorKind.TOO_BIG, f"The calendar holds {len(blocks)} events; we read {MOST_EVENTS} at most."
        )
    whole = _attempt(lambda: Calendar.from_ical(text.encode(), multiple=True))
    if whole is None:
        whole = _attempt(lambda: Calendar.from_ical(_ZONE_BLOCK.sub("", text).encode(), multiple=True))
    if whole is not None and sum(len(part.walk("VEVENT")) for part in whole) >= len(blocks):
        sheet.events = [event for part in whole for event in part.walk("VEVENT")]
    else:
        sheet.events = [event for block in blocks if (event := _one_event(block, sheet)) is not None]
    _describe(sheet, text)
    if blocks and not sheet.events:
        raise SourceError(ErrorKind.PARSE, f"None of the {len(blocks)} events of the calendar could be read.")
    return sheet


def _decoded(body: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if body.startswith(mark):
            return body.decode(encoding, "replace").replace("\r\n", "\n")
    for candidate in (
        body,
        re.sub(rb"\r?\n[ \t]", b"", body),
    ):  # some fold their lines in the middle of a letter
        try:
            text = candidate.decode("utf-8-sig")
            break
        except UnicodeDecodeError:
            continue
    else:
        text = body.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _attempt(read: Callable[[], Any]) -> Any:
    """The library's answer, or None where it gives up on the whole for one bad line."""
    try:
        return read()
    except _FAULTS:
        return None


def _one_event(block: str, sheet: Sheet) -> Any:
    """A lone VEVENT: as it is, without alarms and odd lines, then with nothing but the lines we need."""
    lines = re.sub(r"\n[ \t]", "", _ALARM_BLOCK.sub("", block)).split("\n")
    proper = [line for line in lines if _PROPERTY_LINE.match(line)]
    needed = [line for line in proper if re.split("[:;]", line)[0].upper() in ("BEGIN", "END", *_NEEDED)]
    for candidate in (block, "\n".join(proper), "\n".join(needed)):
        event = _attempt(lambda text=candidate: Event.from_ical(text.encode()))  # type: ignore[misc]
        if event is not None:
            if candidate is not block:
                sheet.doubtful.add(str(event.get("UID", "")).strip())
            return event
    sheet.torn = True
    summary = next((line.partition(":")[2] for line in proper if line.upper().startswith("SUMMARY")), "")
    sheet.left_out.append(
        LeftOut(one_line(summary, longest=60), LeftOutWhy.LINES, "its lines could not be read")
    )
    return None


def _describe(sheet: Sheet, text: str) -> None:
    head = re.sub(r"\n[ \t]", "", text[:20_000])
    for name, attribute in (
        ("X-WR-CALNAME", "name"), ("X-WR-TIMEZONE", "zone"), ("METHOD", "method"), ("X-PUBLISHED-TTL", "ttl"),
    ):  # fmt: skip
        found = re.search(rf"^{name}(?:;[^:\n]*)?:(.*)$", head, re.MULTILINE | re.IGNORECASE)
        if found:
            setattr(sheet, attribute, found[1].strip().replace("\\,", ",").replace("\\;", ";"))
