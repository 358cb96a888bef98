"""How values become columns and columns become values. No statement is run here.

Times are INTEGER microseconds since 1970 in UTC: exact both ways. Lists and mappings are JSON text.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from sqlite3 import Row
from typing import Any, overload

from digest.model import EventStatus, Occasion, PauseReason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@overload
def micros(at: datetime) -> int: ...
@overload
def micros(at: None) -> None: ...
@overload
def micros(at: datetime | None) -> int | None: ...
def micros(at: datetime | None) -> int | None:
    """An aware datetime as a column. A naive one raises TypeError: nobody knows which moment it means."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


@overload
def moment(column: int) -> datetime: ...
@overload
def moment(column: None) -> None: ...
def moment(column: int | None) -> datetime | None:
    """The way back, in UTC. A column may be Any, so callers get what the overload of their column says."""
    return None if column is None else _EPOCH + timedelta(microseconds=column)


def later(at: datetime, seconds: float) -> int:
    """`at` plus seconds, as a column."""
    return micros(at + timedelta(seconds=seconds))


def listed(values: Collection[object]) -> str:
    """A JSON array: a column, or an argument for json_each()."""
    return _JSON.encode(list(values)) if values else "[]"


def mapped(values: Mapping[str, object]) -> str:
    """A JSON object."""
    return _JSON.encode(dict(values))


def texts(column: str) -> tuple[str, ...]:
    """A JSON array of strings, read."""
    return tuple(json.loads(column)) if column != "[]" else ()


def mapping(column: str) -> dict[str, str]:
    """A JSON object of strings, read."""
    return dict(json.loads(column)) if column != "{}" else {}


def column(value: datetime | str | PauseReason | None) -> int | str | None:
    """A value of an issue, whichever."""
    if isinstance(value, PauseReason):
        return mapped({"code": value.code, "facts": value.facts})
    return micros(value) if isinstance(value, datetime) else value


def pause_reason(text: str | None) -> PauseReason | None:
    """The way back; what was written before reasons had codes is said as it stands."""
    if text is None:
        return None
    if not text.startswith("{"):
        return PauseReason("other", {"said": text})
    read = json.loads(text)
    return PauseReason(read["code"], read["facts"])


def pairs(values: Sequence[tuple[int, int]]) -> str:
    """A JSON array of pairs, for json_each()."""
    return json.dumps(values, separators=(",", ":"))


def occasion_of(row: Row | Mapping[str, Any]) -> Occasion | None:
    """When and where, of the columns of an item; None for a post."""
    if row["starts"] is None:
        return None
    return Occasion(
        starts=moment(row["starts"]),
        ends=moment(row["ends"]),
        timezone=row["timezone"],
        all_day=bool(row["all_day"]),
        place=row["place"],
        online=row["online"],
        status=EventStatus(row["status"]),
        uid=row["uid"],
        sequence=row["sequence"],
        recurs=bool(row["recurs"]),
    )
