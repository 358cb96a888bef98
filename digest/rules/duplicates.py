"""Whether two things from two sources are one: posts by their words, events by their hour first. In doubt, never merged."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from html import unescape
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

from digest.model import Entry, EventStatus, Item, ItemId, ItemKind, Occasion
from digest.rules.links import host_of, is_front_page, same_page_key
from digest.rules.near import (
    FEWEST_WORDS,
    Likeness,
    hints,
    nearly_the_same_word,
    plain_words,
    same_numbers,
    says_enough,
    title_likeness,
)
from digest.rules.text import language_of

SHINGLE_WORDS = 5
CONTAINMENT = 0.5
NEARLY_CONTAINED = 0.8  # when the titles differ
FEWEST_OF_AN_EXCERPT = 8
MOST_COMPARED = 8  # posts with which one entry is compared word by word
POSTS_APART = timedelta(days=60)
STARTS_APART = timedelta(minutes=15)
ZONES_APART = timedelta(hours=8)  # how far off a wrong zone may put an event, in whole hours
TITLES_MAYBE = 55
SAME_PLACE = 80
FEWEST_EVENT_WORDS = 12
_EVERYBODYS = (
    "meetup.com",
    "eventbrite.com",
    "eventbrite.ca",
    "lu.ma",
    "luma.com",
    "facebook.com",
    "zoom.us",
)
_UNSURE_ZONE = frozenset({"zone-guessed", "check-zone"})
_PASSWORD = re.compile(r"[?&]pwd=[^&#]*")
_FORGES = frozenset({"github.com", "gitlab.com", "codeberg.org", "bitbucket.org"})
_EVERYDAY = (
    "office hours hour open house drop in coffee chat chats town hall meeting meetings meetup monthly weekly "
    "annual general regular special board closed holiday day social lunch learn and the a of at for our team "
    "staff all hands ask me anything ama q virtual online session info information community call standup demo "
    "webinar orientation happy break heures heure de du des bureau bureaux portes ouvertes cafe causerie reunion "
    "rencontre rencontres mensuelle mensuel hebdomadaire annuelle annuel assemblee generale ferme fermes "
    "fermeture conge ferie jour journee diner midi equipe seance d l la le les et en ligne virtuelle "
    "communautaire accueil questions "
)
_GENERIC = frozenset(_EVERYDAY.split())
_TONGUE = re.compile(r"(?<![^\W_])(?:en|fr|eng|fra|ang)(?![^\W_])", re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")


class Neighbours:
    """The items of other sources, in an order that finds those near an entry without looking at all of them."""

    def __init__(
        self, pool: Iterable[Item], *, copies: Mapping[ItemId, Sequence[Item]] | None = None
    ) -> None:
        """copies: what items of the pool stand for."""
        pool, self._copies = list(pool), copies or {}
        self._heads = {copy.id: head for head in pool for copy in self._copies.get(head.id, ())}
        self._posts: dict[str, list[Item]] = {}
        events = []
        for item in chain(pool, *(self._copies.get(head.id, ()) for head in pool)):
            if item.kind is ItemKind.POST:
                for hint in hints(item.title, words=unescape(_TAG.sub(" ", item.html))):
                    self._posts.setdefault(hint, []).append(item)
            elif item.occasion is not None:
                events.append((item.occasion.starts, item.id, item))
        self._events = sorted(events)
        self._starts = [starts for starts, _, _ in self._events]

    def of(self, entry: Entry) -> list[Item]:
        """Posts that share hints, a few of those that share most; events that begin within the hours that a wrong zone
        may be off."""
        if entry.kind is ItemKind.POST:
            if not self._posts:
                return []
            found = hints(entry.title, words=unescape(_TAG.sub(" ", entry.html)))
            near = [item for hint in found for item in self._posts.get(hint, ())]
            times = Counter(item.id for item in near)
            by_id = {item.id: item for item in near}
            return [by_id[number] for number, _ in times.most_common(MOST_COMPARED)]
        if entry.occasion is None:
            return []
        first = bisect_left(self._starts, entry.occasion.starts - ZONES_APART - STARTS_APART)
        last = bisect_right(self._starts, entry.occasion.starts + ZONES_APART + STARTS_APART)
        return [item for _, _, item in self._events[first:last]]

    def twin(self, entry: Entry, *, taken: Collection[ItemId] = ()) -> "Match":
        """What the entry most likely is. taken: not these. What an item stands for counts with it: of three, the first
        may be like both others while these exclude one another, and then nobody's order of visits decides."""
        sure: list[Item] = []
        unsure: list[Item] = []
        met: dict[ItemId, tuple[Item, list[Likeness]]] = {}
        for item in self.of(entry):
            head = self._heads.get(item.id, item)
            if head.id not in taken:
                met.setdefault(head.id, (head, []))[1].append(likeness_of(entry, item))
        for head, found in met.values():
            if Likeness.YES in found:
                whole = [likeness_of(entry, item) for item in (head, *self._copies.get(head.id, ()))]
                (sure if set(whole) == {Likeness.YES} else unsure).append(head)
        if sure:
            return Match(sure[0], Likeness.YES, tuple(item.id for item in (*sure[1:], *unsure)))
        if unsure:
            return Match(unsure[0], Likeness.MAYBE, tuple(item.id for item in unsure[1:]))
        maybe = next((head for head, found in met.values() if Likeness.MAYBE in found), None)
        return Match(maybe, Likeness.MAYBE if maybe else Likeness.NO, ())


