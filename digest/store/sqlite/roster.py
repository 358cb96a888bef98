"""Many readers at once, for a list brought from elsewhere: one statement a block, never one a person. Nothing is judged here."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from itertools import chain

from digest.errors import StoreError
from digest.model import NoticeKind, SubscriberId, SubscriberState
from digest.rules.roster_block import People
from digest.rules.roster_json import Details
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.consents import Consents

_AT_ONCE = 1_000
_ROOM_KIB = 16_000
_LOG_PAGES = 60_000


class Rosters:
    """`store.roster`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    @contextmanager
    def at_length(self) -> Iterator[None]:
        """Much is about to be written all over the index of addresses, by this thread: room to hold its pages, and a long
        log, since each block touches the same pages again. Copied home at the end, so that nobody else pays for it.

        States and cadences come from enums here; to look each of them up in the lists of CHECK was a third of all inserting
        (measured). What a statement of many rows would need to undo itself alone stays in memory, some hundred pages: as a
        file it was a third of all writing (measured)."""
        cache = self._db.value("PRAGMA cache_size")
        with self._db.write():  # the connection is now set for writes like those to come
            pass
        log = self._db.value("PRAGMA wal_autocheckpoint")
        self._db.rows(f"PRAGMA cache_size = -{_ROOM_KIB}")
        self._db.rows(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        self._db.rows("PRAGMA ignore_check_constraints = ON")
        self._db.rows("PRAGMA temp_store = MEMORY")
        try:
            yield
        finally:
            self._db.rows("PRAGMA temp_store = DEFAULT")
            self._db.rows("PRAGMA ignore_check_constraints = OFF")
            self._db.rows(f"PRAGMA cache_size = {int(cache)}")
            self._db.rows(f"PRAGMA wal_autocheckpoint = {int(log)}")
            with suppress(StoreError):  # what is in the log is safe there too
                self._db.rows("PRAGMA wal_checkpoint(PASSIVE)")

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

    def suppress(self, marks: Collection[str], *, reason: str, now: datetime) -> None:
        """A mark that stands already keeps its first reason."""
        self._db.change(
            """INSERT INTO suppression (mark, reason, at) SELECT value, :reason, :at FROM json_each(:marks) WHERE true
               ON CONFLICT (mark) DO NOTHING""",
            {"marks": listed(marks), "reason": reason, "at": micros(now)},
        )

    def known(self, keys: Collection[str]) -> dict[str, SubscriberState]:
        """The states of those who read at one of these addresses, by key."""
        rows = self._db.rows(
            "SELECT address_key, state FROM subscriber WHERE address_key IN (SELECT value FROM json_each(:keys))",
            {"keys": listed(keys)},
        )
        return {row["address_key"]: SubscriberState(row["state"]) for row in rows}

    def bring(
        self, people: People, *, state: SubscriberState, basis: str, origin: str, now: datetime
    ) -> list[str]:
        """Adds who is not there yet, with a line in the consent log, and for those who are asked with a letter.

        The keys of those who were not added, since somebody reads at their address already. Keys must differ; in their
        order neighbours share the pages of the index.
        """
        # Ids are given out by us, so that they are known without a look-up; the write lock keeps others away.
        last = self._db.value("SELECT seq FROM sqlite_sequence WHERE name = 'subscriber'") or 0
        first, count = int(last) + 1, len(people.keys)
        span = {"first": first, "end": first + count, "at": micros(now)}
        added = 0
        for start in range(0, count, _AT_ONCE):
            part = people.part(start, start + _AT_ONCE)
            added += self._insert(part, first + start, state=state, at=micros(now))
        self._log(people.networks, {**span, "basis": basis, "origin": origin})
        if state is not SubscriberState.CONFIRMED:
            self._db.change(
                """INSERT INTO notice (kind, subscriber, language, queued_at)
                   SELECT :kind, id, substr(language, 1, 2), :at FROM subscriber WHERE id >= :first AND id < :end""",
                {"kind": NoticeKind.CONFIRM.value, **span},
            )
        if added == count:  # the rule; no need to look who was there
            return []
        there = self._added(span)
        return [key for n, key in enumerate(people.keys, first) if n not in there]

    def carry(self, details: Mapping[str, Details]) -> None:
        """Gives people, by key, what they had chosen and their consent log of another place."""
        log = Consents(self._db).log
        for key, one in details.items():
            [row] = self._db.changed(
                """UPDATE subscriber SET timezone = :timezone, role = :role, topics = :topics, cadence = :cadence,
                     paused_until = :paused, note = :note WHERE address_key = :key RETURNING id""",
                {
                    "key": key, "timezone": one.timezone, "role": one.role, "topics": listed(one.topics),
                    "cadence": one.cadence.value, "paused": micros(one.paused_until), "note": one.note,
                },
            )  # fmt: skip
            for line in one.consents:
                log(SubscriberId(row["id"]), line)

    def _log(self, networks: Sequence[str | None], fixed: Mapping[str, object]) -> None:
        """One line each; where networks are known they ride along, in the order of the ids."""
        beside = "json_each(:networks) AS j CROSS JOIN subscriber ON subscriber.id = :first + j.key"
        has_networks = any(networks)
        self._db.change(
            f"""INSERT INTO consent (subscriber, at, act, language, method, page, wording, wording_sha256, basis, origin,
                 network)
               SELECT subscriber.id, :at, 'imported', substr(language, 1, 2), 'import', '', '', '', :basis,
                 iif(asked_at < :at, :origin || ', there since ' || date(asked_at / 1000000, 'unixepoch'), :origin),
                 {"j.value" if has_networks else "NULL"}
               FROM {beside if has_networks else "subscriber"} WHERE subscriber.id >= :first AND subscriber.id < :end""",
            {**fixed, "networks": listed(networks)} if has_networks else fixed,
        )

    def _insert(self, people: People, first: int, *, state: SubscriberState, at: int) -> int:
        """A thousand rows a statement: three times faster than one, since AUTOINCREMENT counts per statement."""
        count = len(people.keys)
        asked, confirmed = [at] * count, list[int | None]([None] * count)
        if state is SubscriberState.CONFIRMED:
            asked = [at if one is None else one for one in people.since]
            confirmed = [*asked]
        # Else asked by us, now: what was elsewhere and long ago must not end their seven days.
        ids = range(first, first + count)
        rows = zip(ids, people.addresses, people.keys, people.languages, asked, confirmed, strict=True)
        return self._db.change(_insertion(count, state), tuple(chain.from_iterable(rows)))

    def _added(self, span: Mapping[str, int]) -> set[int]:
        rows = self._db.rows("SELECT id FROM subscriber WHERE id >= :first AND id < :end", span)
        return {row["id"] for row in rows}


@lru_cache(maxsize=4)
def _insertion(count: int, state: SubscriberState) -> str:
    """Of each: id, address, key, language, asked_at, confirmed_at. Places without a number: SQLite looks a numbered one
    up among all the others, ten thousand times ten thousand."""
    places = ", ".join([f"(?, ?, ?, '{state.value}', ?, ?, ?)"] * count)
    return f"""INSERT INTO subscriber (id, address, address_key, state, language, asked_at, confirmed_at)
               VALUES {places} ON CONFLICT (address_key) DO NOTHING"""
