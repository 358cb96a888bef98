"""The editors' front room: the door, the list of issues, the sources. What changes a draft lives in desk_issue.py."""

from typing import Any

from flask import Blueprint, Response, abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import InputRefused, PasskeyRefused
from digest.model import DeliveryState, Editor, Issue, IssueState, Language, Period, Source, SubscriberState
from digest.render import dates
from digest.rules import assemble
from digest.web import (
    chronicle,
    desk_after,
    desk_doubts,
    desk_editors,
    desk_history,
    desk_import,
    desk_issue,
    desk_live,
    desk_own,
    desk_people,
    desk_pool,
    desk_press,
    desk_pulse,
    desk_sources,
    desk_twins,
    desk_you,
    hello,
    outline,
    sessions,
    suggest,
)
from digest.web import language as tongue
from digest.web.pages import page, to
from digest.web.security import ASKING
from digest.web.site import site


def doors() -> Blueprint:
    blueprint = Blueprint("desk", __name__)
    rule = blueprint.add_url_rule
    rule("/", view_func=home)
    rule("/link", view_func=ask_link, methods=["POST"])
    rule("/sign-in/<secret>", view_func=sign_in_page)
    rule("/sign-in/<secret>", view_func=sign_in, methods=["POST"])
    rule("/passkey/begin", view_func=ask_passkey, methods=["POST"])
    rule("/passkey", view_func=sign_in_by_passkey, methods=["POST"])
    rule("/sign-out", view_func=sign_out, methods=["POST"])
    rule("/assemble", view_func=make_draft, methods=["POST"])
    desk_issue.add_doors(blueprint)
    desk_history.add_doors(blueprint)
    desk_live.add_doors(blueprint)
    desk_press.add_doors(blueprint)
    desk_after.add_doors(blueprint)
    desk_sources.add_doors(blueprint)
    desk_doubts.add_doors(blueprint)
    desk_pool.add_doors(blueprint)
    desk_twins.add_doors(blueprint)
    desk_own.add_doors(blueprint)
    desk_editors.add_doors(blueprint)
    desk_you.add_doors(blueprint)
    desk_people.add_doors(blueprint)
    desk_import.add_doors(blueprint)
    desk_pulse.add_doors(blueprint)
    suggest.add_doors(blueprint)
    hello.add_doors(blueprint)
    blueprint.before_request(sessions.guard)
    return blueprint


# --- the door ----------------------------------------------------------------------------------------------------


def home() -> Response:
    return _dashboard() if g.editor else _door()


def _door(*, said: str = "", refused: str = "") -> Response:
    """The mailed link first; passkeys where somebody has one."""
    app, words = site().app, tongue.words()
    has_keys = not app.passkeys.why_not and not app.store.passkeys.is_empty()
    response = page("desk/door.html", status=403 if refused else 200, title=words("desk.door_title"), said=said,
                    refused=refused, has_keys=has_keys)  # fmt: skip
    response.headers["Content-Security-Policy"] = ASKING
    return response


def ask_link() -> Response:
    """The same answer for every address."""
    if sessions.hears("link"):
        sessions.mail_link(request.form.get("email", "")[:320])
    return _door(said=tongue.words()("desk.link_mailed"))


def ask_passkey() -> AnyResponse:
    """A challenge for the script of the door. Who asks too often is told so, in words."""
    app, words = site().app, tongue.words()
    if app.passkeys.why_not:
        abort(404)
    try:
        if not sessions.hears("passkey"):
            raise PasskeyRefused("Too many asked from there.", key="you.why_often")
        return Response(app.passkeys.ask(), mimetype="application/json")
    except PasskeyRefused as refused:
        return Response(words(refused.key), 429, {"Retry-After": "3600"}, mimetype="text/plain")


def sign_in_by_passkey() -> AnyResponse:
    try:
        return _let_in(*sessions.prove(request.form.get("answer", "")))
    except PasskeyRefused as refused:
        return _door(refused=tongue.words()(refused.key))


def sign_in_page(secret: str) -> Response:
    """Changes nothing: mail scanners open links, so a button stands between."""
    return page("desk/sign_in.html", title=tongue.words()("desk.sign_in_title"), is_over=False)


def sign_in(secret: str) -> AnyResponse:
    opened = sessions.redeem(secret)
    if opened is None:
        return page(
            "desk/sign_in.html", status=410, title=tongue.words()("desk.link_over_title"), is_over=True
        )
    return _let_in(*opened)


