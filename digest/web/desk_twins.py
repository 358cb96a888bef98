"""Pairs that may be one thing: side by side, merged or kept apart by a button, each word taken back. No rule is here."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.collect_twins import Twins
from digest.errors import InputRefused
from digest.model import Item, ItemId, Pair, Placed, Verdict
from digest.render import dates
from digest.web import language as tongue
from digest.web import outline, sessions
from digest.web.pages import page, to
from digest.web.site import site

_MOST = 50
_ACTS = {"merge": Verdict.SAME, "apart": Verdict.APART}


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/twins", view_func=twins)
    blueprint.add_url_rule("/twins", view_func=settle_twins, methods=["POST"])


def twins() -> Response:
    words, did = tongue.words(), request.args.get("did", "")
    return _shown(said=words(f"sources.twins_did_{did}") if did in {*_ACTS, "back", "part"} else "")


def settle_twins() -> AnyResponse:
    """merge, apart, back (the word taken back) or part (one identity, but another thing). Raises NotFound: a page says so."""
    act = request.form.get("act", "")
    one, other = request.form.get("one", type=int) or 0, request.form.get("other", type=int) or 0
    try:
        if act == "back":
            _verb().take_back(ItemId(one), ItemId(other), by=sessions.by())
        elif act == "part":
            _verb().part(ItemId(one), request.form.get("source", "")[:200], by=sessions.by())
        elif act in _ACTS:
            _verb().settle(ItemId(one), ItemId(other), _ACTS[act], by=sessions.by())
        else:
            abort(400)
    except InputRefused as error:
        return _shown(error=tongue.words()(error.key), status=409)
    return redirect(to(f"/desk/twins?did={act}"), 303)


def count() -> int:
    """How many pairs wait for a word."""
    return len(_verb().waiting())


def _shown(*, said: str = "", error: str = "", status: int = 200) -> Response:
    words, verb = tongue.words(), _verb()
    editors = {str(one.id): outline.short_name(one) for one in site().app.store.editors.all()}
    return page(
        "desk/twins.html", status=status, title=words("sources.twins_title"), said=said, error=error,
        may_edit=sessions.may_edit(), waiting=[_pair(pair, editors) for pair in verb.waiting()[:_MOST]],
        settled=[_pair(pair, editors) for pair in verb.settled()[:_MOST]],
        shared=[{"item": _side(one.item), "id": one.item.id, "sources": one.sources} for one in verb.shared()[:_MOST]],
    )  # fmt: skip


def _pair(pair: Pair, editors: dict[str, str]) -> dict[str, Any]:
    words, config, now = tongue.words(), site().config, site().app.clock()
    when = outline.moment(pair.settled_at or pair.asked_at, tongue.spoken(), config, now=now)
    who = editors.get(pair.by, words("sources.twins_somebody")) if pair.by else words("sources.twins_digest")
    key = "merged" if pair.verdict is Verdict.SAME else "parted"
    return {
        "one": pair.asked, "other": pair.other.id, "items": [_side(pair.one), _side(pair.other)], "when": when,
        "says": words(f"sources.twins_{key}", who=who, when=when), "verdict": pair.verdict.value,
    }  # fmt: skip


def _side(item: Item) -> dict[str, Any]:
    row = outline.row(Placed(item=item, section=None, position=0), tongue.spoken(), site().config)
    at = None if item.occasion else item.published or item.first_seen
    day = dates.day(at, site().config.list.timezone, tongue.spoken(), year=True) if at else ""
    return {"row": row, "day": day, "url": item.url, "summary": item.summary, "lang": item.language or ""}


def _verb() -> Twins:
    app = site().app
    return Twins(app.store, clock=app.clock)
