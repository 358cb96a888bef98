"""Who else is at an issue, and in which field. Kept in memory: it is true for a minute, locks nobody, and is never written."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from digest.model import Period

GONE_AFTER = timedelta(seconds=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One editor at one issue. where: the field being written, as `12/blurb-fr` or `note-en`; "" between two."""

    editor: int
    name: str
    where: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """The seats of all issues. Of one person with two windows the newest word counts."""

    _seats: dict[tuple[Period, int], Seat] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def here(self, period: Period, *, editor: int, name: str, where: str, now: datetime) -> list[Seat]:
        """Says that this editor is here; the others who were, within the last minute."""
        with self._lock:
            self._seats[period, editor] = Seat(editor=editor, name=name, where=where, at=now)
            for key in [key for key, seat in self._seats.items() if now - seat.at > GONE_AFTER]:
                del self._seats[key]
            return [seat for (month, who), seat in sorted(self._seats.items(), key=lambda pair: pair[1].name)
                    if month == period and who != editor]  # fmt: skip
