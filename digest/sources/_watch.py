"""Alarms: something is done when its time is over, unless it is called off before. One thread for all, not one each."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NEVER: tuple[float, int, Callable[[], None]] = (math.inf, -1, lambda: None)


class Watch:
    """Threads may share it. Its own thread starts with the first alarm and sleeps while there is none."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._alarms: list[tuple[float, int, Callable[[], None]]] = []
        self._off: set[int] = set()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._wakes_at = math.inf

    @contextmanager
    def alarm(self, act: Callable[[], None], *, after_s: float) -> Iterator[None]:
        """Does `act` once, from another thread, when the block takes longer. act: short, raises nothing."""
        number = self._set(act, time.monotonic() + after_s)
        try:
            yield
        finally:
            with self._turn:
                self._off.add(number)
                while self._alarms and self._alarms[0][1] in self._off:
                    self._off.discard(heapq.heappop(self._alarms)[1])
                if not self._alarms:
                    self._off.clear()

    def _set(self, act: Callable[[], None], at: float) -> int:
        with self._turn:
            number = next(self._numbers)
            heapq.heappush(self._alarms, (at, number, act))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._sit, daemon=True, name="watch")
                self._thread.start()
            elif at < self._wakes_at:
                self._turn.notify()
            return number

    def _sit(self) -> None:
        while True:
            with self._turn:
                at, number, act = self._alarms[0] if self._alarms else _NEVER
                left_s = at - time.monotonic()
                if left_s > 0:
                    self._wakes_at = at
                    self._turn.wait(min(left_s, threading.TIMEOUT_MAX))
                    continue
                heapq.heappop(self._alarms)
                called_off = number in self._off
                self._off.discard(number)
            if not called_off:
                act()
