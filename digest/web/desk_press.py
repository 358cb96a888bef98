"""From draft to sent, on the desk: look, check, approve, hold, send. A person presses each button; nothing here decides."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import Conflict, InputRefused, NotFound
from digest.model import DeliveryState, Issue, IssueState, Language, Reading
from digest.render import dates
from digest.render.view import item_view, language_name
from digest.rules.consent import readings
from digest.rules.departure import SHORTEST_NOTICE
from digest.rules.edition import after, is_unsent, must_be_as_seen, must_be_draft, shown
from digest.rules.pulse import FLOOR
from digest.web import chronicle, letter_looks, outline, sessions
from digest.web import language as tongue
from digest.web.desk_after import by_domain, corrections
from digest.web.desk_issue import back, checks_of, found, frame
from digest.web.desk_pace import first_left, first_rule, pace_sentences, waits_for_a_look
from digest.web.pages import page, to
from digest.web.security import LETTER
from digest.web.site import site
from digest.words import told

_ISSUE = "/issues/<period>/"
_BARS = tuple(DeliveryState)
_UNFINISHED = frozenset(
    {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.COMMITTING, DeliveryState.DEFERRED}
)


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule(f"{_ISSUE}letter/<code>", view_func=letter)
    rule(f"{_ISSUE}checks", view_func=checks_page)
    rule(f"{_ISSUE}accept", view_func=accept, methods=["POST"])
    rule(f"{_ISSUE}approve", view_func=approve_page)
    rule(f"{_ISSUE}approve", view_func=approve, methods=["POST"])
    rule(f"{_ISSUE}schedule", view_func=schedule, methods=["POST"])
    rule(f"{_ISSUE}hold", view_func=hold, methods=["POST"])
    rule(f"{_ISSUE}take-back", view_func=take_back, methods=["POST"])
    rule(f"{_ISSUE}test", view_func=test, methods=["POST"])
    rule(f"{_ISSUE}look", view_func=look_outside, methods=["POST"])
    rule(f"{_ISSUE}send", view_func=send_page)
    rule(f"{_ISSUE}send", view_func=send, methods=["POST"])
    rule(f"{_ISSUE}pause", view_func=pause, methods=["POST"])
    rule(f"{_ISSUE}sending", view_func=sending_page)
    rule(f"{_ISSUE}correct", view_func=correct, methods=["POST"])


def letter(period: str, code: str) -> Response:
    """The very letter, for the sandboxed frame: no script runs in it, whatever a source wrote."""
    if code not in readings(site().config.list.languages):
        raise NotFound("The letter is not made in that language.")
    issue, look = found(period), request.args.get("look", "")
    html = site().app.press.preview(site().app.publish.preview(issue.period, Reading(code)))[0]
    placed = next((p for p in issue.placed if p.item.id == request.args.get("at", type=int)), None)
    if placed is not None:
        html = letter_looks.marked(html, item_view(placed, Reading(code).first, site().config).title)
    response = framed(letter_looks.seen(html, look))
    if look == "bare":
        response.headers["Content-Security-Policy"] = LETTER.replace(
            "img-src 'self' https: data:", "img-src 'none'"
        )
    return response


def framed(html: str) -> Response:
    """A letter's HTML, its links opening beside the page that shows it."""
    response = make_response(html.replace("<head>", '<head><base target="_blank">', 1))
    response.headers["Content-Security-Policy"] = LETTER
    return response


def checks_page(period: str) -> Response:
    issue, words = found(period), tongue.words()
    did = request.args.get("did", "")
    said = words(f"desk.did_{did}") if did in {"accepted", "looking"} else ""
    can_accept = issue.state is IssueState.DRAFT and sessions.may_edit()
    return page("desk/checks.html", title=words("desk.checks_title"), **frame(issue), **checks_of(issue),
                can_accept=can_accept, can_look=sessions.may_edit(), accepted=said)  # fmt: skip


def look_outside(period: str) -> AnyResponse:
    """Visits the links, asks SpamAssassin and a name server, and keeps what they say; the page does not wait for it."""
    issue, here = found(period), site()
    errands = here.errands
    errands.run("look", lambda: here.app.look.at(issue.period, stop=errands.is_closing))
    return redirect(to(f"/desk/issues/{issue.period}/checks?did=looking"), 303)


def accept(period: str) -> AnyResponse:
    """Lets the warnings of one rule pass, as they are now, with a reason that everybody sees."""
    issue = found(period)
    must_be_draft(issue)
    rule, why = request.form.get("rule", "")[:40], request.form.get("why", "")[:400]
    site().app.publish.accept(
        issue.period, rule=rule, why=why, by=sessions.by(), seen=request.form.get("seen")
    )
    return redirect(to(f"/desk/issues/{issue.period}/checks?did=accepted"), 303)


