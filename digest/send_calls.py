"""Calls to the operator's webhook: signed, tried again with longer and longer pauses. One that fails stops nothing else."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from hashlib import sha256
from typing import Literal, Protocol

from digest.errors import SourceError
from digest.rules.pace import notice_retry_at

AT_ONCE = 20


class Call(Protocol):
    """One call that waits."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def payload(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def queued_at(self) -> datetime: ...


class Waiting(Protocol):
    def due(self, *, most: int, now: datetime) -> Sequence[Call]: ...
    def settle(
        self, call_id: int, *, state: Literal["queued", "sent", "failed"], reply: str, now: datetime,
        not_before: datetime | None = None,
    ) -> None: ...  # fmt: skip


class Store(Protocol):
    @property
    def calls(self) -> Waiting: ...
    def write(self, *, durable: bool = False) -> AbstractContextManager[None]: ...


Poster = Callable[[str, bytes, Mapping[str, str]], None]


class Calls:
    """post: an address, a body and headers; raises SourceError when it was not taken. secret: empty signs nothing."""

    def __init__(
        self, store: Store, post: Poster, *, url: str | None, secret: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._post = store, post
        self._url, self._secret, self._clock = url, secret, clock

    def all_due(self) -> int:
        """Makes the calls whose time has come; how many were taken. A call may come twice; its number tells."""
        taken = 0
        if self._url is None:
            return 0
        for call in self._store.calls.due(most=AT_ONCE, now=self._clock()):
            try:
                self._post(self._url, call.payload.encode(), self._headers(call))
            except SourceError as error:
                self._again(call, str(error))
                continue
            with self._store.write():
                self._store.calls.settle(call.id, state="sent", reply="", now=self._clock())
            taken += 1
        return taken

    def _headers(self, call: Call) -> dict[str, str]:
        stamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json", "Digest-Call": str(call.id), "Digest-Kind": call.kind,
            "Digest-Timestamp": stamp,
        }  # fmt: skip
        if self._secret:
            headers["Digest-Signature"] = signature(self._secret, stamp, call.payload.encode())
        return headers

    def _again(self, call: Call, why: str) -> None:
        now = self._clock()
        at = notice_retry_at(call.attempts + 1, queued_at=call.queued_at, now=now)
        with self._store.write():
            self._store.calls.settle(
                call.id, state="queued" if at else "failed", reply=why, now=now, not_before=at
            )


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What a receiver computes over the timestamp, a dot and the body, and compares."""
    return "v1=" + hmac.digest(secret, stamp.encode() + b"." + body, sha256).hex()
