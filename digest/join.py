"""From sign-up to goodbye: ask, confirm, choose, leave, forget. Each act one transaction, each with its line in the consent log.

Whoever asks learns nothing: the same answer for every address. No letter is made or sent in here; they are queued.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from digest.config import Config
from digest.errors import InputRefused, NotFound, TokenRefused
from digest.model import (
    Address,
    Consent,
    EditorId,
    IssueId,
    Language,
    NoticeId,
    NoticeKind,
    Subscriber,
    SubscriberId,
    SubscriberState,
)  # fmt: skip
from digest.rules import consent
from digest.rules.consent import Answer, Reply
from digest.rules.tokens import Links, Purpose, Token

_LEAVES = {Purpose.LEAVE, Purpose.LETTER, Purpose.MANAGE}
_CHOOSES = {Purpose.LETTER, Purpose.MANAGE}


class Subscribers(Protocol):
    def find(self, address: Address) -> Subscriber | None: ...
    def get(self, subscriber_id: SubscriberId) -> Subscriber: ...
    def add(
        self, address: Address, *, language: Language, state: SubscriberState, now: datetime,
        timezone: str | None = None, role: str | None = None, topics: Sequence[str] = (),
    ) -> Subscriber: ...  # fmt: skip
    def save(self, subscriber: Subscriber) -> None: ...
    def forget(self, subscriber_id: SubscriberId) -> None: ...
    def delete_stale_asked(self, before: datetime) -> int: ...


class Consents(Protocol):
    def log(self, subscriber_id: SubscriberId | None, consent: Consent) -> None: ...


class Suppressions(Protocol):
    def add(self, mark: str, *, reason: str, at: datetime) -> None: ...
    def has(self, mark: str) -> bool: ...
    def remove(self, mark: str) -> None: ...


class Unsent(Protocol):
    def cancel(self, subscriber_id: SubscriberId) -> None: ...
    def arrived(self, issue_id: IssueId, subscriber_id: SubscriberId) -> None: ...


class Notices(Protocol):
    def queue(
        self, kind: NoticeKind, *, subscriber: SubscriberId | None = None, editor: EditorId | None = None,
        version: int = 0, language: Language, secret: str | None = None, now: datetime,
    ) -> NoticeId: ...  # fmt: skip
    def last_queued(
        self, kind: NoticeKind, *, subscriber: SubscriberId | None = None, editor: EditorId | None = None
    ) -> datetime | None: ...


class Memory(Protocol):
    """What this verb needs of the store."""

    @property
    def subscribers(self) -> Subscribers: ...
    @property
    def consents(self) -> Consents: ...
    @property
    def suppressions(self) -> Suppressions: ...
    @property
    def deliveries(self) -> Unsent: ...
    @property
    def notices(self) -> Notices: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody put into the form. network: a shortened network address, never the whole one."""

    address: str
    language: str | None = None
    role: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] = ()
    page: str = "/"
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The person behind a link, and what the link has just done."""

    subscriber: Subscriber
    token: Token
    answer: Answer


class Join:
    """The readers' verb."""

    def __init__(self, store: Memory, *, config: Config, clock: Callable[[], datetime], links: Links) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._links = links

    def ask(self, ask: Ask) -> None:
        """Queues the one letter that an address may get a day. Raises AddressRefused for what is no address at all."""
        address = consent.judged_address(ask.address)
        now = self._clock()
        with self._store.write():
            known = self._store.subscribers.find(address)
            language = self._language(ask.language)
            reply = consent.reply_to_ask(known, last_letter=self._last_letter(known), now=now)
            if known is None:
                known = self._store.subscribers.add(
                    address, language=language, state=SubscriberState.ASKED, now=now,
                    role=ask.role, timezone=ask.timezone, topics=ask.topics,
                )  # fmt: skip
            if reply is Reply.CONFIRM:
                if known.language is not language:
                    known = replace(known, language=language)
                    self._store.subscribers.save(known)
                self._log(known, "asked", method="form", page=ask.page, network=ask.network)
                self._queue(NoticeKind.CONFIRM, known)
            elif reply is Reply.SETTINGS:
                self._queue(NoticeKind.MANAGE, known)

    def who(self, text: str, *, allowed: frozenset[Purpose] | set[Purpose]) -> Known:
        """The person behind a link; changes nothing. Raises TokenRefused, also for somebody who was forgotten."""
        token = self._links.read(text, allowed=allowed, now=self._clock())
        try:
            known = self._store.subscribers.get(token.subscriber)
        except NotFound:
            raise TokenRefused("This link no longer belongs to anybody.") from None
        if token.purpose is Purpose.MANAGE and token.version != known.version & 0xFFFF:
            raise TokenRefused("This link has expired.")
        answer = Answer.ALREADY if known.state is SubscriberState.CONFIRMED else Answer.WAITING
        return Known(known, token, answer)

    def confirm(self, text: str, *, page: str = "", network: str | None = None) -> Known:
        """Turns asked into confirmed, or into waiting where the gate wants an editor's look. Twice is once."""
        now = self._clock()
        with self._store.write(durable=True):
            found = self.who(text, allowed={Purpose.CONFIRM})
            signup = self._config.signup
            state = consent.admitted_state(
                found.subscriber.address, policy=signup.policy, domains=signup.domains
            )
            decision = consent.confirming(found.subscriber, version=found.token.version, state=state, now=now)
            if decision is None:
                raise TokenRefused("This link has expired.")
            if decision.after is None:
                return Known(found.subscriber, found.token, decision.answer)
            self._store.subscribers.save(decision.after)
            self._store.suppressions.remove(self._links.mark(decision.after.address))
            self._log(decision.after, "confirmed", method="link", page=page, network=network)
            if decision.after.state is SubscriberState.CONFIRMED:
                self._queue(NoticeKind.WELCOME, decision.after)
            return Known(decision.after, found.token, decision.answer)

    def leave(self, text: str, *, method: str = "link", page: str = "") -> Known:
        """Out, at once, and out of every letter that has not yet left. Twice is once."""
        with self._store.write(durable=True):
            found = self.who(text, allowed=_LEAVES)
            if found.token.issue:
                self._store.deliveries.arrived(found.token.issue, found.subscriber.id)
            decision = consent.leaving(found.subscriber, now=self._clock())
            if decision.after is None:
                return Known(found.subscriber, found.token, decision.answer)
            self._store.subscribers.save(decision.after)
            self._store.deliveries.cancel(decision.after.id)
            self._log(decision.after, "left", method=method, page=page)
            return Known(decision.after, found.token, decision.answer)

    def come_back(self, text: str, *, page: str = "") -> Known:
        """Undoes leaving, within a day of it, from the link that left."""
        with self._store.write(durable=True):
            found = self.who(text, allowed=_LEAVES)
            decision = consent.returning(found.subscriber, now=self._clock())
            if decision.after is not None:
                self._store.subscribers.save(decision.after)
                self._log(decision.after, "confirmed", method="undo", page=page)
                return Known(decision.after, found.token, decision.answer)
            return Known(found.subscriber, found.token, decision.answer)

    def choose(self, text: str, *, language: str, page: str = "") -> Known:
        """The language of letters to come."""
        with self._store.write():
            found = self.who(text, allowed=_CHOOSES)
            chosen = self._language(language)
            after = replace(found.subscriber, language=chosen)
            self._store.subscribers.save(after)
            self._log(after, "chose", method="link", page=page)
            return Known(after, found.token, Answer.DONE)

    def manage(self, address_text: str) -> None:
        """Mails the link to one's own settings, once a day, to people we know. Raises AddressRefused."""
        address = consent.judged_address(address_text)
        with self._store.write():
            known = self._store.subscribers.find(address)
            if known is None or known.state not in {SubscriberState.CONFIRMED, SubscriberState.WAITING}:
                return
            last = self._store.notices.last_queued(NoticeKind.MANAGE, subscriber=known.id)
            if last is None or self._clock() - last >= consent.ONE_LETTER_PER:
                self._queue(NoticeKind.MANAGE, known)

    # --- operators ----------------------------------------------------------------------------------------------

    def add(self, address_text: str, *, basis: str, origin: str, language: str | None = None) -> Subscriber:
        """Brings in one person. Express consent with its origin confirms; implied consent only asks.

        Raises AddressRefused, and InputRefused for somebody who left or was forgotten: only they can come back.
        """
        address = consent.judged_address(address_text)
        if basis not in {"express", "implied"}:
            raise InputRefused("The basis of a consent is express or implied.")
        if not origin.strip():
            raise InputRefused(
                'Say where this consent comes from, for instance --origin "sign-up sheet, 12 May 2026".'
            )
        now = self._clock()
        with self._store.write():
            known = self._store.subscribers.find(address)
            gone = known is not None and known.state is SubscriberState.LEFT
            if gone or self._store.suppressions.has(self._links.mark(address)):
                raise InputRefused(
                    "This person has left or was forgotten; only they themselves can come back."
                )
            if known is not None and known.state in {SubscriberState.CONFIRMED, SubscriberState.SUSPENDED}:
                return known
            known = known or self._store.subscribers.add(
                address, language=self._language(language), state=SubscriberState.ASKED, now=now
            )
            if basis == "express":
                known = replace(known, state=SubscriberState.CONFIRMED, confirmed_at=now)
                self._store.subscribers.save(known)
            elif self._last_letter(known) is None:
                self._queue(NoticeKind.CONFIRM, known)
            self._log(known, "added", method="command", basis=basis, origin=origin)
            return known

    def knows(self, address_text: str) -> Subscriber | None:
        """Whoever has that address, for operators. Raises AddressRefused."""
        return self._store.subscribers.find(consent.judged_address(address_text))

    def forget(self, address_text: str) -> None:
        """Deletes a person; a keyed hash stays, so that no import brings them back. Raises NotFound."""
        address = consent.judged_address(address_text)
        with self._store.write(durable=True):
            known = self._store.subscribers.find(address)
            if known is None:
                raise NotFound("Nobody with that address is known here.")
            self._store.deliveries.cancel(known.id)
            self._log(known, "forgotten", method="command")
            self._store.suppressions.add(self._links.mark(address), reason="forgotten", at=self._clock())
            self._store.subscribers.forget(known.id)

    def suppress(self, address_text: str, *, reason: str) -> None:
        """Keeps out an address that another system says has left. Somebody who is confirmed here leaves."""
        address = consent.judged_address(address_text)
        now = self._clock()
        with self._store.write():
            known = self._store.subscribers.find(address)
            decision = consent.leaving(known, now=now) if known else None
            if decision is not None and decision.after is not None:
                self._store.subscribers.save(decision.after)
                self._store.deliveries.cancel(decision.after.id)
                self._log(decision.after, "left", method="import", origin=reason)
            self._store.suppressions.add(self._links.mark(address), reason=reason, at=now)

    def tidy(self) -> int:
        """Deletes who asked and did not confirm in seven days; returns how many."""
        with self._store.write():
            return self._store.subscribers.delete_stale_asked(self._clock() - consent.ASKED_LIVES)

    # --- inside -------------------------------------------------------------------------------------------------

    def _language(self, asked: str | None) -> Language:
        offered: Sequence[Language] = self._config.list.languages
        return consent.language_or(offered[0], asked, offered=offered)

    def _last_letter(self, known: Subscriber | None) -> datetime | None:
        if known is None:
            return None
        kinds = (NoticeKind.CONFIRM, NoticeKind.MANAGE)
        sent = [self._store.notices.last_queued(kind, subscriber=known.id) for kind in kinds]
        return max((at for at in sent if at is not None), default=None)

    def _queue(self, kind: NoticeKind, to: Subscriber) -> None:
        self._store.notices.queue(
            kind, subscriber=to.id, version=to.version, language=to.language, now=self._clock()
        )

    def _log(
        self, who: Subscriber, act: str, *, method: str, page: str = "", network: str | None = None,
        basis: str = "express", origin: str = "",
    ) -> None:  # fmt: skip
        self._store.consents.log(
            who.id,
            Consent(
                act=act, at=self._clock(), language=who.language, method=method, page=page, network=network,
                wording=self._config.signup.wording.in_(who.language) if act == "asked" else "",
                basis=basis, origin=origin,
            ),
        )  # fmt: skip
