"""Words on a page of 72 columns, and words made safe to print. No markup, no language of ours."""

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache

URL = re.compile(r"https?://[^\s<>\"'«»“”]+[^\s<>\"'«»“”.,;:!?)\]}…]", re.IGNORECASE)
WIDTH = 72

# C0 and C1 controls, bidirectional overrides and isolates, lone surrogates, the replacement character: Gmail
# clips at C1 (hteumeuleu/email-bugs#41), and an unbalanced override turns the rest of a letter around.
_UNWANTED = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd\ufeff]"
)
_FRENCH = (
    (re.compile(r'"([^"\n]+)"'), "« \\1 »"), (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r" (?=[:;?!»])"), "\u00a0"), (re.compile(r"(?<=«) "), "\u00a0"),
)  # fmt: skip
_ADDRESS = re.compile(r"(\S+(?:://|@)\S+)")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a paragraph: plain words, or a link when `url` is there."""

    text: str
    url: str | None = None


def clean(text: str) -> str:
    """One line of plain words: controls gone, white space folded. No-break spaces stay."""
    return re.sub("[ \t\r\n\f\v\u2028\u2029]+", " ", _UNWANTED.sub("", text)).strip(" ")


def french(text: str) -> str:
    """French typography: no-break spaces where a plain space stood, curved apostrophes, « » for straight pairs. Web and mail
    addresses stay as they are."""
    parts = _ADDRESS.split(text)
    for pattern, put in _FRENCH:
        parts[::2] = [pattern.sub(put, part) for part in parts[::2]]
    return "".join(parts)


def paragraphs(text: str) -> tuple[tuple[Run, ...], ...]:
    """An editor's plain words: a blank line parts paragraphs, addresses become links. Never a template."""
    blocks = (clean(block) for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return tuple(_runs(block) for block in blocks if block)


def _runs(block: str) -> tuple[Run, ...]:
    found: list[Run] = []
    end = 0
    for match in URL.finditer(block):
        if match.start() > end:
            found.append(Run(block[end : match.start()]))
        found.append(Run(match.group().split("://", 1)[1].rstrip("/"), match.group()))
        end = match.end()
    if end < len(block):
        found.append(Run(block[end:]))
    return tuple(found)


def told(paragraph: tuple[Run, ...]) -> str:
    """A paragraph as plain words, with whole addresses."""
    return "".join(run.url or run.text for run in paragraph)


def words_in(text: str) -> int:
    return len(text.split())


def shorten(text: str, *, most: int) -> str:
    """At most `most` characters, cut between words, with an ellipsis when something was left out."""
    if len(text) <= most:
        return text
    cut = text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.–—\u00a0")
    return f"{cut}…"


@lru_cache(maxsize=4096)
def wrap(text: str, *, indent: str = "", hang: str = "", width: int = WIDTH) -> str:
    """Hard-wrapped text. A web address stands alone on its line and is never broken or shortened."""
    lines: list[str] = []
    end = 0
    for match in URL.finditer(text):
        lines += _wrap(text[end : match.start()].strip(" "), indent if not lines else hang, hang, width)
        lines.append((indent if not lines else hang) + match.group())
        end = match.end()
    lines += _wrap(text[end:].strip(" "), indent if not lines else hang, hang, width)
    return "\n".join(lines)


def _wrap(text: str, indent: str, hang: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=hang, break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip


def attribute(text: str) -> str:
    """Words for an attribute. HTML needs no escape for angles there, but Word looks for <![endif]--> everywhere."""
    return text.replace("<", "‹").replace(">", "›")


def leader(text: str, count: str) -> str:
    """A row of a table: dots lead to the number, in 48 columns."""
    return f"{text} {'.' * max(3, 46 - len(text) - len(count))} {count}"


def rule(text: str, mark: str = "-") -> str:
    """A heading with its line below, no longer than 40 signs."""
    return f"{text}\n{mark * min(len(text), 40)}"