def _let_in(who: Editor, session: str) -> AnyResponse:
    language = Language.FR if tongue.spoken() is Language.FR else who.language
    path = f"{request.script_root}{tongue.path_in(language, '/desk/')}"
    return sessions.give_cookie(redirect(path, 303), session)


def sign_out() -> AnyResponse:
    return sessions.end(redirect(to("/"), 303))


# --- the dashboard -----------------------------------------------------------------------------------------------


def _dashboard() -> Response:
    app, words = site().app, tongue.words()
    failing = [desk_sources.source_line(source) for source in _sources() if source.fail_count]
    issues = app.store.issues.all()
    # The next issue is the oldest one that has not left; without one, the month that the calendar names.
    waiting = [issue for issue in issues if issue.state is not IssueState.SENT]
    following = app.store.issues.get(waiting[-1].period, bench=()) if waiting else None
    doubt = app.send.restored.sign()
    return page(
        "desk/home.html", title=words("desk.home_title"), may_edit=sessions.may_edit(),
        following=_next_issue(following) if following else None,
        next_month=dates.month(app.publish.next_period(), tongue.spoken()),
        issues=[_issue_line(issue) for issue in issues], failing=failing,
        sources_count=len(_sources()), pool=_pool_count(), readers=_readers(),
        nothing_leaves=words(doubt.key) if doubt else "",
    )  # fmt: skip


def _next_issue(issue: Issue) -> dict[str, Any]:
    language, config = tongue.spoken(), site().config
    words, bench = tongue.words(), site().app.store.issues.bench_counts(issue.id)
    return {
        "period": str(issue.period), "month": outline.capital(dates.month(issue.period, language)), "state": issue.state.value,
        "month_inside": dates.month(issue.period, language),
        "steps": outline.steps(issue, words), "due": outline.due(issue, language, config, now=site().app.clock()),
        "half": chronicle.half_approved(issue), "alarms": outline.alarms(issue, language, words)[:5],
        "items": sum(1 for p in issue.placed if p.section), "bench": bench.all_of_it, "fresh": bench.late,
        "note": outline.note_summary(issue, config.list.languages, words),
    }  # fmt: skip


def _issue_line(issue: Issue) -> dict[str, Any]:
    language, zone = tongue.spoken(), site().config.list.timezone
    counts = site().app.store.deliveries.counts(issue.id)
    at = issue.sent_at or issue.sending_since or issue.send_at
    return {
        "period": str(issue.period), "number": issue.number, "month": outline.capital(dates.month(issue.period, language)),
        "state": tongue.words()(f"desk.state_{issue.state}"), "day": dates.day(at, zone, language, year=True),
        "sent": dates.number(counts[DeliveryState.SENT], language),
        "open": dates.number(sum(counts.values()) - counts[DeliveryState.SENT] - counts[DeliveryState.CANCELLED], language),
    }  # fmt: skip


def _pool_count() -> int:
    """How much has come in that no issue has used yet."""
    app = site().app
    period = app.publish.next_period()
    now, used = app.clock(), app.store.issues.used_items()
    since = app.store.issues.cut_off_before(period) or now - assemble.FIRST_LOOK_BACK
    found = app.store.items.shelf(posts_since=since, posts_until=now, events_from=now,
                                  events_until=now + assemble.FIRST_LOOK_BACK)  # fmt: skip
    return sum(1 for item in found if item.id not in used)


def _readers() -> list[tuple[str, str]]:
    stats, language = site().app.store.subscribers.stats(), tongue.spoken()
    return [(tongue.words()(f"desk.readers_{state}"), dates.number(stats.by_state[state], language))
            for state in SubscriberState if stats.by_state[state] or state is SubscriberState.CONFIRMED]  # fmt: skip


def make_draft() -> AnyResponse:
    """Makes the next draft, or brings what is new to its bench."""
    period = request.form.get("period")
    try:
        chosen = Period.parse(period) if period else None
    except ValueError:
        raise InputRefused("That is no month.", key="desk.why_month") from None
    issue = site().app.publish.assemble(chosen)
    return redirect(to(f"/desk/issues/{issue.period}/?did=assembled"), 303)


def _sources() -> list[Source]:
    return site().app.store.sources.all()
