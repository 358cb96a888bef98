"""Who may be written to: addresses judged, the gate, and what each act does to a subscriber. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from digest.errors import AddressRefused, InputRefused
from digest.model import Address, Consent, Language, Reading, Subscriber, SubscriberState
from digest.rules import tokens

ONE_LETTER_PER = timedelta(hours=24)
LINKS_A_DAY = 3
UNDO_WITHIN = timedelta(hours=24)
ASKED_LIVES = timedelta(days=7)
DECLINED_LIVES = timedelta(days=7)
INVITED_MOST = 20
INVITED_WITHIN = timedelta(days=30)
# CASL s.10(10): implied consent from a business relationship ends two years after it.
IMPLIED_LIVES = timedelta(days=730)

# RFC 2142: these reach a function that must stay reachable, not a person who agreed to anything.
_ROLE_LOCALS = frozenset(
    {"abuse", "postmaster", "hostmaster", "webmaster", "security", "noc", "mailer-daemon"}
)

# Many people may read what comes here, or nobody: such an address is taken, and told to whoever brings it in a list.
_SHARED_LOCALS = frozenset(
    {"admin", "contact", "courriel", "help", "hello", "info", "mail", "news", "no-reply", "noreply", "office",
     "root", "sales", "support", "team"}
)  # fmt: skip

NO_ADDRESS = "This is not an e-mail address that we can write to."
A_FUNCTION = "This address belongs to a function, not to a person; please give one of your own."
ONLY_THEY = "This person has left or was forgotten; only they themselves can come back."

# Only what email-validator takes and leaves as it is but for the domain's case; held against it by test.
_TIGHT_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@", re.ASCII).match
_TIGHT_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:-?[A-Za-z0-9])*\.)+([A-Za-z]{2,24})", re.ASCII).fullmatch
_TIGHT_LOCALS = re.compile(
    rf"\n(?!(?:{'|'.join(sorted(_ROLE_LOCALS | _SHARED_LOCALS))})@)[a-z0-9_+-]++(?:\.[a-z0-9_+-]++)*+@",
    re.ASCII,
).sub
# What no address holds, in whatever form: told without the long way through email-validator.
_NEVER = re.compile(r"[^@]*|.*?\.\..*", re.DOTALL).fullmatch
_ROUTE_WORD = re.compile(r"[a-z]{1,16}(?:\.[a-z]{2,4})?")
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_ALL_SHORT = 64


def route_of(page: str) -> str:
    """Where on the site something was done, for the log: `/unsubscribe/AgAA…` is `/unsubscribe`.

    The tokens of letters never expire, so no copy of one may stand beside a name. What is not plainly a word of a
    route ends it.
    """
    kept: list[str] = []
    for piece in page.partition("?")[0].split("/"):
        if piece and not _ROUTE_WORD.fullmatch(piece):
            break
        kept.append(piece)
    return "/".join(kept) or page[:1]


def judged_address(text: str) -> Address:
    """Raises AddressRefused, with a sentence that does not repeat the address, for what nobody can be written to at.

    The domain is folded, the local part kept as typed. RFC 5321 limits; IDNA 2008; no quoted or literal forms.
    """
    address = readable_address(text)
    if is_function(address):
        raise AddressRefused(A_FUNCTION)
    return address


def readable_address(text: str) -> Address:
    """The same without the question whose it is: for answers that must be the same for every address."""
    quick = quick_address(text.strip())
    if quick is not None:
        return Address(quick[0])
    if _NEVER(text):
        raise AddressRefused(NO_ADDRESS)
    try:
        found = validate_email(text.strip(), check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise AddressRefused(NO_ADDRESS) from error
    return Address(f"{found.local_part}@{found.domain}")


def quick_address(text: str) -> tuple[str, str] | None:
    """An everyday address as it is kept, and its key. None: ask judged_address, which knows every case and is slow."""
    found = _TIGHT_LOCAL(text)
    if found is None or len(text) > _ALL_SHORT:
        return None
    folded = _everyday_domain(text[found.end() :])
    if folded is None:
        return None
    key = text.lower()
    return (text, text) if key == text else (found[0] + folded, key)


def everyday_addresses(texts: Sequence[str]) -> tuple[Sequence[str], Sequence[str], list[bool]]:
    """The addresses as they are kept, their keys, and for which of them both hold: quick_address of many at once.

    Where it does not hold, what stands there means nothing: ask judged_address. So it is for functions (abuse@) and for
    what is_shared.
    """
    joined = "\n".join(["", *texts])
    folded = joined.lower()
    if folded.count("\n") != len(texts) or "\0" in folded:  # a line end inside one of them
        return texts, texts, [False] * len(texts)
    keys = texts if folded == joined else folded.split("\n")[1:]
    domains = _TIGHT_LOCALS("\n\0", folded).split("\n")[1:]  # \0 where the local part was
    good = {one: one[:1] == "\0" and _everyday_domain(one[1:]) is not None for one in set(domains)}
    holds = [good[one] for one in domains]
    if not joined.isascii():  # the Kelvin sign folds to a k
        holds = [one and text.isascii() for one, text in zip(holds, texts, strict=True)]
    if max(map(len, texts), default=0) > _ALL_SHORT:
        holds = [one and len(text) <= _ALL_SHORT for one, text in zip(holds, texts, strict=True)]
    return texts if keys is texts else list(map(_kept, texts, keys)), keys, holds


def _kept(text: str, key: str) -> str:
    return key if text == key else text[: text.find("@")] + key[key.find("@") :]


@lru_cache(maxsize=4_096)
def _everyday_domain(domain: str) -> str | None:
    """The domain folded, if it is one that needs no second look: of a million people many share a few."""
    found = _TIGHT_DOMAIN(domain)
    return None if found is None or found[1].lower() in _SPECIAL else domain.lower()


def is_function(address: Address) -> bool:
    """abuse@, postmaster@ and their like."""
    return address.key.rpartition("@")[0] in _ROLE_LOCALS


def is_shared(address: Address) -> bool:
    """info@, noreply@ and their like: perhaps no person's own."""
    return address.key.rpartition("@")[0] in _SHARED_LOCALS


