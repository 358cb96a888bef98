"""When something is wrong: a page that says so, in both languages, and what was kept. Never a trace, never an address."""

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from digest import errors
from digest.model import Language, PauseReason
from digest.web import language as tongue
from digest.web.pages import page, to
from digest.web.site import LOG
from digest.words import Words, told

_NAMES = {403: "forbidden", 404: "not_found", 405: "not_allowed", 413: "too_large", 503: "busy"}


def watch(flask_app: Flask) -> None:
    flask_app.register_error_handler(HTTPException, _http)
    flask_app.register_error_handler(errors.StoreBusy, _busy)
    flask_app.register_error_handler(errors.NotFound, _not_found)
    flask_app.register_error_handler(errors.DigestError, _refused)
    flask_app.register_error_handler(Exception, _failed)


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if code < 400:
        return error.get_response()  # type: ignore[return-value]
    if error.description in {"expired link", "forgotten"}:
        return _page("expired", code, links=[(to("/manage"), tongue.words()("web.new_link")),
                                             (to("/"), tongue.words()("web.start_again"))])  # fmt: skip
    if error.description in {"off", "fails"}:
        return _page(error.description, code, links=[(to("/"), tongue.words()("web.start_again")),
                                                     (to("/manage"), tongue.words()("web.new_link"))])  # fmt: skip
    if error.description == "not from here":
        return _page("outbox_closed", code)
    if error.description == "role":
        if request.accept_mimetypes.best == "application/json":
            return _to_script(tongue.words()("desk.why_role"), code)
        return _page("refused", code, said=tongue.words()("desk.why_role"))
    if error.description == "broken link":
        return _page("broken", code, links=[(to("/manage"), tongue.words()("web.new_link"))])
    response = _page(_NAMES.get(code, "not_allowed" if code < 500 else "failed"), code)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _to_script(said: str, status: int) -> Response:
    response = jsonify({"refused": said})
    response.status_code = status
    return response


def _busy(error: errors.StoreBusy) -> Response:
    LOG.warning("answered 503: %s", error)
    response = _page("busy", 503)
    response.headers["Retry-After"] = "30"
    return response


def _not_found(error: errors.NotFound) -> Response:
    return _page("not_found", 404)


def _refused(error: errors.DigestError) -> Response:
    """A sentence of ours for the person who can act: an editor, most often."""
    if isinstance(error, errors.StoreError | errors.RenderError):
        LOG.error("answered 500: %s", error, exc_info=error)
        return _page("failed", 500)
    code = (
        502
        if isinstance(error, errors.MailError)
        else 409
        if isinstance(error, errors.MoveRefused | errors.Conflict)
        else 400
    )
    said, is_ours = str(error), False
    if error.key:
        said, is_ours = _in_words(error), True
    return _page("refused", code, said=said, is_ours=is_ours)


def _in_words(error: errors.DigestError) -> str:
    room, _, code = error.key.partition(".")
    if room == "sending":
        return told(PauseReason(code, error.slots), tongue.spoken())  # type: ignore[arg-type]
    return tongue.words()(error.key, **error.slots)


def _failed(error: Exception) -> Response:
    LOG.exception("answered 500", exc_info=error)
    return _page("failed", 500)


def _page(
    name: str,
    status: int,
    *,
    said: str = "",
    is_ours: bool = True,
    links: list[tuple[str, str]] | None = None,
) -> Response:
    """In the language of the path first, the other one below: whoever lands here by mistake may read either.

    said: a sentence for an editor; not is_ours: in English, because only commands were meant to say it.
    """
    language = tongue.spoken()
    words, others = tongue.words(), Words(Language.EN if language is Language.FR else Language.FR)
    title = words(f"web.{name}_title")
    also = None if said else (others(f"web.{name}_title"), others(f"web.{name}_lead"))
    return page(
        "say.html", status=status, title=title, heading=title, paragraphs=[words(f"web.{name}_lead")], actions=[],
        links=links or [_way_out(words)], mentions_letter=False, also=also, said=said, at_desk=_is_at_desk(),
        said_lang=language.value if is_ours else Language.EN.value,
    )  # fmt: skip


def _way_out(words: Words) -> tuple[str, str]:
    """Somebody at the desk goes back there, to the issue if the address names one."""
    parts = tongue.bare(request.path).split("/")
    if not _is_at_desk():
        return to("/"), words("web.go_home")
    if parts[2:3] == ["issues"] and len(parts) > 4:
        return to(f"/desk/issues/{parts[3]}/"), words("desk.back_to_issue")
    return to("/desk/"), words("desk.back_to_desk")


def _is_at_desk() -> bool:
    return tongue.bare(request.path).startswith("/desk/") and bool(g.get("editor"))
