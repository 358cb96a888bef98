"""Our own DKIM signature (RFC 6376: rsa-sha256, relaxed/relaxed), for relays that do not sign. Compiled once per edition.

What all readers share is canonicalised and, up to the first reader's own link, hashed once; per reader the rest of the
body is hashed and one RSA signature made.
"""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from digest.errors import ConfigError
from digest.render.letter import Compiled, Slots

# From is named twice, so that nobody can add a second one (RFC 6376 section 8.15). All of RFC 8058 is covered.
SIGNED = (
    "from", "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type", "list-id",
    "list-unsubscribe", "list-unsubscribe-post", "list-archive", "list-subscribe", "list-help", "list-owner", "feedback-id",
)  # fmt: skip
_LEAST_BITS = 2048  # RFC 8301 section 3.2: 1024 must be accepted, 2048 should be used
_WIDTH = 72
_PADDING, _HASH = PKCS1v15(), SHA256()
_FOLDS = re.compile(rb"(;(?= (?:h|bh|b)=)|:) ")


class DkimSigner:
    """Signs letters of one domain. key: an RSA private key in PEM. Raises ConfigError for a key that will not do."""

    def __init__(self, key: bytes, *, domain: str, selector: str) -> None:
        try:
            loaded = load_pem_private_key(key, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(
                "[mail] dkim_key_file holds no private key in PEM without a password."
            ) from error
        if not isinstance(loaded, RSAPrivateKey) or loaded.key_size < _LEAST_BITS:
            raise ConfigError(f"[mail] dkim_key_file must hold an RSA key of {_LEAST_BITS} bits or more.")
        self._sign, self._domain, self._selector = loaded.sign, domain, selector

    def message(self, data: bytes) -> bytes:
        """A whole message with its signature in front."""
        head, _, body = data.partition(b"\r\n\r\n")
        fields = _ordered(_fields(head + b"\r\n"))
        canonical = b"".join(name + b":" + relaxed(value) + b"\r\n" for name, value in fields)
        tags = self.tags([name for name, _ in fields])
        return self.field(canonical, tags, sha256(relaxed_body(body)).digest()) + data

    def letter(self, compiled: Compiled) -> Compiled:
        """The same letter, signed for each reader as it is spliced."""
        return _Signed(compiled, self)

    def tags(self, names: Sequence[bytes]) -> bytes:
        """The signature field as far as all letters of one edition share it: up to the hash of the body."""
        return b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=" % (
            self._domain.encode("ascii"), self._selector.encode("ascii"), _named(names),
        )  # fmt: skip

    def field(self, canonical: bytes, tags: bytes, body_hash: bytes, *, folded: bytes | None = None) -> bytes:
        """The DKIM-Signature field over canonical header fields, each ending in CRLF, and a body's hash.

        folded: the tags as they stand in the message; relaxed, they read the same.
        """
        coded = b2a_base64(body_hash, newline=False)
        signing = b"%sdkim-signature:%s%s; b=" % (canonical, tags, coded)
        signature = b2a_base64(self._sign(signing, _PADDING, _HASH), newline=False)
        lines = [signature[start : start + _WIDTH] for start in range(0, len(signature), _WIDTH)]
        return b"DKIM-Signature: %s%s;\r\n b=\r\n %s\r\n" % (
            folded or fold(tags),
            coded,
            b"\r\n ".join(lines),
        )


class _Signed(Compiled):
    """A compiled letter whose static pieces are canonical already."""

    def __init__(self, compiled: Compiled, signer: DkimSigner) -> None:
        super().__init__(list(compiled.pieces), marks=compiled.marks, mail_to=compiled.mail_to)
        self._signer = signer
        self._split = next(
            i for i, p in enumerate(compiled.pieces) if isinstance(p, bytes) and b"\r\n\r\n" in p
        )
        self._head, names = self._canonical_head()
        first, *self._body = self._canonical_body()
        assert isinstance(first, bytes)
        self._begun = sha256(first)
        self._tags = signer.tags(names)
        self._folded = fold(self._tags)

    def cut(self, slots: Slots) -> list[bytes]:
        filled = self.filled(slots)
        head = b"".join([piece if isinstance(piece, bytes) else filled[piece] for piece in self._head])
        body = self._begun.copy()
        body.update(b"".join([piece if isinstance(piece, bytes) else filled[piece] for piece in self._body]))
        signature = self._signer.field(head, self._tags, body.digest(), folded=self._folded)
        return [signature, *filled]

    def _canonical_head(self) -> tuple[list[bytes | int], list[bytes]]:
        """The signed header fields, with the place of a piece where a reader's own value stands."""
        before = [
            piece if isinstance(piece, bytes) else b"\0%d\0" % place
            for place, piece in enumerate(self.pieces[: self._split + 1])
        ]
        head = b"".join(before).partition(b"\r\n\r\n")[0] + b"\r\n"
        ordered = _ordered(_fields(head))
        text = b"".join(name + b":" + relaxed(value) + b"\r\n" for name, value in ordered)
        parts = text.split(b"\0")
        return [int(part) if odd % 2 else part for odd, part in enumerate(parts)], [
            name for name, _ in ordered
        ]

    def _canonical_body(self) -> list[bytes | int]:
        """The body's pieces. A slot stands on lines of its own and holds no space, so each piece is canonical by itself."""
        first = self.pieces[self._split]
        assert isinstance(first, bytes)
        body: list[bytes | int] = [relaxed_lines(first.partition(b"\r\n\r\n")[2])]
        for place in range(self._split + 1, len(self.pieces)):
            piece = self.pieces[place]
            body.append(relaxed_lines(piece) if isinstance(piece, bytes) else place)
        last = body[-1]
        assert isinstance(last, bytes)
        body[-1] = _ended(last)
        return body


def fold(tags: bytes) -> bytes:
    """Broken before the tags h and bh and within the names: relaxed, it is what it was."""
    return _FOLDS.sub(rb"\1\r\n ", tags)


def relaxed(value: bytes) -> bytes:
    """A header's value (RFC 6376 section 3.4.2): unfolded, one space for many, none at its ends."""
    return re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4: no space at a line's end, one for many within, no empty lines at the end."""
    return _ended(relaxed_lines(body))


def relaxed_lines(body: bytes) -> bytes:
    """One space for each run of white space, none at a line's end. A run shrinks by half at each turn."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body.replace(b" \r\n", b"\r\n")


def _ended(body: bytes) -> bytes:
    stripped = body.rstrip(b"\r\n")
    return stripped + b"\r\n" if stripped else b""


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Header fields in order: name in lower case, value with its folds."""
    found = re.findall(rb"([!-9;-~]+):((?:.|\r\n[ \t])*)\r\n", head)
    return [(name.lower(), value) for name, value in found]


def _ordered(fields: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    by_name = dict(fields)
    wanted = list(dict.fromkeys(name.encode() for name in SIGNED))
    return [(name, by_name[name]) for name in wanted if name in by_name]


def _named(names: Sequence[bytes]) -> bytes:
    """The tag h=, with From a second time: a field that must not be there. A space every four names, to fold at."""
    told = [b"from", *names]
    return b": ".join(b":".join(told[start : start + 4]) for start in range(0, len(told), 4))
