"""Dates as the web writes them, in English and French, read to the right instant or not at all. Never guesses "now"."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from time import struct_time
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january janv janvier", "feb february fev fevr fevrier", "mar march mars", "apr april avr avril", "may mai",
            "jun june juin", "jul july juil juillet", "aug august aou aout", "sep sept september septembre",
            "oct october octobre", "nov november novembre", "dec december decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_OFFSETS_H: dict[str, float] = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "NST": -3.5, "NDT": -2.5, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4,
    "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
    "HNT": -3.5, "HAT": -2.5, "HNA": -4, "HAA": -3, "HNE": -5, "HAE": -4, "HNC": -6, "HAC": -5, "HNR": -7, "HAR": -6,
    "HNP": -8, "HAP": -7, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_ACCENTS = str.maketrans("éèêûôàç", "eeeuoac")
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d) (?:GMT|([+-])(0\d|1[0-3])([0-5]\d))"
)  # how nearly all feeds write it
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}")
_ISO = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
    r"(?:(?:[T ]|\s+)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d+)?)?)?\s*(?P<zone>.*)",
    re.DOTALL,
)
_BASIC = re.compile(
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:T(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?(?P<zone>.*)", re.DOTALL
)
_TIME = re.compile(
    r"\b(?P<H>\d{1,2})(?::(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.\d+)?)?|\s?h\s?(?P<M2>\d{2})?)\s*(?P<half>[ap]\.?m\.?)?",
    re.I,
)
_HOUR_ONLY = re.compile(r"\b(?P<H>\d{1,2})\s*(?P<half>[ap]\.?m\.?)(?=\W|$)", re.I)
_OFFSET = re.compile(r"^(?:UTC|GMT)?\s*([+-\u2212])(\d{1,2}):?(\d{2})?(?::\d{2})?$", re.I)
_DAY_FIRST = re.compile(
    r"\b(?P<d>\d{1,2})(?:er|st|nd|rd|th)?[\s-]+(?:of\s+|de\s+)?(?P<mon>[a-z]{3,9})\.?,?[\s-]+(?P<y>\d{4}|\d{2})\b"
)
_MONTH_FIRST = re.compile(r"\b(?P<mon>[a-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})\b")
_ASCTIME = re.compile(
    r"\b(?P<mon>[a-z]{3})\s+(?P<d>\d{1,2})\s+(?P<time>\d{1,2}:\d{2}:\d{2})\s+(?P<zone>.*?)\s*(?P<y>\d{4})$"
)


@dataclass(frozen=True, slots=True)
class When:
    """An instant (UTC), how sure of it we are, and the zone it was written in.

    zone_guessed: the text named no zone (or one we do not know), so the one given was taken. has_time: not just a day.
    timezone: the IANA name when the text held one.
    """

    at: datetime
    zone_guessed: bool = False
    has_time: bool = True
    timezone: str | None = None


def read_date(text: str | None, *, timezone: str = "UTC") -> When | None:
    """The instant that `text` names; None when it names none. timezone: taken when the text has no zone of its own."""
    words = " ".join((text or "")[:120].split())
    if not words:
        return None
    try:
        if (found := _MAIL.fullmatch(words)) and (month := _MONTHS.get(found[2].lower())):
            return _mailed(found, month)
        if _EPOCH.fullmatch(words):
            seconds = float(words) if len(words.partition(".")[0]) < 12 else float(words) / 1000
            return When(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
        found = _ISO.fullmatch(words) or _BASIC.fullmatch(words)
        if found and (found["H"] or found["zone"].strip() in ("", "Z")):
            day = int(found["y"]), int(found["m"]), int(found["d"])
            return _when(day, _clock(found), found["zone"].strip(), timezone)
        return _spelled_out(words, timezone)
    except (ValueError, OverflowError):
        return None


def _mailed(found: re.Match[str], month: int) -> When:
    day, year, hour, minute, second = map(int, found.group(1, 3, 4, 5, 6))
    at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    east = timedelta(hours=int(found[8]), minutes=int(found[9])) if found[7] else timedelta()
    return When(at - east if found[7] == "+" else at + east)


def read_struct(parsed: struct_time | None) -> datetime | None:
    """feedparser's own reading, for the forms that ours does not know."""
    try:
        return datetime(*parsed[:6], tzinfo=UTC) if parsed else None
    except (ValueError, TypeError):
        return None


def zone_named(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name, or None."""
    if not name or len(name) > 64 or not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _clock(found: re.Match[str]) -> tuple[int, int, int] | None:
    return (int(found["H"]), int(found["M"]), min(int(found["S"] or 0), 59)) if found["H"] else None


def _spelled_out(words: str, timezone: str) -> When | None:
    """RFC 822, RFC 850, asctime, and what French and English editors write by hand."""
    plain = words.lower().translate(_ACCENTS)
    if found := _ASCTIME.search(plain):
        zone, rest = found["zone"].upper(), found["time"]
    elif found := (_DAY_FIRST.search(plain) or _MONTH_FIRST.search(plain)):
        zone, rest = "", (plain[found.end() :] if found.end() < len(plain) else plain[: found.start()])
    else:
        return None
    month = _MONTHS.get(found["mon"]) or _MONTHS.get(found["mon"][:3], 0)
    year = int(found["y"])
    year += 0 if year > 99 else 2000 if year < 70 else 1900
    day = year, month, int(found["d"])
    clock = _TIME.search(rest) or _HOUR_ONLY.search(rest)
    if clock is None:
        return _when(day, None, "", timezone)
    groups = clock.groupdict()
    hour = int(groups["H"])
    if half := (groups.get("half") or "").lower():
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    minute = int(groups.get("M") or groups.get("M2") or 0)
    if not zone:
        zone = words[len(words) - len(rest) + clock.end() :].strip(" ,()[].") if plain.endswith(rest) else ""
    return _when(day, (hour, minute, min(int(groups.get("S") or 0), 59)), zone, timezone)


def _when(day: tuple[int, int, int], clock: tuple[int, int, int] | None, zone: str, fallback: str) -> When:
    midnight_after = clock is not None and clock[0] == 24
    naive = datetime(*day, *((0, 0, 0) if clock is None or midnight_after else clock))  # noqa: DTZ001 zone follows
    if midnight_after:
        naive += timedelta(days=1)
    found, name = _zone(zone)
    at = naive.replace(tzinfo=found or zone_named(fallback) or UTC).astimezone(UTC)
    return When(
        at, zone_guessed=found is None and clock is not None, has_time=clock is not None, timezone=name
    )


def _zone(text: str) -> tuple[tzinfo | None, str | None]:
    if not text:
        return None, None
    first = text.split()[0].strip("()[],.")
    if offset := _OFFSET.match(text) or _OFFSET.match(first):
        sign = 1 if offset[1] == "+" else -1
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return (timezone(sign * timedelta(minutes=minutes)), None) if minutes <= 14 * 60 else (None, None)
    hours = _OFFSETS_H.get(first.upper())
    if hours is not None:
        return timezone(timedelta(hours=hours)), None
    zone = zone_named(first) if "/" in first else None
    return zone, (first if zone else None)
