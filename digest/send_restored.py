"""An old copy of the database was put back: letters may have left that it knows nothing of. Till then nothing is sent.

Two signs tell: a copy that `digest backup` (or an upgrade) made carries a mark, and the file beside the database counts runs.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from digest.errors import MoveRefused, TokenRefused
from digest.model import DeliveryId, Issue, IssueId, IssueState, Period
from digest.rules.tokens import Links

_MARK, _SETTLED = "copied", "reconciled_run"
_WORDS = "This database is older than letters that may have left. Say what happened: digest reconcile --help"


class Settings(Protocol):
    def get(self, name: str) -> str | None: ...
    def put(self, name: str, value: str) -> None: ...


class Late(Protocol):
    """`store.latecomers`."""

    def open_letters(self, issue_id: IssueId) -> int: ...
    def found_sent(self, deliveries: list[DeliveryId]) -> int: ...
    def doubt_all(self, issue_id: IssueId, *, now: datetime) -> int: ...
    def last_run(self) -> int: ...


class Shelf(Protocol):
    def all(self) -> list[Issue]: ...
    def move(self, issue_id: IssueId, *, from_: Any, to: IssueState, **columns: Any) -> bool: ...


class Store(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def latecomers(self) -> Late: ...
    @property
    def issues(self) -> Shelf: ...

    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """found: letters that a log shows to have left; doubtful: letters of begun or approved issues that may have.

    unknown: issues that began to leave after the copy was made, and of which this database knows nothing.
    """

    found: int = 0
    doubtful: int = 0
    unknown: tuple[str, ...] = ()


class Restored:
    """journal: the file beside the database in which every run is noted before its first letter."""

    def __init__(self, store: Store, journal: Path, *, links: Links, clock: Callable[[], datetime]) -> None:
        self._store, self._journal, self._links, self._clock = store, journal, links, clock

    def must_be_settled(self) -> bool:
        """Whether this database may be older than what was sent."""
        settings = self._store.settings
        if settings.get(_MARK):
            return True
        runs = self._noted()
        known = max(self._store.latecomers.last_run(), int(settings.get(_SETTLED) or 0))
        return bool(runs) and max(number for number, _, _ in runs) > known

    def refuse(self) -> None:
        """Raises MoveRefused while it must be settled."""
        if self.must_be_settled():
            raise MoveRefused(_WORDS)

    def note(self, run: int, period: Period) -> None:
        """Before the first letter of a run leaves. A file that cannot be written is no reason not to send."""
        line = f"{run} {period} {self._clock():%Y-%m-%dT%H:%M:%SZ}\n".encode()
        with suppress(OSError):
            handle = os.open(self._journal, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)

    def settle(self, *, nothing_left: bool, log: Iterable[str] | None) -> Reconciled:
        """One transaction: what a log shows is sent; without a log, all that has no end is in doubt, unless nothing left."""
        now, runs = self._clock(), self._noted()
        issues = [one for one in self._store.issues.all() if one.state is not IssueState.DRAFT]
        found = self._named_in(log) if log is not None else {}
        known = self._store.latecomers.last_run()
        settled, doubtful = 0, 0
        with self._store.write(durable=True):
            for issue in issues:
                settled += self._store.latecomers.found_sent(found.get(issue.id, []))
                if log is None and not nothing_left:
                    doubtful += self._doubt(issue, now)
            self._store.settings.put(_SETTLED, str(max((number for number, _, _ in runs), default=0)))
            self._store.settings.put(_MARK, "")
        begun = {str(one.period) for one in issues}
        unknown = {period for number, period, _ in runs if number > known and period not in begun}
        return Reconciled(found=settled, doubtful=doubtful, unknown=tuple(sorted(unknown)))

    # --- steps -------------------------------------------------------------------------------------------------

    def _doubt(self, issue: Issue, now: datetime) -> int:
        if not self._store.latecomers.open_letters(issue.id):
            return 0
        begun = {IssueState.APPROVED, IssueState.SCHEDULED, IssueState.SENDING}
        self._store.issues.move(
            issue.id,
            from_=begun,
            to=IssueState.PAUSED,
            pause_reason="An older copy of the database was put back.",
        )
        return self._store.latecomers.doubt_all(issue.id, now=now)

    def _named_in(self, log: Iterable[str]) -> dict[IssueId, list[DeliveryId]]:
        """Our letters that a mail server's log speaks of, by their Message-ID."""
        found: dict[IssueId, list[DeliveryId]] = {}
        for line in log:
            for word in _message_ids(line):
                with suppress(TokenRefused):
                    issue, delivery = self._links.read_message_id(word)
                    found.setdefault(issue, []).append(delivery)
        return found

    def _noted(self) -> list[tuple[int, str, str]]:
        """(run, month, when) of each run, as far as the file can be read."""
        try:
            lines = self._journal.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return []
        words = [line.split() for line in lines]
        return [(int(one[0]), one[1], one[2]) for one in words if len(one) == 3 and one[0].isdigit()]


def _message_ids(line: str) -> Iterator[str]:
    start = line.find("<")
    while start >= 0:
        end = line.find(">", start)
        if end < 0:
            return
        yield line[start : end + 1]
        start = line.find("<", end)
