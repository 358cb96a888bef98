"""The log of the desk itself: who changed whose role, who was invited, who signed in. Numbers, never addresses."""

import json
from collections.abc import Mapping
from datetime import datetime

from digest.model import Edit
from digest.store.sqlite.columns import mapped, micros, moment
from digest.store.sqlite.connection import Connections


class DeskLog:
    """`store.desk_log`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def add(self, act: str, *, editor: str, at: datetime, detail: Mapping[str, object]) -> None:
        """Adds a line, for ever."""
        self._db.change(
            "INSERT INTO desk_log (at, editor, act, detail) VALUES (:at, :editor, :act, :detail)",
            {"at": micros(at), "editor": editor, "act": act, "detail": mapped(detail)},
        )

    def newest(self, *, most: int) -> list[Edit]:
        rows = self._db.rows("SELECT * FROM desk_log ORDER BY id DESC LIMIT :most", {"most": most})
        return [
            Edit(id=row["id"], at=moment(row["at"]), editor=row["editor"], act=row["act"], detail=json.loads(row["detail"]))
            for row in rows
        ]  # fmt: skip
