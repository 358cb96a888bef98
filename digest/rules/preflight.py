"""Preflight: every check of an issue before it is approved. Pure, and honest: what did not run is never said to pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from babel.dates import format_date

from digest.config import Config
from digest.model import Edition, Issue, Language, Period
from digest.rules import preflight_calendar as calendar
from digest.rules import preflight_clients as clients
from digest.rules import preflight_items as items
from digest.rules import preflight_links as links
from digest.rules import preflight_message as message
from digest.rules import preflight_outside as outside
from digest.rules import preflight_page as page
from digest.rules import preflight_pictures as pictures
from digest.rules.proof import Acceptance, Check, CheckOutcome, Evidence, Fault, Proof, Severity
from digest.words import Words

__all__ = [
    "RULES",
    "Acceptance",
    "Check",
    "CheckOutcome",
    "Evidence",
    "Rule",
    "Severity",
    "blocking",
    "check",
    "mark",
]

FAULTS_TOLD = 20  # of one rule; more of the same would hide the others


@dataclass(frozen=True, slots=True)
class Rule:
    """One check. find: its faults, none when all is well; one that begins with "unchecked" when it could not run."""

    id: str
    severity: Severity
    find: Callable[[Proof], Iterator[Fault]]


# What can be wrong with one print alone; the other rules ask of the issue, and their answer is the same for every print of it.
OF_PRINT = frozenset({
    "subj-empty", "from-align", "reply", "lu-headers", "unsub-link", "addr", "token-left", "size", "headcss", "c1",
    "html-parse", "lang-dir", "table-role", "heading", "alt", "img", "remote", "link-text", "link-scheme", "contrast",
    "underline", "font-min", "cie", "text-parity", "approval",
})  # fmt: skip
_B, _W, _I = Severity.BLOCK, Severity.WARN, Severity.INFO
RULES: tuple[Rule, ...] = (
    Rule("subj-empty", _B, message.subj_empty),
    Rule("subj-len", _W, message.subj_len),
    Rule("subj-repeat", _W, outside.subj_repeat),
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
    Rule("alt", _B, pictures.alt),
    Rule("img", _W, pictures.img),
    Rule("remote", _B, page.remote),
    Rule("link-text", _W, links.link_text),
    Rule("link-scheme", _B, links.link_scheme),
    Rule("link-http", _W, links.link_http),
    Rule("link-live", _W, outside.link_live),
    Rule("link-track", _W, links.link_track),
    Rule("link-dup", _W, links.link_dup),
    Rule("item-repeat", _W, outside.item_repeat),
    Rule("contrast", _B, page.contrast),
    Rule("underline", _B, page.underline),
    Rule("font-min", _B, page.font_min),
    Rule("cie", _W, clients.cie),
    Rule("ev-past", _B, items.ev_past),
    Rule("ev-window", _W, items.ev_window),
    Rule("ev-tz", _B, items.ev_tz),
    Rule("ev-ics", _B, calendar.ev_ics),
    Rule("ev-doubt", _W, items.ev_doubt),
    Rule("ev-place", _W, items.ev_place),
    Rule("ev-cancelled", _W, items.ev_cancelled),
    Rule("ev-cancel", _B, outside.ev_cancel),
    Rule("changed", _W, items.changed),
    Rule("item-title", _B, items.item_title),
    Rule("note", _W, items.note),
    Rule("fr-parity", _W, items.fr_parity),
    Rule("fr-typo", _W, items.fr_typo),
    Rule("count", _W, items.count),
    Rule("mix", _W, items.mix),
    Rule("pulse-k", _B, items.pulse_k),
    Rule("people-gone", _B, items.people_gone),
    Rule("blurb", _W, items.blurb),
    Rule("text-parity", _B, items.text_parity),
    Rule("spam", _W, outside.spam),
    Rule("auth", _W, outside.auth),
    Rule("test-sent", _W, outside.test_sent),
    Rule("approval", _B, message.approval),
    Rule("reading", _I, items.reading),
)


def check(
    issue: Issue, editions: Mapping[str, Edition], *, config: Config, now: datetime, readers: int,
    evidence: Evidence | None = None, accepted: Mapping[str, Acceptance] | None = None,
) -> list[Check]:  # fmt: skip
    """All rules over what would be frozen, in the order of RULES; one line per fault, one line for a rule without.

    readers: how many confirmed readers there are. evidence: what was looked up for it; what was not is "not checked".
    accepted: rule id to who lets its warnings pass; it holds for the faults that were there then, never for a block.
    """
    proof = Proof(
        issue=issue,
        editions=editions,
        config=config,
        now=now,
        readers=readers,
        evidence=evidence or Evidence(),
    )
    return [line for rule in RULES for line in _accepted(list(_lines(rule, proof)), accepted or {})]


def print_faults(
    issue: Issue, editions: Mapping[str, Edition], *, config: Config, now: datetime
) -> list[Check]:
    """What would stop these prints, which no editor has seen: those of a zone or a cut. issue: what they were printed from."""
    proof = Proof(issue=issue, editions=editions, config=config, now=now, readers=1)
    return blocking([line for rule in RULES if rule.id in OF_PRINT for line in _lines(rule, proof)])


def blocking(checks: Sequence[Check]) -> list[Check]:
    """Those that stop approval."""
    return [c for c in checks if c.severity is Severity.BLOCK and c.outcome is CheckOutcome.FAIL]


def mark(checks: Sequence[Check]) -> str:
    """What names the warnings of one rule as they are now: an acceptance carries it, so it lapses with the next fault."""
    told = sorted(f"{c.id}|{c.where}|{c.language or ''}|{c.message_en}" for c in checks if _can_pass(c))
    return sha256("\n".join(told).encode()).hexdigest() if told else ""


def _can_pass(check: Check) -> bool:
    return check.severity is Severity.WARN and check.outcome is CheckOutcome.FAIL


def _accepted(lines: list[Check], accepted: Mapping[str, Acceptance]) -> list[Check]:
    """The lines of one rule, its warnings let pass if somebody said so of these very ones."""
    word = accepted.get(lines[0].id)
    if word is None or word.mark != mark(lines):
        return lines
    note = f"{word.by}: {word.why}"
    return [
        replace(
            line, outcome=CheckOutcome.ACCEPTED,
            message_en=Words(Language.EN)("preflight.accepted", text=line.message_en, note=note),
            message_fr=Words(Language.FR)("preflight.accepted", text=line.message_fr, note=note),
        ) if _can_pass(line) else line
        for line in lines
    ]  # fmt: skip


def _lines(rule: Rule, proof: Proof) -> Iterator[Check]:
    faults = list(rule.find(proof))[:FAULTS_TOLD]
    if not faults:
        yield _line(rule, Fault(sentence="pass"), CheckOutcome.PASS)
    for fault in faults:
        severity = fault.severity or rule.severity
        if fault.sentence.startswith("unchecked"):
            yield _line(rule, fault, CheckOutcome.NOT_CHECKED)
        else:
            yield _line(rule, fault, CheckOutcome.PASS if severity is Severity.INFO else CheckOutcome.FAIL)


def _line(rule: Rule, fault: Fault, outcome: CheckOutcome) -> Check:
    return Check(
        id=rule.id, severity=fault.severity or rule.severity, outcome=outcome, where=fault.where,
        language=fault.language, message_en=_sentence(rule, fault, Language.EN),
        message_fr=_sentence(rule, fault, Language.FR),
    )  # fmt: skip


def _told(value: object, language: Language) -> object:
    """A slot as people say it: a month by its name, what has a name in each language by that of this one."""
    if isinstance(value, Period):
        return format_date(date(value.year, value.month, 1), "MMMM y", locale=f"{language}_CA")
    if isinstance(value, date):
        return format_date(value, "d MMMM", locale=f"{language}_CA")
    return value[language] if isinstance(value, Mapping) else value


def _sentence(rule: Rule, fault: Fault, language: Language) -> str:
    words = Words(language)
    room = f"preflight.{rule.id.replace('-', '_')}"
    plain = fault.sentence == "pass" and not fault.slots
    slots = {name: _told(value, language) for name, value in fault.slots.items()}
    text = words(room) if plain else words(f"{room}_{fault.sentence}", **slots)
    if fault.sentence.startswith("unchecked"):
        text = words("preflight.not_checked", why=text)
    if fault.language is not None:
        text = words("preflight.in_edition", language=_named(fault.language, words), text=text)
    return text


def _named(key: str, words: Words) -> str:
    """An edition's key (model Edition.key) in words: "French", "Both, English first, recap, America/Halifax"."""
    rest, _, zone = key.partition("@")
    reading, _, cut = rest.partition("#")
    told = [words(f"preflight.edition_{reading.replace('+', '_')}")]
    told += [words(f"preflight.cut_{one.replace('-', '_')}") for one in cut.split("+") if one]
    return ", ".join([*told, *([zone] if zone else [])])
