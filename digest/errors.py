"""The tree of things that can go wrong. Each error carries its evidence and one sentence for the person who can act.

DigestError
├── ConfigError          config.toml, the environment or a secrets file says something we cannot use
├── StoreError           the database
│   ├── StoreBusy        locked by another process for too long; try again
│   ├── StoreFull        no room left on the disk; nothing was written
│   └── StoreNewer       written by a newer digest than this one
├── SourceError          one source, one visit; `kind` says which sort (ErrorKind)
├── MailError            the mail server, not a recipient
├── RenderError          a letter could not be made
├── MoveRefused          an issue cannot go from its state to the one asked for
├── NotFound             no such issue, source, subscriber, editor
└── InputRefused         what a person typed cannot be used
    ├── AddressRefused   not an e-mail address we can write to
    ├── TokenRefused     a link that is broken, expired or made for something else
    ├── PasskeyRefused   a passkey's answer that proves nothing
    └── Conflict         somebody else changed the same words meanwhile
"""

from enum import StrEnum


class DigestError(Exception):
    """Root. `str(error)` is one sentence, in English, for the person who can act on it.

    key, slots: the same sentence among the words of digest/words/, for a page in the reader's language; "" where only
    commands say it.
    """

    def __init__(self, *said: object, key: str = "", **slots: object) -> None:
        super().__init__(*said)
        self.key = key
        self.slots = slots


class ConfigError(DigestError):
    """Raised before anything is opened."""


class StoreError(DigestError):
    """The database refused; the transaction was rolled back."""


class StoreBusy(StoreError):
    """Another process holds the database; nothing was written."""


class StoreFull(StoreError):
    """The disk (or max_page_count) is full; nothing was written."""


class StoreNewer(StoreError):
    """The database holds migrations that this program does not know."""


class ErrorKind(StrEnum):
    """Why a visit to a source failed (guide: collecting, section 13)."""

    NO_ADDRESS = "no-address"
    DNS = "dns"
    TLS = "tls"  # a certificate
    NO_HTTPS = "no-https"  # what answers there speaks no TLS that we speak
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate-limited"
    CHALLENGE = "challenge"
    HTTP = "http"
    GONE = "gone"
    REDIRECTS = "redirects"
    PRIVATE_ADDRESS = "private-address"
    NOT_A_FEED = "not-a-feed"
    PARSE = "parse"
    TOO_BIG = "too-big"
    UNKNOWN_KIND = "unknown-kind"


class SourceError(DigestError):
    """One visit to one source failed.

    kind: the sort of failure; message: one sentence; retry_after_s: seconds the server asked us to wait, if it did.
    """

    def __init__(self, kind: ErrorKind, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s


class MailError(DigestError):
    """The relay (connection, TLS, login, sender), never one recipient: the run pauses and marks nobody."""


class RenderError(DigestError):
    """A letter could not be made from its issue."""


class MoveRefused(DigestError):
    """An issue cannot make this move from the state it is in."""


class NotFound(DigestError):
    """The thing named does not exist."""


class InputRefused(DigestError):
    """What a person typed cannot be used."""


class AddressRefused(InputRefused):
    """Not an address we can write to. The message never repeats the address."""


class DomainRefused(InputRefused):
    """A domain that is everybody's cannot be let in whole."""


class TokenRefused(InputRefused):
    """A link that is broken, expired, or made for another purpose."""


class PasskeyRefused(InputRefused):
    """What a passkey answered proves nothing: not ours, too late, used before, or not from our own pages."""


class Conflict(InputRefused):
    """Somebody else changed the same words meanwhile. theirs: what stands there now; nothing was overwritten."""

    def __init__(
        self, message: str, *, theirs: str = "", key: str = "desk.why_conflict", **slots: object
    ) -> None:
        super().__init__(message, key=key, **slots)
        self.theirs = theirs
