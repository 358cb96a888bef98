"""Undo and redo: every edit goes back to the very order and words before it, by anyone, after a restart, fifty and more."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.errors import Conflict, MoveRefused
from digest.model import Edit, ItemId, Language, Placed
from digest.rules import edition, undo
from digest.rules.assemble import draft
from tests import web_kit
from tests.conftest import Clock
from tests.test_assemble import LIMITS, WINDOW, an_issue, event, post

ISSUE = an_issue(draft([event(1, in_days=1), event(2, in_days=2), event(3, in_days=3), post(4), post(5, author="A")],
                       window=WINDOW, used=set(), limits=LIMITS))  # fmt: skip
ACTS = ("cut", "keep", "put", "up", "down", "top", "bottom", "reword")


def changed(placed: tuple[Placed, ...], act: str, number: int) -> tuple[Placed, ...]:
    issue, item = an_issue(placed), ItemId(number)
    if act == "cut":
        return edition.cut(issue, item)
    if act == "keep":
        return edition.kept(issue, item)
    if act == "put":
        section = ("coming-up", "calls", None)[number % 3]
        return edition.put(issue, item, section=section, before=ItemId(number % 5 + 1))
    if act == "reword":
        return edition.reworded(issue, item, language="fr", title=f"Titre {len(placed)}", blurb=None)
    return edition.moved(issue, item, direction=act)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 5)), max_size=60))
def test_any_row_of_acts_is_undone_and_done_again_exactly(acts: list[tuple[str, int]]) -> None:
    stages, steps = [edition.settled(ISSUE.placed)], []
    for act, number in acts:
        after = changed(stages[-1], act, number)
        item = next(p.item for p in after if p.item.id == number)
        steps.append((item, undo.row_of(stages[-1], item.id), undo.row_of(after, item.id)))
        stages.append(after)
    here = stages[-1]
    for (item, was, _), before in zip(reversed(steps), reversed(stages[:-1]), strict=True):
        here = undo.put_back(an_issue(here), item, was)
        assert here == before
    for (item, _, now), after in zip(steps, stages[1:], strict=True):
        here = undo.put_back(an_issue(here), item, now)
        assert here == after


def test_an_item_that_was_not_in_the_issue_goes_out_again_and_comes_back() -> None:
    less = edition.settled([p for p in ISSUE.placed if p.item.id != 2])
    item = next(p.item for p in ISSUE.placed if p.item.id == 2)
    more = edition.added(an_issue(less), item)
    assert [p.item.id for p in more if p.section == "coming-up"] == [1, 2, 3], "by its date"
    assert undo.put_back(an_issue(more), item, {}) == less
    assert undo.put_back(an_issue(less), item, undo.row_of(more, item.id)) == more


def line(number: int, act: str, of: int | None = None) -> Edit:
    return Edit(
        id=number, at=datetime(2026, 11, 1, tzinfo=UTC), editor="1", act=act, detail={"of": of} if of else {}
    )


def test_a_new_act_ends_what_could_be_done_again() -> None:
    found = undo.trail(
        [line(1, "cut"), line(2, "keep"), line(3, "approve"), line(4, "hold"), line(5, "undo", 2)]
    )
    assert ([e.id for e in found.done], [e.id for e in found.undone]) == ([1], [2])
    found = undo.trail([line(1, "cut"), line(2, "keep"), line(3, "undo", 2), line(4, "redo", 2)])
    assert ([e.id for e in found.done], [e.id for e in found.undone]) == ([1, 2], [])
    found = undo.trail([line(1, "cut"), line(2, "undo", 1), line(3, "write")])
    assert ([e.id for e in found.done], [e.id for e in found.undone]) == ([3], [])


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def test_sixty_acts_of_two_editors_go_back_after_a_restart_and_forth_again(
    app: App, make_config: Callable[[str], Config], clock: Clock
) -> None:
    month = web_kit.fill(app)
    start = app.publish.assemble(month.period)
    first = app.publish.preview(month.period, Language.EN)
    for number in range(20):
        item = app.store.issues.get(month.period).section("worth-reading")[0].item.id
        app.publish.cut(month.period, item, by="1")
        app.publish.keep(month.period, item, by="2")
        app.publish.write(month.period, field="note", language=Language.EN, words=f"Draft {number}", by="2")
    app.publish.reword(month.period, item, language=Language.EN, by="1", title="Mine", blurb="Words of ours.")
    last = app.publish.preview(month.period, Language.EN)
    with open_app(app.config, clock=clock) as again:
        for _ in range(61):
            again.publish.history.step(month.period, "undo", by="3")
        issue = again.store.issues.get(month.period)
        assert (issue.placed, issue.texts) == (start.placed, start.texts)
        assert again.publish.preview(month.period, Language.EN) == first
        with pytest.raises(MoveRefused, match="nothing to undo"):
            again.publish.history.step(month.period, "undo", by="3")
        for _ in range(61):
            again.publish.history.step(month.period, "redo", by="1")
        assert again.publish.preview(month.period, Language.EN) == last
        assert [e.act for e in again.store.issues.edits(issue.id)].count("undo") == 61


def test_an_undo_of_something_else_than_was_seen_changes_nothing(app: App) -> None:
    month = web_kit.fill(app)
    issue = app.publish.assemble(month.period)
    app.publish.cut(month.period, issue.placed[0].item.id, by="1")
    seen = app.publish.history.trail(issue).done[-1].id
    app.publish.cut(month.period, issue.placed[1].item.id, by="2")
    before = app.store.issues.get(month.period)
    with pytest.raises(Conflict, match="something else"):
        app.publish.history.step(month.period, "undo", by="1", seen=seen)
    assert app.store.issues.get(month.period) == before


def test_nothing_is_undone_in_an_issue_that_is_no_draft(app: App) -> None:
    month = web_kit.fill(app)
    issue = app.publish.assemble(month.period)
    app.publish.cut(month.period, issue.placed[0].item.id, by="1")
    app.publish.approve(month.period, by="1")
    with pytest.raises(MoveRefused, match="frozen"):
        app.publish.history.step(month.period, "undo", by="1")
    app.publish.hold(month.period, by="1")
    app.publish.history.step(month.period, "undo", by="1")
    assert app.store.issues.get(month.period).placed == issue.placed
