"""A page that is a source itself and the feeds it announces: which was meant. Pure; asks nobody."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote

from digest.rules.gather import Found
from digest.rules.links import host_of, is_front_page, same_page_key

_SPEAKS_OF_EVENTS = re.compile(
    r"events?\b|evenements?\b|calend|agenda|activites|meetups?\b|whats-on", re.IGNORECASE
)


def weighed(page: Found, feeds: Sequence[Found]) -> Found:
    """A page of events and the feeds it announces, the likelier source first, the others as other ways.

    The page of one event is what was meant. A calendar's page yields to a feed of its events, a front page to any feed.
    """
    if not _of_one_event(page):
        for feed in sorted(feeds, key=_events, reverse=True):
            if _events(feed) > 1 or (is_front_page(page.url) and len(feed.harvest.entries) > 1):
                return replace(feed, others=(page, *(one for one in feeds if one is not feed)))
    return replace(page, others=tuple(feeds))


def chosen(url: str, feeds: Sequence[Found]) -> Found:
    """Of what a page announces the first, or, where its address speaks of events, that of events; the rest are other ways.

    Two spellings of one feed (RSS and Atom) are one way.
    """
    told = [one for at, one in enumerate(feeds) if _links(one) not in [_links(other) for other in feeds[:at]]]
    first = max(told, key=_events) if _SPEAKS_OF_EVENTS.search(_plain(url)) else told[0]
    return replace(first, others=tuple(one for one in told if one is not first))


def _links(found: Found) -> list[tuple[str, str]]:
    return sorted((entry.title, entry.url or "") for entry in found.harvest.entries)


def _plain(url: str) -> str:
    return unicodedata.normalize("NFKD", unquote(url)).encode("ascii", "ignore").decode()


def _of_one_event(page: Found) -> bool:
    """One event, or one on several days, that is at home here or books elsewhere; a calendar links to pages beside it."""
    links = {same_page_key(entry.url) if entry.url else "" for entry in page.harvest.entries}
    if len(links) != 1 or is_front_page(page.url):
        return False
    link = links.pop()
    elsewhere = host_of(page.harvest.entries[0].url or "") != host_of(page.url)
    return link == same_page_key(page.url) or (elsewhere and len(page.harvest.entries) == 1)


def _events(found: Found) -> int:
    return sum(entry.occasion is not None for entry in found.harvest.entries)
