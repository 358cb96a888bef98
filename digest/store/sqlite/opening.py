"""From a path to a database of this version: the file made private, migrated under one lock, copied before that.

Also the way back out: a consistent copy while others write. Never two migrations at once, never a half one.
"""

import glob
import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database, Migrations

from digest.errors import StoreError, StoreNewer
from digest.store.sqlite.handle import connect, store_error

_PRIVATE = 0o600


def prepare(path: Path, *, migrations: Migrations, busy_timeout_s: float, now: datetime | None) -> None:
    """Creates the file when it is missing and brings it to the newest migration. Any number of processes may do so.

    An older database is first copied beside itself, `<name>.before-<first new migration>[-<now>]`.
    Raises StoreNewer when it holds migrations we do not know, StoreError when it cannot be used.
    """
    _make_private_file(path)
    try:
        with closing(connect(path, busy_timeout_s=busy_timeout_s)) as connection:
            if _is_behind(connection, path, migrations=migrations):
                _migrate(connection, path, migrations=migrations, busy_timeout_s=busy_timeout_s, now=now)
            _tighten(path)
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def copy(source: sqlite3.Connection, target: Path) -> None:
    """A consistent copy of the database, in one file, 0600; a file that stands at `target` is replaced at the end.

    One step: in WAL the writers go on meanwhile, and none of them can make us begin again. Raises sqlite3.Error.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))
        with closing(sqlite3.connect(part, isolation_level=None)) as copied:
            source.backup(copied, pages=-1)
            copied.execute("PRAGMA journal_mode = DELETE")
            _mark(copied)
        _to_disk(part)
        part.replace(target)
    except OSError as error:
        raise StoreError(f"The copy {target} could not be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _mark(copied: sqlite3.Connection) -> None:
    """A copy says that it is one, so that a sender which finds it in place of the database asks before it goes on."""
    with suppress(sqlite3.Error):  # what is copied before an upgrade may be no whole database of ours
        copied.execute(
            "INSERT INTO setting (name, value) VALUES ('copied', 'yes') ON CONFLICT (name) DO UPDATE SET value = 'yes'"
        )


def refuse_precious(target: Path, *, live: Path) -> None:
    """Raises StoreError unless `target` is free, or an earlier backup of ours that is not the live database."""
    if not target.exists() and not target.is_symlink():
        return
    if target.exists() and target.samefile(live):
        raise StoreError(f"{target} is the database itself; name another file for the backup.")
    if not _is_ours(target):
        raise StoreError(f"{target} is there already and is no backup of digest; nothing was written.")


def _is_ours(path: Path) -> bool:
    """Whether the file is a database that digest has made. Opened to read only: a stranger's file is not touched."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            found = file.execute("SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'digest' LIMIT 1")
            return found.fetchone() is not None
    except sqlite3.Error:
        return False


def _to_disk(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _make_private_file(path: Path) -> None:
    """SQLite gives -wal and -shm the mode of the main file, so that one must be private before it is first opened."""
    folder = path.parent
    if not folder.is_dir():
        raise StoreError(
            f"The folder {folder} of the database does not exist; create it, or change [store] url."
        )
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name a file under [store] url.")
    try:
        # Only a file that is not there yet is opened and closed by us: closing any descriptor of a database drops every
        # lock that this process holds on it (POSIX), and another process would then take the WAL away under our feet.
        if not path.exists():
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, _PRIVATE))
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(path)
    except OSError as error:
        raise StoreError(
            f"We may not write the database {path}; give this user the right to write the file and its folder."
        ) from error
    if not os.access(folder, os.W_OK):
        raise StoreError(
            f"We may not write the folder {folder}, and the database {path.name} needs files beside it; change its rights."
        )
    _tighten(path)


def _tighten(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(OSError):  # not there, or another user's: then its rights are that user's choice
            path.with_name(name).chmod(_PRIVATE)


def _is_behind(connection: sqlite3.Connection, path: Path, *, migrations: Migrations) -> bool:
    """Looks without the lock, but at one state: another process may bring all tables between two of our questions."""
    connection.execute("BEGIN")
    try:
        return bool(_pending(Database(connection), path, migrations=migrations))
    finally:
        connection.execute("ROLLBACK")


def _migrate(
    connection: sqlite3.Connection,
    path: Path,
    *,
    migrations: Migrations,
    busy_timeout_s: float,
    now: datetime | None,
) -> None:
    database = Database(connection)
    # foreign_keys cannot be switched inside a transaction; migrations may rebuild tables that others point at.
    connection.execute("PRAGMA foreign_keys = OFF")
    # apply() begins DEFERRED and would lose against another process; inside this one it nests as a savepoint.
    connection.execute("BEGIN IMMEDIATE")
    try:
        pending = _pending(
            database, path, migrations=migrations
        )  # another process may have done it meanwhile
        if pending and migrations.applied(database):
            # We hold the lock and have written nothing: a second connection reads what was there before us.
            with closing(connect(path, busy_timeout_s=busy_timeout_s)) as reader:
                copy(reader, _copy_before(path, pending[0], now=now))
        if pending:
            migrations.apply(database)
            _refuse_broken_references(connection, path)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _copy_before(path: Path, migration: str, *, now: datetime | None) -> Path:
    stamp = "" if now is None else f"-{now:%Y%m%dT%H%M%SZ}"
    return path.with_name(f"{path.name}.before-{migration}{stamp}")


def _pending(database: Database, path: Path, *, migrations: Migrations) -> list[str]:
    """Names of what has still to run. Raises StoreNewer, and StoreError for another program's database."""
    pending = [migration.name for migration in migrations.pending(database)]
    applied = [migration.name for migration in migrations.applied(database)]
    known = _names(migrations)
    unknown = [name for name in applied if name not in known]
    if unknown:
        raise StoreNewer(_newer(path, unknown[0]))
    if not applied and set(database.table_names()) - {migrations.migrations_table}:
        raise StoreError(f"{path} is another program's database; name another file under [store] url.")
    return pending


def _names(migrations: Migrations) -> set[str]:
    empty = Database(memory=True)
    try:
        return {migration.name for migration in migrations.pending(empty)}
    finally:
        empty.close()


def _newer(path: Path, unknown: str) -> str:
    kept = sorted(path.parent.glob(f"{glob.escape(path.name)}.before-{glob.escape(unknown)}*"))
    way_back = f", or restore the copy made before the upgrade: {kept[-1]}" if kept else ""
    return (
        f"{path} was written by a newer digest (it holds the change {unknown}); "
        f"install that version (pip install --upgrade community-digest){way_back}."
    )


def _refuse_broken_references(connection: sqlite3.Connection, path: Path) -> None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StoreError(
            f"{path} could not be upgraded: {len(broken)} rows of {broken[0][0]} point at nothing; "
            "nothing was changed. Restore a backup, or ask for help with this message."
        )
