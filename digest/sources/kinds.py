"""The kinds of sources, and telling which one an answer is. Adding a kind is adding its file and one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from digest.sources import event_page, feed, ical, json_feed, medium
from digest.sources._kind import Kind
from digest.sources._markup import holds_events
from digest.sources._page import challenge, is_challenge, is_html, not_a_feed, opening

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (medium.KIND, feed.KIND, ical.KIND, event_page.KIND)}
)


def sniff(body: bytes, url: str) -> str:
    """The name of the kind that can read this answer. Raises SourceError (challenge, not-a-feed)."""
    if ical.is_calendar(body):
        return ical.KIND.name
    if json_feed.is_json(body):
        return (
            feed.KIND.name
            if not holds_events(body) or b"jsonfeed.org/version" in body
            else event_page.KIND.name
        )
    if is_html(body) or not body.strip():
        if is_challenge(body, {}):
            raise challenge(url)
        if holds_events(body):
            return event_page.KIND.name
        raise not_a_feed(body, url)
    if "<" not in opening(body, most=64):
        raise not_a_feed(body, url)
    return medium.KIND.name if medium.claims(url) or medium.is_medium(body) else feed.KIND.name
