"""One connection of the bulk sender: carries bytes between its dialogue and its socket. Decides nothing about the ledger."""

from typing import NamedTuple, Protocol

from digest.mail.connection import Connection
from digest.mail.dialogue import Dialogue, Fate
from digest.mail.replies import Reply
from digest.mail.ways import Way
from digest.model import DeliveryId, DeliveryState, Letter, Outcome
from digest.rules.pace import Phase


class Yard(Protocol):
    """What a lane asks of the engine."""

    draining: bool

    def parks(self, lane: "Lane") -> bool: ...
    def next_letter(self, lane: "Lane") -> Letter | None: ...
    def is_ready(self, lane: "Lane") -> None: ...
    def note(self, outcomes: list[Outcome], *, soon: bool, way: Way | None = None) -> None: ...
    def put_back(self, letter: Letter) -> None: ...
    def ended(self, lane: "Lane", dialogue: Dialogue, why: str) -> None: ...
    def wait_s(self, phase: Phase | None) -> float: ...


class Dot(NamedTuple):
    """The last byte of one letter, waiting for its commit."""

    lane: "Lane"
    dialogue: Dialogue
    delivery: DeliveryId


class Lane:
    """way: its relay. number: what the ledger calls this connection; it never owns two deliveries in doubt.

    place: its number among the connections of its relay.
    """

    __slots__ = (
        "_begun",
        "_parting",
        "_yard",
        "connection",
        "deadline_s",
        "dialogue",
        "held",
        "number",
        "place",
        "way",
    )

    def __init__(self, yard: Yard, way: Way, *, number: int, place: int) -> None:
        self.way, self.number, self.place = way, number, place
        self.connection: Connection | None = None
        self.dialogue: Dialogue | None = None
        self.deadline_s = 0.0
        self._yard = yard
        self._begun = 0
        self.held: Dialogue | None = None  # its letter is being committed: it may not be given to another
        self._parting: list[Connection] = []  # closed by us, the socket is not yet

    @property
    def parting(self) -> bool:
        self._parting = [connection for connection in self._parting if not connection.gone]
        return bool(self._parting)

    @property
    def is_open(self) -> bool:
        return self.dialogue is not None

    def start(self, connection: Connection, dialogue: Dialogue) -> None:
        self.connection, self.dialogue, self._begun = connection, dialogue, 0
        connection.hand_over(replies=self._replied, drained=self._drained, lost=self._lost)
        self.go_on()

    def next_dot(self) -> Dot:
        """The dot of the letter that stands ready."""
        assert self.dialogue is not None
        assert self.dialogue.letter is not None
        return Dot(self, self.dialogue, self.dialogue.letter.delivery)

    def write_dot(self) -> None:
        """The ledger has committed: the dot, and with it the next envelope, in one write."""
        assert self.dialogue is not None
        self.dialogue.dot()
        self._begin()
        self._write()

    def end(self, why: str = "", *, goodbye: bool = False, keep: bool = True, blame: bool = True) -> None:
        """Closes. A letter in flight goes back (unless not `keep`), or is in doubt when its dot was written.

        goodbye: with QUIT. blame: the engine may count this against the relay.
        """
        dialogue, connection = self.dialogue, self.connection
        if dialogue is None or connection is None:
            return
        self._collect()
        self.dialogue = self.connection = None
        again, doubtful = dialogue.lost()
        why = why or dialogue.last_words
        if doubtful is not None:
            reply = f"no answer to the final dot: {why}"
            self._yard.note(
                [Outcome(delivery=doubtful.delivery, state=DeliveryState.UNSURE, reply=reply)], soon=True
            )
        if again is not None and keep and self.held is not dialogue:
            self._yard.put_back(again)
        if goodbye:
            connection.part()
        else:
            connection.drop()
        self._parting.append(connection)
        self._yard.ended(self, dialogue, (why or "closed") if blame and not goodbye else "")

    # --- call-backs of the connection --------------------------------------------------------------------------

    def _replied(self, replies: list[Reply]) -> None:
        dialogue = self.dialogue
        if dialogue is None:
            return
        dialogue.receive_all(replies)
        self._write()
        if dialogue.fate is not Fate.NONE:
            self.end()
        elif dialogue.ready and not self._yard.draining:
            self._drained()
        else:
            self.go_on()

    def _drained(self) -> None:
        """The kernel has all our bytes: a body that stands there whole is ready for its dot."""
        if self.dialogue is not None and self.dialogue.ready and self.connection and not self.connection.full:
            self._yard.is_ready(self)

    def _lost(self, why: str) -> None:
        self.end(why)

    # --- the way of a letter -----------------------------------------------------------------------------------

    def go_on(self) -> None:
        dialogue = self.dialogue
        if dialogue is None:
            return
        if self._yard.draining and dialogue.dotted is None:
            self.end("stopped", goodbye=dialogue.idle)
        elif dialogue.ready:
            self._drained()
            self._collect()
        elif dialogue.idle:
            if self._begin():
                self._write()
            elif self._is_worn_out or not self._yard.parks(self):
                self.end(goodbye=True)
        else:
            self._collect()

    def _begin(self) -> bool:
        """Starts the next letter that can be sent at all."""
        assert self.dialogue is not None
        while not self._is_worn_out:
            letter = self._yard.next_letter(self)
            if letter is None:
                return False
            if self.dialogue.begin(letter):
                self._begun += 1
                return True
        return False

    @property
    def _is_worn_out(self) -> bool:
        most = self.way.per_connection  # 0: as many as the relay takes
        return bool(most) and self._begun >= most

    def _write(self) -> None:
        assert self.dialogue is not None
        assert self.connection is not None
        pieces = self.dialogue.take()
        if pieces:
            self.connection.write(pieces)
        self.deadline_s = self._yard.wait_s(self.dialogue.awaits)
        if self.dialogue.outcomes:
            self._collect()

    def _collect(self) -> None:
        """Hands on what was decided. Results wait for the next intent of this turn, unless nothing follows."""
        dialogue = self.dialogue
        if dialogue is not None and dialogue.outcomes:
            outcomes, dialogue.outcomes = dialogue.outcomes, []
            self._yard.note(outcomes, soon=dialogue.letter is None, way=self.way)
