"""One visit to one source: ask, find out its kind, read. Nothing is stored here, and no fault but SourceError leaves."""

import re
from collections.abc import Sequence
from datetime import datetime
from subprocess import Popen
from typing import Any

from digest import __version__
from digest.errors import ErrorKind, SourceError
from digest.model import Harvest, LeftOutWhy, Source
from digest.rules.dates import read_date
from digest.rules.gather import Fetched, Found
from digest.rules.links import host_of, is_medium_host, owner_of, without_feed_scheme
from digest.sources import event_page, ical, medium
from digest.sources._address import web_address
from digest.sources._http import Answer, Client, Manners
from digest.sources._kind import Kind, ParseContext
from digest.sources._page import is_html
from digest.sources._reader import Reader
from digest.sources.discover import rewritten, spellings
from digest.sources.kinds import KINDS
from digest.sources.weighing import chosen, weighed

MEDIUM_DELAY_S = 5.0
MOST_TRIED = 12
MOST_WAYS = 4  # feeds beside a page that is a source itself
_NO_ANSWER = frozenset({ErrorKind.NO_HTTPS, ErrorKind.CONNECTION, ErrorKind.TIMEOUT})
_WEBCAL = re.compile(r"webcals?://", re.IGNORECASE)
_FINAL = frozenset({ErrorKind.CHALLENGE, ErrorKind.RATE_LIMITED, ErrorKind.PRIVATE_ADDRESS})


