"""What a transport asks of the durable record, and what the house asks of a transport. No transport decides who is written to."""

from collections.abc import Collection, Sequence
from typing import Protocol

from digest.model import DeliveryId, Letter, Outcome
from digest.rules.rate import Paces


class Pending(Protocol):
    """A commit whose second half is to come."""

    @property
    def passed(self) -> Collection[DeliveryId]:
        """What commit() returns; it holds once `finish` has returned, and not before."""
        ...

    def finish(self) -> None:
        """Waits for the disk; any thread may. Raises StoreError: nothing was written, so no dot may be."""
        ...

    def done(self) -> None:
        """To be called after `finish` came back well, in the ledger's own thread."""
        ...


class Ledger(Protocol):
    """The durable record of one run, as a transport sees it. Called from one thread, between network waits."""

    @property
    def paces(self) -> Paces:
        """What is known of the pace of relays; the transport writes into it what it learns."""
        ...

    def claim(self, count: int) -> Sequence[Letter]:
        """Letters reserved for this run, about `count`; none: nothing can be done now."""
        ...

    def rest_s(self) -> float | None:
        """After a claim that gave none: in how many seconds another may give some; None: not in this run."""
        ...

    def commit(
        self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]
    ) -> Collection[DeliveryId]:
        """One durable transaction: the outcomes first, then claimed → committing for each (delivery, connection).

        When it returns, it is on the disk. Returns the deliveries that passed: for those, and no others, the final
        dot may now be written. Raises StoreError: nothing was written, so no dot may be.
        """
        ...

    def begin(self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]) -> "Pending":
        """The same in two halves, so that a loop need not wait for the disk. Raises StoreError: nothing was written.

        Between the halves neither `claim` nor `commit` nor `begin` may be called.
        """
        ...

    def stopping(self) -> bool:
        """True: claim no more, finish what cannot be taken back, return. Asked several times a second."""
        ...


class Transport(Protocol):
    """A way out of the house."""

    def carry(self, ledger: Ledger) -> None:
        """Bulk: letters until the ledger gives no more or says stop. Raises MailError (nobody is marked), StoreError."""
        ...

    def post(self, letter: Letter) -> Outcome:
        """One letter at once: sent, deferred, failed or unsure. Raises MailError when the relay is the fault."""
        ...

    def arrived(self, letter: Letter) -> bool | None:
        """Whether a letter in doubt did arrive; None: nobody here can know."""
        ...

    def ready(self) -> None:
        """Before the first letter, nothing asked of a network. Raises MailError when a secret to log in with is missing."""
        ...

    def probe(self) -> str:
        """Whether letters could leave now, in one sentence; nothing is sent. Raises MailError."""
        ...
