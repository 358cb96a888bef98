"""Who reads along, as an issue says it: counts that name nobody, and those who introduced themselves. Rendering only."""

import re
from collections.abc import Sequence

from digest.model import Language, Person, PulseBrief, Share
from digest.render.context import PersonView, SectionView
from digest.render.dates import number
from digest.render.text import clean
from digest.words import Words, phrases

ROWS_LEAST = 2  # one row alone tells no more than the sentence above it


def pulse_section(pulse: PulseBrief | None, heading: str, language: Language) -> SectionView | None:
    """A sentence, and a table by jurisdiction or by what people do; None while there are too few to count."""
    if pulse is None:
        return None
    words = Words(language)
    places = _told(pulse.places, "desk", "place", language)
    rows = places if len(places) >= ROWS_LEAST else _told(pulse.roles, "web", "role", language)
    return SectionView(
        id="pulse", name=heading, lead=words("letter.pulse_lead", count=number(pulse.total, language)),
        shares=rows if len(rows) >= ROWS_LEAST else (),
    )  # fmt: skip


def people_views(people: Sequence[Person], language: Language) -> tuple[PersonView, ...]:
    """In their own words, which keep their language and say so."""
    return tuple(
        PersonView(
            id=one.subscriber, name=clean(one.name), who=clean(one.who), looks_for=clean(one.looks_for), link=_link(one.link),
            lang="" if one.language is language else one.language.value, dir="ltr",
        )
        for one in people
    )  # fmt: skip


def _link(link: str | None) -> str | None:
    return link if link and re.fullmatch(r"(https?://|mailto:)[^\s\"<>]+", link) else None


def _told(
    shares: Sequence[Share], room: str, kind: str, language: Language
) -> tuple[tuple[str, str], ...]:  # fmt: skip
    """Those that have a name in words; an operator's own kinds have none and are left out."""
    names = {one.name: f"{kind}_{one.name.replace('-', '_')}" for one in shares}
    known, words = phrases(room, language), Words(language)
    return tuple(
        (words(f"{room}.{names[one.name]}"), number(one.count, language))
        for one in shares
        if names[one.name] in known
    )
