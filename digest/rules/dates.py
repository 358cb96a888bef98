"""Dates as the web writes them, in English and French, read to the right instant or not at all. Never guesses "now"."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
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
_ZONES = {
    zone: names.split()
    for zone, names in {
        "America/St_Johns": "NT HT newfoundland terre-neuve", "America/Halifax": "AT HA atlantic atlantique",
        "America/Toronto": "ET HE eastern est", "America/Winnipeg": "CT HC central centre",
        "America/Edmonton": "MT HR mountain rocheuses", "America/Vancouver": "PT HP pacific pacifique",
    }.items()
}  # fmt: skip
_GENERIC = {
    name: zone for zone, names in _ZONES.items() for name in names
}  # standard or daylight time, as the day has it
_ZONE_SPELLED = re.compile(
    r"(newfoundland|atlantic|eastern|central|mountain|pacific)(?: (?:standard|daylight))? time\b"
    r"|heure (?:normale |avancee )?(?:d[eu]s? (?:l.)?)(terre-neuve|atlantique|est|centre|rocheuses|pacifique)\b"
)
_ACCENTS = str.maketrans("éèêûôàç", "eeeuoac")
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d) (?:GMT|([+-])(0\d|1[0-3])([0-5]\d))"
)  # how nearly all feeds write it
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)"
)  # how Atom writes it
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}")
_ISO = re.compile(
    r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})"
    r"(?:(?:[T ]|\s+)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d+)?)?(?:\s?(?P<half>[ap]\.?m\b\.?))?)?\s*(?P<zone>.*)",
    re.DOTALL | re.IGNORECASE,
)
_BASIC = re.compile(
    r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})(?:T(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})?)?(?P<zone>.*)", re.DOTALL
)
_TIME = re.compile(
    r"\b(?P<H>\d{1,2})(?::(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.\d+)?)?|\s?h\s?(?P<M2>\d{2})?)\s*(?P<half>[ap]\.?m\.?(?![a-z]))?",
    re.I,
)
_HOUR_ONLY = re.compile(r"\b(?P<H>\d{1,2})\s*(?P<half>[ap]\.?m\.?)(?=\W|$)", re.I)
_OFFSET = re.compile(r"^(?:UTC|GMT)?\s*([+\u2212-])(\d{1,2}):?(\d{2})?(?::\d{2})?$", re.I)
_WRITTEN_OFFSET = re.compile(r"(?<=\d)\s?([+-])(\d{2})(?::?(\d{2}))?$")
_HALF = r"(?:\s?([ap])\.?m\b\.?)"
_RANGE = re.compile(
    rf"\b(\d{{1,2}})(?::(\d\d))?{_HALF}?\s*(?:[-\u2010-\u2015\u2212]|to|until)\s*(\d{{1,2}})(?::\d\d)?{_HALF}",
    re.I,
)
_NAMED_HOUR = re.compile(r"(?<![\w-])(?:12(?::00)? ?)?(noon|midi|midnight|minuit)\b", re.I)
_RANGE_H = re.compile(
    r"\b(\d{1,2} ?h ?(?:\d\d)?) ?(?:[-\u2010-\u2015]|à|jusqu.à) ?\d{1,2} ?h(?: ?\d\d)?\b", re.I
)
_RANGE_24 = re.compile(r"(?<![-\d:])(\d{1,2}):(\d\d)\s?[-\u2010-\u2015\u2212]\s?(\d{1,2}):(\d\d)\b(?!:)")
_DAY_FIRST = re.compile(
    r"\b(?P<d>\d{1,2})(?:er|st|nd|rd|th)?[\s-]+(?:of\s+|de\s+)?(?P<mon>[a-z]{3,9})\.?,?[\s-]+(?P<y>\d{4}|\d{2})\b"
)
_MONTH_FIRST = re.compile(r"\b(?P<mon>[a-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})\b")
_NUMBERS = re.compile(
    r"(?:(?P<weekday>[a-z]{3,8})\.?,? )?(?P<one>\d{1,2})/(?P<other>\d{1,2})/(?P<y>\d{4})"
    r"(?:,? (?:- |a |at )?(?P<hour>\d{1,2}(?::\d\d| ?h ?\d{0,2})?(?::(?P<second>\d\d))?(?: ?[ap]\.?m\.?)?)(?: (?P<zone>\S+))?)?"
)
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("mon lun", "tue mar", "wed mer", "thu jeu", "fri ven", "sat sam", "sun dim")
    )
    for name in names.split()
}
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
        if _STAMP.fullmatch(words):
            return When(datetime.fromisoformat(words).astimezone(UTC))
        if _EPOCH.fullmatch(words):
            seconds = float(words) if len(words.partition(".")[0]) < 12 else float(words) / 1000
            return When(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
        words = _RANGE.sub(_begun, _NAMED_HOUR.sub(_twelve, unicodedata.normalize("NFC", words)))
        found = _ISO.fullmatch(words) or _BASIC.fullmatch(words)
        if found and (found["H"] or found["zone"].strip() in ("", "Z")):
            day = int(found["y"]), int(found["m"]), int(found["d"])
            return _when(day, _clock(found), found["zone"].strip(), timezone)
        return _in_numbers(words, timezone) or _spelled_out(words, timezone)
    except (ValueError, OverflowError):
        return None


def read_hour(text: str) -> time | None:
    """The hour that a text is and nothing else: `8:00 PM`, `20 h 30`, `noon`."""
    words = _NAMED_HOUR.sub(_twelve, " ".join(text[:40].split()))
    found = _TIME.fullmatch(words) or _HOUR_ONLY.fullmatch(words)
    if found is None:
        return None
    groups = found.groupdict()
    hour, minute = _hour(int(found["H"]), found["half"]), int(groups.get("M") or groups.get("M2") or 0)
    return time(hour % 24, minute) if hour <= 24 and minute < 60 else None


def _mailed(found: re.Match[str], month: int) -> When:
    day, year, hour, minute, second = map(int, found.group(1, 3, 4, 5, 6))
    at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    east = timedelta(hours=int(found[8]), minutes=int(found[9])) if found[7] else timedelta()
    return When(at - east if found[7] == "+" else at + east)


def stated_offset(text: str) -> timedelta | None:
    """How far from UTC the clock was that wrote an hour, where it ends with that or with `PST`; None for UTC's own names."""
    words = text.strip().rstrip(")]")
    if (found := _WRITTEN_OFFSET.search(words)) and ":" in words[: found.start()]:
        east = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return east if found[1] == "+" else -east
    hours = _OFFSETS_H.get((words.split() or [""])[-1].strip("(.").upper())
    return timedelta(hours=hours) if hours else None


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
    if not found["H"]:
        return None
    return (
        _hour(int(found["H"]), found.groupdict().get("half")),
        int(found["M"]),
        min(int(found["S"] or 0), 59),
    )


