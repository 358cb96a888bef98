"""An old copy of the database was put back: letters may have left that it knows nothing of. Till then nothing is sent.

Signs tell: a copy that `digest backup` (or an upgrade) made carries a mark; the file beside the database notes runs that it
does not know, or lacks those it knows; the database is another file, or on another machine, than it was.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from digest.errors import MoveRefused, TokenRefused
from digest.model import DeliveryId, Issue, IssueId, IssueState, PauseReason, Period
from digest.rules.edition import road
from digest.rules.tokens import Links
from digest.send_journal import Journal
from digest.send_log import act

_MARK, _NOTED, _PLACE, _BARRED = "copied", "noted_run", "place", "restored_months"
_NEVER = (
    "Letters of {period} left after this copy of the database was made, and it knows nothing of them. "
    "Only when you know that none left: digest reconcile --nothing-left"
)
# Postfix: `postfix/cleanup[7]: 4FxYz: message-id=<…>`, and `4FxYz: milter-reject: END-OF-MESSAGE …` for what it did not take.
_QUEUE_ID = re.compile(r"(?:^|\s)([0-9A-Za-z]{2,20}): (?:(milter-reject|milter-discard|reject|discard): |\S)")
_NOT_OURS = (
    "No letter of ours is named in that log, though letters may have left; nothing was settled. The lines needed hold "
    "message-id=<…>, of letters that the mail server took and queued. Is it the log of the right days?"
)


class Sign(Enum):
    """What tells that letters may have left of which this database knows nothing: its words here, and at the desk."""

    COPY = "This is a copy that was put back, and letters may have left since it was made.", "restored"
    BEHIND = "This database is older than letters that may have left.", "restored"
    LOST = (
        "The file {file}, which lists every run of sending, is not here or lacks its end. "
        "If this database was moved, bring that file along; else it may be an old copy.",
        "moved",
    )
    MOVED = (
        "This database is on another machine, or another file, than when it was last used to send. If it was only moved, "
        "and nothing is sent from the old place: digest reconcile --nothing-left. Else it may be an old copy.",
        "moved",
    )

    @property
    def key(self) -> str:
        """The desk's words for it."""
        return f"desk.why_{self.value[1]}"

    def refusal(self, journal: Journal) -> MoveRefused:
        said, _ = self.value
        words = said.format(file=journal.file.name)
        return MoveRefused(f"{words} Say what happened: digest reconcile --help", key=self.key)


class Settings(Protocol):
    def get(self, name: str) -> str | None: ...
    def put(self, name: str, value: str) -> None: ...


