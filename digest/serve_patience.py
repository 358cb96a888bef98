"""The server of the web site: whoever trickles half a request holds no door shut. Nothing is answered here.

It has room for many connections, and a request that is not whole is given up: after a while, and a second more for each half
kilobyte that came. So a slow upload gets through, and bytes sent one by one to keep a door open do not count.
"""

import socket
from typing import Any

from waitress import create_server
from waitress.channel import HTTPChannel

PATIENCE_S = 60
CONNECTIONS_MOST = 600  # a process may open 1,024 files
SLOWEST = 500  # bytes a second
_SWEEP_S = 5


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection. `last_activity` is what the server closes the silent ones by."""

    last_activity: float
    begun: float | None = None
    came = 0

    def received(self, data: bytes) -> Any:
        """Of a request that is not whole, the time counts from its first byte; `last_activity` is now, as these were read."""
        if self.begun is None:
            self.begun, self.came = self.last_activity, 0
        self.came += len(data)
        done = super().received(data)
        if self.request is None:  # whole; what follows on this connection begins anew
            self.begun = None
        else:
            self.last_activity = min(self.last_activity, self.begun + self.came / SLOWEST)
        return done


def open_server(
    application: Any, *, listening: socket.socket, threads: int, patience_s: int = PATIENCE_S
) -> Any:
    """Not running yet."""
    server = create_server(
        application,
        sockets=[listening],
        threads=threads,
        ident=None,
        clear_untrusted_proxy_headers=False,
        connection_limit=CONNECTIONS_MOST,
        asyncore_use_poll=True,  # select() knows no more than 1,024
        channel_timeout=patience_s,
        cleanup_interval=min(_SWEEP_S, patience_s),
        backlog=1024,
    )
    server.channel_class = Channel
    return server
