"""How many readers there are of each kind, for everybody to see: small cells hidden, and more where a sum would tell. Pure.

What is told is rounded to tens, and a picture stands until ten people have come or gone: so two of them, taken one after
the other, do not tell who came between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.model import PulseBrief, Share

FLOOR = 10
STEP = 10
MOST_SHARES = 6
ELSEWHERE_LEVEL = "other"
UNSAID = "unsaid"
Key = tuple[str, ...]
Counts = Mapping[str, Mapping[str, int]]  # kind (`place`, `role`, `all`) to name to how many


@dataclass(frozen=True, slots=True)
class Cell:
    """count: None when it is hidden."""

    name: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """One level of government and its jurisdictions; the largest first, hidden ones last."""

    name: str
    count: int | None
    places: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """total: None below the floor; then everything else is hidden too. months: `2026-11` and how many. All are told()."""

    total: int | None
    levels: tuple[Level, ...]
    roles: tuple[Cell, ...]
    months: tuple[Cell, ...]


def pulse(
    *, places: Mapping[str, Mapping[str, int]], roles: Mapping[str, int], total: int,
    history: Mapping[str, int] | None = None,
) -> Pulse:  # fmt: skip
    """places: level to jurisdiction to count; roles: role to count, UNSAID among them. Both add up to the total.

    No hidden count below the floor can be worked out from what is shown: see hidden().
    """
    whole: Key = ("total",)
    values: dict[Key, int] = {whole: total}
    values |= {("level", level): sum(found.values()) for level, found in places.items()}
    values |= {("place", level, name): n for level, found in places.items() for name, n in found.items()}
    values |= {("role", role): n for role, n in roles.items()}
    equations: list[list[Key]] = [[whole, *(("level", level) for level in places)]]
    equations += [[whole, *(("role", role) for role in roles)]]
    equations += [
        [("level", level), *(("place", level, name) for name in found)] for level, found in places.items()
    ]
    gone = hidden(values, equations)
    shown = {key: None if key in gone else told(count) for key, count in values.items()}
    levels = [
        Level(level, shown["level", level], _cells({name: shown["place", level, name] for name in found}))
        for level, found in places.items()
    ]
    return Pulse(
        shown[whole],
        tuple(sorted(levels, key=lambda one: (one.count is None, -(one.count or 0), one.name))),
        _cells({role: shown["role", role] for role in roles}),
        tuple(Cell(month, told(n) if n >= FLOOR else None) for month, n in sorted((history or {}).items())),
    )


def told(count: int) -> int:
    """A count that may be shown, to the nearest ten; nobody is nobody."""
    return max(STEP, (count + STEP // 2) // STEP * STEP) if count else 0


def steady(kept: Counts, fresh: Counts) -> Counts:
    """The counts that are told from now on: those that were, while fewer people than the floor have come, gone or moved.

    Whoever is known to have come alone between two pictures is in neither, or is one of ten. kept: {} when there are none.
    """
    return fresh if not kept or _changed(kept, fresh) >= FLOOR else kept


def _changed(before: Counts, after: Counts) -> int:
    """How many people at least: who moves is one more here and one less there."""
    most = 0
    for kind in {*before, *after}:
        old, new = before.get(kind, {}), after.get(kind, {})
        steps = [new.get(name, 0) - old.get(name, 0) for name in {*old, *new}]
        most = max(most, sum(step for step in steps if step > 0), -sum(step for step in steps if step < 0))
    return most


def pictures(counts: Mapping[str, Counts]) -> list[tuple[str, Pulse]]:
    """One a month, the oldest first."""
    return [(month, of_counts(counts[month])) for month in sorted(counts)]


def of_counts(counts: Counts, *, history: Mapping[str, int] | None = None) -> Pulse:
    """From the counts of one moment; a place is `level/jurisdiction`."""
    places: dict[str, dict[str, int]] = {}
    for name, count in counts.get("place", {}).items():
        level, _, place = name.partition("/")
        places.setdefault(level, {})[place] = count
    total = counts.get("all", {}).get("all", 0)
    return pulse(places=places, roles=counts.get("role", {}), total=total, history=history)


def brief(shown: Pulse) -> PulseBrief | None:
    """What an issue says of it: what can be told, the largest first. None while there are too few readers, or none."""
    if not shown.total:
        return None
    places = [cell for level in shown.levels if level.name != ELSEWHERE_LEVEL for cell in level.places]
    return PulseBrief(
        total=shown.total,
        levels=_shares([Cell(level.name, level.count) for level in shown.levels]),
        places=_shares(places),
        roles=_shares([cell for cell in shown.roles if cell.name != UNSAID]),
    )


def _shares(cells: Sequence[Cell]) -> tuple[Share, ...]:
    ordered = sorted((-cell.count, cell.name) for cell in cells if cell.count)
    return tuple(Share(name, -count) for count, name in ordered[:MOST_SHARES])


def hidden(values: Mapping[Key, int], equations: Sequence[Sequence[Key]]) -> set[Key]:
    """The cells to hide: those below the floor, and in each sum as many more as it takes.

    equations: a whole and its parts. In each, either nothing is hidden, or at least two cells are and what is hidden
    together is not below the floor: one hidden cell is a subtraction away, and two with a sum of 3 are known too.
    Empty cells are shown as nothing: that there is nobody is no secret about anybody.
    """
    gone = {cell for cell, count in values.items() if 0 < count < FLOOR}
    changed = True
    while changed:
        changed = False
        for equation in equations:
            while (more := _one_more(equation, values, gone)) is not None:
                gone.add(more)
                changed = True
    return gone


def _one_more(equation: Sequence[Key], values: Mapping[Key, int], gone: set[Key]) -> Key | None:
    unknown = [cell for cell in equation if cell in gone]
    shown = sorted(
        (cell for cell in equation[1:] if cell not in gone and values[cell]), key=lambda c: (values[c], c)
    )
    whole = equation[0]
    if not unknown:
        return None
    enough = len(unknown) >= 2 and (whole in gone or sum(values[cell] for cell in unknown) >= FLOOR)
    if enough:
        return None
    return shown[0] if shown else None if whole in gone else whole


def _cells(counts: Mapping[str, int | None]) -> tuple[Cell, ...]:
    ordered = sorted(counts.items(), key=lambda pair: (pair[1] is None, -(pair[1] or 0), pair[0]))
    return tuple(Cell(name, count) for name, count in ordered)
