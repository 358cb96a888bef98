"""One TCP connection as asyncio gives it: bytes in, replies out, step by step while it opens, by call-back afterwards."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable

from digest.mail.replies import Replies, Reply

QUIT_TIMEOUT_S = 2.0


class ConnectionEnded(Exception):
    """The other side closed or broke the connection, or answered what is no reply."""


class Connection(asyncio.Protocol):
    """Collects replies. While opening, `reply()` waits for the next; `hand_over` then sends them to call-backs."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.ready = False  # greeted and logged in: MAIL may be said
        self.gone = False  # the socket is closed
        self.full = False  # bytes of ours wait in this process: the kernel takes no more
        self._replies = Replies()
        self._arrived: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._end: str | None = None
        self._on_replies: Callable[[list[Reply]], None] | None = None
        self._on_drained: Callable[[], None] | None = None
        self._on_lost: Callable[[str], None] | None = None

    # --- asyncio calls these -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=1, low=0)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # body and dot in two writes: 40 ms without it

    def data_received(self, data: bytes) -> None:
        if self._replies.broken():
            return
        replies = self._replies.feed(data)
        if self._on_replies is not None:
            self._on_replies(replies)
        elif replies:
            self._arrived.extend(replies)
            self._wake()
        if self._replies.broken():
            self._ended("it answered with something that is no SMTP reply")

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        if self._on_drained is not None:
            self._on_drained()

    def eof_received(self) -> None:
        self._ended("it closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._ended("the connection broke" if exc is not None else "it closed the connection")

    # --- while it opens ----------------------------------------------------------------------------------------

    async def reply(self) -> Reply:
        """The next reply. Raises ConnectionEnded."""
        while not self._arrived:
            if self._end is not None:
                raise ConnectionEnded(self._end)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._arrived.popleft()

    async def ask(self, command: bytes) -> Reply:
        """One command, one reply. Raises ConnectionEnded."""
        self.write(command + b"\r\n")
        return await self.reply()

    @property
    def holds_more(self) -> bool:
        return bool(self._arrived) or self._replies.holds_more

    # --- afterwards --------------------------------------------------------------------------------------------

    def hand_over(
        self,
        *,
        replies: Callable[[list[Reply]], None],
        drained: Callable[[], None],
        lost: Callable[[str], None],
    ) -> None:
        """From now on call-backs get what arrives, at once what arrived already. `lost` is called once."""
        self._on_replies, self._on_drained, self._on_lost = replies, drained, lost
        if self._arrived:
            waiting = list(self._arrived)
            self._arrived.clear()
            replies(waiting)
        if self._end is not None:
            lost(self._end)

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def part(self) -> None:
        """QUIT. Its answer is awaited for a while (RFC 5321 section 4.1.1.10); whatever that is, or none, is no error."""
        self._on_drained = self._on_lost = None
        self._on_replies = lambda _replies: self.drop()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"QUIT\r\n")
            asyncio.get_running_loop().call_later(QUIT_TIMEOUT_S, self.drop)

    def drop(self) -> None:
        """Ends it at once; what was not yet sent is thrown away."""
        self._on_replies = self._on_drained = self._on_lost = None
        if self.transport is not None:
            self.transport.abort()

    @property
    def usable(self) -> bool:
        return self._end is None and self.transport is not None and not self.transport.is_closing()

    def _ended(self, why: str) -> None:
        if self._end is not None:
            return
        self._end = why
        self._wake()
        if self._on_lost is not None:
            self._on_lost(why)
        if self.transport is not None:
            self.transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
