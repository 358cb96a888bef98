"""Some thousand lines of a list judged at once: who may come in, who is asked, who has gone, who stays out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from digest.errors import InputRefused
from digest.model import Reading
from digest.rules.consent import IMPLIED_LIVES, judged_address, quick_addresses
from digest.rules.guard import neighbourhood
from digest.rules.roster_columns import Line, Plain
from digest.rules.roster_status import Standing

# address, key, language, since, network, line number
Row = tuple[str, str, Reading, datetime | None, str | None, int]
_ASKED, _SUBSCRIBED = Standing.ASKED, Standing.SUBSCRIBED
TOO_OLD = "The implied consent of this person has ended: it lasts two years."


@dataclass(slots=True)
class Block:
    """into, asked: by key, each person once. again: further lines of the same people.

    gone: by key, who left, bounced or complained elsewhere. refused: with the reason. size: how many lines in all.
    cells: by key, the row of somebody who is in or asked as it stands, if it was kept.
    """

    into: dict[str, Row] = field(default_factory=dict)
    asked: dict[str, Row] = field(default_factory=dict)
    again: list[Line] = field(default_factory=list)
    gone: list[tuple[str, Line]] = field(default_factory=list)
    refused: list[tuple[Line, str]] = field(default_factory=list)
    size: int = 0
    cells: dict[str, Sequence[str]] = field(default_factory=dict)

    def line(self, key: str) -> Line:
        """The line on which somebody stands who is in or asked."""
        standing = _SUBSCRIBED if key in self.into else Standing.ASKED
        address, _, language, since, network, number = (self.into if key in self.into else self.asked)[key]
        return Line(number, address, language, standing, since, network or "", self.cells.get(key, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """On what terms. languages: by what a file says, None for what it does not say."""

    express: bool
    languages: Mapping[str | None, Reading]
    now: datetime

    def add(self, block: Block, lines: Sequence[Plain]) -> None:
        """Puts each of these lines where it belongs."""
        express, languages, oldest = self.express, self.languages, self.now - IMPLIED_LIVES
        into, asked, default = block.into, block.asked, languages[None]
        block.size += len(lines)
        for line, quick in zip(lines, quick_addresses([line[1] for line in lines]), strict=True):
            number, text, tongue, standing, since, network, cells, fault = line
            try:
                address, key = quick or kept_address(text)
            except InputRefused as refusal:
                block.refused.append((Line(*line), fault or str(refusal)))
                continue
            if standing > _ASKED:
                if standing is Standing.UNCLEAR:
                    block.refused.append((Line(*line), fault))
                else:
                    block.gone.append((key, Line(*line)))
            elif not express and since is not None and since < oldest:
                block.refused.append((Line(*line), TOO_OLD))
            elif key in into or key in asked:
                block.again.append(Line(*line))
            else:
                language = default if tongue is None else languages.get(tongue, default)
                near = neighbourhood(network) if network else None
                place = into if express and standing is _SUBSCRIBED else asked
                place[key] = (address, key, language, since, near, number)
                if cells:
                    block.cells[key] = cells


def kept_address(text: str) -> tuple[str, str]:
    """An address as it is kept, and its key. Raises AddressRefused."""
    address = judged_address(text)
    return address.reveal(), address.key
