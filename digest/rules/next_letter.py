"""The day of the next issue that can reach somebody who comes now: its list of readers is not yet written down. Pure."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from digest.model import Issue, IssueState, Period
from digest.rules.cron import next_slot


def next_letter(issues: Collection[Issue], *, line: str, zone: str, now: datetime) -> datetime:
    """A draft's own day, or the next date of the cron line in a month that has no issue yet, whichever is first.

    An approved issue has its readers, one that left or is leaving too; a draft whose day is over promises nothing.
    """
    drafts = [issue.send_at for issue in issues if issue.state is IssueState.DRAFT and issue.send_at > now]
    made = {issue.period for issue in issues}
    slot = next_slot(line, zone, after=now)
    while _month(slot, zone) in made:
        slot = next_slot(line, zone, after=slot)
    return min([*drafts, slot])


def _month(slot: datetime, zone: str) -> Period:
    local = slot.astimezone(ZoneInfo(zone))
    return Period(local.year, local.month)