# --- approving ---------------------------------------------------------------------------------------------------


def approve_page(period: str, *, changed: bool = False) -> Response:
    """What would be frozen: subjects, readers, day, weight, checks."""
    issue, language, config = found(period), tongue.spoken(), site().config
    app = site().app
    if issue.state is not IssueState.DRAFT:
        return sending_page(period)
    editions = app.publish.letters(issue.period)[1]
    by_language = app.publish.audience(issue)
    return page(
        "desk/approve.html", status=409 if changed else 200, title=tongue.words()("desk.approve_title"), **frame(issue),
        **checks_of(issue), changed=changed, ahead=first_rule(), day=_day(issue), in_future=issue.send_at > app.clock(),
        seen=shown(issue),
        sender=f"{config.list.name.in_(language)} <{config.list.from_}>",
        readers=sum(by_language.values()), two=config.desk.approvals > 1, **_signed(issue),
        editions=[{"code": key.replace("+", "_"), "subject": e.subject,
                   "size": dates.number(max(1, round(len(e.html.encode()) / 1000)), language),
                   "readers": tongue.words()("desk.fact_readers_n", n=by_language.get(key, 0))}
                  for key, e in editions.items()],
    )  # fmt: skip


def _signed(issue: Issue) -> dict[str, Any]:
    """Where two people approve: who the first was, and whether that is who looks."""
    signers = site().app.publish.signers(issue.period) if site().config.desk.approvals > 1 else set()
    others = signers - {sessions.by()}
    return {
        "first": chronicle.who(min(others), chronicle.names()) if others else "",
        "is_first": sessions.by() in signers,
    }


def _day(issue: Issue) -> str:
    return outline.due(issue, tongue.spoken(), site().config, now=site().app.clock()).day


def approve(period: str) -> AnyResponse:
    """Freezes what the approver has just seen; a draft that changed since is shown once more instead."""
    issue, by, seen = found(period), sessions.by(), request.form.get("revision", "")
    if issue.state is not IssueState.DRAFT and seen != str(issue.revision):  # pressed twice
        return sending_page(period)
    try:
        issue = site().app.publish.approve(issue.period, by=by, seen=seen)
    except Conflict:
        return approve_page(period, changed=True)
    if issue.state is IssueState.DRAFT:  # the first of two
        return back(issue, did="signed")
    if request.form.get("then") == "schedule":
        issue = site().app.publish.schedule(issue.period, by=by, seen=str(issue.revision))
    elif request.form.get("then") == "wait":  # which hour is asked next
        return redirect(to(f"/desk/issues/{issue.period}/send"), 303)
    return back(issue, did=issue.state.value)


def schedule(period: str) -> AnyResponse:
    """At the issue's own time, or at the day and hour of the form in the list's zone; never within ten minutes."""
    at = None
    if "day" in request.form:
        try:
            at = datetime.fromisoformat(f"{request.form['day']}T{request.form.get('hour', '')}")
        except ValueError:
            raise InputRefused("That is no day and hour.", key="desk.why_date") from None
        at = at.replace(tzinfo=ZoneInfo(site().config.list.timezone)).astimezone(UTC)
    month, seen = found(period).period, request.form.get("revision")
    return back(site().app.publish.schedule(month, by=sessions.by(), at=at, seen=seen), did="scheduled")


def hold(period: str) -> AnyResponse:
    """Back to draft, any time before the first letter."""
    return back(site().app.publish.hold(found(period).period, by=sessions.by()), did="held")


def take_back(period: str) -> AnyResponse:
    """Back to draft although the first letters have left: those who have one get the mended issue too."""
    return back(site().app.publish.take_back(found(period).period, by=sessions.by()), did="taken")


def test(period: str) -> AnyResponse:
    """One letter of each edition, to the editor who asks."""
    issue, who = found(period), sessions.editor()
    for edition in site().app.publish.letters(issue.period)[1].values():
        site().app.send.test(issue.period, address=who.address, language=edition.reading, by=sessions.by())
    return back(issue, did="tested")


# --- sending -----------------------------------------------------------------------------------------------------


def send_page(period: str) -> Response:
    issue, app = found(period), site().app
    counts = app.store.deliveries.counts(issue.id)
    local = max(issue.send_at, app.clock() + SHORTEST_NOTICE).astimezone(
        ZoneInfo(site().config.list.timezone)
    )
    return page(
        "desk/send.html", title=tongue.words()("desk.send_title"), **frame(issue),
        waiting=sum(counts[state] for state in _UNFINISHED), waits=waits_for_a_look(issue), ahead=first_rule(),
        day=f"{local:%Y-%m-%d}", hour=f"{local:%H:%M}",
        zone=dates.zone_name(site().config.list.timezone, issue.send_at, tongue.spoken()),
    )  # fmt: skip


