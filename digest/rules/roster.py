"""A list of people brought from elsewhere: encoding, delimiter, rows as lines, and which lines cannot be used. Pure.

Read as a stream: a million people need not be in memory at once.
"""

import csv
import hashlib
import io
import re
from codecs import BOM_UTF8, getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import NamedTuple

from digest.errors import InputRefused
from digest.rules.roster_columns import Columns, Line, in_columns, line_of
from digest.rules.roster_presets import Shape, plain, shape_of
from digest.rules.roster_rows import LONGEST_CELL, SURPLUS, Rows
from digest.rules.roster_size import Size
from digest.rules.roster_status import Standing

_PLAIN_AT_ONCE = 4_096
# How files begin that are no text, as people name them. What holds a zero byte is none either.
_BOOK, _PICTURE = "a workbook or an archive (.xlsx, .zip)", "a picture or a document"
_NO_TEXT = {
    b"PK\x03\x04": _BOOK, b"\xd0\xcf\x11\xe0": _BOOK, b"\x1f\x8b": _BOOK, b"7z\xbc\xaf": _BOOK,
    b"\x89PNG": _PICTURE, b"\xff\xd8\xff": _PICTURE, b"GIF8": _PICTURE, b"%PDF": _PICTURE,
}  # fmt: skip
_MARKED = re.compile(r'"?sep=.?"?', re.IGNORECASE)  # how Excel is told the delimiter
_JSON = re.compile(rb'\s*(\{|\[\s*[\[{"])')
NO_TEXT = "This is no list but {what}; nothing was read. Open it where it was made, save it as CSV (UTF-8), and bring that."


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at the bytes says. sha256: of the whole file, for the proof. skip: bytes of a mark before the text.

    is_json: it begins as our own open JSON does, and as no list of addresses ever did. size: how much Roster.read and
    JsonRoster.read will come to.
    """

    encoding: str
    sha256: str
    skip: int = 0
    is_json: bool = False
    size: int = 0


def survey(chunks: Iterable[bytes]) -> Survey:
    """UTF-16 by its mark, UTF-8 when all of it is, else Windows-1252. Raises InputRefused for a file that is empty, or
    no text."""
    digest, decoder, encoding = hashlib.sha256(), getincrementaldecoder("utf-8")(), "utf-8"
    begun, skip, is_json, size = False, 0, False, Size(encoding="", is_json=False)
    for number, chunk in enumerate(chunks):
        if number == 0:
            _refuse_what_is_no_text(chunk)
        if not begun and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        if not begun and chunk.startswith(BOM_UTF8):
            skip = len(BOM_UTF8)
        is_json = is_json or (not begun and _JSON.match(chunk.removeprefix(BOM_UTF8)) is not None)
        if not begun:
            size = Size(encoding=encoding, is_json=is_json)
        begun = begun or bool(chunk.strip())
        size.add(chunk)
        digest.update(chunk)
        if encoding == "utf-8":
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "cp1252"
    if not begun:
        raise InputRefused("The file is empty.")
    return Survey(encoding, digest.hexdigest(), skip if encoding == "utf-8" else 0, is_json, size.count)


def _refuse_what_is_no_text(chunk: bytes) -> None:
    what = next((name for begin, name in _NO_TEXT.items() if chunk.startswith(begin)), "")
    if not what and b"\0" in chunk and not chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "a file that holds no text"
    if what:
        raise InputRefused(NO_TEXT.format(what=what))


def read_roster(data: bytes) -> Iterator[Line]:
    """The lines of a file that is in memory. Raises InputRefused when no column of addresses can be found."""
    looked = survey([data])
    text = data[looked.skip :].decode(looked.encoding, errors="replace")
    yield from Roster(io.StringIO(text, newline="")).lines()


class Roster:
    """A file that is being read. header: as it stands; [] for a plain list. shape: where things are, once begun.

    began: how many lines were read by then; the lines of the people come after them.
    """

    def __init__(self, text: Iterable[str]) -> None:
        """text: lines with their ends, `newline=""`. Raises InputRefused when no column of addresses can be found."""
        csv.field_size_limit(LONGEST_CELL)
        source = iter(text)
        first = _first_that_says_something(source)
        cells = _cells(first.text)
        self.header: list[str] = []
        self._rows: Rows | None = None
        if "@" in first.text and shape_of(cells) is None:
            self.began = self._read = first.skipped
            self._plain = self._plain_lines(chain([first.text], source))
            self.shape: Shape = plain(next((n for n, cell in enumerate(cells) if "@" in cell), 0))
            return
        delimiter = _delimiter(first.text)
        reader = csv.reader(chain([first.text], source), delimiter=delimiter, skipinitialspace=True)
        try:
            self.header = next(reader)
        except csv.Error as error:
            raise InputRefused(f"The first line cannot be read as CSV: {error}.") from error
        found = shape_of(self.header)
        if found is None:
            seen = "".join(sign for sign in ", ".join(self.header)[:200] if sign.isprintable())
            raise InputRefused(
                f'No column of addresses: the first line has {seen}. One of them must be called "email".'
            )
        self.shape, self.began = found, first.skipped + reader.line_num
        self._rows = Rows(
            source, delimiter=delimiter, first=self.began + 1, address=found.address, width=len(self.header)
        )

    @property
    def read(self) -> int:
        """How many lines by now."""
        return self._read if self._rows is None else self._rows.read

    def lines(self) -> Iterator[Line]:
        """Every person of the file."""
        for batch in self.batches():
            if isinstance(batch, Columns):
                yield from filter(None, map(batch.line, range(len(batch.rows))))
            else:
                yield from batch

    def batches(self) -> Iterator[Columns | Sequence[Line]]:
        """The same, some thousand at a time; in columns where the rows are alike."""
        if self._rows is None:
            while batch := list(islice(self._plain, _PLAIN_AT_ONCE)):
                yield batch
            return
        for numbers, rows, broken in self._rows.batches():
            found: Columns | None = None
            if max(map(len, rows), default=0) <= len(self.header):
                found = in_columns(self.shape, numbers, rows)
            if found is None:
                each = (self._line(number, row) for number, row in zip(numbers, rows, strict=True))
                yield [line for line in each if line is not None]
            else:
                yield found
            if broken:
                yield [
                    Line(number, "", None, Standing.SUBSCRIBED, None, "", [text], fault)
                    for number, fault, text in broken
                ]

    def _plain_lines(self, texts: Iterable[str]) -> Iterator[Line]:
        """Mailman and its like: an address a line, with or without a name before it; lines with # are remarks."""
        for text in texts:
            self._read += 1
            yield from _plain_line(self._read, text)

    def _line(self, number: int, row: Sequence[str]) -> Line | None:
        """A surplus cell that holds an address never vanishes, and where statuses stand none may have slipped."""
        line, surplus = line_of(self.shape, number, row), "".join(row[len(self.header) :]).strip()
        if line is None or not surplus or not ("@" in surplus or self.shape.statuses):
            return line
        return line._replace(standing=max(line.standing, Standing.UNCLEAR), fault=line.fault or SURPLUS)


def _plain_line(number: int, text: str) -> Iterator[Line]:
    """Nothing is parsed here that could be two things: the part between the only < and a > at the end, or all of it."""
    text = text.strip().strip(",;")
    if not text or text.startswith("#"):
        return
    if text.count("@") > 1:
        several = [cell for cell in _cells(text) if "@" in cell]
        if len(several) > 1:
            for one in several:
                yield from _plain_line(number, one)
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
        if text.strip() and not text.startswith("#") and not _MARKED.fullmatch(text.strip()):
            return _First(text, skipped)
    raise InputRefused("The file is empty.")


def _cells(text: str) -> list[str]:
    return _split(text, _delimiter(text))


def _split(text: str, mark: str) -> list[str]:
    """A line too long for CSV is one cell."""
    try:
        return next(csv.reader([text], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:
        return [text]


def _delimiter(first: str) -> str:
    """The one that splits the first line into most cells; quoted cells do not count."""
    return max(",;\t|", key=lambda mark: len(_split(first, mark)))
