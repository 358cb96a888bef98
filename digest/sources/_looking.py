"""What there is behind an address that a person pastes: itself, what its page announces, the usual places. One deadline
for all of it, and nothing is asked twice."""

import time
from datetime import datetime

from digest.errors import ErrorKind, SourceError
from digest.rules.gather import Found
from digest.sources import event_page
from digest.sources._address import web_address
from digest.sources._http import Answer, Client
from digest.sources._kind import ParseContext
from digest.sources._page import is_html
from digest.sources._reader import Reader
from digest.sources.discover import rewritten, spellings
from digest.sources.weighing import chosen, weighed

MOST_TRIED = 12
MOST_WAYS = 4  # feeds beside a page that is a source itself
NO_ANSWER = frozenset({ErrorKind.NO_HTTPS, ErrorKind.CONNECTION, ErrorKind.TIMEOUT})
_FINAL = frozenset({ErrorKind.CHALLENGE, ErrorKind.RATE_LIMITED, ErrorKind.PRIVATE_ADDRESS})


class Looking:
    """One look, by one thread. longest_s: wall time for the whole of it, reading what came last not counted."""

    def __init__(
        self, client: Client, reader: Reader, *, timezone: str, now: datetime, horizon: datetime, longest_s: float
    ) -> None:  # fmt: skip
        self._client, self._reader = client, reader
        self._timezone, self._now, self._horizon = timezone, now, horizon
        self._longest_s = longest_s
        self._ends_at = time.monotonic() + longest_s
        self._told: dict[str, Found | SourceError] = {}
        self._is_answered = False

    def at(self, pasted: str, *, exactly: bool) -> Found:
        """Without a scheme asked over https, and over http where nobody answers there. Raises SourceError."""
        first, *others = spellings(pasted)
        try:
            return self._at(first, exactly=exactly)
        except SourceError as error:
            if not others or error.kind not in NO_ANSWER or self._is_answered:
                raise
        return self._at(others[0], exactly=exactly)

    def _at(self, url: str, *, exactly: bool) -> Found:
        """The platform's own feed first, then the address itself, then what its page announces or usually has. A page that
        states events and announces a feed is both, the likelier first.
        """
        web_address(url)
        if exactly:
            return self._found(self._answer(url))
        if known := rewritten(url):
            try:
                return self._tried(known)
            except SourceError as error:
                if error.kind in _FINAL:
                    raise
        answer = self._answer(url)
        self._is_answered = True
        try:
            found = self._found(answer)
            if found.kind != event_page.KIND.name or not is_html(answer.body):
                return found
            return weighed(found, self._announced(answer))
        except SourceError as error:
            if error.kind is not ErrorKind.NOT_A_FEED:
                raise
            refusal = error
        if feeds := self._announced(answer):
            return chosen(url, feeds)
        slow = next((link for link, said in self._told.items() if _is_late(said)), None)
        for link in self._reader.links(answer.body, self._context(answer))[:MOST_TRIED]:
            try:
                return self._tried(link)
            except SourceError as error:
                if error.kind in _FINAL - {ErrorKind.PRIVATE_ADDRESS}:  # of one link, not of the others
                    raise
        if slow:
            page = "The address is a web page, not a feed or calendar."
            raise SourceError(
                ErrorKind.TIMEOUT, f"{page} It announces this one, which took too long to answer: {slow}"
            )
        raise refusal

    def _announced(self, answer: Answer) -> list[Found]:
        """The feeds that a page announces and that can be read; the page stands without them, so none of their faults does."""
        found: list[Found] = []
        links = self._reader.links(answer.body, self._context(answer), announced_only=True)
        for link in links[:MOST_WAYS]:
            try:
                one = self._tried(link)
            except SourceError:
                continue
            if one.harvest.entries and one.url not in (answer.url, *(other.url for other in found)):
                found.append(one)
        return found

    def _tried(self, link: str) -> Found:
        """What stands there, asked for once; no link may take more than half of the time that is left, so that what drips
        leaves some to those after it."""
        if link not in self._told:
            try:
                self._told[link] = self._found(self._answer(link, share=0.5))
            except SourceError as error:
                self._told[link] = error
        told = self._told[link]
        if isinstance(told, SourceError):
            raise told
        return told

    def _answer(self, url: str, *, share: float = 1.0) -> Answer:
        left_s = self._ends_at - time.monotonic()
        if left_s < self._longest_s / 20:
            raise SourceError(ErrorKind.TIMEOUT, "The site took too long to answer.")
        return self._client.get(url, now=self._now, within_s=left_s * share)

    def _found(self, answer: Answer) -> Found:
        kind, harvest = self._reader.read("", answer.body, self._context(answer))
        return Found(url=answer.url, kind=kind, harvest=harvest)

    def _context(self, answer: Answer) -> ParseContext:
        return ParseContext(
            url=answer.url, now=self._now, horizon=self._horizon, timezone=self._timezone, headers=answer.headers
        )  # fmt: skip


def _is_late(said: Found | SourceError) -> bool:
    return isinstance(said, SourceError) and said.kind is ErrorKind.TIMEOUT
