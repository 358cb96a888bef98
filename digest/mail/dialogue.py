"""One logged-in SMTP connection, letter after letter: replies in, bytes out. Sans-io: no socket, no clock, no ledger.

A letter goes envelope → 354 → body without its final dot → `ready` → (the ledger commits) → `dot()` → reply.
This file never writes a dot by itself, save the bare one that ends a DATA nobody's letter entered.
"""

from collections import deque
from enum import Enum, auto

from digest.mail.envelope import CRLF, DOT, Offers, Unsendable, Wire, wire
from digest.mail.replies import Reply, kept
from digest.model import DeliveryState, Letter, Outcome
from digest.rules.pace import Meaning, Phase, meaning


class Fate(Enum):
    """Why a connection is over."""

    NONE = auto()
    CLOSING = auto()  # 421, or a temporary refusal of MAIL: reconnect, slower
    REFUSED = auto()  # MAIL refused for good: the relay will not work for us
    NONSENSE = auto()  # a reply that SMTP does not know here


_STATE = {
    Meaning.LATER: DeliveryState.DEFERRED,
    Meaning.OURS: DeliveryState.DEFERRED,
    Meaning.NEVER: DeliveryState.FAILED,
}


_DATA = b"DATA" + CRLF
_ENVELOPE = (Phase.MAIL, Phase.RCPT, Phase.DATA)
_SENT = DeliveryState.SENT


