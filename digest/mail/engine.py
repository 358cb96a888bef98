"""The bulk sender: one event loop, persistent connections, one durable commit a turn. No dot is written before its commit.

The order is the promise (guide: sending, "The send protocol"): body without dot, COMMIT of results and intents, dots.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Collection, Sequence
from time import monotonic
from typing import Any

from digest.errors import MailError, StoreError
from digest.mail.dialogue import Dialogue
from digest.mail.faults import ending, fault
from digest.mail.lane import Dot, Lane
from digest.mail.ledger import Ledger, Pending
from digest.mail.openings import Openings
from digest.mail.scribe import Scribe
from digest.mail.ways import Way, Ways
from digest.model import DeliveryId, DeliveryState, Letter, Outcome
from digest.rules.pace import PATIENCE_S, Phase, patience_s

_SENT = DeliveryState.SENT
_COMES_BACK = (DeliveryState.QUEUED, DeliveryState.UNSURE)  # the ledger may give it out again
BLOCK = 100  # letters claimed at once, at least
DOT_TIMEOUT_S = PATIENCE_S[Phase.DOT]
DRAIN_S = 8.0  # how long a stop waits for the answers to dots already written
GATHER_S = 0.001  # a commit waits so long for others to share it, unless half of those under way do already
SLOW_DISK_S = (
    0.002  # a commit that takes longer is left to a thread: cheaper than that, changing threads costs more
)
TICK_S = 0.2
LOSSES_MOST = 3  # connections that one letter may lose before it is put off
LOSSES_OF_SEVERAL = 12  # the same with several relays: one may be dying and another will take it
KEEP_OPEN_S = 5.0  # a connection that has nothing to do for longer is closed meanwhile
DOUBTS_MOST = 10  # letters in doubt in one run: the run pauses


class Engine:
    """One `carry`: from the first claim until the ledger gives no more or says stop."""

    def __init__(
        self, ways: Sequence[Way], ledger: Ledger, *, timeout_s: float, yields: Callable[[], bool] = lambda: False,
        backoff_s: float = 0.5,
        dot_timeout_s: float = DOT_TIMEOUT_S, drain_s: float = DRAIN_S,
    ) -> None:  # fmt: skip
        self.draining = False
        self._ways = Ways(ways, yields=yields)
        self._ledger = ledger
        self._patience_s = {phase: patience_s(phase, most_s=timeout_s) for phase in Phase}
        self._patience_s[Phase.DOT] = dot_timeout_s
        self._drain_s = drain_s
        places = [(way, place) for way in ways for place in range(way.connections)]
        self._lanes = [Lane(self, way, number=n, place=place) for n, (way, place) in enumerate(places)]
        self._losses_most = LOSSES_MOST if len(ways) == 1 else LOSSES_OF_SEVERAL
        self._block = max(BLOCK, 3 * len(self._lanes))
        self._openings = Openings(self, self._ways, self._lanes, backoff_s=backoff_s)
        self._waiting: deque[Letter] = deque()
        self._exhausted = False  # the last claim gave nothing
        self._may_claim = True
        self._ready: dict[Lane, None] = {}
        self._enough = 1  # lanes that are worth a commit at once
        self._results: list[Outcome] = []
        self._flush: asyncio.Handle | None = None
        self._flush_is_soon = False
        self._losses: dict[DeliveryId, int] = {}
        self._doubts = 0
        self._again_s = 0.0  # before then the ledger has nothing, but it will have
        self._wake: asyncio.TimerHandle | None = None
        self._fault: BaseException | None = None
        self._being_written: tuple[Pending, list[Outcome], list[Dot]] | None = None
        self._is_written = asyncio.Event()  # no commit is under way
        self._is_written.set()
        self._parked: list[Lane] = []  # idle until a commit ends: nothing can be claimed meanwhile
        self._drain_until_s = 0.0

    async def run(self) -> None:
        """Raises MailError (the relay), StoreError (the ledger); every result known by then is recorded first."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._bug)
        for way in self._ways.all:
            way.pace = self._ledger.paces.relay(way.relay.name, rate=way.rate, connections=way.connections)
        self._ways.remember(self._now_s())
        self._scribe = Scribe(patience_s=SLOW_DISK_S if len(self._lanes) > 1 else math.inf)
        sweep = asyncio.create_task(self._sweep())
        lanes = [asyncio.create_task(self._drive(lane)) for lane in self._lanes]
        try:
            await asyncio.wait(lanes)
        except asyncio.CancelledError:  # Ctrl-C: as any other stop
            self._drain()
            await asyncio.wait(lanes)
            raise
        finally:
            sweep.cancel()
            await self._settle()
            self._scribe.close()
        if self._fault is not None:
            raise self._fault

    # --- lanes -------------------------------------------------------------------------------------------------

    async def _drive(self, lane: Lane) -> None:
        try:
            await self._openings.keep_open(lane)
        except Exception as error:  # noqa: BLE001  a bug of ours: the dots on the wire are awaited, then it is raised
            self._fail(error)

    async def has_work(self) -> bool:
        while not self._waiting and not self.draining and (self._results or self._being_written):
            self._write_ledger()  # what came back queued can be claimed again
            while self._being_written is not None:
                await self._is_written.wait()
        if not self._waiting and not self.draining:
            self._top_up()
        return (bool(self._waiting) or self._again_s > self._now_s()) and not self.draining

    def early_s(self) -> float:
        """How long until there is a letter at all; below 0: there may be one now."""
        return 0.0 if self._waiting else self._again_s - self._now_s()

    async def rest(self, seconds: float) -> None:
        end_s = self._now_s() + seconds
        while not self.draining and self._now_s() < end_s and not (self._exhausted and not self._waiting):
            await asyncio.sleep(min(TICK_S, max(0.0, end_s - self._now_s())))

    def ended(self, lane: Lane, dialogue: Dialogue, why: str) -> None:
        """A lane is closed; `why` is empty when nobody is to blame."""
        self._openings.ended(lane, dialogue, why)
        if why and self._doubts >= DOUBTS_MOST and not self.draining:
            relay = lane.way.relay
            self.end_with(fault("dots", relay=relay, count=self._doubts, why=ending(why)))

    def end_with(self, fault: MailError) -> None:
        """The run ends with this reason, unless it has one."""
        if self._fault is None:
            self._fault = fault
            self._drain()

    # --- letters -----------------------------------------------------------------------------------------------

    def next_letter(self, lane: Lane) -> Letter | None:
        if self.draining or self._must_be_judged_first:
            return None
        if not self._waiting and self._may_claim:
            self._top_up()
        if not self._waiting:
            return None
        now_s = self._now_s()
        if self._ways.wait_s(lane.way, place=lane.place, now_s=now_s) > 0:
            return None
        lane.way.begins(now_s)
        return self._waiting.popleft()

    def _top_up(self) -> None:
        if self._exhausted or self._being_written is not None or self._again_s > self._now_s():
            return
        try:
            block = self._ledger.claim(self._block)
        except StoreError as error:
            self._fail(error)
            return
        self._waiting.extend(block)
        if not block:
            rest_s = self._ledger.rest_s()
            self._exhausted = rest_s is None
            self._again_s = self._now_s() + (rest_s or 0.0)

    def parks(self, lane: Lane) -> bool:
        """True: the lane keeps its connection and waits, for its pace or for the end of a commit that lets us claim."""
        early_s = (
            0.0 if self.draining or (self._exhausted and not self._waiting) else self._openings.early_s(lane)
        )
        if 0 < early_s <= KEEP_OPEN_S:
            self._parked.append(lane)
            self._wake_in(early_s)
            return True
        if self._being_written is None or self.draining or early_s > 0:
            return False
        if self._exhausted and not self._must_be_judged_first:
            return False
        self._parked.append(lane)
        return True

    def _wake_in(self, seconds: float) -> None:
        """One timer for all that wait, set to the first of them."""
        loop = asyncio.get_running_loop()
        at_s = loop.time() + seconds
        if self._wake is not None and self._wake.when() <= at_s:
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake = loop.call_at(at_s, self._wakes)

    def _wakes(self) -> None:
        self._wake = None
        parked, self._parked = self._parked, []
        for lane in parked:
            lane.go_on()

    @property
    def _must_be_judged_first(self) -> bool:
        """Refusals need no dot, so lanes could run far ahead of the ledger, which sees when a relay refuses all."""
        return self._being_written is not None and len(self._results) >= len(self._lanes)

    def put_back(self, letter: Letter) -> None:
        """Its dot was never written, so it may go again; a letter that breaks connection after connection waits."""
        losses = self._losses[letter.delivery] = self._losses.get(letter.delivery, 0) + 1
        if losses < self._losses_most or self.draining:
            self._waiting.appendleft(letter)
            return
        reply = f"the connection broke {losses} times before the letter was whole"
        self.note([Outcome(delivery=letter.delivery, state=DeliveryState.DEFERRED, reply=reply)], soon=True)

    def note(self, outcomes: list[Outcome], *, soon: bool, way: Way | None = None) -> None:
        for outcome in outcomes:
            if outcome.state is _SENT and way is not None:
                way.took()
            elif outcome.state is DeliveryState.UNSURE:
                self._doubts += 1
        self._results.extend(outcomes)
        self._flush_by(soon=soon)

    # --- the ledger --------------------------------------------------------------------------------------------

    def is_ready(self, lane: Lane) -> None:
        self._ready[lane] = None
        self._flush_by(soon=len(self._ready) >= self._enough)

    def _flush_by(self, *, soon: bool) -> None:
        """One flush a turn: it runs after the call-backs of all sockets that this turn found ready.

        A commit costs as much for one letter as for ten, and while some lanes wait for it the server reads from the others.
        """
        if self._flush is not None and (self._flush_is_soon or not soon):
            return
        if self._flush is not None:
            self._flush.cancel()
        loop = asyncio.get_running_loop()
        later = loop.call_soon if soon else lambda call: loop.call_later(GATHER_S, call)
        self._flush = later(self._write_ledger)
        self._flush_is_soon = soon

    def _write_ledger(self) -> None:
        """Begins the group commit. What comes meanwhile shares the next one."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._being_written is not None:
            return
        ready = [lane for lane in self._ready if lane.dialogue is not None and lane.dialogue.ready]
        self._ready.clear()
        if self.draining:
            for lane in ready:
                lane.end("stopped")
            ready = []
        results, self._results = self._results, []
        if not results and not ready:
            return
        dots = [lane.next_dot() for lane in ready]
        try:
            pending = self._ledger.begin(results, [(dot.delivery, dot.lane.number) for dot in dots])
        except BaseException as error:
            self._results = results + self._results
            if not isinstance(error, StoreError):
                raise
            self._fail(error)
            return
        for dot in dots:
            dot.lane.held = dot.dialogue
        self._being_written = pending, results, dots
        self._is_written.clear()
        self._look_for_a_stop()  # what was just judged may be the reason
        self._scribe.finish(pending.finish, then=self._recorded)

    def _recorded(self, error: BaseException | None) -> None:
        """The commit is over: the dots, if it is on the disk, and never before."""
        assert self._being_written is not None
        (pending, results, dots), self._being_written = self._being_written, None
        self._is_written.set()
        for dot in dots:
            dot.lane.held = None
        if error is not None:
            self._results = results + self._results
            self._fail(error)
            return
        pending.done()
        if any(one.state in _COMES_BACK for one in results):
            self._exhausted = False  # also when another connection asked in vain before this was written
        self._write_dots(dots, pending.passed)
        if len(self._waiting) < 2 * len(self._lanes) and not self.draining:
            self._top_up()
        self._enough = max(1, sum(lane.dialogue is not None for lane in self._lanes) // 2)
        if self._results or self._ready:
            self._flush_by(soon=len(self._ready) >= self._enough)
        self._wakes()

    def _write_dots(self, dots: list[Dot], passed: Collection[DeliveryId]) -> None:
        """Each has its intent on the disk. Nothing is claimed meanwhile: a claim that fails would come in between."""
        self._may_claim = False
        for lane, dialogue, delivery in dots:
            is_here = lane.dialogue is dialogue and dialogue.ready
            if delivery not in passed:  # left, forgotten, stopped: the receiver must not get its dot
                if is_here:
                    lane.end(keep=False, blame=False)
            elif is_here and lane.connection is not None and lane.connection.usable:
                lane.write_dot()
            else:  # it broke, or the run ended, while the disk was at work
                if is_here:
                    lane.end("closed", keep=False)
                self.note([Outcome(delivery=delivery, state=DeliveryState.QUEUED)], soon=True)
        self._may_claim = True

    def _fail(self, error: BaseException) -> None:
        """Every letter without an intent on the disk is safe: none is begun any more, and the run ends."""
        if self._fault is None:
            self._fault = error
        self._drain()

    async def _settle(self) -> None:
        """The last results. A store that was busy or full gets three more chances, then its error stands."""
        for wait_s in (0.5, 1.0, 1.0):
            self._write_ledger()
            while self._being_written is not None:
                await self._is_written.wait()
            if not self._results:
                break
            await asyncio.sleep(wait_s)
        else:
            self._ledger.commit(self._results, [])
        while any(lane.parting for lane in self._lanes):  # each by its own time-out at the latest
            await asyncio.sleep(0.005)

    # --- time and stops ----------------------------------------------------------------------------------------

    def wait_s(self, phase: Phase | None) -> float:
        """Until when the reply of `phase` is awaited, on the monotonic clock."""
        return monotonic() + self._patience_s[phase or Phase.BODY]

    def _now_s(self) -> float:
        return monotonic()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._look_for_a_stop()
            now_s = self._now_s()
            for lane in self._lanes:
                if lane.dialogue is None or (lane.dialogue.idle and not self.draining):
                    continue  # an idle one waits for its pace, not for an answer
                if now_s > lane.deadline_s:
                    lane.end(f"no answer within the time-out ({lane.dialogue.awaits or Phase.BODY})")
                elif self.draining and now_s > self._drain_until_s:
                    lane.end("stopped while it was awaited")

    def _look_for_a_stop(self) -> None:
        """A store that will not answer now is met, and told, at the next commit."""
        try:
            if not self.draining and self._ledger.stopping():
                self._drain()
        except StoreError:
            return
        except Exception as error:  # noqa: BLE001  a bug of ours, as in _drive
            self._fail(error)

    def _drain(self) -> None:
        """Claim no more, write no more dots; wait only for the answers to dots that are written."""
        if self.draining:
            return
        self.draining = True
        self._drain_until_s = self._now_s() + self._drain_s
        self._openings.stop()
        for lane in self._lanes:
            if lane.dialogue is not None and lane.dialogue.dotted is None:
                lane.end("stopped", goodbye=lane.dialogue.idle)

    def _bug(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception in a call-back is ours: asyncio would only log it."""
        self._fail(context.get("exception") or RuntimeError(context["message"]))
