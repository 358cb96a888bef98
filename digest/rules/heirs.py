"""Whose words an item carries: who takes it over when its source is lost, and what another source tells otherwise. Pure."""

from datetime import datetime, timedelta
from typing import Protocol

from digest.model import Entry, EventStatus, ItemKind, Source, SourceId

LOST_AFTER = timedelta(days=7)  # of failures
TOLD_OTHERWISE = "told-otherwise"  # the flag of an event that another source moves or calls off
_OFF = frozenset({EventStatus.CANCELLED, EventStatus.POSTPONED})


class Owned(Protocol):
    """An item, as far as this is concerned. orphaned: its source is removed, paused or gone; failing: since when it
    fails. otherwise: it has the flag."""

    @property
    def kind(self) -> ItemKind: ...
    @property
    def owner(self) -> SourceId | None: ...
    @property
    def sources(self) -> frozenset[SourceId]: ...
    @property
    def orphaned(self) -> bool: ...
    @property
    def failing(self) -> datetime | None: ...
    @property
    def is_full(self) -> bool: ...
    @property
    def starts(self) -> datetime | None: ...
    @property
    def status(self) -> EventStatus | None: ...
    @property
    def sequence(self) -> int: ...
    @property
    def otherwise(self) -> bool: ...


def inherits(entry: Entry, item: Owned, source: SourceId, *, now: datetime) -> bool:
    """Whether this source speaks for the item from now on: its own is lost, or shows but an excerpt of a Medium post (a tag
    does) that stands here in full. An excerpt never takes the place of a whole post."""
    if item.owner in (source, None):
        return False
    if not (item.orphaned or _is_long(item.failing, now=now)):
        return entry.is_full and not item.is_full and any(key.startswith("medium:") for key in entry.keys)
    return entry.kind is ItemKind.EVENT or entry.is_full or not item.is_full


def contradiction(entry: Entry, item: Owned) -> bool | None:
    """True: a source whose words the item does not carry moves the event or calls it off. False: what was told otherwise
    is told no more. None: there is nothing to write down. An older version of an event tells nothing."""
    when = entry.occasion
    if when is None or item.starts is None or when.sequence < item.sequence:
        return None
    differs = when.starts != item.starts or (when.status in _OFF) != (item.status in _OFF)
    if differs:
        return None if item.otherwise else True
    return False if item.otherwise and len(item.sources) <= 2 else None  # of three, another may have told it


def is_lost(before: Source, after: Source, *, now: datetime) -> bool:
    """Whether this visit was the one after which others speak for what the source brought."""
    if after.paused:
        return not before.paused
    already = before.last_visit_at is not None and _is_long(before.failing_since, now=before.last_visit_at)
    return _is_long(after.failing_since, now=now) and not already


def _is_long(since: datetime | None, *, now: datetime) -> bool:
    return since is not None and now - since >= LOST_AFTER
