"""What sending asks of the rooms below: the ledger, the shelf of issues, a way out. Nothing is done here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from digest.model import (
    Delivery,
    DeliveryId,
    DeliveryState,
    Edition,
    Issue,
    IssueId,
    IssueState,
    ItemId,
    Letter,
    Outcome,
    Period,
)
from digest.send_notices import Waiting
from digest.send_restored import Late, Settings
from digest.send_run import Books, Deliveries, Run


class Shelf(Protocol):
    """Issues, as their sender needs them."""

    def find(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue | None: ...
    def get(self, period: Period) -> Issue: ...
    def all(self) -> list[Issue]: ...
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...
    def move(
        self, issue_id: IssueId, *, from_: Collection[IssueState], to: IssueState, **columns: Any
    ) -> bool: ...
    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, object], at: datetime
    ) -> None: ...


class Sayings(Protocol):
    """What readers say of themselves, in letters that were sent."""

    def mend(self, issue_id: IssueId, editions: Sequence[Edition], *, hash: str) -> None: ...


class Rows(Deliveries, Protocol):
    """The ledger, as its keeper needs it."""

    def counts(self, issue_id: IssueId) -> dict[DeliveryState, int]: ...
    def begin_run(self, issue_id: IssueId, *, now: datetime, lease_s: float) -> int: ...
    def live_run(self, issue_id: IssueId, *, now: datetime) -> bool: ...
    def next_due(self, issue_id: IssueId) -> datetime | None: ...
    def listed(self, issue_id: IssueId, state: DeliveryState, *, limit: int) -> list[Delivery]: ...
    def settle(
        self, delivery_id: DeliveryId, *, state: Literal[DeliveryState.SENT, DeliveryState.QUEUED], note: str
    ) -> bool: ...


class Again(Late, Protocol):
    """Letters that go out after all."""

    def requeue_failed(self, issue_id: IssueId, *, now: datetime) -> int: ...
    def list_joined(self, issue_id: IssueId, *, editions: Sequence[str], now: datetime) -> int: ...


class Store(Books, Protocol):
    """Where all of that is kept."""

    @property
    def deliveries(self) -> Rows: ...
    @property
    def issues(self) -> Shelf: ...
    @property
    def introductions(self) -> Sayings: ...
    @property
    def notices(self) -> Waiting: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def latecomers(self) -> Again: ...


class Transport(Protocol):
    """The way out."""

    def carry(self, ledger: Run) -> None: ...
    def post(self, letter: Letter) -> Outcome: ...
    def arrived(self, letter: Letter) -> bool | None: ...
