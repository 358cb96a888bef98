"""The consent log, which only grows, and the marks of addresses that nobody may bring back. No address stands here."""

import hashlib
import sqlite3
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

from digest.model import Consent, Language, SubscriberId
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections


class Consents:
    """`store.consents`. Lines outlive the person, without a name."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def log(self, subscriber_id: SubscriberId | None, consent: Consent) -> None:
        """Adds a line. The wording's hash is kept with it, so that versions of a wording can be counted."""
        self._db.change(
            """INSERT INTO consent (subscriber, at, act, language, method, page, wording, wording_sha256, basis, origin,
                 network)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                subscriber_id, micros(consent.at), consent.act, consent.language.value, consent.method, consent.page,
                consent.wording, _sha256(consent.wording), consent.basis, consent.origin, consent.network,
            ),
        )  # fmt: skip

    def of(self, subscriber_id: SubscriberId) -> list[Consent]:
        """One person's lines, oldest first."""
        rows = self._db.rows(
            "SELECT * FROM consent WHERE subscriber = :subscriber ORDER BY at, id",
            {"subscriber": subscriber_id},
        )
        return [_consent(row) for row in rows]

    def of_all(self, subscriber_ids: Collection[SubscriberId]) -> dict[SubscriberId, list[Consent]]:
        """The same for many at once; who has no line is not in it."""
        rows = self._db.rows(
            """SELECT consent.* FROM json_each(:ids) AS j CROSS JOIN consent ON consent.subscriber = j.value
               ORDER BY consent.subscriber, consent.at, consent.id""",
            {"ids": listed(subscriber_ids)},
        )
        found: dict[SubscriberId, list[Consent]] = {}
        for row in rows:
            found.setdefault(row["subscriber"], []).append(_consent(row))
        return found

    def forget_networks(self, before: datetime) -> int:
        """Network addresses older than this go; the rest of the proof stays."""
        return self._db.change(
            "UPDATE consent SET network = NULL WHERE network IS NOT NULL AND at < :before",
            {"before": micros(before)},
        )


def _consent(row: sqlite3.Row) -> Consent:
    return Consent(
        act=row["act"],
        at=moment(row["at"]),
        language=Language(row["language"]),
        method=row["method"],
        page=row["page"],
        wording=row["wording"],
        basis=row["basis"],
        origin=row["origin"],
        network=row["network"],
        version=row["wording_sha256"][:12] if row["wording"] else "",
    )


@lru_cache(maxsize=16)
def _sha256(wording: str) -> str:
    return hashlib.sha256(wording.encode()).hexdigest()


class Suppressions:
    """`store.suppressions`: keyed hashes."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def add(self, mark: str, *, reason: str, at: datetime) -> None:
        """A mark that stands already keeps its first reason."""
        self._db.change(
            "INSERT INTO suppression (mark, reason, at) VALUES (:mark, :reason, :at) ON CONFLICT (mark) DO NOTHING",
            {"mark": mark, "reason": reason, "at": micros(at)},
        )

    def has(self, mark: str) -> bool:
        return self._db.row("SELECT 1 FROM suppression WHERE mark = :mark", {"mark": mark}) is not None

    def remove(self, mark: str) -> None:
        """The person has come back by themselves."""
        self._db.change("DELETE FROM suppression WHERE mark = :mark", {"mark": mark})

    def count(self) -> int:
        return int(self._db.value("SELECT count(*) FROM suppression"))
