"""The frozen letters of an issue, made anew without whoever took back what they said of themselves since they were approved.

What is still to leave leaves without it; newcomers, and whom a letter failed to reach, get it so too. Nobody's words may leave
against their will, or outlive them here. Nothing else in a letter may change.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from digest.config import Config
from digest.errors import RenderError
from digest.model import Edition, Issue, IssueState, PauseReason, Period, Reading
from digest.render.frozen import read, shown_with
from digest.render.press import Press
from digest.rules.cuts import RECAP, RECAP_MONTHS, trimmed
from digest.rules.taken_back import FLAG, taken_back
from digest.send_letters import seal_of_all
from digest.send_log import act
from digest.send_needs import Store

_LEAVING = frozenset({IssueState.SENDING, IssueState.PAUSED})


class TakenBack:
    """config: the list's web address, and what is printed."""

    def __init__(self, store: Store, press: Press, *, config: Config) -> None:
        self._store, self._press, self._config = store, press, config

    def mend(self) -> int:
        """How many sent issues were made anew; nothing is looked at unless somebody took their words back. Raises
        RenderError."""
        if not self._store.settings.get(FLAG):
            return 0
        issues, done = self._store.issues.all(), 0
        with self._store.write(durable=True):
            for one in issues:
                if one.state is IssueState.SENT:
                    done += self._issue(self._store.issues.get(one.period))
            if not any(one.state in _LEAVING for one in issues):
                self._store.settings.put(FLAG, "")
        return done

    def leave_out(self, issue: Issue, *, now: datetime) -> PauseReason | None:
        """Before letters of a begun issue leave: they are made anew, which its log says. A reason: that cannot be done."""
        editions = self._store.issues.editions(issue.id)
        gone = taken_back(issue, editions)
        if not gone:
            return None
        try:
            made = self._made(issue, editions)
        except (RenderError, ValueError, KeyError, TypeError):
            made = None
        if made is None:
            return PauseReason("taken_back", {"n": len(gone)})
        hash = seal_of_all(made)
        with self._store.write(durable=True):
            self._store.settings.put(FLAG, "yes")
            self._store.introductions.mend(issue.id, list(made.values()), hash=hash)
            detail = {"count": len(gone), "was": issue.hash, "hash": hash}
            self._store.issues.log(issue.id, editor="digest", act="leave out", detail=detail, at=now)
        act("leave-out", issue=issue.period, introductions=len(gone))
        return None

    def _issue(self, issue: Issue) -> bool:
        editions = self._store.issues.editions(issue.id)
        if not taken_back(issue, editions):
            return False
        made = self._made(issue, editions) or self._by_views(issue, editions)
        self._store.introductions.mend(issue.id, list(made.values()), hash=seal_of_all(made))
        return True

    def _made(self, issue: Issue, editions: Mapping[str, Edition]) -> dict[str, Edition] | None:
        """All of them; None when one that may show the words cannot be made as it was approved but for them."""
        made, gone = self._by_views(issue, editions), taken_back(issue, editions)
        odd = [key for key, one in editions.items() if one.zone or one.cut]
        if odd and self._is_as_approved(issue, editions):
            made |= {key: self._printed(issue, editions[key]) for key in odd}
            odd = []
        may_show = [made[key].text for key in odd if made[key].cut]
        if taken_back(issue, made) or any(name in text for text in may_show for name in gone):
            return None
        return made

    def _by_views(self, issue: Issue, editions: Mapping[str, Edition]) -> dict[str, Edition]:
        there = {int(person.subscriber) for person in issue.community.people}
        return {key: self._anew(one, editions, there) for key, one in editions.items()}

    def _anew(self, old: Edition, editions: Mapping[str, Edition], there: Collection[int]) -> Edition:
        """From what was printed; hours in a group of zones are those of the list then. A cut stays."""
        halves = [editions[one.value] for one in Reading(old.reading).languages if one.value in editions]
        texts = [half.view for half in halves if half.view]
        if old.cut or len(texts) < len(old.reading.languages):
            return old
        views = [shown_with(read(text, home=self._config.list.url), there) for text in texts]
        new = self._press.of_views(views, old.reading)
        return replace(new, subject=old.subject, zone=old.zone)

    def _is_as_approved(self, issue: Issue, editions: Mapping[str, Edition]) -> bool:
        """Whether the issue would be printed today as it was frozen, but for who is there no more."""
        there = {int(person.subscriber) for person in issue.community.people}
        plain = [one for one in editions.values() if one.view and not one.cut and not one.zone]
        return all(
            self._press.view(issue, one.language)
            == shown_with(read(one.view, home=self._config.list.url), there)
            for one in plain
        )

    def _printed(self, issue: Issue, old: Edition) -> Edition:
        """A group of zones, or a cut, from the issue itself. Raises RenderError."""
        earlier = self._earlier(issue.period) if old.cut == RECAP else []
        part = trimmed(issue, old.cut, printed=self._config.letter.sections, earlier=earlier)
        new = self._press.edition(part or issue, old.reading, zone=old.zone)
        return replace(new, subject=old.subject, cut=old.cut)

    def _earlier(self, period: Period) -> list[Issue]:
        before = [period := period.previous() for _ in range(RECAP_MONTHS)]
        found = [self._store.issues.find(one) for one in before]
        return [one for one in found if one is not None and one.state is IssueState.SENT]
