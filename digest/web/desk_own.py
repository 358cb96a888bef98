"""A post or event that an editor writes by hand. What was typed comes back with the field that is to be mended."""

from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from digest.render import dates
from digest.rules import own
from digest.rules.edition import must_be_draft
from digest.rules.suggest import SuggestionRefused
from digest.web import language as tongue
from digest.web import sessions
from digest.web.desk_issue import back, found, frame
from digest.web.pages import page
from digest.web.settings import ZONES
from digest.web.site import site

_FIELDS = (
    "kind",
    "title",
    "url",
    "words",
    "date",
    "time",
    "timezone",
    "minutes",
    "place",
    "online",
    "join",
    "language",
)


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/issues/<period>/own", view_func=own_page)
    blueprint.add_url_rule("/issues/<period>/own", view_func=write_own, methods=["POST"])


def own_page(period: str) -> Response:
    if not sessions.may_edit():
        abort(403, "role")
    kind = "post" if request.args.get("kind") == "post" else "event"
    zone = site().config.list.timezone
    return _form(period, {"kind": kind, "timezone": zone, "language": tongue.spoken().value})


def _form(period: str, typed: dict[str, str], *, field: str = "", status: int = 200) -> Response:
    issue, words, config = found(period), tongue.words(), site().config
    must_be_draft(issue)
    zones = [(one, dates.zone_name(one, issue.send_at, tongue.spoken()))
             for one in dict.fromkeys((config.list.timezone, *ZONES))]  # fmt: skip
    empty: dict[str, Any] = dict.fromkeys(_FIELDS, "")
    kind = typed.get("kind", "event")
    return page(
        "desk/own.html", status=status, title=words(f"desk.own_{kind}"), **frame(issue), typed=empty | typed, kind=kind,
        field=field, error=words(f"desk.own_bad_{field}") if field else "", zones=zones, codes=config.list.languages,
    )  # fmt: skip


def write_own(period: str) -> AnyResponse:
    """Into the pool as an item of the source "Editors", and into the draft."""
    typed = {name: request.form.get(name, "")[:2000] for name in _FIELDS}
    issue = found(period)
    if typed["kind"] not in {"post", "event"}:
        abort(400)
    try:
        entry = own.entry_of(own.judged_own(typed, zone=site().config.list.timezone), now=site().app.clock())
        issue, item = site().app.publish.write_own(issue.period, entry, by=sessions.by())
    except SuggestionRefused as refused:
        return _form(period, typed, field=refused.field, status=400)
    return back(issue, did="keep", item=item)
