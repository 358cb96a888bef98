"""Calendar bytes to VEVENTs, as tolerantly as honesty allows: whole, then without time-zone rules, then event by event."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from icalendar import Calendar, Event
from icalendar.timezone import tzp

from digest.errors import ErrorKind, SourceError
from digest.model import LeftOut, LeftOutWhy
from digest.rules.text import one_line
from digest.sources._blocks import cut, nearest
from digest.sources._octets import utf8_but_for_a_few

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
_VENDOR_ZONE = re.compile(
    r"(TZID[:=]\"?)/[^:;\"\n]{0,100}?/([A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?)(?=[:;\"\n])"
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
_FOLD = re.compile(r"\n[ \t]")
_ENDED = re.compile(r"^END:VCALENDAR\s*\Z", re.MULTILINE | re.IGNORECASE)
MOST_EVENTS = 5_000
MOST_LISTED = (
    30_000  # dates that its events name one by one, added or taken out: what the library reads in a second
)
_LARGE = 16 * MOST_LISTED  # characters; fewer hold no more of them
_LIST = re.compile(r"^(?:EXDATE|RDATE)[;:].*", re.MULTILINE | re.IGNORECASE)


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


def read_sheet(body: bytes, *, today: date) -> Sheet:
    """Raises SourceError(PARSE) when not a single VEVENT of a file that holds some can be read. The nearest 5,000 count."""
    text = _VENDOR_ZONE.sub(r"\1\2", _decoded(body))
    text = _QUOTED_TOO_FAR.sub(r'TZID="\1":\2', text)
    tzp.use_default()  # forgets the zones that other calendars defined: the library would lend them to this one
    found = cut(text)
    sheet = Sheet(torn=found.torn or not _ENDED.search(text[-200:]))
    blocks, more = nearest(found.events, day=f"{today:%Y%m%d}", most=MOST_EVENTS)
    if more:
        sheet.left_out.append(
            LeftOut(f"{more}", LeftOutWhy.LIMIT, f"events beyond the nearest {MOST_EVENTS}")
        )
        sheet.torn |= len(blocks) < MOST_EVENTS
    if len(text) > _LARGE:
        blocks = _without_long_lists(blocks, sheet)
    whole = _attempt(lambda: _read_all([*found.zones, *blocks]))
    if whole is None:
        whole = _attempt(lambda: _read_all(blocks))
    if whole is not None and sum(len(part.walk("VEVENT")) for part in whole) >= len(blocks):
        sheet.events = [event for part in whole for event in part.walk("VEVENT")]
    else:
        sheet.events = [event for block in blocks if (event := _one_event(block, sheet)) is not None]
    _describe(sheet, text)
    if found.torn and not blocks:
        raise SourceError(ErrorKind.PARSE, "The calendar breaks off before the end of its first event.")
    if blocks and not sheet.events:
        raise SourceError(ErrorKind.PARSE, f"None of the {len(blocks)} events of the calendar could be read.")
    return sheet


def _without_long_lists(blocks: list[str], sheet: Sheet) -> list[str]:
    """As many events as list MOST_LISTED dates together, those with the shortest lists first."""
    listed = [sum(line.count(",") + 1 for line in _LIST.findall(_FOLD.sub("", block))) for block in blocks]
    room, kept = MOST_LISTED, set[int]()
    for number in sorted(range(len(blocks)), key=listed.__getitem__):
        room -= listed[number]
        if room < 0:
            break
        kept.add(number)
    if more := len(blocks) - len(kept):
        sheet.left_out.append(
            LeftOut(f"{more}", LeftOutWhy.LIMIT, f"events that list {MOST_LISTED} dates and more")
        )
        sheet.torn = True
    return [block for number, block in enumerate(blocks) if number in kept]


def _read_all(blocks: list[str]) -> Any:
    """Nothing but events and zones: what else a file may hold is not for us, however deep it is."""
    text = "\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//digest//", *blocks, "END:VCALENDAR", ""))
    return Calendar.from_ical(text.encode(), multiple=True)


def _decoded(body: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if body.startswith(mark):
            return body.decode(encoding, "replace").replace("\r\n", "\n")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        unfolded = re.sub(rb"\r?\n[ \t]", b"", body)  # some fold their lines in the middle of a letter
        mended = utf8_but_for_a_few(unfolded)
        text = body.decode("cp1252", "replace") if mended is None else mended.decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _attempt(read: Callable[[], Any]) -> Any:
    """The library's answer, or None where it gives up on the whole for one bad line."""
    try:
        return read()
    except _FAULTS:
        return None


def _one_event(block: str, sheet: Sheet) -> Any:
    """A lone VEVENT: as it is, without alarms and odd lines, then with nothing but the lines we need."""
    lines = re.sub(r"\n[ \t]", "", block).split("\n")
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
