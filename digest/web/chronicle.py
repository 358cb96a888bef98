"""The log of an issue in sentences: who did what, and what undo would take back. Titles are values, never markup."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from digest.model import Edit, Issue, IssueState, ItemId, Role
from digest.render import dates
from digest.render.view import section_name
from digest.rules.assemble import SECTIONS
from digest.rules.preflight import RULES
from digest.rules.undo import EDITS, trail
from digest.web import language as tongue
from digest.web import outline
from digest.web.site import site

_PLAIN = frozenset({"approve", "schedule", "hold", "begin", "pause", "resume", "release", "finish", "sign"})


@dataclass(frozen=True, slots=True)
class Way:
    """What one press of undo or redo would do. seen: the act it means; says: that act in words."""

    seen: int
    says: str


def ways(issue: Issue) -> dict[str, Way | None]:
    """undo and redo as they stand now, for the pages that offer them."""
    found = site().app.publish.history.trail(issue)
    nearest = {"undo": found.done[-1:], "redo": found.undone[-1:]}
    titles = _titles([edit for line in nearest.values() for edit in line])
    return {
        way: Way(line[0].id, sentence(line[0], titles, {})) if line else None for way, line in nearest.items()
    }


def half_approved(issue: Issue) -> str:
    """Where two people approve: who has so far, or had before the draft changed; "" when nobody has."""
    if site().config.desk.approvals < 2 or issue.state is not IssueState.DRAFT:
        return ""
    first = ""
    for edit in site().app.store.issues.edits(issue.id):
        first = edit.editor if edit.act == "sign" else "" if edit.act == "hold" else first
    if not first:
        return ""
    stands = first in site().app.publish.signers(issue.period)
    return tongue.words()("desk.half_approved" if stands else "desk.half_void", name=who(first, names()))


def lines(edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The whole log, newest first: when, who, what, and whether it has been undone."""
    edits = list(edits)
    titles, people = _titles(edits), names()
    by_id = {edit.id: edit for edit in edits}
    now, config = site().app.clock(), site().config
    gone = {edit.id for edit in edits if edit.act in EDITS} - {edit.id for edit in trail(edits).done}
    return [
        {
            "at": outline.moment(edit.at, tongue.spoken(), config, now=now), "who": who(edit.editor, people),
            "what": sentence(edit, titles, by_id), "is_undone": edit.id in gone,
        }
        for edit in reversed(edits)
    ]  # fmt: skip


def desk_lines(edits: Iterable[Edit]) -> list[dict[str, str]]:
    """The log of the desk itself: when, who, what."""
    people, words, now = names(), tongue.words(), site().app.clock()
    return [
        {
            "at": outline.moment(edit.at, tongue.spoken(), site().config, now=now), "who": who(edit.editor, people),
            "what": words(
                f"desk.desk_log_{edit.act.replace(' ', '_')}", whom=who(str(edit.detail.get("whom", edit.editor)), people),
                role=_role(edit.detail.get("role")), was=_role(edit.detail.get("was")), name=edit.detail.get("name", ""),
            ),
        }
        for edit in edits
    ]  # fmt: skip


def _role(name: object) -> str:
    return tongue.words()(f"desk.role_{name}") if name in set(Role) else ""


def item_lines(edits: Iterable[Edit], item: ItemId) -> list[dict[str, Any]]:
    """What was done to one item, newest first; before: the words that a rewording replaced, (language, words)."""
    about = [edit for edit in edits if edit.detail.get("item") == item]
    return [
        line | {"before": _before(edit)} for line, edit in zip(lines(about), reversed(about), strict=True)
    ]


def _before(edit: Edit) -> list[tuple[str, str]]:
    was, now = edit.detail.get("was"), edit.detail.get("now")
    if edit.act != "reword" or not isinstance(was, Mapping) or not isinstance(now, Mapping):
        return []
    found = []
    for field in ("title", "blurb"):
        old, new = was.get(field) or {}, now.get(field) or {}
        found += [
            (code, str(old.get(code, ""))) for code in sorted({*old, *new}) if old.get(code) != new.get(code)
        ]
    return found


def sentence(edit: Edit, titles: Mapping[int, str], by_id: Mapping[int, Edit]) -> str:
    """One act in words. titles: of items by number; by_id: the acts that undo and redo may speak of."""
    words, detail = tongue.words(), edit.detail
    if edit.act in {"undo", "redo"}:
        act = by_id.get(int(str(detail.get("of", 0))))
        return words(f"desk.log_{edit.act}", what=sentence(act, titles, {}) if act else "…")
    if edit.act == "write":
        field = words("desk.log_theme" if detail.get("field") == "theme" else "desk.log_note")
        return words("desk.log_write", field=field, language=str(detail.get("language", "")).upper())
    if edit.act == "test":
        return words("desk.log_test", language=str(detail.get("language", "")).upper())
    if edit.act == "accept":
        return words("desk.log_accept", rule=_rule(str(detail.get("rule", ""))), why=detail.get("why", ""))
    if edit.act == "correct":
        return words("desk.log_correct", words=detail.get("words", ""))
    if edit.act == "settle":
        return words(
            "desk.log_again" if detail.get("again") else "desk.log_settled",
            number=detail.get("delivery", ""),
        )
    if edit.act == "again":
        key = "desk.log_resent_failed" if detail.get("only") == "failed" else "desk.log_resent_joined"
        return words(key, count=detail.get("count", ""))
    if edit.act in EDITS:
        title = titles.get(int(str(detail.get("item", 0))), "…")
        now = detail.get("now")
        section = now.get("section") if isinstance(now, Mapping) else None
        name = section_name(section, tongue.spoken()) if section in SECTIONS else ""
        return words(f"desk.log_{edit.act.replace(' ', '_')}", title=title, section=name)
    if edit.act == "schedule" and "send_at" in detail:
        key = "desk.log_schedule_anew" if detail.get("was") else "desk.log_schedule_for"
        return words(key, when=_moment(detail["send_at"]), was=_moment(detail.get("was", detail["send_at"])))
    if edit.act == "hold" and "first" in detail:
        return words("desk.log_taken_back", n=int(str(detail["first"])))
    if edit.act == "leave out":
        return words("desk.log_leave_out", n=int(str(detail.get("count", 1))))
    return words(f"desk.log_{edit.act}") if edit.act in _PLAIN else words("desk.log_other", act=edit.act)


def _moment(at: object) -> str:
    found, zone = datetime.fromisoformat(str(at)), site().config.list.timezone
    return f"{dates.day(found, zone, tongue.spoken())}, {dates.hour(found, zone, tongue.spoken())}"


def _rule(id_: str) -> str:
    """What a check asks for, as the page of checks says it; the bare id of one that is gone."""
    known = any(rule.id == id_ for rule in RULES)
    return tongue.words()(f"preflight.{id_.replace('-', '_')}").rstrip(".") if known else id_


def who(editor: str, names: Mapping[str, str]) -> str:
    """An editor's short name; what a command or the clock did says so; somebody no longer here has a number."""
    words = tongue.words()
    if editor in {"command", "schedule", "digest"}:
        return words(f"desk.by_{editor}")
    return names.get(editor) or (words("desk.by_former", number=editor) if editor.isdigit() else editor)


def names() -> dict[str, str]:
    return {str(one.id): outline.short_name(one) for one in site().app.store.editors.all()}


def _titles(edits: Iterable[Edit]) -> dict[int, str]:
    numbers = {int(str(edit.detail["item"])) for edit in edits if "item" in edit.detail}
    return {item.id: item.title for item in site().app.store.items.get([ItemId(n) for n in sorted(numbers)])}
