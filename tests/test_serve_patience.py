"""Connections that trickle half a request: the site goes on answering, above all to whoever leaves."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from digest.app import App
from digest.model import SubscriberState
from digest.serve_patience import open_server
from digest.web import create_web
from tests import web_kit
from tests.readers_kit import leave_token

HALF = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nemail="


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@contextmanager
def running(app: App, *, patience_s: int) -> Iterator[int]:
    server = open_server(
        create_web(app), listening=socket.create_server(("127.0.0.1", 0)), threads=4, patience_s=patience_s
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.close()
        server.trigger.close()
        server.asyncore.close_all(server._map)
        thread.join(20)


def answers(port: int, method: str, path: str, body: str | None = None) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as ask:
        ask.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if body else {})
        return ask.getresponse().status


def test_three_hundred_half_requests_keep_nobody_from_leaving(app: App) -> None:
    reader = web_kit.fill(app).readers[0]
    with running(app, patience_s=60) as port, ExitStack() as held:
        halves = [held.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(300)]
        for half in halves:
            half.sendall(HALF)
        assert answers(port, "GET", "/healthz") == 200
        for half in halves:
            half.sendall(b"x")
        path = f"/unsubscribe/{leave_token(app, reader.address.reveal())}"
        assert answers(port, "POST", path, "List-Unsubscribe=One-Click") == 200
    found = app.store.subscribers.find(reader.address)
    assert found is not None
    assert found.state is SubscriberState.LEFT


def test_a_request_that_trickles_is_given_up_though_bytes_still_come(app: App) -> None:
    with running(app, patience_s=1) as port, socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(HALF)
        half.settimeout(0.2)
        for _ in range(200):
            try:
                half.sendall(b"x")
                if half.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("it was never given up")
        assert answers(port, "GET", "/healthz") == 200
