"""The desk's page of sources: how each is doing, what is behind an address, add, pause, resume, move, remove. No rule is here."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from digest.collect_adopt import Adopt, Proposal
from digest.errors import InputRefused, SourceError
from digest.model import Language, Source
from digest.render import dates
from digest.rules.plan import has_gap, has_turned_lately, how_bad, moved_for_good
from digest.rules.visit_words import exactly_in_words, in_words
from digest.web import desk_health, outline, sessions
from digest.web import language as tongue
from digest.web.pages import page, to
from digest.web.site import site
from digest.words import Words

_DONE = ("added", "paused", "resumed", "removed", "moved")
_LONGEST_URL = 2_000
_KINDS = frozenset({"medium", "feed", "ical", "event-page"})  # those that have a name in words


def add_doors(blueprint: Blueprint) -> None:
    rule = blueprint.add_url_rule
    rule("/sources", view_func=sources)
    rule("/sources/look", view_func=look_at_source, methods=["POST"])
    rule("/sources/add", view_func=add_source, methods=["POST"])
    rule("/sources/change", view_func=change_source, methods=["POST"])


def sources() -> Response:
    words, did = tongue.words(), request.args.get("did", "")
    return _sources(said=words(f"sources.did_{did}") if did in _DONE else "")


def look_at_source() -> Response:
    """Says what is behind the address; nothing is remembered before somebody presses Add."""
    pasted = request.form.get("url", "").strip()[:_LONGEST_URL]
    try:
        return _sources(pasted=pasted, found=_shown(_adopt().look(pasted, exactly=_exact())))
    except (SourceError, InputRefused) as error:
        return _sources(pasted=pasted, error=_sentence(error), status=400)


def add_source() -> AnyResponse:
    """Looks once more, since a form may hold anything; then it is a source."""
    pasted = request.form.get("url", "").strip()[:_LONGEST_URL]
    try:
        adopt = _adopt()
        proposal = adopt.look(pasted, exactly=_exact())
        adopt.add(proposal, name=request.form.get("name", "")[:200] or None)
    except (SourceError, InputRefused) as error:
        return _sources(pasted=pasted, error=_sentence(error), status=400)
    return redirect(to("/desk/sources?did=added"), 303)


def change_source() -> AnyResponse:
    """pause, resume, remove, or move to the new address. Raises NotFound: a page says so."""
    adopt, name, act = _adopt(), request.form.get("source", ""), request.form.get("act", "")
    acts = {
        "paused": lambda: adopt.pause(name),
        "resumed": lambda: adopt.pause(name, paused=False),
        "removed": lambda: adopt.remove(name),
        "moved": lambda: adopt.accept_move(name),
    }
    if act not in acts:
        return _sources(status=400)
    try:
        acts[act]()
    except InputRefused as error:
        return _sources(error=_sentence(error), status=400)
    return redirect(to(f"/desk/sources?did={act}"), 303)


def _sources(
    *,
    said: str = "",
    error: str = "",
    pasted: str = "",
    found: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    words = tongue.words()
    past = desk_health.health()
    lines = [{**source_line(source), "past": past[source.id]} for source in site().app.store.sources.all()]
    lines.sort(key=lambda line: not line["error"])  # what fails first, each in its order
    return page(
        "desk/sources.html", status=status, title=words("desk.sources_title"), sources=lines, said=said, error=error,
        kind_name=_kind_name, pasted=pasted, found=found, may_edit=sessions.may_edit(),
        failing=sum(1 for line in lines if line["error"]),
    )  # fmt: skip


def _kind_name(kind: str) -> str:
    """In words; one that nobody knows as config.toml has it."""
    return tongue.words()(f"sources.kind_{kind.replace('-', '_')}") if kind in _KINDS else kind


def source_line(source: Source) -> dict[str, Any]:
    """How one is doing: what happened, since when, what was kept, when we try again, and what may be done."""
    words, config, now = tongue.words(), site().config, site().app.clock()

    def said(at: datetime | None) -> str:
        return outline.moment(at, tongue.spoken(), config, now=now) if at else ""

    kept = (
        words("desk.kept_since", when=said(source.last_ok_at))
        if source.last_ok_at
        else words("desk.kept_nothing")
    )
    moved = moved_for_good(source, now=now)
    return {
        "name": source.name, "url": source.url, "kind": source.kind or words("desk.kind_unknown"),
        "good": said(source.last_ok_at), "last": said(source.last_visit_at),
        "next": "" if source.paused else said(source.next_at),
        "error": _failure(source) if source.fail_count else "", "kept": kept if source.fail_count else "",
        "exactly": _exactly(source), "shade": how_bad(source, now=now),
        "since": said(source.failing_since) if source.fail_count else "", "fails": source.fail_count,
        "paused": source.paused, "added": source.added, "moved_to": moved,
        "moved": words("sources.moved", url=moved) if moved else "",
        "undated": words(f"sources.most_{source.undated.replace('-', '_')}") if source.undated else "",
        "turned": _turned(source) if has_turned_lately(source, now=now) else "",
        "gap": words("sources.gap") if has_gap(source, now=now) else "",
        "left_out": f"{words('sources.left_out', n=source.left_out)} {left_out(source, words)}" if source.left_out else "",
    }  # fmt: skip


def _turned(source: Source) -> str:
    """A feed that became a calendar, or the other way round."""
    zone, at = site().config.list.timezone, source.turned_at
    when = dates.day(at, zone, tongue.spoken()) if at else ""
    return tongue.words()(
        "sources.turned", was=_kind_name(source.was_kind), now=_kind_name(source.kind), when=when
    )


def left_out(source: Source, words: Words) -> str:
    """The first thing in its last answer that could not be read, and why."""
    return words(f"sources.left_{source.left_out_why}", what=source.left_out_first)


def _failure(source: Source) -> str:
    """As exactly as the visit put it; in French by the sort of failure where we have no words for more."""
    kind = (source.last_error_kind or "").replace("-", "_")
    if source.paused and kind == "gone":
        return tongue.words()("sources.paused_gone")
    if kind and (tongue.spoken() is not Language.EN or not source.last_error):
        return in_words(source.last_error, kind, tongue.words())
    return source.last_error or ""


def _exactly(source: Source) -> str:
    """The visit's own sentence, in English, where the page has told the sort of failure alone."""
    said, kind = source.last_error, (source.last_error_kind or "").replace("-", "_")
    if not said or not kind or not source.fail_count:
        return ""  # without a sort, as an older store may hold it, the page tells the sentence itself
    is_told = _failure(source) == said or exactly_in_words(said, tongue.words())
    return "" if is_told or (source.paused and kind == "gone") else said


