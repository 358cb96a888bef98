"""A loopback web server whose answers are scripted, and which remembers what it was asked. Raw sockets: it may misbehave."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import BaseServer

Script = Callable[["Asked", socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """One request: its path with query, its headers in lower case, and when it came."""

    path: str
    headers: dict[str, str]
    at: float
    body: bytes = b""  # as much of it as came with the headers


@dataclass
class Site:
    """`site.pages[path]` is a Script, or bytes that are answered with 200."""

    port: int
    host: str
    pages: dict[str, Script | bytes] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"


def answer(body: bytes = b"", *, status: int = 200, **headers: str) -> Script:
    """An honest answer; `content_type="…"` becomes Content-Type."""

    def script(_asked: Asked, connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return script


def raw(*pieces: bytes, pause_s: float = 0.0) -> Script:
    """Bytes as they are, with a pause before each."""

    def script(_asked: Asked, connection: socket.socket) -> None:
        for piece in pieces:
            time.sleep(pause_s)
            connection.sendall(piece)

    return script


def in_turn(*scripts: Script) -> Script:
    """The first visit gets the first, and so on; the last one stays."""
    left = list(scripts)

    def script(asked: Asked, connection: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(asked, connection)

    return script


@contextmanager
def running(server: BaseServer) -> Iterator[int]:
    """A server of the standard library in a thread of its own, by its port; ended and waited for afterwards."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Site]:
    """A site on a free port of a loopback address."""
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.settimeout(0.05)
    site = Site(listener.getsockname()[1], host)
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(10)
            threads.append(thread := threading.Thread(target=_serve, args=(site, connection), daemon=True))
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield site
    finally:
        stop.set()
        acceptor.join()
        listener.close()
        for thread in threads:
            thread.join(5)


_open = 0
_guard = threading.Lock()


def _serve(site: Site, connection: socket.socket) -> None:
    global _open
    with _guard:
        _open += 1
        site.most_at_once = max(site.most_at_once, _open)
    try:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(4096)
                if not piece:
                    return
                head += piece
            lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            asked = Asked(lines[0].split(" ")[1], headers, time.monotonic(), head.partition(b"\r\n\r\n")[2])
            site.asked.append(asked)
            page = site.pages.get(asked.path, answer(b"no such page", status=404))
            (answer(page) if isinstance(page, bytes) else page)(asked, connection)
    except OSError:
        return  # the client went away, which is what many of these tests are about
    finally:
        with _guard:
            _open -= 1


def rss(*items: str, title: str = "A blog", head: str = "") -> bytes:
    """An RSS feed around `<item>…</item>` bodies."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>{head}'
        f"<link>https://blog.example.org/</link>{inside}</channel></rss>"
    ).encode()


def post(
    number: int, *, title: str = "", words: str = "", date: str = "Tue, 10 Nov 2026 10:00:00 GMT"
) -> str:
    return (
        f"<title>{title or f'Post number {number}'}</title><link>https://blog.example.org/{number}</link>"
        f"<guid isPermaLink='false'>tag:blog.example.org,2026:{number}</guid><pubDate>{date}</pubDate>"
        f"<description>{words or f'What post {number} has to say.'}</description>"
    )


def ics(*events: str, head: str = "") -> bytes:
    """A calendar around VEVENT bodies, lines ended as they must be."""
    inside = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//\n{head}{inside}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()
