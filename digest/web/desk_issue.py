"""One issue on the desk: outline, letter, and an editor's moves. Every move is one form; whoever lost a race loses no word."""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.errors import Conflict, InputRefused, MoveRefused, NotFound
from digest.model import Edition, Issue, IssueState, ItemId, Language, Period, Placed, Reading
from digest.render import dates
from digest.render.view import issue_view, section_name, source_name
from digest.rules.assemble import SECTIONS
from digest.rules.consent import readings
from digest.rules.edition import changed
from digest.rules.preflight import Check, mark
from digest.web import chronicle, outline, sessions
from digest.web import language as tongue
from digest.web.pages import page, to
from digest.web.site import site

VIEWS = ("600", "375", "text")
LOOKS = ("light", "dark", "bare", "word")
_LETTER_LIMIT_KB = 100
_BENCH_SHOWN = 60
_ISSUE = "/issues/<period>/"
_ITEM = f"{_ISSUE}items/<int:number>"


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule(_ISSUE, view_func=issue_page)
    rule(f"{_ISSUE}note", view_func=note_page)
    rule(f"{_ISSUE}note", view_func=write_note, methods=["POST"])
    rule(_ITEM, view_func=item_page)
    rule(_ITEM, view_func=reword, methods=["POST"])
    rule(f"{_ITEM}/move", view_func=move, methods=["POST"])


def found(period: str, *, bench: Collection[int] = ()) -> Issue:
    """The issue; bench: which of what waits there comes along, for it may hold thousands. Raises NotFound."""
    try:
        return site().app.store.issues.get(Period.parse(period), bench=[ItemId(n) for n in bench])
    except ValueError:
        raise NotFound("There is no such issue.") from None


def back(issue: Issue, **said: object) -> AnyResponse:
    """To the desk of this issue, where a line says what has just been done."""
    query = urlencode({**said, **_looks()})
    return redirect(to(f"/desk/issues/{issue.period}/{'?' if query else ''}{query}"), 303)


def _looks() -> dict[str, str]:
    """Which letter the editor was looking at, and how wide: kept over every form."""
    chosen = {}
    if request.values.get("letter") in readings(site().config.list.languages):
        chosen["letter"] = request.values["letter"]
    if request.values.get("view") in VIEWS:
        chosen["view"] = request.values["view"]
    if request.values.get("look") in LOOKS:
        chosen["look"] = request.values["look"]
    return chosen


# --- the page ----------------------------------------------------------------------------------------------------


def issue_page(period: str) -> Response:
    issue, language, config = _with_bench(found(period)), tongue.spoken(), site().config
    words, now = tongue.words(), site().app.clock()
    looks = _looks()
    letter = Reading(
        looks.get("letter", language if language in config.list.languages else config.list.languages[0])
    )
    view = looks.get("view", "600")
    preview = site().app.publish.preview(issue.period, letter)
    return page(
        "desk/issue.html", title=outline.capital(dates.month(issue.period, language)), **frame(issue),
        can_change=_can_change(issue), half=chronicle.half_approved(issue),
        sections=outline.sections(issue, language, config), bench=outline.bench(issue, language, config),
        bench_size=site().app.store.issues.bench_counts(issue.id).all_of_it,
        note=outline.note_summary(issue, config.list.languages, words), theme=issue.text("theme", language),
        saved=outline.saved(site().app.store.issues.edits(issue.id), issue, language, config, now=now),
        letter=letter.value, view=view, views=VIEWS, letters=readings(config.list.languages),
        look=looks.get("look", ""), looks_on_offer=LOOKS,
        text=site().app.press.preview(preview)[1] if view == "text" else "",
        weight=words("desk.weight", size=dates.number(_kilobytes(preview), language), most=_LETTER_LIMIT_KB),
        minutes=words("desk.minutes", n=issue_view(issue, letter.first, config).minutes),
        said=_said(issue), ways=chronicle.ways(issue),
        at=request.args.get("item", type=int), did=request.args.get("did", ""), **checks_of(issue),
    )  # fmt: skip


def _with_bench(issue: Issue) -> Issue:
    """With as much of its bench as a page shows, and the item that was moved last."""
    shown = site().app.store.issues.bench(issue.id, most=_BENCH_SHOWN)
    moved = request.args.get("item", type=int)
    return found(str(issue.period), bench=[*shown, *([moved] if moved and moved < 2**63 else [])])


def _can_change(issue: Issue) -> bool:
    return issue.state is IssueState.DRAFT and sessions.may_edit()


def marked(issue: Issue) -> str:
    return outline.mark(issue, waiting=site().app.store.issues.bench_counts(issue.id))


def frame(issue: Issue) -> dict[str, Any]:
    """What the head of every page about an issue needs."""
    language, config = tongue.spoken(), site().config
    return {
        "issue": issue, "mark": marked(issue), "looks": _looks(),
        "period": str(issue.period), "month": outline.capital(dates.month(issue.period, language)),
        "month_inside": dates.month(issue.period, language),
        "state": issue.state.value, "steps": outline.steps(issue, tongue.words()),
        "due": outline.due(issue, language, config, now=site().app.clock()), "may_approve": sessions.may_approve(),
        "may_edit": sessions.may_edit(), "has_left": issue.state in {IssueState.SENDING, IssueState.PAUSED, IssueState.SENT},
    }  # fmt: skip


