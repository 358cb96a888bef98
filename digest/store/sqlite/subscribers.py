"""The readers. An address leaves this file only inside the type that hides it. Consent is judged elsewhere."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from digest.errors import NotFound
from digest.model import (
    Address,
    Cadence,
    Language,
    Period,
    Reading,
    Stats,
    Subscriber,
    SubscriberId,
    SubscriberState,
)
from digest.store.sqlite.columns import listed, micros, moment, texts
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.traces import Traces

# What cut_of() of rules/cuts.py says, for many at once: held against it by test.
CUT = """CASE WHEN cadence = 'quarterly' THEN 'recap' WHEN cadence = 'events' THEN 'coming-up' WHEN topics = '[]' THEN ''
           ELSE (SELECT group_concat(value, '+') FROM json_each(topics)) END"""


class Subscribers:
    """`store.subscribers`."""

    def __init__(self, db: Connections) -> None:
        self._db = db
        self._traces = Traces(db)

    def find(self, address: Address) -> Subscriber | None:
        """Whoever reads at this address, however it is spelled."""
        row = self._db.row("SELECT * FROM subscriber WHERE address_key = :key", {"key": address.key})
        return None if row is None else _subscriber(row)

    def get(self, subscriber_id: SubscriberId) -> Subscriber:
        """Raises NotFound, also for people who were forgotten."""
        row = self._db.row("SELECT * FROM subscriber WHERE id = :id", {"id": subscriber_id})
        if row is None:
            raise NotFound(f"There is no reader number {subscriber_id} (any more).")
        return _subscriber(row)

    def add(
        self,
        address: Address,
        *,
        language: Reading | Language,
        state: SubscriberState,
        now: datetime,
        timezone: str | None = None,
        role: str | None = None,
        topics: Sequence[str] = (),
        version: int = 0,
        confirmed_at: datetime | None = None,
        note: str = "",
        sponsor: str | None = None,
    ) -> Subscriber:
        """A new reader, asked at `now`; confirmed then too when that is the state and no other time is given.

        Raises StoreError when somebody reads at this address already: find() first.
        """
        if state is SubscriberState.CONFIRMED and confirmed_at is None:
            confirmed_at = now
        reading = Reading(language)
        # In this order: one person is made once, since sign-up is counted in microseconds.
        subscriber_id = self._db.insert(
            """INSERT INTO subscriber (address, address_key, state, language, timezone, role, topics, version,
                 asked_at, confirmed_at, note, sponsor)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                address.reveal(), address.key, state.value, reading.value, timezone, role, listed(topics),
                version, micros(now), micros(confirmed_at), note, sponsor,
            ),
        )  # fmt: skip
        return Subscriber(
            id=SubscriberId(subscriber_id), address=address, state=state, language=reading,
            timezone=timezone, role=role, topics=tuple(topics), version=version, asked_at=now,
            confirmed_at=confirmed_at, note=note, sponsor=sponsor,
        )  # fmt: skip

    def save(self, subscriber: Subscriber) -> None:
        """All columns. Raises NotFound when the person has been forgotten meanwhile."""
        changed = self._db.change(
            """UPDATE subscriber SET address = :address, address_key = :key, state = :state, language = :language,
                 timezone = :timezone, role = :role, topics = :topics, version = :version, asked_at = :asked_at,
                 confirmed_at = :confirmed_at, left_at = :left_at, cadence = :cadence, paused_until = :paused_until,
                 note = :note, sponsor = :sponsor, new_address = :new_address, declined_at = :declined_at
               WHERE id = :id""",
            _columns(subscriber),
        )
        if not changed:
            raise NotFound(f"There is no reader number {subscriber.id} (any more).")

    def forget(self, subscriber_id: SubscriberId) -> None:
        """Removes the person: what had not left yet is cancelled, notices go, the consent log and the ledger stay
        without a name. Of what they suggested the link, the title and the day stay; an idea is nothing but their words."""
        person = {"id": subscriber_id}
        self._db.change(
            """UPDATE delivery SET state = 'cancelled', run = NULL, not_before = NULL
               WHERE subscriber = :id AND state IN ('queued', 'claimed', 'deferred')""",
            person,
        )
        # A server may repeat the address in its reply.
        self._db.change("UPDATE delivery SET reply = NULL WHERE subscriber = :id", person)
        self._db.change(
            "UPDATE returned SET words = '' WHERE delivery IN (SELECT id FROM delivery WHERE subscriber = :id)",
            person,
        )
        self._db.change("UPDATE consent SET network = NULL WHERE subscriber = :id", person)
        self._db.change("DELETE FROM suggestion WHERE subscriber = :id AND kind = 'idea'", person)
        self._db.change("UPDATE suggestion SET words = '' WHERE subscriber = :id", person)
        self._db.change("DELETE FROM subscriber WHERE id = :id", person)
        self._traces.left()

    def everyone(
        self,
        *,
        states: Collection[SubscriberState] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Subscriber]:
        """A page of readers by id; the next page begins after the last id of this one."""
        rows = self._db.rows(
            """SELECT * FROM subscriber WHERE id > :after
                 AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
               ORDER BY id LIMIT :limit""",
            {
                "after": after,
                "limit": limit,
                "states": None if states is None else listed([state.value for state in states]),
            },
        )
        return [_subscriber(row) for row in rows]

    def waiting(self, *, domain: str | None = None) -> list[Subscriber]:
        """Who stands in the queue, the longest first. domain: as it is written in addresses, case-folded."""
        rows = self._db.rows(
            """SELECT * FROM subscriber WHERE state = 'waiting' AND declined_at IS NULL
                 AND (:domain IS NULL OR substr(address_key, instr(address_key, '@') + 1) = :domain)
               ORDER BY confirmed_at, id""",
            {"domain": domain},
        )
        return [_subscriber(row) for row in rows]

    def count_sponsored(self, sponsor: str, *, since: datetime) -> int:
        """How many came in on this invitation since then."""
        return int(
            self._db.value(
                "SELECT count(*) FROM subscriber WHERE sponsor = :sponsor AND confirmed_at >= :since",
                {"sponsor": sponsor, "since": micros(since)},
            )
        )

    def count_at(self, domain: str) -> int:
        """How many confirmed readers have an address of this mail domain, as it is written in addresses, case-folded."""
        return int(
            self._db.value(
                """SELECT count(*) FROM subscriber WHERE state = 'confirmed'
                     AND substr(address_key, instr(address_key, '@') + 1) = :domain""",
                {"domain": domain},
            )
        )

    def to_remind(self, *, asked_before: datetime, limit: int) -> list[Subscriber]:
        """Those who asked before this time, have not confirmed, and were not reminded."""
        rows = self._db.rows(
            """SELECT * FROM subscriber AS s WHERE state = 'asked' AND asked_at < :before AND NOT EXISTS
                 (SELECT 1 FROM notice WHERE subscriber = s.id AND kind = 'reminder') ORDER BY id LIMIT :limit""",
            {"before": micros(asked_before), "limit": limit},
        )
        return [_subscriber(row) for row in rows]

    def delete_declined(self, before: datetime) -> int:
        """Deletes those whom an editor declined before this time; how many."""
        return self._erased(
            "DELETE FROM subscriber WHERE state = 'waiting' AND declined_at < :before",
            {"before": micros(before)},
        )

    def left_before(self, before: datetime, *, limit: int) -> list[Subscriber]:
        """Those who left before this time."""
        rows = self._db.rows(
            "SELECT * FROM subscriber WHERE state = 'left' AND left_at < :before ORDER BY id LIMIT :limit",
            {"before": micros(before), "limit": limit},
        )
        return [_subscriber(row) for row in rows]

    def delete_stale_asked(self, before: datetime) -> int:
        """Deletes those who asked before this time and never confirmed; how many."""
        stale: dict[str, object] = {"before": micros(before)}
        self._db.change(
            """UPDATE consent SET network = NULL WHERE network IS NOT NULL AND subscriber IN
                 (SELECT id FROM subscriber WHERE state = 'asked' AND asked_at < :before)""",
            stale,
        )
        return self._erased("DELETE FROM subscriber WHERE state = 'asked' AND asked_at < :before", stale)

    def _erased(self, sql: str, values: dict[str, object]) -> int:
        count = self._db.change(sql, values)
        if count:
            self._traces.left()
        return count

    def audience(self, period: Period, *, send_at: datetime, empty: Collection[str] = ()) -> dict[str, int]:
        """How many would get an issue that is approved now, by what they read: confirmed, not pausing then, not waiting for
        a recap, and wanting more than cuts that are `empty` this time."""
        rows = self._db.rows(
            f"""SELECT language, count(*) FROM subscriber WHERE state = 'confirmed' AND coalesce(paused_until, 0) <= :at
                  AND (cadence <> 'quarterly' OR :recap)
                  AND (:empty = '[]' OR {CUT} NOT IN (SELECT value FROM json_each(:empty))) GROUP BY language""",
            {"at": micros(send_at), "recap": int(period.month % 3 == 0), "empty": listed(empty)},
        )
        return {row[0]: row[1] for row in rows}

    def cuts(self, *, recap: bool) -> list[tuple[Reading, str, str]]:
        """Reading, zone and cut of confirmed readers who want less than the whole letter, or the recap; each once."""
        rows = self._db.rows(
            f"""SELECT DISTINCT language, coalesce(timezone, '') AS zone, {CUT} AS cut FROM subscriber
                WHERE state = 'confirmed' AND (cadence <> 'every' OR topics <> '[]')
                  AND (cadence <> 'quarterly' OR :recap)""",
            {"recap": int(recap)},
        )
        return sorted((Reading(row["language"]), row["zone"], row["cut"]) for row in rows)

    def readings(self) -> list[tuple[Reading, str]]:
        """What confirmed readers of the whole letter read beside the plain editions, each once: both languages, or with a
        zone of theirs."""
        rows = self._db.rows(
            """SELECT DISTINCT language, coalesce(timezone, '') FROM subscriber
               WHERE state = 'confirmed' AND (timezone IS NOT NULL OR language IN ('en+fr', 'fr+en'))
                 AND cadence = 'every' AND topics = '[]'"""
        )
        return sorted((Reading(row[0]), row[1]) for row in rows)

    def stats(self) -> Stats:
        """Counts only."""
        with self._db.snapshot():
            by_state = self._counts("SELECT state, count(*) FROM subscriber GROUP BY state")
            return Stats(
                by_state={state: by_state.get(state.value, 0) for state in SubscriberState},
                suppressed=self._db.value("SELECT count(*) FROM suppression"),
                by_language=self._counts(
                    "SELECT language, count(*) FROM subscriber WHERE state = 'confirmed' GROUP BY language ORDER BY language"
                ),
                by_role=self._counts(
                    """SELECT role, count(*) FROM subscriber WHERE state = 'confirmed' AND role IS NOT NULL
                       GROUP BY role ORDER BY role"""
                ),
                by_domain=self._counts(
                    # An address we accept holds one @: quoted local parts are refused.
                    """SELECT substr(address_key, instr(address_key, '@') + 1) AS domain, count(*) FROM subscriber
                       WHERE state = 'confirmed' GROUP BY domain ORDER BY domain"""
                ),
            )

    def _counts(self, sql: str) -> dict[str, int]:
        return {row[0]: row[1] for row in self._db.rows(sql)}


