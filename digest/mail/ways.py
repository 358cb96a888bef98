"""The relays of one run, side by side: whose turn it is, who rests, who is down. No socket and no letter is known here."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import monotonic

from digest.errors import MailError
from digest.mail.opening import Relay
from digest.rules.rate import RELAY_RESTS, Pace

AHEAD_MOST = 20  # letters that a relay may be ahead of its share
IDLE_S = 1.0  # a relay that began nothing for so long is not waited for
LOOK_S = 0.02
RESERVE_LOOK_S = 0.2
NARROW_LOOK_S = 6.0  # longer than an idle connection is kept
AT_START, LATER = 3, 5  # connections in a row on which no letter was taken: it is down
WORN_AFTER = 20  # letters after which a 421 is the end of a connection's allowance, not a wish to be slower
_LOG = logging.getLogger("digest.mail")


class Way:
    """One relay during one run. begun, taken: letters; strikes: connections in a row on which none was taken."""

    def __init__(
        self, relay: Relay, *, connections: int, per_connection: int = 0, weight: int = 1, rate: float = 0.0
    ) -> None:
        self.relay, self.connections, self.per_connection = relay, connections, per_connection
        self.weight, self.rate = weight, rate
        self.pace = Pace(most_rate=rate, most_width=connections)
        self.first_is_open = asyncio.Event()
        self.begun = self.taken = self.strikes = 0
        self.began_s = self.begun_at_s = 0.0  # the first letter, the last
        self.fault: MailError | None = None
        self.rests_until_s = 0.0

    def begins(self, now_s: float) -> None:
        self.begun += 1
        self.began_s = self.began_s or now_s
        self.begun_at_s = now_s
        if self.pace.rate:
            self.pace.spend(now_s)

    def took(self) -> None:
        self.taken += 1
        self.strikes = 0
        if self.pace.is_slowed:
            self.pace.took(monotonic())

    def pushed_back(self, now_s: float, words: str) -> None:
        seconds = now_s - self.began_s if self.began_s else 0.0
        if self.pace.push_back(now_s, words, seen=self.taken / seconds if seconds > 1 else 0.0):
            _LOG.info('act=slower relay=%s rate=%g connections=%d said="%s"',
                      self.relay.name, self.pace.rate, self.pace.width, words)  # fmt: skip

    def strikes_out(self, *, at_once: bool) -> bool:
        """One more connection on which nothing was taken; True when it is down now."""
        self.strikes += 1
        return at_once or self.strikes >= (LATER if self.taken else AT_START)


class Ways:
    """All relays of a run. Down and resting ones come back by themselves; the last one that works is never put to rest."""

    def __init__(self, ways: Sequence[Way], *, yields: Callable[[], bool] = lambda: False) -> None:
        """yields: whether a one-off letter wants a connection; the last one of each relay is left to it."""
        self.all, self._yields = list(ways), yields

    def remember(self, now_s: float) -> None:
        """Those that were down when the last run ended rest on, unless nobody else is there."""
        for way in self.all:
            if way.pace.rests_until is not None and self.others_work(way, now_s):
                way.rests_until_s = now_s + RELAY_RESTS.total_seconds()

    def wait_s(self, way: Way, *, place: int, now_s: float) -> float:
        """How long until this relay's connection number `place` may begin a letter; 0: now."""
        if way.pace.width and place >= way.pace.width:
            return NARROW_LOOK_S
        if place == way.connections - 1 and self._yields():
            return NARROW_LOOK_S
        if len(self.all) > 1:
            wait_s = self._turn_s(way, now_s)
            if wait_s > 0:
                return wait_s
        return way.pace.wait_s(now_s) if way.pace.rate else 0.0

    def others_work(self, way: Way, now_s: float) -> bool:
        return any(other is not way and other.rests_until_s <= now_s for other in self.all)

    def rest(self, way: Way, fault: MailError, now_s: float) -> None:
        """It does not work; the others carry its letters meanwhile."""
        way.fault, way.rests_until_s = fault, now_s + RELAY_RESTS.total_seconds()
        way.strikes = 0
        way.pace.is_down, way.pace.changed, way.pace.words = True, True, str(fault)
        _LOG.warning('act=relay-down relay=%s said="%s"', way.relay.name, fault)

    def _turn_s(self, way: Way, now_s: float) -> float:
        if way.rests_until_s > now_s:
            return way.rests_until_s - now_s
        rivals = [one for one in self.all if one is not way and one.rests_until_s <= now_s and one.weight]
        if not way.weight:
            return RESERVE_LOOK_S if rivals else 0.0
        awake = [one for one in rivals if now_s - one.begun_at_s < IDLE_S]
        least = min((one.begun / one.weight for one in awake), default=None)
        is_ahead = least is not None and way.begun / way.weight > least + AHEAD_MOST / way.weight
        return LOOK_S if is_ahead else 0.0
