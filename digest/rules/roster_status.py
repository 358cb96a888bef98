"""What columns that speak of status say of somebody, in English and French. What is not understood is no consent. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class Standing(IntEnum):
    """What a file says of a person; of several columns the highest wins. ASKED: not proven, or only implied.

    UNCLEAR: a column speaks of it in words that nobody here understands; such a row stays out and is named.
    """

    SUBSCRIBED = 0
    ASKED = 1
    UNCLEAR = 2
    LEFT = 3
    BOUNCED = 4
    COMPLAINED = 5

    @property
    def is_gone(self) -> bool:
        return self >= Standing.LEFT


class Column(NamedTuple):
    """place: in the row. name: as the header has it. judge: what a cell says."""

    place: int
    name: str
    judge: Callable[[str], Standing]


NO_CONSENT = "This row says that they have not agreed, so they stay out: "
UNCLEAR = "What this row says of the person's status was not understood, so they stay out: "
_TRUE = frozenset({"true", "1", "yes", "y", "t", "oui", "o", "vrai", "x"})
_FALSE = frozenset(
    {
        "",
        "false",
        "0",
        "0 0",
        "no",
        "n",
        "f",
        "non",
        "faux",
        "never",
        "jamais",
        "none",
        "null",
        "aucun",
        "n a",
    }
)
_WORDS: Mapping[str, Standing] = {
    **dict.fromkeys(
        ("subscribed", "subscriber", "enabled", "active", "confirmed", "express", "regular", "premium", "gifted",
         "trialed", "churning", "past due", "valid", "opted in", "opt in", "optin", "member", "abonne", "abonnee",
         "inscrit", "inscrite", "actif", "confirme", "confirmee", "ok"), Standing.SUBSCRIBED),
    **dict.fromkeys(
        ("unactivated", "unconfirmed", "not confirmed", "pending", "awaiting confirmation", "awaiting", "asked",
         "waiting", "implied", "not set", "temporary hold", "non subscribed", "nonsubscribed", "en attente",
         "en attente de confirmation", "a confirmer",
         "non confirme", "non confirmee", "churned", "unpaid"), Standing.ASKED),
    **dict.fromkeys(
        ("left", "disabled", "removed", "archived", "deleted", "no permissions set", "stop", "quitte", "parti",
         "partie", "inactive", "inactif", "deactivated", "desactive",
         "retire", "retiree", "supprime", "supprimee", "resilie", "resiliee"), Standing.LEFT),
    **dict.fromkeys(
        ("cleaned", "undeliverable", "unreachable", "invalid", "suspended", "non distribuable"), Standing.BOUNCED),
}  # fmt: skip
_DASHES = frozenset({"", "-", "–", "—"})
# Where a word is not known whole, a part of it may still say that somebody has gone; none ever says that they are in.
_PARTS = (
    (re.compile(r"\bsoft|temporar|\b(trial|essai|payment|paiement|card|order|invoice|facture)\b"), Standing.UNCLEAR),
    (re.compile(r"complain|plainte|spam|abuse"), Standing.COMPLAINED),
    (re.compile(r"bounce|rebond|undeliver"), Standing.BOUNCED),
    (re.compile(r"unsub|desabon|desinscri|\bopt(ed)? ?out|\bblock(ed|list)|\bbloque|blacklist|cancel|annule|suppress"),
     Standing.LEFT),
    (re.compile(r"\b(do not|don t|ne pas) (e ?mail|mail|contact|send|envoyer|ecrire)|\bnot subscribed"), Standing.LEFT),
)  # fmt: skip
_GONE_NAMES = (
    (re.compile(r"complain|plainte|abuse|spam report"), Standing.COMPLAINED),
    (re.compile(r"bounce|rebond|^clean(ed)?( time)?$"), Standing.BOUNCED),
    (
        re.compile(
            r"unsub|desabon|desinscri|\bopt(ed)? ?out|blocklist|blacklist|blocked|suppress|cancel"
            r"|\b(do not|ne pas) (e ?mail|mail|contact|send|envoyer|ecrire)"
            r"|^(deleted|removed|left)( at| on| date)?$|^email disabled$"
        ),
        Standing.LEFT,
    ),
)
_IN_NAMES = re.compile(
    r"\b(subscribed|abonnee?|inscrite?|opt(ed)? ?in)\b|^(is |est )?(active?|actif|enabled)$"
)
_PROOF_NAMES = re.compile(r"^(is |email |est )?(confirmed|confirmee?|verified|verifiee?)$")
# Whether they agreed to letters; not when, where, how or in which words, and not to messages by telephone.
_ABOUT = r"(e ?mail|courriels?|marketing|newsletter|infolettre|gdpr|rgpd|casl|lcap|has|is|a|au|aux|le|les|to|express|explicit)"
_AGREED_NAMES = re.compile(
    rf"^({_ABOUT} )*(consent|consents|consented|consentement|permission|opt in consent)( (given|donne|{_ABOUT}))*$"
    rf"|^({_ABOUT} )*accept(s|e|ed)?( {_ABOUT})+$|^({_ABOUT} )*(consent|consentement) (status|state|statut|etat)$"
)
_AGREED = frozenset(
    {"explicit", "explicite", "expres", "granted", "given", "agreed", "accepted", "accepte", "donne"}
)
_REFUSED = frozenset({"denied", "declined", "refused", "refuse", "rejected", "not given", "not granted"})
_STATUS_NAMES = re.compile(r"\b(status|statut|standing)\b|^(state|etat|subscription|abonnement)$")
# Columns about a moment, an address or a link, not about how somebody stands.
_OF_A_MOMENT = frozenset(["time", "at", "on", "date", "since", "depuis", "le", "ip", "source"])
_OF_A_LINK = frozenset(["link", "url", "lien", "token", "key", "id", "uuid", "hash"])
_OF_MONEY = frozenset(
    [
        "payment",
        "paiement",
        "trial",
        "essai",
        "order",
        "commande",
        "invoice",
        "facture",
        "billing",
        "card",
        "plan",
        "rsvp",
    ]
)
_OF_A_PLACE = frozenset(
    {"city", "ville", "country", "pays", "zip", "zip code", "postal code", "code postal", "street"}
)
_MOMENT = re.compile(r"\d{1,4}[ t]\d{1,2}[ t]\d{1,4}")


def columns_of(names: Sequence[str], *, preset: str, used: frozenset[int]) -> tuple[Column, ...]:
    """names: the header. used: places of columns that say something else."""
    found = list[Column]()
    is_place = any(_plain(name) in _OF_A_PLACE for name in names)
    for place, name in enumerate(names):
        judge = _judge_of(_plain(name), preset=preset, is_place=is_place) if place not in used else None
        if judge is not None:
            found.append(Column(place, name.strip(), judge))
    return tuple(found)


def _judge_of(name: str, *, preset: str, is_place: bool) -> Callable[[str], Standing] | None:
    words = set(name.split())
    if name == "active subscription" or words & (_OF_A_LINK | _OF_MONEY):  # who pays, at Substack
        return None
    if _AGREED_NAMES.search(name):
        return _agreed_says
    if _STATUS_NAMES.search(name):
        return None if name in {"state", "etat"} and is_place and preset != "digest" else word_says
    if name == "type":
        return word_says if preset == "buttondown" else None
    for pattern, standing in _GONE_NAMES:
        if pattern.search(name):
            return _GONE_SAYS[standing]
    if _PROOF_NAMES.search(name):
        return _proof_says
    return _in_says if _IN_NAMES.search(name) and not words & _OF_A_MOMENT else None


@lru_cache(maxsize=1000)
def word_says(cell: str) -> Standing:
    """A word of a column of statuses. An empty one says nothing against somebody."""
    word = _plain(cell)
    if not word:
        return Standing.SUBSCRIBED if cell.strip() in _DASHES else Standing.UNCLEAR
    return _part_says(word)


def _part_says(word: str) -> Standing:
    if word in _WORDS:
        return _WORDS[word]
    return next((standing for part, standing in _PARTS if part.search(word)), Standing.UNCLEAR)


def _gone_says(standing: Standing) -> Callable[[str], Standing]:
    """For a column that is true, or holds a moment, for those who have gone."""

    @lru_cache(maxsize=1000)
    def says(cell: str) -> Standing:
        word = _plain(cell)
        if word in _FALSE:
            return Standing.SUBSCRIBED
        if word in _TRUE or _MOMENT.match(word):
            return standing
        said = _part_says(word)
        return said if said.is_gone else Standing.UNCLEAR

    return says


_GONE_SAYS = {one: _gone_says(one) for one in Standing if one.is_gone}


@lru_cache(maxsize=1000)
def _in_says(cell: str) -> Standing:
    """For a column that is true for those who are in; where it is empty, nothing is proven."""
    word = _plain(cell)
    if word in _TRUE or _MOMENT.match(word):
        return Standing.SUBSCRIBED
    if word in _FALSE:
        return Standing.LEFT if word else Standing.ASKED
    return _part_says(word)


@lru_cache(maxsize=1000)
def _proof_says(cell: str) -> Standing:
    word = _plain(cell)
    if word in _FALSE:
        return Standing.ASKED
    return Standing.SUBSCRIBED if word in _TRUE or _MOMENT.match(word) else _part_says(word)


@lru_cache(maxsize=1000)
def _agreed_says(cell: str) -> Standing:
    """For a column of consents. Who has not agreed has not left either: they stay out and are named."""
    word = _plain(cell)
    if _declines(cell):
        return Standing.UNCLEAR
    if not word:
        return Standing.ASKED
    return Standing.SUBSCRIBED if word in _TRUE | _AGREED or _MOMENT.match(word) else _part_says(word)


def _declines(cell: str) -> bool:
    word = _plain(cell)
    return word in _REFUSED or (word != "" and word in _FALSE)


def unclear(columns: Sequence[Column], row: Sequence[str]) -> str:
    """The reason why a row stays out: which column says what. Never an address."""
    for place, name, judge in columns:
        cell = row[place].strip() if place < len(row) else ""
        if judge(cell) is Standing.UNCLEAR:
            seen = "".join(sign for sign in f"{name}: {cell}" if sign.isprintable())
            why = NO_CONSENT if judge is _agreed_says and _declines(cell) else UNCLEAR
            return why + (f"{name[:40]}." if "@" in seen else f"{seen[:80]}.")
    return UNCLEAR + "?"


def _plain(text: str) -> str:
    """In lower case, without accents and marks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())
