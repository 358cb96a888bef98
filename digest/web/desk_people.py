"""The desk's page of people who wait, and of how many there are. Addresses are shown to editors who may let people in, only."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest import errors
from digest.model import MailDomain, SubscriberId, SubscriberState, Suspended
from digest.render import dates
from digest.rules.consent import Answer
from digest.rules.jurisdictions import LEVELS, PLACES
from digest.web import language as tongue
from digest.web import sessions
from digest.web.pages import page, to
from digest.web.site import post_notices, site

_LISTED = 200
Done = TypeVar("Done")


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/people/", view_func=people)
    rule("/people/<int:number>/admit", view_func=admit, methods=["POST"])
    rule("/people/<int:number>/decline", view_func=decline, methods=["POST"])
    rule("/people/<int:number>/again", view_func=write_again, methods=["POST"])
    rule("/people/domain", view_func=admit_domain, methods=["POST"])


# --- who waits ---------------------------------------------------------------------------------------------------


def people() -> Response:
    words = tongue.words()
    did, n = request.args.get("did", ""), request.args.get("n", "0")
    count = int(n) if n.isascii() and n.isdigit() and len(n) < 7 else 0
    said = (
        words(f"desk.people_did_{did}", n=count)
        if did in {"admitted", "declined", "domain", "already", "again"}
        else ""
    )
    return _people(said=said)


def _people(*, said: str = "", error: str = "", status: int = 200) -> Response:
    app, words = site().app, tongue.words()
    may = sessions.may_edit()
    lines = [_line(one) for one in app.join.gate.waiting()] if may else []
    return page(
        "desk/people.html", status=status, title=words("desk.people_title"), waiting=lines, may_edit=may, said=said,
        may_import=sessions.may_invite(), may_write=sessions.may_invite(),
        suspended=[_suspended(one) for one in app.store.returns.suspended(limit=_LISTED)] if may else [],
        suspended_n=dates.number(app.store.subscribers.stats().by_state[SubscriberState.SUSPENDED], tongue.spoken())
        if may else "",
        error=error, levels=LEVELS, places=[(one, words(f"desk.place_{one.replace('-', '_')}")) for one in PLACES],
        decided=[_decided(one) for one in app.join.gate.decided()] if may else [], policy=site().config.signup.policy,
        invitation=app.join.gate.editor_invitation(sessions.editor().id) if may else "",
    )  # fmt: skip


def _line(one: Any) -> dict[str, Any]:
    reader, zone = one.subscriber, site().config.list.timezone
    return {
        "number": reader.id, "address": reader.address.reveal(), "domain": one.domain, "note": reader.note,
        "organisation": one.whose.organisation if one.whose else "", "is_odd": one.is_odd,
        "is_everybodys": one.is_everybodys, "worn": one.worn,
        "is_foreign": "xn--" in one.domain, "sponsor": bool(reader.sponsor),
        "since": dates.day(reader.confirmed_at, zone, tongue.spoken(), year=True) if reader.confirmed_at else "",
    }  # fmt: skip


def _decided(one: MailDomain) -> dict[str, Any]:
    words = tongue.words()
    place = (
        words(f"desk.place_{one.jurisdiction.replace('-', '_')}")
        if one.jurisdiction in PLACES
        else one.jurisdiction
    )
    whose = [one.organisation, words(f"desk.level_{one.level}") if one.level else "", place]
    return {"name": one.name, "admitted": one.admitted, "whose": ", ".join(part for part in whose if part)}


def admit(number: int) -> AnyResponse:
    _only_editors()
    answer = _or_404(lambda: site().app.join.gate.admit(SubscriberId(number), by=sessions.by()))
    post_notices()
    _log("admit", number)
    return redirect(to(f"/desk/people/?did={'admitted' if answer is Answer.DONE else 'already'}&n=1"), 303)


def decline(number: int) -> AnyResponse:
    _only_editors()
    answer = _or_404(lambda: site().app.join.gate.decline(SubscriberId(number), by=sessions.by()))
    post_notices()
    _log("decline", number)
    return redirect(to(f"/desk/people/?did={'declined' if answer is Answer.DONE else 'already'}&n=1"), 303)


def write_again(number: int) -> AnyResponse:
    """To somebody whose letters came back."""
    done = _or_404(lambda: site().app.join.returned.write_again(SubscriberId(number), by=sessions.by()))
    post_notices()
    if done:
        _log("again", number)
    return redirect(to(f"/desk/people/?did={'again' if done else 'already'}&n=1"), 303)


def _suspended(one: Suspended) -> dict[str, Any]:
    zone = site().config.list.timezone
    return {
        "number": one.subscriber, "address": one.address.reveal(), "words": one.words,
        "since": dates.day(one.since, zone, tongue.spoken(), year=True) if one.since else "",
    }  # fmt: skip


def _log(act: str, reader: int) -> None:
    app = site().app
    with app.store.write():
        app.store.desk_log.add(act, editor=sessions.by(), at=app.clock(), detail={"reader": reader})


def admit_domain() -> AnyResponse:
    _only_editors()
    sent = request.form
    try:
        count = site().app.join.gate.admit_domain(
            sent.get("domain", "")[:255], by=sessions.by(), organisation=sent.get("organisation", "")[:200],
            level=sent.get("level", ""), jurisdiction=sent.get("jurisdiction", ""),
            admitted=sent.get("admitted", "1") == "1",
        )  # fmt: skip
    except errors.DomainRefused:
        return _people(error=tongue.words()("desk.domain_everybodys"), status=400)
    except errors.InputRefused:
        return _people(error=tongue.words()("desk.domain_error"), status=400)
    post_notices()
    return redirect(to(f"/desk/people/?did=domain&n={count}"), 303)


def _or_404(act: Callable[[], Done]) -> Done:
    try:
        return act()
    except errors.NotFound:
        abort(404)


def _only_editors() -> None:
    if not sessions.may_edit():
        abort(403)
