"""Whether two things from two sources are one: posts by their words, events by their hour first. In doubt, never merged."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from enum import IntEnum
from hashlib import sha256

from digest.model import Entry, EventStatus, Item, ItemId, ItemKind, Occasion
from digest.rules.links import is_front_page, same_page_key

FEWEST_WORDS = 48  # below, likeness of words means little
SHINGLE_WORDS = 5
CONTAINMENT = 0.5
POSTS_APART = timedelta(days=60)
STARTS_APART = timedelta(minutes=15)
ZONES_APART = timedelta(hours=8)  # how far off a wrong zone may put an event, in whole hours
TITLES_MAYBE = 55
# "Design office hours" and "Access office hours" share enough for 70: only titles that contain or nearly equal one
# another are sure.
ONE_IN_THE_OTHER, NEARLY_EQUAL = 95, 85
_UNSURE_ZONE = frozenset({"zone-guessed", "check-zone"})
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^>]+>")


class Likeness(IntEnum):
    """MAYBE is for an editor to settle."""

    NO = 0
    MAYBE = 1
    YES = 2


def title_hint(title: str) -> str | None:
    """A weak key under which a post with the same title is found again; None for titles that say too little."""
    words = _plain_words(title)
    if len(words) < 3 or len(" ".join(words)) < 12:
        return None
    return "title:" + sha256(" ".join(words).encode()).hexdigest()[:32]


class Neighbours:
    """The items of other sources, in an order that finds those near an entry without looking at all of them."""

    def __init__(self, pool: Iterable[Item]) -> None:
        self._posts: dict[tuple[str, ...], list[Item]] = {}
        events = []
        for item in pool:
            if item.kind is ItemKind.POST:
                self._posts.setdefault(tuple(_plain_words(item.title)), []).append(item)
            elif item.occasion is not None:
                events.append((item.occasion.starts, item.id, item))
        self._events = sorted(events)
        self._starts = [starts for starts, _, _ in self._events]

    def of(self, entry: Entry) -> list[Item]:
        """Posts of the same title; events that begin within the hours that a wrong zone may be off."""
        if entry.kind is ItemKind.POST:
            if not self._posts:
                return []
            return self._posts.get(tuple(_plain_words(entry.title)), [])
        if entry.occasion is None:
            return []
        first = bisect_left(self._starts, entry.occasion.starts - ZONES_APART - STARTS_APART)
        last = bisect_right(self._starts, entry.occasion.starts + ZONES_APART + STARTS_APART)
        return [item for _, _, item in self._events[first:last]]

    def twin(self, entry: Entry, *, taken: Collection[ItemId] = ()) -> tuple[Item | None, Likeness]:
        """The item that the entry most likely is, and how likely; the first of equals. taken: not these."""
        best: tuple[Item | None, Likeness] = (None, Likeness.NO)
        for item in self.of(entry):
            if item.id in taken:
                continue
            likeness = likeness_of(entry, item)
            if likeness > best[1]:
                best = (item, likeness)
            if likeness is Likeness.YES:
                break
        return best


def likeness_of(entry: Entry, item: Item) -> Likeness:
    if entry.kind is not item.kind:
        return Likeness.NO
    return _post_likeness(entry, item) if entry.kind is ItemKind.POST else _event_likeness(entry, item)


def _post_likeness(one: Entry, other: Item) -> Likeness:
    """Same title, dates within 60 days, and half of the shorter text's five-word runs found in the other."""
    if _plain_words(one.title) != _plain_words(other.title):
        return Likeness.NO
    when, then = one.published, other.published or other.first_seen
    if when is not None and abs(when - then) > POSTS_APART:
        return Likeness.NO
    mine, theirs = _plain_words(_TAG.sub(" ", one.html)), _plain_words(_TAG.sub(" ", other.html))
    if min(len(mine), len(theirs)) >= FEWEST_WORDS:
        return Likeness.YES if containment(mine, theirs) >= CONTAINMENT else Likeness.NO
    known_author = one.author and other.author and one.author.casefold() == other.author.casefold()
    near = when is not None and abs(when - then) <= timedelta(days=7)
    return Likeness.MAYBE if known_author and near else Likeness.NO