class Fetch:
    """Visits sources over HTTP. Threads may share it.

    manners: the [collect] table. contact: where a site's owner finds who asks. timezone: of sources that name none.
    begun: processes that will read, started already.
    """

    def __init__(
        self, manners: Manners, *, contact: str, timezone: str = "UTC", ca_file: str | None = None,
        begun: Sequence[Popen[bytes]] = (),
    ) -> None:  # fmt: skip
        self._manners = manners
        self._timezone = timezone
        self._own_domains: set[str] = set()
        self._reader = Reader(begun=begun)
        agent = f"digest/{__version__} (a community's monthly letter; +{contact})"
        self._client = Client(manners, user_agent=agent, lane=self._lane, ca_file=ca_file)

    def close(self) -> None:
        """Ends the processes that read."""
        self._reader.close()

    def lane(self, source: Source) -> str:
        """Sources of one lane are visited one after the other; all of Medium is one lane."""
        host = host_of(source.url)
        if source.kind == medium.KIND.name:
            self._own_domains.add(host)
        return self._lane(host)[0]

    def visit(self, source: Source, *, now: datetime, horizon: datetime) -> Fetched:
        """What the source says now. Validators of another reading or kind are not sent. Raises SourceError."""
        kind = self._kind(source)
        timezone = source.timezone or self._timezone
        known = kind is not None and source.parser == _reading(kind, now=now, timezone=timezone)
        answer = self._answer(
            source,
            kind,
            etag=source.etag if known else None,
            last_modified=source.last_modified if known else None,
            now=now,
        )
        if kind is not None and answer.status == 304:
            return Fetched(
                kind=kind.name,
                parser=_reading(kind, now=now, timezone=timezone),
                etag=answer.etag or source.etag,
                last_modified=answer.last_modified or source.last_modified,
                pause_s=_kept_s(answer, now=now),
                moved_to=answer.moved_to,
            )
        context = ParseContext(
            url=answer.url, now=now, horizon=horizon, language=source.language,
            timezone=timezone, headers=answer.headers,
            of_events=source.of_events,
        )  # fmt: skip
        name, harvest = self._read(kind.name if kind else "", answer.body, context)
        kind = KINDS[name]
        is_whole = all(
            one.why is not LeftOutWhy.CUT for one in harvest.left_out
        )  # else it is asked for again
        return Fetched(
            kind=kind.name,
            parser=_reading(kind, now=now, timezone=timezone),
            etag=answer.etag if is_whole else None,
            last_modified=answer.last_modified if is_whole else None,
            harvest=harvest,
            pause_s=max(harvest.pause_s or 0.0, _kept_s(answer, now=now) or 0.0) or None,
            moved_to=answer.moved_to,
        )

    def _answer(self, source: Source, kind: Kind | None, **asked: Any) -> Answer:
        """`webcal:` names no scheme: it is asked over https, and over http where nobody answers there."""
        first, *others = spellings(source.url) if _WEBCAL.match(source.url) else [source.url]
        try:
            return self._client.get(_prepared(first, kind), **asked)
        except SourceError as error:
            if not others or error.kind not in _NO_ANSWER:
                raise
        return self._client.get(_prepared(others[0], kind), **asked)

    def _read(self, kind: str, body: bytes, context: ParseContext) -> tuple[str, Harvest]:
        """A feed that became a calendar, or the other way round, is read by what it is, once it proves it by an entry."""
        try:
            return self._reader.read(kind, body, context)
        except SourceError as error:
            if not kind or error.kind not in (ErrorKind.NOT_A_FEED, ErrorKind.PARSE) or is_html(body):
                raise
            try:
                name, harvest = self._reader.read("", body, context)
            except SourceError:
                raise error from None
            if name == kind or not harvest.entries:
                raise
            return name, harvest

    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool = False) -> Found:
        """What there is behind any address that a person pastes, asking at most MOST_TRIED more. Raises SourceError.

        One without a scheme is asked over https, and over http where nobody answers there; a certificate that cannot be
        trusted is an answer. exactly: nothing but the address itself.
        """
        first, *others = spellings(pasted)
        try:
            return self._look(first, now=now, horizon=horizon, exactly=exactly)
        except SourceError as error:
            if not others or error.kind not in _NO_ANSWER:
                raise
        return self._look(others[0], now=now, horizon=horizon, exactly=exactly)

    def _look(self, url: str, *, now: datetime, horizon: datetime, exactly: bool) -> Found:
        """The platform's own feed first, then the address itself, then what its page announces or usually has. A page that
        states events and announces a feed is both, the likelier first.
        """
        web_address(url)
        if exactly:
            return self._found(self._client.get(url, now=now), now=now, horizon=horizon)
        known = rewritten(url)
        if known:
            try:
                return self._found(self._client.get(known, now=now), now=now, horizon=horizon)
            except SourceError as error:
                if error.kind in _FINAL:
                    raise
        answer = self._client.get(url, now=now)
        try:
            found = self._found(answer, now=now, horizon=horizon)
            if found.kind != event_page.KIND.name or not is_html(answer.body):
                return found
            return weighed(found, self._announced(answer, now=now, horizon=horizon))
        except SourceError as error:
            if error.kind is not ErrorKind.NOT_A_FEED:
                raise
            refusal = error
        context = self._context(answer, now=now, horizon=horizon)
        if feeds := self._announced(answer, now=now, horizon=horizon):
            return chosen(url, feeds)
        for link in self._reader.links(answer.body, context)[:MOST_TRIED]:
            try:
                return self._found(self._client.get(link, now=now), now=now, horizon=horizon)
            except SourceError as error:
                if error.kind in _FINAL - {ErrorKind.PRIVATE_ADDRESS}:  # of one link, not of the others
                    raise
        raise refusal

    def _announced(self, answer: Answer, *, now: datetime, horizon: datetime) -> list[Found]:
        """The feeds that a page announces and that can be read; the page stands without them, so none of their faults does."""
        context = self._context(answer, now=now, horizon=horizon)
        found: list[Found] = []
        links = self._reader.links(answer.body, context, announced_only=True)
        for link in links[:MOST_WAYS]:
            try:
                one = self._found(self._client.get(link, now=now), now=now, horizon=horizon)
            except SourceError:
                continue
            if one.harvest.entries and one.url not in (answer.url, *(other.url for other in found)):
                found.append(one)
        return found

    def _found(self, answer: Answer, *, now: datetime, horizon: datetime) -> Found:
        kind, harvest = self._reader.read("", answer.body, self._context(answer, now=now, horizon=horizon))
        return Found(url=answer.url, kind=kind, harvest=harvest)

    def _context(self, answer: Answer, *, now: datetime, horizon: datetime) -> ParseContext:
        return ParseContext(
            url=answer.url, now=now, horizon=horizon, timezone=self._timezone, headers=answer.headers
        )  # fmt: skip

    def _kind(self, source: Source) -> Kind | None:
        """None: to be found out. An unknown name is the fault of this source alone."""
        if not source.kind:
            return KINDS[medium.KIND.name] if medium.claims(source.url) else None
        if source.kind not in KINDS:
            known = ", ".join(KINDS)
            raise SourceError(
                ErrorKind.UNKNOWN_KIND, f"There is no kind of source called “{source.kind}”; known: {known}."
            )
        return KINDS[source.kind]

    def _lane(self, host: str) -> tuple[str, float]:
        if is_medium_host(host) or host in self._own_domains:
            return medium.LANE, max(MEDIUM_DELAY_S, self._manners.delay_s)
        return owner_of(host), self._manners.delay_s


def _reading(kind: Kind, *, now: datetime, timezone: str) -> str:
    """The version of the reader; of calendars, of what it makes of the same bytes too: series go on from week to week, and
    hours without a zone are those of the source."""
    return f"{kind.version} {now:%G-W%V} {timezone}" if kind.name == ical.KIND.name else kind.version


def _prepared(url: str, kind: Kind | None) -> str:
    """webcal: is how calendars are offered; the rest is the kind's own knowledge."""
    url = without_feed_scheme(url)
    return kind.prepare(url) if kind else url


def _kept_s(answer: Answer, *, now: datetime) -> float | None:
    """How long the server lets others keep this answer (RFC 9111, 5.2.2.1 and 5.3: max-age before Expires)."""
    for part in answer.headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and value.isdigit():
            return float(value[:9])
    expires = read_date(answer.headers.get("expires"))
    return max(0.0, (expires.at - now).total_seconds()) if expires else None
