"""The readers as a crowd: what is kept and for how long, and how many there are, month by month. Counts leave, people never."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from digest.join_hand import Hand
from digest.model import Community, NoticeKind, Person
from digest.rules import consent, guard, pulse
from digest.rules.introduce import MOST_IN_AN_ISSUE
from digest.rules.jurisdictions import ELSEWHERE, GOVERNMENT, Directory
from digest.rules.pulse import Pulse

_AT_ONCE = 500
_KINDS = ("place", "role", "all")


class Crowd:
    """`join.crowd`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def tidy(self) -> int:
        """Ends what its time is over, as [retention] says, and counts heads. How many asked and never confirmed."""
        store, now, keep = self._hand.store, self._hand.clock(), self._hand.config.retention
        with store.write():
            stale = store.subscribers.delete_stale_asked(now - consent.ASKED_LIVES)
            store.subscribers.delete_declined(now - consent.DECLINED_LIVES)
            store.consents.forget_networks(now - timedelta(days=keep.network_days))
            store.notices.delete_settled(now - timedelta(days=keep.notices_days))
            store.suggestions.delete_settled(now - timedelta(days=keep.left_days))
            store.farewells.delete_before(f"{now - timedelta(days=keep.left_days):%Y-%m}")
            store.guards.tidy(hour=guard.hour_of(now) - 1)
            self._remind()
            self._count_heads()
            self.refresh()
        self._forget_who_left_long_ago(timedelta(days=keep.left_days))
        return stale

    def _remind(self) -> None:
        """One letter more to who asked and did not confirm, if the operator wants that. While more wait than may ask in
        an hour, somebody may have typed in other people's addresses: then nobody is written to again."""
        signup, store = self._hand.config.signup, self._hand.store
        if not signup.remind_after_days:
            return
        since = self._hand.clock() - timedelta(days=signup.remind_after_days)
        due = store.subscribers.to_remind(asked_before=since, limit=signup.asks_per_hour + 1)
        if len(due) <= signup.asks_per_hour:
            for one in due:
                self._hand.queue(NoticeKind.REMINDER, one)

    def _forget_who_left_long_ago(self, kept: timedelta) -> None:
        store = self._hand.store
        while True:
            with store.write(durable=True):
                gone = store.subscribers.left_before(self._hand.clock() - kept, limit=_AT_ONCE)
                for one in gone:
                    self._hand.forget(one, method="retention", reason="left")
            if len(gone) < _AT_ONCE:
                return

    def _count_heads(self) -> None:
        month, kept = f"{self._hand.clock():%Y-%m}", self._kept()
        counts = pulse.steady(kept[max(kept)] if kept else {}, self._counts())
        for kind in _KINDS:
            self._hand.store.head_counts.keep(month, kind=kind, counts=counts.get(kind, {}))

    def _kept(self) -> dict[str, pulse.Counts]:
        """The pictures by month."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for kind in _KINDS:
            for month, named in self._hand.store.head_counts.of(kind).items():
                found.setdefault(month, {})[kind] = named
        return dict(found)

    def _counts(self) -> pulse.Counts:
        stats = self._hand.store.subscribers.stats()
        total = sum(stats.by_domain.values())
        roles = dict(stats.by_role)
        roles[pulse.UNSAID] = total - sum(roles.values())
        places = by_place(stats.by_domain.items(), self._hand.directory())
        return {"place": places, "role": {name: n for name, n in roles.items() if n}, "all": {"all": total}}

    def pulse(self) -> Pulse:
        """Who is here, as last counted, with small cells hidden so that no sum gives them away."""
        kept = self._kept()
        history = {month: counts["all"]["all"] for month, counts in kept.items()}
        return pulse.of_counts(kept[max(kept)] if kept else self._counts(), history=history)

    def history(self) -> list[tuple[str, Pulse]]:
        """The same at the end of each month, the oldest first."""
        return pulse.pictures(self._kept())

    def refresh(self) -> None:
        """The picture that drafts show: the pulse, and who introduced themselves and stood in no issue yet.

        Called inside a transaction.
        """
        newest = self._hand.store.introductions.newest(limit=MOST_IN_AN_ISSUE)
        people = tuple(
            Person(subscriber=one.subscriber, name=one.name, who=one.who, looks_for=one.looks_for,
                   language=one.language, link=one.link)
            for one in newest
        )  # fmt: skip
        self._hand.store.introductions.keep_picture(Community(pulse=pulse.brief(self.pulse()), people=people))


def by_place(by_domain: Iterable[tuple[str, int]], directory: Directory) -> dict[str, int]:
    """`level/jurisdiction` to how many. Domains as they are written in addresses."""
    found: Counter[str] = Counter()
    for domain, count in by_domain:
        entry = directory.find(consent.ascii_domain(domain))
        known = entry is not None and entry.level in GOVERNMENT
        found[f"{entry.level}/{entry.jurisdiction}" if entry and known else f"other/{ELSEWHERE}"] += count
    return dict(found)
