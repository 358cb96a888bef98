"""Who may do what only one process may do, what the metronome has done, and the few values kept by name."""

from datetime import datetime

from digest.store.sqlite.columns import later, micros
from digest.store.sqlite.connection import Connections


class Leases:
    """`store.leases`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def take(self, name: str, *, owner: str, now: datetime, for_s: float) -> bool:
        """True when it is the owner's until `for_s` seconds from now: it was free, over, or the owner's already."""
        return (
            self._db.change(
                """INSERT INTO lease (name, owner, until) VALUES (:name, :owner, :until)
               ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
                 WHERE lease.owner = excluded.owner OR lease.until <= :now""",
                {"name": name, "owner": owner, "now": micros(now), "until": later(now, for_s)},
            )
            == 1
        )

    def release(self, name: str, *, owner: str) -> None:
        """Gives it back; somebody else's stays."""
        self._db.change(
            "DELETE FROM lease WHERE name = :name AND owner = :owner", {"name": name, "owner": owner}
        )


class Ticks:
    """`store.ticks`. due: the local date and time an act was due, as text, so that a repeated hour is one tick."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def done(self, act: str, due: str) -> bool:
        return (
            self._db.row("SELECT 1 FROM tick WHERE act = :act AND due = :due", {"act": act, "due": due})
            is not None
        )

    def record(self, act: str, *, due: str, at: datetime, outcome: str) -> bool:
        """False when it was recorded already; the first outcome stays."""
        return (
            self._db.change(
                """INSERT INTO tick (act, due, at, outcome) VALUES (:act, :due, :at, :outcome)
               ON CONFLICT (act, due) DO NOTHING""",
                {"act": act, "due": due, "at": micros(at), "outcome": outcome},
            )
            == 1
        )


class Settings:
    """`store.settings`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def get(self, name: str) -> str | None:
        value: str | None = self._db.value("SELECT value FROM setting WHERE name = :name", {"name": name})
        return value

    def put(self, name: str, value: str) -> None:
        self._db.change(
            """INSERT INTO setting (name, value) VALUES (:name, :value)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
            {"name": name, "value": value},
        )
