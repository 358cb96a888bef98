"""The metronome: asks every minute what is due and calls the same verbs as the commands. It knows nothing by itself.

What is due is read from the store (the cron lines, the issues, the table of ticks), so a tick that was missed is caught
up and one that comes twice does nothing. A lease row elects one process. Nothing that was not approved is ever sent.
"""

import logging
import os
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler

from digest.app import App
from digest.errors import DigestError
from digest.mail.inbox import Maildir
from digest.model import Issue, IssueState, NoticeKind, Period, VisitOutcome
from digest.rules.cron import last_slot, next_slot
from digest.rules.plan import is_asked_to_wait
from digest.rules.preflight_items import over
from digest.rules.taken_back import taken_back
from digest.schedule_alerts import alert, leaving
from digest.schedule_reminders import remind, tell

GRACE = timedelta(hours=12)
LEASE_S = 90.0
_BEAT_S, _TICK_S, _NOTICES_S = 20, 60, 3
_LOG = logging.getLogger("digest.schedule")
_PUT_BACK = {"too late": "that is too long ago", "over": "tells of what is over by now",
             "taken back": "shows an introduction that was taken back"}  # fmt: skip
_WAITING = {IssueState.APPROVED, IssueState.SCHEDULED}


class Metronome:
    """Ticks in threads of its own, from start() to stop()."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._leading = False
        self._stopping = Event()
        self._clockwork = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Begins at once: what was missed is caught up first."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._beat()
        self._clockwork.add_job(self._beat, "interval", seconds=_BEAT_S)
        minutely = (self._gather, self._send, self._traces)
        for act, every_s in (*((one, _TICK_S) for one in minutely), (self._notices, _NOTICES_S)):
            alone = _alone(act)
            self._clockwork.add_job(alone)
            self._clockwork.add_job(alone, "interval", seconds=every_s)
        self._clockwork.start()

    def stop(self) -> None:
        """Lets what is running end (a send after the letters on the wire), then gives the lease back."""
        self._stopping.set()
        self._clockwork.shutdown(wait=True)
        if self._leading:
            with self._app.store.write():
                self._app.store.leases.release("metronome", owner=self._owner)

    def _beat(self) -> None:
        self._leading = lead(self._app, owner=self._owner)

    def _gather(self) -> None:
        if self._leading:
            _guarded("collecting", lambda: gather(self._app))
            _guarded("tidying", lambda: tidy(self._app))
            _guarded("reminding", lambda: remind(self._app))
            _guarded("alerting", lambda: alert(self._app))
            _guarded("reading what came in", lambda: read_inbox(self._app))
            _guarded("saying thank you", lambda: self._app.join.voices.thank())
            _guarded("looking up links", lambda: self._app.lookup.due(stop=self._stopping.is_set))

    def _send(self) -> None:
        if self._leading:
            _guarded("sending", lambda: send_due(self._app, stop=self._stopping.is_set))

    def _notices(self) -> None:
        if self._leading:
            _guarded("one-off letters", lambda: self._app.send.notices())
            _guarded("the webhook", lambda: self._app.calls.all_due())

    def _traces(self) -> None:
        """Where somebody was reading when something was erased."""
        if self._leading:
            _guarded("emptying the log of the database", lambda: self._app.store.traces.clear())


def tick(app: App, *, owner: str = "tick") -> bool:
    """One tick of everything, in order; False when another process holds the lease. For tests and for cron."""
    if not lead(app, owner=owner):
        return False
    gather(app)
    tidy(app)
    remind(app)
    alert(app)
    read_inbox(app)
    app.join.voices.thank()
    app.lookup.due()
    send_due(app)
    app.send.notices()
    app.calls.all_due()
    app.store.traces.clear()
    return True


def lead(app: App, *, owner: str) -> bool:
    """Takes or renews the lease; False while another process holds it."""
    with app.store.write():
        return app.store.leases.take("metronome", owner=owner, now=app.clock(), for_s=LEASE_S)


def gather(app: App) -> None:
    """Collects when its hour has come, makes the draft when its day has, brings news to the benches of drafts."""
    now, zone = app.clock(), app.config.list.timezone
    _collect_when_due(app, now=now)
    slot = last_slot(app.config.schedule.assemble, zone, until=now)
    if slot is None:
        return
    departs = next_slot(app.config.schedule.send, zone, after=slot)
    period = _period_of(departs, zone)
    if app.store.ticks.done("assemble", str(period)) or not _somebody_answered(app):
        return
    # Only of a month that can leave no more; somebody's early draft of another month holds up no month before it.
    later = [issue.period for issue in app.store.issues.all() if issue.period > period and departs <= now]
    if later:
        _record(app, "assemble", due=str(period), outcome=f"left out: {min(later)} exists")
        _LOG.info("No draft of %s is made: %s, which comes after it, exists.", period, min(later))
        return
    names = [
        source.name
        for source in app.store.sources.all()
        if not source.paused and not is_asked_to_wait(source, now=now)
    ]
    if names:
        app.collect.visit(names)
    app.publish.assemble(period)
    _record(app, "assemble", due=str(period), outcome="assembled")
    _LOG.info("The draft of %s is ready at the desk.", period)


def _collect_when_due(app: App, *, now: datetime) -> None:
    slot = last_slot(app.config.schedule.collect, app.config.list.timezone, until=now)
    if slot is None or app.store.ticks.done("collect", slot.isoformat()):
        return
    visits = app.collect.visit()
    _record(app, "collect", due=slot.isoformat(), outcome=f"{len(visits)} sources")
    if any(visit.outcome is VisitOutcome.NEW for visit in visits):
        for issue in app.store.issues.all():
            if issue.state is IssueState.DRAFT and issue.send_at > now:
                app.publish.assemble(issue.period)


def send_due(app: App, *, stop: Callable[[], bool] = lambda: False) -> None:
    """Sends what was approved and whose time has come; goes on with what was begun."""
    for issue in reversed(app.store.issues.all()):
        if stop():
            return
        verdict = departure(issue, now=app.clock())
        if verdict == "go" and issue.sending_since is None:
            verdict = _still_true(app, issue)
        if verdict == "go" and not app.send.put_off_until(issue) and app.send.rests_until(issue) is None:
            app.send.issue(issue.period, stop=stop, editors_first=True)
            leaving(app, issue.period)
        elif verdict in _PUT_BACK:
            app.publish.hold(issue.period, by="schedule")
            _record(app, "send", due=f"{issue.period} {issue.send_at.isoformat()}", outcome=verdict)
            _LOG.warning("%s was to leave at %s and %s: it is a draft again.", issue.period, issue.send_at,
                         _PUT_BACK[verdict])  # fmt: skip
            with app.store.write():
                tell(app, NoticeKind.NOT_SENT, now=app.clock())


def _still_true(app: App, issue: Issue) -> str:
    """ "go", unless the frozen letters tell of what is over by now, or of somebody who wants it no more."""
    whole, letters = app.publish.letters(issue.period)
    if over(whole, app.clock()):
        return "over"
    return "taken back" if taken_back(whole, letters) else "go"


def departure(issue: Issue, *, now: datetime) -> str:
    """Whether an issue leaves by itself now: "go", "wait", or "too late". Pure.

    Approved in time, it leaves at send_at, or up to GRACE later when nobody was there to let it go. Later than that it
    needs a new approval: what it says about dates may no longer be true. Approved after send_at, it waits for a person
    who says "send". One that was begun goes on; one that is paused waits for a person.
    """
    if issue.state is IssueState.SENDING:
        return "go"
    if issue.state not in _WAITING or now < issue.send_at:
        return "wait"
    if (
        issue.state is IssueState.APPROVED
        and issue.approved_at is not None
        and issue.approved_at > issue.send_at
    ):
        return "wait"
    return "go" if now <= issue.send_at + GRACE else "too late"


def tidy(app: App) -> None:
    """Once a day: who asked and never confirmed is deleted."""
    today = app.clock().astimezone(ZoneInfo(app.config.list.timezone)).date().isoformat()
    if not app.store.ticks.done("tidy", today):
        app.join.tidy()
        _record(app, "tidy", due=today, outcome="done")


def read_inbox(app: App) -> int:
    """Takes what lies new in the Maildir of [inbound], where there is one; how many letters."""
    maildir = app.config.inbound.maildir
    return Maildir(app.config.path(maildir)).take(app.take_letter) if maildir else 0


def _somebody_answered(app: App) -> bool:
    """An empty pool makes no draft: what comes later would only reach its bench."""
    return any(source.last_ok_at is not None for source in app.store.sources.all())


def _record(app: App, act: str, *, due: str, outcome: str) -> None:
    with app.store.write():
        app.store.ticks.record(act, due=due, at=app.clock(), outcome=outcome)


def _period_of(slot: datetime, zone: str) -> Period:
    local = slot.astimezone(ZoneInfo(zone))
    return Period(local.year, local.month)


def _alone(act: Callable[[], object]) -> Callable[[], None]:
    """The act, left out while it is still running from before."""
    lock = Lock()

    def run() -> None:
        if lock.acquire(blocking=False):
            try:
                act()
            finally:
                lock.release()

    return run


def _guarded(what: str, act: Callable[[], object]) -> None:
    """One act that fails stops no other; the next tick tries again."""
    try:
        act()
    except DigestError as error:
        _LOG.warning("%s: %s", what, error)
    except Exception:  # noqa: BLE001 a fault of ours: it is told whole, and the clock goes on
        _LOG.exception("%s failed by a fault of digest itself", what)
