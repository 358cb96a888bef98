"""A delivery becomes its letter: the frozen bytes with this reader's own links. The same at every try, and hashed as approved."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

from digest.config import Config
from digest.errors import MoveRefused
from digest.model import Delivery, DeliveryId, Edition, Issue, Letter
from digest.render.letter import Compiled, Slots
from digest.rules.departure import must_show_nobody_against_their_word
from digest.rules.tokens import Links


class Letters:
    """config: whose list it is, and where bounces go."""

    def __init__(self, links: Links, config: Config) -> None:
        self._links, self._config = links, config

    def maker(
        self, issue: Issue, letters: Mapping[str, Compiled], *, now: datetime
    ) -> Callable[[Delivery], Letter]:
        """One delivery becomes its letter: the same bytes at every try, its Date included."""
        date = issue.sending_since or now
        first = next(iter(letters.values()))
        sender = self._senders()
        proven: dict[str, bool] = {}

        def make(delivery: Delivery) -> Letter:
            edition = delivery.edition
            compiled = letters.get(edition, first)
            letter = self.one(
                delivery,
                compiled,
                date=date,
                sender=sender(delivery.id),
                proven=proven.get(edition, False),
            )
            if edition not in proven:  # the slots of all copies are checked alike, so one speaks for all
                proven[edition] = is_plain(letter.data)
            return letter

        return make

    def one(
        self, delivery: Delivery, compiled: Compiled, *, date: datetime, sender: str,
        proven: bool = False,
    ) -> Letter:  # fmt: skip
        own = self._links.letter(
            delivery.subscriber, version=delivery.version, issue=delivery.issue, delivery=delivery.id
        )
        slots = Slots(
            to=delivery.address, message_id=own.message_id, date=date, unsubscribe_url=own.unsubscribe,
            preferences_url=own.preferences,
        )  # fmt: skip
        return Letter(
            delivery=delivery.id, sender=sender, recipient=delivery.address, pieces=compiled.cut(slots), proven=proven
        )  # fmt: skip

    def sender(self, delivery: DeliveryId) -> str:
        """The envelope's sender: a bounce finds its delivery by the token (VERP)."""
        return self._senders()(delivery)

    def _senders(self) -> Callable[[DeliveryId], str]:
        bounce, own, token = self._config.mail.bounce, self._config.list.from_, self._links.bounce_token
        if bounce is None:
            return lambda _: own
        local, _, domain = bounce.rpartition("@")
        return lambda delivery: f"{local}+{token(delivery)}@{domain}"


def is_plain(data: bytes) -> bool:
    """Whether a message can stand on any wire as it is: ASCII, CR and LF only together, no line begins with a dot."""
    ends = data.count(b"\r\n")
    whole = data.count(b"\r") == ends == data.count(b"\n") and data.endswith(b"\r\n") and b"\0" not in data
    return whole and data.isascii() and b"\r\n." not in data and not data.startswith(b".")


def seal(edition: Edition) -> str:
    """The hash of one edition, as the press makes it."""
    return sha256(b"\0".join([edition.html.encode(), edition.text.encode(), edition.letter])).hexdigest()


def seal_of_all(editions: Mapping[str, Edition]) -> str:
    """The hash of an issue, as approving makes it."""
    return sha256("".join(f"{one}:{editions[one].sha256};" for one in sorted(editions)).encode()).hexdigest()


def must_be_as_approved(issue: Issue, editions: Mapping[str, Edition]) -> None:
    """Raises MoveRefused: these are not the letters that were approved, or the first of them is still to leave and
    they show somebody who took their word back."""
    whole = editions and all(seal(one) == one.sha256 for one in editions.values())
    if not whole or (issue.hash and seal_of_all(editions) != issue.hash):
        raise MoveRefused(
            f"{issue.period} is not what was approved: the frozen letter or its hash was changed. "
            "Nothing was sent; hold the issue, look at it and approve it again."
        )
    if issue.sending_since is None:
        must_show_nobody_against_their_word(issue, editions)
