"""How fast people sign up: POST /subscribe of our site beside a bare Flask insert, each a process, over real HTTP in one run.

python -m bench.asking [ASKS]: prints one line per number of connections, 1 and 8. Both are served by the same server with
the same threads, and are asked by the same client in short turns, each first in every other: a slow moment of the disk or
of a neighbour hits a few pairs of turns, and the median of their ratios is told. Every answer is looked at, every row counted.
"""

import json
import logging
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Barrier, Thread
from urllib.parse import urlencode

from digest.config import Config, ListPart, SignupPart, WebPart
from digest.rules.guard import YOUNGEST_FORM

ASKS, TURN = 2_000, 100
CONNECTIONS = (1, 8)
_THREADS = 8
_HEADERS = (
    "Host: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-CA,en;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nContent-Type: application/x-www-form-urlencoded\r\nOrigin: null\r\n"
    "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\n"
    "Upgrade-Insecure-Requests: 1\r\nConnection: keep-alive\r\n"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Sign-ups a second of both, with so many connections at once; the median ratio of two turns beside each other; and how
    long the letters of all turns took to leave after."""

    connections: int
    ours: float
    bare: float
    ratio: float
    left_s: float


# --- the two sites, each in a process of its own -----------------------------------------------------------------


def serve_ours(home: Path, ready: Connection) -> None:
    """As `digest serve` does it behind one proxy, letters leaving meanwhile. Only the caps are out of the way."""
    from digest.app import open_app
    from digest.serve import serve

    most = 10**9
    config = Config(
        home=home, list=ListPart(url="http://127.0.0.1"), web=WebPart(trusted_proxies=1),
        signup=SignupPart(asks_per_hour=most, asks_per_domain=most, asks_per_ip=most, asks_per_network=most),
    )  # fmt: skip
    with open_app(config) as app:
        serve(app, host="127.0.0.1", port=0, on_ready=ready.send)


def serve_bare(home: Path, ready: Connection) -> None:
    """One INSERT, in the quickest way that we know: one connection, which its threads share."""
    import waitress
    from flask import Flask, Response, request

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # as ours: a line for each would slow it
    site = Flask("bare")
    database = sqlite3.connect(home / "bare.db", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, address TEXT UNIQUE)")

    @site.post("/subscribe")
    def insert() -> Response:
        database.execute("INSERT INTO person (address) VALUES (?)", (request.form["email"],))
        return Response("thank you")

    server = waitress.create_server(site, host="127.0.0.1", port=0, threads=_THREADS, ident=None)
    ready.send(int(server.effective_port))
    server.run()


@contextmanager
def served(serving: object, home: Path) -> Iterator[int]:
    """Its port."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serving, args=(home, theirs))  # type: ignore[arg-type]
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


# --- the client ---------------------------------------------------------------------------------------------------


def proofs(port: int, count: int) -> list[str]:
    """One token for each form, as a browser gets it, old enough to have been filled in by a person."""
    made = []
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        for _ in range(count):
            connection.request("GET", "/subscribe.json")
            made.append(json.loads(connection.getresponse().read())["form"])
    time.sleep(YOUNGEST_FORM.total_seconds())
    return made


def letter(address: str, proof: str, number: int) -> bytes:
    """The request of one browser, from a place of its own."""
    fields = {"form": proof, "nickname": "", "email": address, "language": "en", "role": "design"}
    body = urlencode(fields).encode()
    place = f"X-Forwarded-For: 198.{18 + number // 65536 % 2}.{number // 256 % 256}.{number % 256}\r\n"
    return f"POST /subscribe HTTP/1.1\r\n{_HEADERS}{place}Content-Length: {len(body)}\r\n\r\n".encode() + body


def answer(connection: socket.socket) -> bytes:
    """One answer, whole."""
    data = connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(head)
    return body


def spent_s(port: int, letters: list[bytes], *, connections: int) -> tuple[float, set[bytes]]:
    """How long all of them take over so many kept connections at once, and the answers."""
    begin, answers, failures = Barrier(connections + 1), set[bytes](), list[Exception]()

    def ask(own: list[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begin.wait()
            try:
                for one in own:
                    connection.sendall(one)
                    answers.add(answer(connection))
            except (OSError, ValueError, AssertionError) as failure:  # told by whoever counts
                failures.append(failure)

    threads = [Thread(target=ask, args=(letters[first::connections],)) for first in range(connections)]
    for thread in threads:
        thread.start()
    begin.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return spent, answers


def rows(path: Path, sql: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute(sql).fetchone()[0])


def until_left(home: Path) -> float:
    """Letters make way for who asks; the next turn begins when all have left."""
    begun = time.perf_counter()
    while rows(home / "subscribers.db", "SELECT count(*) FROM notice WHERE state IN ('queued', 'claimed')"):
        time.sleep(0.05)
    return time.perf_counter() - begun


def asking(home: Path, asks: int, *, connections: int) -> Asked:
    """Turn by turn, so that both meet the same disk and the same neighbours."""
    turns = max(1, asks // TURN)
    with served(serve_ours, home) as ours, served(serve_bare, home) as bare:
        made = proofs(ours, turns * TURN)
        spent: dict[str, list[float]] = {"ours": [], "bare": []}
        left_s = 0.0
        for turn in range(turns):
            for name, port in (("ours", ours), ("bare", bare))[:: 1 if turn % 2 else -1]:
                letters = [letter(f"{name}{number}@example.org", made[number], number)
                           for number in range(turn * TURN, (turn + 1) * TURN)]  # fmt: skip
                took, answers = spent_s(port, letters, connections=connections)
                assert len(answers) == 1, answers
                spent[name].append(took)
                if name == "ours":
                    left_s += until_left(home)
        asked = "SELECT count(*) FROM subscriber WHERE state = 'asked'"
        assert rows(home / "subscribers.db", asked) == turns * TURN
        assert rows(home / "bare.db", "SELECT count(*) FROM person") == turns * TURN
    ratio = statistics.median(theirs / own for own, theirs in zip(spent["ours"], spent["bare"], strict=True))
    ours_s, bare_s = sum(spent["ours"]), sum(spent["bare"])
    return Asked(connections, turns * TURN / ours_s, turns * TURN / bare_s, ratio, left_s)


def tell(asks: int = ASKS) -> None:
    for connections in CONNECTIONS:
        with tempfile.TemporaryDirectory() as home:
            told = asking(Path(home), asks, connections=connections)
        print(
            f"sign-ups a second over HTTP, {connections} at once: {told.ours:.0f} beside {told.bare:.0f} bare Flask "
            f"inserts, ratio {told.ratio:.2f}; their letters left within {told.left_s:.1f} s after the turns"
        )


if __name__ == "__main__":
    tell(*[int(text) for text in sys.argv[1:2]])
