"""Sending an issue, and the one-off letters: what leaves, once, and what became of it. Nothing unapproved ever leaves.

An issue is finished only when no letter is queued, claimed, on its way or put off.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Protocol

from digest.config import Config
from digest.errors import MailError, MoveRefused, RenderError
from digest.model import (
    Address,
    Delivery,
    DeliveryId,
    DeliveryState,
    Edition,
    Issue,
    IssueId,
    IssueState,
    Language,
    Letter,
    Outcome,
    Period,
    SubscriberId,
)
from digest.render.letter import Compiled, Slots
from digest.render.press import Press
from digest.rules.edition import after
from digest.rules.tokens import Links
from digest.send_alone import alone
from digest.send_notices import Post, Waiting
from digest.send_pace import known_paces
from digest.send_run import LEASE_S, Books, Deliveries, Progress, Run, Terms

_OPEN = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING, DeliveryState.DEFERRED)


class Shelf(Protocol):
    """Issues, as their sender needs them."""

    def find(self, period: Period) -> Issue | None: ...
    def get(self, period: Period) -> Issue: ...
    def editions(self, issue_id: IssueId) -> dict[Language, Edition]: ...
    def move(
        self, issue_id: IssueId, *, from_: Collection[IssueState], to: IssueState, **columns: Any
    ) -> bool: ...
    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, object], at: datetime
    ) -> None: ...


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


class Store(Books, Protocol):
    """Where all of that is kept."""

    @property
    def deliveries(self) -> Rows: ...
    @property
    def issues(self) -> Shelf: ...
    @property
    def notices(self) -> Waiting: ...


class Transport(Protocol):
    """The way out."""

    def carry(self, ledger: Run) -> None: ...
    def post(self, letter: Letter) -> Outcome: ...
    def arrived(self, letter: Letter) -> bool | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one call of `issue` did, and how the issue stands now.

    sent, deferred, failed, unsure: in this call. left_out: readers of the issue who left before their letter.
    waiting, doubtful: letters of the issue still to be tried, and in doubt, now. next_due: when a put-off letter may be
    tried again. reason: why it paused. busy: another process is sending; nothing was done here.
    shunned: domains that refuse us, with their words.
    """

    period: Period
    state: IssueState
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unsure: int = 0
    left_out: int = 0
    waiting: int = 0
    doubtful: int = 0
    next_due: datetime | None = None
    reason: str | None = None
    busy: bool = False
    shunned: Mapping[str, str] = field(default_factory=dict)


