"""Whose words an item carries: another source speaks for it when its own is lost, and is heard when it contradicts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from digest.app import App, open_app
from digest.collect_adopt import Adopt
from digest.collect_twins import Twins
from digest.config import Config
from digest.model import EventStatus, Item
from digest.rules.heirs import TOLD_OTHERWISE
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, post, rss, serving

NIGHT = "UID:{}-abcdefghijkl@a.example\nSUMMARY:Civic hack night\nDTSTART:{}T233000Z\nLOCATION:City Hall\nSEQUENCE:{}\nSTATUS:{}"
DAY, NEXT = "20261216", "20261217"


def night(uid: object, day: str = DAY, *, sequence: int = 0, status: str = "CONFIRMED") -> bytes:
    return ics(NIGHT.format(uid, day, sequence, status))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@contextmanager
def collecting(
    make_config: Callable[[str], Config], clock: Clock, site: Site, *names: str, sections: str = ""
) -> Iterator[App]:
    text = "delay_s = 0\ntimeout_s = 2\n" + sections
    for name in names:
        text += f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n'
    with open_app(make_config(text), clock=clock) as app:
        for name in names:
            app.collect.visit([name])
        yield app


def standing(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=400), now + timedelta(days=400))


def told(app: App) -> list[tuple[datetime | None, EventStatus | None, str]]:
    return [(i.occasion.starts, i.occasion.status, i.source) for i in standing(app) if i.occasion]


def lose(app: App, site: Site, clock: Clock, how: str) -> None:
    adopt = Adopt(app.store, app.collect, clock=clock)
    if how == "removed":
        with app.store.write():
            app.store.sources.remove(app.store.sources.get("ours").id)
    elif how == "paused":
        adopt.pause("ours")
    else:
        site.pages["/ours"] = answer(b"gone", status=410 if how == "gone" else 500)
        app.collect.visit(["ours"])


@pytest.mark.parametrize("how", ["removed", "paused", "gone", "failing"])
@pytest.mark.parametrize("uid", ["same", "other"])
def test_when_the_first_source_is_lost_the_other_one_moves_and_calls_off(
    make_config: Callable[[str], Config], clock: Clock, site: Site, how: str, uid: str
) -> None:
    site.pages |= {"/ours": night("same"), "/theirs": night(uid)}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        assert len(standing(app)) == 1
        lose(app, site, clock, how)
        clock.forward(days=8)
        if how == "failing":
            app.collect.visit(["ours"])
        for sequence, status in ((2, "CONFIRMED"), (3, "CANCELLED")):
            site.pages["/theirs"] = night(uid, NEXT, sequence=sequence, status=status)
            app.collect.visit()
            ((starts, is_so, source),) = told(app)
            assert (f"{starts:%Y%m%d}", is_so, source) == (NEXT, EventStatus(status.lower()), "theirs")
            assert not any(item.flags for item in standing(app))
            clock.forward(days=1)
        assert not Twins(app.store, clock=clock).waiting()


def test_a_source_that_answers_nothing_new_is_asked_again_when_it_becomes_the_heir(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    site.pages |= {"/ours": night(1), "/theirs": answer(night(1), ETag='"1"')}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        assert app.store.sources.get("theirs").etag == '"1"'
        lose(app, site, clock, "paused")
        assert app.store.sources.get("theirs").etag is None


@pytest.mark.parametrize("change", [(NEXT, "CONFIRMED"), (DAY, "CANCELLED")])
def test_while_both_speak_what_the_other_source_tells_otherwise_is_shown(
    make_config: Callable[[str], Config], clock: Clock, site: Site, change: tuple[str, str]
) -> None:
    site.pages |= {"/ours": night(1, sequence=1), "/theirs": night(1, sequence=1)}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        for number, (day, status, sequence, shown) in enumerate(
            ((*change, 2, True), (*change, 2, True), (DAY, "CONFIRMED", 3, False), (*change, 0, False))
        ):
            site.pages["/theirs"] = night(1, day, sequence=sequence, status=status)
            clock.forward(days=1)
            app.collect.visit(every=True)
            (item,) = standing(app)
            assert (item.source, TOLD_OTHERWISE in item.flags) == ("ours", shown), number
            assert f"{item.occasion.starts if item.occasion else None:%Y%m%d}" == DAY


def test_a_source_that_comes_later_with_a_cancellation_is_heard(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    site.pages |= {"/ours": night(1), "/theirs": night(1, status="CANCELLED")}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        (item,) = standing(app)
        assert item.flags == (TOLD_OTHERWISE,)
        site.pages["/ours"] = night(1, sequence=1, status="CANCELLED")
        clock.forward(days=1)
        app.collect.visit(["ours"])
        (item,) = standing(app)
        assert item.flags == ()


def test_what_stands_in_an_approved_issue_keeps_its_words_when_its_source_is_lost(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    site.pages |= {"/ours": night(1), "/theirs": night(2)}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        (item,) = standing(app)
        issue = app.publish.assemble()
        if item.id not in {placed.item.id for placed in issue.placed if placed.section}:
            app.publish.add(issue.period, item.id, by="1")
        app.publish.approve(issue.period, by="1")
        lose(app, site, clock, "paused")
        site.pages["/theirs"] = night(2, NEXT, sequence=1)
        app.collect.visit(["theirs"])
        (placed,) = [p for p in app.store.issues.get(issue.period).placed if p.item.id == item.id]
        assert placed.changed_at_source
        assert placed.item.occasion == item.occasion


@pytest.mark.parametrize("whole", [False, True])
def test_an_excerpt_never_takes_the_place_of_a_whole_post(
    make_config: Callable[[str], Config], clock: Clock, site: Site, *, whole: bool
) -> None:
    words = "People asked for a form that remembers what they said last year, and a friend can help. " * 8
    full = f"<content:encoded>{words}</content:encoded>"
    head = "<language>en</language>"
    site.pages |= {name: rss(post(1) + full, head=head) for name in ("/ours", "/theirs")}
    with collecting(make_config, clock, site, "ours", "theirs") as app:
        (before,) = standing(app)
        lose(app, site, clock, "paused")
        clock.forward(days=1)
        changed = post(1, title="Another title", date="Wed, 18 Nov 2026 10:00:00 GMT")
        site.pages["/theirs"] = rss(changed + full * whole, head=head)
        app.collect.visit(["theirs"])
        (item,) = standing(app)
        assert (item.title, item.source) == (("Another title", "theirs") if whole else (before.title, "ours"))
        assert item.published == before.published
