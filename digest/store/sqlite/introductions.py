"""What readers say of themselves to the others: kept until they withdraw it, shown once an editor has read it."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from digest.model import (
    Community,
    Edition,
    Introduction,
    IntroductionState,
    IssueId,
    Language,
    Person,
    PulseBrief,
    Share,
    SubscriberId,
)
from digest.rules.taken_back import FLAG
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.traces import Traces

PICTURE = "community"


class Introductions:
    """`store.introductions`, and the picture of the community that drafts show."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def put(self, introduction: Introduction) -> None:
        """One a reader; a new one takes the place of the old and waits for an editor's eyes."""
        self._db.change(
            """INSERT INTO introduction (subscriber, name, who, looks_for, link, language, at)
               VALUES (:subscriber, :name, :who, :looks_for, :link, :language, :at)
               ON CONFLICT (subscriber) DO UPDATE SET name = excluded.name, who = excluded.who,
                 looks_for = excluded.looks_for, link = excluded.link, language = excluded.language, at = excluded.at,
                 state = 'open', settled_at = NULL, settled_by = NULL""",
            {
                "subscriber": introduction.subscriber, "name": introduction.name, "who": introduction.who,
                "looks_for": introduction.looks_for, "link": introduction.link,
                "language": introduction.language.value, "at": micros(introduction.at),
            },
        )  # fmt: skip
        Traces(self._db).left()

    def of(self, subscriber_id: SubscriberId) -> Introduction | None:
        row = self._db.row("SELECT * FROM introduction WHERE subscriber = :id", {"id": subscriber_id})
        return None if row is None else _introduction(row)

    def open(self, *, limit: int = 200) -> list[Introduction]:
        """Those that wait for an editor, oldest first."""
        rows = self._db.rows(
            """SELECT i.* FROM introduction AS i JOIN subscriber AS s ON s.id = i.subscriber
               WHERE i.state = 'open' AND s.state = 'confirmed' ORDER BY i.at, i.subscriber LIMIT :limit""",
            {"limit": limit},
        )
        return [_introduction(row) for row in rows]

    def settle(
        self, subscriber_id: SubscriberId, *, state: str, by: str, at: datetime, seen: datetime
    ) -> bool:
        """shown or declined. False when somebody was faster, or the words are not those that were seen."""
        return (
            self._db.change(
                """UPDATE introduction SET state = :state, settled_at = :at, settled_by = :by
                   WHERE subscriber = :id AND state = 'open' AND at = :seen""",
                {"id": subscriber_id, "state": state, "at": micros(at), "by": by, "seen": micros(seen)},
            )
            == 1
        )

    def newest(self, *, limit: int) -> list[Introduction]:
        """Those that may be shown and stood in no issue yet, the newest first."""
        rows = self._db.rows(
            """SELECT i.* FROM introduction AS i JOIN subscriber AS s ON s.id = i.subscriber
               WHERE i.state = 'shown' AND s.state = 'confirmed' AND i.subscriber NOT IN
                 (SELECT p.value ->> 'subscriber' FROM issue_community AS c, json_each(c.value, '$.people') AS p)
               ORDER BY i.settled_at DESC, i.subscriber DESC LIMIT :limit""",
            {"limit": limit},
        )
        return [_introduction(row) for row in rows]

    def withdraw(self, subscriber_id: SubscriberId) -> None:
        """Gone for good, also from the pages of issues that showed it."""
        if self._db.change("DELETE FROM introduction WHERE subscriber = :id", {"id": subscriber_id}):
            Traces(self._db).left()
        self.take_back(subscriber_id)

    def take_back(self, subscriber_id: SubscriberId) -> None:
        """Out of every issue's page and of the picture for drafts; letters that have left cannot be called back."""
        # Both tables hold the same JSON; a row without this person is not touched.
        for table, where in (("issue_community", "true"), ("setting", f"name = '{PICTURE}'")):
            gone = self._db.change(
                f"""UPDATE {table} SET value = json_set(value, '$.people', (
                      SELECT json_group_array(json(p.value)) FROM json_each({table}.value, '$.people') AS p
                      WHERE p.value ->> 'subscriber' <> :id))
                    WHERE {where} AND EXISTS (SELECT 1 FROM json_each({table}.value, '$.people') AS p
                                              WHERE p.value ->> 'subscriber' = :id)""",
                {"id": subscriber_id},
            )
            if gone:
                Traces(self._db).left()
            if gone and table == "issue_community":
                self._db.change(
                    """INSERT INTO setting (name, value) VALUES (:name, 'yes')
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
                    {"name": FLAG},
                )

    def mend(self, issue_id: IssueId, editions: Sequence[Edition], *, hash: str) -> None:
        """The letters of a sent issue without somebody's words. Raises StoreError for any other issue."""
        self._db.change_many(
            """UPDATE edition SET html = :html, text = :text, letter = :letter, sha256 = :sha256, view = :view
               WHERE issue = :issue AND key = :key""",
            [
                {"issue": issue_id, "key": one.key, "html": one.html, "text": one.text, "letter": one.letter,
                 "sha256": one.sha256, "view": one.view}
                for one in editions
            ],
        )  # fmt: skip
        self._db.change("UPDATE issue SET hash = :hash WHERE id = :id", {"hash": hash, "id": issue_id})
        Traces(self._db).left()

    def keep_picture(self, community: Community) -> None:
        """What drafts show from now on; an issue keeps what it showed when it was approved."""
        self._db.change(
            """INSERT INTO setting (name, value) VALUES (:name, :value)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value""",
            {"name": PICTURE, "value": written(community)},
        )


def written(community: Community) -> str:
    """A picture as JSON."""
    pulse = community.pulse
    shares = None
    if pulse is not None:
        shares = {"total": pulse.total} | {
            name: [[share.name, share.count] for share in getattr(pulse, name)]
            for name in ("levels", "places", "roles")
        }
    people = [
        {"subscriber": one.subscriber, "name": one.name, "who": one.who, "looks_for": one.looks_for,
         "language": one.language.value, "link": one.link}
        for one in community.people
    ]  # fmt: skip
    return json.dumps({"pulse": shares, "people": people}, ensure_ascii=False, separators=(",", ":"))


def read(text: str | None) -> Community:
    """The way back; an issue without a picture has an empty one."""
    if not text:
        return Community()
    held = json.loads(text)
    pulse, people = held["pulse"], held["people"]
    return Community(
        pulse=None if pulse is None else PulseBrief(
            total=pulse["total"],
            **{name: tuple(Share(*pair) for pair in pulse[name]) for name in ("levels", "places", "roles")},
        ),
        people=tuple(
            Person(**one | {"subscriber": SubscriberId(one["subscriber"]), "language": Language(one["language"])})
            for one in people
        ),
    )  # fmt: skip


def _introduction(row: sqlite3.Row) -> Introduction:
    return Introduction(
        subscriber=SubscriberId(row["subscriber"]), name=row["name"], who=row["who"], looks_for=row["looks_for"],
        link=row["link"], language=Language(row["language"]), state=IntroductionState(row["state"]),
        at=moment(row["at"]),
    )  # fmt: skip
