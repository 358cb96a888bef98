"""When an approved issue may leave: not in the past, not a year away, not once what it announces is over. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from digest.errors import MoveRefused
from digest.model import Edit, Edition, Issue, IssueState
from digest.rules.preflight_items import over
from digest.rules.taken_back import taken_back

SHORTEST_NOTICE = timedelta(minutes=10)
FARTHEST = timedelta(days=365)
_A_MINUTE = timedelta(minutes=1)  # a form knows no seconds: its present minute is now
_NAMED = 3


def moment(issue: Issue, at: datetime | None, *, now: datetime) -> datetime:
    """`at`, or the issue's own date, or ten minutes from now. Raises MoveRefused."""
    if at is not None and at <= now - _A_MINUTE:
        raise MoveRefused("That moment is past.", key="desk.why_past")
    if at is not None and at > now + FARTHEST:
        raise MoveRefused("That is more than a year away.", key="desk.why_far")
    send_at = max(at or issue.send_at, now + SHORTEST_NOTICE)
    is_now = at is None or at <= now + SHORTEST_NOTICE
    ended = over(issue, min(issue.send_at, send_at) if is_now else send_at)
    if ended:
        titles = " · ".join(placed.item.title[:60] for placed in ended[:_NAMED])
        raise MoveRefused(
            f"By then this is over: {titles}. Hold the issue, take it out, approve again.",
            key="desk.why_over",
            titles=titles,
        )
    return send_at


def must_have_its_hour(issue: Issue, *, now: datetime, zone: str) -> None:
    """Raises MoveRefused while a scheduled issue waits for its hour: until then anybody at the desk can hold it."""
    if issue.state is not IssueState.SCHEDULED or now >= issue.send_at:
        return
    when = f"{issue.send_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    raise MoveRefused(
        f"{issue.period} is scheduled for {when}, and until then it can be held: digest hold {issue.period}. It leaves "
        f"then by itself while digest serve runs. Not to wait, and to leave nobody time to hold it: "
        f"digest send {issue.period} --now",
        key="desk.why_early",
    )  # fmt: skip


def must_not_be_yesterday(issue: Issue, others: Iterable[Issue], *, now: datetime) -> None:
    """Raises MoveRefused: no letter is dated before those of the last issue; then this machine's clock is wrong."""
    begun = [one.sending_since for one in others if one.id != issue.id and one.sending_since]
    if issue.sending_since is None and begun and now < max(begun):
        raise MoveRefused(
            f"The clock of this machine says {now:%Y-%m-%d %H:%M} UTC, which is before the last issue began to leave "
            f"({max(begun):%Y-%m-%d %H:%M}). Set the clock; nothing was sent.",
            key="desk.why_clock",
        )


def must_show_nobody_against_their_word(issue: Issue, letters: Mapping[str, Edition]) -> None:
    """Raises MoveRefused when somebody took back what the frozen letters show of them."""
    gone = taken_back(issue, letters)
    if gone:
        names = " · ".join(gone[:_NAMED])
        raise MoveRefused(f"This introduction was taken back: {names}. Hold the issue, and approve it again.",
                          key="desk.why_taken_back", names=names)  # fmt: skip


def own_date(issue: Issue, edits: Iterable[Edit]) -> datetime:
    """When the issue was due before somebody chose another day. edits: its log, oldest first."""
    own = ""
    for edit in edits:
        if edit.act == "schedule":
            own = own or str(edit.detail.get("own", ""))
        elif edit.act == "hold":
            own = ""
    return datetime.fromisoformat(own) if own else issue.send_at
