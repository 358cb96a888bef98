"""The caught letters of the folder transport, for trying things out. With any other transport these pages do not exist."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Response, abort, make_response

from digest.render.text import Run, paragraphs
from digest.web import language as tongue
from digest.web import outline
from digest.web.desk_press import framed
from digest.web.pages import page
from digest.web.security import PAGE_WITH_FRAME, is_from_here
from digest.web.site import site

_NAME = re.compile(r"[A-Za-z0-9_.-]+\.eml")
_MOST = 200
_SHOWN = ("From", "To", "Date", "Reply-To", "Message-ID", "List-Unsubscribe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    name: str
    to: str
    subject: str
    when: str


def doors() -> Blueprint:
    blueprint = Blueprint("outbox", __name__)
    rule = blueprint.add_url_rule
    rule("/outbox/", view_func=letters)
    rule("/outbox/<name>", view_func=letter)
    rule("/outbox/<name>/html", view_func=letter_html)
    rule("/outbox/<name>/raw", view_func=letter_raw)
    blueprint.before_request(_only_from_here)
    return blueprint


def _only_from_here() -> None:
    """The letters hold links that sign editors in: whoever reads them must sit at this very machine."""
    if site().config.mail.transport != "folder":
        abort(404)
    if not is_from_here():
        abort(404, "not from here")


def letters() -> Response:
    """Newest first."""
    files = sorted(_folder().glob("[!.]*.eml"), key=_order, reverse=True)
    return page("outbox.html", title=tongue.words()("web.outbox_title"), total=len(files),
                letters=[_caught(path) for path in files[:_MOST]])  # fmt: skip


def _order(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name


def _caught(path: Path) -> Caught:
    message = _message(path)
    at = datetime.fromtimestamp(_order(path)[0], UTC)
    when = outline.moment(at, tongue.spoken(), site().config, now=site().app.clock())
    return Caught(name=path.name, to=str(message.get("To", "")), subject=_subject(message), when=when)


def letter(name: str) -> Response:
    message = _message(_path(name))
    headers = [(key, str(message[key])) for key in _SHOWN if message[key]]
    response = page(
        "outbox_letter.html", title=_subject(message),
        letter={"name": name, "subject": _subject(message), "headers": headers, "lang": message.get("Content-Language", "en")[:2],
                "has_html": _part(message, "html") is not None, "text_runs": _runs(_part(message, "plain") or "")},
    )  # fmt: skip
    response.headers["Content-Security-Policy"] = PAGE_WITH_FRAME
    return response


def letter_html(name: str) -> Response:
    html = _part(_message(_path(name)), "html")
    if html is None:
        abort(404)
    return framed(html)


def letter_raw(name: str) -> Response:
    response = make_response(_path(name).read_bytes())
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response


def _runs(text: str) -> list[Run]:
    """Every line as it stands, web addresses as links."""
    found: list[Run] = []
    for line in text.replace("\r\n", "\n").splitlines(keepends=True):
        end = 0
        for run in (run for paragraph in paragraphs(line) for run in paragraph if run.url):
            start = line.index(str(run.url), end)
            found += [Run(line[end:start]), Run(str(run.url), run.url)]
            end = start + len(str(run.url))
        found.append(Run(line[end:]))
    return found


def _folder() -> Path:
    return site().config.path(site().config.mail.folder)


def _path(name: str) -> Path:
    """A name can only be one of a letter in the folder itself."""
    path = _folder() / name
    if not _NAME.fullmatch(name) or not path.is_file():
        abort(404)
    return path


def _message(path: Path) -> EmailMessage:
    try:
        return message_from_bytes(path.read_bytes(), policy=policy.default)
    except FileNotFoundError:
        abort(404)


def _subject(message: EmailMessage) -> str:
    return str(message.get("Subject", "")) or tongue.words()("web.outbox_no_subject")


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else None
