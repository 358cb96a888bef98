"""Many readers at once, for a list brought from elsewhere: one statement a block, never one a person. Nothing is judged here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from digest.model import Language, NoticeKind, SubscriberState
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections

# address, key, language, since (or None), network (or None)
Row = tuple[str, str, Language, datetime | None, str | None]
_AT_ONCE = 100


class Rosters:
    """`store.roster`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def suppressed(self, marks: Collection[str]) -> set[str]:
        """Those of the marks that stand in the suppression list."""
        rows = self._db.rows(
            "SELECT mark FROM suppression WHERE mark IN (SELECT value FROM json_each(:marks))",
            {"marks": listed(marks)},
        )
        return {row["mark"] for row in rows}

    def marks(self) -> Iterator[tuple[str, str, datetime]]:
        """The whole suppression list: mark, reason, when."""
        after = ""
        while rows := self._db.rows(
            "SELECT mark, reason, at FROM suppression WHERE mark > :after ORDER BY mark LIMIT 1000",
            {"after": after},
        ):
            yield from ((row["mark"], row["reason"], moment(row["at"])) for row in rows)
            after = rows[-1]["mark"]

    def bring(
        self, rows: Sequence[Row], *, state: SubscriberState, basis: str, origin: str, now: datetime
    ) -> list[bool]:
        """Adds who is not there yet, with a line in the consent log, and for those who are asked with a letter.

        For each row whether it was added: False when somebody reads at this address already. Keys must differ.
        """
        # Ids are given out by us, so that they are known without a look-up; the write lock keeps others away.
        last = self._db.value("SELECT seq FROM sqlite_sequence WHERE name = 'subscriber'") or 0
        first, is_in = int(last) + 1, state is SubscriberState.CONFIRMED
        fixed = {"at": micros(now), "state": state.value, "is_in": is_in}
        added = 0
        for start in range(0, len(rows), _AT_ONCE):
            added += self._insert(rows[start : start + _AT_ONCE], first + start, fixed)
        span = {"first": first, "end": first + len(rows)}
        self._db.change(
            """INSERT INTO consent (subscriber, at, act, language, method, page, wording, wording_sha256, basis, origin)
               SELECT id, :at, 'imported', language, 'import', '', '', '', :basis,
                 iif(asked_at < :at, :origin || ', there since ' || date(asked_at / 1000000, 'unixepoch'), :origin)
               FROM subscriber WHERE id >= :first AND id < :end""",
            {"at": micros(now), "basis": basis, "origin": origin, **span},
        )
        self._db.change_many(
            "UPDATE consent SET network = :network WHERE subscriber = :id AND act = 'imported'",
            [{"id": first + n, "network": row[4]} for n, row in enumerate(rows) if row[4] is not None],
        )
        if not is_in:
            self._db.change(
                """INSERT INTO notice (kind, subscriber, language, queued_at)
                   SELECT :kind, id, language, :at FROM subscriber WHERE id >= :first AND id < :end""",
                {"kind": NoticeKind.CONFIRM.value, "at": micros(now), **span},
            )
        if added == len(rows):  # the rule; no need to look who was there
            return [True] * added
        there = self._added(span)
        return [first + n in there for n in range(len(rows))]

    def _insert(self, rows: Sequence[Row], first: int, fixed: Mapping[str, object]) -> int:
        """A hundred rows a statement: three times faster than one, since AUTOINCREMENT counts per statement."""
        at, state, is_in = fixed["at"], fixed["state"], fixed["is_in"]
        values: list[object] = []
        for n, (address, key, language, at_first, _) in enumerate(rows, first):
            since = at if at_first is None else micros(at_first)
            values += (n, address, key, state, language, since, since if is_in else None)
        return self._db.change(
            f"""INSERT INTO subscriber (id, address, address_key, state, language, asked_at, confirmed_at)
                VALUES {", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))} ON CONFLICT (address_key) DO NOTHING""",
            values,
        )

    def _added(self, span: Mapping[str, int]) -> set[int]:
        rows = self._db.rows("SELECT id FROM subscriber WHERE id >= :first AND id < :end", span)
        return {row["id"] for row in rows}
