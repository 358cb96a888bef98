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
from digest.rules.lookup import Glimpse
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

    def of(self, subscriber_id: SubscriberId) -> list[tuple[Suggestion, str]]:
        """What a reader suggested, oldest first, and what has become of each: open, used, aside."""
        rows = self._db.rows(
            "SELECT * FROM suggestion WHERE subscriber = :id ORDER BY id", {"id": subscriber_id}
        )
        return [(_suggestion(row), row["state"]) for row in rows]

    def to_look_up(self, *, limit: int) -> list[Suggestion]:
        """Those with a link that was not visited yet, oldest first."""
        rows = self._db.rows(
            """SELECT * FROM suggestion WHERE state = 'open' AND looked_at IS NULL AND url IS NOT NULL
               ORDER BY id LIMIT :limit""",
            {"limit": limit},
        )
        return [_suggestion(row) for row in rows]

    def looked_up(self, suggestion_id: SuggestionId, *, glimpse: Glimpse, fault: str, at: datetime) -> None:
        """What the page says of itself; the first look stays."""
        self._db.change(
            """UPDATE suggestion SET found_title = :title, author = :author, found_language = :language,
                 look_fault = :fault, looked_at = :at WHERE id = :id AND looked_at IS NULL""",
            {
                "id": suggestion_id, "title": glimpse.title, "author": glimpse.author,
                "language": glimpse.language, "fault": fault, "at": micros(at),
            },
        )  # fmt: skip

    def to_thank(self) -> list[Suggestion]:
        """Those that stand in an issue that has been sent, and ideas that were taken up; nobody was thanked yet."""
        rows = self._db.rows(
            """SELECT s.* FROM suggestion AS s WHERE s.state = 'used' AND s.thanked_at IS NULL AND (s.kind = 'idea'
                 OR EXISTS (SELECT 1 FROM issue_item AS p JOIN issue AS i ON i.id = p.issue
                            WHERE p.item = s.item AND p.section IS NOT NULL AND i.state = 'sent'))
               ORDER BY s.id"""
        )
        return [_suggestion(row) for row in rows]

    def thanked(self, suggestion_id: SuggestionId, *, at: datetime) -> None:
        self._db.change(
            "UPDATE suggestion SET thanked_at = :at WHERE id = :id", {"id": suggestion_id, "at": micros(at)}
        )

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
        author=row["author"], found_title=row["found_title"], found_language=row["found_language"],
        fault=row["look_fault"], is_looked_up=row["looked_at"] is not None,
    )  # fmt: skip
