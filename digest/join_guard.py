"""The guards at the door of sign-up: forms, floods, the breaker. They count and judge; who asked is never told."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from digest.join_hand import Ask, Form, Hand
from digest.model import Address, NoticeKind, Role
from digest.rules import consent, guard
from digest.rules.guard import Caps, Refusal, Scope

LOG = logging.getLogger("digest.join")
_RESTS_UNTIL = "signup_rests_until"
_TOLD = frozenset({Role.ADMIN, Role.APPROVER})


class DoorGuard:
    """Stands before everything that a stranger can make us do. Called inside the transaction of the act."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        signup = hand.config.signup
        self._caps = Caps(ip=signup.asks_per_ip, network=signup.asks_per_network, domain=signup.asks_per_domain,
                          site=signup.asks_per_hour)  # fmt: skip

    def hears_form(self, form: Form | None) -> Refusal | None:
        """None when the form is fresh and unused, or when our own program asks. A form is used up by this."""
        refusal, hour = self._judged(form)
        if form is None or refusal is not None:
            return refusal
        return Refusal.USED if self._count({Scope.FORM: form.token}, form_hour=hour)[Scope.FORM] > 1 else None

    def _judged(self, form: Form | None) -> tuple[Refusal | None, int]:
        """Why a form is not worth counting, else the hour that its use counts in."""
        if form is None:
            return None, 0
        made_at = self._hand.links.read_form(form.token)
        refusal = guard.judged_form(form.token, made_at, trap=form.trap, now=self._hand.clock())
        return refusal, guard.last_hour(made_at) if made_at is not None and refusal is None else 0

    def hears(self, ask: Ask, address: Address, *, writes: bool) -> Refusal | None:
        """None when this ask may go on. Counts it for the address and the neighbourhood that it comes from, and uses up its
        form.

        writes: one more letter would leave because of it; then it counts for the mail domain and the whole site too,
        in the same statement. Beyond the cap of the site the breaker trips: sign-up rests for an hour and editors are
        told, once.
        """
        refusal, form_hour = self._judged(ask.form)
        if refusal in guard.HASTY and self._has_patience():
            refusal = None
        if refusal is not None:
            return refusal
        now = self._hand.clock()
        refusal = self._is_blocked(address)
        if refusal is None and writes and self._rests(now):
            refusal = Refusal.RESTING
        leaves = (
            {Scope.DOMAIN: consent.domain_of(address), Scope.SITE: ""} if refusal is None and writes else {}
        )
        form = {Scope.FORM: ask.form.token} if ask.form is not None and form_hour else {}
        counts = self._count(_from_where(ask.ip) | leaves | form, form_hour=form_hour)
        if counts.pop(Scope.FORM, 1) > 1:
            self._uncount(leaves)
            return Refusal.USED
        over = guard.over_cap(counts, self._caps)
        if over is None:
            return refusal
        if over is Scope.SITE:
            self._trip(now)
        elif leaves:  # nothing leaves: flooding must not shut the door to all
            self._uncount({Scope.SITE: ""} if over is Scope.DOMAIN else leaves)
        return Refusal.CAP

    def hears_from(self, ip: str | None) -> Refusal | None:
        """Counts a knock from this IP address; Refusal.CAP when there were too many in this hour."""
        return Refusal.CAP if guard.over_cap(self._count(_from_where(ip)), self._caps) else None

    def _is_blocked(self, address: Address) -> Refusal | None:
        return Refusal.BLOCKED if self._hand.is_never_written_to(address) else None

    def counts_try(self, ip: str | None) -> bool:
        """Whether this neighbourhood may try one more code in this hour."""
        network = guard.neighbourhood(ip)
        return network is None or self._count({Scope.CODE: network})[Scope.CODE] <= guard.TRIES_PER_NETWORK

    def _has_patience(self) -> bool:
        """Whether one more ask without a form, or faster than people mostly are, is heard in this hour."""
        return self._count({Scope.HASTY: ""})[Scope.HASTY] <= guard.HASTY_PER_HOUR

    def _rests(self, now: datetime) -> bool:
        until = self._hand.store.settings.get(_RESTS_UNTIL)
        return until is not None and now < datetime.fromisoformat(until)

    def _trip(self, now: datetime) -> None:
        rests_until = now + guard.BREAKER_RESTS
        self._hand.store.settings.put(_RESTS_UNTIL, rests_until.isoformat())
        LOG.warning("sign-up rests until %s: more asks in an hour than asks_per_hour allows", rests_until)
        for editor in self._hand.store.editors.all():
            last = self._hand.store.notices.last_queued(NoticeKind.BREAKER, editor=editor.id)
            if editor.role in _TOLD and (last is None or now - last >= timedelta(hours=24)):
                self._hand.store.notices.queue(
                    NoticeKind.BREAKER, editor=editor.id, language=editor.language, now=now
                )

    def _uncount(self, knocks: Mapping[Scope, str]) -> None:
        hour = guard.hour_of(self._hand.clock())
        for knock in self._hashed(knocks).values():
            self._hand.store.guards.uncount(knock, hour=hour)

    def _count(self, knocks: Mapping[Scope, str], *, form_hour: int = 0) -> dict[Scope, int]:
        if not knocks:
            return {}
        hashed, hour = self._hashed(knocks), guard.hour_of(self._hand.clock())
        counts = self._hand.store.guards.count(
            {knock: form_hour if scope is Scope.FORM else hour for scope, knock in hashed.items()}
        )
        return {scope: counts[knock] for scope, knock in hashed.items()}

    def _hashed(self, knocks: Mapping[Scope, str]) -> dict[Scope, int]:
        texts = {scope: f"{scope} {what}" for scope, what in knocks.items()}
        return self._hand.links.knocks(texts, beside=guard.BESIDE)


def _from_where(ip: str | None) -> dict[Scope, str]:
    """This very machine is not counted: behind a proxy that [web] trusted_proxies leaves out, it would be everybody."""
    network = guard.neighbourhood(ip)
    if network is None or guard.is_this_machine(ip):
        return {}
    return {Scope.IP: str(ip), Scope.NETWORK: network}
