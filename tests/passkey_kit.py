"""A device that makes passkeys, in software: what a phone would answer to navigator.credentials, byte by byte."""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient

from tests import web_kit
from tests.web_kit import URL

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Device:
    """One phone with one key. origin: the page that it believes to serve; count: how often it says it has signed."""

    origin: str = URL
    rp_id: str = "digest.example.org"
    count: int = 0
    flags: int = PRESENT | VERIFIED
    handle: bytes = b""
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def creates(self, options: dict[str, Any]) -> str:
        """What create() gives, as the script of the page sends it."""
        self.handle = unpacked(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        about = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        proof = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + about}
        client = self._client("webauthn.create", options)
        return self._answer(clientDataJSON=client, attestationObject=cbor2.dumps(proof))

    def signs(self, options: dict[str, Any]) -> str:
        """What get() gives."""
        data, client = self._data(), self._client("webauthn.get", options)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.handle
        )

    def lookalike(self, **changes: Any) -> "Device":
        """The same key somewhere else."""
        return replace(self, **changes)

    def _data(self, more: int = 0) -> bytes:
        flags = (self.flags | more).to_bytes(1, "big")
        return sha256(self.rp_id.encode()).digest() + flags + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        about = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(about).encode()

    def _answer(self, **response: bytes) -> str:
        mine = packed(self.credential)
        return json.dumps(
            {
                "id": mine,
                "rawId": mine,
                "type": "public-key",
                "response": {name: packed(value) for name, value in response.items()},
            }
        )


def packed(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def begin(client: FlaskClient) -> dict[str, Any]:
    """What the script of the editor's own page is told."""
    answer = client.post("/desk/you/passkeys/begin", data={"token": web_kit.form_token(client)}, base_url=URL)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def add(client: FlaskClient, device: Device | None = None, *, name: str = "Blue phone") -> Device:
    device = device or Device()
    led = web_kit.press(client, "/desk/you/passkeys", answer=device.creates(begin(client)), name=name)
    assert led == "/desk/you?did=added"
    return device


def ask(client: FlaskClient, **environ: str) -> dict[str, Any]:
    """What the script of the door is told."""
    answer = client.post("/desk/passkey/begin", base_url=URL, environ_base=environ)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def knock(client: FlaskClient, answer: str) -> int:
    """Signs in with this answer; the status."""
    return client.post("/desk/passkey", data={"answer": answer}, base_url=URL).status_code
