"""Waits for the disk: at once while it is quick, in a thread of its own while it is slow. It decides nothing else."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from time import monotonic

Then = Callable[[BaseException | None], None]
_MEMORY = 0.1  # how much the last commit counts in what we think of the disk


class Scribe:
    """Made inside a running loop. patience_s: how long a commit may take, on average, with the loop standing still."""

    def __init__(self, *, patience_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience_s = patience_s
        self._usual_s = 0.0
        self._jobs: SimpleQueue[tuple[Callable[[], None], Then] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def finish(self, work: Callable[[], None], *, then: Then) -> None:
        """Does `work`, then calls `then`, in the loop's thread, with the error of `work` or None."""
        if self._usual_s <= self._patience_s:
            then(self._done(work))
            return
        if self._thread is None:
            self._thread = Thread(target=self._work, name="scribe", daemon=True)
            self._thread.start()
        self._jobs.put((work, then))

    def close(self) -> None:
        """After what was handed over."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()

    def _done(self, work: Callable[[], None]) -> BaseException | None:
        began_s = monotonic()
        try:
            work()
        except BaseException as error:  # noqa: BLE001  handed to the loop, which judges it
            return error
        self._usual_s += _MEMORY * (monotonic() - began_s - self._usual_s)
        return None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, then = job
            self._loop.call_soon_threadsafe(then, self._done(work))
