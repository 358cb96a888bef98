"""A dated word on the web page of an issue that has left. The letter stays as it was frozen. One act, one transaction."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from digest.errors import InputRefused, MoveRefused
from digest.model import Issue, IssueId, IssueState, Language, Period
from digest.rules.edition import plain

LONGEST = 500
_OUT = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT})


class Issues(Protocol):
    def get(self, period: Period) -> Issue: ...
    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, Any], at: datetime
    ) -> None: ...


class Shelf(Protocol):
    def add(
        self, issue_id: IssueId, *, language: Language, words: str, editor: str, at: datetime
    ) -> None: ...


class Store(Protocol):
    """What this verb needs of the store."""

    @property
    def issues(self) -> Issues: ...
    @property
    def corrections(self) -> Shelf: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class Correct:
    """The verb; texts: each language of the list to its words."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    def page(self, period: Period, texts: Mapping[Language, str], *, by: str) -> Issue:
        """Raises InputRefused, MoveRefused while nothing has left."""
        said = {language: " ".join(plain(words).split()) for language, words in texts.items() if plain(words)}
        if not said or any(not 3 <= len(words) <= LONGEST for words in said.values()):
            raise InputRefused("A correction has 3 to 500 characters.", key="month.why_correct")
        if len(said) < len(texts):
            raise InputRefused("A correction is written in every language.", key="month.why_correct_all")
        now = self._clock()
        with self._store.write():
            issue = self._store.issues.get(period)
            if issue.state not in _OUT:
                raise MoveRefused(f"{period} has no page to correct yet.", key="month.why_not_out")
            for language, words in said.items():
                self._store.corrections.add(issue.id, language=language, words=words, editor=by, at=now)
                self._store.issues.log(
                    issue.id, editor=by, act="correct", detail={"language": language, "words": words}, at=now
                )
            return issue
