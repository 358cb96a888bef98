"""Who sits at the desk, for administrators: invite, say who is who, end every session. Roles of config.toml are changed there."""

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import AddressRefused, InputRefused, NotFound
from digest.model import Editor, EditorId, Language, Role
from digest.rules.consent import judged_address
from digest.web import chronicle, roles, sessions
from digest.web import language as tongue
from digest.web.pages import page, to
from digest.web.site import post_notices, site
from digest.words import Words

_DONE = frozenset({"invited", "changed", "out", "keys", "removed"})


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/editors", view_func=editors)
    rule("/editors", view_func=invite_editor, methods=["POST"])
    rule("/editors/<int:number>/role", view_func=change_role, methods=["POST"])
    rule("/editors/<int:number>/sign-out", view_func=sign_out_everywhere, methods=["POST"])
    rule("/editors/<int:number>/passkeys", view_func=take_passkeys, methods=["POST"])
    rule("/editors/<int:number>/remove", view_func=remove_editor, methods=["POST"])


def editors() -> Response:
    if not sessions.may_invite():
        abort(403, "role")
    store, words, did = site().app.store.editors, tongue.words(), request.args.get("did", "")
    store_log = site().app.store.desk_log
    return page(
        "desk/editors.html", title=words("desk.editors_title"), people=store.all(), fixed=store.configured(),
        me=sessions.editor().id, roles=[role.value for role in roles.LADDER], codes=[code.value for code in Language],
        said=words(f"desk.editors_did_{did}") if did in _DONE else "",
        keys={one.id: len(site().app.store.passkeys.of(one.id)) for one in store.all()},
        lines=chronicle.desk_lines(store_log.newest(most=50)),
    )  # fmt: skip


def invite_editor() -> AnyResponse:
    """Adds an editor and mails a link that says who invites them, as what."""
    typed, store = request.form.get("email", "")[:320], site().app.store
    try:
        address = judged_address(typed)
    except AddressRefused:
        raise InputRefused("That is not an address we can write to.", key="desk.why_editor_address") from None
    with store.write():
        if store.editors.find(address) is not None:
            raise InputRefused("That person is an editor already.", key="desk.why_editor_known")
        added = store.editors.add(address, role=_role(), language=_language())
        _log("invite", added.id, role=added.role.value)
        theirs = Words(added.language)
        role, name = theirs(f"desk.role_{added.role.value}"), chronicle.names()[sessions.by()]
        sessions.queue_invitation(added, said=theirs("mail.invited_as", who=name, role=role))
    post_notices()
    return redirect(to("/desk/editors?did=invited"), 303)


def change_role(number: int) -> AnyResponse:
    """Takes effect with the next press of any button; nobody changes their own."""
    who, store = _found(number), site().app.store
    with store.write():
        if who.id == sessions.editor().id or not store.editors.set_role(who.id, _role()):
            raise InputRefused("This role stands in config.toml.", key="desk.why_editor_fixed")
        _log("role", who.id, was=who.role.value, role=_role().value)
    return redirect(to("/desk/editors?did=changed"), 303)


def sign_out_everywhere(number: int) -> AnyResponse:
    who, store = _found(number), site().app.store
    with store.write():
        store.editors.revoke_all(who.id)
        _log("sign out everywhere", who.id)
    return redirect(to("/desk/editors?did=out"), 303)


def take_passkeys(number: int) -> AnyResponse:
    """For a device that was lost: none of hers opens the desk any more; a mailed link still does."""
    who, store = _found(number), site().app.store
    with store.write():
        store.passkeys.remove_all(who.id)
        _log("passkeys taken", who.id)
    return redirect(to("/desk/editors?did=keys"), 303)


def remove_editor(number: int) -> AnyResponse:
    """With sessions, links and passkeys; what she did stays in the logs, under her number. Nobody removes herself."""
    who, store = _found(number), site().app.store
    with store.write():
        if who.id == sessions.editor().id or not store.editors.remove(who.id):
            raise InputRefused("This editor stands in config.toml.", key="desk.why_editor_stays")
        _log("remove", who.id)
    return redirect(to("/desk/editors?did=removed"), 303)


def _log(act: str, whom: EditorId, **detail: str) -> None:
    app = site().app
    app.store.desk_log.add(act, editor=sessions.by(), at=app.clock(), detail={"whom": whom, **detail})


def _found(number: int) -> Editor:
    try:
        return site().app.store.editors.get(EditorId(number))
    except NotFound:
        abort(404)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(400)


def _language() -> Language:
    try:
        return Language(request.form.get("language", ""))
    except ValueError:
        abort(400)
