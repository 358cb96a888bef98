"""Message bytes: headers and MIME (RFC 5322, 2045 to 2047, 2369, 2919, 8058, 3834). 7-bit, CRLF, never sent from here.

List-* lines are never folded: from 76 characters on, Python's own policies turn them into encoded-words and
one-click leaving dies unseen. No line of a body begins with a dot, so the
dot-stuffing of RFC 5321 section 4.5.2 never touches a letter.
"""

import re
from binascii import b2a_qp
from collections.abc import Iterable
from hashlib import sha256

import idna

from digest.config import Config
from digest.errors import RenderError
from digest.model import Address, Language, Reading

Header = tuple[str, str]
LINE = 76  # characters of a header or body line; an encoded-word may have 75 (RFC 2047 section 2)

# Read as a whole by programs: never folded, never encoded (RFC 2369, 8058).
_WHOLE = frozenset(
    [
        "Message-ID",
        "Feedback-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "List-Archive",
        "List-Help",
        "List-Owner",
        "List-Subscribe",
    ]
)
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*").fullmatch
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+").fullmatch
_BAD_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f<>,;:\\\"()\[\]\ud800-\udfff]").search


def header_lines(headers: Iterable[Header]) -> bytes:
    """Header fields in order, folded and 7-bit. Raises RenderError for a line break or control sign in a value.

    A value is plain text, or holds encoded-words already. Written here rather than by `email`, so that the bytes
    are the same on every Python version, no From begins with an empty line, and List-* stays whole.
    """
    lines: list[str] = []
    for name, value in headers:
        if _BREAKS(value):
            raise RenderError(f"The {name} of this letter holds a line break or a control sign.")
        if not value.isascii():
            value = encoded_words(value, room=LINE - len(name) - 2)
        lines.append(f"{name}: {value}" if name in _WHOLE else _folded(f"{name}: {value}"))
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def encoded_words(text: str, *, room: int = LINE) -> str:
    """RFC 2047 encoded-words, parted by spaces, each at most 75 characters and none cut inside a character.

    room: characters left on the first line.
    """
    words, word, most = [], "", min(75, room) - len("=?utf-8?q??=")
    for sign in text:
        raw = sign.encode("utf-8")
        code = "_" if sign == " " else "".join(chr(b) if b in _Q_SAFE else f"={b:02X}" for b in raw)
        if len(word) + len(code) > most:
            words.append(word)
            word, most = "", 75 - len("=?utf-8?q??=")
        word += code
    return " ".join(f"=?utf-8?q?{piece}?=" for piece in [*words, word])


def issue_headers(config: Config, reading: Reading, *, subject: str, period: str, page: str) -> list[Header]:
    """The headers of an issue that are the same for every reader. page: the issue on the web (List-Archive)."""
    about, language = config.list, reading.first
    contact = about.reply_to or about.from_
    name = about.name.in_(language)
    sender = re.sub(r"[^a-z0-9]", "", about.list_id.lower())[:15].ljust(5, "0")
    return [
        ("From", mailbox(name, about.from_)),
        ("Reply-To", mailbox(name, contact)),
        ("Subject", subject),
        ("List-Id", f"{_phrase(name)} <{about.list_id}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Archive", f"<{page}>"),
        ("List-Subscribe", f"<{about.url}/>"),
        ("List-Help", f"<mailto:{contact}?subject=help>"),
        ("List-Owner", f"<mailto:{contact}>"),
        ("Feedback-ID", f"{period}:{'-'.join(reading.languages)}:issue:{sender}"),
        ("Precedence", "bulk"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", ", ".join(reading.languages)),
    ]


def notice_headers(config: Config, language: Language, *, subject: str) -> list[Header]:
    """The headers of a one-off letter: made by a machine, to be answered by none (RFC 3834)."""
    about = config.list
    name = about.name.in_(language)
    return [
        ("From", mailbox(name, about.from_)),
        ("Reply-To", mailbox(name, about.reply_to or about.from_)),
        ("Subject", subject),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", language.value),
    ]


def mailbox(name: str, address: str) -> str:
    """A display name with an address of our own configuration (RFC 5322 section 3.4)."""
    return f"{_phrase(name)} <{ascii_domain(address)}>"


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
    # b2a_qp ends a line with LF alone where it met no line end before
    return _guard_lines(encoded.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def joint() -> bytes:
    """What stands before and after a slot in a quoted-printable body: a soft line break."""
    return b"=\r\n"


def in_quoted_printable(value: str) -> bytes:
    """A slot's value (no line breaks) for its own quoted-printable lines."""
    raw = value.encode("utf-8").replace(b"=", b"=3D")
    if len(raw) < LINE and value.isascii() and not value.startswith("."):
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
    if not (body.startswith((b".", b"From ")) or b"\n." in body or b"\nFrom " in body):
        return body
    body = re.sub(rb"(?m)^\.+", lambda dots: b"=2E" * len(dots.group()) + b"=\r\n", body)
    return re.sub(rb"(?m)^From ", b"=46=\r\nrom ", body)


def _phrase(name: str) -> str:
    """A name as the phrase of an address or List-Id: atoms, quoted, or encoded-words."""
    if not name.isascii():
        return name if _BREAKS(name) else encoded_words(name, room=LINE - len("Reply-To: "))
    return name if _ATOMS(name) else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(line: str) -> str:
    """Broken before a space wherever a line would pass 76 characters; a word is never cut."""
    lines = [""]
    for word in line.split(" "):
        if len(lines[-1]) + 1 + len(word) > LINE and lines[-1].count(" ") >= (len(lines) == 1):
            lines.append(f" {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return "\r\n".join(lines)
