"""Bringing in a list from elsewhere by the same rules as one person at a time; those who left stay out.

Doing it twice is doing it once: an import that was cut off is simply run again.
"""

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, Protocol

from digest.errors import InputRefused
from digest.join import Join
from digest.model import Reading, Subscriber, SubscriberState
from digest.rules import consent
from digest.rules.roster import Roster, Survey, survey
from digest.rules.roster_block import Block, Judge, People, kept_address
from digest.rules.roster_columns import Line
from digest.rules.roster_json import Details, JsonRoster, details_of
from digest.rules.roster_status import Standing

# Many, since each transaction touches the whole index of addresses; fewer when the rows must be kept for refusals.
_LINES_PER_TRANSACTION, _LINES_WITH_CELLS = 150_000, 10_000
_CHUNK = 1 << 18
_OTHER_KEY = (
    "{n} that must never be written to again {are} known in this list by a keyed fingerprint alone, made with another key "
    "than the one here; nothing was changed. Begin with the old subscribers.key in the place of the new one, before there "
    "is a database; or say --without-suppressions, and a later list can bring {them} back."
)

# Whoever is here like this stays as they are, whatever a list says of them.
_SETTLED = frozenset({SubscriberState.CONFIRMED, SubscriberState.SUSPENDED})


class Crowds(Protocol):
    def at_length(self) -> AbstractContextManager[None]: ...
    def suppressed(self, marks: Collection[str]) -> set[str]: ...
    def suppress(self, marks: Collection[str], *, reason: str, now: datetime) -> None: ...
    def known(self, keys: Collection[str]) -> dict[str, SubscriberState]: ...
    def bring(
        self, people: People, *, state: SubscriberState, basis: str, origin: str, now: datetime
    ) -> list[str]: ...
    def carry(self, details: Mapping[str, Details]) -> None: ...


class Suppressions(Protocol):
    def count(self) -> int: ...


class Memory(Protocol):
    @property
    def roster(self) -> Crowds: ...
    @property
    def suppressions(self) -> Suppressions: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class _DryRun(Exception):
    """Rolls back what a dry run did."""


@dataclass(slots=True)
class Report:
    """counts: confirmed, asked, known, left. refused: (line number, reason), never the address itself.

    marks: how many keyed hashes of people who may not come back were in the file and count here; foreign: how many were made
    with another key, and keep nobody out.
    shared, odd: numbers of lines to look at twice, which come in all the same: addresses that are perhaps no person's own
    (info@), and domains of mixed alphabets.
    unread: names of columns that say nothing to us. rivals: of several columns of addresses the one that was read, the others.
    source: the program that wrote the file, as far as its header says; sha256: of the file, as in the consent log.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    odd: list[int] = field(default_factory=list)
    source: str = ""
    sha256: str = ""
    marks: int = 0
    foreign: int = 0
    unread: list[str] = field(default_factory=list)
    rivals: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a list comes in. basis, origin: of everybody's consent, as the operator says.

    lets_go: of keyed hashes that were made with another key, since the operator has been told what that means.
    """

    basis: str
    origin: str
    language: str | None = None
    dry_run: bool = False
    lets_go: bool = False


