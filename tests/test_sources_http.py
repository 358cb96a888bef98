"""The client: what it refuses, when it gives up, what it sends. Real sockets on loopback."""

import gzip
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from digest.errors import ErrorKind, SourceError
from digest.model import Source, SourceId
from digest.rules.links import owner_of
from digest.sources._address import is_public
from digest.sources._http import Client
from digest.sources.fetch import Fetch
from tests.http_kit import Site, answer, in_turn, post, raw, rss, serving

FEED = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>prove it</body></html>"


@dataclass(frozen=True)
class Manners:
    allow_private: bool | tuple[str, ...] = ("127.0.0.0/8",)
    timeout_s: float = 5
    max_bytes: int = 200_000
    delay_s: float = 0


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


def client(**manners: object) -> Client:
    return Client(Manners(**manners), user_agent="digest/test (+https://digest.example.org)")  # type: ignore[arg-type]


def refusal(url: str, **manners: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        client(**manners).get(url)
    return caught.value


def test_validators_come_back_byte_for_byte_and_304_has_no_body(site: Site) -> None:
    site.pages["/feed"] = answer(FEED, etag='W/"caf\xe9--gzip"', last_modified="yesterday, about noon")
    first = client().get(site.url("/feed"))
    site.pages["/feed"] = answer(status=304)
    second = client().get(site.url("/feed"), etag=first.etag, last_modified=first.last_modified)
    assert (second.status, second.body) == (304, b"")
    assert site.asked[1].headers["if-none-match"] == 'W/"caf\xe9--gzip"'
    assert site.asked[1].headers["if-modified-since"] == "yesterday, about noon"


def test_a_200_with_the_same_etag_counts_as_unchanged(site: Site) -> None:
    site.pages["/feed"] = answer(FEED, etag='"1"')
    assert client().get(site.url("/feed"), etag='"1"').status == 304


def test_a_304_that_nobody_asked_for_is_a_fault(site: Site) -> None:
    site.pages["/feed"] = answer(status=304)
    assert refusal(site.url("/feed")).kind is ErrorKind.HTTP


def test_we_say_who_we_are_and_how_to_reach_us(site: Site) -> None:
    site.pages["/feed"] = answer(FEED)
    client().get(site.url("/feed"))
    assert "https://digest.example.org" in site.asked[0].headers["user-agent"]


def test_permanent_redirects_are_reported_and_temporary_ones_are_not(site: Site) -> None:
    site.pages["/new"] = answer(FEED)
    site.pages["/moved"] = answer(status=301, location="/new")
    site.pages["/lent"] = answer(status=302, location="/moved")
    assert client().get(site.url("/moved")).moved_to == site.url("/new")
    assert client().get(site.url("/lent")).moved_to is None


def test_redirects_end_after_five(site: Site) -> None:
    site.pages["/round"] = answer(status=302, location="/round")
    assert refusal(site.url("/round")).kind is ErrorKind.REDIRECTS
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest", "http://[::1]/", "http://10.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/",
     "http://user@127.0.0.1/", "http://0.0.0.0/"],
)  # fmt: skip
def test_a_redirect_to_where_we_must_not_go_is_refused(site: Site, target: str) -> None:
    site.pages["/feed"] = answer(status=302, location=target)
    assert refusal(site.url("/feed")).kind in (ErrorKind.PRIVATE_ADDRESS, ErrorKind.NO_ADDRESS)


_WRITTEN = """
127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0177.0.0.1 0177.1 017700000001 127.0.0.1. localhost
localhost. LOCALHOST 0 0.0.0.0 00.0.0.0 [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
[::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [2002:7f00:1::] [fe80::1] [fc00::1] [fd12:3456::1]
[fec0::1] [ff02::1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [2001::1] [2001:db8::1] [100::1] 10.0.0.1
10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 192.168.1.1 169.254.169.254 169.254.0.1 100.64.0.1
100.127.255.254 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255 2852039166 0xa9fea9fe 0251.0376.0251.0376 3232235521 0xc0a80001 127.0.0.53 127.255.255.254
host http://{host}:{site.port}/feed
"""
HOSTS = _WRITTEN.split()


def test_there_are_at_least_sixty_forms_of_private_addresses_tried() -> None:
    assert len(set(HOSTS)) >= 60


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "http://", "https:///x", "http://a@example.org/", "http://exa mple.org/",
     "javascript:alert(1)", "http://example.org:99999/", "http://[::1", "//example.org/feed", "", "http://example.org:0/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused_without_a_lookup(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(SourceError):
        Client(Manners(), user_agent="x", resolve=resolve).get(url)


@pytest.mark.parametrize("port", [22, 25, 53, 110, 587])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(SourceError) as caught:
        Client(Manners(), user_agent="x", resolve=lambda host, port: ["93.184.215.14"]).get(
            f"http://site.example:{port}/"
        )
    assert caught.value.kind is ErrorKind.PRIVATE_ADDRESS


