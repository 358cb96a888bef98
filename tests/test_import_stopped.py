"""An import that is stopped says so in one sentence, and the same command brings in the rest."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

PEOPLE = 200_000  # two blocks
# Ctrl+C comes with the first line of progress, which is written between two blocks: never too early, never too late.
STOPPED = """
import io, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
class Screen(io.TextIOWrapper):
    def write(self, text):
        if text.startswith("Importing: "):
            signal.raise_signal(signal.SIGINT)
        return super().write(text)
sys.stderr = Screen(sys.stderr.detach(), "utf-8", line_buffering=True)
from digest.__main__ import main
main()
"""
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


def _import(home: Path, program: list[str], *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *program, "--config", str(home / "config.toml"), "subscribers", "import", str(home / "in.csv"),
         "--basis", "express", "--origin", "a sheet", *more],
        capture_output=True, text=True, env={**os.environ, "COLUMNS": "80"}, timeout=240,
    )  # fmt: skip


def _readers(home: Path) -> int:
    with closing(sqlite3.connect(f"file:{home / 'subscribers.db'}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM subscriber").fetchone()[0])


def test_ctrl_c_during_an_import_keeps_what_is_in_and_the_same_command_brings_the_rest(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.toml").write_text('[list]\nname.en = "T"\nname.fr = "T"\n')
    people = "\n".join(f"reader{n}@example.org" for n in range(PEOPLE))
    (tmp_path / "in.csv").write_text(f"email\n{people}\n")
    first = _import(tmp_path, ["-c", STOPPED])
    there = _readers(tmp_path)
    progress, told = first.stderr.splitlines()
    assert (first.returncode, first.stdout) == (130, "")
    assert progress.startswith(f"Importing: {there} of {PEOPLE}")
    assert told.startswith(f"Stopped at {there} of {PEOPLE}. ")
    assert "run the same command again" in told
    assert 0 < there < PEOPLE
    second = _import(tmp_path, ["-m", "digest"], "--json")
    assert (second.returncode, second.stderr) == (0, "")
    assert f'"known": {there}' in second.stdout
    assert _readers(tmp_path) == PEOPLE
