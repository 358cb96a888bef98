"""What is wrong in config.toml, a sentence each: where it stands, what was read there, and what to write instead."""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from digest.config import Config

_PLAIN: dict[str, Callable[[Mapping[str, Any], Any], str]] = {
    "enum": lambda context, value: _not_among(value, context["expected"]),
    "literal_error": lambda context, value: _not_among(value, context["expected"]),
    "int_parsing": lambda _, value: f"{value!r} is not a whole number",
    "int_type": lambda _, value: f"{value!r} is not a whole number",
    "int_from_float": lambda _, value: f"{value!r} is not a whole number",
    "float_parsing": lambda _, value: f"{value!r} is not a number",
    "float_type": lambda _, value: f"{value!r} is not a number",
    "bool_parsing": lambda *_: "write true or false",
    "bool_type": lambda *_: "write true or false",
    "string_type": lambda _, value: f"{value!r} is no text; put it in quotes",
    "path_type": lambda _, value: f"{value!r} is no path; put it in quotes",
    "tuple_type": lambda *_: 'write a list, like ["one", "two"]',
    "list_type": lambda *_: 'write a list, like ["one", "two"]',
    "dict_type": lambda *_: "it is a table, not a single value",
    "model_type": lambda *_: "it is a table, not a single value",
    "model_attributes_type": lambda *_: "it is a table, not a single value",
    "too_short": lambda *_: "name at least one",
    "string_too_short": lambda *_: "it is empty",
    "greater_than": lambda context, value: f"{value!r} is too small; more than {context['gt']:g}",
    "greater_than_equal": lambda context, value: f"{value!r} is too small; {context['ge']:g} at least",
    "less_than": lambda context, value: f"{value!r} is too large; less than {context['lt']:g}",
    "less_than_equal": lambda context, value: f"{value!r} is too large; {context['le']:g} at most",
}  # fmt: skip
_SHAPES = {
    "[list] id": "it is written like digest.example.org: letters, digits and hyphens, with dots between",
    "[mail] dkim_selector": "it is written like digest2026: letters, digits and hyphens, dots between",
}


def sentences(error: ValidationError, path: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """One for each fault; a list is not called empty because what stands in it was refused."""
    faults = error.errors(include_url=False)
    for fault in faults:
        where = [str(step) for step in fault["loc"] if step not in {"bool", "tuple[str, ...]"}]
        if fault["type"] == "too_short" and any(_inside(other["loc"], fault["loc"]) for other in faults):
            continue
        spot, variable = _spot(where), _variable(where, environ)
        place = f"The environment variable {variable}" if variable else f"{path}"
        if fault["type"] == "extra_forbidden":
            yield f"{place}: {spot} is not a key I know.{nearest(where[-1], _keys_beside(where))}"
        elif fault["type"] == "missing":
            yield f"{place}: {spot} is missing."
        else:
            reason = _reason(fault, spot)
            yield f"{place}: {spot + ': ' if spot else ''}{reason}{'' if reason.endswith('?') else '.'}"


def nearest(word: str, words: list[str]) -> str:
    """` Did you mean "…"?`, or the list of what there is, or nothing."""
    close = get_close_matches(word, words, n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else (f" Known here: {', '.join(words)}." if words else "")


def _reason(fault: Mapping[str, Any], spot: str) -> str:
    """In the words of whoever wrote the file; what only the library can say keeps its words."""
    if fault["type"] == "string_pattern_mismatch":
        return _SHAPES.get(spot, f"{fault['input']!r} is no colour; write it like #1c5d48")
    if plain := _PLAIN.get(fault["type"]):
        return plain(fault.get("ctx", {}), fault["input"])
    message = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
    return message[:1].lower() + message[1:]


def _not_among(value: Any, expected: str) -> str:
    known = [word.strip("' ") for word in expected.replace(" or ", ",").split(",")]
    close = get_close_matches(str(value), known, n=1, cutoff=0.5)
    return f"{value!r} is none of {', '.join(known)}" + (f'. Did you mean "{close[0]}"?' if close else "")


def _inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _variable(where: list[str], environ: Mapping[str, str]) -> str | None:
    """The variable that a value came from: of the key itself, or of what holds it, written as JSON."""
    set_ = {name.upper(): name for name in environ}
    least = 1 if len(where) > 1 and where[1].isdigit() else min(2, len(where))
    for depth in range(len(where), least - 1, -1):
        name = "__".join(where[:depth]).upper()
        if depth and f"DIGEST_{name}" in set_:
            return set_[f"DIGEST_{name}"]
    return None


def _spot(where: list[str]) -> str:
    """`sources.2.url` is for programs; people read `[[sources]] number 3, url`, and `[list] languages, number 1`."""
    steps = [f"number {int(step) + 1}" if step.isdigit() else step for step in where]
    if len(where) >= 2 and where[1].isdigit():
        return ", ".join([f"[[{where[0]}]] {steps[1]}", *[".".join(where[2:])][: len(where) - 2]])
    if len(where) >= 2:
        return f"[{where[0]}] {'.'.join(steps[1:]).replace('.number ', ', number ')}"
    return f'"{where[0]}"' if where else ""


def _keys_beside(where: list[str]) -> list[str]:
    part: Any = Config
    for step in where[:-1]:
        if step.isdigit():
            continue
        field = part.model_fields.get(step) or next(
            (f for f in part.model_fields.values() if f.alias == step), None
        )
        if field is None:
            return []
        kinds = [
            k
            for k in (field.annotation, *get_args(field.annotation))
            if isinstance(k, type) and issubclass(k, BaseModel)
        ]
        if not kinds:
            return []
        part = kinds[0]
    return [field.alias or name for name, field in part.model_fields.items() if name != "home"]
