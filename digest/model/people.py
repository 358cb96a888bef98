"""Subscribers, their consents, and the editors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from digest.model.names import (
    Address,
    EditorId,
    Language,
    PasskeyId,
    Reading,
    SubscriberId,
    SuggestionId,
)


class SubscriberState(StrEnum):
    """guide: readers, "The life of a subscriber". Forgotten people have no row."""

    ASKED = "asked"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    SUSPENDED = "suspended"
    LEFT = "left"


class Cadence(StrEnum):
    """How often somebody wants to hear from us. QUARTERLY: a recap with the issues of March, June, September and December.
    EVENTS: every issue that has events, and nothing but these."""

    EVERY = "every"
    QUARTERLY = "quarterly"
    EVENTS = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """version: raised when old links must die (asked anew after leaving, change of address); it is inside every token.

    note: who they say they are, for the editor who lets them in. sponsor: who invited them, `reader:12` or `editor:3`.
    new_address: asked for, not yet proven. paused_until: no letter before that moment. declined_at: an editor said no.
    """

    id: SubscriberId
    address: Address
    state: SubscriberState
    language: Reading
    timezone: str | None = None
    role: str | None = None
    topics: tuple[str, ...] = ()
    version: int = 0
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    cadence: Cadence = Cadence.EVERY
    paused_until: datetime | None = None
    note: str = ""
    sponsor: str | None = None
    new_address: Address | None = None
    declined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One line of the consent log. Never changed, never deleted while the person is known.

    act: asked, confirmed, waits, admitted, declined, suspended, left, imported, added, chose, moved, introduced, withdrew,
    forgotten. basis: express or implied.
    wording: what they read when they agreed, version: its hash's first twelve characters; page: where;
    method: form, code, link, one-click, mail, reply, complaint, bounce, command, import, desk, undo.
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
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDomain:
    """A mail domain as A-labels, with whose it is. admitted: its people come in by themselves.

    level: federal, provincial, territorial, municipal, or other. jurisdiction: federal, or the province or territory.
    """

    name: str
    admitted: bool
    organisation: str = ""
    jurisdiction: str = ""
    level: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of readers. by_state has all five states; the three others count confirmed readers only."""

    by_state: Mapping[SubscriberState, int]
    suppressed: int
    by_language: Mapping[str, int]
    by_role: Mapping[str, int]
    by_domain: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """Why somebody left, as they said: nobody knows who. month: `2026-11`; words: one line, of a stranger, or ""."""

    month: str
    reason: str
    language: Language
    words: str = ""


class SuggestionKind(StrEnum):
    POST = "post"
    EVENT = "event"
    IDEA = "idea"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What somebody would like to see in the letter. subscriber: the reader who is thanked when it is used, if any.

    author, found_title, found_language: as the page behind the link says; fault: why it could not be read, a sort of
    ErrorKind. is_looked_up: it was visited.

    title, words, place: one line each, of a stranger. starts: UTC, of an event; timezone: where it takes place.
    """

    id: SuggestionId
    kind: SuggestionKind
    title: str
    language: Language
    at: datetime
    url: str | None = None
    words: str = ""
    starts: datetime | None = None
    timezone: str | None = None
    place: str = ""
    subscriber: SubscriberId | None = None
    author: str = ""
    found_title: str = ""
    found_language: str | None = None
    fault: str = ""
    is_looked_up: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A device's second way to the desk. credential: what the device calls it; handle: what it calls its editor.

    sign_count: how often the device said it had signed; some say 0 for ever.
    """

    id: PasskeyId
    editor: EditorId
    credential: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    handle: bytes = field(repr=False)
    sign_count: int
    name: str
    added_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that sits at the desk. mark: names it to its editor and opens nothing. way: link or passkey."""

    mark: str
    way: str
    begun_at: datetime
    ends_at: datetime
