"""One connection: how it is opened, how careful it is at which work, and what its errors say to people. No SQL of a subject."""

import sqlite3
import time
from pathlib import Path

from digest.errors import StoreBusy, StoreError, StoreFull

# A durable act waits for every page that it touched, whole: for what readers do, half of SQLite's own 4096 is quicker.
_PAGE_BYTES = 2048


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The sentence for the person who can act. Only codes are looked at: SQLite's texts may quote a value."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return store_busy(path)
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(
            f"There is no room left for the database {path}; nothing was written. Make room, then try again."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StoreError(
            f"We may not write the database {path}; give this user the right to write the file and its folder."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(
            f"{path} is not a database of digest; move it away, or name another file under [store] url."
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(
            f"The database {path} is damaged; stop digest and put the last backup in its place."
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"The disk under the database {path} reports a fault ({_code_name(error)}); nothing was written."
        )
    return StoreError(f"The database {path} refused ({_code_name(error)}); nothing was written.")


def store_busy(path: Path) -> StoreBusy:
    """Somebody else was writing for longer than we may wait."""
    return StoreBusy(
        f"Another program holds the database {path} for too long; nothing was written, try again."
    )


def _code_name(error: sqlite3.Error) -> str:
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def connect(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection that begins no transaction by itself, in WAL, with foreign keys on. Raises sqlite3.Error.

    check_same_thread is off for one reason: close() must be able to close the connections of all threads.
    """
    connection = sqlite3.connect(
        path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # who is forgotten is not left lying in freed pages
        connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # heard by a file that is still empty
        _enter_wal(connection, deadline_s=time.monotonic() + busy_timeout_s)
        for pragma in LOOSE.split(";"):
            connection.execute(pragma)
        # A log that an import made long shrinks again.
        connection.execute("PRAGMA journal_size_limit = 33554432")
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection, *, deadline_s: float) -> None:
    """SQLite does not ask its busy handler here, so processes that open a new file at once must take turns."""
    while True:
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
        time.sleep(0.005)


# Inside a transaction SQLite ignores `synchronous`, so these come before; they stay until another is asked for. A log that
# still grows is slow to wait for, and one that is copied home seldom is quick to fill: each has its own measure, in pages.
LOOSE = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16000"
DURABLE = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000"
MANY = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000"
