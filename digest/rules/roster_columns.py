"""What a row says of one person: whole columns at once where all rows are alike, one row at a time where not. Pure."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

from digest.rules.roster_presets import Shape
from digest.rules.roster_status import Standing, unclear

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
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


# A Line without its names: a million of them are made, and few are looked at again.
Plain = tuple[int, str, str | None, Standing, datetime | None, str, Sequence[str], str]


@lru_cache(maxsize=1000)
def reading(cell: str) -> str:
    """`en` of `en-CA`; both languages as our own export writes them, or `both`."""
    word = cell.strip().casefold()
    return word if "+" in word or word == "both" else word[:2]


def line_of(shape: Shape, number: int, row: Sequence[str]) -> Line | None:
    """None for a row that says nothing."""
    address = row[shape.address].strip() if shape.address < len(row) else ""
    if not address and not any(cell.strip() for cell in row):
        return None
    place = shape.language
    language = reading(row[place]) if place is not None and place < len(row) else ""
    standing = shape.standing(row)
    return Line(
        number, as_typed(address), language or None, standing, _since(row, shape.since), _first(row, shape.network), row,
        unclear(shape.statuses, row) if standing is Standing.UNCLEAR else "",
    )  # fmt: skip


def swift_lines(
    shape: Shape, numbers: Sequence[int], rows: Sequence[Sequence[str]], *, with_cells: bool
) -> list[Plain] | None:
    """The same for many rows, column by column. None when one of them needs a look of its own."""
    try:
        addresses = [row[shape.address].strip() for row in rows]
        if not rows or "" in addresses:
            return None
        languages: Iterable[str | None] = repeat(None)
        if (place := shape.language) is not None:
            languages = [reading(row[place]) or None for row in rows]
        standings = _standings(shape, rows)
        columns = (
            numbers,
            [as_typed(text) if text[0] == "'" else text for text in addresses],
            languages,
            standings,
            _moments(shape, rows),
            _networks(shape, rows),
            rows if with_cells else repeat(()),
            _faults(shape, rows, standings),
        )
    except IndexError:  # a row that is shorter than the others
        return None
    return list(zip(*columns))  # noqa: B905 (some of them have no end)


def _standings(shape: Shape, rows: Sequence[Sequence[str]]) -> Iterable[Standing]:
    """Each distinct set of words is judged once."""
    if not shape.statuses:
        return repeat(Standing.SUBSCRIBED)
    places = [one.place for one in shape.statuses]
    if len(places) == 1:
        place = places[0]
        words = [row[place] for row in rows]
        means = {word: shape.judged([word]) for word in set(words)}
        return [means[word] for word in words]
    sets = [tuple([row[place] for place in places]) for row in rows]
    found = {one: shape.judged(one) for one in set(sets)}
    return [found[one] for one in sets]


def _faults(shape: Shape, rows: Sequence[Sequence[str]], standings: Iterable[Standing]) -> Iterable[str]:
    if not isinstance(standings, list) or Standing.UNCLEAR not in standings:
        return repeat("")
    pairs = zip(rows, standings, strict=True)
    return [unclear(shape.statuses, row) if said is Standing.UNCLEAR else "" for row, said in pairs]


def _moments(shape: Shape, rows: Sequence[Sequence[str]]) -> Iterable[datetime | None]:
    if not shape.since:
        return repeat(None)
    place, read = shape.since[0], datetime.fromisoformat
    texts = [row[place] for row in rows]
    if min(map(len, texts)) > _DAY:
        with suppress(ValueError):
            return [read(f"{text[:19]}+00:00") for text in texts]
    return [_since(row, shape.since) for row in rows]


def _networks(shape: Shape, rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if not shape.network:
        return repeat("")
    return [_first(row, shape.network) for row in rows]


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
