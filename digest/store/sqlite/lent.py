"""Events as a letter prints them: with what their other listings add. What may be added is judged in rules/."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from digest.model import Item, ItemId, Placed
from digest.rules import lent
from digest.store.sqlite.columns import listed, occasion_of
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.items import COLUMNS, item_of


def completed(db: Connections, placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """The same, each event completed from what is kept under it, the listing seen first first."""
    wanting = {one.item.id: one.item for one in placed if lent.wants(one.item)}
    listings = _listings(db, wanting) if wanting else {}
    return tuple(
        replace(one, item=lent.completed(one.item, listings[one.item.id])) if one.item.id in listings else one
        for one in placed
    )


def _listings(db: Connections, heads: Mapping[ItemId, Item]) -> dict[ItemId, list[Item]]:
    """What is kept under each of these, and what sources say of it that know it by its identity."""
    found: dict[ItemId, list[Item]] = {}
    for row in db.rows(
        f"""SELECT {COLUMNS} FROM item JOIN source ON source.id = item.source
            WHERE item.merged_into IN (SELECT value FROM json_each(:heads)) ORDER BY item.id""",
        {"heads": listed(list(heads))},
    ):
        found.setdefault(ItemId(row["merged_into"]), []).append(item_of(row))
    for row in db.rows(
        """SELECT coalesce(item.merged_into, item.id) AS head, seen.stated FROM item_source AS seen
           JOIN item ON item.id = seen.item
           WHERE item.id IN (SELECT value FROM json_each(:heads)
                             UNION SELECT id FROM item WHERE merged_into IN (SELECT value FROM json_each(:heads)))
             AND seen.stated IS NOT NULL AND seen.source <> item.source
           ORDER BY seen.first_seen, seen.source""",
        {"heads": listed(list(heads))},
    ):
        head = ItemId(row["head"])
        found.setdefault(head, []).append(_listing(json.loads(row["stated"]), heads[head]))
    return found


def _listing(stated: dict[str, Any], head: Item) -> Item:
    told = {name: stated[name] for name in ("title", "url", "language", "author", "summary", "html")}
    return replace(head, **told, occasion=occasion_of(stated))
