"""What a row says of one person: whole columns at once where all rows are alike, one row at a time where not. Pure."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from digest.rules.roster_presets import Shape
from digest.rules.roster_status import Standing, unclear

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_BARE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - held against other bare ones alone
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_DAY = 10  # what is longer than 2026-11-21 says an hour too


class Line(NamedTuple):
    """One person of the file. number: the line it began on, counted from 1. cells: the row as it stands.

    since: when they came to the other list, UTC assumed where no zone is said. network: where from, as written.
    fault: why this line could not be read at all, then cells is one, the line as it stands; or what is not understood.
    """

    number: int
    address: str
    language: str | None
    standing: Standing
    since: datetime | None
    network: str
    cells: Sequence[str]
    fault: str = ""

    @property
    def has_left(self) -> bool:
        return self.standing.is_gone


_TOLD = re.compile(
    r"\b(?:language|langue|lang|locale)\"?\s*[:=]\s*\"?([a-z]{2}(?:\+[a-z]{2})?)", re.IGNORECASE
)
_TAGS = {
    "fr": "fr", "français": "fr", "francais": "fr", "french": "fr", "en": "en", "english": "en", "anglais": "en",
    "en+fr": "en+fr", "fr+en": "fr+en", "bilingual": "both", "bilingue": "both",
}  # fmt: skip


@lru_cache(maxsize=1000)
def reading(cell: str) -> str:
    """`en` of `en-CA`; both languages as our own export writes them, or `both`."""
    word = cell.strip().casefold()
    return word if "+" in word or word == "both" else word[:2]


@lru_cache(maxsize=1000)
def tagged(cell: str) -> str:
    """The language among tags (`board, language:fr`), or in the JSON of what a program keeps of somebody."""
    if found := _TOLD.search(cell):
        return reading(found[1])
    return next((said for tag in cell.split(",") if (said := _TAGS.get(tag.strip().casefold()))), "")


def line_of(shape: Shape, number: int, row: Sequence[str]) -> Line | None:
    """None for a row that says nothing."""
    address = row[shape.address].strip() if shape.address < len(row) else ""
    if not address and not any(cell.strip() for cell in row):
        return None
    place = shape.language
    says = tagged if shape.is_tagged else reading
    language = says(row[place]) if place is not None and place < len(row) else ""
    standing = shape.standing(row)
    return Line(
        number, as_typed(address), language or None, standing, _since(row, shape.since), _first(row, shape.network), row,
        unclear(shape.statuses, row) if standing is Standing.UNCLEAR else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Rows that are alike, column by column: a million lines need not be made where nobody looks at them.

    addresses: without the spaces around them. since: microseconds since 1970, in UTC. None stands for a column that says
    nothing of anybody.
    """

    shape: Shape
    numbers: Sequence[int]
    rows: Sequence[Sequence[str]]
    addresses: Sequence[str]
    languages: Sequence[str | None] | None
    standings: Sequence[Standing] | None
    since: Sequence[int | None] | None
    networks: Sequence[str] | None

    def line(self, n: int) -> Line | None:
        """The same as line_of() says of it."""
        row = self.rows[n]
        if not self.addresses[n]:
            return line_of(self.shape, self.numbers[n], row)
        standing = self.standings[n] if self.standings else Standing.SUBSCRIBED
        at = self.since[n] if self.since else None
        return Line(
            self.numbers[n], as_typed(self.addresses[n]), self.languages[n] if self.languages else None, standing,
            None if at is None else _EPOCH + timedelta(microseconds=at), self.networks[n] if self.networks else "", row,
            unclear(self.shape.statuses, row) if standing is Standing.UNCLEAR else "",
        )  # fmt: skip


def in_columns(shape: Shape, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> Columns | None:
    """None when a row is shorter than the others."""
    try:
        return Columns(
            shape=shape, numbers=numbers, rows=rows,
            addresses=list(map(str.strip, map(itemgetter(shape.address), rows))),
            languages=_languages(shape, rows),
            standings=_standings(shape, rows), since=_moments(shape, rows), networks=_networks(shape, rows),
        )  # fmt: skip
    except IndexError:
        return None


def _languages(shape: Shape, rows: Sequence[Sequence[str]]) -> Sequence[str | None] | None:
    if shape.language is None:
        return None
    says, words = tagged if shape.is_tagged else reading, list(map(itemgetter(shape.language), rows))
    means = {word: says(word) or None for word in set(words)}
    return [means[word] for word in words] if any(means.values()) else None


def _standings(shape: Shape, rows: Sequence[Sequence[str]]) -> Sequence[Standing] | None:
    """Each distinct set of words is judged once. None when all of them read."""
    places = [one.place for one in shape.statuses]
    if len(places) == 1:
        place = places[0]
        words = list(map(itemgetter(place), rows))
        means = {word: shape.judged([word]) for word in set(words)}
        return [means[word] for word in words] if any(means.values()) else None
    sets = [tuple([row[place] for place in places]) for row in rows] if places else []
    found = {one: shape.judged(one) for one in set(sets)}
    return [found[one] for one in sets] if any(found.values()) else None


def micros(at: datetime | None) -> int | None:
    """A moment as a number: of a million of them each byte counts."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _moments(shape: Shape, rows: Sequence[Sequence[str]]) -> Sequence[int | None] | None:
    if not shape.since:
        return None
    texts = list(map(itemgetter(shape.since[0]), rows))
    with suppress(ValueError, TypeError):  # TypeError: a zone within these signs
        found = {text: _moment(text) for text in set(texts)}
        return [found[text] for text in texts]
    return [micros(_since(row, shape.since)) for row in rows]


def _moment(text: str) -> int:
    """A day and an hour as most lists write them. Raises ValueError, TypeError: ask _since, which is slow."""
    if len(text) <= _DAY:
        raise ValueError
    gap = datetime.fromisoformat(text[:19]) - _BARE_EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _networks(shape: Shape, rows: Sequence[Sequence[str]]) -> Sequence[str] | None:
    return [_first(row, shape.network) for row in rows] if shape.network else None


def _first(row: Sequence[str], columns: Sequence[int]) -> str:
    for column in columns:
        text = row[column].strip() if column < len(row) else ""
        if text:
            return text
    return ""


def _since(row: Sequence[str], columns: Sequence[int]) -> datetime | None:
    """ISO, or Go's `2024-03-05 12:34:56.7 +0000 UTC`; what cannot be read is no proof."""
    text = _first(row, columns)
    try:
        return datetime.fromisoformat(f"{text[:19]}+00:00" if len(text) > _DAY else f"{text}T00:00:00+00:00")
    except ValueError:
        return None


def neutral(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe in front; as_typed() takes it off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_typed(cell: str) -> str:
    """The cell as it was before neutral()."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
