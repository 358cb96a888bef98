"""Starting a process that reads: with nothing of ours in its environment but where our code stands. Light to bring in."""

import os
import subprocess
import sys
from pathlib import Path

import digest

_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "SYSTEMROOT",
    "TMPDIR",
)  # of the environment; no secret of ours goes along
_PIPE_BYTES = 1 << 20  # most answers pass in one piece; ignored where the system knows no such thing


def start() -> subprocess.Popen[bytes]:
    """Returns at once; what the process needs it brings in while others work."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["PYTHONPATH"] = str(Path(digest.__file__).parent.parent)
    command = [sys.executable, "-W", "ignore", "-m", "digest.sources._child"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        pipesize=_PIPE_BYTES,
    )  # fmt: skip
