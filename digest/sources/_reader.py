"""Reading in child processes, a few and kept warm: what hangs or swells is killed and costs one source one visit."""

import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

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
        self._places = threading.BoundedSemaphore(most or max(1, min(4, _cores())))
        self._idle = list(begun)
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
            idle, self._idle = self._idle, []
        for child in idle:
            _end(child)

    def _ask(self, request: Request) -> Reply:
        """A child that had gone to sleep meanwhile is replaced once; one that dies at work has met its answer."""
        with self._places, self._child() as (child, warm):
            try:
                return self._exchange(child, request)
            except (EOFError, OSError) as error:
                if not warm:
                    raise _died() from error
            _end(child)
            with self._fresh() as other:
                try:
                    return self._exchange(other, request)
                except (EOFError, OSError) as error:
                    raise _died() from error

    def _exchange(self, child: subprocess.Popen[bytes], request: Request) -> Reply:
        late = threading.Event()

        def kill() -> None:
            late.set()
            child.kill()

        try:
            assert child.stdin is not None
            assert child.stdout is not None
            with self._watch.alarm(kill, after_s=self._longest_s):
                send(child.stdin, request)  # type: ignore[arg-type]
                reply = receive(child.stdout)  # type: ignore[arg-type]
        except (EOFError, OSError):
            child.kill()
            child.wait()  # else one that is still dying would be taken for an idle one
            if late.is_set():
                raise SourceError(
                    ErrorKind.PARSE, f"The answer took more than {self._longest_s:g} s to read; refused."
                ) from None
            raise
        if not isinstance(reply, Reply):
            raise EOFError
        return reply

    @contextmanager
    def _child(self) -> Iterator[tuple[subprocess.Popen[bytes], bool]]:
        with self._guard:
            warm = self._idle.pop() if self._idle else None
        child = warm or start()
        try:
            yield child, warm is not None
        finally:
            self._keep(child)

    @contextmanager
    def _fresh(self) -> Iterator[subprocess.Popen[bytes]]:
        child = start()
        try:
            yield child
        finally:
            self._keep(child)

    def _keep(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            with self._guard:
                self._idle.append(child)
        else:
            _end(child)


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
