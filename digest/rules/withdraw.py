"""Dates that a calendar gave and, stating their series completely, gives no more. Values in, values out; nothing is deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.model import Entry, EventStatus, Item, ItemId, Whole
from digest.rules.gather import Add, AlsoIn, Inherit, Intent, Seen, Update
from digest.rules.recognise import STALE_FOR

WITHDRAWN = "withdrawn"  # the flag of such a date, and how its hash begins, so that its return is a change


@dataclass(frozen=True, slots=True)
class Ahead:
    """An event to come. frozen: an approved issue holds it. elsewhere: another source shows it too. taken: when its words
    came in. copies: what it stands for besides."""

    item: Item
    frozen: bool
    elsewhere: bool
    taken: datetime
    copies: frozenset[ItemId] = frozenset()


def unstated(
    intents: Sequence[Intent], ahead: Sequence[Ahead], *, whole: Sequence[Whole], now: datetime
) -> tuple[list[Intent], list[Ahead]]:
    """The intents, and what is withdrawn. A date that is new, has the words and the day of one that is withdrawn, and
    another UID, is that one, moved: so is a series told that goes on under a new name at another hour.

    Only what this answer states completely counts: a UID that it does not hold is absent, not withdrawn.
    """
    stated = {one.uid: one for one in whole}
    met = {intent.item for intent in intents if isinstance(intent, AlsoIn | Inherit | Seen | Update)}
    gone = [
        one for one in ahead if not met & {one.item.id, *one.copies} and _is_withdrawn(one, stated, now=now)
    ]
    places = {_words_and_day(one.item): place for place, one in reversed(list(enumerate(gone)))}
    after: list[Intent] = []
    moved: set[int] = set()
    for intent in intents:
        place = places.pop(_words_and_day(intent.entry), None) if gone and isinstance(intent, Add) else None
        if place is None:
            after.append(intent)
            continue
        moved.add(place)
        one = gone[place]
        again = (
            Seen(one.item.id, intent.entry, frozen=True) if one.frozen else Update(one.item.id, intent.entry)
        )
        after.append(again)
    return after, [
        _of_version(one, stated[_uid(one)].sequence) for place, one in enumerate(gone) if place not in moved
    ]


def called_off(one: Ahead) -> Entry:
    """The item as it stands once it is withdrawn: called off, unless another source goes on showing it. Then the flag
    alone tells, and an editor decides."""
    item = one.item
    assert item.occasion is not None
    status = item.occasion.status if one.elsewhere else EventStatus.CANCELLED
    return Entry(
        kind=item.kind,
        keys=(),
        title=item.title,
        url=item.url,
        language=item.language,
        author=item.author,
        summary=item.summary,
        html=item.html,
        minutes=item.minutes,
        tags=item.tags,
        occasion=replace(item.occasion, status=status),
        flags=tuple(dict.fromkeys((*item.flags, WITHDRAWN))),
        content_hash=f"{WITHDRAWN} {item.content_hash}",
    )


def _is_withdrawn(one: Ahead, stated: dict[str, Whole], *, now: datetime) -> bool:
    occasion = one.item.occasion
    if occasion is None or one.item.content_hash.startswith(WITHDRAWN):
        return False
    series = stated[_uid(one)]
    if series.sequence < occasion.sequence and now - one.taken < STALE_FOR:
        return False  # an older copy of the calendar
    return series.until is None or occasion.starts < series.until


def _uid(one: Ahead) -> str:
    return (one.item.occasion.uid if one.item.occasion else None) or ""


def _of_version(one: Ahead, sequence: int) -> Ahead:
    """As of the calendar that withdrew it: an older copy of that does not bring it back."""
    assert one.item.occasion is not None
    newer = replace(one.item.occasion, sequence=max(sequence, one.item.occasion.sequence))
    return replace(one, item=replace(one.item, occasion=newer))


def _words_and_day(thing: Entry | Item) -> tuple[str, str] | None:
    when = thing.occasion
    return (
        (thing.title.casefold(), f"{when.starts.astimezone(ZoneInfo(when.timezone)):%Y%m%d}")
        if when
        else None
    )
