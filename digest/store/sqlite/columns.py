"""How values become columns and columns become values. No statement is run here.

Times are INTEGER microseconds since 1970 in UTC: exact both ways. Lists and mappings are JSON text.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import overload

from digest.model import PauseReason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":")) if values else "[]"


def mapped(values: Mapping[str, object]) -> str:
    """A JSON object."""
    return json.dumps(dict(values), ensure_ascii=False, separators=(",", ":"))


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
