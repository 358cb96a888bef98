"""The first five minutes: the demo as a newcomer runs it, and the sample community it shows."""

import email
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.app import open_app, use_packaged_zones
from digest.cli import run
from digest.config_file import read_config
from digest.demo import Demo
from digest.model import ItemKind, Period
from digest.sample import feeds
from digest.sample.month import PUBLICATIONS, sample_events, sample_posts
from digest.sample.people import sample_readers
from digest.sources import KINDS, ParseContext
from tests.conftest import Clock

ROOT = Path(__file__).parent.parent
DAYS = [datetime(2026, 11, 21, 19, tzinfo=UTC), datetime(2027, 1, 1, 5, 1, tzinfo=UTC), datetime(2028, 2, 29, 23, tzinfo=UTC),
        datetime(2027, 3, 31, 12, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, tzinfo=UTC)]  # fmt: skip


def digest(*words: str, folder: Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digest", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout_s
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def letters(folder: Path) -> list[email.message.EmailMessage]:
    return [
        email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (folder / "outbox").glob("*.eml")
    ]


def test_fifty_readers_get_their_letter_each_in_their_language(tmp_path: Path) -> None:
    told = digest("demo", "--once", "--dir", "x", "--readers", "50", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    found = letters(tmp_path / "x")
    assert len(found) == 50
    by_address = {letter["To"]: letter["Content-Language"] for letter in found}
    assert by_address == {one.address: str(one.language) for one in sample_readers(50)}
    french = next(letter for letter in found if letter["Content-Language"] == "fr")
    assert "À venir" in french.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    status = digest("--config", "x/config.toml", "status", month(told.stdout), "--json", folder=tmp_path)
    counts = json.loads(status.stdout)["deliveries"]
    assert counts.pop("sent") == 50
    assert set(counts.values()) == {0}


def month(output: str) -> str:
    found = re.search(r"The draft of (\d{4}-\d\d)", output)
    assert found
    return found.group(1)


def test_the_output_alone_tells_what_happened(tmp_path: Path) -> None:
    told = digest("demo", "--once", "--readers", "4", folder=tmp_path)
    assert told.returncode == 0, told.stderr
    for words in ("6 sources were visited", "kept once", "Atlantic Data Circle", "not a feed", "lunch was cancelled",
                  "2 in English and 2 in French", "4 letters in", "English: ", "French: "):  # fmt: skip
        assert words in told.stdout
    assert "\x1b" not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr


def test_doing_it_again_replaces_the_demo_and_nothing_else(tmp_path: Path) -> None:
    assert digest("demo", "--once", "--readers", "3", folder=tmp_path).returncode == 0
    (tmp_path / "demo" / "mine.txt").write_text("mine")
    again = digest("demo", "--once", "--readers", "2", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(letters(tmp_path / "demo")) == 2
    assert (tmp_path / "demo" / "mine.txt").read_text() == "mine"


def test_a_folder_with_somebody_elses_letter_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("# mine")
    refused = digest("demo", "--once", "--dir", ".", folder=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "--dir" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]


def test_the_site_stays_up_and_every_printed_address_opens(tmp_path: Path) -> None:
    with running(tmp_path) as printed:
        assert len(printed) >= 5
        for address in printed:
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert answer.status == 200
        first = urllib.request.urlopen(printed[0], timeout=10).read().decode()
        articles = re.findall(r'href="(http://127\.0\.0\.1:\d+/posts/[^"]+)"', first)
        assert articles
        with urllib.request.urlopen(articles[0], timeout=10) as answer:
            assert answer.status == 200, "a link in the letter leads somewhere while the demo runs"
        second = digest("demo", "--once", folder=tmp_path)
        assert second.returncode == 1
        assert "running" in second.stderr


@contextmanager
def running(folder: Path) -> Iterator[list[str]]:
    """`digest demo` until the block ends, then SIGTERM; the addresses it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "digest", "demo", "--readers", "3"], cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        printed: list[str] = []
        for line in process.stdout:
            if line.startswith("  "):  # the addresses under "Open next"; what is said before is set otherwise
                printed += re.findall(r"(?:  |afterwards  )(http://\S+)", line)
            if "Ctrl+C" in line:
                break
        yield printed
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


def test_no_real_mail_server_is_ever_reached(tmp_path: Path) -> None:
    """Whatever the environment says for the real letter."""
    real = {"DIGEST_MAIL__TRANSPORT": "smtp", "DIGEST_MAIL__SERVER": "127.0.0.1", "DIGEST_MAIL__PORT": "9"}
    command = [sys.executable, "-m", "digest", "demo", "--once", "--readers", "2"]
    told = subprocess.run(
        command, cwd=tmp_path, env=environment() | real, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0, told.stderr
    assert len(letters(tmp_path / "demo")) == 2


def test_a_taken_port_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["demo", "--once", "--readers", "2", "--port", str(taken.getsockname()[1])]) == 0


class Going(Clock):
    """A clock that goes on a little whenever somebody looks at it."""

    def __call__(self) -> datetime:
        self.forward(milliseconds=20)
        return self.time


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_demo_has_a_full_month_to_show_on_any_day(tmp_path: Path, day: datetime) -> None:
    """A minute into a year, the last of a month, a leap day: the letter is full and the next draft is not empty."""
    said: list[str] = []
    with Demo(tmp_path, port=0, readers=2, say=said.append, clock=Going(day)) as demo:
        demo.run()
    with open_app(read_config(tmp_path / "config.toml"), clock=Clock(day)) as app:
        draft, sent = (app.store.issues.get(one.period) for one in app.store.issues.all())
    local = day.astimezone(ZoneInfo("America/Toronto"))
    assert sent.period == Period(local.year, local.month)
    assert len(sent.section("coming-up")) >= 7
    assert len(sent.section("worth-reading")) == 12
    assert draft.period == sent.period.next()
    assert len(draft.section("coming-up")) >= 3
    assert len(draft.section("worth-reading")) >= 3
    assert len(letters(tmp_path)) == 2


# --- the sample community ---------------------------------------------------------------------------------------


def context(now: datetime, url: str) -> ParseContext:
    return ParseContext(url=url, now=now, horizon=now + timedelta(days=75))


def test_medium_publications_have_mediums_shape() -> None:
    posts = sample_posts(DAYS[0])
    body = feeds.medium(PUBLICATIONS[0], posts, site="http://127.0.0.1:1", now=DAYS[0]).decode()
    assert re.search(r'<guid isPermaLink="false">https://medium\.com/p/[0-9a-f]{12}</guid>', body)
    assert "https://medium.com/_/stat?event=post.clientViewed" in body
    assert "<content:encoded><![CDATA[" in body
    assert "?source=rss----" in body


@pytest.mark.parametrize("now", DAYS, ids=str)
def test_the_month_follows_the_calendar(now: datetime) -> None:
    """On any day there is something to read from the last month and something to go to in the next five weeks."""
    use_packaged_zones()
    kinds: Counter[str] = Counter()
    for publication in PUBLICATIONS:
        posts = [post for post in sample_posts(now) if publication.key in post.publications]
        write = {"medium": lambda p=publication, s=posts: feeds.medium(p, s, site="http://127.0.0.1:1", now=now),
                 "atom": lambda p=publication, s=posts: feeds.atom(p, s, site="http://127.0.0.1:1"),
                 "json": lambda p=publication, s=posts: feeds.json_feed(p, s, site="http://127.0.0.1:1")}  # fmt: skip
        kind = KINDS["medium" if publication.format == "medium" else "feed"]
        harvest = kind.parse(
            write[publication.format](), context(now, f"http://127.0.0.1:1{publication.path}")
        )
        assert not harvest.left_out
        for entry in harvest.entries:
            assert entry.published is not None
            assert entry.published <= now
            assert "stat" not in entry.html
            assert entry.summary
            kinds[entry.kind] += now - entry.published < timedelta(days=31)
    assert kinds[ItemKind.POST] >= 12

    body = feeds.ical(sample_events(now, late=True), site="http://127.0.0.1:1", stamp=now)
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    harvest = KINDS["ical"].parse(body, context(now, "http://127.0.0.1:1/calendar.ics"))
    soon = {
        entry.title
        for entry in harvest.entries
        if entry.occasion and now < entry.occasion.starts < now + timedelta(days=35)
    }
    assert {"Civic hack night", "Northern Services Lab office hours", "Prairie digital meet-up"} <= soon
    zones = {entry.occasion.timezone for entry in harvest.entries if entry.occasion}
    assert {"America/Toronto", "America/Edmonton", "America/Halifax", "America/Vancouver"} <= zones
    hours = {entry.occasion.starts.astimezone(ZoneInfo("America/Toronto")).hour for entry in harvest.entries
             if entry.occasion and "office hours" in entry.title}  # fmt: skip
    assert hours == {12}


def test_sample_people_are_made_up_and_differ() -> None:
    people = sample_readers(2000)
    assert len({one.address for one in people}) == 2000
    assert all(one.address.endswith("@example.org") and one.address.isascii() for one in people)
    assert Counter(one.language for one in people) == {"en": 1000, "fr": 1000}


def test_sample_texts_are_set_as_each_language_is() -> None:
    for post in sample_posts(DAYS[0], late=True):
        text = " ".join((post.title, *post.paragraphs))
        assert "'" not in text, post.id
        if post.language == "fr":
            assert not re.search(r"(?<!\u00a0)[:;?!»](\s|$)", text), post.id