def test_a_name_that_changes_its_address_between_check_and_connection_is_not_followed(site: Site) -> None:
    """DNS rebinding: looked up once, and what was checked is what is connected to."""
    site.pages["/feed"] = answer(FEED)
    lookups = []

    def resolve(host: str, port: int) -> list[str]:
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["127.0.0.2"]

    manners = Manners(allow_private=("127.0.0.1",))
    got = Client(manners, user_agent="x", resolve=resolve).get(f"http://rebind.example:{site.port}/feed")
    assert got.body == FEED
    assert lookups == ["rebind.example"]
    assert site.asked[0].headers["host"] == f"rebind.example:{site.port}"


def test_one_private_address_among_public_ones_spoils_the_host() -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "127.0.0.1"]

    with pytest.raises(SourceError) as caught:
        Client(Manners(allow_private=()), user_agent="x", resolve=resolve).get("http://two.example/")
    assert caught.value.kind is ErrorKind.PRIVATE_ADDRESS


def test_public_addresses_are_public() -> None:
    assert all(is_public(a) for a in ("93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"))


@pytest.mark.parametrize(
    "script",
    [
        raw(*[b"H"] * 40, pause_s=0.1),
        raw(b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: 1\r\n"] * 40, pause_s=0.1),
        raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"<rss>"] * 40, pause_s=0.1),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", *[b"x"] * 40, pause_s=0.1),
        raw(b"", b"", pause_s=2.0),
    ],
    ids=["status", "headers", "body", "counted-body", "silence"],
)
def test_a_slow_drip_ends_with_the_wall_clock(site: Site, script: object) -> None:
    site.pages["/feed"] = script  # type: ignore[assignment]
    began = time.monotonic()
    assert refusal(site.url("/feed"), timeout_s=0.7).kind is ErrorKind.TIMEOUT
    assert time.monotonic() - began < 5


def test_the_wall_clock_counts_redirects_too(site: Site) -> None:
    def slow(asked: object, connection: object) -> None:
        time.sleep(0.4)
        answer(status=302, location="/feed")(asked, connection)  # type: ignore[arg-type]

    site.pages["/feed"] = slow
    assert refusal(site.url("/feed"), timeout_s=1).kind is ErrorKind.TIMEOUT


def test_an_answer_over_the_limit_is_cut_whatever_it_says_of_its_length(site: Site) -> None:
    site.pages["/honest"] = answer(b"x" * 300_000)
    site.pages["/endless"] = raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"y" * 60_000] * 10)
    assert refusal(site.url("/honest")).kind is ErrorKind.TOO_BIG
    assert refusal(site.url("/endless")).kind is ErrorKind.TOO_BIG


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_gzip_bomb_is_not_unpacked(site: Site, layers: int) -> None:
    body = b"0" * 30_000_000
    for _ in range(layers):
        body = gzip.compress(body)
    site.pages["/bomb"] = answer(body, content_encoding=", ".join(["gzip"] * layers))
    assert refusal(site.url("/bomb"), max_bytes=50_000_000).kind is ErrorKind.TOO_BIG


def test_a_deflate_bomb_is_not_unpacked(site: Site) -> None:
    site.pages["/bomb"] = answer(zlib.compress(b"0" * 30_000_000), content_encoding="deflate")
    assert refusal(site.url("/bomb"), max_bytes=50_000_000).kind is ErrorKind.TOO_BIG


def test_packed_answers_are_unpacked_and_broken_ones_are_named(site: Site) -> None:
    site.pages["/good"] = answer(gzip.compress(FEED), content_encoding="gzip")
    site.pages["/bad"] = answer(b"this is not gzip at all", content_encoding="gzip")
    assert client().get(site.url("/good")).body == FEED
    assert refusal(site.url("/bad")).kind is ErrorKind.CONNECTION


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(site: Site) -> None:
    site.pages["/cut"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + FEED)
    assert refusal(site.url("/cut")).kind is ErrorKind.CONNECTION


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (answer(CHALLENGE), ErrorKind.CHALLENGE),
        (answer(CHALLENGE, status=403), ErrorKind.CHALLENGE),
        (answer(b"x", status=403, cf_mitigated="challenge"), ErrorKind.CHALLENGE),
        (answer(CHALLENGE, status=503), ErrorKind.CHALLENGE),
        (answer(b"no", status=403), ErrorKind.HTTP),
        (answer(b"no", status=404), ErrorKind.HTTP),
        (answer(b"no", status=410), ErrorKind.GONE),
        (answer(b"no", status=429), ErrorKind.RATE_LIMITED),
        (answer(b"no", status=503, retry_after="120"), ErrorKind.RATE_LIMITED),
        (answer(b"no", status=503), ErrorKind.HTTP),
        (answer(b"no", status=500), ErrorKind.HTTP),
        (raw(b"garbage\r\n\r\n"), ErrorKind.CONNECTION),
        (raw(b""), ErrorKind.CONNECTION),
    ],
)
def test_every_failure_has_its_kind_and_one_sentence(site: Site, script: object, kind: ErrorKind) -> None:
    site.pages["/feed"] = script  # type: ignore[assignment]
    error = refusal(site.url("/feed"))
    assert error.kind is kind
    assert str(error).endswith(".")
    assert "\n" not in str(error)


