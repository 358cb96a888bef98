"""Items that are alike: which wait for an editor's word, which are one, which are not. What is alike is judged in rules/."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from digest.model import ItemId, Pair, Shared, Verdict
from digest.rules.gather import MAYBE_TWICE
from digest.store.sqlite.columns import listed, micros, moment, texts
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.items import Items


class Standing(NamedTuple):
    """Where an item stands in issues: in a section of one that is no draft, in one of a draft."""

    used: bool
    placed: bool


class Group(NamedTuple):
    """Items that are kept as one. head: the one that stands for all; joined: pairs that were said to be the same."""

    head: ItemId
    members: frozenset[ItemId]
    joined: tuple[tuple[ItemId, ItemId], ...]


class Twins:
    """`store.twins`."""

    def __init__(self, db: Connections, items: Items) -> None:
        self._db = db
        self._items = items

    def ask(self, one: ItemId, other: ItemId, *, now: datetime) -> None:
        """They may be one: an editor is asked. What was said of them before stays."""
        self._db.change(
            """INSERT INTO twin (one, other, verdict, asked_at) VALUES (:one, :other, 'open', :now)
               ON CONFLICT (one, other) DO NOTHING""",
            {"one": one, "other": other, "now": micros(now)},
        )

    def asked(self, item: ItemId) -> list[tuple[ItemId, ItemId]]:
        """Pairs with this item that digest asks about by itself; one that somebody took back is his question."""
        rows = self._db.rows(
            """SELECT one, other FROM twin WHERE verdict = 'open' AND by = '' AND one = :item
               UNION SELECT one, other FROM twin WHERE verdict = 'open' AND by = '' AND other = :item""",
            {"item": item},
        )
        return [(ItemId(row["one"]), ItemId(row["other"])) for row in rows]

    def withdraw(self, one: ItemId, other: ItemId) -> None:
        """The question has answered itself; should they come to be alike again, it may be asked again."""
        self._db.change("DELETE FROM twin WHERE one = :one AND other = :other", {"one": one, "other": other})
        self._mark(other)

    def apart(self, one: ItemId, other: ItemId, *, now: datetime) -> None:
        """Two of one identity, which an editor has parted: what was said stands beside the other pairs."""
        self._db.change(
            """INSERT INTO twin (one, other, verdict, asked_at, settled_at, by)
               SELECT :one, :other, 'apart', :now, at, by FROM parted
               WHERE item = :one AND source = (SELECT source FROM item WHERE id = :other)""",
            {"one": one, "other": other, "now": micros(now)},
        )

    def shared(self, *, since: datetime) -> list[Shared]:
        """Items seen after `since` that other sources show under the same identity, newest first."""
        rows = self._db.rows(
            """SELECT item.id, json_group_array(source.name) AS names FROM item
               JOIN item_source AS seen ON seen.item = item.id AND seen.source <> item.source
               JOIN source ON source.id = seen.source
               WHERE item.merged_into IS NULL AND item.first_seen > :since
               GROUP BY item.id ORDER BY item.first_seen DESC, item.id DESC""",
            {"since": micros(since)},
        )
        items = {item.id: item for item in self._items.get([row["id"] for row in rows])}
        return [Shared(items[ItemId(row["id"])], texts(row["names"])) for row in rows]

    def part(self, item: ItemId, *, source: str, by: str, now: datetime) -> int:
        """That source means another thing: it is asked for all of it anew, and brings an item of its own. 0: it never
        showed this item, or it is the one whose words the item carries."""
        found = self._db.value(
            """DELETE FROM item_source WHERE item = :item AND source = (SELECT id FROM source WHERE name = :source)
                 AND source <> (SELECT source FROM item WHERE id = :item) RETURNING source""",
            {"item": item, "source": source},
        )
        if found is None:
            return 0
        self._db.change(
            "INSERT INTO parted (item, source, at, by) VALUES (:item, :source, :now, :by)",
            {"item": item, "source": found, "now": micros(now), "by": by},
        )
        return self._db.change(
            "UPDATE source SET etag = NULL, last_modified = NULL, next_at = NULL WHERE id = :source",
            {"source": found},
        )

    def copy(self, one: ItemId, other: ItemId, *, now: datetime) -> None:
        """They are one beyond doubt, says digest itself: `other` is kept under `one`."""
        self._db.change(
            """INSERT INTO twin (one, other, verdict, asked_at, settled_at) VALUES (:one, :other, 'same', :now, :now)""",
            {"one": one, "other": other, "now": micros(now)},
        )
        self._db.change("UPDATE item SET merged_into = :one WHERE id = :other", {"one": one, "other": other})

    def waiting(self, *, since: datetime) -> list[Pair]:
        """Pairs that an editor is asked about and that were found after `since`, newest first.

        One whose first half has become a copy meanwhile is asked about the item that stands for it.
        """
        return self._pairs(
            """SELECT twin.*, coalesce(first.merged_into, first.id) AS head, NULL AS kept FROM twin
               JOIN item AS first ON first.id = twin.one JOIN item AS second ON second.id = twin.other
               WHERE twin.verdict = 'open' AND second.merged_into IS NULL AND head <> second.id AND twin.asked_at > :since
               ORDER BY twin.asked_at DESC, twin.other DESC""",
            since=since,
        )

    def settled(self, *, since: datetime) -> list[Pair]:
        """Pairs of which something was said after `since`, newest first. kept is None when they were kept apart."""
        return self._pairs(
            """SELECT twin.*, twin.one AS head, coalesce(second.merged_into, first.merged_into) AS kept FROM twin
               JOIN item AS first ON first.id = twin.one JOIN item AS second ON second.id = twin.other
               WHERE twin.verdict <> 'open' AND twin.settled_at > :since
               ORDER BY twin.settled_at DESC, twin.other DESC""",
            since=since,
        )

    def find(self, one: ItemId, other: ItemId) -> tuple[Verdict, str] | None:
        """What was said of these two, and by whom; None when nobody ever asked."""
        row = self._db.row(
            "SELECT verdict, by FROM twin WHERE one = :one AND other = :other", {"one": one, "other": other}
        )
        return (Verdict(row["verdict"]), row["by"]) if row else None

    def group(self, item: ItemId) -> Group:
        """All that is kept as one with this item."""
        head = self._db.value("SELECT coalesce(merged_into, id) FROM item WHERE id = :id", {"id": item})
        found = self._db.rows("SELECT id FROM item WHERE id = :head OR merged_into = :head", {"head": head})
        members = frozenset(ItemId(row["id"]) for row in found)
        pairs = self._db.rows(
            """SELECT one, other FROM twin WHERE verdict = 'same'
                 AND one IN (SELECT value FROM json_each(:members)) AND other IN (SELECT value FROM json_each(:members))""",
            {"members": listed(members)},
        )
        joined = tuple((ItemId(row["one"]), ItemId(row["other"])) for row in pairs)
        return Group(ItemId(head), members, joined)

    def standing(self, item: ItemId) -> Standing:
        row = self._db.rows(
            """SELECT coalesce(max(issue.state <> 'draft'), 0) AS used, coalesce(max(issue.state = 'draft'), 0) AS placed
               FROM issue_item JOIN issue ON issue.id = issue_item.issue
               WHERE issue_item.item = :item AND issue_item.section IS NOT NULL""",
            {"item": item},
        )[0]
        return Standing(bool(row["used"]), bool(row["placed"]))

    def say(self, one: ItemId, other: ItemId, verdict: Verdict, *, by: str, now: datetime) -> None:
        """Remembers what was said of them. No item is hidden or shown by it."""
        self._db.change(
            """UPDATE twin SET verdict = :verdict, by = :by, settled_at = iif(:verdict = 'open', NULL, :now)
               WHERE one = :one AND other = :other""",
            {"one": one, "other": other, "verdict": verdict.value, "by": by, "now": micros(now)},
        )
        self._mark(other)

    def hide(self, copy: ItemId, *, under: ItemId) -> None:
        """The copy, and what was kept under it, is kept under the other one; drafts that held it have changed."""
        self._db.change(
            "UPDATE item SET merged_into = :under WHERE id = :copy OR merged_into = :copy",
            {"copy": copy, "under": under},
        )
        self._touch_drafts(copy)

    def show(self, copy: ItemId, *, over: Sequence[ItemId]) -> None:
        """The item stands for itself again, and for these copies."""
        self._db.change("UPDATE item SET merged_into = NULL WHERE id = :copy", {"copy": copy})
        self._db.change(
            "UPDATE item SET merged_into = :copy WHERE id IN (SELECT value FROM json_each(:over))",
            {"copy": copy, "over": listed(over)},
        )
        self._touch_drafts(copy)

    def _mark(self, item: ItemId) -> None:
        """The flag goes with the last open question, and comes back with it."""
        self._db.change(
            """UPDATE item SET flags = (
                 SELECT json_group_array(value) FROM (
                   SELECT value FROM json_each(item.flags) WHERE value <> :flag
                   UNION ALL SELECT :flag WHERE EXISTS (SELECT 1 FROM twin WHERE other = :item AND verdict = 'open')))
               WHERE id = :item""",
            {"item": item, "flag": MAYBE_TWICE},
        )

    def _touch_drafts(self, item: ItemId) -> None:
        """An editor who has such a draft open is told that it has changed."""
        self._db.change(
            """UPDATE issue SET revision = revision + 1
               WHERE state = 'draft' AND id IN (SELECT issue FROM issue_item WHERE item = :item)""",
            {"item": item},
        )

    def _pairs(self, sql: str, *, since: datetime) -> list[Pair]:
        with self._db.snapshot():
            rows = self._db.rows(sql, {"since": micros(since)})
            wanted = sorted({row[name] for row in rows for name in ("head", "other")})
            items = {item.id: item for item in self._items.get(wanted)}
        return [
            Pair(
                asked=ItemId(row["one"]),
                one=items[ItemId(row["head"])],
                other=items[ItemId(row["other"])],
                verdict=Verdict(row["verdict"]),
                asked_at=moment(row["asked_at"]),
                settled_at=moment(row["settled_at"]),
                by=row["by"],
                kept=row["kept"],
            )
            for row in rows
        ]
