"""A public form to suggest a post, an event or an idea, and the desk's list of what came in. The same guards as sign-up."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest import errors
from digest.model import Suggestion, SuggestionId, SuggestionKind
from digest.render import dates
from digest.render.view import language_note
from digest.rules.suggest import SuggestionRefused, is_whole_day, shown_title, spoken
from digest.web import language as tongue
from digest.web import public, sessions
from digest.web.pages import page, to
from digest.web.settings import ZONES
from digest.web.site import post_notices, site

_FIELDS = ("kind", "title", "url", "words", "date", "time", "timezone", "place", "email")
_LONGEST = 2000


def doors() -> Blueprint:
    blueprint = Blueprint("suggest", __name__)
    blueprint.add_url_rule("/suggest", view_func=form)
    blueprint.add_url_rule("/suggest", view_func=suggest, methods=["POST"])
    return blueprint


def add_doors(blueprint: Blueprint) -> None:
    """The desk's side."""
    blueprint.add_url_rule("/suggestions/", view_func=suggestions)
    blueprint.add_url_rule("/suggestions/<int:number>/take", view_func=take, methods=["POST"])
    blueprint.add_url_rule("/suggestions/<int:number>/aside", view_func=put_aside, methods=["POST"])


# --- everybody -----------------------------------------------------------------------------------------------------


def form() -> Response:
    empty = dict.fromkeys(_FIELDS, "")
    return _form(empty | {"kind": SuggestionKind.EVENT.value, "timezone": site().config.list.timezone})


def _form(sent: dict[str, str], *, wrong: str = "", status: int = 200) -> Response:
    words, now, language = tongue.words(), site().app.clock(), tongue.spoken()
    zone = site().config.list.timezone
    zones = [(one, dates.zone_name(one, now, language)) for one in dict.fromkeys((zone, *ZONES))]
    return page(
        "suggest.html", status=status, title=words("web.suggest_title"), is_public=True, sent=sent, wrong=wrong,
        error=words(f"web.suggest_error_{wrong}") if wrong else "", kinds=[one.value for one in SuggestionKind],
        zones=zones, **public.shown_again(wrong),
    )  # fmt: skip


def suggest() -> Response:
    """The same answer for everybody whose form can be used."""
    sent = {name: request.form.get(name, "")[:_LONGEST] for name in _FIELDS}
    try:
        site().app.join.voices.suggest(
            sent,
            language=tongue.spoken(),
            email=sent["email"][:320],
            form=public.shown(),
            ip=request.remote_addr,
        )
    except SuggestionRefused as refused:
        return _form(sent, wrong=refused.field, status=400)
    here = site()
    here.errands.run("look-ups", lambda: here.app.lookup.due(stop=here.errands.is_closing))
    return public.say("suggested", "suggested_lead")


# --- the desk ------------------------------------------------------------------------------------------------------


def suggestions() -> Response:
    words, did = tongue.words(), request.args.get("did", "")
    return page(
        "desk/suggestions.html", title=words("desk.suggestions_title"), may_edit=sessions.may_edit(),
        waiting=[_line(one) for one in site().app.join.voices.waiting()],
        hellos=len(site().app.join.introductions.waiting()),
        said=words(f"desk.suggestion_{did}") if did in {"used", "aside", "late"} else "",
    )  # fmt: skip


def _line(one: Suggestion) -> dict[str, Any]:
    language, zone = tongue.spoken(), one.timezone or site().config.list.timezone
    when = ""
    if one.starts is not None:
        when = dates.day(one.starts, zone, language, year=True)
        when += "" if is_whole_day(one) else f", {dates.hour_in_zone(one.starts, zone, language)}"
    return {
        "number": one.id, "kind": one.kind.value, "title": shown_title(one), "url": one.url, "words": one.words,
        "when": when, "place": one.place, "language": spoken(one), "author": one.author,
        "in_language": language_note(spoken(one), language), "fault": _fault(one), "words_language": one.language.value,
        "is_reader": one.subscriber is not None,
        "day": dates.day(one.at, site().config.list.timezone, language),
    }  # fmt: skip


def _fault(one: Suggestion) -> str:
    """Why the page behind the link could not be read, or that nobody has looked yet; "" when all is well."""
    words = tongue.words()
    if one.url is None or (one.is_looked_up and not one.fault):
        return ""
    return words("desk.suggestion_fault" if one.is_looked_up else "desk.suggestion_not_looked")


def take(number: int) -> AnyResponse:
    _only_editors()
    before = [one.id for one in site().app.join.voices.waiting()]
    try:
        site().app.join.voices.take(
            SuggestionId(number), title=request.form.get("title", ""), by=sessions.by()
        )
    except errors.NotFound:
        abort(404)
    post_notices()
    return redirect(to(f"/desk/suggestions/?did={'used' if number in before else 'late'}"), 303)


def put_aside(number: int) -> AnyResponse:
    _only_editors()
    try:
        done = site().app.join.voices.put_aside(SuggestionId(number), by=sessions.by())
    except errors.NotFound:
        abort(404)
    return redirect(to(f"/desk/suggestions/?did={'aside' if done else 'late'}"), 303)


def _only_editors() -> None:
    if not sessions.may_edit():
        abort(403)
