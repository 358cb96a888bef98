"""New words of an item's source: written into the item, or, while an approved issue holds it, kept until it is let go."""

import json
from collections.abc import Sequence
from datetime import datetime

from digest.model import Entry, ItemId, Occasion
from digest.rules.gather import MAYBE_TWICE
from digest.rules.marks import MOVABLE
from digest.store.sqlite import hints
from digest.store.sqlite.columns import listed, micros, occasion_of
from digest.store.sqlite.connection import Connections


def write(
    db: Connections,
    item_id: ItemId,
    stated: dict[str, object],
    *,
    keys: Sequence[str],
    now: int | None,
    anew: bool = False,
) -> None:
    """The item as its source states it. A date that the source no longer gives is kept. `now` stands in for the date of
    the change when the source gives none."""
    db.change(
        """UPDATE item SET title = :title, url = coalesce(:url, url), language = coalesce(:language, language),
             published = coalesce(:published, published), updated = coalesce(:updated, :now), author = :author,
             summary = :summary, html = :html, is_full = :is_full, minutes = :minutes, tags = :tags, flags = :flags,
             starts = :starts, ends = :ends, timezone = :timezone, all_day = :all_day, place = :place,
             online = :online, status = :status, uid = :uid, sequence = :sequence, recurs = :recurs,
             content_hash = :content_hash, changes = changes + 1
           WHERE id = :id""",
        {**stated, "id": item_id, "now": now},
    )
    learn(db, [(item_id, keys)], anew=anew)
    db.change(  # the doubt is no business of its source's
        """UPDATE item SET flags = json_insert(flags, '$[#]', :flag)
           WHERE id = :id AND EXISTS (SELECT 1 FROM twin WHERE other = :id AND verdict = 'open')""",
        {"id": item_id, "flag": MAYBE_TWICE},
    )


def learn(db: Connections, items: Sequence[tuple[ItemId, Sequence[str]]], *, anew: bool = False) -> None:
    """A key that is already another item's stays there: the first who used it keeps it. anew: but which of its items a
    date of a series is, a calendar says with each visit."""
    _hand_on(db, items)
    otherwise = (
        """UPDATE SET item = excluded.item WHERE excluded.key GLOB 'uid:*'
             AND (SELECT source FROM item WHERE id = item_key.item) = (SELECT source FROM item WHERE id = excluded.item)"""
        if anew
        else "NOTHING"
    )
    parted = [(item_id, *hints.parted(keys)) for item_id, keys in items]
    db.change_many(
        f"INSERT INTO item_key (key, item) VALUES (?, ?) ON CONFLICT (key) DO {otherwise}",
        [(name, item_id) for item_id, names, _ in parted for name in names],
    )
    hints.learn(db, [(item_id, marks) for item_id, _, marks in parted])


def _hand_on(db: Connections, items: Sequence[tuple[ItemId, Sequence[str]]]) -> None:
    """But the page of an event that has been becomes that of the next one."""
    pages = [(key, item_id) for item_id, keys in items for key in keys if key.startswith(MOVABLE)]
    if pages:
        db.change_many(
            """UPDATE item_key SET item = :item WHERE key = :key
             AND (SELECT starts FROM item WHERE id = item_key.item) < (SELECT starts FROM item WHERE id = :item)""",
            [{"key": key, "item": item_id} for key, item_id in pages],
        )


def keep(db: Connections, item_id: ItemId, entry: Entry, *, stated: dict[str, object], now: datetime) -> None:
    """Held words stay; what the source says now waits. The newest counts."""
    db.change(
        "UPDATE item SET content_hash = :content_hash, updated = :now WHERE id = :id",
        {"id": item_id, "content_hash": entry.content_hash, "now": micros(now)},
    )
    db.change(
        """INSERT INTO restated (item, stated, keys, at) VALUES (:item, :stated, :keys, :now)
           ON CONFLICT (item) DO UPDATE SET stated = excluded.stated, keys = excluded.keys, at = excluded.at""",
        {"item": item_id, "stated": json.dumps(stated), "keys": listed(entry.keys), "now": micros(now)},
    )


def occasion(stated: str | None) -> Occasion | None:
    """When and where the source says it is now; None for a post, and where nothing waits."""
    return occasion_of(json.loads(stated)) if stated else None


def take_over(db: Connections, issue: int) -> None:
    """Inside the transaction that makes the issue a draft again: its items say what their sources say, unless another
    issue still holds them."""
    rows = db.rows(
        """SELECT restated.* FROM restated JOIN issue_item AS mine ON mine.item = restated.item
           WHERE mine.issue = :issue AND NOT EXISTS (
             SELECT 1 FROM issue_item AS other JOIN issue ON issue.id = other.issue
             WHERE other.item = restated.item AND other.section IS NOT NULL AND issue.state <> 'draft')""",
        {"issue": issue},
    )
    for row in rows:
        write(db, ItemId(row["item"]), json.loads(row["stated"]), keys=json.loads(row["keys"]), now=row["at"])
    done = listed([row["item"] for row in rows])
    db.change("DELETE FROM restated WHERE item IN (SELECT value FROM json_each(:done))", {"done": done})
