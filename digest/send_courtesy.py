"""One-off letters give way to people: none is made while pages are being asked for, one after the other. But each leaves soon."""

import time

_QUIET_S = 0.02  # nobody asked for so long
_MOST_S = 0.25  # a letter waits, however many ask


class Courtesy:
    """Shared by who answers people and who posts letters. It only ever costs a letter a moment."""

    def __init__(self) -> None:
        self._asked_at = -_QUIET_S

    def asked(self) -> None:
        """Somebody waits for an answer."""
        self._asked_at = time.monotonic()

    def give_way(self) -> None:
        """Returns when it is quiet, or has not been for a quarter of a second."""
        begun = now = time.monotonic()
        while now - self._asked_at < _QUIET_S and now - begun < _MOST_S:
            time.sleep(_QUIET_S - max(0.0, now - self._asked_at))
            now = time.monotonic()
