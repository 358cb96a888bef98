"""A list of people brought from elsewhere, read from the bytes of a file: who is in it, and which lines cannot be used. Pure."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.errors import InputRefused

_ADDRESS_COLUMNS = (
    "email",
    "email address",
    "e-mail",
    "e-mail address",
    "email_address",
    "courriel",
    "adresse courriel",
    "address",
    "mail",
)
_LANGUAGE_COLUMNS = ("language", "langue", "lang", "locale", "preferred language")
_STATUS_COLUMNS = (
    "status",
    "statut",
    "state",
    "email permission status",
    "subscribed_to_emails",
    "email_disabled",
)
_GONE = {"unsubscribed", "cleaned", "bounced", "complained", "blocklisted", "opted out", "left", "désabonné"}
_GONE_BY_COLUMN = {"subscribed_to_emails": {"false", "0", "no"}, "email_disabled": {"true", "1", "yes"}}


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the file. number: the line it began on, counted from 1. has_left: the file says so."""

    number: int
    address: str
    language: str | None
    has_left: bool


def read_roster(data: bytes) -> Iterator[Line]:
    """The lines of a CSV (any usual delimiter; UTF-8, UTF-16 or Windows-1252) or of a plain list of addresses.

    Raises InputRefused when no column of addresses can be found.
    """
    text = _decoded(data)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True)
    header = next(rows, None)
    if header is None:
        raise InputRefused("The file is empty.")
    names = [name.strip().casefold() for name in header]
    column = next((names.index(name) for name in _ADDRESS_COLUMNS if name in names), None)
    if column is None:
        if not any("@" in cell for cell in header):
            raise InputRefused(
                f"No column of addresses: the first line has {', '.join(header)[:200]}. "
                'One of them must be called "email".'
            )
        column = next(n for n, cell in enumerate(header) if "@" in cell)
        yield Line(1, header[column].strip(), None, False)
        names = [""] * len(header)
    language = next((names.index(name) for name in _LANGUAGE_COLUMNS if name in names), None)
    statuses = [n for n, name in enumerate(names) if name in _STATUS_COLUMNS]
    number = rows.line_num + 1
    for row in rows:
        here, number = number, rows.line_num + 1
        if any(cell.strip() for cell in row):
            yield Line(
                here,
                _cell(row, column),
                _cell(row, language).casefold()[:2] or None,
                any(_says_gone(names[n], _cell(row, n)) for n in statuses),
            )


def _cell(row: Sequence[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _says_gone(name: str, value: str) -> bool:
    return value.casefold() in _GONE_BY_COLUMN.get(name, _GONE)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """The one that splits the first line into most cells; quoted cells do not count."""
    first = text.split("\n", 1)[0]
    return max(",;\t|", key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
