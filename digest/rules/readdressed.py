"""What a source shows under new addresses, and one thing told in two languages: within one source. In doubt, asked."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from digest.model import Entry, Item, ItemId, ItemKind, LeftOutWhy, SourceId
from digest.rules.duplicates import MOST_COMPARED, containment, likeness_of, may_be_told_twice, words_of
from digest.rules.gather import Known
from digest.rules.near import FEWEST_WORDS, Likeness, plain_words, same_numbers, says_enough, title_likeness
from digest.rules.recognise import is_hint

FEWEST_OF_AN_EXCERPT = 8
NEARLY_CONTAINED, CONTAINMENT = 0.8, 0.5
SAME_DAY = timedelta(hours=23)  # another zone, or no hour any more; a daily post is a day later
MOST_AT_ONE_HOUR = 4
REWORDED = 88

Pair = tuple[str, ItemId | str]


class Old(NamedTuple):
    """An item of the source, and what judging needs of it."""

    item: Item
    known: Known


class Readdressed(NamedTuple):
    """known: new keys of items that we have. asked: keys of new entries, and what each may be: an item, or the key of
    another entry."""

    known: dict[str, Known]
    asked: tuple[Pair, ...]

    def others(self, entry: Entry, *, by_key: Mapping[str, ItemId]) -> list[ItemId]:
        """What the entry may be."""
        found = (other for key, other in self.asked if key in entry.keys)
        ids = (by_key.get(other) if isinstance(other, str) else other for other in found)
        return [one for one in dict.fromkeys(ids) if one is not None]


NOTHING = Readdressed({}, ())


def readdressed(
    entries: Sequence[Entry],
    strangers: Sequence[Entry],
    known: Mapping[str, Known],
    old: Iterable[Old],
    *,
    source: SourceId,
    is_whole: bool,
) -> Readdressed:
    """Strangers of an answer that are items of its source whose own addresses the answer does not hold any more.

    is_whole: nothing of the answer was left out, so that what is not in it is gone. One is another only when each is the
    only one that the other may be.
    """
    here = {known[key].id for entry in entries for key in entry.keys if key in known and not is_hint(key)}
    gone = [
        one
        for one in old
        if one.item.id not in here and source in one.known.sources and source not in one.known.parted
    ]
    sweeping = not here and len(entries) > 1
    namesakes = Counter((entry.title, _when(entry)) for entry in entries)
    alike: dict[Likeness, list[tuple[Entry, Old]]] = defaultdict(list)
    for entry, one in _near(strangers, gone):
        is_alone = namesakes[entry.title, _when(entry)] == 1
        alike[_likeness(entry, one.item, is_alone=is_alone, sweeping=sweeping)].append((entry, one))
    moved, asked = _settled(alike[Likeness.YES], alike[Likeness.MAYBE])
    if not is_whole:
        moved, asked = [], [*moved, *asked]
    keys = {key: one.known for entry, one in moved for key in entry.keys if not is_hint(key)}
    doubts = [(entry.keys[0], one.item.id) for entry, one in asked]
    return Readdressed(keys, (*doubts, *_told_twice(entries, {id(entry) for entry in strangers})))


def is_whole(why: Iterable[LeftOutWhy]) -> bool:
    """Whether an answer that left these out holds all that its source has to say today."""
    return all(one is LeftOutWhy.COUNTED for one in why)


def _near(strangers: Sequence[Entry], gone: Sequence[Old]) -> Iterable[tuple[Entry, Old]]:
    """Of one instant or, posts, of one title; a few for each."""
    if not gone:
        return
    places: dict[object, list[Old]] = defaultdict(list)
    for one in gone:
        for place in _places(one.item):
            places[place].append(one)
    for entry in strangers:
        found = {
            one.item.id: one for place in _places(entry) for one in places.get(place, ())[:MOST_COMPARED]
        }
        yield from ((entry, one) for one in found.values())


def _places(thing: Entry | Item) -> Iterable[object]:
    if thing.occasion is not None:
        return ((thing.kind, thing.occasion.starts),)
    title = (thing.kind, " ".join(plain_words(thing.title)))
    return (title, (thing.kind, thing.published)) if thing.published else (title,)


def _settled(
    sure: Sequence[tuple[Entry, Old]], unsure: Sequence[tuple[Entry, Old]]
) -> tuple[list[tuple[Entry, Old]], list[tuple[Entry, Old]]]:
    """Sure is a pair of which neither half is like anything else; of several, an editor is asked about the first."""
    mine = Counter(id(entry) for entry, _ in sure)
    theirs = Counter(one.item.id for _, one in sure)
    moved = [pair for pair in sure if mine[id(pair[0])] == theirs[pair[1].item.id] == 1]
    entries, items = {id(entry) for entry, _ in moved}, {one.item.id for _, one in moved}
    asked: list[tuple[Entry, Old]] = []
    for entry, one in (*sure, *unsure):
        if id(entry) not in entries and one.item.id not in items:
            entries.add(id(entry))
            items.add(one.item.id)
            asked.append((entry, one))
    return moved, asked


def _likeness(entry: Entry, item: Item, *, is_alone: bool, sweeping: bool) -> Likeness:
    if entry.kind is ItemKind.EVENT:
        return likeness_of(entry, item)
    mine, theirs = words_of(entry), words_of(item)
    shorter = min(len(mine), len(theirs))
    shared = containment(mine, theirs) if mine and theirs else 0.0
    same = (mine == theirs and shorter > 0) or (
        shorter >= FEWEST_OF_AN_EXCERPT and shared >= NEARLY_CONTAINED
    )
    titles = title_likeness(entry.title, item.title)
    if titles is not Likeness.YES:
        if entry.published is None or entry.published != item.published:
            return Likeness.NO
        if same:
            return Likeness.YES if titles is Likeness.MAYBE and shorter >= FEWEST_WORDS else Likeness.MAYBE
        return Likeness.MAYBE if _is_reworded(entry.title, item.title) else Likeness.NO
    is_long = same and shorter >= FEWEST_WORDS
    if entry.published is not None and entry.published == item.published:
        if same:
            return Likeness.YES
        if not is_alone:
            return Likeness.NO  # a feed that gives one title and one day to many
        differ = shorter >= FEWEST_OF_AN_EXCERPT and shared < CONTAINMENT
        is_named = says_enough(entry.title) and not _is_round(entry.published)
        return Likeness.YES if is_named and not differ else Likeness.MAYBE
    return _of_other_dates(entry, item, is_long=is_long, sweeping=sweeping)


def _of_other_dates(entry: Entry, item: Item, *, is_long: bool, sweeping: bool) -> Likeness:
    """Of one title. sweeping: the answer holds nothing else that we know, as after a move to another program."""
    mine, theirs = entry.published, item.published
    near = abs(mine - theirs) < SAME_DAY if mine and theirs else mine is theirs
    if near and is_long:
        return Likeness.YES if sweeping else Likeness.MAYBE
    return Likeness.MAYBE if sweeping and (near or is_long) else Likeness.NO


def _told_twice(entries: Sequence[Entry], new: set[int]) -> Iterable[Pair]:
    """Events of one hour, one in English and one in French, when no others of that hour could be meant."""
    hours: dict[datetime, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.occasion is not None:
            hours[entry.occasion.starts].append(entry)
    for together in hours.values():
        if not 1 < len(together) <= MOST_AT_ONE_HOUR:
            continue
        pairs = [
            (one, other)
            for place, one in enumerate(together)
            for other in together[place + 1 :]
            if may_be_told_twice(one, other)
        ]
        times = Counter(id(entry) for pair in pairs for entry in pair)
        for one, other in pairs:
            if times[id(one)] == times[id(other)] == 1 and {id(one), id(other)} & new:
                yield (other.keys[0], one.keys[0]) if id(other) in new else (one.keys[0], other.keys[0])


def _is_reworded(title: str, before: str) -> bool:
    """ "Ontario launches digital ID", and then "… a digital ID"."""
    from rapidfuzz import fuzz  # 3 MB, which a million letters need not carry

    one, other = (" ".join(plain_words(text)) for text in (title, before))
    return same_numbers(title, before) and says_enough(title) and fuzz.ratio(one, other) >= REWORDED


def _when(entry: Entry) -> datetime | None:
    return entry.occasion.starts if entry.occasion else entry.published


def _is_round(when: datetime) -> bool:
    """As a date without an hour is, in some zone."""
    return when.second == 0 and when.minute % 30 == 0
