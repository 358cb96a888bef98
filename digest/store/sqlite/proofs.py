"""What preflight is shown: earlier letters, test letters, warnings that were accepted, looks outside. It judges nothing."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from digest.model import IssueId, ItemId, Period
from digest.rules.proof import Acceptance, Look
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections

LOOKS_KEPT = timedelta(days=60)


class Proofs:
    """`store.proofs`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def subjects(self, before: Period, *, issues: int = 12) -> list[tuple[str, str]]:
        """(period, subject) of the issues before this one that were approved, newest first, every language."""
        rows = self._db.rows(
            """SELECT issue.period, edition.subject FROM edition JOIN issue ON issue.id = edition.issue
               WHERE issue.id IN (SELECT id FROM issue WHERE period < :period AND state <> 'draft'
                                  ORDER BY period DESC LIMIT :issues)
               ORDER BY issue.period DESC, edition.key""",
            {"period": str(before), "issues": issues},
        )
        return [(row["period"], row["subject"]) for row in rows]

    def printed(self, issue_id: IssueId, *, since: Period) -> dict[ItemId, str]:
        """Items in the sections of this issue that stood in another approved one since then, or whose address did."""
        rows = self._db.rows(
            # What was printed is the shorter list, so it is made first and once; by address and by number are two joins,
            # since SQLite finds no index for an OR of both.
            """WITH printed AS MATERIALIZED (
                 SELECT theirs.item, item.url, issue.period FROM issue
                 JOIN issue_item AS theirs ON theirs.issue = issue.id AND theirs.section IS NOT NULL
                 JOIN item ON item.id = theirs.item
                 WHERE issue.state <> 'draft' AND issue.id <> :issue AND issue.period >= :since),
               mine AS MATERIALIZED (
                 SELECT issue_item.item, item.url FROM issue_item JOIN item ON item.id = issue_item.item
                 WHERE issue_item.issue = :issue AND issue_item.section IS NOT NULL)
               SELECT item, max(period) AS period FROM (
                 SELECT mine.item, printed.period FROM mine JOIN printed ON printed.item = mine.item
                 UNION ALL
                 SELECT mine.item, printed.period FROM mine JOIN printed ON printed.url = mine.url)
               GROUP BY item""",
            {"issue": issue_id, "since": str(since)},
        )
        return {ItemId(row["item"]): row["period"] for row in rows}

    def tested(self, issue_id: IssueId) -> set[str]:
        """Hashes of the editions of which a test letter left."""
        rows = self._db.rows(
            "SELECT detail FROM edit WHERE issue = :issue AND act = 'test'", {"issue": issue_id}
        )
        return {str(json.loads(row["detail"]).get("sha256", "")) for row in rows}

    def last_audience(self, before: Period) -> int | None:
        """How many letters the newest earlier issue had that left; None when there is none."""
        found: int | None = self._db.value(
            """SELECT (SELECT count(*) FROM delivery WHERE delivery.issue = issue.id AND state <> 'cancelled')
               FROM issue WHERE period < :period AND state IN ('sending', 'paused', 'sent')
               ORDER BY period DESC LIMIT 1""",
            {"period": str(before)},
        )
        return found

    def accept(self, issue_id: IssueId, *, rule: str, word: Acceptance, at: datetime) -> None:
        """The last word on a rule stands."""
        self._db.change(
            """INSERT INTO accepted (issue, rule, mark, why, editor, at) VALUES (:issue, :rule, :mark, :why, :by, :at)
               ON CONFLICT (issue, rule) DO UPDATE SET mark = excluded.mark, why = excluded.why,
                 editor = excluded.editor, at = excluded.at""",
            {
                "issue": issue_id,
                "rule": rule,
                "mark": word.mark,
                "why": word.why,
                "by": word.by,
                "at": micros(at),
            },
        )

    def accepted(self, issue_id: IssueId) -> dict[str, Acceptance]:
        """Rule to the word on it; by: what stands before the @ of an editor, or the command."""
        rows = self._db.rows(
            """SELECT rule, mark, why, coalesce((SELECT substr(address, 1, instr(address, '@') - 1) FROM editor
                 WHERE CAST(id AS TEXT) = accepted.editor), editor) AS editor
               FROM accepted WHERE issue = :issue""",
            {"issue": issue_id},
        )
        return {row["rule"]: Acceptance(by=row["editor"], why=row["why"], mark=row["mark"]) for row in rows}

    def keep_look(self, kind: str, key: str, *, value: str, at: datetime) -> None:
        """Also forgets what was looked at two months before and never again."""
        self._db.change("DELETE FROM look WHERE at < :before", {"before": micros(at - LOOKS_KEPT)})
        self._db.change(
            """INSERT INTO look (kind, key, at, value) VALUES (:kind, :key, :at, :value)
               ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at, value = excluded.value""",
            {"kind": kind, "key": key, "at": micros(at), "value": value},
        )

    def looks(self, kind: str, keys: Collection[str]) -> dict[tuple[str, str], Look]:
        """The last look at each of these, as far as there was one."""
        rows = self._db.rows(
            "SELECT key, at, value FROM look WHERE kind = :kind AND key IN (SELECT value FROM json_each(:keys))",
            {"kind": kind, "keys": listed(list(keys))},
        )
        return {(kind, row["key"]): Look(at=moment(row["at"]), value=row["value"]) for row in rows}
