"""Whose name stands with an entry when it names nobody itself."""

import json

import pytest

from digest.sources import KINDS, ParseContext
from tests.conftest import NOW
from tests.http_kit import rss

CONTEXT = ParseContext(url="https://x.example/feed", now=NOW, horizon=NOW)
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
EDITOR = "<managingEditor>web@example.org (Web Team)</managingEditor>"
HOST = f'<author xmlns="{ITUNES}">Channel Host</author>'


def _author(body: bytes) -> str | None:
    [entry] = KINDS["feed"].parse(body, CONTEXT).entries
    return entry.author


@pytest.mark.parametrize(
    ("channel", "author"),
    [
        (EDITOR, None),
        ("<webMaster>x@example.org (Jo Tech)</webMaster>", None),
        (EDITOR + HOST, "Channel Host"),
        (HOST + EDITOR, "Channel Host"),
        ("<managingEditor>jane@example.org (Jane Doe)</managingEditor>", "Jane Doe"),
        ("<managingEditor>jane@example.org (Jane Doe)</managingEditor>" + HOST, "Channel Host"),
    ],
)
def test_a_channel_lends_one_name_and_not_that_of_its_web_team(channel: str, author: str | None) -> None:
    assert _author(rss("<title>A</title><link>https://x.example/a</link>", head=channel)) == author


@pytest.mark.parametrize(
    ("inside", "author"),
    [
        ("<source><id>s</id><author><name>Ana Ruiz</name></author></source>", "Ana Ruiz"),
        ("<author><name>Bo Li</name></author><source><author><name>Ana</name></author></source>", "Bo Li"),
        ("<source><id>s</id></source>", "Planet Admin"),
        ("", "Planet Admin"),
    ],
)
def test_an_entry_of_a_planet_is_by_the_author_of_its_source(inside: str, author: str) -> None:
    """RFC 4287, 4.2.1 and 4.2.11."""
    body = f"""<feed xmlns="http://www.w3.org/2005/Atom"><title>Planet</title><author><name>Planet Admin</name></author>
    <entry><title>Post</title><id>tag:p.example,2026:1</id><link href="https://p.example/1"/>{inside}</entry></feed>"""
    assert _author(body.encode()) == author


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ("Bob", "Bob"),
        (["Bob", "Ana"], "Bob, Ana"),
        ([{"name": "Bob"}], "Bob"),
        ([], "Feed"),
        ({"name": "Bob"}, "Bob"),
    ],
)
def test_a_json_feed_may_write_its_authors_as_mere_names(said: object, author: str) -> None:
    item = {"id": "https://x.example/1", "title": "A", "authors": said}
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "T",
        "authors": [{"name": "Feed"}],
        "items": [item],
    }
    assert _author(json.dumps(feed).encode()) == author


@pytest.mark.parametrize("declared", [b"", b"<!DOCTYPE rss>"])
def test_a_number_for_a_guid_is_no_address(declared: bytes) -> None:
    body = rss("<title>A</title><guid>8</guid>").replace(b"<rss ", declared + b"<rss ", 1)
    [entry] = KINDS["feed"].parse(body, CONTEXT).entries
    assert entry.url is None
