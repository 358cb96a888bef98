"""Where in Canada a place is, and so which clock hangs there. Pure; what may be elsewhere, or anywhere, is no answer."""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

from digest.rules.dates import When, zone_named

_PROVINCES = {
    name: zone
    for zone, names in {
        "America/Vancouver": "bc|british columbia|colombie-britannique|c-b",
        "America/Edmonton": "ab|alb|alta|alberta",
        "America/Regina": "sk|sask|saskatchewan",
        "America/Winnipeg": "mb|man|manitoba",
        "America/Toronto": "on|ont|ontario|qc|pq|que|quebec",
        "America/Halifax": "nb|n-b|new brunswick|nouveau-brunswick|ns|n-e|nova scotia|nouvelle-ecosse|pe|pei|i-p-e|"
        "prince edward island|ile-du-prince-edouard",
        "America/St_Johns": "nl|nfld|t-n-l|newfoundland|newfoundland and labrador|terre-neuve|terre-neuve-et-labrador",
        "America/Whitehorse": "yt|yukon",
        "America/Yellowknife": "nt|nwt|tn-o|northwest territories|territoires du nord-ouest",
        "America/Iqaluit": "nu|nunavut",
    }.items()
    for name in names.split("|")
}
_CITIES = {
    name: zone
    for zone, names in {
        "America/Vancouver": "vancouver|north vancouver|west vancouver|victoria|burnaby|surrey|kelowna|kamloops|nanaimo|"
        "abbotsford|coquitlam|new westminster|prince george|whistler|langley",
        "America/Edmonton": "edmonton|calgary|red deer|lethbridge|medicine hat|banff|canmore|fort mcmurray|grande prairie|"
        "st albert|airdrie|lloydminster|cranbrook|fernie|kimberley|invermere",
        "America/Dawson_Creek": "dawson creek|fort st john|fort nelson|creston",
        "America/Regina": "regina|saskatoon|moose jaw|prince albert|swift current",
        "America/Winnipeg": "winnipeg|brandon|steinbach|saint-boniface|kenora|dryden|fort frances|sioux lookout|rainy river",
        "America/Toronto": "toronto|ottawa|mississauga|brampton|markham|vaughan|oshawa|scarborough|etobicoke|north york|"
        "guelph|kitchener|sudbury|thunder bay|montreal|quebec|ville de quebec|quebec city|gatineau|laval|longueuil|"
        "sherbrooke|trois-rivieres|saguenay|levis|rimouski",
        "America/Halifax": "halifax|dartmouth|moncton|dieppe|fredericton|saint john|charlottetown|summerside|"
        "iles-de-la-madeleine",
        "America/St_Johns": "st johns|saint johns|corner brook|mount pearl|gander",
        "America/Goose_Bay": "happy valley-goose bay|labrador city|wabush|nain",
        "America/Whitehorse": "whitehorse", "America/Yellowknife": "yellowknife|hay river",
        "America/Inuvik": "inuvik", "America/Iqaluit": "iqaluit", "America/Rankin_Inlet": "rankin inlet",
        "America/Cambridge_Bay": "cambridge bay",
    }.items()
    for name in names.split("|")
}  # fmt: skip
_CANADA = frozenset({"ca", "can", "canada"})
_STATES = frozenset(
    {
        "AK", "AL", "AR", "AZ", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA", "ID", "IL",
        "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS", "MT", "NC", "ND",
        "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN",
        "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY", "US", "USA", "UK",
    }
)  # fmt: skip
_ABROAD = re.compile(
    r"\b(?:[A-Z]{2} \d{5}(?:-\d{4})?|(?i:united (?:states|kingdom)|[ée]tats-unis|royaume-uni|england|scotland|wales|ireland"
    r"|australia|australie|new zealand|france|belgique|belgium|texas|washington|california))\b"
)
_POSTAL = re.compile(r"\b[A-Z]\d[A-Z][ -]?\d[A-Z]\d\b", re.IGNORECASE)
_CODE_LAST = re.compile(r"^(.+?)[\s.]+\(?(B\.?C|AB|SK|MB|ON|QC|NB|NS|NL|PE|PEI|YT|NT|NU)\b\.?\)?$")
_PARTS = re.compile(r"[,;|/\n()]|\s[-–—]\s")
# Whose winter clock parted from its American namesake's on 1 November 2026: old zone data writes the other's.
_NAMESAKES = {
    "America/Vancouver": "America/Los_Angeles", "America/Edmonton": "America/Denver",
    "America/Yellowknife": "America/Denver", "America/Winnipeg": "America/Chicago",
}  # fmt: skip
_OFFSETS_OF = (
    "America/Toronto", "America/Halifax", "America/St_Johns", "America/Winnipeg", "America/Edmonton", "America/Regina",
    "America/Vancouver", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/London",
    "Europe/Paris",
)  # fmt: skip
_AMERICAN = frozenset(_NAMESAKES.values()) | {"America/New_York"}


