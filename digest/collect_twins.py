"""Two items that may be one: an editor says so, or says no, and may take either word back. Nothing is lost by it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from digest.errors import Conflict, NotFound
from digest.model import Entry, Item, ItemId, ItemKind, Pair, Shared, Verdict
from digest.rules.duplicates import Neighbours, held_together, likeness_of
from digest.rules.heirs import LOST_AFTER
from digest.rules.near import Likeness

DAY = timedelta(days=1)
ASKED_FOR = timedelta(days=60)  # an older doubt is about things that no letter will hold
UNDONE_FOR = timedelta(days=60)


class Standing(Protocol):
    """used: in a letter that is approved or sent; placed: in a section of a draft."""

    @property
    def used(self) -> bool: ...
    @property
    def placed(self) -> bool: ...


class Group(Protocol):
    """Items that are kept as one. head: the one that stands for all; joined: pairs that were said to be the same."""

    @property
    def head(self) -> ItemId: ...
    @property
    def members(self) -> frozenset[ItemId]: ...
    @property
    def joined(self) -> Sequence[tuple[ItemId, ItemId]]: ...


class Memory(Protocol):
    """The store's memory of pairs."""

    def waiting(self, *, since: datetime) -> list[Pair]: ...
    def settled(self, *, since: datetime) -> list[Pair]: ...
    def find(self, one: ItemId, other: ItemId) -> tuple[Verdict, str] | None: ...
    def group(self, item: ItemId) -> Group: ...
    def standing(self, item: ItemId) -> Standing: ...
    def say(self, one: ItemId, other: ItemId, verdict: Verdict, *, by: str, now: datetime) -> Any: ...
    def hide(self, copy: ItemId, *, under: ItemId) -> Any: ...
    def show(self, copy: ItemId, *, over: Sequence[ItemId]) -> Any: ...


class Identities(Protocol):
    """The store's memory of what several sources show under one identity."""

    def shared(self, *, since: datetime) -> list[Shared]: ...
    def part(self, item: ItemId, *, source: str, by: str, now: datetime) -> int: ...


class Questions(Protocol):
    """The store's memory of what an editor is asked because of digest, not because of a person's word."""

    def asked(self, item: ItemId) -> Sequence[tuple[ItemId, ItemId]]: ...
    def ask(self, one: ItemId, other: ItemId, *, now: datetime) -> Any: ...
    def withdraw(self, one: ItemId, other: ItemId) -> Any: ...


class Records(Memory, Identities, Questions, Protocol):
    """All three."""


class Items(Protocol):
    """The store's memory of items."""

    def get(self, ids: Sequence[ItemId]) -> list[Item]: ...
    def all_between(self, start: datetime, end: datetime) -> list[Item]: ...
    def orphans(self, ids: Sequence[ItemId], *, failing_before: datetime) -> set[ItemId]: ...


class Store(Protocol):
    """What this verb needs of the store."""

    @property
    def twins(self) -> Records: ...
    @property
    def items(self) -> Items: ...
    def write(self) -> AbstractContextManager[Any]: ...


