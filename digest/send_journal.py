"""What stands beside the database: a file that notes every run, and which file on which machine it is. Never an address.

Both tell when the database is older than what was sent, or is somewhere else than it was.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from digest.model import Period

_MACHINE = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


@dataclass(frozen=True, slots=True)
class Noted:
    """A run that was to begin. letters: the highest number that a letter had by then; 0: not noted."""

    run: int
    period: str
    letters: int = 0


class Journal:
    """`<database>.runs`, and the place of the database."""

    def __init__(self, database: Path, *, clock: Callable[[], datetime]) -> None:
        self.file = database.with_name(f"{database.name}.runs")
        self._database, self._clock = database, clock

    def noted(self) -> list[Noted]:
        """As far as the file can be read."""
        try:
            lines = self.file.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return []
        found = []
        for run, period, *rest in (line.split() for line in lines if len(line.split()) in {3, 4}):
            letters = rest[1] if len(rest) == 2 else "0"
            if run.isdigit() and letters.isdigit():
                found.append(Noted(int(run), period, int(letters)))
        return found

    def last_run(self) -> int:
        return max((one.run for one in self.noted()), default=0)

    def note(self, run: int, period: Period, *, letters: int) -> bool:
        """Before the first letter of a run leaves. False: the file cannot be written, which is no reason not to send."""
        line = f"{run} {period} {self._clock():%Y-%m-%dT%H:%M:%SZ} {letters}\n".encode()
        with suppress(OSError):
            handle = os.open(self.file, os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, line)
                os.fsync(handle)
                return True
            finally:
                os.close(handle)
        return False

    def place(self) -> str:
        """Another text once the database is another file, or on another machine; a hash, for nobody need know which."""
        machine = ""
        for name in _MACHINE:
            with suppress(OSError):
                machine = machine or name.read_text(encoding="ascii", errors="replace").strip()
        try:
            file = self._database.stat().st_ino
        except OSError:
            file = 0
        return blake2b(f"{machine} {file}".encode(), digest_size=12).hexdigest()
