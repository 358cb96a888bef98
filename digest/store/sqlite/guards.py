"""How often somebody has knocked, and which codes wait. Keys are keyed hashes: nobody is named here."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from digest.model import SubscriberId
from digest.store.sqlite.columns import moment
from digest.store.sqlite.connection import Connections


class Guards:
    """`store.guards`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def count(self, knocks: Mapping[int, int]) -> dict[int, int]:
        """Counts one more of each knock in the hour that stands with it; how many there were of it in that hour, this one
        included."""
        values: list[int] = []
        for knock in knocks.items():
            values += knock
        return {row[0]: row[1] for row in self._db.changed(_counting(len(knocks)), values)}

    def uncount(self, knock: int, *, hour: int) -> None:
        """Takes back one knock."""
        self._db.change(
            "UPDATE knock SET count = count - 1 WHERE id = :knock AND hour = :hour",
            {"knock": knock, "hour": hour},
        )

    def try_code(self, subscriber: SubscriberId) -> tuple[str, int, datetime] | None:
        """Counts one try at the newest code, the only one that is worth something: its mark, the tries so far, and when it
        was made. None when there is no code."""
        rows = self._db.changed(
            """UPDATE notice SET code_tries = code_tries + 1 WHERE id =
                 (SELECT max(id) FROM notice WHERE subscriber = :subscriber AND code_mark IS NOT NULL)
               RETURNING code_mark, code_tries, queued_at""",
            {"subscriber": subscriber},
        )
        return (rows[0]["code_mark"], rows[0]["code_tries"], moment(rows[0]["queued_at"])) if rows else None

    def tidy(self, *, hour: int) -> None:
        """Drops counts of hours gone by."""
        self._db.change("DELETE FROM knock WHERE hour < :hour", {"hour": hour})


@lru_cache(maxsize=4)
def _counting(knocks: int) -> str:
    """Knock and hour of each; a new hour begins at one. Plain places: json_each() took longer than the counting."""
    places = ", ".join(["(?, ?, 1)"] * knocks)
    return f"""INSERT INTO knock (id, hour, count) VALUES {places} ON CONFLICT (id) DO UPDATE
               SET count = iif(hour = excluded.hour, count + 1, 1), hour = excluded.hour RETURNING id, count"""
