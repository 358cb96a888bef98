"""The month's issue: its items in order, its texts, its log of edits, its frozen editions. Moves are compare-and-set."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from digest.errors import NotFound
from digest.model import (
    Community,
    Edit,
    Edition,
    Issue,
    IssueId,
    IssueState,
    ItemId,
    PauseReason,
    Period,
    Placed,
    Reading,
)
from digest.store.sqlite import lent, restated
from digest.store.sqlite.columns import column, listed, mapped, mapping, micros, moment, pause_reason
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.introductions import PICTURE, read
from digest.store.sqlite.items import COLUMNS, item_of

# What move() may set beside the state; each fragment is written here, none is built from an argument.
_SETTERS = {
    "send_at": "send_at = :send_at",
    "approved_at": "approved_at = :approved_at",
    "approved_by": "approved_by = :approved_by",
    "sending_since": "sending_since = :sending_since",
    "sent_at": "sent_at = :sent_at",
    "pause_reason": "pause_reason = :pause_reason",
    "hash": "hash = :hash",
}


class BenchCounts(NamedTuple):
    """How much waits on the bench, and how much of it came after the draft was made."""

    all_of_it: int
    late: int


class Issues:
    """`store.issues`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def all(self) -> list[Issue]:
        """Newest first; `placed` and `texts` are left empty."""
        return [_issue(row) for row in self._db.rows("SELECT * FROM issue ORDER BY period DESC")]

    def find(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue | None:
        """The issue, if there is one. bench: which of what waits on the bench comes along, for it may hold thousands;
        left out: all of it."""
        with self._db.snapshot():
            row = self._db.row("SELECT * FROM issue WHERE period = :period", {"period": str(period)})
            if row is None:
                return None
            community = self._community(row["id"], is_draft=row["state"] == IssueState.DRAFT)
            issue = _issue(row, placed=self._placed(row["id"], bench), texts=self._texts(row["id"]))
            return replace(issue, community=community)

    def get(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue:
        """As find(). Raises NotFound."""
        issue = self.find(period, bench=bench)
        if issue is None:
            raise NotFound(
                f"There is no issue {period}; `digest assemble --period {period}` makes its draft."
            )
        return issue

    def create(
        self, *, period: Period, since: datetime, until: datetime, send_at: datetime, placed: Sequence[Placed]
    ) -> IssueId:
        """A new draft, numbered one above the highest; in front of drafts of later months it takes their first number,
        and they move up."""
        number = self._db.value(
            """SELECT iif(count(*) AND min(state = 'draft'), min(number), (SELECT coalesce(max(number), 0) + 1 FROM issue))
               FROM issue WHERE period > :period""",
            {"period": str(period)},
        )
        self._db.change("UPDATE issue SET number = number + 1 WHERE number >= :number", {"number": number})
        issue_id = IssueId(
            self._db.insert(
                """INSERT INTO issue (period, number, state, since, until, send_at)
                   VALUES (:period, :number, 'draft', :since, :until, :send_at)""",
                {
                    "period": str(period),
                    "number": number,
                    "since": micros(since),
                    "until": micros(until),
                    "send_at": micros(send_at),
                },
            )
        )
        self._put(issue_id, placed, seen={})
        return issue_id

    def extend(self, issue_id: IssueId, *, until: datetime, late: Sequence[Placed]) -> None:
        """Brings what came after the draft was made. Items that the issue already holds stay where they are."""
        self._db.change(
            "UPDATE issue SET until = :until WHERE id = :id", {"id": issue_id, "until": micros(until)}
        )
        held = set(self._seen(issue_id))
        self._put(issue_id, [placed for placed in late if placed.item.id not in held], seen={})

    def place(
        self, issue_id: IssueId, placed: Sequence[Placed], *, was: Sequence[Placed] | None = None
    ) -> None:
        """Rewrites what stands where. An item passed with `changed_at_source` keeps the mark; without it, the words the
        caller saw are from now on the ones it was placed with.

        was: what the caller had read in this transaction; only the difference is written, and what it had not read
        stays. Left out: `placed` is all there is.
        """
        known = {p.item.id: p for p in was or ()}
        moved = [p for p in placed if p != known.get(p.item.id)]
        seen = self._seen(issue_id, None if was is None else [p.item.id for p in moved])
        stays = {p.item.id for p in placed}
        gone = set(seen if was is None else known) - stays
        self._db.change(
            "DELETE FROM issue_item WHERE issue = :issue AND item IN (SELECT value FROM json_each(:gone))",
            {"issue": issue_id, "gone": listed(sorted(gone))},
        )
        self._put(issue_id, moved, seen=seen)

    def write_text(self, issue_id: IssueId, *, field: str, language: str, words: str) -> None:
        """A text of the issue in one language; no words: as if it had never been written."""
        if not words:
            self._db.change(
                "DELETE FROM issue_text WHERE issue = :issue AND field = :field AND language = :language",
                {"issue": issue_id, "field": field, "language": language},
            )
            return
        self._db.change(
            """INSERT INTO issue_text (issue, field, language, words) VALUES (:issue, :field, :language, :words)
               ON CONFLICT (issue, field, language) DO UPDATE SET words = excluded.words""",
            {"issue": issue_id, "field": field, "language": language, "words": words},
        )

    def bump(self, issue_id: IssueId, *, revision: int) -> bool:
        """Raises the revision by one if it still is the one the editor saw."""
        raised = "UPDATE issue SET revision = revision + 1 WHERE id = :id AND revision = :revision"
        return self._db.change(raised, {"id": issue_id, "revision": revision}) == 1

    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, object], at: datetime
    ) -> None:
        """Adds a line to the log of edits, for ever."""
        self._db.change(
            "INSERT INTO edit (issue, at, editor, act, detail) VALUES (:issue, :at, :editor, :act, :detail)",
            {"issue": issue_id, "at": micros(at), "editor": editor, "act": act, "detail": mapped(detail)},
        )

    def edits(self, issue_id: IssueId) -> list[Edit]:
        """The log, oldest first."""
        rows = self._db.rows("SELECT * FROM edit WHERE issue = :issue ORDER BY id", {"issue": issue_id})
        return [
            Edit(
                id=row["id"],
                at=moment(row["at"]),
                editor=row["editor"],
                act=row["act"],
                detail=json.loads(row["detail"]),
            )
            for row in rows
        ]

    def move(
        self,
        issue_id: IssueId,
        *,
        from_: Collection[IssueState],
        to: IssueState,
        **columns: datetime | str | PauseReason | None,
    ) -> bool:
        """Compare-and-set: False when the issue was in none of the states `from_`, and then nothing is changed.

        A draft's items say what their sources said while the issue was frozen.

        columns: send_at, approved_at, approved_by, sending_since, sent_at, pause_reason, hash.
        """
        unknown = columns.keys() - _SETTERS.keys()
        if unknown:
            raise TypeError(f"an issue's move cannot set {', '.join(sorted(unknown))}")
        setters = ", ".join(["state = :to", *(_SETTERS[name] for name in columns)])
        values = {name: column(value) for name, value in columns.items()}
        moved = self._db.change(
            f"UPDATE issue SET {setters} WHERE id = :id AND state IN (SELECT value FROM json_each(:states))",
            {**values, "id": issue_id, "to": to.value, "states": listed([state.value for state in from_])},
        )
        if moved and to is IssueState.DRAFT:
            restated.take_over(self._db, issue_id)
        return moved == 1

    def freeze(self, issue_id: IssueId, editions: Sequence[Edition]) -> None:
        """Keeps the editions, and the picture of the community in them, as they are now.

        Raises StoreError when one is kept already: thaw() first.
        """
        self._db.change(
            """INSERT INTO issue_community (issue, value) SELECT :issue, value FROM setting WHERE name = :name
               ON CONFLICT (issue) DO UPDATE SET value = excluded.value""",
            {"issue": issue_id, "name": PICTURE},
        )
        self._db.change_many(
            """INSERT INTO edition (issue, key, subject, html, text, letter, sha256, view)
               VALUES (:issue, :key, :subject, :html, :text, :letter, :sha256, :view)""",
            [
                {
                    "issue": issue_id,
                    "key": edition.key,
                    "subject": edition.subject,
                    "html": edition.html,
                    "text": edition.text,
                    "letter": edition.letter,
                    "sha256": edition.sha256,
                    "view": edition.view,
                }
                for edition in editions
            ],
        )

    def thaw(self, issue_id: IssueId) -> None:
        """Forgets the frozen editions."""
        self._db.change("DELETE FROM edition WHERE issue = :issue", {"issue": issue_id})
        self._db.change("DELETE FROM issue_community WHERE issue = :issue", {"issue": issue_id})

    def editions(self, issue_id: IssueId) -> dict[str, Edition]:
        """The frozen editions by key; empty while the issue is a draft."""
        rows = self._db.rows("SELECT * FROM edition WHERE issue = :issue ORDER BY key", {"issue": issue_id})
        return {row["key"]: _edition(row) for row in rows}

    def frozen_view(self, issue_id: IssueId, *, language: str) -> str:
        """What one plain edition printed; "" when none was frozen."""
        found = self._db.value(
            "SELECT view FROM edition WHERE issue = :issue AND key = :key",
            {"issue": issue_id, "key": language},
        )
        return found or ""

    def cut_off_before(self, period: Period) -> datetime | None:
        """Up to when the newest earlier issue that is no draft has looked; None when there is none."""
        until: int | None = self._db.value(
            "SELECT until FROM issue WHERE period < :period AND state <> 'draft' ORDER BY period DESC LIMIT 1",
            {"period": str(period)},
        )
        return moment(until)

    def used_items(self) -> set[ItemId]:
        """Items that stand in a section of an issue that is no draft."""
        rows = self._db.rows(
            """SELECT DISTINCT item FROM issue_item JOIN issue ON issue.id = issue_item.issue
               WHERE issue.state <> 'draft' AND issue_item.section IS NOT NULL"""
        )
        return {ItemId(row["item"]) for row in rows}

    def bench(self, issue_id: IssueId, *, most: int) -> list[ItemId]:
        """The first of what waits on the bench: what came late, then what was cut last, then in its order."""
        rows = self._db.rows(
            """SELECT item FROM issue_item WHERE issue = :issue AND section IS NULL
               ORDER BY arrived_late DESC, position, item LIMIT :most""",
            {"issue": issue_id, "most": most},
        )
        return [ItemId(row["item"]) for row in rows]

    def bench_counts(self, issue_id: IssueId) -> BenchCounts:
        [row] = self._db.rows(
            """SELECT count(*), coalesce(sum(arrived_late), 0) FROM issue_item
               WHERE issue = :issue AND section IS NULL""",
            {"issue": issue_id},
        )
        return BenchCounts(*row)

    def _placed(self, issue_id: int, bench: Collection[ItemId] | None) -> tuple[Placed, ...]:
        rows = self._db.rows(
            f"""SELECT {COLUMNS}, p.section AS in_section, p.position, p.title AS own_title, p.blurb, p.chosen,
                  p.arrived_late, p.seen_hash <> item.content_hash AS changed_at_source,
                  restated.stated AS stated
                FROM issue_item AS p JOIN item ON item.id = p.item JOIN source ON source.id = item.source
                  LEFT JOIN restated ON restated.item = p.item
                WHERE p.issue = :issue
                  AND (item.merged_into IS NULL OR (SELECT state FROM issue WHERE id = :issue) <> 'draft')
                  AND (:bench IS NULL OR p.section IS NOT NULL OR p.item IN (SELECT value FROM json_each(:bench)))
                ORDER BY p.section IS NULL, p.section, p.position, item.id""",
            {"issue": issue_id, "bench": None if bench is None else listed(bench)},
        )
        return lent.completed(self._db, [_placed(row) for row in rows])

    def _community(self, issue_id: int, *, is_draft: bool) -> Community:
        """As the issue was approved; a draft shows how it stands now."""
        now = "SELECT value FROM setting WHERE name = :name" if is_draft else "SELECT NULL"
        return read(
            self._db.value(
                f"SELECT coalesce((SELECT value FROM issue_community WHERE issue = :issue), ({now}))",
                {"issue": issue_id, "name": PICTURE},
            )
        )

    def _texts(self, issue_id: int) -> dict[tuple[str, str], str]:
        rows = self._db.rows(
            "SELECT field, language, words FROM issue_text WHERE issue = :issue", {"issue": issue_id}
        )
        return {(row["field"], row["language"]): row["words"] for row in rows}

    def _seen(self, issue_id: IssueId, items: Collection[ItemId] | None = None) -> dict[int, str]:
        """Of these items; left out: of all, thousands with the bench."""
        few = "" if items is None else "AND item IN (SELECT value FROM json_each(:items))"
        rows = self._db.rows(
            f"SELECT item, seen_hash FROM issue_item WHERE issue = :issue {few}",
            {"issue": issue_id, "items": listed(items or ())},
        )
        return {row["item"]: row["seen_hash"] for row in rows}

    def _put(self, issue_id: IssueId, placed: Sequence[Placed], *, seen: Mapping[int, str]) -> None:
        # An unknown hash ('') differs from every other, so the mark survives an item that went and came back.
        self._db.change_many(
            """INSERT INTO issue_item (issue, item, section, position, title, blurb, chosen, arrived_late, seen_hash)
               VALUES (:issue, :item, :section, :position, :title, :blurb, :chosen, :arrived_late, :seen_hash)
               ON CONFLICT (issue, item) DO UPDATE SET section = excluded.section, position = excluded.position,
                 title = excluded.title, blurb = excluded.blurb, chosen = excluded.chosen,
                 arrived_late = excluded.arrived_late, seen_hash = excluded.seen_hash""",
            [
                {
                    "issue": issue_id,
                    "item": one.item.id,
                    "section": one.section,
                    "position": one.position,
                    "title": mapped(one.title),
                    "blurb": mapped(one.blurb),
                    "chosen": int(one.chosen),
                    "arrived_late": int(one.arrived_late),
                    "seen_hash": seen.get(one.item.id, "")
                    if one.changed_at_source
                    else one.item.content_hash,
                }
                for one in placed
            ],
        )


