"""How other programs write down their readers: whose file it is, by its header, and what each column says. Pure.

Header rows and traps: guide, readers, "Import and export". A column that we do not know is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum


class Standing(IntEnum):
    """What a file says of a person; of several columns the highest wins. ASKED: not proven, or only implied."""

    SUBSCRIBED = 0
    ASKED = 1
    LEFT = 2
    BOUNCED = 3
    COMPLAINED = 4

    @property
    def is_gone(self) -> bool:
        return self >= Standing.LEFT


ADDRESS_COLUMNS = (
    "email", "email address", "e-mail", "e-mail address", "email_address", "courriel", "adresse courriel", "address",
    "mail",
)  # fmt: skip
LANGUAGE_COLUMNS = ("language", "langue", "lang", "locale", "preferred language")
# When somebody came to that list: what proves most comes first.
SINCE_COLUMNS = (
    "confirmed_at", "confirm_time", "optin_time", "created_at", "creation_date", "created at", "asked_at",
)  # fmt: skip
NETWORK_COLUMNS = ("confirm_ip", "optin_ip")
_STATUS_COLUMNS = frozenset(
    {"status", "statut", "state", "email status", "email permission status", "status_subscription"}
)
# In these any word means what the column means.
_WHEN_FILLED = {
    "unsub_time": Standing.LEFT, "unsub": Standing.LEFT, "deleted_at": Standing.LEFT, "unsubscribed_at": Standing.LEFT,
    "confirmed opt-out date": Standing.LEFT, "left_at": Standing.LEFT,
    "bounce": Standing.BOUNCED, "clean_time": Standing.BOUNCED,
}  # fmt: skip
_TRUE_IS_GONE = frozenset({"email_disabled"})
_FALSE_IS_GONE = frozenset({"subscribed_to_emails"})
_TRUE, _FALSE = frozenset({"true", "1", "yes", "t"}), frozenset({"false", "0", "no", "f"})
_WORDS: Mapping[str, Standing] = {
    **dict.fromkeys(
        ("unsubscribed", "opted out", "opt-out", "opted_out", "left", "disabled", "removed", "archived", "deleted",
         "blocklisted", "blacklisted", "désabonné", "désabonnée", "no permissions set"), Standing.LEFT),
    **dict.fromkeys(("cleaned", "bounced", "undeliverable", "unreachable", "invalid", "suspended"), Standing.BOUNCED),
    **dict.fromkeys(("complained", "spammy", "spam"), Standing.COMPLAINED),
    **dict.fromkeys(
        ("unactivated", "unconfirmed", "pending", "awaiting confirmation", "awaiting", "asked", "waiting", "implied",
         "not set", "temporary hold", "non-subscribed", "nonsubscribed"), Standing.ASKED),
}  # fmt: skip


def standing_of(state: str) -> Standing:
    """One of our own states; a word that is none proves nothing."""
    return Standing.SUBSCRIBED if state == "confirmed" else _WORDS.get(state, Standing.ASKED)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where to look in each row. statuses: column and what its words mean, in lower case; "*": any word."""

    name: str
    address: int
    language: int | None
    since: tuple[int, ...]
    network: tuple[int, ...]
    statuses: tuple[tuple[int, Mapping[str, Standing]], ...]

    def standing(self, row: Sequence[str]) -> Standing:
        return self.judged([row[column] if column < len(row) else "" for column, _ in self.statuses])

    def judged(self, words: Sequence[str]) -> Standing:
        """words: what stands in the columns of `statuses`, in their order."""
        found = Standing.SUBSCRIBED
        for (_, means), text in zip(self.statuses, words, strict=True):
            word = text.strip().lower()
            if word:
                said = means.get(word, means.get("*", Standing.SUBSCRIBED))
                found = max(found, said)
        return found


def shape_of(header: Sequence[str]) -> Shape | None:
    """None when no column holds addresses."""
    names = [name.strip().casefold() for name in header]
    address = next((names.index(name) for name in ADDRESS_COLUMNS if name in names), None)
    if address is None:
        return None
    preset = recognised(names)
    return Shape(
        name=preset,
        address=address,
        language=next((names.index(name) for name in LANGUAGE_COLUMNS if name in names), None),
        since=_places(names, SINCE_COLUMNS),
        network=_places(names, NETWORK_COLUMNS),
        statuses=tuple(_statuses(names, preset)),
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


def _statuses(names: Sequence[str], preset: str) -> list[tuple[int, Mapping[str, Standing]]]:
    found: list[tuple[int, Mapping[str, Standing]]] = []
    for column, name in enumerate(names):
        if name in _STATUS_COLUMNS or (name == "type" and preset == "buttondown"):
            found.append((column, _WORDS))
        elif name in _WHEN_FILLED:
            found.append((column, {"*": _WHEN_FILLED[name]}))
        elif name in _TRUE_IS_GONE:
            found.append((column, dict.fromkeys(_TRUE, Standing.LEFT)))
        elif name in _FALSE_IS_GONE:
            found.append((column, dict.fromkeys(_FALSE, Standing.LEFT)))
    return found
