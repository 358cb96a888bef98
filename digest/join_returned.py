"""Letters that come back: a dead address is written to no more, who complains has left. Our signed mark says whose it was.

Nobody is answered, nobody is marked by a letter that bears no mark of ours, and a storm of returns marks nobody.
"""

import logging
from datetime import timedelta

from digest.errors import TokenRefused
from digest.join_hand import Hand
from digest.model import DeliveryId, IssueId, NoticeId, NoticeKind, Returned, Role, Subscriber
from digest.rules import consent, returned
from digest.rules.echo import Marks
from digest.rules.returned import Finding, Report, Verdict

LOG = logging.getLogger("digest.join")
_TOLD = frozenset({Role.ADMIN, Role.APPROVER})
_WORDS = 300


class ComesBack:
    """`join.returned`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def take(self, report: Report, marks: Marks) -> bool:
        """Notes what a report says of one letter of ours, and draws the conclusion. False: it is for people to read."""
        store = self._hand.store
        with store.write(durable=True):
            delivery = self._letter(marks)
            known = store.returns.whose(delivery) if delivery is not None else None
            if delivery is None and report.feedback:
                return self._complained_of_a_notice(report, marks)
            if delivery is None or known is None:
                return False
            issue, reader = known[0], store.subscribers.get(known[1])
            found = returned.finding(report, address=reader.address.key)
            if found is None:
                return False
            self._note(delivery, found)
            if found.verdict is Verdict.COMPLAINT:
                self._complained(reader)
            elif found.verdict in {Verdict.HARD, Verdict.SOFT}:
                self._judge(reader, issue=issue, found=found)
            return found.verdict is not Verdict.OURS

    def sweep(self) -> int:
        """Once a day: addresses that a mail server itself refused, issue after issue. How many were suspended."""
        store = self._hand.store
        with store.write(durable=True):
            refused = store.returns.refused(issues=returned.SOFT_AMONG)
            return sum(self._judge(store.subscribers.get(one)) for one in refused)

    def _letter(self, marks: Marks) -> DeliveryId | None:
        """By the envelope's mark first, then by our Message-ID."""
        links = self._hand.links
        for token in marks.returns:
            try:
                return links.read_bounce_token(token)
            except TokenRefused:
                continue
        for message in marks.messages:
            try:
                return links.read_message_id(message)[1]
            except TokenRefused:
                continue
        return None

    def _complained_of_a_notice(self, report: Report, marks: Marks) -> bool:
        """A confirmation or a welcome can be complained of as well."""
        found = returned.finding(report)
        for message in marks.notices if found is not None else ():
            try:
                number = self._hand.store.notices.reader_of(
                    NoticeId(self._hand.links.read_notice_id(message))
                )
            except TokenRefused:
                continue
            if number is not None:
                self._complained(self._hand.store.subscribers.get(number))
                return True
        return False

    def _note(self, delivery: DeliveryId, found: Finding) -> None:
        self._hand.store.returns.put(
            Returned(delivery=delivery, verdict=found.verdict.value, status=found.status, words=found.words[:_WORDS],
                     at=self._hand.clock())
        )  # fmt: skip

    def _complained(self, reader: Subscriber) -> None:
        """Out at once, and no import brings them back; no letter says so."""
        hand = self._hand
        hand.store.suppressions.add(hand.links.mark(reader.address), reason="complained", at=hand.clock())
        decision = consent.leaving(reader, now=hand.clock())
        if decision.after is not None:
            hand.store.subscribers.save(decision.after)
            hand.stop(decision.after)
            hand.log(decision.after, "left", method="complaint")

    def _judge(
        self, reader: Subscriber, *, issue: IssueId | None = None, found: Finding | None = None
    ) -> bool:
        """Suspends who cannot be reached any more. True when that happened."""
        hand = self._hand
        history = hand.store.returns.history(reader.id, since=reader.confirmed_at, limit=returned.SOFT_AMONG)
        if not returned.has_failed(history) or (issue is not None and self._is_storm(issue)):
            return False
        after = consent.suspending(reader)
        if after is None:
            return False
        hand.store.subscribers.save(after)
        hand.store.deliveries.cancel(after.id)
        hand.store.notices.drop(NoticeKind.NEWEST, subscriber=after.id)
        said = f"{found.status} {found.words}".strip() if found else "refused by its mail server"
        hand.log(after, "suspended", method="bounce", origin=said[:_WORDS])
        return True

    def _is_storm(self, issue: IssueId) -> bool:
        """Too many at once are no people gone: editors are told, once a day, and nobody is marked."""
        store, now = self._hand.store, self._hand.clock()
        hard = store.returns.counts(issue)[Verdict.HARD]
        if not returned.is_storm(hard, letters=store.returns.letters(issue)):
            return False
        LOG.warning("%s letters of one issue came back as undeliverable; nobody is suspended for it", hard)
        for editor in store.editors.all():
            last = store.notices.last_queued(NoticeKind.MANY_RETURN, editor=editor.id)
            if editor.role in _TOLD and (last is None or now - last >= timedelta(hours=24)):
                store.notices.queue(
                    NoticeKind.MANY_RETURN, editor=editor.id, language=editor.language, now=now
                )
        return True
