"""Undo and redo out of the append-only log: which act is next, and how an item goes back to where it stood. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from digest.model import Edit, Issue, Item, ItemId, Placed
from digest.rules.edition import settled

# Acts on the words and the order of a draft. Approving, holding, accepting a warning are no edits: they stay.
EDITS = frozenset(
    {"keep", "cut", "put", "add", "reword", "write", "move up", "move down", "move top", "move bottom"}
)


@dataclass(frozen=True, slots=True)
class Trail:
    """done: acts that can be undone, the newest last; undone: acts that can be done again, the next one last."""

    done: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()


def trail(edits: Iterable[Edit]) -> Trail:
    """Reads the log from its first line. A new act ends what could have been done again."""
    done: list[Edit] = []
    undone: list[Edit] = []
    for edit in edits:
        if edit.act in EDITS:
            done.append(edit)
            undone.clear()
        elif edit.act == "undo" and done and done[-1].id == edit.detail.get("of"):
            undone.append(done.pop())
        elif edit.act == "redo" and undone and undone[-1].id == edit.detail.get("of"):
            done.append(undone.pop())
    return Trail(tuple(done), tuple(undone))


def row_of(placed: Iterable[Placed], item: ItemId) -> dict[str, Any]:
    """What the log keeps of an item in an issue; {} when the issue does not hold it."""
    for one in placed:
        if one.item.id == item:
            return {
                "section": one.section, "position": one.position, "title": dict(one.title), "blurb": dict(one.blurb),
                "chosen": one.chosen, "arrived_late": one.arrived_late,
            }  # fmt: skip
    return {}


def put_back(issue: Issue, item: Item, row: Mapping[str, Any]) -> tuple[Placed, ...]:
    """The item where `row` says, with the words it had; {}: not in the issue. Its neighbours close or open the gap."""
    here = next((p for p in issue.placed if p.item.id == item.id), None)
    others = [p for p in issue.placed if p.item.id != item.id]
    if not row:
        return settled(others)
    if row["section"] is None:
        return settled([*others, _as_it_was(here, item, row, position=int(row["position"]))])
    # Half a place in front of whoever closed the gap.
    order = {p.item.id: n for n, p in enumerate(_in(others, row["section"]))}
    back = _as_it_was(here, item, row, position=int(row["position"]) * 2)
    return settled([
        *(replace(p, position=order[p.item.id] * 2 + 1) if p.item.id in order else p for p in others), back,
    ])  # fmt: skip


def _as_it_was(here: Placed | None, item: Item, row: Mapping[str, Any], *, position: int) -> Placed:
    return replace(
        here or Placed(item=item, section=None, position=0),
        section=row["section"], position=position, title=row["title"], blurb=row["blurb"],
        chosen=bool(row.get("chosen", True)), arrived_late=bool(row.get("arrived_late", False)),
    )  # fmt: skip


def _in(placed: Iterable[Placed], section: str | None) -> list[Placed]:
    return sorted((p for p in placed if p.section == section), key=lambda p: p.position)
