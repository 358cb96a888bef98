"""Passkeys of editors: the second way to the desk, beside the mailed link. No private key and no biometry ever comes here.

A challenge counts once, for five minutes, for whom it was asked of; an answer counts only from our own pages.
"""

import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from digest.errors import InputRefused, PasskeyRefused
from digest.model import Editor, EditorId, Language, NoticeId, NoticeKind, Passkey, PasskeyId
from digest.rules.guard import one_line

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, RegistrationCredential

CHALLENGE_LIVES = timedelta(minutes=5)
MOST_OPEN = 1_000  # challenges of strangers at a time, over all networks
MOST_KEYS = 20  # of one editor
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000

WhyNot = Literal["", "number", "plain"]


class Keys(Protocol):
    """`store.passkeys`."""

    def of(self, editor: EditorId) -> list[Passkey]: ...
    def find(self, credential: bytes) -> Passkey | None: ...
    def add(self, key: Passkey) -> bool: ...
    def used(self, key: Passkey, *, sign_count: int, now: datetime) -> bool: ...
    def ask(
        self, sha256: str, *, editor: EditorId | None, handle: bytes, now: datetime, expires_at: datetime
    ) -> int: ...
    def answer(self, sha256: str, *, editor: EditorId | None, now: datetime) -> bytes | None: ...


class Notices(Protocol):
    def queue(
        self, kind: NoticeKind, *, editor: EditorId | None = None, language: Language, now: datetime
    ) -> NoticeId: ...


class Log(Protocol):
    def add(self, act: str, *, editor: str, at: datetime, detail: dict[str, object]) -> None: ...


