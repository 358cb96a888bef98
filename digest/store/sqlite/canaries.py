"""The first letters of an issue, which go ahead of the rest: which they are, and how far that has come."""

import math
from datetime import datetime

from digest.model import Canary, CanaryStage, Delivery, DeliveryState, IssueId
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.deliveries import Deliveries

_SPREAD = 2_654_435_761  # mixes ids well (Knuth): so many per cent of all, whenever they joined


class Canaries:
    """`store.canaries`."""

    def __init__(self, db: Connections, deliveries: Deliveries) -> None:
        self._db, self._deliveries = db, deliveries

    def get(self, issue_id: IssueId) -> Canary | None:
        """None: this issue has no first letters."""
        row = self._db.row("SELECT * FROM canary WHERE issue = :issue", {"issue": issue_id})
        if row is None:
            return None
        counted = self._db.rows(
            """SELECT state, count(*) AS n FROM canary_letter AS c JOIN delivery AS d ON d.id = c.delivery
               WHERE c.issue = :issue GROUP BY state""",
            {"issue": issue_id},
        )
        counts = {DeliveryState(one["state"]): int(one["n"]) for one in counted}
        return Canary(stage=CanaryStage(row["stage"]), since=moment(row["since"]), counts=counts)

    def begin(self, issue_id: IssueId, *, percent: float, now: datetime) -> int:
        """Chooses them among what waits: editors who are readers, and so many per cent of the others; how many."""
        about = {"issue": issue_id, "now": micros(now)}
        self._db.change("INSERT INTO canary (issue, stage, since) VALUES (:issue, 'first', :now)", about)
        chosen = self._db.change(
            """INSERT INTO canary_letter (issue, delivery)
               SELECT d.issue, d.id FROM delivery AS d JOIN subscriber AS s ON s.id = d.subscriber
               JOIN editor AS e ON e.address_key = s.address_key WHERE d.issue = :issue AND d.state = 'queued'""",
            {"issue": issue_id},
        )
        if percent:
            waiting: int = self._db.value(
                "SELECT count(*) FROM delivery WHERE issue = :issue AND state = 'queued'", {"issue": issue_id}
            )
            chosen += self._db.change(
                f"""INSERT INTO canary_letter (issue, delivery)
                    SELECT issue, id FROM delivery WHERE issue = :issue AND state = 'queued'
                    ORDER BY (id * {_SPREAD}) % 4294967296 LIMIT :most
                    ON CONFLICT (issue, delivery) DO NOTHING""",
                {"issue": issue_id, "most": max(1, math.ceil(waiting * percent / 100))},
            )
        return chosen

    def company(self) -> tuple[int, int]:
        """How many editors are readers, and how many editors can stop an issue."""
        readers: int = self._db.value(
            """SELECT count(*) FROM editor AS e JOIN subscriber AS s ON s.address_key = e.address_key
               WHERE s.state = 'confirmed'"""
        )
        approvers: int = self._db.value("SELECT count(*) FROM editor WHERE role IN ('approver', 'admin')")
        return readers, approvers

    def move(self, issue_id: IssueId, *, to: CanaryStage, now: datetime) -> None:
        self._db.change(
            "UPDATE canary SET stage = :to, since = :now WHERE issue = :issue AND stage <> :to",
            {"issue": issue_id, "to": to.value, "now": micros(now)},
        )

    def claim(self, run: int, *, count: int, now: datetime) -> list[Delivery]:
        """As deliveries.claim, of these letters alone."""
        return self._deliveries.claim(run, count=count, now=now, first_only=True)
