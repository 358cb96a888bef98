"""An import that is stopped says so in one sentence, and the same command brings in the rest."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

PEOPLE = 300_000  # four blocks: whoever watches for the first has time to stop the import before the last
EARLY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "digest.cli":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["digest", "--version"]
from digest.__main__ import main
main()
"""


def test_ctrl_c_while_the_program_is_being_loaded_is_one_word_and_no_traceback() -> None:
    ended = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "Stopped.\n")


def _begun(home: Path) -> "subprocess.Popen[str]":
    words = [
        "subscribers",
        "import",
        str(home / "in.csv"),
        "--basis",
        "express",
        "--origin",
        "a sheet",
        "--json",
    ]
    return subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
         "from digest.__main__ import main; main()", "--config", str(home / "config.toml"), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip


def _readers(home: Path) -> int:
    database = sqlite3.connect(f"file:{home / 'subscribers.db'}?mode=ro", uri=True)
    try:
        return int(database.execute("SELECT count(*) FROM subscriber").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        database.close()


def test_ctrl_c_during_an_import_keeps_what_is_in_and_the_same_command_brings_the_rest(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    people = "\n".join(f"reader{n}@example.org" for n in range(PEOPLE))
    (tmp_path / "in.csv").write_text(f"email\n{people}\n")
    first = _begun(tmp_path)
    while not ((tmp_path / "subscribers.db").exists() and _readers(tmp_path)):
        assert first.poll() is None, first.communicate()
    first.send_signal(signal.SIGINT)
    out, told = first.communicate(timeout=120)
    there = _readers(tmp_path)
    assert (first.returncode, out) == (130, "")
    assert told.startswith(f"Stopped after {there} lines.")
    assert "run the same command again" in told
    assert len(told.splitlines()) == 1
    assert 0 < there < PEOPLE
    second = _begun(tmp_path)
    out, told = second.communicate(timeout=240)
    assert (second.returncode, told) == (0, "")
    assert f'"known": {there}' in out
    assert _readers(tmp_path) == PEOPLE
