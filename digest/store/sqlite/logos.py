"""Pictures of approved letters, by the name that the letters call them. None is ever changed or let go."""

from digest.store.sqlite.connection import Connections


class Logos:
    """`store.logos`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def keep(self, name: str, *, kind: str, data: bytes) -> None:
        """Once is enough: the name is of the bytes."""
        self._db.change(
            "INSERT INTO logo (name, kind, data) VALUES (:name, :kind, :data) ON CONFLICT (name) DO NOTHING",
            {"name": name, "kind": kind, "data": data},
        )

    def find(self, name: str) -> tuple[str, bytes] | None:
        """Its kind and its bytes."""
        row = self._db.row("SELECT kind, data FROM logo WHERE name = :name", {"name": name})
        return (row["kind"], row["data"]) if row is not None else None
