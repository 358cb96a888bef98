"""A bench of thousands: an edit reads and writes what it is about, and everything else stays as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from digest.app import App
from digest.config import SourcePart
from digest.model import Issue, ItemId, Language
from tests import web_kit

PARTS = [SourcePart(name=name, url=f"https://{name}.example/feed") for name in ("one", "two")]


@pytest.fixture
def issue(app: App) -> Issue:
    """Two dozen posts, of which most wait on the bench."""
    with app.store.write():
        app.store.sources.sync(PARTS)
        ids = [source.id for source in app.store.sources.all()]
        for number in range(24):
            entry = web_kit.post(f"Post {number}", now=app.clock(), summary="Words.")
            app.store.items.add(entry, source=ids[number % 2], now=app.clock())
    return app.publish.assemble()


def others(issue: Issue, item: ItemId) -> dict[int, Any]:
    return {p.item.id: (p.section, p.position) for p in issue.section(None) if p.item.id != item}


ACTS: dict[str, Callable[[App, Issue, ItemId, ItemId], object]] = {
    "cut": lambda app, issue, kept, waiting: app.publish.cut(issue.period, kept, by="1"),
    "keep": lambda app, issue, kept, waiting: app.publish.keep(issue.period, waiting, by="1"),
    "move": lambda app, issue, kept, waiting: app.publish.move(issue.period, kept, direction="bottom", by="1"),
    "reword": lambda app, issue, kept, waiting: app.publish.reword(
        issue.period, waiting, language=Language.EN, by="1", blurb="New."
    ),
    "add": lambda app, issue, kept, waiting: app.publish.add(issue.period, waiting, by="1"),
    "move on the bench": lambda app, issue, kept, waiting: app.publish.move(
        issue.period, waiting, direction="top", by="1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_an_edit_leaves_the_rest_of_the_bench_and_undo_gives_all_back(
    app: App, issue: Issue, name: str
) -> None:
    kept, waiting = issue.section("worth-reading")[0].item.id, issue.section(None)[3].item.id
    about = kept if name in {"cut", "move"} else waiting
    ACTS[name](app, issue, kept, waiting)
    after = app.store.issues.get(issue.period)
    assert {p.item.id for p in after.placed} == {p.item.id for p in issue.placed}
    assert others(after, about) == others(issue, about)
    if name != "move on the bench":
        app.publish.history.step(issue.period, "undo", by="1")
    assert app.store.issues.get(issue.period).placed == issue.placed


def test_what_was_cut_last_stands_first_on_the_bench(app: App, issue: Issue) -> None:
    gone = [p.item.id for p in issue.section("worth-reading")[:3]]
    for item in gone:
        app.publish.cut(issue.period, item, by="1")
    assert app.store.issues.bench(issue.id, most=3) == gone[::-1]
    assert [p.item.id for p in app.store.issues.get(issue.period).section(None)][:3] == gone[::-1]


def test_a_part_of_the_bench_is_read_when_a_part_is_asked_for(app: App, issue: Issue) -> None:
    whole, waiting = len(issue.section(None)), issue.section(None)[-1].item.id
    assert app.store.issues.get(issue.period, bench=()).section(None) == ()
    assert [p.item.id for p in app.store.issues.get(issue.period, bench=[waiting]).section(None)] == [waiting]
    assert app.store.issues.bench_counts(issue.id) == (whole, 0)
