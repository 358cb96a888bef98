"""Random faults, many at once, over one issue: a misbehaving relay, leavers, stops, kill -9, a locked or a full database.

`weather` asserts the promise: nobody twice, nobody lost and unlisted, no more doubts than crashes times connections.
"""

import multiprocessing
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from digest.errors import StoreBusy, StoreFull
from digest.model import Address, DeliveryState, IssueState
from digest.store.sqlite import open_store
from tests.send_kit import NOW, PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import DROP, STALL, Event, Sink
from tests.test_send_killed import configure, work

ANSWERS = {
    "connect": (DROP, "421 busy", "554 no"), "EHLO": (DROP, "500 what", "421 busy"),
    "MAIL": (DROP, "421 busy", "451 later"),
    "RCPT": (DROP, "421 busy", "450 4.2.0 greylisted", "451 later", "452 4.2.2 full", "550 5.1.1 unknown", "nonsense"),
    "DATA": (DROP, "421 busy", "451 later", "554 5.6.0 no"), "body": (DROP,),
    "dot": (DROP, "421 busy", "451 later", "552 5.3.4 too big"), "accepted": (DROP, STALL, "nonsense"),
    "RSET": (DROP, "421 busy"), "QUIT": (DROP, "500 what"),
}  # fmt: skip
CUTS = {"body", "dot", "accepted"}  # a connection lost here may leave its one letter in doubt
ROUNDS = ("calm", "calm", "calm", "locked", "full", "killed")
KILLS_A_ROUND = 4
_WORDY = "250 2.0.0 queued " + "x" * 450  # fills a small database
_SMTP = 'transport = "smtp"\nserver = "127.0.0.1"\nport = {port}\nsecurity = "none"\nconnections = {connections}\n'


class Storm:
    """A script that misbehaves at random, now and then. cuts: connections that it broke near a final dot."""

    def __init__(self, dice: random.Random, *, chance: float, patient: bool) -> None:
        self.faults = self.cuts = 0
        self.on_accepted: Callable[[], None] | None = None
        self.usual: str | None = None
        self._dice, self._chance, self._patient = dice, chance, patient
        self._guard = threading.Lock()

    def __call__(self, event: Event) -> str | None:
        if event.point == "accepted" and self.on_accepted is not None:
            self.on_accepted()
        with self._guard:
            if event.point not in ANSWERS or self._dice.random() >= self._chance:
                return self.usual if event.point == "accepted" else None
            answer = self._dice.choice(ANSWERS[event.point])
            if self._patient and (answer[:3] in {"421", "450"} or answer == STALL):
                return None  # a process of its own keeps real time: it would be slowed for minutes
            self.faults += 1
            self.cuts += event.point in CUTS
            return answer


@dataclass
class Met:
    """What one round, or many, went through. crashes: kills, and runs that the database ended."""

    faults: int = 0
    unsure: int = 0
    crashes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Met") -> None:
        self.faults += other.faults
        self.unsure += other.unsure
        self.crashes += other.crashes
        self.kinds += other.kinds

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return f"{self.faults} faults ({kinds}): 0 doubled, 0 lost, {self.unsure} unsure, all of them listed"


@contextmanager
def brisk() -> Iterator[None]:
    """Relays push back at every turn here; at their real pace a storm would last for hours."""
    with patch.multiple("digest.rules.rate", START_RATE=8_000.0, LEAST_RATE=2_000.0):
        yield


@brisk()
def weather(folder: Path, dice: random.Random, *, readers: int, kind: str | None = None) -> Met:
    """One issue sent through a storm until nothing more can be done."""
    kind = kind or dice.choice(ROUNDS)
    clock = {"now": NOW}
    room = open_room(folder, clock=lambda: clock["now"])
    approve(room, readers)
    storm, gone, met = Storm(dice, chance=0.04, patient=kind == "killed"), set[str](), Met()
    connections = dice.choice((1, 2, 5))
    try:
        with ExitStack() as at_last, Sink(storm, pipelining=dice.random() < 0.7, keep=False) as sink:
            if kind == "killed":
                met.crashes += _killed(folder, dice, port=sink.port, connections=connections)
            fault = {"locked": _Locked, "full": _Full}.get(kind, _Sound)(room, storm, dice)
            at_last.callback(fault.close)
            send = room.send(relay(room, sink.port, connections=connections, dot_timeout_s=0.15))
            for _ in range(200):
                if room.issue.state is IssueState.SENT:
                    break
                left = f"reader{dice.randint(1, readers)}@example.org"
                if dice.random() < 0.3 and left not in gone and _leave(room, left):
                    gone.add(left)
                with fault:
                    send.issue(PERIOD, stop=_perhaps(dice))
                clock["now"] = _later(room, clock["now"])
            met.crashes += fault.crashes
        _judge(room, sink, gone, readers)
        met.unsure = room.counts().get("unsure", 0)
        assert met.unsure <= met.crashes * connections + storm.cuts, f"{kind}: too many doubts"
        met.faults = storm.faults + met.crashes
        met.kinds = Counter({"of the relay": storm.faults, {"killed": "kills"}.get(kind, kind): met.crashes})
        return met
    finally:
        room.store.close()


