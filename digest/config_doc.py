"""docs/configuration.md, written from the descriptions in config.py: `python -m digest.config_doc`. Pure but for printing."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from digest.config import Config
from digest.config_shapes import Part, Texts

_HEAD = """# Configuration
<!-- Written by `make docs` from digest/config.py; change the descriptions there. -->
One file, `config.toml`, beside which the database and the caught letters lie; `digest --config FILE` or
`DIGEST_CONFIG` names another.
Every key has a default, so the smallest useful file names the list and its sources. A key that is not listed here is an error
that names the nearest one that is. After a change, restart `digest serve`; `digest check` says whether the file is understood.

**Environment.** `DIGEST_<TABLE>__<KEY>` wins over the file: `DIGEST_LIST__URL=https://letter.example.org`,
`DIGEST_MAIL__PORT=2525`.
A list is written as JSON: `DIGEST_LIST__LANGUAGES='["en","fr"]'`.

**Secrets** never stand in the file: the mail password is `DIGEST_MAIL__PASSWORD` or a `password_file`; the key that signs
links is made at the first run, beside the database.

**Texts** exist once per language: `name.en = "…"`, `name.fr = "…"`; a plain string stands for both.
"""


def document() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, *_tables()]).rstrip() + "\n"


def settings() -> list[str]:
    """Every key, `table.key`, as config.toml spells it."""
    return [
        f"{table}.{_key(name, field)}"
        for table, part in _parts()
        for name, field in part.model_fields.items()
    ]


def _parts(within: type[BaseModel] = Config, *, above: str = "") -> Iterator[tuple[str, type[Part]]]:
    """Every table with its name, `mail.relay` after `mail`."""
    for name, field in within.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Part) and kind is not Texts:
                yield f"{above}{name}", kind
                yield from _parts(kind, above=f"{above}{name}.")


def _tables() -> Iterator[str]:
    for table, part in _parts():
        many = _is_list(table)
        yield f"## `{f'[[{table}]]' if many else f'[{table}]'}`"
        yield f"{(part.__doc__ or '').strip()}{' Once for each.' if many else ''}\n"
        yield "| key | value | default | what it says |\n| --- | --- | --- | --- |"
        for name, field in part.model_fields.items():
            cells = (
                f"`{_key(name, field)}`",
                _value(field.annotation),
                _default(field),
                field.description or "",
            )
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""


def _is_list(table: str) -> bool:
    *above, last = table.split(".")
    within: Any = Config
    for name in above:
        within = within.model_fields[name].annotation
    return get_origin(within.model_fields[last].annotation) is tuple


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _value(kind: Any) -> str:
    """A type in words."""
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    choices = [part for part in get_args(kind) if part not in {type(None), Ellipsis}]
    if get_origin(kind) is dict:
        return f"table of {_value(choices[1])}"
    if get_origin(kind) is tuple:
        return f"list of {_value(choices[0])}"
    if choices:
        return " or ".join(dict.fromkeys(_value(choice) for choice in choices if not isinstance(choice, str)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    names = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path", SecretStr: "text",
             Texts: "text per language"}  # fmt: skip
    return names.get(kind, "text")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "must be given"
    if value is None or value in ((), "", {}):
        return "none"
    if isinstance(value, Texts):
        return " · ".join(f"`{text}`" for text in dict.fromkeys([value.en, value.fr]) if text) or "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{entry}"' for entry in value) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(document(), end="")
