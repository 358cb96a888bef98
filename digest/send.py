"""Sending an issue, and the one-off letters: what leaves, once, and what became of it. Nothing unapproved ever leaves.

An issue is finished only when no letter is queued, claimed, on its way or put off.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from digest.config import Config
from digest.errors import MailError, MoveRefused
from digest.model import (
    Address,
    Canary,
    Delivery,
    DeliveryId,
    DeliveryState,
    Issue,
    IssueState,
    Language,
    Letter,
    Outcome,
    PauseReason,
    Period,
    Reading,
    SubscriberId,
)
from digest.render.press import Press
from digest.rules.departure import must_have_its_hour, must_not_be_yesterday
from digest.rules.edition import after, road
from digest.rules.taken_back import gone, printed, taken_back
from digest.rules.tokens import Links
from digest.rules.window import read_window
from digest.send_alone import alone
from digest.send_canary import First
from digest.send_courtesy import Courtesy
from digest.send_doubts import resolve, spoken_of
from digest.send_journal import Journal
from digest.send_letters import Letters, must_be_as_approved
from digest.send_log import act
from digest.send_needs import Store, Transport
from digest.send_newest import Newest
from digest.send_notices import Post
from digest.send_pace import known_paces
from digest.send_report import Report, reason_of, sentence, together
from digest.send_restored import Restored
from digest.send_run import LEASE_S, Progress, Run, Terms
from digest.send_taken_back import TakenBack

_OPEN = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """How an issue is to be sent."""

    on_progress: Callable[[Progress], None] | None
    stop: Callable[[], bool] | None
    editors_first: bool
    early: bool


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
        self._letters = Letters(links, config)
        self._window = read_window(config.mail.window)
        self.first = First(store.canaries, config.mail, clock=clock)
        self.courtesy = Courtesy()
        self._taken_back = TakenBack(store, press, config=config)
        self._restored = Restored(store, Journal(database, clock=clock), links=links, clock=clock)

    # --- an issue ----------------------------------------------------------------------------------------------

    def issue(
        self, period: Period, *, on_progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] | None = None, editors_first: bool = False, early: bool = False,
    ) -> Report:  # fmt: skip
        """Sends an approved issue, or goes on, until nothing can be done now or `stop` says so.

        editors_first: when it begins, editors who subscribe get it ahead of all others, unless [mail] says otherwise.
        early: a scheduled one too does not wait for its hour.
        Raises NotFound, MoveRefused (not approved, too early, already sent, or not the approved bytes), RenderError, StoreError.
        A mail server that will not work is no exception: the issue is paused, with the reason in the report.
        """
        after("begin", self._store.issues.get(period))
        self._restored.refuse(period)
        with alone(self._lock) as ours:
            issue = self._store.issues.get(period)
            after("begin", issue)
            if ours is False or (
                ours is None and self._store.deliveries.live_run(issue.id, now=self._clock())
            ):
                return self._report(period, busy=True)
            asked = _Asked(on_progress, stop, editors_first, early)
            report = self._round(period, asked)
            while self._must_be_made_anew(report, stop):  # somebody took their words back meanwhile
                report = together(report, self._round(period, asked))
            return report

    def pause(self, period: Period, *, by: str, name: str = "") -> None:
        """Stops a sending issue within a second; what is not on its way stays where it is. name: whoever does, as others
        know them. Raises MoveRefused."""
        issue = self._store.issues.get(period)
        reason = PauseReason("by", {"name": name or by})
        self._move(issue, to=after("pause", issue), name="pause", by=by, pause_reason=reason)

    def resume(self, period: Period, *, by: str) -> None:
        """Lets a paused issue go on at the next `issue`, from the metronome or the command. Raises MoveRefused."""
        issue = self._store.issues.get(period)
        if issue.state is not IssueState.PAUSED:
            raise MoveRefused(f"{period} cannot resume: it is not paused.")
        self._move(issue, to=after("begin", issue), name="resume", by=by, pause_reason=None)

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
        if done:
            act("settle", issue=period, letter=delivery, to="queued" if again else "sent", by=by)
        return done

    def heard(self, data: bytes) -> int:
        """A letter came in that speaks of ours (a bounce, a complaint, an answer): doubts about those end; how many."""
        proven = spoken_of(data, links=self._links)
        if not proven:
            return 0
        note = "arrived: a letter about it came in"
        with self._store.write(durable=True):
            rows = self._store.deliveries
            ended = [one for one in sorted(proven) if rows.settle(one, state=DeliveryState.SENT, note=note)]
        for one in ended:
            act("settle", letter=one, to="sent", by="post")
        return len(ended)

    def again(self, period: Period, *, only: Literal["failed", "joined-since"], by: str) -> int:
        """Lists letters of a begun or sent issue once more: the failed ones, or those of readers who joined after its
        approval. They leave with the next `issue`; how many. Raises MoveRefused."""
        issue, now = self._store.issues.get(period), self._clock()
        if issue.state is not IssueState.SENT:
            after("begin", issue)
        editions = [*self._config.list.languages, *self._store.issues.editions(issue.id)]
        with self._store.write(durable=True):
            if only == "failed":
                count = self._store.latecomers.requeue_failed(issue.id, now=now)
            else:
                count = self._store.latecomers.list_joined(issue.id, editions=editions, now=now)
            if count and issue.state is IssueState.SENT:
                self._store.issues.move(
                    issue.id, from_={issue.state}, to=after("reopen", issue), sent_at=None
                )
            if count:
                self._store.issues.log(
                    issue.id, editor=by, act="again", detail={"only": only, "count": count}, at=now
                )
        act("again", issue=period, only=only, letters=count)
        return count

    def canary(self, period: Period) -> Canary | None:
        """How the first letters of an issue fare; None: it has none."""
        return self._store.canaries.get(self._store.issues.get(period).id)

    @property
    def restored(self) -> Restored:
        """What is to be done once an old copy of the database was put back."""
        return self._restored

    def test(
        self, period: Period, *, address: Address, language: Reading | Language, by: str = "command"
    ) -> Outcome:
        """Posts one edition, as it stands, to one address. Its leave link is nobody's. Raises MailError, RenderError."""
        issue = self._store.issues.get(period)
        edition = self._store.issues.editions(issue.id).get(language.value) or self._press.edition(
            issue, language
        )
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
            edition=edition.key,
        )
        letter = self._letters.one(
            nobody, self._press.compiled(edition), date=now, sender=self._config.list.from_
        )
        outcome = self._transport.post(letter)
        if outcome.state is DeliveryState.SENT:  # preflight asks whether somebody saw exactly this letter
            with self._store.write():
                detail = {"language": edition.key, "sha256": edition.sha256}
                self._store.issues.log(issue.id, editor=by, act="test", detail=detail, at=now)
        act("test", issue=period, language=edition.key, by=by, state=outcome.state, code=outcome.code or None,
            said=outcome.reply if outcome.state is not DeliveryState.SENT else None)  # fmt: skip
        return outcome

    def notices(self) -> int:
        """Posts the one-off letters that wait; how many left. Never raises because of one of them."""
        self._taken_back.mend()
        post = Post(
            self._store, self._press, self._transport, clock=self._clock, links=self._links,
            sender=self._config.list.from_,
            newest=Newest(self._store, self._press, links=self._links, home=self._config.list.url),
            give_way=self.courtesy.give_way,
        )  # fmt: skip
        return post.all_due()

    # --- steps -------------------------------------------------------------------------------------------------

    def _round(self, period: Period, asked: _Asked) -> Report:
        """One run. What is in doubt is looked for as it left; only then are words taken out of what is still to leave."""
        issue = self._store.issues.get(period)
        make, _ = self._frozen(issue)
        issue, number, first_only = self._begin(issue, editors_first=asked.editors_first, early=asked.early)
        resolve(self._store, issue.id, make, self._transport, on_unsure=self._config.mail.on_unsure)
        halt = self._taken_back.leave_out(issue, now=self._clock())
        return self._carry(self._store.issues.get(period), number, asked, first_only=first_only, halt=halt)

    def _frozen(self, issue: Issue) -> tuple[Callable[[Delivery], Letter], dict[int, str]]:
        """What makes the letters, if they are the ones that were approved, and whom they introduce. Raises MoveRefused,
        RenderError."""
        editions = self._store.issues.editions(issue.id)
        must_be_as_approved(issue, editions)
        letters = {key: self._press.compiled(edition) for key, edition in editions.items()}
        return self._letters.maker(issue, letters, now=self._clock()), printed(editions)

    def _begin(self, issue: Issue, *, editors_first: bool, early: bool) -> tuple[Issue, int, bool]:
        """Buries dead runs and begins ours. We hold the lock, so every run not ended is dead, whatever its lease says."""
        now = self._clock()
        state = after("begin", issue)
        must_not_be_yesterday(issue, self._store.issues.all(), now=now)
        with self._store.write(durable=True):
            if not early:  # looked at here: somebody may have put it later this very moment
                zone = self._config.list.timezone
                must_have_its_hour(self._store.issues.get(issue.period), now=now, zone=zone)
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
            if issue.state is not IssueState.SENDING:
                self._log(issue, "resume" if issue.sending_since else "begin", {}, now)
            self._store.deliveries.recover(issue.id, now=now, alone=True)
            number = self._store.deliveries.begin_run(issue.id, now=now, lease_s=LEASE_S)
            counts = self._store.deliveries.counts(issue.id)
            first_only = self.first.enter(issue, sent=counts[DeliveryState.SENT], editors_first=editors_first)
        self._restored.note(number, issue.period)
        act("begin", issue=issue.period, run=number, queued=counts[DeliveryState.QUEUED],
            deferred=counts[DeliveryState.DEFERRED], first_only=first_only or None)  # fmt: skip
        return self._store.issues.get(issue.period), number, first_only

    def put_off_until(self, issue: Issue) -> datetime | None:
        """When the first letter may be tried again, where all that is left was put off by its mail server."""
        counts = self._store.deliveries.counts(issue.id)
        is_all = counts[DeliveryState.DEFERRED] and not any(
            counts[state] for state in _OPEN if state is not DeliveryState.DEFERRED
        )
        at = (
            self._store.deliveries.next_due(issue.id)
            if is_all and issue.state is IssueState.SENDING
            else None
        )
        return at if at is not None and at > self._clock() else None

    def _carry(
        self, issue: Issue, number: int, asked: _Asked, *, first_only: bool, halt: PauseReason | None
    ) -> Report:
        make, shown = self._frozen(issue)
        counts = self._store.deliveries.counts(issue.id)
        run = Run(
            self._store, number,
            Terms(
                issue=issue.id, total=counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED],
                accepted=counts[DeliveryState.SENT] > 0, make=make, clock=self._clock, stop=asked.stop,
                on_progress=asked.on_progress,
                wanted=lambda: self._goes_on(issue.period, shown) and not self._shut(),
                first_only=first_only, resend=self._config.mail.on_unsure == "resend",
                paces=known_paces(self._store.paces.all(), self._config.mail.domain, now=self._clock()),
            ),
        )  # fmt: skip
        reason = halt
        try:
            if not halt and not self._shut():
                self._transport.carry(run)
        except MailError as error:
            reason = reason_of(error)
        finally:
            run.close()
        self._finish(issue, reason or run.halt)
        report = self._report(issue.period, run=run)
        paused = self._store.issues.get(issue.period).pause_reason if report.reason else None
        act("end", issue=issue.period, run=number, state=report.state, sent=report.sent, deferred=report.deferred,
            failed=report.failed, unsure=report.unsure, waiting=report.waiting,
            pause=paused.code if paused else None, reason=report.reason)  # fmt: skip
        return report

    def _shut(self) -> datetime | None:
        """When issues may leave again; None: now."""
        now, zone = self._clock(), self._config.list.timezone
        if self._window is None or self._window.is_open(now, zone):
            return None
        return self._window.next_opening(now, zone)

    def rests_until(self, issue: Issue) -> datetime | None:
        """Until when a begun issue waits by itself: for the hours of [mail] window, for its first letters."""
        if issue.state is not IssueState.SENDING:
            return None
        now = self._clock()
        waits = [at for at in (self._shut(), self.first.rests_until(issue)) if at is not None and at > now]
        return max(waits, default=None)

    def _goes_on(self, period: Period, shown: Collection[int]) -> bool:
        """Whether these letters, which introduce so many people, are still to leave."""
        found = self._store.issues.find(period, bench=())
        return found is not None and found.state is IssueState.SENDING and not gone(found, shown)

    def _must_be_made_anew(self, report: Report, stop: Callable[[], bool] | None) -> bool:
        issue = self._store.issues.get(report.period)
        if issue.state is not IssueState.SENDING or self.rests_until(issue) or (stop and stop()):
            return False
        return bool(taken_back(issue, self._store.issues.editions(issue.id)))

    def _finish(self, issue: Issue, reason: PauseReason | None) -> None:
        """Paused with the reason, sent when nothing is left to be done, or sending still."""
        now = self._clock()
        (sending, sent), (_, paused) = road("finish"), road("pause")
        with self._store.write(durable=True):
            counts = self._store.deliveries.counts(issue.id)
            reason = reason or self.first.left(issue)
            if not any(counts[state] for state in _OPEN):
                if self._store.issues.move(issue.id, from_=sending, to=sent, sent_at=now):
                    self._log(
                        issue, "finish", {state.value: count for state, count in counts.items() if count}, now
                    )
            elif reason is not None and self._store.issues.move(
                issue.id, from_=sending, to=paused, pause_reason=reason
            ):
                self._log(issue, "pause", {"reason": reason.code}, now)

    def _report(self, period: Period, *, run: Run | None = None, busy: bool = False) -> Report:
        issue = self._store.issues.get(period)
        counts = self._store.deliveries.counts(issue.id)
        done = run.counts if run else dict.fromkeys(DeliveryState, 0)
        return Report(
            period=period, state=issue.state, sent=done[DeliveryState.SENT], deferred=done[DeliveryState.DEFERRED],
            failed=done[DeliveryState.FAILED], unsure=done[DeliveryState.UNSURE],
            left_out=counts[DeliveryState.CANCELLED], waiting=sum(counts[state] for state in _OPEN),
            doubtful=counts[DeliveryState.UNSURE], next_due=self._store.deliveries.next_due(issue.id),
            reason=sentence(issue), busy=busy,
            shunned=run.shunned if run else {}, rests_until=self.rests_until(issue),
        )  # fmt: skip

    def _move(
        self, issue: Issue, *, to: IssueState, name: str, by: str, pause_reason: PauseReason | None
    ) -> None:
        with self._store.write(durable=True):
            if not self._store.issues.move(issue.id, from_={issue.state}, to=to, pause_reason=pause_reason):
                raise MoveRefused(
                    f"{issue.period} was changed by somebody else just now; look at it again.",
                    key="desk.why_conflict",
                )
            self._store.issues.log(issue.id, editor=by, act=name, detail={}, at=self._clock())
        act(name, issue=issue.period, by=by)

    def _log(self, issue: Issue, act: str, detail: Mapping[str, object], at: datetime) -> None:
        self._store.issues.log(issue.id, editor="digest", act=act, detail=detail, at=at)
