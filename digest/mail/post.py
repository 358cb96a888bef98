"""One-off letters through Flask-Mail, hardened: its settings and its Connection, our time-out, TLS, and our own bytes.

What it would do by itself and must not: no time-out, unverified TLS, a message of its own making, QUIT that raises.
"""

import smtplib
import ssl
from contextlib import suppress
from socket import gaierror
from types import TracebackType

from flask_mail import Connection, Mail

from digest.errors import MailError
from digest.mail.envelope import DOT, Offers, Unsendable, Wire, wire
from digest.mail.faults import fault, system_said
from digest.mail.opening import Relay, own_name
from digest.mail.replies import kept
from digest.mail.tls import may_go_in_clear
from digest.model import DeliveryState, Letter, Outcome
from digest.rules.pace import Meaning, Phase, meaning

_STATE = {
    Meaning.YES: DeliveryState.SENT,
    Meaning.NEVER: DeliveryState.FAILED,
    Meaning.NONSENSE: DeliveryState.UNSURE,
}


class RelayRefused(Exception):
    """The server said no before any recipient was named."""

    def __init__(self, phase: Phase, code: int, text: bytes | str) -> None:
        words = kept(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
        super().__init__(f"{code} {words}")
        self.phase = phase


class VerifiedConnection(Connection):
    """Flask-Mail's Connection with what it lacks: time-outs, verified TLS, no login in clear, a QUIT that may fail."""

    def __init__(self, mail: Mail, relay: Relay) -> None:
        super().__init__(mail)
        self._relay = relay
        self.phase = Phase.CONNECT

    def configure_host(self) -> smtplib.SMTP:
        relay, server, name = self._relay, self.mail, own_name("127.0.0.1")
        if server.use_ssl:
            assert relay.tls is not None
            host: smtplib.SMTP = smtplib.SMTP_SSL(
                server.server, server.port, local_hostname=name, timeout=_quick_s(relay), context=relay.tls
            )
        else:
            host = smtplib.SMTP(server.server, server.port, local_hostname=name, timeout=_quick_s(relay))
        try:
            self._greet(host)
        except BaseException:
            host.close()
            raise
        return host

    def _greet(self, host: smtplib.SMTP) -> None:
        assert host.sock is not None
        relay = self._relay
        if relay.security == "none" and not may_go_in_clear(str(host.sock.getpeername()[0])):
            raise fault("in_clear", relay=relay.server)
        self.phase = Phase.HELLO
        host.ehlo_or_helo_if_needed()
        if self.mail.use_tls:
            self.phase = Phase.TLS
            host.starttls(context=relay.tls)  # raises when it is not offered
            self.phase = Phase.HELLO
            host.ehlo_or_helo_if_needed()
        if relay.login is not None:
            self.phase = Phase.AUTH
            _log_in(host, relay)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Says QUIT if that works; the letter's fate is known by now (Flask-Mail's issue 98)."""
        if self.host is None:
            return
        with suppress(OSError, smtplib.SMTPException):
            self.host.quit()
        self.host.close()


def post(letter: Letter, relay: Relay) -> Outcome:
    """Sends one letter and says what became of it. Raises MailError when the relay is the fault."""
    connection = VerifiedConnection(_settings(relay), relay)
    try:
        with connection:
            return _send(letter, connection)
    except RelayRefused as error:
        raise fault("refused", relay=relay, phase=error.phase, said=error) from error
    except Unsendable as reason:
        return Outcome(delivery=letter.delivery, state=DeliveryState.FAILED, reply=str(reason))
    except (smtplib.SMTPException, OSError) as error:
        if connection.phase is Phase.DOT:
            reply = "no answer to the final dot"
            return Outcome(delivery=letter.delivery, state=DeliveryState.UNSURE, reply=reply)
        raise _fault(error, relay, connection.phase) from error


def knock(relay: Relay) -> None:
    """Opens the way for a letter and sends none. Raises MailError."""
    connection = VerifiedConnection(_settings(relay), relay)
    try:
        with connection:
            pass
    except (smtplib.SMTPException, OSError) as error:
        raise _fault(error, relay, connection.phase) from error


def _settings(relay: Relay) -> Mail:
    """Flask-Mail's own reading of its settings, without a Flask application."""
    settings: Mail = Mail().init_mail(
        {
            "MAIL_SERVER": relay.server, "MAIL_PORT": relay.port, "MAIL_USE_SSL": relay.security == "tls",
            "MAIL_USE_TLS": relay.security == "starttls", "MAIL_SUPPRESS_SEND": False,
        }
    )  # type: ignore[assignment]  # fmt: skip
    return settings


