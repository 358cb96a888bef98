"""Links that act for one person and one purpose. Pure: a key in, text out; nothing is stored and nothing expires unseen.

A token is 28 URL-safe characters: purpose, subscriber, version, about (an issue, or the minute it expires), and a MAC.
Short on purpose: a List-Unsubscribe address of 76 characters or more is mangled by common mail libraries.
"""

import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as EncodingError
from binascii import b2a_base64
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from hashlib import blake2b, sha256
from secrets import token_bytes
from typing import NamedTuple, TypeVar

from digest.errors import TokenRefused
from digest.model import Address, DeliveryId, EditorId, IssueId, Language, SubscriberId

_PAYLOAD = struct.Struct(">BIHI")
_MESSAGE = struct.Struct(">IQ")
_OTHER_ALPHABET = frozenset("+/")  # of plain base64, which the library takes as well
_FORM = struct.Struct(">I8s")
_KNOCK = struct.Struct(">q")
_MAC_BYTES = 10
_KEPT = (b"link", b"message", b"bounce", b"trace", b"code")
_TOKEN_CHARS = 28
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
CONFIRM_LIVES = timedelta(days=7)
MANAGE_LIVES = timedelta(hours=2)
INVITATION_LIVES = timedelta(days=30)


class Purpose(IntEnum):
    """What a token may do. LETTER is the settings link inside a letter, which may be forwarded: it only leaves or
    chooses the language. MANAGE is mailed on request and may do more."""

    CONFIRM = 1
    LEAVE = 2
    LETTER = 3
    MANAGE = 4
    INVITE = 5  # by a reader: the subscriber of the token
    EDITOR_INVITE = 6  # by an editor: the subscriber of the token is an editor's number
    ADDRESS = 7  # proves a new address


