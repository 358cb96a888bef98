"""Small things for the tests of the store: a moment, entries, an issue with readers, processes that start together."""

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digest.config import SourcePart
from digest.model import (
    Address,
    Entry,
    IssueId,
    Item,
    ItemKind,
    Language,
    Occasion,
    Period,
    Source,
    Subscriber,
    SubscriberState,
)
from digest.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
NOVEMBER = Period(2026, 11)
ROOT = Path(__file__).parent.parent
_WAIT_FOR_GO = (
    "import pathlib, sys, time\npathlib.Path(sys.argv[2] + sys.argv[3]).touch()\n"
    "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.001)\n"
)


def days(count: float) -> timedelta:
    return timedelta(days=count)


def post(
    key: str, *, published: datetime | None = NOW, content_hash: str = "a", title: str = "A post"
) -> Entry:
    return Entry(
        kind=ItemKind.POST, keys=(key,), title=title, url="https://blog.example.org/" + key.replace(":", "/"),
        published=published, content_hash=content_hash, summary="Words.", tags=("civic tech", "données"),
    )  # fmt: skip


def event(key: str, *, starts: datetime, ends: datetime | None = None) -> Entry:
    return Entry(
        kind=ItemKind.EVENT, keys=(key,), title="An event", url=None, content_hash="e",
        occasion=Occasion(starts=starts, ends=ends, timezone="America/Toronto", place="Toronto", uid=key),
    )  # fmt: skip


def named_source(store: SqliteStore, name: str) -> Source:
    """Adds one source to those there are."""
    parts = [SourcePart(name=source.name, url=source.url) for source in store.sources.all()]
    with store.write():
        store.sources.sync([*parts, SourcePart(name=name, url=f"https://{name}.example.org/feed")])
    return store.sources.get(name)


def kept(store: SqliteStore, entry: Entry, *, source: Source, now: datetime = NOW) -> Item:
    with store.write():
        item_id = store.items.add(entry, source=source.id, now=now)
    return store.items.get([item_id])[0]


def draft(store: SqliteStore, *, period: Period = NOVEMBER) -> IssueId:
    with store.write():
        return store.issues.create(
            period=period, since=NOW - days(30), until=NOW, send_at=NOW + days(5), placed=[]
        )


def readers(store: SqliteStore, count: int, *, language: Language = Language.EN) -> list[Subscriber]:
    with store.write():
        return [
            store.subscribers.add(
                Address(f"reader{number}@example.org"),
                language=language,
                state=SubscriberState.CONFIRMED,
                now=NOW,
            )
            for number in range(count)
        ]


def together(script: str, *, path: Path, count: int) -> list[str]:
    """Runs a script in so many processes that pass the same starting line; what each printed.

    In the script, sys.argv[1] is `path`, sys.argv[3] the number of the process, and GO stands where all wait.
    """
    go = path.with_name("go")
    for old in path.parent.glob("go*"):
        old.unlink()
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script.replace("GO", _WAIT_FOR_GO), str(path), str(go), str(number)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(count)
    ]  # fmt: skip
    while len(list(path.parent.glob("go*"))) < count and all(process.poll() is None for process in processes):
        time.sleep(0.005)
    go.touch()
    # All of them are waited for before one may fail the test.
    ended = [process.communicate(timeout=120) for process in processes]
    for process, (_, error) in zip(processes, ended, strict=True):
        assert process.returncode == 0, error
    return [out for out, _ in ended]


def addresses(found: Sequence[Subscriber]) -> list[str]:
    return [one.address.reveal() for one in found]
