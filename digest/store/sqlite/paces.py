"""What was learned about the pace of relays and domains, and how far runs are. Nothing here judges how fast to go."""

from collections.abc import Sequence
from datetime import datetime

from digest.model import DeliveryId, IssueId, LearnedPace, RunProgress
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections


class Paces:
    """`store.paces`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def all(self) -> list[LearnedPace]:
        """By kind and name."""
        return [
            LearnedPace(
                kind=row["kind"], name=row["name"], rate=row["rate"], width=row["width"], at=moment(row["at"]),
                rests_until=moment(row["rests_until"]), words=row["words"],
            )
            for row in self._db.rows("SELECT * FROM pace ORDER BY kind, name")
        ]  # fmt: skip

    def keep(self, learned: Sequence[LearnedPace]) -> None:
        """The last word about each."""
        self._db.change_many(
            """INSERT INTO pace (kind, name, rate, width, rests_until, words, at)
               VALUES (:kind, :name, :rate, :width, :rests_until, :words, :at)
               ON CONFLICT (kind, name) DO UPDATE SET rate = excluded.rate, width = excluded.width,
                 rests_until = excluded.rests_until, words = excluded.words, at = excluded.at""",
            [
                {
                    "kind": one.kind, "name": one.name, "rate": one.rate, "width": one.width,
                    "rests_until": micros(one.rests_until), "words": one.words[:500], "at": micros(one.at),
                }
                for one in learned
            ],
        )  # fmt: skip

    def put_aside(self, run: int, letters: Sequence[tuple[DeliveryId, datetime]]) -> None:
        """Claimed letters for which it is too early wait in the ledger instead. Nobody was asked, so no try is counted."""
        self._db.change_many(
            """UPDATE delivery SET state = 'deferred', run = NULL, not_before = ?3
               WHERE id = ?1 AND run = ?2 AND state = 'claimed'""",
            [(one, run, micros(at)) for one, at in letters],
        )

    # --- how far a run is --------------------------------------------------------------------------------------

    def note_progress(self, run: int, *, total: int, done: int, now: datetime) -> None:
        self._db.change(
            "UPDATE run SET total = :total, done = :done, seen_at = :now WHERE id = :run",
            {"run": run, "total": total, "done": done, "now": micros(now)},
        )

    def progress(self, issue_id: IssueId, *, now: datetime) -> RunProgress | None:
        """Of the run that is at work on this issue; None: nobody is."""
        row = self._db.row(
            """SELECT * FROM run WHERE issue = :issue AND ended_at IS NULL AND lease_until > :now AND seen_at IS NOT NULL
               ORDER BY id DESC LIMIT 1""",
            {"issue": issue_id, "now": micros(now)},
        )
        if row is None:
            return None
        seconds = (row["seen_at"] - row["begun_at"]) / 1_000_000
        return RunProgress(total=row["total"], done=row["done"], seconds=max(0.0, seconds))
