"""All figures of sending in one run, each part in a process of its own so that memory is counted apart.

python -m bench [--growth 10000 100000 1000000] [--readers 20000] [--others 100000] [--faults 1000] [--connections 1 10 50 20]

About twenty minutes on four quiet processors; without the million readers, ten.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent


def part(title: str, *command: str) -> None:
    print(f"\n== {title}", flush=True)
    subprocess.run([sys.executable, "-m", *command], cwd=HERE, check=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument(
        "--growth", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="readers of large issues"
    )
    options.add_argument(
        "--others",
        type=int,
        default=100_000,
        help="readers for a slow relay, TLS and DKIM; 0: leave these out",
    )
    options.add_argument("--readers", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--faults", type=int, default=1_000)
    options.add_argument("--connections", type=int, nargs="*", default=[1, 10, 50, 20])
    chosen = options.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(
        f"{os.cpu_count()} processors, load {load} before we began: on a busy machine read ratios, not rates"
    )
    part("beside smtp-source on the same smtp-sink, and a Flask-Mail loop", "bench.sending",
         "--readers", str(chosen.readers), "--rounds", str(chosen.rounds),
         "--connections", *map(str, chosen.connections))  # fmt: skip
    part("where the processor time of a letter goes", "bench.where")
    for readers in chosen.growth:
        part(f"one issue for {readers:,} readers", "bench.sending", "--bulk", "--readers", str(readers),
             "--connections", "20")  # fmt: skip
    ways = {"a relay that takes 2 ms": ("--takes-ms", "2"), "the same relay at once": ("--takes-ms", "0.001"),
            "TLS": ("--tls",), "our own DKIM": ("--dkim",)}  # fmt: skip
    for title, options_of_it in ways.items() if chosen.others else ():
        part(f"{title}, {chosen.others:,} readers", "bench.sending", "--bulk", "--readers", str(chosen.others),
             "--connections", "20", *options_of_it)  # fmt: skip
    part("faults", "bench.faults", "--faults", str(chosen.faults))


if __name__ == "__main__":
    main()
