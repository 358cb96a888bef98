"""Transactions, threads, forks, a lock held too long, a full disk, copies while others write."""

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from digest.errors import StoreBusy, StoreError, StoreFull
from digest.store.sqlite import SqliteStore, open_store
from tests.store_kit import NOW, ROOT, together


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db", busy_timeout_s=0.2)
    yield opened
    opened.close()


def put(store: SqliteStore, name: str, value: str = "x") -> None:
    store.settings.put(name, value)


def test_all_of_a_decision_is_kept_or_nothing(store: SqliteStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write():  # noqa: PT012
        put(store, "a")
        _ = 1 / 0
    assert store.settings.get("a") is None
    with store.write():
        put(store, "a")
    assert store.settings.get("a") == "x"


def test_an_inner_write_can_fail_alone(store: SqliteStore) -> None:
    with store.write():
        put(store, "outer")
        with pytest.raises(ZeroDivisionError), store.write():  # noqa: PT012
            put(store, "inner")
            _ = 1 / 0
        with store.write():
            put(store, "second")
    assert (store.settings.get("outer"), store.settings.get("inner"), store.settings.get("second")) == (
        "x",
        None,
        "x",
    )


def test_an_inner_write_goes_down_with_the_outer(store: SqliteStore) -> None:
    with pytest.raises(ZeroDivisionError), store.write():  # noqa: PT012
        with store.write():
            put(store, "inner")
        _ = 1 / 0
    assert store.settings.get("inner") is None


def test_writing_outside_a_transaction_is_a_bug(store: SqliteStore) -> None:
    for act in (
        lambda: put(store, "a"),
        lambda: store.sources.sync([]),
        lambda: store.deliveries.release(1),
        lambda: store.leases.take("a", owner="b", now=NOW, for_s=1),
        lambda: store.editors.redeem("a", now=NOW),
    ):
        with pytest.raises(RuntimeError, match=r"with store\.write"):
            act()


def synchronous(store: SqliteStore) -> int:
    return int(store._db.value("PRAGMA synchronous"))


def test_a_durable_decision_is_synced_in_full_and_only_that_one(store: SqliteStore) -> None:
    full, normal = 2, 1
    with store.write():
        assert synchronous(store) == normal
    with store.write(durable=True):
        put(store, "a")
        assert synchronous(store) == full
        with store.write(durable=True):
            assert synchronous(store) == full
    with store.write():
        assert synchronous(store) == normal
    with pytest.raises(ZeroDivisionError), store.write(durable=True):
        _ = 1 / 0
    with store.write():
        assert synchronous(store) == normal


def test_a_durable_decision_cannot_hide_in_one_that_is_not(store: SqliteStore) -> None:
    with store.write():
        put(store, "a")
        with pytest.raises(RuntimeError, match="durable"), store.write(durable=True):
            pass
    assert store.settings.get("a") == "x"


def test_a_durable_decision_survives_kill_minus_nine(store: SqliteStore) -> None:
    script = (
        "import os, signal, sys\nfrom digest.store.sqlite import open_store\nstore = open_store(sys.argv[1])\n"
        "with store.write(durable=True):\n    store.settings.put('kept', 'x')\n"
        "with store.write(durable=True):\n    store.settings.put('half', 'x')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", script, str(store.path)], cwd=ROOT, timeout=60, check=False)
    assert died.returncode == -9
    assert (store.settings.get("kept"), store.settings.get("half")) == ("x", None)
    with store.write():
        put(store, "after")


def test_a_lock_held_too_long_is_busy_and_the_next_try_goes_on(store: SqliteStore) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="try again") as busy, store.write():
            put(store, "a")
        assert isinstance(busy.value.__cause__, sqlite3.OperationalError)
        assert store.settings.get("a") is None
        other.execute("ROLLBACK")
    with store.write():
        put(store, "a")
    assert store.settings.get("a") == "x"


def fill(store: SqliteStore) -> None:
    for number in range(1000):
        put(store, f"n{number}", "x" * 4000)


