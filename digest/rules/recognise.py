"""Which known item an entry is, and whether it is an older copy of what we know. Values in, values out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.model import Entry, ItemId, ItemKind, SourceId
from digest.rules.near import TITLE, WORDS, Likeness, title_likeness

if TYPE_CHECKING:
    from digest.rules.gather import Known

DATED_KEY = "uid:"  # how the keys of calendars begin: they may go from one item of a source to another
SAME_EVENT = "same-event:"  # how the weak key of an event begins: what, when and where
OWN_GUIDS = 2  # entries that keep theirs show that a feed does not give one to everything
GUID = "guid:"
_COUNTS = re.compile(r"\d[\w-]*/?$")  # `?p=10`, `63f0c0ffee`; not `latest`
STALE_FOR = timedelta(days=1)  # as long as caches on the way may go on handing out an older copy


def is_hint(key: str) -> bool:
    """A key that only says where to look; it makes nothing the same."""
    return key.startswith((TITLE, WORDS, SAME_EVENT))


def belongs_to(entry: Entry, known: Mapping[str, "Known"]) -> "Known | None":
    """The strongest key decides; a post is never an event."""
    return next(_candidates(entry, known), None) if known else None


def matched(
    entries: Sequence[Entry], known: Mapping[str, "Known"], *, source: SourceId
) -> list["Known | None"]:
    """For each entry the item that it is. Two dates of a calendar are never one item of it, whatever their keys; and one
    with a new UID is the item of the same words, hour and place that the calendar gives under no other UID."""
    if not known:
        return [None] * len(entries)
    found: list[Known | None] = []
    taken: set[ItemId] = set()
    for entry in entries:
        mine = next(
            (
                one
                for one in _candidates(entry, known)
                if not _is_taken(one, entry, taken, source)
                and (
                    one.title == entry.title
                    or not _is_another(entry, one, known, source)
                    or _is_edited(entry, one, known, entries)
                )
            ),
            None,
        )
        found.append(mine)
        if mine is not None:
            taken.add(mine.id)
    for place, entry in enumerate(entries):
        if found[place] is None and entry.kind is ItemKind.EVENT:
            again = (known[key] for key in entry.keys if key.startswith(SAME_EVENT) and key in known)
            one = next((one for one in again if one.id not in taken and one.owner == source), None)
            if one is not None:
                found[place] = one
                taken.add(one.id)
    return found


def is_older(entry: Entry, known: "Known", *, now: datetime) -> bool:
    """A lower SEQUENCE is a copy from before, of some cache. It is believed all the same once a day has passed since the
    higher one came in, or when it was written after that: some programs count anew."""
    if entry.occasion is None or known.taken is None or entry.occasion.sequence >= known.sequence:
        return False
    if entry.revised is not None and entry.revised > known.taken:
        return False
    return now - known.taken < STALE_FOR


def _candidates(entry: Entry, known: Mapping[str, "Known"]) -> Iterator["Known"]:
    strong = (key for key in entry.keys if key in known and not is_hint(key))
    return (known[key] for key in strong if known[key].kind is entry.kind)


def _is_taken(one: "Known", entry: Entry, taken: set[ItemId], source: SourceId) -> bool:
    return one.id in taken and one.owner == source and any(key.startswith(DATED_KEY) for key in entry.keys)


def _is_another(entry: Entry, one: "Known", known: Mapping[str, "Known"], source: SourceId) -> bool:
    """A feed may give everything one guid or one link, and show one thing at a time: what has another title, another date
    and, by its other keys, another identity is another post. Medium's numbers are never reused."""
    if entry.kind is ItemKind.EVENT or source not in one.sources:
        return False
    if not entry.published or not one.published or entry.published == one.published:
        return False
    keys = [key for key in entry.keys if not is_hint(key)]
    shared = [key for key in keys if key in known and known[key].id == one.id]
    if len(shared) != 1 or len(keys) < 2 or shared[0].startswith("medium:"):
        return False
    return title_likeness(entry.title, one.title) is Likeness.NO


def _is_edited(entry: Entry, one: "Known", known: Mapping[str, "Known"], entries: Sequence[Entry]) -> bool:
    """Under one guid that counts, in a feed whose other entries keep theirs, when nothing else leads to the item any more:
    another title, address and date are its second edition."""
    shared = [key for key in entry.keys if key in known and known[key].id == one.id and not is_hint(key)]
    if not all(key.startswith(GUID) and _COUNTS.search(key.partition(" ")[0]) for key in shared):
        return False
    leading, keeping = 0, 0
    for other in entries:
        strong = [(key, known[key]) for key in other.keys if key in known and not is_hint(key)]
        leading += any(item.id == one.id for _, item in strong)
        keeping += any(key.startswith(GUID) and item.title == other.title for key, item in strong)
    return leading == 1 and keeping >= OWN_GUIDS


def strangers(entries: Iterable[Entry], known: Mapping[str, "Known"]) -> list[Entry]:
    """Entries that no key of theirs identifies: only they need to be compared with the pool."""
    return [entry for entry in entries if belongs_to(entry, known) is None]


def suspects(entries: Iterable[Entry], known: Mapping[str, "Known"]) -> list[ItemId]:
    """Items with a title or words like one of these posts, to be handed to `decide` as its pool."""
    if not known:
        return []
    found = (
        known[key].id
        for entry in entries
        for key in entry.keys
        if is_hint(key) and key in known and not key.startswith(SAME_EVENT)
    )
    return list(dict.fromkeys(found))


def without_foreign_keys(
    entry: Entry, known: Mapping[str, "Known"], mine: "Known | None", source: SourceId
) -> Entry:
    """A key that another item owns stays with it: two items never fight over one key. But which item of its calendar is a
    date of a series, that calendar says anew each time."""
    if not known:
        return entry
    keys = tuple(
        key
        for key in entry.keys
        if key not in known
        or (mine and known[key].id == mine.id)
        or (key.startswith(DATED_KEY) and known[key].owner == source)
    )
    return entry if keys == entry.keys else replace(entry, keys=keys)
