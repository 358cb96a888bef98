"""What editors decided about mail domains, and how many readers each month had. Domains are A-labels, lower case."""

from collections.abc import Mapping
from datetime import datetime

from digest.model import MailDomain
from digest.store.sqlite.columns import micros
from digest.store.sqlite.connection import Connections


class Domains:
    """`store.domains`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def all(self) -> list[MailDomain]:
        """By name."""
        return [
            MailDomain(
                name=row["name"], admitted=bool(row["admitted"]), organisation=row["organisation"],
                jurisdiction=row["jurisdiction"], level=row["level"], by=row["editor"],
            )
            for row in self._db.rows("SELECT * FROM mail_domain ORDER BY name")
        ]  # fmt: skip

    def put(self, domain: MailDomain, *, at: datetime) -> None:
        """The last decision stands."""
        self._db.change(
            """INSERT INTO mail_domain (name, admitted, organisation, jurisdiction, level, at, editor)
               VALUES (:name, :admitted, :organisation, :jurisdiction, :level, :at, :by)
               ON CONFLICT (name) DO UPDATE SET admitted = excluded.admitted, organisation = excluded.organisation,
                 jurisdiction = excluded.jurisdiction, level = excluded.level, at = excluded.at, editor = excluded.editor""",
            {
                "name": domain.name, "admitted": int(domain.admitted), "organisation": domain.organisation,
                "jurisdiction": domain.jurisdiction, "level": domain.level, "at": micros(at), "by": domain.by,
            },
        )  # fmt: skip


class HeadCounts:
    """`store.head_counts`: one picture a month, the last one taken in it. month: `2026-11`; kind: what is counted by."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def keep(self, month: str, *, kind: str, counts: Mapping[str, int]) -> None:
        """Replaces what this month knew of this kind."""
        where = {"month": month, "kind": kind}
        self._db.change("DELETE FROM head_count WHERE month = :month AND kind = :kind", where)
        self._db.change_many(
            "INSERT INTO head_count (month, kind, name, count) VALUES (:month, :kind, :name, :count)",
            [where | {"name": name, "count": count} for name, count in counts.items()],
        )

    def of(self, kind: str) -> dict[str, dict[str, int]]:
        """Month to name to count, oldest month first."""
        found: dict[str, dict[str, int]] = {}
        for row in self._db.rows(
            "SELECT month, name, count FROM head_count WHERE kind = :kind ORDER BY month, name",
            {"kind": kind},
        ):
            found.setdefault(row["month"], {})[row["name"]] = row["count"]
        return found
