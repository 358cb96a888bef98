"""The pool: all that has come in, to be taken into the next draft by a button. Looking and filtering change nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.model import Issue, IssueState, Item, ItemId, ItemKind, Language, OnShelf, Placed
from digest.render import dates
from digest.rules import assemble
from digest.web import chronicle, desk_twins, outline, sessions
from digest.web import language as tongue
from digest.web.desk_issue import found
from digest.web.pages import page, to
from digest.web.site import site

_MOST = 100
SNOOZE = timedelta(days=30)
_TABS = {"posts": ItemKind.POST, "events": ItemKind.EVENT}
_DAYS = ("7", "30")


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks for; anything that is not on offer counts as not asked."""

    tab: str
    source: str
    language: str
    shown: str  # "": what no issue holds; "all"; "asleep"
    days: str  # posts of so many last days, events of so many next ones; "": of any

    def query(self, **other: str) -> str:
        chosen = {
            "tab": self.tab,
            "source": self.source,
            "language": self.language,
            "shown": self.shown,
            "days": self.days,
            **other,
        }
        return urlencode({name: value for name, value in chosen.items() if value})


_TRIAGE = frozenset({"snooze", "wake", "pin", "unpin"})


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/pool", view_func=pool)
    blueprint.add_url_rule("/pool/triage", view_func=triage, methods=["POST"])
    blueprint.add_url_rule("/issues/<period>/add", view_func=add_item, methods=["POST"])


def pool() -> Response:
    words, now = tongue.words(), site().app.clock()
    issue, wanted = _draft(), _filter()
    inside = {p.item.id for p in issue.placed} if issue else set()
    used = site().app.store.issues.used_items()
    here = [item for item in _shelf(issue, now=now) if item.kind is _TABS[wanted.tab]]
    said = site().app.store.triage.words()
    asleep = {item for item, word in said.items() if word.until is not None and word.until > now}
    pinned = {item for item, word in said.items() if word.pinned}
    used = used - asleep if wanted.shown == "asleep" else used | asleep
    here = [item for item in here if wanted.shown != "asleep" or item.id in asleep]
    fits = [item for item in here if _fits(item, wanted, inside=inside, used=used, now=now)]
    fits.sort(key=lambda item: (item.dated, item.id), reverse=wanted.tab == "posts")
    fits.sort(key=lambda item: item.id not in pinned)
    items = site().app.store.items.get([item.id for item in fits[:_MOST]])
    placed = _placed(issue, items)
    return page(
        "desk/pool.html", title=words("desk.pool_title"), wanted=wanted, tabs=tuple(_TABS),
        sources=sorted({item.source for item in here}, key=str.casefold), languages=[code.value for code in Language],
        rows=[_row(item, placed.get(item.id), issue, is_used=item.id in used - asleep)
              | {"pinned": item.id in pinned, "asleep": item.id in asleep} for item in items],
        days=_DAYS, suggested=site().app.store.suggestions.count_open(),
        count=words("desk.pool_count", n=len(fits)), more=len(fits) > _MOST, most=_MOST,
        twins=desk_twins.count(), period=str(issue.period) if issue else "", may_edit=sessions.may_edit(),
        month=dates.month(issue.period, tongue.spoken()) if issue else "", frozen=None if issue else _frozen(),
        **_said(issue),
    )  # fmt: skip


def add_item(period: str) -> AnyResponse:
    """Into the issue, at the end of its section; back to the pool as it was filtered."""
    issue, number = found(period), request.form.get("item", type=int) or 0
    site().app.publish.add(issue.period, ItemId(number), by=sessions.by())
    return again(did="added")


def again(*, did: str) -> AnyResponse:
    """The pool as it was filtered, with a line that says what has just been done."""
    return redirect(to(f"/desk/pool?{_filter().query(did=did)}"), 303)


def triage() -> AnyResponse:
    """Puts an item off for a month, or pins it; it stays in the pool, and no draft changes."""
    number, act, now = request.form.get("item", type=int) or 0, request.form.get("act"), site().app.clock()
    if act not in _TRIAGE:
        abort(400)
    store = site().app.store
    if not store.items.get([ItemId(number)]):
        abort(404)
    until = now + SNOOZE if act == "snooze" else None
    was = store.triage.words().get(ItemId(number))
    before = "pin" if was and was.pinned else "snooze" if was and was.until and was.until > now else "wake"
    with store.write():
        store.triage.say(ItemId(number), until=until, pinned=act == "pin", editor=sessions.by(), at=now)
    query = _filter().query(did=str(act), item=str(number), before=before)
    return redirect(to(f"/desk/pool?{query}"), 303)


