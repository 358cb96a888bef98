"""This month beside the last one: what an editor would count by hand. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.model import Issue, Placed
from digest.rules.assemble import SECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Pairs are (now, before). languages: by code, homes: by jurisdiction, "" where nobody says. repeated: titles in both."""

    sections: dict[str, tuple[int, int]]
    languages: dict[str, tuple[int, int]]
    homes: dict[str, tuple[int, int]]
    sources: tuple[int, int]
    new_sources: tuple[str, ...]
    gone_sources: tuple[str, ...]
    repeated: tuple[str, ...]


def compare(issue: Issue, before: Issue, *, homes: Mapping[str, str] | None = None) -> Comparison:
    """homes: names of sources to the jurisdiction each is at home in, as far as that is said."""
    now, then = _printed(issue), _printed(before)
    here, there = {p.item.source for p in now}, {p.item.source for p in then}
    spoken, was_spoken = _languages(now), _languages(then)
    at_home, was_at_home = _homes(now, homes or {}), _homes(then, homes or {})
    addresses = {p.item.url for p in then if p.item.url}
    old = {p.item.id for p in then}
    return Comparison(
        sections={name: (len(issue.section(name)), len(before.section(name))) for name in SECTIONS},
        languages={code: (spoken[code], was_spoken[code]) for code in sorted({*spoken, *was_spoken})},
        homes={home: (at_home[home], was_at_home[home]) for home in sorted({*at_home, *was_at_home})},
        sources=(len(here), len(there)),
        new_sources=tuple(sorted(here - there, key=str.casefold)),
        gone_sources=tuple(sorted(there - here, key=str.casefold)),
        repeated=tuple(p.item.title for p in now if p.item.id in old or p.item.url in addresses),
    )


def _printed(issue: Issue) -> Sequence[Placed]:
    return [placed for placed in issue.placed if placed.section is not None]


def _homes(placed: Sequence[Placed], homes: Mapping[str, str]) -> Counter[str]:
    """Empty where no source of the issue says where it is at home."""
    found = Counter(homes.get(p.item.source, "") for p in placed)
    return found if set(found) - {""} else Counter()


def _languages(placed: Sequence[Placed]) -> Counter[str]:
    return Counter((p.item.language or "").replace("_", "-").partition("-")[0].casefold() for p in placed)
