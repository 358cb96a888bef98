"""A post that leads to the page of an event under its title: the two stand in a letter together only after a question."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from digest.model import Entry, Item, ItemId, ItemKind
from digest.rules.links import is_front_page, same_page_key
from digest.rules.near import Likeness, title_likeness


def pages_of(entries: Iterable[Entry]) -> list[str]:
    """Keys of the pages that these lead to."""
    urls = (entry.url for entry in entries if entry.url)
    return [same_page_key(url) for url in dict.fromkeys(urls) if not is_front_page(url)]


def announcements(entries: Sequence[Entry], items: Sequence[Item]) -> list[tuple[str, ItemId]]:
    """Keys of entries, and of what they lead to, or what leads to them: of several dates the next. A post that came out
    when the event was over tells how it was."""
    found = []
    for entry in entries:
        near = [item for item in items if item.kind is not entry.kind and _is_told(entry, item)]
        near.sort(key=lambda item: (item.occasion.starts if item.occasion else item.first_seen, item.id))
        found += [(entry.keys[0], item.id) for item in near[:1]]
    return found


def _is_told(entry: Entry, item: Item) -> bool:
    if not entry.url or not item.url or same_page_key(entry.url) != same_page_key(item.url):
        return False
    return title_likeness(entry.title, item.title) is Likeness.YES and _is_before(entry, item)


def _is_before(entry: Entry, item: Item) -> bool:
    occasion = entry.occasion or item.occasion
    out: datetime | None = (
        entry.published if entry.kind is ItemKind.POST else item.published or item.first_seen
    )
    return occasion is not None and (out is None or out < occasion.starts)
