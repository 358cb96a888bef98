"""A person pastes the page of a platform: over TLS, under its real name, we ask what it has and read what is there.

The hosts are all one server on loopback, under a certificate of our own authority; calendars and posts are real ones.
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from digest.config import CollectPart
from digest.sources import Fetch, _http
from tests.http_kit import ics, post, rss, running
from tests.test_sources_tls import OPENSSL, _openssl

pytestmark = [
    pytest.mark.skipif(OPENSSL is None, reason="openssl is not here: no certificate can be made"),
    pytest.mark.corpus,
]
NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)  # when the calendars of the corpus were current
HOSTS = """
  medium.com www.meetup.com lu.ma luma.com api.luma.com calendar.google.com www.eventbrite.ca blog.example events.example
  gancio.example mobilizon.example publication.example
"""
EVENT = "UID:g@x.example\nSUMMARY:Civic evening\nDTSTART:20260311T220000Z"
GOOGLE = "https://calendar.google.com/calendar"
CALENDAR = "c657mi332p5sjpq2lcht9imu60@group.calendar.google.com"


@dataclass(frozen=True)
class Case:
    """pasted: what a person has. There: what stands at each address, as bytes or as a file of the corpus."""

    pasted: str
    there: dict[str, bytes | str]
    source: str
    kind: str
    items: int = 1


def page(head: bytes = b"", body: bytes = b"") -> bytes:
    return (
        b"<!doctype html><html lang='en'><head><title>A page</title>"
        + head
        + b"</head><body>"
        + body
        + b"</body></html>"
    )


CASES = {
    "Medium: a profile": Case(
        "https://medium.com/@jinnabaalu",
        {"https://medium.com/feed/@jinnabaalu": "medium/jinnabaalu_2026-04-04_medium-rss_a440.xml"},
        "https://medium.com/feed/@jinnabaalu", "medium", 4,
    ),
    "Medium: a post leads to its author": Case(
        "https://medium.com/@jinnabaalu/a-post-0123456789ab",
        {"https://medium.com/feed/@jinnabaalu": "medium/jinnabaalu_2026-04-04_medium-rss_a440.xml"},
        "https://medium.com/feed/@jinnabaalu", "medium", 4,
    ),
    "Medium: a domain of its own": Case(
        "https://publication.example/",
        {
            "https://publication.example/": page(b'<script src="https://cdn-client.medium.com/lite/main.js"></script>'),
            "https://publication.example/feed": "medium/jinnabaalu_2026-04-04_medium-rss_a440.xml",
        },
        "https://publication.example/feed", "medium", 4,
    ),
    "Meetup: a group": Case(
        "https://www.meetup.com/Civic-Tech-Toronto/",
        {"https://www.meetup.com/Civic-Tech-Toronto/events/ical/": "ics/cc_toronto__meetup_ai_ml.ics"},
        "https://www.meetup.com/Civic-Tech-Toronto/events/ical/", "ical",
    ),
    "Meetup: in French": Case(
        "https://www.meetup.com/fr-FR/Civic-Tech-Toronto/events/",
        {"https://www.meetup.com/Civic-Tech-Toronto/events/ical/": "ics/cc_toronto__meetup_ai_ml.ics"},
        "https://www.meetup.com/Civic-Tech-Toronto/events/ical/", "ical",
    ),
    "Meetup: the calendar is refused, the page is read": Case(
        "https://www.meetup.com/python-spokane/",
        {"https://www.meetup.com/python-spokane/": "html/spokane_meetup-homepage-with-json.html"},
        "https://www.meetup.com/python-spokane/", "event-page",
    ),
    "Luma: a calendar's page": Case(
        "https://lu.ma/techto",
        {
            "https://lu.ma/techto": page(body=b'<script>{"calendar":{"api_id":"cal-abcdefgh12345"}}</script>'),
            "https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12345": "ics/cc_toronto__luma_techto_events.ics",
        },
        "https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12345", "ical",
    ),
    "Luma: the calendar's own address": Case(
        "https://luma.com/calendar/cal-abcdefgh12345",
        {"https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12345": "ics/cc_toronto__luma_techto_events.ics"},
        "https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12345", "ical",
    ),
    "Eventbrite: one event": Case(
        "https://www.eventbrite.ca/e/civic-evening-tickets-123",
        {"https://www.eventbrite.ca/e/civic-evening-tickets-123": "html/shape_eventbrite_socialevent.html"},
        "https://www.eventbrite.ca/e/civic-evening-tickets-123", "event-page",
    ),
    "Google Calendar: the embedded page": Case(
        f"{GOOGLE}/embed?src={CALENDAR.replace('@', '%40')}&ctz=America%2FToronto",
        {f"{GOOGLE}/ical/{CALENDAR.replace('@', '%40')}/public/basic.ics":
            "ics/cc_tests__fixtures__bloomington__gcal_bloomington_in_gov_c657mi332p5sjpq2lcht9imu60.ics"},
        f"{GOOGLE}/ical/{CALENDAR.replace('@', '%40')}/public/basic.ics", "ical",
    ),
    "WordPress: a home page": Case(
        "https://blog.example/",
        {
            "https://blog.example/": page(b'<link rel="stylesheet" href="/wp-content/themes/x/style.css">'),
            "https://blog.example/feed/": rss(post(1), post(2)),
        },
        "https://blog.example/feed/", "feed", 2,
    ),
    "WordPress with The Events Calendar": Case(
        "https://events.example/whats-on/",
        {
            "https://events.example/whats-on/": page(body=b'<div class="tribe-events-view"></div>'),
            "https://events.example/events/?ical=1": "ics/cc_lancaster__tm_fulton.ics",
        },
        "https://events.example/events/?ical=1", "ical",
    ),
    "Gancio: an instance": Case(
        "https://gancio.example/",
        {
            "https://gancio.example/": page(b'<meta name="generator" content="Gancio 1.19">'),
            "https://gancio.example/feed/ics": ics(EVENT),
        },
        "https://gancio.example/feed/ics", "ical",
    ),
    "Mobilizon: a group": Case(
        "https://mobilizon.example/@ottawa/events",
        {
            "https://mobilizon.example/@ottawa/events": page(b'<meta name="generator" content="Mobilizon">'),
            "https://mobilizon.example/@ottawa/feed/ics": ics(EVENT),
        },
        "https://mobilizon.example/@ottawa/feed/ics", "ical",
    ),
}  # fmt: skip


@dataclass
class Web:
    """All the hosts. there: what stands at each address; asked: what was asked for, in order."""

    port: int
    ca_file: Path
    there: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Our own authority",
             "-keyout", "ca.key", "-out", "ca.pem", "-addext", "keyUsage=keyCertSign",
             "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    _openssl(
        folder,
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=all",
        "-keyout",
        "host.key",
        "-out",
        "host.csr",
    )
    (folder / "names").write_text(
        "subjectAltName=" + ",".join(f"DNS:{host}" for host in HOSTS.split()) + "\n"
    )
    _openssl(folder, "x509", "-req", "-in", "host.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
             "-extfile", "names", "-out", "host.pem")  # fmt: skip
    return folder


@pytest.fixture
def web(authority: Path) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"https://{self.headers['Host']}{self.path}"
            opened.asked.append(url)
            body = opened.there.get(url)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_words: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "host.pem", authority / "host.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server) as port:
        opened = Web(port, authority / "ca.pem")
        yield opened


@pytest.fixture
def fetch(web: Web, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetch]:
    """The real client; only name and port of the server are those of our own (443 is not ours to take)."""

    def connected(_addresses: list[str], port: int, _deadline: object) -> socket.socket:
        assert port == 443
        return socket.create_connection(("127.0.0.1", web.port), timeout=5)

    monkeypatch.setattr(_http, "_connected", connected)
    manners = CollectPart(allow_private=("127.0.0.0/8",), timeout_s=10, delay_s=0)
    opened = Fetch(
        manners, contact="https://digest.example.org", timezone="America/Toronto", ca_file=str(web.ca_file)
    )
    monkeypatch.setattr(opened._client, "_resolve", lambda _host, _port: ["127.0.0.1"])
    yield opened
    opened.close()


@pytest.mark.parametrize("name", list(CASES))
def test_the_page_of_a_platform_leads_to_what_it_holds(
    name: str, web: Web, fetch: Fetch, corpus: Path
) -> None:
    case = CASES[name]
    web.there = {
        url: (corpus / there).read_bytes() if isinstance(there, str) else there
        for url, there in case.there.items()
    }
    found = fetch.look(case.pasted, now=NOW, horizon=NOW + timedelta(days=80))
    assert (found.url, found.kind) == (case.source, case.kind)
    assert len(found.harvest.entries) >= case.items
    assert all(entry.title for entry in found.harvest.entries)
    assert web.asked[-1] == case.source
    assert len(web.asked) <= 14


def test_every_platform_of_the_guide_has_its_page_here() -> None:
    platforms = {name.partition(":")[0].split()[0] for name in CASES}
    assert platforms == {
        "Medium",
        "Meetup",
        "Luma",
        "Eventbrite",
        "Google",
        "WordPress",
        "Gancio",
        "Mobilizon",
    }
