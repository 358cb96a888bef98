"""Opening a database: new, old, newer, foreign, unwritable; alone and by several processes at once."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from digest.errors import StoreBusy, StoreError, StoreNewer
from digest.model import SubscriberId
from digest.rules.near import hints
from digest.store.sqlite import open_store
from digest.store.sqlite.schema import MIGRATIONS
from tests.store_kit import NOW, ROOT, together

OPEN = """
import sys
from digest.store.sqlite import open_store
GO
store = open_store(sys.argv[1])
with store.write():
    store.settings.put("process" + sys.argv[3], "was here")
store.close()
"""
# An older digest: all of today's tables but one column, which a second migration brings.
TWO_STEPS = """
from sqlite_utils import Migrations
from digest.store.sqlite.schema import MIGRATIONS
def two_steps(last):
    both = Migrations("digest")
    @both(name="0001_first")
    def first(db):
        MIGRATIONS._migrations[0].fn(db)
    if last == 2:
        @both(name="0002_mood")
        def second(db):
            db.conn.execute("ALTER TABLE subscriber ADD COLUMN mood TEXT")
    return both
"""


def two_steps(last: int) -> Migrations:
    room: dict[str, object] = {}
    exec(TWO_STEPS, room)
    made = room["two_steps"](last)  # type: ignore[operator]
    assert isinstance(made, Migrations)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subscribers.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def shape(path: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(
            "SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY type, name"
        ).fetchall()


def test_a_new_database_and_what_lies_beside_it_belong_to_its_owner_alone(path: Path) -> None:
    before = os.umask(0o000)
    try:
        store = open_store(path)
        with store.write():
            store.settings.put("a", "b")
        modes = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"subscribers.db": 0o600, "subscribers.db-wal": 0o600, "subscribers.db-shm": 0o600}
    store.close()


def test_a_database_that_others_may_read_is_closed_to_them(path: Path) -> None:
    open_store(path).close()
    path.chmod(0o644)
    open_store(path).close()
    assert mode(path) == 0o600


def test_five_processes_open_a_new_database_at_once_and_all_succeed(path: Path) -> None:
    for _ in range(3):
        together(OPEN, path=path, count=5)
        with closing(open_store(path)) as store:
            assert [store.settings.get(f"process{number}") for number in range(5)] == ["was here"] * 5
            assert store.check() == []
        for file in path.parent.glob("subscribers.db*"):
            file.unlink()


def test_five_processes_open_an_old_database_at_once_and_all_succeed(path: Path) -> None:
    for _ in range(3):
        with closing(open_store(path, migrations=two_steps(1))) as old, old.write():
            old.settings.put("older", "kept")
        script = TWO_STEPS + OPEN.replace(
            "open_store(sys.argv[1])", "open_store(sys.argv[1], migrations=two_steps(2))"
        )
        together(script, path=path, count=5)
        with closing(open_store(path, migrations=two_steps(2))) as store:
            assert store.settings.get("older") == "kept"
            assert [store.settings.get(f"process{number}") for number in range(5)] == ["was here"] * 5
        assert len(list(path.parent.glob("*.before-*"))) == 1
        for file in path.parent.glob("subscribers.db*"):
            file.unlink()


def test_a_code_that_was_mailed_before_an_upgrade_can_be_typed_after_it(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        MIGRATIONS.apply(Database(db), stop_before="0021_lighter")
        db.executescript("""
          INSERT INTO subscriber (id, address, address_key, state, language)
            VALUES (7, 'a@example.org', 'a@example.org', 'asked', 'en');
          INSERT INTO notice (kind, subscriber, language, queued_at)
            VALUES ('confirm', 7, 'en', 5000000), ('manage', 7, 'en', 6000000);
          INSERT INTO code (subscriber, mark, tries, expires_at) VALUES (7, 'keyed', 2, 3605000000);
        """)
    with closing(open_store(path)) as store, store.write():
        mark, tries, made_at = store.guards.try_code(SubscriberId(7)) or ("", 0, NOW)
    assert (mark, tries, made_at.timestamp()) == ("keyed", 3, 5)


def test_letters_that_wait_before_an_upgrade_leave_after_it(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        MIGRATIONS.apply(Database(db), stop_before="0030_fewer")
        db.executescript("""
          INSERT INTO subscriber (id, address, address_key, state, language)
            VALUES (7, 'a@example.org', 'a@example.org', 'asked', 'en');
          INSERT INTO notice (id, kind, subscriber, language, queued_at, attempts, state)
            VALUES (2, 'manage', 7, 'en', 1, 1, 'sent'), (3, 'manage', 7, 'en', 1, 1, 'queued'),
                   (5, 'manage', 7, 'en', 1, 0, 'queued'), (6, 'manage', 7, 'en', 1, 0, 'queued');
        """)
    with closing(open_store(path)) as store, store.write():
        assert store.notices.pending() == 3
        assert [one.id for one in store.notices.claim(count=9, now=NOW, lease_s=60)] == [3, 5, 6]
        assert store.notices.claim(count=9, now=NOW, lease_s=60) == []


def test_an_upgraded_database_has_the_shape_of_a_fresh_one(path: Path) -> None:
    names = [migration.name for migration in MIGRATIONS._migrations]
    open_store(path).close()
    for name in names:
        older = path.with_name(f"older-{name}.db")
        with closing(sqlite3.connect(older, isolation_level=None)) as db:
            MIGRATIONS.apply(Database(db), stop_before=name)
        open_store(older).close()
        assert shape(older) == shape(path)
    stepwise, at_once = path.with_name("stepwise.db"), path.with_name("at-once.db")
    open_store(stepwise, migrations=two_steps(1)).close()
    open_store(stepwise, migrations=two_steps(2)).close()
    open_store(at_once, migrations=two_steps(2)).close()
    assert shape(stepwise) == shape(at_once)


def test_an_older_database_is_copied_before_it_is_changed(path: Path) -> None:
    with closing(open_store(path, migrations=two_steps(1))) as old, old.write():
        old.settings.put("older", "kept")
    before = shape(path)
    open_store(path, migrations=two_steps(2), now=NOW).close()
    copied = path.with_name("subscribers.db.before-0002_mood-20261120T150000Z")
    assert mode(copied) == 0o600
    assert shape(copied) == before != shape(path)
    with closing(open_store(copied, migrations=two_steps(1))) as restored:
        assert restored.settings.get("older") == "kept"


def test_a_new_database_is_not_copied(path: Path) -> None:
    open_store(path).close()
    open_store(path).close()
    assert [file.name for file in path.parent.iterdir() if "before" in file.name] == []


def test_a_newer_database_is_refused_with_the_way_back(path: Path) -> None:
    open_store(path, migrations=two_steps(1)).close()
    open_store(path, migrations=two_steps(2), now=NOW).close()
    untouched = path.read_bytes()
    with pytest.raises(StoreNewer) as refused:
        open_store(path)
    assert "newer digest" in str(refused.value)
    assert "subscribers.db.before-0002_mood-20261120T150000Z" in str(refused.value)
    assert path.read_bytes() == untouched


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    open_store(path, migrations=two_steps(1)).close()
    before = shape(path)
    broken = two_steps(1)

    @broken(name="0002_broken")
    def _(db: Database) -> None:
        db.conn.execute("CREATE TABLE half (a)")
        db.conn.execute("ALTER TABLE nowhere ADD COLUMN b")

    with pytest.raises(StoreError, match="refused"):
        open_store(path, migrations=broken)
    assert shape(path) == before
    open_store(path, migrations=two_steps(1)).close()


def test_a_migration_that_leaves_rows_pointing_at_nothing_is_undone(path: Path) -> None:
    with closing(open_store(path, migrations=two_steps(1))) as store, store.write():
        store._db.change("INSERT INTO source (name, url, kind) VALUES ('a', 'b', 'c')")
        store._db.change("INSERT INTO visit (source, at, outcome, seconds) VALUES (1, 1, 'new', 1.0)")
    careless = two_steps(1)

    @careless(name="0002_careless")
    def _(db: Database) -> None:
        db.conn.execute("DELETE FROM source")

    with pytest.raises(StoreError, match="1 rows of visit point at nothing"):
        open_store(path, migrations=careless)
    with closing(open_store(path, migrations=two_steps(1))) as store:
        assert store._db.value("SELECT name FROM source") == "a"


def test_a_file_that_is_no_database_is_named_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match=r"subscribers\.db is not a database of digest"):
        open_store(path)
    assert path.read_text() == "Dear diary, " * 100


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE photo (id INTEGER)")
    with pytest.raises(StoreError, match="another program's database"):
        open_store(path)
    assert [name for _, name, _ in shape(path)] == ["photo"]


def test_a_missing_folder_and_a_folder_as_file_are_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist; create it"):
        open_store(tmp_path / "no" / "subscribers.db")
    with pytest.raises(StoreError, match="is a folder; name a file"):
        open_store(tmp_path)


def test_a_database_that_stays_locked_is_busy_not_broken(path: Path) -> None:
    path.touch()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusy, match="try again"):
            open_store(path, busy_timeout_s=0.1)
    open_store(path).close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which tmp_path is not when the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


NOBODY = """
import json, os, sys
from digest.errors import StoreError
from digest.store.sqlite import open_store
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    open_store(sys.argv[1])
except StoreError as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o755, 0o444), (0o555, 0o666)])
def test_a_read_only_file_or_folder_is_said_in_one_sentence(
    open_folder: Path, folder_mode: int, file_mode: int
) -> None:
    path = open_folder / "subscribers.db"
    open_store(path).close()
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)
    told = subprocess.run(
        [sys.executable, "-c", NOBODY, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    kind, message = json.loads(told.stdout)
    assert kind == "StoreError"
    assert message.count(".") <= 3
    assert "We may not write" in message
    assert "right" in message


def test_opening_twice_in_one_process_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    """A descriptor of the file closed by us would drop them, and the next process to leave would take the WAL along."""
    path = tmp_path / "two.db"
    first = open_store(path)
    with first.write():
        first.settings.put("kept", "yes")
    second = open_store(path)
    elsewhere = f"from digest.store.sqlite import open_store; s = open_store({str(path)!r}); s.settings.get('kept'); s.close()"
    subprocess.run([sys.executable, "-c", elsewhere], cwd=ROOT, check=True, timeout=60)
    assert path.with_name("two.db-wal").exists()
    with first.write():
        first.settings.put("kept", "still")
    assert second.settings.get("kept") == "still"
    assert second.check() == []
    first.close()
    second.close()


@pytest.mark.parametrize("name", ["subscribers.db", "subscribers.key", "notes.txt", "subscribers.db-wal"])
def test_a_backup_never_replaces_what_is_no_backup(tmp_path: Path, name: str) -> None:
    with closing(open_store(tmp_path / "subscribers.db")) as store:
        (tmp_path / "subscribers.key").write_text("the key")
        (tmp_path / "notes.txt").write_text("mine")
        with store.write():
            store.settings.put("a", "b")
        target = tmp_path / name
        before = target.read_bytes() if name != "subscribers.db" else b""
        with pytest.raises(StoreError, match=r"no backup of digest|the database itself"):
            store.backup(target)
        assert name == "subscribers.db" or target.read_bytes() == before


def test_a_backup_replaces_an_earlier_backup(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "subscribers.db")) as store:
        store.backup(tmp_path / "copy.db")
        with store.write():
            store.settings.put("a", "b")
        store.backup(tmp_path / "copy.db")
    with closing(open_store(tmp_path / "copy.db")) as copied:
        assert copied.settings.get("a") == "b"


def page_bytes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA page_size").fetchone()[0])


@pytest.mark.parametrize(("made_with", "kept"), [(None, 2048), (4096, 4096)])
def test_a_database_keeps_the_page_size_it_was_made_with_and_so_does_its_backup(
    path: Path, tmp_path: Path, made_with: int | None, kept: int
) -> None:
    if made_with:
        with closing(sqlite3.connect(path)) as older:
            older.execute(f"PRAGMA page_size = {made_with}")
            older.execute("PRAGMA journal_mode = WAL")
    with closing(open_store(path)) as store:
        with store.write():
            store.settings.put("a", "b")
        store.backup(tmp_path / "copy.db")
        store.backup(tmp_path / "copy.db")
    shutil.copy(tmp_path / "copy.db", tmp_path / "restored.db")
    with closing(open_store(tmp_path / "restored.db")) as restored:
        assert restored.settings.get("a") == "b"
        assert restored.check() == []
    assert [page_bytes(tmp_path / name) for name in (path.name, "copy.db", "restored.db")] == [kept] * 3


def test_what_was_marked_before_an_upgrade_is_found_by_its_marks_after_it(path: Path) -> None:
    title, words = hints("A title of many words", words=" ".join(f"considerable{n}" for n in range(60)))[:2]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        MIGRATIONS.apply(Database(db), stop_before="0031_hints")
        db.executescript(f"""
          INSERT INTO source (id, name, url, kind) VALUES (3, 'a', 'https://a.example/feed', 'feed');
          INSERT INTO item (id, kind, source, title, first_seen, summary, html, is_full, content_hash)
            VALUES (5, 'post', 3, 'First', 0, '', '', 1, 'a'), (6, 'post', 3, 'Second', 0, '', '', 1, 'b');
          INSERT INTO item_key (key, item) VALUES ('guid:5', 5), ('{title}', 5), ('{words}', 6), ('link:a.example/6', 6);
        """)
    with closing(open_store(path)) as store:
        known = store.items.known(["guid:5", title, words, "link:a.example/6", "words:00000000"])
        assert {key: one.id for key, one in known.items()} == {
            "guid:5": 5,
            title: 5,
            words: 6,
            "link:a.example/6": 6,
        }
        assert store._db.value("SELECT count(*) FROM item_key") == 2
