"""A letter that comes in, read: bounded, never answered, never deleted. What it means is judged elsewhere."""

import os
from collections.abc import Callable
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from pathlib import Path

from digest.rules.inbound import Incoming
from digest.rules.text import plain_text

MOST_BYTES = 10 * 1024 * 1024
_LOOKED_AT = 64 * 1024
_MOST_PARTS = 50
_LONGEST_BODY = 10_000
_LONGEST_HEADER = 2_000  # what the library reads of addresses takes time by the square of their number
_MACHINES = {"bulk", "list", "junk", "auto_reply"}


class _Short(EmailPolicy):
    """Reads the beginning of a header only, in every part."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def incoming(data: bytes) -> Incoming:
    """The few things that are looked at. Whatever breaks the parser is a letter without any of them."""
    try:
        message = message_from_bytes(data[:_LOOKED_AT], policy=_Short())
        assert isinstance(message, EmailMessage)
        return Incoming(
            subject=_header(message, "Subject"), body=_body(message), is_automatic=_is_automatic(message),
            to=[_header(message, name) for name in ("Delivered-To", "X-Original-To", "To")],
            answers=[_header(message, name) for name in ("In-Reply-To", "References")],
        )  # fmt: skip
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError):
        return Incoming()


def _header(message: Message, name: str) -> str:
    return str(message.get(name, ""))[:_LONGEST_HEADER]


def _is_automatic(message: EmailMessage) -> bool:
    """RFC 3834, and what machines say without having read it."""
    automatic = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    return (
        automatic not in {"", "no"}
        or _header(message, "Precedence").strip().lower() in _MACHINES
        or _header(message, "Return-Path").strip() == "<>"
        or "X-Autoreply" in message
        or "X-Autorespond" in message
        or message.get_content_type() == "multipart/report"
    )


def _body(message: EmailMessage) -> str:
    """The first plain text, or the words of the first HTML."""
    markup = ""
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            break
        kind = part.get_content_type()
        if kind == "text/plain":
            return _decoded(part)
        if kind == "text/html" and not markup:
            markup = _decoded(part)
    return plain_text(markup)


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")[:_LONGEST_BODY]
    except LookupError:  # no such alphabet: English words are read all the same
        return raw.decode("utf-8", "replace")[:_LONGEST_BODY]


class Maildir:
    """New letters of a Maildir, each shown once and then moved among the seen ones, where people find it."""

    def __init__(self, folder: Path) -> None:
        self._new, self._cur = folder / "new", folder / "cur"

    def take(self, act: Callable[[bytes], bool], *, most: int = 500) -> int:
        """Hands each to `act`; what it acted on is marked as read. How many there were. A letter whose act fails stays new.

        A program that dies between the act and the move shows the letter again: acts must bear that.
        """
        taken = 0
        if not self._new.is_dir():
            return 0
        for path in sorted(self._new.iterdir())[:most]:
            if not path.is_file() or path.is_symlink() or path.stat().st_size > MOST_BYTES:
                continue
            acted = act(path.read_bytes())
            self._cur.mkdir(exist_ok=True)
            os.rename(path, self._cur / f"{path.name.partition(':2,')[0]}:2,{'S' if acted else ''}")
            taken += 1
        return taken
