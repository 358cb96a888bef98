"""Mail servers as a transport: the engine for issues, Flask-Mail for single letters. Settings are judged before use."""

import asyncio
from pathlib import Path

from digest.config_mail import MailPart
from digest.errors import MailError
from digest.mail.engine import DOT_TIMEOUT_S, DRAIN_S, Engine
from digest.mail.ledger import Ledger
from digest.mail.relays import read_relays, ways
from digest.model import Letter, Outcome


class SmtpTransport:
    """Hands letters to one relay or several. Opens nothing until the first letter."""

    def __init__(
        self, mail: MailPart, *, password: str | None = None, home: Path = Path(),
        backoff_s: float = 0.5, dot_timeout_s: float = DOT_TIMEOUT_S, drain_s: float = DRAIN_S,
    ) -> None:  # fmt: skip
        """Raises ConfigError for a login in clear or without a password, or certificates that cannot be read."""
        self._relays = read_relays(mail, password=password, home=home)
        self._timeout_s = mail.timeout_s
        self._backoff_s, self._dot_timeout_s, self._drain_s = backoff_s, dot_timeout_s, drain_s

    def carry(self, ledger: Ledger) -> None:
        """Raises MailError (no relay works; nobody is marked) or StoreError, every answer known by then recorded."""
        # A loop that watches sockets, on every system: the connections are sockets.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._carry(ledger))

    async def _carry(self, ledger: Ledger) -> None:
        engine = Engine(
            ways(self._relays), ledger, timeout_s=self._timeout_s, backoff_s=self._backoff_s,
            dot_timeout_s=self._dot_timeout_s, drain_s=self._drain_s,
        )  # fmt: skip
        await engine.run()

    def post(self, letter: Letter) -> Outcome:
        """By the first relay that works, those in reserve last. Raises MailError when none does."""
        from digest.mail.post import post  # Flask-Mail weighs 9 MB, which a million letters need not carry

        by_weight = sorted(self._relays, key=lambda one: -one[0].weight)
        for place, (_, relay) in enumerate(by_weight, 1):
            try:
                return post(letter, relay)
            except MailError:
                if place == len(by_weight):
                    raise
        raise AssertionError("there is a relay")

    def arrived(self, letter: Letter) -> bool | None:
        """Nobody on this side of the wire can know."""
        return None

    def probe(self) -> str:
        """Connects to each, says EHLO, agrees on TLS and logs in, as for a letter, and leaves. Raises MailError."""
        from digest.mail.post import knock

        said: list[str] = []
        for part, relay in self._relays:
            knock(relay)
            login = "our login is accepted" if relay.login else "no login is set"
            said.append(f"{relay} answers ({part.security}); {login}.")
        return " ".join(said)
