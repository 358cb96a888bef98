"""Calls to the webhook that wait to be made. Queued with the act that they tell of; what was told is kept a month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections

KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. attempts: how often it was tried already."""

    id: int
    kind: str
    payload: str
    attempts: int
    queued_at: datetime


class Calls:
    """`store.calls`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def queue(self, kind: str, *, payload: str, now: datetime) -> None:
        self._db.change(
            "INSERT INTO call (kind, payload, queued_at) VALUES (:kind, :payload, :now)",
            {"kind": kind, "payload": payload, "now": micros(now)},
        )

    def due(self, *, most: int, now: datetime) -> list[Call]:
        """Those whose time has come, oldest first. One process at a time asks: it holds the metronome's lease."""
        rows = self._db.rows(
            """SELECT * FROM call WHERE state = 'queued' AND coalesce(not_before, 0) <= :now ORDER BY id LIMIT :most""",
            {"now": micros(now), "most": most},
        )
        return [
            Call(id=row["id"], kind=row["kind"], payload=row["payload"], attempts=row["attempts"],
                 queued_at=moment(row["queued_at"]))
            for row in rows
        ]  # fmt: skip

    def settle(
        self, call_id: int, *, state: Literal["queued", "sent", "failed"], reply: str, now: datetime,
        not_before: datetime | None = None,
    ) -> None:  # fmt: skip
        """What came of a try. Calls that are settled for a month go at the same time."""
        self._db.change(
            """UPDATE call SET state = :state, reply = :reply, changed_at = :now, not_before = :not_before,
                 attempts = attempts + 1 WHERE id = :id""",
            {
                "id": call_id,
                "state": state,
                "reply": reply[:500],
                "now": micros(now),
                "not_before": micros(not_before),
            },
        )
        self._db.change(
            "DELETE FROM call WHERE state <> 'queued' AND changed_at < :before",
            {"before": micros(now - KEPT)},
        )
