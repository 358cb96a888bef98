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
from digest.sources import ical, medium
from digest.sources._http import Answer, Client, Manners
from digest.sources._kind import Kind, ParseContext
from digest.sources._looking import NO_ANSWER, Looking
from digest.sources._page import is_html
from digest.sources._reader import Reader
from digest.sources.discover import spellings
from digest.sources.kinds import KINDS

MEDIUM_DELAY_S = 5.0
LOOK_S = 30.0
_WEBCAL = re.compile(r"webcals?://", re.IGNORECASE)


class Fetch:
    """Visits sources over HTTP. Threads may share it.

    manners: the [collect] table. contact: where a site's owner finds who asks. timezone: of sources that name none.
    begun: processes that will read, started already. look_s: wall time for one look, with all that it asks.
    """

    def __init__(
        self, manners: Manners, *, contact: str, timezone: str = "UTC", ca_file: str | None = None,
        begun: Sequence[Popen[bytes]] = (), look_s: float = LOOK_S,
    ) -> None:  # fmt: skip
        self._manners = manners
        self._timezone = timezone
        self._look_s = look_s
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
            if not others or error.kind not in NO_ANSWER:
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
        """What there is behind any address that a person pastes. exactly: nothing but the address itself. Raises SourceError."""
        looking = Looking(
            self._client, self._reader, timezone=self._timezone, now=now, horizon=horizon, longest_s=self._look_s
        )  # fmt: skip
        return looking.at(pasted, exactly=exactly)

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
