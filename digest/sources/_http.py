"""The one HTTP client: polite, bounded in time and size, deaf to private addresses. Never follows anything unchecked."""

import math
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from http.client import HTTPException
from typing import Protocol
from urllib.parse import SplitResult, urljoin

from urllib3 import BaseHTTPResponse
from urllib3 import exceptions as faults
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from digest.errors import ErrorKind, SourceError
from digest.sources._address import checked, resolved, system_addresses, web_address
from digest.sources._page import challenge, is_challenge, unavailable
from digest.sources._watch import Watch

MOST_HOPS = 5
MOST_RATIO = 100  # decompressed to sent
LONGEST_RETRY_AFTER_S = 24 * 3_600.0
_CHUNK = 64 * 1024
_ERROR_PAGE = 200_000  # bytes of an answer that is no success, read to see whether it is a challenge
_Tls = Callable[[], ssl.SSLContext]
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, text/calendar, application/xml;q=0.9, */*;q=0.5"


class Manners(Protocol):
    """What the client needs of the [collect] table; config.py explains each."""

    @property
    def allow_private(self) -> bool | tuple[str, ...]: ...
    @property
    def timeout_s(self) -> float: ...
    @property
    def max_bytes(self) -> int: ...
    @property
    def delay_s(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """status 200 with a body, or 304 without. url: after redirects. moved_to: set when every redirect was permanent.

    etag, last_modified: as the server sent them, to be sent back byte for byte. headers: lower-case names.
    """

    status: int
    url: str
    body: bytes = b""
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Lane:
    """One connection at a time and a pause between two; closed for a while when its server asks for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0
    closed_until: float = 0.0


@dataclass(slots=True)
class _Deadline:
    """Wall time for a whole visit. When it is over the socket is shut, so that no drip keeps a thread."""

    ends_at: float
    twin: socket.socket | None = None

    def left_s(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise SourceError(ErrorKind.TIMEOUT, "The site took too long to answer.")
        return left

    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at

    def cut(self) -> None:
        try:
            if self.twin is not None:
                self.twin.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.twin = None  # it was closed already


class Client:
    """GET, and POST where an operator asked for it. Threads may share it; lanes keep them apart.

    user_agent: says who asks, with a way to reach us. lane: host to the name of its queue and the seconds between two
    requests there. ca_file: certificates to trust besides the system's. resolve: a host's addresses.
    """

    def __init__(
        self,
        manners: Manners,
        *,
        user_agent: str,
        lane: Callable[[str], tuple[str, float]] | None = None,
        ca_file: str | None = None,
        resolve: Callable[[str, int], list[str]] = system_addresses,
    ) -> None:
        self._manners = manners
        self._user_agent = "".join(c if 32 <= ord(c) < 127 else "?" for c in user_agent)
        self._lane_of = lane or (lambda host: (host, manners.delay_s))
        self._resolve = resolve
        self._lanes: dict[str, _Lane] = {}
        self._guard = threading.Lock()
        self._watch = Watch()
        self._tls = cache(partial(_trust, ca_file))  # to read the certificates takes as long as a visit

    def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, now: datetime | None = None,
        within_s: float = math.inf,
    ) -> Answer:  # fmt: skip
        """One visit, at most five redirects included. `now` is for a Retry-After that is a date; within_s: when it must be
        quicker than manners want. Raises SourceError."""
        asked, permanent = url, True
        deadline = _Deadline(time.monotonic() + min(self._manners.timeout_s, within_s))
        for _hop in range(MOST_HOPS + 1):
            headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
            answer = self._ask(url, {k: v for k, v in headers.items() if v}, deadline=deadline, now=now)
            if answer.status not in _REDIRECTS:
                return replace(answer, moved_to=url if permanent and url != asked else None)
            permanent = permanent and answer.status in (301, 308)
            url = _next_url(url, answer)
        raise SourceError(
            ErrorKind.REDIRECTS, f"The address is redirected more than {MOST_HOPS} times; check it."
        )

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> None:
        """One request; a redirect is not followed. Raises SourceError unless it was taken."""
        deadline = _Deadline(time.monotonic() + self._manners.timeout_s)
        answer = self._ask(url, headers, deadline=deadline, now=None, body=body)
        if answer.status in _REDIRECTS:
            raise SourceError(ErrorKind.REDIRECTS, "The address leads elsewhere; name the one it leads to.")

    def _ask(
        self, url: str, validators: Mapping[str, str], *, deadline: _Deadline, now: datetime | None,
        body: bytes | None = None,
    ) -> Answer:  # fmt: skip
        split = web_address(url)
        host, port = split.hostname or "", split.port or (443 if split.scheme == "https" else 80)
        addresses = resolved(host, port, within_s=deadline.left_s(), resolve=self._resolve)
        own = checked(host, port, addresses, allow_private=self._manners.allow_private)
        with self._in_lane(host, own=own, deadline=deadline) as lane:
            try:
                answer = self._exchange(split, addresses, port, validators, deadline, body)
                return _judged(answer, validators, now=now)
            except SourceError as error:
                if error.kind is ErrorKind.RATE_LIMITED and not own:
                    lane.closed_until = time.monotonic() + (error.retry_after_s or 900)
                raise

    @contextmanager
    def _in_lane(self, host: str, *, own: bool, deadline: _Deadline) -> Iterator[_Lane]:
        """Waiting for one's turn is not counted against the visit."""
        name, delay_s = self._lane_of(host)
        with self._guard:
            lane = self._lanes.setdefault(name, _Lane())
        began = time.monotonic()
        with lane.lock:
            closed_s = lane.closed_until - time.monotonic()
            if closed_s > 0:
                message = f"{name} asked us to slow down a moment ago."
                raise SourceError(ErrorKind.RATE_LIMITED, message, retry_after_s=closed_s)
            if not own:
                time.sleep(max(0.0, lane.free_at - time.monotonic()))
            deadline.ends_at += time.monotonic() - began
            try:
                yield lane
            finally:
                lane.free_at = time.monotonic() + delay_s

    def _exchange(
        self,
        split: SplitResult,
        addresses: list[str],
        port: int,
        validators: Mapping[str, str],
        deadline: _Deadline,
        sent: bytes | None = None,
    ) -> Answer:
        try:
            pinned = _connected(addresses, port, deadline)
            with _connection(split, port, pinned, self._tls, timeout_s=self._manners.timeout_s) as connection:
                deadline.twin = pinned.dup()
                with self._watch.alarm(deadline.cut, after_s=deadline.left_s()):
                    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
                    headers = {**self._headers(), **validators}
                    method = "GET" if sent is None else "POST"
                    connection.request(
                        method, _quoted(path), body=sent, headers=headers, preload_content=False
                    )
                    with closing(connection.getresponse()) as response:
                        silent = response.status in _REDIRECTS or response.status == 304
                        body = b"" if silent else self._body(response)
            deadline.left_s()
            return _answer(split, response, body)
        except (OSError, HTTPException, faults.HTTPError, ValueError) as error:
            raise _typed(error, split, deadline) from error
        finally:
            if deadline.twin is not None:
                deadline.twin.close()
                deadline.twin = None

    def _headers(self) -> dict[str, str]:
        return {
            "User-Agent": self._user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate", "Connection": "close",
        }  # fmt: skip

    def _body(self, response: BaseHTTPResponse) -> bytes:
        """Read in pieces: neither what is sent nor what it unpacks to may pass the limits."""
        most = self._manners.max_bytes if response.status < 300 else _ERROR_PAGE
        if response.headers.get("content-encoding", "").count(",") > 1:
            raise SourceError(
                ErrorKind.TOO_BIG, "The answer is packed several times over, which no honest site does."
            )
        pieces, size = [], 0
        while piece := response.read(_CHUNK, decode_content=True):
            size += len(piece)
            if size > 100_000 and size > MOST_RATIO * max(1, response.tell()):
                raise SourceError(
                    ErrorKind.TOO_BIG, "The answer unpacks to more than a hundred times its size; refused."
                )
            if size > most:
                if response.status >= 300:
                    break
                raise SourceError(
                    ErrorKind.TOO_BIG, f"The answer is larger than {most // 1_000:,} kB; we stopped reading."
                )
            pieces.append(piece)
        return b"".join(pieces)


def _trust(ca_file: str | None) -> ssl.SSLContext:
    tls = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    tls.check_hostname = True
    tls.load_default_certs()
    if ca_file:
        tls.load_verify_locations(ca_file)
    return tls


class _Plain(HTTPConnection):
    """Over a socket that is already connected to an address we checked."""

    pinned: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.pinned


class _Secure(HTTPSConnection):
    """The same with TLS; name and certificate are those of the host, not of the address."""

    pinned: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.pinned


@contextmanager
def _connection(
    split: SplitResult, port: int, pinned: socket.socket, tls: _Tls, *, timeout_s: float
) -> Iterator[HTTPConnection]:
    connection: _Plain | _Secure
    host = split.hostname or ""
    if split.scheme == "https":
        connection = _Secure(host, port, timeout=timeout_s, ssl_context=tls(), cert_reqs="CERT_REQUIRED")
    else:
        connection = _Plain(host, port, timeout=timeout_s)
    connection.pinned = pinned
    try:
        yield connection
    finally:
        connection.close()
        pinned.close()


def _connected(addresses: list[str], port: int, deadline: _Deadline) -> socket.socket:
    """The first address that answers; every one of them was checked."""
    fault: OSError | None = None
    for number, address in enumerate(addresses):
        try:
            return socket.create_connection(
                (address, port), timeout=deadline.left_s() / (len(addresses) - number)
            )
        except OSError as error:
            fault = error
    raise fault or OSError("no address")


def _answer(split: SplitResult, response: BaseHTTPResponse, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    stale = headers.get("expires", "").strip() in (
        "0",
        "-1",
    )  # it asks not to be believed: its validators are not either
    return Answer(
        status=response.status, url=split.geturl(), body=body, headers=headers,
        etag=None if stale else headers.get("etag"), last_modified=None if stale else headers.get("last-modified"),
    )  # fmt: skip


def _judged(answer: Answer, validators: Mapping[str, str], *, now: datetime | None) -> Answer:
    """The answer if it is one (success, unchanged, redirect); its content counts for more than its status."""
    status, host = answer.status, web_address(answer.url).hostname
    if status in _REDIRECTS or (status == 304 and validators):
        return answer
    if is_challenge(answer.body, answer.headers):
        raise challenge(answer.url)
    if 200 <= status < 300:
        same = answer.etag is not None and answer.etag == validators.get("If-None-Match")
        return replace(answer, status=304, body=b"") if same else replace(answer, status=200)
    wait = _retry_after_s(answer.headers, now=now)
    if status == 503 and (known := unavailable(answer.body, host or "", wait_s=wait)):
        raise known
    if status == 429:
        raise SourceError(ErrorKind.RATE_LIMITED, f"{host} asked us to slow down.", retry_after_s=wait)
    if status == 410:
        raise SourceError(
            ErrorKind.GONE, f"{host} says that this address is gone for good; look for its new one."
        )
    if status == 404:
        raise SourceError(ErrorKind.HTTP, f"{host} has no page at this address (404); check it.")
    if status in (401, 403):
        raise SourceError(
            ErrorKind.HTTP,
            f"{host} refused to answer us ({status}).",
            retry_after_s=wait,
        )
    raise SourceError(ErrorKind.HTTP, f"{host} answered with an error ({status}).", retry_after_s=wait)


def _retry_after_s(headers: Mapping[str, str], *, now: datetime | None) -> float | None:
    """Seconds or a date (RFC 9110, 10.2.3); a date is measured against the server's own clock when it shows it."""
    text = headers.get("retry-after", "").strip()
    if text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    until, shown = _http_date(text), _http_date(headers.get("date", "")) or now
    return min(max(0.0, (until - shown).total_seconds()), LONGEST_RETRY_AFTER_S) if until and shown else None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError):
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _next_url(url: str, answer: Answer) -> str:
    location = answer.headers.get("location", "").strip()
    try:
        target = urljoin(url, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:
        target = ""
    if not location or not target:
        raise SourceError(
            ErrorKind.REDIRECTS, "The site redirects us without saying where to; check the address."
        )
    return _quoted(target.partition("#")[0])


def _quoted(text: str) -> str:
    return "".join(c if 32 < ord(c) < 127 else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _typed(error: Exception, split: SplitResult, deadline: _Deadline) -> SourceError:
    host = split.hostname
    if deadline.is_over() or isinstance(error, TimeoutError | faults.TimeoutError):
        return SourceError(ErrorKind.TIMEOUT, f"{host} took too long to answer.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceError(
            ErrorKind.TLS, f"The certificate of {host} cannot be trusted; its owner must renew it."
        )
    if isinstance(error, ssl.SSLError | faults.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return SourceError(
            ErrorKind.NO_HTTPS,
            f"{host} does not answer over https; try the address with http:// before it, or tell its owner.",
        )
    if isinstance(error, faults.DecodeError):
        return SourceError(ErrorKind.CONNECTION, f"{host} sent an answer that cannot be unpacked.")
    if isinstance(error, faults.LocationParseError | UnicodeError):
        return SourceError(ErrorKind.NO_ADDRESS, "The address is malformed; check it.")
    return SourceError(ErrorKind.CONNECTION, f"{host} cannot be reached, or broke off.")
