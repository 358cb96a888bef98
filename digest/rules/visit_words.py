"""What a visit to a source was told, in a reader's language: the visit's own English sentence is recognised. Never guesses."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from digest.model import Language
from digest.words import Words

_SAID = (
    "empty", "announces", "page", "neither", "pdf", "json", "no_page", "refused", "status", "gone", "slower", "slow",
    "broke_off", "no_host", "human",
)  # fmt: skip
_SLOTS: Mapping[str, str] = MappingProxyType(
    {"url": r"\S+", "host": r"\S+", "status": r"\d{3}", "who": r".{1,300}"}
)


def in_words(message: str | None, kind: str, words: Words) -> str:
    """As exactly as the visit put it, where that sentence is known; else by the sort of failure."""
    for name, pattern in _patterns():
        if found := pattern.fullmatch(message or ""):
            return words(f"sources.said_{name}", **found.groupdict())
    return words(f"sources.error_{kind.replace('-', '_')}")


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    english = Words(Language.EN)
    made = []
    for name in _SAID:
        sentence = re.escape(english(f"sources.said_{name}", **{slot: f"<{slot}>" for slot in _SLOTS}))
        for slot, pattern in _SLOTS.items():
            sentence = sentence.replace(f"<{slot}>", f"(?P<{slot}>{pattern})")
        made.append((name, re.compile(sentence)))
    return tuple(made)
