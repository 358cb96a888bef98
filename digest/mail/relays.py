"""The relays of config.toml, judged before anything is opened: no login in clear. The secret is asked for when letters leave."""

from pathlib import Path

from digest.config_mail import MailPart, RelayPart
from digest.mail.login import Login
from digest.mail.opening import Relay
from digest.mail.tls import context, refuse_clear_login
from digest.mail.ways import Way


def read_relays(mail: MailPart, *, password: str | None, home: Path) -> list[tuple[RelayPart, Relay]]:
    """password: of the environment, for a single relay. Raises ConfigError."""
    return [(part, _relay(part, mail, password=password, home=home)) for part in mail.relays]


def _relay(part: RelayPart, mail: MailPart, *, password: str | None, home: Path) -> Relay:
    refuse_clear_login(part.security, part.username)
    ca_file = None if part.ca_file is None else home / part.ca_file
    return Relay(
        name=part.name, server=part.server, port=part.port_used, security=part.security,
        tls=None if part.security == "none" else context(ca_file),
        login=_login(part, password=None if mail.relay else password, home=home), timeout_s=mail.timeout_s,
    )  # fmt: skip


def _login(part: RelayPart, *, password: str | None, home: Path) -> Login | None:
    if part.username is None:
        return None
    file = (
        None if part.password_file is None or password is not None else home / part.password_file.expanduser()
    )
    return Login(
        username=part.username,
        mechanism=part.auth,
        password=password,
        password_file=file,
        relay="" if part.name == "relay" else part.name,
    )


def ways(relays: list[tuple[RelayPart, Relay]]) -> list[Way]:
    """Each relay as a run begins with it."""
    return [
        Way(
            relay,
            connections=part.connections,
            per_connection=part.per_connection,
            weight=part.weight,
            rate=part.rate,
        )
        for part, relay in relays
    ]
