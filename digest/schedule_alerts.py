"""Letters to the editors when sending stops by itself, or a mail domain refuses us. Once each, never to readers."""

from datetime import datetime

from digest.app import App
from digest.model import Issue, IssueState, LearnedPace, NoticeKind
from digest.schedule_reminders import tell


def alert(app: App) -> int:
    """Queues what was not said yet; how many alerts, whoever they go to."""
    now, said = app.clock(), 0
    for issue in app.store.issues.all():
        said += _held(app, issue, now=now) if issue.state is IssueState.PAUSED else 0
    return said + _refused(app, now=now)


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
