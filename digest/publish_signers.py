"""Where two people must approve: who has so far. Only who may approve now counts, whatever they might do then."""

from collections.abc import Sequence
from typing import Protocol

from digest.errors import MoveRefused
from digest.model import Edit, Editor, Issue, IssueId, Role

_MAY_APPROVE = frozenset({Role.APPROVER, Role.ADMIN})


class Log(Protocol):
    """`store.issues`."""

    def edits(self, issue_id: IssueId) -> list[Edit]: ...


class People(Protocol):
    """`store.editors`."""

    def all(self) -> Sequence[Editor]: ...


class Desk(Protocol):
    """The log, and who sits there now."""

    @property
    def issues(self) -> Log: ...
    @property
    def editors(self) -> People: ...


def signers(desk: Desk, issue: Issue, letters: str) -> set[str]:
    """Who has approved these very letters since the last hold, and may still approve."""
    found: set[str] = set()
    for edit in desk.issues.edits(issue.id):
        if edit.act == "sign" and edit.detail.get("hash") == letters:
            found.add(edit.editor)
        elif edit.act == "hold":
            found.clear()
    return found & {str(one.id) for one in desk.editors.all() if one.role in _MAY_APPROVE}


def is_second(desk: Desk, issue: Issue, *, by: str, letters: str) -> bool:
    """Whether one more approval is the last that is needed. Raises MoveRefused."""
    if not by.isdigit():
        raise MoveRefused("Two people must approve this issue, at the desk.", key="desk.why_two_at_desk")
    before = signers(desk, issue, letters)
    if before == {by}:
        raise MoveRefused("Somebody else must be the second to approve.", key="desk.why_second")
    return bool(before - {by})
