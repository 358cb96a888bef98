"""The SQLite store: one file, the subjects as attributes. Nothing here judges; it keeps and finds."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import datetime
from pathlib import Path

from sqlite_utils import Migrations

from digest.errors import StoreError
from digest.store.sqlite.calls import Calls
from digest.store.sqlite.canaries import Canaries
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.consents import Consents, Suppressions
from digest.store.sqlite.corrections import Corrections
from digest.store.sqlite.deliveries import Deliveries
from digest.store.sqlite.desk_log import DeskLog
from digest.store.sqlite.domains import Domains, HeadCounts
from digest.store.sqlite.editors import Editors
from digest.store.sqlite.farewells import Farewells
from digest.store.sqlite.guards import Guards
from digest.store.sqlite.handle import connect, store_error
from digest.store.sqlite.introductions import Introductions
from digest.store.sqlite.issues import Issues
from digest.store.sqlite.items import Items
from digest.store.sqlite.latecomers import Latecomers
from digest.store.sqlite.leases import Leases, Settings, Ticks
from digest.store.sqlite.logos import Logos
from digest.store.sqlite.notices import Notices
from digest.store.sqlite.opening import copy, prepare, refuse_precious
from digest.store.sqlite.paces import Paces
from digest.store.sqlite.passkeys import Passkeys
from digest.store.sqlite.proofs import Proofs
from digest.store.sqlite.returns import Returns
from digest.store.sqlite.roster import Rosters
from digest.store.sqlite.schema import MIGRATIONS
from digest.store.sqlite.sources import Sources
from digest.store.sqlite.subscribers import Subscribers
from digest.store.sqlite.suggestions import Suggestions
from digest.store.sqlite.traces import Traces
from digest.store.sqlite.triage import Triage
from digest.store.sqlite.twins import Twins


class SqliteStore:
    """The store on one SQLite file. Any thread may use it; each has a connection of its own."""

    def __init__(self, db: Connections) -> None:
        self._db = db
        self.path = db.path
        self.sources = Sources(db)
        self.items = Items(db)
        self.twins = Twins(db, self.items)
        self.issues = Issues(db)
        self.subscribers = Subscribers(db)
        self.consents = Consents(db)
        self.suppressions = Suppressions(db)
        self.suggestions = Suggestions(db)
        self.introductions = Introductions(db)
        self.farewells = Farewells(db)
        self.roster = Rosters(db)
        self.guards = Guards(db)
        self.domains = Domains(db)
        self.head_counts = HeadCounts(db)
        self.logos = Logos(db)
        self.proofs = Proofs(db)
        self.deliveries = Deliveries(db)
        self.paces = Paces(db)
        self.canaries = Canaries(db, self.deliveries)
        self.latecomers = Latecomers(db)
        self.returns = Returns(db)
        self.notices = Notices(db)
        self.editors = Editors(db)
        self.passkeys = Passkeys(db)
        self.desk_log = DeskLog(db)
        self.calls = Calls(db)
        self.corrections = Corrections(db)
        self.triage = Triage(db)
        self.leases = Leases(db)
        self.ticks = Ticks(db)
        self.settings = Settings(db)
        self.traces = Traces(db)

    def write(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """`with store.write():` is one decision: all of it is kept, or nothing. Nested, it is a savepoint.

        durable: on the disk before the block is left. Raises StoreBusy, StoreFull, StoreError; nothing is lost then.
        """
        return self._db.write(durable=durable)

    def begun(self) -> AbstractContextManager[Callable[[], None]]:
        """`with store.begun() as commit:` is write(durable=True) in two halves: `commit()` follows, in any thread.

        Until it has returned, nothing is decided and this thread cannot write.
        """
        return self._db.begun()

    def wait_at_most(self, seconds: float) -> None:
        """How long this thread waits for another process's write before StoreBusy. A web request cannot wait 30 s."""
        self._db.wait_at_most(seconds)

    def snapshot(self) -> AbstractContextManager[None]:
        """`with store.snapshot():` reads inside see one state of the database."""
        return self._db.snapshot()

    def backup(self, path: Path | str) -> None:
        """A consistent copy while others write, 0600; an earlier backup at `path` is replaced, nothing else ever is.

        Raises StoreError; then nothing stands at `path` that did not.
        """
        refuse_precious(Path(path), live=self.path)
        try:
            with closing(connect(self.path, busy_timeout_s=self._db.busy_timeout_s)) as source:
                copy(source, Path(path))
        except sqlite3.Error as error:
            raise store_error(error, Path(path)) from error

    def check(self) -> list[str]:
        """What is wrong with the file, one sentence each; [] is well."""
        try:
            found = [row[0] for row in self._db.rows("PRAGMA integrity_check")]
            broken = self._db.rows("PRAGMA foreign_key_check")
        except StoreError as error:
            return [str(error)]
        damage = [f"The database is damaged: {what}." for what in found if what != "ok"]
        return damage + [f"A row of {row['table']} points at nothing in {row['parent']}." for row in broken]

    def close(self) -> None:
        """Closes the connections of all threads."""
        self._db.close()


def open_store(
    path: Path | str,
    *,
    now: datetime | None = None,
    busy_timeout_s: float = 30.0,
    migrations: Migrations = MIGRATIONS,
) -> SqliteStore:
    """Opens the database, made or brought to this version when need be; several processes may do so at once.

    now: stands in the name of the copy made before an upgrade.
    Raises StoreNewer when a newer digest wrote it, StoreBusy, StoreFull, StoreError.
    """
    where = Path(path).absolute()
    prepare(where, migrations=migrations, busy_timeout_s=busy_timeout_s, now=now)
    return SqliteStore(Connections(where, busy_timeout_s=busy_timeout_s))