def _hour(hour: int, half: str | None) -> int:
    """Of 24; what says "18:30 p.m." means 18."""
    return hour % 12 + (12 if half[0] in "pP" else 0) if half and hour <= 12 else hour


def _twelve(found: re.Match[str]) -> str:
    return "12:00" if found[1][0] in "nN" or found[1].lower() == "midi" else "00:00"


def _begun(found: re.Match[str]) -> str:
    """ "6 p.m." of "6–8 p.m.", "11 a.m." of "11–1 p.m.": where something goes on for some hours, it is when it begins."""
    hour, minute, own, end, half = found.groups()
    if own is None:
        own = half if int(hour) % 12 <= int(end) % 12 else "a" if half in "pP" else "p"
    return f"{hour}:{minute or '00'} {own}m"


def _begun_24(found: re.Match[str]) -> str:
    """ "9:00" of "9:00-11:00"; "18:00-05:00" is an hour with its offset, since nothing ends before it begins."""
    start, end = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    return f"{found[1]}:{found[2]}" if start < end <= (24, 0) else found[0]


def _spelled_out(words: str, timezone: str) -> When | None:
    """RFC 822, RFC 850, asctime, and what French and English editors write by hand."""
    words = _RANGE_H.sub(r"\1", _RANGE_24.sub(_begun_24, words))
    plain = words.lower().translate(_ACCENTS)
    if found := _ASCTIME.search(plain):
        zone, rest = found["zone"].upper(), found["time"]
    elif found := _day_of(plain):
        zone, rest = "", (plain[found.end() :] if found.end() < len(plain) else plain[: found.start()])
    else:
        return None
    month = _month(found["mon"])
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 2000 if year < 70 else 1900
    elif year < 1900:  # `-0001` is what WordPress writes for a date it has not
        return None
    day = year, month, int(found["d"])
    clock = _TIME.search(rest) or _HOUR_ONLY.search(rest)
    if clock is None:
        return _when(day, None, "", timezone)
    groups = clock.groupdict()
    hour = _hour(int(groups["H"]), groups.get("half"))
    minute = int(groups.get("M") or groups.get("M2") or 0)
    if not zone:
        zone = words[len(words) - len(rest) + clock.end() :].strip(" ,()[].") if plain.endswith(rest) else ""
    return _when(day, (hour, minute, min(int(groups.get("S") or 0), 59)), zone, timezone)


def _in_numbers(words: str, timezone: str) -> When | None:
    """`11/20/2026 5:00 PM`, `ven, 20/11/2026 - 17:00`: where no month has that number, or the weekday says which is meant."""
    found = _NUMBERS.fullmatch(words.lower().translate(_ACCENTS))
    if found is None:
        return None
    one, other, year = (int(found[name]) for name in ("one", "other", "y"))
    days = {(year, month, day) for month, day in ((one, other), (other, one)) if 1 <= month <= 12}
    if found["weekday"]:
        number = _WEEKDAYS.get(found["weekday"][:3])
        days = {day for day in days if date(*day).weekday() == number}
    if len(days) != 1:
        return None
    clock = read_hour(found["hour"]) if found["hour"] else None
    named = (clock.hour, clock.minute, int(found["second"] or 0)) if clock else None
    return (
        None if found["hour"] and clock is None else _when(days.pop(), named, found["zone"] or "", timezone)
    )


def _day_of(plain: str) -> re.Match[str] | None:
    """The first day, month and year whose month is one: "00 gmt-0500" has the shape and is none."""
    for shape in (_DAY_FIRST, _MONTH_FIRST):
        for found in shape.finditer(plain):
            if _month(found["mon"]):
                return found
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name) or _MONTHS.get(name[:3], 0)


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
    text, _, bracketed = text.partition("[")  # `-05:00[America/Toronto]`
    if not text.strip():
        text = bracketed.rstrip("]")
    first = (text.split() or [""])[0].strip("()[],.")
    if offset := _OFFSET.match(text) or _OFFSET.match(first):
        sign = 1 if offset[1] == "+" else -1
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return (timezone(sign * timedelta(minutes=minutes)), None) if minutes <= 14 * 60 else (None, None)
    hours = _OFFSETS_H.get(first.upper())
    if hours is not None:
        return timezone(timedelta(hours=hours)), None
    spelled = _ZONE_SPELLED.search(text[:60].lower().translate(_ACCENTS))
    name = (
        first
        if "/" in first
        else _GENERIC.get(spelled[1] or spelled[2] if spelled else first if len(first) == 2 else text.lower())
    )
    zone = zone_named(name)
    return zone, (name if zone else None)
