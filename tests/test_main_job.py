"""The main job on real input: the corpus served over HTTP, the real commands, a real SMTP server, and what arrived, parsed."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.http_kit import running

ROOT = Path(__file__).parent.parent
FOLDERS = ("medium", "feeds", "ics")
PERIOD = "2025-10"
READERS = {"ann@example.org": "en", "luc@example.org": "fr", "zoe@example.com": "fr"}

pytestmark = [pytest.mark.corpus, pytest.mark.slow]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the table that the test prints is what matters."""


class Inbox:
    """Keeps what arrives, with its envelope."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, EmailMessage]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.letters.append((envelope.rcpt_tos[0], message))
        return "250 kept"


@pytest.fixture
def shelf(corpus: Path) -> Iterator[str]:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(corpus)))) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    kept = Inbox()
    with socket.socket() as probe:  # aiosmtpd cannot be told to choose a port by itself
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, port
    controller.stop()


def run(home: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "digest", "--config", str(home / "config.toml"), *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=300, env=dict(os.environ), check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return json.loads(done.stdout) if "--json" in arguments or "json" in arguments else done.stdout


def configure(home: Path, shelf: str, corpus: Path, port: int) -> int:
    files = [f"{folder}/{file.name}" for folder in FOLDERS for file in sorted((corpus / folder).iterdir())]
    lines = [
        '[list]\nname.en = "The letter"\nname.fr = "La lettre"\nfrom = "letter@lists.example.org"',
        'postal_address = "1 Main St, Ottawa"\nurl = "https://digest.example.org"',
        '[collect]\nallow_private = ["127.0.0.1"]',
        f'[mail]\ntransport = "smtp"\nserver = "127.0.0.1"\nport = {port}\nsecurity = "none"',
        *(f'[[sources]]\nname = "{name}"\nurl = "{shelf}/{name}"' for name in files),
    ]
    (home / "config.toml").write_text("\n".join(lines), encoding="utf-8")
    return len(files)


def test_a_month_of_the_corpus_reaches_real_inboxes(
    corpus: Path, shelf: str, inbox: tuple[Inbox, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, port = inbox
    count = configure(tmp_path, shelf, corpus, port)
    visits = run(tmp_path, "collect", "--all", "--json")["sources"]
    told(visits, capsys)
    assert len(visits) == count
    assert sum(v["outcome"] == "failed" for v in visits) < count / 4
    assert all(v["error"] is not None and v["error"]["message"] for v in visits if v["outcome"] == "failed")

    for address, language in READERS.items():
        run(
            tmp_path,
            "subscribers",
            "add",
            address,
            "--basis",
            "express",
            "--origin",
            "test",
            "--language",
            language,
        )
    issue = run(tmp_path, "assemble", "--period", PERIOD, "--json")
    assert run(tmp_path, "assemble", "--period", PERIOD, "--json") == issue
    run(tmp_path, "approve", PERIOD)
    run(tmp_path, "send", PERIOD)
    status = run(tmp_path, "status", PERIOD, "--json")
    assert status["state"] == "sent"
    assert status["deliveries"] == {**dict.fromkeys(status["deliveries"], 0), "sent": len(READERS)}

    shown = [item for section in issue["sections"] for item in section["items"]]
    pool = {item["id"]: item for item in run(tmp_path, "items", "--json")["items"]}
    pool |= {item["id"]: item for item in run(tmp_path, "items", "--period", PERIOD, "--json")["items"]}
    assert len(shown) >= 10
    assert sorted(to for to, _ in kept.letters) == sorted(READERS)
    for to, message in kept.letters:
        whole(message, to=to, language=READERS[to], titles=[pool[i]["title"] for i in shown if i in pool])

    again = run(tmp_path, "collect", "--all", "--json")["sources"]
    assert sum(v["new"] for v in again) == 0, [v for v in again if v["new"]]


def whole(message: EmailMessage, *, to: str, language: str, titles: list[str]) -> None:
    """One letter as it arrived: the right person, the right language, every title in both parts, a way out."""
    assert message["To"] == to
    assert message["Content-Language"] == language
    assert "https://digest.example.org/unsubscribe/" in message["List-Unsubscribe"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert f'lang="{language}"' in html.get_content()
    words = " ".join(text.get_content().split())
    assert titles
    for title in titles:
        assert " ".join(title.split()) in words
    assert not message.defects


def told(visits: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    """The table: what was collected from how many files, and what failed by kind."""
    outcomes = Counter(
        (v["name"].split("/")[0], v["outcome"], (v["error"] or {}).get("kind")) for v in visits
    )
    with capsys.disabled():
        print(f"\n  {len(visits)} files, {sum(v['new'] for v in visits)} posts and events kept")
        for (folder, outcome, kind), number in sorted(outcomes.items(), key=str):
            print(f"  {folder:8}{outcome:11}{kind or '':16}{number:4}")
