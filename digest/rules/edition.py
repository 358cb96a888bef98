"""What may be done to an issue: the moves between its states, and an editor's moves within it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Literal

from digest.errors import Conflict, MoveRefused, NotFound
from digest.model import DeliveryState, Issue, IssueState, Item, ItemId, Placed
from digest.rules.assemble import SECTIONS

Move = Literal["approve", "schedule", "hold", "take back", "begin", "pause", "finish", "reopen", "doubt"]

# Every way an issue can go. There is no other road: web, commands and schedule all ask `after` or `road`, and the database
# refuses whatever stands nowhere here (store/sqlite/schema_moves.py).
MOVES: Mapping[Move, Mapping[IssueState, IssueState]] = {
    "approve": {IssueState.DRAFT: IssueState.APPROVED},
    "schedule": {IssueState.APPROVED: IssueState.SCHEDULED, IssueState.SCHEDULED: IssueState.SCHEDULED},
    # Only while nothing has left: see must_be_unsent.
    "hold": {
        IssueState.APPROVED: IssueState.DRAFT,
        IssueState.SCHEDULED: IssueState.DRAFT,
        IssueState.SENDING: IssueState.DRAFT,
        IssueState.PAUSED: IssueState.DRAFT,
    },
    # Only while none but the first letters have left (store: withdraw).
    "take back": {IssueState.SENDING: IssueState.DRAFT, IssueState.PAUSED: IssueState.DRAFT},
    "begin": {
        IssueState.APPROVED: IssueState.SENDING,
        IssueState.SCHEDULED: IssueState.SENDING,
        IssueState.PAUSED: IssueState.SENDING,
        IssueState.SENDING: IssueState.SENDING,
    },
    "pause": {IssueState.SENDING: IssueState.PAUSED},
    "finish": {IssueState.SENDING: IssueState.SENT},
    # An approver sends a letter in doubt once more: the approved bytes, to a reader who was listed at the approval.
    "reopen": {IssueState.SENT: IssueState.SENDING},
    # An older copy of the database was put back: a person looks first.
    "doubt": {
        IssueState.APPROVED: IssueState.PAUSED,
        IssueState.SCHEDULED: IssueState.PAUSED,
        IssueState.SENDING: IssueState.PAUSED,
    },
}

_WHY_NOT = {
    IssueState.DRAFT: "it is still a draft; approve it first",
    IssueState.APPROVED: "it is approved and frozen; hold it to change it",
    IssueState.SCHEDULED: "it is scheduled and frozen; hold it to change it",
    IssueState.SENDING: "it is being sent",
    IssueState.PAUSED: "sending has begun and is paused",
    IssueState.SENT: "it has been sent",
}

_LEFT = (DeliveryState.SENT, DeliveryState.COMMITTING, DeliveryState.UNSURE, DeliveryState.FAILED)

TEXT_FIELDS = ("note", "theme")
Direction = Literal["up", "down", "top", "bottom"]


def after(move: Move, issue: Issue) -> IssueState:
    """The state after `move`. Raises MoveRefused with the reason when the issue cannot make it."""
    try:
        return MOVES[move][issue.state]
    except KeyError:
        if move == "hold" and issue.state is IssueState.DRAFT:
            raise MoveRefused(f"{issue.period} is a draft already.", key="desk.why_draft_already") from None
        raise MoveRefused(
            f"{issue.period} cannot {move}: {_WHY_NOT[issue.state]}.", key=f"desk.why_{issue.state}"
        ) from None


def road(move: Move) -> tuple[frozenset[IssueState], IssueState]:
    """For a compare-and-set of a move with one end: from where, and to where."""
    (to,) = set(MOVES[move].values())
    return frozenset(MOVES[move]), to


def is_unsent(counts: Mapping[DeliveryState, int]) -> bool:
    """Whether no letter has left, or may have."""
    return not any(counts[state] for state in _LEFT)


def must_be_unsent(issue: Issue, counts: Mapping[DeliveryState, int], *, at_work: bool) -> None:
    """Raises MoveRefused when a letter has left or may have, or when somebody is at work on sending."""
    if at_work or not is_unsent(counts):
        raise MoveRefused(
            f"Letters of {issue.period} have left or are about to;"
            " it can be paused, at the desk or by Ctrl+C where it is sent, but not be a draft again.",
            key="desk.why_sending",
        )


def must_be_draft(issue: Issue) -> None:
    """Raises MoveRefused unless editors may still change the issue."""
    if issue.state is not IssueState.DRAFT:
        raise MoveRefused(
            f"{issue.period} cannot be edited: {_WHY_NOT[issue.state]}.", key=f"desk.why_{issue.state}"
        )


def shown(issue: Issue) -> str:
    """Names what a page showed of an issue: its revision, and what its sources said."""
    facts = repr((issue.send_at, [p.item for p in issue.placed if p.section is not None]))
    return f"{issue.revision}.{sha256(facts.encode()).hexdigest()[:16]}"


def must_be_as_seen(issue: Issue, seen: str | None) -> None:
    """Raises Conflict unless it is what whoever presses has looked at. seen: as `shown` has it, or the revision alone;
    None: nobody looked."""
    if seen is not None and seen not in {str(issue.revision), shown(issue)}:
        raise Conflict(f"Somebody changed {issue.period} since you looked at it; look at it once more.")


def kept(issue: Issue, item: ItemId, *, section: str | None = None) -> tuple[Placed, ...]:
    """The item taken off the bench into its section (or the one named): an event by its date, a post at the end."""
    placed = _find(issue, item)
    target = section or placed.section or default_section(placed)
    if target not in SECTIONS:
        raise NotFound(f"There is no section {target!r}; there are {', '.join(SECTIONS)}.")
    row = [p for p in issue.section(target) if p.item.id != item]
    kept = replace(placed, section=target, chosen=True, arrived_late=False)
    row.insert(_place_by_date(row, placed.item), kept)
    others = [p for p in _without(issue, item) if p.section != target]
    return settled([*others, *(replace(p, position=n) for n, p in enumerate(row))])


def _place_by_date(row: Sequence[Placed], item: Item) -> int:
    """Before the first event that starts later; the end for a post, or when none does."""
    if item.occasion is None:
        return len(row)
    starts = item.occasion.starts
    return next(
        (n for n, p in enumerate(row) if p.item.occasion and p.item.occasion.starts > starts), len(row)
    )


def added(issue: Issue, item: Item) -> tuple[Placed, ...]:
    """An item of the pool in its section, an event by its date; one that waits on the bench is kept, one that is in stays."""
    here = next((p for p in issue.placed if p.item.id == item.id), None)
    if here is not None:
        return issue.placed if here.section else kept(issue, item.id)
    new = Placed(item=item, section=None, position=_END, chosen=True)
    return kept(replace(issue, placed=(*issue.placed, new)), item.id)


def cut(issue: Issue, item: ItemId) -> tuple[Placed, ...]:
    """The item put on the bench, first in line: the revision tells its place among what is not read here."""
    placed = _find(issue, item)
    first = min([0, -issue.revision, *(p.position for p in issue.section(None))]) - 1
    return settled([*_without(issue, item), replace(placed, section=None, position=first, chosen=True)])


def put(issue: Issue, item: ItemId, *, section: str | None, before: ItemId | None) -> tuple[Placed, ...]:
    """The item in front of another one of that section, or at its end when that one has gone; None: the bench, whose
    own order is that of cut()."""
    placed = _find(issue, item)
    if section is None:
        return issue.placed if placed.section is None else cut(issue, item)
    if section not in SECTIONS:
        raise NotFound(f"There is no section {section!r}; there are {', '.join(SECTIONS)}.")
    row = [p for p in issue.section(section) if p.item.id != item]
    here = next((n for n, p in enumerate(row) if p.item.id == before), len(row))
    row.insert(here, replace(placed, section=section, chosen=True, arrived_late=False))
    others = [p for p in _without(issue, item) if p.section != section]
    return settled([*others, *(replace(p, position=n) for n, p in enumerate(row))])


def moved(issue: Issue, item: ItemId, *, direction: Direction) -> tuple[Placed, ...]:
    """The item moved within its section; at the edge it stays where it is, and on the bench nothing moves."""
    placed = _find(issue, item)
    if placed.section is None:
        return issue.placed
    row = list(issue.section(placed.section))
    here = row.index(placed)
    there = {"up": max(here - 1, 0), "down": min(here + 1, len(row) - 1), "top": 0, "bottom": len(row) - 1}[
        direction
    ]
    row.insert(there, row.pop(here))
    others = [p for p in issue.placed if p.section != placed.section]
    return settled([*others, *(_at(p, n, chosen=p.item.id == item) for n, p in enumerate(row))])


def reworded(
    issue: Issue, item: ItemId, *, language: str, title: str | None, blurb: str | None
) -> tuple[Placed, ...]:
    """The item with an editor's words in one language; an empty text gives the source's own back, None leaves it."""
    placed = _find(issue, item)
    changed = replace(
        placed,
        chosen=True,
        title=_worded(placed.title, language, title),
        blurb=_worded(placed.blurb, language, blurb),
    )
    return settled([*_without(issue, item), changed])


def plain(text: str) -> str:
    """Words as they are kept, whatever line ends a browser sends."""
    return text.replace("\r\n", "\n").strip()


def changed(text: str | None, *, seen: str) -> str | None:
    """What was typed, or None where it is what the form showed: then the sender changed nothing there."""
    return None if text is None or plain(text) == plain(seen) else plain(text)


def default_section(placed: Placed) -> str:
    from_source = placed.item.section
    return (
        from_source if from_source in SECTIONS else ("coming-up" if placed.item.occasion else "worth-reading")
    )


_END = 1_000_000


def _find(issue: Issue, item: ItemId) -> Placed:
    for placed in issue.placed:
        if placed.item.id == item:
            return placed
    raise NotFound(f"Item {item} is not in the issue of {issue.period}.")


def _without(issue: Issue, item: ItemId) -> list[Placed]:
    return [p for p in issue.placed if p.item.id != item]


def _at(placed: Placed, position: int, *, chosen: bool) -> Placed:
    return replace(placed, position=position, chosen=placed.chosen or chosen)


def _worded(words: Mapping[str, str], language: str, text: str | None) -> Mapping[str, str]:
    if text is None:
        return words
    return {
        **{k: v for k, v in words.items() if k != language},
        **({language: text.strip()} if text.strip() else {}),
    }


def settled(placed: Sequence[Placed]) -> tuple[Placed, ...]:
    """Sections in order, positions counted anew from 0; on the bench, of which a part may be missing, they stay."""
    rows: list[Placed] = []
    for section in SECTIONS:
        row = sorted((p for p in placed if p.section == section), key=lambda p: p.position)
        rows.extend(p if p.position == n else replace(p, position=n) for n, p in enumerate(row))
    rows += sorted((p for p in placed if p.section is None), key=lambda p: (p.position, p.item.id))
    return tuple(rows)
