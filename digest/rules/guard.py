"""Whether a knock at the door is heard: forms that were never shown, machines in a hurry, floods. Pure; who knocks is unknown.

A refusal is for the operator's counts only: whoever asked sees the same page as everybody.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network

YOUNGEST_FORM = timedelta(seconds=2)
OLDEST_FORM = timedelta(hours=24)
BREAKER_RESTS = timedelta(hours=1)
# People fill a form in less than two seconds (autofill, Enter), and scripts of the operator's own post without one.
# Both are heard, but all of them together only so often: a bot in a hurry soon waits like everybody else.
HASTY_PER_HOUR = 30
CODE_LIVES = timedelta(hours=1)
CODE_TRIES = 5
TRIES_PER_NETWORK = 50
NOTE_LENGTH = 300

# Plain IPv4, told without the slow objects of ipaddress; everything else is theirs to judge.
_EVERYDAY_IP = re.compile(
    r"((?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){2}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))"
    r"\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])",
    re.ASCII,
)


class Scope(StrEnum):
    """What is counted, each by the hour."""

    IP = "ip"
    NETWORK = "network"
    DOMAIN = "domain"
    SITE = "site"
    CODE = "code"
    HASTY = "hasty"
    FORM = "form"


# Asked for together, counted together: side by side in the store.
BESIDE = {Scope.IP: Scope.NETWORK, Scope.DOMAIN: Scope.SITE}


class Refusal(StrEnum):
    """Why nothing was done."""

    NO_FORM = "no-form"
    FORGED = "forged"
    TOO_SOON = "too-soon"
    TOO_OLD = "too-old"
    USED = "used"
    TRAP = "trap"
    BLOCKED = "blocked"
    CAP = "cap"
    RESTING = "resting"


HASTY = frozenset({Refusal.NO_FORM, Refusal.TOO_SOON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Most asks that are heard in an hour, by what is counted: named as their scopes are."""

    ip: int
    network: int
    domain: int
    site: int

    def of(self, scope: Scope) -> int:
        most: int = getattr(self, scope)
        return most


def judged_form(token: str, made_at: datetime | None, *, trap: str, now: datetime) -> Refusal | None:
    """made_at: when the form was shown, by its token; None when the token is not ours. trap: the field that people do
    not see."""
    if trap:
        return Refusal.TRAP
    if made_at is None:
        return Refusal.FORGED if token else Refusal.NO_FORM
    age = now - made_at
    if age < YOUNGEST_FORM:
        return Refusal.TOO_SOON
    return Refusal.TOO_OLD if age > OLDEST_FORM else None


def over_cap(counts: Mapping[Scope, int], caps: Caps) -> Scope | None:
    """The first cap that is exceeded; the counts include this ask."""
    return next((scope for scope, count in counts.items() if count > caps.of(scope)), None)


def is_blocked(domain: str, blocked: Collection[str]) -> bool:
    """Whether the operator will not write to this domain or one above it. Both as A-labels."""
    labels = domain.split(".")
    return any(".".join(labels[n:]) in blocked for n in range(len(labels)))


def hour_of(now: datetime) -> int:
    """The hour that a knock counts in, from 1970."""
    return int(now.timestamp() // 3600)


def last_hour(made_at: datetime) -> int:
    """The hour that the use of a form counts in, whenever that is: the one in which the form is too old."""
    return hour_of(made_at + OLDEST_FORM)


def neighbourhood(ip: str | None) -> str | None:
    """The /24 or /64 that an address lies in: a neighbourhood, not a person. None for what is no address."""
    everyday = _EVERYDAY_IP.fullmatch(ip or "")
    if everyday is not None:
        return f"{everyday[1]}.0/24"
    try:
        address = ip_address(ip or "")
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ip_network(f"{address}/{24 if address.version == 4 else 64}", strict=False))


def is_this_machine(ip: str | None) -> bool:
    """Whether the address is a loopback one."""
    if _EVERYDAY_IP.fullmatch(ip or ""):
        return str(ip).startswith("127.")
    try:
        return ip_address(ip or "").is_loopback
    except ValueError:
        return False


def code_fits(*, tries: int, made_at: datetime, now: datetime) -> bool:
    """Whether a code may still be compared; tries count this one."""
    return tries <= CODE_TRIES and now < made_at + CODE_LIVES


def as_code(text: str) -> str:
    """What somebody typed as six digits; spaces and dashes between them are theirs to make."""
    digits = re.sub(r"[\s\u00a0-]", "", text)
    return digits if len(digits) == 6 and digits.isascii() and digits.isdigit() else ""


def one_line(text: str, *, most: int = NOTE_LENGTH) -> str:
    """Words of a stranger, made harmless to show: one line, no control or direction signs, not too long."""
    if not text:
        return ""
    kept = "".join(" " if sign.isspace() else sign for sign in text if _shows(sign) or sign.isspace())
    return " ".join(kept.split())[:most].strip()


def _shows(sign: str) -> bool:
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
