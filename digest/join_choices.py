"""What readers choose for themselves, behind a link mailed a moment ago: letters, a pause, another address, a copy, the end.

The link inside a letter can do none of this: letters are forwarded.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.errors import InputRefused, TokenRefused
from digest.join_hand import Hand, Known
from digest.model import Address, Cadence, Introduction, NoticeKind, Subscriber, SubscriberState
from digest.rules import consent
from digest.rules.consent import Answer
from digest.rules.cuts import topics_of
from digest.rules.tokens import Purpose

_MANAGE = frozenset({Purpose.MANAGE})
_READS = frozenset({SubscriberState.CONFIRMED, SubscriberState.WAITING})
_LONGEST_PAUSE = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the page of settings hands in. pause_until: the day letters come again; None ends a pause.

    topics: sections; none, or all of them, is the whole letter."""

    language: str
    timezone: str = ""
    role: str = ""
    cadence: str = Cadence.EVERY
    topics: tuple[str, ...] = ()
    pause_until: date | None = None


class Choices:
    """`join.choices`."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def save(self, text: str, choice: Choice, *, page: str = "") -> Known:
        """Keeps all choices. A pause takes this reader's unsent letters back at once.

        Raises TokenRefused; InputRefused for an unknown zone, cadence, or a pause that is over already or lasts more than a year.
        """
        with self._hand.store.write(durable=True):
            found = self._hand.who(text, allowed=_MANAGE)
            after = replace(
                found.subscriber, language=self._hand.language(choice.language), timezone=_zone(choice.timezone),
                role=choice.role or None, cadence=_cadence(choice.cadence),
                topics=topics_of(choice.topics), paused_until=self._until(choice),
            )  # fmt: skip
            self._hand.store.subscribers.save(after)
            if after.paused_until is not None:
                self._hand.store.deliveries.cancel(after.id)
            elif found.subscriber.paused_until is not None and after.state is SubscriberState.CONFIRMED:
                self._hand.store.deliveries.resume(after.id)
            self._hand.log(
                after, "chose", method="link", page=page, origin=consent.chosen(found.subscriber, after)
            )
            return Known(after, found.token, Answer.DONE)

    def _until(self, choice: Choice) -> datetime | None:
        """Midnight at the beginning of that day, where the reader lives."""
        if choice.pause_until is None:
            return None
        zone = ZoneInfo(_zone(choice.timezone) or self._hand.config.list.timezone)
        until = datetime.combine(choice.pause_until, time(), tzinfo=zone).astimezone(UTC)
        now = self._hand.clock()
        if until - now > _LONGEST_PAUSE:
            raise InputRefused("A pause lasts a year at most; to stop for good, leave.")
        if until <= now:
            raise InputRefused("A pause ends on a day to come; with no date at all, none is made.")
        return until

    # --- another address --------------------------------------------------------------------------------------------

    def ask_address(self, text: str, new_address: str) -> None:
        """Sends a link to the new address; nothing changes before it is used. Raises TokenRefused, AddressRefused.

        Whether somebody reads at the new address already is not told, nor that its domain is never written to, so neither is
        whether a letter left.
        """
        address = consent.judged_address(new_address)
        with self._hand.store.write(durable=True):
            found = self._hand.who(text, allowed=_MANAGE)
            before = found.subscriber
            if self._hand.is_never_written_to(address) or not self._may_ask(address, before):
                return
            after = replace(before, new_address=address)
            self._hand.store.subscribers.save(after)
            if self._is_free(address, after):
                self._hand.store.notices.drop(
                    {NoticeKind.NEW_ADDRESS}, subscriber=after.id
                )  # to one asked for before
                self._hand.queue(NoticeKind.NEW_ADDRESS, after)

    def _may_ask(self, address: Address, reader: Subscriber) -> bool:
        """A few a day. Who mistyped asks again at once: a link proves no other address than the one it went to."""
        if reader.new_address is None or reader.new_address.key == address.key:
            return self._hand.may_have_link(NoticeKind.NEW_ADDRESS, reader)
        return self._hand.has_links_left(NoticeKind.NEW_ADDRESS, reader)

    def move(self, text: str, *, page: str = "", network: str | None = None) -> Known:
        """The new address is proven: it takes the place of the old one, whose links end. Raises TokenRefused.

        The gate looks at the new domain as it looked at the old one. The old address is told, but not where to.
        """
        with self._hand.store.write(durable=True):
            found = self._hand.who(text, allowed={Purpose.ADDRESS})
            before = found.subscriber
            address = before.new_address
            if (
                address is None
                or not self._is_free(address, before)
                or self._hand.is_never_written_to(address)
            ):
                raise TokenRefused("This link has expired.")
            other = self._hand.store.subscribers.find(address)
            if other is not None and other.id != before.id:
                self._hand.store.subscribers.forget(other.id)  # asked once and never proven
            moved = replace(before, address=address, new_address=None, version=before.version + 1)
            if before.state in _READS | {SubscriberState.SUSPENDED}:  # what failed was the old address
                moved = replace(moved, state=self._hand.admitted_state(moved))
            self._hand.store.subscribers.save(moved)
            self._hand.store.traces.left()
            self._hand.store.suppressions.remove(
                self._hand.links.mark(moved.address)
            )  # it is proven to be theirs
            if before.state in _READS:
                self._hand.queue(NoticeKind.ADDRESS_MOVED, moved, secret=before.address.reveal())
            self._hand.log(moved, "moved", method="link", page=page, network=network)
            self._passes_the_gate(before, moved)
            answer = Answer.WAITING if moved.state is SubscriberState.WAITING else Answer.DONE
            return Known(moved, found.token, answer)

    def _passes_the_gate(self, before: Subscriber, moved: Subscriber) -> None:
        """Out of the list for an editor to look, or into it, as the new domain says."""
        if before.state is moved.state:
            return
        if moved.state is SubscriberState.WAITING:
            self._hand.store.deliveries.cancel(moved.id)
            self._hand.waits(moved, method="link")
        else:
            self._hand.store.subscribers.save(replace(moved, declined_at=None))
            was_failing = before.state is SubscriberState.SUSPENDED
            act, why = ("resumed", "a new address") if was_failing else ("admitted", "by the domain")
            self._hand.log(moved, act, method="link", origin=why)
            self._hand.greet(moved)

    def _is_free(self, address: Address, reader: Subscriber) -> bool:
        other = self._hand.store.subscribers.find(address)
        return other is None or other.id == reader.id or other.state is SubscriberState.ASKED

    # --- a copy, the end --------------------------------------------------------------------------------------------

    def dossier(self, text: str) -> dict[str, Any]:
        """Everything we know of a person, as plain values; times in ISO 8601, UTC. Raises TokenRefused."""
        reader = self._hand.who(text, allowed=_MANAGE).subscriber
        return {
            "address": reader.address.reveal(),
            "state": reader.state.value,
            "language": reader.language.value,
            "timezone": reader.timezone,
            "role": reader.role,
            "topics": list(reader.topics),
            "cadence": reader.cadence.value,
            "paused_until": _iso(reader.paused_until),
            "note": reader.note,
            "invited_by": reader.sponsor,
            "new_address": reader.new_address.reveal() if reader.new_address else None,
            "asked_at": _iso(reader.asked_at),
            "confirmed_at": _iso(reader.confirmed_at),
            "left_at": _iso(reader.left_at),
            "consents": [
                {
                    "at": _iso(line.at), "act": line.act, "method": line.method, "page": line.page,
                    "language": line.language.value, "wording": line.wording, "wording_version": line.version,
                    "basis": line.basis, "origin": line.origin, "network": line.network,
                }
                for line in self._hand.store.consents.of(reader.id)
            ],
            "introduction": _said(self._hand.store.introductions.of(reader.id)),
            "suggestions": [
                {
                    "at": _iso(one.at), "kind": one.kind.value, "title": one.title, "link": one.url, "words": one.words,
                    "starts": _iso(one.starts), "timezone": one.timezone, "place": one.place,
                    "language": one.language.value, "state": state,
                }
                for one, state in self._hand.store.suggestions.of(reader.id)
            ],
            "letters": [
                {"issue": one.issue, "state": one.state.value, "at": _iso(one.at), "came_back": one.came_back}
                for one in self._hand.store.deliveries.of(reader.id)
            ],
        }  # fmt: skip

    def forget(self, text: str) -> None:
        """The person's own wish to be forgotten: a keyed hash stays, so that no import brings them back."""
        with self._hand.store.write(durable=True):
            self._hand.forget(
                self._hand.who(text, allowed=_MANAGE).subscriber, method="link", reason="forgotten"
            )
        self._hand.store.traces.clear()


def _said(hello: Introduction | None) -> dict[str, Any] | None:
    if hello is None:
        return None
    return {
        "name": hello.name, "who": hello.who, "looks_for": hello.looks_for, "link": hello.link, "state": hello.state.value,
        "at": _iso(hello.at),
    }  # fmt: skip


def dossier_rows(dossier: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """The same as rows of name and value, for a spreadsheet."""
    rows: list[tuple[str, str]] = []
    for name, value in dossier.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for number, entry in enumerate(value, 1):
                rows += [(f"{name} {number} {key}", _text(held)) for key, held in entry.items()]
        elif isinstance(value, dict):
            rows += [(f"{name} {key}", _text(held)) for key, held in value.items()]
        else:
            rows.append((name, _text(value)))
    return rows


def _text(value: Any) -> str:
    return "" if value is None else " ".join(value) if isinstance(value, list) else str(value)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _zone(name: str) -> str | None:
    if not name:
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputRefused("This is not a time zone we know; write it like America/Toronto.") from None
    return name


def _cadence(name: str) -> Cadence:
    try:
        return Cadence(name)
    except ValueError:
        raise InputRefused("Letters come every month, every third month, or with events only.") from None
