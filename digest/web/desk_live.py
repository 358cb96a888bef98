"""What the desk's scripts ask while a page stands open: save one field, say who is here. The same rules as the forms."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from digest.errors import Conflict, InputRefused, MoveRefused, NotFound
from digest.model import Edit, Issue, ItemId, Language
from digest.rules.edition import must_be_draft
from digest.rules.undo import EDITS
from digest.web import language as tongue
from digest.web import outline, sessions
from digest.web.desk_issue import found, marked, why
from digest.web.presence import Seat
from digest.web.site import site

_NAME = re.compile(r"(title|blurb|note|theme)-([a-z]{2,4})")


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/issues/<period>/save", view_func=save_field, methods=["POST"])
    blueprint.add_url_rule("/issues/<period>/here", view_func=say_here, methods=["POST"])


# --- one field ---------------------------------------------------------------------------------------------------


def save_field(period: str) -> Response:
    """One text: 200 with what stands now; 409 with the other's words, or with why nothing can be changed.

    `seen` is what the writer's page showed, the revision this text was written on. The same editor in two windows: the
    newest wins, and the log keeps what was there.
    """
    item = request.form.get("item", type=int)
    bench = [item] if item and item < 2**63 else []
    issue = found(period, bench=bench)
    name, language = _field(request.form.get("name", ""))
    typed, seen = request.form.get("words", ""), request.form.get("seen", "")
    try:
        try:
            _write(issue, item, name, language, typed, seen=seen)
        except Conflict:
            now = _stands(found(period, bench=bench), item, name, language)
            if not _is_mine(site().app.store.issues.edits(issue.id), item, name, language):
                return _answer({"theirs": now}, 409)
            _write(issue, item, name, language, typed, seen=now)
    except NotFound:  # merged, or taken off the bench: the text stays with whoever wrote it
        return _answer({"refused": tongue.words()("live.no_place")}, 404)
    except (InputRefused, MoveRefused) as refused:
        status = 409 if isinstance(refused, MoveRefused) else 400
        return _answer({"refused": why(refused)}, status)
    return _answer({"now": _stands(found(period, bench=bench), item, name, language)})


def _field(name: str) -> tuple[str, Language]:
    match = _NAME.fullmatch(name)
    if match is None or match[2] not in set(site().config.list.languages):
        abort(400)
    return match[1], Language(match[2])


def _write(issue: Issue, item: int | None, name: str, language: Language, typed: str, *, seen: str) -> None:
    publish, by = site().app.publish, sessions.by()
    must_be_draft(issue)
    if item is None:
        publish.write(issue.period, field=name, language=language, words=typed, by=by, seen=seen)
    elif name == "title":
        publish.reword(issue.period, ItemId(item), language=language, by=by, title=typed, seen=(seen, ""))
    else:
        publish.reword(issue.period, ItemId(item), language=language, by=by, blurb=typed, seen=("", seen))


def _stands(issue: Issue, item: int | None, name: str, language: Language) -> str:
    if item is None:
        return issue.text(name, language)
    placed = next((p for p in issue.placed if p.item.id == item), None)
    words = {} if placed is None else placed.title if name == "title" else placed.blurb
    return words.get(language, "")


def _is_mine(edits: Iterable[Edit], item: int | None, name: str, language: Language) -> bool:
    """Whether the last who changed this very text was this editor, in another window."""
    for edit in reversed([edit for edit in edits if edit.act in EDITS | {"undo", "redo"}]):
        detail = edit.detail
        if edit.act in {"undo", "redo"}:
            return False  # it may have been anybody's word that came back
        if item is None and (detail.get("field"), detail.get("language")) == (name, language.value):
            return edit.editor == sessions.by()
        was, now = (_word(detail, side, name, language) for side in ("was", "now"))
        if item is not None and detail.get("item") == item and edit.act == "reword" and was != now:
            return edit.editor == sessions.by()
    return False


def _word(detail: Mapping[str, Any], side: str, name: str, language: Language) -> str | None:
    row = detail.get(side)
    words = row.get(name) if isinstance(row, Mapping) else None
    return words.get(language.value) if isinstance(words, Mapping) else None


# --- who is here -------------------------------------------------------------------------------------------------


def say_here(period: str) -> Response:
    """A page says that it is open, and where its editor writes; it hears who else is, and whether the draft moved on."""
    issue, where = found(period), request.form.get("where", "")[:40]
    who = sessions.editor()
    others = site().presence.here(
        issue.period, editor=who.id, name=outline.short_name(who), where=where, now=site().app.clock()
    )
    return _answer({
        "mark": marked(issue), "said": ", ".join(_sentence(seat) for seat in others),
        "others": [{"name": seat.name, "where": seat.where, "says": _sentence(seat)} for seat in others],
    })  # fmt: skip


def _sentence(seat: Seat) -> str:
    words = tongue.words()
    match = _NAME.fullmatch(seat.where.rpartition("/")[2])
    if match is None:
        return words("live.is_here", name=seat.name)
    return words(f"live.writes_{match[1]}", name=seat.name, language=match[2].upper())


def _answer(values: dict[str, object], status: int = 200) -> Response:
    response = jsonify(values)
    response.status_code = status
    return response
