"""The month: an issue, what is placed in it, and its frozen editions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from digest.model.community import Community
from digest.model.items import Item, Occasion
from digest.model.letters import PauseReason
from digest.model.names import IssueId, Language, Period, Reading


class IssueState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An item in an issue. section None: on the bench. position counts from 0 within its section; on the bench it is
    any number, which says the order.

    blurb, title: an editor's own words per language, in place of the item's; empty when untouched.
    chosen: an editor put it here, so no re-assembling moves it. arrived_late: it came after the draft was made.
    stated_now: when and where its source says it is, while an approved issue keeps the words it was approved with.
    """

    item: Item
    section: str | None
    position: int
    title: Mapping[str, str] = field(default_factory=dict)
    blurb: Mapping[str, str] = field(default_factory=dict)
    chosen: bool = False
    arrived_late: bool = False
    changed_at_source: bool = False
    stated_now: Occasion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One month. since, until: posts dated in (since, until] were looked at. texts: (field, language) to text.

    community: who reads along, as this issue says it."""

    id: IssueId
    period: Period
    number: int
    state: IssueState
    since: datetime
    until: datetime
    send_at: datetime
    revision: int
    placed: tuple[Placed, ...] = ()
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    approved_at: datetime | None = None
    approved_by: str | None = None
    sending_since: datetime | None = None
    sent_at: datetime | None = None
    pause_reason: PauseReason | None = None
    hash: str | None = None
    community: Community = field(default_factory=Community)

    def section(self, name: str | None) -> tuple[Placed, ...]:
        """What stands in one section (None: the bench), in order."""
        return tuple(sorted((p for p in self.placed if p.section == name), key=lambda p: p.position))

    def text(self, name: str, language: str) -> str:
        return self.texts.get((name, language), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the log of an issue: who did what, with what it takes to undo it. editor: a name, not an id."""

    id: int
    at: datetime
    editor: str
    act: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """What one group of readers gets of an issue, frozen at approval: a language, or both in one letter.

    cut: what of the issue, see rules/cuts.py; "": all of it. zone: readers there see their own hour at events online; "":
    the zones of the whole list in one line.
    letter: the compiled message; sha256 is over html, text, letter.
    view: of a plain edition, what was printed, for the archive (render/frozen.py).
    """

    reading: Reading
    cut: str = ""
    zone: str = ""
    subject: str
    html: str
    text: str
    letter: bytes
    sha256: str
    view: str = ""

    @property
    def language(self) -> Language:
        """That of its subject, its headers and its first half."""
        return self.reading.first

    @property
    def key(self) -> str:
        """Its name among the editions of its issue: `en`, `fr+en`, `en#coming-up`, `en#recap@America/Vancouver`."""
        return f"{self.reading}{'#' if self.cut else ''}{self.cut}{'@' if self.zone else ''}{self.zone}"
