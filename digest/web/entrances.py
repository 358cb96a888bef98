"""The other ways in: an invitation, a form on somebody else's page, JSON. All of them end in the one ask of public.py."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from digest import errors, join
from digest.join import Ask
from digest.rules.consent import readings
from digest.rules.cuts import CHOICES
from digest.web import language as tongue
from digest.web import public
from digest.web.pages import page
from digest.web.site import post_notices, site

_EMBED = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors *"


def doors() -> Blueprint:
    blueprint = Blueprint("entrances", __name__)
    rule = blueprint.add_url_rule
    rule("/invited/<token>", view_func=invited)
    rule("/embed", view_func=embed)
    rule("/embed", view_func=embed_filled, methods=["POST"])
    rule("/subscribe.json", view_func=form_json)
    rule("/subscribe.json", view_func=subscribe_json, methods=["POST"])
    return blueprint


def invited(token: str) -> Response:
    """The form of sign-up with an invitation in it; whether it still counts is looked at when the address is proven.

    One that has ended brings the form as everybody has it, with room to say who one is.
    """
    is_good = site().app.join.gate.is_invitation(token)
    form = public.Form(language=public.first_language(), invitation=token if is_good else "")
    says = tongue.words()("web.invited_good" if is_good else "web.invited_over")
    title = tongue.words()("web.invited_title")
    return page("invited.html", title=title, form=form, says=says, **public.form_values())


def embed() -> Response:
    """The form alone, for a frame on another page; what it is sent to opens beside that page."""
    return _embed(public.Form(language=public.first_language()))


def embed_filled() -> Response:
    """Where a plain form of another site sends an address: nothing is stored; our own form is shown, filled in.

    So that somebody who has just typed it is not made to wait, its form counts as shown a little earlier.
    """
    language = request.form.get("language", "")
    email = request.form.get("email", "").strip()[:320]
    form = public.Form(email=email, language=language or public.first_language())
    return page("invited.html", title=tongue.words()("web.embed_title"), form=form, says="",
                shown_form=lambda: site().app.join.form(typed_before=True), **public.form_values())  # fmt: skip


def _embed(form: public.Form) -> Response:
    response = page("embed.html", title=tongue.words()("web.form_label"), form=form, **public.form_values())
    response.headers["Content-Security-Policy"] = _EMBED
    return response


def form_json() -> Response:
    """What a program must send back, and what people must be shown before they agree."""
    signup, language = site().config.signup, tongue.spoken()
    return jsonify(
        form=site().app.join.form(), wording=signup.wording.in_(language), policy=signup.policy,
        languages=[one.value for one in readings(site().config.list.languages)], roles=list(public.ROLES),
        fields=["form", "email", "language", "role", "timezone", "topics", "note", "invitation"],
        topics=[one for one in site().config.letter.sections if one in CHOICES],
    )  # fmt: skip


def _json() -> Any:
    try:
        return request.get_json(silent=True)
    except RecursionError:  # brackets without end
        return None


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def subscribe_json() -> tuple[Response, int]:
    """The same guards, the same silence: 202 for every address that is one."""
    sent = _json()
    if not isinstance(sent, dict):
        sent = {}
    values = {name: value for name, value in sent.items() if isinstance(value, str)}
    role = values.get("role", "")
    ask = Ask(
        address=values.get("email", "").strip()[:320], language=values.get("language"),
        role=role if role in public.ROLES else None, timezone=public.known_zone(values.get("timezone", "")),
        topics=public.topics(_texts(sent.get("topics"))),
        note=values.get("note", "")[:1000], invitation=values.get("invitation", "")[:64], page=request.path,
        network=public.network(), ip=request.remote_addr,
        form=join.Form(token=values.get("form", ""), trap=values.get("nickname", "")), read_in=tongue.spoken(),
    )  # fmt: skip
    words = tongue.words()
    try:
        site().app.join.ask(ask)
    except errors.AddressRefused:
        return jsonify(error=words("web.email_error")), 400
    post_notices()
    return jsonify(message=words("web.asked_lead")), 202
