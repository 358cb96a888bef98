"""Taking an edit back, and doing it again: by anyone, across reloads. Each is itself a line of the log; none is removed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol

from digest.errors import Conflict, MoveRefused
from digest.model import Edit, Issue, IssueId, Item, ItemId, Period, Placed
from digest.rules import edition, undo

Way = Literal["undo", "redo"]


class Issues(Protocol):
    """Issues with their log."""

    def get(self, period: Period, *, bench: Collection[ItemId] | None = None) -> Issue: ...
    def edits(self, issue_id: IssueId) -> list[Edit]: ...
    def place(
        self, issue_id: IssueId, placed: Sequence[Placed], *, was: Sequence[Placed] | None = None
    ) -> None: ...
    def write_text(self, issue_id: IssueId, *, field: str, language: str, words: str) -> None: ...
    def bump(self, issue_id: IssueId, *, revision: int) -> bool: ...
    def log(
        self, issue_id: IssueId, *, editor: str, act: str, detail: Mapping[str, Any], at: datetime
    ) -> None: ...


class Pool(Protocol):
    def get(self, ids: Sequence[ItemId]) -> list[Item]: ...


class Store(Protocol):
    """What this verb needs of the store."""

    @property
    def issues(self) -> Issues: ...
    @property
    def items(self) -> Pool: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class Undo:
    """The way back through one issue's log."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def trail(self, issue: Issue) -> undo.Trail:
        """What can be undone and done again now."""
        return undo.trail(self._store.issues.edits(issue.id))

    def step(self, period: Period, way: Way, *, by: str, seen: int | None = None) -> tuple[Issue, Edit]:
        """One act back or forth; the issue as it is now, and the act.

        seen: the id of the act the editor saw; raises Conflict when it is not the next one any more, MoveRefused when
        there is none or the issue is no draft.
        """
        with self._store.write():
            issue = self._store.issues.get(period, bench=())
            edition.must_be_draft(issue)
            found = self.trail(issue)
            line = found.done if way == "undo" else found.undone
            if not line:
                raise MoveRefused(f"There is nothing to {way} in {period}.", key=f"desk.why_no_{way}")
            act = line[-1]
            if seen is not None and act.id != seen:
                raise Conflict(f"Somebody did something else in {period} meanwhile.", key="desk.why_moved_on")
            self._apply(issue, act, "was" if way == "undo" else "now")
            self._store.issues.bump(issue.id, revision=issue.revision)
            self._store.issues.log(issue.id, editor=by, act=way, detail={"of": act.id}, at=self._clock())
            return self._store.issues.get(period, bench=_items_of(act)), act

    def _apply(self, issue: Issue, act: Edit, side: Literal["was", "now"]) -> None:
        detail: Mapping[str, Any] = act.detail
        if act.act == "write":
            self._store.issues.write_text(
                issue.id, field=detail["field"], language=detail["language"], words=detail[side]
            )
            return
        items = self._store.items.get(_items_of(act))
        if not items:
            raise MoveRefused("That item is no longer in the pool.", key="desk.why_item_gone")
        here = self._store.issues.get(issue.period, bench=_items_of(act))
        self._store.issues.place(issue.id, undo.put_back(here, items[0], detail[side]), was=here.placed)


def _items_of(act: Edit) -> list[ItemId]:
    """The item that an act is about, if it is about one."""
    return [ItemId(int(str(act.detail["item"])))] if "item" in act.detail else []
