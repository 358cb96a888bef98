"""The desk's page of who is here, and why some left: counts in tens, bars and lines with their numbers. Nobody is named."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from digest.model import Period
from digest.render import dates
from digest.rules.pulse import FLOOR, Cell, Pulse
from digest.web import charts
from digest.web import language as tongue
from digest.web.pages import page
from digest.web.site import site

_WIDE = 100
_MONTHS = 24
Series = Sequence[tuple[str, Pulse]]


def add_doors(blueprint: Blueprint) -> None:
    blueprint.add_url_rule("/people/pulse", view_func=pulse)


def pulse() -> Response:
    words, crowd = tongue.words(), site().app.join.crowd
    shown, history = crowd.pulse(), crowd.history()[-_MONTHS:]
    growth = [(month, one.total) for month, one in history]
    parts = [
        ("by-level", words("desk.by_level"), _rows(_levels(shown), [_levels(one) for _, one in history], _level)),
        ("by-role", words("desk.by_role"), _rows(shown.roles, [one.roles for _, one in history], _role)),
        *(
            (f"in-{level.name}", _level(level.name),
             _rows(level.places, [_places(one, level.name) for _, one in history], _place))
            for level in shown.levels if len(level.places) > 1
        ),
    ]  # fmt: skip
    return page(
        "desk/pulse.html", title=words("desk.pulse_title"), floor=FLOOR, parts=parts,
        left=_left(),
        total=None if shown.total is None else _number(shown.total),
        line=charts.line([(_month(month), total) for month, total in growth], number=_number),
        summary=_summary(growth),
        months=[(dates.month(Period.parse(month), tongue.spoken()), _told(total)) for month, total in growth],
    )  # fmt: skip


def _rows(
    cells: Sequence[Cell], before: Sequence[Sequence[Cell]], name: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Widths in hundredths of the longest; the line of each over the months, as far as it can be told."""
    longest = max((cell.count or 0 for cell in cells), default=0) or 1
    return [
        {
            "name": name(cell.name), "width": round((cell.count or 0) / longest * _WIDE, 1), "count": _told(cell.count),
            "line": charts.small([_counted(month).get(cell.name) for month in before]),
        }
        for cell in cells
    ]  # fmt: skip


def _left() -> dict[str, Any]:
    """Why people left: what they said, as far as it can be told."""
    said = site().app.join.farewells.picture()
    if said.total is None:
        return {}
    rows = _rows(said.reasons, [], lambda name: tongue.words()(f"web.why_{name}"))
    month = dates.month(Period.parse(said.since), tongue.spoken())
    return {"rows": rows, "lines": said.lines, "count": _number(said.total), "month": month}


def _counted(cells: Sequence[Cell]) -> Mapping[str, int | None]:
    return {cell.name: cell.count for cell in cells}


def _levels(shown: Pulse) -> list[Cell]:
    return [Cell(level.name, level.count) for level in shown.levels]


def _places(shown: Pulse, level: str) -> Sequence[Cell]:
    return next((one.places for one in shown.levels if one.name == level), ())


def _summary(growth: Sequence[tuple[str, int | None]]) -> str:
    """The line in a sentence, for who does not see it."""
    told = [(month, count) for month, count in growth if count is not None]
    if len(told) < 2:
        return ""
    (first, few), (last, many) = told[0], told[-1]
    language = tongue.spoken()
    return tongue.words()(
        "desk.pulse_line", first=dates.month(Period.parse(first), language), few=_number(few),
        last=dates.month(Period.parse(last), language), many=_number(many),
    )  # fmt: skip


def _number(count: int) -> str:
    return dates.number(count, tongue.spoken())


def _told(count: int | None) -> str | None:
    return None if count is None else _number(count)


def _month(month: str) -> str:
    """`Nov`, and `Jan 2027` where a year begins."""
    period = Period.parse(month)
    return dates.short_month(period, tongue.spoken(), year=period.month == 1)


def _level(name: str) -> str:
    return tongue.words()(f"desk.level_{name}")


def _role(name: str) -> str:
    return _or_itself(f"web.role_{name.replace('-', '_')}", name)


def _place(name: str) -> str:
    return _or_itself(f"desk.place_{name.replace('-', '_')}", name)


def _or_itself(key: str, name: str) -> str:
    """What an operator's own file of domains calls a place has no words of ours."""
    try:
        return tongue.words()(key)
    except KeyError:
        return name
