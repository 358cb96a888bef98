"""At least a thousand injected faults over random schedules, each kind of them counted. One line at the end.

    python -m bench.faults [--faults 1000] [--seed N]

Drops, 4xx, 5xx, stalls and nonsense of the relay, kill -9 of the sender, a database that is locked or full, leaving readers
and stops: tests/storm_kit.py. A shorter storm runs in `make test`, and fifty kills more in tests/test_send_killed.py.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.storm_kit import Met, weather


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--faults", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    chosen = options.parse_args()
    dice, met, rounds, began = random.Random(chosen.seed), Met(), 0, time.monotonic()
    while met.faults < chosen.faults:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                met.add(weather(Path(folder), dice, readers=60))
            except AssertionError as error:
                raise SystemExit(f"seed {chosen.seed}, round {rounds}: {error}") from error
    print(f"{rounds} sends of 60, {met}; {time.monotonic() - began:.0f} s, seed {chosen.seed}")


if __name__ == "__main__":
    main()
