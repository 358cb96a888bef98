"""Connections and transactions: one connection a thread, one IMMEDIATE transaction a decision. No subject's SQL here.

A sqlite3 error never leaves this folder: it becomes a StoreError with one sentence, the cause kept.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from digest.errors import StoreError
from digest.store.sqlite.handle import DURABLE, LOOSE, MANY, connect, store_busy, store_error

Parameters = Mapping[str, object] | Sequence[object]


@dataclass(slots=True)
class _Open:
    """One connection. pace: what it was set to last, LOOSE, DURABLE or MANY. wait_s: for another who writes."""

    connection: sqlite3.Connection
    wait_s: float
    pace: str = LOOSE


@dataclass(slots=True)
class _Line:
    """What one thread holds. broken: SQLite itself gave up the transaction; nothing may be added to it.

    connection: the thread's own, but for a decision of a thread that shares (see wait_at_most). pid: of the process that
    opened it; 0 when it is closed.
    """

    own: _Open
    connection: sqlite3.Connection
    pid: int
    shares: bool = False
    depth: int = 0
    durable: bool = False
    broken: StoreError | None = None
    handed: bool = False  # its COMMIT is in other hands; until that returns nothing may be added


class _Mine(threading.local):
    """The line of whichever thread looks: asked for with every statement, so found at once."""

    line: _Line | None = None


class Connections:
    """All connections of this process to one database file.

    Fork: a child never touches a connection of its parent; it opens its own and keeps the old ones unclosed, since
    closing them would drop locks that are not its own.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float) -> None:
        self.path = path
        self.busy_timeout_s = busy_timeout_s
        self._guard = threading.RLock()
        self._turn = threading.Lock()  # who writes; SQLite's own waiting is for other processes, and sleeps
        self._shared: _Open | None = None
        self._mine = _Mine()
        self._lines: list[tuple[threading.Thread, _Line]] = []
        self._inherited: list[object] = []
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

    def wait_at_most(self, seconds: float) -> None:
        """How long this thread waits for another who writes, before StoreBusy. For threads that answer requests.

        Such threads are many, and each writes now and then: they share one connection for it, under their turn. What
        that has read stays read, while to a connection of its own all that others wrote would be new.
        """
        line = self._line()
        line.shares = True
        self._wait(line.own, seconds)

    @staticmethod
    def _wait(opened: _Open, seconds: float) -> None:
        if opened.wait_s != seconds:
            opened.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
            opened.wait_s = seconds

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
        self._begin(line, pace=DURABLE if durable else LOOSE)
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
            self._end(line)

    @contextmanager
    def begun(self) -> Iterator[Callable[[], None]]:
        """A durable decision whose COMMIT is left for later: `with db.begun() as commit: ...`, then `commit()`.

        COMMIT is where the disk is waited for, and any thread may do that. Until it has returned the thread that began
        cannot write. Raises as `write` does; whether block or commit fails, everything is rolled back.
        """
        line = self._line()
        if line.depth:
            raise RuntimeError("a decision to be committed later cannot stand inside another")
        self._begin(line, pace=MANY)
        try:
            yield lambda: self._commit_handed(line)
        except BaseException:
            self._roll_back(line)
            self._end(line)
            raise
        line.handed = True

    def _commit_handed(self, line: _Line) -> None:
        try:
            self._commit(line)
        except BaseException:
            self._roll_back(line)
            raise
        finally:
            self._end(line)

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
        """Within this process one after the other, at once; then between processes, where SQLite waits by sleeping."""
        if not self._turn.acquire(timeout=line.own.wait_s):
            raise store_busy(self.path)
        try:
            opened = self._shared_by(line) if line.shares else line.own
            if opened.pace != pace:
                for pragma in pace.split(";"):
                    opened.connection.execute(pragma)
                opened.pace = pace
            opened.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._turn.release()
            raise store_error(error, self.path) from error
        except BaseException:
            self._turn.release()
            raise
        line.connection = opened.connection
        line.depth, line.durable = 1, pace is not LOOSE

    def _shared_by(self, line: _Line) -> _Open:
        if self._shared is None:
            wait_s = line.own.wait_s
            self._shared = _Open(connect(self.path, busy_timeout_s=wait_s), wait_s)
        self._wait(self._shared, line.own.wait_s)
        return self._shared

    def _end(self, line: _Line) -> None:
        if line.depth:
            line.depth, line.durable, line.broken, line.handed = 0, False, None, False
            line.connection = line.own.connection
            self._turn.release()

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
                for _, line in self._lines:
                    self._close(line)
                if self._shared is not None:
                    self._shared.connection.close()
            self._lines.clear()
            self._shared = None

    def open_count(self) -> int:
        """How many connections are open in this process."""
        return len(self._lines) + (self._shared is not None)

    def _line(self) -> _Line:
        line = self._mine.line
        return line if line is not None and line.pid == os.getpid() else self._open_line()

    def _open_line(self) -> _Line:
        if self._pid != os.getpid():
            self._after_fork()
        if self._closed:
            raise StoreError(f"The database {self.path} has been closed by this program.")
        try:
            own = _Open(connect(self.path, busy_timeout_s=self.busy_timeout_s), self.busy_timeout_s)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        line = self._mine.line = _Line(own, own.connection, self._pid)
        with self._guard:
            for held in list(self._lines):
                owner, old = held
                if not owner.is_alive() and not old.handed:
                    self._roll_back(old)
                    self._end(old)
                    self._close(old)
                    self._lines = [other for other in self._lines if other is not held]
            self._lines.append((threading.current_thread(), line))
        return line

    @staticmethod
    def _close(line: _Line) -> None:
        line.pid = 0
        line.own.connection.close()

    def _discard(self, line: _Line) -> None:
        with self._guard:
            line.connection.close()
            if line.connection is line.own.connection:
                line.pid = 0
                self._lines = [held for held in self._lines if held[1] is not line]
            else:
                self._shared = None

    def _after_fork(self) -> None:
        self._turn = threading.Lock()
        self._guard = (
            threading.RLock()
        )  # the parent's may have been held by a thread that does not exist here
        self._inherited += (self._lines, self._shared)
        self._mine, self._lines, self._shared = _Mine(), [], None
        self._pid = os.getpid()

    def _writing(self) -> _Line:
        line = self._line()
        if not line.depth or line.handed or line.broken is not None:
            self._refuse(line)
        return line

    def _refuse(self, line: _Line) -> NoReturn:
        if line.broken is not None:
            raise line.broken
        self._refuse_handed(line)
        raise RuntimeError("the store is only written inside `with store.write():`")

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
