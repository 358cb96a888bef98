"""Letters that come back: a dead address is written to no more, who complains has left. Our signed mark says whose it was.

Nobody is answered, nobody is marked by a letter that bears no mark of ours, and a storm of returns marks nobody.
"""

import json
import logging
from collections import Counter
from datetime import timedelta

from digest.errors import TokenRefused
from digest.join_hand import Hand
from digest.model import (
    DeliveryId,
    IssueId,
    NoticeId,
    NoticeKind,
    Returned,
    Role,
    Subscriber,
    SubscriberId,
    SubscriberState,
)
from digest.rules import consent, returned
from digest.rules.echo import Marks
from digest.rules.returned import Finding, Report, Verdict

LOG = logging.getLogger("digest.join")
_TOLD = frozenset({Role.ADMIN, Role.APPROVER})
_WORDS = 300
_STORMS, _KEPT_STORMS = "storms of returns", 24
_A_MONTH = timedelta(days=28)


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
            elif found.verdict is Verdict.OURS:
                self._tell(NoticeKind.REFUSED_FOR_US)
            elif not self._is_storm(issue, reader):
                self._judge(reader, found=found)
            return found.verdict is not Verdict.OURS

    def sweep(self) -> int:
        """Once a day: addresses that a mail server itself refused, issue after issue. How many were suspended."""
        store = self._hand.store
        with store.write(durable=True):
            readers = [
                store.subscribers.get(one) for one in store.returns.refused(issues=returned.SOFT_AMONG)
            ]
            gone = [one for one in readers if self._has_failed(one)]
            at = Counter(_domain(one) for one in gone)
            spared = {
                name for name, failed in at.items()
                if returned.is_local_storm(failed, letters=store.subscribers.count_at(name))
            }  # fmt: skip
            is_storm = len(gone) >= returned.STORM_LEAST and returned.is_storm(
                len(gone), letters=store.subscribers.stats().by_state[SubscriberState.CONFIRMED]
            )
            if spared or is_storm:
                self._tell(NoticeKind.MANY_RETURN, every=_A_MONTH)
            return 0 if is_storm else sum(self._judge(one) for one in gone if _domain(one) not in spared)

    def write_again(self, number: SubscriberId, *, by: str) -> bool:
        """Somebody at the desk says that the mailbox works again: letters go there as before, and what failed is forgotten.
        False when they are not suspended. Raises NotFound."""
        with self._hand.store.write(durable=True):
            return self._resume(self._hand.store.subscribers.get(number), method="desk", origin=by)

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

    def _judge(self, reader: Subscriber, *, found: Finding | None = None) -> bool:
        """Suspends who cannot be reached any more. True when that happened."""
        hand = self._hand
        after = consent.suspending(reader) if self._has_failed(reader) else None
        if after is None:
            return False
        hand.store.subscribers.save(after)
        hand.store.deliveries.cancel(after.id)
        hand.store.notices.drop({NoticeKind.NEWEST}, subscriber=after.id)
        # The log outlives the person, so no words of a stranger's machine stand in it: they may hold a name.
        said = found.status if found and found.status else "refused by its mail server"
        hand.log(after, "suspended", method="bounce", origin=said)
        return True

    def _has_failed(self, reader: Subscriber) -> bool:
        """By what became of their letters since they confirmed, or were written to again. Storms do not count."""
        again = [line.at for line in self._hand.store.consents.of(reader.id) if line.act == "resumed"]
        since = max([at for at in (reader.confirmed_at, *again) if at is not None], default=None)
        without = [issue for issue, where in self._storms() if where in {"", _domain(reader)}]
        history = self._hand.store.returns.history(
            reader.id, since=since, limit=returned.SOFT_AMONG, without=without
        )
        return returned.has_failed(history)

    def _resume(self, reader: Subscriber, *, method: str, origin: str) -> bool:
        after = consent.resuming(reader)
        if after is None:
            return False
        self._hand.store.subscribers.save(after)
        self._hand.log(after, "resumed", method=method, origin=origin)
        self._hand.resume(after)
        return True

    # --- storms -----------------------------------------------------------------------------------------------------------

    def _storms(self) -> list[tuple[IssueId, str]]:
        """Issues of which too many letters came back to be true: everywhere (""), or at one mail domain."""
        kept = self._hand.store.settings.get(_STORMS)
        return [(IssueId(issue), where) for issue, where in json.loads(kept)] if kept else []

    def _is_storm(self, issue: IssueId, reader: Subscriber) -> bool:
        """Too many at once are no people gone: editors are told, nobody is marked, and who was marked already before it
        showed is written to again."""
        store, where = self._hand.store, _domain(reader)
        known = self._storms()
        if (issue, "") in known or (issue, where) in known:
            return True
        counts = store.returns.counts(issue)
        failed = counts[Verdict.HARD] + counts[Verdict.SOFT]
        if returned.is_storm(failed, letters=store.returns.letters(issue)):
            where = ""
        else:
            dead, letters = store.returns.at_domain(issue, where, besides=returned.NO_SUCH_HOST)
            if not returned.is_local_storm(dead, letters=letters):
                return False
        store.settings.put(_STORMS, json.dumps([*known, (issue, where)][-_KEPT_STORMS:]))
        LOG.warning("so many letters of one issue came back that nobody is suspended for it")
        for number in store.returns.suspended_by(issue):
            one = store.subscribers.get(number)
            if where in {"", _domain(one)}:
                self._resume(one, method="bounce", origin="many came back at once")
        self._tell(NoticeKind.MANY_RETURN)
        return True

    def _tell(self, kind: NoticeKind, *, every: timedelta = timedelta(hours=24)) -> None:
        store, now = self._hand.store, self._hand.clock()
        for editor in store.editors.all():
            last = store.notices.last_queued(kind, editor=editor.id)
            if editor.role in _TOLD and (last is None or now - last >= every):
                store.notices.queue(kind, editor=editor.id, language=editor.language, now=now)


def _domain(reader: Subscriber) -> str:
    return reader.address.key.rpartition("@")[2]
