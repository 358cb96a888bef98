"""Where an event takes place and whether one can join from afar, out of what people write into one line. Never loses a street."""

import re
from dataclasses import dataclass

from digest.rules.links import shown_link

_MEETING_HOSTS = re.compile(
    r"https?://(?:[\w-]+\.)*(?:zoom\.us|zoom\.com|teams\.microsoft\.com|teams\.live\.com|meet\.google\.com|webex\.com|"
    r"whereby\.com|gotomeeting\.com|gotowebinar\.com|meet\.jit\.si|streamyard\.com|airmeet\.com|hopin\.com)/[^\s<>\"'\\),]*",
    re.IGNORECASE,
)
_MAPS = re.compile(
    r"https?://(?:maps\.app\.goo\.gl/|goo\.gl/maps|(?:www\.|maps\.)?google\.[a-z.]+/maps|maps\.google\.|maps\.apple\.com|"
    r"(?:www\.)?(?:openstreetmap\.org|osm\.org|what3words\.com|bing\.com/maps))",
    re.IGNORECASE,
)
_PROGRAM = (
    r"(?:(?:online|virtual|en ligne|virtuelle)\W+)?(?:(?:meeting|call|réunion|appel|rencontre)\W+)?"
    r"(?:(?:via|on|by|sur|par)\W+)?(?:microsoft |ms )?(?:teams|zoom|google meet|webex|jitsi(?: meet)?|skype|gotomeeting)"
    r"(?:\W+(?:meeting|call|réunion|webinar|webinaire|link))?"
)  # what programs write for a place where there is none
_AFAR = (
    r"(?:online|en ligne|à distance|webinar|webinaire|remote(?:ly)?|virtual(?:ly)?|virtuel(?:le)?(?:ment)?|internet|web)"
    r"(?:\W+(?:event|meeting|call|session|only|link|seulement|rencontre|réunion))?"
)
_OR = r"(?:or|ou|and|et|also|aussi)\s+"
_AND = rf"(?:\s*[;/|+&,:(]\s*(?:{_OR})?|\s+[-–—]\s+|\s+{_OR})"
_ALONE = re.compile(rf"\W*(?:{_PROGRAM}|{_AFAR})\W*", re.IGNORECASE)
_BEFORE = re.compile(
    rf"^\W*(?:{_PROGRAM}|{_AFAR}|hybrid|hybride){_AND}(?:(?:in person|en personne)\W+)?(?:(?:at|au|à|in)\s+)?",
    re.IGNORECASE,
)
_AFTER = re.compile(rf"{_AND}(?:{_PROGRAM}|{_AFAR})[\s).!]*$", re.IGNORECASE)
_HOW = re.compile(
    r"(?:the |le )?(?:link|lien|details|détails|regist|inscri|dial|access|accès)[^\d]*", re.IGNORECASE
)
_AT_FIRST = re.compile(rf"^\W*{_AFAR}\W+(?:via|on|by|through|with|sur|par|avec)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Venue:
    """place: in words, None for none. online: a link, "" when it is not told, None when one must be there."""

    place: str | None
    online: str | None


def venue(place: str | None, *, online: str | None, beside: str) -> Venue:
    """place: as stated, on one line. online: as stated elsewhere. beside: other words in which a meeting's link may stand.

    A street named beside a meeting is kept, and joining from afar told of as well; a link to a map is a place.
    """
    if place and not _MAPS.match(place) and (link := shown_link(place)) and " " not in place:
        online, place = online or link, None
    if not online and (met := _MEETING_HOSTS.search(f"{place or ''} {beside}")):
        online = shown_link(met[0]) or ""
    if not place:
        return Venue(None, online)
    street = _MEETING_HOSTS.sub("", place).strip(" \t/|;,+&–—-")
    if _AT_FIRST.match(street):
        return Venue(None if not _has_number(street) else street, online or "")
    while street and (shorter := _without_afar(street)) != street:
        street, online = shorter, online or ""
    return Venue(street or None, online)


def _without_afar(street: str) -> str:
    shorter = _BEFORE.sub("", street)
    if _ALONE.fullmatch(street) or (shorter != street and _HOW.fullmatch(shorter)):
        return ""
    cut = _AFTER.sub("", shorter)
    return cut + ")" if cut.count("(") > cut.count(")") else cut


def _has_number(text: str) -> bool:
    return any(letter.isdigit() for letter in text)
