"""What no later step can count with is left out by name, or mended, before it is kept; and it costs no other source."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.app import App, open_app
from digest.collect import Collect
from digest.config import Config
from digest.model import Item, ItemKind, Occasion, Source, VisitOutcome
from digest.rules.gather import Fetched, Found
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, post, rss, serving

GOOD = "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        opened.pages["/blog"] = answer(rss(post(1)))
        yield opened


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[App]:
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url(path)}"\n'
        for name, path in (("odd", "/odd"), ("blog", "/blog"))
    )
    opened = open_app(make_config(text), clock=clock)
    yield opened
    opened.close()


def items(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=4000), now + timedelta(days=400))


@pytest.mark.parametrize(
    "start", ["00010101T000000Z", "00011231T235959", "19700101T000000Z", "22500101T120000Z"]
)
def test_an_event_of_a_year_nobody_means_is_named_and_costs_nobody_else(
    app: App, site: Site, start: str
) -> None:
    site.pages["/odd"] = answer(ics(f"UID:b@x.example\nSUMMARY:For ever\nDTSTART:{start}", GOOD))
    visits = app.collect.visit()
    assert [visit.outcome for visit in visits] == [VisitOutcome.NEW, VisitOutcome.NEW]
    assert visits[0].left_out == 1
    assert {item.title for item in items(app) if item.occasion} == {"Good"}


def test_an_event_that_never_ends_is_kept_without_an_end(app: App, site: Site) -> None:
    site.pages["/odd"] = answer(ics(f"{GOOD}\nDTEND:22991231T235959Z"))
    app.collect.visit()
    (event,) = [item for item in items(app) if item.occasion]
    assert event.occasion is not None
    assert event.occasion.ends is None


def test_half_a_character_in_an_address_is_kept_as_what_can_be_written(app: App, site: Site) -> None:
    feed = (
        b'{"version":"https://jsonfeed.org/version/1.1","title":"x","items":['
        b'{"id":"tag:x.example,2026:1","url":"https://x.example/\\ud83d\\ude0a","title":"Whole","content_text":"Hello"},'
        b'{"id":"tag:x.example,2026:2","url":"https://x.example/a\\ud800b","title":"Half","content_text":"Hello"}]}'
    )
    site.pages["/odd"] = answer(feed, content_type="application/feed+json")
    visits = app.collect.visit()
    assert [visit.outcome for visit in visits] == [VisitOutcome.NEW, VisitOutcome.NEW]
    found = {item.title: item.url or "" for item in items(app)}
    assert {"Whole", "Half"} <= found.keys()
    for url in found.values():
        url.encode()


class Careless:
    """The real visits, of a reader that lets a year through which no calendar can count with."""

    def __init__(self, app: App) -> None:
        self._fetch = app.collect._fetch

    def lane(self, source: Source) -> str:
        return "one lane"

    def visit(self, source: Source, *, now: datetime, horizon: datetime) -> Fetched:
        fetched = self._fetch.visit(source, now=now, horizon=horizon)
        if source.name != "odd" or fetched.harvest is None:
            return fetched
        never = [replace(entry, kind=ItemKind.EVENT, occasion=Occasion(starts=datetime(1, 1, 1, tzinfo=UTC)))
                 for entry in fetched.harvest.entries]  # fmt: skip
        return replace(fetched, harvest=replace(fetched.harvest, entries=tuple(never)))

    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool) -> Found:
        return self._fetch.look(pasted, now=now, horizon=horizon, exactly=exactly)


def test_what_cannot_be_kept_is_a_failure_of_its_source_alone(app: App, site: Site, clock: Clock) -> None:
    site.pages["/odd"] = answer(rss(post(7, title="Of no year")))
    round_ = Collect(app.store, Careless(app), clock=clock, config=app.config)
    odd, blog = round_.visit()
    assert (odd.outcome, odd.error_kind) == (VisitOutcome.FAILED, "parse")
    assert "OverflowError" in (odd.error or "")
    assert blog.outcome is VisitOutcome.NEW
    [known] = [source for source in app.store.sources.all() if source.name == "odd"]
    assert known.next_at is not None
    assert known.next_at > clock(), "it is not asked again at once"
    assert [visit.outcome for visit in round_.visit()] == [VisitOutcome.WAITING] * 2
