"""Feeds that do not end, and characters cut in halves: what came whole is read, and what did not is never taken for whole."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from digest.app import open_app
from digest.config import Config
from digest.model import Harvest, LeftOutWhy
from digest.sources import KINDS, ParseContext
from tests.conftest import Clock
from tests.http_kit import answer, in_turn, post, rss, serving

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
WHOLE = rss(
    post(3), post(2), post(1, words="<![CDATA[How an <item>…</item> of RSS is written, at some length]]>")
)
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>urn:x</id>
<entry><id>urn:x:2</id><title>Two</title><link href="https://x.example/2"/><updated>2026-11-11T10:00:00Z</updated></entry>
<entry><id>urn:x:1</id><title>One</title><link href="https://x.example/1"/><updated>2026-11-11T10:00:00Z</updated></entry>
</feed>"""


def read(body: bytes) -> Harvest:
    context = ParseContext(url="https://site.example.org/x", now=NOW, horizon=NOW + timedelta(days=120))
    return KINDS["feed"].parse(body, context)


def titles(body: bytes) -> list[str]:
    return [entry.title for entry in read(body).entries]


def cut(body: bytes, *, within: bytes) -> bytes:
    return body[: body.index(within) + len(within) // 2]


@pytest.mark.parametrize(
    ("within", "kept"),
    [
        (b"<title>Post number 3</title>", []),
        (b"https://blog.example.org/2</link>", ["Post number 3"]),
        (b"What post 2 has to say", ["Post number 3"]),
        (b"of RSS is written", ["Post number 3", "Post number 2"]),
    ],
)
def test_the_entry_in_which_a_feed_breaks_off_is_none(within: bytes, kept: list[str]) -> None:
    harvest = read(cut(WHOLE, within=within))
    assert [entry.title for entry in harvest.entries] == kept
    assert [(one.what, one.why) for one in harvest.left_out] == [(str(len(kept) + 1), LeftOutWhy.CUT)]


def test_an_atom_feed_that_breaks_off_loses_its_open_entry_alone() -> None:
    assert titles(cut(ATOM, within=b"<title>One</title>")) == ["Two"]
    assert titles(ATOM.replace(b"<title>T", b"<title>&nbsp;T")) == ["Two", "One"]  # broken, and whole


def test_a_feed_that_breaks_off_between_two_entries_loses_none_and_says_so() -> None:
    harvest = read(WHOLE[: WHOLE.rindex(b"</channel>")])
    assert len(harvest.entries) == 3
    assert [one.why for one in harvest.left_out] == [LeftOutWhy.CUT]


@pytest.mark.parametrize(
    "body",
    [
        WHOLE.replace(b"Post number 2", b"Post &nbsp; 2"),
        WHOLE.replace(b"Post number 2", b"Post &nbsp; 2").replace(b"</rss>", b""),
        WHOLE + b"\n<!-- made in 0.2 s --><br /><b>Warning</b>: fclose()",
        WHOLE.replace(b"</item>", b"").replace(b"</channel></rss>", b"</channel>\n</rss>\n"),
    ],
)
def test_a_broken_feed_that_ends_is_whole(body: bytes) -> None:
    harvest = read(body)
    assert len(harvest.entries) == 3
    assert not harvest.left_out


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A &#55357;&#56842; b", "A \U0001f60a b"),
        ("A &#xD83D;&#xde0a; b", "A \U0001f60a b"),
        ("A &amp;#55357;&amp;#56842; b", "A \U0001f60a b"),
        ("A &#xD800; b", "A b"),
        ("한 &#54620; &#8217;", "한 한 ’"),
        ("<![CDATA[A &#55357;&#56842; b]]>", "A \U0001f60a b"),
    ],
)
def test_characters_in_halves_by_number_cost_no_feed(written: str, title: str) -> None:
    inside = f"<title>{written}</title><link>https://x.example/1</link>"
    assert titles(rss(inside, post(2))) == [title, "Post number 2"]


def test_half_a_character_in_json_costs_no_feed() -> None:
    body = r"""{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [
        {"id": "1", "title": "A \ud83d\ude0a b \ud800 c", "url": "https://x.example/1", "content_html": "<p>x \ud800 y</p>"},
        {"id": "2", "title": "How \\ud800 is spelt", "content_text": "\udc00 abc", "url": "https://x.example/2"},
        {"id": "3", "title": "", "content_text": " "}]}"""
    harvest = read(body.encode())
    assert [entry.title for entry in harvest.entries] == ["A \U0001f60a b c", r"How \ud800 is spelt"]
    assert all((entry.html + entry.summary).encode() for entry in harvest.entries)
    assert len(harvest.left_out) == 1  # the one that holds nothing


def test_a_feed_that_broke_off_is_asked_for_whole_again_and_keeps_its_items(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    half = cut(WHOLE, within=b"What post 2 has to say")
    with serving() as site:
        site.pages["/"] = in_turn(
            answer(WHOLE, etag='"1"'), answer(half, etag='"2"'), answer(WHOLE, etag='"2"')
        )
        config = make_config(f'delay_s = 0\n[[sources]]\nname = "blog"\nurl = "{site.url()}"\n')
        with open_app(config, clock=clock) as app:
            visits = [app.collect.visit(every=True)[0] for _ in range(3)]
        assert [(visit.new, visit.updated, visit.left_out) for visit in visits] == [
            (3, 0, 0),
            (0, 0, 1),
            (0, 0, 0),
        ]
        assert ["if-none-match" in asked.headers for asked in site.asked] == [False, True, False]