class Send:
    """store: where deliveries are kept; transport: how they leave; lock: the file that keeps a second sender out."""

    def __init__(
        self, store: Store, press: Press, transport: Transport, *, clock: Callable[[], datetime], config: Config,
        links: Links, lock: Path | None = None,
    ) -> None:  # fmt: skip
        self._store, self._press, self._transport = store, press, transport
        self._clock, self._config, self._links = clock, config, links
        database = config.path(config.store.url)
        self._lock = lock or database.with_name(f"{database.name}.sending")

    # --- an issue ----------------------------------------------------------------------------------------------

    def issue(
        self, period: Period, *, on_progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Report:  # fmt: skip
        """Sends an approved issue, or goes on, until nothing can be done now or `stop` says so.

        Raises NotFound, MoveRefused (not approved, already sent, or not the approved bytes), RenderError, StoreError.
        A mail server that will not work is no exception: the issue is paused, with the reason in the report.
        """
        after("begin", self._store.issues.get(period))
        with alone(self._lock) as ours:
            issue = self._store.issues.get(period)
            after("begin", issue)
            if ours is False or (
                ours is None and self._store.deliveries.live_run(issue.id, now=self._clock())
            ):
                return self._report(period, busy=True)
            letters = self._frozen(issue)
            issue, number = self._begin(issue)
            make = self._maker(issue, letters)
            self._resolve_doubts(issue, make)
            return self._carry(issue, number, make, on_progress=on_progress, stop=stop)

    def pause(self, period: Period, *, by: str, reason: str = "") -> None:
        """Stops a sending issue within a second; what is not on its way stays where it is. Raises MoveRefused."""
        issue = self._store.issues.get(period)
        self._move(
            issue, to=after("pause", issue), act="pause", by=by, pause_reason=reason or f"Paused by {by}."
        )

    def resume(self, period: Period, *, by: str) -> None:
        """Lets a paused issue go on at the next `issue`, from the metronome or the command. Raises MoveRefused."""
        issue = self._store.issues.get(period)
        if issue.state is not IssueState.PAUSED:
            raise MoveRefused(f"{period} cannot resume: it is not paused.")
        self._move(issue, to=after("begin", issue), act="resume", by=by, pause_reason=None)

    def settle(self, period: Period, delivery: DeliveryId, *, again: bool, by: str) -> bool:
        """Ends the doubt about one letter: it arrived, or it leaves once more. False when nobody doubts it any more."""
        issue, rows, shelf = self._store.issues.get(period), self._store.deliveries, self._store.issues
        if all(one.id != delivery for one in rows.listed(issue.id, DeliveryState.UNSURE, limit=100_000)):
            return False
        with self._store.write(durable=True):
            done = rows.settle(delivery, note=f"settled by editor {by}",
                               state=DeliveryState.QUEUED if again else DeliveryState.SENT)  # fmt: skip
            if done and again and issue.state is IssueState.SENT:
                shelf.move(issue.id, from_={issue.state}, to=after("reopen", issue), sent_at=None)
            if done:
                detail = {"delivery": delivery, "again": again}
                shelf.log(issue.id, editor=by, act="settle", at=self._clock(), detail=detail)
        return done

    def test(self, period: Period, *, address: Address, language: Language) -> Outcome:
        """Posts one edition, as it stands, to one address. Its leave link is nobody's. Raises MailError, RenderError."""
        issue = self._store.issues.get(period)
        edition = self._store.issues.editions(issue.id).get(language) or self._press.edition(issue, language)
        now = self._clock()
        number = DeliveryId(
            int(now.timestamp() * 1_000_000)
        )  # a Message-ID of its own: else it is folded into the last
        nobody = Delivery(
            id=number,
            issue=issue.id,
            subscriber=SubscriberId(0),
            version=0,
            address=address,
            language=language,
        )
        letter = self._letter(nobody, self._press.compiled(edition), date=now, sender=self._config.list.from_)
        outcome = self._transport.post(letter)
        if outcome.state is DeliveryState.SENT:  # preflight asks whether somebody saw exactly this letter
            with self._store.write():
                self._log(issue, "test", {"language": language.value, "sha256": edition.sha256}, now)
        return outcome

    def notices(self) -> int:
        """Posts the one-off letters that wait; how many left. Never raises because of one of them."""
        post = Post(
            self._store, self._press, self._transport, clock=self._clock, links=self._links,
            sender=self._config.list.from_,
        )  # fmt: skip
        return post.all_due()

    # --- steps -------------------------------------------------------------------------------------------------

    def _frozen(self, issue: Issue) -> dict[Language, Compiled]:
        """The compiled letters, if they are the ones that were approved. Raises MoveRefused, RenderError."""
        editions = self._store.issues.editions(issue.id)
        for edition in editions.values():
            if seal(edition) != edition.sha256:
                raise MoveRefused(_not_approved(issue))
        if not editions or (issue.hash and seal_of_all(editions) != issue.hash):
            raise MoveRefused(_not_approved(issue))
        return {language: self._press.compiled(edition) for language, edition in editions.items()}

    def _begin(self, issue: Issue) -> tuple[Issue, int]:
        """Buries dead runs and begins ours. We hold the lock, so every run not ended is dead, whatever its lease says."""
        now = self._clock()
        state = after("begin", issue)
        with self._store.write(durable=True):
            moved = self._store.issues.move(
                issue.id,
                from_={issue.state},
                to=state,
                sending_since=issue.sending_since or now,
                pause_reason=None,
            )
            if not moved:
                raise MoveRefused(
                    f"{issue.period} was changed by somebody else just now; look at it again.",
                    key="desk.why_conflict",
                )
            self._store.deliveries.recover(issue.id, now=now, alone=True)
            number = self._store.deliveries.begin_run(issue.id, now=now, lease_s=LEASE_S)
        return self._store.issues.get(issue.period), number

    def _resolve_doubts(self, issue: Issue, make: Callable[[Delivery], Letter]) -> None:
        """What is in doubt and can be known (a folder), or shall go again by the configuration, is settled now."""
        for delivery in self._store.deliveries.listed(issue.id, DeliveryState.UNSURE, limit=100_000):
            try:
                arrived = self._transport.arrived(make(delivery))
            except (RenderError, ValueError):  # forgotten meanwhile: nothing more can be known
                continue
            if arrived is None and self._config.mail.on_unsure == "hold":
                continue
            with self._store.write():
                self._store.deliveries.settle(
                    delivery.id, state=DeliveryState.SENT if arrived else DeliveryState.QUEUED,
                    note="it stands in the folder" if arrived else "sent again after a doubt",
                )  # fmt: skip

    def _carry(
        self, issue: Issue, number: int, make: Callable[[Delivery], Letter], *,
        on_progress: Callable[[Progress], None] | None, stop: Callable[[], bool] | None,
    ) -> Report:  # fmt: skip
        counts = self._store.deliveries.counts(issue.id)
        run = Run(
            self._store, number,
            Terms(
                issue=issue.id, total=counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED],
                accepted=counts[DeliveryState.SENT] > 0, make=make, clock=self._clock, stop=stop, on_progress=on_progress,
                wanted=lambda: self._is_sending(issue.period), resend=self._config.mail.on_unsure == "resend",
                paces=known_paces(self._store.paces.all(), self._config.mail.domain, now=self._clock()),
            ),
        )  # fmt: skip
        reason = None
        try:
            self._transport.carry(run)
        except MailError as error:
            reason = str(error)
        finally:
            run.close()
        self._finish(issue, reason or run.halt)
        return self._report(issue.period, run=run)

    def _is_sending(self, period: Period) -> bool:
        found = self._store.issues.find(period)
        return found is not None and found.state is IssueState.SENDING

    def _finish(self, issue: Issue, reason: str | None) -> None:
        """Paused with the reason, sent when nothing is left to be done, or sending still."""
        counts = self._store.deliveries.counts(issue.id)
        now = self._clock()
        with self._store.write(durable=True):
            if not any(counts[state] for state in _OPEN):
                if self._store.issues.move(
                    issue.id, from_={IssueState.SENDING}, to=IssueState.SENT, sent_at=now
                ):
                    self._log(
                        issue, "finish", {state.value: count for state, count in counts.items() if count}, now
                    )
            elif reason is not None and self._store.issues.move(
                issue.id, from_={IssueState.SENDING}, to=IssueState.PAUSED, pause_reason=reason
            ):
                self._log(issue, "pause", {"reason": reason}, now)

    def _report(self, period: Period, *, run: Run | None = None, busy: bool = False) -> Report:
        issue = self._store.issues.get(period)
        counts = self._store.deliveries.counts(issue.id)
        done = run.counts if run else dict.fromkeys(DeliveryState, 0)
        return Report(
            period=period, state=issue.state, sent=done[DeliveryState.SENT], deferred=done[DeliveryState.DEFERRED],
            failed=done[DeliveryState.FAILED], unsure=done[DeliveryState.UNSURE],
            left_out=counts[DeliveryState.CANCELLED], waiting=sum(counts[state] for state in _OPEN),
            doubtful=counts[DeliveryState.UNSURE], next_due=self._store.deliveries.next_due(issue.id),
            reason=issue.pause_reason if issue.state is IssueState.PAUSED else None, busy=busy,
            shunned=run.shunned if run else {},
        )  # fmt: skip

    def _maker(self, issue: Issue, letters: Mapping[Language, Compiled]) -> Callable[[Delivery], Letter]:
        """One delivery becomes its letter: the same bytes at every try, its Date included."""
        date = issue.sending_since or self._clock()
        first = next(iter(letters.values()))
        proven: dict[Language, bool] = {}

        def make(delivery: Delivery) -> Letter:
            language = delivery.language
            compiled = letters.get(language, first)
            letter = self._letter(
                delivery,
                compiled,
                date=date,
                sender=self._sender(delivery.id),
                proven=proven.get(language, False),
            )
            if language not in proven:  # the slots of all copies are checked alike, so one speaks for all
                proven[language] = is_plain(letter.data)
            return letter

        return make

    def _letter(
        self, delivery: Delivery, compiled: Compiled, *, date: datetime, sender: str,
        proven: bool = False,
    ) -> Letter:  # fmt: skip
        own = self._links.letter(
            delivery.subscriber, version=delivery.version, issue=delivery.issue, delivery=delivery.id
        )
        slots = Slots(
            to=delivery.address, message_id=own.message_id, date=date, unsubscribe_url=own.unsubscribe,
            preferences_url=own.preferences,
        )  # fmt: skip
        return Letter(
            delivery=delivery.id, sender=sender, recipient=delivery.address, data=compiled.splice(slots), proven=proven
        )  # fmt: skip

    def _sender(self, delivery: DeliveryId) -> str:
        """The envelope's sender: a bounce finds its delivery by the token (VERP)."""
        bounce = self._config.mail.bounce
        if bounce is None:
            return self._config.list.from_
        local, _, domain = bounce.rpartition("@")
        return f"{local}+{self._links.bounce_token(delivery)}@{domain}"

    def _move(self, issue: Issue, *, to: IssueState, act: str, by: str, pause_reason: str | None) -> None:
        with self._store.write(durable=True):
            if not self._store.issues.move(issue.id, from_={issue.state}, to=to, pause_reason=pause_reason):
                raise MoveRefused(
                    f"{issue.period} was changed by somebody else just now; look at it again.",
                    key="desk.why_conflict",
                )
            self._store.issues.log(issue.id, editor=by, act=act, detail={}, at=self._clock())

    def _log(self, issue: Issue, act: str, detail: Mapping[str, object], at: datetime) -> None:
        self._store.issues.log(issue.id, editor="digest", act=act, detail=detail, at=at)


def is_plain(data: bytes) -> bool:
    """Whether a message can stand on any wire as it is: ASCII, CR and LF only together, no line begins with a dot."""
    ends = data.count(b"\r\n")
    whole = data.count(b"\r") == ends == data.count(b"\n") and data.endswith(b"\r\n") and b"\0" not in data
    return whole and data.isascii() and b"\r\n." not in data and not data.startswith(b".")


def seal(edition: Edition) -> str:
    """The hash of one edition, as the press makes it."""
    return sha256(b"\0".join([edition.html.encode(), edition.text.encode(), edition.letter])).hexdigest()


def seal_of_all(editions: Mapping[Language, Edition]) -> str:
    """The hash of an issue, as approving makes it."""
    return sha256("".join(f"{one}:{editions[one].sha256};" for one in sorted(editions)).encode()).hexdigest()


def _not_approved(issue: Issue) -> str:
    return (
        f"{issue.period} is not what was approved: the frozen letter or its hash was changed. "
        "Nothing was sent; hold the issue, look at it and approve it again."
    )
