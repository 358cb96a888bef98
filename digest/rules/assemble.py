"""The month's draft out of the pool: same pool, same draft. What does not fit waits on the bench; nothing is dropped. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from digest.config import IssuePart
from digest.model import EventStatus, Issue, Item, ItemId, ItemKind, Period, Placed

SECTIONS = ("coming-up", "worth-reading", "calls", "missed-it")

# A post may reach us late (its source was down): so long before the window it still counts as news.
LATE_ARRIVAL = timedelta(days=14)
FIRST_LOOK_BACK = timedelta(days=31)
# These wait on the bench until an editor takes them.
DOUBTFUL = frozenset({"reply", "private", "maybe-twice", "withdrawn"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What an issue looks at: posts dated in (since, until], events not over at events_from that start before events_until."""

    since: datetime
    until: datetime
    events_from: datetime
    events_until: datetime


def window(
    period: Period,
    *,
    slot: datetime,
    now: datetime,
    previous_cut_off: datetime | None,
    zone: ZoneInfo,
    limits: IssuePart,
) -> Window:
    """slot: when the issue of `period` is to be sent. A month that is over takes its posts to its last day."""
    begins, ends = month(period, zone)
    events_from = max(slot, now) if now < ends else slot
    until = now if now < ends else ends
    since = previous_cut_off or min(slot, until) - FIRST_LOOK_BACK
    since = min(since, begins) if previous_cut_off is None and now >= begins else since
    return Window(
        since=since,
        until=max(until, since),
        events_from=events_from,
        events_until=events_from + timedelta(days=limits.events_days),
    )


def month(period: Period, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of the month in `zone`, and of the next month, in UTC."""
    after = period.next()
    first = datetime(period.year, period.month, 1, tzinfo=zone)
    return first.astimezone(UTC), datetime(after.year, after.month, 1, tzinfo=zone).astimezone(UTC)


def draft(
    pool: Iterable[Item], *, window: Window, used: Collection[ItemId], limits: IssuePart
) -> tuple[Placed, ...]:
    """The first draft. used: items that stood in an earlier issue, which never come back."""
    sections: dict[str | None, list[Item]] = {name: [] for name in (*SECTIONS, None)}
    events, posts = candidates(pool, window=window, used=used)
    chosen_events = _events(events, window=window, most=limits.events_most)
    chosen_posts = _posts(posts, limits=limits)
    for item in (*events, *posts):
        taken = item.id in chosen_events or item.id in chosen_posts
        sections[_section(item) if taken else None].append(item)
    return tuple(
        Placed(item=item, section=name, position=n)
        for name, row in sections.items()
        for n, item in enumerate(row)
    )


def late(
    pool: Iterable[Item], *, issue: Issue, window: Window, used: Collection[ItemId]
) -> tuple[Placed, ...]:
    """What has come since the draft was made, for the end of its bench."""
    there = {p.item.id for p in issue.placed}
    events, posts = candidates(pool, window=window, used={*used, *there})
    behind = len(issue.section(None))
    return tuple(
        Placed(item=item, section=None, position=behind + n, arrived_late=True)
        for n, item in enumerate((*events, *posts))
    )


def candidates(
    pool: Iterable[Item], *, window: Window, used: Collection[ItemId]
) -> tuple[list[Item], list[Item]]:
    """Events in date order and posts newest first, that this window may show."""
    fresh = [item for item in pool if item.id not in used]
    events = [i for i in fresh if i.kind is ItemKind.EVENT and _in_reach(i, window)]
    posts = [i for i in fresh if i.kind is ItemKind.POST and is_news(i, window)]
    return sorted(events, key=_event_order), sorted(posts, key=_post_order)


def dated(item: Item) -> datetime:
    """When a post was published, or first seen where its source gives no date that can be believed."""
    if item.published is None or "date-guessed" in item.flags:
        return item.first_seen
    return item.published


def is_news(item: Item, window: Window) -> bool:
    """Dated in the window, or dated shortly before it and not seen until it had begun (a source that was down)."""
    date = dated(item)
    if date > window.until:
        return False
    return date > window.since or (item.first_seen > window.since and date > window.since - LATE_ARRIVAL)


def _in_reach(item: Item, window: Window) -> bool:
    occasion = item.occasion
    if occasion is None:
        return False
    return (occasion.ends or occasion.starts) > window.events_from and occasion.starts < window.events_until


def _event_order(item: Item) -> tuple[Any, ...]:
    assert item.occasion is not None
    return item.occasion.starts, item.title.casefold(), item.id


def _post_order(item: Item) -> tuple[Any, ...]:
    return -dated(item).timestamp(), item.title.casefold(), item.id


def _events(events: Sequence[Item], *, window: Window, most: int) -> set[ItemId]:
    """The nearest ones; of a series the next date only. What has begun already or will not take place waits on the bench."""
    chosen: set[ItemId] = set()
    series: set[tuple[str, str]] = set()
    for item in events:
        assert item.occasion is not None
        if len(chosen) >= most:
            break
        if item.occasion.status in {EventStatus.CANCELLED, EventStatus.POSTPONED}:
            continue
        if item.occasion.starts < window.events_from - timedelta(days=item.occasion.all_day):
            continue
        if DOUBTFUL.intersection(item.flags):
            continue
        if item.occasion.recurs and item.occasion.uid:
            key = (item.source, item.occasion.uid)
            if key in series:
                continue
            series.add(key)
        chosen.add(item.id)
    return chosen


def _posts(posts: Sequence[Item], *, limits: IssuePart) -> set[ItemId]:
    chosen: set[ItemId] = set()
    by_source: Counter[str] = Counter()
    by_author: Counter[str] = Counter()
    for item in posts:
        author = (item.author or "").casefold()
        if len(chosen) >= limits.posts_most:
            break
        if DOUBTFUL.intersection(item.flags) or by_source[item.source] >= limits.posts_per_source:
            continue
        if author and by_author[author] >= limits.posts_per_author:
            continue
        chosen.add(item.id)
        by_source[item.source] += 1
        by_author[author] += 1
    return chosen


def _section(item: Item) -> str:
    if item.section in SECTIONS:
        return item.section
    return "coming-up" if item.kind is ItemKind.EVENT else "worth-reading"
