"""Mail servers as a transport: the engine for issues, Flask-Mail for single letters. Settings are judged before use."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from digest.config_mail import MailPart
from digest.errors import MailError
from digest.mail.engine import DOT_TIMEOUT_S, DRAIN_S, Engine
from digest.mail.ledger import Ledger
from digest.mail.relays import read_relays, ways
from digest.model import Letter, Outcome

SEARCH_AFTER = 20_000  # objects
PATIENCE_S, LOOK_AGAIN_S = (
    8.0,
    0.1,
)  # how long, and how often, a one-off letter asks while an issue is being sent


class SmtpTransport:
    """Hands letters to one relay or several. Opens nothing until the first letter."""

    def __init__(
        self, mail: MailPart, *, password: str | None = None, home: Path = Path(),
        backoff_s: float = 0.5, dot_timeout_s: float = DOT_TIMEOUT_S, drain_s: float = DRAIN_S,
    ) -> None:  # fmt: skip
        """Raises ConfigError for a login in clear, or certificates that cannot be read."""
        self._relays = read_relays(mail, password=password, home=home)
        self._timeout_s = mail.timeout_s
        self._backoff_s, self._dot_timeout_s, self._drain_s = backoff_s, dot_timeout_s, drain_s
        self._bulk = self._urgent = 0  # runs and one-off letters under way, of all threads
        self._guard = Lock()

    def carry(self, ledger: Ledger) -> None:
        """Raises MailError (no relay works; nobody is marked) or StoreError, every answer known by then recorded."""
        # A loop that watches sockets, on every system: the connections are sockets.
        loop = asyncio.SelectorEventLoop
        with self._counted(bulk=1), _little_searched(), asyncio.Runner(loop_factory=loop) as runner:
            runner.run(self._carry(ledger))

    async def _carry(self, ledger: Ledger) -> None:
        engine = Engine(
            ways(self._relays), ledger, timeout_s=self._timeout_s, yields=lambda: self._urgent > 0, backoff_s=self._backoff_s,
            dot_timeout_s=self._dot_timeout_s, drain_s=self._drain_s,
        )  # fmt: skip
        await engine.run()

    def post(self, letter: Letter) -> Outcome:
        """By the first relay that works, those in reserve last. Raises MailError when none does.

        A run under way leaves it a connection; a relay that takes no further one is asked again until that is free.
        """
        with self._counted(urgent=1):
            patience_s = time.monotonic() + PATIENCE_S
            while True:
                try:
                    return self._post(letter)
                except MailError:
                    if not self._bulk or time.monotonic() > patience_s:
                        raise
                time.sleep(LOOK_AGAIN_S)

    def _post(self, letter: Letter) -> Outcome:
        from digest.mail.post import post  # Flask-Mail weighs 9 MB, which a million letters need not carry

        by_weight = sorted(self._relays, key=lambda one: -one[0].weight)
        for place, (_, relay) in enumerate(by_weight, 1):
            try:
                return post(letter, relay)
            except MailError:
                if place == len(by_weight):
                    raise
        raise AssertionError("there is a relay")

    @contextmanager
    def _counted(self, *, bulk: int = 0, urgent: int = 0) -> Iterator[None]:
        with self._guard:
            self._bulk, self._urgent = self._bulk + bulk, self._urgent + urgent
        try:
            yield
        finally:
            with self._guard:
                self._bulk, self._urgent = self._bulk - bulk, self._urgent - urgent

    def arrived(self, letter: Letter) -> bool | None:
        """Nobody on this side of the wire can know."""
        return None

    def ready(self) -> None:
        """Raises MailError when a password is missing or cannot be read."""
        for _, relay in self._relays:
            if relay.login is not None:
                relay.login.secret()

    def probe(self) -> str:
        """Connects to each, says EHLO, agrees on TLS and logs in, as for a letter, and leaves. Raises MailError."""
        from digest.mail.post import knock

        self.ready()
        said: list[str] = []
        for part, relay in self._relays:
            knock(relay)
            login = "our login is accepted" if relay.login else "no login is set"
            said.append(f"{relay} answers ({part.security}); {login}.")
        return " ".join(said)


@contextmanager
def _little_searched() -> Iterator[None]:
    """Garbage in circles is looked for seldom, and not among what stood before: letters leave none."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(SEARCH_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