def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(store: SqliteStore) -> None:
    with store.write():
        put(store, "before")
    pages = store._db.value("PRAGMA page_count")
    store._db.rows(f"PRAGMA max_page_count = {pages + 20}")
    with pytest.raises(StoreFull, match="no room left"), store.write(durable=True):
        fill(store)
    assert store.settings.get("before") == "x"
    assert store.settings.get("n0") is None
    store._db.rows("PRAGMA max_page_count = 1000000")
    with store.write():
        fill(store)
    assert store.check() == []


def test_nothing_is_added_to_a_decision_that_the_full_disk_has_undone(store: SqliteStore) -> None:
    """SQLite may roll back by itself; what follows must then not be committed alone."""
    with pytest.raises(StoreFull), store.write():  # noqa: PT012
        put(store, "first")
        store._db._line().connection.execute("ROLLBACK")  # as SQLite does it
        store._db._line().broken = StoreFull("no room left")
        put(store, "second")
    with pytest.raises(StoreFull), store.write():  # noqa: PT012
        store._db._line().connection.execute("ROLLBACK")
        store._db._line().broken = StoreFull("no room left")
    assert (store.settings.get("first"), store.settings.get("second")) == (None, None)
    with store.write():
        put(store, "third")
    assert store.settings.get("third") == "x"


def test_a_broken_rule_of_the_tables_is_a_store_error_that_repeats_no_value(store: SqliteStore) -> None:
    with pytest.raises(StoreError) as refused, store.write():
        store._db.change(
            "INSERT INTO visit (source, at, outcome, seconds) VALUES (99, 1, 'secret@example.org', 1.0)"
        )
    assert "secret" not in str(refused.value)
    assert "SQLITE_CONSTRAINT" in str(refused.value)


