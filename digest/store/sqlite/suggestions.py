"""What people would like to see in the letter. It waits here until an editor takes it into the pool or puts it aside."""

import sqlite3
from datetime import datetime

from digest.errors import NotFound
from digest.model import (
    ItemId,
    Language,
    SourceId,
    SubscriberId,
    Suggestion,
    SuggestionId,
    SuggestionKind,
)
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections


class Suggestions:
    """`store.suggestions`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def add(self, suggestion: Suggestion) -> SuggestionId:
        """Its id is given here."""
        return SuggestionId(
            self._db.insert(
                """INSERT INTO suggestion (kind, title, url, words, starts, timezone, place, language, subscriber, at)
                   VALUES (:kind, :title, :url, :words, :starts, :timezone, :place, :language, :subscriber, :at)""",
                {
                    "kind": suggestion.kind.value, "title": suggestion.title, "url": suggestion.url,
                    "words": suggestion.words, "starts": micros(suggestion.starts), "timezone": suggestion.timezone,
                    "place": suggestion.place, "language": suggestion.language.value,
                    "subscriber": suggestion.subscriber, "at": micros(suggestion.at),
                },
            )
        )  # fmt: skip

    def open(self, *, limit: int = 200) -> list[Suggestion]:
        """Those that wait, oldest first."""
        rows = self._db.rows(
            "SELECT * FROM suggestion WHERE state = 'open' ORDER BY id LIMIT :limit", {"limit": limit}
        )
        return [_suggestion(row) for row in rows]

    def count_open(self) -> int:
        return int(self._db.value("SELECT count(*) FROM suggestion WHERE state = 'open'"))

    def get(self, suggestion_id: SuggestionId) -> Suggestion:
        """Raises NotFound."""
        row = self._db.row("SELECT * FROM suggestion WHERE id = :id", {"id": suggestion_id})
        if row is None:
            raise NotFound("There is no such suggestion (any more).")
        return _suggestion(row)

    def settle(
        self, suggestion_id: SuggestionId, *, state: str, by: str, at: datetime, item: ItemId | None = None
    ) -> bool:
        """used or aside. False when somebody was faster."""
        return (
            self._db.change(
                """UPDATE suggestion SET state = :state, item = :item, settled_at = :at, settled_by = :by
                   WHERE id = :id AND state = 'open'""",
                {"id": suggestion_id, "state": state, "item": item, "at": micros(at), "by": by},
            )
            == 1
        )

    def source(self, name: str, *, url: str) -> SourceId:
        """The place that items suggested by readers come from; made when it is first needed, and never visited."""
        self._db.change(
            """INSERT INTO source (name, url, kind, configured, paused) VALUES (:name, :url, 'suggestions', 0, 1)
               ON CONFLICT (name) DO NOTHING""",
            {"name": name, "url": url},
        )
        return SourceId(int(self._db.value("SELECT id FROM source WHERE name = :name", {"name": name})))

    def delete_settled(self, before: datetime) -> int:
        """Used and put aside before this time; how many."""
        return self._db.change(
            "DELETE FROM suggestion WHERE state <> 'open' AND settled_at < :before",
            {"before": micros(before)},
        )


def _suggestion(row: sqlite3.Row) -> Suggestion:
    return Suggestion(
        id=SuggestionId(row["id"]), kind=SuggestionKind(row["kind"]), title=row["title"], url=row["url"],
        words=row["words"], starts=moment(row["starts"]), timezone=row["timezone"], place=row["place"],
        language=Language(row["language"]), at=moment(row["at"]),
        subscriber=None if row["subscriber"] is None else SubscriberId(row["subscriber"]),
    )  # fmt: skip
