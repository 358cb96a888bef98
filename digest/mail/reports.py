"""A delivery report or a complaint, read: RFC 3464 and RFC 5965, or its first words. Hostile bytes; nothing is judged here."""

from collections.abc import Iterator
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.policy import Compat32

from digest.mail.replies import kept, unaddressed
from digest.rules.returned import Failure, Report

_LOOKED_AT = 512 * 1024
_MOST_PARTS = 60
_MOST_FAILURES = 50
_LONGEST = 2_000
_SERVERS = ("mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "mdaemon")
_FAULTS = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


class _Short(Compat32):
    """Reads the beginning of a header only, in every part."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST]


def report(data: bytes) -> Report:
    """What breaks the parser is a letter without anything in it. Line ends are brought to one form first."""
    flat = data[:_LOOKED_AT].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        message = message_from_bytes(flat, policy=_Short())
        return _read(message)
    except _FAULTS:
        return Report()


def _read(message: Message) -> Report:
    parts = list(_walk(message))
    failures = [one for part in parts for one in _failures(part)][:_MOST_FAILURES]
    feedback = next((word for part in parts for word in _feedback(part)), "")
    kind = str(message.get_param("report-type", "")).lower()
    sender = _text(message, "From").lower()
    automatic = _text(message, "Auto-Submitted").lower()
    return Report(
        failures=failures,
        feedback=feedback,
        words="" if failures else unaddressed(_words(message, parts)),
        is_report=kind == "delivery-status" or any(name in sender for name in _SERVERS)
        or "X-Failed-Recipients" in message,
        is_answer=automatic.startswith("auto-replied") or kind == "disposition-notification"
        or (any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
        and not any(name in sender for name in _SERVERS)),
    )  # fmt: skip


def _walk(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            return
        yield part


def _failures(part: Message) -> Iterator[Failure]:
    """The groups of a delivery-status part that speak of a recipient."""
    if part.get_content_type() not in {"message/delivery-status", "message/global-delivery-status"}:
        return
    held = part.get_payload()
    for group in held if isinstance(held, list) else []:
        if not isinstance(group, Message):
            continue
        if "Action" in group or "Status" in group or "Final-Recipient" in group:
            yield Failure(
                action=_text(group, "Action").lower().split(" ")[0],
                status=_text(group, "Status"),
                diagnostic=kept(_text(group, "Diagnostic-Code").partition(";")[2] or _text(group, "Diagnostic-Code")),
                recipients=tuple(
                    _text(group, name).rpartition(";")[2].strip(" <>").casefold()
                    for name in ("Original-Recipient", "Final-Recipient")
                    if name in group
                ),
            )  # fmt: skip


def _feedback(part: Message) -> Iterator[str]:
    if part.get_content_type() != "message/feedback-report":
        return
    held = part.get_payload()
    first = held[0] if isinstance(held, list) and held else None
    inner = first if isinstance(first, Message) else message_from_bytes(_bytes(part))
    found = _text(inner, "Feedback-Type").lower()
    yield found or "complaint"


def _words(message: Message, parts: list[Message]) -> str:
    """The text of the report itself, not of the letter that it gives back."""
    for part in parts:
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            break
        if part.get_content_maintype() == "text":
            text = _bytes(part).decode(_charset(part), "replace")
            if text.strip():
                return _text(message, "Subject") + "\n" + _own(text)
    return _text(message, "Subject")


def _own(text: str) -> str:
    """Up to where an old report begins to give our letter back."""
    for mark in ("--- Below this line is a copy", "------ This is a copy", "----- Original message", "---- Original message",
                 "----- Message header", "--- The header of the original", "   ----- Unsent message follows"):  # fmt: skip
        text = text.partition(mark)[0]
    return text[:6_000]


def _bytes(part: Message) -> bytes:
    held = part.get_payload(decode=True)
    return held if isinstance(held, bytes) else b""


def _charset(part: Message) -> str:
    name = str(part.get_content_charset() or "utf-8")
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return "utf-8"
    return name


def _text(message: Message, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())[:_LONGEST]
