"""Looking outside for preflight: links, SpamAssassin, DNS. What was seen is kept with its hour; nothing is judged here."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from digest.config import Config
from digest.model import Address, Edition, Issue, Period
from digest.publish_evidence import Proofs
from digest.render.letter import Slots
from digest.render.press import Press
from digest.rules.preflight_outside import LOOK_LIVES, outside_links
from digest.rules.proof import Proof

AT_ONCE = 5


class Keeper(Proofs, Protocol):
    """Where looks are kept."""

    def keep_look(self, kind: str, key: str, *, value: str, at: datetime) -> None: ...


class Store(Protocol):
    @property
    def proofs(self) -> Keeper: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class Desk(Protocol):
    """Where the letters come from."""

    def letters(self, period: Period) -> tuple[Issue, dict[str, Edition]]: ...


class Outside:
    """link: an address to `ok`, a status or the sort of fault. spam: a message to its score, records: a domain to what
    stands for it; both None when nobody can tell here."""

    def __init__(
        self, *, link: Callable[[str], str], spam: Callable[[bytes], str | None],
        records: Callable[[str], str | None],
    ) -> None:  # fmt: skip
        self.link, self.spam, self.records = link, spam, records


class Look:
    """Takes the looks that preflight reads."""

    def __init__(
        self, store: Store, desk: Desk, press: Press, outside: Outside, *, config: Config,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._store, self._desk, self._press, self._outside = store, desk, press, outside
        self._config, self._clock = config, clock

    def at(self, period: Period, *, stop: Callable[[], bool] = lambda: False) -> int:
        """Looks at everything of an issue that was not looked at in the last day; how many looks were taken.

        stop: asked before each; what is left then is looked at another time.
        """
        issue, editions = self._desk.letters(period)
        seen = self._links(issue, editions, stop)
        seen += [("spam", e.sha256, self._outside.spam(self._spliced(e))) for e in self._unscored(editions)]
        domain = self._config.list.domain
        seen.append(("auth", domain, self._outside.records(domain)))
        now = self._clock()
        with self._store.write():
            for kind, key, value in seen:
                if value is not None:
                    self._store.proofs.keep_look(kind, key, value=value, at=now)
        return sum(value is not None for _, _, value in seen)

    def _links(
        self, issue: Issue, editions: dict[str, Edition], stop: Callable[[], bool]
    ) -> list[tuple[str, str, str | None]]:
        proof = Proof(issue=issue, editions=editions, config=self._config, now=self._clock(), readers=0)
        urls = outside_links(proof)
        known = self._store.proofs.looks("link", urls)
        due = [
            u for u in urls if ("link", u) not in known or self._clock() - known["link", u].at > LOOK_LIVES
        ]

        def look(url: str) -> str | None:
            return None if stop() else self._outside.link(url)

        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="look") as pool:
            return [("link", url, said) for url, said in zip(due, pool.map(look, due), strict=True)]

    def _unscored(self, editions: dict[str, Edition]) -> Sequence[Edition]:
        known = self._store.proofs.looks("spam", [edition.sha256 for edition in editions.values()])
        return [edition for edition in editions.values() if ("spam", edition.sha256) not in known]

    def _spliced(self, edition: Edition) -> bytes:
        """As one reader would get it."""
        about = self._config.list
        slots = Slots(
            to=Address("reader@example.org"), message_id=f"<1.1.{edition.sha256[:16]}@{about.domain}>",
            date=self._clock(), unsubscribe_url=f"{about.url}/unsubscribe/{'q' * 28}",
            preferences_url=f"{about.url}/preferences/{'q' * 28}",
        )  # fmt: skip
        return self._press.compiled(edition).splice(slots)
