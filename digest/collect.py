"""Collecting: every due source is visited, judged and remembered, one transaction each. None stops or empties another."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, Protocol

from digest.collect_hand import Brought, Hand
from digest.collect_heirs import Heirs, Heritage
from digest.collect_twins import Records, Twins
from digest.config import Config
from digest.errors import ErrorKind, NotFound, SourceError
from digest.model import Entry, Item, ItemId, ItemKind, Source, SourceId, Visit, VisitOutcome
from digest.rules.announced import announcements, pages_of
from digest.rules.gather import (
    Add,
    AlsoIn,
    Copy,
    Doubt,
    Fetched,
    Found,
    Inherit,
    Intent,
    Known,
    Parted,
    Seen,
    Update,
    decide,
    keys_of,
    owned,
    recognises,
    still_to_come,
)
from digest.rules.heirs import is_lost
from digest.rules.plan import failed, is_due, succeeded
from digest.rules.readdressed import NOTHING, Old, Readdressed, is_whole, readdressed
from digest.rules.recognise import is_hint, strangers, suspects
from digest.rules.withdraw import Ahead, called_off, unstated

MARGIN = timedelta(days=45)  # events are known so long beyond what an issue may show
DAY = timedelta(days=1)
_OURS = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
)  # faults that something in an answer brings up
_log = logging.getLogger(__name__)


class Sources(Protocol):
    """The store's memory of sources."""

    def all(self) -> list[Source]: ...
    def remember(self, source: Source) -> Any: ...
    def log(self, visit: Visit, *, at: datetime) -> Any: ...
    def wake_heirs(self, source_id: SourceId) -> Any: ...


class Items(Heritage, Protocol):
    """The store's memory of items."""

    def known(self, keys: Collection[str], *, source: SourceId | None = None) -> dict[str, Known]: ...
    def standing(self, ids: Sequence[ItemId]) -> list[Item]: ...
    def copies(self, ids: Sequence[ItemId]) -> dict[ItemId, list[Item]]: ...
    def all_between(self, start: datetime, end: datetime) -> list[Item]: ...
    def add_all(self, entries: Sequence[Entry], *, source: SourceId, now: datetime) -> list[ItemId]: ...
    def ahead(self, uids: Sequence[str], *, source: SourceId, now: datetime) -> list[Ahead]: ...
    def shown_at(
        self,
        source: SourceId,
        *,
        ids: Sequence[ItemId],
        posts: Sequence[datetime],
        events: Sequence[datetime],
    ) -> list[Old]: ...
    def on_pages(self, pages: Sequence[str]) -> list[Item]: ...
    def stated_by(self, source: SourceId, items: Sequence[tuple[ItemId, Entry]]) -> Any: ...
    def answers_to(self, item_id: ItemId, keys: Sequence[str]) -> Any: ...


class Pairs(Records, Protocol):
    """The store's memory of what is one thing, and of what may be."""

    def copy(self, one: ItemId, other: ItemId, *, now: datetime) -> Any: ...
    def apart(self, one: ItemId, other: ItemId, *, now: datetime) -> Any: ...


class Store(Protocol):
    """Where visits are remembered."""

    @property
    def sources(self) -> Sources: ...
    @property
    def items(self) -> Items: ...
    @property
    def twins(self) -> Pairs: ...
    def write(self) -> AbstractContextManager[Any]: ...


class Fetcher(Protocol):
    """How a source is visited; raises SourceError. Sources of one lane are visited one after the other."""

    def lane(self, source: Source) -> str: ...
    def visit(self, source: Source, *, now: datetime, horizon: datetime) -> Fetched: ...
    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool) -> Found: ...


