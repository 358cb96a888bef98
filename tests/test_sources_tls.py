"""Over TLS: a certificate of a trusted authority for the right name is believed, no other. A CA of our own, on loopback."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from digest.config import CollectPart
from digest.errors import ErrorKind, SourceError
from digest.rules.gather import Found
from digest.sources import Fetch
from digest.sources._http import Client
from tests.http_kit import post, rss, running

NOW = datetime(2026, 11, 12, tzinfo=UTC)
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not here: no certificate can be made")


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem and, for blog.example, host.pem and host.key."""
    folder = tmp_path_factory.mktemp("tls")
    made = "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"
    _openssl(folder, *made, "-subj", "/CN=Our own authority", "-keyout", "ca.key", "-out", "ca.pem",
             "-addext", "keyUsage=keyCertSign", "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=blog.example", "-keyout", "host.key",
             "-out", "host.csr")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:blog.example\n")
    _openssl(folder, "x509", "-req", "-in", "host.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
             "-extfile", "names", "-out", "host.pem")  # fmt: skip
    return folder


def _openssl(folder: Path, *words: str) -> None:
    assert OPENSSL is not None
    subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True, timeout=60)


@contextmanager
def _site(authority: Path) -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "host.pem", authority / "host.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server) as port:
        yield port


def _client(ca_file: Path | None) -> Client:
    manners = CollectPart(allow_private=("127.0.0.0/8",), timeout_s=10)
    return Client(
        manners, user_agent="test", ca_file=str(ca_file) if ca_file else None, resolve=lambda _host, _port: ["127.0.0.1"]
    )  # fmt: skip


def test_a_site_with_a_certificate_of_a_trusted_authority_is_read(authority: Path) -> None:
    with _site(authority) as port:
        assert _client(authority / "ca.pem").get(f"https://blog.example:{port}/").body == b"hello"


def test_a_certificate_for_another_name_is_not_believed(authority: Path) -> None:
    with _site(authority) as port, pytest.raises(SourceError, match="certificate") as caught:
        _client(authority / "ca.pem").get(f"https://other.example:{port}/")
    assert caught.value.kind is ErrorKind.TLS


def test_a_certificate_of_nobody_we_know_is_not_believed(authority: Path) -> None:
    with _site(authority) as port, pytest.raises(SourceError) as caught:
        _client(None).get(f"https://blog.example:{port}/")
    assert caught.value.kind is ErrorKind.TLS


class _Feed(_Hello):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(rss(post(1)))


def _plain() -> AbstractContextManager[int]:
    """A server that speaks no TLS; what it does not understand it answers with a complaint in plain text."""
    return running(HTTPServer(("127.0.0.1", 0), _Feed))


def _look(pasted: str) -> Found:
    fetch = Fetch(
        CollectPart(allow_private=("127.0.0.0/8",), timeout_s=10, delay_s=0), contact="https://d.example"
    )
    try:
        return fetch.look(pasted, now=NOW, horizon=NOW + timedelta(days=80))
    finally:
        fetch.close()


def test_a_server_without_tls_is_not_said_to_have_a_bad_certificate() -> None:
    with _plain() as port, pytest.raises(SourceError, match="does not answer over https") as caught:
        _look(f"https://127.0.0.1:{port}/")
    assert caught.value.kind is ErrorKind.NO_HTTPS


def test_an_address_without_its_scheme_is_asked_over_https_first_and_then_over_http() -> None:
    with _plain() as port:
        found = _look(f"127.0.0.1:{port}/blog")
    assert (found.url, len(found.harvest.entries)) == (f"http://127.0.0.1:{port}/blog", 1)


def test_a_certificate_that_cannot_be_trusted_is_no_reason_to_ask_in_clear(authority: Path) -> None:
    with _site(authority) as port, pytest.raises(SourceError) as caught:
        _look(f"127.0.0.1:{port}/blog")
    assert caught.value.kind is ErrorKind.TLS