def test_each_thread_writes_on_its_own_connection(store: SqliteStore) -> None:
    lasting = open_store(store.path)

    def count() -> None:
        for _ in range(50):
            with lasting.write():
                lasting.settings.put("count", str(int(lasting.settings.get("count") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lasting.settings.get("count") == "400"
    lasting.close()


def test_the_connections_of_ended_threads_are_closed(store: SqliteStore) -> None:
    for _ in range(30):
        thread = threading.Thread(target=lambda: store.settings.get("a"))
        thread.start()
        thread.join()
    assert store._db.open_count() <= 2


def test_close_closes_the_connections_of_all_threads(store: SqliteStore) -> None:
    ready, done = threading.Barrier(4), threading.Event()

    def hold() -> None:
        store.settings.get("a")
        ready.wait()
        done.wait()

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    assert store._db.open_count() == 3
    store.close()
    assert store._db.open_count() == 0
    done.set()
    for thread in threads:
        thread.join()
    assert not store.path.with_name("subscribers.db-wal").exists()  # the last connection tidies it away
    with pytest.raises(StoreError, match="closed"):
        store.settings.get("a")


def test_a_forked_child_works_on_its_own_connection(store: SqliteStore) -> None:
    with store.write():
        put(store, "parent")
    context = multiprocessing.get_context("fork")

    def child() -> None:
        with store.write():
            put(store, "child", store.settings.get("parent") or "")
        store.close()

    process = context.Process(target=child)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert store.settings.get("child") == "x"
    with store.write():
        put(store, "parent", "y")
    assert store.check() == []


def test_contended_reads_then_writes_of_processes_all_count(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom digest.store.sqlite import open_store\nstore = open_store(sys.argv[1])\nGO\n"
        "for _ in range(50):\n    with store.write():\n"
        "        store.settings.put('count', str(int(store.settings.get('count') or 0) + 1))\nstore.close()\n"
    )
    together(script, path=tmp_path / "subscribers.db", count=4)
    with closing(open_store(tmp_path / "subscribers.db")) as store:
        assert store.settings.get("count") == "200"


def test_a_copy_is_made_while_others_write_and_is_whole(store: SqliteStore, tmp_path: Path) -> None:
    stop = threading.Event()

    def write_pairs() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with store.write():
                put(store, "one", str(number))
                put(store, "two", str(number))

    with store.write():
        fill(store)
    writer = threading.Thread(target=write_pairs)
    writer.start()
    for number in range(5):
        store.backup(tmp_path / f"copy{number}.db")
    stop.set()
    writer.join()
    for number in range(5):
        copied = tmp_path / f"copy{number}.db"
        assert stat.S_IMODE(copied.stat().st_mode) == 0o600
        with closing(open_store(copied)) as copy:
            assert copy.check() == []
            assert copy.settings.get("one") == copy.settings.get("two")
            assert copy.settings.get("n999") is not None
    assert not list(tmp_path.glob("*.part"))


def test_a_copy_can_be_made_inside_a_decision_and_holds_what_was_before(
    store: SqliteStore, tmp_path: Path
) -> None:
    with store.write():
        put(store, "a")
    with store.write():
        put(store, "b")
        store.backup(tmp_path / "copy.db")
    with closing(open_store(tmp_path / "copy.db")) as copy:
        assert (copy.settings.get("a"), copy.settings.get("b")) == ("x", None)


def test_a_copy_that_cannot_be_written_leaves_the_old_one(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be written"):
        store.backup(tmp_path / "nowhere" / "copy.db")


def test_check_names_damage(store: SqliteStore) -> None:
    with store.write():
        fill(store)
    assert store.check() == []
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        other.execute("INSERT INTO visit (source, at, outcome, seconds) VALUES (99, 1, 'new', 1.0)")
    assert store.check() == ["A row of visit points at nothing in source."]


def test_check_names_a_page_that_the_disk_has_spoilt(store: SqliteStore) -> None:
    with store.write():
        fill(store)
    store.close()
    with store.path.open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 100)
    opened = SqliteStore(type(store._db)(store.path, busy_timeout_s=1))
    assert any("damaged" in sentence for sentence in opened.check())
    opened.close()


def test_threads_that_answer_requests_write_in_turn_over_one_connection(store: SqliteStore) -> None:
    """And one that fails in the middle takes nothing of the others with it."""
    failed: list[int] = []

    def answer(number: int) -> None:
        store.wait_at_most(3.0)
        for turn in range(20):
            try:
                with store.write(durable=True):
                    put(store, f"{number}.{turn}", store.settings.get("last") or "")
                    put(store, "last", f"{number}.{turn}")
                    if turn % 5 == number % 5:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                failed.append(1)
                assert store.settings.get(f"{number}.{turn}") is None

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(answer, range(8)))
    kept = [f"{number}.{turn}" for number in range(8) for turn in range(20) if turn % 5 != number % 5]
    assert all(store.settings.get(name) is not None for name in kept)
    assert len(failed) == 160 - len(kept) == 32
    before = [store.settings.get(name) for name in kept]
    assert len(set(before)) == len(kept)  # each saw the one before it, and nothing that was taken back
    assert set(before) <= {"", *kept}


def test_a_thread_that_answers_requests_reads_nothing_that_is_not_committed(store: SqliteStore) -> None:
    written, read = threading.Event(), threading.Event()

    def write() -> None:
        store.wait_at_most(3.0)
        with store.write(durable=True):
            put(store, "a")
            written.set()
            read.wait(10)

    store.wait_at_most(3.0)
    thread = threading.Thread(target=write)
    thread.start()
    written.wait(10)
    assert store.settings.get("a") is None
    read.set()
    thread.join()
    assert store.settings.get("a") == "x"


def test_who_waits_for_another_thread_too_long_is_told(store: SqliteStore) -> None:
    begun, end = threading.Event(), threading.Event()

    def hold() -> None:
        with store.write():
            begun.set()
            end.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(10)
    store.wait_at_most(0.05)
    with pytest.raises(StoreBusy, match="for too long"), store.write():
        pass
    end.set()
    thread.join()
    with store.write():
        put(store, "a")
    assert store.settings.get("a") == "x"


def test_a_full_disk_ends_one_request_and_not_the_next(store: SqliteStore) -> None:
    store.wait_at_most(3.0)
    with store.write():
        put(store, "first")
    shared = store._db._shared
    assert shared is not None
    pages = shared.connection.execute("PRAGMA page_count").fetchone()[0]
    shared.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull), store.write(durable=True):
        put(store, "large", "x" * 1_000_000)
    shared.connection.execute("PRAGMA max_page_count = 1000000")
    with store.write(durable=True):
        put(store, "next")
    assert store.settings.get("large") is None
    assert store.settings.get("next") == "x"
