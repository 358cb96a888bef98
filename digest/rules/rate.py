"""How fast a relay or a mail domain is written to: half as fast when it pushes back, creeping up while it takes letters.

Pure: `now_s` is any clock that never goes back. What was learned outlives the run that learned it (LearnedPace).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.model import LearnedPace
from digest.rules.pace import enhanced, names_the_address

START_RATE, START_WIDTH = 8.0, 4  # what "no limit" is taken for when somebody first pushes back
LEAST_RATE = 0.2  # letters a second
FREE_RATE = 100.0  # beyond it a limit that we only learned is forgotten
COOL_S = 10.0  # letters already in hand say the same thing again: one halving
CREEP_AFTER, CREEP_BY = 25, 1.1  # so many letters taken: a tenth faster, one connection more
CREEP_S = 3.0  # and not sooner than that
FORGET_AFTER = timedelta(days=14)
DOMAIN_RESTS = timedelta(hours=1)
RELAY_RESTS = timedelta(minutes=5)


def pushes_back(code: int, text: str) -> bool:
    """True for "slower, please": 421, 4.7.x, and 450 unless it speaks of one mailbox or of greylisting."""
    if code == 421:
        return True
    if not 400 <= code < 500 or "greylist" in text.lower() or "graylist" in text.lower():
        return False
    status = enhanced(text)
    return (status is not None and status[:2] == (4, 7)) or (code == 450 and not names_the_address(text))


@dataclass(slots=True)
class Pace:
    """rate: letters a second; width: connections, or letters in hand at once. 0: no limit. most_*: what config.toml says.

    rests_until, words: it is left alone until then, because it said so.
    """

    most_rate: float = 0.0
    most_width: int = 0
    rate: float = 0.0
    width: int = 0
    rests_until: datetime | None = None
    words: str = ""
    changed: bool = False  # since it was last kept
    is_down: bool = False  # a relay that does not work
    _tokens: float = 1.0
    _at_s: float | None = None
    _pushed_s: float | None = None
    _crept_s: float | None = None
    _good: int = 0

    def __post_init__(self) -> None:
        self.rate = _least(self.rate, self.most_rate)
        self.width = int(_least(self.width, self.most_width))

    def narrow(self, width: int, words: str) -> None:
        """It takes no more than so many connections at once."""
        if width != self.width:
            self.width, self.words, self.changed, self._good = max(1, width), words, True, 0

    def wait_s(self, now_s: float) -> float:
        """How long until the next letter may be begun; 0: now."""
        if not self.rate:
            return 0.0
        self._fill(now_s)
        return 0.0 if self._tokens >= 1.0 else (1.0 - self._tokens) / self.rate

    def spend(self, now_s: float) -> None:
        """One letter is begun."""
        if self.rate:
            self._fill(now_s)
            self._tokens -= 1.0

    def push_back(self, now_s: float, words: str, *, seen: float = 0.0) -> bool:
        """It asked for less; `seen` letters a second were taken lately. False when it has said so a moment ago."""
        if self._pushed_s is not None and now_s - self._pushed_s < COOL_S:
            return False
        self._pushed_s = self._crept_s = now_s
        self._good, self.words, self.changed = 0, words, True
        self.rate = max(LEAST_RATE, (self.rate or self.most_rate or max(START_RATE, seen)) / 2)
        self.width = max(1, (self.width or self.most_width or START_WIDTH) // 2)
        self._tokens, self._at_s = 0.0, now_s
        return True

    @property
    def is_slowed(self) -> bool:
        """Slower than config.toml allows."""
        return self.rate != self.most_rate or self.width != self.most_width

    def took(self, now_s: float) -> None:
        """It accepted a letter, and is slowed."""
        self._good += 1
        since_s = self._crept_s if self._crept_s is not None else self._pushed_s
        if self._good < CREEP_AFTER or (since_s is not None and now_s - since_s < CREEP_S):
            return
        self._good, self._crept_s, self.changed = 0, now_s, True
        self.rate = self.rate * CREEP_BY
        self.width += 1
        if self.most_rate:
            self.rate = min(self.rate, self.most_rate)
        if self.most_width:
            self.width = min(self.width, self.most_width)
        if not self.most_rate and self.rate > FREE_RATE:
            self.rate, self.width = 0.0, self.most_width

    def _fill(self, now_s: float) -> None:
        """No more than a second's worth is saved up."""
        if self._at_s is not None:
            gained = max(0.0, now_s - self._at_s) * self.rate
            self._tokens = min(max(1.0, self.rate), self._tokens + gained)
        self._at_s = now_s


def _least(learned: float, configured: float) -> float:
    return min(learned, configured) if learned and configured else learned or configured


@dataclass(slots=True)
class Paces:
    """All that one run knows, by name. Unknown ones are free."""

    relays: dict[str, Pace] = field(default_factory=dict)
    domains: dict[str, Pace] = field(default_factory=dict)

    def relay(self, name: str, *, rate: float, connections: int) -> Pace:
        """That of a relay, with what config.toml allows as the most."""
        pace = self.relays.setdefault(name, Pace())
        pace.most_rate, pace.most_width = rate, connections
        pace.rate, pace.width = _least(pace.rate, rate), int(_least(pace.width, connections))
        return pace

    def domain_pushed_back(self, domain: str, now_s: float, words: str) -> bool:
        return self.domains.setdefault(domain, Pace()).push_back(now_s, words)

    def load(self, learned: list[LearnedPace], *, now: datetime) -> None:
        """What earlier runs learned, unless it is stale. Limits of config.toml stand there already and win."""
        for one in learned:
            if now - one.at > FORGET_AFTER:
                continue
            kept = self.relays if one.kind == "relay" else self.domains
            known = kept.get(one.name, Pace())
            is_resting = one.rests_until is not None and one.rests_until > now
            kept[one.name] = Pace(
                most_rate=known.most_rate, most_width=known.most_width, rate=one.rate, width=one.width,
                rests_until=one.rests_until if is_resting else None, words=one.words,
            )  # fmt: skip

    def learned(self, *, now: datetime) -> list[LearnedPace]:
        """What has changed since this was last asked."""
        found: list[LearnedPace] = []
        for kind, kept in (("relay", self.relays), ("domain", self.domains)):
            for name, pace in kept.items():
                if pace.is_down and pace.rests_until is None:
                    pace.rests_until = now + RELAY_RESTS
                if pace.changed:
                    pace.changed = False
                    found.append(LearnedPace(kind=kind, name=name, rate=pace.rate, width=pace.width,
                                             rests_until=pace.rests_until, words=pace.words, at=now))  # fmt: skip
        return found
