"""What an event does not say of itself, and a listing that is kept under it does. Values in, values out; nothing is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from digest.model import EventStatus, Item, Occasion

_T = TypeVar("_T")


def wants(item: Item) -> bool:
    """Whether another listing of this event could tell more."""
    when = item.occasion
    return when is not None and not (
        when.place and when.ends and when.online and item.author and item.summary
    )


def completed(item: Item, copies: Sequence[Item]) -> Item:
    """The event with the place, the end, the link, the organiser and the words of its other listings where it has none.
    A listing that tells another hour, or calls it off, lends nothing."""
    when = item.occasion
    if when is None:
        return item
    lenders = [(copy, copy.occasion) for copy in copies if copy.occasion and _agree(when, copy.occasion)]
    if not lenders:
        return item
    times = [theirs for _, theirs in lenders]
    occasion = replace(
        when,
        place=when.place or _first(theirs.place for theirs in times),
        ends=when.ends or _first(theirs.ends for theirs in times),
        online=when.online or _first(theirs.online for theirs in times) or _online(when, times),
    )
    speaking = [copy for copy, _ in lenders if not item.language or copy.language in (item.language, None)]
    told = max(speaking, key=lambda copy: len(copy.html or copy.summary), default=item)
    words = item if item.summary else told
    return replace(
        item,
        occasion=occasion,
        url=item.url or _first(copy.url for copy, _ in lenders),
        author=item.author or _first(copy.author for copy, _ in lenders),
        summary=words.summary,
        html=words.html,
    )


def _agree(one: Occasion, other: Occasion) -> bool:
    off = (EventStatus.CANCELLED, EventStatus.POSTPONED)
    same = (one.starts, one.all_day) == (other.starts, other.all_day)
    return same and (one.status in off) == (other.status in off)


def _online(when: Occasion, times: Sequence[Occasion]) -> str | None:
    """Empty where somebody says that it is online, and nobody how to join."""
    return "" if any(one.online is not None for one in (when, *times)) else None


def _first(found: Iterable[_T | None]) -> _T | None:
    return next((one for one in found if one), None)
