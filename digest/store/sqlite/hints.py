"""Where to look for what may be the same: marks of titles and words, as numbers, since they are many. No identity here."""

from collections.abc import Iterable, Sequence

from digest.model import ItemId
from digest.rules.near import TITLE, WORDS
from digest.store.sqlite.connection import Connections

MARKS = frozenset({TITLE, WORDS})
SORT = slice(len(TITLE))  # of a key: what it is, if it is a mark; both words have the same length
_DIGITS = slice(len(TITLE), len(TITLE) + 10)


def number(mark: str) -> int:
    """Its first hexadecimal digits. Two marks of one number are looked at in vain, and nothing else."""
    return int(mark[_DIGITS], 16)


def parted(keys: Iterable[str]) -> tuple[list[str], dict[int, str]]:
    """The identities among the keys, and the marks by their numbers."""
    names: list[str] = []
    marks: dict[int, str] = {}
    for key in keys:
        if key[SORT] in MARKS:
            marks[int(key[_DIGITS], 16)] = key
        else:
            names.append(key)
    return names, marks


def learn(db: Connections, marked: Sequence[tuple[ItemId, Iterable[int]]]) -> None:
    """The first who has a mark keeps it. In the order of the numbers, which is that of the pages."""
    rows = sorted((mark, item_id) for item_id, marks in marked for mark in marks)
    db.change_many("INSERT INTO hint (mark, item) VALUES (?, ?) ON CONFLICT (mark) DO NOTHING", rows)
