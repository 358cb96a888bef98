"""Judging what a source said: new, changed, seen elsewhere or seen before. Never fetches or stores anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from digest.model import Entry, EventStatus, Harvest, Item, ItemId, ItemKind, SourceId
from digest.rules.duplicates import Neighbours
from digest.rules.heirs import contradiction, inherits
from digest.rules.marks import DRAFTED, MOVABLE, OWN_MARK, UNDATED, UNREAD, UNTRUE
from digest.rules.near import Likeness
from digest.rules.recognise import belongs_to, is_hint, is_older, matched, without_foreign_keys

MOST_CHANGES = 24  # of one item, told by its words alone: some feeds print the time of day into every entry
LONG_AGO = timedelta(days=60)  # before its first sight: guide 7
MOST_DRAFTED = 3  # new in one answer; more of them are an archive
MAYBE_TWICE = "maybe-twice"  # the flag of an item that waits for an editor's word
_OWN = tuple(f"{sort}:{OWN_MARK}" for sort in ("guid", "event-guid", "uid", "same-event"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store remembers of an item, as far as judging needs it.

    owner: the source whose words the item carries (None: nobody in particular). sources: all it was seen at.
    frozen: it stands in an issue that is approved or further; its words stay. parted: sources of which an editor said
    that they mean something else by this identity. Of an event: when and whether it takes place, in which zone, whether
    it is one of a series, which SEQUENCE its words have, and when they were taken in. orphaned, failing, otherwise: see
    rules/heirs.py. title: as its source states it.
    """

    id: ItemId
    kind: ItemKind
    content_hash: str
    sources: frozenset[SourceId]
    updated: datetime | None = None
    published: datetime | None = None
    frozen: bool = False
    owner: SourceId | None = None
    changes: int = 0
    parted: frozenset[SourceId] = frozenset()
    starts: datetime | None = None
    status: EventStatus | None = None
    timezone: str | None = None
    recurs: bool = False
    sequence: int = 0
    taken: datetime | None = None
    orphaned: bool = False
    failing: datetime | None = None
    otherwise: bool = False
    is_full: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Add:
    """Nobody has seen this before."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Update:
    """The source that owns this item says it differently now."""

    item: ItemId
    entry: Entry


@dataclass(frozen=True, slots=True)
class AlsoIn:
    """Another source has it too; the words of the first one stay. otherwise: see Seen."""

    item: ItemId
    entry: Entry
    otherwise: bool | None = None


@dataclass(frozen=True, slots=True)
class Inherit:
    """The source whose words the item carries is lost: this one speaks for it now. changed: and says it differently;
    frozen: but an approved issue holds its words."""

    item: ItemId
    entry: Entry
    changed: bool
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """Alike beyond doubt to an item of another source: kept under it, so that an editor may still part the two. others:
    items that it is as like to, though these two are not: an editor is asked."""

    item: ItemId
    entry: Entry
    others: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """It may be that item of another source, or one of those others: added, and an editor is asked."""

    item: ItemId
    entry: Entry
    others: tuple[ItemId, ...] = ()


@dataclass(frozen=True, slots=True)
class Parted:
    """It has the identity of that item, but an editor said that it is another thing: added, with keys of this source alone."""

    item: ItemId
    entry: Entry


@dataclass(frozen=True, slots=True)
class Seen:
    """Nothing to do. frozen: the source has changed it, but an approved issue holds its words. otherwise: whether a
    source that does not own it tells otherwise when it takes place, when that is news."""

    item: ItemId
    entry: Entry
    frozen: bool = False
    otherwise: bool | None = None


Intent = Add | Update | AlsoIn | Inherit | Copy | Doubt | Parted | Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one visit brought. harvest None: the server says that nothing has changed since our last visit.

    kind: how the answer was read; parser: version of that reader; etag, last_modified: byte for byte as the server sent them.
    moved_to: where every permanent redirect of this visit led, if it was redirected for good.
    """

    kind: str
    parser: str
    etag: str | None = None
    last_modified: str | None = None
    harvest: Harvest | None = None
    pause_s: float | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is behind an address that a person pasted. url: the feed or calendar itself. others: other ways, best first."""

    url: str
    kind: str
    harvest: Harvest
    others: tuple["Found", ...] = ()


def decide(
    entries: Iterable[Entry],
    known: Mapping[str, Known],
    *,
    source: SourceId,
    now: datetime,
    pool: Sequence[Item] = (),
    copies: Mapping[ItemId, Sequence[Item]] | None = None,
) -> list[Intent]:
    """One intent an entry, in the order of the entries; entries that are one thing become one intent.

    known: for every key of the entries that the store has met, the item it belongs to; readers give posts and events
    keys of different sorts. Deciding twice, with the
    first decision carried out in between, adds nothing (test_gather.py). pool: items of other sources that a new entry
    may be, told by likeness; one that is alike beyond doubt is its copy, one that may be is added with a doubt. copies: what
    items of the pool stand for.
    """
    merged = _merged(entries)
    found = matched(merged, known, source=source)
    taken = {mine.id for mine in found if mine is not None}
    neighbours = Neighbours(pool, copies=copies)
    drafted = _drafted_long_ago(merged, found, source=source, now=now) if None in found else ()
    intents: list[Intent] = []
    for place, (entry, mine) in enumerate(zip(merged, found, strict=True)):
        if mine is not None and source in mine.parted:
            keys = tuple(own_key(key, source) for key in entry.keys if not is_hint(key))
            intents.append(Parted(mine.id, replace(_dated(entry, now=now), keys=keys)))
            continue
        entry = without_foreign_keys(_dated(entry, now=now), known, mine, source)
        if mine is not None:
            intents.append(_judge(entry, mine, source, now=now))
            continue
        other, likeness, others = neighbours.twin(entry, taken=taken)
        if other is not None and likeness is Likeness.YES:
            taken.add(other.id)
            intents.append(Copy(other.id, entry, others))
        elif other is not None and likeness is Likeness.MAYBE:
            intents.append(Doubt(other.id, replace(entry, flags=(*entry.flags, MAYBE_TWICE)), others))
        elif place in drafted:
            intents.append(Add(replace(entry, published=now, flags=(*entry.flags, DRAFTED))))
        else:
            intents.append(Add(entry))
    return intents


def _drafted_long_ago(
    entries: Sequence[Entry], found: Sequence[Known | None], *, source: SourceId, now: datetime
) -> frozenset[int]:
    """The places of posts that are new today and dated months ago: WordPress keeps the date of a draft. That they were not
    there before is sure when an older one, which we know from this source, stands behind them in the answer; what comes
    in at its end slid in from the archive, and so did many at once. One that says it was edited since is old."""
    drafted: list[int] = []
    oldest = now
    for place in reversed(range(len(entries))):
        entry, mine = entries[place], found[place]
        if entry.kind is ItemKind.EVENT or entry.published is None:
            continue
        if mine is not None and source in mine.sources:
            oldest = min(oldest, entry.published)
        edited = entry.updated is not None and entry.updated - entry.published > timedelta(days=1)
        if mine is None and oldest < entry.published < now - LONG_AGO and not edited:
            drafted.append(place)
    return frozenset(drafted if len(drafted) <= MOST_DRAFTED else ())


def still_to_come(known: Mapping[str, Known], *, now: datetime) -> Mapping[str, Known]:
    """What has taken place does not move: a page that then states another hour states the next event."""
    past = {key for key, one in known.items() if key.startswith(MOVABLE) and one.starts and one.starts < now}
    return {key: one for key, one in known.items() if key not in past} if past else known


def own_key(key: str, source: SourceId) -> str:
    """The key of something that shares an identity with an item of other sources and is not that item."""
    return f"{key} @{source}"


def owned(entries: Iterable[Entry], source: SourceId) -> list[Entry]:
    """The entries, with names that only their source understands (`42`) made keys of that source alone: two feeds of
    one host count their entries from 1, both of them."""
    return [_owned(entry, source) for entry in entries]


def _owned(entry: Entry, source: SourceId) -> Entry:
    if f":{OWN_MARK}" not in " ".join(entry.keys) or not any(key.startswith(_OWN) for key in entry.keys):
        return entry
    keys = tuple(own_key(key, source) if key.startswith(_OWN) else key for key in entry.keys)
    return replace(entry, keys=keys)


def _judge(entry: Entry, known: Known, source: SourceId, *, now: datetime) -> Intent:
    changed = entry.content_hash != known.content_hash
    if inherits(entry, known, source, now=now):
        return Inherit(known.id, _dated_as(known, entry), changed, known.frozen)
    if source not in known.sources:
        return AlsoIn(known.id, entry, contradiction(entry, known))
    if known.owner not in (source, None):
        return Seen(known.id, entry, otherwise=contradiction(entry, known))
    if not changed and (known.frozen or _as_it_reads(entry, known)) and not _is_dated_now(entry, known):
        return Seen(known.id, entry)
    if is_older(entry, known, now=now):
        return Seen(known.id, entry)
    if known.frozen:
        return Seen(known.id, entry, frozen=True)
    told_by_words = entry.updated is None or entry.updated == known.updated
    if known.changes >= MOST_CHANGES and told_by_words and _as_it_was(entry, known):
        return Seen(known.id, entry)
    return Update(known.id, _dated_as(known, entry))


def _dated_as(known: Known, entry: Entry) -> Entry:
    """An edit never moves an item to another issue."""
    if known.kind is ItemKind.POST and known.published is not None:
        flags = tuple(flag for flag in entry.flags if flag not in (UNDATED, UNREAD, UNTRUE))
        return replace(entry, published=known.published, flags=flags)
    return entry


def _is_dated_now(entry: Entry, known: Known) -> bool:
    """Whether a post that had no date until now has one."""
    is_post = known.kind is ItemKind.POST is entry.kind
    return is_post and not known.frozen and known.published is None and entry.published is not None


def _as_it_reads(entry: Entry, known: Known) -> bool:
    """Whether an event of the same words and hour is in the same zone, and of a series or not, as it was."""
    when = entry.occasion
    return (
        when is None
        or known.timezone is None
        or (when.timezone, when.recurs) == (known.timezone, known.recurs)
    )


def _as_it_was(entry: Entry, known: Known) -> bool:
    """Whether an event takes place, or does not, when it did."""
    when = entry.occasion
    return when is None or (when.starts, when.status) == (known.starts, known.status)


def _merged(entries: Iterable[Entry]) -> list[Entry]:
    """Entries that share a key are one; the first keeps its words and learns the keys of the others."""
    merged: list[Entry | None] = []
    place: dict[tuple[ItemKind, str], int] = {}
    for entry in entries:
        met = sorted(
            {place[entry.kind, key] for key in entry.keys if (entry.kind, key) in place and not is_hint(key)}
        )
        home = met[0] if met else len(merged)
        if not met:
            merged.append(entry)
        group = [merged[at] for at in met[1:]] + ([entry] if met else [])
        for at in met[1:]:
            merged[at] = None
        first = merged[home]
        if first is None:  # cannot be: `place` only names living entries
            raise AssertionError("a merged entry was met again")
        keys = first.keys
        if group:
            keys = tuple(dict.fromkeys((*keys, *(key for other in group if other for key in other.keys))))
            merged[home] = replace(first, keys=keys)
        place.update({(entry.kind, key): home for key in keys})
    return [entry for entry in merged if entry is not None]


def _dated(entry: Entry, *, now: datetime) -> Entry:
    """A date that cannot be true is forgotten and flagged; the item then counts from the day it was first seen."""
    if entry.published is None or entry.kind is ItemKind.EVENT or can_be_true(entry.published, now=now):
        return entry
    return replace(entry, published=None, flags=tuple(dict.fromkeys((*entry.flags, UNTRUE))))


def can_be_true(published: datetime, *, now: datetime) -> bool:
    """As the date of a post: there was a web, and tomorrow's clocks are the most that a server's may be ahead."""
    return published.year >= 1995 and published <= now + timedelta(days=1)


def recognises(entries: Iterable[Entry], known: Mapping[str, Known], *, source: SourceId) -> bool:
    """Whether one of these entries was seen at this source before."""
    found = (belongs_to(entry, known) for entry in entries)
    return any(mine is not None and source in mine.sources for mine in found)


def keys_of(entries: Sequence[Entry]) -> set[str]:
    """Every key that the store must be asked about before deciding."""
    return {key for entry in entries for key in entry.keys}
