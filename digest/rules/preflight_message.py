"""Preflight of the message: subject, preheader, headers, size, links that the law asks for. Faults out, nothing mended."""

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from math import ceil

from digest.rules.proof import Fault, Proof, Severity, is_private
from digest.words import Words

SUBJECT_LEAST, SUBJECT_MOST = 10, 60
PREHEADER_LEAST, PREHEADER_MOST = 40, 110
_BEYOND_ASCII = bytes(range(127, 256))
SIZE_WARNS, SIZE_BLOCKS = (
    80_000,
    100_000,
)  # Gmail clips near 102 KB of source and hides the foot of the letter
HEAD_CSS_MOST = 15_000
AUDIENCE_DIFFERS = 0.20  # a fifth more or fewer than last time: an import, or a fault
LEAVE_MARK, SETTINGS_MARK = (
    re.compile(r"slot-unsubscribe-[0-9a-f]{24}"),
    re.compile(r"slot-preferences-[0-9a-f]{24}"),
)
_LEFT_OVER = re.compile(
    r"\{\{|\}\}|\{%|%\}|\bundefined\b|\bNone\b|\bTOKEN\b|\bTODO\b|\blorem\b", re.IGNORECASE
)
_CASED = re.compile(r"^(None|TOKEN|TODO)$")
_CONTROLS = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd\ud800-\udfff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


