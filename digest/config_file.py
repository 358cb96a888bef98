"""Reading config.toml: one file in, one Config out, or one ConfigError that says what to mend. Never a traceback."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from digest.config import Config
from digest.config_faults import nearest, sentences
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
        raise ConfigError("\n".join(sentences(error, path, variables))) from error
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
                f"The environment variable {variable} names no table of config.toml.{nearest(part.lower(), parts)}"
            )
