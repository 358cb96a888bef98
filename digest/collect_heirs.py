"""What other sources say of an item: they speak for it when its own source is lost, and are heard when they contradict."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from digest.collect_twins import Records, Twins
from digest.model import Entry, Item, ItemId, SourceId
from digest.rules.gather import Inherit
from digest.rules.heirs import LOST_AFTER


class Heritage(Protocol):
    """The store's memory of items, and of whose words they carry."""

    def get(self, ids: Sequence[ItemId]) -> list[Item]: ...
    def update(self, item_id: ItemId, entry: Entry, *, now: datetime) -> Any: ...
    def changed_at_source(self, item_id: ItemId, entry: Entry, *, now: datetime) -> Any: ...
    def also_in(self, item_id: ItemId, *, source: SourceId, entry: Entry, now: datetime) -> Any: ...
    def hand_over(self, item_id: ItemId, *, to: SourceId) -> Any: ...
    def orphans(self, ids: Sequence[ItemId], *, failing_before: datetime) -> set[ItemId]: ...
    def told_otherwise(self, item_id: ItemId, *, stands: bool) -> Any: ...


class Store(Protocol):
    """What this verb needs of the store."""

    @property
    def items(self) -> Heritage: ...
    @property
    def twins(self) -> Records: ...


class Heirs:
    """The verb; inside a transaction of the caller's."""

    def __init__(self, store: Store, twins: Twins) -> None:
        self._store = store
        self._twins = twins

    def inherit(self, intent: Inherit, *, source: SourceId, now: datetime) -> bool:
        """The item is this source's now; whether its words have changed by that."""
        self._store.items.also_in(intent.item, source=source, entry=intent.entry, now=now)
        self._store.items.hand_over(intent.item, to=source)
        if not intent.changed:
            return False
        if intent.frozen:
            self._store.items.changed_at_source(intent.item, intent.entry, now=now)
            return False
        self.follow(intent.item, intent.entry, source=source, now=now)
        return True

    def follow(self, item: ItemId, entry: Entry, *, source: SourceId, now: datetime) -> None:
        """The item as its source states it now, and with it the one that stands for it, when that one's source is lost:
        of the two, only this one still hears what becomes of the thing."""
        self._twins.reconsider(item, entry)
        self._store.items.update(item, entry, now=now)
        head = self._store.twins.group(item).head
        if head == item or not self._store.items.orphans([head], failing_before=now - LOST_AFTER):
            return
        (stood,) = self._store.items.get([head])
        if stood.kind is not entry.kind:
            return  # a post that led to an event
        if not entry.occasion and 2 * len(entry.html) < len(stood.html):
            return  # an excerpt
        theirs = replace(entry, keys=(), published=None)  # an edit never moves a post to another issue
        self._store.items.hand_over(head, to=source)
        if self._store.twins.standing(head).used:
            self._store.items.changed_at_source(head, theirs, now=now)
        else:
            self._twins.reconsider(head, theirs)
            self._store.items.update(head, theirs, now=now)

    def hear(self, item: ItemId, *, otherwise: bool | None) -> None:
        """A flag at the desk when a source moves or calls off what the item's own source does not."""
        if otherwise is not None:
            self._store.items.told_otherwise(item, stands=otherwise)
