"""What a visit to a source was told, in a reader's language: the visit's own English sentence is recognised. Never guesses."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from digest.model import Language, LeftOut, LeftOutWhy
from digest.words import Words, phrases

_SLOTS: Mapping[str, str] = MappingProxyType({
    "url": r"\S+", "host": r"\S+", "status": r"\d{3}", "fault": r"\w+", "scheme": r"[\w.+-]+", "port": r"\d+", "hops": r"\d+",
    "seconds": r"[\d.]+", "count": r"\d+", "size": r"[\d,]+", "kind": r".*", "known": r".*", "left": r".+", "what": r".*",
})  # fmt: skip


def in_words(message: str | None, kind: str, words: Words) -> str:
    """As exactly as the visit put it, where that sentence is known; else by the sort of failure."""
    return exactly_in_words(message, words) or words(f"sources.error_{kind.replace('-', '_')}")


def exactly_in_words(message: str | None, words: Words) -> str:
    """ "" for a sentence that nobody knows."""
    return _told(message or "", "said_", words)


def with_left_out(key: str, left_out: Sequence[LeftOut]) -> str:
    """`sources.said_<key>` as a visit says it, in English, with the first thing that could not be read and why."""
    words = Words(Language.EN)
    first = min(left_out, key=lambda one: one.why is LeftOutWhy.COUNTED)
    return words(f"sources.said_{key}", left=words(f"sources.left_{first.why}", what=first.what))


def _told(message: str, prefix: str, words: Words) -> str:
    for name, pattern in _patterns(prefix):
        if found := pattern.fullmatch(message):
            slots = found.groupdict()
            if "left" in slots:
                slots["left"] = _told(slots["left"], "left_", words)
            if "size" in slots and words.language is Language.FR:
                slots["size"] = slots["size"].replace(",", "\N{NO-BREAK SPACE}")
            return words(f"sources.{name}", **slots)
    return ""


@cache
def _patterns(prefix: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Of every sentence whose key begins so."""
    made = []
    for name, sentence in phrases("sources", Language.EN).items():
        if name.startswith(prefix) and isinstance(sentence, str):
            pattern = re.escape(sentence)
            for slot, shape in _SLOTS.items():
                pattern = pattern.replace(re.escape(f"{{{slot}}}"), f"(?P<{slot}>{shape})")
            made.append((name, re.compile(pattern)))
    return tuple(made)
