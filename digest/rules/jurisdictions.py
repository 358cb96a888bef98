"""Whose mail domain it is: organisation, jurisdiction, level of government. For the gate and for counts. Pure.

A domain is personal information too: only counts leave here, and small ones are hidden by pulse.py.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from digest.errors import AddressRefused, ConfigError
from digest.model import MailDomain
from digest.rules.consent import ascii_domain

ELSEWHERE = "elsewhere"
LEVELS = ("federal", "provincial", "territorial", "municipal", "other")
GOVERNMENT = frozenset(LEVELS[:-1])
PLACES = (
    "federal",
    "alberta",
    "british-columbia",
    "manitoba",
    "new-brunswick",
    "newfoundland-and-labrador",
    "northwest-territories",
    "nova-scotia",
    "nunavut",
    "ontario",
    "prince-edward-island",
    "quebec",
    "saskatchewan",
    "yukon",
    "elsewhere",
)


class Directory:
    """Domains by name; a later entry of the same name wins."""

    def __init__(self, entries: Iterable[MailDomain]) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def with_(self, entries: Iterable[MailDomain]) -> "Directory":
        """This one with others on top."""
        return Directory([*self._entries.values(), *entries])

    def has(self, name: str) -> bool:
        return name in self._entries

    def find(self, domain: str) -> MailDomain | None:
        """The longest entry that is the domain or above it, at a label boundary. `domain` as A-labels, lower case."""
        rest = domain
        while rest:
            if (found := self._entries.get(rest)) is not None:
                return found
            rest = rest.partition(".")[2]
        return None


def read_directory(text: str, *, source: str) -> list[MailDomain]:
    """The shape of digest/data/canada.toml. Raises ConfigError that names what is wrong. source: the file, for that."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not valid TOML: {error}.") from error
    found: list[MailDomain] = []
    for level, places in table.items():
        if level not in LEVELS or not isinstance(places, Mapping):
            raise ConfigError(f"{source}: {level!r} is not a level; known are {', '.join(LEVELS)}.")
        for place, domains in places.items():
            if not isinstance(domains, Mapping):
                raise ConfigError(f"{source}: write [{level}.<jurisdiction>] above the domains.")
            found += [_entry(str(name), str(whose), place, level, source) for name, whose in domains.items()]
    return found


def _entry(name: str, organisation: str, jurisdiction: str, level: str, source: str) -> MailDomain:
    try:
        domain = ascii_domain(name)
    except AddressRefused:
        raise ConfigError(f"{source}: {name!r} is not a domain name.") from None
    admitted = level in GOVERNMENT
    return MailDomain(
        name=domain, admitted=admitted, organisation=organisation, jurisdiction=jurisdiction, level=level
    )


@cache
def canada() -> Directory:
    """The packaged file, read once."""
    path = files("digest").joinpath("data", "canada.toml")
    return Directory(read_directory(path.read_text(encoding="utf-8"), source="digest/data/canada.toml"))


def jurisdiction(domain: str, directory: Directory | None = None) -> str:
    """One word to count by: federal, a province or territory, municipal, elsewhere."""
    found = (directory or canada()).find(domain)
    if found is None or found.level not in GOVERNMENT:
        return ELSEWHERE
    return found.level if found.level == "municipal" else found.jurisdiction


def has_mixed_scripts(domain: str) -> bool:
    """Whether a label of this domain (A-labels or as typed) mixes alphabets, as `ontarіo.ca` with its Cyrillic і does."""
    return any(len(_scripts(label)) > 1 for label in _unicode(domain).split("."))


def _unicode(domain: str) -> str:
    labels = [
        label[4:].encode("ascii").decode("punycode")
        if label.startswith("xn--") and label.isascii()
        else label
        for label in domain.casefold().split(".")
    ]
    return ".".join(labels)


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(sign, "?").partition(" ")[0] for sign in label if sign.isalpha()}
