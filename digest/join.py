"""From sign-up to goodbye: ask, confirm, choose, leave, forget. Each act one transaction, each with its line in the consent log.

Whoever asks learns nothing: the same answer for every address. No letter is made or sent in here; they are queued.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from digest.config import Config
from digest.errors import InputRefused, NotFound, TokenRefused
from digest.join_choices import Choices
from digest.join_crowd import Crowd
from digest.join_farewells import Farewells
from digest.join_gate import Gate
from digest.join_guard import DoorGuard
from digest.join_hand import Ask, Form, Hand, Known
from digest.join_inbound import Inbound
from digest.join_introductions import Introductions
from digest.join_memory import Memory
from digest.join_returned import ComesBack
from digest.join_voices import Voices
from digest.model import Address, IssueId, NoticeKind, Reading, Subscriber, SubscriberState
from digest.rules import consent, guard
from digest.rules.consent import Answer, Reply
from digest.rules.cuts import topics_of
from digest.rules.tokens import Links, Purpose, Token

__all__ = ["Ask", "Form", "Join", "Known"]

_LEAVES = {Purpose.LEAVE, Purpose.LETTER, Purpose.MANAGE}
_CHOOSES = {Purpose.LETTER, Purpose.MANAGE}
_NOBODY = (
    "That code does not fit this address, or its hour is over. Look in the newest letter, or ask for another."
)


def _letter(token: Token) -> str:
    """Which letter a link was taken from; "" for one that stands in none."""
    return f"letter {token.issue}" if token.purpose in {Purpose.LEAVE, Purpose.LETTER} else ""


class Join:
    """The readers' verb. gate: who waits and who is let in; choices: what readers decide behind a fresh link;
    crowd: keeping house, and counts; voices: what people suggest; introductions: what they say of
    themselves; farewells: why they left; inbound: leaving by letter; returned: letters that come back."""

    def __init__(self, store: Memory, *, config: Config, clock: Callable[[], datetime], links: Links) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._links = links
        self._hand = Hand(store, config=config, clock=clock, links=links)
        self._guard = DoorGuard(self._hand)
        self.gate = Gate(self._hand)
        self.choices = Choices(self._hand)
        self.crowd = Crowd(self._hand)
        self.voices = Voices(self._hand, self._guard)
        self.introductions = Introductions(self._hand, self.crowd)
        self.farewells = Farewells(self._hand)
        self.inbound = Inbound(self._hand)
        self.returned = ComesBack(self._hand)

    def form(self, *, typed_before: bool = False) -> str:
        """The token of one showing of a form. typed_before: it is shown filled in, so nobody needs time to type."""
        head_start = guard.YOUNGEST_FORM if typed_before else timedelta()
        return self._links.form(now=self._clock() - head_start)

    def ask(self, ask: Ask) -> None:
        """Queues the one letter that an address may get a day. Raises AddressRefused for what is no address at all.

        The one way in: form, embed and JSON all come here. Every ask ends in one durable transaction, whatever it did,
        so that time tells nothing either.
        """
        address = consent.readable_address(ask.address)
        now = self._clock()
        with self._store.write(durable=True):
            known = self._store.subscribers.find(address)
            sponsor = self._hand.sponsor(ask.invitation) if ask.invitation else None
            reply = consent.reply_to_ask(
                known, last_letter=self._last_letter(known), now=now, is_invited=sponsor is not None
            )
            writes = reply is not Reply.NOTHING
            if self._guard.hears(ask, address, writes=writes) is not None:
                return
            waits = known is not None and consent.still_waits(known)
            if (
                known is not None and waits and sponsor is not None
            ):  # nothing else of who waits is changed by asking
                known = replace(known, sponsor=sponsor)
                self._store.subscribers.save(known)
            if not writes:
                return
            if reply is Reply.SETTINGS and known is not None:
                self._hand.queue(NoticeKind.MANAGE, known)
                return
            if known is None or not waits:
                known = self._written_down(known, ask, address, sponsor, now=now)
            self._hand.log(
                known, "asked", method="form", page=ask.page, network=ask.network, read_in=ask.read_in
            )
            self._ask_to_confirm(known)

    def _written_down(
        self, known: Subscriber | None, ask: Ask, address: Address, sponsor: str | None, *, now: datetime
    ) -> Subscriber:
        language, note = self._hand.language(ask.language), guard.one_line(ask.note)
        if known is None:
            return self._store.subscribers.add(
                address, language=language, state=SubscriberState.ASKED, now=now, role=ask.role, timezone=ask.timezone,
                topics=topics_of(ask.topics), note=note, sponsor=sponsor,
            )  # fmt: skip
        after = replace(
            known, language=language, note=note or known.note, sponsor=sponsor or known.sponsor, asked_at=now
        )
        if not consent.may_come_back_as_they_were(known, now=now):
            after = replace(
                after, role=ask.role or known.role, timezone=ask.timezone or known.timezone, topics=topics_of(ask.topics)
            )  # fmt: skip
        self._store.subscribers.save(after)
        return after

    def _ask_to_confirm(self, known: Subscriber) -> None:
        code = f"{secrets.randbelow(1_000_000):06d}"
        mark = self._links.code_mark(known.id, code, version=known.version)
        self._hand.queue(NoticeKind.CONFIRM, known, secret=code, code_mark=mark)

    def who(self, text: str, *, allowed: frozenset[Purpose] | set[Purpose]) -> Known:
        """The person behind a link; changes nothing. Raises TokenRefused, also for somebody who was forgotten."""
        return self._hand.who(text, allowed=allowed)

    def seen(self, known: Known) -> None:
        """A link of a letter was opened, by its reader or by a machine before them: the letter arrived. Decides nothing else."""
        issue, reader = known.token.issue, known.subscriber.id
        if issue and self._store.deliveries.is_doubtful(issue, reader):
            with self._store.write():
                self._store.deliveries.arrived(issue, reader)

    def may_confirm(self, known: Known) -> bool:
        """Whether the button behind this link would still do something, or has done it: not after its person left since."""
        reader, version = known.subscriber, known.token.version
        state = SubscriberState.CONFIRMED
        return consent.confirming(reader, version=version, state=state, now=self._clock()) is not None

    def confirm(self, text: str, *, page: str = "", network: str | None = None) -> Known:
        """Turns asked into confirmed, or into waiting where the gate wants an editor's look. Twice is once."""
        with self._store.write(durable=True):
            found = self.who(text, allowed={Purpose.CONFIRM})
            return self._confirm(found, method="link", page=page, network=network)

    def confirm_code(
        self,
        address_text: str,
        code: str,
        *,
        ip: str | None = None,
        page: str = "",
        network: str | None = None,
    ) -> Known:
        """The same by the six digits of the letter: five tries, one hour. Raises InputRefused in one sentence, whatever
        was wrong with it, and AddressRefused for what is no address."""
        address, digits = consent.readable_address(address_text), guard.as_code(code)
        if not digits:  # a slip of the fingers, whoever it is: it takes no try from the code
            raise InputRefused(_NOBODY)
        with self._store.write(durable=True):  # a refusal is raised after it: the try stays counted
            found = self._by_code(address, digits, ip=ip)
            if found is not None:
                return self._confirm(found, method="code", page=page, network=network)
        raise InputRefused(_NOBODY)

    def _by_code(self, address: Address, code: str, *, ip: str | None) -> Known | None:
        if not self._guard.counts_try(ip):
            return None
        known = self._store.subscribers.find(address)
        waiting = self._store.guards.try_code(known.id) if known else None
        mark, tries, made_at = waiting or ("", 0, self._clock())
        ours = self._links.code_mark(known.id, code, version=known.version) if known else "-"
        fits = hmac.compare_digest(mark, ours)
        may_still = guard.code_fits(tries=tries, made_at=made_at, now=self._clock())
        if known is None or not fits or not may_still:
            return None
        token = Token(Purpose.CONFIRM, known.id, known.version, IssueId(0))
        return Known(known, token, Answer.DONE)

    def _confirm(self, found: Known, *, method: str, page: str, network: str | None) -> Known:
        state = self._hand.admitted_state(found.subscriber)
        decision = consent.confirming(
            found.subscriber, version=found.token.version, state=state, now=self._clock()
        )
        if decision is None:
            raise TokenRefused("This link has expired.")
        if decision.after is None:
            return Known(found.subscriber, found.token, decision.answer)
        self._store.subscribers.save(decision.after)
        self._store.suppressions.remove(self._links.mark(decision.after.address))
        self._hand.log(decision.after, "confirmed", method=method, page=page, network=network)
        self._hand.waits(decision.after, method=method)
        if decision.after.state is SubscriberState.CONFIRMED:
            self._hand.greet(decision.after)
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
            self._hand.stop(decision.after)
            self._hand.log(decision.after, "left", method=method, page=page, origin=_letter(found.token))
            return Known(decision.after, found.token, decision.answer)

    def come_back(self, text: str, *, page: str = "") -> Known:
        """Undoes leaving, within a day of it, from the link that left, or from a fresh link to one's settings: an older letter
        may have been handed on."""
        with self._store.write(durable=True):
            found = self.who(text, allowed=_LEAVES)
            decision = self._returning(found)
            if decision.after is None:
                return Known(found.subscriber, found.token, decision.answer)
            self._store.subscribers.save(decision.after)
            if decision.after.state is SubscriberState.CONFIRMED:
                self._hand.log(decision.after, "confirmed", method="undo", page=page)
                self._hand.resume(decision.after)
            self._hand.waits(decision.after, method="undo")
            return Known(decision.after, found.token, decision.answer)

    def may_come_back(self, found: Known) -> bool:
        """Whether the link that somebody was found by undoes their leaving."""
        return self._returning(found).after is not None

    def _returning(self, found: Known) -> consent.Decision:
        log = self._store.consents.of(found.subscriber.id)
        by = None if found.token.purpose is Purpose.MANAGE else _letter(found.token)
        return consent.returning(found.subscriber, log=log, by=by, now=self._clock())

    def choose(self, text: str, *, language: str, page: str = "") -> Known:
        """The language of letters to come."""
        with self._store.write():
            found = self.who(text, allowed=_CHOOSES)
            after = replace(found.subscriber, language=self._hand.language(language))
            self._store.subscribers.save(after)
            self._hand.log(
                after, "chose", method="link", page=page, origin=consent.chosen(found.subscriber, after)
            )
            return Known(after, found.token, Answer.DONE)

    def manage(self, address_text: str, *, form: Form | None = None, ip: str | None = None) -> None:
        """Mails the link to one's own settings to people we know; none while one works, a few a day. Raises AddressRefused.

        The same guards as sign-up: the letter goes to somebody who may not have asked for it.
        """
        address = consent.readable_address(address_text)
        with self._store.write(durable=True):
            known = self._settled(address)
            ask = Ask(address=address_text, form=form, ip=ip)
            if self._guard.hears(ask, address, writes=known is not None) is None and known is not None:
                self._hand.queue(NoticeKind.MANAGE, known)

    def _settled(self, address: Address) -> Subscriber | None:
        """Whoever may be sent the link to their own settings now: people we know, also when they have left. Of who only asked
        nothing is proven."""
        known = self._store.subscribers.find(address)
        if known is None or known.state is SubscriberState.ASKED:
            return None
        return known if self._hand.may_have_link(NoticeKind.MANAGE, known) else None

    # --- operators ----------------------------------------------------------------------------------------------

    def add(self, address_text: str, *, basis: str, origin: str, language: str | None = None) -> Subscriber:
        """Brings in one person. Express consent with its origin confirms; implied consent only asks.

        Raises AddressRefused, and InputRefused for somebody who left or was forgotten: only they can come back.
        """
        address = consent.judged_address(address_text)
        consent.judged_basis(basis, origin)
        now = self._clock()
        with self._store.write():
            known = self._store.subscribers.find(address)
            gone = known is not None and known.state is SubscriberState.LEFT
            if gone or self._store.suppressions.has(self._links.mark(address)):
                raise InputRefused(consent.ONLY_THEY)
            if known is not None and known.state in {SubscriberState.CONFIRMED, SubscriberState.SUSPENDED}:
                return known
            known = known or self._store.subscribers.add(
                address, language=self._hand.language(language), state=SubscriberState.ASKED, now=now
            )
            if basis == "express":
                known = replace(known, state=SubscriberState.CONFIRMED, confirmed_at=now, declined_at=None)
                self._store.subscribers.save(known)
                self._store.deliveries.resume(known.id)
            elif known.state is SubscriberState.ASKED and self._last_letter(known) is None:
                self._hand.queue(NoticeKind.CONFIRM, known)
            self._hand.log(known, "added", method="command", basis=basis, origin=origin)
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
            self._hand.forget(known, method="command", reason="forgotten")
        self._store.traces.clear()

    def suppress(self, address_text: str, *, reason: str) -> None:
        """Keeps out an address that another system says has left. Somebody who is confirmed here leaves."""
        address = consent.judged_address(address_text)
        now = self._clock()
        with self._store.write():
            known = self._store.subscribers.find(address)
            decision = consent.leaving(known, now=now) if known else None
            if decision is not None and decision.after is not None:
                self._store.subscribers.save(decision.after)
                self._hand.stop(decision.after)
                self._hand.log(decision.after, "left", method="import", origin=reason)
            elif known is not None:  # left before, perhaps asked again since: that asking ends here too
                self._store.subscribers.save(replace(known, version=known.version + 1))
            self._store.suppressions.add(self._links.mark(address), reason=reason, at=now)

    def tidy(self) -> int:
        """Keeps house once a day: retention, and the month's head count. How many never confirmed and were deleted."""
        self.returned.sweep()
        return self.crowd.tidy()

    def clock(self) -> datetime:
        return self._clock()

    def language(self, asked: str | None) -> Reading:
        """The language asked for if the list has it, else its first."""
        return self._hand.language(asked)

    def marks(self, keys: Iterable[str]) -> list[str]:
        """The keyed hashes of addresses (Address.key), as they stand in the suppression list."""
        return self._links.marks(keys)

    def key_name(self) -> str:
        """Which key made them."""
        return self._links.key_name()

    # --- inside -------------------------------------------------------------------------------------------------

    def _last_letter(self, known: Subscriber | None) -> datetime | None:
        if known is None:
            return None
        kinds = (NoticeKind.CONFIRM, NoticeKind.REMINDER, NoticeKind.MANAGE)
        sent = [self._store.notices.last_queued(kind, subscriber=known.id) for kind in kinds]
        return max((at for at in sent if at is not None), default=None)
