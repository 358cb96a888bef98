"""Who sits at the desk. The store holds only fingerprints of secrets, and opening a link redeems nothing."""

import secrets
from datetime import timedelta

from flask import abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import AddressRefused
from digest.model import Editor, Language, NoticeKind, Role
from digest.rules.consent import judged_address
from digest.rules.tokens import fingerprint
from digest.web import language as tongue
from digest.web import roles
from digest.web.pages import to
from digest.web.security import form_token, refuse_foreign_origin, refuse_missing_token
from digest.web.site import post_notices, site

LINK_LIVES = timedelta(minutes=30)
SESSION_LIVES = timedelta(days=14)
ONE_LINK_PER = timedelta(minutes=1)
_OPEN = frozenset({"home", "ask_link", "sign_in_page", "sign_in"})


def guard() -> AnyResponse | None:
    """Before every desk page: who it is, and for a form that it is ours. Signed out, only the door is there."""
    secret = request.cookies.get(_cookie(), "")
    g.editor = (
        site().app.store.editors.session(fingerprint(secret), now=site().app.clock()) if secret else None
    )
    g.form_token = form_token(secret) if g.editor else ""
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        refuse_foreign_origin()
    if (request.endpoint or "").rpartition(".")[2] in _OPEN:
        return None
    if g.editor is None:
        if request.method in {"GET", "HEAD"}:
            return redirect(to("/desk/"), 303)
        abort(403)
    if request.method == "POST":
        refuse_missing_token(secret)
        if not roles.may(g.editor.role, (request.endpoint or "").rpartition(".")[2]):
            abort(403, "role")
    return None


def editor() -> Editor:
    """The editor of this request; only behind guard()."""
    found: Editor = g.editor
    return found


def by() -> str:
    """The name of this editor in the log of edits."""
    return str(editor().id)


def may_edit() -> bool:
    return roles.reaches(editor().role, Role.EDITOR)


def may_approve() -> bool:
    return roles.reaches(editor().role, Role.APPROVER)


def may_invite() -> bool:
    return roles.reaches(editor().role, Role.ADMIN)


def mail_link(address_text: str) -> None:
    """Queues a sign-in letter when the address is an editor's, at most one a minute. Says nothing about it either way."""
    app = site().app
    try:
        found = app.store.editors.find(judged_address(address_text))
    except AddressRefused:
        found = None
    if found is not None:
        now = app.clock()
        with app.store.write():
            last = app.store.notices.last_queued(NoticeKind.SIGN_IN, editor=found.id)
            if last is None or now - last >= ONE_LINK_PER:
                secret = secrets.token_urlsafe(24)
                app.store.editors.give_pass(fingerprint(secret), editor=found.id, purpose="sign-in", now=now,
                                            expires_at=now + LINK_LIVES)  # fmt: skip
                spoken = Language.FR if tongue.spoken() is Language.FR else found.language
                app.store.notices.queue(NoticeKind.SIGN_IN, editor=found.id, language=spoken, secret=secret,
                                        now=now)  # fmt: skip
                app.store.desk_log.add("link", editor="digest", at=now, detail={"whom": found.id})
    post_notices()


def redeem(link_secret: str) -> tuple[Editor, str] | None:
    """Uses up a sign-in link and opens a session; None when the link was used, is over or never was."""
    app, now = site().app, site().app.clock()
    with app.store.write():
        found = app.store.editors.redeem(fingerprint(link_secret), now=now)
        if found is None:
            return None
        secret = secrets.token_urlsafe(32)
        app.store.editors.give_pass(fingerprint(secret), editor=found.id, purpose="session", now=now,
                                    expires_at=now + SESSION_LIVES)  # fmt: skip
        app.store.desk_log.add("sign in", editor=str(found.id), at=now, detail={})
    return found, secret


def give_cookie(response: AnyResponse, secret: str) -> AnyResponse:
    response.set_cookie(_cookie(), secret, max_age=int(SESSION_LIVES.total_seconds()), httponly=True, samesite="Lax",
                        secure=_is_secure(), path="/")  # fmt: skip
    return response


def end(response: AnyResponse) -> AnyResponse:
    """Signs out: the session is gone from the store, whatever copies of the cookie exist."""
    app = site().app
    with app.store.write():
        app.store.editors.revoke(fingerprint(request.cookies.get(_cookie(), "")))
    response.delete_cookie(_cookie(), path="/", httponly=True, samesite="Lax", secure=_is_secure())
    return response


def _is_secure() -> bool:
    return site().config.list.url.startswith("https://")


def _cookie() -> str:
    """Over https the name itself forbids other hosts to set it (RFC 6265bis, cookie name prefixes)."""
    return "__Host-desk" if _is_secure() else "desk"
