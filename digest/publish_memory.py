"""What the editors' verb is handed: the pool, the shelf of issues, who is to receive them, the press. Shapes only."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from digest.model import (
    DeliveryState,
    Edit,
    Edition,
    Entry,
    Issue,
    IssueId,
    IssueState,
    Item,
    ItemId,
    Language,
    Period,
    Placed,
    Reading,
    SourceId,
)
from digest.publish_evidence import Archive
from digest.publish_signers import People


class Pool(Protocol):
    """Where items wait."""

    def pool(
        self, *, posts_since: datetime, posts_until: datetime, events_from: datetime, events_until: datetime
    ) -> list[Item]: ...
    def get(self, ids: Sequence[ItemId]) -> list[Item]: ...
    def known(self, keys: Collection[str]) -> Mapping[str, Any]: ...
    def add(self, entry: Entry, *, source: SourceId, now: datetime) -> ItemId: ...


class Places(Protocol):
    """Sources that nobody visits."""

    def source(self, name: str, *, url: str) -> SourceId: ...


class Drafts(Protocol):
    """Issues, as whoever assembles them needs them."""

    def find(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue | None: ...
    def get(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue: ...
    def create(
        self, *, period: Period, since: datetime, until: datetime, send_at: datetime, placed: Sequence[Placed]
    ) -> IssueId: ...
    def extend(self, issue_id: IssueId, *, until: datetime, late: Sequence[Placed]) -> None: ...
    def cut_off_before(self, period: Period) -> datetime | None: ...
    def used_items(self) -> set[ItemId]: ...


class Edits(Protocol):
    """Issues, as editors change them."""

    def place(
        self, issue_id: IssueId, placed: Sequence[Placed], *, was: Sequence[Placed] | None = None
    ) -> None: ...
    def write_text(self, issue_id: IssueId, *, field: str, language: str, words: str) -> None: ...
    def bump(self, issue_id: IssueId, *, revision: int) -> bool: ...
    def edits(self, issue_id: IssueId) -> list[Edit]: ...
    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, Any], at: datetime
    ) -> None: ...


class Frozen(Protocol):
    """Issues, as they leave the editors' hands."""

    def move(
        self, issue_id: IssueId, *, from_: Collection[IssueState], to: IssueState, **columns: Any
    ) -> bool: ...
    def freeze(self, issue_id: IssueId, editions: Sequence[Edition]) -> None: ...
    def thaw(self, issue_id: IssueId) -> None: ...
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...


class Issues(Drafts, Edits, Frozen, Protocol):
    """The shelf of issues."""


class Audience(Protocol):
    """Who is to receive an issue."""

    def list_audience(
        self, issue_id: IssueId, *, languages: Sequence[Language], now: datetime, editions: Collection[str] = (),
        zones: Mapping[str, str] | None = None, empty: Collection[str] = (),
    ) -> int: ...  # fmt: skip
    def counts(self, issue_id: IssueId) -> dict[DeliveryState, int]: ...
    def live_run(self, issue_id: IssueId, *, now: datetime) -> bool: ...
    def drop(self, issue_id: IssueId) -> None: ...
    def withdraw(self, issue_id: IssueId, *, now: datetime) -> int: ...
    def spare(self, issue_id: IssueId) -> int: ...


class Settled(Protocol):
    """Whether an old copy of the database was put back: then nothing of this may change."""

    def refuse(self, period: Period) -> None: ...


class Readers(Protocol):
    def audience(
        self, period: Period, *, send_at: datetime, empty: Collection[str] = ()
    ) -> Mapping[str, int]: ...
    def readings(self) -> Sequence[tuple[Reading, str]]: ...
    def cuts(self, *, recap: bool) -> Sequence[tuple[Reading, str, str]]: ...


class Pictures(Protocol):
    """What approved letters show."""

    def keep(self, name: str, *, kind: str, data: bytes) -> None: ...


class Memory(Archive, Protocol):
    """What this verb needs of the store."""

    @property
    def items(self) -> Pool: ...
    @property
    def issues(self) -> Issues: ...
    @property
    def deliveries(self) -> Audience: ...
    @property
    def subscribers(self) -> Readers: ...
    @property
    def suggestions(self) -> Places: ...
    @property
    def editors(self) -> People: ...
    @property
    def logos(self) -> Pictures: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...
