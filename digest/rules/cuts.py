"""Cuts of an issue: what readers get who asked for some of it only, or for a recap of three months. Pure.

A cut is a word: `` is the whole issue, `coming-up` its events, `worth-reading+calls` these sections, `recap` three months.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from digest.model import Cadence, Community, Issue, Placed

WHOLE, EVENTS, RECAP = "", "coming-up", "recap"
RECAP_MONTHS = 2  # besides the issue itself
CHOICES = ("coming-up", "worth-reading", "calls")  # what readers choose among; the rest goes with it
_KEPT_IN_A_RECAP = "worth-reading"
_GOES_WITH = {"missed-it": "worth-reading"}


def topics_of(asked: Collection[str]) -> tuple[str, ...]:
    """The sections somebody asked for, in the letter's order; all of them, or none we know, are the whole letter."""
    found = tuple(section for section in CHOICES if section in asked)
    return () if len(found) == len(CHOICES) else found


def cut_of(cadence: Cadence, topics: Sequence[str]) -> str:
    """The cut that answers somebody's choices."""
    if cadence is Cadence.QUARTERLY:
        return RECAP
    return EVENTS if cadence is Cadence.EVENTS else "+".join(topics)


def trimmed(
    issue: Issue, cut: str, *, printed: Collection[str] = CHOICES, earlier: Sequence[Issue] = ()
) -> Issue | None:
    """The issue as this cut shows it; None when it would be empty: then no letter leaves.

    printed: the sections that this letter has; a choice of others only, or of none we know, is the whole.
    earlier: the issues since the last recap, for a recap: what was worth reading in them follows this month's own.
    """
    if cut == WHOLE:
        return issue
    if cut == RECAP:
        return _recap(issue, earlier)
    wanted = [section for section in cut.split("+") if section in printed]
    if not wanted:
        return issue
    placed = tuple(one for one in issue.placed if _GOES_WITH.get(one.section or "", one.section) in wanted)
    return replace(issue, placed=placed, community=Community()) if placed else None


def _recap(issue: Issue, earlier: Sequence[Issue]) -> Issue:
    here = {one.item.id for one in issue.placed if one.section}
    own = [one for one in issue.placed if one.section]
    position = max((one.position for one in own if one.section == _KEPT_IN_A_RECAP), default=-1)
    added: list[Placed] = []
    for month in sorted(earlier, key=lambda one: str(one.period), reverse=True)[:RECAP_MONTHS]:
        for one in month.section(_KEPT_IN_A_RECAP):
            if one.item.id not in here:
                here.add(one.item.id)
                position += 1
                added.append(replace(one, position=position))
    return replace(issue, placed=(*own, *added))
