"""The newest issue for somebody who has just come: the frozen letter that everybody got, with links of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from digest.model import Edition, IssueId, Notice, Reading, SubscriberId
from digest.render.frozen import read
from digest.render.letter import Slots
from digest.render.press import Press
from digest.rules.tokens import Links


class Shelf(Protocol):
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...


class Store(Protocol):
    @property
    def issues(self) -> Shelf: ...


class Newest:
    """home: the list's web address. Such a notice says in its secret which issue, and what its reader reads: `12 fr+en`."""

    def __init__(self, store: Store, press: Press, *, links: Links, home: str) -> None:
        self._store, self._press, self._links, self._home = store, press, links, home

    def letter(self, notice: Notice, *, message_id: str, date: datetime) -> bytes | None:
        """None when the issue is there no more, or nobody stands behind the notice. Raises RenderError."""
        number, _, reading = (notice.secret or "").partition(" ")
        if not number.isdigit() or notice.subscriber is None:
            return None
        issue, reader = IssueId(int(number)), SubscriberId(notice.subscriber)
        editions = self._store.issues.editions(issue)
        edition = (
            editions.get(reading)
            or self._joined(editions, reading)
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

    def _joined(self, editions: Mapping[str, Edition], reading: str) -> Edition | None:
        """Both languages in one letter, of what was frozen of each: nobody may have read them so when it was approved."""
        if reading not in {Reading.EN_FR, Reading.FR_EN}:
            return None
        halves = [editions.get(language.value) for language in Reading(reading).languages]
        texts = [half.view for half in halves if half is not None and half.view]
        if len(texts) < len(halves):
            return None
        try:
            views = [read(text, home=self._home) for text in texts]
        except (ValueError, KeyError, TypeError):
            return None  # frozen by another release: what was frozen of one language goes out
        return self._press.of_views(views, Reading(reading))
