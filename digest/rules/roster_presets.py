"""How other programs write down their readers: whose file it is, by its header, and what each column says. Pure.

Header rows and traps: guide, readers, "Import and export". A column that we do not know is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from digest.rules.roster_status import Column, Standing, columns_of

ADDRESS_COLUMNS = (
    "email", "email address", "e-mail", "e-mail address", "email_address", "courriel", "adresse courriel", "address",
    "mail", "adresse e-mail", "adresse email", "adresse mail", "adresse de courriel", "adresse électronique",
    "adresse de courrier électronique", "courrier électronique", "mél",
)  # fmt: skip
_SURELY_ADDRESSES = frozenset(ADDRESS_COLUMNS) - {"address"}  # beside another it is where somebody lives
LANGUAGE_COLUMNS = ("language", "langue", "lang", "locale", "preferred language")
# Where a program has no such column, our exports and many people's habits put it among these.
TAG_COLUMNS = ("metadata", "attributes", "data", "labels", "tags")
# When somebody came to that list: what proves most comes first.
SINCE_COLUMNS = (
    "confirmed_at", "confirm_time", "optin_time", "created_at", "creation_date", "created at", "asked_at",
)  # fmt: skip
NETWORK_COLUMNS = ("confirm_ip", "optin_ip")
_STATES = {
    "confirmed": Standing.SUBSCRIBED, "asked": Standing.ASKED, "waiting": Standing.ASKED, "left": Standing.LEFT,
    "suspended": Standing.BOUNCED,
}  # fmt: skip


def standing_of(state: str) -> Standing:
    """One of our own states; a word that is none proves nothing."""
    return _STATES.get(state, Standing.ASKED)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where to look in each row. statuses: the columns that say how somebody stands. is_tagged: the language is one of many
    things that its column says."""

    name: str
    address: int
    language: int | None
    since: tuple[int, ...]
    network: tuple[int, ...]
    statuses: tuple[Column, ...]
    is_tagged: bool = False

    def standing(self, row: Sequence[str]) -> Standing:
        return self.judged([row[one.place] if one.place < len(row) else "" for one in self.statuses])

    def judged(self, words: Sequence[str]) -> Standing:
        """words: what stands in the columns of `statuses`, in their order."""
        found = (one.judge(text) for one, text in zip(self.statuses, words, strict=True))
        return max(found, default=Standing.SUBSCRIBED)

    def unread(self, header: Sequence[str]) -> list[str]:
        """Names of the columns that say nothing to us, without rivals()."""
        read = {
            self.address,
            self.language,
            *self.since,
            *self.network,
            *(one.place for one in self.statuses),
        }
        names = [
            _sayable(name)
            for place, name in enumerate(header)
            if place not in read and name.strip().casefold() not in _SURELY_ADDRESSES
        ]
        return [name for name in names if name]

    def rivals(self, header: Sequence[str]) -> list[str]:
        """Where several columns hold addresses: the one that is read, then the others."""
        others = [
            _sayable(name) for place, name in enumerate(header)
            if place != self.address and name.strip().casefold() in _SURELY_ADDRESSES
        ]  # fmt: skip
        return [_sayable(header[self.address]), *others] if others else []


def _sayable(name: str) -> str:
    """A name of a column as it can be shown; one that holds an address is none."""
    return "" if "@" in name else "".join(sign for sign in name.strip()[:40] if sign.isprintable())


def shape_of(header: Sequence[str]) -> Shape | None:
    """None when no column holds addresses."""
    names = [name.strip().casefold() for name in header]
    address = next((names.index(name) for name in ADDRESS_COLUMNS if name in names), None)
    if address is None:
        return None
    preset = recognised(names)
    stated = next((names.index(name) for name in LANGUAGE_COLUMNS if name in names), None)
    tagged = next((names.index(name) for name in TAG_COLUMNS if name in names), None)
    language = tagged if stated is None else stated
    since, network = _places(names, SINCE_COLUMNS), _places(names, NETWORK_COLUMNS)
    used = frozenset({address, *since, *network, *(() if language is None else (language,))})
    statuses = columns_of(header, preset=preset, used=used)
    return Shape(
        preset, address, language, since, network, statuses, is_tagged=stated is None and tagged is not None
    )


def plain(column: int) -> Shape:
    """A list of addresses without a header."""
    return Shape("plain", column, None, (), (), ())


def recognised(names: Sequence[str]) -> str:
    """The program that wrote this header; names in lower case. "csv" when we do not know it."""
    found = set(names)
    if "member_rating" in found or {"leid", "euid"} <= found:
        return "mailchimp"
    if "complimentary_plan" in found:
        return "ghost"
    if "active_subscription" in found:
        return "substack"
    if {"uuid", "attributes"} <= found or found == {"email", "name", "attributes"}:
        return "listmonk"
    if "email permission status" in found:
        return "constant-contact"
    if {"creation_date", "type"} <= found:
        return "buttondown"
    if {"email", "state", "cadence"} <= found:
        return "digest"
    if {"email", "first name", "last name"} <= found and found <= _KEILA:
        return "keila"
    return "csv"


_KEILA = frozenset({"email", "first name", "last name", "data", "status", "external id", "tags"})


def _places(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    return tuple(names.index(name) for name in wanted if name in names)
