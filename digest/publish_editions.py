"""Which editions an issue has: one for each language, one for each order of both that somebody reads, and these once more
for each group of zones where hours online differ. Never one for a reader.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from digest.config import Config
from digest.model import Edition, Issue, IssueId, IssueState, Language, Reading
from digest.render.zones import zone_groups


class Press(Protocol):
    """What turns an issue into a letter."""

    def edition(self, issue: Issue, reading: Reading | Language, *, zone: str = "") -> Edition: ...


class Frozen(Protocol):
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...


class Readers(Protocol):
    def readings(self) -> Sequence[tuple[Reading, str]]: ...


class Store(Protocol):
    """What this needs of the store."""

    @property
    def issues(self) -> Frozen: ...
    @property
    def subscribers(self) -> Readers: ...


@dataclass(frozen=True, slots=True)
class Printed:
    """All editions of an issue by key. zones: of a reader, to that of their group."""

    editions: Mapping[str, Edition]
    zones: Mapping[str, str] = field(default_factory=dict)


class Editions:
    """Prints a draft, and takes what was frozen from the store."""

    def __init__(self, store: Store, press: Press, *, config: Config) -> None:
        self._store, self._press, self._config = store, press, config

    def one(self, issue: Issue, reading: Reading | Language) -> Edition:
        """What these readers get: frozen once the issue is approved, printed from the draft before."""
        frozen = {} if issue.state is IssueState.DRAFT else self._store.issues.editions(issue.id)
        return frozen.get(reading.value) or self._press.edition(issue, reading)

    def checked(self, issue: Issue) -> dict[str, Edition]:
        """Those that preflight reads: without the groups of zones, which differ from these in hours alone."""
        if issue.state is not IssueState.DRAFT:
            return {key: one for key, one in self._store.issues.editions(issue.id).items() if not one.zone}
        wanted = [reading for reading, _ in self._readings()]
        plain = [Reading(language) for language in self._config.list.languages]
        return {
            reading.value: self._press.edition(issue, reading) for reading in dict.fromkeys([*plain, *wanted])
        }

    def printed(self, issue: Issue, checked: Mapping[str, Edition]) -> Printed:
        """All that shall be frozen: what was checked, and the groups of zones that confirmed readers live in."""
        readings = self._readings()
        zones = zone_groups(issue, {zone for _, zone in readings if zone}, config=self._config)
        asked = sorted({(reading, zones[zone]) for reading, zone in readings if zone in zones})
        grouped = [self._press.edition(issue, reading, zone=zone) for reading, zone in asked]
        return Printed({**checked, **{one.key: one for one in grouped}}, zones)

    def _readings(self) -> list[tuple[Reading, str]]:
        """What readers asked for beside the plain editions, as far as the list has it."""
        offered = set(self._config.list.languages)
        return [pair for pair in self._store.subscribers.readings() if offered.issuperset(pair[0].languages)]
