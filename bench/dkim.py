"""How quick our own DKIM signature is: a 25-item letter spliced and signed, against openssl and dkimpy. One core, turn about.

    python -m bench.dkim [--rounds 7]

Budgets: at least 85 % of `openssl speed rsa2048`, at least 20 times dkimpy.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from digest.model import Language
from digest.render.press import Press
from tests import render_kit as kit


def rate(act: Callable[[], object], *, seconds: float) -> float:
    """How often in a second of this process's own processor time, as `openssl speed` counts; waiting for others is left out."""
    count, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < seconds:
        for _ in range(20):
            act()
        count += 20
    return count / spent


def openssl() -> float:
    """Signatures in a second of processor time."""
    said = subprocess.run(["openssl", "speed", "-seconds", "1", "rsa2048"], capture_output=True, text=True,
                          timeout=60, check=True).stdout  # fmt: skip
    found = re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", said)
    if found is None:
        raise SystemExit("openssl speed said nothing that is understood.")
    return float(found.group(1))


def against_openssl(ours: Callable[[], object], *, rounds: int) -> tuple[float, float, float]:
    """Medians of ours, of openssl, and of their ratio, turn about: a machine that slows down slows both."""
    turns = []
    for _ in range(rounds):
        before, mine, after = openssl(), rate(ours, seconds=1.0), openssl()
        turns.append((mine, (before + after) / 2))
    mine, theirs = (statistics.median(column) for column in zip(*turns, strict=True))
    return mine, theirs, statistics.median(mine / theirs for mine, theirs in turns)


def stay_on_one_core() -> None:
    """The commands started from here stay there too."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=7)
    rounds = options.parse_args().rounds
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        from digest.mail.dkim import DkimSigner
    except ImportError:
        print("DKIM: not measured, the package cryptography is not here")
        return 0
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    signer = DkimSigner(pem, domain="example.org", selector="letter")
    press = Press(kit.config())
    plain = press.compiled(press.edition(kit.month_of(25), Language.EN))
    signed, reader = signer.letter(plain), kit.reader()
    message = plain.splice(reader)
    stay_on_one_core()
    print(
        f"DKIM, RSA 2048, a letter of {len(message) / 1000:.1f} KB; times a second of one core, medians of {rounds} rounds"
    )
    if shutil.which("openssl") is None:
        ours = rate(lambda: signed.splice(reader), seconds=1.0)
        print(f"  spliced and signed, compiled   {ours:8.0f}\n  openssl: not measured, it is not here")
    else:
        ours, base, share = against_openssl(lambda: signed.splice(reader), rounds=rounds)
        print(f"  spliced and signed, compiled   {ours:8.0f}")
        print(f"  openssl speed rsa2048          {base:8.0f}   ours is {share:.0%} of it; budget 85 %: "
              f"{'kept' if share >= 0.85 else 'MISSED'}")  # fmt: skip
    print(f"  any message, signed            {rate(lambda: signer.message(message), seconds=0.5):8.0f}")
    # Where Debian's python3-dkim lies: plain Python, it fits ours.
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        import dkim
    except ImportError:
        print("  dkimpy: not measured, it is not here")
        return 0
    names = [name.encode() for name in ("from", "to", "subject", "date", "message-id", "list-unsubscribe",
                                        "list-unsubscribe-post")]  # fmt: skip
    theirs = rate(lambda: dkim.sign(message, b"letter", b"example.org", pem, include_headers=names,
                                    canonicalize=(b"relaxed", b"relaxed")), seconds=0.5)  # fmt: skip
    print(f"  dkimpy                         {theirs:8.0f}   ours is {ours / theirs:.0f} times as quick; budget 20: "
          f"{'kept' if ours >= 20 * theirs else 'MISSED'}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
