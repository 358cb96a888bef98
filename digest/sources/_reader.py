"""Reading in child processes, a few and kept warm: what hangs or swells is killed and costs one source one visit."""

import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from digest.errors import ErrorKind, SourceError
from digest.model import Harvest
from digest.sources._child import ANNOUNCED, LINKS, Reply, Request, receive, send
from digest.sources._kind import ParseContext
from digest.sources._starting import start
from digest.sources._watch import Watch

LONGEST_S = (
    20.0  # of wall time, on a machine that may be busy; the slowest honest file takes two seconds of its own
)
_log = logging.getLogger(__name__)


class Reader:
    """Threads may share it. longest_s: wall time for one answer. most: processes at once. begun: those started already."""

    def __init__(
        self,
        *,
        longest_s: float = LONGEST_S,
        most: int | None = None,
        begun: Sequence[subprocess.Popen[bytes]] = (),
    ) -> None:
        self._longest_s = longest_s
        self._most = most or max(1, min(4, _cores()))
        self._places = threading.BoundedSemaphore(2 * self._most)
        self._desks = [_Desk(child) for child in begun]
        self._guard = threading.Lock()
        self._watch = Watch()

    def read(self, kind: str, body: bytes, context: ParseContext) -> tuple[str, Harvest]:
        """The kind (found out when "") and what the answer holds. Raises SourceError."""
        reply = self._ask(Request(kind, body, context))
        if reply.trace:
            _log.debug("reader of %s failed\n%s", reply.kind, reply.trace)
        if reply.harvest is None:
            raise SourceError(reply.error_kind or ErrorKind.PARSE, reply.message)
        return reply.kind, reply.harvest

    def links(self, body: bytes, context: ParseContext, *, announced_only: bool = False) -> tuple[str, ...]:
        """Where a page's feeds and calendars may be, best first; none when it cannot be looked through."""
        try:
            return self._ask(Request(ANNOUNCED if announced_only else LINKS, body, context)).links
        except SourceError:
            return ()

    def close(self) -> None:
        with self._guard:
            desks, self._desks = self._desks, []
            idle = [desk for desk in desks if not desk.jobs]
        for desk in idle:
            _end(desk.child)

    def _ask(self, request: Request) -> Reply:
        """A child that had gone to sleep meanwhile is replaced once, one that another answer broke as often as need be; a new
        one that dies at work has met its answer."""
        fresh = False
        with self._places:
            while True:
                with self._desk(fresh=fresh) as (desk, warm):
                    try:
                        return self._exchange(desk, request)
                    except _BrokenBefore:
                        continue
                    except (EOFError, OSError) as error:
                        if not warm:
                            raise _died() from error
                        fresh = True

    def _exchange(self, desk: "_Desk", request: Request) -> Reply:
        """The next request is laid before the child while it reads this one: then it never waits for us. Its time begins when
        the one before it is done."""
        with desk.inlet:
            alone = desk.outlet.acquire(blocking=False)
            try:
                with self._in_time(desk) if alone else nullcontext():
                    if not desk.broken:
                        desk.put(request)
            except (EOFError, OSError, SourceError) as error:
                desk.broken = True
                if not alone:
                    raise _BrokenBefore from error
                desk.outlet.release()
                raise
            if not alone:
                desk.outlet.acquire()
        try:
            if desk.broken:
                raise _BrokenBefore
            with self._in_time(desk):
                return desk.get()
        finally:
            desk.outlet.release()

    @contextmanager
    def _in_time(self, desk: "_Desk") -> Iterator[None]:
        """Raises SourceError when it takes too long; what fails breaks the child, and whoever waits for it goes elsewhere."""
        late = threading.Event()

        def kill() -> None:
            late.set()
            desk.child.kill()

        try:
            with self._watch.alarm(kill, after_s=self._longest_s):
                yield
        except (EOFError, OSError):
            desk.broken = True
            desk.child.kill()
            if late.is_set():
                raise SourceError(
                    ErrorKind.PARSE, f"The answer took more than {self._longest_s:g} s to read; refused."
                ) from None
            raise

    @contextmanager
    def _desk(self, *, fresh: bool) -> Iterator[tuple["_Desk", bool]]:
        """One with nothing to do, a new one, or the one with the shorter line; and whether it had been there before."""
        with self._guard:
            desk = min(self._desks, key=lambda one: one.jobs, default=None)
            if fresh or desk is None or (desk.jobs and len(self._desks) < self._most):
                desk, warm = _Desk(start()), False
                self._desks.append(desk)
            else:
                warm = True
            desk.jobs += 1
        try:
            yield desk, warm
        finally:
            self._leave(desk)

    def _leave(self, desk: "_Desk") -> None:
        """The last one who leaves a child that is broken, or one too many, puts out the light."""
        with self._guard:
            desk.jobs -= 1
            is_spare = not desk.jobs and len(self._desks) > self._most
            if desk in self._desks and (desk.broken or is_spare):
                self._desks.remove(desk)
            is_over = not desk.jobs and desk not in self._desks
        if is_over:
            _end(desk.child)


class _BrokenBefore(Exception):
    """The child was gone before it came to this request."""


@dataclass(slots=True, eq=False)
class _Desk:
    """A child and who waits for it: at most two, of whom the first is being served. inlet, outlet: held in turn."""

    child: subprocess.Popen[bytes]
    inlet: threading.Lock = field(default_factory=threading.Lock)
    outlet: threading.Lock = field(default_factory=threading.Lock)
    jobs: int = 0
    broken: bool = False

    def put(self, request: Request) -> None:
        assert self.child.stdin is not None
        send(self.child.stdin, request)  # type: ignore[arg-type]

    def get(self) -> Reply:
        assert self.child.stdout is not None
        reply = receive(self.child.stdout)  # type: ignore[arg-type]
        if not isinstance(reply, Reply):
            raise EOFError
        return reply


def _cores() -> int:
    """Those that we may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    child.wait()


def _died() -> SourceError:
    return SourceError(
        ErrorKind.PARSE,
        "The answer broke the program that reads it; it was refused.",
    )
