"""Letters of an issue that go out after all: those that failed, and those of people who joined since it was approved."""

from collections.abc import Sequence
from datetime import datetime

from digest.model import DeliveryId, DeliveryState, IssueId
from digest.store.sqlite.columns import listed, mapped, micros
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.deliveries import LIST_READERS

# More than anybody gives out between a copy and the day it is put back; tokens have room for thousands of such leaps.
_GAPS = {"delivery": 10_000_000, "subscriber": 100_000, "notice": 100_000, "issue": 1_000, "editor": 1_000}


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
        """Lists readers who confirmed after this issue was approved, with the edition nearest to their choices; how many.
        Whoever was greeted with it has it.

        editions: keys, that of the list's first language before the others.
        """
        approved = self._db.value("SELECT approved_at FROM issue WHERE id = :issue", {"issue": issue_id})
        return self._db.change(
            LIST_READERS,
            {
                "issue": issue_id, "editions": listed(editions), "zones": mapped({}), "first": editions[0],
                "now": micros(now), "empty": listed([]), "since": approved or 0, "unpaused": micros(now),
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

    def withdrawn(self, deliveries: Sequence[DeliveryId]) -> set[DeliveryId]:
        """Which of these were first letters of an issue that was taken back: that they left is known."""
        rows = self._db.rows(
            "SELECT delivery FROM withdrawn WHERE delivery IN (SELECT value FROM json_each(:ids))",
            {"ids": listed(deliveries)},
        )
        return {DeliveryId(row[0]) for row in rows}

    def doubt_all(self, issue_id: IssueId, *, now: datetime) -> int:
        """Every letter without an end may have left since the copy was made; how many."""
        return self._db.change(
            """UPDATE delivery SET state = :unsure, run = NULL, connection = NULL, not_before = NULL, changed_at = :now,
                 reply = 'it may have left after the copy of the database was made'
               WHERE issue = :issue AND state IN ('queued', 'claimed', 'committing', 'deferred')""",
            {"issue": issue_id, "unsure": DeliveryState.UNSURE.value, "now": micros(now)},
        )

    def last_run(self) -> int:
        """The highest number that a run has had, or has been left out."""
        return self._last("run")

    def last_letter(self) -> int:
        """The same of letters."""
        return self._last("delivery")

    def skip_numbers(self, *, runs: int, letters: int) -> None:
        """Numbers that may stand in links, bounces and logs of what this database does not know are never given out."""
        least = {table: self._last(table) + gap for table, gap in _GAPS.items()}
        least["run"] = max(self._last("run"), runs)
        least["delivery"] = max(least["delivery"], letters + _GAPS["delivery"])
        for table, number in least.items():
            values = {"table": table, "number": number}
            if not self._db.change("UPDATE sqlite_sequence SET seq = :number WHERE name = :table", values):
                self._db.change("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)", values)

    def _last(self, table: str) -> int:
        return int(
            self._db.value("SELECT max(seq) FROM sqlite_sequence WHERE name = :table", {"table": table}) or 0
        )
