"""A list of people brought from elsewhere: encoding, delimiter, rows as lines, and which lines cannot be used. Pure.

Read as a stream: a million people need not be in memory at once.
"""

import csv
import hashlib
import io
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from digest.errors import InputRefused
from digest.rules.consent import judged_address, quick_address
from digest.rules.roster_presets import Shape, Standing, plain, shape_of

_LONGEST_CELL = 1_000_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_MANY_WORDS = 1000


class Line(NamedTuple):
    """One person of the file. number: the line it began on, counted from 1. cells: the row as it stands.

    since: when they came to the other list, UTC assumed where no zone is said. network: where from, as written.
    """

    number: int
    address: str
    language: str | None
    standing: Standing
    since: datetime | None
    network: str
    cells: Sequence[str]

    @property
    def has_left(self) -> bool:
        return self.standing.is_gone


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at the bytes says. sha256: of the whole file, for the proof. skip: bytes of a mark before the text."""

    encoding: str
    sha256: str
    skip: int = 0


def survey(chunks: Iterable[bytes]) -> Survey:
    """UTF-16 by its mark, UTF-8 when all of it is, else Windows-1252. Raises InputRefused for an empty file."""
    digest, decoder, encoding, begun, skip = (
        hashlib.sha256(),
        getincrementaldecoder("utf-8")(),
        "utf-8",
        False,
        0,
    )
    for chunk in chunks:
        if not begun and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        if not begun and chunk.startswith(BOM_UTF8):
            skip = len(BOM_UTF8)
        begun = begun or bool(chunk.strip())
        digest.update(chunk)
        if encoding == "utf-8":
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "cp1252"
    if not begun:
        raise InputRefused("The file is empty.")
    return Survey(encoding, digest.hexdigest(), skip if encoding == "utf-8" else 0)


def read_roster(data: bytes) -> Iterator[Line]:
    """The lines of a file that is in memory. Raises InputRefused when no column of addresses can be found."""
    looked = survey([data])
    text = data[looked.skip :].decode(looked.encoding, errors="replace")
    yield from Roster(io.StringIO(text, newline="")).lines()


class Roster:
    """A file that is being read. header: as it stands; [] for a plain list. shape: where things are, once begun."""

    def __init__(self, text: Iterable[str]) -> None:
        """text: lines with their ends, `newline=""`. Raises InputRefused when no column of addresses can be found."""
        source = iter(text)
        first = _first_that_says_something(source)
        self._before = first.skipped
        self._plain = "@" in first.text and shape_of(_cells(first.text)) is None
        if self._plain:
            self.header: list[str] = []
            self._rows = self._plain_rows(first.text, source)
            cells = _cells(first.text)
            self.shape: Shape = plain(next((n for n, cell in enumerate(cells) if "@" in cell), 0))
            return
        csv.field_size_limit(_LONGEST_CELL)
        self._reader = csv.reader(
            chain([first.text], source), delimiter=_delimiter(first.text), skipinitialspace=True
        )
        self.header = next(self._reader)
        found = shape_of(self.header)
        if found is None:
            raise InputRefused(
                f"No column of addresses: the first line has {', '.join(self.header)[:200]}. "
                'One of them must be called "email".'
            )
        self.shape = found

    def lines(self, *, with_cells: bool = True) -> Iterator[Line]:
        """with_cells: each line holds its whole row too. Raises InputRefused for a row that is no CSV at all, with its line."""
        if self._plain:
            yield from self._rows
            return
        shape, rows, before = self.shape, self._reader, self._before
        number = before + rows.line_num + 1
        column, language = shape.address, shape.language
        said: dict[str, Standing] = {}  # of the one column that most files have
        only = shape.statuses[0][0] if len(shape.statuses) == 1 else None
        try:
            for row in rows:
                here, number = number, before + rows.line_num + 1
                if not row or (len(row) == 1 and not row[0].strip()):
                    continue
                address = row[column].strip() if column < len(row) else ""
                if not address and not any(cell.strip() for cell in row):
                    continue
                tongue = (
                    row[language].strip().casefold()[:2]
                    if language is not None and language < len(row)
                    else None
                )
                if only is not None and only < len(row):
                    standing = said.get(row[only])
                    if standing is None:
                        standing = said[row[only]] = shape.standing(row)
                        if len(said) > _MANY_WORDS:
                            said.clear()
                else:
                    standing = shape.standing(row)
                yield Line(
                    here, as_typed(address) if address[:1] == "'" else address, tongue or None, standing,
                    _since(row, shape.since) if shape.since else None, _first(row, shape.network) if shape.network else "",
                    row if with_cells else (),
                )  # fmt: skip
        except csv.Error as error:
            raise InputRefused(f"Line {number} cannot be read as CSV: {error}.") from error

    def _plain_rows(self, first: str, rest: Iterator[str]) -> Iterator[Line]:
        """Mailman and its like: an address a line, with or without a name before it; lines with # are remarks."""
        for number, text in enumerate(chain([first], rest), self._before + 1):
            yield from _plain_line(number, text)


def _plain_line(number: int, text: str) -> Iterator[Line]:
    """Nothing is parsed here that could be two things: the part between the only < and a > at the end, or all of it."""
    text = text.strip().strip(",;")
    if not text or text.startswith("#"):
        return
    address = text
    if text.endswith(">") and text.count("<") == 1:
        address = text[:-1].rpartition("<")[2]
    elif "@" not in text or any(mark in text for mark in ",;\t"):
        address = next((cell for cell in _cells(text) if "@" in cell), text)
    yield Line(number, address.strip(), None, Standing.SUBSCRIBED, None, "", [text])


class _First(NamedTuple):
    text: str
    skipped: int


def _first_that_says_something(source: Iterator[str]) -> _First:
    for skipped, text in enumerate(source):
        if text.strip() and not text.startswith("#"):
            return _First(text, skipped)
    raise InputRefused("The file is empty.")


def _cells(text: str) -> list[str]:
    return next(csv.reader([text], delimiter=_delimiter(text), skipinitialspace=True), [])


def _delimiter(first: str) -> str:
    """The one that splits the first line into most cells; quoted cells do not count."""
    return max(",;\t|", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def _first(row: Sequence[str], columns: Sequence[int]) -> str:
    return next((row[n].strip() for n in columns if n < len(row) and row[n].strip()), "")


def _since(row: Sequence[str], columns: Sequence[int]) -> datetime | None:
    """ISO, or Go's `2024-03-05 12:34:56.7 +0000 UTC`; what cannot be read is no proof."""
    for column in columns:
        text = row[column].strip() if column < len(row) else ""
        if text:
            try:
                return datetime.fromisoformat(
                    f"{text[:19]}+00:00" if len(text) > 10 else f"{text}T00:00:00+00:00"
                )
            except ValueError:
                return None
    return None


def kept_address(text: str) -> tuple[str, str]:
    """The same for every address. Raises AddressRefused."""
    found = quick_address(text)
    if found is not None and not found[1].startswith(_FUNCTIONS):
        return found
    address = judged_address(text)
    return address.reveal(), address.key


_FUNCTIONS = (
    "abuse",
    "post",
    "host",
    "web",
    "sec",
    "noc",
    "mailer",
)  # as a beginning: then the whole rule is asked


def neutral(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe in front; as_typed() takes it off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def as_typed(cell: str) -> str:
    """The cell as it was before neutral()."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
