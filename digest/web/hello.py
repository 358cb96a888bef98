"""Saying hello: a reader's own page for it, behind a link mailed a moment ago, and the desk's list of those to read."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest import errors
from digest.model import Introduction, SubscriberId
from digest.render import dates
from digest.rules.introduce import IntroductionRefused
from digest.rules.tokens import Purpose
from digest.web import language as tongue
from digest.web import public, sessions
from digest.web.pages import page, to
from digest.web.site import post_notices, site

_MANAGES = frozenset({Purpose.MANAGE})
_FIELDS = ("name", "who", "looks_for", "link")
_LONGEST = 1000


def doors() -> Blueprint:
    blueprint = Blueprint("hello", __name__)
    blueprint.add_url_rule("/preferences/<token>/hello", view_func=hello_page)
    blueprint.add_url_rule("/preferences/<token>/hello", view_func=hello, methods=["POST"])
    return blueprint


def add_doors(blueprint: Blueprint) -> None:
    """The desk's side."""
    blueprint.add_url_rule("/introductions/", view_func=introductions)
    blueprint.add_url_rule("/introductions/<int:number>", view_func=settle_hello, methods=["POST"])


# --- readers -----------------------------------------------------------------------------------------------------------


def hello_page(token: str) -> Response:
    public.who(token, allowed=_MANAGES)
    mine = site().app.join.introductions.mine(token)
    return _page(token, _sent(mine), mine, said=request.args.get("did", ""))


def hello(token: str) -> AnyResponse:
    """Keeps it, or takes it back with the other button."""
    public.who(token, allowed=_MANAGES)
    voices, sent = (
        site().app.join.introductions,
        {name: request.form.get(name, "")[:_LONGEST] for name in _FIELDS},
    )
    did = "kept"
    try:
        if request.form.get("withdraw") == "1":
            voices.withdraw(token, page=request.path)
            post_notices()
            did = "withdrawn"
        else:
            voices.say_hello(token, sent, page=request.path)
    except IntroductionRefused as refused:
        return _page(token, sent, voices.mine(token), wrong=refused.field, status=400)
    except errors.TokenRefused:
        raise public.refused(token) from None
    path = public.here(f"/preferences/{token}/hello")
    return redirect(f"{path}{'&' if '?' in path else '?'}did={did}", 303)


def _page(
    token: str, sent: dict[str, str], mine: Introduction | None, *, wrong: str = "", said: str = "", status: int = 200
) -> Response:  # fmt: skip
    words = tongue.words()
    return page(
        "hello.html", status=status, title=words("web.hello_title"), sent=sent, wrong=wrong,
        error=words(f"web.hello_error_{wrong}") if wrong else "", state=mine.state.value if mine else "",
        said=words(f"web.hello_{said}") if said in {"kept", "withdrawn"} else "",
        action=public.here(f"/preferences/{token}/hello"), back=public.here(f"/preferences/{token}"),
    )  # fmt: skip


def _sent(mine: Introduction | None) -> dict[str, str]:
    if mine is None:
        return dict.fromkeys(_FIELDS, "")
    link = (mine.link or "").removeprefix("mailto:")
    return {"name": mine.name, "who": mine.who, "looks_for": mine.looks_for, "link": link}


# --- the desk ----------------------------------------------------------------------------------------------------------


def introductions() -> Response:
    """Contributors see how many wait; the words are for those who may let them in."""
    words, did = tongue.words(), request.args.get("did", "")
    waiting, may = site().app.join.introductions.waiting(), sessions.may_edit()
    return page(
        "desk/introductions.html", title=words("desk.hellos_title"), may_edit=may,
        waiting=[_line(one) for one in waiting] if may else [], count=words("desk.hellos_count", n=len(waiting)),
        said=words(f"desk.hello_{did}") if did in {"shown", "declined", "late"} else "",
    )  # fmt: skip


def _line(one: Introduction) -> dict[str, Any]:
    return {
        "number": one.subscriber, "name": one.name, "who": one.who, "looks_for": one.looks_for, "link": one.link,
        "shown_link": (one.link or "").removeprefix("mailto:"), "language": one.language.value, "seen": one.at.isoformat(),
        "day": dates.day(one.at, site().config.list.timezone, tongue.spoken()),
    }  # fmt: skip


def settle_hello(number: int) -> AnyResponse:
    if not sessions.may_edit():
        abort(403)
    try:
        seen = datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        abort(400)
    if seen.tzinfo is None:
        abort(400)
    shown = request.form.get("act") == "show"
    done = site().app.join.introductions.settle(
        SubscriberId(number), shown=shown, seen=seen, by=sessions.by()
    )
    did = "late" if not done else "shown" if shown else "declined"
    return redirect(to(f"/desk/introductions/?did={did}"), 303)
