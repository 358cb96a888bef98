"""Having a say: what people suggest, and what editors make of it. A stranger's words never reach a letter by themselves."""

from collections.abc import Mapping
from datetime import datetime

from digest.errors import AddressRefused
from digest.join_guard import DoorGuard
from digest.join_hand import Form, Hand
from digest.model import (
    BY_READERS,
    Entry,
    ItemId,
    Language,
    NoticeKind,
    SubscriberId,
    SubscriberState,
    Suggestion,
    SuggestionId,
)
from digest.rules import consent, suggest
from digest.rules.suggest import Offer


class Voices:
    """`join.voices`."""

    def __init__(self, hand: Hand, guard: DoorGuard) -> None:
        self._hand = hand
        self._guard = guard

    def suggest(
        self,
        sent: Mapping[str, str],
        *,
        language: Language,
        email: str = "",
        form: Form | None,
        ip: str | None,
    ) -> None:
        """Keeps a suggestion for the editors. The same guards and the same silence as sign-up.

        email: a reader who gives theirs is thanked when it is used; a stranger's is not kept. Raises SuggestionRefused.
        """
        offer = suggest.offer_to_come(sent, zone=self._hand.config.list.timezone, now=self._hand.clock())
        store = self._hand.store
        with store.write(durable=True):
            refusal = self._guard.hears_form(form) or self._guard.hears_from(ip)
            if refusal is not None or store.suggestions.count_open() >= suggest.MOST_OPEN:
                return
            store.suggestions.add(self._kept(offer, language, self._reader(email)))

    def _kept(self, offer: Offer, language: Language, reader: SubscriberId | None) -> Suggestion:
        return Suggestion(
            id=SuggestionId(0), kind=offer.kind, title=offer.title, url=offer.url, words=offer.words,
            starts=offer.starts, timezone=offer.timezone, place=offer.place, language=language, subscriber=reader,
            at=self._hand.clock(),
        )  # fmt: skip

    def _reader(self, email: str) -> SubscriberId | None:
        try:
            known = (
                self._hand.store.subscribers.find(consent.readable_address(email)) if email.strip() else None
            )
        except AddressRefused:
            return None
        return known.id if known is not None and known.state is SubscriberState.CONFIRMED else None

    def waiting(self) -> list[Suggestion]:
        """For the desk, oldest first."""
        return self._hand.store.suggestions.open()

    def take(self, suggestion_id: SuggestionId, *, title: str, by: str) -> ItemId | None:
        """Into the pool, under the editor's title. None for an idea, which is thanked for at once, and for what somebody
        else settled meanwhile. What the pool knows already stays as it is. Raises NotFound."""
        store, now = self._hand.store, self._hand.clock()
        with store.write():
            found = store.suggestions.get(suggestion_id)
            entry = suggest.entry_of(found, title=title)
            item = self._in_the_pool(entry, now=now) if entry else None
            if not store.suggestions.settle(suggestion_id, state="used", by=by, at=now, item=item):
                return None
            self.thank()
            return item

    def thank(self) -> int:
        """A word to whoever suggested what readers have since found in an issue, or an idea that was taken up; how many.

        One a day, for however much of theirs was used: the letter thanks for all of it.
        """
        store, said, now = self._hand.store, 0, self._hand.clock()
        with store.write():
            for found in store.suggestions.to_thank():
                store.suggestions.thanked(found.id, at=now)
                reader = store.subscribers.get(found.subscriber) if found.subscriber else None
                if reader is None or reader.state is not SubscriberState.CONFIRMED:
                    continue
                last = store.notices.last_queued(NoticeKind.THANKS, subscriber=reader.id)
                if last is None or now - last >= consent.ONE_LETTER_PER:
                    self._hand.queue(NoticeKind.THANKS, reader)
                    said += 1
        return said

    def _in_the_pool(self, entry: Entry, *, now: datetime) -> ItemId:
        store = self._hand.store
        known = store.items.known(entry.keys)
        if known:
            return next(iter(known.values())).id
        source = store.suggestions.source(BY_READERS, url=self._hand.config.list.url)
        return store.items.add(entry, source=source, now=now)

    def put_aside(self, suggestion_id: SuggestionId, *, by: str) -> bool:
        """Not for the letter; nobody is written to. False when somebody settled it meanwhile. Raises NotFound."""
        with self._hand.store.write():
            self._hand.store.suggestions.get(suggestion_id)
            return self._hand.store.suggestions.settle(
                suggestion_id, state="aside", by=by, at=self._hand.clock()
            )
