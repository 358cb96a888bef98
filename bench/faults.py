"""At least a thousand injected faults over random schedules: drops, refusals, silence, leavers, stops. One line at the end.

    python -m bench.faults [--faults 1000] [--seed N]

The kills (-9) are in tests/test_send_killed.py; a shorter storm runs in `make test`.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.test_send_faults import weather


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--faults", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    chosen = options.parse_args()
    dice, faults, unsure, rounds, began = random.Random(chosen.seed), 0, 0, 0, time.monotonic()
    while faults < chosen.faults:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                met, doubtful = weather(Path(folder), dice, readers=60)
            except AssertionError as error:
                raise SystemExit(f"seed {chosen.seed}, round {rounds}: {error}") from error
        faults, unsure = faults + met, unsure + doubtful
    print(
        f"{faults} faults in {rounds} sends of 60: 0 doubled, 0 lost, {unsure} unsure (all listed), "
        f"{time.monotonic() - began:.0f} s, seed {chosen.seed}"
    )


if __name__ == "__main__":
    main()