def _draft() -> Issue | None:
    """The oldest draft: the issue that editors are at."""
    waiting = [issue for issue in site().app.store.issues.all() if issue.state is IssueState.DRAFT]
    return site().app.store.issues.get(waiting[-1].period, bench=()) if waiting else None


def _frozen() -> dict[str, str] | None:
    """The oldest issue that waits to leave, when there is no draft: held, it takes things in again."""
    states = {IssueState.APPROVED, IssueState.SCHEDULED}
    waiting = [issue.period for issue in site().app.store.issues.all() if issue.state in states]
    return (
        {"period": str(waiting[-1]), "month": dates.month(waiting[-1], tongue.spoken())} if waiting else None
    )


def _placed(issue: Issue | None, items: Sequence[Item]) -> dict[ItemId, Placed]:
    """Where these items stand in the draft, bench and all."""
    if issue is None:
        return {}
    whole = site().app.store.issues.get(issue.period, bench=[item.id for item in items])
    return {p.item.id: p for p in whole.placed}


def _shelf(issue: Issue | None, *, now: datetime) -> list[OnShelf]:
    """Posts since the last cut-off, or of a month; events that are not over, as far as an issue looks ahead and as long
    again."""
    since = issue.since if issue else now - assemble.FIRST_LOOK_BACK
    return site().app.store.items.shelf(
        posts_since=since - assemble.LATE_ARRIVAL, posts_until=now, events_from=now,
        events_until=now + 3 * assemble.FIRST_LOOK_BACK,
    )  # fmt: skip


def _filter() -> Filter:
    asked = request.values
    names = {source.name for source in site().app.store.sources.all()}
    source, language = asked.get("source", ""), asked.get("language", "")
    return Filter(
        tab=asked["tab"] if asked.get("tab") in _TABS else "posts",
        source=source if source in names or len(source) <= 200 else "",
        language=language if language in set(Language) else "",
        shown=asked["shown"] if asked.get("shown") in {"all", "asleep"} else "",
        days=asked["days"] if asked.get("days") in _DAYS else "",
    )  # fmt: skip


def _fits(item: OnShelf, wanted: Filter, *, inside: set[ItemId], used: set[ItemId], now: datetime) -> bool:
    if wanted.days and abs(item.dated - now) > timedelta(days=int(wanted.days)):
        return False
    if wanted.source and item.source != wanted.source:
        return False
    if wanted.language and (item.language or "")[:2] != wanted.language:
        return False
    return wanted.shown == "all" or not (item.id in inside or item.id in used)


def _row(item: Item, placed: Placed | None, issue: Issue | None, *, is_used: bool) -> dict[str, Any]:
    words = tongue.words()
    shown = outline.row(placed or Placed(item=item, section=None, position=0), tongue.spoken(), site().config)
    where = ""
    if placed is not None:
        where = words("desk.pool_in" if placed.section else "desk.pool_bench")
    elif is_used:
        where = words("desk.pool_used")
    elif issue is not None and (why := _why_outside(item, issue)):
        where = words(f"desk.pool_why_{why}")
    can_add = not is_used and (placed is None or placed.section is None)
    return {"row": shown, "url": item.url, "where": where, "can_add": can_add}


def _why_outside(item: Item, issue: Issue) -> str:
    """Why an item of the pool is not in this draft, nor on its bench."""
    if item.first_seen > issue.until:
        return "new"
    if item.occasion is not None:
        return "later" if item.occasion.starts > issue.send_at else "before"
    return "older" if assemble.dated(item) <= issue.since else ""


def _said(issue: Issue | None) -> dict[str, Any]:
    """The line that says what has just been done, made anew from the log."""
    did, ways = request.args.get("did"), chronicle.ways(issue) if issue else {}
    if did in _TRIAGE:
        found = site().app.store.items.get([ItemId(request.args.get("item", 0, type=int) % 2**63)])
        before = request.args.get("before", "")
        says = tongue.words()(f"month.pool_did_{did}", title=found[0].title) if found else ""
        back = {"act": before, "item": found[0].id} if found and before in _TRIAGE else None
        return {"said": {"says": says, "seen": None, "back": back} if found else None}
    undo, redo = ways.get("undo"), ways.get("redo")
    if did == "undone" and redo:
        return {"said": {"says": tongue.words()("desk.log_undo", what=redo.says), "seen": None}}
    return {"said": undo if did == "added" else None}
