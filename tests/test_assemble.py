"""The draft out of the pool: deterministic, complete, and never against an editor."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from digest.config import IssuePart
from digest.model import EventStatus, Issue, IssueId, IssueState, Item, ItemId, ItemKind, Occasion, Period
from digest.rules.assemble import Window, draft, is_news, late, window

NOW = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW = Window(
    since=NOW - timedelta(days=31), until=NOW, events_from=NOW, events_until=NOW + timedelta(days=35)
)
LIMITS = IssuePart()


def post(
    number: int, *, age_days: float = 3, source: str = "blog", author: str | None = None, **more: object
) -> Item:
    when = NOW - timedelta(days=age_days)
    return Item(id=ItemId(number), kind=ItemKind.POST, title=f"Post {number}", url=None, source=source, author=author,
                published=when, first_seen=when, **more)  # type: ignore[arg-type]  # fmt: skip


def event(number: int, *, in_days: float = 3, source: str = "calendar", **occasion: object) -> Item:
    when = Occasion(starts=NOW + timedelta(days=in_days), **occasion)  # type: ignore[arg-type]
    return Item(id=ItemId(number), kind=ItemKind.EVENT, title=f"Event {number}", url=None, source=source,
                first_seen=NOW - timedelta(days=9), occasion=when)  # fmt: skip


def ids(placed: object, section: str | None) -> list[int]:
    return [p.item.id for p in placed if p.section == section]  # type: ignore[attr-defined]


items = st.lists(
    st.one_of(
        st.builds(post, st.integers(1, 40), age_days=st.floats(-5, 60), source=st.sampled_from("abc"),
                  author=st.sampled_from(["Ann", "Luc", None])),
        st.builds(event, st.integers(41, 80), in_days=st.floats(-10, 60), recurs=st.booleans(),
                  uid=st.sampled_from(["u1", "u2", None])),
    ),
    unique_by=lambda item: item.id,
)  # fmt: skip


@given(items, st.randoms())
def test_the_same_pool_gives_the_same_draft_in_any_order(pool: list[Item], chance: random.Random) -> None:
    shuffled = pool[:]
    chance.shuffle(shuffled)
    assert draft(pool, window=WINDOW, used=set(), limits=LIMITS) == draft(
        shuffled, window=WINDOW, used=set(), limits=LIMITS
    )


@given(items)
def test_nothing_in_the_window_is_dropped_and_limits_hold(pool: list[Item]) -> None:
    placed = draft(pool, window=WINDOW, used=set(), limits=LIMITS)
    assert len({p.item.id for p in placed}) == len(placed)
    in_reach = {i.id for i in pool if (i.kind is ItemKind.POST and is_news(i, WINDOW))
                or (i.occasion and WINDOW.events_from < i.occasion.starts < WINDOW.events_until)}  # fmt: skip
    assert in_reach <= {p.item.id for p in placed}
    assert len(ids(placed, "coming-up")) <= LIMITS.events_most
    assert len(ids(placed, "worth-reading")) <= LIMITS.posts_most


@given(items, items)
def test_what_comes_late_goes_to_the_bench_and_changes_nothing_else(
    pool: list[Item], more: list[Item]
) -> None:
    issue = an_issue(draft(pool, window=WINDOW, used=set(), limits=LIMITS))
    added = late([*pool, *more], issue=issue, window=WINDOW, used=set())
    assert all(p.section is None and p.arrived_late for p in added)
    assert not {p.item.id for p in added} & {p.item.id for p in issue.placed}


def an_issue(placed: object) -> Issue:
    return Issue(id=IssueId(1), period=Period(2026, 11), number=1, state=IssueState.DRAFT, since=NOW, until=NOW,
                 send_at=NOW, revision=0, placed=placed)  # type: ignore[arg-type]  # fmt: skip


def test_events_stand_in_date_order_and_posts_newest_first() -> None:
    placed = draft([event(1, in_days=9), event(2, in_days=2), post(3, age_days=9), post(4, age_days=2)],
                   window=WINDOW, used=set(), limits=LIMITS)  # fmt: skip
    assert ids(placed, "coming-up") == [2, 1]
    assert ids(placed, "worth-reading") == [4, 3]


def test_one_source_and_one_author_do_not_fill_the_issue() -> None:
    same_source = [post(n, age_days=n, author=f"A{n}") for n in range(1, 6)]
    assert ids(draft(same_source, window=WINDOW, used=set(), limits=LIMITS), "worth-reading") == [1, 2, 3]
    same_author = [post(n, age_days=n, author="Ann", source=f"s{n}") for n in range(1, 6)]
    assert ids(draft(same_author, window=WINDOW, used=set(), limits=LIMITS), "worth-reading") == [1, 2]


def test_of_a_series_the_next_date_stands_and_the_others_wait() -> None:
    weekly = [event(n, in_days=7 * n, uid="hack", recurs=True) for n in (1, 2, 3)]
    placed = draft(weekly, window=WINDOW, used=set(), limits=LIMITS)
    assert (ids(placed, "coming-up"), ids(placed, None)) == ([1], [2, 3])


def test_a_cancelled_event_and_a_reply_wait_on_the_bench() -> None:
    placed = draft([event(1, status=EventStatus.CANCELLED), post(2, flags=("reply",))],
                   window=WINDOW, used=set(), limits=LIMITS)  # fmt: skip
    assert ids(placed, None) == [1, 2]


def test_what_may_be_there_twice_or_is_private_waits_for_an_editor() -> None:
    pool = [
        post(1, flags=("maybe-twice",)), replace(event(2), flags=("private",)), replace(event(3), flags=("maybe-twice",)),
        post(4),
    ]  # fmt: skip
    placed = draft(pool, window=WINDOW, used=set(), limits=LIMITS)
    assert sorted(ids(placed, None)) == [1, 2, 3]
    assert ids(placed, "worth-reading") == [4]


def test_what_was_used_before_never_comes_back() -> None:
    assert draft([post(1), event(2)], window=WINDOW, used={ItemId(1), ItemId(2)}, limits=LIMITS) == ()


def test_an_old_post_of_a_new_source_is_not_news() -> None:
    old = Item(id=ItemId(1), kind=ItemKind.POST, title="Old", url=None, source="new", first_seen=NOW,
               published=NOW - timedelta(days=400))  # fmt: skip
    assert not is_news(old, WINDOW)


def test_a_post_seen_late_because_its_source_was_down_is_news() -> None:
    missed = Item(id=ItemId(1), kind=ItemKind.POST, title="Missed", url=None, source="blog",
                  first_seen=WINDOW.since + timedelta(days=1), published=WINDOW.since - timedelta(days=5))  # fmt: skip
    assert is_news(missed, WINDOW)


def test_the_window_of_a_coming_month_looks_ahead_from_its_date() -> None:
    slot = datetime(2026, 12, 1, 14, tzinfo=UTC)
    found = window(
        Period(2026, 12),
        slot=slot,
        now=NOW,
        previous_cut_off=None,
        zone=ZoneInfo("America/Toronto"),
        limits=LIMITS,
    )
    assert found.events_from == slot
    assert found.until == NOW
    assert found.since == NOW - timedelta(days=31)


def test_the_window_of_this_month_starts_its_events_now() -> None:
    slot = datetime(2026, 11, 2, 14, tzinfo=UTC)
    found = window(
        Period(2026, 11),
        slot=slot,
        now=NOW,
        previous_cut_off=None,
        zone=ZoneInfo("America/Toronto"),
        limits=LIMITS,
    )
    assert (found.events_from, found.until) == (NOW, NOW)


def test_the_window_of_a_month_that_is_over_covers_that_month() -> None:
    slot = datetime(2025, 3, 1, 14, tzinfo=UTC)
    found = window(
        Period(2025, 3), slot=slot, now=NOW, previous_cut_off=None, zone=ZoneInfo("UTC"), limits=LIMITS
    )
    assert found.events_from == slot
    assert found.until == datetime(2025, 4, 1, tzinfo=UTC)
    assert found.since < datetime(2025, 3, 1, tzinfo=UTC)
