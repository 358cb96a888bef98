"""Some thousand lines of a list judged at once: who may come in, who is asked, who has gone, who stays out. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress, repeat
from operator import not_
from typing import TypeVar

from digest.errors import InputRefused
from digest.model import Address
from digest.rules.consent import IMPLIED_LIVES, everyday_addresses, is_shared, judged_address
from digest.rules.guard import neighbourhood
from digest.rules.jurisdictions import has_mixed_scripts
from digest.rules.roster_columns import Columns, Line, micros
from digest.rules.roster_status import Standing

_ASKED, _SUBSCRIBED = Standing.ASKED, Standing.SUBSCRIBED
_T = TypeVar("_T")
TOO_OLD = "The implied consent of this person has ended: it lasts two years."


@dataclass(frozen=True, slots=True)
class People:
    """Those who come in the same way, column by column; one person has one place in all of them.

    languages: as a Reading is written. since: microseconds since 1970, None where the list does not say. numbers: of lines.
    """

    addresses: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    since: list[int | None] = field(default_factory=list)
    networks: list[str | None] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    def in_order(self, *, without: Collection[str]) -> "People":
        """By key, as an index holds them, for the store, which needs no numbers; without those with one of these keys."""
        keys = self.keys
        order = sorted(range(len(keys)), key=keys.__getitem__)
        if without:
            order = [n for n in order if keys[n] not in without]
        sorted_keys = [keys[n] for n in order]
        return People(
            sorted_keys if self.addresses == keys else [self.addresses[n] for n in order], sorted_keys,
            _picked(self.languages, order), _picked(self.since, order), _picked(self.networks, order),
        )  # fmt: skip

    def part(self, start: int, end: int) -> "People":
        here = slice(start, end)
        return People(
            self.addresses[here], self.keys[here], self.languages[here], self.since[here], self.networks[here],
            self.numbers[here],
        )  # fmt: skip


def _picked(column: list[_T], order: Sequence[int]) -> list[_T]:
    return [column[0]] * len(order) if column.count(column[0]) == len(column) else [column[n] for n in order]


@dataclass(slots=True)
class Block:
    """into, asked: each person once, with their keys. again: further lines of the same people.

    gone: by key, who left, bounced or complained elsewhere. refused: with the reason. size: how many lines in all.
    shared, odd: lines of addresses to look at twice: perhaps no person's own (info@), or of mixed alphabets.
    met: of the keys, those that may be among the Judge's `met`. cells: by key, the row of somebody who is in or asked as it
    stands, if it was kept.
    """

    into: People = field(default_factory=People)
    asked: People = field(default_factory=People)
    keys: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)
    again: list[Line] = field(default_factory=list)
    gone: list[tuple[str, Line]] = field(default_factory=list)
    refused: list[tuple[Line, str]] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    odd: list[int] = field(default_factory=list)
    size: int = 0
    cells: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """How many plain lines would take as much room."""
        return self.size + 3 * (len(self.again) + len(self.gone) + len(self.refused))

    def lines(self, keys: Collection[str], people: People) -> list[Line]:
        """The lines on which they stand."""
        if not keys:
            return []
        standing = _SUBSCRIBED if people is self.into else _ASKED
        rows = zip(people.numbers, people.addresses, people.keys, people.languages, strict=True)
        return [
            Line(number, address, language, standing, None, "", self.cells.get(key, ()))
            for number, address, key, language in rows
            if key in keys
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """On what terms. languages: what a file says, None for what it does not say, as a Reading is written.

    keeps_cells: whether somebody wants to see the rows. met: hashes of keys of earlier blocks, which need a look of their own.
    """

    express: bool
    languages: Mapping[str | None, str]
    now: datetime
    keeps_cells: bool
    met: Sequence[Set[int]] = ()

    def add(self, block: Block, lines: Columns | Sequence[Line]) -> None:
        """Puts each of these lines where it belongs."""
        if not isinstance(lines, Columns):
            block.size += len(lines)
            for line in lines:
                self._add(block, line)
            return
        block.size += len(lines.rows)
        for n in self._odd(block, lines):
            one = lines.line(n)
            if one is not None:
                self._add(block, one)

    def _odd(self, block: Block, lines: Columns) -> Iterable[int]:
        """Puts everyday people where they belong; where the others stand, who need a look of their own."""
        kept, keys, plain = everyday_addresses(lines.addresses)
        if lines.standings is not None:
            plain = [one and said is _SUBSCRIBED for one, said in zip(plain, lines.standings, strict=True)]
        if lines.since is not None and not self.express:
            oldest = micros(self.now - IMPLIED_LIVES) or 0
            plain = [one and (at is None or at >= oldest) for one, at in zip(plain, lines.since, strict=True)]
        here = list(compress(keys, plain))
        fresh = set(here)
        if len(fresh) < len(here) or not block.keys.isdisjoint(fresh):  # somebody stands here twice
            return range(len(keys))
        block.keys |= fresh
        for met in self.met:
            if met and not met.isdisjoint(map(hash, here)):  # here and not at the end, while they are at hand
                block.met.update(key for key in here if hash(key) in met)
        people, default = block.into if self.express else block.asked, self.languages[None]
        people.keys.extend(here)
        people.addresses.extend(here if kept is keys else compress(kept, plain))
        people.languages.extend(
            repeat(default, len(here))
            if lines.languages is None
            else [self.languages.get(one, default) for one in compress(lines.languages, plain)]
        )
        people.since.extend(repeat(None, len(here)) if lines.since is None else compress(lines.since, plain))
        people.networks.extend(
            repeat(None, len(here))
            if lines.networks is None
            else [neighbourhood(one) if one else None for one in compress(lines.networks, plain)]
        )
        people.numbers.extend(compress(lines.numbers, plain))
        if self.keeps_cells:
            block.cells.update(zip(here, compress(lines.rows, plain), strict=True))
        return compress(range(len(keys)), map(not_, plain))

    def _add(self, block: Block, line: Line) -> None:
        if not self.keeps_cells:
            line = line._replace(cells=())
        try:
            address, key = kept_address(line.address)
        except InputRefused as refusal:
            block.refused.append((line, line.fault or str(refusal)))
            return
        if line.standing is Standing.UNCLEAR:
            block.refused.append((line, line.fault))
        elif line.standing > _ASKED:
            block.gone.append((key, line))
        elif not self.express and line.since is not None and line.since < self.now - IMPLIED_LIVES:
            block.refused.append((line, TOO_OLD))
        elif key in block.keys:
            block.again.append(line)
        else:
            block.keys.add(key)
            if any(hash(key) in met for met in self.met):
                block.met.add(key)
            people = block.into if self.express and line.standing is _SUBSCRIBED else block.asked
            if is_shared(Address(address)):
                block.shared.append(line.number)
            if has_mixed_scripts(key.rpartition("@")[2]):
                block.odd.append(line.number)
            people.keys.append(key)
            people.addresses.append(address)
            people.languages.append(self.languages.get(line.language, self.languages[None]))
            people.since.append(micros(line.since))
            people.networks.append(neighbourhood(line.network) if line.network else None)
            people.numbers.append(line.number)
            if self.keeps_cells:
                block.cells[key] = line.cells


def kept_address(text: str) -> tuple[str, str]:
    """An address as it is kept, and its key. Raises AddressRefused."""
    address = judged_address(text)
    return address.reveal(), address.key