class Collect:
    """The verb. clock: now as an aware datetime."""

    def __init__(
        self, store: Store, fetch: Fetcher, *, clock: Callable[[], datetime], config: Config
    ) -> None:
        self._store = store
        self._fetch = fetch
        self._clock = clock
        self._config = config
        self._twins = Twins(store, clock=clock)
        self._heirs = Heirs(store, self._twins)
        self._turn = (
            threading.Lock()
        )  # our threads wait for each other here, and not in SQLite, which sleeps longer

    def visit(
        self,
        names: Sequence[str] = (),
        *,
        every: bool = False,
        on_visit: Callable[[Visit], None] | None = None,
    ) -> list[Visit]:
        """Visits the due sources, or those named whether due or not, or every one; a row for each, in their order.

        on_visit hears of each visit once it is remembered, from another thread. Raises NotFound for a name that no source has.
        """
        sources = self._chosen(names)
        due = [s for s in sources if names or (is_due(s, now=self._clock()) if not every else not s.paused)]
        rows = {source.id: Visit(source=source, outcome=VisitOutcome.WAITING) for source in sources}
        lanes: dict[str, list[Source]] = {}
        for source in due:
            lanes.setdefault(self._fetch.lane(source), []).append(source)

        def keep(batch: Sequence[Brought]) -> None:
            for row in self._keep(batch):
                rows[row.source.id] = row
                if on_visit is not None:
                    on_visit(row)

        def along(lane: list[Source]) -> None:
            for source in lane:
                hand.take(self._visit(source))

        with (
            Hand(keep) as hand,
            ThreadPoolExecutor(self._config.collect.workers, thread_name_prefix="collect") as pool,
        ):
            for done in [pool.submit(along, lane) for lane in lanes.values()]:
                done.result()
        return [rows[source.id] for source in sources]

    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool = False) -> Found:
        """What is behind any address that a person pastes; nothing is remembered. Raises SourceError."""
        return self._fetch.look(pasted, now=now, horizon=horizon, exactly=exactly)

    def _chosen(self, names: Sequence[str]) -> list[Source]:
        order = {part.name: place for place, part in enumerate(self._config.sources)}
        sources = sorted(
            self._store.sources.all(), key=lambda source: (order.get(source.name, len(order)), source.id)
        )
        by_name = {source.name: source for source in sources}
        for name in names:
            if name not in by_name:
                near = get_close_matches(name, by_name, n=1, cutoff=0.4)
                hint = f' Did you mean "{near[0]}"?' if near else f" Known: {', '.join(by_name) or 'none'}."
                raise NotFound(f'There is no source called "{name}".{hint}')
        return [source for source in sources if not names or source.name in names]

    def _visit(self, source: Source) -> Brought:
        now, began = self._clock(), time.monotonic()
        horizon = now + timedelta(days=self._config.issue.events_days) + MARGIN
        what: Fetched | SourceError
        try:
            what = self._fetch.visit(source, now=now, horizon=horizon)
        except SourceError as error:
            _log.info("source %s failed: %s", source.name, error.kind)
            what = error
        return Brought(source, what, now, time.monotonic() - began)

    def _keep(self, batch: Sequence[Brought]) -> list[Visit]:
        """One transaction: two rounds at once never add one item twice, and what many visits touch is written once. One that
        cannot be kept is kept out of the others' way: then each has a transaction of its own."""
        try:
            with self._turn, self._store.write():
                return [self._remember(one) for one in batch]
        except _OURS as error:
            if len(batch) > 1:
                return [visit for one in batch for visit in self._keep([one])]
            if isinstance(batch[0].what, SourceError):
                raise  # not even that it failed can be kept
            _log.exception("what source %s answered could not be kept", batch[0].source.name)
            message = f"The answer was read but could not be kept ({type(error).__name__}); please report this address to us."
            return self._keep([replace(batch[0], what=SourceError(ErrorKind.PARSE, message))])

    def _remember(self, brought: Brought) -> Visit:
        """Judging and writing, inside one transaction."""
        source, fetched, now = brought.source, brought.what, brought.now
        if isinstance(fetched, SourceError):
            return self._remember_failure(brought, fetched)
        entries = owned(fetched.harvest.entries if fetched.harvest else (), source.id)
        items = self._store.items
        known = still_to_come(items.known(keys_of(entries), source=source.id), now=now)
        recognised = not entries or recognises(entries, known, source=source.id)
        moves = self._moves(source, fetched, entries, known)
        if moves.known:
            known = {**known, **moves.known}
        after = succeeded(source, fetched, now=now, recognised=recognised or bool(moves.known))
        pool = self._pool(source, entries, known)
        copies = items.copies([item.id for item in pool]) if pool else {}
        intents = decide(entries, known, source=source.id, now=now, pool=pool, copies=copies)
        whole = fetched.harvest.whole if fetched.harvest else ()
        ahead = items.ahead([one.uid for one in whole], source=source.id, now=now) if whole else []
        intents, gone = unstated(intents, ahead, whole=whole, now=now)
        new = self._add(intents, source=source.id, now=now, moves=moves, known=known)
        updated = self._carry_out(intents, source=source.id, now=now)
        self._lend(intents, known, source=source.id)
        updated += self._withdraw(gone, source=source.id, now=now)
        for key, one in moves.known.items():
            items.answers_to(one.id, [key])
        visit = Visit(
            source=after,
            outcome=VisitOutcome.NEW if new or updated else VisitOutcome.UNCHANGED,
            new=new,
            updated=updated,
            seconds=round(brought.seconds, 3),
            left_out=after.left_out if fetched.harvest else 0,
        )
        self._store.sources.remember(after)
        self._store.sources.log(visit, at=now)
        return visit

    def _carry_out(self, intents: Sequence[Intent], *, source: SourceId, now: datetime) -> int:
        """What is said of items that we have; how many say something else by that."""
        items, updated = self._store.items, 0
        for intent in intents:
            if isinstance(intent, Seen):
                if intent.frozen:
                    items.changed_at_source(intent.item, intent.entry, now=now)
                self._heirs.hear(intent.item, otherwise=intent.otherwise)
            elif isinstance(intent, AlsoIn):
                items.also_in(intent.item, source=source, entry=intent.entry, now=now)
                self._heirs.hear(intent.item, otherwise=intent.otherwise)
            elif isinstance(intent, Inherit):
                updated += self._heirs.inherit(intent, source=source, now=now)
            elif isinstance(intent, Update):
                self._heirs.follow(intent.item, intent.entry, source=source, now=now)
                updated += 1
        return updated

    def _lend(self, intents: Sequence[Intent], known: Mapping[str, Known], *, source: SourceId) -> None:
        """Events that stand here in the words of another source."""
        told = [one for one in intents if isinstance(one, Seen) and one.entry.kind is ItemKind.EVENT]
        if told:
            others = {one.id for one in known.values() if one.owner not in (source, None)}
            theirs = [(one.item, one.entry) for one in told if one.item in others]
            if theirs:
                self._store.items.stated_by(source, theirs)

    def _withdraw(self, gone: Sequence[Ahead], *, source: SourceId, now: datetime) -> int:
        """Dates that a calendar stated, and states no more though it states all the others; how many."""
        for one in gone:
            entry = called_off(one)
            if one.frozen:
                self._store.items.changed_at_source(one.item.id, entry, now=now)
            else:
                self._heirs.follow(one.item.id, entry, source=source, now=now)
        return len(gone)

    def _add(
        self,
        intents: Sequence[Intent],
        *,
        source: SourceId,
        now: datetime,
        moves: Readdressed,
        known: Mapping[str, Known],
    ) -> int:
        """What nobody has seen before; how much of it is news, and no copy."""
        fresh = [intent for intent in intents if isinstance(intent, Add | Copy | Doubt | Parted)]
        ids = self._store.items.add_all([intent.entry for intent in fresh], source=source, now=now)
        for intent, item_id in zip(fresh, ids, strict=True):
            if isinstance(intent, Copy):
                self._store.twins.copy(intent.item, item_id, now=now)
                self._twins.wonder(intent.item, intent.others)
            elif isinstance(intent, Doubt):
                self._store.twins.ask(intent.item, item_id, now=now)
                self._twins.wonder(item_id, intent.others)
            elif isinstance(intent, Parted):
                self._store.twins.apart(intent.item, item_id, now=now)
        if moves.asked:
            by_key = {key: one.id for key, one in known.items() if not is_hint(key)}
            added = list(zip(fresh, ids, strict=True))
            by_key |= {key: item_id for intent, item_id in added for key in intent.entry.keys}
            for intent, item_id in added:
                self._twins.wonder(item_id, moves.others(intent.entry, by_key=by_key))
        return sum(1 for intent in fresh if not isinstance(intent, Copy))

    def _moves(
        self, source: Source, fetched: Fetched, entries: Sequence[Entry], known: Mapping[str, Known]
    ) -> Readdressed:
        """What of the new entries this source has shown before, under other addresses."""
        new = strangers(entries, known)
        if not new or fetched.harvest is None:
            return NOTHING
        old = (
            self._store.items.shown_at(
                source.id,
                ids=suspects(new, known),
                posts=[entry.published for entry in new if entry.published],
                events=[entry.occasion.starts for entry in new if entry.occasion],
            )
            if source.last_ok_at is not None
            else ()
        )
        left_out = (one.why for one in fetched.harvest.left_out)
        moves = readdressed(entries, new, known, old, source=source.id, is_whole=is_whole(left_out))
        pages = pages_of(new)
        told = announcements(new, self._store.items.on_pages(pages)) if pages else []
        return moves._replace(asked=(*moves.asked, *told)) if told else moves

    def _pool(self, source: Source, entries: Sequence[Entry], known: Mapping[str, Known]) -> list[Item]:
        """What other sources have that the new entries may be: posts of like titles or words, events of the same days."""
        new = strangers(entries, known)
        starts = [entry.occasion.starts for entry in new if entry.occasion]
        pool = self._store.items.standing(suspects(new, known))
        if starts:
            span = self._store.items.all_between(min(starts) - DAY, max(starts) + DAY)
            pool += [item for item in span if item.kind is ItemKind.EVENT]
        return [item for item in pool if source.name not in (item.source, *item.also_in)]

    def _remember_failure(self, brought: Brought, error: SourceError) -> Visit:
        source, now = brought.source, brought.now
        after = failed(source, error, now=now)
        visit = Visit(
            source=after,
            outcome=VisitOutcome.FAILED,
            seconds=round(brought.seconds, 3),
            error_kind=error.kind.value,
            error=str(error),
        )
        self._store.sources.remember(after)
        self._store.sources.log(visit, at=now)
        if is_lost(source, after, now=now):
            self._store.sources.wake_heirs(source.id)
        return visit
