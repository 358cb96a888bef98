"""How the outside writes to us: one file per kind, one HTTP client. Nothing here stores or judges.

Parsers are brought in when something is first read: who sends a million letters need not carry them (13 MB).
"""

from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from digest import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from digest.model import Source
    from digest.rules.gather import Fetched, Found
    from digest.rules.lookup import Glimpse
    from digest.sources._http import Manners
    from digest.sources._kind import Kind, ParseContext
    from digest.sources.answering import Answering
    from digest.sources.calling import Calling
    from digest.sources.fetch import Fetch
    from digest.sources.glance import Glance
    from digest.sources.kinds import KINDS, sniff


_ELSEWHERE = {
    "KINDS": "kinds", "sniff": "kinds", "Kind": "_kind", "ParseContext": "_kind", "Answering": "answering", "Fetch": "fetch",
}  # fmt: skip


class LateFetch:
    """A Fetch that is made at the first visit. Threads may share it."""

    def __init__(self, manners: "Manners", *, contact: str, timezone: str) -> None:
        self._manners, self._contact, self._timezone = manners, contact, timezone
        self._made: Fetch | None = None
        self._guard = Lock()

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def lane(self, source: "Source") -> str:
        return self._fetch.lane(source)

    def visit(self, source: "Source", *, now: "datetime", horizon: "datetime") -> "Fetched":
        return self._fetch.visit(source, now=now, horizon=horizon)

    def look(self, pasted: str, *, now: "datetime", horizon: "datetime", exactly: bool) -> "Found":
        return self._fetch.look(pasted, now=now, horizon=horizon, exactly=exactly)

    @property
    def _fetch(self) -> "Fetch":
        with self._guard:
            if self._made is None:
                from digest.sources._starting import start

                begun = [start()]  # it and we bring in our libraries side by side
                from digest.sources.fetch import Fetch

                self._made = Fetch(self._manners, contact=self._contact, timezone=self._timezone, begun=begun)
            return self._made


class LateGlance:
    """A Glance that is made at the first look. Threads may share it."""

    def __init__(self, manners: "Manners", *, user_agent: str) -> None:
        self._manners, self._user_agent = manners, user_agent
        self._made: Glance | None = None
        self._guard = Lock()

    def look(self, url: str) -> "Glimpse":
        with self._guard:
            if self._made is None:
                from digest.sources.glance import Glance

                self._made = Glance.of_strangers(self._manners, user_agent=self._user_agent)
        return self._made.look(url)


class LateAnswering:
    """An Answering that is made at the first look. Threads may share it."""

    def __init__(self, manners: "Manners", *, user_agent: str) -> None:
        self._manners, self._user_agent = manners, user_agent
        self._made: Answering | None = None
        self._guard = Lock()

    def look(self, url: str) -> str:
        with self._guard:
            if self._made is None:
                from digest.sources.answering import Answering

                self._made = Answering(self._manners, user_agent=self._user_agent)
        return self._made.look(url)


class LateCalling:
    """A Calling that is made at the first call. Threads may share it."""

    def __init__(self, manners: "Manners", *, user_agent: str) -> None:
        self._manners, self._user_agent = manners, user_agent
        self._made: Calling | None = None
        self._guard = Lock()

    def post(self, url: str, body: bytes, headers: "Mapping[str, str]") -> None:
        """Raises SourceError unless it was taken."""
        with self._guard:
            if self._made is None:
                from digest.sources.calling import Calling

                self._made = Calling(self._manners, user_agent=self._user_agent)
        self._made.post(url, body, headers)


def open_calling(manners: "Manners", *, contact: str) -> LateCalling:
    """Posts to the operator's webhook."""
    return LateCalling(manners, user_agent=f"digest/{__version__} (+{contact})")


def open_fetcher(manners: "Manners", *, contact: str, timezone: str = "UTC") -> LateFetch:
    """Visits over HTTP. manners: the [collect] table; contact: shown to the sites; timezone: of sources that name none."""
    return LateFetch(manners, contact=contact, timezone=timezone)


def open_answering(manners: "Manners", *, contact: str) -> LateAnswering:
    """Looks whether links answer; the same manners and contact as for visits."""
    return LateAnswering(manners, user_agent=f"digest/{__version__} (looks whether links answer; +{contact})")


def open_glance(manners: "Manners", *, contact: str) -> LateGlance:
    """Looks what the page behind a suggested link says of itself."""
    return LateGlance(manners, user_agent=f"digest/{__version__} (looks up suggested links; +{contact})")


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ELSEWHERE[name]}"), name)


__all__ = [
    "KINDS",
    "Answering",
    "Fetch",
    "Kind",
    "ParseContext",
    "open_answering",
    "open_calling",
    "open_fetcher",
    "open_glance",
    "sniff",
]