Name = TypeVar("Name", bound=Hashable)
_ENDLESS = frozenset({Purpose.LEAVE, Purpose.LETTER})


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was made with our key. issue is 0 when it belongs to no issue."""

    purpose: Purpose
    subscriber: SubscriberId
    version: int
    issue: IssueId


class LetterLinks(NamedTuple):
    """What one letter carries of these."""

    unsubscribe: str
    preferences: str
    message_id: str


class Links:
    """Makes and reads the links of one list.

    key: signs. earlier: keys of before, what they signed stays good as long as they are handed in. first: the very first
    one; the suppression list keeps to it, since no address stands beside its marks to make them anew.
    """

    def __init__(
        self, url: str, *, key: bytes, domain: str, earlier: Sequence[bytes] = (), first: bytes | None = None
    ) -> None:
        self._url = url
        self._key = key
        self._domain = domain
        self._earlier = tuple(earlier)
        self._first_key = first or key
        # Keyed once and copied: made for every letter and every knock, several each, at a fifth of what an HMAC takes.
        self._started = {domain: _started(key, domain) for domain in _KEPT}

    def confirm(self, subscriber: SubscriberId, *, version: int, now: datetime) -> str:
        return f"{self._url}/confirm/{self._timed(Purpose.CONFIRM, subscriber, version, now + CONFIRM_LIVES)}"

    def manage(self, subscriber: SubscriberId, *, version: int, now: datetime) -> str:
        return (
            f"{self._url}/preferences/{self._timed(Purpose.MANAGE, subscriber, version, now + MANAGE_LIVES)}"
        )

    def unsubscribe(self, subscriber: SubscriberId, *, version: int, issue: IssueId) -> str:
        return f"{self._url}/unsubscribe/{self._make(Purpose.LEAVE, subscriber, version, issue)}"

    def preferences(self, subscriber: SubscriberId, *, version: int, issue: IssueId) -> str:
        return f"{self._url}/preferences/{self._make(Purpose.LETTER, subscriber, version, issue)}"

    def letter(
        self, reader: SubscriberId, *, version: int, issue: IssueId, delivery: DeliveryId
    ) -> LetterLinks:
        """The same as the three methods one by one."""
        url, make = self._url, self._make
        return LetterLinks(
            f"{url}/unsubscribe/{make(Purpose.LEAVE, reader, version, issue)}",
            f"{url}/preferences/{make(Purpose.LETTER, reader, version, issue)}",
            self.message_id(issue, delivery),
        )

    def invitation(
        self, reader: SubscriberId, *, version: int, now: datetime, language: Language = Language.EN
    ) -> str:
        """language: of the page it opens, which is its reader's."""
        prefix = "/fr" if language is Language.FR else ""
        return f"{self._url}{prefix}/invited/{self._timed(Purpose.INVITE, reader, version, now + INVITATION_LIVES)}"

    def editor_invitation(self, editor: EditorId, *, now: datetime) -> str:
        by = SubscriberId(editor)
        return f"{self._url}/invited/{self._timed(Purpose.EDITOR_INVITE, by, 0, now + INVITATION_LIVES)}"

    def new_address(self, subscriber: SubscriberId, *, version: int, address: Address, now: datetime) -> str:
        bound = self.address_version(version, address)
        return f"{self._url}/address/{self._timed(Purpose.ADDRESS, subscriber, bound, now + MANAGE_LIVES)}"

    def address_version(self, version: int, address: Address) -> int:
        """What stands for the version in a link that proves `address`: it proves no other, whatever was asked for since."""
        mark = hmac.digest(self._first_key, b"address\0" + address.key.encode(), "sha256")
        return (version + int.from_bytes(mark[:2], "big")) & 0xFFFF

    def form(self, *, now: datetime) -> str:
        """A token for one showing of a form: when, which, and a MAC."""
        payload = _FORM.pack(int(now.timestamp()), token_bytes(8))
        return urlsafe_b64encode(payload + self._mac(b"form", payload)[:12]).decode()

    def read_form(self, text: str) -> datetime | None:
        """When we showed this form; None when we never did, or not in this spelling: a used form is known by its text."""
        try:
            raw = (
                urlsafe_b64decode(text.encode("ascii"))
                if len(text) == 32 and not _OTHER_ALPHABET & set(text)
                else b""
            )
        except (EncodingError, ValueError):
            raw = b""
        payload, mac = raw[: _FORM.size], raw[_FORM.size :]
        if not self._is_ours(b"form", payload, mac, length=12):
            return None
        return datetime.fromtimestamp(_FORM.unpack(payload)[0], UTC)

    def code_mark(self, subscriber: SubscriberId, code: str, *, version: int) -> str:
        """The keyed hash of a six-digit code, bound to its reader and to this time of theirs."""
        return self._mac(b"code", f"{subscriber} {version} {code}".encode()).hex()[:32]

    def knock(self, text: str) -> int:
        """The keyed hash by which knocks are counted: an address or a network that nobody can read back."""
        return _KNOCK.unpack_from(self._mac(b"trace", text.encode()))[0]  # type: ignore[no-any-return]

    def knocks(self, texts: Mapping[Name, str], *, beside: Mapping[Name, Name]) -> dict[Name, int]:
        """The same for several. beside: which lie next to each other, since both begin with the half of the second."""
        macs = {name: self._mac(b"trace", text.encode()) for name, text in texts.items()}
        return {
            name: _KNOCK.unpack(macs[beside.get(name, name)][:4] + mac[4:8])[0] for name, mac in macs.items()
        }

    def desk(self, page: str = "", *, language: Language = Language.EN) -> str:
        """The editors' door, or a page behind it. It signs nobody in."""
        return f"{self._url}{'/fr' if language is Language.FR else ''}/desk/{page}"

    def own_page(self, language: Language) -> str:
        """Where an editor sees her own passkeys and sessions, once signed in."""
        return f"{self._url}{'/fr' if language is Language.FR else ''}/desk/you"

    def sign_in(self, secret: str, *, language: Language = Language.EN) -> str:
        """Leads to the desk in the language of the letter that carries it."""
        return f"{self._url}{'/fr' if language is Language.FR else ''}/desk/sign-in/{secret}"

    def read(self, text: str, *, allowed: frozenset[Purpose] | set[Purpose], now: datetime) -> Token:
        """Raises TokenRefused unless we made `text`, for one of the purposes `allowed`, and it has not expired.

        The version is not judged here: whoever knows the subscriber does that.
        """
        try:
            raw = urlsafe_b64decode(text.encode("ascii")) if len(text) == _TOKEN_CHARS else b""
        except (EncodingError, ValueError):
            raw = b""
        payload, mac = raw[: _PAYLOAD.size], raw[_PAYLOAD.size :]
        if not self._is_ours(b"link", payload, mac, length=_MAC_BYTES):
            raise TokenRefused("This link is incomplete or was changed on its way.")
        number, subscriber, version, about = _PAYLOAD.unpack(payload)
        purpose = Purpose(number)
        if purpose not in allowed:
            raise TokenRefused("This link was made for something else.")
        timed = purpose not in _ENDLESS
        if timed and now.timestamp() >= about * 60:
            raise TokenRefused("This link has expired.")
        return Token(purpose, SubscriberId(subscriber), version, IssueId(0 if timed else about))

    def message_id(self, issue: IssueId, delivery: DeliveryId) -> str:
        """The same for every try at one delivery, another for every reader (RFC 5322 section 3.6.4)."""
        mac = self._mac(b"message", _MESSAGE.pack(issue, delivery))[:8].hex()
        return f"<{issue}.{delivery}.{mac}@{self._domain}>"

    def read_message_id(self, text: str) -> tuple[IssueId, DeliveryId]:
        """The issue and delivery of a letter that was answered. Raises TokenRefused unless we made it."""
        issue, _, rest = text.strip().strip("<>").partition("@")[0].partition(".")
        delivery, _, mac = rest.partition(".")
        if not (issue.isascii() and issue.isdigit() and delivery.isascii() and delivery.isdigit()):
            raise TokenRefused("This is no letter of ours.")
        if int(issue) >= 1 << 32 or int(delivery) >= 1 << 63:
            raise TokenRefused("This is no letter of ours.")
        raw = bytes.fromhex(mac) if re.fullmatch(r"[0-9a-f]{16}", mac) else b""
        if not self._is_ours(b"message", _MESSAGE.pack(int(issue), int(delivery)), raw, length=8):
            raise TokenRefused("This is no letter of ours.")
        return IssueId(int(issue)), DeliveryId(int(delivery))

    def notice_id(self, notice: int) -> str:
        return (
            f"<notice.{notice}.{self._mac(b'notice', struct.pack('>Q', notice)).hex()[:16]}@{self._domain}>"
        )

    def read_notice_id(self, text: str) -> int:
        """The number of a one-off letter that was answered. Raises TokenRefused unless we made it."""
        found = re.fullmatch(r"<?notice\.(\d{1,18})\.([0-9a-f]{16})@[^<>\s]+>?", text.strip(), re.ASCII)
        number = int(found[1]) if found else 0
        raw = bytes.fromhex(found[2]) if found else b""
        if not self._is_ours(b"notice", struct.pack(">Q", number), raw, length=8):
            raise TokenRefused("This is no letter of ours.")
        return number

    def bounce_token(self, delivery: DeliveryId) -> str:
        """26 lower-case characters for the envelope sender (VERP): relays may fold case, so no base64."""
        payload = delivery.to_bytes(5, "big")
        return (payload + self._mac(b"bounce", payload)[:8]).hex()

    def read_bounce_token(self, text: str) -> DeliveryId:
        """Raises TokenRefused unless we made it."""
        try:
            raw = bytes.fromhex(text) if len(text) == 26 else b""
        except ValueError:
            raw = b""
        payload = raw[:5]
        if len(raw) != 13 or not self._is_ours(b"bounce", payload, raw[5:], length=8):
            raise TokenRefused("This bounce address was not made by us.")
        return DeliveryId(int.from_bytes(payload, "big"))

    def mark(self, address: Address) -> str:
        """The keyed hash by which the suppression list knows an address without holding it."""
        return hmac.digest(self._first_key, b"suppress\0" + address.key.encode(), "sha256").hex()

    def marks(self, keys: Iterable[str]) -> list[str]:
        """The same for many, by Address.key."""
        start, key, digest = b"suppress\0", self._first_key, hmac.digest
        return [digest(key, start + one.encode(), "sha256").hex() for one in keys]

    def key_name(self) -> str:
        """Tells whether marks were made with the same key, and nothing about it."""
        return hmac.digest(self._first_key, b"name of the suppression key", "sha256").hex()[:32]

    def _timed(self, purpose: Purpose, subscriber: SubscriberId, version: int, expires: datetime) -> str:
        return self._make(purpose, subscriber, version, int(expires.timestamp() // 60) + 1)

    def _make(self, purpose: Purpose, subscriber: SubscriberId, version: int, about: int) -> str:
        payload = _PAYLOAD.pack(purpose, subscriber, version & 0xFFFF, about)
        raw = payload + self._mac(b"link", payload)[:_MAC_BYTES]
        return b2a_base64(raw, newline=False).translate(_URL_SAFE).decode()

    def _is_ours(self, domain: bytes, payload: bytes, mac: bytes, *, length: int) -> bool:
        """By every key, whichever fits: how long it takes tells nothing."""
        fits = False
        for key in (self._key, *self._earlier):
            made = _started(key, domain)
            made.update(payload)
            fits |= hmac.compare_digest(made.digest()[:length], mac)
        return fits

    def _mac(self, domain: bytes, payload: bytes) -> bytes:
        started = self._started.get(domain)
        mac = started.copy() if started is not None else _started(self._key, domain)
        mac.update(payload)
        return mac.digest()


def _started(key: bytes, domain: bytes) -> blake2b:
    """A keyed hash (RFC 7693) of what belongs to one kind of token; a key longer than it takes is hashed first."""
    return blake2b(
        domain + b"\0", key=key if len(key) <= blake2b.MAX_KEY_SIZE else sha256(key).digest(), digest_size=32
    )


def fingerprint(secret: str) -> str:
    """What the store keeps of a sign-in link or a session: never the secret itself."""
    return sha256(secret.encode()).hexdigest()


def mark_of(session_sha256: str) -> str:
    """Names a session to its editor, without telling what its cookie hashes to."""
    return sha256(session_sha256.encode()).hexdigest()[:16]
