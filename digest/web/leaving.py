"""The door out: one click, the undo of a day, and one question that nobody must answer. Opening a page never decides anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import Gone

from digest.join import Known
from digest.model import SubscriberState
from digest.rules import farewell
from digest.rules.consent import Answer
from digest.rules.pulse import FLOOR
from digest.rules.tokens import Purpose
from digest.web import language as tongue
from digest.web.public import Act, about, again, here, say, who
from digest.web.site import site

_LEAVES = frozenset({Purpose.LEAVE, Purpose.LETTER, Purpose.MANAGE})


def doors() -> Blueprint:
    blueprint = Blueprint("leaving", __name__)
    blueprint.add_url_rule("/unsubscribe/<token>", view_func=leave_page)
    blueprint.add_url_rule("/unsubscribe/<token>", view_func=leave, methods=["POST"])
    return blueprint


def leave_page(token: str) -> Response:
    """why=1: they have just left on the page of their settings, which sent them here."""
    known = who(token, allowed=_LEAVES)
    if known.subscriber.state is not SubscriberState.LEFT:
        return _leave_button(known)
    return left(known, why=_why(known, token) if request.args.get("why") == "1" else None)


def leave(token: str) -> Response:
    """RFC 8058: `List-Unsubscribe=One-Click`, no cookie, no redirect, 200 however often. Another body only shows the page."""
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    try:
        known = who(token, allowed=_LEAVES)
    except Gone:
        if one_click:  # forgotten since: the wish is fulfilled already
            return say("left", "left_for_good")
        raise
    if one_click:
        return _leave(token, by_button=request.form.get("from") == "page")
    if request.form.get("undo") == "1":
        back = site().app.join.come_back(token, page=request.path)
        if back.answer is Answer.WAITING:
            return about(back, "gone", links=again())
        return about(back, "back")
    if "reason" in request.form or "words" in request.form:
        return _answered(known, token)
    return leave_page(token)


def _leave(token: str, *, by_button: bool) -> Response:
    """A mail program that leaves for its reader is asked nothing: nobody would see it."""
    known = site().app.join.leave(token, method="link" if by_button else "one-click", page=request.path)
    return left(known, why=_why(known, token) if by_button and known.answer is Answer.DONE else None)


def _leave_button(known: Known) -> Response:
    words = tongue.words()
    one_click = {"List-Unsubscribe": "One-Click", "from": "page"}
    return about(known, "leave", actions=[Act(here(), words("web.leave_button"), one_click)])


def left(
    known: Known, *, links: Sequence[tuple[str, str]] = (), why: Mapping[str, Any] | None = None
) -> Response:
    """With the undo, as long as it works for this link."""
    if not site().app.join.may_come_back(known):
        return about(known, "gone", links=[*again(), *links])
    return about(known, "left", "left_more", actions=[_undo()], links=list(links), why=why)


def _undo() -> Act:
    return Act(here(), tongue.words()("web.left_undo"), {"undo": "1"}, is_main=False)


# --- why ---------------------------------------------------------------------------------------------------------


def _why(known: Known, token: str) -> Mapping[str, Any] | None:
    """The question, for who leaves for the first time; it stands below all else, and nothing hangs on it."""
    if not site().app.join.farewells.may_ask(known):
        return None
    return {
        "action": here(f"/unsubscribe/{token}"), "reasons": farewell.REASONS, "most": farewell.LINE_LENGTH,
        "floor": FLOOR,
    }  # fmt: skip


def _answered(known: Known, token: str) -> Response:
    """Thanked once; whatever else is sent finds the page of who has left, or has not, as if nothing had been said."""
    if site().app.join.farewells.say(
        token, reason=request.form.get("reason", ""), words=request.form.get("words", "")
    ):
        return about(known, "why_thanks", "left_lead", "left_more", actions=[_undo()])
    return leave_page(token)
