"""Bringing in a list from elsewhere by the same rules as one person at a time; those who left stay out.

Doing it twice is doing it once: an import that was cut off is simply run again.
"""

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO, TextIOWrapper
from itertools import islice
from typing import BinaryIO, Protocol

from digest.errors import InputRefused
from digest.join import Join
from digest.model import Language, Subscriber, SubscriberState
from digest.rules import consent
from digest.rules.guard import neighbourhood
from digest.rules.roster import Line, Roster, Survey, kept_address, survey
from digest.rules.roster_presets import Standing

# Many, since each transaction touches the whole index of addresses; fewer when the rows must be kept for refusals.
_LINES_PER_TRANSACTION, _LINES_WITH_CELLS = 50_000, 10_000
_CHUNK = 1 << 18
# address, key, language, since, network
Row = tuple[str, str, Language, datetime | None, str | None]


class Crowds(Protocol):
    def suppressed(self, marks: Collection[str]) -> set[str]: ...
    def bring(
        self, rows: Sequence[Row], *, state: SubscriberState, basis: str, origin: str, now: datetime
    ) -> list[bool]: ...


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

    source: the program that wrote the file, as far as its header says; sha256: of the file, as in the consent log.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)
    source: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a list comes in. basis, origin: of everybody's consent, as the operator says."""

    basis: str
    origin: str
    language: str | None = None
    dry_run: bool = False


def bring(
    data: bytes | BinaryIO, *, join: Join, store: Memory, basis: str, origin: str, language: str | None = None,
    dry_run: bool = False, on_progress: Callable[[int], None] | None = None,
    on_refused: Callable[[Sequence[str], Line, str], None] | None = None,
) -> Report:  # fmt: skip
    """Raises InputRefused for a file without addresses. A dry run changes nothing and reports the same.

    data: the bytes, or a file open for reading them twice. on_refused: the header, the line, and why it stays out.
    """
    consent.judged_basis(basis, origin)
    file = BytesIO(data) if isinstance(data, bytes) else data
    looked = survey(iter(lambda: file.read(_CHUNK), b""))
    file.seek(looked.skip)
    text = TextIOWrapper(file, encoding=looked.encoding, errors="replace", newline="")
    terms = Terms(basis=basis, origin=origin, language=language, dry_run=dry_run)
    try:
        with _without_cycle_search():
            return _Import(join, store, terms, looked, on_refused).run(Roster(text), on_progress)
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
        self._suppressions_before = store.suppressions.count() > 0
        self._report = Report(sha256=looked.sha256)
        self._header: Sequence[str] = ()

    def run(self, roster: Roster, on_progress: Callable[[int], None] | None) -> Report:
        self._report.source, self._header = roster.shape.name, roster.header
        done = 0
        keep = self._on_refused is not None
        size = _LINES_WITH_CELLS if keep else _LINES_PER_TRANSACTION
        for block in _blocks(roster.lines(with_cells=keep), size):
            try:
                with self._store.write():
                    self._take(block)
                    if self._terms.dry_run:
                        raise _DryRun
            except _DryRun:
                pass
            done += len(block)
            if on_progress is not None:
                on_progress(done)
        self._report.refused.sort()
        return self._report

    def _take(self, block: list[Line]) -> None:
        """New people at once; whoever is known, or gone, one by one and by the verb itself."""
        fresh: dict[SubscriberState, dict[str, tuple[Row, Line]]] = {
            SubscriberState.CONFIRMED: {}, SubscriberState.ASKED: {},
        }  # fmt: skip
        single: list[Line] = []
        express, oldest = self._terms.basis == "express", self._join.clock() - consent.IMPLIED_LIVES
        into, asked = fresh[SubscriberState.CONFIRMED], fresh[SubscriberState.ASKED]
        languages = {one: self._join.language(one or self._terms.language) for one in (None, "en", "fr")}
        default = languages[None]
        for line in block:
            _, text, tongue, standing, since, network, _ = line
            if standing >= Standing.LEFT:
                single.append(line)
                continue
            try:
                address, key = kept_address(text)
            except InputRefused as refusal:
                self._refuse(line, str(refusal))
                continue
            if not express and since is not None and since < oldest:
                self._refuse(line, "The implied consent of this person has ended: it lasts two years.")
                continue
            place = into if express and standing is Standing.SUBSCRIBED else asked
            if key in into or key in asked:
                single.append(line)
                continue
            row = (
                address,
                key,
                languages.get(tongue, default),
                since,
                neighbourhood(network) if network else None,
            )
            place[key] = (row, line)
        for state, people in fresh.items():
            single += self._add(people, state)
        for line in sorted(single, key=lambda one: one.number):
            self._one(line)
        if self._terms.dry_run:
            self._seen.update(hash(key) for people in fresh.values() for key in people)

    def _add(self, people: dict[str, tuple[Row, Line]], state: SubscriberState) -> list[Line]:
        """Adds who may be added; the lines of the others."""
        if not people:
            return []
        held: set[str] = set()
        if self._suppressions_before:
            marks = dict(zip(self._join.marks(people), people, strict=True))
            held = {marks[mark] for mark in self._store.roster.suppressed(marks)}
        if self._gone or self._seen:
            held |= {key for key in people if hash(key) in self._seen or hash(key) in self._gone}
        # In the order of the index that they go into: neighbours share its pages.
        free = sorted((pair for key, pair in people.items() if key not in held), key=lambda pair: pair[0][1])
        new = self._store.roster.bring(
            [row for row, _ in free],
            state=state,
            basis=self._terms.basis,
            origin=self._origin,
            now=self._join.clock(),
        )
        if any(new):
            self._report.counts[state.value] += sum(new)
        return [people[key][1] for key in held] + [
            line for (_, line), is_new in zip(free, new, strict=True) if not is_new
        ]

    def _one(self, line: Line) -> None:
        try:
            if line.standing >= Standing.LEFT:
                reason = "complained" if line.standing is Standing.COMPLAINED else line.standing.name.lower()
                self._join.suppress(line.address, reason=f"{reason} before the import: {self._terms.origin}")
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


def _name(before: Subscriber | None, after: Subscriber) -> str:
    if before is not None and before.state is after.state:
        return "known"
    return "confirmed" if after.state is SubscriberState.CONFIRMED else "asked"


def _blocks(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    iterator = iter(lines)
    while block := list(islice(iterator, size)):
        yield block