class _Sound:
    """A database in order. With it as a context manager, what the database refuses is a crash, and it is well again."""

    def __init__(self, room: Room, storm: Storm, dice: random.Random) -> None:
        self.room, self.storm, self.dice, self.crashes = room, storm, dice, 0

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.end()
        is_ours = kind is not None and issubclass(kind, StoreBusy | StoreFull)
        self.crashes += is_ours
        return is_ours

    def begin(self) -> None: ...
    def end(self) -> None: ...
    def close(self) -> None: ...


class _Locked(_Sound):
    """Another program takes the database and keeps it for longer than we wait."""

    def __init__(self, room: Room, storm: Storm, dice: random.Random) -> None:
        super().__init__(room, storm, dice)
        path = room.store.path
        room.store.close()
        room.store = open_store(path, now=NOW, busy_timeout_s=0.1)
        self._other = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        self._guard = threading.Lock()
        self._left = 0

    def begin(self) -> None:
        self._left = self.dice.randint(1, 40)
        self.storm.on_accepted = self._one_more

    def _one_more(self) -> None:
        with self._guard:
            self._left -= 1
            if self._left <= 0 and not self._other.in_transaction and self._left > -30:
                with suppress(sqlite3.OperationalError):  # we are writing just now: at the next letter, then
                    self._other.execute("BEGIN IMMEDIATE")

    def end(self) -> None:
        with self._guard:
            self._left = -100
            if self._other.in_transaction:
                self._other.execute("ROLLBACK")

    def close(self) -> None:
        self._other.close()


class _Full(_Sound):
    """No page more than there are."""

    def begin(self) -> None:
        self.storm.usual = _WORDY
        if self.dice.random() < 0.5:
            pages = self.room.store._db.value("PRAGMA page_count") + self.dice.randint(0, 2)
            self.room.store._db.rows(f"PRAGMA max_page_count = {pages}")

    def end(self) -> None:
        self.room.store._db.rows("PRAGMA max_page_count = 1000000")


def _killed(folder: Path, dice: random.Random, *, port: int, connections: int) -> int:
    """kill -9 of `digest send`, a few times, at random moments; how often it was still alive then."""
    configure(folder, _SMTP.format(port=port, connections=connections))
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(["digest.cli", "tests.send_kit"])
    kills = 0
    for _ in range(KILLS_A_ROUND):
        process = nursery.Process(target=work, args=(str(folder),))
        process.start()
        process.join(dice.uniform(0.02, 0.5))
        kills += process.is_alive()
        process.kill()
        process.join(20)
    return kills


def _perhaps(dice: random.Random) -> Callable[[], bool] | None:
    deadline = time.monotonic() + dice.uniform(0.0, 0.3) if dice.random() < 0.2 else None
    return None if deadline is None else lambda: time.monotonic() > deadline


def _later(room: Room, now: datetime) -> datetime:
    due = room.store.deliveries.next_due(room.issue.id)
    return max(now, due) if due else now + timedelta(minutes=1)


def _leave(room: Room, address: str) -> bool:
    """True when their letter was still to come."""
    with room.store.write():
        found = room.store.subscribers.find(Address(address))
        assert found is not None
        room.store._db.change("UPDATE subscriber SET state = 'left' WHERE id = :id", {"id": found.id})
        room.store.deliveries.cancel(found.id)
    return address in room.rows(DeliveryState.CANCELLED)


def _judge(room: Room, sink: Sink, gone: set[str], readers: int) -> None:
    received = Counter(sink.recipients())
    rows = {state: set(room.rows(state)) for state in DeliveryState}
    assert room.issue.state is IssueState.SENT, room.counts()
    assert sum(len(found) for found in rows.values()) == readers
    assert all(count == 1 for count in received.values()), "somebody got two"
    assert rows[DeliveryState.SENT] <= set(received), "called sent, never arrived"
    assert set(received) <= rows[DeliveryState.SENT] | rows[DeliveryState.UNSURE], (
        "arrived, and is called something else"
    )
    assert rows[DeliveryState.CANCELLED] == gone
    assert not gone & set(received), "somebody who had left got it"
