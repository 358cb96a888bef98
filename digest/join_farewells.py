"""The one question after leaving: why. Asked once, answered or not, and kept without whoever answered it."""

from digest.join_hand import Hand, Known
from digest.model import SubscriberState
from digest.rules import consent, farewell, guard
from digest.rules.farewell import Picture
from digest.rules.tokens import Purpose

_LEAVES = {Purpose.LEAVE, Purpose.LETTER, Purpose.MANAGE}


class Farewells:
    """`join.farewells`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def may_ask(self, known: Known) -> bool:
        """Whether somebody has just left, and for the first time: nobody is asked twice."""
        left_at = known.subscriber.left_at
        if known.subscriber.state is not SubscriberState.LEFT or left_at is None:
            return False
        lines = self._hand.store.consents.of(known.subscriber.id)
        is_first = sum(1 for line in lines if line.act == "left") == 1
        return is_first and self._hand.clock() - left_at <= consent.UNDO_WITHIN

    def say(self, text: str, *, reason: str, words: str = "") -> bool:
        """Keeps one answer of whoever has just left: the month, the language, the reason, a line. False: nothing was kept.

        That they answered is known for a day, by a keyed hash, and by then the link answers no more. Raises TokenRefused.
        """
        with self._hand.store.write():
            known = self._hand.who(text, allowed=_LEAVES)
            now = self._hand.clock()
            said = farewell.judged(
                reason, words, month=f"{now:%Y-%m}", language=known.subscriber.language.first
            )
            if said is None or not self.may_ask(known):
                return False
            knock = self._hand.links.knock(f"farewell {known.subscriber.id}")
            last = guard.hour_of((known.subscriber.left_at or now) + consent.UNDO_WITHIN)
            if self._hand.store.guards.count({knock: last})[knock] > 1:
                return False
            self._hand.store.farewells.add(said)
            return True

    def picture(self) -> Picture:
        """What editors may know of it."""
        return farewell.picture(self._hand.store.farewells.all(), month=f"{self._hand.clock():%Y-%m}")
