"""What every act of a reader shares: who stands behind a link, the line in the consent log, the letter that is queued.

Nothing is decided here, and no transaction is begun.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.config import Config
from digest.errors import ConfigError, NotFound, TokenRefused
from digest.join_memory import Memory
from digest.model import (
    Address,
    Cadence,
    Consent,
    EditorId,
    Language,
    MailDomain,
    NoticeKind,
    Reading,
    Subscriber,
    SubscriberId,
    SubscriberState,
)
from digest.rules import consent, guard
from digest.rules.consent import Answer
from digest.rules.jurisdictions import Directory, canada, read_directory
from digest.rules.tokens import Links, Purpose, Token

# What waits for somebody who leaves: greetings, thanks, and links that end with it. That their address was moved away,
# its old mailbox is told all the same.
_ENDS_WITH_LEAVING = frozenset(NoticeKind) - {NoticeKind.ADDRESS_MOVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What proves that a form was shown to somebody. token: of links.form(); trap: the field that people do not see."""

    token: str
    trap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody put into the form.

    network: a shortened network address, for the log; ip: the whole one, counted under a keyed hash and never kept.
    form: None only where our own program asks; every door on the web hands one in. note: who they are, for editors.
    read_in: the language of the page, whose wording they agreed to; None: that of the letter.
    """

    address: str
    language: str | None = None
    role: str | None = None
    timezone: str | None = None
    topics: tuple[str, ...] = ()
    page: str = "/"
    network: str | None = None
    ip: str | None = None
    form: Form | None = None
    note: str = ""
    invitation: str = ""
    read_in: Language | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The person behind a link, and what the link has just done."""

    subscriber: Subscriber
    token: Token
    answer: Answer