def checks_of(issue: Issue) -> dict[str, Any]:
    """The checks, what stops first, with their sums for the bar."""
    checks = site().app.publish.preflight(issue.period)
    order = {"block": 0, "warn": 1, "info": 2}
    failing = [check for check in checks if check.outcome == "fail"]
    marks = {rule: mark([one for one in failing if one.id == rule]) for rule in {one.id for one in failing}}
    in_order = sorted(checks, key=lambda c: (c.outcome != "fail", order[c.severity]))
    return {
        "checks": [_check(check, marks.get(check.id, "")) for check in in_order],
        "stops": sum(1 for check in failing if check.severity == "block"),
        "warnings": sum(1 for check in failing if check.severity == "warn"),
    }  # fmt: skip


def _check(check: Check, seen: str) -> dict[str, Any]:
    message = check.message_fr if tongue.spoken() is Language.FR else check.message_en
    kind = check.severity if check.outcome == "fail" else check.outcome.replace("-", "_")
    can_pass = check.severity == "warn" and check.outcome == "fail"
    return {"id": check.id, "mark": kind, "seen": seen, "message": message, "outcome": check.outcome,
            "fix": _where_to_mend(check) if check.outcome == "fail" else "", "can_pass": can_pass}  # fmt: skip


def _where_to_mend(check: Check) -> str:
    """The page and field behind a fault, as the desk knows them; "" for what only the operator can mend."""
    kind, _, name = check.where.partition(":")
    code = (check.language or site().config.list.languages[0]).partition("+")[0]
    if kind == "item":
        return f"items/{name}#{'title' if check.id == 'item-title' else 'blurb'}-{code}"
    if kind == "section":
        return f"#sec-{name}"
    field = {"subject": "theme", "theme": "theme", "preheader": "note", "note": "note"}.get(kind)
    return f"note#{field}-{code}" if field else ""


def _kilobytes(edition: Edition) -> int:
    return max(1, round(len(edition.html.encode()) / 1000))


def _said(issue: Issue) -> dict[str, Any] | None:
    """The line that says what has just been done, made anew from what stands now; nothing in it comes from the address."""
    did, words = request.args.get("did", ""), tongue.words()
    if did in {"undo", "redo"}:
        way = chronicle.ways(issue)["redo" if did == "undo" else "undo"]
        return {"text": words(f"desk.log_{did}", what=way.says)} if way else None
    if did in {
        "assembled",
        "noted",
        "tested",
        "held",
        "taken",
        "signed",
        "approved",
        "scheduled",
        "paused",
        "nothing",
    }:
        return {"text": words(f"desk.did_{did}", when=outline.due(issue, tongue.spoken(), site().config,
                                                                 now=site().app.clock()).day)}  # fmt: skip
    number = request.args.get("item", type=int)
    placed = next((p for p in issue.placed if p.item.id == number), None)
    if placed is None or did not in {"up", "down", "top", "put", "keep", "cut", "reword"}:
        return None
    title, section = placed.title.get(tongue.spoken(), "") or placed.item.title, placed.section
    if did in {"cut", "put"} and section is None:
        return {"text": words("desk.did_cut", title=title)}
    if did in {"up", "down", "top", "keep"} and section is None:
        return {"text": words("desk.did_gone", title=title)}
    if did == "reword" or section is None:
        return {"text": words("desk.did_reword", title=title)}
    name, row = section_name(section, tongue.spoken()), issue.section(section)
    slots = {"title": title, "section": name, "place": row.index(placed) + 1, "count": len(row)}
    return {"text": words("desk.did_keep" if did == "keep" else "desk.did_move", **slots)}


# --- moves -------------------------------------------------------------------------------------------------------


def move(period: str, number: int) -> AnyResponse:
    """up, down, top, cut, or keep in a section: a button each, no script needed. put: where a hand let go of it."""
    issue, act, item = found(period), request.form.get("act", ""), ItemId(number)
    publish, by = site().app.publish, sessions.by()
    if act == "up":
        issue = publish.move(issue.period, item, direction="up", by=by)
    elif act == "down":
        issue = publish.move(issue.period, item, direction="down", by=by)
    elif act == "top":
        issue = publish.move(issue.period, item, direction="top", by=by)
    elif act == "cut":
        issue = publish.cut(issue.period, item, by=by)
    elif act == "put":
        section, before = request.form.get("section") or None, request.form.get("before", type=int)
        issue = publish.put(
            issue.period, item, section=section, before=ItemId(before) if before else None, by=by
        )
    elif act == "keep":
        issue = publish.keep(issue.period, item, by=by, section=request.form.get("section") or None)
    else:
        abort(400)
    return back(issue, did=act, item=number)


# --- words -------------------------------------------------------------------------------------------------------