def _columns(subscriber: Subscriber) -> dict[str, object]:
    return {
        "id": subscriber.id,
        "address": subscriber.address.reveal(),
        "key": subscriber.address.key,
        "state": subscriber.state.value,
        "language": subscriber.language.value,
        "timezone": subscriber.timezone,
        "role": subscriber.role,
        "topics": listed(subscriber.topics),
        "version": subscriber.version,
        "asked_at": micros(subscriber.asked_at),
        "confirmed_at": micros(subscriber.confirmed_at),
        "left_at": micros(subscriber.left_at),
        "cadence": subscriber.cadence.value,
        "paused_until": micros(subscriber.paused_until),
        "note": subscriber.note,
        "sponsor": subscriber.sponsor,
        "new_address": subscriber.new_address.reveal() if subscriber.new_address else None,
        "declined_at": micros(subscriber.declined_at),
    }


def _subscriber(row: sqlite3.Row) -> Subscriber:
    return Subscriber(
        id=SubscriberId(row["id"]),
        address=Address(row["address"]),
        state=SubscriberState(row["state"]),
        language=Reading(row["language"]),
        timezone=row["timezone"],
        role=row["role"],
        topics=texts(row["topics"]),
        version=row["version"],
        asked_at=moment(row["asked_at"]),
        confirmed_at=moment(row["confirmed_at"]),
        left_at=moment(row["left_at"]),
        cadence=Cadence(row["cadence"]),
        paused_until=moment(row["paused_until"]),
        note=row["note"],
        sponsor=row["sponsor"],
        new_address=Address(row["new_address"]) if row["new_address"] else None,
        declined_at=moment(row["declined_at"]),
    )
