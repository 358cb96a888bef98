"""Introductions: a reader says hello, an editor reads it, an issue shows it, and the reader takes it back whenever they want."""

from collections.abc import Mapping
from datetime import datetime

from digest.errors import NotFound, TokenRefused
from digest.join_crowd import Crowd
from digest.join_hand import Hand
from digest.model import Introduction, SubscriberId, SubscriberState
from digest.rules import introduce
from digest.rules.tokens import Purpose

_MANAGE = frozenset({Purpose.MANAGE})


class Introductions:
    """`join.introductions`. Only a link mailed a moment ago writes and withdraws; an editor reads before anything is shown."""

    def __init__(self, hand: Hand, crowd: Crowd) -> None:
        self._hand = hand
        self._crowd = crowd

    def mine(self, text: str) -> Introduction | None:
        """Raises TokenRefused."""
        return self._hand.store.introductions.of(self._hand.who(text, allowed=_MANAGE).subscriber.id)

    def say_hello(self, text: str, sent: Mapping[str, str], *, page: str = "") -> None:
        """Keeps it for an editor's eyes; the one before it is taken back. Raises TokenRefused, IntroductionRefused."""
        hello = introduce.judged_hello(sent)
        with self._hand.store.write(durable=True):
            reader = self._hand.who(text, allowed=_MANAGE).subscriber
            if reader.state is not SubscriberState.CONFIRMED:
                raise TokenRefused("Only readers can introduce themselves.")
            self._hand.store.introductions.take_back(reader.id)
            self._hand.store.introductions.put(
                Introduction(
                    subscriber=reader.id, name=hello.name, who=hello.who, looks_for=hello.looks_for, link=hello.link,
                    language=reader.language.first, at=self._hand.clock(),
                )
            )  # fmt: skip
            self._hand.log(reader, "introduced", method="link", page=page)

    def withdraw(self, text: str, *, page: str = "") -> None:
        """Gone, from the desk, from drafts and from the pages of issues that showed it. Raises TokenRefused."""
        with self._hand.store.write(durable=True):
            reader = self._hand.who(text, allowed=_MANAGE).subscriber
            if self._hand.store.introductions.of(reader.id) is not None:
                self._hand.store.introductions.withdraw(reader.id)
                self._hand.log(reader, "withdrew", method="link", page=page)
        self._hand.store.traces.clear()

    # --- the desk -------------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Introduction]:
        """Those that no editor has read, the oldest first."""
        return self._hand.store.introductions.open()

    def settle(self, reader: SubscriberId, *, shown: bool, seen: datetime, by: str) -> bool:
        """Lets it into the next issue, or not. False when somebody was faster, it was withdrawn, or the words changed
        since they were `seen`."""
        store = self._hand.store
        with store.write():
            try:
                store.subscribers.get(reader)
            except NotFound:
                return False
            done = store.introductions.settle(
                reader, state="shown" if shown else "declined", by=by, at=self._hand.clock(), seen=seen
            )
            if done and shown:
                self._crowd.refresh()
            return done