def note_page(period: str) -> Response:
    issue = found(period)
    return _note(issue, {code: {"theme": issue.text("theme", code), "note": issue.text("note", code)}
                         for code in site().config.list.languages})  # fmt: skip


def why(refused: InputRefused | MoveRefused) -> str:
    return tongue.words()(refused.key, **refused.slots) if refused.key else str(refused)


def _note(issue: Issue, texts: dict[Any, dict[str, str]], *, theirs: dict[tuple[str, str], str] | None = None,
          refused: str = "", status: int = 200) -> Response:  # fmt: skip
    words = tongue.words()
    seen = {code: {"theme": issue.text("theme", code), "note": issue.text("note", code)} for code in texts}
    return page("desk/note.html", status=status, title=words("desk.note_title"), **frame(issue), texts=texts, seen=seen,
                theirs=theirs or {}, refused=refused, most=outline.NOTE_WORDS, can_change=_can_change(issue))  # fmt: skip


def write_note(period: str) -> AnyResponse:
    """Saves theme and note, each text by itself; one that somebody else changed is shown beside what was typed here."""
    issue = found(period)
    theirs: dict[tuple[str, str], str] = {}
    typed = {code: {field: _typed(f"{field}-{code}", now=issue.text(field, code)) for field in ("theme", "note")}
             for code in site().config.list.languages}  # fmt: skip
    for code in typed:
        for field in ("theme", "note"):
            name = f"{field}-{code}"
            if name not in request.form:
                continue
            try:
                site().app.publish.write(issue.period, field=field, language=code, words=request.form[name],
                                         by=sessions.by(), seen=request.form.get(f"seen-{name}"))  # fmt: skip
            except Conflict as conflict:
                theirs[field, code] = conflict.theirs
            except MoveRefused as refused:
                return _note(found(period), typed, refused=why(refused), status=409)
    if theirs:
        return _note(found(period), typed, theirs=theirs, status=409)
    return back(issue, did="noted")


def _typed(name: str, *, now: str) -> str:
    """What was typed into a field; one that was left as the form showed it holds what stands there now."""
    typed = request.form.get(name)
    return (
        now if typed is None or changed(typed, seen=request.form.get(f"seen-{name}", "")) is None else typed
    )


def item_page(period: str, number: int) -> Response:
    issue = found(period, bench=[number])
    return _item(issue, _placed(issue, number), {})


def _placed(issue: Issue, number: int) -> Placed:
    for placed in issue.placed:
        if placed.item.id == number:
            return placed
    raise NotFound("There is no such item in this issue.")


def _item(
    issue: Issue, placed: Placed, typed: dict[Any, dict[str, str]], *, theirs: dict[str, str] | None = None,
    refused: str = "",
) -> Response:  # fmt: skip
    words, config = tongue.words(), site().config
    own = {code: {"title": placed.title.get(code, ""), "blurb": placed.blurb.get(code, "")}
           for code in config.list.languages}  # fmt: skip
    return page(
        "desk/item.html", status=409 if theirs or refused else 200, title=words("desk.item_title"), **frame(issue),
        item=placed.item, source=source_name(placed.item.source, tongue.spoken()),
        row=outline.row(placed, tongue.spoken(), config), texts=own | typed, seen=own, theirs=theirs or {},
        refused=refused, can_change=_can_change(issue),
        section=placed.section or "", sections=[(name, section_name(name, tongue.spoken())) for name in SECTIONS],
        lines=chronicle.item_lines(site().app.store.issues.edits(issue.id), placed.item.id),
    )  # fmt: skip


def reword(period: str, number: int) -> AnyResponse:
    """An editor's own title and blurb per language; empty gives the source's words back."""
    issue = found(period, bench=[number])
    placed = _placed(issue, number)
    theirs: dict[str, str] = {}
    typed: dict[Any, dict[str, str]] = {}
    for code in site().config.list.languages:
        own = {"title": placed.title.get(code, ""), "blurb": placed.blurb.get(code, "")}
        typed[code] = {name: _typed(f"{name}-{code}", now=now) for name, now in own.items()}
    for code in typed:
        restored = request.form.get("restore") == code  # the source's own words, whatever the fields hold
        texts = {
            name: "" if restored else request.form.get(f"{name}-{code}", "") for name in ("title", "blurb")
        }
        seen = request.form.get(f"seen-title-{code}", ""), request.form.get(f"seen-blurb-{code}", "")
        if all(changed(typed, seen=was) is None for typed, was in zip(texts.values(), seen, strict=True)):
            continue
        try:
            site().app.publish.reword(
                issue.period, ItemId(number), language=code, by=sessions.by(), **texts, seen=seen
            )
        except Conflict as conflict:
            theirs[code] = conflict.theirs
        except MoveRefused as refused:
            issue = found(period, bench=[number])
            return _item(issue, _placed(issue, number), typed, refused=why(refused))
    if theirs:
        issue = found(period, bench=[number])
        return _item(issue, _placed(issue, number), typed, theirs=theirs)
    return back(issue, did="reword", item=number)
