"""What a letter that came back says of its reader: gone for good, not now, our own fault, a complaint, or nothing. Pure.

A careful rule, measured on real bounces: what is not plainly the end of a mailbox is only a bad day. Words of machines
are evidence, never identity: whose letter it was, our own signed mark says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

HARD_ISSUES = 2
SOFT_ISSUES, SOFT_AMONG = 5, 6
# So many letters of one issue coming back for good, and this share of it, are no people gone: something is wrong with us.
STORM_LEAST, STORM_SHARE = 20, 0.1
# The same at one mail domain, unless the domain itself is gone: half of its readers do not go in one month.
LOCAL_LEAST, LOCAL_SHARE = 5, 0.5
NO_SUCH_HOST = frozenset({"5.1.2", "5.4.4"})


class Verdict(StrEnum):
    """COMPLAINT: they want no more. HARD: nobody is there. SOFT: not this time. OURS: refused because of us."""

    COMPLAINT = "complaint"
    HARD = "hard"
    SOFT = "soft"
    OURS = "ours"


RANK = (Verdict.OURS, Verdict.SOFT, Verdict.HARD, Verdict.COMPLAINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One recipient of a delivery report (RFC 3464 section 2.3)."""

    action: str = ""
    status: str = ""
    diagnostic: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A letter that came in, as far as it may be a report. failures: of its machine-readable part, if it has one.

    feedback: the type of an abuse report (RFC 5965). words: how its text begins. is_answer: a person's machine wrote it
    (away, challenge), not a mail server.
    """

    failures: Sequence[Failure] = ()
    feedback: str = ""
    words: str = ""
    is_report: bool = False
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """status: the code that decided, or "". words: of the other side, not yet cleaned."""

    verdict: Verdict
    status: str = ""
    words: str = ""


_CODE = re.compile(r"(?<![\d.])([245])[.](\d{1,3})[.](\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
_GONE_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"})
_OUR_ADDRESS = frozenset({"5.1.7", "5.1.8"})  # the sender's: RFC 3463
_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "complaint"})
_GONE = re.compile(
    r"user unknown|unknown (user|recipient|local)|no such (user|person|mailbox|recipient|address)"
    r"|do(es)?(n['’]t| not) exist|recipient (not found|unknown)|no mailbox here|mailbox not found"
    r"|invalid (recipient|mailbox)|recipientnotfound|not our customer"
    r"|account (\S+ ){0,4}(disabled|inactive|deleted)|(host|domain name) not found|unrouteable"
    r"|no longer (in use|available)|(utilisateur|destinataire|adresse|bo[iî]te) (inconnue?|inexistante?)|n['’]existe (pas|plus)",
    re.IGNORECASE,
)
_VETO = re.compile(
    r"full|quota|over.?limit|exceed|spam|block|black.?list|reputation|policy|denied|\bspf\b|dkim|dmarc|\bptr\b|reverse"
    r"|relay|\brate\b|throttl|too many|\bloop|virus|content|\bsize\b|gr[ea]y.?list|temporar|pleine|pourriel|dépass",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"undeliver|could ?n[o'’]t be delivered|could not deliver|was not delivered|delivery.{0,30}fail|returned mail"
    r"|permanent (fatal )?error|giving up|non remis|n['’]a pas pu être (remis|livré)",
    re.IGNORECASE,
)
_LOOKED_AT = 3000


def finding(report: Report, *, address: str = "") -> Finding | None:
    """None: nothing that a program may act on. address: whom the letter went to, to choose among several recipients."""
    if report.feedback:
        return Finding(Verdict.COMPLAINT) if report.feedback.lower() in _COMPLAINTS else None
    if report.failures:
        return _of_failure(_whose(report.failures, address))
    if report.is_answer:
        return None
    return _of_words(report.words[:_LOOKED_AT], is_report=report.is_report)


def finding_of_reply(code: int, words: str) -> Finding | None:
    """The same of a mail server's own no, at the moment of sending: the surest form."""
    if not 500 <= code < 600:
        return None
    return _judged(_code_in(words) or "5.0.0", words)


def _whose(failures: Sequence[Failure], address: str) -> Failure:
    failed = [one for one in failures if one.action in {"failed", ""}]
    theirs = [one for one in failures if address and address.casefold() in one.recipients]
    return next(iter([*theirs, *failed]), failures[0])


def _of_failure(one: Failure) -> Finding | None:
    if one.action not in {"failed", ""}:
        return None  # delayed, relayed, expanded, delivered
    status = _code_in(one.diagnostic) or _code_in(one.status)
    reply = _REPLY.search(one.diagnostic)
    status = status or (f"{reply[1]}.0.0" if reply else "")
    return _judged(status, one.diagnostic) if status or one.diagnostic else None


def _of_words(words: str, *, is_report: bool) -> Finding | None:
    """A report in prose: it must say that it is one."""
    if not is_report and not _FAILED.search(words):
        return None
    reply = _REPLY.search(words)
    status = _code_in(words) or (f"{reply[1]}.0.0" if reply else "")
    gone = _GONE.search(words)
    if not status and gone is None:
        return Finding(Verdict.SOFT, "", "") if is_report else None
    around = words[max(0, gone.start() - 80) : gone.end() + 80] if gone else ""
    return _judged(status or "5.0.0", " ".join(words.split()), around=around)


def _judged(status: str, words: str, *, around: str = "") -> Finding:
    """around: where the decisive words stand, if only a part of `words` is to be asked for a veto."""
    kind = status.split(".")
    if status.startswith("5") and (kind[1] == "7" or status in _OUR_ADDRESS):
        return Finding(Verdict.OURS, status, words)
    may_be_gone = status in _GONE_CODES or (status.startswith("5") and _GONE.search(words) is not None)
    if may_be_gone and not _VETO.search(around or words):
        return Finding(Verdict.HARD, status, words)
    return Finding(Verdict.SOFT, status, words)


def _code_in(text: str) -> str:
    """The enhanced code (RFC 3463) in it; "" when there is none."""
    found = _CODE.search(text)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def is_harder(fresh: Verdict, known: Verdict | None) -> bool:
    """Of several reports about one letter the gravest counts, once."""
    return known is None or RANK.index(fresh) > RANK.index(known)


def has_failed(history: Sequence[Verdict | None]) -> bool:
    """Whether an address has failed for good. history: one a letter, the newest first; None: it arrived.

    Counted in issues, not in days: a monthly letter has few chances. A bad day is forgotten by the next letter that arrives.
    """
    if sum(one is Verdict.HARD for one in history[:SOFT_AMONG]) >= HARD_ISSUES:
        return True
    in_a_row = 0
    for one in history[:SOFT_AMONG]:
        if one is None:
            break
        in_a_row += one in {Verdict.SOFT, Verdict.HARD}
    return in_a_row >= SOFT_ISSUES


def is_storm(failed: int, *, letters: int) -> bool:
    """Of all letters of an issue."""
    return failed >= STORM_LEAST and failed >= letters * STORM_SHARE


def is_local_storm(failed: int, *, letters: int) -> bool:
    """Of its letters to one mail domain."""
    return failed >= LOCAL_LEAST and failed >= letters * LOCAL_SHARE
