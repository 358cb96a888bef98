"""Why people left: answers without anybody's name, day or order."""

from digest.model import Farewell, Language
from digest.store.sqlite.connection import Connections


class Farewells:
    """`store.farewells`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def add(self, said: Farewell) -> None:
        self._db.change(
            "INSERT INTO farewell (month, language, reason, words) VALUES (:month, :language, :reason, :words)",
            {
                "month": said.month,
                "language": said.language.value,
                "reason": said.reason,
                "words": said.words,
            },
        )

    def all(self) -> list[Farewell]:
        """By month, in no order within it."""
        rows = self._db.rows("SELECT month, language, reason, words FROM farewell ORDER BY month, lot")
        return [
            Farewell(month=row["month"], language=Language(row["language"]), reason=row["reason"], words=row["words"])
            for row in rows
        ]  # fmt: skip

    def delete_before(self, month: str) -> int:
        """What was said in months before this one goes."""
        return self._db.change("DELETE FROM farewell WHERE month < :month", {"month": month})
