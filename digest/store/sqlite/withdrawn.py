"""First letters of an issue that was taken back: they have left and are remembered, and the issue can be a draft again."""

from datetime import datetime

from digest.errors import MoveRefused
from digest.model import IssueId
from digest.store.sqlite.columns import micros
from digest.store.sqlite.runs import Runs


class Withdrawn(Runs):
    """The part of `store.deliveries` that knows of letters taken back."""

    def withdraw(self, issue_id: IssueId, *, now: datetime) -> int:
        """Takes the first letters off the list; how many have left, or may have. Raises MoveRefused when others have, or one
        is on its way."""
        values = {"issue": issue_id, "now": micros(now)}
        stands = self._db.row(
            """SELECT 1 FROM delivery AS d WHERE issue = :issue AND state NOT IN ('queued', 'deferred', 'cancelled')
                 AND (state IN ('claimed', 'committing') OR NOT EXISTS
                      (SELECT 1 FROM canary_letter AS c WHERE c.issue = d.issue AND c.delivery = d.id)) LIMIT 1""",
            values,
        )
        if stands is not None:
            raise MoveRefused(
                "Other letters than the first have left or are on their way.", key="desk.why_not_first"
            )
        left = self._db.change(
            """INSERT INTO withdrawn (delivery, issue, subscriber, state, sha256, at)
               SELECT d.id, d.issue, d.subscriber, d.state, coalesce(e.sha256, ''), coalesce(d.changed_at, :now)
               FROM canary_letter AS c JOIN delivery AS d ON d.id = c.delivery
               LEFT JOIN edition AS e ON e.issue = d.issue AND e.key = d.edition
               WHERE c.issue = :issue AND d.state IN ('sent', 'failed', 'unsure')""",
            values,
        )
        self._db.change(
            "DELETE FROM delivery WHERE id IN (SELECT delivery FROM withdrawn WHERE issue = :issue)", values
        )
        return left

    def spare(self, issue_id: IssueId) -> int:
        """Takes off the list who has this very letter since it was taken back, or may have; how many."""
        return self._db.change(
            """DELETE FROM delivery WHERE id IN (
                 SELECT d.id FROM withdrawn AS w JOIN delivery AS d ON d.issue = w.issue AND d.subscriber = w.subscriber
                 JOIN edition AS e ON e.issue = d.issue AND e.key = d.edition
                 WHERE w.issue = :issue AND e.sha256 = w.sha256 AND w.state <> 'failed' AND d.state = 'queued')""",
            {"issue": issue_id},
        )
