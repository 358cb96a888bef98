"""The desk's way to bring in a list: first a look, then the import. Between the two nothing of the file stays here."""

import csv
import io
import zlib
from base64 import b64decode, b64encode
from binascii import Error as EncodingError
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from digest import errors
from digest.join_roster import Report, bring
from digest.rules import consent, roster_block, roster_rows, roster_status
from digest.rules.consent import readings
from digest.rules.roster_columns import Line, neutral
from digest.web import language as tongue
from digest.web import sessions
from digest.web.pages import page
from digest.web.site import post_notices, site

# A few seconds' work, about forty thousand readers; what is larger comes in by the command line.
MOST_BYTES = 2_000_000
_LARGEST_UPLOAD, _LARGEST_FIELDS = 40_000_000, 3_000_000
_SHOWN = 50
_NAMES = {"listmonk": "listmonk", "digest": "digest", "constant-contact": "Constant Contact"}
_REASONS = {
    consent.NO_ADDRESS: "not_address", consent.A_FUNCTION: "function", consent.ONLY_THEY: "only_they",
    roster_block.TOO_OLD: "too_old", roster_rows.OPEN_QUOTE: "open_quote", roster_rows.SURPLUS: "surplus",
}  # fmt: skip


class Unreadable(Exception):
    """A form that cannot be used. key: the word for it, under desk.import_error_."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the form says. name: of the file, for the page only."""

    data: bytes = b""
    name: str = ""
    basis: str = ""
    origin: str = ""
    language: str = ""


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/people/import", view_func=list_page)
    blueprint.add_url_rule("/people/import", view_func=bring_list, methods=["POST"])


def make_room() -> None:
    """A list may be larger than any other form. Only here: who is not signed in is turned away before it is read."""
    if (request.endpoint or "").endswith(".bring_list"):
        request.max_content_length, request.max_form_memory_size = _LARGEST_UPLOAD, _LARGEST_FIELDS


def list_page() -> Response:
    if not sessions.may_invite():
        abort(403, "role")
    return _form(Typed())


def _form(typed: Typed, *, error: str = "") -> Response:
    words = tongue.words()
    return page(
        "desk/import.html", status=400 if error else 200, title=words("desk.import_title"), typed=typed,
        most=MOST_BYTES // 1_000_000, error=words(f"desk.import_error_{error}") if error else "",
        languages=[one.value for one in readings(site().config.list.languages)],
    )  # fmt: skip


def bring_list() -> AnyResponse:
    """look: says what would happen; rejects: the refused rows as a file; bring: does it. Twice is once.

    Keyed hashes that count for nothing here stop nobody: the look has said so.
    """
    typed, act = Typed(), request.form.get("act", "look")
    try:
        typed = _typed()
        rejects = io.StringIO()
        report = _brought(typed, dry_run=act != "bring", rejects=rejects)
    except Unreadable as error:
        return _form(typed, error=error.key)
    if act == "rejects":
        return _file(rejects.getvalue())
    if act == "bring":
        _log(report)
        post_notices()
    return _report(typed, report, is_done=act == "bring")


def _typed() -> Typed:
    """Raises Unreadable."""
    sent, upload = request.form, request.files.get("file")
    typed = Typed(
        data=_uploaded(upload) if upload else _unpacked(sent.get("list", "")),
        name=(upload.filename or "" if upload else sent.get("name", ""))[-100:],
        basis=sent.get("basis", ""), origin=sent.get("origin", "").strip()[:300],
        language=sent.get("language", "")[:9],
    )  # fmt: skip
    if not typed.data:
        raise Unreadable("none")
    if len(typed.data) > MOST_BYTES:
        raise Unreadable("large")
    if typed.basis not in {"express", "implied"} or not typed.origin:
        raise Unreadable("basis")
    return typed


def _uploaded(upload: FileStorage) -> bytes:
    """A large one lies in a temporary file, which goes with this."""
    with closing(upload):
        return bytes(upload.read(MOST_BYTES + 1))


def _unpacked(text: str) -> bytes:
    """The list as the page of the look carries it. Never more than may come in."""
    try:
        return zlib.decompressobj().decompress(b64decode(text, validate=True), MOST_BYTES + 1)
    except (EncodingError, ValueError, zlib.error):
        return b""


def _brought(typed: Typed, *, dry_run: bool, rejects: io.StringIO) -> Report:
    """Raises Unreadable."""
    app, rows = site().app, csv.writer(rejects, lineterminator="\r\n")
    words = tongue.words()

    def write(header: Sequence[str], line: Line, reason: str) -> None:
        if not rejects.tell():
            rows.writerow([words("desk.import_line"), words("desk.import_reason"), *map(neutral, header)])
        rows.writerow([line.number, _in_words(reason), *map(neutral, line.cells)])

    try:
        return bring(
            typed.data, join=app.join, store=app.store, basis=typed.basis, origin=typed.origin,
            language=typed.language or None, dry_run=dry_run, lets_go=True, on_refused=write,
        )  # fmt: skip
    except errors.InputRefused:
        raise Unreadable("file") from None


def _report(typed: Typed, report: Report, *, is_done: bool) -> Response:
    words, counts = tongue.words(), report.counts
    lines = [(number, _in_words(reason)) for number, reason in report.refused[:_SHOWN]]
    return page(
        "desk/import_report.html", title=words("desk.import_done" if is_done else "desk.import_look_title"),
        typed=typed, is_done=is_done, lines=lines, more=len(report.refused) - len(lines),
        source=_NAMES.get(report.source, "" if report.source in {"csv", "plain"} else report.source.title()),
        counts=[(words(f"desk.import_{name}"), counts[name]) for name in ("confirmed", "asked", "known", "left")],
        flags=[words(f"desk.import_{name}", lines=", ".join(map(str, numbers[:_SHOWN])), n=len(numbers))
               for name, numbers in (("shared", report.shared), ("odd", report.odd)) if numbers]
        + _columns(report) + _marks(report),
        refused=len(report.refused), packed=b64encode(zlib.compress(typed.data)).decode(),
        comes=counts["confirmed"] + counts["asked"] + counts["left"] + report.marks,
        foreign=words("desk.import_foreign", n=report.foreign) if report.foreign else "",
    )  # fmt: skip


def _columns(report: Report) -> list[str]:
    """One sentence each: which column of addresses was read, and which columns were not."""
    words, said = tongue.words(), list[str]()
    if report.rivals:
        said.append(words("desk.import_rivals", read=report.rivals[0], others=", ".join(report.rivals[1:])))
    if report.unread:
        said.append(words("desk.import_unread", names=", ".join(report.unread[:_SHOWN])))
    return said


def _marks(report: Report) -> list[str]:
    return [tongue.words()("desk.import_marks", n=report.marks)] if report.marks else []


def _in_words(reason: str) -> str:
    for begins, name in ((roster_status.UNCLEAR, "status"), (roster_status.NO_CONSENT, "no_consent")):
        if reason.startswith(begins):
            return tongue.words()(f"desk.import_why_{name}", what=reason.removeprefix(begins).rstrip("."))
    return tongue.words()(f"desk.import_why_{_REASONS.get(reason, 'unreadable')}")


def _file(text: str) -> Response:
    response = Response(b"\xef\xbb\xbf" + text.encode(), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="refused.csv"'
    return response


def _log(report: Report) -> None:
    app = site().app
    detail: dict[str, Any] = {**report.counts, "refused": len(report.refused), "sha256": report.sha256}
    with app.store.write():
        app.store.desk_log.add("import", editor=sessions.by(), at=app.clock(), detail=detail)
