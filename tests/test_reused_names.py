"""One guid or link for everything a feed shows, one thing at a time; and Medium's excerpts, seen before the whole post."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.model import Item
from tests.conftest import Clock
from tests.http_kit import Site, rss, serving

Open = Callable[..., App]
NEWS = (
    "The town opens its budget",
    "A library of things",
    "Who maps the bicycle lanes?",
    "Snow, and how to clear it",
)
WORDS = " ".join(f"word{number}" for number in range(90))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def collector(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[Open]:
    opened: list[App] = []

    def make(*names: str, kind: str = "feed") -> App:
        sources = (
            f'[[sources]]\nname = "{name}"\nurl = "{site.url(f"/{name}")}"\nkind = "{kind}"\n'
            for name in names
        )
        opened.append(app := open_app(make_config("delay_s = 0\n" + "".join(sources)), clock=clock))
        return app

    yield make
    for app in opened:
        app.close()


def pool(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=400), now + timedelta(days=400))


def piece(number: int, *, guid: str = "", link: str = "", title: str = "", day: int = 0) -> str:
    return (
        f"<title>{title or NEWS[number]}</title><link>https://town.example.org/{link or number}</link>"
        f"<guid isPermaLink='false'>{guid or f'tag:town.example.org,2026:{number}'}</guid>"
        f"<pubDate>{day or 10 + number} Oct 2026 12:00:00 GMT</pubDate><description>About number {number}.</description>"
    )


@pytest.mark.parametrize("same", [{"guid": "tag:town.example.org,2026:latest"}, {"link": "latest-news"}])
@pytest.mark.parametrize("shown", [1, 2])
def test_what_comes_after_another_under_its_name_is_another(
    collector: Open, site: Site, same: dict[str, str], shown: int
) -> None:
    app = collector("town")
    for number in (0, 1, 1, 2, 3, 3):
        window = range(number, max(-1, number - shown), -1)
        site.pages["/town"] = rss(*(piece(one, **same) for one in window))
        visit = app.collect.visit(every=True)[0]
        assert visit.updated == 0
    assert [(item.title, item.published and item.published.day) for item in pool(app)] == [
        (title, 10 + number) for number, title in enumerate(NEWS)
    ]


@pytest.mark.parametrize(
    "edited",
    [
        piece(1, title="A library of things, corrected", day=20, link="moved"),
        piece(1, title="Borrow a drill", day=20),
        piece(1, title="Borrow a drill", link="borrow-a-drill", day=11),
    ],
)
def test_an_edit_that_leaves_title_date_or_link_stays_the_same_post(
    collector: Open, site: Site, edited: str
) -> None:
    app = collector("town")
    site.pages["/town"] = rss(piece(1))
    app.collect.visit()
    site.pages["/town"] = rss(edited)
    assert app.collect.visit(every=True)[0].updated == 1
    (item,) = pool(app)
    assert item.published is not None
    assert item.published.day == 11


@pytest.mark.parametrize(
    ("guid", "found"),
    [
        ("63f0c0ffee00000000000009", 3),
        ("https://town.example.org/?p=9", 3),
        ("tag:town.example.org,2026:featured", 4),
    ],
)
def test_a_second_edition_under_its_guid_is_the_post_among_others_that_keep_theirs(
    collector: Open, site: Site, guid: str, found: int
) -> None:
    app = collector("town")
    others = piece(0), piece(2)
    site.pages["/town"] = rss(piece(1, guid=guid, title="Coming soon", link="coming-soon"), *others)
    app.collect.visit()
    site.pages["/town"] = rss(
        piece(1, guid=guid, title="How we rebuilt the finder", link="finder", day=20), *others
    )
    app.collect.visit(every=True)
    titles = [item.title for item in pool(app)]
    assert len(titles) == found
    assert "How we rebuilt the finder" in titles


def medium(words: str, *, link: str = "https://medium.com/pub/story-0123456789ab") -> bytes:
    return rss(
        f"<title>Service design, slowly</title><link>{link}</link>"
        "<guid isPermaLink='false'>https://medium.com/p/0123456789ab</guid><category>design</category>"
        f"<pubDate>Tue, 10 Nov 2026 10:00:00 GMT</pubDate><description><![CDATA[{words}]]></description>"
    )


EXCERPT = '<div class="medium-feed-item"><p class="medium-feed-snippet">The first words only …</p></div>'


def test_the_whole_of_a_medium_post_takes_the_place_of_its_excerpt(collector: Open, site: Site) -> None:
    app = collector("tag", "user", kind="medium")
    site.pages |= {"/tag": medium(EXCERPT), "/user": medium(f"<p>{WORDS}</p>")}
    app.collect.visit(["tag"])
    app.collect.visit(["user"])
    app.collect.visit(["tag"])
    (item,) = pool(app)
    assert "word89" in item.html
    assert (item.minutes, item.source, item.also_in) == (1, "user", ("tag",))
    site.pages["/user"] = medium(f"<p>{WORDS}</p>", link="https://medium.com/other/moved-0123456789ab")
    app.collect.visit(["user"])
    (item,) = pool(app)
    assert item.url == "https://medium.com/other/moved-0123456789ab"


def test_an_excerpt_takes_the_place_of_nothing(collector: Open, site: Site) -> None:
    app = collector("tag", "user", kind="medium")
    site.pages |= {"/tag": medium(EXCERPT), "/user": medium(f"<p>{WORDS}</p>")}
    app.collect.visit(["user"])
    app.collect.visit(["tag"])
    (item,) = pool(app)
    assert (item.source, item.also_in, "word89" in item.html) == ("user", ("tag",), True)