class Twins:
    """The verb. clock: now as an aware datetime."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def waiting(self) -> list[Pair]:
        """What an editor is asked about, newest first."""
        return self._store.twins.waiting(since=self._clock() - ASKED_FOR)

    def settled(self) -> list[Pair]:
        """What was said lately and may be taken back, newest first."""
        return self._store.twins.settled(since=self._clock() - UNDONE_FOR)

    def settle(self, one: ItemId, other: ItemId, verdict: Verdict, *, by: str) -> None:
        """Makes the two one, or keeps them apart; from then on no visit asks again.

        Raises NotFound for two that nobody ever asked about, Conflict when somebody has said something else meanwhile.
        """
        twins = self._store.twins
        with self._store.write():
            said, _ = self._said(one, other)
            if said is verdict:
                return
            if said is not Verdict.OPEN:
                raise Conflict("Somebody has settled this meanwhile.", key="sources.twins_settled")
            if verdict is Verdict.SAME:
                self._join(one, other, by=by)
            else:
                twins.say(one, other, verdict, by=by, now=self._clock())

    def take_back(self, one: ItemId, other: ItemId, *, by: str) -> None:
        """Back to the question. What digest itself had made one is kept apart from then on: that is the answer to it.

        In a chain only this link is undone: what hangs on either end goes on hanging there.
        Raises NotFound for two that nobody ever asked about.
        """
        twins, now = self._store.twins, self._clock()
        with self._store.write():
            said, who = self._said(one, other)
            if said is Verdict.OPEN:
                return
            after = Verdict.APART if said is Verdict.SAME and not who else Verdict.OPEN
            twins.say(one, other, after, by=by, now=now)
            if said is Verdict.SAME:
                self._part(one, other)

    def reconsider(self, item: ItemId, entry: Entry) -> None:
        """An event that its source is about to move, rename or call off. To be called before that is written, inside a
        transaction of the caller's. What a person said of it stays; of the rest:

        what digest had made one and would not any more is shown again, and an editor is asked; a question that the change
        answers is asked no more; and what it has now come to be like is found as if it were new.
        """
        if entry.kind is not ItemKind.EVENT:
            return
        (was,) = self._store.items.get([item])
        asked = self._store.twins.asked(item)
        self._part_unlike(item, entry)
        self._answer_themselves(was, entry, asked)
        if was.occasion and (was.title, was.occasion.starts) != (entry.title, _starts(entry)):
            self._look_around(was, entry)

    def _part_unlike(self, item: ItemId, entry: Entry) -> None:
        twins = self._store.twins
        for one, other in twins.group(item).joined:
            if item not in (one, other) or self._said(one, other)[1]:
                continue
            beside = self._beside(item, one, other)
            if likeness_of(entry, beside) is not Likeness.YES and not self._is_orphan(beside.id):
                twins.say(one, other, Verdict.OPEN, by="", now=self._clock())
                self._part(one, other)

    def _is_orphan(self, item: ItemId) -> bool:
        """What a lost source said once is no listing any more that others could contradict."""
        return bool(self._store.items.orphans([item], failing_before=self._clock() - LOST_AFTER))

    def _answer_themselves(self, was: Item, entry: Entry, asked: Sequence[tuple[ItemId, ItemId]]) -> None:
        """Unlike only now: no question any more. Alike beyond doubt only now, as when the second of two listings follows
        the first: one. A question that the change does not touch stays."""
        twins = self._store.twins
        for one, other in asked:
            beside = self._beside(was.id, one, other)
            before, now = likeness_of(was, beside), likeness_of(entry, beside)
            if now is Likeness.NO and before is not Likeness.NO:
                twins.withdraw(one, other)
            elif now is Likeness.YES and before is not Likeness.YES and self._fits(was.id, entry, beside.id):
                self._join(one, other)

    def _look_around(self, was: Item, entry: Entry) -> None:
        twins, starts = self._store.twins, _starts(entry)
        if starts is None or twins.group(was.id).head != was.id:
            return
        here = {was.source, *was.also_in}
        near = self._store.items.all_between(starts - DAY, starts + DAY)
        others = [item for item in near if item.id != was.id and not here & {item.source, *item.also_in}]
        found, likeness, _ = Neighbours(others).twin(entry)
        if found is None or likeness is Likeness.NO:
            return
        one, other = sorted((was.id, found.id))
        if twins.find(one, other) is None:
            self.wonder(one, [other])
            if likeness is Likeness.YES and self._fits(was.id, entry, found.id):
                self._join(one, other)

    def wonder(self, item: ItemId, others: Sequence[ItemId]) -> None:
        """Whether the item may be one of these, an editor is asked, unless something was said of the two before."""
        twins = self._store.twins
        for number in others:
            one, other = sorted((item, number))
            if twins.find(one, other) is None:
                twins.ask(one, other, now=self._clock())
                twins.say(one, other, Verdict.OPEN, by="", now=self._clock())

    def _fits(self, item: ItemId, entry: Entry, other: ItemId) -> bool:
        """Whether all that is kept with either is one with all that is kept with the other, the item being the entry."""
        twins, items = self._store.twins, self._store.items
        beside = items.get(sorted(twins.group(other).members - {item}))
        mine: list[Entry | Item] = [entry, *items.get(sorted(twins.group(item).members - {item}))]
        return all(likeness_of(one, two) is Likeness.YES for one in mine for two in beside)

    def _join(self, one: ItemId, other: ItemId, *, by: str = "") -> None:
        """They are one, says somebody, or digest itself."""
        twins = self._store.twins
        kept, copy = self._in_order(twins.group(one).head, twins.group(other).head)
        if kept != copy:
            twins.hide(copy, under=kept)
        twins.say(one, other, Verdict.SAME, by=by, now=self._clock())

    def _beside(self, item: ItemId, one: ItemId, other: ItemId) -> Item:
        (beside,) = self._store.items.get([other if item == one else one])
        return beside

    def shared(self) -> list[Shared]:
        """What several sources show under one identity, lately, newest first."""
        return self._store.twins.shared(since=self._clock() - UNDONE_FOR)

    def part(self, item: ItemId, source: str, *, by: str) -> None:
        """That source means another thing by the same identity: its next visit brings it as an item of its own.

        Raises NotFound when that source did not show this item.
        """
        with self._store.write():
            if not self._store.twins.part(item, source=source, by=by, now=self._clock()):
                raise NotFound("That source does not show this item.")

    def _part(self, one: ItemId, other: ItemId) -> None:
        """What is no longer held together with the one that stood for all stands for itself. Two that others still
        hold together are parted all the same: the later one stands alone."""
        group = self._store.twins.group(other)
        parts = held_together(group.members, group.joined)
        if any({one, other} <= part for part in parts):
            alone = one if other == group.head else other
            parts = [part - {alone} for part in parts] + [frozenset({alone})]
        for part in parts:
            if part and group.head not in part:
                stands = min(part, key=self._rank)
                self._store.twins.show(stands, over=sorted(part - {stands}))

    def _rank(self, item: ItemId) -> tuple[bool, bool, ItemId]:
        """Who stands for others: the one that a letter holds already, else the one seen first."""
        standing = self._store.twins.standing(item)
        return not standing.used, not standing.placed, item

    def _said(self, one: ItemId, other: ItemId) -> tuple[Verdict, str]:
        said = self._store.twins.find(one, other)
        if said is None:
            raise NotFound("Nobody asked whether these two are one.")
        return said

    def _in_order(self, one: ItemId, other: ItemId) -> tuple[ItemId, ItemId]:
        """Which stands for both, and the other. A post that leads to an event never stands for it."""
        kinds = {item.id: item.kind for item in self._store.items.get([one, other])}
        if kinds.get(one) is not kinds.get(other):
            return (one, other) if kinds.get(one) is ItemKind.EVENT else (other, one)
        kept = min((one, other), key=self._rank)
        return kept, other if kept == one else one


def _starts(entry: Entry) -> datetime | None:
    return entry.occasion.starts if entry.occasion else None
