"""One run over one issue: the ledger that a transport works against. It judges every answer, and renews or loses its lease.

Nobody is marked failed before the mail server has taken a letter of this issue: until then such answers wait in memory.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from digest.errors import RenderError
from digest.model import Delivery, DeliveryId, DeliveryState, IssueId, Letter, Outcome, PauseReason
from digest.rules.pace import Watch, is_ours, retry_at
from digest.rules.rate import DOMAIN_RESTS, Pace, Paces, pushes_back
from digest.send_canary import Canaries
from digest.send_log import act
from digest.send_pace import Gate, Keeper

LEASE_S = 60.0
RENEW_S = 10.0
KEEP_S = 2.0  # how often what was learned, and how far we are, is written down
LOOK_S = 0.25  # how often the issue is asked whether it is still to be sent


_SENT = DeliveryState.SENT
_DONE = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNSURE)


class Deliveries(Protocol):
    """The rows of the ledger, as a run needs them."""

    def claim(self, run: int, *, count: int, now: datetime) -> list[Delivery]: ...
    def commit(
        self,
        run: int,
        *,
        outcomes: Sequence[Outcome],
        intents: Sequence[tuple[DeliveryId, int]],
        now: datetime,
    ) -> set[DeliveryId]: ...
    def renew(self, run: int, *, now: datetime, lease_s: float) -> bool: ...
    def release(self, run: int) -> int: ...
    def end_run(self, run: int, *, now: datetime) -> None: ...
    def recover(self, issue_id: IssueId, *, now: datetime, alone: bool = False) -> tuple[int, int]: ...


class Books(Protocol):
    """The store, as a run needs it."""

    @property
    def deliveries(self) -> Deliveries: ...
    @property
    def canaries(self) -> Canaries: ...
    @property
    def paces(self) -> Keeper: ...

    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...
    def begun(self) -> AbstractContextManager[Callable[[], None]]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. total: letters that could be sent when it began."""

    total: int
    sent: int
    deferred: int
    failed: int
    unsure: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run is told. make: one delivery becomes its letter (RenderError, ValueError: this reader's alone).

    wanted: whether the issue is still to be sent. resend: letters in doubt go again by themselves.
    first_only: those alone that go ahead of the rest.
    """

    issue: IssueId
    total: int
    accepted: bool
    make: Callable[[Delivery], Letter]
    wanted: Callable[[], bool]
    clock: Callable[[], datetime]
    stop: Callable[[], bool] | None = None
    on_progress: Callable[[Progress], None] | None = None
    resend: bool = False
    paces: Paces = field(default_factory=Paces)
    first_only: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A commit in two halves (the Protocol of digest.mail)."""

    passed: Collection[DeliveryId]
    finish: Callable[[], None]
    done: Callable[[], None]


class Run:
    """The ledger of one run (the Protocol of digest.mail). `close` must follow, whatever happened."""

    def __init__(self, store: Books, number: int, terms: Terms) -> None:
        self._store, self._number, self._terms = store, number, terms
        self._watch = Watch(accepted=terms.accepted, shunned=_resting(terms.paces))
        self._gate = Gate(terms.paces, clock=terms.clock)
        self._known: dict[DeliveryId, Delivery] = {}  # in our hands
        self._passed: set[DeliveryId] = set()  # committing: the dot may be written
        self._pending: list[Outcome] = []  # decided by us, to be written with the next commit
        self._early: deque[Outcome] = deque()  # failures, while the relay has taken nothing yet
        self._last_refusal: Outcome | None = None
        self._unwanted = False
        self._is_committing = False  # in other hands: the store is left alone meanwhile
        self._began_s = self._looked_s = self._renewed_s = self._kept_s = time.monotonic()
        self.counts = dict.fromkeys(DeliveryState, 0)

    @property
    def halt(self) -> PauseReason | None:
        """Why the run must pause; None: it need not."""
        return self._watch.halt

    @property
    def shunned(self) -> dict[str, str]:
        """Domains that refuse us, with their words: nobody there was marked."""
        return self._watch.shunned

    # --- what a transport asks ---------------------------------------------------------------------------------

    def claim(self, count: int) -> list[Letter]:
        while not self.stopping():
            ready = self._gate.ready()
            if len(ready) >= count:
                return ready
            with self._store.write():
                rows = self._store.canaries if self._terms.first_only else self._store.deliveries
                deliveries = rows.claim(self._number, count=count, now=self._terms.clock())
            letters = [letter for one in deliveries if (letter := self._letter(one)) is not None]
            if letters and self.paces.domains:
                letters = self._paced(letters)
            if ready or letters or not deliveries:
                return ready + letters
        return []

    def rest_s(self) -> float | None:
        return self._gate.rest_s()

    @property
    def paces(self) -> Paces:
        return self._terms.paces

    def commit(
        self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]
    ) -> Collection[DeliveryId]:
        pending = self.begin(outcomes, intents)
        pending.finish()
        pending.done()
        return pending.passed

    def begin(self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]) -> Pending:
        judged, watch, domains = self._pending.copy(), self._watch, self.paces.domains
        for outcome in outcomes:
            if outcome.state is _SENT and not (self._early or domains or watch.is_wary):
                watch.saw(outcome, domain="")
                judged.append(outcome)  # nearly all
            else:
                judged += self._judged(outcome)
        with self._store.begun() as finish:
            self._renew_if_due()
            passed = self._store.deliveries.commit(
                self._number, outcomes=judged, intents=intents, now=self._terms.clock()
            )
            if len(passed) < len(intents):  # somebody left, or we were declared dead
                self._renew()
        self._is_committing = True

        def finish_and_tell() -> None:
            try:
                finish()
            finally:
                self._is_committing = False

        def done() -> None:
            self._pending = []
            counts, forget = self.counts, self._known.pop
            for outcome in judged:
                known = forget(outcome.delivery, None)
                counts[outcome.state] += 1
                if domains and known is not None:
                    self._gate.answered(_domain(known))
            self._passed.difference_update(one.delivery for one in outcomes)
            self._passed.update(passed)

        return Pending(passed, finish_and_tell, done)

    def stopping(self) -> bool:
        if self._unwanted or self.halt or (self._terms.stop is not None and self._terms.stop()):
            return True
        if not self._is_committing and time.monotonic() - self._looked_s >= LOOK_S:
            self._looked_s = time.monotonic()
            self._look()
        return self._unwanted

    # --- the end -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Writes what is still unwritten, gives back what was not begun, ends the run. Raises StoreError."""
        verdict = self._watch.verdict_at_end(self._last_refusal)
        if verdict is not None:
            self._watch.halt = self._watch.halt or verdict
        if not self.halt:
            self._pending += self._early
        self._early.clear()
        now = self._terms.clock()
        if self._pending:
            self.commit([], [])
        with self._store.write(durable=True):
            self._keep()
            self._store.deliveries.release(self._number)
            self._store.deliveries.end_run(self._number, now=now)
            self._store.deliveries.recover(self._terms.issue, now=now)
        self._tell()

    # --- steps -------------------------------------------------------------------------------------------------

    def _letter(self, delivery: Delivery) -> Letter | None:
        """None: it cannot go now; its outcome waits for the next commit."""
        self._known[delivery.id] = delivery
        words = self._watch.shunned.get(_domain(delivery)) if self._watch.shunned else None
        if words is not None:
            code, _, reply = words.partition(" ")
            self._pending += self._put_off(
                Outcome(delivery=delivery.id, state=DeliveryState.DEFERRED, code=int(code), reply=reply)
            )
            return None
        try:
            return self._terms.make(delivery)
        except (RenderError, ValueError) as error:
            reason = str(error) if isinstance(error, RenderError) else type(error).__name__
            self._pending.append(
                Outcome(delivery=delivery.id, state=DeliveryState.FAILED, reply=f"render: {reason}")
            )
            return None

    def _judged(self, outcome: Outcome) -> list[Outcome]:
        """What is to be written for an answer; more when it sets free what waited, nothing when it must wait."""
        known = self._known.get(outcome.delivery)
        attempts, domain = (known.attempts, _domain(known)) if known else (0, "")
        self._watch.saw(outcome, domain=domain)
        if self.paces.domains or outcome.state is not DeliveryState.SENT:
            self._learn(outcome, domain)
        if outcome.state is DeliveryState.SENT:
            if not self._early:
                return [outcome]
            waited = list(self._early)
            self._early.clear()
            return [outcome, *waited]
        if outcome.state is DeliveryState.UNSURE and self._terms.resend:
            return [outcome._replace(state=DeliveryState.QUEUED)]
        if outcome.state is DeliveryState.DEFERRED:
            self._last_refusal = outcome if is_ours(outcome.code, outcome.reply) else self._last_refusal
            return self._put_off(outcome)
        if outcome.state is DeliveryState.FAILED and outcome.code and not self._watch.accepted:
            return self._early_failure(outcome, attempts)
        return [outcome]

    def _early_failure(self, outcome: Outcome, attempts: int) -> list[Outcome]:
        """The relay has taken nothing yet: the fault may be ours (a blocked address, a wrong login), so we wait."""
        self._last_refusal = outcome
        if outcome.delivery not in self._passed:
            self._early.append(outcome)
            return []
        if attempts:
            return [outcome]
        # The row is `committing` and must leave that state now: a definite answer, to be asked for once more.
        return self._put_off(outcome._replace(state=DeliveryState.DEFERRED))

    def _put_off(self, outcome: Outcome) -> list[Outcome]:
        known = self._known.get(outcome.delivery)
        attempts = known.attempts if known else 0
        not_before = retry_at(attempts + 1, now=self._terms.clock())
        if not_before is None:
            reply = f"given up after {attempts + 1} tries: {outcome.reply}"
            return [outcome._replace(state=DeliveryState.FAILED, reply=reply[:500])]
        return [outcome._replace(not_before=not_before)]

    def _paced(self, letters: list[Letter]) -> list[Letter]:
        """Those that may go now; who is early waits in memory, or in the ledger."""
        going, back = self._gate.admit(
            [(letter, _domain(self._known[letter.delivery])) for letter in letters]
        )
        if back:
            with self._store.write():
                self._store.paces.put_aside(self._number, back)
            for delivery, _ in back:
                self._known.pop(delivery, None)
        return going

    def _learn(self, outcome: Outcome, domain: str) -> None:
        """Faster or slower to this domain; one that refuses us is left alone, by later runs too."""
        if outcome.state is DeliveryState.SENT:
            pace = self.paces.domains.get(domain)
            if pace is not None and pace.is_slowed:
                pace.took(time.monotonic())
        elif domain and outcome.code != 421 and pushes_back(outcome.code, outcome.reply):
            words = f"{outcome.code} {outcome.reply}"
            if self.paces.domain_pushed_back(domain, time.monotonic(), words):
                act(
                    "slower",
                    run=self._number,
                    domain=domain,
                    rate=self.paces.domains[domain].rate,
                    said=words,
                )
        elif domain in self.shunned:
            pace = self.paces.domains.setdefault(domain, Pace())
            if pace.rests_until is None:
                pace.rests_until, pace.changed = self._terms.clock() + DOMAIN_RESTS, True
                pace.words = self.shunned[domain]
                act("domain-rests", level=logging.WARNING, run=self._number, domain=domain, said=pace.words)

    def _keep(self) -> None:
        """Inside a transaction: what was learned, and how far we are."""
        self._kept_s, now = time.monotonic(), self._terms.clock()
        learned = self.paces.learned(now=now)
        if learned:
            self._store.paces.keep(learned)
        self._store.paces.note_progress(self._number, total=self._terms.total, done=self.done, now=now)

    @property
    def done(self) -> int:
        """Letters that this run has an outcome for."""
        return sum(self.counts[state] for state in _DONE)

    def _look(self) -> None:
        """A few times a second: is the lease ours, is the issue still to be sent, and how far are we?"""
        if time.monotonic() - self._kept_s >= KEEP_S:
            with self._store.write():
                self._keep()
        if time.monotonic() - self._renewed_s >= RENEW_S:
            with self._store.write():
                self._renew_if_due()
        if not self._terms.wanted():
            self._unwanted = True
        self._tell()

    def _renew_if_due(self) -> None:
        """Inside a transaction, as _renew, which ends the run when the lease is lost: no dot of ours would pass."""
        if time.monotonic() - self._renewed_s >= RENEW_S:
            self._renew()

    def _renew(self) -> None:
        self._renewed_s = time.monotonic()
        if not self._store.deliveries.renew(self._number, now=self._terms.clock(), lease_s=LEASE_S):
            self._unwanted = True

    def _tell(self) -> None:
        if self._terms.on_progress is not None:
            counts, state = self.counts, DeliveryState
            self._terms.on_progress(
                Progress(
                    self._terms.total, counts[state.SENT], counts[state.DEFERRED], counts[state.FAILED],
                    counts[state.UNSURE], time.monotonic() - self._began_s,
                )
            )  # fmt: skip


def _domain(delivery: Delivery) -> str:
    return delivery.address.key.rpartition("@")[2]


def _resting(paces: Paces) -> dict[str, str]:
    """Domains that refused us not long ago, with their words."""
    return {name: pace.words for name, pace in paces.domains.items() if pace.rests_until is not None}
