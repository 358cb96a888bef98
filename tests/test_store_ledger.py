"""The ledger as a state machine: whatever order of commands, every state is a legal one and nobody gets two letters.

The model beside it is what a mail server would know: which letters had a final dot, and which were answered.
"""

import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from digest.model import Delivery, DeliveryId, DeliveryState, Language, Outcome, SubscriberState
from digest.store.sqlite import open_store
from tests.store_kit import NOW, draft, readers

QUEUED, CLAIMED, COMMITTING = DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING
SENT, DEFERRED, FAILED = DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.FAILED
CANCELLED, UNSURE = DeliveryState.CANCELLED, DeliveryState.UNSURE
LEGAL = {
    QUEUED: {CLAIMED, CANCELLED},
    CLAIMED: {QUEUED, COMMITTING, DEFERRED, FAILED, CANCELLED},
    COMMITTING: {SENT, DEFERRED, FAILED, UNSURE, QUEUED},
    DEFERRED: {CLAIMED, CANCELLED},
    UNSURE: {SENT, DEFERRED, FAILED, QUEUED},
    SENT: set(),
    FAILED: set(),
    CANCELLED: set(),
}
READERS = 6
LEASE_S = 60.0


class Ledger(RuleBasedStateMachine):
    """Two lanes a run; any number of runs, some of which die without a word."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(self.folder / "subscribers.db")
        self.now = NOW
        self.runs: list[int] = []
        self.claimed: list[tuple[int, Delivery]] = []  # what senders hold in their hands
        self.dotted: dict[DeliveryId, tuple[int, int]] = {}  # the dot may be on the wire, no answer known
        self.accepted: dict[DeliveryId, int] = {}  # how often a server said 250
        self.resent: set[DeliveryId] = set()  # a person said: send it again
        self.gone: set[int] = set()
        self.before: dict[DeliveryId, DeliveryState] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize()
    def list_everyone(self) -> None:
        readers(self.store, READERS)
        self.issue = draft(self.store)
        with self.store.write():
            self.store.deliveries.list_audience(self.issue, languages=[Language.EN], now=self.now)
        self.before = self.states()

    def states(self) -> dict[DeliveryId, DeliveryState]:
        return {
            row.id: state
            for state in DeliveryState
            for row in self.store.deliveries.listed(self.issue, state, limit=99)
        }

    # --- what a sender does ------------------------------------------------------------------------------------

    @rule()
    def begin(self) -> None:
        with self.store.write():
            self.runs.append(self.store.deliveries.begin_run(self.issue, now=self.now, lease_s=LEASE_S))

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), count=st.integers(1, 4))
    def claim(self, data: st.DataObject, count: int) -> None:
        run = data.draw(st.sampled_from(self.runs))
        with self.store.write():
            block = self.store.deliveries.claim(run, count=count, now=self.now)
        assert self.gone.isdisjoint(letter.subscriber for letter in block)
        self.claimed += [(run, letter) for letter in block]

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), lane=st.integers(0, 1), foreign=st.booleans())
    def intend(self, data: st.DataObject, lane: int, foreign: bool) -> None:
        """A lane whose last dot is unanswered takes no next letter; a real sender waits for the answer too. foreign: a
        run asks for a letter that another holds."""
        run, letter = data.draw(st.sampled_from(self.claimed))
        asking = data.draw(st.sampled_from(self.runs)) if foreign and self.runs else run
        if (asking, lane) in self.dotted.values():
            return
        with self.store.write(durable=True):
            passed = self.store.deliveries.commit(
                asking, outcomes=[], intents=[(letter.id, lane)], now=self.now
            )
        if passed:
            assert letter.subscriber not in self.gone
            assert letter.id not in self.dotted
            assert (asking, letter.id) in [(holder, one.id) for holder, one in self.claimed]
            assert letter.id not in self.accepted or letter.id in self.resent
            self.dotted[letter.id] = (asking, lane)

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), state=st.sampled_from([QUEUED, DEFERRED, FAILED, SENT, UNSURE]))
    def refuse_before_the_dot(self, data: st.DataObject, state: DeliveryState) -> None:
        run, letter = data.draw(st.sampled_from(self.claimed))
        if self.dotted.get(letter.id, (None, 0))[0] != run:
            self.answer(run, letter.id, state)

    @precondition(lambda self: self.dotted)
    @rule(data=st.data(), state=st.sampled_from([SENT, DEFERRED, FAILED, UNSURE, QUEUED]))
    def answer_a_dot(self, data: st.DataObject, state: DeliveryState) -> None:
        """queued: the sender knows that it never wrote the dot after all."""
        letter = data.draw(st.sampled_from(sorted(self.dotted)))
        run, _ = self.dotted[letter]
        if state is not UNSURE:
            del self.dotted[letter]
        if state is SENT:
            self.accepted[letter] = self.accepted.get(letter, 0) + 1
        self.answer(run, letter, state)

    def answer(self, run: int, letter: DeliveryId, state: DeliveryState) -> None:
        not_before = self.now + timedelta(minutes=15) if state is DEFERRED else None
        outcome = Outcome(delivery=letter, state=state, code=250, not_before=not_before)
        with self.store.write(durable=True):
            self.store.deliveries.commit(run, outcomes=[outcome], intents=[], now=self.now)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        with self.store.write():
            self.store.deliveries.renew(data.draw(st.sampled_from(self.runs)), now=self.now, lease_s=LEASE_S)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))
        with self.store.write():
            self.store.deliveries.release(run)
            self.store.deliveries.end_run(run, now=self.now)

    # --- what happens to it ------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([0, 2, 20]))
    def time_passes_and_the_dead_are_sorted(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        with self.store.write():
            self.store.deliveries.recover(self.issue, now=self.now)

    @rule(number=st.integers(1, READERS), forgotten=st.booleans())
    def leave(self, number: int, forgotten: bool) -> None:
        if number in self.gone:
            return
        self.gone.add(number)
        found = self.store.subscribers.everyone(after=number - 1, limit=1)
        with self.store.write():
            if forgotten:
                self.store.subscribers.forget(found[0].id)
            else:
                self.store.subscribers.save(replace(found[0], state=SubscriberState.LEFT))
                self.store.deliveries.cancel(found[0].id)

    @precondition(lambda self: UNSURE in self.before.values())
    @rule(data=st.data(), again=st.booleans())
    def an_editor_ends_a_doubt(self, data: st.DataObject, again: bool) -> None:
        doubts = self.store.deliveries.listed(self.issue, UNSURE, limit=99)
        letter = data.draw(st.sampled_from([doubt.id for doubt in doubts]))
        with self.store.write():
            assert self.store.deliveries.settle(letter, state=QUEUED if again else SENT, note="by hand")
        if again:
            self.resent.add(letter)
            self.dotted.pop(letter, None)

    # --- what always holds -------------------------------------------------------------------------------------

    @invariant()
    def the_ledger_is_sound(self) -> None:
        before, after = self.before, self.states() if self.before else {}
        self.before = after
        assert set(after) == set(before), "nobody is lost and nobody is added"
        for letter, state in after.items():
            assert state is before[letter] or state in LEGAL[before[letter]], (
                f"{before[letter]} became {state}"
            )
        for letter in self.dotted:
            assert after[letter] in (COMMITTING, UNSURE, SENT), (
                "what may be on its way never waits to be sent"
            )
        for letter, times in self.accepted.items():
            assert letter in self.resent or (times, after[letter]) == (1, SENT), (
                "accepted is for ever, and once"
            )
        for state, count in (self.store.deliveries.counts(self.issue) if after else {}).items():
            assert count == sum(1 for found in after.values() if found is state)


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=150, stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)
