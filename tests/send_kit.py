"""A database with an approved issue and its readers, and a Send on it: what tests of sending start from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.config import Config
from digest.mail import Transport
from digest.mail.smtp import SmtpTransport
from digest.model import Address, DeliveryState, Issue, IssueState, Language, Period, SubscriberState
from digest.render.press import Press
from digest.rules.tokens import Links
from digest.send import Send
from digest.send_letters import seal_of_all
from digest.store.sqlite import SqliteStore, open_store

PERIOD = Period(2026, 11)
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@dataclass
class Room:
    """Everything that sending needs, on one folder."""

    config: Config
    store: SqliteStore
    press: Press
    links: Links
    clock: Callable[[], datetime]

    def send(self, transport: Transport) -> Send:
        return Send(self.store, self.press, transport, clock=self.clock, config=self.config, links=self.links)

    @property
    def issue(self) -> Issue:
        return self.store.issues.get(PERIOD)

    def counts(self) -> dict[str, int]:
        return {str(state): n for state, n in self.store.deliveries.counts(self.issue.id).items() if n}

    def rows(self, state: DeliveryState) -> list[str]:
        listed = self.store.deliveries.listed(self.issue.id, state, limit=10_000)
        return [one.address.reveal() for one in listed]


def open_room(folder: Path, *, clock: Callable[[], datetime] = lambda: NOW, **mail: Any) -> Room:
    config = Config(
        list={"from": "letter@lists.example.org", "url": "https://digest.example.org",
              "postal_address": "1 Main St, Ottawa"},
        mail=mail, home=folder,
    )  # fmt: skip
    store = open_store(folder / "subscribers.db", now=NOW)
    links = Links(config.list.url, key=b"k" * 32, domain=config.list.domain)
    return Room(config, store, Press(config), links, clock)


def approve(room: Room, readers: int, *, domain: str = "example.org") -> None:
    """An approved issue for so many confirmed readers, every third of them in French."""
    store, now = room.store, NOW
    with store.write():
        for number in range(1, readers + 1):
            language = Language.FR if number % 3 == 0 else Language.EN
            store.subscribers.add(
                Address(f"reader{number}@{domain}"),
                language=language,
                state=SubscriberState.CONFIRMED,
                now=now,
            )
        store.issues.create(period=PERIOD, since=now - timedelta(days=30), until=now, send_at=now, placed=())
        issue = store.issues.get(PERIOD)
        editions = {one: room.press.edition(issue, one) for one in room.config.list.languages}
        store.issues.freeze(issue.id, list(editions.values()))
        store.deliveries.list_audience(issue.id, languages=room.config.list.languages, now=now)
        store.issues.move(
            issue.id,
            from_={IssueState.DRAFT},
            to=IssueState.APPROVED,
            approved_at=now,
            hash=seal_of_all(editions),
        )


def relay(room: Room, port: int, *, connections: int = 2, **rest: Any) -> SmtpTransport:
    """The configured way to a sink on loopback."""
    part = room.config.mail.model_copy(
        update={"transport": "smtp", "server": "127.0.0.1", "port": port, "security": "none",
                "connections": connections, "timeout_s": 5.0}
    )  # fmt: skip
    return SmtpTransport(part, backoff_s=0.02, **rest)
