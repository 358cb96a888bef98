"""The ledger: one row a reader and issue. Every step is a compare-and-set on the state.

What may be on its way is touched by nobody but its run; what is in doubt is never sent again by itself.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from digest.errors import MoveRefused
from digest.model import (
    Address,
    Delivery,
    DeliveryId,
    DeliveryState,
    IssueId,
    Kept,
    Language,
    Outcome,
    SubscriberId,
)
from digest.store.sqlite.columns import listed, mapped, micros, moment, pairs
from digest.store.sqlite.subscribers import CUT
from digest.store.sqlite.withdrawn import Withdrawn

_REPLY_LENGTH = 500
# since, unpaused: only who confirmed after that instant and pauses no more at the other; greeted with the issue alone counts too
LIST_READERS = f"""INSERT INTO delivery (issue, subscriber, edition, changed_at)
  WITH made AS (SELECT value AS key FROM json_each(:editions)), wanted AS (
    SELECT id, language, substr(language, 1, 2) AS first, iif(cut = '', '', '#' || cut) AS cut,
      coalesce('@' || json_extract(:zones, '$."' || timezone || '"'), '') AS zone
    FROM (SELECT *, {CUT} AS cut FROM subscriber) WHERE state = 'confirmed' AND coalesce(confirmed_at, 0) > coalesce(:since, -1)
      AND coalesce(paused_until, 0) <= coalesce(:unpaused, (SELECT send_at FROM issue WHERE id = :issue))
      AND (cadence <> 'quarterly'
        OR (SELECT substr(period, 6) FROM issue WHERE id = :issue) IN ('03', '06', '09', '12'))
      AND cut NOT IN (SELECT value FROM json_each(:empty)))
  SELECT :issue, id, CASE
      WHEN language || cut || zone IN made THEN language || cut || zone
      WHEN language || cut IN made THEN language || cut
      WHEN first || cut || zone IN made THEN first || cut || zone
      WHEN first || cut IN made THEN first || cut
      WHEN :first || cut IN made THEN :first || cut
      WHEN language || zone IN made THEN language || zone
      WHEN language IN made THEN language
      WHEN first IN made THEN first
      ELSE :first END, :now
  FROM wanted WHERE id NOT IN (
    SELECT subscriber FROM notice WHERE :since IS NOT NULL AND kind = 'newest' AND state <> 'failed'
      AND CAST(secret AS INTEGER) = :issue AND subscriber IS NOT NULL)
  ORDER BY id
  ON CONFLICT (issue, subscriber) DO NOTHING"""
_COLUMNS = """d.id, d.issue, coalesce(d.subscriber, 0), coalesce(s.version, 0), coalesce(s.address, ''), d.edition,
  d.attempts, coalesce(d.code, 0), coalesce(d.reply, '')"""  # in the order of Delivery
_ODD = (DeliveryState.CANCELLED, DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNSURE)


class Deliveries(Withdrawn):
    """`store.deliveries`."""

    # --- listing -----------------------------------------------------------------------------------------------

    def list_audience(
        self, issue_id: IssueId, *, languages: Sequence[Language], now: datetime, editions: Collection[str] = (),
        zones: Mapping[str, str] | None = None, empty: Collection[str] = (),
    ) -> int:  # fmt: skip
        """Lists every confirmed reader whose choices include this issue, once; how many were added.

        editions: keys of those made beside the plain ones of `languages`. zones: a reader's zone to that of its group.
        Who wants what was not made gets the nearest that was: without the zone, in the first language, the whole.

        Left out are who pauses, who waits for a recap (March, June, September, December), and who wants nothing but a cut
        that is empty this time.
        """
        return self._db.change(
            LIST_READERS,
            {
                "issue": issue_id, "editions": listed([*languages, *editions]), "zones": mapped(zones or {}),
                "first": languages[0].value, "now": micros(now), "empty": listed(list(empty)),
                "since": None, "unpaused": None,
            },
        )  # fmt: skip

    def drop(self, issue_id: IssueId) -> None:
        """Gives the list up, and who was to be first. Raises MoveRefused once anything was taken in hand, or has left: then
        it must be paused, not undone."""
        touched = self._db.row(
            "SELECT 1 FROM delivery WHERE issue = :issue AND state NOT IN ('queued', 'deferred', 'cancelled') LIMIT 1",
            {"issue": issue_id},
        )
        if touched is not None:
            raise MoveRefused(
                "Letters of this issue are on their way;"
                " it can be paused, at the desk or by Ctrl+C where it is sent, but not be a draft again.",
                key="desk.why_sending",
            )
        self._db.change("DELETE FROM canary_letter WHERE issue = :issue", {"issue": issue_id})
        self._db.change("DELETE FROM canary WHERE issue = :issue", {"issue": issue_id})
        self._db.change("DELETE FROM delivery WHERE issue = :issue", {"issue": issue_id})

    def counts(self, issue_id: IssueId) -> dict[DeliveryState, int]:
        """How many are in each of the eight states."""
        rows = self._db.rows(
            "SELECT state, count(*) AS n FROM delivery WHERE issue = :issue GROUP BY state",
            {"issue": issue_id},
        )
        found = {row["state"]: row["n"] for row in rows}
        return {state: found.get(state.value, 0) for state in DeliveryState}

    def by_domain(self, issue_id: IssueId) -> dict[str, dict[DeliveryState, int]]:
        """How many are in each state by mail domain; of people who were forgotten since, under ""."""
        rows = self._db.rows(
            """SELECT coalesce(substr(subscriber.address_key, instr(subscriber.address_key, '@') + 1), '') AS domain,
                 delivery.state, count(*) AS n
               FROM delivery LEFT JOIN subscriber ON subscriber.id = delivery.subscriber
               WHERE issue = :issue GROUP BY 1, 2""",
            {"issue": issue_id},
        )
        found: dict[str, dict[DeliveryState, int]] = {}
        for row in rows:
            found.setdefault(row["domain"], {})[DeliveryState(row["state"])] = row["n"]
        return found

    def next_due(self, issue_id: IssueId) -> datetime | None:
        """When the first deferred letter may be tried again."""
        not_before: int | None = self._db.value(
            "SELECT min(not_before) FROM delivery WHERE issue = :issue AND state = 'deferred'",
            {"issue": issue_id},
        )
        return moment(not_before)

    def listed(self, issue_id: IssueId, state: DeliveryState, *, limit: int) -> list[Delivery]:
        """Rows in one state with the server's last answer, by id. A reader since forgotten is number 0 and has an
        empty address."""
        # Said once more as a constant, for the index that holds these few alone among a million.
        is_odd = "AND d.state IN ('cancelled', 'deferred', 'failed', 'unsure')" if state in _ODD else ""
        rows = self._db.rows(
            f"""SELECT {_COLUMNS}
               FROM delivery AS d LEFT JOIN subscriber AS s ON s.id = d.subscriber
               WHERE d.issue = :issue AND d.state = :state {is_odd} ORDER BY d.id LIMIT :limit""",
            {"issue": issue_id, "state": state.value, "limit": limit},
        )
        return [_delivery(row) for row in rows]

    # --- sending -----------------------------------------------------------------------------------------------

    def claim(self, run: int, *, count: int, now: datetime, first_only: bool = False) -> list[Delivery]:
        """Reserves up to `count` letters for this run: queued ones, then deferred ones whose time has come, by id.

        Readers who are not confirmed any more are cancelled on the way. [] means: nothing can be sent now, or the
        lease of the run is over. Losing a claim costs nothing, so it need not be durable. first_only: of those alone
        that go ahead of the rest.
        """
        issue: int | None = self._db.value(
            "SELECT issue FROM run WHERE id = :run AND ended_at IS NULL AND lease_until > :now",
            {"run": run, "now": micros(now)},
        )
        while issue is not None:
            rows = (self._first if first_only else self._candidates)(issue, count=count, now=now)
            ours = [_delivery(row) for row in rows if row["confirmed"]]
            self._take(run, [one.id for one in ours], now=now)
            if len(ours) < len(rows):
                self._cancel_rows([row["id"] for row in rows if not row["confirmed"]], now=now)
            # A block of nothing but leavers is no end: look on.
            if ours or not rows:
                return ours
        return []

    def commit(
        self,
        run: int,
        *,
        outcomes: Sequence[Outcome],
        intents: Sequence[tuple[DeliveryId, int]],
        now: datetime,
    ) -> set[DeliveryId]:
        """One turn of a sender, inside write(durable=True): what was answered, then what comes next.

        intents: (delivery, number of its connection). Returns those that may have their final dot: still claimed by
        this run, whose lease holds, for a reader who is still confirmed. Raises StoreError when a connection would
        own two letters in doubt.
        """
        if outcomes:
            self._settle(run, outcomes, now=now)
        if not intents:
            return set()
        passed = self._db.changed(
            """UPDATE delivery SET state = 'committing', connection = j.connection, changed_at = :now
               FROM (SELECT value ->> 0 AS id, value ->> 1 AS connection FROM json_each(:pairs)) AS j
               WHERE delivery.id = j.id AND delivery.run = :run AND delivery.state = 'claimed'
                 AND EXISTS (SELECT 1 FROM subscriber AS s WHERE s.id = delivery.subscriber AND s.state = 'confirmed')
                 AND EXISTS (SELECT 1 FROM run WHERE run.id = :run AND run.ended_at IS NULL AND run.lease_until > :now)
               RETURNING delivery.id""",
            {"pairs": pairs(intents), "run": run, "now": micros(now)},
        )
        return {DeliveryId(row[0]) for row in passed}

    def release(self, run: int) -> int:
        """Gives back what was claimed and not begun; how many."""
        return self._db.change(
            """UPDATE delivery SET state = 'queued', run = NULL
               WHERE issue = (SELECT issue FROM run WHERE id = :run) AND state = 'claimed' AND run = :run""",
            {"run": run},
        )

    # --- what people decide ------------------------------------------------------------------------------------

    def cancel(self, subscriber_id: SubscriberId) -> None:
        """Stops every letter to this reader that has no final dot yet."""
        self._db.change(
            """UPDATE delivery SET state = 'cancelled', not_before = NULL
               WHERE subscriber = :subscriber AND state IN ('queued', 'claimed', 'deferred')""",
            {"subscriber": subscriber_id},
        )

    def resume(self, subscriber_id: SubscriberId) -> None:
        """The way back, as long as the issue has not gone out."""
        self._db.change(
            """UPDATE delivery SET state = 'queued', run = NULL, connection = NULL
               WHERE subscriber = :subscriber AND state = 'cancelled'
                 AND issue IN (SELECT id FROM issue WHERE state IN ('approved', 'scheduled', 'sending', 'paused'))""",
            {"subscriber": subscriber_id},
        )

    def of(self, subscriber_id: SubscriberId) -> list[Kept]:
        """One reader's letters, by month; a newcomer's, sent alone, among them as long as that is remembered."""
        rows = self._db.rows(
            """SELECT period, delivery.state, changed_at, verdict, words FROM delivery
                 JOIN issue ON issue.id = delivery.issue LEFT JOIN returned ON returned.delivery = delivery.id
               WHERE subscriber = :subscriber
               UNION ALL
               SELECT period, withdrawn.state, withdrawn.at, NULL, NULL FROM withdrawn
                 JOIN issue ON issue.id = withdrawn.issue WHERE subscriber = :subscriber
               UNION ALL
               SELECT period, notice.state, changed_at, NULL, NULL FROM notice
                 JOIN issue ON issue.id = CAST(notice.secret AS INTEGER)
               WHERE subscriber = :subscriber AND kind = 'newest'
               ORDER BY period, changed_at""",
            {"subscriber": subscriber_id},
        )
        return [
            Kept(issue=row["period"], state=DeliveryState(row["state"]), at=moment(row["changed_at"]),
                 came_back=f"{row['verdict']}: {row['words']}".strip(": ") if row["verdict"] else "")
            for row in rows
        ]  # fmt: skip

    def newest_unread(self, subscriber_id: SubscriberId) -> IssueId | None:
        """The newest issue that left or is leaving, unless this reader has it or is to get it, with the others or alone;
        None when there is none."""
        number: int | None = self._db.value(
            """SELECT max(id) FROM (SELECT id FROM issue WHERE state IN ('sending', 'paused', 'sent')
                                    ORDER BY period DESC LIMIT 1) AS newest
               WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE issue = newest.id AND subscriber = :subscriber
                                   AND state NOT IN ('cancelled', 'failed'))
                 AND NOT EXISTS (SELECT 1 FROM notice WHERE subscriber = :subscriber AND kind = 'newest'
                                   AND state <> 'failed' AND CAST(secret AS INTEGER) = newest.id)""",
            {"subscriber": subscriber_id},
        )
        return None if number is None else IssueId(number)

    def reader_of(self, issue_id: IssueId, delivery_id: DeliveryId) -> SubscriberId | None:
        """Whose letter this is; None when the row is gone, or the person is."""
        number: int | None = self._db.value(
            """SELECT max(subscriber) FROM (SELECT subscriber FROM delivery WHERE id = :id AND issue = :issue
                 UNION ALL SELECT subscriber FROM withdrawn WHERE delivery = :id AND issue = :issue)""",
            {"id": delivery_id, "issue": issue_id},
        )
        return None if number is None else SubscriberId(number)

    def is_doubtful(self, issue_id: IssueId, subscriber_id: SubscriberId) -> bool:
        found = self._db.row(
            "SELECT 1 FROM delivery WHERE issue = :issue AND subscriber = :subscriber AND state = 'unsure'",
            {"issue": issue_id, "subscriber": subscriber_id},
        )
        return found is not None

    def arrived(self, issue_id: IssueId, subscriber_id: SubscriberId) -> None:
        """A link of this letter was used, so it arrived: ends a doubt."""
        self._db.change(
            """UPDATE delivery SET state = 'sent', reply = 'arrived: its link was used'
               WHERE issue = :issue AND subscriber = :subscriber AND state = 'unsure'""",
            {"issue": issue_id, "subscriber": subscriber_id},
        )

    def settle(
        self,
        delivery_id: DeliveryId,
        *,
        state: DeliveryState,
        note: str,
    ) -> bool:
        """An editor ends a doubt: sent, or queued to be sent again. False when there is no doubt (any more).

        Raises ValueError for any other state.
        """
        if state not in (DeliveryState.SENT, DeliveryState.QUEUED):
            raise ValueError(f"a doubt ends as sent or queued, not as {state}")
        return (
            self._db.change(
                """UPDATE delivery SET state = :state, reply = :note, run = NULL, connection = NULL
               WHERE id = :id AND state = 'unsure'""",
                {"id": delivery_id, "state": state.value, "note": note[:_REPLY_LENGTH]},
            )
            == 1
        )

    # --- steps -------------------------------------------------------------------------------------------------

    def _candidates(self, issue: int, *, count: int, now: datetime) -> list[sqlite3.Row]:
        # Each half walks its own index from the start and stops at the limit; what was claimed has left the index.
        return self._db.rows(
            f"""SELECT {_COLUMNS}, s.state IS 'confirmed' AS confirmed
               FROM (SELECT * FROM (SELECT id FROM delivery WHERE issue = :issue AND state = 'queued'
                                    ORDER BY id LIMIT :count)
                     UNION ALL
                     SELECT * FROM (SELECT id FROM delivery
                                    WHERE issue = :issue AND state = 'deferred' AND coalesce(not_before, 0) <= :now
                                    ORDER BY not_before, id LIMIT :count)
                     LIMIT :count) AS next
               JOIN delivery AS d ON d.id = next.id LEFT JOIN subscriber AS s ON s.id = d.subscriber""",
            {"issue": issue, "count": count, "now": micros(now)},
        )

    def _first(self, issue: int, *, count: int, now: datetime) -> list[sqlite3.Row]:
        return self._db.rows(
            f"""SELECT {_COLUMNS}, s.state IS 'confirmed' AS confirmed
               FROM canary_letter AS c JOIN delivery AS d ON d.id = c.delivery
               LEFT JOIN subscriber AS s ON s.id = d.subscriber
               WHERE c.issue = :issue AND (d.state = 'queued'
                 OR (d.state = 'deferred' AND coalesce(d.not_before, 0) <= :now))
               ORDER BY d.id LIMIT :count""",
            {"issue": issue, "count": count, "now": micros(now)},
        )

    def _take(self, run: int, ids: Sequence[int], *, now: datetime) -> None:
        self._db.change(
            """UPDATE delivery SET state = 'claimed', run = :run, connection = NULL, not_before = NULL, changed_at = :now
               WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN ('queued', 'deferred')""",
            {"ids": listed(ids), "run": run, "now": micros(now)},
        )

    def _cancel_rows(self, ids: Sequence[int], *, now: datetime) -> None:
        self._db.change_many(
            """UPDATE delivery SET state = 'cancelled', not_before = NULL, changed_at = :now
               WHERE id = :id AND state IN ('queued', 'deferred')""",
            [{"id": one, "now": micros(now)} for one in ids],
        )

    def _settle(self, run: int, outcomes: Sequence[Outcome], *, now: datetime) -> None:
        # Before the dot only a refusal or nothing can have happened; after it, anything. A row that was given up as
        # unsure takes a late definite answer of the same run. What was cancelled or taken over meanwhile stays.
        # Numbered, not named: a tuple a row costs a third of a mapping, and this is done for every letter.
        at = micros(now)
        taken = [one for one in outcomes if one.state is DeliveryState.SENT]
        if taken:  # nearly all: the same, with less to be asked of each row
            self._db.change_many(
                """UPDATE delivery SET state = 'sent', code = ?2, reply = ?3, not_before = NULL,
                     attempts = attempts + (state = 'committing'), changed_at = ?5
                   WHERE id = ?1 AND run = ?4 AND state IN ('committing', 'unsure')""",
                [(one.delivery, one.code, one.reply[:_REPLY_LENGTH], run, at) for one in taken],
            )
        if len(taken) == len(outcomes):
            return
        self._db.change_many(
            """UPDATE delivery SET state = ?2, code = ?3, reply = ?4, not_before = ?5,
                 attempts = attempts + (?2 <> 'queued' AND state <> 'unsure'), changed_at = ?7,
                 run = iif(?2 IN ('queued', 'deferred'), NULL, run)
               WHERE id = ?1 AND run = ?6 AND (state = 'committing'
                 OR (state = 'claimed' AND ?2 IN ('queued', 'deferred', 'failed'))
                 OR (state = 'unsure' AND ?2 IN ('sent', 'deferred', 'failed')))""",
            [
                (
                    one.delivery, one.state.value, one.code, one.reply[:_REPLY_LENGTH],
                    None if one.not_before is None else micros(one.not_before), run, at,
                )
                for one in outcomes
                if one.state is not DeliveryState.SENT
            ],
        )  # fmt: skip


def _delivery(row: sqlite3.Row) -> Delivery:
    number, issue, reader, version, address, edition, attempts, code, reply, *_ = row
    return Delivery(number, issue, reader, version, Address(address), edition, attempts, code, reply)
