"""Feeds of events, dated by their beginnings: they stay that, however few lie ahead, and no event comes back as a post."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.model import Item, ItemKind
from tests.conftest import Clock
from tests.http_kit import Site, rss, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[App]:
    config = make_config(f'delay_s = 0\n[[sources]]\nname = "cal"\nurl = "{site.url("/cal")}"\n')
    with open_app(config, clock=clock) as opened:
        yield opened


def meeting(clock: Clock, where: str, *, days: int, path: str = "m") -> str:
    at = clock.time + timedelta(days=days)
    return (
        f"<title>Meeting of chapter {where}</title><link>https://civic.example.org/{path}/{where}</link>"
        f"<guid>https://civic.example.org/?m={where}</guid><pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
        "<description>Come all of you.</description>"
    )


def pool(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=400), now + timedelta(days=400))


def test_events_of_a_feed_never_come_back_as_posts_when_few_or_none_lie_ahead(
    app: App, site: Site, clock: Clock
) -> None:
    north, south, west = (
        meeting(clock, where, days=days) for where, days in (("north", 9), ("south", 12), ("west", 16))
    )
    later = meeting(clock, "east", days=30)
    site.pages["/cal"] = rss(north, south, west)
    assert app.collect.visit()[0].new == 3
    for days, answer in ((14, (west,)), (1, (north, south, west)), (14, (later,)), (30, (later,))):
        clock.time += timedelta(days=days)
        site.pages["/cal"] = rss(*answer)
        app.collect.visit(every=True)
    assert [(item.kind, item.title.split()[-1]) for item in pool(app)] == [
        (ItemKind.EVENT, where) for where in ("north", "south", "west", "east")
    ]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("event", ItemKind.EVENT),
        ("fr/evenements", ItemKind.EVENT),
        ("agenda", ItemKind.EVENT),
        ("blog", ItemKind.POST),
    ],
)
def test_one_date_ahead_is_a_beginning_where_it_leads_to_a_page_of_events(
    app: App, site: Site, clock: Clock, path: str, kind: ItemKind
) -> None:
    site.pages["/cal"] = rss(meeting(clock, "north", days=9, path=path))
    app.collect.visit()
    (item,) = pool(app)
    assert item.kind is kind
    assert item.occasion is None or item.occasion.starts.date() == (clock.time + timedelta(days=9)).date()


def test_a_feed_of_posts_and_events_together_is_judged_anew(app: App, site: Site, clock: Clock) -> None:
    site.pages["/cal"] = rss(*(meeting(clock, f"n{days}", days=days) for days in (9, 10, -20)))
    app.collect.visit()
    assert not app.store.sources.get("cal").of_events


def test_pages_of_events_dated_by_their_publication_stay_posts(app: App, site: Site, clock: Clock) -> None:
    site.pages["/cal"] = rss(*(meeting(clock, f"n{days}", days=days, path="event") for days in (-1, -2)))
    app.collect.visit()
    assert [item.kind for item in pool(app)] == [ItemKind.POST] * 2
