"""The mail server as a transport: the engine for issues, Flask-Mail for single letters. Settings are judged before use."""

import asyncio
from pathlib import Path

from digest.config import MailPart
from digest.errors import ConfigError
from digest.mail.engine import DOT_TIMEOUT_S, DRAIN_S, Engine
from digest.mail.ledger import Ledger
from digest.mail.opening import Relay
from digest.mail.tls import context, refuse_clear_login
from digest.model import Letter, Outcome


class SmtpTransport:
    """Hands letters to one relay. Opens nothing until the first letter."""

    def __init__(
        self, mail: MailPart, *, password: str | None = None, home: Path = Path(),
        backoff_s: float = 0.5, dot_timeout_s: float = DOT_TIMEOUT_S, drain_s: float = DRAIN_S,
    ) -> None:  # fmt: skip
        """Raises ConfigError for a login in clear or without a password, or certificates that cannot be read."""
        refuse_clear_login(mail.security, mail.username)
        if mail.username is not None and password is None:
            raise ConfigError(
                "[mail] username is set but there is no password: set DIGEST_MAIL__PASSWORD or password_file."
            )
        ca_file = None if mail.ca_file is None else home / mail.ca_file
        self._relay = Relay(
            server=mail.server, port=mail.port_used, security=mail.security,
            tls=None if mail.security == "none" else context(ca_file),
            username=mail.username, password=password, timeout_s=mail.timeout_s,
        )  # fmt: skip
        self._connections, self._per_connection = mail.connections, mail.per_connection
        self._backoff_s, self._dot_timeout_s, self._drain_s = backoff_s, dot_timeout_s, drain_s

    def carry(self, ledger: Ledger) -> None:
        """Raises MailError (the relay; nobody is marked) or StoreError, every answer known by then recorded."""
        asyncio.run(self._carry(ledger))

    async def _carry(self, ledger: Ledger) -> None:
        engine = Engine(
            self._relay, ledger, connections=self._connections, most=self._per_connection, backoff_s=self._backoff_s,
            dot_timeout_s=self._dot_timeout_s, drain_s=self._drain_s,
        )  # fmt: skip
        await engine.run()

    def post(self, letter: Letter) -> Outcome:
        """Raises MailError when the relay is the fault."""
        from digest.mail.post import post  # Flask-Mail weighs 9 MB, which a million letters need not carry

        return post(letter, self._relay)

    def arrived(self, letter: Letter) -> bool | None:
        """Nobody on this side of the wire can know."""
        return None

    def probe(self) -> str:
        """Connects, says EHLO, agrees on TLS and logs in, as for a letter, and leaves. Raises MailError."""
        from digest.mail.post import knock

        knock(self._relay)
        login = "our login is accepted" if self._relay.username else "no login is set"
        return f"{self._relay} answers ({self._relay.security}); {login}."