def zone_of_words(place: str | None) -> str | None:
    """Of "Library, 350 W Georgia St, Vancouver, BC V6B 6B1": a province or city that stands by itself between commas."""
    text = (place or "")[:300]
    if not text or _ABROAD.search(text):
        return None
    province = city = None
    for part in _PARTS.split(_POSTAL.sub("", text)):
        part = part.strip(" .\t")
        if part in _STATES:
            return None
        if coded := _CODE_LAST.match(part):
            province = _PROVINCES[_plain(coded[2])]
            part = coded[1]
        name = _plain(part)
        is_word = len(name) < 3 and not part.isupper()  # "on"
        province = (None if is_word else _PROVINCES.get(name)) or province
        city = _CITIES.get(name) or city
    return city if province is None or city is None or _is_in(city, province) else province


def zone_of_location(location: Any) -> str | None:
    """Of a schema.org Place, a PostalAddress or words; of several only when they agree."""
    if isinstance(location, list):
        zones = {zone for one in location[:5] if (zone := zone_of_location(one))}
        return zones.pop() if len(zones) == 1 else None
    if not isinstance(location, dict):
        return zone_of_words(location if isinstance(location, str) else None)
    if "virtual" in str(location.get("@type") or "").lower():
        return None
    address = location.get("address") or ""
    if isinstance(address, list):
        address = address[0] if address else ""
    if isinstance(address, dict):
        if (country := _country(address)) and _plain(country) not in _CANADA:
            return None
        names = ("addressLocality", "addressRegion")
        stated = [str(address.get(name) or "").strip() for name in names]
        if any(stated):
            return zone_of_words(", ".join(stated))
        address = str(address.get("streetAddress") or "")
    return zone_of_words(str(address)) or zone_of_words(str(location.get("name") or ""))


def told_in(
    start: When, *, offset: timedelta | None, there: str | None, own: str
) -> tuple[str, tuple[str, ...]]:
    """The zone in which to tell an hour, and what an editor should look at. offset: as it was written, if as a number.

    That of its place, whatever clock wrote it down: what that clock shows is on the door. Where no place is known, the zone
    that was named, the source's own when its clock fits, else one whose clock does.
    """
    flags = ("zone-guessed",) if start.zone_guessed else ()
    if not start.has_time:
        return own, flags
    if start.timezone and start.timezone.startswith("Etc/"):  # `Etc/GMT+5` is a number, and its sign deceives
        offset, start = _shown(start, start.timezone), replace(start, timezone=None)
    odd = (*flags, "check-zone")
    if offset == timedelta(0) and 17 <= start.at.hour <= 23:
        return there or own, odd  # local evening hours written as if they were UTC
    if there:
        named = _shown(start, start.timezone) if start.timezone else offset
        hour = _hour_at(start, there)
        by_night = named is None and not start.zone_guessed and hour < 6 and start.at.hour >= 7
        return there, (odd if by_night or named not in (None, _shown(start, there)) else flags)
    if start.timezone or offset is None:
        return start.timezone or own, flags
    if _shown(start, own) != offset and _shown(start, _NAMESAKES.get(own)) == offset:
        return own, odd
    for name in (own, *_OFFSETS_OF):
        if offset == _shown(start, name):
            return name, (odd if name in _AMERICAN and name != own and own not in _AMERICAN else flags)
    return own, (*flags, "zone-guessed")


def _shown(start: When, name: str | None) -> timedelta | None:
    zone = zone_named(name)
    return start.at.astimezone(zone).utcoffset() if zone else None


def _hour_at(start: When, name: str) -> int:
    zone = zone_named(name)
    return start.at.astimezone(zone).hour if zone else 12


def _country(address: dict[str, Any]) -> str:
    country = address.get("addressCountry") or ""
    return str(country.get("name") or "" if isinstance(country, dict) else country).strip()


def _is_in(city: str, province: str) -> bool:
    """Whether a city may have another clock than most of that province: Cranbrook, Kenora, Goose Bay, the islands."""
    return city == province or (city, province) in {
        ("America/Edmonton", "America/Vancouver"), ("America/Edmonton", "America/Regina"),
        ("America/Dawson_Creek", "America/Vancouver"), ("America/Winnipeg", "America/Toronto"),
        ("America/Halifax", "America/Toronto"), ("America/Goose_Bay", "America/St_Johns"),
        ("America/Inuvik", "America/Yellowknife"), ("America/Rankin_Inlet", "America/Iqaluit"),
        ("America/Cambridge_Bay", "America/Iqaluit"),
    }  # fmt: skip


def _plain(text: str) -> str:
    """Lower case without accents, dots and apostrophes: `St. John's`, `Québec`, `B.C.`, `T.-N.-L.`."""
    bare = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter) and letter not in ".'’")
    return " ".join(kept.split())
