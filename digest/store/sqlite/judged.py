"""What judging needs to know of an item, from its row. Judges nothing."""

import sqlite3
from typing import Any

from digest.model import EventStatus, ItemId, ItemKind, SourceId
from digest.rules.gather import Known
from digest.rules.heirs import TOLD_OTHERWISE
from digest.store.sqlite.columns import moment

# What judging needs besides the columns of an item.
JUDGED = """
  owner.failing_since AS failing,
  owner.kind <> 'suggestions' AND (owner.paused OR NOT owner.configured) AS orphaned,
  instr(item.flags, :otherwise) AS otherwise,
  (SELECT group_concat(source) FROM item_source WHERE item = item.id) AS sources,
  EXISTS (SELECT 1 FROM issue_item JOIN issue ON issue.id = issue_item.issue
    WHERE issue_item.item = item.id AND issue_item.section IS NOT NULL AND issue.state <> 'draft') AS frozen,
  (SELECT group_concat(source) FROM parted WHERE item = item.id) AS parted
"""
OTHERWISE = f'"{TOLD_OTHERWISE}"'


def known_of(row: sqlite3.Row) -> Known:
    return Known(
        id=ItemId(row["id"]),
        kind=ItemKind(row["kind"]),
        content_hash=row["content_hash"],
        updated=moment(row["updated"]),
        published=moment(row["published"]),
        owner=SourceId(row["source"]),
        sources=_sources(row["sources"]),
        frozen=bool(row["frozen"]),
        changes=row["changes"],
        parted=_sources(row["parted"]),
        orphaned=bool(row["orphaned"]),
        failing=moment(row["failing"]),
        otherwise=bool(row["otherwise"]),
        is_full=bool(row["is_full"]),
        title=row["title"],
        **(_event(row) if row["status"] else {}),
    )


def _event(row: sqlite3.Row) -> dict[str, Any]:
    """Of an event alone: most of what is known are posts, and they are many."""
    return {
        "starts": moment(row["starts"]),
        "status": EventStatus(row["status"]),
        "timezone": row["timezone"],
        "recurs": bool(row["recurs"]),
        "sequence": row["sequence"] or 0,
        "taken": moment(row["updated"]) or moment(row["first_seen"]),
    }


def _sources(joined: str | None) -> frozenset[SourceId]:
    return frozenset(SourceId(int(source)) for source in joined.split(",")) if joined else frozenset()
