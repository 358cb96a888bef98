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
from digest.model import DeliveryId, Issue, IssueId, IssueState, PauseReason, Period
from digest.rules.edition import road
from digest.rules.tokens import Links

_MARK, _SETTLED, _BARRED = "copied", "reconciled_run", "restored_months"
_WORDS = "This database is older than letters that may have left. Say what happened: digest reconcile --help"
_NEVER = (
    "Letters of {period} left after this copy of the database was made, and it knows nothing of them. "
    "Only when you know that none left: digest reconcile --nothing-left"
)
_NOT_OURS = (
    "No letter of ours is named in that log, though letters may have left; nothing was settled. The lines needed hold "
    "message-id=<…>, of letters that the mail server took and queued. Is it the log of the right days?"
)


class Settings(Protocol):
    def get(self, name: str) -> str | None: ...
    def put(self, name: str, value: str) -> None: ...


class Late(Protocol):
    """`store.latecomers`."""

    def open_letters(self, issue_id: IssueId) -> int: ...
    def listed(self, issue_id: IssueId, deliveries: list[DeliveryId]) -> int: ...
    def found_sent(self, issue_id: IssueId, deliveries: list[DeliveryId]) -> int: ...
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

    unknown: issues that began to leave after the copy was made, and of which this database knows nothing. They are
    neither approved nor sent till somebody knows that nothing left.
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
        return bool(runs) and max(number for number, _, _ in runs) > self._known()

    def barred(self) -> tuple[str, ...]:
        """The months that left without this database knowing of it, oldest first."""
        return tuple((self._store.settings.get(_BARRED) or "").split())

    def refuse(self, period: Period) -> None:
        """Raises MoveRefused while it must be settled, and for a month that left unknown to this database."""
        if self.must_be_settled():
            raise MoveRefused(_WORDS, key="desk.why_restored")
        if str(period) in self.barred():
            raise MoveRefused(_NEVER.format(period=period), key="desk.why_left_unknown")

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
        """One transaction: what a log names is sent; all else that has no end is in doubt, unless nothing (else) left.

        Raises MoveRefused for a log that names no letter of ours though runs are noted: it proves nothing.
        """
        now, runs = self._clock(), self._noted()
        late = [(number, period) for number, period, _ in runs if number > self._known()]
        found = self._named_in(log) if log is not None else {}
        if log is not None and late and not found:
            raise MoveRefused(_NOT_OURS)
        everything = self._store.issues.all()
        issues = [one for one in everything if one.state is not IssueState.DRAFT]
        drafts = {str(one.period) for one in everything if one.state is IssueState.DRAFT and one.id in found}
        begun = {str(one.period) for one in issues}
        unknown = drafts | {period for _, period in late if period not in begun and not nothing_left}
        settled, doubtful = 0, 0
        with self._store.write(durable=True):
            for issue in issues:
                named = found.get(issue.id, [])
                strange = self._store.latecomers.listed(issue.id, named) < len(
                    named
                )  # approved anew after the copy
                settled += 0 if strange else self._store.latecomers.found_sent(issue.id, named)
                if strange or not nothing_left:
                    doubtful += self._doubt(issue, now)
            self._store.settings.put(_SETTLED, str(max((number for number, _, _ in runs), default=0)))
            self._store.settings.put(_MARK, "")
            barred = unknown if nothing_left else unknown.union(self.barred())
            self._store.settings.put(_BARRED, " ".join(sorted(barred)))
        return Reconciled(found=settled, doubtful=doubtful, unknown=tuple(sorted(unknown)))

    # --- steps -------------------------------------------------------------------------------------------------

    def _known(self) -> int:
        """The last run that this database knows of, or that was settled."""
        return max(self._store.latecomers.last_run(), int(self._store.settings.get(_SETTLED) or 0))

    def _doubt(self, issue: Issue, now: datetime) -> int:
        if not self._store.latecomers.open_letters(issue.id):
            return 0
        begun, paused = road("doubt")
        self._store.issues.move(issue.id, from_=begun, to=paused, pause_reason=PauseReason("restored"))
        return self._store.latecomers.doubt_all(issue.id, now=now)

    def _named_in(self, log: Iterable[str]) -> dict[IssueId, list[DeliveryId]]:
        """Our letters that a mail server's log speaks of, by their Message-ID."""
        found: dict[IssueId, set[DeliveryId]] = {}
        for line in log:
            for word in _message_ids(line):
                with suppress(TokenRefused):
                    issue, delivery = self._links.read_message_id(word)
                    found.setdefault(issue, set()).add(delivery)
        return {issue: sorted(deliveries) for issue, deliveries in found.items()}

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
