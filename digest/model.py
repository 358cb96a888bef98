"""The nouns. Values only: no clock, no I/O, and nothing of ours is imported.

Times are aware datetimes in UTC unless a field says otherwise. Durations carry their unit in the name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

SourceId = NewType("SourceId", int)
ItemId = NewType("ItemId", int)
IssueId = NewType("IssueId", int)
SubscriberId = NewType("SubscriberId", int)
DeliveryId = NewType("DeliveryId", int)
EditorId = NewType("EditorId", int)
NoticeId = NewType("NoticeId", int)


class Language(StrEnum):
    """A language in which we speak to people. Items may be in any language; ours are two."""

    EN = "en"
    FR = "fr"


class Address:
    """One e-mail address. It never shows itself: `repr` and `str` are redacted, `reveal()` is the one way out.

    Equality and hash use the case-folded form, since two spellings of one mailbox are one person.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The address as typed, domain folded: for envelopes, To headers and the person's own export."""
        return self._text

    @property
    def key(self) -> str:
        """The form under which it is unique in the store."""
        return self._text.casefold()

    @property
    def masked(self) -> str:
        """For a page that a stranger may see: `a•••@example.org`."""
        local, _, domain = self._text.rpartition("@")
        return f"{local[:1]}•••@{domain}"

    def __repr__(self) -> str:
        return "Address(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The month of an issue; written `2026-11`."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Raises ValueError unless the text is YYYY-MM with a month from 01 to 12."""
        year, dash, month = text.partition("-")
        if not (dash and len(year) == 4 and len(month) == 2 and year.isascii() and (year + month).isdigit()):
            raise ValueError(f"{text!r} is not a month: write it as 2026-11")
        if not 1 <= int(month) <= 12:
            raise ValueError(f"{text!r} is not a month: write it as 2026-11")
        return cls(int(year), int(month))

    def next(self) -> "Period":
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> "Period":
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


# --- what comes in ---------------------------------------------------------------------------------------------


class ItemKind(StrEnum):
    POST = "post"
    EVENT = "event"


class EventStatus(StrEnum):
    """schema.org EventStatusType and iCalendar STATUS, in one vocabulary."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    RESCHEDULED = "rescheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and where an event takes place (RFC 5545 VEVENT, schema.org Event).

    starts, ends: UTC; an all-day event starts at midnight in `timezone`, and `ends` is exclusive. timezone: IANA name.
    online: how to join (a URL) or "" when it is online and no link is known; None when nobody says so.
    """

    starts: datetime
    ends: datetime | None = None
    timezone: str = "UTC"
    all_day: bool = False
    place: str | None = None
    online: str | None = None
    status: EventStatus = EventStatus.CONFIRMED
    uid: str | None = None
    sequence: int = 0
    recurs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A post or event as one source states it: cleaned and dated, not yet judged new or known.

    keys: identities, strongest first: "medium:<id>", "guid:<…>", "uid:<…>", "link:<cleaned url>", "hash:<…>".
    summary: plain text. html: sanitised. content_hash: of what a reader would notice, hex sha256.
    flags: doubts for the editor, e.g. "date-guessed", "zone-guessed", "member-only", "reply".
    """

    kind: ItemKind
    keys: tuple[str, ...]
    title: str
    url: str | None
    language: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None
    summary: str = ""
    html: str = ""
    is_full: bool = True
    minutes: int | None = None
    tags: tuple[str, ...] = ()
    occasion: Occasion | None = None
    flags: tuple[str, ...] = ()
    content_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """All that one answer of a source holds. left_out: entries that could not be read, with the reason."""

    title: str | None
    language: str | None
    entries: tuple[Entry, ...]
    left_out: tuple[str, ...] = ()
    pause_s: float | None = None   # how long the source itself asks us to wait before the next visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where posts and events come from, and what we remember of our visits there."""

    id: SourceId
    name: str
    url: str
    kind: str
    section: str | None = None
    language: str | None = None
    timezone: str | None = None
    paused: bool = False
    etag: str | None = None
    last_modified: str | None = None
    parser: str | None = None          # version of the reader that understood the last answer
    next_at: datetime | None = None
    fail_count: int = 0
    failing_since: datetime | None = None
    last_visit_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_error_kind: str | None = None
    last_error: str | None = None