def containment(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the shorter text's runs of five words that stand in the longer one too."""
    mine, theirs = _shingles(one), _shingles(other)
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def _event_likeness(one: Entry, other: Item) -> Likeness:
    """The hour first, then title, page or link; numbers that differ (#512, #513) forbid it, places that differ or one of
    the two called off leave it in doubt."""
    mine, theirs = one.occasion, other.occasion
    if mine is None or theirs is None or not _same_start(mine, theirs, unsure=_unsure(one, other)):
        return Likeness.NO
    if _numbers(one.title) != _numbers(other.title) and _numbers(one.title) and _numbers(other.title):
        return Likeness.NO
    off = (mine.status is EventStatus.CANCELLED) != (theirs.status is EventStatus.CANCELLED)
    most = Likeness.MAYBE if off else Likeness.YES  # one listing never calls off what another still announces
    if _same_page(one.url, other.url) or (mine.online and _same_page(mine.online, theirs.online)):
        return most
    from rapidfuzz import fuzz  # 3 MB, which a million letters need not carry

    titles = " ".join(_plain_words(one.title)), " ".join(_plain_words(other.title))
    shared, whole = fuzz.token_set_ratio(*titles), fuzz.token_sort_ratio(*titles)
    if shared < TITLES_MAYBE:
        return Likeness.NO
    sure = (shared >= ONE_IN_THE_OTHER or whole >= NEARLY_EQUAL) and not _unsure(one, other)
    return most if sure and _places_agree(mine, theirs) and _says_enough(*titles) else Likeness.MAYBE


def _same_start(one: Occasion, other: Occasion, *, unsure: bool) -> bool:
    apart = abs(one.starts - other.starts)
    if one.all_day != other.all_day:
        return False
    if apart <= STARTS_APART:
        return True
    return unsure and apart <= ZONES_APART and apart % timedelta(hours=1) <= STARTS_APART


def _unsure(one: Entry, other: Item) -> bool:
    return bool(_UNSURE_ZONE & {*one.flags, *other.flags})


def _same_page(one: str | None, other: str | None) -> bool:
    if not one or not other or is_front_page(one) or is_front_page(other):
        return False
    return same_page_key(one) == same_page_key(other)


def held_together(
    items: Collection[ItemId], joined: Iterable[tuple[ItemId, ItemId]]
) -> list[frozenset[ItemId]]:
    """The items in groups: two are in one when pairs lead from one to the other."""
    group = {item: frozenset({item}) for item in items}
    for one, other in joined:
        both = group[one] | group[other]
        group |= dict.fromkeys(both, both)
    return sorted(set(group.values()), key=min)


def _places_agree(one: Occasion, other: Occasion) -> bool:
    """Unless both name a place and the places have little in common."""
    if not one.place or not other.place:
        return True
    from rapidfuzz import fuzz

    return fuzz.token_set_ratio(one.place.casefold(), other.place.casefold()) >= 50


def _says_enough(one: str, other: str) -> bool:
    """A title of one word is in every other title."""
    return min(len(set(_plain_words(one))), len(set(_plain_words(other)))) >= 2


def _numbers(title: str) -> frozenset[str]:
    return frozenset(re.findall(r"\d+", title))


def _plain_words(text: str) -> list[str]:
    """Lower-case words without accents and punctuation."""
    if text.isascii():
        return _WORD.findall(text[:200_000].lower())
    decomposed = unicodedata.normalize("NFKD", text[:200_000]).casefold()
    return _WORD.findall("".join(c for c in decomposed if not unicodedata.combining(c)))


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + SHINGLE_WORDS]) for at in range(max(1, len(words) - SHINGLE_WORDS + 1))}
