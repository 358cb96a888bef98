"""From nothing to a logged-in connection: connect, greeting, EHLO, STARTTLS, AUTH. No letter is known here."""

import asyncio
import ssl
from dataclasses import dataclass
from socket import gaierror, gethostname

from digest.errors import MailError
from digest.mail.connection import Connection, ConnectionEnded
from digest.mail.envelope import Offers
from digest.mail.faults import ending, fault, system_said
from digest.mail.login import Login
from digest.mail.replies import Reply, kept
from digest.mail.tls import may_go_in_clear
from digest.rules.pace import Meaning, Phase, meaning, patience_s


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

    def patience_s(self, phase: Phase) -> float:
        return patience_s(phase, most_s=self.timeout_s)

    def __str__(self) -> str:
        return f"{self.server} port {self.port}"


class TryLater(Exception):
    """This connection could not be opened now; a later one may. fault: what to say when none can."""

    def __init__(self, fault: MailError) -> None:
        super().__init__(str(fault))
        self.fault = fault


async def opened(relay: Relay) -> tuple[Connection, Offers]:
    """A connection on which MAIL may be said. Raises TryLater, or MailError when trying again will not help."""
    connection = Connection()
    phase = [Phase.CONNECT]
    try:
        return connection, await _open(relay, connection, phase)
    except TimeoutError:
        seconds = f"{relay.patience_s(phase[0]):g}"
        raise TryLater(fault("silent", relay=relay, seconds=seconds, phase=phase[0])) from None
    except ConnectionEnded as error:
        raise TryLater(fault("gave_up", relay=relay, phase=phase[0], why=ending(str(error)))) from error
    except ssl.SSLCertVerificationError as error:
        raise fault("untrusted", relay=relay, said=error.verify_message) from error
    except ssl.SSLError as error:
        raise fault("no_tls", relay=relay, said=error.reason or "no TLS") from error
    except gaierror as error:
        raise TryLater(fault("not_found", server=relay.server, said=error.strerror)) from error
    except OSError as error:
        raise TryLater(fault("unreachable", relay=relay, why=system_said(error))) from error
    finally:
        if not connection.ready:
            connection.drop()


async def _open(relay: Relay, connection: Connection, phase: list[Phase]) -> Offers:
    direct = relay.tls if relay.security == "tls" else None
    async with asyncio.timeout(relay.patience_s(phase[0])):
        await connection.open(relay.server, relay.port, tls=direct)
    _refuse_public_clear(relay, connection)
    phase[0] = Phase.GREETING
    async with asyncio.timeout(relay.patience_s(phase[0])):
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
        raise fault("in_clear", relay=relay.server)


async def _hello(relay: Relay, connection: Connection) -> Offers:
    """EHLO, and HELO for a server that does not know it (RFC 5321 section 4.1.4)."""
    name = own_name(connection.own)
    async with asyncio.timeout(relay.patience_s(Phase.HELLO)):
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
        raise fault("no_starttls", relay=relay)
    async with asyncio.timeout(relay.patience_s(Phase.TLS)):
        _expect(relay, Phase.TLS, await connection.ask(b"STARTTLS"))
        if connection.holds_more:
            raise fault("spoke_in_clear", relay=relay)
        assert relay.tls is not None
        await connection.start_tls(relay.tls, server=relay.server)


async def _log_in(relay: Relay, connection: Connection, offers: Offers) -> None:
    """AUTH PLAIN (RFC 4616), LOGIN or XOAUTH2. The engine's caller made sure that this never runs in clear."""
    login = relay.login
    assert login is not None
    assert relay.security != "none"
    async with asyncio.timeout(relay.patience_s(Phase.AUTH)):
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
            raise fault("no_login", relay=relay)
    if reply.code == 334:
        raise fault("more_asked", relay=relay)
    _expect(relay, Phase.AUTH, reply)


async def _token_shown(relay: Relay, connection: Connection, offers: Offers, login: Login) -> Reply:
    """A refused token is answered with 334 and its reason, which wants an empty line before it says 535."""
    if "XOAUTH2" not in offers.auth:
        raise fault("no_xoauth2", relay=relay)
    reply = await connection.ask(b"AUTH XOAUTH2 " + login.xoauth2())
    return await connection.ask(b"") if reply.code == 334 else reply


def _expect(relay: Relay, phase: Phase, reply: Reply) -> None:
    """Raises TryLater or MailError unless the reply says yes."""
    verdict = meaning(phase, reply.code, reply.text)
    if verdict is Meaning.YES:
        return
    words = f"{reply.code} {kept(reply.text)}"
    if verdict is Meaning.STOP and phase is Phase.AUTH and relay.login:
        raise fault(relay.login.refusal, relay=relay, said=words)
    if verdict is Meaning.STOP:
        raise fault("refused", relay=relay, phase=phase, said=words)
    raise TryLater(fault("put_off", relay=relay, phase=phase, said=words))