class VisitOutcome(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit to one source; the row of `digest collect --json`. at: when, once the store has logged it."""

    source: Source
    outcome: VisitOutcome
    new: int = 0
    updated: int = 0
    seconds: float = 0.0
    error_kind: str | None = None
    error: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A post or event in the pool. source: name of the source it was first seen at; also_in: the others."""

    id: ItemId
    kind: ItemKind
    title: str
    url: str | None
    source: str
    also_in: tuple[str, ...] = ()
    section: str | None = None
    language: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    first_seen: datetime
    author: str | None = None
    summary: str = ""
    html: str = ""
    minutes: int | None = None
    tags: tuple[str, ...] = ()
    occasion: Occasion | None = None
    flags: tuple[str, ...] = ()
    content_hash: str = ""


# --- the month -------------------------------------------------------------------------------------------------


class IssueState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An item in an issue. section None: on the bench. position counts from 0 within its section.

    blurb, title: an editor's own words per language, in place of the item's; empty when untouched.
    chosen: an editor put it here, so no re-assembling moves it. arrived_late: it came after the draft was made.
    """

    item: Item
    section: str | None
    position: int
    title: Mapping[str, str] = field(default_factory=dict)
    blurb: Mapping[str, str] = field(default_factory=dict)
    chosen: bool = False
    arrived_late: bool = False
    changed_at_source: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One month. since, until: posts dated in (since, until] were looked at. texts: (field, language) to text."""

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
    pause_reason: str | None = None
    hash: str | None = None

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
    """One language of an issue, frozen at approval. letter: the compiled message; sha256 is over html, text, letter."""

    language: Language
    subject: str
    html: str
    text: str
    letter: bytes
    sha256: str


# --- the people ------------------------------------------------------------------------------------------------


class SubscriberState(StrEnum):
    """guide: readers, "The life of a subscriber". Forgotten people have no row."""

    ASKED = "asked"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """version: raised when old links must die (asked anew after leaving, change of address); it is inside every token."""

    id: SubscriberId
    address: Address
    state: SubscriberState
    language: Language
    timezone: str | None = None
    role: str | None = None
    topics: tuple[str, ...] = ()
    version: int = 0
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One line of the consent log. Never changed, never deleted while the person is known.

    act: asked, confirmed, left, imported, added, chose, forgotten. basis: express or implied.
    wording: what they read when they agreed; page: where; method: form, link, one-click, command, import.
    """

    act: str
    at: datetime
    language: Language
    method: str
    page: str = ""
    wording: str = ""
    basis: str = "express"
    origin: str = ""
    network: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of readers. by_state has all five states; the three others count confirmed readers only."""

    by_state: Mapping[SubscriberState, int]
    suppressed: int
    by_language: Mapping[str, int]
    by_role: Mapping[str, int]
    by_domain: Mapping[str, int]


class Role(StrEnum):
    CONTRIBUTOR = "contributor"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    id: EditorId
    address: Address
    role: Role
    language: Language = Language.EN


# --- the way out -----------------------------------------------------------------------------------------------


class DeliveryState(StrEnum):
    """guide: sending, "The ledger"."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    COMMITTING = "committing"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One letter for one reader, claimed by a run. code, reply: the last answer of the mail server, when it is listed."""

    id: DeliveryId
    issue: IssueId
    subscriber: SubscriberId
    version: int
    address: Address
    language: Language
    attempts: int = 0
    code: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one delivery. state: sent, deferred, failed, unsure, or queued (nothing happened; try again).

    code: SMTP reply code or 0; reply: the server's words, at most 500 characters, without the address.
    """

    delivery: DeliveryId
    state: DeliveryState
    code: int = 0
    reply: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Message bytes with their envelope. data: CRLF line ends, not dot-stuffed. sender: the envelope's MAIL FROM."""

    delivery: DeliveryId
    sender: str
    recipient: Address
    data: bytes


class NoticeKind(StrEnum):
    """One-off letters; each has its templates in templates/mail/."""

    CONFIRM = "confirm"
    SIGN_IN = "sign-in"
    MANAGE = "manage"
    WELCOME = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A one-off letter waiting to leave: queued in the transaction of the act that needs it.

    about: the subscriber or editor it goes to, by id; the address is looked up when it leaves.
    secret: what only this letter may carry (a sign-in token), removed once it has left.
    """

    id: NoticeId
    kind: NoticeKind
    address: Address
    language: Language
    subscriber: SubscriberId | None = None
    version: int = 0
    editor: EditorId | None = None
    secret: str | None = None
    attempts: int = 0
    queued_at: datetime | None = None
