"""The web site and the metronome in one process, until somebody stops it. A SIGTERM ends both cleanly."""

import errno
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

from digest.app import App
from digest.errors import ConfigError

_THREADS = 8


def serve(
    app: App,
    *,
    host: str,
    port: int,
    metronome: bool = True,
    on_ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Returns after SIGTERM or Ctrl+C. port 0: any free one. on_ready is told the port, once it listens.

    Raises ConfigError when the address cannot be listened at.
    """
    # The site and its metronome weigh 12 MB, which no other command need carry.
    from digest.schedule import Metronome
    from digest.serve_patience import open_server
    from digest.web import create_web

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = open_server(create_web(app), listening=_listen(host, port), threads=_THREADS)
    beating = Metronome(app) if metronome else None
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        if beating is not None:
            beating.start()
        on_ready(int(server.effective_port))
        server.run()  # catches SystemExit and KeyboardInterrupt, and lets running requests end
    finally:
        signal.signal(signal.SIGTERM, before)
        server.close()
        if beating is not None:
            beating.stop()


def free_port(host: str, *, wanted: int) -> int:
    """`wanted`, or the next port above it that nobody listens at; 0 stays 0. Raises ConfigError after a hundred."""
    for port in range(wanted, min(wanted + 100, 65536)) if wanted else ():
        try:
            _listen(host, port).close()
        except ConfigError:
            continue
        return port
    if wanted:
        raise ConfigError(f"No free port from {wanted} on; name another with --port.")
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"We cannot listen at {host}: {error.strerror or error}.") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} is taken by another program; name another with --port."
            ) from error
        raise ConfigError(f"We cannot listen at {host} port {port}: {error.strerror}.") from error
    return listening


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