def send(period: str) -> AnyResponse:
    """What was approved leaves in ten minutes, by the metronome, and can be held until then. What has begun goes on at
    once, behind this request."""
    issue = found(period)
    app, month = site().app, issue.period
    if issue.state in {IssueState.APPROVED, IssueState.SCHEDULED}:
        at, seen = app.clock(), request.form.get("revision")
        return back(app.publish.schedule(month, by=sessions.by(), at=at, seen=seen), did="scheduled")
    must_be_as_seen(issue, request.form.get("revision"))
    after("begin", issue)
    if issue.state is IssueState.PAUSED and not waits_for_a_look(issue):
        app.send.resume(month, by=sessions.by())
    else:
        act = "release" if waits_for_a_look(issue) else "resume"
        with app.store.write():
            app.store.issues.log(issue.id, editor=sessions.by(), act=act, detail={}, at=app.clock())
    errands = site().errands
    errands.run(f"send {month}", lambda: app.send.issue(month, stop=errands.is_closing, editors_first=True))
    return redirect(to(f"/desk/issues/{month}/sending"), 303)


def pause(period: str) -> AnyResponse:
    """Stops within a second; what is not on its way stays where it is."""
    issue, name = found(period), outline.short_name(sessions.editor())
    site().app.send.pause(issue.period, by=sessions.by(), name=name)
    return redirect(to(f"/desk/issues/{issue.period}/sending"), 303)


def correct(period: str) -> AnyResponse:
    """On the page at once, in every language of the list; in the log for ever. What is refused stays in its fields."""
    texts = {code: request.form.get(f"words-{code}", "")[:1_000] for code in site().config.list.languages}
    try:
        issue = site().app.correct.page(found(period).period, texts, by=sessions.by())
    except InputRefused as refused:
        return sending_page(period, typed=texts, refused=tongue.words()(refused.key))
    return redirect(to(f"/desk/issues/{issue.period}/sending?did=corrected"), 303)


def sending_page(period: str, *, typed: Mapping[Language, str] | None = None, refused: str = "") -> Response:
    """Counts by state; never just "sent" while a letter is in doubt. typed, refused: a correction to be mended."""
    issue, language = found(period), tongue.spoken()
    words, app = tongue.words(), site().app
    counts = app.store.deliveries.counts(issue.id)
    total = sum(counts.values())
    bars: list[dict[str, Any]] = [
        {"name": words(f"desk.delivery_{state}"), "count": dates.number(counts[state], language),
         "width": round(100 * counts[state] / total, 2) if total else 0}
        for state in _BARS if counts[state] or state in {DeliveryState.SENT, DeliveryState.QUEUED}
    ]  # fmt: skip
    open_letters = sum(counts[state] for state in _UNFINISHED)
    begun = issue.state in {IssueState.SENDING, IssueState.PAUSED}
    at_work = app.store.deliveries.live_run(issue.id, now=app.clock())
    return page(
        "desk/sending.html", waits=waits_for_a_look(issue), can_hold=begun and not at_work and is_unsent(counts),
        takes_back=first_left(issue),
        title=words("desk.sending_title"), **frame(issue), bars=bars, pace=pace_sentences(issue),
        total=dates.number(total, language), unsure=counts[DeliveryState.UNSURE], open=open_letters,
        failed=counts[DeliveryState.FAILED], deferred=counts[DeliveryState.DEFERRED],
        domains=by_domain(issue) if issue.sending_since else [], floor=FLOOR, corrected=request.args.get("did") == "corrected",
        corrections=[line for code in site().config.list.languages for line in corrections(issue, code)],
        tongues={code: language_name(code, language) for code in site().config.list.languages},
        as_of=dates.hour(app.clock(), site().config.list.timezone, language), late=_is_stalled(issue),
        typed=typed or {}, refused=refused, status=400 if refused else 200,
        pause_reason=told(issue.pause_reason, language) if issue.pause_reason else "", public_path=f"/issues/{issue.period}",
    )  # fmt: skip


def _is_stalled(issue: Issue) -> bool:
    """Sending, and nobody at it: a process ended. The next tick goes on; the button does so now."""
    app = site().app
    if issue.state is not IssueState.SENDING or issue.sending_since is None:
        return False
    if app.send.put_off_until(issue) is not None or app.send.rests_until(issue) is not None:
        return False  # it waits by itself, and the page says until when
    begun_a_while_ago = app.clock() - issue.sending_since > timedelta(seconds=30)
    at_rest = app.send.rests_until(issue) is not None
    return begun_a_while_ago and not at_rest and not app.store.deliveries.live_run(issue.id, now=app.clock())
