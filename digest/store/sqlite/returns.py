"""Letters that came back: one line a delivery, and how an address has fared lately. Nothing is judged here."""

from collections.abc import Collection, Mapping
from datetime import datetime

from digest.model import Address, DeliveryId, IssueId, Returned, SubscriberId, Suspended
from digest.rules.returned import Verdict, finding_of_reply, is_harder
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections


class Returns:
    """`store.returns`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def whose(self, delivery_id: DeliveryId) -> tuple[IssueId, SubscriberId] | None:
        """None when the row is gone, or the person is."""
        row = self._db.row(
            """SELECT issue, subscriber FROM delivery WHERE id = :id AND subscriber IS NOT NULL
               UNION ALL
               SELECT issue, subscriber FROM withdrawn WHERE delivery = :id AND subscriber IS NOT NULL""",
            {"id": delivery_id},
        )
        return None if row is None else (IssueId(row["issue"]), SubscriberId(row["subscriber"]))

    def put(self, one: Returned) -> bool:
        """False when as grave a report about this letter was here already."""
        known: str | None = self._db.value(
            "SELECT max(verdict) FROM returned WHERE delivery = :id", {"id": one.delivery}
        )
        if not is_harder(Verdict(one.verdict), Verdict(known) if known else None):
            return False
        self._db.change(
            """INSERT INTO returned (delivery, issue, verdict, status, words, at)
               SELECT id, issue, :verdict, :status, :words, :at FROM delivery WHERE id = :id
               ON CONFLICT (delivery) DO UPDATE SET verdict = excluded.verdict, status = excluded.status,
                 words = excluded.words, at = excluded.at""",
            {
                "id": one.delivery,
                "verdict": one.verdict,
                "status": one.status,
                "words": one.words,
                "at": micros(one.at),
            },
        )
        return True

    def history(
        self, subscriber_id: SubscriberId, *, since: datetime | None, limit: int,
        without: Collection[IssueId] = (),
    ) -> list[Verdict | None]:  # fmt: skip
        """What became of this reader's last letters since then, one a letter, the newest first; None: it arrived.
        without: issues that do not count.

        Left out is what says nothing of the address: a refusal because of us, a mailbox that was only late.
        """
        rows = self._db.rows(
            """SELECT delivery.state, code, reply, returned.verdict FROM delivery
               JOIN issue ON issue.id = delivery.issue LEFT JOIN returned ON returned.delivery = delivery.id
               WHERE subscriber = :subscriber AND delivery.state IN ('sent', 'failed')
                 AND coalesce(delivery.changed_at, 0) > :since
                 AND delivery.issue NOT IN (SELECT value FROM json_each(:without))
               ORDER BY period DESC LIMIT :limit""",
            {
                "subscriber": subscriber_id,
                "since": micros(since) if since else 0,
                "limit": limit * 2,
                "without": listed(list(without)),
            },
        )
        found: list[Verdict | None] = []
        for row in rows:
            if row["verdict"] is not None:
                verdict = Verdict(row["verdict"])
            elif row["state"] == "failed":
                refusal = finding_of_reply(row["code"] or 0, row["reply"] or "")
                verdict = refusal.verdict if refusal else Verdict.OURS
            else:
                found.append(None)
                continue
            if verdict is not Verdict.OURS:
                found.append(verdict)
        return found[:limit]

    def refused(self, *, issues: int) -> list[SubscriberId]:
        """Readers, still confirmed, to whom a letter of the last issues was refused for good by a mail server."""
        rows = self._db.rows(
            """SELECT DISTINCT delivery.subscriber FROM delivery JOIN subscriber ON subscriber.id = delivery.subscriber
               WHERE delivery.issue IN (SELECT id FROM issue WHERE state IN ('sending', 'paused', 'sent')
                                        ORDER BY period DESC LIMIT :issues)
                 AND delivery.state = 'failed' AND delivery.state IN ('cancelled', 'deferred', 'failed', 'unsure')
                 AND delivery.code >= 500 AND subscriber.state = 'confirmed'
               ORDER BY delivery.subscriber""",
            {"issues": issues},
        )
        return [SubscriberId(row[0]) for row in rows]

    def at_domain(self, issue_id: IssueId, domain: str, *, besides: Collection[str]) -> tuple[int, int]:
        """Letters of an issue to one mail domain: how many came back as dead, of how many. besides: codes left out."""
        row = self._db.row(
            """SELECT count(returned.delivery), count(*) FROM delivery
               JOIN subscriber ON subscriber.id = delivery.subscriber
               LEFT JOIN returned ON returned.delivery = delivery.id AND returned.verdict = 'hard'
                 AND returned.status NOT IN (SELECT value FROM json_each(:besides))
               WHERE delivery.issue = :issue AND delivery.state IN ('sent', 'failed')
                 AND substr(address_key, instr(address_key, '@') + 1) = :domain""",
            {"issue": issue_id, "domain": domain, "besides": listed(list(besides))},
        )
        return (0, 0) if row is None else (row[0], row[1])

    def suspended_by(self, issue_id: IssueId) -> list[SubscriberId]:
        """Readers who are suspended since a letter of this issue came back."""
        rows = self._db.rows(
            """SELECT subscriber.id FROM returned JOIN delivery ON delivery.id = returned.delivery
               JOIN subscriber ON subscriber.id = delivery.subscriber
               WHERE returned.issue = :issue AND subscriber.state = 'suspended' AND returned.at <=
                 (SELECT max(at) FROM consent WHERE subscriber = subscriber.id AND act = 'suspended')""",
            {"issue": issue_id},
        )
        return [SubscriberId(row[0]) for row in rows]

    def suspended(self, *, limit: int = 200) -> list[Suspended]:
        """Whose address fails, the newest first, and what was said of their last letter that did not arrive."""
        rows = self._db.rows(
            """SELECT id, address,
                 (SELECT max(at) FROM consent WHERE subscriber = s.id AND act = 'suspended') AS since,
                 (SELECT coalesce(nullif(r.words, ''), r.status, d.reply) FROM delivery AS d
                  LEFT JOIN returned AS r ON r.delivery = d.id
                  WHERE d.subscriber = s.id AND (d.state = 'failed' OR r.verdict IN ('hard', 'soft'))
                  ORDER BY d.id DESC LIMIT 1) AS words
               FROM subscriber AS s WHERE state = 'suspended' ORDER BY since DESC, id DESC LIMIT :limit""",
            {"limit": limit},
        )
        return [
            Suspended(subscriber=SubscriberId(row["id"]), address=Address(row["address"]),
                      since=moment(row["since"]), words=row["words"] or "")
            for row in rows
        ]  # fmt: skip

    def counts(self, issue_id: IssueId) -> Mapping[Verdict, int]:
        """How many letters of an issue came back, by what they said."""
        rows = self._db.rows(
            "SELECT verdict, count(*) FROM returned WHERE issue = :issue GROUP BY verdict",
            {"issue": issue_id},
        )
        found = {row[0]: row[1] for row in rows}
        return {one: found.get(one.value, 0) for one in Verdict}

    def letters(self, issue_id: IssueId) -> int:
        """How many letters of an issue have left."""
        return int(
            self._db.value(
                "SELECT count(*) FROM delivery WHERE issue = :issue AND state = 'sent'", {"issue": issue_id}
            )
        )
