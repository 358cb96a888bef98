"""Connections and transactions: one connection a thread, one IMMEDIATE transaction a decision. No subject's SQL here.

A sqlite3 error never leaves this folder: it becomes a StoreError with one sentence, the cause kept.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from digest.errors import StoreBusy, StoreError, StoreFull

Parameters = Mapping[str, object] | Sequence[object]

# A durable act waits for every page that it touched, whole: for what readers do, half of SQLite's own 4096 is quicker.
_PAGE_BYTES = 2048


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The sentence for the person who can act. Only codes are looked at: SQLite's texts may quote a value."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"Another program holds the database {path} for too long; nothing was written, try again."
        )
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
        for pragma in _LOOSE.split(";"):
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
_LOOSE = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16000"
_DURABLE = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000"
_MANY = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000"


@dataclass(slots=True)
class _Line:
    """What one thread holds. broken: SQLite itself gave up the transaction; nothing may be added to it."""

    connection: sqlite3.Connection
    depth: int = 0
    durable: bool = False
    pace: str = _LOOSE  # what it was set to last, one of the three below
    broken: StoreError | None = None
    handed: bool = False  # its COMMIT is in other hands; until that returns nothing may be added


class Connections:
    """All connections of this process to one database file.

    Fork: a child never touches a connection of its parent; it opens its own and keeps the old ones unclosed, since
    closing them would drop locks that are not its own.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self.path = path
        self.busy_timeout_s = busy_timeout_s
        self._guard = threading.Lock()
        self._lines: dict[int, tuple[threading.Thread, _Line]] = {}
        self._inherited: list[dict[int, tuple[threading.Thread, _Line]]] = []
        self._pid = os.getpid()
        self._closed = False

    # --- statements --------------------------------------------------------------------------------------------

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Reads."""
        line = self._line()
        try:
            return line.connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._wrapped(line, error) from error

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Reads the first row, if there is one."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Reads the first column of the first row; None when there is none."""
        found = self.rows(sql, parameters)
        return found[0][0] if found else None

    def change(self, sql: str, parameters: Parameters = ()) -> int:
        """Writes; the number of rows changed. Raises RuntimeError outside write()."""
        line = self._writing()
        try:
            return line.connection.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise self._wrapped(line, error) from error

    def change_many(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Writes one statement for many rows; the number of rows changed in all."""
        line = self._writing()
        try:
            return max(0, line.connection.executemany(sql, parameters).rowcount)
        except sqlite3.Error as error:
            raise self._wrapped(line, error) from error

    def insert(self, sql: str, parameters: Parameters = ()) -> int:
        """Writes one new row; its id."""
        line = self._writing()
        try:
            return int(line.connection.execute(sql, parameters).lastrowid or 0)
        except sqlite3.Error as error:
            raise self._wrapped(line, error) from error

    def changed(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Writes with RETURNING; the rows returned."""
        line = self._writing()
        try:
            return line.connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._wrapped(line, error) from error

    # --- transactions ------------------------------------------------------------------------------------------

    def write(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """One decision: BEGIN IMMEDIATE, COMMIT at the end, ROLLBACK on any exception; inside another, a savepoint.

        durable: on the disk when the block has been left (synchronous=FULL), also when the power fails then.
        Raises StoreBusy when another process holds the lock for longer than the busy time-out.
        """
        return _Decision(self, durable=durable)

    def enter(self, *, durable: bool) -> AbstractContextManager[None] | _Line:
        """What write() does first: the savepoint that it became, or the line that a transaction was begun on."""
        line = self._line()
        if line.depth:
            self._refuse_handed(line)
            return self._savepoint(line, durable=durable)
        self._begin(line, pace=_DURABLE if durable else _LOOSE)
        return line

    def leave(self, line: _Line, *, fails: bool) -> None:
        """What write() does last. fails: an exception is on its way."""
        try:
            if not fails:
                self._commit(line)
        except BaseException:
            self._roll_back(line)
            raise
        else:
            if fails:
                self._roll_back(line)
        finally:
            line.depth, line.durable, line.broken = 0, False, None

    @contextmanager
    def begun(self) -> Iterator[Callable[[], None]]:
        """A durable decision whose COMMIT is left for later: `with db.begun() as commit: ...`, then `commit()`.

        COMMIT is where the disk is waited for, and any thread may do that. Until it has returned the thread that began
        cannot write. Raises as `write` does; whether block or commit fails, everything is rolled back.
        """
        line = self._line()
        if line.depth:
            raise RuntimeError("a decision to be committed later cannot stand inside another")
        self._begin(line, pace=_MANY)
        try:
            yield lambda: self._commit_handed(line)
        except BaseException:
            self._roll_back(line)
            line.depth, line.durable, line.broken = 0, False, None
            raise
        line.handed = True

    def _commit_handed(self, line: _Line) -> None:
        try:
            self._commit(line)
        except BaseException:
            self._roll_back(line)
            raise
        finally:
            line.depth, line.durable, line.broken, line.handed = 0, False, None, False

    @staticmethod
    def _refuse_handed(line: _Line) -> None:
        if line.handed:
            raise RuntimeError("the last decision of this thread is still being committed")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads that belong together see one state of the database."""
        line = self._line()
        if line.connection.in_transaction:
            yield
            return
        line.connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                line.connection.execute("ROLLBACK")

    def _begin(self, line: _Line, *, pace: str) -> None:
        try:
            if line.pace != pace:
                for pragma in pace.split(";"):
                    line.connection.execute(pragma)
                line.pace = pace
            line.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        line.depth, line.durable = 1, pace is not _LOOSE

    def _commit(self, line: _Line) -> None:
        if line.broken is not None:
            raise line.broken
        try:
            line.connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error

    def _roll_back(self, line: _Line) -> None:
        """A failed write may already be rolled back by SQLite; a failed ROLLBACK leaves a connection to throw away."""
        if not line.connection.in_transaction:
            return
        try:
            line.connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._discard(line)

    @contextmanager
    def _savepoint(self, line: _Line, *, durable: bool) -> Iterator[None]:
        if durable and not line.durable:
            raise RuntimeError("a durable write cannot stand inside one that is not")
        if line.broken is not None:
            raise line.broken
        name = f"inner_{line.depth}"
        line.connection.execute(f"SAVEPOINT {name}")
        line.depth += 1
        try:
            yield
        except BaseException:
            if line.connection.in_transaction:
                line.connection.execute(f"ROLLBACK TO {name}")
                line.connection.execute(f"RELEASE {name}")
            raise
        else:
            if line.connection.in_transaction:
                line.connection.execute(f"RELEASE {name}")
        finally:
            line.depth -= 1

    # --- threads -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Closes the connections of all threads. Nobody may be at work on them."""
        with self._guard:
            self._closed = True
            if self._pid == os.getpid():
                for _, line in self._lines.values():
                    line.connection.close()
            self._lines.clear()

    def open_count(self) -> int:
        """How many connections are open in this process."""
        return len(self._lines)

    def _line(self) -> _Line:
        if self._pid != os.getpid():
            self._after_fork()
        thread = threading.current_thread()
        held = self._lines.get(id(thread))
        if held is not None and held[0] is thread:
            return held[1]
        return self._open_line(thread)

    def _open_line(self, thread: threading.Thread) -> _Line:
        if self._closed:
            raise StoreError(f"The database {self.path} has been closed by this program.")
        try:
            line = _Line(connect(self.path, busy_timeout_s=self.busy_timeout_s))
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        with self._guard:
            for key, (owner, old) in list(self._lines.items()):
                if not owner.is_alive():
                    old.connection.close()
                    del self._lines[key]
            self._lines[id(thread)] = (thread, line)
        return line

    def _discard(self, line: _Line) -> None:
        with self._guard:
            line.connection.close()
            self._lines = {key: held for key, held in self._lines.items() if held[1] is not line}

    def _after_fork(self) -> None:
        self._guard = threading.Lock()  # the parent's may have been held by a thread that does not exist here
        self._inherited.append(self._lines)
        self._lines = {}
        self._pid = os.getpid()

    def _writing(self) -> _Line:
        line = self._line()
        if line.broken is not None:
            raise line.broken
        self._refuse_handed(line)
        if not line.depth:
            raise RuntimeError("the store is only written inside `with store.write():`")
        return line

    def _wrapped(self, line: _Line, error: sqlite3.Error) -> StoreError:
        wrapped = store_error(error, self.path)
        if line.depth and not line.connection.in_transaction:
            line.broken = wrapped
        return wrapped


class _Decision(AbstractContextManager[None]):
    """`with db.write():`, by hand: a generator around every act took longer than some acts."""

    __slots__ = ("_db", "_durable", "_held")
    _held: AbstractContextManager[None] | _Line

    def __init__(self, db: Connections, *, durable: bool) -> None:
        self._db, self._durable = db, durable

    def __enter__(self) -> None:
        self._held = self._db.enter(durable=self._durable)
        if not isinstance(self._held, _Line):
            self._held.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._held, _Line):
            self._db.leave(self._held, fails=kind is not None)
        else:
            self._held.__exit__(kind, error, trace)
