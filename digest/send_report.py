"""What one call of sending did, and why it paused, as a value and as a sentence. It decides and changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from digest.errors import MailError
from digest.model import Issue, IssueState, Language, PauseReason, Period
from digest.words import told


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one call of `issue` did, and how the issue stands now.

    sent, deferred, failed, unsure: in this call. left_out: readers of the issue who left before their letter.
    waiting, doubtful: letters of the issue still to be tried, and in doubt, now. next_due: when a put-off letter may be
    tried again. reason: why it paused, for commands. busy: another process is sending; nothing was done here.
    shunned: domains that refuse us, with their words. rests_until: outside the hours of [mail] window, or while the
    first letters are looked at.
    """

    period: Period
    state: IssueState
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    unsure: int = 0
    left_out: int = 0
    waiting: int = 0
    doubtful: int = 0
    next_due: datetime | None = None
    reason: str | None = None
    busy: bool = False
    shunned: Mapping[str, str] = field(default_factory=dict)
    rests_until: datetime | None = None


def together(before: Report, then: Report) -> Report:
    """Two rounds of one call."""
    return replace(
        then, sent=before.sent + then.sent, deferred=before.deferred + then.deferred,
        failed=before.failed + then.failed, unsure=before.unsure + then.unsure,
        shunned={**before.shunned, **then.shunned},
    )  # fmt: skip


def reason_of(error: MailError) -> PauseReason:
    """What a transport says, with its code where it has one."""
    room, _, code = error.key.partition(".")
    if room != "sending":
        return PauseReason("other", {"said": str(error)})
    return PauseReason(
        code, {name: fact if isinstance(fact, int) else str(fact) for name, fact in error.slots.items()}
    )


def sentence(issue: Issue) -> str | None:
    """Why an issue is paused, for commands; None: it is not."""
    if issue.state is not IssueState.PAUSED or issue.pause_reason is None:
        return None
    return told(issue.pause_reason, Language.EN)
