"""Posts of which a feed shows only what everybody may read: recognised by platform, and what merely looks like it is not."""

from pathlib import Path

import pytest

from digest.errors import SourceError
from digest.model import Entry
from tests.http_kit import rss
from tests.test_sources_odd import read

WORDS = "<p>" + "We asked forty people how they read a letter from the city. " * 8 + "</p>"
MORE = '<p> <a href="https://notes.substack.com/p/letters?utm_source=x"> Read more </a> </p>'
SUBSTACK, GHOST = "<generator>Substack</generator>", "<generator>Ghost 6.19</generator>"


def post(html: str, *, head: str = "", summary: str = "The first words of it.") -> Entry:
    (entry,) = read("feed", rss(
        "<title>Letters</title><link>https://notes.substack.com/p/letters</link><pubDate>Tue, 10 Nov 2026 10:00:00 GMT</pubDate>"
        f"<description><![CDATA[{summary}]]></description><content:encoded><![CDATA[{html}]]></content:encoded>",
        head=head,
    ).replace(b"<rss ", b'<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" '))  # fmt: skip
    return entry


@pytest.mark.parametrize(
    ("html", "head"),
    [
        (WORDS + MORE, SUBSTACK),
        ("", GHOST),
        ("<html><head></head><body></body></html>", GHOST),
        (WORDS + "<p><em>This post is for paying subscribers only.</em></p>", ""),
        (WORDS + "<h2>Subscribe to continue reading</h2><p>Become a paid subscriber to get access to the rest of this post"
         " and other exclusive content.</p>", ""),
        ("<p>This content is restricted to members</p>" + WORDS, ""),
        (WORDS + "<p><em>(The remainder of this post is for paid subscribers only)</em></p>", ""),
        (WORDS + "<p>Cet article est réservé aux abonnés.</p>", ""),
        (WORDS + "<div>La suite est réservée à nos membres</div>", ""),
    ],
)  # fmt: skip
def test_what_is_for_members_says_so_and_is_not_taken_for_the_whole(html: str, head: str) -> None:
    entry = post(html, head=head)
    assert "member-only" in entry.flags
    assert (entry.is_full, entry.minutes) == (False, None)
    for sign in ("Read more", "subscriber", "restricted", "réservé"):
        assert sign not in entry.html


@pytest.mark.parametrize(
    ("html", "head"),
    [
        (WORDS, SUBSTACK),
        (WORDS + MORE, ""),  # how blogs end an excerpt
        (WORDS + MORE.replace("letters?", "another?"), SUBSTACK),  # leads to another post
        (WORDS, GHOST),
        ("<figure><img src='https://x.example/a.png'></figure>", GHOST),
        (WORDS + "<p>Subscribe to our letter! It is free for members of the public.</p>", ""),
        (WORDS + "<p>A clause said that this post is for members only, which nobody had read in the forty years since.</p>", ""),
        (WORDS + "<p>Become a member of the board: the city is looking for three residents to read its letters.</p>", ""),
        (WORDS + "<p>Abonnez-vous à l’infolettre\u00a0: elle est gratuite.</p>", ""),
    ],
)  # fmt: skip
def test_what_everybody_may_read_is_not_taken_for_a_members_post(html: str, head: str) -> None:
    entry = post(html, head=head)
    assert "member-only" not in entry.flags
    assert entry.is_full


def test_no_post_of_the_real_feeds_is_taken_for_a_members_post(corpus: Path) -> None:
    """None of them is one, as far as a person can see."""
    looked = 0
    for path in sorted((corpus / "feeds").iterdir()):
        try:
            entries = read("feed", path.read_bytes())
        except SourceError:  # test_sources_corpus.py says which and why
            continue
        looked += len(entries)
        assert not [entry.title for entry in entries if "member-only" in entry.flags], path.name
    assert looked > 500
