"""A decision in two halves: what is asked of the store at once, and its COMMIT, which another thread may wait for."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.store.sqlite import SqliteStore, open_store
from tests.send_kit import NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db", now=NOW)
    yield opened
    opened.close()


def test_nothing_is_decided_before_the_commit_that_another_thread_does(store: SqliteStore) -> None:
    with store.begun() as commit:
        store.settings.put("name", "value")
    assert _seen_elsewhere(store) is None
    thread = threading.Thread(target=commit)
    thread.start()
    thread.join()
    assert _seen_elsewhere(store) == "value"
    with store.write():  # and this thread may write again
        store.settings.put("name", "other")
    assert _seen_elsewhere(store) == "other"


def test_nobody_adds_to_a_decision_that_is_being_committed(store: SqliteStore) -> None:
    with store.begun() as commit:
        store.settings.put("name", "value")
    with pytest.raises(RuntimeError, match="still being committed"):
        store.settings.put("name", "late")
    with pytest.raises(RuntimeError, match="still being committed"), store.write():
        pass
    with pytest.raises(RuntimeError, match="inside another"), store.begun():
        pass
    commit()
    assert _seen_elsewhere(store) == "value"


def test_a_half_that_fails_is_rolled_back(store: SqliteStore) -> None:
    def half() -> None:
        with store.begun():
            store.settings.put("name", "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert _seen_elsewhere(store) is None
    with store.write():
        store.settings.put("name", "after")
    assert _seen_elsewhere(store) == "after"


def test_a_commit_that_fails_is_rolled_back_and_said(store: SqliteStore) -> None:
    with store.begun() as commit:
        store._db.change("PRAGMA defer_foreign_keys = ON")
        store._db.change(
            "INSERT INTO edit (issue, at, editor, act, detail) VALUES (9, 0, 'kim', 'look', '{}')"
        )
        store.settings.put("name", "value")
    with pytest.raises(StoreError):
        commit()
    assert _seen_elsewhere(store) is None
    with store.write():
        store.settings.put("name", "after")
    assert _seen_elsewhere(store) == "after"


def _seen_elsewhere(store: SqliteStore) -> str | None:
    """What a connection of its own finds."""
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(store.settings.get("name")))
    thread.start()
    thread.join()
    return found[0]