class Late(Protocol):
    """`store.latecomers`."""

    def open_letters(self, issue_id: IssueId) -> int: ...
    def listed(self, issue_id: IssueId, deliveries: list[DeliveryId]) -> int: ...
    def found_sent(self, issue_id: IssueId, deliveries: list[DeliveryId]) -> int: ...
    def withdrawn(self, deliveries: list[DeliveryId]) -> set[DeliveryId]: ...
    def doubt_all(self, issue_id: IssueId, *, now: datetime) -> int: ...
    def last_run(self) -> int: ...
    def last_letter(self) -> int: ...
    def skip_numbers(self, *, runs: int, letters: int) -> None: ...


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
    """journal: what stands beside the database."""

    def __init__(
        self, store: Store, journal: Journal, *, links: Links, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._journal, self._links, self._clock = store, journal, links, clock

    def sign(self) -> Sign | None:
        """What tells that this database may be older than what was sent; None: nothing does."""
        settings, last = self._store.settings, self._journal.last_run()
        if settings.get(_MARK):
            return Sign.COPY
        if last > self._store.latecomers.last_run():
            return Sign.BEHIND
        if last < int(settings.get(_NOTED) or 0):
            return Sign.LOST
        return Sign.MOVED if settings.get(_PLACE) not in {None, self._journal.place()} else None

    def must_be_settled(self) -> bool:
        return self.sign() is not None

    def barred(self) -> tuple[str, ...]:
        """The months that left without this database knowing of it, oldest first."""
        return tuple((self._store.settings.get(_BARRED) or "").split())

    def refuse(self, period: Period) -> None:
        """Raises MoveRefused while it must be settled, and for a month that left unknown to this database."""
        sign = self.sign()
        if sign is not None:
            raise sign.refusal(self._journal)
        if str(period) in self.barred():
            raise MoveRefused(_NEVER.format(period=period), key="desk.why_left_unknown")
        if self._store.settings.get(_PLACE) is None:  # from the first approval on
            with self._store.write():
                self._store.settings.put(_PLACE, self._journal.place())

    def note(self, run: int, period: Period) -> None:
        """Before the first letter of a run leaves."""
        if self._journal.note(run, period, letters=self._store.latecomers.last_letter()):
            with self._store.write():
                self._store.settings.put(_NOTED, str(run))

    def settle(self, *, nothing_left: bool, log: Iterable[str] | None) -> Reconciled:
        """One transaction: what a log names is sent; all else that has no end is in doubt, unless nothing (else) left.

        Raises MoveRefused for a log that names no letter of ours though runs are noted: it proves nothing.
        """
        known, runs, sign = self._store.latecomers.last_run(), self._journal.noted(), self.sign()
        late = {one.period for one in runs if one.run > known}
        found = self._named_in(log) if log is not None else {}
        if log is not None and late and not found:
            raise MoveRefused(_NOT_OURS)
        found = self._open_ends(found)
        everything = self._store.issues.all()
        issues = [one for one in everything if one.state is not IssueState.DRAFT]
        drafts = {str(one.period) for one in everything if one.state is IssueState.DRAFT and one.id in found}
        begun = {str(one.period) for one in issues}
        unknown = drafts | (set() if nothing_left else late - begun)
        with self._store.write(durable=True):
            settled, doubtful = self._settle_all(issues, found, nothing_left=nothing_left)
            if not (sign is Sign.MOVED and nothing_left):
                letters = max([0, *(one.letters for one in runs), *(max(ids) for ids in found.values())])
                self._store.latecomers.skip_numbers(runs=self._journal.last_run(), letters=letters)
            barred = unknown if nothing_left else unknown.union(self.barred())
            kept = {_MARK: "", _NOTED: str(self._journal.last_run()), _PLACE: self._journal.place()}
            for name, value in {**kept, _BARRED: " ".join(sorted(barred))}.items():
                self._store.settings.put(name, value)
        act("reconcile", sign=sign.name.lower() if sign else None, found=settled, unsure=doubtful,
            unknown=" ".join(sorted(unknown)))  # fmt: skip
        return Reconciled(found=settled, doubtful=doubtful, unknown=tuple(sorted(unknown)))

    # --- steps -------------------------------------------------------------------------------------------------

    def _open_ends(self, found: dict[IssueId, list[DeliveryId]]) -> dict[IssueId, list[DeliveryId]]:
        """Without first letters of issues that were taken back."""
        known = self._store.latecomers.withdrawn([one for ids in found.values() for one in ids])
        left = {issue: [one for one in ids if one not in known] for issue, ids in found.items()}
        return {issue: ids for issue, ids in left.items() if ids}

    def _settle_all(
        self, issues: list[Issue], found: dict[IssueId, list[DeliveryId]], *, nothing_left: bool
    ) -> tuple[int, int]:
        settled = doubtful = 0
        for issue in issues:
            named = found.get(issue.id, [])
            is_strange = self._store.latecomers.listed(issue.id, named) < len(
                named
            )  # approved anew after the copy
            settled += 0 if is_strange else self._store.latecomers.found_sent(issue.id, named)
            if is_strange or not nothing_left:
                doubtful += self._doubt(issue, self._clock())
        return settled, doubtful

    def _doubt(self, issue: Issue, now: datetime) -> int:
        if not self._store.latecomers.open_letters(issue.id):
            return 0
        begun, paused = road("doubt")
        self._store.issues.move(issue.id, from_=begun, to=paused, pause_reason=PauseReason("restored"))
        return self._store.latecomers.doubt_all(issue.id, now=now)

    def _named_in(self, log: Iterable[str]) -> dict[IssueId, list[DeliveryId]]:
        """Our letters that a mail server's log speaks of, by their Message-ID, but for those that it refused at the dot."""
        taken: dict[str, set[tuple[IssueId, DeliveryId]]] = {}
        refused: set[str] = set()
        for line in log:
            queued = _QUEUE_ID.search(line)
            if queued and queued[2]:
                refused.add(queued[1])
            for word in _message_ids(line):
                with suppress(TokenRefused):
                    ours = self._links.read_message_id(word)
                    taken.setdefault(queued[1] if queued else "", set()).add(ours)
        left = sorted(
            {ours for number, all_ours in taken.items() if number not in refused for ours in all_ours}
        )
        return {issue: [one for at, one in left if at == issue] for issue, _ in left}


def _message_ids(line: str) -> Iterator[str]:
    start = line.find("<")
    while start >= 0:
        end = line.find(">", start)
        if end < 0:
            return
        yield line[start : end + 1]
        start = line.find("<", end)
