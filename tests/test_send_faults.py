"""Random faults, many at once: drops, refusals, silence, nonsense, leaving readers, a busy store. The promise must hold."""

import os
import random
import sqlite3
import threading
import time
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from digest.errors import MoveRefused, StoreBusy
from digest.model import DeliveryState, IssueState, Period
from digest.store.sqlite import open_store
from digest.store.sqlite.columns import micros
from tests.send_kit import NOW, PERIOD, approve, open_room, relay
from tests.smtp_kit import Event, Sink
from tests.storm_kit import ROUNDS, Met, weather


@pytest.mark.slow
def test_a_storm_of_faults_breaks_no_promise(tmp_path: Path) -> None:
    """Every kind of weather once, and then at random."""
    seed = int(os.environ.get("DIGEST_TEST_SEED", random.SystemRandom().randrange(1_000_000)))
    wanted = int(os.environ.get("DIGEST_TEST_FAULTS", "100"))
    dice, met, kinds = random.Random(seed), Met(), [*sorted(set(ROUNDS))]
    while met.faults < wanted or kinds:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        try:
            met.add(weather(folder, dice, readers=60, kind=kinds.pop() if kinds else None))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, {folder.name}: {error}") from error
    print(f"\n{met}, seed {seed}")


def work(folder: str, port: int) -> None:
    room = open_room(Path(folder))
    try:
        room.send(relay(room, port)).issue(PERIOD)
    finally:
        room.store.close()


def test_several_processes_at_once_send_once(tmp_path: Path) -> None:
    """R6: scheduler, web and command line at the same moment."""
    room = open_room(tmp_path)
    approve(room, 80)
    nursery = get_context("forkserver")
    nursery.set_forkserver_preload(["tests.send_kit"])
    with Sink(delay_s=0.002) as sink:
        processes = [nursery.Process(target=work, args=(str(tmp_path), sink.port)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(30)
        if room.issue.state is not IssueState.SENT:  # all found it busy but one, which is done by now
            room.send(relay(room, sink.port)).issue(PERIOD)
    assert room.counts() == {"sent": 80}
    assert len(sink.accepted) == len(sink.received()) == 80
    room.store.close()


def test_a_database_that_another_program_holds_loses_nothing(tmp_path: Path) -> None:
    """R14: held for longer than the busy time-out, in the middle of a run."""
    room = open_room(tmp_path)
    approve(room, 60)
    room.store.close()
    room.store = open_store(tmp_path / "subscribers.db", now=NOW, busy_timeout_s=0.2)
    holder = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None, check_same_thread=False)
    held = threading.Event()

    def hold(event: Event) -> None:
        if event.point == "accepted" and event.count == 20 and not held.is_set():
            held.set()
            holder.execute("BEGIN IMMEDIATE")

    with Sink(hold) as sink:
        with pytest.raises(StoreBusy, match="holds the database"):
            room.send(relay(room, sink.port)).issue(PERIOD)
        holder.execute("ROLLBACK")
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    holder.close()
    assert report.state is IssueState.SENT
    assert report.doubtful <= 2
    assert all(count == 1 for count in sink.received().values())
    assert len(set(sink.recipients()) | set(room.rows(DeliveryState.UNSURE))) == 60
    room.store.close()


def test_a_backup_made_while_sending_is_whole(tmp_path: Path) -> None:
    """R16."""
    room = open_room(tmp_path)
    approve(room, 150)
    with Sink(delay_s=0.002) as sink:
        sender = threading.Thread(target=lambda: room.send(relay(room, sink.port)).issue(PERIOD))
        sender.start()
        while len(sink.accepted) < 30:
            time.sleep(0.001)
        room.store.backup(tmp_path / "copy.db")
        sender.join(30)
    copy = open_store(tmp_path / "copy.db", now=NOW)
    assert copy.check() == []
    counts = copy.deliveries.counts(room.issue.id)
    assert sum(counts.values()) == 150
    assert 20 <= counts[DeliveryState.SENT] <= 150
    copy.close()
    room.store.close()


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1), timedelta(days=-3650)])
def test_a_clock_that_jumps_doubles_nobody(tmp_path: Path, jump: timedelta) -> None:
    """R10: leases and retry times are wall clock, time-outs are not."""
    clock = {"now": NOW}
    room = open_room(tmp_path, clock=lambda: clock["now"])
    approve(room, 40)

    def turn(event: Event) -> None:
        if event.point == "accepted" and event.count == 15:
            clock["now"] = NOW + jump

    with Sink(turn) as sink:
        for _ in range(3):
            if room.issue.state is not IssueState.SENT:
                room.send(relay(room, sink.port)).issue(PERIOD)
    assert room.issue.state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received())
    assert set(sink.recipients()) | set(room.rows(DeliveryState.UNSURE)) == {
        f"reader{n}@example.org" for n in range(1, 41)
    }
    room.store.close()


def test_no_letter_is_dated_before_the_last_issue(tmp_path: Path) -> None:
    """R10: a machine that wakes up in the wrong year says so, and sends nothing."""
    clock = {"now": NOW}
    room = open_room(tmp_path, clock=lambda: clock["now"])
    approve(room, 4)
    before = Period(2026, 10)
    with room.store.write():
        room.store.issues.create(period=before, since=NOW, until=NOW, send_at=NOW, placed=())
        last = room.store.issues.get(before)
        begun = micros(NOW - timedelta(days=30))
        room.store._db.change(
            "UPDATE issue SET sending_since = :at WHERE id = :id", {"at": begun, "id": last.id}
        )
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        clock["now"] = NOW.replace(year=2015)
        with pytest.raises(MoveRefused, match="clock of this machine says 2015-11-20"):
            send.issue(PERIOD)
        assert not sink.accepted
        clock["now"] = NOW
        assert send.issue(PERIOD).state is IssueState.SENT
    room.store.close()
