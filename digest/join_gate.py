"""The gate: who waits, who is let in, which domains come in by themselves, who may invite. Only a proven address counts.

Nobody is let in here who has not confirmed; a refusal is a letter, never a silence.
"""

from dataclasses import dataclass

from digest.errors import DomainRefused, InputRefused, TokenRefused
from digest.join_hand import Hand
from digest.model import EditorId, MailDomain, NoticeKind, Subscriber, SubscriberId, SubscriberState
from digest.rules import consent
from digest.rules.consent import Answer
from digest.rules.jurisdictions import LEVELS, PLACES, has_mixed_scripts
from digest.rules.mailboxes import is_everybodys, worn_name
from digest.rules.tokens import Purpose


@dataclass(frozen=True, slots=True)
class Waiting:
    """One person in the queue. domain: as A-labels. whose: what the list of domains says; is_odd: alphabets are mixed.

    is_everybodys: no domain to let in whole. worn: the known domain that this one only looks like.
    """

    subscriber: Subscriber
    domain: str
    whose: MailDomain | None
    is_odd: bool
    is_everybodys: bool
    worn: str


class Gate:
    """`join.gate`: for editors, and for readers who invite."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def waiting(self) -> list[Waiting]:
        """The queue, the longest waiting first."""
        directory = self._hand.directory()
        return [
            Waiting(one, domain, directory.find(domain), has_mixed_scripts(domain), is_everybodys(domain),
                    worn_name(domain, directory))
            for one in self._hand.store.subscribers.waiting()
            for domain in [consent.domain_of(one.address)]
        ]  # fmt: skip

    def admit(self, subscriber_id: SubscriberId, *, by: str) -> Answer:
        """Lets one person in. Twice is once. Raises NotFound."""
        with self._hand.store.write(durable=True):
            return self._let_in(self._hand.store.subscribers.get(subscriber_id), by=by)

    def admit_domain(
        self, domain: str, *, by: str, organisation: str = "", jurisdiction: str = "", level: str = "",
        admitted: bool = True,
    ) -> int:  # fmt: skip
        """From now on people of this domain, and below it, come in by themselves; who waits comes in now. How many.

        admitted: False only says whose it is, and ends an earlier decision to let it in; who is in stays in.
        Raises AddressRefused for what is no domain name, DomainRefused for one that is everybody's (gmail.com, on.ca), and
        InputRefused for an unknown level or place.
        """
        name = consent.ascii_domain(domain.strip())
        if admitted and is_everybodys(name):
            raise DomainRefused(
                f"Anybody can have an address at {name}; let people in from there one by one."
            )
        if level not in {"", *LEVELS}:
            raise InputRefused(f"The level of government is one of {', '.join(LEVELS)}.")
        if jurisdiction not in {"", *PLACES}:
            raise InputRefused("This is no jurisdiction we know.")
        known = self._hand.directory().find(name)
        entry = MailDomain(
            name=name, admitted=admitted, by=by,
            organisation=organisation or (known.organisation if known else ""),
            jurisdiction=jurisdiction or (known.jurisdiction if known else ""),
            level=level or (known.level if known else ""),
        )  # fmt: skip
        with self._hand.store.write(durable=True):
            self._hand.store.domains.put(entry, at=self._hand.clock())
            if not admitted:
                return 0
            return sum(
                self._let_in(one, by=by) is Answer.DONE
                for one in self._hand.store.subscribers.waiting()
                if consent.is_within(consent.domain_of(one.address), [name])
            )

    def decided(self) -> list[MailDomain]:
        """What editors said of domains, by name."""
        return self._hand.store.domains.all()

    def decline(self, subscriber_id: SubscriberId, *, by: str) -> Answer:
        """Says no, kindly, by letter; the address is deleted a week later. Raises NotFound."""
        with self._hand.store.write(durable=True):
            known = self._hand.store.subscribers.get(subscriber_id)
            decision = consent.declining(known, now=self._hand.clock())
            if decision.after is not None:
                self._hand.store.subscribers.save(decision.after)
                self._hand.log(decision.after, "declined", method="desk", origin=by)
                self._hand.queue(NoticeKind.DECLINED, decision.after)
            return decision.answer

    def invitation(self, text: str) -> str:
        """A reader's own link for colleagues, from the fresh link to their settings. Raises TokenRefused."""
        found = self._hand.who(text, allowed={Purpose.MANAGE})
        reader = found.subscriber
        if reader.state is not SubscriberState.CONFIRMED:
            raise TokenRefused("Only readers can invite.")
        return self._hand.links.invitation(
            reader.id, version=reader.version, now=self._hand.clock(), language=reader.language.first
        )

    def is_invitation(self, text: str) -> bool:
        """Whether this link still invites; it is looked at again when an address is proven."""
        return self._hand.sponsor(text) is not None

    def editor_invitation(self, editor: EditorId) -> str:
        """An editor's link: whoever comes by it and confirms is in. It lives for thirty days."""
        return self._hand.links.editor_invitation(editor, now=self._hand.clock())

    def _let_in(self, known: Subscriber, *, by: str) -> Answer:
        decision = consent.admitting(known, now=self._hand.clock())
        if decision.after is not None:
            self._hand.store.subscribers.save(decision.after)
            self._hand.log(decision.after, "admitted", method="desk", origin=by)
            self._hand.greet(decision.after)
        return decision.answer
