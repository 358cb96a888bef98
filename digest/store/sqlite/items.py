"""The pool: posts and events, their identities, and every source each was seen at. New or known is judged in rules/."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from digest.model import Entry, Item, ItemId, ItemKind, OnShelf, SourceId
from digest.rules.gather import Known, own_key
from digest.rules.heirs import TOLD_OTHERWISE
from digest.rules.readdressed import Old
from digest.rules.withdraw import Ahead
from digest.store.sqlite import hints, restated
from digest.store.sqlite.columns import listed, micros, moment, occasion_of, texts
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.judged import JUDGED, OTHERWISE, known_of

# also_in: names of the other sources, its copies' too, in the order in which they showed it.
COLUMNS = """
  item.*, source.name AS source_name, source.section AS source_section,
  (SELECT json_group_array(name) FROM (
     SELECT s.name AS name FROM item_source AS seen JOIN source AS s ON s.id = seen.source
     WHERE seen.item IN (SELECT item.id UNION ALL SELECT part.id FROM item AS part WHERE part.merged_into = item.id)
       AND seen.source <> item.source
     GROUP BY s.id ORDER BY min(seen.first_seen), s.id)) AS also_in
"""

_DAY_US = 86_400_000_000


class Items:
    """`store.items`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def known(self, keys: Collection[str], *, source: SourceId | None = None) -> dict[str, Known]:
        """What we know under each of these identities; the unknown ones are left out. source: what was parted from
        others because of it is known under the same identities, there alone."""
        names, marks = hints.parted(keys)
        mine = (
            {own_key(key, source): key for key in names} if source is not None and self._parts(source) else {}
        )
        rows = self._db.rows(
            f"""SELECT met.key, met.mark, item.id, item.kind, item.content_hash, item.updated, item.published, item.source,
                 item.changes, item.title, item.starts, item.status, item.timezone, item.recurs, item.sequence,
                 item.first_seen, item.is_full, {JUDGED}
               FROM (SELECT item_key.key, 0 AS mark, item
                       FROM json_each(:keys) AS asked JOIN item_key ON item_key.key = asked.value
                     UNION ALL SELECT '', mark, item
                       FROM json_each(:marks) AS asked JOIN hint ON hint.mark = asked.value) AS met
               JOIN item ON item.id = met.item JOIN source AS owner ON owner.id = item.source""",
            {
                "keys": listed([*names, *mine]),
                "marks": listed(marks),
                "otherwise": OTHERWISE,
            },
        )
        found = {row["key"] or marks[row["mark"]]: known_of(row) for row in rows}
        return {
            mine.get(key, key): known
            for key, known in sorted(found.items(), key=lambda pair: pair[0] in mine)
        }

    def shown_at(
        self,
        source: SourceId,
        *,
        ids: Sequence[ItemId],
        posts: Sequence[datetime],
        events: Sequence[datetime],
    ) -> list[Old]:
        """What this source has shown: of these items, posts dated within a day of one of these times, and events that
        begin at one; copies too, in no special order."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS}, {JUDGED} FROM item JOIN source ON source.id = item.source
                JOIN source AS owner ON owner.id = item.source
                WHERE item.id IN (
                    SELECT value FROM json_each(:ids)
                    UNION SELECT dated.id FROM json_each(:posts) AS asked JOIN item AS dated
                      ON dated.kind = 'post' AND dated.published BETWEEN asked.value - :day AND asked.value + :day
                    UNION SELECT begun.id FROM json_each(:events) AS asked JOIN item AS begun
                      ON begun.kind = 'event' AND begun.starts = asked.value)
                  AND EXISTS (SELECT 1 FROM item_source WHERE item_source.item = item.id AND item_source.source = :source)""",
            {
                "otherwise": OTHERWISE,
                "ids": listed(ids),
                "posts": listed(sorted({micros(one) for one in posts})),
                "events": listed(sorted({micros(one) for one in events})),
                "day": _DAY_US,
                "source": source,
            },
        )
        return [Old(item_of(row), known_of(row)) for row in rows]

    def answers_to(self, item_id: ItemId, keys: Sequence[str]) -> None:
        """These identities are its own from now on, unless they are another item's."""
        restated.learn(self._db, [(item_id, keys)])

    def _parts(self, source: SourceId) -> bool:
        return bool(self._db.value("SELECT 1 FROM parted WHERE source = :source", {"source": source}))

    def add(self, entry: Entry, *, source: SourceId, now: datetime) -> ItemId:
        """A new item, first seen at this source."""
        return self.add_all([entry], source=source, now=now)[0]

    def add_all(self, entries: Sequence[Entry], *, source: SourceId, now: datetime) -> list[ItemId]:
        """New items, first seen at this source, in this order."""
        at = micros(now)
        ids = self._insert(entries, source=source, at=at)
        new = list(zip(ids, entries, strict=True))
        self._db.change_many(
            "INSERT INTO item_source (item, source, url, first_seen) VALUES (?, ?, ?, ?)",
            [(item_id, source, entry.url, at) for item_id, entry in new],
        )
        self._learn(new)
        return ids

    def _insert(self, entries: Sequence[Entry], *, source: SourceId, at: int) -> list[ItemId]:
        """One statement for all. Ids are counted here as AUTOINCREMENT counts them: nobody else writes meanwhile."""
        last = self._db.value("SELECT seq FROM sqlite_sequence WHERE name = 'item'") or 0
        ids = [ItemId(last + place) for place in range(1, len(entries) + 1)]
        rows = [_columns(entry) for entry in entries]
        if rows:
            names, places = ", ".join(rows[0]), ", ".join("?" * (3 + len(rows[0])))
            self._db.change_many(
                f"INSERT INTO item (id, source, first_seen, {names}) VALUES ({places})",
                [(item_id, source, at, *row.values()) for item_id, row in zip(ids, rows, strict=True)],
            )
        return ids

    def update(self, item_id: ItemId, entry: Entry, *, now: datetime) -> None:
        """The item as its source states it now. A date that the source no longer gives is kept. `now` stands in for
        the date of the change when the source gives none."""
        restated.write(self._db, item_id, _columns(entry), keys=entry.keys, now=micros(now), anew=True)

    def changed_at_source(self, item_id: ItemId, entry: Entry, *, now: datetime) -> None:
        """Its source says it differently, but an approved issue holds its words: kept until the issue is held."""
        restated.keep(self._db, item_id, entry, stated=_columns(entry), now=now)

    def also_in(self, item_id: ItemId, *, source: SourceId, entry: Entry, now: datetime) -> None:
        """The same item, seen at another source; the item itself stays as it is."""
        self._seen_at(item_id, source=source, entry=entry, now=now)
        self._learn([(item_id, entry)])
        self.stated_by(source, [(item_id, entry)])

    def on_pages(self, pages: Sequence[str]) -> list[Item]:
        """Posts that lead to these pages, and events that are told there; in no special order."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
                WHERE item.id IN (
                  SELECT item FROM json_each(:pages) AS asked JOIN item_key
                    ON item_key.key > 'page:' || asked.value || '@' AND item_key.key < 'page:' || asked.value || 'A'
                  UNION SELECT item FROM json_each(:pages) AS asked JOIN item_key
                    ON item_key.key IN ('link:' || asked.value, 'event-link:' || asked.value))""",
            {"pages": listed(pages)},
        )
        return [item_of(row) for row in rows]

    def stated_by(self, source: SourceId, items: Sequence[tuple[ItemId, Entry]]) -> None:
        """What this source says of events whose words are another's: the letter takes from it what those leave out."""
        self._db.change_many(
            """UPDATE item_source SET stated = :stated WHERE item = :item AND source = :source
                 AND stated IS NOT :stated""",
            [
                {"item": item_id, "source": source, "stated": json.dumps(_columns(entry))}
                for item_id, entry in items
                if entry.occasion is not None
            ],
        )

    def hand_over(self, item_id: ItemId, *, to: SourceId) -> None:
        """The item carries the words of this source from now on."""
        self._db.change("UPDATE item SET source = :to WHERE id = :id", {"id": item_id, "to": to})

    def orphans(self, ids: Sequence[ItemId], *, failing_before: datetime) -> set[ItemId]:
        """Those whose source is removed, paused or gone, has failed since before, or took them over and never stated them
        itself."""
        rows = self._db.rows(
            """SELECT item.id FROM item JOIN source AS owner ON owner.id = item.source
               WHERE item.id IN (SELECT value FROM json_each(:ids)) AND owner.kind <> 'suggestions'
                 AND (owner.paused OR NOT owner.configured OR owner.failing_since <= :before
                      OR NOT EXISTS (SELECT 1 FROM item_source WHERE item = item.id AND source = owner.id))""",
            {"ids": listed(ids), "before": micros(failing_before)},
        )
        return {ItemId(row["id"]) for row in rows}

    def told_otherwise(self, item_id: ItemId, *, stands: bool) -> None:
        """A flag, while a source that does not own the event tells another time of it or calls it off."""
        self._db.change(
            """UPDATE item SET flags = (
                 SELECT json_group_array(value) FROM (
                   SELECT value FROM json_each(item.flags) WHERE value <> :flag
                   UNION ALL SELECT :flag WHERE :stands))
               WHERE id = :id""",
            {"id": item_id, "flag": TOLD_OTHERWISE, "stands": int(stands)},
        )

    def pool(
        self, *, posts_since: datetime, posts_until: datetime, events_from: datetime, events_until: datetime
    ) -> list[Item]:
        """What a month's issue may be made of: posts dated or first seen in (since, until], events not over at `from`
        that begin before `until`. Always in the same order: kind, date, id."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
                WHERE item.merged_into IS NULL AND ((item.kind = 'post' AND
                        ((coalesce(published, first_seen) > :since AND coalesce(published, first_seen) <= :until)
                         OR (first_seen > :since AND first_seen <= :until)))
                   OR (item.kind = 'event' AND coalesce(ends, starts) > :from AND starts < :before))
                ORDER BY item.kind, coalesce(starts, published, first_seen), item.id""",
            {
                "since": micros(posts_since),
                "until": micros(posts_until),
                "from": micros(events_from),
                "before": micros(events_until),
            },
        )
        return [item_of(row) for row in rows]

    def shelf(
        self, *, posts_since: datetime, posts_until: datetime, events_from: datetime, events_until: datetime
    ) -> list[OnShelf]:
        """What pool() holds, in no special order and without its words: to count and to choose from thousands."""
        rows = self._db.rows(
            """SELECT item.id, item.kind, source.name AS source, item.language,
                 CASE WHEN item.kind = 'event' THEN starts
                   WHEN published IS NULL OR instr(flags, '"date-guessed"') THEN first_seen ELSE published END AS dated
               FROM item JOIN source ON source.id = item.source
               WHERE item.merged_into IS NULL AND ((item.kind = 'post' AND
                       ((coalesce(published, first_seen) > :since AND coalesce(published, first_seen) <= :until)
                        OR (first_seen > :since AND first_seen <= :until)))
                  OR (item.kind = 'event' AND coalesce(ends, starts) > :from AND starts < :before))""",
            {
                "since": micros(posts_since),
                "until": micros(posts_until),
                "from": micros(events_from),
                "before": micros(events_until),
            },
        )
        kinds = {kind.value: kind for kind in ItemKind}
        return [OnShelf(row[0], kinds[row[1]], row[2], row[3], moment(row[4])) for row in rows]

    def get(self, ids: Sequence[ItemId]) -> list[Item]:
        """These items, in the order asked for; those that do not exist are left out."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM json_each(:ids) AS asked JOIN item ON item.id = asked.value
                JOIN source ON source.id = item.source ORDER BY asked.key""",
            {"ids": listed(ids)},
        )
        return [item_of(row) for row in rows]

    def standing(self, ids: Sequence[ItemId]) -> list[Item]:
        """These items and those they may be one with, or those under which they are kept as copies; each once, in no
        special order."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
                WHERE item.id IN (SELECT coalesce(merged_into, id) FROM item
                                  WHERE id IN (SELECT value FROM json_each(:ids)
                                    UNION SELECT other FROM twin WHERE one IN (SELECT value FROM json_each(:ids))
                                    UNION SELECT one FROM twin WHERE other IN (SELECT value FROM json_each(:ids))))""",
            {"ids": listed(ids)},
        )
        return [item_of(row) for row in rows]

    def copies(self, ids: Sequence[ItemId]) -> dict[ItemId, list[Item]]:
        """What is kept under each of these items; those that stand for themselves alone are left out."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
                WHERE item.merged_into IN (SELECT value FROM json_each(:ids)) ORDER BY item.id""",
            {"ids": listed(ids)},
        )
        found: dict[ItemId, list[Item]] = {}
        for row in rows:
            found.setdefault(ItemId(row["merged_into"]), []).append(item_of(row))
        return found

    def all_between(self, start: datetime, end: datetime) -> list[Item]:
        """Posts dated in [start, end) and events that touch it, in the order of pool()."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
                WHERE item.merged_into IS NULL AND ((item.kind = 'post' AND coalesce(published, first_seen) >= :start
                        AND coalesce(published, first_seen) < :end)
                   OR (item.kind = 'event' AND starts < :end AND (starts >= :start OR ends > :start)))
                ORDER BY item.kind, coalesce(starts, published, first_seen), item.id""",
            {"start": micros(start), "end": micros(end)},
        )
        return [item_of(row) for row in rows]

    def ahead(self, uids: Sequence[str], *, source: SourceId, now: datetime) -> list[Ahead]:
        """Events of these UIDs that this source brought, that are to begin and are not called off, the next first."""
        rows = self._db.rows(
            f"""SELECT {COLUMNS}, coalesce(item.updated, item.first_seen) AS taken,
                  (SELECT json_group_array(id) FROM item AS part WHERE part.merged_into = item.id) AS copies,
                  EXISTS (SELECT 1 FROM issue_item JOIN issue ON issue.id = issue_item.issue
                    WHERE issue_item.item = item.id AND issue_item.section IS NOT NULL
                      AND issue.state <> 'draft') AS frozen,
                  EXISTS (SELECT 1 FROM item_source AS seen JOIN source AS s ON s.id = seen.source
                    WHERE seen.item = item.id AND s.id <> item.source AND s.configured
                      AND NOT s.paused) AS elsewhere
                FROM item JOIN source ON source.id = item.source
                WHERE item.kind = 'event' AND item.starts >= :now AND item.source = :source
                  AND item.status <> 'cancelled' AND item.uid IN (SELECT value FROM json_each(:uids))
                ORDER BY item.starts, item.id""",
            {"now": micros(now), "source": source, "uids": listed(uids)},
        )
        return [
            Ahead(
                item_of(row),
                frozen=bool(row["frozen"]),
                elsewhere=bool(row["elsewhere"]),
                taken=moment(row["taken"]),
                copies=frozenset(json.loads(row["copies"])),
            )
            for row in rows
        ]

    def _seen_at(self, item_id: ItemId, *, source: SourceId, entry: Entry, now: datetime) -> None:
        self._db.change(
            """INSERT INTO item_source (item, source, url, first_seen) VALUES (:item, :source, :url, :now)
               ON CONFLICT (item, source) DO NOTHING""",
            {"item": item_id, "source": source, "url": entry.url, "now": micros(now)},
        )

    def _learn(self, items: Sequence[tuple[ItemId, Entry]]) -> None:
        restated.learn(self._db, [(item_id, entry.keys) for item_id, entry in items], anew=True)


