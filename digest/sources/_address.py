"""Which network addresses a source may live at. Private ones only by name in config.toml; nothing is connected here."""

import re
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from digest.errors import ErrorKind, SourceError

_TEREDO = ip_network("2001::/32")
_NAT64 = ip_network("64:ff9b::/96")
_NO_PART_OF_URLS = re.compile(r"[\x00-\x20\x7f]")
_PORTS_BELOW_1024 = frozenset({80, 443})


def web_address(url: str) -> SplitResult:
    """The parts of an address that may be asked: http or https, a host, no user name. Raises SourceError."""
    try:
        split = urlsplit(url)
        port = split.port
        if not split.scheme:
            raise ValueError(url)
    except ValueError as error:
        raise SourceError(
            ErrorKind.NO_ADDRESS, "This is not a web address; write it like https://blog.example.org."
        ) from error
    if split.scheme not in ("http", "https"):
        raise SourceError(
            ErrorKind.NO_ADDRESS, f"Only http and https addresses can be visited, not {split.scheme}."
        )
    if not split.hostname or "@" in split.netloc:
        raise SourceError(
            ErrorKind.NO_ADDRESS, "The address names no host, or a user before the host; check it."
        )
    if _NO_PART_OF_URLS.search(url) or port == 0:
        raise SourceError(
            ErrorKind.NO_ADDRESS, "The address holds characters that no web address has; check it."
        )
    return split


def resolved(host: str, port: int, *, within_s: float, resolve: Callable[[str, int], list[str]]) -> list[str]:
    """Every address of a host. The system's resolver knows no time limit, so it is asked in a thread of its own."""
    found: list[str] = []
    fault: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            found.extend(resolve(host, port))
        except (OSError, UnicodeError) as error:
            fault.append(error)

    if re.fullmatch(r"(\d{1,3}\.){3}\d{1,3}", host):
        ask()  # nothing is looked up, so nothing can hang
    elif not _in_time(ask, within_s):
        raise SourceError(ErrorKind.TIMEOUT, f"The name {host} was not found in time.")
    if fault or not found:
        cause = fault[0] if fault else None
        raise SourceError(ErrorKind.DNS, f"There is no host called {host}; check the address.") from cause
    return found


def _in_time(ask: Callable[[], None], within_s: float) -> bool:
    thread = threading.Thread(target=ask, daemon=True, name="resolve")
    thread.start()
    thread.join(within_s)
    return not thread.is_alive()


def system_addresses(host: str, port: int) -> list[str]:
    """As the system resolves it, odd spellings (`0x7f.1`, `2130706433`) included: what is checked is what is connected to."""
    answers = socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def checked(host: str, port: int, addresses: list[str], *, allow_private: bool | tuple[str, ...]) -> bool:
    """Whether the host is one of the operator's own. Raises SourceError if one of its addresses may not be visited."""
    own = False
    for address in addresses:
        if is_public(address):
            continue
        if not _is_allowed(address, allow_private):
            raise SourceError(
                ErrorKind.PRIVATE_ADDRESS,
                f"{host} is a private address, which we do not visit; an operator may allow it in [collect] allow_private.",
            )
        own = True
    if not own and port < 1024 and port not in _PORTS_BELOW_1024:
        raise SourceError(
            ErrorKind.PRIVATE_ADDRESS, f"Port {port} is no port for web pages; check the address."
        )
    return own


def is_public(address: str) -> bool:
    """Not private, loopback, link-local, shared, reserved, multicast, nor any of these in an IPv6 disguise."""
    ip = _plain(address)
    if ip is None or not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return not (isinstance(ip, IPv6Address) and (ip.is_site_local or ip in _TEREDO))


def _plain(address: str) -> IPv4Address | IPv6Address | None:
    """The IPv4 address inside a mapped, translated or 6to4 one; the scope goes."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or ip


def _is_allowed(address: str, allow_private: bool | tuple[str, ...]) -> bool:
    if isinstance(allow_private, bool):
        return allow_private
    ip = _plain(address)
    return ip is not None and any(ip in ip_network(net, strict=False) for net in allow_private)
