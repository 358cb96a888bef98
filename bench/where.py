"""Where the processor time of one letter goes: the sender's own thread, cut into the parts that docs/sending.md names.

    python -m bench.where [--readers 10000] [--connections 20]

Each part is timed by the thread's clock, less the parts within it. The clock itself costs about 3 us a letter.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.sending import ours, sink
from digest.mail.connection import Connection
from digest.mail.engine import Engine
from digest.mail.lane import Lane
from digest.send import Send
from digest.send_run import Run
from digest.store.sqlite.connection import Connections
from digest.store.sqlite.deliveries import Deliveries

PARTS: tuple[tuple[type, str, str], ...] = (
    (Connection, "write", "body, and dot with the next envelope, to the kernel"),
    (Connection, "_readable", "answers from the kernel, cut into replies"),
    (Lane, "_replied", "what an answer means, and what follows"),
    (Engine, "_write_dots", "after the commit: the next letter of each connection"),
    (Engine, "_write_ledger", "what a commit is to hold"),
    (Engine, "_recorded", "after the commit: the rest"),
    (Run, "begin", "answers judged, counted"),
    (Run, "claim", "letters made"),
    (Deliveries, "claim", "SQL: a block claimed"),
    (Deliveries, "commit", "SQL: answers and intents"),
    (Connections, "_begin", "SQL: BEGIN"),
    (Connections, "_commit", "SQL: COMMIT, without waiting for the disk"),
    (Send, "issue", "the event loop, its poll, and all else"),
)


class Clock:
    """Time spent in each part itself."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._within: list[float] = []

    def watch(self, owner: type, name: str, title: str) -> None:
        inner: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **named: Any) -> Any:
            began_s = time.thread_time()
            self._within.append(0.0)
            try:
                return inner(*args, **named)
            finally:
                took_s = time.thread_time() - began_s
                self.spent[title] += took_s - self._within.pop()
                if self._within:
                    self._within[-1] += took_s

        setattr(owner, name, timed)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--readers", type=int, default=10_000)
    options.add_argument("--connections", type=int, default=20)
    chosen = options.parse_args()
    clock = Clock()
    for part in PARTS:
        clock.watch(*part)
    with sink() as port:
        rate, micros, _ = ours(port, readers=chosen.readers, connections=chosen.connections, kilobytes=26)
    for title, seconds in sorted(clock.spent.items(), key=lambda one: -one[1]):
        print(f"{seconds / chosen.readers * 1e6:6.1f} us  {title}")
    print(f"{micros:6.1f} us  in all, at {rate:,.0f} letters/s")


if __name__ == "__main__":
    main()
