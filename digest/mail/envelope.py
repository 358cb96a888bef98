"""A letter becomes the bytes of its envelope and body on the wire. What could break out of its place is refused here."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import idna

from digest.mail.replies import Reply
from digest.model import Letter

CRLF = b"\r\n"
_PLAIN = re.compile(r"[A-Za-z0-9.+=_-]{1,64}@[A-Za-z0-9.-]{1,255}").fullmatch
_PLAIN_XTEXT = re.compile(r"[A-Za-z0-9._@-]+").fullmatch
DOT = b".\r\n"


class Unsendable(Exception):
    """This letter cannot go through this relay; str() is the reason kept with the delivery, without the address."""


class Offers(NamedTuple):
    """What a relay said after EHLO (RFC 5321 section 4.1.1.1). size 0: no limit known."""

    pipelining: bool = False
    eightbit: bool = False
    smtputf8: bool = False
    dsn: bool = False
    starttls: bool = False
    size: int = 0
    auth: frozenset[str] = frozenset()

    @classmethod
    def read(cls, reply: Reply) -> "Offers":
        """The offers of an EHLO reply; its first line is a greeting."""
        words = {line.split()[0].upper(): line.split()[1:] for line in reply.lines[1:] if line.strip()}
        size = words.get("SIZE", [])
        auth = {mechanism.upper() for mechanism in words.get("AUTH", [])}
        return cls(
            pipelining="PIPELINING" in words,
            eightbit="8BITMIME" in words,
            smtputf8="SMTPUTF8" in words,
            dsn="DSN" in words,
            starttls="STARTTLS" in words,
            size=int(size[0]) if size and size[0].isdigit() else 0,
            auth=frozenset(auth),
        )


class Wire(NamedTuple):
    """One letter, ready: MAIL and RCPT commands with CRLF, and the body in pieces, without its final dot."""

    letter: Letter
    mail: bytes
    rcpt: bytes
    body: Sequence[bytes]


def wire(letter: Letter, offers: Offers) -> Wire:
    """Raises Unsendable, when the fault lies in this one letter or address."""
    sender, recipient = path(letter.sender), path(letter.recipient.reveal())
    options = b""
    if not (sender.isascii() and recipient.isascii()):
        if not offers.smtputf8:
            raise Unsendable("needs-smtputf8")
        options += b" SMTPUTF8"
    if not (letter.proven or letter.data.isascii()):
        if not offers.eightbit:
            raise Unsendable("needs-8bitmime")
        options += b" BODY=8BITMIME"
    if offers.size:
        options += b" SIZE=%d" % sum(map(len, letter.pieces))
    rcpt_options = b""
    if offers.dsn:
        options += b" RET=HDRS ENVID=%d" % letter.delivery
        rcpt_options = b" NOTIFY=FAILURE,DELAY ORCPT=" + original(recipient)
    return Wire(
        letter,
        b"MAIL FROM:<" + sender.encode() + b">" + options + CRLF,
        b"RCPT TO:<" + recipient.encode() + b">" + rcpt_options + CRLF,
        letter.pieces if letter.proven else (body(letter.data),),
    )


def body(data: bytes) -> bytes:
    """The message as it stands on the wire: CRLF only, dots doubled, CRLF at the end (RFC 5321 section 4.5.2).

    Raises Unsendable for a bare CR or LF: some servers would take it for a line end and a forged dot for the end.
    """
    ends = data.count(CRLF)
    if data.count(b"\n") != ends or data.count(b"\r") != ends or b"\0" in data:
        raise Unsendable("letter: a bare CR, LF or NUL")
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    if data.startswith(b"."):
        data = b"." + data
    return data if data.endswith(CRLF) else data + CRLF


def path(address: str) -> str:
    """The address as it stands between < and >: A-labels, no controls, no spaces, no brackets. "" is the null sender."""
    if not address or _PLAIN(address):
        return address
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(local.encode()) > 64 or '"' in local:
        raise Unsendable("address: not one that SMTP knows")
    if any(c <= " " or c in "<>\x7f" or 0x80 <= ord(c) < 0xA0 for c in address):
        raise Unsendable("address: a character that must not reach a server")
    return f"{local}@{alabel(domain)}"


def original(address: str) -> bytes:
    """An address as ORCPT names it (RFC 3461 section 4.2; RFC 6533 section 3 for one that is not ASCII)."""
    if _PLAIN_XTEXT(address):
        return b"rfc822;" + address.encode("ascii")
    kind = "rfc822" if address.isascii() else "utf-8"
    return f"{kind};{''.join(_xtext(sign, kind) for sign in address)}".encode("ascii")


def _xtext(sign: str, kind: str) -> str:
    if "!" <= sign <= "~" and sign not in "+=\\":
        return sign
    return f"+{ord(sign):02X}" if kind == "rfc822" else f"\\x{{{ord(sign):X}}}"


@lru_cache(maxsize=4_096)
def alabel(domain: str) -> str:
    """The domain in ASCII (IDNA 2008, RFC 5891: straße.de is not strasse.de). Raises Unsendable."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise Unsendable("address: a domain that cannot be written in ASCII") from error
