"""The frozen letters of a sent issue, made anew without whoever took back what they said of themselves.

Newcomers get them, and whom they failed to reach; nobody's words may leave against their will, or outlive them here.
Letters that are still leaving are left alone: what was approved is what leaves.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from digest.model import Edition, Issue, IssueState, Reading
from digest.render.frozen import read, shown_with
from digest.render.press import Press
from digest.rules.taken_back import FLAG, taken_back
from digest.send_letters import seal_of_all
from digest.send_needs import Store

_LEAVING = frozenset({IssueState.SENDING, IssueState.PAUSED})


class TakenBack:
    """home: the list's web address."""

    def __init__(self, store: Store, press: Press, *, home: str) -> None:
        self._store, self._press, self._home = store, press, home

    def mend(self) -> int:
        """How many issues were made anew; nothing is looked at unless somebody took their words back. Raises RenderError."""
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

    def _issue(self, issue: Issue) -> bool:
        editions = self._store.issues.editions(issue.id)
        if not taken_back(issue, editions):
            return False
        there = {int(person.subscriber) for person in issue.community.people}
        made = {key: self._anew(one, editions, there) for key, one in editions.items()}
        self._store.introductions.mend(issue.id, list(made.values()), hash=seal_of_all(made))
        return True

    def _anew(self, old: Edition, editions: Mapping[str, Edition], there: Collection[int]) -> Edition:
        """From what was printed; hours in a group of zones are those of the list then. A cut shows nobody, and stays."""
        halves = [editions[one.value] for one in Reading(old.reading).languages if one.value in editions]
        texts = [half.view for half in halves if half.view]
        if old.cut or len(texts) < len(old.reading.languages):
            return old
        views = [shown_with(read(text, home=self._home), there) for text in texts]
        new = self._press.of_views(views, old.reading)
        return replace(new, subject=old.subject, zone=old.zone)
