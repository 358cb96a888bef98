"""Which editions an issue has: one for each language, one for each order of both that somebody reads, one for each cut that
somebody chose, and these once more for each group of zones where hours online differ. Never one for a reader.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from digest.config import Config
from digest.model import Edition, Issue, IssueId, IssueState, Language, Period, Reading
from digest.render.logo import Logo
from digest.render.zones import zone_groups
from digest.rules.cuts import EVENTS, RECAP, RECAP_MONTHS, WHOLE, trimmed


class Press(Protocol):
    """What turns an issue into a letter."""

    @property
    def logo(self) -> Logo | None: ...
    def edition(self, issue: Issue, reading: Reading | Language, *, zone: str = "") -> Edition: ...


class Frozen(Protocol):
    def editions(self, issue_id: IssueId) -> dict[str, Edition]: ...
    def find(self, period: Period) -> Issue | None: ...


class Readers(Protocol):
    def readings(self) -> Sequence[tuple[Reading, str]]: ...
    def cuts(self, *, recap: bool) -> Sequence[tuple[Reading, str, str]]: ...


class Store(Protocol):
    """What this needs of the store."""

    @property
    def issues(self) -> Frozen: ...
    @property
    def subscribers(self) -> Readers: ...


@dataclass(frozen=True, slots=True)
class Printed:
    """All editions of an issue by key. zones: of a reader, to that of their group. empty: cuts with nothing in them.

    parts: of a cut, the issue as it was printed there; "": the whole.
    """

    editions: Mapping[str, Edition]
    zones: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    parts: Mapping[str, Issue] = field(default_factory=dict)


class Editions:
    """Prints a draft, and takes what was frozen from the store."""

    def __init__(self, store: Store, press: Press, *, config: Config) -> None:
        self._store, self._press, self._config = store, press, config

    def one(self, issue: Issue, reading: Reading | Language) -> Edition:
        """What these readers get: frozen once the issue is approved, printed from the draft before."""
        frozen = {} if issue.state is IssueState.DRAFT else self._store.issues.editions(issue.id)
        return frozen.get(reading.value) or self._press.edition(issue, reading)

    def checked(self, issue: Issue) -> dict[str, Edition]:
        """Those that preflight reads and editors look at: without the groups of zones and without cuts, which hold nothing
        but what stands in these and in earlier issues. Those are proved at the approval."""
        if issue.state is not IssueState.DRAFT:
            return {key: one for key, one in self._store.issues.editions(issue.id).items()
                    if not one.zone and not one.cut}  # fmt: skip
        wanted = [reading for reading, _ in self._readings()]
        plain = [Reading(language) for language in self._config.list.languages]
        return {
            reading.value: self._press.edition(issue, reading) for reading in dict.fromkeys([*plain, *wanted])
        }

    def printed(self, issue: Issue, checked: Mapping[str, Edition]) -> Printed:
        """All that shall be frozen: what was checked, and the groups of zones that confirmed readers live in."""
        readings = self._readings()
        chosen = self._store.subscribers.cuts(recap=issue.period.month % 3 == 0)
        lived_in = {zone for _, zone in readings} | {zone for _, zone, _ in chosen}
        zones = zone_groups(issue, lived_in - {""}, config=self._config)
        asked = sorted({(reading, zones[zone]) for reading, zone in readings if zone in zones})
        grouped = [self._press.edition(issue, reading, zone=zone) for reading, zone in asked]
        cut, shown = self._cuts(issue, chosen, zones)
        empty = tuple(sorted(name for name, part in shown.items() if part is None and name != WHOLE))
        parts = {WHOLE: issue, **{name: part for name, part in shown.items() if part is not None}}
        return Printed({**checked, **{one.key: one for one in [*grouped, *cut]}}, zones, empty, parts)

    def _cuts(
        self, issue: Issue, chosen: Sequence[tuple[Reading, str, str]], zones: Mapping[str, str]
    ) -> tuple[list[Edition], Mapping[str, Issue | None]]:
        """One for each cut and reading that somebody chose. Only events are told in zones: so the editions stay few."""
        wanted: set[tuple[str, Reading, str]] = set()
        for reading, zone, cut in chosen:
            wanted.add((cut, self._offered(reading), ""))
            if zone in zones and cut in {EVENTS, RECAP}:
                wanted.add((cut, self._offered(reading), zones[zone]))
        made: list[Edition] = []
        shown = self._shown(issue, {cut for cut, *_ in wanted})
        for cut, reading, zone in sorted(wanted):
            if (part := shown[cut]) is not None:
                made.append(replace(self._press.edition(part, reading, zone=zone), cut=cut))
        return made, shown

    def _shown(self, issue: Issue, cuts: Collection[str]) -> dict[str, Issue | None]:
        """What each cut holds of this issue; None: nothing."""
        return {
            cut: trimmed(
                issue, cut, printed=self._config.letter.sections,
                earlier=self._earlier(issue) if cut == RECAP else (),
            )
            for cut in cuts
        }  # fmt: skip

    def empty(self, issue: Issue) -> list[str]:
        """The cuts that somebody chose and that hold nothing of this issue: who wants no more gets no letter this time."""
        chosen = {cut for *_, cut in self._store.subscribers.cuts(recap=issue.period.month % 3 == 0)} - {
            WHOLE
        }
        return sorted(cut for cut, part in self._shown(issue, chosen).items() if part is None)

    def _earlier(self, issue: Issue) -> list[Issue]:
        """The issues since the last recap that were sent."""
        found, period = [], issue.period
        for _ in range(RECAP_MONTHS):
            period = period.previous()
            one = self._store.issues.find(period)
            if one is not None and one.state is IssueState.SENT:
                found.append(one)
        return found

    def _offered(self, reading: Reading) -> Reading:
        """As the list has it: else its first half, else the list's first language."""
        offered = self._config.list.languages
        if set(offered).issuperset(reading.languages):
            return reading
        return Reading(reading.first if reading.first in offered else offered[0])

    def _readings(self) -> list[tuple[Reading, str]]:
        """What readers asked for beside the plain editions, as far as the list has it."""
        offered = set(self._config.list.languages)
        return [pair for pair in self._store.subscribers.readings() if offered.issuperset(pair[0].languages)]