def _quick_s(relay: Relay) -> float:
    """Somebody waits for such a letter, and a second copy harms nobody: less patience than an issue has."""
    return min(relay.timeout_s, 60.0)


def _log_in(host: smtplib.SMTP, relay: Relay) -> None:
    """As the engine does. Raises MailError when XOAUTH2 is not offered; SMTPAuthenticationError when we are refused."""
    login = relay.login
    assert login is not None
    if login.mechanism != "xoauth2":
        host.login(login.username, login.secret())
        return
    if "XOAUTH2" not in host.esmtp_features.get("auth", "").upper().split():
        raise fault("no_xoauth2", relay=relay)
    code, words = host.docmd("AUTH", "XOAUTH2 " + login.xoauth2().decode())
    if code == 334:  # the reason of a refusal, which wants an empty line
        code, words = host.docmd("")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, words)


def _send(letter: Letter, connection: VerifiedConnection) -> Outcome:
    host = connection.host
    assert host is not None
    ready = wire(letter, _offers(host))
    connection.phase = Phase.MAIL
    code, text = _ask(host, ready.mail)
    if code // 100 != 2:
        raise RelayRefused(Phase.MAIL, code, text)
    for phase, command in ((Phase.RCPT, ready.rcpt), (Phase.DATA, b"DATA\r\n")):
        connection.phase = phase
        code, text = _ask(host, command)
        if meaning(phase, code, text) is not Meaning.YES:
            return _outcome(letter, phase, code, text)
    return _body(letter, connection, host, ready)


def _body(letter: Letter, connection: VerifiedConnection, host: smtplib.SMTP, ready: Wire) -> Outcome:
    connection.phase = Phase.DOT  # from here on the dot may be on the wire
    host.send(b"".join([*ready.body, DOT]))
    code, raw = host.getreply()
    return _outcome(letter, Phase.DOT, code, raw.decode("utf-8", "replace"))


def _ask(host: smtplib.SMTP, command: bytes) -> tuple[int, str]:
    host.send(command)
    code, raw = host.getreply()
    return code, raw.decode("utf-8", "replace").replace("\n", " ")


def _outcome(letter: Letter, phase: Phase, code: int, text: str) -> Outcome:
    """Whatever is not a yes, a clear no, or nonsense after the dot is worth another try."""
    verdict = meaning(phase, code, text)
    state = _STATE.get(verdict, DeliveryState.DEFERRED)
    if state is DeliveryState.UNSURE and phase is not Phase.DOT:
        state = DeliveryState.DEFERRED
    return Outcome(delivery=letter.delivery, state=state, code=max(code, 0), reply=kept(text))


def _offers(host: smtplib.SMTP) -> Offers:
    return Offers(
        eightbit=host.has_extn("8bitmime"), smtputf8=host.has_extn("smtputf8"),
    )  # fmt: skip


def _fault(error: Exception, relay: Relay, phase: Phase) -> MailError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return fault("untrusted", relay=relay, said=error.verify_message)
    if isinstance(error, smtplib.SMTPAuthenticationError) and relay.login:
        return fault(relay.login.refusal, relay=relay, said=_said(error))
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return fault("not_offered", relay=relay, phase=phase)
    if isinstance(error, smtplib.SMTPResponseException):
        phase = Phase.GREETING if isinstance(error, smtplib.SMTPConnectError) else phase
        return fault("refused", relay=relay, phase=phase, said=_said(error))
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return fault("silent", relay=relay, seconds=f"{_quick_s(relay):g}", phase=phase)
    if isinstance(error, gaierror):
        return fault("not_found", server=relay.server, said=error.strerror)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return fault("gave_up", relay=relay, phase=phase, why="closed")
    said = system_said(error) if isinstance(error, OSError) else type(error).__name__
    return fault("unreachable", relay=relay, why=said)


def _said(error: smtplib.SMTPResponseException) -> str:
    words = error.smtp_error
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{error.smtp_code} {kept(text)}"
