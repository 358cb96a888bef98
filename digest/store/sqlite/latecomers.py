"""Letters of an issue that go out after all: those that failed, and those of people who joined since it was approved."""

from collections.abc import Sequence
from datetime import datetime

from digest.model import DeliveryId, DeliveryState, IssueId
from digest.store.sqlite.columns import listed, micros
from digest.store.sqlite.connection import Connections


class Latecomers:
    """`store.latecomers`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def requeue_failed(self, issue_id: IssueId, *, now: datetime) -> int:
        """Failed letters of readers who are still confirmed go again, with all their tries before them; how many."""
        return self._db.change(
            """UPDATE delivery SET state = 'queued', attempts = 0, run = NULL, connection = NULL, changed_at = :now
               WHERE issue = :issue AND state = 'failed' AND EXISTS
                 (SELECT 1 FROM subscriber AS s WHERE s.id = delivery.subscriber AND s.state = 'confirmed')""",
            {"issue": issue_id, "now": micros(now)},
        )

    def list_joined(self, issue_id: IssueId, *, editions: Sequence[str], now: datetime) -> int:
        """Lists readers who confirmed after this issue was approved, in the edition they chose; how many.

        editions: keys, that of the list's first language before the others.
        """
        return self._db.change(
            """INSERT INTO delivery (issue, subscriber, edition, changed_at)
               SELECT :issue, id,
                 CASE WHEN language IN (SELECT value FROM json_each(:editions)) THEN language
                      WHEN substr(language, 1, 2) IN (SELECT value FROM json_each(:editions)) THEN substr(language, 1, 2)
                      ELSE :first END,
                 :now
               FROM subscriber WHERE state = 'confirmed' AND coalesce(paused_until, 0) <= :now
                 AND confirmed_at > (SELECT approved_at FROM issue WHERE id = :issue)
               ORDER BY id
               ON CONFLICT (issue, subscriber) DO NOTHING""",
            {
                "issue": issue_id, "editions": listed(editions), "first": editions[0], "now": micros(now),
            },
        )  # fmt: skip

    # --- after an old copy of the database was put back ----------------------------------------------------------

    def open_letters(self, issue_id: IssueId) -> int:
        """How many have no end yet."""
        return int(
            self._db.value(
                "SELECT count(*) FROM delivery WHERE issue = :issue AND state IN ('queued', 'claimed', 'committing', 'deferred')",
                {"issue": issue_id},
            )
        )

    def listed(self, issue_id: IssueId, deliveries: Sequence[DeliveryId]) -> int:
        """How many of these the issue has."""
        return int(
            self._db.value(
                "SELECT count(*) FROM delivery WHERE issue = :issue AND id IN (SELECT value FROM json_each(:ids))",
                {"issue": issue_id, "ids": listed(deliveries)},
            )
        )

    def found_sent(self, issue_id: IssueId, deliveries: Sequence[DeliveryId]) -> int:
        """A mail server's log names them: they left; how many were not known to have."""
        return self._db.change(
            """UPDATE delivery SET state = 'sent', run = NULL, connection = NULL, not_before = NULL,
                 reply = 'found in a log of the mail server'
               WHERE issue = :issue AND id IN (SELECT value FROM json_each(:ids)) AND state NOT IN ('sent', 'cancelled')""",
            {"issue": issue_id, "ids": listed(deliveries)},
        )

    def doubt_all(self, issue_id: IssueId, *, now: datetime) -> int:
        """Every letter without an end may have left since the copy was made; how many."""
        return self._db.change(
            """UPDATE delivery SET state = :unsure, run = NULL, connection = NULL, not_before = NULL, changed_at = :now,
                 reply = 'it may have left after the copy of the database was made'
               WHERE issue = :issue AND state IN ('queued', 'claimed', 'committing', 'deferred')""",
            {"issue": issue_id, "unsure": DeliveryState.UNSURE.value, "now": micros(now)},
        )

    def last_run(self) -> int:
        return int(self._db.value("SELECT coalesce(max(id), 0) FROM run"))
