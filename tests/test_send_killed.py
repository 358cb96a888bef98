"""kill -9 of `digest send`, again and again, at random moments and at chosen ones. Real SMTP, a real database."""

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from digest.cli import run
from digest.model import DeliveryState, IssueState
from tests.send_kit import PERIOD, approve, open_room
from tests.smtp_kit import Event, Sink

READERS = 500
CONNECTIONS = 3
KILLS = int(os.environ.get("DIGEST_TEST_KILLS", "50"))
SMTP = f"""transport = "smtp"
server = "127.0.0.1"
port = {{port}}
security = "none"
connections = {CONNECTIONS}
"""
POINTS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot", "accepted")


def work(folder: str) -> None:
    """`digest send 2026-11`, in a process of its own."""
    with open(os.devnull, "w") as quiet:
        sys.stdout = sys.stderr = quiet
        sys.exit(run(["--config", f"{folder}/config.toml", "send", str(PERIOD)]))


def configure(folder: Path, mail: str) -> None:
    head = '[list]\nfrom = "letter@lists.example.org"\nurl = "https://digest.example.org"\n[mail]\n'
    (folder / "config.toml").write_text(head + mail)


class Killer:
    """Kills the process at hand when the sink reaches a chosen point for the n-th time, or after a while."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.kills = 0
        self.enough = KILLS
        self._process: BaseProcess | None = None
        self._point, self._left, self._after_s = "", 0, 0.0
        self._guard = threading.Lock()

    def aim(self, process: BaseProcess) -> None:
        with self._guard:
            self._process = process
            by_point = self.dice.random() < 0.6
            self._point = self.dice.choice(POINTS) if by_point else ""
            self._left = 1 if self._point in ("connect", "EHLO") else self.dice.randint(1, 120)
            self._after_s = 5.0 if by_point else self.dice.uniform(0.0, 0.6)

    def __call__(self, event: Event) -> None:
        with self._guard:
            if event.point == self._point:
                self._left -= 1
                if self._left == 0:
                    self._kill()

    def wait(self) -> None:
        """Until the process is dead, by our hand or because it is done."""
        process = self._process
        assert process is not None
        process.join(self._after_s)
        with self._guard:
            if process.is_alive() and self._after_s < 5:
                self._kill()
            self._point = ""
        process.join(20)
        assert process.exitcode in (0, -signal.SIGKILL), "the sender failed by itself"

    def _kill(self) -> None:
        assert self._process is not None
        assert self._process.pid is not None
        if self.kills < self.enough and self._process.is_alive():
            os.kill(self._process.pid, signal.SIGKILL)
            self.kills += 1
            self._point = ""


def test_killed_while_it_writes_files_every_reader_has_one_and_no_doubt_is_left(tmp_path: Path) -> None:
    """What stands in a folder can be looked at, so nothing stays unsure."""
    room = open_room(tmp_path)
    approve(room, READERS)
    configure(tmp_path, 'transport = "folder"\nfolder = "outbox"\n')
    dice, kills, nursery = random.Random(), 0, multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(["digest.cli", "tests.send_kit"])
    outbox = tmp_path / "outbox"
    while room.issue.state is not IssueState.SENT:
        process = nursery.Process(target=work, args=(str(tmp_path),))
        process.start()
        goal = len(list(outbox.glob("*.eml"))) + dice.randint(1, 60)
        while kills < 8 and process.is_alive() and len(list(outbox.glob("*.eml"))) < goal:
            time.sleep(0.001)
        if kills < 8 and process.is_alive():
            process.kill()
            kills += 1
        process.join(20)
    assert kills >= 4, "the sender was never killed at work"
    assert room.counts() == {"sent": READERS}
    readers = [path.read_bytes().partition(b"To: ")[2].partition(b"\r\n")[0] for path in outbox.glob("*.eml")]
    assert len(readers) == len(set(readers)) == READERS
    room.store.close()


@pytest.mark.slow
def test_fifty_kills_lose_nobody_and_double_nobody(tmp_path: Path) -> None:
    seed = int(os.environ.get("DIGEST_TEST_SEED", random.SystemRandom().randrange(1_000_000)))
    killer = Killer(random.Random(seed))
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(["digest.cli", "tests.send_kit"])
    unsure = arrived_unsure = campaigns = 0
    began = time.monotonic()
    while killer.kills < KILLS:
        campaigns += 1
        folder = tmp_path / str(campaigns)
        folder.mkdir()
        room = open_room(folder)
        approve(room, READERS)
        before = killer.kills
        with Sink(killer, delay_s=0.001, keep=False) as sink:
            configure(folder, SMTP.format(port=sink.port))
            while room.issue.state is not IssueState.SENT:
                process = nursery.Process(target=work, args=(str(folder),))
                process.start()
                killer.aim(process)
                killer.wait()
        received, doubtful = sink.received(), set(room.rows(DeliveryState.UNSURE))
        got = {recipient for recipient, _ in received}
        kills = killer.kills - before
        hint = f"seed {seed}, campaign {campaigns}, {kills} kills"
        assert all(count == 1 for count in received.values()), f"somebody got two: {hint}"
        assert got | doubtful == {f"reader{n}@example.org" for n in range(1, READERS + 1)}, (
            f"somebody is lost: {hint}"
        )
        assert len(room.rows(DeliveryState.SENT)) + len(doubtful) == READERS, hint
        assert set(room.rows(DeliveryState.SENT)) <= got, f"called sent, never arrived: {hint}"
        assert len(doubtful) <= kills * CONNECTIONS, hint
        unsure, arrived_unsure = unsure + len(doubtful), arrived_unsure + len(doubtful & got)
        room.store.close()
    print(
        f"\n{killer.kills} kills in {campaigns} sends of {READERS} over {CONNECTIONS} connections: "
        f"0 doubled, 0 lost, {unsure} unsure ({arrived_unsure} had arrived), {time.monotonic() - began:.0f} s, seed {seed}"
    )