class Memory(Protocol):
    """What this verb needs of the store."""

    @property
    def passkeys(self) -> Keys: ...
    @property
    def notices(self) -> Notices: ...
    @property
    def desk_log(self) -> Log: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class Passkeys:
    """url: the address of the site, whose host the keys belong to; browsers hold them to it."""

    def __init__(self, store: Memory, *, url: str, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        parts = urlsplit(url)
        self._host, self._scheme = parts.hostname or "", parts.scheme
        self._origin = f"{parts.scheme}://{parts.netloc.lower()}"

    @property
    def why_not(self) -> WhyNot:
        """Why no browser makes a passkey for this site: its address is a number, or plain http; "": it does."""
        try:
            ip_address(self._host)
        except ValueError:
            local = self._host == "localhost" or self._host.endswith(".localhost")
            return "" if self._scheme == "https" or local else "plain"
        return "number"

    # --- adding -------------------------------------------------------------------------------------------------

    def begin(self, editor: Editor, *, site: str) -> str:
        """What navigator.credentials.create() is to be told, as JSON. site: its name, which the device shows."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        known = self._store.passkeys.of(editor.id)
        if len(known) >= MOST_KEYS:
            raise InputRefused("Twenty passkeys are enough; remove one first.", key="you.why_many")
        options = generate_registration_options(
            rp_id=self._host, rp_name=site, user_name=editor.address.reveal(), challenge=secrets.token_bytes(32),
            user_id=known[0].handle if known else secrets.token_bytes(32), timeout=_lives_ms(),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=key.credential) for key in known],
        )  # fmt: skip
        self._ask(options.challenge, of=editor.id, handle=options.user.id)
        return options_to_json(options)

    def add(self, editor: Editor, answer: str, *, name: str) -> None:
        """Keeps a new passkey and queues a letter that says so. Raises PasskeyRefused."""
        from webauthn import verify_registration_response
        from webauthn.helpers import parse_registration_credential_json

        sent: RegistrationCredential = _read(parse_registration_credential_json, answer)
        challenge, handle = self._answered(sent.response.client_data_json, of=editor.id)
        proven = _judged(
            verify_registration_response, credential=sent, expected_challenge=challenge,
            expected_rp_id=self._host, expected_origin=self._origin,
        )  # fmt: skip
        now = self._clock()
        key = Passkey(
            id=PasskeyId(0), editor=editor.id, credential=proven.credential_id, handle=handle,
            public_key=proven.credential_public_key, sign_count=proven.sign_count, name=name, added_at=now,
        )  # fmt: skip
        with self._store.write():
            if not self._store.passkeys.add(key):
                raise PasskeyRefused("This passkey is known already.", key="you.why_known")
            self._store.notices.queue(
                NoticeKind.PASSKEY_ADDED, editor=editor.id, language=editor.language, now=now
            )
            self._store.desk_log.add(
                "passkey added", editor=str(editor.id), at=now, detail={"name": key.name}
            )

    # --- signing in ---------------------------------------------------------------------------------------------

    def ask(self) -> str:
        """What navigator.credentials.get() is to be told, as JSON: any key of ours will do. Raises PasskeyRefused."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=self._host, challenge=secrets.token_bytes(32), timeout=_lives_ms(),
            user_verification=UserVerificationRequirement.PREFERRED,
        )  # fmt: skip
        self._ask(options.challenge, of=None)
        return options_to_json(options)

    def prove(self, answer: str) -> EditorId:
        """Whose passkey signed. Raises PasskeyRefused, always with the same sentence: it tells a stranger nothing."""
        from webauthn import verify_authentication_response
        from webauthn.helpers import parse_authentication_credential_json

        sent: AuthenticationCredential = _read(parse_authentication_credential_json, answer)
        challenge, _ = self._answered(sent.response.client_data_json, of=None)
        key = self._store.passkeys.find(sent.raw_id)
        if key is None or sent.response.user_handle != key.handle:
            raise _refused()
        try:
            proven = _judged(
                verify_authentication_response, credential=sent, expected_challenge=challenge,
                expected_rp_id=self._host, expected_origin=self._origin, credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
            )  # fmt: skip
        except PasskeyRefused:
            self._log("passkey refused", key)
            raise
        with self._store.write():
            if not self._store.passkeys.used(key, sign_count=proven.new_sign_count, now=self._clock()):
                raise _refused()
        return key.editor

    # --- steps --------------------------------------------------------------------------------------------------

    def _log(self, act: str, key: Passkey) -> None:
        with self._store.write():
            self._store.desk_log.add(act, editor=str(key.editor), at=self._clock(), detail={"name": key.name})

    def _ask(self, challenge: bytes, *, of: EditorId | None, handle: bytes = b"") -> None:
        now = self._clock()
        with self._store.write():
            mark, expires_at = sha256(challenge).hexdigest(), now + CHALLENGE_LIVES
            waiting = self._store.passkeys.ask(mark, editor=of, handle=handle, now=now, expires_at=expires_at)
            if of is None and waiting > MOST_OPEN:
                raise PasskeyRefused("Too many sign in at this moment.", key="you.why_often")

    def _answered(self, client_data: bytes, *, of: EditorId | None) -> tuple[bytes, bytes]:
        """The challenge that was signed, and the handle it went with; from now on it is used up, whatever else is wrong."""
        from webauthn.helpers import parse_client_data_json

        challenge: bytes = _read(parse_client_data_json, client_data).challenge
        with self._store.write():
            mark = sha256(challenge).hexdigest()
            handle = self._store.passkeys.answer(mark, editor=of, now=self._clock())
        if handle is None:
            raise _refused()
        return challenge, handle


def shown_name(typed: str, *, otherwise: str, taken: Collection[str] = ()) -> str:
    """One line, not too long, without signs that do not show; numbered where she has one of that name."""
    name = one_line(typed, most=LONGEST_NAME) or otherwise
    if name not in taken:
        return name
    return next(one for number in range(2, MOST_KEYS + 2) if (one := f"{name} {number}") not in taken)


def _lives_ms() -> int:
    return int(CHALLENGE_LIVES.total_seconds() * 1000)


def _read(parse: Callable[[Any], Any], text: Any) -> Any:
    """What a stranger sent, parsed by webauthn. Raises PasskeyRefused for whatever it is not."""
    from webauthn.helpers.exceptions import WebAuthnException

    if len(text) > LONGEST_ANSWER:
        raise _refused()
    try:
        return parse(text)
    except (WebAuthnException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused() from error


def _judged(verify: Callable[..., Any], **said: Any) -> Any:
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return verify(**said)
    except (WebAuthnException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused() from error


def _refused() -> PasskeyRefused:
    return PasskeyRefused("This passkey was not accepted.", key="you.why_refused")
