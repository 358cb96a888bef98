"""How we trust a relay: TLS 1.2 or later, certificate and name always checked. What may go in clear, and where to."""

import ipaddress
import ssl
from pathlib import Path

from digest.errors import ConfigError


def context(ca_file: Path | None) -> ssl.SSLContext:
    """A verifying context; `ca_file` adds certificates to the system's. Raises ConfigError when it cannot be read."""
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            made.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"[mail] ca_file: no certificates can be read from {ca_file}.") from error
    return made


def may_go_in_clear(peer: str) -> bool:
    """True for this machine and for private networks: letters hold names and links that act for a person."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_private


def refuse_clear_login(security: str, username: str | None) -> None:
    """Raises ConfigError when a password would cross the network in clear, loopback included: habits travel."""
    if security == "none" and username:
        raise ConfigError(
            'The login at the mail server would go in clear; set [mail] security to "tls" or "starttls", '
            "or remove the username."
        )
