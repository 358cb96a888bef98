"""What goes wrong for an operator: each time one clear sentence, nothing lost, and the next run goes on. The real command."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from digest.app import open_app
from digest.config_file import read_config
from digest.errors import StoreFull
from tests.http_kit import answer, post, rss, serving
from tests.smtp_kit import CERTIFICATE, Sink

ROOT = Path(__file__).parent.parent
LIST = (
    '[list]\nname.en = "The letter"\nname.fr = "La lettre"\nfrom = "letter@lists.example.org"\n'
    'postal_address = "1 Main St, Ottawa"\nurl = "https://digest.example.org"\n[collect]\nallow_private = ["127.0.0.1"]\n'
)

Digest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """Runs `digest` on tmp_path/config.toml."""

    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "digest", "--config", str(tmp_path / "config.toml"), *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, **environ}, check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def blog() -> Iterator[str]:
    recent = format_datetime(datetime.now(UTC) - timedelta(days=2))
    feed = rss(*(post(n, date=recent) for n in range(1, 4)))
    with serving() as site:
        site.pages["/feed"] = answer(feed, content_type="application/rss+xml")
        site.pages["/page"] = answer(
            b"<!DOCTYPE html><title>A page</title><p>Hello", content_type="text/html"
        )
        yield site.url("")


def source(name: str, url: str, **more: str) -> str:
    return f'[[sources]]\nname = "{name}"\nurl = "{url}"\n' + "".join(
        f'{k} = "{v}"\n' for k, v in more.items()
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What an operator reads when a command failed."""
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


def collected(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(done.stdout)["sources"]}


def test_a_malformed_configuration_is_one_sentence_and_makes_no_database(
    digest: Digest, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(LIST + "[mail]\nconections = 3\n")
    assert 'Did you mean "connections"?' in one_sentence(digest("collect"))
    (tmp_path / "config.toml").write_text(LIST + "[mail\n")
    assert "not valid TOML" in one_sentence(digest("collect"))
    assert list(tmp_path.iterdir()) == [tmp_path / "config.toml"]


def test_an_unknown_kind_and_a_page_fail_alone(digest: Digest, tmp_path: Path, blog: str) -> None:
    (tmp_path / "config.toml").write_text(
        LIST
        + source("Odd", blog + "/feed", kind="gopher")
        + source("Page", blog + "/page")
        + source("Blog", blog + "/feed")
    )
    found = collected(digest("collect", "--all", "--json"))
    assert (found["Odd"]["outcome"], found["Odd"]["error"]["kind"]) == ("failed", "unknown-kind")
    assert "medium" in found["Odd"]["error"]["message"]
    assert (found["Page"]["outcome"], found["Page"]["error"]["kind"]) == ("failed", "not-a-feed")
    assert (found["Blog"]["outcome"], found["Blog"]["new"]) == ("new", 3)

    (tmp_path / "config.toml").write_text(
        LIST + source("Odd", blog + "/feed") + source("Blog", blog + "/feed")
    )
    again = collected(digest("collect", "--all", "--json"))
    assert (again["Odd"]["outcome"], again["Odd"]["error"]) == ("unchanged", None)


def test_a_page_in_place_of_a_known_feed_loses_nothing(digest: Digest, tmp_path: Path, blog: str) -> None:
    (tmp_path / "config.toml").write_text(LIST + source("Blog", blog + "/feed"))
    digest("collect", "--all")
    before = json.loads(digest("items", "--json").stdout)["items"]
    assert len(before) == 3
    (tmp_path / "config.toml").write_text(LIST + source("Blog", blog + "/page", kind="feed"))
    assert collected(digest("collect", "--all", "--json"))["Blog"]["error"]["kind"] == "not-a-feed"
    assert json.loads(digest("items", "--json").stdout)["items"] == before


@pytest.mark.slow
def test_a_database_that_another_process_holds_is_one_sentence(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(LIST)
    assert (
        digest("subscribers", "add", "ann@example.org", "--basis", "express", "--origin", "test").returncode
        == 0
    )
    holder = sqlite3.connect(tmp_path / "subscribers.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    busy = digest("subscribers", "add", "luc@example.org", "--basis", "express", "--origin", "test")
    assert "nothing was" in one_sentence(busy).lower()
    holder.execute("ROLLBACK")
    holder.close()
    assert (
        digest("subscribers", "add", "luc@example.org", "--basis", "express", "--origin", "test").returncode
        == 0
    )
    assert json.loads(digest("subscribers", "stats", "--json").stdout)["confirmed"] == 2


def test_a_full_disk_stops_collecting_and_the_next_run_goes_on(tmp_path: Path, blog: str) -> None:
    (tmp_path / "config.toml").write_text(LIST + source("Blog", blog + "/feed"))
    with open_app(read_config(tmp_path / "config.toml")) as app:
        app.store._db.rows(f"PRAGMA max_page_count = {app.store._db.value('PRAGMA page_count')}")
        with app.store.write():
            app.store.settings.put("filler", "x")
        with pytest.raises(StoreFull) as full, app.store.write():
            app.store.settings.put("filler", "x" * 200_000)
        assert "nothing was" in str(full.value).lower()
        app.store._db.rows("PRAGMA max_page_count = 1000000")
        assert app.store.settings.get("filler") == "x"
        assert [visit.new for visit in app.collect.visit(every=True)] == [3]
        assert app.store.check() == []


def test_a_refused_login_pauses_the_run_marks_nobody_and_the_next_one_sends(
    digest: Digest, tmp_path: Path
) -> None:
    with Sink(login=("digest", "right"), offers=("AUTH PLAIN LOGIN",), tls="tls") as relay:
        (tmp_path / "config.toml").write_text(
            LIST
            + f'[mail]\ntransport = "smtp"\nserver = "localhost"\nport = {relay.port}\nsecurity = "tls"\nusername = "digest"\n'
            f'ca_file = "{CERTIFICATE}"\npassword_file = "password"\n'
        )
        (tmp_path / "password").write_text("wrong\n")
        for name in ("ann", "luc"):
            digest("subscribers", "add", f"{name}@example.org", "--basis", "express", "--origin", "test")
        digest("assemble", "--period", "2026-10")
        assert digest("approve", "2026-10").returncode == 0
        refused = digest("send", "2026-10")
        assert "535" in one_sentence(refused) or "login" in one_sentence(refused).lower()
        status = json.loads(digest("status", "2026-10", "--json").stdout)
        assert (status["state"], status["deliveries"]["queued"], status["deliveries"]["failed"]) == (
            "paused",
            2,
            0,
        )
        assert relay.accepted == []

        (tmp_path / "password").write_text("right\n")
        assert digest("send", "2026-10").returncode == 0
        status = json.loads(digest("status", "2026-10", "--json").stdout)
        assert (status["state"], status["deliveries"]["sent"]) == ("sent", 2)
        assert sorted(relay.recipients()) == ["ann@example.org", "luc@example.org"]


def test_a_wrong_command_line_ends_with_two_and_an_unknown_issue_with_one(
    digest: Digest, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(LIST)
    assert digest("aproove").returncode == 2
    assert "2026-13" in digest("approve", "2026-13").stderr
    assert "2026-10" in one_sentence(digest("approve", "2026-10"))


def test_a_missing_key_is_named_before_links_break(digest: Digest, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(LIST)
    assert digest("issues").returncode == 0
    (tmp_path / "subscribers.key").unlink()
    assert "Put it back from your backup" in one_sentence(digest("issues"))
