"""What goes out: deliveries of an issue with their outcomes, and one-off notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from digest.model.names import Address, DeliveryId, EditorId, IssueId, Language, NoticeId, SubscriberId


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


# Delivery, Outcome and Letter are made for each of a million letters: tuples cost half of what frozen dataclasses do.
class Delivery(NamedTuple):
    """One letter for one reader, claimed by a run. edition: key of an Edition.

    code, reply: the last answer of the mail server, when it is listed."""

    id: DeliveryId
    issue: IssueId
    subscriber: SubscriberId
    version: int
    address: Address
    edition: str
    attempts: int = 0
    code: int = 0
    reply: str = ""


@dataclass(frozen=True, slots=True)
class PauseReason:
    """Why sending paused. code: which sentence of digest/words/sending; facts: what stands in it."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


class Outcome(NamedTuple):
    """What became of one delivery. state: sent, deferred, failed, unsure, or queued (nothing happened; try again).

    code: SMTP reply code or 0; reply: the server's words, at most 500 characters, without the address.
    """

    delivery: DeliveryId
    state: DeliveryState
    code: int = 0
    reply: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What we keep of one letter to a reader, for that reader. issue: its month; at: when the state was reached;
    came_back: what was reported of it later, or ""."""

    issue: str
    state: DeliveryState
    at: datetime | None
    came_back: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What came back of a letter that had left. verdict: complaint, hard, soft or ours; status: the code that decided;
    words: of the other mail server, without addresses."""

    delivery: DeliveryId
    verdict: str
    at: datetime
    status: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """A reader whose address fails, with what the other mail server said last, without addresses."""

    subscriber: SubscriberId
    address: Address
    since: datetime | None
    words: str


class Letter(NamedTuple):
    """Message bytes with their envelope. pieces: in their order, CRLF line ends, not dot-stuffed; those that all letters
    of an issue share are shared, so that a hundred letters in hand weigh little. sender: the envelope's MAIL FROM.

    proven: its maker has shown that all is ASCII, that no line begins with a dot and that CR and LF stand only
    together, so that nobody need look again at each of a million copies of one letter.
    """

    delivery: DeliveryId
    sender: str
    recipient: Address
    pieces: Sequence[bytes]
    proven: bool = False

    @property
    def data(self) -> bytes:
        """The whole message."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedPace:
    """What a run has learned about a relay or a mail domain. rate: letters a second; width: at once; 0: no limit.

    rests_until: it is left alone until then; words: its own, when it last pushed back or refused us.
    """

    kind: str
    name: str
    rate: float
    width: int
    at: datetime
    rests_until: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How far a run is after so many seconds. total: letters that could be sent when it began."""

    total: int
    done: int
    seconds: float

    @property
    def rate(self) -> float:
        """Letters a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """At this rate; None: too early to say."""
        return (self.total - self.done) / self.rate if self.done and self.seconds >= 1 else None


class CanaryStage(StrEnum):
    """Of an issue whose first letters go ahead."""

    FIRST = "first"  # only those are sent
    WAITING = "waiting"  # they have left; the rest waits for a word or an hour
    REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """How the first letters of an issue fare. since: when this stage began. counts: of those letters alone."""

    stage: CanaryStage
    since: datetime
    counts: Mapping[DeliveryState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        """Letters that are still to be tried for the first time, or on their way."""
        states = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING)
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def in_trouble(self) -> int:
        """Letters that did not arrive as they should."""
        states = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.UNSURE)
        return sum(self.counts.get(state, 0) for state in states)


class NoticeKind(StrEnum):
    """One-off letters; each has its templates in templates/mail/, but NEWEST, which is an issue as everybody got it."""

    CONFIRM = "confirm"
    SIGN_IN = "sign-in"
    INVITED = "invited"  # to the desk, by an administrator
    MANAGE = "manage"
    WELCOME = "welcome"
    DECLINED = "declined"
    NEW_ADDRESS = "new-address"
    BREAKER = "breaker"
    DRAFT_READY = "draft-ready"
    DUE_SOON = "due-soon"
    DUE_TOMORROW = "due-tomorrow"
    DUE_TODAY = "due-today"
    SOURCES_SILENT = "sources-silent"
    EVENT_MOVED = "event-moved"
    SENDING_HELD = "sending-held"
    NOT_SENT = "not-sent"
    LEAVING = "leaving"
    DOMAIN_REFUSES = "domain-refuses"
    REFUSED_FOR_US = "refused-for-us"
    MANY_RETURN = "many-return"
    THANKS = "thanks"
    REMINDER = "reminder"
    PASSKEY_ADDED = "passkey-added"
    NEWEST = "newest"
    ADDRESS_MOVED = (
        "address-moved"  # to the address that was left, which its secret holds until it has gone there
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A one-off letter waiting to leave: queued in the transaction of the act that needs it.

    about: the subscriber or editor it goes to, by id; the address is looked up when it leaves.
    secret: what only this letter may carry (a sign-in token, a code, which issue), removed once it has left.
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