def bring(
    data: bytes | BinaryIO, *, join: Join, store: Memory, basis: str, origin: str, language: str | None = None,
    dry_run: bool = False, lets_go: bool = False, on_progress: Callable[[int, int], None] | None = None,
    on_refused: Callable[[Sequence[str], Line, str], None] | None = None,
) -> Report:  # fmt: skip
    """Raises InputRefused for a file without addresses, and before anything is changed for one whose keyed hashes would
    keep nobody out here, unless `lets_go`. A dry run changes nothing and reports the same.

    data: the bytes, or a file open for reading them twice. on_progress: how much is done, of how much.
    on_refused: the header, the line, and why it stays out.
    """
    consent.judged_basis(basis, origin)
    file = BytesIO(data) if isinstance(data, bytes) else data
    looked = survey(iter(lambda: file.read(_CHUNK), b""))
    file.seek(looked.skip)
    text = TextIOWrapper(file, encoding=looked.encoding, errors="replace", newline="")
    terms = Terms(basis=basis, origin=origin, language=language, dry_run=dry_run, lets_go=lets_go)
    try:
        with _without_cycle_search(), store.roster.at_length():
            roster = JsonRoster(text) if looked.is_json else Roster(text)
            return _Import(join, store, terms, looked, on_refused).run(roster, on_progress)
    finally:
        text.detach()


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """A million small tuples hold no cycles; looking for some again and again is a quarter of the time (measured)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Import:
    """One list on its way in."""

    def __init__(
        self, join: Join, store: Memory, terms: Terms, looked: Survey,
        on_refused: Callable[[Sequence[str], Line, str], None] | None,
    ) -> None:  # fmt: skip
        self._join, self._store, self._terms = join, store, terms
        self._origin = f"{terms.origin} (file {looked.sha256[:16]})"
        self._on_refused = on_refused
        # Hashes of who came in, for a dry run that forgets each block when it is done; and of who has left, for all.
        self._seen: set[int] = set()
        self._gone: set[int] = set()
        # While the suppression list holds nobody but those of this very file, _gone says the same and is quicker.
        self._suppressed, self._must_look = store.suppressions.count(), False
        self._must_look = self._suppressed > 0
        self._report = Report(sha256=looked.sha256)
        self._header: Sequence[str] = ()
        self._is_json, self._size = looked.is_json, looked.size

    def run(self, roster: Roster | JsonRoster, on_progress: Callable[[int, int], None] | None) -> Report:
        if isinstance(roster, JsonRoster):
            self._refuse_other_key(roster)
        total = max(self._size - roster.began, 0)
        self._report.source, self._header = roster.shape.name, roster.header
        if roster.header:
            self._report.unread = roster.shape.unread(roster.header)
            self._report.rivals = roster.shape.rivals(roster.header)
        if on_progress is not None:
            on_progress(0, total)
        # One after the other: a second thread that reads ahead costs more in waiting for its turn than it saves.
        for block in self._blocks(roster):
            self._bring(block)
            del block  # or two of them would be held while the next one is read
            if on_progress is not None:
                on_progress(min(roster.read - roster.began, total), total)
        if isinstance(roster, JsonRoster):
            self._keep_marks(roster)
        if on_progress is not None:
            on_progress(total, total)
        self._report.refused.sort()
        return self._report

    def _bring(self, block: Block) -> None:
        self._do(lambda: self._take(block))

    def _do(self, act: Callable[[], None]) -> None:
        """One transaction."""
        try:
            with self._store.write():
                act()
                if self._terms.dry_run:
                    raise _DryRun
        except _DryRun:
            pass

    def _refuse_other_key(self, roster: JsonRoster) -> None:
        """Before anything comes in: with this house's key nothing can be mended any more."""
        if (
            roster.marks_said
            and not self._has_key(roster)
            and not (self._terms.dry_run or self._terms.lets_go)
        ):
            raise InputRefused(_other_key(roster.marks_said))

    def _has_key(self, roster: JsonRoster) -> bool:
        return roster.key == self._join.key_name()

    def _keep_marks(self, roster: JsonRoster) -> None:
        """Who had left or was forgotten elsewhere, known by a keyed hash alone. It keeps them out here when the key is
        the same: when a whole house moves. With another key it would say nothing, so it is told and not kept."""
        if not self._has_key(roster):
            self._report.foreign = len(roster.marks)
            return
        by_reason: dict[str, list[str]] = {}
        for mark, reason in roster.marks:
            by_reason.setdefault(reason, []).append(mark)
        self._report.marks = len(roster.marks)

        def keep() -> None:
            for reason, held in by_reason.items():
                self._store.roster.suppress(held, reason=reason, now=self._join.clock())

        self._do(keep)

    def _blocks(self, roster: Roster | JsonRoster) -> Iterator[Block]:
        keep = self._on_refused is not None or isinstance(roster, JsonRoster)
        size = _LINES_WITH_CELLS if keep else _LINES_PER_TRANSACTION
        tongues: dict[str | None, str] = {
            one: self._join.language(one or self._terms.language).value for one in (None, "both", *Reading)
        }
        judge = Judge(
            express=self._terms.basis == "express", languages=tongues, now=self._join.clock(), keeps_cells=keep,
            met=(self._gone, self._seen),
        )  # fmt: skip
        block = Block()
        for lines in roster.batches():
            judge.add(block, lines)
            if block.weight >= size:
                yield block
                block = Block()
        if block.size:
            yield block

    def _take(self, block: Block) -> None:
        """New people at once; whoever is known, or gone, one by one and by the verb itself."""
        for line, reason in block.refused:
            self._refuse(line, reason)
        self._report.shared += block.shared
        self._report.odd += block.odd
        self._look_at_suppressions()
        single = self._keep_out(block)
        for state, people in ((SubscriberState.CONFIRMED, block.into), (SubscriberState.ASKED, block.asked)):
            single += block.lines(self._add(block, people, state), people)
        for line in sorted([*single, *block.again], key=lambda one: one.number):
            self._one(line)
        if self._terms.dry_run:
            self._seen.update(map(hash, block.keys))
        self._suppressed = self._store.suppressions.count()

    def _look_at_suppressions(self) -> None:
        """Somebody may have left or been forgotten since the last block."""
        self._must_look = self._must_look or self._store.suppressions.count() != self._suppressed

    def _keep_out(self, block: Block) -> list[Line]:
        """Marks those who left elsewhere; the lines of those among them whom we know."""
        keys = [key for key, _ in block.gone]
        known = self._store.roster.known(keys) if keys else {}
        single, marked = list[Line](), dict[str, list[str]]()
        for key, line in block.gone:
            if key in known or key in block.keys:
                single.append(line)
                continue
            marked.setdefault(self._why_gone(line), []).append(key)
            self._report.counts["left"] += 1
            self._gone.add(hash(key))
        for reason, held in marked.items():
            self._store.roster.suppress(self._join.marks(held), reason=reason, now=self._join.clock())
        return single

    def _add(self, block: Block, people: People, state: SubscriberState) -> set[str]:
        """Adds who may be added and counts who is here; the keys of the others."""
        if not people.keys:
            return set()
        held = self._held_back(people.keys)
        if block.met:
            held |= block.met.intersection(people.keys)
        free = people.in_order(without=held)
        basis = self._terms.basis if state is SubscriberState.CONFIRMED else "implied"
        there = self._store.roster.bring(
            free, state=state, basis=basis, origin=self._origin, now=self._join.clock()
        )
        if len(free.keys) > len(there):
            self._report.counts[state.value] += len(free.keys) - len(there)
        if self._is_json:
            self._carry(block.cells, set(free.keys).difference(there))
        known = self._store.roster.known(there) if there else {}
        settled = {key for key, found in known.items() if found in _SETTLED}
        if settled:
            self._report.counts["known"] += len(settled)
        return {*held, *there} - settled

    def _carry(self, cells: Mapping[str, Sequence[str]], keys: Collection[str]) -> None:
        """What those who have just come in had chosen at the other place, and what proves their consent there."""
        self._store.roster.carry({key: details_of(cells[key][0]) for key in keys})

    def _held_back(self, keys: Sequence[str]) -> set[str]:
        """Those of them who stand in the suppression list."""
        if not self._must_look:
            return set()
        marks = dict(zip(self._join.marks(keys), keys, strict=True))
        return {marks[mark] for mark in self._store.roster.suppressed(marks)}

    def _one(self, line: Line) -> None:
        try:
            if line.standing >= Standing.LEFT:
                self._join.suppress(line.address, reason=self._why_gone(line))
                self._report.counts["left"] += 1
                self._gone.add(hash(kept_address(line.address)[1]))
                return
            if self._terms.dry_run and self._was_here(line):
                return
            before = self._join.knows(line.address)
            basis = self._terms.basis if line.standing is Standing.SUBSCRIBED else "implied"
            after = self._join.add(
                line.address, basis=basis, origin=self._origin,
                language=line.language or self._terms.language,
            )  # fmt: skip
            self._report.counts[_name(before, after)] += 1
        except InputRefused as refusal:
            self._refuse(line, str(refusal))

    def _why_gone(self, line: Line) -> str:
        return f"{line.standing.name.lower()} before the import: {self._terms.origin}"

    def _was_here(self, line: Line) -> bool:
        """For a dry run: what an earlier block would have done to this person."""
        key = hash(kept_address(line.address)[1])
        if key in self._gone:
            raise InputRefused(consent.ONLY_THEY)
        if key in self._seen:
            self._report.counts["known"] += 1
        return key in self._seen

    def _refuse(self, line: Line, reason: str) -> None:
        self._report.refused.append((line.number, reason))
        if self._on_refused is not None:
            self._on_refused(self._header, line, reason)


def _other_key(count: int) -> str:
    """The sentence for an operator who can still begin with the right key."""
    if count == 1:
        return _OTHER_KEY.format(n="1 address", are="is", them="it")
    return _OTHER_KEY.format(n=f"{count} addresses", are="are", them="them")


def _name(before: Subscriber | None, after: Subscriber) -> str:
    if before is not None and before.state is after.state:
        return "known"
    return "confirmed" if after.state is SubscriberState.CONFIRMED else "asked"
