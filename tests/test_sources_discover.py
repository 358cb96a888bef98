"""Pasting any address: the platform's feed, what the page announces, the usual places."""

import pytest

from digest.sources.discover import proposed, rewritten, spellings


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
