"""Who sits at the desk. The store holds only fingerprints of secrets, and opening a link redeems nothing."""

import secrets
from datetime import timedelta
from typing import Literal

from flask import abort, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import AddressRefused
from digest.model import Editor, Language, NoticeKind, Role
from digest.rules import guard as guard_rules
from digest.rules.consent import judged_address
from digest.rules.tokens import fingerprint, mark_of
from digest.web import language as tongue
from digest.web import roles
from digest.web.pages import to
from digest.web.security import form_token, refuse_foreign_origin, refuse_missing_token
from digest.web.site import post_notices, site

LINK_LIVES = timedelta(minutes=30)
SESSION_LIVES = timedelta(days=14)
ONE_LINK_PER = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)
MOST_LINKS = 5  # mailed to one editor in an hour
KNOCKS = 60  # of one neighbourhood in an hour, for links and for challenges each
_OPEN = frozenset({"home", "ask_link", "sign_in_page", "sign_in", "ask_passkey", "sign_in_by_passkey"})


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


def hears(scope: str) -> bool:
    """Counts a knock at the door; False when there were too many from this neighbourhood in this hour. This very machine
    is not counted: behind a proxy that [web] trusted_proxies leaves out, it would be everybody."""
    app, network = site().app, guard_rules.neighbourhood(request.remote_addr)
    if network is None or guard_rules.is_this_machine(request.remote_addr):
        return True
    with app.store.write():
        knock = app.links.knock(f"desk {scope} {network}")
        hour = guard_rules.hour_of(app.clock())
        return app.store.guards.count({knock: hour})[knock] <= KNOCKS


def mail_link(address_text: str) -> None:
    """Queues a sign-in letter when the address is an editor's: at most one a minute and five an hour. Says nothing about
    it either way."""
    app = site().app
    try:
        found = app.store.editors.find(judged_address(address_text))
    except AddressRefused:
        found = None
    if found is not None:
        now = app.clock()
        with app.store.write():
            last = app.store.notices.last_queued(NoticeKind.SIGN_IN, editor=found.id)
            lately = app.store.notices.count_since(NoticeKind.SIGN_IN, editor=found.id, since=now - AN_HOUR)
            if (last is None or now - last >= ONE_LINK_PER) and lately < MOST_LINKS:
                spoken = Language.FR if tongue.spoken() is Language.FR else found.language
                app.store.notices.queue(NoticeKind.SIGN_IN, editor=found.id, language=spoken,
                                        secret=_link_for(found), now=now)  # fmt: skip
    post_notices()


def queue_invitation(added: Editor, *, said: str) -> None:
    """Inside a transaction: the first link of somebody who did not ask for one, in the language chosen for them. said: who
    invites them, as what."""
    site().app.store.notices.queue(NoticeKind.INVITED, editor=added.id, language=added.language,
                                   secret=f"{_link_for(added)}\n{said}", now=site().app.clock())  # fmt: skip


def _link_for(who: Editor) -> str:
    """Inside a transaction: the secret of a link that opens the desk once."""
    now, secret = site().app.clock(), secrets.token_urlsafe(24)
    site().app.store.editors.give_pass(fingerprint(secret), editor=who.id, purpose="sign-in", now=now,
                                       expires_at=now + LINK_LIVES)  # fmt: skip
    site().app.store.desk_log.add("link", editor="digest", at=now, detail={"whom": who.id})
    return secret


def redeem(link_secret: str) -> tuple[Editor, str] | None:
    """Uses up a sign-in link and opens a session; None when the link was used, is over or never was."""
    app, now = site().app, site().app.clock()
    with app.store.write():
        found = app.store.editors.redeem(fingerprint(link_secret), now=now)
        return (found, _begin(found, way="link")) if found is not None else None


def prove(answer: str) -> tuple[Editor, str]:
    """Opens a session for whose passkey signed. Raises PasskeyRefused."""
    app = site().app
    who = app.passkeys.prove(answer)
    with app.store.write():
        found = app.store.editors.get(who)
        return found, _begin(found, way="passkey")


def _begin(who: Editor, *, way: Literal["link", "passkey"]) -> str:
    """Inside a transaction: a new session, by its secret."""
    app, now, secret = site().app, site().app.clock(), secrets.token_urlsafe(32)
    app.store.editors.give_pass(fingerprint(secret), editor=who.id, purpose="session", now=now,
                                expires_at=now + SESSION_LIVES, way=way)  # fmt: skip
    act = "sign in" if way == "link" else "sign in by passkey"
    app.store.desk_log.add(act, editor=str(who.id), at=now, detail={})
    return secret


def mark() -> str:
    """What names the session of this request among those of its editor."""
    return mark_of(_fingerprint())


def end_others() -> None:
    """Signs this editor out everywhere but here."""
    app = site().app
    with app.store.write():
        app.store.editors.end_others(_fingerprint(), editor=editor().id)
        app.store.desk_log.add("sign out elsewhere", editor=by(), at=app.clock(), detail={})


def _fingerprint() -> str:
    return fingerprint(request.cookies.get(_cookie(), ""))


def give_cookie(response: AnyResponse, secret: str) -> AnyResponse:
    response.set_cookie(_cookie(), secret, max_age=int(SESSION_LIVES.total_seconds()), httponly=True, samesite="Lax",
                        secure=_is_secure(), path="/")  # fmt: skip
    return response


def end(response: AnyResponse) -> AnyResponse:
    """Signs out: the session is gone from the store, whatever copies of the cookie exist."""
    app = site().app
    with app.store.write():
        app.store.editors.revoke(_fingerprint())
    response.delete_cookie(_cookie(), path="/", httponly=True, samesite="Lax", secure=_is_secure())
    return response


def _is_secure() -> bool:
    return site().config.list.url.startswith("https://")


def _cookie() -> str:
    """Over https the name itself forbids other hosts to set it (RFC 6265bis, cookie name prefixes)."""
    return "__Host-desk" if _is_secure() else "desk"
