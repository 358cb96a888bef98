"""Letting an editor in: a link that signs in once, for whoever was given it. Only its hash is kept."""

import secrets
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Literal, Protocol

from digest.model import Address, Editor, EditorId, Language, Role
from digest.rules.consent import judged_address
from digest.rules.tokens import Links, fingerprint

INVITATION_LIVES = timedelta(hours=24)


class Editors(Protocol):
    def find(self, address: Address) -> Editor | None: ...
    def add(self, address: Address, *, role: Role, language: Language) -> Editor: ...
    def give_pass(
        self, secret_sha256: str, *, editor: EditorId, purpose: Literal["sign-in", "session"], now: datetime,
        expires_at: datetime,
    ) -> None: ...  # fmt: skip


class Memory(Protocol):
    """What this verb needs of the store."""

    @property
    def editors(self) -> Editors: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


def invite(
    store: Memory, links: Links, *, address_text: str, role: Role, language: Language, now: datetime
) -> str:
    """The sign-in link of an editor, who is made one if need be; a known editor keeps role and language.

    Raises AddressRefused.
    """
    address = judged_address(address_text)
    secret = secrets.token_urlsafe(32)
    with store.write():
        editor = store.editors.find(address) or store.editors.add(address, role=role, language=language)
        store.editors.give_pass(
            fingerprint(secret),
            editor=editor.id,
            purpose="sign-in",
            now=now,
            expires_at=now + INVITATION_LIVES,
        )
    return links.sign_in(secret, language=editor.language)