class Dialogue:
    """After each call look at `take()` (bytes to write), `outcomes`, `ready`, `idle` and `fate`."""

    __slots__ = (
        "_awaited", "_dotted", "_is_group", "_letter", "_must_reset", "_out", "_plan", "_refused", "_wire",
        "fate", "last_words", "offers", "outcomes", "ready", "taken",
    )  # fmt: skip

    def __init__(self, offers: Offers) -> None:
        self.offers = offers
        self.outcomes: list[Outcome] = []
        self.ready = False  # the body stands on the wire, the dot comes next
        self.fate = Fate.NONE
        self.last_words = ""  # what the relay said when it ended this
        self.taken = 0  # dots answered with 250 on this connection
        self._letter: Letter | None = None  # in envelope or body
        self._dotted: Letter | None = None  # its dot is written, its reply is not here
        self._wire: Wire | None = None
        self._awaited: deque[Phase] = deque()  # replies to come, in order
        self._plan: deque[tuple[Phase, bytes]] = deque()  # commands not yet written
        self._out: list[bytes] = []
        self._is_group = False  # awaited are the answers to a dot and the next envelope, and nothing else
        self._refused = False  # the current letter has its outcome; only replies are still to come
        self._must_reset = False

    # --- what the engine asks ----------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """True when a letter may be begun: nothing in envelope or body, and nothing unanswered but a dot."""
        return self._letter is None and not self._plan and not self._awaited and self.fate is Fate.NONE

    @property
    def awaits(self) -> Phase | None:
        """The phase of the next reply."""
        return self._awaited[0] if self._awaited else None

    @property
    def letter(self) -> Letter | None:
        return self._letter

    @property
    def dotted(self) -> Letter | None:
        return self._dotted

    def take(self) -> list[bytes]:
        """The bytes to write now, in pieces."""
        pieces, self._out = self._out, []
        return pieces

    # --- what the engine does ----------------------------------------------------------------------------------

    def begin(self, letter: Letter) -> bool:
        """Starts the envelope of a letter. False: it cannot be sent at all; its outcome is noted."""
        try:
            self._wire = wire(letter, self.offers)
        except Unsendable as reason:
            self.outcomes.append(
                Outcome(delivery=letter.delivery, state=DeliveryState.FAILED, reply=str(reason))
            )
            return False
        self._letter = letter
        self._refused = False
        if self._must_reset:
            self._plan.append((Phase.RSET, b"RSET" + CRLF))
            self._must_reset = False
        if self.offers.pipelining and not self._plan:  # RFC 2920: the group in one piece
            self._is_group = len(self._awaited) == 1 and self._dotted is not None
            self._awaited += _ENVELOPE
            self._out.append(self._wire.mail + self._wire.rcpt + _DATA)
            return True
        self._plan.append((Phase.MAIL, self._wire.mail))
        self._plan.append((Phase.RCPT, self._wire.rcpt))
        self._plan.append((Phase.DATA, _DATA))
        if self.offers.pipelining or not self._awaited:
            self._pump()
        return True

    def dot(self) -> None:
        """Writes the dot of the ready letter; another may be begun at once. Only after the ledger has committed."""
        assert self.ready
        self.ready = False
        self._dotted, self._letter, self._wire = self._letter, None, None
        self._out.append(DOT)
        self._awaited.append(Phase.DOT)

    def receive_all(self, replies: list[Reply]) -> None:
        """Takes replies in their order. A dot taken and the next letter's MAIL, RCPT and DATA, all good: that is what
        nearly every read brings, and it is taken in one step."""
        if self._is_group and len(replies) == 4:
            taken, mail, rcpt, data = replies
            if data.code == 354 and taken.code == mail.code == 250 and rcpt.code in (250, 251):
                dotted = self._dotted
                assert dotted is not None
                self._is_group, self._dotted = False, None
                self._awaited.clear()
                self.taken += 1
                self.outcomes.append(Outcome(dotted.delivery, _SENT, 250, kept(taken.text)))
                self._body_follows()
                return
        for reply in replies:
            self.receive(reply)

    def receive(self, reply: Reply) -> None:
        """Takes the next reply."""
        self._is_group = False
        if self.fate is not Fate.NONE:
            return
        if not self._awaited:
            self._end(Fate.CLOSING if reply.code == 421 else Fate.NONSENSE, reply)
            return
        phase = self._awaited.popleft()
        is_usual = reply.code == 354 if phase is Phase.DATA else 200 <= reply.code < 300
        verdict = Meaning.YES if is_usual else meaning(phase, reply.code, reply.text)
        if phase is Phase.DOT:
            self._dot_answered(reply, verdict)
        elif verdict is Meaning.CLOSING:
            self._end(Fate.CLOSING, reply)
        elif phase is Phase.EMPTY:
            pass  # whatever is said of a letter to nobody changes nothing
        elif verdict is Meaning.NONSENSE:
            self._end(Fate.NONSENSE, reply)
        elif phase in (Phase.MAIL, Phase.RSET):
            self._mail_answered(reply, verdict)
        else:
            self._refusable_answered(phase, reply, verdict)
        if self.fate is Fate.NONE and not self._awaited:
            self._pump()

    def lost(self) -> tuple[Letter | None, Letter | None]:
        """The connection is gone: (letter safe to send again, letter whose dot was written and never answered)."""
        again = None if self._refused else self._letter
        doubtful = self._dotted
        self._letter = self._dotted = None
        self.ready = False
        return again, doubtful

    # --- replies -----------------------------------------------------------------------------------------------

    def _dot_answered(self, reply: Reply, verdict: Meaning) -> None:
        assert self._dotted is not None
        if verdict is Meaning.NONSENSE:
            self._end(Fate.NONSENSE, reply)  # the letter stays dotted: nobody knows
            return
        if verdict is Meaning.YES:
            self.taken += 1
            state = _SENT
        elif verdict is Meaning.CLOSING:
            state = DeliveryState.QUEUED  # a definite no, and nobody's fault
            self._end(Fate.CLOSING, reply)
        else:
            state = _STATE[verdict]
        self._note(self._dotted, state, reply)
        self._dotted = None

    def _mail_answered(self, reply: Reply, verdict: Meaning) -> None:
        if verdict is Meaning.STOP:
            self._end(Fate.REFUSED, reply)
        elif verdict is not Meaning.YES:
            self._end(Fate.CLOSING, reply)

    def _refusable_answered(self, phase: Phase, reply: Reply, verdict: Meaning) -> None:
        """RCPT and DATA: a refusal is this letter's; later replies of its group are only read."""
        assert self._letter is not None
        if phase is Phase.RCPT:
            if verdict is not Meaning.YES:
                self._refuse(reply, verdict)
        elif verdict is Meaning.YES and self._refused:
            self._out.append(DOT)  # legal, though every recipient was refused
            self._awaited.append(Phase.EMPTY)
            self._must_reset = False
            self._letter = self._wire = None
        elif verdict is Meaning.YES:
            self._body_follows()
        else:
            if not self._refused:
                self._refuse(reply, verdict)
            self._letter = self._wire = None
        if self._refused and not self._awaited:
            self._letter = self._wire = None

    def _body_follows(self) -> None:
        assert self._wire is not None
        self._out.extend(self._wire.body)
        self.ready = True

    def _refuse(self, reply: Reply, verdict: Meaning) -> None:
        assert self._letter is not None
        self._note(self._letter, _STATE[verdict], reply)
        self._refused = self._must_reset = True
        self._plan.clear()

    def _note(self, letter: Letter, state: DeliveryState, reply: Reply) -> None:
        self.outcomes.append(
            Outcome(delivery=letter.delivery, state=state, code=reply.code, reply=kept(reply.text))
        )

    def _end(self, fate: Fate, reply: Reply) -> None:
        self.fate = fate
        self.last_words = f"{reply.code} {kept(reply.text)}"

    def _pump(self) -> None:
        """Writes planned commands: all at once where pipelining is offered (RFC 2920), else one, awaiting its reply."""
        while self._plan and (self.offers.pipelining or not self._awaited):
            phase, command = self._plan.popleft()
            self._awaited.append(phase)
            self._out.append(command)
