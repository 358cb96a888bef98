"""What the zone names of calendar programs mean in Canada: Windows and US names stand for Canadian clocks there. Pure."""

import re
import unicodedata
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from digest.rules.dates import zone_named

# CLDR 46, windowsZones, territory CA; its main zone first, and zones that tzdata has since merged into these.
_CANADA = {
    "Newfoundland Standard Time": "America/St_Johns",
    "Atlantic Standard Time": "America/Halifax America/Glace_Bay America/Goose_Bay America/Moncton Canada/Atlantic",
    "Eastern Standard Time": "America/Toronto America/Iqaluit America/Montreal America/Nipigon America/Pangnirtung "
    "America/Thunder_Bay Canada/Eastern",
    "Central Standard Time": "America/Winnipeg America/Rainy_River America/Rankin_Inlet America/Resolute Canada/Central",
    "Canada Central Standard Time": "America/Regina America/Swift_Current Canada/Saskatchewan",
    "Mountain Standard Time": "America/Edmonton America/Cambridge_Bay America/Inuvik America/Yellowknife Canada/Mountain",
    "US Mountain Standard Time": "America/Creston America/Dawson_Creek America/Fort_Nelson",
    "Yukon Standard Time": "America/Whitehorse America/Dawson Canada/Yukon",
    "Pacific Standard Time": "America/Vancouver Canada/Pacific",
}
_OF_WINDOWS = {name: zones.split() for name, zones in _CANADA.items()}
_CANADIAN = frozenset(zone for zones in _OF_WINDOWS.values() for zone in zones) | {"Canada/Newfoundland"}
_OTHER_NAMES = {
    name: f"{clock} Standard Time"
    for clock, names in {
        "Eastern": "US/Eastern EST5EDT EST EDT ET", "Central": "US/Central CST6CDT CST CDT CT",
        "Mountain": "US/Mountain MST7MDT MST MDT MT", "Pacific": "US/Pacific PST8PDT PST PDT PT",
        "Atlantic": "AST ADT AT", "Newfoundland": "NST NDT NT",
    }.items()
    for name in names.split()
}  # fmt: skip
_REGIONS = {
    name: windows
    for windows, names in {
        "Newfoundland Standard Time": "newfoundland|terre-neuve|terre-neuve-et-labrador",
        "Atlantic Standard Time": "atlantic|atlantique",
        "Eastern Standard Time": "eastern|est|l'est",
        "Central Standard Time": "central|centre",
        "Canada Central Standard Time": "saskatchewan",
        "Mountain Standard Time": "mountain|rocheuses|montagnes rocheuses|montagnes",
        "Yukon Standard Time": "yukon",
        "Pacific Standard Time": "pacific|pacifique",
    }.items()
    for name in names.split("|")
}
_DISPLAYED = re.compile(r"\((?:utc|gmt)\s*([+-])(\d\d)[:.](\d\d)\)\s*(.+)")
_REGION = re.compile(
    r"(?:heure (?:normale |avancee )?(?:d[eu]s? )?)?(?P<name>[a-z'-]+(?: rocheuses)?)(?: (?:standard |daylight )?time)?"
    r"(?: \((?:(?:us|u\.?s\.?a?\.?|e\.?-?u\.?|etats-unis) ?(?:&|and|et) ?)?canada\))?"
)
_HALF_A_YEAR = timedelta(days=183)


def canadian(
    name: str, wall: datetime, *, calendar: tzinfo | None, source: tzinfo | None
) -> tuple[tzinfo | None, bool]:
    """The zone that a Windows name, a US alias or an abbreviation means in a calendar of ours, and whether that is sure.

    The calendar's own zone, or its source's, when it goes by that name; else the main Canadian one, which is sure as long
    as its clock agrees with that of the US city of the same name. None where neither zone is Canadian.
    """
    own = [zone for zone in (calendar, source) if isinstance(zone, ZoneInfo) and zone.key in _CANADIAN]
    windows = name if name in _OF_WINDOWS else _OTHER_NAMES.get(name)
    if not own or windows is None:
        return None, False
    for zone in own:
        if zone.key in _OF_WINDOWS[windows]:
            return zone, True
    main, american = zone_named(_OF_WINDOWS[windows][0]), zone_named(WINDOWS_TO_OLSON.get(windows, ""))
    if main is None or american is None:
        return main, False
    return main, all(alike(main, american, at) for at in (wall, wall + _HALF_A_YEAR))


def displayed(name: str) -> tuple[str | None, timedelta | None]:
    """What Exchange shows for a zone, in English or French: the Windows name of its region in Canada, and its offset.
    `(UTC-05:00) Est (É.-U. et Canada)`, `(UTC-06:00) Saskatchewan`, `Heure de l’Est`; not `(UTC-06:00) Central America`."""
    bare = unicodedata.normalize("NFKD", name.strip().strip('"')).casefold().replace("’", "'")
    plain = " ".join("".join(letter for letter in bare if not unicodedata.combining(letter)).split())
    shown = _DISPLAYED.fullmatch(plain)
    region = _REGION.fullmatch(shown[4] if shown else plain)
    windows = _REGIONS.get(region["name"].removeprefix("l'")) if region else None
    if windows and not shown and "heure" not in plain:
        windows = None  # a lone "Centre" may be a building
    if shown is None:
        return windows, None
    minutes = int(shown[2]) * 60 + int(shown[3])
    return windows, timedelta(minutes=minutes if shown[1] == "+" else -minutes)


def alike(one: tzinfo, other: tzinfo, at: datetime) -> bool:
    return at.replace(tzinfo=one).utcoffset() == at.replace(tzinfo=other).utcoffset()


def is_named(zone: tzinfo) -> bool:
    """Whether people know it by its name: rules of a file, and the bare clocks of tzdata, have none."""
    bare = ("UTC", "EST", "MST", "HST", "GMT")
    return isinstance(zone, ZoneInfo) and zone.key not in bare and not zone.key.startswith("Etc/")