class Match(NamedTuple):
    """The item that an entry is or may be, and others of which an editor must be asked too: they are as like it."""

    item: Item | None
    likeness: Likeness
    others: tuple[ItemId, ...]


def likeness_of(entry: Entry | Item, item: Item) -> Likeness:
    if entry.kind is not item.kind:
        return Likeness.NO
    return _post_likeness(entry, item) if entry.kind is ItemKind.POST else _event_likeness(entry, item)


def _post_likeness(one: Entry | Item, other: Item) -> Likeness:
    """By title, and by the five-word runs of the shorter text that stand in the other, within 60 days.

    Same title: half of them. One title inside the other ("Our form", "Our form - Team blog"): four in five, in doubt
    with half. Any other two titles: in doubt with half, when the texts are not of very different length. An excerpt under
    such a title within a week is in doubt when it stands in the text, or is of the same author, or of the same minute.
    """
    when, then = one.published, other.published or other.first_seen
    if when is not None and abs(when - then) > POSTS_APART:
        return Likeness.NO
    if _are_of_two_projects(one.url, other.url):
        return Likeness.NO
    titles = title_likeness(one.title, other.title)
    if titles is Likeness.NO and not same_numbers(one.title, other.title):
        return Likeness.NO
    mine, theirs = plain_words(_TAG.sub(" ", one.html)), plain_words(_TAG.sub(" ", other.html))
    shorter, longer = sorted((len(mine), len(theirs)))
    if shorter >= FEWEST_WORDS:
        shared = containment(mine, theirs)
        if shared < CONTAINMENT or (titles is Likeness.NO and shorter * 2 < longer):
            return Likeness.NO
        enough = CONTAINMENT if titles is Likeness.YES else NEARLY_CONTAINED
        sure = (
            titles is not Likeness.NO
            and shared >= enough
            and (says_enough(one.title) or not _on_one_site(one.url, other.url))
        )
        return Likeness.YES if sure else Likeness.MAYBE
    if titles is Likeness.NO or when is None or abs(when - then) > timedelta(days=7):
        return Likeness.NO
    excerpt = shorter >= FEWEST_OF_AN_EXCERPT and containment(mine, theirs) >= CONTAINMENT
    signed = [author.casefold() for author in (one.author, other.author) if author]
    same_hand = len(signed) == 2 and signed[0] == signed[1]
    same_hour = titles is Likeness.YES and when == other.published and len(set(signed)) < 2
    return Likeness.MAYBE if excerpt or same_hand or same_hour else Likeness.NO


def _on_one_site(one: str | None, other: str | None) -> bool:
    """On two pages of it."""
    return bool(one and other) and host_of(one or "") == host_of(other or "") and _differ(one, other)


def _are_of_two_projects(one: str | None, other: str | None) -> bool:
    """Releases of two repositories have one title and, from one tool, one text."""
    homes = [urlsplit(url) for url in (one, other) if url]
    if len(homes) < 2 or not all(home.hostname in _FORGES for home in homes):
        return False
    return homes[0].path.split("/")[:3] != homes[1].path.split("/")[:3]


def words_of(thing: Entry | Item) -> list[str]:
    """Of its text."""
    return plain_words(_TAG.sub(" ", thing.html))


