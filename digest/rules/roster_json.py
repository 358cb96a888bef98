"""The open JSON of our own export, read as a stream: the same people with what they chose and what proves it. Pure.

A million readers need not be in memory at once: one is read at a time, however the file is laid out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.errors import InputRefused
from digest.model import Cadence, Consent, Language
from digest.rules.cuts import topics_of
from digest.rules.guard import one_line
from digest.rules.roster_columns import Line, reading
from digest.rules.roster_presets import Shape, standing_of
from digest.rules.roster_status import Standing

FORMAT = "digest-readers/1"
NOT_OURS = f'This JSON is no list of digest: it must hold "format": "{FORMAT}" and "readers". Bring other lists as CSV.'
CUT_OFF = "The JSON ends in the middle; what stands before is in. Bring the whole file again."
_NO_READER = "This is no reader: an object with an address was expected."
_AT_ONCE = 4_096
_CHUNK = 1 << 16
_LONGEST = 1 << 20
_GAP = re.compile(r"[\s,]*")
_HEAD = re.compile(r'"format"\s*:\s*"([^"]*)".*?"readers"\s*:\s*\[', re.DOTALL)
_KEY = re.compile(r'"key"\s*:\s*"([0-9a-f]{1,64})"', re.ASCII)
_MARKS = re.compile(r'"marks"\s*:\s*([0-9]{1,9})\b', re.ASCII)
_TAIL = re.compile(r'\s*\]\s*(?:,\s*"suppressed"\s*:\s*(\[))?')
_MARK = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a line of CSV cannot say of somebody. consents: the log of the other place, oldest first."""

    timezone: str | None = None
    role: str | None = None
    topics: tuple[str, ...] = ()
    cadence: Cadence = Cadence.EVERY
    paused_until: datetime | None = None
    note: str = ""
    consents: tuple[Consent, ...] = ()


class JsonRoster:
    """Like Roster. marks: keyed hashes of people who may not come back, once all readers were read, with the reason.

    key: the name of the key that they were made with, marks_said: how many there will be, both as the head of the file
    says. read: how many people by now, those of the marks too.
    """

    began = 0

    def __init__(self, text: Iterator[str]) -> None:
        """Raises InputRefused for a JSON that is none of ours."""
        self._feed = _Feed(text)
        head = self._feed.match(_HEAD)
        if head is None or head[1] != FORMAT:
            raise InputRefused(NOT_OURS)
        self._feed.at = head.end()
        key, said = _KEY.search(head[0]), _MARKS.search(head[0])
        self.key, self.marks_said = key[1] if key else "", int(said[1]) if said else 0
        self.read = 0
        self.shape = Shape("digest", 0, None, (), (), ())
        self.header: list[str] = []
        self.marks: list[tuple[str, str]] = []

    def batches(self) -> Iterator[Sequence[Line]]:
        """Each line holds its reader as one cell, for details_of(). Raises InputRefused when the file ends too early."""
        lines = (_line(number, one) for number, one in enumerate(self._feed.objects(), 1))
        while batch := list(islice(lines, _AT_ONCE)):
            self.read = batch[-1].number
            yield batch
        tail = self._feed.match(_TAIL)
        if tail is None:
            raise InputRefused(CUT_OFF)
        self._feed.at = tail.end()
        if tail[1]:
            self.marks += filter(None, map(_mark, self._feed.objects()))
            self.read += len(self.marks)


def details_of(cell: str) -> Details:
    """What stands in the cell of a line; what cannot be read is left out."""
    one: Mapping[str, Any] = json.loads(cell)
    cadence, consents = one.get("cadence"), one.get("consents")
    topics = one.get("topics")
    return Details(
        timezone=_zone(one.get("timezone")),
        role=_text(one.get("role"))[:40] or None,
        topics=topics_of([word for word in topics if isinstance(word, str)] if isinstance(topics, list) else []),
        cadence=Cadence(cadence) if cadence in set(Cadence) else Cadence.EVERY,
        paused_until=_moment(one.get("paused_until")),
        note=one_line(_text(one.get("note"))),
        consents=tuple(filter(None, map(_consent, consents if isinstance(consents, list) else []))),
    )  # fmt: skip


class _Feed:
    """Text that comes in pieces. at: how far it was read."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text, self._held, self.at = text, "", 0
        self._read = json.JSONDecoder().raw_decode

    def match(self, wanted: re.Pattern[str]) -> re.Match[str] | None:
        """What is wanted, from here; more is read as long as it may still come."""
        while True:
            found = (
                wanted.search(self._held, self.at) if wanted is _HEAD else wanted.match(self._held, self.at)
            )
            is_whole = found is not None and found.end() < len(self._held)
            if is_whole or len(self._held) - self.at > _LONGEST or not self._more():
                return found

    def objects(self) -> Iterator[Any]:
        """One value after the other until the list ends. Raises InputRefused when the file does so first."""
        while True:
            gap = _GAP.match(self._held, self.at)
            self.at = gap.end() if gap else self.at
            if self.at < len(self._held) and self._held[self.at] == "]":
                return
            try:
                value, end = self._read(self._held, self.at)
            except (ValueError, RecursionError):
                if len(self._held) - self.at > _LONGEST or not self._more():
                    raise InputRefused(CUT_OFF) from None
                continue
            self.at = end
            yield value

    def _more(self) -> bool:
        pieces, size = list[str](), 0
        for piece in self._text:
            pieces.append(piece)
            size += len(piece)
            if size >= _CHUNK:
                break
        self._held, self.at = self._held[self.at :] + "".join(pieces), 0
        return bool(pieces)


def _line(number: int, one: Any) -> Line:
    if not isinstance(one, dict) or not isinstance(one.get("address"), str):
        cell = json.dumps(one, ensure_ascii=False)
        return Line(number, "", None, Standing.SUBSCRIBED, None, "", [cell], _NO_READER)
    since = next((at for name in ("confirmed_at", "asked_at") if (at := _moment(one.get(name)))), None)
    return Line(
        number, one["address"].strip(), reading(_text(one.get("language"))) or None,
        standing_of(_text(one.get("state"))), since, "", [json.dumps(one, ensure_ascii=False)],
    )  # fmt: skip


def _mark(one: Any) -> tuple[str, str] | None:
    mark = one.get("mark") if isinstance(one, dict) else None
    return (mark, _text(one.get("reason"))[:200]) if isinstance(mark, str) and _MARK.fullmatch(mark) else None


def _consent(one: Any) -> Consent | None:
    """None unless it says when and what."""
    at = _moment(one.get("at")) if isinstance(one, dict) else None
    act = _text(one.get("act"))[:40] if at else ""
    if at is None or not act:
        return None
    basis, language = one.get("basis"), one.get("language")
    return Consent(
        act=act, at=at, language=Language(language) if language in set(Language) else Language.EN,
        method=_text(one.get("method"))[:40], page=_text(one.get("page"))[:200], wording=_text(one.get("wording"))[:5000],
        basis=basis if basis in {"express", "implied"} else "implied", origin=_text(one.get("origin"))[:500],
        network=_text(one.get("network"))[:60] or None,
    )  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    with suppress(ValueError):
        at = datetime.fromisoformat(_text(value))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return None


def _zone(value: Any) -> str | None:
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(_text(value)).key if value else None
    return None
