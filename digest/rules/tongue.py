"""Which of our two languages a text is in, and whether the weekdays in it fit their dates. A guess: it may warn, never block."""

import re
from collections.abc import Iterator
from datetime import date

from digest.model import Language

_SURE = 5  # small words of one language, and four times as many as of the other
_SMALL = {
    Language.EN: frozenset(
        re.findall(
            r"\w+",
            "the and of to is are with for from that this what how we you your they not it by was has who",
        )
    ),
    Language.FR: frozenset(
        re.findall(
            r"\w+",
            "le la les des du et un une est sont avec pour dans que qui nous vous votre pas au aux par cette sur",
        )
    ),
}
_WEEKDAYS = ("mon lun", "tue mar", "wed mer", "thu jeu", "fri ven", "sat sam", "sun dim")
_MONTHS = ("jan", "feb fév fev", "mar", "apr avr", "may mai", "jun juin", "jul juil", "aug aoû aou", "sep", "oct", "nov",
           "dec déc")  # fmt: skip
_DAY = (
    r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+"
    r"|(?P<jour>lun|mar|mer(?:cre)?|jeu|ven(?:dre)?|sam|dim)(?:di|anche|edi)?\.?\s+"
)
_MONTH = (
    r"(?:jan(?:uary|v(?:ier|\.)?|\.)?|feb(?:ruary|\.)?|f[ée]v(?:rier|r?\.)?|mar(?:ch|s|\.)|apr(?:il|\.)?|avr(?:il|\.)?|may|mai"
    r"|june?|juin|july?|juil(?:let|\.)?|aug(?:ust|\.)?|ao[ûu]t|sept?(?:ember|embre|\.)?|oct(?:ober|obre|\.)?"
    r"|nov(?:ember|embre|\.)?|d[ée]c(?:ember|embre|\.)?)"
)
_DATE = (
    rf"(?:(?:the\s+)?(?P<day>\d{{1,2}})(?:er|st|nd|rd|th)?\s+(?P<month>{_MONTH})"
    rf"|(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)\b(?:,?\s+(?P<year>20\d\d))?"
)
_DATED = re.compile(rf"\b(?:{_DAY}){_DATE}", re.IGNORECASE)
_CLOSING = r"clos(?:e|es|ing|ed)|due|deadline|until|till|by|before|apply|limite|avant|jusqu.au|ferme\w*|termine\w*|échéance|d.ici"
_CLOSED = re.compile(rf"\b(?:{_CLOSING})\b[^.;!?]{{0,24}}?{_DATE}", re.IGNORECASE)


def primary(tag: str | None) -> str:
    """`fr` of `fr-CA`; "" when nothing is said."""
    return (tag or "").replace("_", "-").split("-")[0].casefold()


def guessed(text: str) -> Language | None:
    """English or French, when its small words leave no doubt."""
    words = re.findall(r"[a-zà-ÿ]+", text.casefold())
    counts = {language: sum(word in small for word in words) for language, small in _SMALL.items()}
    for language, other in ((Language.EN, Language.FR), (Language.FR, Language.EN)):
        if counts[language] >= _SURE and counts[language] >= 4 * counts[other]:
            return language
    return None


def misdated(text: str, *, about: date) -> Iterator[str]:
    """Phrases like "Tuesday, December 3" where that day is no Tuesday. Without a year the one nearest to `about` is meant."""
    for found in _DATED.finditer(text):
        said = (found["weekday"] or found["jour"]).casefold()[:3]
        meant = _meant(found, about)
        if meant is None or said not in _WEEKDAYS[meant.weekday()]:
            yield found.group()


def deadlines(text: str, *, about: date) -> Iterator[date]:
    """Days by which something closes, as far as words like "closes on 9 December" say so."""
    yield from (day for found in _CLOSED.finditer(text) if (day := _meant(found, about)) is not None)


def _meant(found: re.Match[str], about: date) -> date | None:
    day, word = int(found["day"] or found["day2"]), (found["month"] or found["month2"]).casefold()
    month = next(n for n, names in enumerate(_MONTHS, 1) if word.startswith(tuple(names.split())))
    years = [int(found["year"])] if found["year"] else [about.year - 1, about.year, about.year + 1]
    possible = [one for year in years if (one := _day(year, month, day)) is not None]
    return min(possible, key=lambda one: abs(one - about), default=None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
