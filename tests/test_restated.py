"""What a source says anew of what an approved issue holds: flagged with what differs, and taken over when it is held."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.model import EventStatus, Language, Period, Placed
from digest.web import outline
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, post, rss, serving

CALENDAR = (
    "UID:a1@civic.example\nSUMMARY:Hack night\nDTSTART;TZID=America/Toronto:{day}T{hour}0000"
    "\nSEQUENCE:{n}\nSTATUS:{status}"
)
PERIOD = Period(2026, 12)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock, site: Site, tmp_path: Path) -> Iterator[App]:
    """One event and one post, collected, assembled and approved."""
    say(site)
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url(path)}"\n'
        for name, path in (("cal", "/cal"), ("blog", "/blog"))
    )
    opened = open_app(make_config(text), clock=clock)
    opened.collect.visit()
    opened.publish.assemble(PERIOD)
    opened.publish.approve(PERIOD, by="ada")
    yield opened
    opened.close()


def say(
    site: Site,
    *,
    day: str = "20261203",
    hour: int = 18,
    status: str = "CONFIRMED",
    title: str = "How we test",
) -> None:
    site.pages["/cal"] = answer(ics(CALENDAR.format(day=day, hour=hour, n=hour, status=status)))
    site.pages["/blog"] = answer(rss(post(1, title=title)))


def placed(app: App, section: str = "coming-up") -> Placed:
    (one,) = app.store.issues.get(PERIOD).section(section)
    return one


def tags(app: App, language: Language = Language.EN) -> list[tuple[str, str]]:
    row = outline.row(placed(app), language, app.config)
    return [(kind, words.replace("\u00a0", " ")) for kind, words in row.tags if kind == "bad"]


def test_an_event_that_moved_while_its_issue_was_approved_is_right_after_the_hold(
    app: App, site: Site
) -> None:
    before = placed(app).item.occasion
    assert before is not None
    say(site, hour=20)
    app.collect.visit(every=True)
    assert placed(app).item.occasion == before, "what was approved is what stands there"
    assert tags(app) == [("bad", "moved at its source: Thu 3 Dec, 8 p.m. Eastern")]
    assert tags(app, Language.FR) == [("bad", "déplacé à la source : jeu. 3 déc., 20 h, heure de l’Est")]
    app.publish.hold(PERIOD, by="ada")
    one = placed(app)
    assert one.item.occasion is not None
    assert one.item.occasion.starts == before.starts + timedelta(hours=2)
    assert one.changed_at_source, "the editor is still told that it differs from what was approved"
    assert one.stated_now is None
    app.collect.visit(every=True)
    assert placed(app).item.occasion == one.item.occasion


def test_an_event_called_off_while_its_issue_was_scheduled_is_known_to_the_checks_after_the_hold(
    app: App, site: Site, clock: Clock
) -> None:
    app.publish.schedule(PERIOD, at=clock() + timedelta(days=3), by="ada")
    say(site, status="CANCELLED")
    app.collect.visit(every=True)
    assert tags(app) == [("bad", "called off at its source")]
    app.publish.hold(PERIOD, by="ada")
    one = placed(app)
    assert one.item.occasion is not None
    assert one.item.occasion.status is EventStatus.CANCELLED
    assert "ev-cancelled" in {finding.id for finding in app.publish.preflight(PERIOD)}


def test_the_newest_words_count_and_words_that_came_back_are_no_change(app: App, site: Site) -> None:
    for title in ("How we test, again", "How we really test"):
        say(site, title=title)
        app.collect.visit(every=True)
    assert placed(app, "worth-reading").item.title == "How we test"
    assert placed(app, "worth-reading").changed_at_source
    app.publish.hold(PERIOD, by="ada")
    assert placed(app, "worth-reading").item.title == "How we really test"
    app.publish.approve(PERIOD, by="ada")
    for hour in (20, 18):
        say(site, hour=hour, title="How we really test")
        app.collect.visit(every=True)
    assert not placed(app).changed_at_source
    app.publish.hold(PERIOD, by="ada")
    occasion = placed(app).item.occasion
    assert occasion is not None
    assert occasion.starts.hour == 23


def test_what_another_issue_still_holds_stays_as_it_was(app: App, site: Site) -> None:
    later = Period(2027, 1)
    app.publish.hold(PERIOD, by="ada")
    say(site, day="20270110")
    app.collect.visit(every=True)
    app.publish.assemble(later)
    for period in (PERIOD, later):
        one = placed(app)
        with app.store.write():
            app.store.issues.place(app.store.issues.get(period).id, [one])
        app.publish.approve(period, by="ada")
    say(site, day="20270110", hour=20)
    app.collect.visit(every=True)
    was = placed(app).item.occasion
    app.publish.hold(later, by="ada")
    assert placed(app).item.occasion == was
    app.publish.hold(PERIOD, by="ada")
    assert placed(app).item.occasion != was
