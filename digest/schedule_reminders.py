"""Letters to the editors from the clock: a draft is ready, a day comes near, an event moved, a source is silent.

Once each, never to readers; where there is a webhook, it is told the same, and of each issue that was sent.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from digest.app import App
from digest.errors import ErrorKind
from digest.model import (
    EventStatus,
    Issue,
    IssueState,
    ItemKind,
    Language,
    NoticeKind,
    Occasion,
    Placed,
    Role,
    Source,
)
from digest.render import blocks, dates
from digest.words import Words

SILENT = timedelta(days=1)
TOLD_WITHIN = timedelta(days=2)
_WAITING = frozenset({IssueState.DRAFT, IssueState.APPROVED, IssueState.SCHEDULED})
_EDITORS = frozenset(Role) - {Role.CONTRIBUTOR}
_DUE = (NoticeKind.DUE_SOON, NoticeKind.DUE_TOMORROW, NoticeKind.DUE_TODAY)


def _nothing(language: Language) -> Sequence[str]:
    return ()


def remind(app: App) -> int:
    """Queues what is due and was not said yet; how many reminders, whoever they go to."""
    now, said = app.clock(), 0
    for issue in app.store.issues.all():
        due = reminders(issue, now=now, zone=app.config.list.timezone)
        with app.store.write():
            fresh = [
                kind
                for kind in due
                if app.store.ticks.record(_act(kind), due=str(issue.period), at=now, outcome="said")
            ]
            if fresh:  # a clock that stood still says the nearest only, not one letter for each day it missed
                tell(app, fresh[-1], now=now)
                said += 1
        said += _moved(app, issue, now=now) if issue.state in _WAITING else 0
        _tell_of_sent(app, issue, now=now)
    return said + _failing(app, now=now)


def reminders(issue: Issue, *, now: datetime, zone: str) -> list[NoticeKind]:
    """What editors should have heard by now about a draft; nothing about an issue that was approved. Pure."""
    if issue.state is not IssueState.DRAFT:
        return []
    left, where = issue.send_at - now, ZoneInfo(zone)
    is_day = now.astimezone(where).date() >= issue.send_at.astimezone(where).date()
    due = [NoticeKind.DRAFT_READY] if left > timedelta(0) else []
    for kind, is_due in zip(
        _DUE, (left <= timedelta(days=3), left <= timedelta(days=1), is_day), strict=True
    ):
        if is_due and left > timedelta(days=-2):
            due.append(kind)
    return due


def silent(sources: Collection[Source], *, now: datetime) -> list[Source]:
    """Those that have not answered for a day, and at once those that say they are gone for good."""
    return [
        one
        for one in sources
        if one.fail_count
        and one.failing_since
        and (now - one.failing_since >= SILENT or one.last_error_kind == ErrorKind.GONE)
    ]


def moved(issue: Issue) -> list[Placed]:
    """Events of the letter whose source says something else than when an editor last looked."""
    return [p for p in issue.placed if p.section and p.item.kind is ItemKind.EVENT and p.changed_at_source]


def _moved(app: App, issue: Issue, *, now: datetime) -> int:
    """One letter about all events that were moved or cancelled since the last one, also when the issue is frozen."""
    with app.store.write():
        fresh = [
            one for one in moved(app.store.issues.get(issue.period, bench=()))
            if app.store.ticks.record(
                "remind event", due=f"{issue.period} {one.item.id} {one.item.content_hash}", at=now, outcome="said"
            )
        ]  # fmt: skip
        if fresh:
            tell(app, NoticeKind.EVENT_MOVED, now=now, page=f"issues/{issue.period}/",
                 said=lambda language: [_what_moved(one, issue, language) for one in fresh])  # fmt: skip
    return 1 if fresh else 0


def _what_moved(placed: Placed, issue: Issue, language: Language) -> str:
    """Which event of which issue, when it was to be, and what its source says now."""
    was, now = placed.item.occasion, placed.stated_now or placed.item.occasion
    slots = {"title": " ".join(placed.item.title.split())[:120], "month": dates.month(issue.period, language),
             "was": _when(was, language), "now": _when(now, language)}  # fmt: skip
    if now is not None and now.status is EventStatus.CANCELLED:
        return Words(language)("mail.event_off", **slots)
    is_known = was is not None and now is not None and (was.starts, was.all_day) != (now.starts, now.all_day)
    return Words(language)("mail.event_to" if is_known else "mail.event_else", **slots)


def _when(occasion: Occasion | None, language: Language) -> str:
    if occasion is None:
        return ""
    day = dates.long_day(occasion.starts, occasion.timezone, language)
    return (
        day
        if occasion.all_day
        else f"{day}, {dates.hour_in_zone(occasion.starts, occasion.timezone, language)}"
    )


def _tell_of_sent(app: App, issue: Issue, *, now: datetime) -> None:
    """The webhook gets an issue when its last letter has left; what was sent before there was a webhook is old news."""
    if app.config.webhook.url is None or issue.state is not IssueState.SENT or issue.sent_at is None:
        return
    if now - issue.sent_at > TOLD_WITHIN or app.store.ticks.done("call sent", str(issue.period)):
        return
    whole = app.store.issues.get(issue.period, bench=())
    with app.store.write():
        if app.store.ticks.record("call sent", due=str(issue.period), at=now, outcome="queued"):
            app.store.calls.queue("sent", payload=blocks.sent(whole, app.config), now=now)


def _failing(app: App, *, now: datetime) -> int:
    """One letter about all that fell silent since the last one; a source is named again when it recovered and failed anew."""
    with app.store.write():
        fresh = [
            one for one in silent(app.store.sources.all(), now=now)
            if app.store.ticks.record("remind sources", due=f"{one.id} {one.failing_since}", at=now, outcome="said")
        ]  # fmt: skip
        if fresh:
            tell(app, NoticeKind.SOURCES_SILENT, now=now)
    return 1 if fresh else 0


def tell(
    app: App, kind: NoticeKind, *, now: datetime, page: str = "", said: Callable[[Language], Sequence[str]] = _nothing,
    to: Collection[Role] = _EDITORS,
) -> None:  # fmt: skip
    """Inside a transaction: one letter to each editor, and the webhook. page: of the desk, where it leads; said: what it is
    about, in a language."""
    for editor in app.store.editors.all():
        if editor.role in to:
            about = "\n".join([page, *said(editor.language)]) if page else None
            app.store.notices.queue(kind, editor=editor.id, language=editor.language, secret=about, now=now)
    if app.config.webhook.url is not None:
        language = app.config.list.languages[0]
        link, lines = app.links.desk(page, language=language if page else Language.EN), said(language)
        app.store.calls.queue(
            kind.value, payload=blocks.said(app.config, kind=kind.value, link=link, lines=lines), now=now
        )


def _act(kind: NoticeKind) -> str:
    return f"remind {kind}"
