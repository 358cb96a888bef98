"""Keeps the connections of a run open while there is work, each at its relay's pace. No letter is known here."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from digest.errors import MailError
from digest.mail.connection import Connection
from digest.mail.dialogue import Dialogue, Fate
from digest.mail.envelope import Offers
from digest.mail.faults import ending, fault
from digest.mail.lane import Lane
from digest.mail.opening import TryLater, opened
from digest.mail.ways import WORN_AFTER, Way, Ways


class Work(Protocol):
    """What is asked of the engine. early_s: how long until there is any letter at all."""

    draining: bool

    async def has_work(self) -> bool: ...
    async def rest(self, seconds: float) -> None: ...
    def early_s(self) -> float: ...
    def end_with(self, fault: MailError) -> None: ...


class Openings:
    """One `keep_open` for each lane."""

    def __init__(self, work: Work, ways: Ways, lanes: Sequence[Lane], *, backoff_s: float) -> None:
        self._work, self._ways, self._lanes, self._backoff_s = work, ways, lanes, backoff_s
        self._over = [asyncio.Event() for _ in lanes]
        self._openings: set[asyncio.Task[tuple[Connection, Offers]]] = set()

    async def keep_open(self, lane: Lane) -> None:
        """One connection after the other, while there is work."""
        way = lane.way
        if lane.place:
            await way.first_is_open.wait()
        tries = 0
        while await self._work.has_work():
            early_s = self.early_s(lane)
            if early_s > 0:
                await self._work.rest(min(early_s, 1.0))
                continue
            opening = asyncio.create_task(opened(way.relay))
            self._openings.add(opening)
            opening.add_done_callback(self._openings.discard)
            try:
                connection, offers = await opening
            except asyncio.CancelledError:
                if not self._work.draining:
                    raise
                break
            except (TryLater, MailError) as error:
                tries += 1
                await self._work.rest(self._refused(lane, error, tries=tries))
                continue
            if self._work.draining:
                connection.drop()
                break
            tries = 0
            way.first_is_open.set()
            over = self._over[lane.number]
            over.clear()
            lane.start(connection, Dialogue(offers))
            await over.wait()
            if way.strikes:
                await self._work.rest(self._backoff_s * 2 ** min(way.strikes - 1, 6))
        way.first_is_open.set()  # nothing to do, or no way: nobody need wait for us
        for other in self._lanes:  # each moves up: where fewer are wanted, they are among those that are left
            if other.way is way and other.place > lane.place:
                other.place -= 1

    def early_s(self, lane: Lane) -> float:
        """How long until this lane may begin a letter: its relay's pace and turn, or the pace of all that is left."""
        return max(self._work.early_s(), self._ways.wait_s(lane.way, place=lane.place, now_s=monotonic()))

    def stop(self) -> None:
        """Opens no more, and waits for none."""
        for way in self._ways.all:
            way.first_is_open.set()
        for opening in self._openings:
            opening.cancel()

    def ended(self, lane: Lane, dialogue: Dialogue, why: str) -> None:
        """A lane is closed; `why` is empty when nobody is to blame."""
        self._over[lane.number].set()
        if not why or self._work.draining:
            return
        way = lane.way
        if dialogue.last_words.startswith("421") and dialogue.taken < WORN_AFTER:
            way.pushed_back(monotonic(), dialogue.last_words)
        if dialogue.fate is Fate.REFUSED:
            self._strike(way, fault("sender", relay=way.relay, why=ending(why)), at_once=True)
        elif not dialogue.taken:
            self._strike(way, fault("drops", relay=way.relay, why=ending(why)))

    # --- steps -------------------------------------------------------------------------------------------------

    def _refused(self, lane: Lane, error: MailError | TryLater, *, tries: int) -> float:
        """A connection that could not be opened; how long to rest."""
        beside = sum(other.is_open for other in self._lanes if other is not lane and other.way is lane.way)
        if beside:
            lane.way.pace.narrow(beside, str(error))
            return self._backoff_s * float(2 ** min(tries, 6))
        self._strike(lane.way, error, at_once=isinstance(error, MailError))
        return self._backoff_s * float(2 ** min(tries - 1, 6))

    def _strike(self, way: Way, error: MailError | TryLater, *, at_once: bool = False) -> None:
        """One more connection on which nothing was taken. Too many: others take over, or the run ends with the reason."""
        if not way.strikes_out(at_once=at_once):
            return
        reason = error if isinstance(error, MailError) else error.fault
        reason.__cause__ = error.__cause__
        now_s = monotonic()
        if not self._ways.others_work(way, now_s):
            self._work.end_with(reason)
            return
        self._ways.rest(way, reason, now_s)
        for lane in self._lanes:
            if lane.way is way and lane.dialogue is not None and lane.dialogue.dotted is None:
                lane.end("resting", goodbye=lane.dialogue.idle, blame=False)
