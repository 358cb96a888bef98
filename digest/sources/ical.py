"""iCalendar (RFC 5545): telling one and having it read. Its libraries come with the first calendar (a fifth of a second)."""

from digest.model import Harvest
from digest.sources._kind import Kind, ParseContext
from digest.sources._page import challenge, is_challenge, not_a_feed, opening


def parse(body: bytes, context: ParseContext) -> Harvest:
    """Every event that can be dated; series up to the horizon, 50 dates each. Raises SourceError.

    Single events come whatever their date: what is over is left for the assembling rules to pass over.
    """
    if is_challenge(body, context.headers):
        raise challenge(context.url)
    if not is_calendar(body):
        raise not_a_feed(body, context.url)
    from digest.sources._ics import read

    return read(body, context)


def is_calendar(body: bytes) -> bool:
    head = opening(body, most=2_000).upper()
    return "BEGIN:VCALENDAR" in head or "BEGIN:VEVENT" in head


KIND = Kind(
    name="ical",
    version="ical-8",
    parse=parse,
    claims=lambda url: url.split("?")[0].lower().endswith((".ics", "/ical/", "/ical")),
    prepare=lambda url: url,
)
