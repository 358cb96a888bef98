"""Leaving by letter, where inbound mail is on. The token says who; the From line says nothing; nobody is answered."""

from digest.errors import NotFound, TokenRefused
from digest.join_hand import Hand
from digest.model import NoticeId, Subscriber
from digest.rules import consent
from digest.rules.inbound import Incoming, wish
from digest.rules.tokens import Purpose


class Inbound:
    """`join.inbound`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def take(self, letter: Incoming) -> bool:
        """Grants a wish to leave, twice as once. False: there was none, or nobody of ours stands behind it."""
        asked = wish(letter)
        if asked is None:
            return False
        store, hand = self._hand.store, self._hand
        with store.write(durable=True):
            try:
                if asked.token:
                    reader = hand.who(asked.token, allowed={Purpose.LEAVE}).subscriber
                else:
                    reader = self._answered(asked.message_id)
            except (TokenRefused, NotFound):
                return False
            decision = consent.leaving(reader, now=hand.clock())
            if decision.after is not None:
                store.subscribers.save(decision.after)
                hand.stop(decision.after)
                hand.log(decision.after, "left", method="reply" if asked.message_id else "mail")
            return True

    def _answered(self, message_id: str) -> Subscriber:
        """Who got the letter: one of an issue, or one sent alone. Raises TokenRefused, NotFound."""
        store, links = self._hand.store, self._hand.links
        if message_id.lstrip("<").startswith("notice."):
            number = store.notices.reader_of(NoticeId(links.read_notice_id(message_id)))
        else:
            issue, delivery = links.read_message_id(message_id)
            number = store.deliveries.reader_of(issue, delivery)
            if number is not None:
                store.deliveries.arrived(issue, number)
        if number is None:
            raise NotFound("The letter is not known any more.")
        return store.subscribers.get(number)
