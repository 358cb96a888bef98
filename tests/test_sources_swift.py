"""The swift reader gives what feedparser gives, or nothing: on every real file, on feeds of our own, on damaged ones."""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.errors import SourceError
from digest.model import Harvest
from digest.sources import ParseContext, feed, medium
from digest.sources._swift import read_plain

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Un blogue &amp; co</title><link>https://a.example/?a=1&amp;b=2</link>
<atom:link rel="self" href="https://a.example/feed"/><language>fr-CA</language><ttl>60</ttl><description>x</description>
<item><title>L&#8217;été &lt;b&gt;!&lt;/b&gt;</title><link>https://a.example/1?x=1&amp;y=2</link><guid>https://a.example/?p=1</guid>
<dc:creator><![CDATA[Zoé Example]]></dc:creator><pubDate>Tue, 10 Nov 2026 10:00:00 +0000</pubDate>
<category domain="https://a.example/t"><![CDATA[civic]]></category><category>open</category><category>open</category>
<description><![CDATA[<p>Short words of it.</p>]]></description><content:encoded><![CDATA[<p>Long words of it, rather long.</p>]]>
</content:encoded><comments>https://a.example/1#c</comments></item>
<item><guid isPermaLink="false">tag:a.example,2026:2</guid><description>Only words &amp;amp; more</description></item>
<item><guid>https://a.example/3</guid><title>CafÃ©</title><pubDate>Tue, 10 Nov 2026 10:00:00 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-CA"><title type="html">A &amp;amp; B</title><id>urn:x</id>
<link rel="self" href="https://b.example/atom"/><link href="https://b.example/"/><author><name>Lee</name><uri>https://b.example</uri>
</author><entry><title>One</title><id>urn:1</id><link rel="enclosure" href="https://b.example/1.mp3"/>
<link rel="alternate" type="text/html" href="https://b.example/1"/><published>2026-11-10T10:00:00Z</published>
<updated>2026-11-11T10:00:00.123-05:00</updated><category term="civic" label="Civic"/><summary>Plain &lt; words</summary>
<content type="html">&lt;p&gt;Marked up&lt;/p&gt;</content><author><name>Kim</name></author></entry>
<entry><title>Two</title><id>urn:2</id><updated>2026-11-11T10:00:00Z</updated><content type="text">T</content></entry></feed>"""


def _context(**headers: str) -> ParseContext:
    return ParseContext(
        url="https://site.example/feed", now=NOW, horizon=NOW + timedelta(days=80), headers=headers
    )


def _both(
    body: bytes, monkeypatch: pytest.MonkeyPatch, *, kind: Any = feed
) -> tuple[Harvest | str, Harvest | str]:
    found: list[Harvest | str] = []
    for way in (read_plain, lambda *_args, **_named: None):
        monkeypatch.setattr(feed, "read_plain", way)
        try:
            found.append(kind.parse(body, _context()))
        except SourceError as error:
            found.append(str(error))
    return found[0], found[1]


@pytest.mark.parametrize("body", [RSS, ATOM], ids=["rss", "atom"])
def test_plain_feeds_are_read_swiftly_and_to_the_same_entries(
    body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_plain(body.encode(), {}, most=500) is not None
    swift, slow = _both(body.encode(), monkeypatch)
    assert swift == slow
    assert isinstance(swift, Harvest)
    assert len(swift.entries) == (3 if body is RSS else 2)


@pytest.mark.parametrize(
    "odd",
    [
        RSS.replace("<rss", "<!DOCTYPE rss><rss"),
        RSS.replace("UTF-8", "iso-8859-1"),
        RSS.replace("</channel>", ""),
        RSS.replace("2026 10:00:00 GMT", "2026 10:00:00 NST"),
        RSS.replace("CafÃ©", "a &nbsp; b"),
        RSS.replace("CafÃ©", "a <b>bold</b> title"),
        RSS.replace("<title>CafÃ©", "<title>One</title><title>CafÃ©"),
        RSS.replace("Zoé Example", "zoe@a.example (Zoé)"),
        ATOM.replace('type="html">&lt;p&gt;Marked up&lt;/p&gt;', 'type="xhtml"><div>x</div>'),
        ATOM.replace("<entry>", '<entry xml:lang="fr">', 1),
        ATOM.replace("<entry>", '<entry xml:base="https://c.example/">', 1),
    ],
)  # fmt: skip
def test_whatever_is_doubtful_is_left_to_feedparser(odd: str) -> None:
    assert read_plain(odd.encode(), {}, most=500) is None


def test_a_charset_of_the_server_other_than_utf_8_is_left_to_feedparser() -> None:
    assert read_plain(RSS.encode(), {"content-type": "text/xml; charset=iso-8859-1"}, most=500) is None
    assert read_plain(RSS.encode(), {"content-type": 'text/xml; charset="UTF-8"'}, most=500) is not None


def test_damaged_feeds_are_read_alike_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    dice, swift_ones = random.Random(3), 0
    for number in range(1_200):
        body = bytearray((RSS if number % 2 else ATOM).encode())
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(body))
            cut = dice.randint(1, 30)
            piece = bytes(body[at : at + cut])
            body[at : at + cut] = dice.choice(
                (b"", piece + piece, bytes([dice.randrange(32, 127)]), b"<x/>", b"&amp;")
            )
        swift_ones += read_plain(bytes(body), {}, most=500) is not None
        swift, slow = _both(bytes(body), monkeypatch)
        assert swift == slow, bytes(body)
    assert swift_ones > 30


@pytest.mark.corpus
def test_every_real_feed_is_read_alike_both_ways(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    swift_ones = files = 0
    for path, kind in _files(corpus):
        body = path.read_bytes()
        files += 1
        try:
            checked = feed._checked(body, _context())
        except SourceError:
            continue
        swift_ones += read_plain(checked, {}, most=500) is not None
        swift, slow = _both(body, monkeypatch, kind=kind)
        assert swift == slow, path.name
    with capsys.disabled():
        print(f"\n{swift_ones} of {files} real feeds are plain enough for the swift reader")
    assert swift_ones > 20


def _files(corpus: Path) -> Iterator[tuple[Path, Any]]:
    lines = (corpus / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["file"].startswith(("medium/", "feeds/")):
            yield corpus / row["file"], medium if row["file"].startswith("medium/") else feed
