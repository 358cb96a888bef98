"""A scriptable mail server on loopback: raw sockets, one thread a connection. It keeps what it accepted, and may misbehave.

A script is asked at each point, `script(event) -> answer`: None (behave), a reply ("550 5.1.1 no such user"), DROP, STALL.
"""

import re
import socket
import ssl
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from digest.model import Address, DeliveryId, DeliveryState, Letter, Outcome
from digest.rules.rate import Paces

CERTIFICATE = Path(__file__).parent / "data" / "relay.pem"
DROP, STALL = "drop!", "stall!"
_ID = re.compile(rb"(?im)^message-id:\s*(<[^>\r\n]+>)")


@dataclass(frozen=True)
class Event:
    """point: connect, EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, body, dot, accepted, QUIT, RSET.

    connection, count: from 1; count is how often this point was reached at all. body comes before the dot is read,
    dot when it is, and accepted when the letter is already kept but the 250 is not yet written.
    """

    point: str
    connection: int
    count: int
    line: str = ""
    recipient: str = ""
    taken: int = 0


Script = Callable[[Event], str | None]


@dataclass(frozen=True)
class Accepted:
    sender: str
    recipient: str
    message_id: str
    data: bytes = field(repr=False)


class Sink:
    """A context manager. `accepted` is in order of acceptance."""

    def __init__(
        self, script: Script | None = None, *, pipelining: bool = True, offers: tuple[str, ...] = (),
        tls: str = "none", login: tuple[str, str] | None = None, delay_s: float = 0.0, keep: bool = True,
        mechanisms: str = "PLAIN LOGIN", tls_most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:  # fmt: skip
        self.script = script
        self.accepted: list[Accepted] = []
        self.connections = 0
        self.answers = 0  # replies written
        self.commands: list[str] = []
        self._offers = (*(("PIPELINING",) if pipelining else ()), *offers)
        self.mechanisms = mechanisms
        self.tokens: list[str] = []
        self.tls_most = tls_most
        self._tls, self._login, self._delay_s, self._keep = tls, login, delay_s, keep
        self._counts: Counter[str] = Counter()
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "Sink":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._guard:
            still_open = list(self._open)
        for one in [self._listener, *still_open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def open_connections(self) -> int:
        with self._guard:
            return len(self._open)

    def received(self) -> Counter[tuple[str, str]]:
        """(recipient, Message-ID) → how often accepted."""
        return Counter((one.recipient, one.message_id) for one in list(self.accepted))

    def recipients(self) -> list[str]:
        return [one.recipient for one in list(self.accepted)]

    def ask(
        self, point: str, connection: int, *, line: str = "", recipient: str = "", taken: int = 0
    ) -> str | None:
        with self._guard:
            self._counts[point] += 1
            count = self._counts[point]
            if line:
                self.commands.append(line)
        if self.script is None:
            return None
        return self.script(Event(point, connection, count, line, recipient, taken))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._guard:
                self.connections += 1
                number = self.connections
                self._open.add(client)
            thread = threading.Thread(target=self._serve, args=(client, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, number: int) -> None:
        session = _Session(self, client, number)
        try:
            session.run()
        except (OSError, _Over):
            pass
        finally:
            with self._guard:
                self._open.discard(client)
            session.socket.close()
            client.close()

    def keep(self, letter: Accepted) -> None:
        with self._guard:
            self.accepted.append(
                letter if self._keep else Accepted(letter.sender, letter.recipient, letter.message_id, b"")
            )


class _Over(Exception):
    pass


class _Session:
    def __init__(self, sink: Sink, client: socket.socket, number: int) -> None:
        self.sink, self.socket, self.number = sink, client, number
        self.buffer = b""
        self.sender = self.recipient = ""
        self.taken = 0
        self.secure = self.logged_in = False

    def run(self) -> None:
        if self.sink._tls == "tls":
            self.wrap()
        self.answer("connect", "220 sink ESMTP")
        while True:
            line = self.line()
            verb = line.partition(" ")[0].upper()
            method = getattr(self, f"do_{verb.lower()}", None)
            if method is None:
                self.send("502 5.5.2 what?")
            else:
                method(line)

    # --- commands ----------------------------------------------------------------------------------------------

    def do_ehlo(self, line: str) -> None:
        offers = ["sink", *self.sink._offers]
        if self.sink._tls == "starttls" and not self.secure:
            offers.append("STARTTLS")
        if self.sink._login and (self.secure or self.sink._tls == "none"):
            offers.append(f"AUTH {self.sink.mechanisms}")
        text = "".join(f"250-{offer}\r\n" for offer in offers[:-1]) + f"250 {offers[-1]}"
        self.answer("EHLO", text, line=line)

    def do_helo(self, line: str) -> None:
        self.answer("HELO", "250 sink", line=line)

    def do_starttls(self, line: str) -> None:
        self.answer("STARTTLS", "220 go on", line=line)
        self.wrap()

    def do_auth(self, line: str) -> None:
        _, mechanism, *rest = line.split()
        if mechanism.upper() == "PLAIN":
            _, user, password = b64decode(rest[0]).decode().split("\0")
        elif mechanism.upper() == "XOAUTH2":
            self.sink.tokens.append(rest[0])
            name, bearer, *_ = b64decode(rest[0]).decode().split("\x01")
            user, password = name.removeprefix("user="), bearer.removeprefix("auth=Bearer ")
            if (user, password) != self.sink._login:
                self.send("334 eyJzdGF0dXMiOiI0MDEifQ==")
                self.line()
        else:
            self.send("334 VXNlcm5hbWU6")
            user = b64decode(self.line()).decode()
            self.send("334 UGFzc3dvcmQ6")
            password = b64decode(self.line()).decode()
        self.logged_in = (user, password) == self.sink._login
        self.answer(
            "AUTH", "235 2.7.0 in" if self.logged_in else "535 5.7.8 Bad username or password", line="AUTH …"
        )

    def do_mail(self, line: str) -> None:
        if self.sender:
            self.send("503 5.5.1 nested MAIL")
            return
        if self.sink._login and not self.logged_in:
            self.send("530 5.7.0 authentication required")
            return
        if self.answer("MAIL", "250 2.1.0 ok", line=line):
            self.sender = line.partition("<")[2].partition(">")[0] or "<>"

    def do_rcpt(self, line: str) -> None:
        recipient = line.partition("<")[2].partition(">")[0]
        if not self.sender:
            self.send("503 5.5.1 MAIL first")
        elif self.answer("RCPT", "250 2.1.5 ok", line=line, recipient=recipient):
            self.recipient = recipient

    def do_data(self, line: str) -> None:
        if not self.recipient:
            said = self.point("DATA", line=line) or "503 5.5.1 RCPT first"
            self.send(said)
            if said.startswith("354"):
                self.body()
                self.sender = ""
                self.send("554 5.5.1 no valid recipients")
            return
        if not self.answer("DATA", "354 go on", line=line, recipient=self.recipient):
            return
        self.point("body", recipient=self.recipient)
        data = self.body()
        sender, recipient = self.sender, self.recipient
        self.sender = self.recipient = ""
        if self.sink._delay_s:
            time.sleep(self.sink._delay_s)
        refusal = self.point("dot", recipient=recipient)
        if refusal is not None:
            self.send(refusal)
            return
        found = _ID.search(data)
        self.sink.keep(Accepted(sender, recipient, found[1].decode() if found else "", data))
        self.taken += 1
        self.answer("accepted", f"250 2.0.0 queued as Q{self.number}.{self.taken}", recipient=recipient)

    def do_rset(self, line: str) -> None:
        self.sender = self.recipient = ""
        self.answer("RSET", "250 2.0.0 ok", line=line)

    def do_quit(self, line: str) -> None:
        self.answer("QUIT", "221 2.0.0 bye", line=line)
        raise _Over

    # --- bytes -------------------------------------------------------------------------------------------------

    def answer(self, point: str, usual: str, *, line: str = "", recipient: str = "") -> bool:
        """Writes what the script says, or the usual; True when it was the usual (or another 2xx or 3xx)."""
        text = self.point(point, line=line, recipient=recipient) or usual
        self.send(text)
        if text.startswith("421"):
            raise _Over
        return text[:1] in "23"

    def point(self, point: str, *, line: str = "", recipient: str = "") -> str | None:
        said = self.sink.ask(point, self.number, line=line, recipient=recipient, taken=self.taken)
        if said == DROP:
            raise _Over
        if said == STALL:
            while self.socket.recv(65_536):
                pass
            raise _Over
        return said

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode() + b"\r\n")
        with self.sink._guard:
            self.sink.answers += 1

    def line(self) -> str:
        while b"\r\n" not in self.buffer:
            self.more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8")

    def body(self) -> bytes:
        """Up to the final dot, unstuffed."""
        self.buffer = b"\r\n" + self.buffer
        chunks, start = b"", 0
        while (end := self.buffer.find(b"\r\n.\r\n", start)) < 0:
            start = max(0, len(self.buffer) - 4)
            self.more()
        chunks, self.buffer = self.buffer[2 : end + 2], self.buffer[end + 5 :]
        return (b"\r\n" + chunks).replace(b"\r\n..", b"\r\n.")[2:]

    def more(self) -> None:
        data = self.socket.recv(262_144)
        if not data:
            raise _Over
        self.buffer += data

    def wrap(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        if self.sink.tls_most is not ssl.TLSVersion.MAXIMUM_SUPPORTED:
            context.set_ciphers(
                "ALL:@SECLEVEL=0"
            )  # else this machine itself refuses what we want to be refused by us
            context.minimum_version, context.maximum_version = (
                ssl.TLSVersion.MINIMUM_SUPPORTED,
                self.sink.tls_most,
            )
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.secure = True


@dataclass(frozen=True)
class MemoryPending:
    """A commit in two halves."""

    passed: Collection[DeliveryId]
    finish: Callable[[], None]
    done: Callable[[], None]


class MemoryLedger:
    """The ledger of digest.mail in memory, strict: an answer for a row that cannot have one is an error."""

    def __init__(self, letters: list[Letter]) -> None:
        self.letters = {letter.delivery: letter for letter in letters}
        self.states = dict.fromkeys(self.letters, DeliveryState.QUEUED)
        self.outcomes: dict[DeliveryId, Outcome] = {}
        self.left: set[DeliveryId] = set()  # readers who left: no intent of theirs passes
        self.intents = 0
        self.commits = 0
        self.stop = False
        self.on_commit: Callable[[MemoryLedger], None] | None = None
        self.on_finish: Callable[[], None] | None = None  # the disk's half of a commit
        self._owners: dict[DeliveryId, int] = {}
        self.paces = Paces()

    def claim(self, count: int) -> list[Letter]:
        found = [one for one, state in self.states.items() if state is DeliveryState.QUEUED][:count]
        for one in found:
            self.states[one] = DeliveryState.CLAIMED
        return [self.letters[one] for one in found]

    def commit(
        self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]
    ) -> set[DeliveryId]:
        if self.on_commit is not None:
            self.on_commit(self)
        self.commits += 1
        for outcome in outcomes:
            before = self.states[outcome.delivery]
            assert before in (DeliveryState.CLAIMED, DeliveryState.COMMITTING), f"{before} → {outcome.state}"
            if before is DeliveryState.CLAIMED:
                assert outcome.state not in (DeliveryState.SENT, DeliveryState.UNSURE), (
                    "answered before its dot"
                )
            self.states[outcome.delivery] = outcome.state
            self.outcomes[outcome.delivery] = outcome
            self._owners.pop(outcome.delivery, None)
        passed = set()
        for one, connection in intents:
            assert connection not in self._owners.values(), "one connection, two letters in doubt"
            if self.states[one] is DeliveryState.CLAIMED and one not in self.left:
                self.states[one] = DeliveryState.COMMITTING
                self._owners[one] = connection
                self.intents += 1
                passed.add(one)
        return passed

    def begin(
        self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]
    ) -> "MemoryPending":
        return MemoryPending(self.commit(outcomes, intents), self.on_finish or (lambda: None), lambda: None)

    def rest_s(self) -> float | None:
        return None

    def stopping(self) -> bool:
        return self.stop

    def counted(self) -> dict[str, int]:
        return {str(state): count for state, count in Counter(self.states.values()).items()}


def letters(count: int, *, domain: str = "example.org", size: int = 400) -> list[Letter]:
    return [letter(number, domain=domain, size=size) for number in range(1, count + 1)]


def letter(number: int, *, domain: str = "example.org", size: int = 400, to: str | None = None) -> Letter:
    recipient = to or f"reader{number}@{domain}"
    shown = recipient if "é" in recipient else f"reader{number}@{domain}"
    head = (
        f"From: list@example.org\r\nTo: {shown}\r\nMessage-ID: <1.{number}.mac@example.org>\r\n\r\n".encode()
    )
    return Letter(
        delivery=DeliveryId(number), sender="bounce@example.org", recipient=Address(recipient),
        pieces=(head, b"Lorem ipsum dolor sit amet\r\n" * (size // 28 + 1)),
    )  # fmt: skip