def item_of(row: sqlite3.Row) -> Item:
    """An item from a row of COLUMNS."""
    return Item(
        id=ItemId(row["id"]),
        kind=ItemKind(row["kind"]),
        title=row["title"],
        url=row["url"],
        source=row["source_name"],
        also_in=texts(row["also_in"]),
        section=row["source_section"],
        language=row["language"],
        published=moment(row["published"]),
        updated=moment(row["updated"]),
        first_seen=moment(row["first_seen"]),
        author=row["author"],
        summary=row["summary"],
        html=row["html"],
        minutes=row["minutes"],
        tags=texts(row["tags"]),
        occasion=occasion_of(row),
        flags=texts(row["flags"]),
        content_hash=row["content_hash"],
    )


def _columns(entry: Entry) -> dict[str, object]:
    when = entry.occasion
    return {
        "kind": entry.kind.value,
        "title": entry.title,
        "url": entry.url,
        "language": entry.language,
        "published": micros(entry.published),
        "updated": micros(entry.updated),
        "author": entry.author,
        "summary": entry.summary,
        "html": entry.html,
        "is_full": int(entry.is_full),
        "minutes": entry.minutes,
        "tags": listed(entry.tags),
        "flags": listed(entry.flags),
        "content_hash": entry.content_hash,
        "starts": micros(when.starts) if when else None,
        "ends": micros(when.ends) if when else None,
        "timezone": when.timezone if when else None,
        "all_day": int(when.all_day) if when else None,
        "place": when.place if when else None,
        "online": when.online if when else None,
        "status": when.status.value if when else None,
        "uid": when.uid if when else None,
        "sequence": when.sequence if when else None,
        "recurs": int(when.recurs) if when else None,
    }
