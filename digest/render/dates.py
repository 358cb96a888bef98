"""Days, hours, zones and numbers as people read them, in two languages. Never an abbreviation of a zone.

Hours and a day with its month are held together by no-break spaces (U+00A0). Zone names come from our own
table: tz data calls Vancouver "MST" and Winnipeg "EST" in December 2026, which nobody there would know.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_datetime, get_timezone_location
from babel.numbers import format_decimal

from digest.model import Language, Occasion, Period
from digest.words import Words

NBSP = "\u00a0"

# Zones that share a name. Where their hours differ on a date, each is named by its city instead.
FAMILIES: dict[str, tuple[str, ...]] = {
    "newfoundland": ("America/St_Johns",),
    "atlantic": ("America/Halifax", "America/Moncton", "America/Glace_Bay", "America/Goose_Bay"),
    "eastern": (
        "America/Toronto",
        "America/Montreal",
        "America/Iqaluit",
        "America/Thunder_Bay",
        "America/Nipigon",
    ),
    "central": (
        "America/Winnipeg",
        "America/Regina",
        "America/Swift_Current",
        "America/Rankin_Inlet",
        "America/Resolute",
        "America/Rainy_River",
    ),
    "mountain": ("America/Edmonton", "America/Yellowknife", "America/Inuvik", "America/Cambridge_Bay"),
    "yukon": ("America/Whitehorse", "America/Dawson"),
    "pacific": ("America/Vancouver",),
}
FAMILY_OF = {zone: family for family, zones in FAMILIES.items() for zone in zones} | {
    "Canada/Newfoundland": "newfoundland", "Canada/Atlantic": "atlantic", "Canada/Eastern": "eastern",
    "Canada/Central": "central", "Canada/Mountain": "mountain", "Canada/Pacific": "pacific",
    "Canada/Yukon": "yukon",
    "America/New_York": "eastern", "America/Chicago": "central", "America/Denver": "mountain",
    "America/Los_Angeles": "pacific",
}  # fmt: skip
SPEAKERS = frozenset(zones[0] for zones in FAMILIES.values())  # the zone that a family is known by
ONLINE_ZONES = ("America/Vancouver", "America/Halifax")


def day(at: datetime, zone: str, language: Language, *, year: bool = False) -> str:
    """`Tue 1 Dec` or `mar. 1er déc.`, in the given zone; with the year when asked."""
    local = _local(at, zone)
    weekday = _babel(local, "EEE", language).rstrip(".") + ("." if language is Language.FR else "")
    month = _babel(local, "MMM", language)
    if language is Language.EN:
        month = month.rstrip(".")
    number = _ordinal(local.day, language)
    return f"{weekday} {number}{NBSP}{month}" + (f" {local.year}" if year else "")


def long_day(at: datetime, zone: str, language: Language) -> str:
    """`Tuesday 1 December 2026` or `mardi 1er décembre 2026`."""
    local = _local(at, zone)
    weekday, month = _babel(local, "EEEE", language), _babel(local, "MMMM", language)
    return f"{weekday} {_ordinal(local.day, language)}{NBSP}{month} {local.year}"


def month(period: Period, language: Language) -> str:
    """`December 2026` or `décembre 2026`."""
    return _babel(datetime(period.year, period.month, 15, tzinfo=ZoneInfo("UTC")), "MMMM y", language)


def short_month(period: Period, language: Language, *, year: bool = False) -> str:
    """`Dec`, `déc.`; with its year `Jan 2027`."""
    text = _babel(datetime(period.year, period.month, 15, tzinfo=ZoneInfo("UTC")), "MMM", language)
    text = text.rstrip(".") if language is Language.EN else text
    return f"{text}\u00a0{period.year}" if year else text


@lru_cache(maxsize=4096)
def leaf(at: datetime, zone: str, language: Language) -> tuple[str, str, str]:
    """The three lines of a small calendar page: month, day, weekday, as `Dec`, `1`, `Tue`."""
    local = _local(at, zone)
    short = _babel(local, "MMM", language), _babel(local, "EEE", language)
    month_name, weekday = (s.rstrip(".") for s in short) if language is Language.EN else short
    return month_name, str(local.day), weekday


def hour(at: datetime, zone: str, language: Language) -> str:
    """`6:30 p.m.`, `noon`; `18 h 30`, `midi`. Twelve-hour clock in English, twenty-four in French."""
    local = _local(at, zone)
    if local.minute == 0 and local.hour in {0, 12}:
        return Words(language)("letter.noon" if local.hour else "letter.midnight")
    if language is Language.FR:
        return f"{local.hour}{NBSP}h" + (f"{NBSP}{local.minute:02d}" if local.minute else "")
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{(local.hour - 1) % 12 + 1}{minutes}{NBSP}{'a.m.' if local.hour < 12 else 'p.m.'}"


def zone_name(zone: str, at: datetime, language: Language) -> str:
    """`Eastern time`, `heure de l’Est`; a city where that name would leave two hours open."""
    key, slots = _zone_key(zone, at, language)
    return Words(language)(key, **slots)


def hour_in_zone(at: datetime, zone: str, language: Language) -> str:
    """`noon Eastern`; `midi, heure de l’Est`."""
    key, slots = _zone_key(zone, at, language)
    return Words(language)(f"{key}_at", hour=hour(at, zone, language), **slots)


# A page of the desk shows the same events after every edit; most of its time went into their dates.
@lru_cache(maxsize=4096)
def span(
    occasion: Occasion, language: Language, *, list_zone: str, also: Sequence[str] = ONLINE_ZONES, own_zone: str = "",
    most: int = 2,
) -> str:  # fmt: skip
    """When an event takes place, in one line: `Thu 3 Dec, noon Eastern (10 a.m. Pacific)`.

    In person: the hour of the place. Online, for readers of one zone: their own hour, then the event's. For everybody:
    the event's zone first, then the list's and `also`, at `most` so many more. Each further one only when its hour differs,
    with its weekday when the date differs too.
    """
    words, zone, others = Words(language), occasion.timezone, (list_zone, *also)
    if own_zone and is_online(occasion) and not occasion.all_day:
        zone, others = own_zone, (occasion.timezone,)
    first = day(occasion.starts, zone, language)
    if occasion.all_day:
        last = occasion.ends - timedelta(minutes=1) if occasion.ends else occasion.starts
        if day(last, zone, language) != first:
            return words("letter.days", first=first, last=day(last, zone, language))
        return words("letter.all_day", day=first)
    line = words("letter.day_and_hour", day=first, hour=hour_in_zone(occasion.starts, zone, language))
    if occasion.ends and occasion.ends - occasion.starts >= timedelta(hours=20):
        until = words("letter.day_and_hour", day=day(occasion.ends, zone, language),
                      hour=hour(occasion.ends, zone, language))  # fmt: skip
        return words("letter.days", first=line, last=until)
    told = _elsewhere(occasion, language, zone=zone, zones=others) if is_online(occasion) else []
    return f"{line} ({', '.join(told[:most])})" if told[:most] else line


def length(occasion: Occasion, language: Language) -> str | None:
    """`45 min`, `1 h`, `1 h 30 min` (`1 h 30` in French); None: unknown, whole days, 20 hours or more."""
    if occasion.all_day or occasion.ends is None:
        return None
    minutes = round((occasion.ends - occasion.starts).total_seconds() / 60)
    if not 0 < minutes < 20 * 60:
        return None
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest}{NBSP}min"
    if not rest:
        return f"{hours}{NBSP}h"
    return f"{hours}{NBSP}h{NBSP}{rest:02d}" + ("" if language is Language.FR else f"{NBSP}min")


def is_online(occasion: Occasion) -> bool:
    """Whether one can join from elsewhere: a link is known, or somebody says that it is online."""
    return occasion.online is not None


def number(n: float, language: Language) -> str:
    """`1,412` or `1 412` with a no-break space."""
    return format_decimal(n, locale=_locale(language)).replace("\u202f", NBSP)


def iso(at: datetime, zone: str, *, all_day: bool = False) -> str:
    """ISO 8601 with the zone's offset on that date; an all-day event has a date only."""
    local = _local(at, zone)
    return local.date().isoformat() if all_day else local.isoformat(timespec="minutes")


