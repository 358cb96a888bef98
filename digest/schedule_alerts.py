"""Letters to the editors when sending stops by itself, or a mail domain refuses us. Once each, never to readers."""

from datetime import datetime

from digest.app import App
from digest.model import (
    CanaryStage,
    DeliveryState,
    Issue,
    IssueState,
    Language,
    LearnedPace,
    NoticeKind,
    Period,
    Role,
)
from digest.render import dates
from digest.schedule_reminders import tell
from digest.words import Words


def alert(app: App) -> int:
    """Queues what was not said yet; how many alerts, whoever they go to."""
    now, said = app.clock(), 0
    for issue in app.store.issues.all():
        said += _held(app, issue, now=now) if issue.state is IssueState.PAUSED else 0
        said += leaving(app, issue.period)
    return said + _refused(app, now=now)


def leaving(app: App, period: Period) -> int:
    """All letters but the first wait a while: whoever can stop them is told where, and until when."""
    now, issue = app.clock(), app.store.issues.get(period)
    first, until = app.send.canary(period), app.send.rests_until(issue)
    if first is None or first.stage is not CanaryStage.WAITING or until is None:
        return 0
    counts, zone = app.store.deliveries.counts(issue.id), app.config.list.timezone
    left = sum(counts[one] for one in (DeliveryState.QUEUED, DeliveryState.DEFERRED))

    def said(language: Language) -> list[str]:
        slots = {"month": dates.month(period, language), "hour": dates.hour(until, zone, language)}
        return [Words(language)("mail.leaving_line", n=left, **slots)]

    with app.store.write():
        due = f"{period} {first.since.isoformat()}"
        if not app.store.ticks.record("alert leaving", due=due, at=now, outcome="said"):
            return 0
        tell(app, NoticeKind.LEAVING, now=now, page=f"issues/{period}/sending", said=said,
             to={Role.APPROVER, Role.ADMIN})  # fmt: skip
    return 1


def refusing(paces: list[LearnedPace], *, now: datetime) -> list[LearnedPace]:
    """Mail domains that are left alone because they refuse us. Pure."""
    return [
        one for one in paces if one.kind == "domain" and one.rests_until is not None and one.rests_until > now
    ]


def _held(app: App, issue: Issue, *, now: datetime) -> int:
    """Paused by digest itself; who pauses an issue knows it already."""
    pauses = [edit for edit in app.store.issues.edits(issue.id) if edit.act == "pause"]
    if not pauses or pauses[-1].editor != "digest":
        return 0
    with app.store.write():
        due = f"{issue.period} {pauses[-1].id}"
        if not app.store.ticks.record("alert held", due=due, at=now, outcome="said"):
            return 0
        tell(app, NoticeKind.SENDING_HELD, now=now)
    return 1


def _refused(app: App, *, now: datetime) -> int:
    """One letter about all domains that began to refuse us since the last one, each once a day."""
    with app.store.write():
        fresh = [
            one for one in refusing(app.store.paces.all(), now=now)
            if app.store.ticks.record("alert domain", due=f"{one.name} {now.date()}", at=now, outcome="said")
        ]  # fmt: skip
        if fresh:
            tell(app, NoticeKind.DOMAIN_REFUSES, now=now)
    return 1 if fresh else 0
