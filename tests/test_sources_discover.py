"""Pasting any address: the platform's feed, what the page announces, the usual places."""

import time
from contextlib import closing
from datetime import timedelta

import pytest

from digest.errors import ErrorKind, SourceError
from digest.model import Source, SourceId
from digest.rules.opml import read_opml
from digest.sources._page import announced
from digest.sources.discover import proposed, rewritten, spellings
from digest.sources.fetch import Fetch
from tests.conftest import NOW
from tests.http_kit import answer, ics, raw, serving
from tests.test_visit_words import _Manners


@pytest.mark.parametrize(
    ("pasted", "feed"),
    [
        ("https://medium.com/@somebody", "https://medium.com/feed/@somebody"),
        ("https://medium.com/some-publication/a-post-1234567890ab", "https://medium.com/feed/some-publication"),
        ("https://medium.com/tag/civictech/archive", "https://medium.com/feed/tag/civictech"),
        ("https://somebody.medium.com/", "https://somebody.medium.com/feed"),
        ("https://www.meetup.com/some-group/", "https://www.meetup.com/some-group/events/ical/"),
        ("https://www.meetup.com/fr-FR/some-group/events/", "https://www.meetup.com/some-group/events/ical/"),
        ("https://www.youtube.com/channel/UCx", "https://www.youtube.com/feeds/videos.xml?channel_id=UCx"),
        ("https://github.com/someone/thing", "https://github.com/someone/thing/releases.atom"),
        (
            "https://calendar.google.com/calendar/embed?src=a%40group.calendar.google.com&ctz=America%2FToronto",
            "https://calendar.google.com/calendar/ical/a%40group.calendar.google.com/public/basic.ics",
        ),
        (
            "https://calendar.google.com/calendar/u/0?cid=YWJjQGdyb3VwLmNhbGVuZGFyLmdvb2dsZS5jb20",
            "https://calendar.google.com/calendar/ical/abc%40group.calendar.google.com/public/basic.ics",
        ),
        (
            "https://www.google.com/calendar/embed?src=abc%40group.calendar.google.com",
            "https://calendar.google.com/calendar/ical/abc%40group.calendar.google.com/public/basic.ics",
        ),
        ("https://lu.ma/calendar/cal-abcdefgh12", "https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12"),
        ("https://blog.example.org/", None),
        ("https://medium.com/feed/@somebody", None),
    ],
)  # fmt: skip
def test_known_platforms_are_known_by_their_address(pasted: str, feed: str | None) -> None:
    assert rewritten(pasted) == feed


@pytest.mark.parametrize(
    ("pasted", "asked"),
    [
        (" blog.example.org/x ", ["https://blog.example.org/x", "http://blog.example.org/x"]),
        ("localhost:8000/feed?u=a://b", ["https://localhost:8000/feed?u=a://b", "http://localhost:8000/feed?u=a://b"]),
        ("//blog.example.org", ["https://blog.example.org", "http://blog.example.org"]),
        ("webcal://a.example/b.ics", ["https://a.example/b.ics", "http://a.example/b.ics"]),
        ("Feed:https://a.example/rss", ["https://a.example/rss"]),
        ("<http://a.example/rss>", ["http://a.example/rss"]),
        ("ftp://a.example/", ["ftp://a.example/"]),
    ],
)  # fmt: skip
def test_an_address_is_spelled_out(pasted: str, asked: list[str]) -> None:
    assert spellings(pasted) == asked


def test_a_page_announces_its_feeds_before_anything_is_guessed() -> None:
    page = b"""<html><head><link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
    <link rel="alternate" type="application/atom+xml" href="/blog.atom"></head><a href="webcal://a.example/c.ics">Calendar</a>"""
    found = proposed(page, "https://blog.example.org/news")
    assert found[:3] == [
        "https://blog.example.org/blog.atom", "https://blog.example.org/comments/feed", "https://a.example/c.ics",
    ]  # fmt: skip
    assert "https://blog.example.org/news/feed.xml" in found
    assert "https://blog.example.org/feed.xml" in found


@pytest.mark.parametrize(
    ("page", "url", "feed"),
    [
        (b'<meta name="generator" content="WordPress 6.5">', "https://a.example/x/", "https://a.example/feed/"),
        (b'<div class="tribe-events">', "https://a.example/", "https://a.example/events/?ical=1"),
        (b'<meta name="generator" content="Gancio 1.19">', "https://a.example/", "https://a.example/feed/ics"),
        (b"<title>G - Mobilizon</title>", "https://a.example/@group/events", "https://a.example/@group/feed/ics"),
        (b'{"x":"cal-abcdefgh12"}', "https://luma.com/ottawa", "https://api.luma.com/ics/get?entity=calendar&id=cal-abcdefgh12"),
    ],
)  # fmt: skip
def test_platforms_are_known_by_their_page(page: bytes, url: str, feed: str) -> None:
    assert proposed(b"<html><head>" + page + b"</head></html>", url)[0] == feed


def test_no_address_that_could_act_is_proposed() -> None:
    page = b'<html><link rel="alternate" type="application/rss+xml" href="javascript:alert(1)"><a href="file:///etc/x.ics">'
    assert all(link.startswith("https://") for link in proposed(page, "https://a.example/"))


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ('<link rel="alternate" type="application/json" href="/api/feed">', "/api/feed"),
        ("<link rel=alternate type=text/xml href=/blog.xml>", "/blog.xml"),
        ('<link rel="alternate" type="application/rss+xml" href="feed://site.example.org/f">', "/f"),
        ('<a href="/nouvelles/fil.rss">Nouvelles</a>', "/nouvelles/fil.rss"),
        ('<a href="/index.php?id=4&amp;type=9818">S\'abonner</a>', "/index.php?id=4&type=9818"),
        ('<a href="/abonnement/12">Fil RSS</a>', "/abonnement/12"),
        ('<a href="feed:https://site.example.org/f">Subscribe</a>', "/f"),
    ],
)
def test_a_feed_is_found_however_the_page_tells_of_it(page: str, feed: str) -> None:
    found = proposed(f"<!doctype html><html>{page}</html>".encode(), "https://site.example.org/x")
    assert found[0] == f"https://site.example.org{feed}"


