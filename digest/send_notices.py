"""One-off letters: confirmations, sign-in links, welcomes. Each is tried until it left or is too old; none stops another."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from digest.errors import MailError, RenderError
from digest.model import DeliveryId, DeliveryState, IssueId, Letter, Notice, NoticeId, NoticeKind, Outcome
from digest.render.press import Press
from digest.rules.guard import CODE_LIVES
from digest.rules.pace import notice_retry_at
from digest.rules.tokens import Links
from digest.send_log import act
from digest.send_newest import Newest

_TO_EDITORS = frozenset({
    NoticeKind.BREAKER, NoticeKind.DRAFT_READY, NoticeKind.DUE_SOON, NoticeKind.DUE_TOMORROW, NoticeKind.DUE_TODAY,
    NoticeKind.SOURCES_SILENT, NoticeKind.EVENT_MOVED, NoticeKind.SENDING_HELD, NoticeKind.NOT_SENT, NoticeKind.LEAVING,
    NoticeKind.DOMAIN_REFUSES,
    NoticeKind.MANY_RETURN, NoticeKind.REFUSED_FOR_US,
})  # fmt: skip
_WITH_A_PASS = frozenset({NoticeKind.SIGN_IN, NoticeKind.INVITED})
# The last goes to a mailbox that may not be its reader's any more: no link of theirs may stand in it.
_WITHOUT_LINK = frozenset({NoticeKind.DECLINED, NoticeKind.ADDRESS_MOVED})
AT_ONCE = 20
LEASE_S = 900.0


class Waiting(Protocol):
    """One-off letters."""

    def claim(self, *, count: int, now: datetime, lease_s: float) -> list[Notice]: ...
    def settle(
        self, notice_id: NoticeId, *, state: Literal["sent", "failed", "queued"], not_before: datetime | None = None,
        code: int = 0, reply: str = "", now: datetime,
    ) -> None: ...  # fmt: skip
    def is_wanted(self, notice_id: NoticeId) -> bool: ...


class Store(Protocol):
    """Where they wait."""

    @property
    def notices(self) -> Waiting: ...

    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


class Transport(Protocol):
    """The way out, for one letter."""

    def post(self, letter: Letter) -> Outcome: ...


class Post:
    """sender: the envelope's MAIL FROM. give_way: called before each letter, lets others go first."""

    def __init__(
        self, store: Store, press: Press, transport: Transport, *, clock: Callable[[], datetime], links: Links,
        sender: str, newest: Newest, give_way: Callable[[], object],
    ) -> None:  # fmt: skip
        self._newest, self._give_way = newest, give_way
        self._store, self._press, self._transport = store, press, transport
        self._clock, self._links, self._sender = clock, links, sender

    def all_due(self) -> int:
        """Posts the one-off letters that wait; how many left. One that fails is tried again later and stops no other;
        a mail server that will not work ends this round."""
        sent = 0
        while True:
            self._give_way()
            with self._store.write():
                batch = self._store.notices.claim(count=AT_ONCE, now=self._clock(), lease_s=LEASE_S)
            for place, notice in enumerate(batch):
                try:
                    if place:
                        self._give_way()
                    if self._store.notices.is_wanted(notice.id):
                        sent += self._post(notice)
                except MailError as error:
                    for left in batch[place:]:
                        self._again(left, code=0, reply=str(error))
                    return sent
            if len(batch) < AT_ONCE:
                return sent

    def _post(self, notice: Notice) -> bool:
        now = self._clock()
        message_id = self._links.notice_id(notice.id)
        try:
            data = self._printed(notice, message_id, now)
        except (RenderError, ValueError) as error:
            self._settled(
                notice,
                "failed",
                reply=f"render: {error if isinstance(error, RenderError) else type(error).__name__}",
            )
            return False
        letter = Letter(delivery=DeliveryId(0), sender=self._sender, recipient=notice.address, pieces=(data,))
        outcome = self._transport.post(letter)
        if outcome.state is DeliveryState.SENT:
            self._settled(notice, "sent", code=outcome.code, reply=outcome.reply)
            return True
        if outcome.state is DeliveryState.FAILED:
            self._settled(notice, "failed", code=outcome.code, reply=outcome.reply)
        else:  # in doubt as well: a second confirmation harms nobody, none at all does
            self._again(notice, code=outcome.code, reply=outcome.reply)
        return False

    def _printed(self, notice: Notice, message_id: str, now: datetime) -> bytes:
        """Raises RenderError, ValueError."""
        if notice.kind is NoticeKind.NEWEST:
            data = self._newest.letter(notice, message_id=message_id, date=now)
            if data is None:
                raise RenderError("the issue is there no more")
            return data
        return self._press.notice(
            notice.kind, to=notice.address, language=notice.language, message_id=message_id, date=now,
            link=self._link(notice, now), code=_code(notice, now),
            said=(notice.secret or "").split("\n")[1:] if notice.kind in _TO_EDITORS | _WITH_A_PASS else (),
        )  # fmt: skip

    def _link(self, notice: Notice, now: datetime) -> str | None:
        """The link is made when the letter leaves, so that it is fresh."""
        if notice.kind in _WITH_A_PASS:
            secret = (notice.secret or "").split("\n")[0]
            return self._links.sign_in(secret, language=notice.language) if secret else None
        if notice.kind is NoticeKind.PASSKEY_ADDED:
            return self._links.own_page(notice.language)
        if notice.kind in _TO_EDITORS:
            return self._links.desk((notice.secret or "").split("\n")[0], language=notice.language)
        if notice.subscriber is None or notice.kind in _WITHOUT_LINK:
            return None
        if notice.kind in {NoticeKind.CONFIRM, NoticeKind.REMINDER}:
            return self._links.confirm(notice.subscriber, version=notice.version, now=now)
        if notice.kind is NoticeKind.NEW_ADDRESS:
            return self._links.new_address(
                notice.subscriber, version=notice.version, address=notice.address, now=now
            )
        if notice.kind is NoticeKind.MANAGE:
            return self._links.manage(notice.subscriber, version=notice.version, now=now)
        return self._links.preferences(notice.subscriber, version=notice.version, issue=IssueId(0))

    def _again(self, notice: Notice, *, code: int, reply: str) -> None:
        now = self._clock()
        at = notice_retry_at(notice.attempts, queued_at=notice.queued_at or now, now=now)
        self._settled(notice, "queued" if at else "failed", code=code, reply=reply, not_before=at)

    def _settled(
        self, notice: Notice, state: Literal["sent", "failed", "queued"], *, code: int = 0, reply: str = "",
        not_before: datetime | None = None,
    ) -> None:  # fmt: skip
        with self._store.write(durable=True):
            self._store.notices.settle(
                notice.id, state=state, not_before=not_before, code=code, reply=reply, now=self._clock()
            )
        act("notice", number=notice.id, kind=notice.kind, state=state, attempt=notice.attempts, code=code or None,
            said=reply if state != "sent" else None,
            again=not_before.strftime("%Y-%m-%dT%H:%M:%SZ") if not_before else None)  # fmt: skip


def _code(notice: Notice, now: datetime) -> str | None:
    """The six digits of a confirmation, as long as they still work."""
    is_fresh = notice.queued_at is not None and now - notice.queued_at < CODE_LIVES
    return notice.secret if notice.kind is NoticeKind.CONFIRM and is_fresh else None