def _issue(
    row: sqlite3.Row, *, placed: tuple[Placed, ...] = (), texts: Mapping[tuple[str, str], str] | None = None
) -> Issue:
    return Issue(
        id=IssueId(row["id"]),
        period=Period.parse(row["period"]),
        number=row["number"],
        state=IssueState(row["state"]),
        since=moment(row["since"]),
        until=moment(row["until"]),
        send_at=moment(row["send_at"]),
        revision=row["revision"],
        placed=placed,
        texts=texts or {},
        approved_at=moment(row["approved_at"]),
        approved_by=row["approved_by"],
        sending_since=moment(row["sending_since"]),
        sent_at=moment(row["sent_at"]),
        pause_reason=pause_reason(row["pause_reason"]),
        hash=row["hash"],
    )


def _placed(row: sqlite3.Row) -> Placed:
    return Placed(
        item=item_of(row),
        section=row["in_section"],
        position=row["position"],
        title=mapping(row["own_title"]),
        blurb=mapping(row["blurb"]),
        chosen=bool(row["chosen"]),
        arrived_late=bool(row["arrived_late"]),
        changed_at_source=bool(row["changed_at_source"]),
        stated_now=restated.occasion(row["stated"]),
    )


def _edition(row: sqlite3.Row) -> Edition:
    what, _, zone = row["key"].partition("@")
    reading, _, cut = what.partition("#")
    return Edition(
        reading=Reading(reading),
        cut=cut,
        zone=zone,
        subject=row["subject"],
        html=row["html"],
        text=row["text"],
        letter=row["letter"],
        sha256=row["sha256"],
        view=row["view"],
    )
