"""Letters in doubt, refused and put off. Addresses are shown to approvers only, and stand in no address line."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.model import Delivery, DeliveryId, DeliveryState
from digest.render import dates
from digest.web import language as tongue
from digest.web import outline, sessions
from digest.web.desk_issue import found, frame
from digest.web.pages import page, to
from digest.web.site import site

_ISSUE = "/issues/<period>/"
_MOST = 200


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule(f"{_ISSUE}letters", view_func=letters)
    blueprint.add_url_rule(f"{_ISSUE}letters/<int:number>", view_func=settle, methods=["POST"])


def letters(period: str) -> Response:
    """What is in doubt first, then what was refused, then what is tried again; each with the mail server's own last words."""
    if not sessions.may_approve():
        abort(403, "role")
    issue, words = found(period), tongue.words()
    rows, counts = site().app.store.deliveries, site().app.store.deliveries.counts(issue.id)
    did, due = request.args.get("did", ""), rows.next_due(issue.id)
    most = max(
        counts[state] for state in (DeliveryState.UNSURE, DeliveryState.FAILED, DeliveryState.DEFERRED)
    )
    return page(
        "desk/letters.html", title=words("desk.letters_title"), **frame(issue),
        unsure=[_line(one) for one in rows.listed(issue.id, DeliveryState.UNSURE, limit=_MOST)],
        failed=[_line(one) for one in rows.listed(issue.id, DeliveryState.FAILED, limit=_MOST)],
        deferred=[_line(one) for one in rows.listed(issue.id, DeliveryState.DEFERRED, limit=_MOST)],
        next_due=outline.moment(due, tongue.spoken(), site().config, now=site().app.clock()) if due else "",
        more=words("desk.letters_more", most=_MOST) if most > _MOST else "",
        said=words(f"desk.letters_did_{did}") if did in {"again", "sent", "late"} else "",
    )  # fmt: skip


def _line(one: Delivery) -> dict[str, Any]:
    return {
        "number": one.id, "address": one.address.reveal() or tongue.words()("desk.letters_forgotten"),
        "reply": f"{one.code or ''} {one.reply}".strip(), "attempts": dates.number(one.attempts, tongue.spoken()),
    }  # fmt: skip


def settle(period: str, number: int) -> AnyResponse:
    """An approver ends a doubt. Sent again, it leaves with the next tick; who had it already gets it twice."""
    issue, verdict = found(period), request.form.get("verdict", "")
    if verdict not in {"again", "sent"}:
        abort(400)
    done = site().app.send.settle(
        issue.period, DeliveryId(number), again=verdict == "again", by=sessions.by()
    )
    return redirect(to(f"/desk/issues/{issue.period}/letters?did={verdict if done else 'late'}"), 303)
