"""Reading config.toml: one file in, one Config out, or one ConfigError that says what to mend. Never a traceback."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError

from digest.config import Config
from digest.errors import ConfigError


def read_config(path: Path, *, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of `path`, overridden by DIGEST_… variables. Raises ConfigError."""
    table = _table(path)
    _refuse_secrets(table, path)
    _refuse_unknown_variables(os.environ if environ is None else environ)
    home = path.absolute().parent
    try:
        return Config(**table, home=home)
    except ValidationError as error:
        variables = os.environ if environ is None else environ
        raise ConfigError("\n".join(_sentences(error, path, variables))) from error
    except SettingsError as error:
        raise ConfigError(
            "A DIGEST_… variable cannot be read: lists are written as JSON, for instance DIGEST_LIST__LANGUAGES='[\"en\"]'."
        ) from error


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"There is no {path}. Name another with --config, or copy the one of the README."
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: byte {error.start} cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error


def _refuse_secrets(table: Mapping[str, Any], path: Path) -> None:
    if "home" in table:
        raise ConfigError(f'{path}: there is no table or key "home".')
    mail = table.get("mail")
    webhook = table.get("webhook")
    if isinstance(webhook, Mapping) and "secret" in webhook:
        raise ConfigError(
            f"{path}: [webhook] secret does not belong in this file; "
            "set DIGEST_WEBHOOK__SECRET or name a secret_file."
        )
    if isinstance(mail, Mapping) and "password" in mail:
        raise ConfigError(
            f"{path}: [mail] password does not belong in this file; "
            "set DIGEST_MAIL__PASSWORD or name a password_file."
        )


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    parts = [name for name in Config.model_fields if name != "home"]
    for variable in environ:
        prefix, _, rest = variable.partition("_")
        part, nested, _ = rest.partition("__")
        if prefix == "DIGEST" and nested and part.lower() not in parts:
            raise ConfigError(
                f"The environment variable {variable} names no table of config.toml.{_nearest(part.lower(), parts)}"
            )


def _sentences(error: ValidationError, path: Path, environ: Mapping[str, str]) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        where = [str(step) for step in fault["loc"] if step not in {"bool", "tuple[str, ...]"}]
        spot, variable = _spot(where), _variable(where, environ)
        place = f"The environment variable {variable}" if variable else f"{path}"
        if fault["type"] == "extra_forbidden":
            yield f"{place}: {spot} is not a key I know.{_nearest(where[-1], _keys_beside(where))}"
        elif fault["type"] == "missing":
            yield f"{place}: {spot} is missing."
        else:
            message = _plain(fault["msg"].removeprefix("Value error, "))
            yield f"{place}: {spot + ': ' if spot else ''}{message[:1].lower() + message[1:]}."


def _variable(where: list[str], environ: Mapping[str, str]) -> str | None:
    """The variable that a value came from: of the key itself, or of what holds it, written as JSON."""
    set_ = {name.upper(): name for name in environ}
    least = 1 if len(where) > 1 and where[1].isdigit() else min(2, len(where))
    for depth in range(len(where), least - 1, -1):
        name = "__".join(where[:depth]).upper()
        if depth and f"DIGEST_{name}" in set_:
            return set_[f"DIGEST_{name}"]
    return None


def _plain(message: str) -> str:
    """The library's few sentences that only a programmer would understand, in plain words."""
    return (
        message.replace("Tuple should have", "It needs").replace(" after validation, not 0", "")
        .replace("String should match pattern '^#[0-9a-fA-F]{6}$'", "Write a colour like #1c5d48")
        .replace("String should match pattern '^#[0-9a-f]{6}$'", "Write a colour like #1c5d48")
        .rstrip(".")
    )  # fmt: skip


def _spot(where: list[str]) -> str:
    """`sources.2.url` is for programs; people read `[[sources]] number 3, url`."""
    if len(where) >= 2 and where[1].isdigit():
        return ", ".join(
            [f"[[{where[0]}]] number {int(where[1]) + 1}", *[".".join(where[2:])][: len(where) - 2]]
        )
    if len(where) >= 2:
        return f"[{where[0]}] {'.'.join(where[1:])}"
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


def _nearest(word: str, words: list[str]) -> str:
    close = get_close_matches(word, words, n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else (f" Known here: {', '.join(words)}." if words else "")