def subj_empty(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        if not edition.subject.strip():
            yield Fault(where="subject", language=language)


def subj_len(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        count = len(edition.subject)
        if edition.subject.strip() and not SUBJECT_LEAST <= count <= SUBJECT_MOST:
            yield Fault(where="theme", language=language, slots={"n": count})


def pre_len(proof: Proof) -> Iterator[Fault]:
    for language in proof.editions:
        count = len(_preheader(proof, language))
        if not PREHEADER_LEAST <= count <= PREHEADER_MOST:
            yield Fault(where="preheader", language=language, slots={"n": count})


def pre_dup(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        preheader = _preheader(proof, language)[:20].casefold()
        if preheader and edition.subject.casefold().startswith(preheader):
            yield Fault(where="preheader", language=language)


def from_align(proof: Proof) -> Iterator[Fault]:
    for language, headers in _headers(proof):
        sender = re.search(r"^From: .*?@([A-Za-z0-9.-]+)>?$", headers.replace("\n ", " "), re.MULTILINE)
        if sender is None or sender.group(1).casefold() != proof.config.list.domain.casefold():
            yield Fault(where="config:list.from", language=language)


def reply(proof: Proof) -> Iterator[Fault]:
    for language, headers in _headers(proof):
        if not re.search(r"^Reply-To: .*@", headers.replace("\n ", " "), re.MULTILINE):
            yield Fault(where="config:list.reply_to", language=language)


def lu_headers(proof: Proof) -> Iterator[Fault]:
    for language, headers in _headers(proof):
        for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"):
            if not re.search(rf"^{name}:", headers, re.MULTILINE):
                yield Fault(where="template", language=language, slots={"name": name})
    if not proof.config.list.url.startswith("https://"):
        yield Fault(where="config:list.url", severity=proof.leaving(), sentence="https")


def unsub_link(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        links = [a for a in proof.pages[language].all("a") if LEAVE_MARK.fullmatch(a.attrs.get("href", ""))]
        if not any(a.words.strip() for a in links) or not LEAVE_MARK.search(edition.text):
            yield Fault(where="template", language=language)


def addr(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        known = [proof.config.list.postal_address.in_(one).strip() for one in edition.reading.languages]
        page = proof.pages[language]
        if not all(one and one in page.words and _holds(edition.text, one) for one in known):
            yield Fault(where="config:list.postal_address", language=language, severity=proof.leaving())


def token_left(proof: Proof) -> Iterator[Fault]:
    """Remnants of templates and placeholders. What an item itself says is its own affair; an editor's words are ours."""
    theirs = [
        t
        for p in proof.placed
        for t in (p.item.title, p.item.summary, p.item.author or "", p.item.source)
        if t
    ]
    for language, edition in proof.editions.items():
        printed = {"template": f"{proof.pages[language].words} {edition.subject} {edition.text}"}
        for text in sorted(theirs, key=len, reverse=True):
            printed["template"] = printed["template"].replace(" ".join(text.split()), " ")
        for match in _LEFT_OVER.finditer(_without_wrapping(printed["template"], theirs)):
            word = match.group()
            if word.casefold() not in {"none", "token", "todo"} or _CASED.match(word):
                yield Fault(where="template", language=language, slots={"what": word})
                break


def size(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        bytes_ = source_bytes(edition.html)
        if bytes_ >= SIZE_WARNS:
            blocks = bytes_ > SIZE_BLOCKS
            over = max(1, bytes_ - (SIZE_BLOCKS if blocks else SIZE_WARNS))
            items = max(1, ceil(over * len(proof.placed) / bytes_))
            yield Fault(language=language, slots={"n": bytes_ // 1000, "items": items},
                        severity=Severity.BLOCK if blocks else Severity.WARN)  # fmt: skip
    yield from _halves_shortened(proof)


def _halves_shortened(proof: Proof) -> Iterator[Fault]:
    """Letters in both languages of which the press shortened the second half, because they would have been cut off."""
    for key, edition in proof.editions.items():
        if (
            edition.reading.is_both
            and Words(edition.reading.languages[1])("letter.short_half_link") in edition.text
        ):
            yield Fault(language=key, severity=Severity.INFO, sentence="short")


def headcss(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        css = page.head_css
        if len(css) > HEAD_CSS_MOST or "prefers-color-scheme" not in css:
            yield Fault(where="template", language=language, slots={"n": len(css)})


def c1(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        for text in (edition.subject, edition.html, edition.text):
            found = _CONTROLS.search(text) or _BIDI.search(text)
            if found:
                yield Fault(
                    where="template", language=language, slots={"what": f"U+{ord(found.group()):04X}"}
                )
                break


def audience(proof: Proof) -> Iterator[Fault]:
    if proof.readers == 0:
        yield Fault(severity=proof.leaving())
    last = proof.evidence.last_audience
    if last and proof.readers and abs(proof.readers - last) / last > AUDIENCE_DIFFERS:
        slots = {"n": proof.readers, "last": last}
        yield Fault(severity=Severity.WARN, sentence="change", slots=slots)


def links_home(proof: Proof) -> Iterator[Fault]:
    if is_private(proof.config.list.url):
        yield Fault(where="config:list.url", severity=proof.leaving(), slots={"url": proof.config.list.url})


def approval(proof: Proof) -> Iterator[Fault]:
    """The letters are the very ones that were printed and, once approved, the very ones that were approved."""
    for key, one in proof.editions.items():
        if content_hash(html=one.html, text=one.text, letter=one.letter) != one.sha256:
            yield Fault(language=key)
    if proof.evidence.frozen is not None and proof.issue.hash not in {None, proof.evidence.frozen}:
        yield Fault(sentence="other")


def content_hash(*, html: str, text: str, letter: bytes) -> str:
    """What names an edition: of all that readers get of it."""
    return sha256(
        b"\0".join([html.encode(errors="surrogatepass"), text.encode(errors="surrogatepass"), letter])
    ).hexdigest()


def source_bytes(html: str) -> int:
    """Bytes of the HTML as it travels: quoted-printable, with links of 200 characters in its slots."""
    filled = SETTINGS_MARK.sub("x" * 200, LEAVE_MARK.sub("x" * 200, html))
    data = filled.encode("utf-8")
    beyond = len(data) - len(data.translate(None, _BEYOND_ASCII))
    coded = len(data) + 2 * (data.count(b"=") + beyond) + data.count(b"\n")
    return coded + 3 * (coded // 73)


def _headers(proof: Proof) -> Iterator[tuple[str, str]]:
    """The header lines inside the compiled letter, as far as they are static or name a slot's header."""
    for language, edition in proof.editions.items():
        static = edition.letter.partition(b"MIME-Version:")[0].decode("ascii", "replace")
        names = re.findall(r"(?m)^(?:To: )?.*$", static)
        text = "\n".join(names).replace("\r", "")
        yield language, re.sub(r"(To|Date|Message-ID|List-Unsubscribe): (?=\n|$)", r"\1: ", text)


def _preheader(proof: Proof, language: str) -> str:
    hidden = [e for e in proof.pages[language].all("div") if "preheader" in e.classes]
    text = unescape(hidden[0].words) if hidden else ""
    return re.sub("[\u034f\u200c\u00a0\\s]+$", "", text).strip()


def _holds(text: str, wanted: str) -> bool:
    return " ".join(wanted.split()) in " ".join(text.split())


def _without_wrapping(printed: str, theirs: list[str]) -> str:
    """The text part breaks their words over lines: they are taken out of it a second time, with its breaks undone."""
    flat = " ".join(printed.split())
    for text in sorted(theirs, key=len, reverse=True):
        flat = flat.replace(" ".join(text.split()), " ")
    return flat