def _sentence(error: Exception) -> str:
    if isinstance(error, SourceError) and tongue.spoken() is not Language.EN:
        return in_words(str(error), error.kind.value, tongue.words())
    key = getattr(error, "key", "")
    return tongue.words()(key, **getattr(error, "slots", {})) if key else str(error)


def _shown(proposal: Proposal) -> dict[str, Any]:
    words, language, zone = tongue.words(), tongue.spoken(), site().config.list.timezone
    counts = [
        words(f"sources.{what}", n=n)
        for what, n in (("posts", proposal.posts), ("events", proposal.events))
        if n
    ]
    spoken = proposal.language or proposal.heard
    how = "in" if proposal.language or proposal.throughout else "mostly"
    return {
        "name": proposal.name, "url": proposal.url, "kind": proposal.kind, "titles": proposal.titles,
        "counts": words("sources.and").join(counts) or words("sources.nothing_yet"),
        "language": words(f"sources.{how}_{spoken}" if spoken in ("en", "fr") else "sources.in_other"),
        "lang": proposal.language or (proposal.heard if proposal.throughout else None) or "",
        "newest": dates.day(proposal.newest, zone, language, year=True) if proposal.newest else "",
        "known": proposal.known, "others": [_shown(other) for other in proposal.others],
    }  # fmt: skip


def _exact() -> bool:
    return request.form.get("exactly") == "1"


def _adopt() -> Adopt:
    app = site().app
    return Adopt(app.store, app.collect, clock=app.clock)
