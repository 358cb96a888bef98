"""What preflight cannot see in the letter itself, fetched from the store. Nothing outside is asked here: see publish_look.py."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from digest.config import Config
from digest.model import Edition, Issue, IssueId, ItemId, Period, Source
from digest.render.calendar import issue_file
from digest.render.logo import Logo
from digest.render.press import logo_url
from digest.rules.preflight_outside import outside_links
from digest.rules.proof import Acceptance, Evidence, Look, Picture, Proof

REPEAT_MONTHS = 6


class Proofs(Protocol):
    """What was kept for preflight."""

    def subjects(self, before: Period, *, issues: int = 12) -> Sequence[tuple[str, str]]: ...
    def printed(self, issue_id: IssueId, *, since: Period) -> Mapping[ItemId, str]: ...
    def tested(self, issue_id: IssueId) -> Collection[str]: ...
    def last_audience(self, before: Period) -> int | None: ...
    def looks(self, kind: str, keys: Collection[str]) -> Mapping[tuple[str, str], Look]: ...
    def accepted(self, issue_id: IssueId) -> Mapping[str, Acceptance]: ...
    def accept(self, issue_id: IssueId, *, rule: str, word: Acceptance, at: datetime) -> None: ...


class Visits(Protocol):
    def all(self) -> Sequence[Source]: ...


class Archive(Protocol):
    """What this needs of the store."""

    @property
    def proofs(self) -> Proofs: ...
    @property
    def sources(self) -> Visits: ...


def evidence(
    store: Archive, issue: Issue, editions: Mapping[str, Edition], *, config: Config, now: datetime,
    frozen: str | None = None, logo: Logo | None = None,
) -> Evidence:  # fmt: skip
    """Everything that was kept and that a rule may want for these letters. frozen: what names all that are frozen."""
    since = issue.period
    for _ in range(REPEAT_MONTHS):
        since = since.previous()
    proofs = store.proofs
    hour = now.replace(minute=0, second=0, microsecond=0)
    links = outside_links(Proof(issue=issue, editions=editions, config=config, now=now, readers=0))
    return Evidence(
        subjects=proofs.subjects(issue.period),
        printed=proofs.printed(issue.id, since=since),
        tested=proofs.tested(issue.id),
        read_at={source.name: source.last_ok_at for source in store.sources.all()},
        last_audience=proofs.last_audience(issue.period),
        calendars={
            language: issue_file(issue, config=config, language=language, now=hour)
            for language in config.list.languages
        },
        looks={
            **proofs.looks("link", links),
            **proofs.looks("spam", [edition.sha256 for edition in editions.values()]),
            **proofs.looks("auth", [config.list.domain]),
        },
        frozen=frozen,
        pictures={logo_url(logo, config) or "": Picture(len(logo.data), logo.width, logo.height)}
        if logo
        else {},
    )
