"""One-off letters: queued in the transaction of the act that needs them, claimed under a lease, settled once."""

import sqlite3
from collections.abc import Collection
from datetime import datetime
from typing import Literal

from digest.model import Address, EditorId, Language, Notice, NoticeId, NoticeKind, SubscriberId
from digest.store.sqlite.columns import later, listed, micros, moment
from digest.store.sqlite.connection import Connections


class Notices:
    """`store.notices`. A notice is about one subscriber or one editor, and goes when they are forgotten."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def queue(
        self,
        kind: NoticeKind,
        *,
        subscriber: SubscriberId | None = None,
        editor: EditorId | None = None,
        version: int = 0,
        language: Language,
        secret: str | None = None,
        code_mark: str | None = None,
        now: datetime,
    ) -> NoticeId:
        """code_mark: the keyed hash of the six digits that it carries. Raises ValueError unless it is about exactly one
        person."""
        if (subscriber is None) == (editor is None):
            raise ValueError("a notice is about one subscriber or one editor")
        return NoticeId(
            self._db.insert(
                """INSERT INTO notice (kind, subscriber, editor, version, language, secret, code_mark, queued_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (kind.value, subscriber, editor, version, language.value, secret, code_mark, micros(now)),
            )
        )

    def last_queued(
        self, kind: NoticeKind, *, subscriber: SubscriberId | None = None, editor: EditorId | None = None
    ) -> datetime | None:
        """When the last notice of this kind was queued for this person."""
        whose = "editor" if subscriber is None else "subscriber"
        queued_at: int | None = self._db.value(
            f"SELECT max(queued_at) FROM notice WHERE kind = :kind AND {whose} = :person",
            {"kind": kind.value, "person": editor if subscriber is None else subscriber},
        )
        return moment(queued_at)

    def queued_since(
        self, kind: NoticeKind, *, subscriber: SubscriberId, since: datetime
    ) -> list[tuple[datetime, int]]:
        """When notices of this kind were queued for this reader after `since`, and at which version of theirs."""
        rows = self._db.rows(
            """SELECT queued_at, version FROM notice
               WHERE kind = :kind AND subscriber = :subscriber AND queued_at > :since ORDER BY id""",
            {"kind": kind.value, "subscriber": subscriber, "since": micros(since)},
        )
        return [(moment(row["queued_at"]), row["version"]) for row in rows]

    def count_since(self, kind: NoticeKind, *, editor: EditorId, since: datetime) -> int:
        """How many of this kind were queued for this editor after `since`."""
        return int(
            self._db.value(
                "SELECT count(*) FROM notice WHERE kind = :kind AND editor = :editor AND queued_at > :since",
                {"kind": kind.value, "editor": editor, "since": micros(since)},
            )
        )

    def claim(self, *, count: int, now: datetime, lease_s: float) -> list[Notice]:
        """Takes notices that are due, oldest first, and those of a process that died with them. Counts the attempt.

        What was never taken stands behind the last one that was: no index need hold a new letter.
        """
        taken = self._taken()
        rows = self._db.rows(
            """SELECT notice.*, coalesce(CASE notice.kind WHEN 'new-address' THEN s.new_address
                 WHEN 'address-moved' THEN notice.secret ELSE s.address END, e.address) AS address
               FROM notice LEFT JOIN subscriber AS s ON s.id = notice.subscriber
               LEFT JOIN editor AS e ON e.id = notice.editor
               WHERE notice.id IN (
                 SELECT id FROM notice WHERE attempts > 0 AND state IN ('queued', 'claimed')
                   AND CASE state WHEN 'queued' THEN coalesce(not_before, 0) ELSE lease_until END <= :now
                 UNION ALL
                 SELECT id FROM (SELECT id FROM notice WHERE id > :taken AND attempts = 0 AND state = 'queued'
                                 ORDER BY id LIMIT :count))
               ORDER BY notice.id LIMIT :count""",
            {"now": micros(now), "count": count, "taken": taken},
        )
        newest = max((row["id"] for row in rows), default=0)
        if newest > taken:
            self._db.change(
                "UPDATE setting SET value = :id WHERE name = 'notices taken'", {"id": str(newest)}
            )
        self._db.change(
            """UPDATE notice SET state = 'claimed', lease_until = :until, attempts = attempts + 1, changed_at = :now
               WHERE id IN (SELECT value FROM json_each(:ids))""",
            {"ids": listed([row["id"] for row in rows]), "now": micros(now), "until": later(now, lease_s)},
        )
        return [_notice(row) for row in rows]

    def settle(
        self,
        notice_id: NoticeId,
        *,
        state: Literal["sent", "failed", "queued"],
        not_before: datetime | None = None,
        code: int = 0,
        reply: str = "",
        now: datetime,
    ) -> None:
        """What became of a claimed notice. The secret goes with sent and failed, save which issue a newcomer got; queued: try
        again at `not_before`."""
        self._db.change(
            """UPDATE notice SET state = :state, not_before = :not_before, code = :code, reply = :reply,
                 changed_at = :now, lease_until = NULL,
                 secret = iif(:state = 'queued' OR kind = 'newest', secret, NULL)
               WHERE id = :id AND state = 'claimed'""",
            {
                "id": notice_id,
                "state": state,
                "not_before": micros(not_before),
                "code": code,
                "reply": reply[:500],
                "now": micros(now),
            },
        )

    def drop(self, kinds: Collection[NoticeKind], *, subscriber: SubscriberId) -> None:
        """What has not left of these kinds shall not leave."""
        self._db.change(
            """UPDATE notice SET state = 'failed', secret = NULL, reply = 'dropped', changed_at = coalesce(changed_at, queued_at)
               WHERE subscriber = :subscriber
                 AND kind IN (SELECT value FROM json_each(:kinds)) AND state IN ('queued', 'claimed')""",
            {"subscriber": subscriber, "kinds": listed([kind.value for kind in kinds])},
        )

    def is_wanted(self, notice_id: NoticeId) -> bool:
        """Whether a claimed notice may still leave: its reader may have left, or be forgotten, meanwhile."""
        return (
            self._db.row("SELECT 1 FROM notice WHERE id = :id AND state = 'claimed'", {"id": notice_id})
            is not None
        )

    def reader_of(self, notice_id: NoticeId) -> SubscriberId | None:
        """Whom a one-off letter went to; None when it is forgotten, or went to an editor."""
        number: int | None = self._db.value(
            "SELECT max(subscriber) FROM notice WHERE id = :id", {"id": notice_id}
        )
        return None if number is None else SubscriberId(number)

    def delete_settled(self, before: datetime) -> int:
        """What left, or failed, before this time is forgotten; how many."""
        return self._db.change(
            "DELETE FROM notice WHERE state IN ('sent', 'failed') AND changed_at < :before",
            {"before": micros(before)},
        )

    def pending(self) -> int:
        """How many have still to leave."""
        return int(
            self._db.value(
                """SELECT (SELECT count(*) FROM notice WHERE attempts > 0 AND state IN ('queued', 'claimed'))
                        + (SELECT count(*) FROM notice WHERE id > :taken AND attempts = 0 AND state = 'queued')""",
                {"taken": self._taken()},
            )
        )

    def _taken(self) -> int:
        """The number of the newest notice that was ever taken."""
        return int(self._db.value("SELECT value FROM setting WHERE name = 'notices taken'"))


def _notice(row: sqlite3.Row) -> Notice:
    return Notice(
        id=NoticeId(row["id"]),
        kind=NoticeKind(row["kind"]),
        address=Address(row["address"]),
        language=Language(row["language"]),
        subscriber=None if row["subscriber"] is None else SubscriberId(row["subscriber"]),
        version=row["version"],
        editor=None if row["editor"] is None else EditorId(row["editor"]),
        secret=row["secret"],
        attempts=row["attempts"] + 1,
        queued_at=moment(row["queued_at"]),
    )
