"""What a sender carries in memory: nothing that only collecting, printing or a terminal needs."""

import subprocess
import sys

HEAVY = ("rapidfuzz", "icalendar", "css_inline", "rich", "feedparser", "flask", "flask_mail", "aiosmtpd")


def test_the_command_to_send_loads_nothing_that_only_other_commands_need() -> None:
    program = f"import digest.cli, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
