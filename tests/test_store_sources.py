"""Sources that editors added live beside those of config.toml; neither takes the other away."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.config import SourcePart
from digest.errors import NotFound
from digest.store.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(open_store(tmp_path / "subscribers.db", now=NOW)) as store:
        yield store


def _part(name: str) -> SourcePart:
    return SourcePart(name=name, url=f"https://{name}.example/feed")


def test_an_added_source_stays_when_the_configuration_is_read_again(store: SqliteStore) -> None:
    with store.write():
        store.sources.sync([_part("one")])
        added = store.sources.add(_part("two"))
        store.sources.sync([_part("three")])
    assert added.added
    assert [source.name for source in store.sources.all()] == ["two", "three"]


def test_a_source_that_config_toml_comes_to_name_is_its_own_from_then_on(store: SqliteStore) -> None:
    with store.write():
        store.sources.add(_part("one"))
        store.sources.sync([_part("one")])
        assert not store.sources.get("one").added
        store.sources.sync([])
    assert store.sources.all() == []


def test_a_removed_source_is_not_visited_and_may_come_back(store: SqliteStore) -> None:
    with store.write():
        one = store.sources.add(_part("one"))
        store.sources.remove(one.id)
        with pytest.raises(NotFound):
            store.sources.get("one")
        assert store.sources.add(_part("one")).id == one.id


def test_a_visit_never_undoes_a_pause_and_never_writes_over_a_new_address(store: SqliteStore) -> None:
    with store.write():
        before = store.sources.add(_part("one"))
        store.sources.pause(before.id, paused=True)
        store.sources.remember(replace(before, fail_count=2))
        assert store.sources.get("one").paused
        assert store.sources.get("one").fail_count == 2
        store.sources.move(before.id, url="https://new.example/feed")
        store.sources.remember(replace(before, etag='"old"'))
        moved = store.sources.get("one")
    assert (moved.url, moved.etag, moved.paused, moved.fail_count) == (
        "https://new.example/feed",
        None,
        False,
        0,
    )


def test_resumed_a_source_is_due_at_once(store: SqliteStore) -> None:
    with store.write():
        one = store.sources.add(_part("one"))
        store.sources.remember(replace(one, next_at=NOW.replace(year=2027)))
        store.sources.pause(one.id, paused=True)
        assert store.sources.due(NOW) == []
        store.sources.pause(one.id, paused=False)
    assert [source.name for source in store.sources.due(NOW)] == ["one"]
