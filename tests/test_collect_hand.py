"""Writing down what visits bring, several at a time: none is lost, none stands in another's way, no thread is left."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from digest.collect import Collect
from digest.collect_hand import AT_ONCE, MOST_CHARS, Brought, Hand
from digest.config import Config
from digest.errors import ErrorKind, SourceError, StoreFull
from digest.model import Entry, Harvest, ItemKind, Source, SourceId
from digest.rules.gather import Fetched, Found
from digest.store.sqlite import SqliteStore, open_store
from tests.conftest import Clock

SOURCES = 3 * AT_ONCE
UNKEEPABLE = "half an emoji: \ud83d"


class Saying:
    """A fetcher that knows what each source says; every one has a lane of its own."""

    def __init__(self, says: Callable[[Source], Fetched]) -> None:
        self._says = says

    def lane(self, source: Source) -> str:
        return source.name

    def visit(self, source: Source, *, now: datetime, horizon: datetime) -> Fetched:
        return self._says(source)

    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool) -> Found:
        raise NotImplementedError


@pytest.fixture
def config(make_config: Callable[[str], Config]) -> Config:
    return make_config(
        "".join(f'[[sources]]\nname = "{n}"\nurl = "https://b{n}.example/feed"\n' for n in range(SOURCES))
    )


@pytest.fixture
def store(tmp_path: Path, config: Config) -> Iterator[SqliteStore]:
    with closing(open_store(tmp_path / "hand.db")) as opened:
        with opened.write():
            opened.sources.sync(config.sources)
        yield opened


def fetched(name: str, title: str = "A post") -> Fetched:
    one = Entry(kind=ItemKind.POST, keys=(f"guid:{name}",), title=title, url=f"https://b{name}.example/1")
    return Fetched(kind="feed", parser="1", harvest=Harvest(title=None, language=None, entries=(one,)))


def brought(number: int, clock: Clock, *, html: str = "") -> Brought:
    source = Source(id=SourceId(number), name=str(number), url="https://b.example", kind="feed")
    entry = Entry(kind=ItemKind.POST, keys=(), title="", url=None, html=html)
    harvest = Harvest(title=None, language=None, entries=(entry,))
    return Brought(source, Fetched(kind="feed", parser="1", harvest=harvest), clock(), 0.1)


def test_one_answer_that_cannot_be_kept_fails_alone_among_those_written_with_it(
    store: SqliteStore, config: Config, clock: Clock
) -> None:
    def says(source: Source) -> Fetched:
        if source.name == "4":
            raise SourceError(ErrorKind.TIMEOUT, "The site took too long to answer.")
        return fetched(source.name, UNKEEPABLE if source.name == "7" else "A post")

    heard: list[str] = []
    visits = Collect(store, Saying(says), clock=clock, config=config).visit(
        on_visit=lambda row: heard.append(row.source.name)
    )
    failed = {row.source.name: row.error_kind for row in visits if row.outcome == "failed"}
    assert failed == {"4": "timeout", "7": "parse"}
    assert sum(row.new for row in visits) == SOURCES - 2
    assert sorted(heard) == sorted(str(n) for n in range(SOURCES))
    kept = {row.name: row.last_error_kind for row in store.sources.all() if row.last_visit_at is not None}
    assert len(kept) == SOURCES
    assert kept["7"] == "parse"


def test_when_the_store_gives_up_the_round_says_so_and_no_thread_is_left(
    store: SqliteStore, config: Config, clock: Clock
) -> None:
    def full(_row: object) -> None:
        raise StoreFull("There is no room left.")

    with pytest.raises(StoreFull):
        Collect(store, Saying(lambda source: fetched(source.name)), clock=clock, config=config).visit(
            on_visit=full
        )
    assert not [one.name for one in threading.enumerate() if one.name.startswith("collect")]


def test_what_comes_in_while_something_is_written_is_written_together_and_in_order(clock: Clock) -> None:
    batches: list[list[int]] = []
    first_is_in = threading.Event()
    go_on = threading.Event()

    def keep(batch: Sequence[Brought]) -> None:
        batches.append([int(one.source.name) for one in batch])
        first_is_in.set()
        go_on.wait(10)

    with Hand(keep) as hand:
        hand.take(brought(0, clock))
        assert first_is_in.wait(10)
        for number in range(1, AT_ONCE):
            hand.take(brought(number, clock))
        go_on.set()
    assert batches == [[0], list(range(1, AT_ONCE))]


def test_who_brings_more_than_may_wait_waits_for_the_hand(clock: Clock) -> None:
    first_is_in, go_on, third_is_in = threading.Event(), threading.Event(), threading.Event()
    sizes: list[int] = []

    def keep(batch: Sequence[Brought]) -> None:
        sizes.append(len(batch))
        first_is_in.set()
        go_on.wait(10)

    def bring(hand: Hand) -> None:
        hand.take(brought(2, clock))
        third_is_in.set()

    with Hand(keep) as hand:
        hand.take(brought(0, clock, html="x" * (MOST_CHARS + 1)))
        assert first_is_in.wait(10)
        hand.take(brought(1, clock, html="x" * (MOST_CHARS + 1)))
        late = threading.Thread(target=bring, args=[hand])
        late.start()
        assert not third_is_in.wait(0.05)
        go_on.set()
        assert third_is_in.wait(10)
        late.join()
    assert sizes == [1, 1, 1]
