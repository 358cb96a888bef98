"""How quick our own DKIM signature is: a 25-item letter spliced and signed, against openssl and dkimpy. One core, one process.

    python -m bench.dkim [--seconds 2]

Budgets: at least 85 % of `openssl speed rsa2048`, at least 20 times dkimpy.
"""

import argparse
import re
import shutil
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
    """How often a second, in the best tenth of a second: what else this machine does is not what is measured."""
    best, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        begin, count = time.perf_counter(), 0
        while (spent := time.perf_counter() - begin) < 0.1:
            act()
            count += 1
        best = max(best, count / spent)
    return best


def openssl(seconds: int) -> float | None:
    """Signatures a second, as `openssl speed` counts them by processor time; the best of three runs."""
    if shutil.which("openssl") is None:
        return None
    best = 0.0
    for _ in range(3):
        said = subprocess.run(["openssl", "speed", "-seconds", str(seconds), "rsa2048"], capture_output=True, text=True,
                              timeout=120, check=True).stdout  # fmt: skip
        found = re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", said)
        best = max(best, float(found.group(1)) if found else 0.0)
    return best or None


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=int, default=2)
    seconds = options.parse_args().seconds
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
    print(f"DKIM, RSA 2048, a letter of {len(message) / 1000:.1f} KB; times a second, one core")
    ours = rate(lambda: signed.splice(reader), seconds=seconds)
    print(f"  spliced and signed, compiled   {ours:8.0f}")
    print(f"  any message, signed            {rate(lambda: signer.message(message), seconds=seconds):8.0f}")
    base = openssl(seconds)
    if base is None:
        print("  openssl: not measured, it is not here")
    else:
        print(f"  openssl speed rsa2048          {base:8.0f}   ours is {ours / base:.0%} of it; budget 85 %: "
              f"{'kept' if ours >= 0.85 * base else 'MISSED'}")  # fmt: skip
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
                                    canonicalize=(b"relaxed", b"relaxed")), seconds=seconds)  # fmt: skip
    print(f"  dkimpy                         {theirs:8.0f}   ours is {ours / theirs:.0f} times as quick; budget 20: "
          f"{'kept' if ours >= 20 * theirs else 'MISSED'}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
