"""What is remembered of a source after a visit, and when it is visited next. Pure; a source is never given up in silence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from digest.errors import ErrorKind, SourceError
from digest.model import Entry, Harvest, ItemKind, LeftOutWhy, Source
from digest.rules.gather import Fetched, can_be_true
from digest.rules.marks import UNDATED, UNREAD, UNTRUE

INTERVAL = timedelta(hours=5)  # a round every six hours still finds it due, whatever the jitter
JITTER_S = 50 * 60
LONGEST_WAIT = timedelta(hours=24)
QUIET_FOR = timedelta(days=90)  # nothing new for so long: once a day will do
MOVED_COUNT, MOVED_FOR = 5, timedelta(days=7)
WARN_AFTER, BAD_AFTER = 3, timedelta(days=7)
GAP_SHOWN_FOR = timedelta(days=31)


def moved_for_good(source: Source, *, now: datetime) -> str | None:
    """The address to propose to an editor: five equal permanent redirects over a week, to where the same items are."""
    ripe = source.moved_count >= MOVED_COUNT and source.moved_since and now - source.moved_since >= MOVED_FOR
    return source.moved_to if ripe else None


def how_bad(source: Source, *, now: datetime) -> str:
    """ "": may pass by itself; warn after three failures; bad after seven days of them."""
    if source.fail_count and source.failing_since and now - source.failing_since >= BAD_AFTER:
        return "bad"
    return "warn" if source.fail_count >= WARN_AFTER else ""


def has_gap(source: Source, *, now: datetime) -> bool:
    """Whether posts may have come and gone between two visits, not long ago."""
    return source.gap_at is not None and now - source.gap_at < GAP_SHOWN_FOR


def has_turned_lately(source: Source, *, now: datetime) -> bool:
    """Whether its answers became of another kind than they were, not long ago."""
    return source.turned_at is not None and now - source.turned_at < GAP_SHOWN_FOR


def succeeded(source: Source, fetched: Fetched, *, now: datetime, recognised: bool = True) -> Source:
    """What to remember of a source after a good visit. recognised: it held something that we had seen there before.

    Otherwise posts may have come and gone in between (or the address now leads to something else).
    """
    posts = (
        [entry for entry in fetched.harvest.entries if entry.kind is ItemKind.POST] if fetched.harvest else []
    )
    is_ours = recognised or source.last_ok_at is None
    is_quiet = bool(posts) and all(post.published and now - post.published > QUIET_FOR for post in posts)
    if fetched.harvest is None:
        is_quiet = _was_quiet(source)
    source = _followed(source, fetched.moved_to, now=now, is_ours=is_ours)
    has_turned = bool(source.kind) and source.last_ok_at is not None and fetched.kind != source.kind
    return replace(
        source,
        kind=fetched.kind,
        was_kind=source.kind if has_turned else source.was_kind,
        turned_at=now if has_turned else source.turned_at,
        parser=fetched.parser,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        **left_out(fetched.harvest),
        undated=source.undated if fetched.harvest is None else _undated(posts, now=now),
        of_events=source.of_events or bool(fetched.harvest and fetched.harvest.of_events),
        gap_at=now if not recognised and source.last_ok_at and len(posts) >= 3 else source.gap_at,
        next_at=next_visit(
            source, now=now, pause_s=LONGEST_WAIT.total_seconds() if is_quiet else fetched.pause_s
        ),
        fail_count=0,
        failing_since=None,
        last_visit_at=now,
        last_ok_at=now,
        last_error_kind=None,
        last_error=None,
    )


def left_out(harvest: Harvest | None) -> dict[str, Any]:
    """What of an answer could not be read, for `Source`; nothing new when nothing was answered."""
    if harvest is None:
        return {}
    faults = [one for one in harvest.left_out if one.why is not LeftOutWhy.COUNTED]
    first = faults[0] if faults else None
    return {
        "left_out": len(faults),
        "left_out_first": first.what if first else "",
        "left_out_why": first.why.value if first else "",
    }


def _undated(posts: Sequence[Entry], *, now: datetime) -> str:
    """How most of its posts come without a date that could be taken; "" where that is not the rule there."""
    found = Counter(
        UNTRUE if post.published else UNREAD if UNREAD in post.flags else UNDATED
        for post in posts
        if post.published is None or not can_be_true(post.published, now=now)
    )
    return found.most_common(1)[0][0] if found.total() * 2 > len(posts) > 1 else ""


def _followed(source: Source, moved_to: str | None, *, now: datetime, is_ours: bool) -> Source:
    """What was not ours when the redirect began is not made ours by what it brought in: such a one is not counted."""
    if moved_to is not None and moved_to == source.moved_to:
        return (
            replace(source, moved_count=source.moved_count + bool(source.moved_count))
            if is_ours
            else replace(source, moved_count=0)
        )
    return replace(
        source,
        moved_to=moved_to,
        moved_since=now if moved_to else None,
        moved_count=int(moved_to is not None and is_ours),
    )


def _was_quiet(source: Source) -> bool:
    """Whether a day was planned to this visit: what has not changed is no busier."""
    if source.next_at is None or source.last_visit_at is None or source.fail_count:
        return False
    return source.next_at - source.last_visit_at >= LONGEST_WAIT


def failed(source: Source, error: SourceError, *, now: datetime) -> Source:
    """What to remember of a source after a failed visit. Its items, kind and validators stay as they were.

    It is tried again for ever, at least once a day, but for one that says it is gone for good: that one is paused, and
    the desk says so.
    """
    return replace(
        source,
        next_at=next_try(source, now=now, retry_after_s=error.retry_after_s),
        paused=source.paused or error.kind is ErrorKind.GONE,
        fail_count=source.fail_count + 1,
        failing_since=source.failing_since or now,
        last_visit_at=now,
        last_error_kind=error.kind.value,
        last_error=str(error),
    )


def next_visit(source: Source, *, now: datetime, pause_s: float | None = None) -> datetime:
    """After a good visit: five hours and some minutes on, or as long as the source asks, a day at most."""
    wait = max(INTERVAL, timedelta(seconds=min(pause_s or 0, LONGEST_WAIT.total_seconds())))
    return now + min(wait + _jitter(source, now), LONGEST_WAIT)


def next_try(source: Source, *, now: datetime, retry_after_s: float | None = None) -> datetime:
    """After a failed visit: 1, 2, 4 … 24 hours, or later when the server asks for it, a day at most."""
    wait = timedelta(hours=min(2 ** min(source.fail_count, 5), 24))
    asked = timedelta(seconds=min(retry_after_s or 0, LONGEST_WAIT.total_seconds()))
    return now + min(max(wait, asked), LONGEST_WAIT)


def is_due(source: Source, *, now: datetime) -> bool:
    return not source.paused and (source.next_at is None or source.next_at <= now)


def is_asked_to_wait(source: Source, *, now: datetime) -> bool:
    """Its server has named a time before which it wants no visit; only a person who names the source goes there earlier."""
    told = source.fail_count > 0 and source.last_error_kind == ErrorKind.RATE_LIMITED.value
    return told and source.next_at is not None and source.next_at > now


def _jitter(source: Source, now: datetime) -> timedelta:
    """The same source and day give the same minutes, so that a plan can be repeated."""
    digest = sha256(f"{source.name} {now:%Y-%m-%d}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:4], "big") % JITTER_S)
