"""From nothing to a logged-in connection: connect, greeting, EHLO, STARTTLS, AUTH. No letter is known here."""

import asyncio
import os
import ssl
from dataclasses import dataclass
from socket import gaierror, gethostname

from digest.errors import MailError
from digest.mail.connection import Connection, ConnectionEnded
from digest.mail.envelope import Offers
from digest.mail.login import Login
from digest.mail.replies import Reply, kept
from digest.mail.tls import may_go_in_clear
from digest.rules.pace import Meaning, Phase, meaning


@dataclass(frozen=True, slots=True)
class Relay:
    """Where letters are handed over, and as whom. security: tls, starttls or none. name: for logs and counters."""

    name: str
    server: str
    port: int
    security: str
    tls: ssl.SSLContext | None
    login: Login | None
    timeout_s: float

    def __str__(self) -> str:
        return f"{self.server} port {self.port}"


class TryLater(Exception):
    """This connection could not be opened now; a later one may. str(): a sentence for the operator."""


async def opened(relay: Relay) -> tuple[Connection, Offers]:
    """A connection on which MAIL may be said. Raises TryLater, or MailError when trying again will not help."""
    connection = Connection()
    phase = [Phase.CONNECT]
    try:
        return connection, await _open(relay, connection, phase)
    except TimeoutError:
        reason = f"The mail server {relay} did not answer within {relay.timeout_s:g} s ({phase[0]})."
        raise TryLater(reason) from None
    except ConnectionEnded as error:
        raise TryLater(f"The mail server {relay} gave up at {phase[0]}: {error}.") from error
    except ssl.SSLCertVerificationError as error:
        raise MailError(
            f"The certificate of the mail server {relay} cannot be trusted: {error.verify_message}. "
            "If the server is yours, name its certificate in [mail] ca_file."
        ) from error
    except ssl.SSLError as error:
        raise MailError(
            f"The mail server {relay} does not speak TLS 1.2 or later here ({error.reason or 'no TLS'}); "
            "look at [mail] security and port."
        ) from error
    except gaierror as error:
        raise TryLater(f"The mail server {relay.server} cannot be found: {error.strerror}.") from error
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "none of its addresses answers"
        raise TryLater(f"The mail server {relay} cannot be reached: {reason}.") from error
    finally:
        if not connection.ready:
            connection.drop()


async def _open(relay: Relay, connection: Connection, phase: list[Phase]) -> Offers:
    direct = relay.tls if relay.security == "tls" else None
    async with asyncio.timeout(relay.timeout_s):
        await connection.open(relay.server, relay.port, tls=direct)
    _refuse_public_clear(relay, connection)
    phase[0] = Phase.GREETING
    async with asyncio.timeout(relay.timeout_s):
        _expect(relay, phase[0], await connection.reply())
    phase[0] = Phase.HELLO
    offers = await _hello(relay, connection)
    if relay.security == "starttls":
        phase[0] = Phase.TLS
        await _start_tls(relay, connection, offers)
        phase[0] = Phase.HELLO
        offers = await _hello(relay, connection)
    if relay.login is not None:
        phase[0] = Phase.AUTH
        await _log_in(relay, connection, offers)
    connection.ready = True
    return offers


def _refuse_public_clear(relay: Relay, connection: Connection) -> None:
    if relay.security == "none" and not may_go_in_clear(connection.peer):
        raise MailError(
            f"The mail server {relay.server} is on a public network and letters would go there in clear; "
            'set [mail] security to "tls" or "starttls".'
        )


async def _hello(relay: Relay, connection: Connection) -> Offers:
    """EHLO, and HELO for a server that does not know it (RFC 5321 section 4.1.4)."""
    name = own_name(connection.own)
    async with asyncio.timeout(relay.timeout_s):
        reply = await connection.ask(b"EHLO " + name.encode())
        if 500 <= reply.code < 600:
            _expect(relay, Phase.HELLO, await connection.ask(b"HELO " + name.encode()))
            return Offers()
    _expect(relay, Phase.HELLO, reply)
    return Offers.read(reply)


def own_name(host: str) -> str:
    """What we call ourselves: our full name, else the address we speak from (RFC 5321 section 4.1.3). Asks no DNS."""
    name = gethostname()
    if "." in name and name.isascii():
        return name
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"


async def _start_tls(relay: Relay, connection: Connection, offers: Offers) -> None:
    if not offers.starttls:
        raise MailError(
            f"The mail server {relay} offers no STARTTLS and nothing was sent in clear; look at [mail] security and port."
        )
    async with asyncio.timeout(relay.timeout_s):
        _expect(relay, Phase.TLS, await connection.ask(b"STARTTLS"))
        if connection.holds_more:
            raise MailError(
                f"The mail server {relay} sent something in clear after STARTTLS; nothing was sent to it."
            )
        assert relay.tls is not None
        await connection.start_tls(relay.tls, server=relay.server)


async def _log_in(relay: Relay, connection: Connection, offers: Offers) -> None:
    """AUTH PLAIN (RFC 4616), LOGIN or XOAUTH2. The engine's caller made sure that this never runs in clear."""
    login = relay.login
    assert login is not None
    assert relay.security != "none"
    async with asyncio.timeout(relay.timeout_s):
        if login.mechanism == "xoauth2":
            reply = await _token_shown(relay, connection, offers, login)
        elif "PLAIN" in offers.auth:
            reply = await connection.ask(b"AUTH PLAIN " + login.plain())
        elif "LOGIN" in offers.auth:
            reply = await connection.ask(b"AUTH LOGIN")
            for secret in login.steps():
                if reply.code == 334:
                    reply = await connection.ask(secret)
        else:
            raise MailError(f"The mail server {relay} offers no login that we know (PLAIN or LOGIN).")
    if reply.code == 334:
        raise MailError(f"The mail server {relay} asked for more than a name and a password.")
    _expect(relay, Phase.AUTH, reply)


async def _token_shown(relay: Relay, connection: Connection, offers: Offers, login: Login) -> Reply:
    """A refused token is answered with 334 and its reason, which wants an empty line before it says 535."""
    if "XOAUTH2" not in offers.auth:
        raise MailError(f'The mail server {relay} offers no XOAUTH2; set [mail] auth to "password".')
    reply = await connection.ask(b"AUTH XOAUTH2 " + login.xoauth2())
    return await connection.ask(b"") if reply.code == 334 else reply


def _expect(relay: Relay, phase: Phase, reply: Reply) -> None:
    """Raises TryLater or MailError unless the reply says yes."""
    verdict = meaning(phase, reply.code, reply.text)
    if verdict is Meaning.YES:
        return
    words = f"{reply.code} {kept(reply.text)}"
    if verdict is Meaning.STOP and phase is Phase.AUTH:
        advice = relay.login.advice() if relay.login else ""
        raise MailError(f"The mail server {relay} refused our login: {words}. {advice}".rstrip())
    if verdict is Meaning.STOP:
        raise MailError(f"The mail server {relay} refused us at {phase}: {words}")
    raise TryLater(f"The mail server {relay} put us off at {phase}: {words}")
