"""Subscribers, their consents, and the editors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.names import Address, EditorId, Language, SubscriberId


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
