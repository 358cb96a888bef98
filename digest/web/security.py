"""What every answer carries and every form must prove. Coming from a signed-in browser is never enough."""

import hmac
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from flask import Response, abort, g, request
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as AnyResponse

from digest.web.site import site

PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGE_WITH_FRAME = f"{PAGE}; frame-src 'self'"
# The desk asks its own server: a move, a field, who is here.
DESK = f"{PAGE_WITH_FRAME}; connect-src 'self'"
# The door of the desk: its script asks for a challenge that a passkey signs.
ASKING = f"{PAGE}; connect-src 'self'"
# A letter in a frame: its own styles and pictures, no script, no form; its links open beside the page.
LETTER = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_EVERYWHERE = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def seal(response: Response) -> Response:
    """Headers of every answer; a page that said something of its own keeps it."""
    headers = response.headers
    if isinstance(request.routing_exception, RequestRedirect):
        headers["Location"] = _within_this_site(request.routing_exception.new_url)
    said = {name.lower() for name, _ in headers}
    policy = headers["Content-Security-Policy"] if "content-security-policy" in said else None
    if policy is None:
        policy = DESK if g.get("editor") else PAGE
        headers.add("Content-Security-Policy", policy)
    for name, value in _EVERYWHERE.items():
        if name.lower() not in said:
            headers.add(name, value)
    if "frame-ancestors *" not in policy and "x-frame-options" not in said:
        headers.add("X-Frame-Options", "SAMEORIGIN" if "frame-ancestors 'self'" in policy else "DENY")
    if site().config.list.url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not g.get("public") and request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
    return response


def _within_this_site(url: str) -> str:
    """`/issues/` for `/issues`, without the host that the request claims to have asked."""
    parts = urlsplit(url)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def keep_public(response: Response) -> AnyResponse:
    """A page that is the same for everyone: caches may keep it but must ask whether it changed."""
    g.public = True
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


def refuse_foreign_origin() -> None:
    """403 for a form that another site sent.

    Our own pages say `no-referrer`, for which browsers send `Origin: null` even to ourselves; then Sec-Fetch-Site
    tells, where the browser has it, and the token of the session where it has not.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin")
    if origin not in {None, "null"} and origin not in {
        _origin(site().config.list.url),
        _origin(request.host_url),
    }:
        abort(403)


def is_from_here() -> bool:
    """Whether this request was made on this very machine, and no proxy stands between."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    if not (mapped or address).is_loopback:
        return False
    return not any(name.lower() == "forwarded" or name.lower().startswith("x-forwarded-")
                   for name, _ in request.headers)  # fmt: skip


def form_token(session: str) -> str:
    """The token of every desk form: bound to the session, worth nothing without its cookie."""
    return hmac.digest(session.encode(), b"digest desk form", sha256).hex()


def refuse_missing_token(session: str) -> None:
    """403 unless the form was made for this session."""
    if not hmac.compare_digest(
        request.form.get("token", "").encode("utf-8", "surrogatepass"), form_token(session).encode()
    ):
        abort(403)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
