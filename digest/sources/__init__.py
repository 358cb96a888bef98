"""How the outside writes to us: one file per kind, one HTTP client. Nothing here stores or judges."""

from digest import __version__
from digest.sources._http import Manners
from digest.sources._kind import Kind, ParseContext
from digest.sources.answering import Answering
from digest.sources.fetch import Fetch
from digest.sources.kinds import KINDS, sniff


def open_fetcher(manners: Manners, *, contact: str, timezone: str = "UTC") -> Fetch:
    """Visits over HTTP. manners: the [collect] table; contact: shown to the sites; timezone: of sources that name none."""
    return Fetch(manners, contact=contact, timezone=timezone)


def open_answering(manners: Manners, *, contact: str) -> Answering:
    """Looks whether links answer; the same manners and contact as for visits."""
    return Answering(manners, user_agent=f"digest/{__version__} (looks whether links answer; +{contact})")


__all__ = ["KINDS", "Answering", "Fetch", "Kind", "ParseContext", "open_answering", "open_fetcher", "sniff"]
