"""Bringing in a list from elsewhere, line by line through the same verb as everybody; those who left stay out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from digest.errors import InputRefused
from digest.join import Join
from digest.model import SubscriberState
from digest.rules.roster import Line, read_roster

_LINES_PER_TRANSACTION = 500


class Memory(Protocol):
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class _DryRun(Exception):
    """Rolls back what a dry run did."""


@dataclass(slots=True)
class Report:
    """counts: confirmed, asked, known, left. refused: (line number, reason), never the address itself."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, str]] = field(default_factory=list)


def bring(
    data: bytes, *, join: Join, store: Memory, basis: str, origin: str, language: str | None = None,
    dry_run: bool = False, on_progress: Callable[[int], None] | None = None,
) -> Report:  # fmt: skip
    """Raises InputRefused for a file without addresses. A dry run changes nothing and reports the same."""
    report = Report()
    done = 0
    for block in _blocks(read_roster(data)):
        try:
            with store.write():
                for line in block:
                    _take(line, join=join, basis=basis, origin=origin, language=language, report=report)
                if dry_run:
                    raise _DryRun
        except _DryRun:
            pass
        done += len(block)
        if on_progress is not None:
            on_progress(done)
    return report


def _take(line: Line, *, join: Join, basis: str, origin: str, language: str | None, report: Report) -> None:
    try:
        if line.has_left:
            join.suppress(line.address, reason=f"left before the import: {origin}")
            report.counts["left"] += 1
            return
        before = join.knows(line.address)
        after = join.add(line.address, basis=basis, origin=origin, language=line.language or language)
        known = before is not None and before.state is after.state
        report.counts[
            "known" if known else "confirmed" if after.state is SubscriberState.CONFIRMED else "asked"
        ] += 1
    except InputRefused as refusal:
        report.refused.append((line.number, str(refusal)))


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    iterator = iter(lines)
    while block := list(islice(iterator, _LINES_PER_TRANSACTION)):
        yield block
