"""What an editor said of an item of the pool: put off until a day, or pinned on top. It changes no draft."""

from datetime import datetime
from typing import NamedTuple

from digest.model import ItemId
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections


class Word(NamedTuple):
    """until: not shown before."""

    until: datetime | None
    pinned: bool


class Triage:
    """`store.triage`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def say(self, item: ItemId, *, until: datetime | None, pinned: bool, editor: str, at: datetime) -> None:
        """The last word on an item stands; neither put off nor pinned: as if nobody had said anything."""
        if until is None and not pinned:
            self._db.change("DELETE FROM triage WHERE item = :item", {"item": item})
            return
        self._db.change(
            """INSERT INTO triage (item, until, pinned, editor, at) VALUES (:item, :until, :pinned, :editor, :at)
               ON CONFLICT (item) DO UPDATE SET until = excluded.until, pinned = excluded.pinned,
                 editor = excluded.editor, at = excluded.at""",
            {"item": item, "until": micros(until), "pinned": int(pinned), "editor": editor, "at": micros(at)},
        )

    def words(self) -> dict[ItemId, Word]:
        rows = self._db.rows("SELECT item, until, pinned FROM triage")
        return {ItemId(row["item"]): Word(moment(row["until"]), bool(row["pinned"])) for row in rows}
