"""Words that were erased and still stand in the log beside the database, until the log is emptied. Never what is kept."""

from digest.errors import StoreError
from digest.store.sqlite.connection import Connections

_SETTING = "log to be emptied"
# While the log is emptied nobody writes: who reads for longer than this makes it wait for the next time.
_WAIT_MS = 250


class Traces:
    """`store.traces`. That something is left is written with the erasure itself, so that any process can clear it up."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def left(self) -> None:
        """Inside the transaction that erases."""
        self._db.change(
            """INSERT INTO setting (name, value) VALUES (:name, hex(randomblob(8)))
               ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
            {"name": _SETTING},
        )

    def clear(self) -> bool:
        """Empties the log if something was erased since it was emptied last; outside of any transaction.

        False when somebody reads or writes just now: then it is tried again later.
        """
        seen = self._db.value("SELECT value FROM setting WHERE name = :name", {"name": _SETTING})
        if seen is None:
            return True
        waits_ms = int(self._db.value("PRAGMA busy_timeout"))
        self._db.rows(f"PRAGMA busy_timeout = {_WAIT_MS}")
        try:
            if self._db.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                return False
            with self._db.write():  # what another has erased meanwhile has a mark of its own
                self._db.change(
                    "DELETE FROM setting WHERE name = :name AND value = :seen",
                    {"name": _SETTING, "seen": seen},
                )
        except StoreError:
            return False
        finally:
            self._db.rows(f"PRAGMA busy_timeout = {waits_ms}")
        return True
