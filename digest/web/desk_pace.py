"""How fast an issue leaves and what it waits for, in sentences for the page of its sending. It changes nothing."""

import math

from digest.model import CanaryStage, DeliveryState, Issue, IssueState
from digest.render import dates
from digest.web import language as tongue
from digest.web.site import site


def pace_sentences(issue: Issue) -> list[str]:
    """[]: nobody is at work on it, and nothing holds it."""
    app, words, language = site().app, tongue.words(), tongue.spoken()
    zone, found = site().config.list.timezone, []
    at_work = app.store.paces.progress(issue.id, now=app.clock())
    if at_work is not None and at_work.seconds_left is not None:
        minutes = max(1, math.ceil(at_work.seconds_left / 60))
        rate = dates.number(max(1, round(at_work.rate * 60)), language)
        found.append(words("desk.sending_pace", rate=rate, minutes=dates.number(minutes, language)))
    first = app.send.canary(issue.period)
    if first is not None and first.stage is CanaryStage.FIRST and first.total:
        found.append(words("desk.sending_first", total=dates.number(first.total, language)))
    put_off = app.send.put_off_until(issue)
    if put_off is not None:
        count = app.store.deliveries.counts(issue.id)[DeliveryState.DEFERRED]
        day, hour = dates.long_day(put_off, zone, language), dates.hour(put_off, zone, language)
        found.append(words("desk.sending_put_off", n=count, day=day, hour=hour))
    rests = app.send.rests_until(issue)
    said_already = issue.pause_reason is not None and issue.pause_reason.code.startswith("first_")
    if waits_for_a_look(issue) and first is not None and not said_already:
        hour = dates.hour(rests, zone, language) if rests else ""
        key = "desk.sending_look" if rests is None else "desk.sending_look_until"
        if not first.total:
            key = "desk.sending_soon_asks" if rests is None else "desk.sending_soon"
        found.append(words(key, n=first.total, hour=hour))
    elif rests is not None:
        day, hour = dates.long_day(rests, zone, language), dates.hour(rests, zone, language)
        found.append(words("desk.sending_rests", day=day, hour=hour))
    if issue.state in {IssueState.SENDING, IssueState.PAUSED}:
        for one in app.store.paces.all():
            if one.kind == "domain" and one.rests_until is not None and one.rests_until > app.clock():
                hour = dates.hour(one.rests_until, zone, language)
                found.append(words("desk.sending_refused", domain=one.name, hour=hour, said=one.words))
    return found


def waits_for_a_look(issue: Issue) -> bool:
    """Whether the first letters have left and the rest waits: for a word, or for a while."""
    first = site().app.send.canary(issue.period)
    begun = issue.state in {IssueState.SENDING, IssueState.PAUSED}
    return begun and first is not None and first.stage is CanaryStage.WAITING


def first_left(issue: Issue) -> int:
    """How many have the first letters, or may have, while these alone have left and nobody is at work; 0: it is not so."""
    app = site().app
    first = app.send.canary(issue.period)
    begun = issue.state in {IssueState.SENDING, IssueState.PAUSED}
    if not begun or first is None or first.stage is CanaryStage.REST:
        return 0
    if app.store.deliveries.live_run(issue.id, now=app.clock()):
        return 0
    return first.counts.get(DeliveryState.SENT, 0) + first.counts.get(DeliveryState.UNSURE, 0)


def first_rule() -> str:
    """Who gets an issue first and what follows, in words; "" when nobody does."""
    mail, words = site().config.mail, tongue.words()
    if mail.canary == "off":
        return ""
    percent = dates.number(mail.canary_percent, tongue.spoken())
    who = (
        words("desk.first_share", percent=percent) if mail.canary == "share" else words("desk.first_editors")
    )
    first = site().app.send.first
    minutes = round(first.ahead.total_seconds() / 60)
    if mail.canary != "share" and not first.readers:
        return (
            words("desk.first_nobody", n=minutes) if first.waits_for_nobody else words("desk.first_at_once")
        )
    return f"{who} {words('desk.first_ask') if first.then == 'ask' else words('desk.first_go', n=minutes)}"
