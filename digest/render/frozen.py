"""An issue in one language as it was approved, kept as JSON: what the archive shows however its items change afterwards."""

import json
from collections.abc import Collection
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache, lru_cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from digest.render.context import IssueView


def written(view: IssueView, *, home: str) -> str:
    """home: the list's web address then; it may move later."""
    return json.dumps({"home": home, "view": _plain(view)}, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)
def read(text: str, *, home: str) -> IssueView:
    """The view again, with addresses at today's home. Raises ValueError, KeyError or TypeError for other text."""
    kept = json.loads(text)
    if kept["home"] != home:
        kept = json.loads(text.replace(kept["home"], home))
    view = _built(IssueView, kept["view"])
    assert isinstance(view, IssueView)
    return view


def shown_with(view: IssueView, people: Collection[int]) -> IssueView:
    """The view with only these readers' introductions; a section that is empty then goes."""
    parts = [
        replace(part, people=tuple(one for one in part.people if one.id in people)) if part.people else part
        for part in view.parts
    ]
    return replace(view, parts=tuple(part for part in parts if part.people or part.id != "people"))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _built(kind: Any, value: Any) -> Any:
    """The value as its declared kind has it: dataclasses, tuples, enums and plain values are all there is."""
    if get_origin(kind) is UnionType:
        inner = next(one for one in get_args(kind) if one is not type(None))
        return None if value is None else _built(inner, value)
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        return tuple(_built(kinds[0] if kinds[-1] is ... else kinds[n], one) for n, one in enumerate(value))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**{name: _built(hint, value[name]) for name, hint in _hints(kind).items()})
    return value