def test_retry_after_is_read_as_seconds_and_as_a_date_and_ends_at_a_day(site: Site) -> None:
    site.pages["/s"] = answer(status=429, retry_after="7200")
    dates = {"date": "Fri, 20 Nov 2026 15:00:00 GMT", "retry_after": "Fri, 20 Nov 2026 16:00:00 GMT"}
    site.pages["/d"] = answer(status=429, **dates)
    site.pages["/long"] = answer(status=429, retry_after="99999999")
    assert refusal(site.url("/s")).retry_after_s == 7200
    assert refusal(site.url("/d")).retry_after_s == 3600
    assert refusal(site.url("/long")).retry_after_s == 86_400


def test_a_host_that_does_not_exist_and_a_closed_port_are_told_apart(site: Site) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(SourceError) as caught:
        Client(Manners(), user_agent="x", resolve=resolve).get("https://nowhere.example/")
    assert caught.value.kind is ErrorKind.DNS
    assert refusal("http://127.0.0.1:1/").kind is ErrorKind.CONNECTION


def test_a_server_without_tls_is_no_https_server(site: Site) -> None:
    site.pages["/feed"] = answer(FEED)
    assert refusal(site.url("/feed").replace("http:", "https:"), timeout_s=2).kind in (
        ErrorKind.TLS,
        ErrorKind.TIMEOUT,
    )


def test_a_resolver_that_hangs_does_not_hang_us() -> None:
    def resolve(host: str, port: int) -> list[str]:
        time.sleep(6)
        return ["127.0.0.1"]

    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        Client(Manners(timeout_s=0.3), user_agent="x", resolve=resolve).get("http://slow.example/")
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert time.monotonic() - began < 5


def test_requests_of_one_lane_keep_their_distance_unless_the_host_is_our_own(site: Site) -> None:
    site.pages["/feed"] = in_turn(answer(FEED))
    ours = client(delay_s=30)
    ours.get(site.url("/feed"))
    ours.get(site.url("/feed"))
    assert site.asked[1].at - site.asked[0].at < 5


def test_a_lane_that_was_told_to_slow_down_is_left_alone(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    """The one place where loopback must pass for the outside: nothing else can see politeness from here."""
    monkeypatch.setattr("digest.sources._http.checked", lambda *args, **kwargs: False)
    site.pages["/a"] = answer(FEED)
    site.pages["/busy"] = answer(status=429, retry_after="60")
    polite = client(delay_s=0.4)
    polite.get(site.url("/a"))
    polite.get(site.url("/a"))
    assert site.asked[1].at - site.asked[0].at >= 0.4
    for path in ("/busy", "/a"):
        with pytest.raises(SourceError) as caught:
            polite.get(site.url(path))
        assert caught.value.kind is ErrorKind.RATE_LIMITED
    assert len(site.asked) == 3


def test_the_validators_of_an_answer_that_expires_at_once_are_not_believed(site: Site) -> None:
    site.pages["/feed"] = in_turn(
        answer(FEED, etag='"a"', expires="0"), answer(FEED + b" ", etag='"a"', expires="0")
    )
    first = client().get(site.url("/feed"))
    assert (first.etag, first.last_modified) == (None, None)
    assert client().get(site.url("/feed"), etag='"a"').status == 200
    site.pages["/old"] = answer(
        FEED, etag='"a"', expires="Thu, 19 Nov 1981 08:52:00 GMT"
    )  # as PHP writes it everywhere
    assert client().get(site.url("/old")).etag == '"a"'


@pytest.mark.parametrize(
    ("host", "owner"),
    [
        ("a.tumblr.com", "tumblr.com"), ("www.example.org", "example.org"), ("example.org", "example.org"),
        ("blog.team.canada.ca", "canada.ca"), ("www.tbs-sct.gc.ca", "tbs-sct.gc.ca"), ("www.ville.qc.ca", "ville.qc.ca"),
        ("data.gov.uk", "data.gov.uk"), ("www.example.com.au", "example.com.au"), ("t.co", "t.co"), ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"), ("10.1.2.3", "10.1.2.3"), ("2001:db8::1", "2001:db8::1"), ("", ""),
    ],
)  # fmt: skip
def test_all_hosts_of_one_owner_share_a_lane(host: str, owner: str) -> None:
    assert owner_of(host) == owner


def test_an_answer_is_asked_for_again_when_its_server_lets_it_expire(site: Site) -> None:
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    site.pages["/feed"] = answer(rss(post(1)), expires="Sat, 21 Nov 2026 03:00:00 GMT")
    site.pages["/aged"] = answer(
        rss(post(1)), expires="Sat, 21 Nov 2026 03:00:00 GMT", cache_control="max-age=60"
    )
    fetch = Fetch(Manners(), contact="x")
    try:
        for path, pause_s in (("/feed", 43_200.0), ("/aged", 60.0)):
            source = Source(id=SourceId(1), name="x", url=site.url(path), kind="feed")
            assert fetch.visit(source, now=now, horizon=now).pause_s == pause_s
    finally:
        fetch.close()
