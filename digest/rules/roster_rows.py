"""The rows of a CSV file, each with the line it began on; a quote left open costs its own line and no other. Pure."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

LONGEST_CELL = 1_000_000
_LINES_AT_ONCE = 2_048
OPEN_QUOTE = (
    "A quote that opens on this line is never closed. The lines after it were read by themselves; "
    "close the quote or take it out, and bring this line again."
)

SURPLUS = "This row has more cells than the first line has names, so what stands where is not sure. Bring it by itself."


class Batch(NamedTuple):
    """rows[n] began on line numbers[n]. broken: lines that could not be read: number, reason, as they stand."""

    numbers: Sequence[int]
    rows: Sequence[list[str]]
    broken: Sequence[tuple[int, str, str]]


class Rows:
    """A file being read, batch by batch."""

    def __init__(
        self, source: Iterator[str], *, delimiter: str, first: int, address: int, width: int
    ) -> None:
        """source: lines with their ends, beginning with line number `first`. address: the column that tells a row."""
        self._source, self._delimiter, self._next = source, delimiter, first
        self._address, self._width = address, width

    def batches(self) -> Iterator[Batch]:
        while lines := list(islice(self._source, _LINES_AT_ONCE)):
            yield self._quickly(lines) or self._carefully(lines)

    @property
    def read(self) -> int:
        """How many lines of the file by now."""
        return self._next - 1

    def _reader(self, lines: Iterable[str]) -> "Iterator[list[str]]":
        return csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True)

    def _quickly(self, lines: list[str]) -> Batch | None:
        """None unless every row stands on one line."""
        try:
            rows = list(self._reader(lines))
        except csv.Error:
            return None
        last = rows[-1][-1] if rows[-1:] and rows[-1] else ""
        if len(rows) != len(lines) or last.endswith(("\n", "\r")):
            return None
        first = self._next
        self._next += len(lines)
        return Batch(range(first, self._next), rows, ())

    def _carefully(self, lines: list[str]) -> Batch:
        """Row by row, until these lines are used up; a row may go on beyond them."""
        feed = _Feed(lines, self._source)
        reader = self._reader(feed)
        batch: tuple[list[int], list[list[str]], list[tuple[int, str, str]]] = ([], [], [])
        numbers, rows, broken = batch
        while feed.ahead:
            feed.taken.clear()
            reason, row = "", []
            try:
                row = next(reader, [])
            except csv.Error as error:
                reason = f"This line cannot be read as CSV: {error}."
            if len(feed.taken) > 1 and (reason or self._swallowed(row, feed.taken)):
                reason = OPEN_QUOTE
            if reason:
                broken.append((self._next, reason, feed.taken[0].rstrip("\r\n")))
                feed.ahead.extendleft(reversed(feed.taken[1:]))
                reader = self._reader(feed)
                self._next += 1
                continue
            numbers.append(self._next)
            rows.append(row)
            self._next += len(feed.taken)
        return Batch(*batch)

    def _swallowed(self, row: list[str], lines: list[str]) -> bool:
        """Whether one of the later lines of this row is a row itself: an address stands where addresses stand."""
        for line in lines[1:]:
            if "@" not in line:
                continue
            alone = next(self._reader([line]), [])
            fits = len(alone) == self._width or len(row) != self._width
            if fits and self._address < len(alone) and _is_like_an_address(alone[self._address].strip()):
                return True
        return False


class _Feed:
    """Lines to be read. taken: those of the row that is being read; ahead: those that were looked at already."""

    def __init__(self, lines: list[str], source: Iterator[str]) -> None:
        self.ahead, self.taken, self._source = deque(lines), list[str](), source

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.ahead.popleft() if self.ahead else next(self._source)
        self.taken.append(line)
        return line


def _is_like_an_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return bool(local) and "." in domain and not any(sign.isspace() for sign in text)
