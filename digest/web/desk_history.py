"""Undo, redo, and the history of an issue. A form names the act that its page showed, so nobody undoes another one."""

from typing import Literal

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from digest.web import chronicle, desk_pool, sessions
from digest.web import language as tongue
from digest.web.desk_issue import back, found, frame
from digest.web.pages import page
from digest.web.site import site

_ISSUE = "/issues/<period>/"


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule(f"{_ISSUE}undo", view_func=undo, methods=["POST"])
    rule(f"{_ISSUE}redo", view_func=redo, methods=["POST"])
    rule(f"{_ISSUE}history", view_func=history)


def undo(period: str) -> AnyResponse:
    return _step(period, "undo")


def redo(period: str) -> AnyResponse:
    return _step(period, "redo")


def _step(period: str, way: Literal["undo", "redo"]) -> AnyResponse:
    issue, seen = found(period), request.form.get("seen", type=int)
    issue, act = site().app.publish.history.step(issue.period, way, by=sessions.by(), seen=seen)
    if request.form.get("from") == "pool":
        return desk_pool.again(did="undone")
    item = act.detail.get("item")
    return back(issue, did=way, **({"item": item} if item else {}))


def history(period: str) -> Response:
    """Who did what, newest first; nothing is ever taken out of it."""
    issue = found(period)
    edits = site().app.store.issues.edits(issue.id)
    return page(
        "desk/history.html",
        title=tongue.words()("desk.history_title"),
        **frame(issue),
        lines=chronicle.lines(edits),
    )