def test_a_feed_is_found_in_the_header_of_a_page() -> None:
    said = {"link": '</style.css>; rel=preload, </lf>; rel="alternate"; type="application/rss+xml"'}
    assert announced(b"<!doctype html><html></html>", "https://site.example.org/x", said) == [
        "https://site.example.org/lf"
    ]


def test_what_is_no_feed_is_not_taken_for_one() -> None:
    page = b"""<!doctype html><link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/1">
    <link rel="alternate" type="application/json+oembed" href="/oembed?x"><a href="https://reader.example/rss">RSS</a>"""
    assert announced(page, "https://site.example.org/") == []
    assert not any("reader.example" in link for link in proposed(page, "https://site.example.org/"))


def test_a_calendar_that_stands_in_the_page_is_found() -> None:
    page = b"""<!doctype html><iframe src="https://calendar.google.com/calendar/embed?src=abc%40group.calendar.google.com&amp;ctz=x">
    </iframe>"""
    assert proposed(page, "https://site.example.org/")[0] == (
        "https://calendar.google.com/calendar/ical/abc%40group.calendar.google.com/public/basic.ics"
    )


def test_a_list_of_feeds_may_write_feed_before_its_addresses() -> None:
    body = b"""<opml version="2.0"><body><outline text="a" xmlUrl="feed://a.example.org/rss"/>
    <outline text="b" xmlUrl="feed:https://b.example.org/rss"/><outline text="c" xmlUrl="webcal://c.example.org/c.ics"/>
    </body></opml>"""
    outlines, unusable = read_opml(body)
    assert [one.url for one in outlines] == [
        "http://a.example.org/rss", "https://b.example.org/rss", "https://c.example.org/c.ics",
    ]  # fmt: skip
    assert unusable == 0


def test_a_calendar_offered_as_webcal_is_found_where_its_server_knows_no_https() -> None:
    """On the page of that server, and when a configuration says webcal: itself."""
    fetch = Fetch(_Manners(), contact="https://list.example")  # type: ignore[arg-type]
    with closing(fetch), serving() as site:
        calendar = site.url("/c.ics")
        offered = calendar.replace("http:", "webcal:")
        site.pages["/"] = answer(
            f'<!doctype html><p><a href="{offered}">Add</a></p>'.encode(), content_type="text/html"
        )
        site.pages["/c.ics"] = answer(
            ics("UID:a\nSUMMARY:Night\nDTSTART:20261201T230000Z"), content_type="text/calendar"
        )
        assert fetch.look(site.url("/"), now=NOW, horizon=NOW + timedelta(days=60)).url == calendar
        source = Source(id=SourceId(1), name="c", url=offered, kind="ical")
        harvest = fetch.visit(source, now=NOW, horizon=NOW + timedelta(days=60)).harvest
    assert harvest
    assert [entry.title for entry in harvest.entries] == ["Night"]


def _announcing(*feeds: str) -> bytes:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="{feed}">' for feed in feeds)
    return f"<!doctype html><html><head>{links}</head><p>Welcome</p></html>".encode()


def test_a_page_of_slow_feeds_is_looked_at_within_one_deadline_and_nothing_is_asked_twice() -> None:
    """And is told by what was slow, not as a page that should be looked through."""
    fetch = Fetch(_Manners(), contact="https://list.example", look_s=2.0)  # type: ignore[arg-type]
    slow = [f"/drip{number}" for number in range(8)]
    with closing(fetch), serving() as site:
        site.pages["/"] = answer(_announcing(*slow), content_type="text/html")
        for path in slow:
            site.pages[path] = raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 60, pause_s=0.1)
        began = time.monotonic()
        with pytest.raises(SourceError) as caught:
            fetch.look(site.url("/"), now=NOW, horizon=NOW)
        took_s = time.monotonic() - began
        asked = [one.path for one in site.asked]
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert str(caught.value).endswith(site.url("/drip0"))
    assert took_s < 6, "each of them used to have two seconds of its own, and four of them twice"
    assert len(asked) == len(set(asked))


def test_what_was_found_in_time_is_told_although_others_drip() -> None:
    fetch = Fetch(_Manners(), contact="https://list.example", look_s=4.0)  # type: ignore[arg-type]
    with closing(fetch), serving() as site:
        site.pages["/"] = answer(_announcing("/drip", "/good", "/drip2"), content_type="text/html")
        for path in ("/drip", "/drip2"):
            site.pages[path] = raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b" "] * 60, pause_s=0.1)
        site.pages["/good"] = answer(
            b"<rss version='2.0'><channel><title>Good</title><item><title>One</title></item></channel></rss>"
        )
        found = fetch.look(site.url("/"), now=NOW, horizon=NOW)
    assert found.url == site.url("/good")


def test_a_feed_that_is_announced_and_empty_is_asked_once_and_found() -> None:
    fetch = Fetch(_Manners(), contact="https://list.example")  # type: ignore[arg-type]
    with closing(fetch), serving() as site:
        site.pages["/"] = answer(_announcing("/new"), content_type="text/html")
        site.pages["/new"] = answer(b"<rss version='2.0'><channel><title>New</title></channel></rss>")
        assert fetch.look(site.url("/"), now=NOW, horizon=NOW).url == site.url("/new")
        assert [one.path for one in site.asked] == ["/", "/new"]
