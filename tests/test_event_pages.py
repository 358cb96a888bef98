"""Pages of events, visit after visit: what several dates, a move and the next meeting make of the pool."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from time import process_time

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.errors import SourceError
from digest.model import Item
from digest.sources import KINDS, ParseContext
from tests.conftest import NOW, Clock
from tests.http_kit import Site, serving

HOME = "https://group.example.org"
SLUG = f"{HOME}/events/fall-meetup"
TICKETS = f"{HOME}/e/fall-meetup-123456"


@pytest.fixture
def visited(make_config: Callable[[str], Config], clock: Clock) -> Iterator[Callable[..., list[str]]]:
    """The pool after a page was visited, six hours apart unless said: `visited([event, …], [event, …], apart=…)`."""
    apps: list[App] = []
    with serving() as site:

        def visits(*pages: list[dict[str, object]], apart: timedelta = timedelta(hours=6)) -> list[str]:
            app = _app(make_config, clock, site)
            apps.append(app)
            for events in pages:
                site.pages["/events"] = _page(events)
                (visit,) = app.collect.visit(every=True)
                assert visit.error is None
                clock.time += apart
            now = app.clock()
            found = app.store.items.all_between(now - timedelta(days=400), now + timedelta(days=400))
            return sorted(_line(item) for item in found)

        yield visits
        for app in apps:
            app.close()


def _app(make_config: Callable[[str], Config], clock: Clock, site: Site) -> App:
    source = f'[[sources]]\nname = "group"\nurl = "{site.url("/events")}"\n'
    return open_app(make_config(f"delay_s = 0\ntimeout_s = 2\n{source}"), clock=clock)


def _page(events: list[dict[str, object]]) -> bytes:
    blocks = "".join(
        f'<script type="application/ld+json">{json.dumps({"@type": "Event", **event})}</script>'
        for event in events
    )
    return f"<!doctype html><html><head><title>Events</title>{blocks}</head></html>".encode()


def event(day: str, name: str = "Fall meetup", *, url: str = SLUG, **more: object) -> dict[str, object]:
    return {"name": name, "startDate": f"2026-{day}T18:00:00-05:00", "url": url, **more}


def _line(item: Item) -> str:
    assert item.occasion is not None
    return f"{item.occasion.starts - timedelta(hours=5):%m-%d} {item.title}"


def test_several_dates_under_one_address_are_several_events(visited: Callable[..., list[str]]) -> None:
    for url in (f"{HOME}/2026/office-hours", f"{HOME}/office-hours", f"{HOME}/e/123456"):
        three = [event(day, f"At {url}", url=url) for day in ("12-03", "12-10", "12-17")]
        found = [line for line in visited(three, three) if line.endswith(url)]
        assert found == [f"{day} At {url}" for day in ("12-03", "12-10", "12-17")]


@pytest.mark.parametrize("url", [SLUG, TICKETS, "", f"{HOME}/2026/11/fall-meetup"])
def test_an_event_that_moves_stands_there_once(visited: Callable[..., list[str]], url: str) -> None:
    assert visited([event("12-03", url=url)], [event("12-04", url=url)]) == ["12-04 Fall meetup"]


def test_a_title_that_tells_of_the_move_is_still_the_event_s(visited: Callable[..., list[str]]) -> None:
    moved = event("12-04", "MOVED: Fall meetup (new date!)")
    assert visited([event("12-03")], [moved]) == ["12-04 MOVED: Fall meetup (new date!)"]


def test_one_of_many_on_a_page_moves_alone(visited: Callable[..., list[str]]) -> None:
    other = event("12-08", "Office hours", url=f"{HOME}/events/office-hours")
    assert visited([event("12-03"), other], [event("12-04"), other]) == [
        "12-04 Fall meetup",
        "12-08 Office hours",
    ]


def test_the_next_meeting_on_the_page_of_the_last_one_is_another(visited: Callable[..., list[str]]) -> None:
    days = ("11-23", "11-27", "12-05", "12-06")
    found = visited(*([event(day)] for day in days), apart=timedelta(days=4))
    assert [line[:5] for line in found] == ["11-23", "11-27", "12-06"], "and the last of them moved"


def test_another_event_under_a_shared_address_does_not_overwrite(visited: Callable[..., list[str]]) -> None:
    one, two = (
        event(day, name, url=f"{HOME}/register")
        for day, name in (("12-03", "Night 51"), ("12-04", "Night 52"))
    )
    assert visited([one], [two]) == ["12-03 Night 51", "12-04 Night 52"]


def test_a_series_of_which_one_date_is_left_keeps_its_dates(visited: Callable[..., list[str]]) -> None:
    first, second = event("12-03"), event("12-10")
    assert visited([first], [first, second], [second]) == ["12-03 Fall meetup", "12-10 Fall meetup"]


SCOPE = '<!doctype html><div itemscope itemtype="https://schema.org/Event">'


@pytest.mark.parametrize(
    "body",
    [
        _page([event("12-03", f"Night {number}") for number in range(20_000)]),
        (SCOPE + "<p itemprop=name>" * 170_000).encode(),
        (SCOPE + "<div itemprop=name>" * 150_000).encode(),
        (SCOPE.replace("div ", "div itemprop=x ") * 30_000).encode(),
        b"<!doctype html><script type=ld+json>" * 80_000,
        b'<!doctype html><script type=ld+json>{"@type":"Event"' + b"/*" * 1_000_000 + b"</script>",
    ],
    ids=["events", "properties", "deep", "scopes", "scripts", "comments"],
)
def test_a_page_of_any_shape_is_read_in_a_time_that_grows_with_its_length(body: bytes) -> None:
    context = ParseContext(url=SLUG, now=NOW, horizon=NOW + timedelta(days=80))
    began = process_time()
    with suppress(SourceError):
        KINDS["event-page"].parse(body, context)
    assert process_time() - began < 5, "the squares of these took from half a minute to hours"
