"""Every phrase that we say to people, in English and in French. A phrase that is missing in one language is a fault."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale

from digest.model import Language, PauseReason

ROOMS = ("letter", "mail", "web", "desk", "live", "preflight", "sources", "month", "sending", "you")


class Words:
    """The phrases of one language: `words("letter.events", n=3)`.

    Keys are `<room>.<key>`; the text may hold {slots}. A table with `one` and `other` is a plural and needs `n`,
    which is written as the language writes numbers. Raises KeyError for an unknown key or a missing slot.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **slots: Any) -> str:
        room, _, name = key.partition(".")
        phrase = phrases(room, self.language)[name]
        if not isinstance(phrase, str):
            count = slots["n"]
            phrase = phrase[_plural(self.language)(count)]
            slots = {**slots, "n": _number(count, self.language)}
        return str(phrase.format_map(slots) if slots else phrase)


def told(reason: PauseReason, language: Language) -> str:
    """Why sending paused, in one sentence. Its facts `phase` and `why` may be codes that have words of their own."""
    words = Words(language)

    def said(kind: str, fact: str | int) -> str | int:
        name, _, phase = str(fact).partition(" ")
        key = f"{kind}_{name}" if kind == "why" else f"{kind}_{fact}".replace(" ", "_")
        known = key in phrases("sending", language)
        return words(f"sending.{key}", phase=said("phase", phase)) if known else fact

    facts = {
        name: said(name, fact) if name in {"why", "phase"} else fact for name, fact in reason.facts.items()
    }
    return words(f"sending.{reason.code}", **facts)


@cache
def phrases(room: str, language: Language) -> Mapping[str, Any]:
    """All phrases of one room, read once from the package."""
    path = files("digest").joinpath("words", f"{room}.{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def _plural(language: Language) -> Any:
    rule = Locale.parse(f"{language}_CA").plural_form
    return lambda count: "one" if rule(count) == "one" else "other"


def _number(count: int, language: Language) -> str:
    separator = "\u00a0" if language is Language.FR else ","
    return f"{count:,}".replace(",", separator)