class Hand:
    """Handed to each of the readers' verbs."""

    def __init__(self, store: Memory, *, config: Config, clock: Callable[[], datetime], links: Links) -> None:
        self.store = store
        self.config = config
        self.clock = clock
        self.links = links
        self._packaged: Directory | None = None

    def who(self, text: str, *, allowed: frozenset[Purpose] | set[Purpose]) -> Known:
        """The person behind a link; changes nothing. Raises TokenRefused, also for somebody who was forgotten."""
        token = self.links.read(text, allowed=allowed, now=self.clock())
        try:
            known = self.store.subscribers.get(token.subscriber)
        except NotFound:
            raise TokenRefused("This link no longer belongs to anybody.") from None
        if token.purpose in {Purpose.MANAGE, Purpose.ADDRESS} and not self._is_fresh(token, known):
            raise TokenRefused("This link has expired.")
        answer = Answer.ALREADY if known.state is SubscriberState.CONFIRMED else Answer.WAITING
        return Known(known, token, answer)

    def _is_fresh(self, token: Token, known: Subscriber) -> bool:
        if token.purpose is Purpose.MANAGE:
            return token.version == known.version & 0xFFFF
        wanted = known.new_address
        return wanted is not None and token.version == self.links.address_version(known.version, wanted)

    def language(self, asked: str | None) -> Reading:
        return consent.reading_or_first(asked, offered=self.config.list.languages)

    def is_never_written_to(self, address: Address) -> bool:
        """`[signup] blocked_domains`, and addresses that belong to a machine's duties."""
        if consent.is_function(address):
            return True
        listed = self.config.signup.blocked_domains
        if not listed:
            return False
        return guard.is_blocked(consent.domain_of(address), frozenset(map(consent.ascii_domain, listed)))

    def queue(
        self, kind: NoticeKind, to: Subscriber, *, secret: str | None = None, code_mark: str | None = None
    ) -> None:
        self.store.notices.queue(
            kind,
            subscriber=to.id,
            version=to.version,
            language=to.language.first,
            secret=secret,
            code_mark=code_mark,
            now=self.clock(),
        )

    def may_have_link(self, kind: NoticeKind, reader: Subscriber) -> bool:
        """Whether one more mailed link of this kind may leave for them today."""
        earlier = self._links_of_today(kind, reader)
        return consent.may_have_link(earlier, version=reader.version, now=self.clock())

    def has_links_left(self, kind: NoticeKind, reader: Subscriber) -> bool:
        """The same, were none of them good for anything any more."""
        return len(self._links_of_today(kind, reader)) < consent.LINKS_A_DAY

    def _links_of_today(self, kind: NoticeKind, reader: Subscriber) -> list[tuple[datetime, int]]:
        since = self.clock() - consent.ONE_LETTER_PER
        return self.store.notices.queued_since(kind, subscriber=reader.id, since=since)

    def log(
        self, who: Subscriber, act: str, *, method: str, page: str = "", network: str | None = None,
        basis: str = "express", origin: str = "", read_in: Language | None = None,
    ) -> None:  # fmt: skip
        """read_in: the language of the page where it was done, if it was not their letter's."""
        language = read_in or who.language.first
        self.store.consents.log(
            who.id,
            Consent(
                act=act, at=self.clock(), language=language, method=method,
                page=consent.route_of(page), network=network,
                wording=self.config.signup.wording.in_(language) if act == "asked" else "",
                basis=basis, origin=origin,
            ),
        )  # fmt: skip

    def greet(self, reader: Subscriber) -> None:
        """A welcome to who has come in, and the newest issue unless it is on its way to them or was there already."""
        self.queue(NoticeKind.WELCOME, reader)
        self.store.deliveries.resume(reader.id)
        self._catch_up(reader)

    def resume(self, reader: Subscriber) -> None:
        """What was stopped and has not left goes on, unless they pause; what left meanwhile comes alone."""
        if reader.paused_until is None or reader.paused_until <= self.clock():
            self.store.deliveries.resume(reader.id)
            if reader.cadence is Cadence.EVERY and not reader.topics:
                self._catch_up(reader)

    def _catch_up(self, reader: Subscriber) -> None:
        issue = self.store.deliveries.newest_unread(reader.id)
        if issue is not None:
            self.queue(NoticeKind.NEWEST, reader, secret=f"{issue} {reader.language.value}")

    def waits(self, known: Subscriber, *, method: str) -> None:
        """The line that says why a proven address gets no letter yet."""
        if known.state is SubscriberState.WAITING:
            self.log(known, "waits", method=method, origin="for an editor")

    def stop(self, gone: Subscriber) -> None:
        """Nothing more goes to somebody who has left, and nothing more is shown of them."""
        self.store.deliveries.cancel(gone.id)
        self.store.notices.drop(_ENDS_WITH_LEAVING, subscriber=gone.id)
        self.store.introductions.take_back(gone.id)

    def forget(self, known: Subscriber, *, method: str, reason: str) -> None:
        """Deletes a person; a keyed hash stays, so that no import brings them back."""
        self.stop(known)
        self.log(known, "forgotten", method=method)
        self.store.suppressions.add(self.links.mark(known.address), reason=reason, at=self.clock())
        self.store.subscribers.forget(known.id)

    # --- the gate ---------------------------------------------------------------------------------------------------

    def directory(self) -> Directory:
        """The packaged domains, the operator's on top, what editors decided above both. Raises ConfigError."""
        if self._packaged is None:
            self._packaged = canada().with_(_own(self.config))
        return self._packaged.with_(self.store.domains.all())

    def admitted_state(self, who: Subscriber) -> SubscriberState:
        """Where a proven address goes: in, or to the queue."""
        signup = self.config.signup
        if signup.policy == "open":
            return SubscriberState.CONFIRMED
        return consent.admitted_state(
            who.address, policy=signup.policy, domains=signup.domains, is_known=self._is_known(who),
            is_invited=self._is_invited(who),
        )  # fmt: skip

    def sponsor(self, invitation: str) -> str | None:
        """Who invites with this link; None when it is none of ours, has expired, or its maker has gone."""
        allowed = {Purpose.INVITE, Purpose.EDITOR_INVITE}
        try:
            token = self.links.read(invitation, allowed=allowed, now=self.clock())
        except TokenRefused:
            return None
        try:
            if token.purpose is Purpose.EDITOR_INVITE:
                return f"editor:{self.store.editors.get(EditorId(token.subscriber)).id}"
            reader = self.store.subscribers.get(token.subscriber)
        except NotFound:
            return None
        is_theirs = reader.state is SubscriberState.CONFIRMED and token.version == reader.version & 0xFFFF
        return f"reader:{reader.id}" if is_theirs else None

    def _is_known(self, who: Subscriber) -> bool:
        domain = consent.domain_of(who.address)
        decided = Directory(self.store.domains.all()).find(domain)
        if decided is not None:
            return decided.admitted
        if not self.config.signup.government:
            return False
        listed = self.directory().find(domain)
        return listed is not None and listed.admitted

    def _is_invited(self, who: Subscriber) -> bool:
        """A reader may bring in twenty people in thirty days; an editor as many as they like."""
        kind, _, number = (who.sponsor or "").partition(":")
        if not number.isdigit():
            return False
        try:
            if kind == "editor":
                return bool(self.store.editors.get(EditorId(int(number))))
            reader = self.store.subscribers.get(SubscriberId(int(number)))
        except NotFound:
            return False
        since = self.clock() - consent.INVITED_WITHIN
        brought = self.store.subscribers.count_sponsored(who.sponsor or "", since=since)
        if who.state is SubscriberState.WAITING and who.confirmed_at is not None:
            brought -= who.confirmed_at >= since  # they are no guest beside themselves
        return reader.state is SubscriberState.CONFIRMED and brought < consent.INVITED_MOST


def _own(config: Config) -> Sequence[MailDomain]:
    if config.signup.domains_file is None:
        return []
    path = config.path(config.signup.domains_file)
    try:
        return read_directory(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"[signup] domains_file: {path} cannot be read.") from error
