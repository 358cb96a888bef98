"""Who gets an issue first, and when the rest may follow. It decides from counts; it sends nothing."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, Protocol

from digest.config_mail import MailPart
from digest.model import Canary, CanaryStage, Delivery, Issue, IssueId, PauseReason

AHEAD = timedelta(minutes=5)  # of the rest, where the configuration says nothing
TROUBLE_MOST = 0.2  # of the first letters; more than that, and a person is asked


class Canaries(Protocol):
    """`store.canaries`."""

    def get(self, issue_id: IssueId) -> Canary | None: ...
    def begin(self, issue_id: IssueId, *, percent: float, now: datetime) -> int: ...
    def company(self) -> tuple[int, int]: ...
    def move(self, issue_id: IssueId, *, to: CanaryStage, now: datetime) -> None: ...
    def claim(self, run: int, *, count: int, now: datetime) -> list[Delivery]: ...


class First:
    """The first letters of issues, by the rules of [mail]."""

    def __init__(self, canaries: Canaries, mail: MailPart, *, clock: Callable[[], datetime]) -> None:
        self._canaries, self._mail, self._clock = canaries, mail, clock

    def enter(self, issue: Issue, *, sent: int, editors_first: bool) -> bool:
        """Inside the transaction that begins a run: True while only the first letters are to be sent.

        editors_first: they are, unless [mail] canary says otherwise.
        Begun again after they have left, the rest follows: either a person said so, or the hour has come.
        """
        canary, now = self._canaries.get(issue.id), self._clock()
        if canary is None:
            kind = self._mail.canary or ("editors" if editors_first else "off")
            if kind == "off" or sent:
                return False
            percent = self._mail.canary_percent if kind == "share" else 0.0
            if self._canaries.begin(issue.id, percent=percent, now=now) or (
                issue.sending_since is None and self.waits_for_nobody
            ):
                return True
            self._canaries.move(issue.id, to=CanaryStage.REST, now=now)
            return False
        if canary.stage is CanaryStage.FIRST:
            return True
        self._canaries.move(issue.id, to=CanaryStage.REST, now=now)
        return False

    def left(self, issue: Issue) -> PauseReason | None:
        """Inside the transaction that ends a run of first letters: why the issue pauses now; None: it need not (yet)."""
        canary = self._canaries.get(issue.id)
        if canary is None or canary.stage is not CanaryStage.FIRST or canary.open:
            return None
        self._canaries.move(issue.id, to=CanaryStage.WAITING, now=self._clock())
        if canary.in_trouble > max(1, math.floor(TROUBLE_MOST * canary.total)):
            return PauseReason("first_trouble", {"total": canary.total, "trouble": canary.in_trouble})
        if self.then == "ask":
            return PauseReason("first_ask", {"n": canary.total})
        return None

    def rests_until(self, issue: Issue) -> datetime | None:
        """Until when the rest waits for the first letters; None: it does not."""
        canary = self._canaries.get(issue.id)
        if canary is None or canary.stage is not CanaryStage.WAITING:
            return None
        return canary.since + self.ahead

    @property
    def waits_for_nobody(self) -> bool:
        """Whether all letters wait that while also where no editor reads along: then approvers are told, and may stop it."""
        return self.then == "go" and self._canaries.company()[1] > 0

    @property
    def readers(self) -> int:
        """How many editors get it first, being readers."""
        return self._canaries.company()[0]

    @property
    def then(self) -> Literal["ask", "go"]:
        """What follows the first letters."""
        return "go" if self._mail.canary is None else self._mail.canary_then

    @property
    def ahead(self) -> timedelta:
        """How long the rest waits for them."""
        return AHEAD if self._mail.canary is None else timedelta(minutes=self._mail.canary_minutes)
