"""Our own DKIM signature, as somebody else's program verifies it (dkimpy, with a resolver of ours)."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from digest.app import open_app
from digest.config import Config
from digest.errors import ConfigError
from digest.model import Address, Language, NoticeKind
from digest.render.press import Press
from tests import render_kit as kit

pytest.importorskip("cryptography", reason="no cryptography here to sign with")

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from digest.mail.dkim import DkimSigner, relaxed, relaxed_body

KEY = generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
RECORD = b"v=DKIM1; k=rsa; p=" + b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


def signer() -> DkimSigner:
    return DkimSigner(PEM, domain="example.org", selector="letter")


VERIFY = """import sys, dkim
def resolver(name, timeout=5):
    assert name == b"letter._domainkey.example.org.", name
    return sys.argv[1].encode()
try:
    print(dkim.DKIM(sys.stdin.buffer.read()).verify(dnsfunc=resolver))
except (dkim.ValidationError, dkim.MessageFormatError):  # another body, two From
    print(False)
"""


@cache
def verifying() -> str:
    """A Python that has dkimpy: this one, or the system's (Debian's python3-dkim)."""
    for python in (sys.executable, "/usr/bin/python3"):
        if (
            Path(python).exists()
            and subprocess.run([python, "-c", "import dkim"], capture_output=True).returncode == 0
        ):
            return python
    pytest.skip("no dkimpy on this machine to verify signatures with")


def is_valid(data: bytes) -> bool:
    done = subprocess.run(
        [verifying(), "-c", VERIFY, RECORD.decode()], input=data, capture_output=True, check=True
    )
    return done.stdout.strip() == b"True"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("build", [kit.small, kit.month_of_12, lambda: kit.month_of(60), kit.right_to_left])
def test_a_spliced_letter_verifies(build: Callable[[], object], language: Language) -> None:
    press = Press(kit.config(), signer=signer())
    compiled = press.compiled(press.edition(build(), language))  # type: ignore[arg-type]
    for reader in (
        kit.reader(),
        kit.reader("luc@example.org", token="z" * 162),
    ):
        data = compiled.splice(reader)
        assert is_valid(data)
        signature = data.partition(b"\r\nTo: ")[0]
        assert all(len(line) <= 88 for line in signature.split(b"\r\n"))
        assert data.partition(b"\r\n\r\n")[0].isascii()


def test_one_letter_signed_two_ways_has_one_hash() -> None:
    """The compiled way and the plain way over the same bytes agree in every tag."""
    press, plain = Press(kit.config(), signer=signer()), Press(kit.config())
    edition = plain.edition(kit.month_of_12(), Language.FR)
    unsigned = plain.compiled(edition).splice(kit.reader())
    assert press.compiled(edition).splice(kit.reader()) == signer().message(unsigned)


@pytest.mark.parametrize("kind", kit.NOTICES)
def test_a_notice_verifies(kind: NoticeKind) -> None:
    press = Press(kit.config(), signer=signer())
    assert is_valid(press.notice(kind, to=Address("maya@example.org"), language=Language.FR, date=kit.SEND_AT,
                                 message_id="<n.1.a@example.org>", link="https://digest.example.org/x"))  # fmt: skip


@pytest.mark.parametrize(("find", "put"), [
    (b"one-click", b"two-click"), (b"forms that ask less", b"forms that ask more"), (b"To: maya", b"To: anna"),
    (b"From: ", b"From: a@example.com\r\nFrom: "), (b"/unsubscribe/q", b"/unsubscribe/r"),
])  # fmt: skip
def test_a_changed_letter_does_not_verify(find: bytes, put: bytes) -> None:
    press = Press(kit.config(), signer=signer())
    data = press.compiled(press.edition(kit.month_of_12(), Language.EN)).splice(kit.reader())
    changed = data.replace(find, put) if find in data else data.replace(b"One-Click", b"Two-Click")
    assert changed != data
    assert is_valid(data)
    assert not is_valid(changed)


def test_the_headers_that_one_click_needs_are_signed() -> None:
    press = Press(kit.config(), signer=signer())
    data = press.compiled(press.edition(kit.small(), Language.EN)).splice(kit.reader())
    named = (
        kit.parsed(data)["DKIM-Signature"].replace(" ", "").partition("h=")[2].partition(";")[0].split(":")
    )
    assert named.count("from") == 2
    assert {
        "list-unsubscribe",
        "list-unsubscribe-post",
        "to",
        "subject",
        "date",
        "message-id",
        "feedback-id",
    } <= set(named)


def test_canonical_forms_are_those_of_the_rfc() -> None:
    """The examples of RFC 6376 section 3.4.5."""
    assert relaxed(b" X ") == b"X"
    assert relaxed(b" Y\t\r\n\tZ  ") == b"Y Z"
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_body(b"\r\n\r\n") == b""


def test_a_key_that_will_not_do_is_refused_with_its_setting() -> None:
    weak = generate_private_key(public_exponent=65537, key_size=1024)
    pem = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for key in (pem, b"nonsense"):
        with pytest.raises(ConfigError, match="dkim_key_file"):
            DkimSigner(key, domain="example.org", selector="letter")


def test_the_configuration_turns_it_on(make_config: Callable[[str], Config], tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_bytes(PEM)
    with open_app(make_config('[mail]\ndkim_selector = "letter"\ndkim_key_file = "dkim.pem"\n')) as app:
        data = app.press.notice(NoticeKind.CONFIRM, to=Address("a@example.org"), language=Language.EN, date=kit.SEND_AT,
                                message_id="<n.1.a@example.org>", link="https://digest.example.org/x")  # fmt: skip
    assert data.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert b" d=lists.example.org;" in data
    with pytest.raises(ConfigError, match="belong together"):
        open_app(make_config('[mail]\ndkim_selector = "letter"\n'))
    with pytest.raises(ConfigError, match=r"gone\.pem"):
        open_app(make_config('[mail]\ndkim_selector = "letter"\ndkim_key_file = "gone.pem"\n'))
