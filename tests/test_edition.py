"""What may be done to an issue, and what may not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import MoveRefused, NotFound
from digest.model import DeliveryState, IssueState, ItemId
from digest.rules import edition
from digest.rules.assemble import draft
from tests.test_assemble import LIMITS, WINDOW, an_issue, event, post

ISSUE = an_issue(draft([event(1, in_days=1), event(2, in_days=2), event(3, in_days=3), post(4), post(5, author="A")],
                       window=WINDOW, used=set(), limits=LIMITS))  # fmt: skip


def order(placed: object, section: str | None) -> list[int]:
    return [p.item.id for p in sorted(placed, key=lambda p: p.position) if p.section == section]  # type: ignore[call-overload, attr-defined]


def test_cutting_puts_on_the_bench_and_keeping_brings_back() -> None:
    gone = edition.cut(ISSUE, ItemId(2))
    assert (order(gone, "coming-up"), order(gone, None)) == ([1, 3], [2])
    back = edition.kept(an_issue(gone), ItemId(2))
    assert order(back, "coming-up") == [1, 2, 3]  # events by date


def test_moving_stays_within_the_section() -> None:
    assert order(edition.moved(ISSUE, ItemId(3), direction="up"), "coming-up") == [1, 3, 2]
    assert order(edition.moved(ISSUE, ItemId(3), direction="top"), "coming-up") == [3, 1, 2]
    assert order(edition.moved(ISSUE, ItemId(1), direction="up"), "coming-up") == [1, 2, 3]
    assert order(edition.moved(ISSUE, ItemId(1), direction="bottom"), "coming-up") == [2, 3, 1]


def test_a_hand_puts_an_item_anywhere() -> None:
    assert order(edition.put(ISSUE, ItemId(3), section="coming-up", before=ItemId(1)), "coming-up") == [
        3,
        1,
        2,
    ]
    moved = edition.put(ISSUE, ItemId(1), section="calls", before=None)
    assert (order(moved, "coming-up"), order(moved, "calls")) == ([2, 3], [1])
    assert order(edition.put(ISSUE, ItemId(2), section=None, before=None), None)[0] == 2
    gone = edition.put(ISSUE, ItemId(1), section="coming-up", before=ItemId(99))
    assert order(gone, "coming-up") == [2, 3, 1]


def test_an_empty_rewording_gives_the_sources_words_back() -> None:
    worded = an_issue(edition.reworded(ISSUE, ItemId(4), language="fr", title="Titre", blurb=None))
    assert next(p.title for p in worded.placed if p.item.id == 4) == {"fr": "Titre"}
    bare = edition.reworded(worded, ItemId(4), language="fr", title=" ", blurb=None)
    assert next(p.title for p in bare if p.item.id == 4) == {}


def test_an_unknown_item_or_section_is_named() -> None:
    with pytest.raises(NotFound, match="Item 99"):
        edition.cut(ISSUE, ItemId(99))
    with pytest.raises(NotFound, match="no section 'sports'"):
        edition.kept(ISSUE, ItemId(1), section="sports")


@given(
    st.lists(st.tuples(st.sampled_from(["cut", "keep", "up", "down", "top", "bottom"]), st.integers(1, 5)))
)
def test_any_moves_lose_no_item_and_leave_positions_whole(moves: list[tuple[str, int]]) -> None:
    issue = ISSUE
    for act, number in moves:
        item = ItemId(number)
        if act == "cut":
            issue = an_issue(edition.cut(issue, item))
        elif act == "keep":
            issue = an_issue(edition.kept(issue, item))
        else:
            issue = an_issue(edition.moved(issue, item, direction=act))  # type: ignore[arg-type]
    assert sorted(p.item.id for p in issue.placed) == [1, 2, 3, 4, 5]
    for section in ("coming-up", "worth-reading", "calls"):
        row = issue.section(section)
        assert [p.position for p in row] == list(range(len(row)))
    bench = [p.position for p in issue.section(None)]
    assert bench == sorted(set(bench)), "on the bench the number only says the order; no two share one"


@given(st.lists(st.sampled_from(sorted(edition.MOVES))))
def test_no_road_leads_to_sent_that_was_not_approved(moves: list[edition.Move]) -> None:
    state, approved = IssueState.DRAFT, False
    for move in moves:
        state_after = edition.MOVES[move].get(state)
        if state_after is None:
            continue
        approved = move == "approve" or (approved and move != "hold")
        state = state_after
        assert state is IssueState.DRAFT or approved


@given(
    st.lists(st.tuples(st.sampled_from(sorted(edition.MOVES)), st.sampled_from(DeliveryState)), max_size=30)
)
def test_nothing_that_left_is_ever_a_draft_again(walk: list[tuple[edition.Move, DeliveryState]]) -> None:
    """Whatever is done, with one letter whose state changes while the issue is being sent. Taking back is for the first
    letters, which have left: that nobody gets the same one twice is shown in test_moves_walk.py."""
    issue, letter = ISSUE, DeliveryState.QUEUED
    for move, next_state in (step for step in walk if step[0] != "take back"):
        left = letter not in {
            DeliveryState.QUEUED,
            DeliveryState.DEFERRED,
            DeliveryState.CLAIMED,
            DeliveryState.CANCELLED,
        }
        try:
            to = edition.after(move, issue)
            if move == "hold":
                counts = {**dict.fromkeys(DeliveryState, 0), letter: 1}
                edition.must_be_unsent(issue, counts, at_work=False)
        except MoveRefused:
            continue
        assert not (left and to is IssueState.DRAFT)
        issue = replace(issue, state=to)
        letter = DeliveryState.QUEUED if move == "hold" else next_state if move == "begin" else letter


def test_a_draft_that_is_held_is_a_draft_already() -> None:
    with pytest.raises(MoveRefused, match="2026-11 is a draft already"):
        edition.after("hold", ISSUE)
    sending = replace(ISSUE, state=IssueState.SENDING)
    with pytest.raises(MoveRefused, match="have left or are about to"):
        edition.must_be_unsent(sending, dict.fromkeys(DeliveryState, 0), at_work=True)


def test_a_refused_move_says_why() -> None:
    with pytest.raises(MoveRefused, match="2026-11 cannot begin: it is still a draft; approve it first"):
        edition.after("begin", ISSUE)
