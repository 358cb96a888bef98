"""The one hand that writes down what visits bring: several at a time while more come in. Nothing is judged here, or lost."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from digest.errors import SourceError
from digest.model import Source
from digest.rules.gather import Fetched

AT_ONCE = 16  # visits: as many pages of the indexes are written once for all of them
LINGER_S = 0.1  # for the next ones; nothing is waited for when none is under way
MOST_CHARS = 4_000_000  # of what waits to be written; whoever brings more waits for the hand


@dataclass(frozen=True, slots=True)
class Brought:
    """What one visit brought: an answer, or why there is none. now: when it began; seconds: how long it took."""

    source: Source
    what: Fetched | SourceError
    now: datetime
    seconds: float

    def chars(self) -> int:
        if isinstance(self.what, SourceError) or self.what.harvest is None:
            return 0
        return sum(len(entry.html) for entry in self.what.harvest.entries)


class Hand:
    """Any number of threads `take`; `keep` is called in a thread of the hand's own, which ends with the block."""

    def __init__(self, keep: Callable[[Sequence[Brought]], object]) -> None:
        self._keep = keep
        self._waiting: list[Brought] = []
        self._chars = 0
        self._closed = False
        self._fault: BaseException | None = None
        guard = threading.Lock()
        self._work, self._room = threading.Condition(guard), threading.Condition(guard)
        self._thread = threading.Thread(target=self._run, name="collect-write")

    def __enter__(self) -> "Hand":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """All that was taken is kept. Raises what keeping raised, once, unless something else is on its way."""
        with self._work:
            self._closed = True
            self._work.notify()
        self._thread.join()
        if self._fault is not None and error is None:
            raise self._fault

    def take(self, brought: Brought) -> None:
        """Returns at once unless too much is waiting. Raises what keeping raised, of whatever visit."""
        with self._room:
            while self._chars > MOST_CHARS and self._fault is None:
                self._room.wait()
            if self._fault is not None:
                raise self._fault
            self._waiting.append(brought)
            self._chars += brought.chars()
            if len(self._waiting) == 1 or self._is_full():
                self._work.notify()

    def _is_full(self) -> bool:
        return len(self._waiting) >= AT_ONCE or self._chars > MOST_CHARS

    def _run(self) -> None:
        try:
            while batch := self._next():
                self._keep(batch)
        except BaseException as fault:  # noqa: BLE001 it is raised again, to whoever visits
            with self._room:
                self._fault = fault
                self._room.notify_all()

    def _next(self) -> list[Brought]:
        """What came in; none when no more will."""
        with self._work:
            self._work.wait_for(lambda: self._waiting or self._closed)
            until = time.monotonic() + LINGER_S
            self._work.wait_for(
                lambda: self._closed or self._is_full(), timeout=max(0.0, until - time.monotonic())
            )
            batch, self._waiting, self._chars = self._waiting, [], 0
            self._room.notify_all()
            return batch
