"""Ids, languages, addresses, months: the small nouns that all others are made of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

SourceId = NewType("SourceId", int)
ItemId = NewType("ItemId", int)
IssueId = NewType("IssueId", int)
SubscriberId = NewType("SubscriberId", int)
DeliveryId = NewType("DeliveryId", int)
EditorId = NewType("EditorId", int)
PasskeyId = NewType("PasskeyId", int)
NoticeId = NewType("NoticeId", int)
SuggestionId = NewType("SuggestionId", int)


class Language(StrEnum):
    """A language in which we speak to people. Items may be in any language; ours are two."""

    EN = "en"
    FR = "fr"


class Reading(StrEnum):
    """What somebody reads: one language, or both in one letter, the first one on top."""

    EN = "en"
    FR = "fr"
    EN_FR = "en+fr"
    FR_EN = "fr+en"

    @property
    def languages(self) -> tuple[Language, ...]:
        """Top to bottom."""
        return tuple(Language(code) for code in self.value.split("+"))

    @property
    def first(self) -> Language:
        """The language in which we speak to them otherwise: pages, notices, From."""
        return Language.FR if self.startswith(Language.FR) else Language.EN

    @property
    def is_both(self) -> bool:
        return "+" in self.value


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
        """Raises ValueError unless the text is YYYY-MM with a month from 01 to 12 and a year from 1970 to 2999."""
        year, dash, month = text.partition("-")
        if not (dash and len(year) == 4 and len(month) == 2 and year.isascii() and (year + month).isdigit()):
            raise ValueError(f"{text!r} is not a month: write it as 2026-11")
        if not (1 <= int(month) <= 12 and 1970 <= int(year) <= 2999):
            raise ValueError(f"{text!r} is not a month: write it as 2026-11")
        return cls(int(year), int(month))

    def next(self) -> "Period":
        return Period(self.year + self.month // 12, self.month % 12 + 1)

    def previous(self) -> "Period":
        return Period(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
