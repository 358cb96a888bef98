"""What comes in: sources, our visits there, and the posts and events they state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from digest.model.names import ItemId, SourceId

# Names of the two sources that nobody visits, and the words that letters show in their place.
BY_EDITORS, BY_READERS = "Editors", "Suggested by readers"


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
    flags: doubts for the editor, e.g. "undated", "zone-guessed", "member-only", "reply".
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
    revised: datetime | None = None  # when its source wrote this version of an event, if it says so


class Verdict(StrEnum):
    """What is said of two items that are alike."""

    OPEN = "open"
    SAME = "same"
    APART = "apart"


class LeftOutWhy(StrEnum):
    """Why something that an answer holds did not become an entry; `sources.left_<value>` says it to people."""

    NO_START = "no_start"
    TIMES = "times"
    LINES = "lines"
    RULE = "rule"
    RULE_UNREAD = "rule_unread"  # its first date is kept
    LIMIT = "limit"  # there is more than we read; what: how much
    SHAPE = "shape"
    CUT = "cut"  # the answer ends before it does
    BLOCK = "block"  # of a page, whatever it stated
    COUNTED = "counted"  # no fault: it stands there twice, or a later version of it counts


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One such thing. what: its title or its place, as a person finds it. detail: the reason as exactly as we know it."""

    what: str
    why: LeftOutWhy
    detail: str

    def __str__(self) -> str:
        return f"{self.what!r}: {self.detail}"


class Whole(NamedTuple):
    """A UID that a calendar states completely: a date before `until` (None: whenever) that is not among its entries does
    not take place. sequence: the version, as the calendar counts them."""

    uid: str
    until: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """All that one answer of a source holds, and what of it could not be read."""

    title: str | None
    language: str | None
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()
    whole: tuple[Whole, ...] = ()
    pause_s: float | None = None  # how long the source itself asks us to wait before the next visit
    of_events: bool = False  # a feed whose dates are those on which events begin


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
    added: bool = False  # by command or at the desk; config.toml does not name it
    etag: str | None = None
    last_modified: str | None = None
    parser: str | None = None  # version of the reader that understood the last answer
    next_at: datetime | None = None
    fail_count: int = 0
    failing_since: datetime | None = None
    last_visit_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_error_kind: str | None = None
    last_error: str | None = None
    moved_to: str | None = None  # where permanent redirects lead, since when and how often in a row
    moved_since: datetime | None = None
    moved_count: int = 0
    gap_at: datetime | None = None  # a visit found nothing that it knew: posts may be missing
    left_out: int = 0  # entries of the last answer that could not be read; the first of them, and why
    left_out_first: str = ""
    left_out_why: str = ""
    undated: str = ""  # the flag of most posts of its last answer, where that is one of those about dates
    was_kind: str = ""  # what it was before its answers became of another kind, and since when they are
    turned_at: datetime | None = None
    of_events: bool = (
        False  # its feed has held events alone, dated by their beginning: it stays one of events
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMonth:
    """How a source did in one month (`2026-11`, UTC): what it brought, how often we came, what went wrong how often."""

    source: SourceId
    month: str
    items: int = 0
    visits: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


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
    left_out: int = 0  # entries of this answer that could not be read
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


class OnShelf(NamedTuple):
    """An item of the pool without its words. dated: when an event begins; when a post was published, or first seen where
    its source gives no date that can be believed."""

    id: ItemId
    kind: ItemKind
    source: str
    language: str | None
    dated: datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """An item, and the names of other sources that show it under the same identity."""

    item: Item
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two items that are alike, the one seen first first. by: who settled it, an editor's id; "" for digest itself.

    one: the item asked about, or what stands for it meanwhile; asked: the very item. kept: which of the two stands.
    """

    asked: ItemId
    one: Item
    other: Item
    verdict: Verdict
    asked_at: datetime
    settled_at: datetime | None = None
    by: str = ""
    kept: ItemId | None = None
