"""Runs: a sending process at work on one issue. Its lease is its life; what a dead one held is sorted here, once."""

from datetime import datetime

from digest.model import IssueId
from digest.store.sqlite.columns import later, micros
from digest.store.sqlite.connection import Connections


class Runs:
    """The part of `store.deliveries` that begins, renews, ends and buries runs."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def begin_run(self, issue_id: IssueId, *, now: datetime, lease_s: float) -> int:
        """A new run, alive until `lease_s` seconds from now unless renewed. Its number is never used again."""
        return self._db.insert(
            "INSERT INTO run (issue, begun_at, lease_until) VALUES (:issue, :now, :until)",
            {"issue": issue_id, "now": micros(now), "until": later(now, lease_s)},
        )

    def live_run(self, issue_id: IssueId, *, now: datetime) -> bool:
        """Whether somebody is at work on this issue."""
        found = self._db.row(
            "SELECT 1 FROM run WHERE issue = :issue AND ended_at IS NULL AND lease_until > :now",
            {"issue": issue_id, "now": micros(now)},
        )
        return found is not None

    def renew(self, run: int, *, now: datetime, lease_s: float) -> bool:
        """False when the lease is over already: the run must stop, another may have taken its letters."""
        return (
            self._db.change(
                "UPDATE run SET lease_until = :until WHERE id = :run AND ended_at IS NULL AND lease_until > :now",
                {"run": run, "now": micros(now), "until": later(now, lease_s)},
            )
            == 1
        )

    def end_run(self, run: int, *, now: datetime) -> None:
        """The run is over. What it still holds is sorted by recover()."""
        self._db.change(
            "UPDATE run SET ended_at = :now WHERE id = :run AND ended_at IS NULL",
            {"run": run, "now": micros(now)},
        )

    def recover(self, issue_id: IssueId, *, now: datetime, alone: bool = False) -> tuple[int, int]:
        """Sorts what dead runs held: (back to queued, unsure). claimed never had a final dot; committing may have.

        alone: the caller knows (by a lock that dies with its holder) that no run lives, whatever its lease says.
        """
        held = {"issue": issue_id, "now": micros(now)}
        # First of all the dead are marked so: a run that wakes up now finds its lease gone, whatever its clock says.
        self._db.change(
            "UPDATE run SET ended_at = :now WHERE issue = :issue AND ended_at IS NULL AND (lease_until <= :now OR :alone)",
            {**held, "alone": int(alone)},
        )
        requeued = self._db.change(
            """UPDATE delivery SET state = 'queued', run = NULL, changed_at = :now
               WHERE issue = :issue AND state = 'claimed'
                 AND run NOT IN (SELECT id FROM run WHERE issue = :issue AND ended_at IS NULL)""",
            held,
        )
        # run and connection stay: they let a late answer of that very run still settle the doubt.
        unsure = self._db.change(
            """UPDATE delivery SET state = 'unsure', attempts = attempts + 1, changed_at = :now
               WHERE issue = :issue AND state = 'committing'
                 AND run NOT IN (SELECT id FROM run WHERE issue = :issue AND ended_at IS NULL)""",
            held,
        )
        return requeued, unsure