def utc_offset(zone: str, at: datetime) -> timedelta:
    """How far the clocks of a zone are ahead of UTC at that instant."""
    return _local(at, zone).utcoffset() or timedelta(0)


def _elsewhere(occasion: Occasion, language: Language, *, zone: str, zones: Sequence[str]) -> list[str]:
    """The same moment in other zones than the one that was told already."""
    words, at, here = Words(language), occasion.starts, zone
    found: list[str] = []
    told = {utc_offset(here, at)}
    for zone in zones:
        if utc_offset(zone, at) in told or len(found) == 2:
            continue
        told.add(utc_offset(zone, at))
        clock = hour(at, zone, language)
        if _local(at, zone).date() != _local(at, here).date():
            clock = f"{_babel(_local(at, zone), 'EEE', language)} {clock}"
        key, slots = _zone_key(zone, at, language)
        found.append(words(f"{key}_also", hour=clock, **slots))
    return found


def _zone_key(zone: str, at: datetime, language: Language) -> tuple[str, dict[str, str]]:
    family = FAMILY_OF.get(zone)
    if family and {utc_offset(member, at) for member in FAMILIES[family]} == {utc_offset(zone, at)}:
        return f"letter.zone_{family}", {}
    if zone in {"UTC", "Etc/UTC", "Etc/GMT", "GMT"}:
        return "letter.zone_utc", {}
    try:
        city = get_timezone_location(zone, locale=_locale(language), return_city=True)
    except LookupError:
        return "letter.zone_utc", {}
    vowel = city[:1].casefold() in set("aeiouyàâéèêëîïôùûh")
    return ("letter.zone_vowel" if vowel else "letter.zone_city"), {"city": city}


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(_zone(zone))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    """ZoneInfo itself keeps eight; a letter needs more and would read them from disk again and again."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _ordinal(number: int, language: Language) -> str:
    return "1er" if number == 1 and language is Language.FR else str(number)


def _babel(at: datetime, pattern: str, language: Language) -> str:
    return format_datetime(at, pattern, locale=_locale(language))


@lru_cache(maxsize=2)
def _locale(language: Language) -> Locale:
    return Locale.parse(f"{language.value}_CA")
