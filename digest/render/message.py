"""Message bytes: headers and MIME (RFC 5322, 2045 to 2047, 2369, 2919, 8058, 3834). 7-bit, CRLF, never sent from here.

List-* lines are never folded: from 76 characters on, Python's own policies turn them into encoded-words and one-click
leaving dies unseen. No line of a body begins with a dot, so dot-stuffing (RFC 5321 section 4.5.2) never touches a letter.
"""

import re
from binascii import b2a_qp
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256
from typing import Any

import idna

from digest.config import Config
from digest.errors import RenderError
from digest.model import Address, Language

Header = tuple[str, str | Mailbox]
QP_LINE = 76  # RFC 2045 section 6.7, rule 5: with the "=" of a soft break

_WHOLE = frozenset(
    [
        "message-id",
        "feedback-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-archive",
        "list-help",
        "list-owner",
        "list-subscribe",
    ]
)
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+").fullmatch
_BAD_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f<>,;:\\\"()\[\]\ud800-\udfff]").search


class LetterPolicy(EmailPolicy):
    """Folds as RFC 5322 wants, save the headers that programs read as a whole."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _WHOLE:
            return f"{name}: {value}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _WHOLE:
            return self.fold(name, value).encode("ascii")
        return bytes(super().fold_binary(name, value))


LETTER = LetterPolicy(linesep="\r\n", cte_type="7bit", max_line_length=QP_LINE)


def header_lines(headers: Iterable[Header]) -> bytes:
    """Header fields in order, each once, encoded and folded. Raises RenderError for a line break in a value."""
    message = EmailMessage(policy=LETTER)
    try:
        for name, value in headers:
            message[name] = value
        return b"".join(LETTER.fold_binary(name, message[name]) for name in message)
    except (ValueError, HeaderParseError, UnicodeError) as error:
        raise RenderError(
            "A header of this letter holds what no header may: a line break or a control sign."
        ) from error


def issue_headers(
    config: Config, language: Language, *, subject: str, period: str, page: str
) -> list[Header]:
    """The headers of an issue that are the same for every reader. page: the issue on the web (List-Archive)."""
    about = config.list
    contact = about.reply_to or about.from_
    sender = re.sub(r"[^a-z0-9]", "", about.list_id.lower())[:15].ljust(5, "0")
    return [
        ("From", mailbox(about.name.in_(language), about.from_)),
        ("Reply-To", mailbox(about.name.in_(language), contact)),
        ("Subject", subject),
        ("List-Id", f"{_phrase(about.name.in_(language))} <{about.list_id}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Archive", f"<{page}>"),
        ("List-Subscribe", f"<{about.url}/>"),
        ("List-Help", f"<mailto:{contact}?subject=help>"),
        ("List-Owner", f"<mailto:{contact}>"),
        ("Feedback-ID", f"{period}:{language.value}:issue:{sender}"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", language.value),
    ]


def notice_headers(config: Config, language: Language, *, subject: str) -> list[Header]:
    """The headers of a one-off letter: made by a machine, answered by nobody's (RFC 3834)."""
    about = config.list
    return [
        ("From", mailbox(about.name.in_(language), about.from_)),
        ("Reply-To", mailbox(about.name.in_(language), about.reply_to or about.from_)),
        ("Subject", subject),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", language.value),
    ]


def mailbox(name: str, address: str) -> Mailbox:
    """A name with an address of our own configuration."""
    try:
        return Mailbox(display_name=name, addr_spec=ascii_domain(address))
    except (ValueError, HeaderParseError) as error:
        raise RenderError(f"[list] {address!r} cannot stand in a From or Reply-To header.") from error


def to_header(address: Address) -> bytes:
    """The one recipient, as bytes. A domain becomes its A-labels (RFC 5890); a local part beyond ASCII stays UTF-8
    and needs SMTPUTF8 (RFC 6532). Raises RenderError for an address that would change the header."""
    text = address.reveal()
    if _PLAIN_ADDRESS(text):
        return text.encode("ascii")
    if _BAD_IN_ADDRESS(text) or text.count("@") != 1:
        raise RenderError("An address that no header may hold was left out.")
    return ascii_domain(text).encode("utf-8")


def ascii_domain(address: str) -> str:
    """The address with its domain as A-labels, by IDNA 2008: the standard codec would turn straße.de into strasse.de."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise RenderError("The domain of an address cannot be written in ASCII.") from error


def quoted_printable(text: str) -> bytes:
    """A whole body: CRLF lines of at most 76 characters, none that begins with a dot or with "From "."""
    data = "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode("utf-8")
    # A sign more, taken away again: the last line then leaves room for the "=" that a slot or the end may need.
    encoded = b2a_qp(data + b"x", istext=True)[:-1]
    return _guard_lines(
        re.sub(rb"(?<!\r)\n", b"\r\n", encoded)
    )  # b2a_qp breaks with LF what holds no line end


def joint() -> bytes:
    """What stands before and after a slot in a quoted-printable body: a soft line break."""
    return b"=\r\n"


def in_quoted_printable(value: str) -> bytes:
    """A slot's value (no line breaks) for its own quoted-printable lines."""
    raw = value.encode("utf-8").replace(b"=", b"=3D")
    if len(raw) < QP_LINE and value.isascii() and not value.startswith("."):
        return raw
    return quoted_printable(value)


def alternative(headers: bytes, text: bytes, html: bytes) -> bytes:
    """A multipart/alternative message of two quoted-printable bodies, the text first (RFC 2046 section 5.1.4)."""
    boundary = (
        b"=_digest_" + sha256(text + html).hexdigest()[:24].encode()
    )  # no quoted-printable line holds "=_"
    part = b"--%s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n"
    return b"".join([
        headers, b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="', boundary, b'"\r\n\r\n',
        part % (boundary, b"plain", text), part % (boundary, b"html", html), b"--", boundary, b"--\r\n",
    ])  # fmt: skip


def _guard_lines(body: bytes) -> bytes:
    body = re.sub(rb"(?m)^\.+", lambda dots: b"=2E" * len(dots.group()) + b"=\r\n", body)
    return re.sub(rb"(?m)^From ", b"=46=\r\nrom ", body)


def _phrase(name: str) -> str:
    """A name fit for the phrase of List-Id: specials of RFC 5322 would need quoting, so they become spaces."""
    return re.sub(r"\s+", " ", re.sub(r'[()<>\[\]:;@\\,."]', " ", name)).strip()
