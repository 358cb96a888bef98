"""An editor's own page: her passkeys and the browsers that sit at the desk in her name. Nobody else's, whatever is asked."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import InputRefused
from digest.model import Passkey, PasskeyId, Session
from digest.passkeys import shown_name
from digest.web import language as tongue
from digest.web import outline, sessions
from digest.web.pages import page, to
from digest.web.site import post_notices, site

_DONE = frozenset({"added", "removed", "ended", "others"})


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/you", view_func=you)
    rule("/you/passkeys/begin", view_func=begin_passkey, methods=["POST"])
    rule("/you/passkeys", view_func=add_passkey, methods=["POST"])
    rule("/you/passkeys/<int:number>/remove", view_func=remove_passkey, methods=["POST"])
    rule("/you/sessions/end", view_func=end_session, methods=["POST"])
    rule("/you/sessions/end-others", view_func=end_others, methods=["POST"])


def you(*, refused: str = "") -> Response:
    app, words, me = site().app, tongue.words(), sessions.editor()
    did = request.args.get("did", "")
    begun, here = app.store.editors.sessions(me.id, now=app.clock()), sessions.mark()
    return page(
        "desk/you.html", status=400 if refused else 200, title=words("you.title"),
        said=words(f"you.did_{did}") if did in _DONE and not refused else "", refused=refused,
        keys=[_key(one) for one in app.store.passkeys.of(me.id)],
        why_not=words(f"you.why_{app.passkeys.why_not}", url=site().config.list.url) if app.passkeys.why_not else "",
        sessions=[_session(one) | {"is_here": one.mark == here} for one in begun],
    )  # fmt: skip


def _key(one: Passkey) -> dict[str, Any]:
    words = tongue.words()
    used = words("you.key_used", when=_when(one.used_at)) if one.used_at else words("you.key_unused")
    return {
        "number": one.id,
        "name": one.name,
        "says": f"{words('you.key_added', when=_when(one.added_at))} · {used}",
    }


def _session(one: Session) -> dict[str, Any]:
    words = tongue.words()
    began = words(f"you.session_{one.way}", when=_when(one.begun_at))
    return {"mark": one.mark, "began": began, "ends": words("you.session_ends", when=_when(one.ends_at))}


def _when(at: Any) -> str:
    return outline.moment(at, tongue.spoken(), site().config, now=site().app.clock())


def begin_passkey() -> AnyResponse:
    """What the browser hands to the device, for the script of the page."""
    app = site().app
    if app.passkeys.why_not:
        abort(400)
    try:
        options = app.passkeys.begin(sessions.editor(), site=site().config.list.name.in_(tongue.spoken()))
    except InputRefused as refused:
        return Response(tongue.words()(refused.key), 400, mimetype="text/plain")
    return Response(options, mimetype="application/json")


def add_passkey() -> AnyResponse:
    words = tongue.words()
    taken = [one.name for one in site().app.store.passkeys.of(sessions.editor().id)]
    name = shown_name(request.form.get("name", ""), otherwise=words("you.key_unnamed"), taken=taken)
    try:
        site().app.passkeys.add(sessions.editor(), request.form.get("answer", ""), name=name)
    except InputRefused as refused:
        return you(refused=words(refused.key))
    post_notices()
    return redirect(to("/desk/you?did=added"), 303)


def remove_passkey(number: int) -> AnyResponse:
    app, me = site().app, sessions.editor()
    with app.store.write():
        name = app.store.passkeys.remove(PasskeyId(number), editor=me.id)
        if name is None:
            abort(404)
        app.store.desk_log.add("passkey removed", editor=sessions.by(), at=app.clock(), detail={"name": name})
    return redirect(to("/desk/you?did=removed"), 303)


def end_session() -> AnyResponse:
    """One of her browsers signs out; when it is this one, the door is next."""
    app, me = site().app, sessions.editor()
    with app.store.write():
        app.store.editors.end_session(request.form.get("session", "")[:64], editor=me.id)
    return redirect(to("/desk/you?did=ended"), 303)


def end_others() -> AnyResponse:
    sessions.end_others()
    return redirect(to("/desk/you?did=others"), 303)