def judged_basis(basis: str, origin: str) -> None:
    """Raises InputRefused unless the basis of a consent is one the law knows and its origin is said."""
    if basis not in {"express", "implied"}:
        raise InputRefused("The basis of a consent is express or implied.")
    if not origin.strip():
        raise InputRefused(
            'Say where this consent comes from, for instance --origin "sign-up sheet, 12 May 2026".'
        )


def domain_of(address: Address) -> str:
    """The domain as A-labels (RFC 5890), lower case: the form in which domains are compared."""
    domain = address.reveal().rpartition("@")[2]
    return domain if quick_address(address.reveal()) is not None else ascii_domain(domain)


def ascii_domain(domain: str) -> str:
    """Raises AddressRefused for a domain that IDNA 2008 does not allow."""
    try:
        return validate_email(f"x@{domain.strip('.')}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError as error:
        raise AddressRefused("This is not a domain name.") from error


def is_within(domain: str, suffixes: Sequence[str]) -> bool:
    """Whether the domain is one of the suffixes or below one, at a label boundary. Both sides are A-labels."""
    return any(domain == suffix or domain.endswith("." + suffix) for suffix in suffixes)


class Gate(StrEnum):
    OPEN = "open"
    DOMAINS = "domains"


def admitted_state(
    address: Address, *, policy: str, domains: Sequence[str], is_known: bool = False, is_invited: bool = False
) -> SubscriberState:
    """Where a confirmed address goes: in, or to the queue that an editor looks at.

    is_known: its domain is one that an editor, or the list of governments, lets in. is_invited: by somebody who may.
    """
    if policy == Gate.OPEN or is_known or is_invited:
        return SubscriberState.CONFIRMED
    if is_within(domain_of(address), [ascii_domain(d) for d in domains]):
        return SubscriberState.CONFIRMED
    return SubscriberState.WAITING


class Reply(StrEnum):
    """The letter that answers somebody who asked. The page they see is the same in all cases."""

    NOTHING = "nothing"
    CONFIRM = "confirm"
    SETTINGS = "settings"


def still_waits(known: Subscriber) -> bool:
    """Whether an editor is still to say yes or no."""
    return known.state is SubscriberState.WAITING and known.declined_at is None


def reply_to_ask(
    known: Subscriber | None, *, last_letter: datetime | None, now: datetime, is_invited: bool = False
) -> Reply:
    """At most one letter a day to one address, whoever types it in. is_invited: by a link that still counts; who waits
    then comes in by confirming once more."""
    if last_letter is not None and now - last_letter < ONE_LETTER_PER:
        return Reply.NOTHING
    if known is not None and known.declined_at is not None:
        return Reply.NOTHING
    if known is None or known.state in {
        SubscriberState.ASKED,
        SubscriberState.LEFT,
        SubscriberState.SUSPENDED,
    }:
        return Reply.CONFIRM
    return Reply.CONFIRM if is_invited and still_waits(known) else Reply.SETTINGS


def may_have_link(earlier: Sequence[tuple[datetime, int]], *, version: int, now: datetime) -> bool:
    """Whether one more link to their own settings, or to prove a new address, may be mailed for a reader.

    earlier: those of the last day, each with the version it was bound to. While one still works no second is needed;
    leaving and moving end it. And no more than a few a day, whoever asks for them.
    """
    alive = any(now - at < tokens.MANAGE_LIVES and bound == version for at, bound in earlier)
    return not alive and len(earlier) < LINKS_A_DAY


_OWN_LEAVING = frozenset({"link", "one-click", "mail", "reply"})
_RETURNS = frozenset({SubscriberState.CONFIRMED, SubscriberState.WAITING})
_BECOMES = {
    "confirmed": SubscriberState.CONFIRMED, "admitted": SubscriberState.CONFIRMED, "waits": SubscriberState.WAITING,
    "suspended": SubscriberState.SUSPENDED, "resumed": SubscriberState.CONFIRMED, "left": SubscriberState.LEFT,
}  # fmt: skip


class Answer(StrEnum):
    """What a link has done, for the page that follows it."""

    DONE = "done"
    ALREADY = "already"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Decision:
    """after: the subscriber as it shall be stored, or None when nothing changes."""

    answer: Answer
    after: Subscriber | None


def confirming(known: Subscriber, *, version: int, state: SubscriberState, now: datetime) -> Decision | None:
    """None: the link belongs to an earlier time of this person (they have left since) and is refused.

    state: what admitted_state says of the address.
    """
    if known.state is SubscriberState.CONFIRMED:
        return Decision(Answer.ALREADY, None)
    if known.state is SubscriberState.WAITING and (
        version != known.version or known.declined_at is not None or state is SubscriberState.WAITING
    ):
        return Decision(Answer.WAITING, None)
    if version != known.version:
        return None
    answer = Answer.DONE if state is SubscriberState.CONFIRMED else Answer.WAITING
    after = replace(known, state=state, confirmed_at=now, left_at=None, declined_at=None, paused_until=None)
    return Decision(answer, after)


def leaving(known: Subscriber, *, now: datetime) -> Decision:
    """Leaving twice is leaving once. Raising the version ends every confirm link that is still about."""
    if known.state is SubscriberState.LEFT:
        return Decision(Answer.ALREADY, None)
    return Decision(
        Answer.DONE, replace(known, state=SubscriberState.LEFT, left_at=now, version=known.version + 1)
    )


def suspending(known: Subscriber) -> Subscriber | None:
    """Their address fails: no letter any more, until a new confirmation. None for who is not written to anyway."""
    if known.state is not SubscriberState.CONFIRMED:
        return None
    return replace(known, state=SubscriberState.SUSPENDED, version=known.version + 1)


def resuming(known: Subscriber) -> Subscriber | None:
    """Letters go to them again: the consent never ended, only the way was closed. None for who is not suspended."""
    return (
        replace(known, state=SubscriberState.CONFIRMED) if known.state is SubscriberState.SUSPENDED else None
    )


def chosen(before: Subscriber, after: Subscriber) -> str:
    """What somebody changed of their letter, for the log: `language: fr; paused until: 2026-12-01`. Not the role: it
    changes no letter."""

    def told(one: Subscriber) -> dict[str, str]:
        return {
            "language": one.language.value, "time zone": one.timezone or "the list's", "how often": one.cadence.value,
            "sections": " ".join(one.topics) or "all",
            "paused until": one.paused_until.date().isoformat() if one.paused_until else "no pause",
        }  # fmt: skip

    old = told(before)
    return "; ".join(f"{name}: {value}" for name, value in told(after).items() if old[name] != value)


def returning(known: Subscriber, *, log: Sequence[Consent], by: str | None, now: datetime) -> Decision:
    """The undo on the page after leaving; it works for a day, and leads back to where they stood: to the list, or to the
    queue before it. log: theirs. Who complained, or whose address fails, comes back by a new confirmation alone.

    by: the letter whose link asks, which must be the one that left, when one did; None: a link that is theirs alone.
    """
    if known.state is SubscriberState.CONFIRMED:
        return Decision(Answer.ALREADY, None)
    recent = known.left_at is not None and now - known.left_at <= UNDO_WITHIN
    last = max((number for number, line in enumerate(log) if line.act == "left"), default=0)
    before = standing(log[:last])
    is_theirs = bool(log) and log[last].method in _OWN_LEAVING and by in {None, log[last].origin or by}
    if known.state is SubscriberState.LEFT and recent and is_theirs and before in _RETURNS:
        return Decision(Answer.DONE, replace(known, state=before, left_at=None))
    return Decision(Answer.WAITING, None)


def may_come_back_as_they_were(known: Subscriber, *, now: datetime) -> bool:
    """Whether they may read again without a new confirmation, by the undo or by an admin's word. Until they confirm, what
    somebody types into the form for their address may be a stranger's and changes none of their choices."""
    recent = known.left_at is not None and now - known.left_at <= UNDO_WITHIN
    return known.state is SubscriberState.SUSPENDED or (known.state is SubscriberState.LEFT and recent)


def standing(log: Sequence[Consent]) -> SubscriberState | None:
    """Where somebody stands, as the consent log alone tells it, oldest line first. None: it tells of nobody.

    It explains every state there is, except that a person who is forgotten has no lines: they are nobody's any more.
    """
    state: SubscriberState | None = None
    for line in log:
        state = _BECOMES.get(line.act, state)
        if line.act in {"imported", "added"} and line.basis == "express":
            state = SubscriberState.CONFIRMED
        elif line.act in {"asked", "imported", "added"}:
            state = state or SubscriberState.ASKED  # who has left and asks again is out until they confirm
    return state


def admitting(known: Subscriber, *, now: datetime) -> Decision:
    """An editor lets somebody in who waits. Only a confirmed address waits, so consent stands already."""
    if known.state is not SubscriberState.WAITING:
        return Decision(Answer.ALREADY, None)
    return Decision(Answer.DONE, replace(known, state=SubscriberState.CONFIRMED, declined_at=None))


def declining(known: Subscriber, *, now: datetime) -> Decision:
    """An editor says no to somebody who waits; the row goes a little later, when the letter about it has left."""
    if known.state is not SubscriberState.WAITING or known.declined_at is not None:
        return Decision(Answer.ALREADY, None)
    return Decision(Answer.DONE, replace(known, declined_at=now, version=known.version + 1))


def reading_or_first(asked: str | None, *, offered: Sequence[Language]) -> Reading:
    """What somebody asked to read, if the list has it: `en`, `fr`, both as `en+fr` or `fr+en`, `both` in the list's order.

    A blank stands for a plus, which a form not encoded as one turns into a blank. Else the list's first language.
    """
    choices = _choices(tuple(offered))
    return choices.get((asked or "").strip().casefold().replace(" ", "+")) or choices[""]


@lru_cache(maxsize=8)
def _choices(offered: tuple[Language, ...]) -> Mapping[str, Reading]:
    """By what they are asked for with; nothing asked for is the first."""
    both = Reading("+".join(offered) if len(offered) > 1 else offered[0])
    return {"": Reading(offered[0]), "both": both} | {one.value: one for one in readings(offered)}


def readings(offered: Sequence[Language]) -> list[Reading]:
    """What a list can be read in: each language, then both in either order."""
    return [one for one in Reading if set(offered).issuperset(one.languages)]
