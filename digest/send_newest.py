"""The newest issue for somebody who has just come: the frozen letter that everybody got, with links of their own."""

from datetime import datetime
from typing import Protocol

from digest.model import Edition, IssueId, Notice, SubscriberId
from digest.render.letter import Slots
from digest.render.press import Press
from digest.rules.tokens import Links


class Shelf(Protocol):
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...


class Store(Protocol):
    @property
    def issues(self) -> Shelf: ...


class Newest:
    """A notice of this kind says in its secret which issue, and what its reader reads: `12 fr+en`."""

    def __init__(self, store: Store, press: Press, *, links: Links) -> None:
        self._store, self._press, self._links = store, press, links

    def letter(self, notice: Notice, *, message_id: str, date: datetime) -> bytes | None:
        """None when the issue is there no more, or nobody stands behind the notice. Raises RenderError."""
        number, _, reading = (notice.secret or "").partition(" ")
        if not number.isdigit() or notice.subscriber is None:
            return None
        issue, reader = IssueId(int(number)), SubscriberId(notice.subscriber)
        editions = self._store.issues.editions(issue)
        edition = (
            editions.get(reading)
            or editions.get(notice.language.value)
            or next(iter(editions.values()), None)
        )
        if edition is None:
            return None
        slots = Slots(
            to=notice.address, message_id=message_id, date=date,
            unsubscribe_url=self._links.unsubscribe(reader, version=notice.version, issue=issue),
            preferences_url=self._links.preferences(reader, version=notice.version, issue=issue),
        )  # fmt: skip
        return self._press.compiled(edition).splice(slots)
