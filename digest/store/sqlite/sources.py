"""Sources and our visits to them: what the configuration names, what we remember of each. No judgement of answers."""

import difflib
import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from digest.config import SourcePart
from digest.errors import NotFound
from digest.model import Source, SourceId, SourceMonth, Visit, VisitOutcome
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections

_VISIT_OUTCOMES = (VisitOutcome.NEW, VisitOutcome.UNCHANGED, VisitOutcome.FAILED)


class Sources:
    """`store.sources`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def sync(self, parts: Sequence[SourcePart]) -> None:
        """Makes the table say what config.toml says. Sources no longer named stay, for their items, but are not visited.

        A changed address forgets validators, kind and failures: it is another place. A changed kind forgets the
        validators, since the new reader must see an answer whole.
        """
        for part in parts:
            self._upsert(part)
        gone = "configured = 1 AND added = 0 AND name NOT IN (SELECT value FROM json_each(:names))"
        names = {"names": listed([part.name for part in parts])}
        lost = self._db.rows(f"SELECT id FROM source WHERE {gone}", names)
        self._db.change(f"UPDATE source SET configured = 0 WHERE {gone}", names)
        for row in lost:
            self.wake_heirs(SourceId(row["id"]))

    def all(self) -> list[Source]:
        """Those of config.toml and those that were added, oldest first."""
        return [
            _source(row) for row in self._db.rows("SELECT * FROM source WHERE configured = 1 ORDER BY id")
        ]

    def due(self, now: datetime) -> list[Source]:
        """Those to visit now: configured, not paused, their time come."""
        rows = self._db.rows(
            """SELECT * FROM source WHERE configured = 1 AND paused = 0 AND (next_at IS NULL OR next_at <= :now)
               ORDER BY id""",
            {"now": micros(now)},
        )
        return [_source(row) for row in rows]

    def get(self, name: str) -> Source:
        """Raises NotFound, naming the nearest."""
        row = self._db.row("SELECT * FROM source WHERE name = :name AND configured = 1", {"name": name})
        if row is None:
            raise NotFound(self._no_such(name))
        return _source(row)

    def remember(self, source: Source) -> None:
        """Saves what visits change: kind, validators, parser version, next time, failures; not if it has moved meanwhile.

        A visit may pause a source (it is gone), and never undoes a pause that a person made while it went on.
        """
        self._db.change(
            """UPDATE source SET kind = :kind, etag = :etag, last_modified = :last_modified, parser = :parser,
                 next_at = :next_at, fail_count = :fail_count, failing_since = :failing_since,
                 last_visit_at = :last_visit_at, last_ok_at = :last_ok_at,
                 last_error_kind = :last_error_kind, last_error = :last_error, paused = max(paused, :paused),
                 moved_to = :moved_to, moved_since = :moved_since, moved_count = :moved_count, gap_at = :gap_at,
                 left_out = :left_out, left_out_first = :left_out_first, left_out_why = :left_out_why,
                 of_events = :of_events, undated = :undated, was_kind = :was_kind, turned_at = :turned_at
               WHERE id = :id AND url = :url""",
            {
                "id": source.id,
                "url": source.url,
                "paused": int(source.paused),
                "moved_to": source.moved_to,
                "moved_since": micros(source.moved_since),
                "moved_count": source.moved_count,
                "gap_at": micros(source.gap_at),
                "left_out": source.left_out,
                "left_out_first": source.left_out_first,
                "left_out_why": source.left_out_why,
                "of_events": int(source.of_events),
                "undated": source.undated,
                "was_kind": source.was_kind,
                "turned_at": micros(source.turned_at),
                "kind": source.kind,
                "etag": source.etag,
                "last_modified": source.last_modified,
                "parser": source.parser,
                "next_at": micros(source.next_at),
                "fail_count": source.fail_count,
                "failing_since": micros(source.failing_since),
                "last_visit_at": micros(source.last_visit_at),
                "last_ok_at": micros(source.last_ok_at),
                "last_error_kind": source.last_error_kind,
                "last_error": source.last_error,
            },
        )

    def add(self, part: SourcePart) -> Source:
        """A source that config.toml does not name. One of that name that was removed comes back."""
        self._upsert(part)
        self._db.change("UPDATE source SET added = 1, paused = 0 WHERE name = :name", {"name": part.name})
        return self.get(part.name)

    def remove(self, source_id: SourceId) -> None:
        """It is no longer visited; its items stay."""
        self._db.change("UPDATE source SET configured = 0, added = 0 WHERE id = :id", {"id": source_id})
        self.wake_heirs(source_id)

    def pause(self, source_id: SourceId, *, paused: bool) -> None:
        """Resumed, it is due at once."""
        self._db.change(
            "UPDATE source SET paused = :paused, next_at = iif(:paused, next_at, NULL) WHERE id = :id",
            {"id": source_id, "paused": int(paused)},
        )
        if paused:
            self.wake_heirs(source_id)

    def wake_heirs(self, source_id: SourceId) -> None:
        """Sources that showed what this one brought are asked for all of it anew: they speak for it now."""
        self._db.change(
            """UPDATE source SET etag = NULL, last_modified = NULL WHERE id IN (
                 SELECT heir.source FROM item_source AS mine JOIN item_source AS heir ON heir.item = mine.item
                 WHERE mine.source = :id AND heir.source <> :id)""",
            {"id": source_id},
        )

    def move(self, source_id: SourceId, *, url: str) -> None:
        """To its new address: validators and failures were those of the old one."""
        self._db.change(
            """UPDATE source SET url = :url, etag = NULL, last_modified = NULL, parser = NULL, next_at = NULL, paused = 0,
                 fail_count = 0, failing_since = NULL, last_error_kind = NULL, last_error = NULL,
                 moved_to = NULL, moved_since = NULL, moved_count = 0, turned_at = NULL
               WHERE id = :id""",
            {"id": source_id, "url": url},
        )

    def log(self, visit: Visit, *, at: datetime) -> None:
        """Writes one visit down. One that is still waiting has not taken place and leaves no line."""
        if visit.outcome not in _VISIT_OUTCOMES:
            return
        self._db.change(
            """INSERT INTO visit (source, at, outcome, new, updated, seconds, error_kind, error)
               VALUES (:source, :at, :outcome, :new, :updated, :seconds, :error_kind, :error)""",
            {
                "source": visit.source.id,
                "at": micros(at),
                "outcome": visit.outcome.value,
                "new": visit.new,
                "updated": visit.updated,
                "seconds": float(visit.seconds),
                "error_kind": visit.error_kind,
                "error": visit.error,
            },
        )

    def visits(self, source_id: SourceId, *, limit: int = 20) -> list[Visit]:
        """The last visits to one source, newest first, each with its `at`."""
        with self._db.snapshot():
            source = self._db.row("SELECT * FROM source WHERE id = :id", {"id": source_id})
            rows = self._db.rows(
                "SELECT * FROM visit WHERE source = :source ORDER BY at DESC, id DESC LIMIT :limit",
                {"source": source_id, "limit": limit},
            )
        return [] if source is None else [_visit(row, _source(source)) for row in rows]

    def months(self, *, since: datetime) -> list[SourceMonth]:
        """How each source did in each month from `since` on; months without a visit or an item are left out."""
        rows = self._db.rows(
            """SELECT source, month, sum(items) AS items, sum(visits) AS visits,
                 json_group_object(error_kind, visits) FILTER (WHERE error_kind IS NOT NULL) AS failures
               FROM (SELECT source, strftime('%Y-%m', first_seen / 1000000, 'unixepoch') AS month, count(*) AS items,
                            0 AS visits, NULL AS error_kind
                     FROM item_source WHERE first_seen >= :since GROUP BY 1, 2
                     UNION ALL
                     SELECT source, strftime('%Y-%m', at / 1000000, 'unixepoch'), 0, count(*), error_kind
                     FROM visit WHERE at >= :since GROUP BY 1, 2, error_kind)
               GROUP BY source, month ORDER BY source, month""",
            {"since": micros(since)},
        )
        return [
            SourceMonth(
                source=SourceId(row["source"]),
                month=row["month"],
                items=row["items"],
                visits=row["visits"],
                failures=json.loads(row["failures"]),
            )
            for row in rows
        ]

    def _upsert(self, part: SourcePart) -> None:
        # In DO UPDATE a bare column is the old value; every SET sees the old row, so the order here is free.
        self._db.change(
            """INSERT INTO source (name, url, kind, section, language, timezone)
               VALUES (:name, :url, coalesce(:kind, ''), :section, :language, :timezone)
               ON CONFLICT (name) DO UPDATE SET
                 url = excluded.url, section = excluded.section, language = excluded.language,
                 timezone = excluded.timezone, configured = 1, added = 0,
                 kind = CASE WHEN url <> excluded.url OR last_ok_at IS NULL THEN excluded.kind
                             ELSE coalesce(:kind, kind) END,  -- a kind that never worked is found out anew
                 etag = iif(url <> excluded.url OR kind <> coalesce(:kind, kind), NULL, etag),
                 last_modified = iif(url <> excluded.url OR kind <> coalesce(:kind, kind), NULL, last_modified),
                 parser = iif(url <> excluded.url OR kind <> coalesce(:kind, kind), NULL, parser),
                 next_at = iif(url <> excluded.url OR kind <> coalesce(:kind, kind), NULL, next_at),
                 fail_count = iif(url <> excluded.url, 0, fail_count),
                 of_events = iif(url <> excluded.url, 0, of_events),
                 turned_at = iif(url <> excluded.url, NULL, turned_at),
                 failing_since = iif(url <> excluded.url, NULL, failing_since),
                 last_error_kind = iif(url <> excluded.url, NULL, last_error_kind),
                 last_error = iif(url <> excluded.url, NULL, last_error)""",
            {
                "name": part.name,
                "url": part.url,
                "kind": part.kind,
                "section": part.section,
                "language": part.language,
                "timezone": part.timezone,
            },
        )

    def _no_such(self, name: str) -> str:
        names = [source.name for source in self.all()]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        if near:
            return f"There is no source {name!r}; did you mean {near[0]!r}?"
        return f"There is no source {name!r}; we know {', '.join(names) or 'none'}."


def _source(row: sqlite3.Row) -> Source:
    return Source(
        id=SourceId(row["id"]),
        name=row["name"],
        url=row["url"],
        kind=row["kind"],
        section=row["section"],
        language=row["language"],
        timezone=row["timezone"],
        paused=bool(row["paused"]),
        added=bool(row["added"]),
        etag=row["etag"],
        last_modified=row["last_modified"],
        parser=row["parser"],
        next_at=moment(row["next_at"]),
        fail_count=row["fail_count"],
        failing_since=moment(row["failing_since"]),
        last_visit_at=moment(row["last_visit_at"]),
        last_ok_at=moment(row["last_ok_at"]),
        last_error_kind=row["last_error_kind"],
        last_error=row["last_error"],
        moved_to=row["moved_to"],
        moved_since=moment(row["moved_since"]),
        moved_count=row["moved_count"],
        gap_at=moment(row["gap_at"]),
        left_out=row["left_out"],
        left_out_first=row["left_out_first"],
        left_out_why=row["left_out_why"],
        of_events=bool(row["of_events"]),
        undated=row["undated"],
        was_kind=row["was_kind"],
        turned_at=moment(row["turned_at"]),
    )


def _visit(row: sqlite3.Row, source: Source) -> Visit:
    return Visit(
        source=source,
        outcome=VisitOutcome(row["outcome"]),
        new=row["new"],
        updated=row["updated"],
        seconds=row["seconds"],
        error_kind=row["error_kind"],
        error=row["error"],
        at=moment(row["at"]),
    )
