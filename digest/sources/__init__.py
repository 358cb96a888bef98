"""How the outside writes to us: one file per kind, one HTTP client. Nothing here stores or judges."""

from digest.sources._http import Manners
from digest.sources._kind import Kind, ParseContext
from digest.sources.fetch import Fetch
from digest.sources.kinds import KINDS, sniff


def open_fetcher(manners: Manners, *, contact: str, timezone: str = "UTC") -> Fetch:
    """Visits over HTTP. manners: the [collect] table; contact: shown to the sites; timezone: of sources that name none."""
    return Fetch(manners, contact=contact, timezone=timezone)


__all__ = ["KINDS", "Fetch", "Kind", "ParseContext", "open_fetcher", "sniff"]
