"""What SpamAssassin says of a letter, where it is installed. Local rules only: nothing is learnt or asked of the network."""

import re
import shutil
import subprocess
import tempfile
from email import message_from_bytes

_FLAGS = ("-L", "-t", "-x", "--cf=use_bayes 0", "--cf=use_auto_whitelist 0")
_LONGEST_S = 60


def spam_score(data: bytes) -> str | None:
    """`-1.0 RULE,RULE`, or None when there is no SpamAssassin here or it does not answer within a minute."""
    program = shutil.which("spamassassin")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run([program, *_FLAGS], input=data, capture_output=True, timeout=_LONGEST_S,
                                  env={"HOME": home, "PATH": "/usr/bin:/bin"}, check=False)  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
    status = " ".join(str(message_from_bytes(done.stdout)["X-Spam-Status"] or "").split())
    found = re.search(r"score=(-?[\d.]+).*?tests=(.*?) (?:autolearn|version)=", status)
    return f"{found.group(1)} {found.group(2).replace(' ', '')}" if found else None
