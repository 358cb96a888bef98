"""Lines as inline SVG, made on the server: points, a few grid lines, words at the axes. What is hidden is a gap, never a zero."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDE, HIGH = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 18, 34
SMALL_WIDE, SMALL_HIGH = 88, 22
_MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the picture, with its words."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """path: the d of an SVG path, one piece for each run of months that can be told. rows: grid lines with their numbers;
    columns: months under the picture; ends: the last point, to be marked."""

    path: str
    rows: tuple[Mark, ...]
    columns: tuple[Mark, ...]
    dots: tuple[Mark, ...]
    wide: int = WIDE
    high: int = HIGH


def line(points: Sequence[tuple[str, int | None]], *, number: Callable[[int], str]) -> Line | None:
    """The growth of one count over months; None for less than two that can be told. points: words of a month, count."""
    if sum(count is not None for _, count in points) < 2:
        return None
    most = _round_up(max(count or 0 for _, count in points))
    xs = _spread(len(points), start=LEFT, end=WIDE - RIGHT)

    def height(count: int) -> float:
        return round(HIGH - BOTTOM - count / most * (HIGH - BOTTOM - TOP), 1)

    each = max(1, -(-len(points) // _MOST_WORDS))
    told = [(x, height(count), count) for x, (_, count) in zip(xs, points, strict=True) if count is not None]
    return Line(
        path=_path([(x, None if count is None else height(count)) for x, (_, count) in zip(xs, points, strict=True)]),
        rows=tuple(Mark(0, height(step), number(step)) for step in (0, most // 2, most)),
        columns=tuple(
            Mark(x, HIGH - 6, word) for n, (x, (word, _)) in enumerate(zip(xs, points, strict=True))
            if (len(points) - 1 - n) % each == 0
        ),
        dots=tuple(Mark(x, y, number(count)) for x, y, count in told[-1:]),
    )  # fmt: skip


def small(counts: Sequence[int | None]) -> str:
    """A line the size of a word, from the bottom that is nobody; "" for less than two counts that can be told."""
    if sum(count is not None for count in counts) < 2:
        return ""
    most = max(count or 0 for count in counts) or 1
    xs = _spread(len(counts), start=2, end=SMALL_WIDE - 2)
    return _path([
        (x, None if count is None else round(SMALL_HIGH - 2 - count / most * (SMALL_HIGH - 4), 1))
        for x, count in zip(xs, counts, strict=True)
    ])  # fmt: skip


def _spread(many: int, *, start: float, end: float) -> list[float]:
    step = (end - start) / max(1, many - 1)
    return [round(start + n * step, 1) for n in range(many)]


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    pieces, drawing = [], False
    for x, y in points:
        if y is not None:
            pieces.append(f"{'L' if drawing else 'M'}{x:g} {y:g}")
        drawing = y is not None
    return "".join(pieces)


def _round_up(most: int) -> int:
    """The next number that halves well: 20, 40, 100, 200, 400, 1000 …"""
    step = 20
    while step < most:
        step = step * 5 // 2 if str(step).startswith("4") else step * 2
    return step
