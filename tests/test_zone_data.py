"""The packaged time-zone data counts, whatever the system has; when the package itself is too old, the doctor says so."""

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

# What the three provinces had until 2026: the winters of their neighbours to the south.
BEFORE = {"Vancouver": "Los_Angeles", "Edmonton": "Denver", "Winnipeg": "Chicago"}


@pytest.fixture
def old_zones(tmp_path: Path) -> Path:
    """A folder that may stand for the system's data, and a package `tzdata` of the same age around it."""
    folder = tmp_path / "old" / "tzdata" / "zoneinfo"
    (folder / "America").mkdir(parents=True)
    for inner in (folder.parent, folder, folder / "America"):
        (inner / "__init__.py").write_text('IANA_VERSION = "2025b"\n')
    for name, like in BEFORE.items():
        data = (files("tzdata") / "zoneinfo" / "America" / like).read_bytes()
        (folder / "America" / name).write_bytes(data)
    return folder


def told(tmp_path: Path, **environment: str) -> tuple[str, str]:
    """What `digest check` says of the zones."""
    command = [
        sys.executable,
        "-m",
        "digest",
        "--config",
        str(tmp_path / "none.toml"),
        "check",
        "--json",
    ]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, check=False, timeout=60
    )
    found = {one["id"]: one for one in json.loads(done.stdout)["checks"]}["time-zones"]
    return found["outcome"], found["message"]


def test_old_data_of_the_system_is_passed_over(tmp_path: Path, old_zones: Path) -> None:
    outcome, message = told(tmp_path, PYTHONTZPATH=str(old_zones))
    assert outcome == "pass", message


def test_a_package_that_is_too_old_is_named_with_the_zones_it_gets_wrong(
    tmp_path: Path, old_zones: Path
) -> None:
    here = str(Path(__file__).resolve().parent.parent)
    outcome, message = told(tmp_path, PYTHONPATH=os.pathsep.join([str(old_zones.parent.parent), here]))
    assert outcome == "fail"
    assert "2025b" in message
    assert all(name in message for name in BEFORE)
