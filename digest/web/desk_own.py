"""A post or event that an editor writes by hand. What was typed comes back with the field that is to be mended, or with a
look at how an event would stand in the letter and in a calendar, and what else takes place then.
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from digest.model import BY_EDITORS, Entry, Item, ItemId, Placed
from digest.render import dates
from digest.render.calendar import event_file
from digest.render.view import item_view
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
    "second",
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


def _form(
    period: str,
    typed: dict[str, str],
    *,
    field: str = "",
    look: dict[str, Any] | None = None,
    doubts: tuple[str, ...] = (),
    known: Item | None = None,
    status: int = 200,
) -> Response:
    issue, words, config = found(period), tongue.words(), site().config
    must_be_draft(issue)
    zones = [(one, dates.zone_name(one, issue.send_at, tongue.spoken()))
             for one in dict.fromkeys((config.list.timezone, *ZONES))]  # fmt: skip
    empty: dict[str, Any] = dict.fromkeys(_FIELDS, "")
    kind = typed.get("kind", "event")
    shelf = f"/desk/pool?tab={kind}s&shown=all#item-{known.id}" if known else ""
    if known and any(placed.item.id == known.id for placed in issue.placed):
        shelf = f"/desk/issues/{period}/items/{known.id}"
    return page(
        "desk/own.html", status=status, title=words(f"desk.own_{kind}"), **frame(issue), typed=empty | typed, kind=kind,
        field=field, error=words(f"desk.own_bad_{field}") if field else "", zones=zones, codes=config.list.languages,
        look=look, doubts=doubts, known=known, shelf=shelf,
    )  # fmt: skip


def write_own(period: str) -> AnyResponse:
    """Into the pool as an item of the source "Editors", and into the draft; a beginning that may be a mistake once it was
    seen to be none."""
    typed = {name: request.form.get(name, "")[:2000] for name in _FIELDS}
    issue, now = found(period), site().app.clock()
    if typed["kind"] not in {"post", "event"}:
        abort(400)
    try:
        judged = own.judged_own(typed, zone=site().config.list.timezone)
        entry, doubts = own.entry_of(judged, now=now), own.doubts(judged, typed, now=now)
        known = site().app.store.items.known(entry.keys).values()
        if known:
            return _form(
                period, typed, known=site().app.store.items.get([one.id for one in known])[0], status=400
            )
        if request.form.get("act") == "look" or (doubts and request.form.get("sure") != " ".join(doubts)):
            return _form(period, typed, look=_look(entry), doubts=doubts)
        issue, item = site().app.publish.write_own(issue.period, entry, by=sessions.by())
    except SuggestionRefused as refused:
        return _form(period, typed, field=refused.field, status=400)
    return back(issue, did="keep", item=item)


def _look(entry: Entry) -> dict[str, Any] | None:
    """An event as the letter and a calendar would show it; clash: what the pool holds at the same time."""
    when, app, config = entry.occasion, site().app, site().config
    if when is None:
        return None
    now, language = app.clock(), tongue.spoken()
    ends = when.ends or when.starts + timedelta(hours=1)
    there = app.store.items.pool(posts_since=now, posts_until=now, events_from=when.starts, events_until=ends)
    item = Item(
        id=ItemId(0), kind=entry.kind, title=entry.title, url=entry.url, source=BY_EDITORS, section=None,
        language=entry.language, published=None, updated=None, first_seen=now, summary=entry.summary, occasion=when,
        content_hash=entry.content_hash,
    )  # fmt: skip
    view = item_view(Placed(item=item, section="coming-up", position=0), language, config)
    return {
        "view": view, "ics": event_file(item, config=config, language=language, now=now).decode(),
        "clash": [item_view(Placed(item=one, section=None, position=0), language, config) for one in there],
    }  # fmt: skip
