"""One TCP connection: bytes in, replies out, step by step while it opens, by call-back afterwards. TLS where it is asked for.

On the socket itself, watched by the loop: asyncio's streams cost a third of the processor time of a letter, its TLS more.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence

from digest.mail.replies import Replies, Reply

QUIT_TIMEOUT_S = 2.0
_CHUNK = 8_192  # more than any group of replies holds
_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class ConnectionEnded(Exception):
    """The other side closed or broke the connection, or answered what is no reply."""


class Connection:
    """Collects replies. While opening, `reply()` waits for the next; `hand_over` then sends them to call-backs."""

    def __init__(self) -> None:
        self.ready = False  # greeted and logged in: MAIL may be said
        self.gone = False  # the socket is closed
        self.full = False  # bytes of ours wait in this process: the kernel takes no more
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._is_secure = False
        self._unsent: deque[memoryview] = deque()
        self._replies = Replies()
        self._arrived: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._end: str | None = None
        self._on_replies: Callable[[list[Reply]], None] | None = None
        self._on_drained: Callable[[], None] | None = None
        self._on_lost: Callable[[str], None] | None = None

    # --- while it opens ----------------------------------------------------------------------------------------

    async def open(self, server: str, port: int, *, tls: ssl.SSLContext | None) -> None:
        """To the first address of the server that answers. Raises OSError (ssl.SSLError is one), ConnectionEnded."""
        refusal = OSError()
        for family, kind, protocol, _, address in await self._loop.getaddrinfo(
            server, port, type=socket.SOCK_STREAM
        ):
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setblocking(False)
            try:
                await self._loop.sock_connect(self._socket, address)
                break
            except OSError as error:
                refusal = error
                self._socket.close()
                self._socket = None
        if self._socket is None:
            raise refusal
        # Body and dot leave in two writes: 40 ms without it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            await self._secure(tls, server)
        self._loop.add_reader(self._socket, self._readable)

    async def start_tls(self, context: ssl.SSLContext, *, server: str) -> None:
        """Raises as `open`."""
        assert self._socket is not None
        self._loop.remove_reader(self._socket)
        await self._secure(context, server)
        self._loop.add_reader(self._socket, self._readable)

    async def reply(self) -> Reply:
        """The next reply. Raises ConnectionEnded."""
        while not self._arrived:
            if self._end is not None:
                raise ConnectionEnded(self._end)
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._arrived.popleft()

    async def ask(self, command: bytes) -> Reply:
        """One command, one reply. Raises ConnectionEnded."""
        self.write([command, b"\r\n"])
        return await self.reply()

    @property
    def holds_more(self) -> bool:
        return bool(self._arrived) or self._replies.holds_more

    @property
    def peer(self) -> str:
        """The network address of the other side."""
        assert self._socket is not None
        return str(self._socket.getpeername()[0])

    @property
    def own(self) -> str:
        """The network address from which we speak."""
        assert self._socket is not None
        return str(self._socket.getsockname()[0])

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

    def write(self, pieces: Sequence[bytes]) -> None:
        """At once what the kernel takes, the rest (`full`) as it takes more, then `drained` is called."""
        if self._socket is None:
            return
        sent = 0
        if not self._unsent:
            try:
                # The kernel gathers them, so nothing is copied here; OpenSSL wants them in one.
                sent = (
                    self._socket.send(b"".join(pieces)) if self._is_secure else self._socket.sendmsg(pieces)
                )
                if sent == sum(map(len, pieces)):
                    return
            except _NOT_NOW:
                pass
            except OSError:
                self._loop.call_soon(self._ended, "the connection broke")
                return
            self._loop.add_writer(self._socket, self._writable)
        self._unsent.append(memoryview(b"".join(pieces))[sent:])
        self.full = True

    def part(self) -> None:
        """QUIT. Its answer is awaited for a while (RFC 5321 section 4.1.1.10); whatever that is, or none, is no error."""
        self._on_drained = self._on_lost = None
        self._on_replies = lambda _replies: self.drop()
        if self._socket is not None:
            self.write([b"QUIT\r\n"])
            self._loop.call_later(QUIT_TIMEOUT_S, self.drop)

    def drop(self) -> None:
        """Ends it at once; what was not yet sent is thrown away."""
        self._on_replies = self._on_drained = self._on_lost = None
        self.gone = True
        self._unsent.clear()
        if self._socket is not None and self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
        self._socket = None

    @property
    def usable(self) -> bool:
        return self._end is None and self._socket is not None

    # --- the socket --------------------------------------------------------------------------------------------

    async def _secure(self, context: ssl.SSLContext, server: str) -> None:
        assert self._socket is not None
        self._socket = secured = context.wrap_socket(
            self._socket, server_hostname=server, do_handshake_on_connect=False
        )
        while True:
            try:
                secured.do_handshake()
                self._is_secure = True
                return
            except ssl.SSLWantReadError:
                await self._until(self._loop.add_reader, self._loop.remove_reader)
            except ssl.SSLWantWriteError:
                await self._until(self._loop.add_writer, self._loop.remove_writer)
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError) as error:
                raise ConnectionEnded("it closed the connection") from error

    async def _until(self, watch: Callable[..., None], unwatch: Callable[..., object]) -> None:
        there = self._loop.create_future()
        watch(self._socket, lambda: None if there.done() else there.set_result(None))
        try:
            await there
        finally:
            if self._socket is not None:
                unwatch(self._socket)

    def _readable(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_CHUNK)
            while data and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
                data += self._socket.recv(_CHUNK)
        except _NOT_NOW:
            return
        except OSError:
            self._ended("the connection broke")
            return
        if not data:
            self._ended("it closed the connection")
            return
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

    def _writable(self) -> None:
        if self._socket is None:
            return
        try:
            while self._unsent:
                first = self._unsent[0]
                sent = self._socket.send(first)
                if sent < len(first):
                    self._unsent[0] = first[sent:]
                else:
                    self._unsent.popleft()
        except _NOT_NOW:
            return
        except OSError:
            self._ended("the connection broke")
            return
        self._loop.remove_writer(self._socket)
        self.full = False
        if self._on_drained is not None:
            self._on_drained()

    def _ended(self, why: str) -> None:
        if self._end is not None:
            return
        self._end = why
        self._wake()
        on_lost = self._on_lost
        if on_lost is not None:
            on_lost(why)
        self.drop()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
