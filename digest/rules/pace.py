"""When to try again, and what a relay's reply means: ours, this person's, temporary or for good. No clock, no socket."""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from digest.model import DeliveryState, Outcome, PauseReason

RETRY_AFTER_S = (900, 1_800, 3_600, 7_200, 14_400)  # then 14 400 s again and again
GIVE_UP_AFTER_S = 4 * 86_400  # RFC 5321 4.5.4.1: at least 4 to 5 days
DOMAIN_STREAK = 5  # refusals "because of you" until a domain is left alone
EARLY_MOST = 20  # failures in a row, nothing accepted yet: stop
EARLY_LEAST = 5  # the same at the end of a short list
WINDOW, WINDOW_MOST = 50, 20  # so many refusals among the last so many answers: stop

_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")


class Phase(StrEnum):
    """Where in the dialogue a reply or a silence falls (RFC 5321 section 4.1.1)."""

    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "EHLO"
    TLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    DOT = "final dot"
    EMPTY = "bare dot"  # the dot that ends a DATA which no recipient of ours entered
    RSET = "RSET"
    QUIT = "QUIT"


# How long an answer is awaited, at the least (RFC 5321 section 4.5.3.2); of a connection and a bare dot it says nothing.
PATIENCE_S = {
    Phase.CONNECT: 60.0, Phase.GREETING: 300.0, Phase.MAIL: 300.0, Phase.RCPT: 300.0, Phase.DATA: 120.0,
    Phase.BODY: 180.0, Phase.DOT: 600.0,
}  # fmt: skip
PATIENCE_ELSE_S = 300.0


def patience_s(phase: Phase, *, most_s: float) -> float:
    """most_s: what the operator has patience for. The final dot has its own time: a shorter wait makes duplicates."""
    usual_s = PATIENCE_S.get(phase, PATIENCE_ELSE_S)
    return usual_s if phase is Phase.DOT else min(usual_s, most_s)


class Meaning(StrEnum):
    """What a reply says about whom."""

    YES = "yes"  # go on
    LATER = "later"  # this address, temporarily: deferred
    NEVER = "never"  # this address, for good: failed
    OURS = "ours"  # refused because of who we are (x.7.x): nobody is marked
    CLOSING = "closing"  # the fate of this connection: reconnect, slower
    STOP = "stop"  # the relay will not work for us: the run pauses
    NONSENSE = "nonsense"  # no reply that SMTP knows here


_RELAY_PHASES = frozenset({Phase.CONNECT, Phase.GREETING, Phase.HELLO, Phase.TLS, Phase.AUTH, Phase.MAIL})
_PROTOCOL_CODES = frozenset(
    {500, 502, 503, 504, 530, 535, 555}
)  # about our commands or our login, never the address


def meaning(phase: Phase, code: int, text: str) -> Meaning:
    """What the reply `code text` means in `phase` (guide: sending, "SMTP phase by phase")."""
    if 200 <= code < 300:
        return Meaning.NONSENSE if phase is Phase.DATA else Meaning.YES
    if code == 354 or code == 334:
        expected = Phase.DATA if code == 354 else Phase.AUTH
        return Meaning.YES if phase is expected else Meaning.NONSENSE
    if code == 421:
        return Meaning.CLOSING
    if not 400 <= code < 600:
        return Meaning.NONSENSE
    if phase in _RELAY_PHASES:
        return Meaning.CLOSING if code < 500 else Meaning.STOP
    if code < 500:
        return Meaning.LATER
    return Meaning.OURS if is_ours(code, text) else Meaning.NEVER


def enhanced(text: str) -> tuple[int, int, int] | None:
    """The enhanced status code (RFC 3463) at the head of a reply text."""
    found = _ENHANCED.match(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def is_ours(code: int, text: str) -> bool:
    """True for a permanent refusal that speaks of us (policy, reputation, login), not of the address."""
    status = enhanced(text)
    if status is None:
        return code in _PROTOCOL_CODES
    return status[0] == 5 and (status[1] == 7 or (code in _PROTOCOL_CODES and status[1] != 1))


def names_the_address(text: str) -> bool:
    """True for x.1.x and x.2.x: the mailbox itself is the matter."""
    status = enhanced(text)
    return status is not None and status[1] in (1, 2)


def retry_at(attempts: int, *, now: datetime) -> datetime | None:
    """When to try again after the `attempts`-th temporary refusal (1 for the first); None: give up, 4 days are over."""
    waits = [_wait_s(n) for n in range(1, attempts + 1)]
    return None if sum(waits[:-1]) >= GIVE_UP_AFTER_S else now + timedelta(seconds=waits[-1])


def _wait_s(attempt: int) -> int:
    return RETRY_AFTER_S[min(attempt, len(RETRY_AFTER_S)) - 1]


def notice_retry_at(attempts: int, *, queued_at: datetime, now: datetime) -> datetime | None:
    """The same for a one-off letter, for which somebody waits: 1, 2, 4 … 60 minutes, until it is two days old."""
    at = now + timedelta(minutes=min(2 ** min(attempts - 1, 6), 60))
    return at if at - queued_at < timedelta(days=2) else None


@dataclass(slots=True)
class Watch:
    """What the relay answered lately in one run, and whether that calls for a halt.

    accepted: the relay has taken a letter of this issue before. Feed it every outcome with `saw`; then read `halt` and
    `shunned` (domains that refuse us, with their words).
    """

    accepted: bool = False
    early: int = 0
    halt: PauseReason | None = None
    shunned: dict[str, str] = field(default_factory=dict)
    _streaks: dict[str, int] = field(default_factory=dict)
    _window: deque[bool] = field(default_factory=lambda: deque(maxlen=WINDOW))

    @property
    def is_wary(self) -> bool:
        """Whether a letter that was taken tells it something about its domain."""
        return bool(self._streaks)

    def saw(self, outcome: Outcome, *, domain: str) -> None:
        if outcome.state is DeliveryState.SENT:
            self.accepted = True
            if self._streaks:
                self._streaks.pop(domain, None)
            self._window.append(False)
        elif outcome.code and (outcome.state is DeliveryState.FAILED or outcome.code >= 500):
            self._refused(outcome, domain)

    def _refused(self, outcome: Outcome, domain: str) -> None:
        ours = is_ours(outcome.code, outcome.reply)
        if (
            ours and domain in self.shunned
        ):  # letters already in hand when the domain was given up: nothing new
            return
        if ours:
            self._streaks[domain] = self._streaks.get(domain, 0) + 1
            if self._streaks[domain] >= DOMAIN_STREAK:
                self.shunned[domain] = f"{outcome.code} {outcome.reply}"
        if not self.accepted:
            self.early += 1
            if self.early >= EARLY_MOST:
                self.halt = _nothing_accepted(self.early, outcome)
        self._window.append(ours or not names_the_address(outcome.reply))
        if self.accepted and sum(self._window) >= WINDOW_MOST:
            said = f"{outcome.code} {outcome.reply}"
            self.halt = PauseReason(
                "refused_rate", {"count": sum(self._window), "of": len(self._window), "said": said}
            )

    def verdict_at_end(self, last: Outcome | None) -> PauseReason | None:
        """The reason for a run that ended with nothing accepted and more than a few refused; None: all is well."""
        if self.accepted or last is None or self.early < EARLY_LEAST:
            return None
        return _nothing_accepted(self.early, last)


def _nothing_accepted(count: int, outcome: Outcome) -> PauseReason:
    return PauseReason("refused_first", {"count": count, "said": f"{outcome.code} {outcome.reply}"})
