"""Looking after sources: what is behind an address, adding it, pausing, removing, moving; lists in and out as OPML.

Nothing is collected here but one look. Sources of config.toml are changed there: here they are only paused and resumed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from digest.config import SourcePart
from digest.errors import InputRefused
from digest.model import Entry, Source, SourceId
from digest.rules.gather import Found
from digest.rules.links import host_of, same_page_key, shown_link
from digest.rules.opml import Outline, read_opml, write_opml
from digest.rules.plan import moved_for_good
from digest.rules.text import one_line

LONGEST_NAME = 60
AHEAD = timedelta(days=80)  # so far a series of events is counted


class Sources(Protocol):
    """The store's memory of sources."""

    def all(self) -> list[Source]: ...
    def get(self, name: str) -> Source: ...
    def add(self, part: SourcePart) -> Source: ...
    def remove(self, source_id: SourceId) -> Any: ...
    def pause(self, source_id: SourceId, *, paused: bool) -> Any: ...
    def move(self, source_id: SourceId, *, url: str) -> Any: ...


class Store(Protocol):
    """Where sources are remembered."""

    @property
    def sources(self) -> Sources: ...
    def write(self) -> AbstractContextManager[Any]: ...


class Looker(Protocol):
    """Who asks the network; raises SourceError."""

    def look(self, pasted: str, *, now: datetime, horizon: datetime, exactly: bool) -> Found: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What was found behind an address, as a source that may be added. known: the source that has this address already.

    language: as the source declares it, never a guess. heard: that of most of what it holds, to be told and not kept;
    throughout: of all of it. others: other ways to collect the same place, best first.
    """

    name: str
    url: str
    kind: str
    language: str | None
    posts: int
    events: int
    newest: datetime | None
    titles: tuple[str, ...]
    heard: str | None = None
    throughout: bool = False
    known: str | None = None
    others: tuple["Proposal", ...] = ()


class Adopt:
    """The verb. clock: now as an aware datetime."""

    def __init__(self, store: Store, looker: Looker, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._looker = looker
        self._clock = clock

    def look(self, pasted: str, *, exactly: bool = False) -> Proposal:
        """What is behind any address that a person pastes; nothing is remembered. Raises SourceError.

        exactly: nothing but the address itself, which is how another way is chosen.
        """
        now = self._clock()
        return self._proposal(
            self._looker.look(pasted, now=now, horizon=now + AHEAD, exactly=exactly), now=now
        )

    def _proposal(self, found: Found, *, now: datetime) -> Proposal:
        entries = found.harvest.entries
        posts = [entry for entry in entries if entry.occasion is None]
        events = [entry for entry in entries if entry.occasion is not None]
        dates = [entry.published for entry in posts if entry.published and entry.published <= now]
        heard, throughout = _heard(entries)
        return Proposal(
            name=self._free_name(found.harvest.title or host_of(found.url)),
            url=found.url,
            kind=found.kind,
            language=found.harvest.language,
            posts=len(posts),
            events=len(events),
            newest=max(dates, default=None),
            titles=tuple(entry.title for entry in entries[:3]),
            heard=heard,
            throughout=throughout,
            known=self._known_as(found.url),
            others=tuple(self._proposal(other, now=now) for other in found.others),
        )

    def add(self, proposal: Proposal, *, name: str | None = None, section: str | None = None) -> Source:
        """Raises InputRefused when a source has this address or this name already."""
        chosen = one_line(name or proposal.name, longest=LONGEST_NAME)
        if not chosen:
            raise InputRefused("A source needs a name.", key="sources.name_missing")
        part = SourcePart(
            name=chosen, url=proposal.url, kind=proposal.kind, language=proposal.language, section=section
        )
        with self._store.write():
            self._refuse_twice(part)
            return self._store.sources.add(part)

    def pause(self, name: str, *, paused: bool = True) -> Source:
        """Not visited until it is resumed. Raises NotFound."""
        with self._store.write():
            self._store.sources.pause(self._store.sources.get(name).id, paused=paused)
            return self._store.sources.get(name)

    def remove(self, name: str) -> Source:
        """No longer visited; its items stay. Raises NotFound, and InputRefused for a source of config.toml."""
        with self._store.write():
            source = self._store.sources.get(name)
            if not source.added:
                raise InputRefused(
                    f'"{name}" stands in config.toml: take it out there, or pause it.',
                    key="sources.stays_in_config",
                    name=name,
                )
            self._store.sources.remove(source.id)
        return source

    def accept_move(self, name: str) -> Source:
        """Follows the redirects for good. Raises NotFound, and InputRefused when there is nothing to accept."""
        with self._store.write():
            source = self._store.sources.get(name)
            url = moved_for_good(source, now=self._clock())
            if url is None:
                raise InputRefused(f'"{name}" has not moved.', key="sources.not_moved", name=name)
            if not source.added:
                raise InputRefused(
                    f'"{name}" stands in config.toml: change its address there to {url}',
                    key="sources.move_in_config",
                    name=name,
                    url=url,
                )
            self._store.sources.move(source.id, url=url)
            return self._store.sources.get(name)

    def bring(self, opml: bytes) -> tuple[list[Source], list[Outline], int]:
        """Adds the sources of an OPML file without asking the network; those added, those left out as known already,
        and how many have no address that can be visited.

        Raises InputRefused when the file is no OPML.
        """
        added, left = [], []
        outlines, unusable = read_opml(opml)
        with self._store.write():
            for outline in outlines:
                if self._known_as(outline.url) is not None:
                    left.append(outline)
                    continue
                name = self._free_name(outline.name or host_of(outline.url))
                added.append(
                    self._store.sources.add(SourcePart(name=name, url=outline.url, language=outline.language))
                )
        return added, left, unusable

    def listed(self, *, title: str) -> bytes:
        """All sources as OPML."""
        outlines = [
            Outline(name=source.name, url=source.url, language=source.language)
            for source in self._store.sources.all()
        ]
        return write_opml(outlines, title=title)

    def _known_as(self, url: str) -> str | None:
        key = _spelling(url)
        return next(
            (source.name for source in self._store.sources.all() if _spelling(source.url) == key), None
        )

    def _free_name(self, title: str) -> str:
        taken = {source.name.casefold() for source in self._store.sources.all()}
        name = first = one_line(title, longest=LONGEST_NAME - 4) or "Source"
        number = 2
        while name.casefold() in taken:
            name, number = f"{first} {number}", number + 1
        return name

    def _refuse_twice(self, part: SourcePart) -> None:
        if known := self._known_as(part.url):
            raise InputRefused(
                f'This address is collected already, as "{known}".', key="sources.known_as", name=known
            )
        if any(source.name.casefold() == part.name.casefold() for source in self._store.sources.all()):
            raise InputRefused(
                f'There is a source called "{part.name}" already; give this one another name.',
                key="sources.name_taken",
                name=part.name,
            )


def _spelling(url: str) -> str:
    """One for all spellings of an address, whoever counts its visitors."""
    return same_page_key(shown_link(url) or url)


def _heard(entries: Sequence[Entry]) -> tuple[str | None, bool]:
    """The language of more than half of the entries that tell one, and whether it is that of every entry."""
    told = Counter(entry.language for entry in entries if entry.language)
    for language, n in told.most_common(1):
        if 2 * n > told.total():
            return language, n == len(entries)
    return None, False
