"""What the web page of an issue says it had wrong. Only ever added to; the letter itself stays as it left."""

from datetime import datetime

from digest.model import IssueId, Language
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections


class Corrections:
    """`store.corrections`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def add(self, issue_id: IssueId, *, language: Language, words: str, editor: str, at: datetime) -> None:
        self._db.change(
            """INSERT INTO correction (issue, language, at, editor, words)
               VALUES (:issue, :language, :at, :editor, :words)""",
            {
                "issue": issue_id,
                "language": language.value,
                "at": micros(at),
                "editor": editor,
                "words": words,
            },
        )

    def of(self, issue_id: IssueId, language: Language) -> list[tuple[datetime, str]]:
        """Newest first."""
        rows = self._db.rows(
            "SELECT at, words FROM correction WHERE issue = :issue AND language = :language ORDER BY id DESC",
            {"issue": issue_id, "language": language.value},
        )
        return [(moment(row["at"]), row["words"]) for row in rows]
