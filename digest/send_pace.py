"""Letters whose domain wants them more slowly: they wait here, a few hundred of them, and beyond that in the ledger.

Waiting is no refusal: no try is counted, and the rest of the list goes on meanwhile.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from digest.config_mail import DomainPart
from digest.model import DeliveryId, LearnedPace, Letter
from digest.rules.rate import Pace, Paces

ASIDE_MOST = 300
LOOK_AGAIN_S = 0.05  # while letters in hand are all that a domain takes at once
STAY_FOR_S = 900.0  # a run waits so long for a letter that is early; later than that it ends and begins again


def known_paces(learned: Sequence[LearnedPace], domains: Sequence[DomainPart], *, now: datetime) -> Paces:
    """What a run begins with: what config.toml allows, and what earlier runs learned."""
    paces = Paces(domains={one.name: Pace(most_rate=one.rate, most_width=one.connections) for one in domains})
    paces.load(list(learned), now=now)
    return paces


class Keeper(Protocol):
    """`store.paces`, as a run needs it."""

    def all(self) -> list[LearnedPace]: ...
    def keep(self, learned: Sequence[LearnedPace]) -> None: ...
    def put_aside(self, run: int, letters: Sequence[tuple[DeliveryId, datetime]]) -> None: ...
    def note_progress(self, run: int, *, total: int, done: int, now: datetime) -> None: ...


class Gate:
    """Costs nothing while no domain has a pace."""

    def __init__(self, paces: Paces, *, clock: Callable[[], datetime]) -> None:
        self.paces = paces
        self._clock = clock
        self._aside: dict[str, deque[Letter]] = {}
        self._in_hand: Counter[str] = Counter()
        self._behind: Counter[str] = Counter()  # put back into the ledger by this run
        self._due_s: deque[float] = deque()  # when the first of those may be claimed again

    def ready(self) -> list[Letter]:
        """Those that waited here and may go now."""
        found: list[Letter] = []
        for domain in list(self._aside):
            waiting = self._aside[domain]
            while waiting and self._may_go(domain):
                found.append(waiting.popleft())
                self._begin(domain)
            if not waiting:
                del self._aside[domain]
        return found

    def admit(
        self, letters: Sequence[tuple[Letter, str]]
    ) -> tuple[list[Letter], list[tuple[DeliveryId, datetime]]]:
        """(those that may go now, those to be put back into the ledger until a time). The rest waits here."""
        going: list[Letter] = []
        back: list[tuple[DeliveryId, datetime]] = []
        for letter, domain in letters:
            if domain not in self.paces.domains:
                going.append(letter)
            elif domain not in self._aside and self._may_go(domain):
                self._begin(domain)
                going.append(letter)
            elif self._held() < ASIDE_MOST:
                self._aside.setdefault(domain, deque()).append(letter)
            else:
                back.append((letter.delivery, self._turn(domain)))
        return going, back

    def answered(self, domain: str) -> None:
        """One letter in hand has its outcome."""
        if self._in_hand[domain] > 0:
            self._in_hand[domain] -= 1

    def rest_s(self) -> float | None:
        """How long until more may go; None: nothing of this run waits for its pace."""
        now_s = time.monotonic()
        while self._due_s and self._due_s[0] <= now_s - 1:
            self._due_s.popleft()
        waits = [self._wait_s(domain, now_s) for domain in self._aside]
        waits += [self._due_s[0] - now_s] if self._due_s and self._due_s[0] - now_s < STAY_FOR_S else []
        return max(0.005, min(waits)) if waits else None

    # --- steps -------------------------------------------------------------------------------------------------

    def _may_go(self, domain: str) -> bool:
        return self._wait_s(domain, time.monotonic()) <= 0

    def _wait_s(self, domain: str, now_s: float) -> float:
        pace = self.paces.domains[domain]
        wait_s = pace.wait_s(now_s)
        is_full = pace.width and self._in_hand[domain] >= pace.width
        return max(wait_s, LOOK_AGAIN_S) if is_full else wait_s

    def _begin(self, domain: str) -> None:
        self.paces.domains[domain].spend(time.monotonic())
        self._in_hand[domain] += 1

    def _held(self) -> int:
        return sum(map(len, self._aside.values()))

    def _turn(self, domain: str) -> datetime:
        """When its turn comes by the pace of today, so that each is claimed again about then."""
        rate = self.paces.domains[domain].rate or 1.0
        seconds = (len(self._aside.get(domain, ())) + self._behind[domain] + 1) / rate
        self._behind[domain] += 1
        self._due_s.append(time.monotonic() + seconds)
        return self._clock() + timedelta(seconds=seconds)
