"""Who reads along, as an issue may say it: counts that name nobody, and people who introduced themselves."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from digest.model.names import Language, SubscriberId


@dataclass(frozen=True, slots=True)
class Share:
    """name: a key, `federal` or `design`, to be put into words. count: never one that is hidden."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseBrief:
    """How many readers there are. levels, places, roles: those that can be told, the largest first; the rest is hidden
    so that no sum gives a small group away. places: `ontario`, or `federal`."""

    total: int
    levels: tuple[Share, ...] = ()
    places: tuple[Share, ...] = ()
    roles: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A reader who says hello. who, looks_for: a sentence each, in `language`. link: a web address or `mailto:`."""

    subscriber: SubscriberId
    name: str
    who: str
    looks_for: str
    language: Language
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """pulse: None while there are too few readers to count. people: the newest first."""

    pulse: PulseBrief | None = None
    people: tuple[Person, ...] = ()


class IntroductionState(StrEnum):
    """open: no editor has read it. shown: it may stand in an issue. declined: it may not."""

    OPEN = "open"
    SHOWN = "shown"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What one reader says of themselves, as they typed it at `at`. One a reader."""

    subscriber: SubscriberId
    name: str
    who: str
    looks_for: str
    language: Language
    at: datetime
    link: str | None = None
    state: IntroductionState = IntroductionState.OPEN
