"""Why people left, when they care to say: counted together, never beside a name. Pure.

A month is told only together with others until ten have answered, so that no picture beside the one before it points at
whoever has just left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.model import Farewell, Language
from digest.rules import pulse
from digest.rules.guard import one_line

REASONS = ("often", "expected", "relevant", "unasked", "other")
LINE_LENGTH = 140
_AN_ADDRESS = re.compile(r"\S+@\S+")


@dataclass(frozen=True, slots=True)
class Picture:
    """What editors are shown. total: None while too few have answered; then all else is empty. since: `2026-11`."""

    total: int | None = None
    since: str = ""
    reasons: tuple[pulse.Cell, ...] = ()
    lines: tuple[tuple[str, Language], ...] = ()


def judged(reason: str, words: str, *, month: str, language: Language) -> Farewell | None:
    """An answer that can be kept; None when nothing was said. Addresses are taken out of the line."""
    line = one_line(_AN_ADDRESS.sub("…", words[:1000]), most=LINE_LENGTH)
    if reason not in REASONS and not line:
        return None
    return Farewell(
        month=month, reason=reason if reason in REASONS else "other", words=line, language=language
    )


def picture(said: Sequence[Farewell], *, month: str) -> Picture:
    """said: all that is kept; month: the present one, which is not over and so not told."""
    shown = _told_together([one for one in said if one.month < month])
    if not shown:
        return Picture()
    values: dict[pulse.Key, int] = {("total",): len(shown)}
    for one in shown:
        values["reason", one.reason] = values.get(("reason", one.reason), 0) + 1
    reasons = [("reason", reason) for reason in REASONS if ("reason", reason) in values]
    gone = pulse.hidden(values, [[("total",), *reasons]])
    cells = [pulse.Cell(key[1], None if key in gone else pulse.told(values[key])) for key in reasons]
    return Picture(
        total=pulse.told(len(shown)), since=min(one.month for one in shown),
        reasons=tuple(sorted(cells, key=lambda cell: (cell.count is None, -(cell.count or 0)))),
        lines=tuple(sorted({(one.words, one.language) for one in shown if one.words})),
    )  # fmt: skip


def _told_together(said: Sequence[Farewell]) -> list[Farewell]:
    """Whole months, oldest first, each run of them with answers of ten people or more."""
    told: list[Farewell] = []
    waiting: list[Farewell] = []
    for month in sorted({one.month for one in said}):
        waiting += [one for one in said if one.month == month]
        if len(waiting) >= pulse.FLOOR:
            told += waiting
            waiting = []
    return told
