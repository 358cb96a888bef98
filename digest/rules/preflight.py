"""Preflight: every check of an issue before it is approved. Pure, and honest: what did not run is never said to pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.config import Config
from digest.model import Edition, Issue, Language
from digest.rules import preflight_items as items
from digest.rules import preflight_message as message
from digest.rules import preflight_page as page
from digest.rules.proof import Check, CheckOutcome, Fault, Proof, Severity
from digest.words import Words

__all__ = ["RULES", "Check", "CheckOutcome", "Rule", "Severity", "blocking", "check"]

FAULTS_TOLD = 20  # of one rule; more of the same would hide the others


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. find: its faults, none when all is well; None when it needs the network or a tool we do not call."""

    id: str
    severity: Severity
    find: Callable[[Proof], Iterator[Fault]] | None


_B, _W, _I = Severity.BLOCK, Severity.WARN, Severity.INFO
RULES: tuple[Rule, ...] = (
    Rule("subj-empty", _B, message.subj_empty),
    Rule("subj-len", _W, message.subj_len),
    Rule("subj-repeat", _W, None),
    Rule("pre-len", _W, message.pre_len),
    Rule("pre-dup", _W, message.pre_dup),
    Rule("from-align", _B, message.from_align),
    Rule("reply", _B, message.reply),
    Rule("lu-headers", _B, message.lu_headers),
    Rule("unsub-link", _B, message.unsub_link),
    Rule("addr", _B, message.addr),
    Rule("token-left", _B, message.token_left),
    Rule("size", _W, message.size),
    Rule("headcss", _B, message.headcss),
    Rule("c1", _B, message.c1),
    Rule("audience", _B, message.audience),
    Rule("links-home", _B, message.links_home),
    Rule("html-parse", _B, page.html_parse),
    Rule("lang-dir", _B, page.lang_dir),
    Rule("table-role", _B, page.table_role),
    Rule("heading", _B, page.heading),
    Rule("alt", _B, page.alt),
    Rule("img", _W, page.img),
    Rule("remote", _B, page.remote),
    Rule("link-text", _W, page.link_text),
    Rule("link-scheme", _B, page.link_scheme),
    Rule("link-http", _W, page.link_http),
    Rule("link-live", _W, None),
    Rule("link-track", _W, page.link_track),
    Rule("link-dup", _W, page.link_dup),
    Rule("item-repeat", _W, None),
    Rule("contrast", _B, page.contrast),
    Rule("underline", _B, page.underline),
    Rule("font-min", _B, page.font_min),
    Rule("cie", _W, None),
    Rule("ev-past", _B, items.ev_past),
    Rule("ev-window", _W, items.ev_window),
    Rule("ev-tz", _B, items.ev_tz),
    Rule("ev-doubt", _W, items.ev_doubt),
    Rule("ev-place", _W, items.ev_place),
    Rule("ev-cancelled", _W, items.ev_cancelled),
    Rule("ev-cancel", _B, None),
    Rule("changed", _W, items.changed),
    Rule("item-title", _B, items.item_title),
    Rule("note", _W, items.note),
    Rule("fr-parity", _W, items.fr_parity),
    Rule("fr-typo", _W, items.fr_typo),
    Rule("count", _W, items.count),
    Rule("mix", _W, items.mix),
    Rule("blurb", _W, items.blurb),
    Rule("text-parity", _B, items.text_parity),
    Rule("spam", _W, None),
    Rule("auth", _W, None),
    Rule("test-sent", _W, None),
    Rule("reading", _I, items.reading),
)


def check(
    issue: Issue, editions: Mapping[Language, Edition], *, config: Config, now: datetime, readers: int,
    accepted: Mapping[str, str] | None = None,
) -> list[Check]:  # fmt: skip
    """All rules over what would be frozen, in the order of RULES; one line per fault, one line for a rule without.

    readers: how many confirmed readers there are. accepted: rule id to "who: why", for warnings an editor lets pass.
    """
    proof = Proof(issue=issue, editions=editions, config=config, now=now, readers=readers)
    return [line for rule in RULES for line in _lines(rule, proof, accepted or {})]


def blocking(checks: Sequence[Check]) -> list[Check]:
    """Those that stop approval."""
    return [c for c in checks if c.severity is Severity.BLOCK and c.outcome is CheckOutcome.FAIL]


def _lines(rule: Rule, proof: Proof, accepted: Mapping[str, str]) -> Iterator[Check]:
    if rule.find is None:
        yield _line(rule, Fault(sentence="unchecked"), CheckOutcome.NOT_CHECKED)
        return
    faults = list(rule.find(proof))[:FAULTS_TOLD]
    if not faults:
        yield _line(rule, Fault(sentence="pass"), CheckOutcome.PASS)
    for fault in faults:
        severity = fault.severity or rule.severity
        if severity is Severity.INFO:
            yield _line(rule, fault, CheckOutcome.PASS)
        elif severity is Severity.WARN and rule.id in accepted:
            yield _line(rule, fault, CheckOutcome.ACCEPTED, note=accepted[rule.id])
        else:
            yield _line(rule, fault, CheckOutcome.FAIL)


def _line(rule: Rule, fault: Fault, outcome: CheckOutcome, *, note: str = "") -> Check:
    return Check(
        id=rule.id, severity=fault.severity or rule.severity, outcome=outcome, where=fault.where,
        language=fault.language, message_en=_sentence(rule, fault, Language.EN, note),
        message_fr=_sentence(rule, fault, Language.FR, note),
    )  # fmt: skip


def _sentence(rule: Rule, fault: Fault, language: Language, note: str) -> str:
    words = Words(language)
    room = f"preflight.{rule.id.replace('-', '_')}"
    text = words("preflight.not_checked", why=words(room)) if fault.sentence == "unchecked" else (
        words(f"{room}_{fault.sentence}", **fault.slots) if fault.sentence != "pass" or fault.slots else words(room)
    )  # fmt: skip
    if fault.language is not None:
        text = words(
            "preflight.in_edition", language=words(f"preflight.edition_{fault.language.value}"), text=text
        )
    return words("preflight.accepted", text=text, note=note) if note else text
