"""One line a deed of the sender, for machines and for people who search: `act=pause issue=2026-11 …`. Never an address."""

import logging
import re

_ADDRESS = re.compile(r"[^\s<>\"]+@[^\s<>\"]+")
_LOG = logging.getLogger("digest.send")


def act(name: str, *, level: int = logging.INFO, **facts: object) -> None:
    """What was done, then what is known of it, in the order given. Unknown (None) and empty facts are left out."""
    if not _LOG.isEnabledFor(level):
        return
    told = [f"{key}={_value(value)}" for key, value in facts.items() if value is not None and value != ""]
    _LOG.log(level, "%s", " ".join([f"act={name}", *told]))


def _value(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else _ADDRESS.sub("(address)", str(value))
    if text and all(sign.isalnum() or sign in "-_.:+/" for sign in text):
        return text
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