def containment(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of the shorter text's runs of five words that stand in the longer one too."""
    mine, theirs = _shingles(one), _shingles(other)
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def _event_likeness(one: Entry | Item, other: Item) -> Likeness:
    """The hour first, then title, page or link; numbers that differ (#512, #513) forbid it, places that differ or one of
    the two called off leave it in doubt."""
    mine, theirs = one.occasion, other.occasion
    if mine is None or theirs is None or not _same_start(mine, theirs, unsure=_unsure(one, other)):
        return Likeness.NO
    if not same_numbers(one.title, other.title):
        return Likeness.NO
    off = (mine.status is EventStatus.CANCELLED) != (theirs.status is EventStatus.CANCELLED)
    most = Likeness.MAYBE if off else Likeness.YES  # one listing never calls off what another still announces
    joined = _same_page(mine.online, theirs.online)  # by one link people join what is on at that hour
    if (joined and mine.starts == theirs.starts) or (
        one.url != mine.online and _same_page(one.url, other.url)
    ):
        return most
    from rapidfuzz import fuzz  # 3 MB, which a million letters need not carry

    titles = plain_words(one.title), plain_words(other.title)
    if fuzz.token_set_ratio(*map(" ".join, titles)) < TITLES_MAYBE:
        return Likeness.MAYBE if joined or _may_be_translated(one, other) else Likeness.NO
    sure = _same_title(*titles) or (_is_inside(*titles) and _agree(one, other))
    sure = sure and _says_enough(*titles) and not _unsure(one, other)
    if sure and (_is_everybodys(titles[0]) or mine.all_day or _on_other_pages(one, other)):
        sure = _agree(one, other)
    if _differ(_room(mine.online), _room(theirs.online)):
        most = Likeness.MAYBE
    return most if sure and _places_agree(mine, theirs) else Likeness.MAYBE


def _same_title(one: list[str], other: list[str]) -> bool:
    """The same words, but for a letter here or there in a long one."""
    if "".join(one) == "".join(other):  # Hack night, Hacknight
        return True
    mine, theirs = Counter(one) - Counter(other), Counter(other) - Counter(one)
    pairs = zip(sorted(mine.elements()), sorted(theirs.elements()), strict=False)
    return mine.total() == theirs.total() and all(nearly_the_same_word(a, b) for a, b in pairs)


def _is_everybodys(title: list[str]) -> bool:
    """What any two organisations may hold at one hour and call so: title and hour alone say nothing."""
    return all(word in _GENERIC or len(word) == 1 for word in title)


def _on_other_pages(one: Entry | Item, other: Item) -> bool:
    pages = [
        thing.url if thing.occasion and thing.url != thing.occasion.online else None for thing in (one, other)
    ]
    return _differ(*pages)


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both are addresses, of two pages."""
    if not one or not other or is_front_page(one) or is_front_page(other):
        return False
    return same_page_key(one) != same_page_key(other)


def _room(online: str | None) -> str | None:
    """The address of a meeting without its password, which one of two listings may leave out."""
    return _PASSWORD.sub("", online) if online else None


def _is_inside(one: list[str], other: list[str]) -> bool:
    return not (Counter(one) - Counter(other) and Counter(other) - Counter(one))


def _agree(one: Entry | Item, other: Item) -> bool:
    """Whether something else than title and hour says that both are one: what more the longer title says ("Ottawa", "for
    beginners") may tell it from others."""
    mine, theirs = one.occasion, other.occasion
    if mine and theirs and mine.place and theirs.place and _in_one_room(mine, theirs):
        return True
    texts = [plain_words(_TAG.sub(" ", event.html or event.summary)) for event in (one, other)]
    return min(map(len, texts)) >= FEWEST_EVENT_WORDS and containment(*texts) >= NEARLY_CONTAINED


def _may_be_translated(one: Entry | Item, other: Item) -> bool:
    """At the very same time on one host, and not known to be in one language: a page and its translation, or two events."""
    if one.language == other.language or not one.occasion or not other.occasion:
        return False
    if one.occasion.starts != other.occasion.starts or not one.url or not other.url:
        return False
    host = host_of(one.url)
    return host == host_of(other.url) and not host.endswith(_EVERYBODYS)


def may_be_told_twice(one: Entry, other: Entry) -> bool:
    """Whether two dates of one calendar or page may be one, announced in English and in French."""
    mine, theirs = one.occasion, other.occasion
    if mine is None or theirs is None or mine.starts != theirs.starts or mine.all_day != theirs.all_day:
        return False
    if (mine.ends and theirs.ends and mine.ends != theirs.ends) or not _places_agree(mine, theirs):
        return False
    spoken = {_spoken(one), _spoken(other)}
    if (len(spoken) == 1 and spoken != {None}) or not same_numbers(one.title, other.title):
        return False
    in_doubt = None in spoken and not ("fr" in spoken and _in_one_room(mine, theirs))
    if in_doubt and not _are_siblings(mine.uid, theirs.uid):
        return False
    hosts = [host_of(thing.url or "") for thing in (one, other)]
    return hosts[0] == hosts[1] and not hosts[0].endswith(_EVERYBODYS)


def _in_one_room(one: Occasion, other: Occasion) -> bool:
    if one.place and other.place:
        from rapidfuzz import fuzz

        return fuzz.token_set_ratio(one.place.casefold(), other.place.casefold()) >= SAME_PLACE
    return _same_page(one.online, other.online)


def _are_siblings(one: str | None, other: str | None) -> bool:
    """`1-en@…` and `1-fr@…`."""
    return bool(one and other and one != other and _TONGUE.sub("", one) == _TONGUE.sub("", other))


def _spoken(entry: Entry) -> str | None:
    """A calendar that is said to be in one language may hold both."""
    return language_of(entry.title) or language_of(f"{entry.title}. {entry.summary}") or entry.language


def _same_start(one: Occasion, other: Occasion, *, unsure: bool) -> bool:
    apart = abs(one.starts - other.starts)
    if one.all_day != other.all_day:
        return False
    if apart <= STARTS_APART:
        return True
    return unsure and apart <= ZONES_APART and apart % timedelta(hours=1) <= STARTS_APART


def _unsure(one: Entry | Item, other: Item) -> bool:
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


def _says_enough(one: list[str], other: list[str]) -> bool:
    """A title of one word is in every other title."""
    return min(len(set(one)), len(set(other))) >= 2


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + SHINGLE_WORDS]) for at in range(max(1, len(words) - SHINGLE_WORDS + 1))}
