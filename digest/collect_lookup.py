"""Looking up suggested links, after whoever sent them has been answered: title, author, language. Each is visited once."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from digest.errors import SourceError
from digest.model import Suggestion, SuggestionId
from digest.rules.lookup import Glimpse

AT_ONCE = 20


class Suggestions(Protocol):
    """Where suggestions wait."""

    def to_look_up(self, *, limit: int) -> list[Suggestion]: ...
    def looked_up(
        self, suggestion_id: SuggestionId, *, glimpse: Glimpse, fault: str, at: datetime
    ) -> None: ...


class Store(Protocol):
    @property
    def suggestions(self) -> Suggestions: ...
    def write(self) -> AbstractContextManager[None]: ...


class Looker(Protocol):
    """Who asks the network; raises SourceError."""

    def look(self, url: str) -> Glimpse: ...


class Lookup:
    """One thread at a time is enough; two do no harm."""

    def __init__(self, store: Store, glance: Looker, *, clock: Callable[[], datetime]) -> None:
        self._store, self._glance, self._clock = store, glance, clock

    def due(self, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Visits what was not visited yet, twenty at most; how many. No transaction is open meanwhile."""
        done = 0
        for one in self._store.suggestions.to_look_up(limit=AT_ONCE):
            if stop():
                break
            fault, found = "", Glimpse()
            try:
                found = self._glance.look(one.url or "")
            except SourceError as error:
                fault = error.kind.value
            with self._store.write():
                self._store.suggestions.looked_up(one.id, glimpse=found, fault=fault, at=self._clock())
            done += 1
        return done
