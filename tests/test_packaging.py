"""What `pip install` gives: templates, static files, words and the sample inside the wheel. What the locks promise."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    pytest.importorskip("hatchling", reason="hatchling is not installed, so no wheel can be built")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("community_digest-*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_everything_that_is_not_code(wheel: set[str]) -> None:
    for room in ("templates", "digest/words", "digest/sample", "digest/web/static"):
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and path.suffix not in {".pyc"}:
                name = str(path.relative_to(ROOT))
                assert (f"digest/{name}" if room == "templates" else name) in wheel
    assert any(name.startswith("digest/templates/letter/") for name in wheel)
    assert "digest/cli.py" in wheel


@pytest.mark.slow
def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.startswith("community_digest-")} == {"digest"}


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_the_test_lock_holds_the_runtime_lock() -> None:
    runtime, test = locked("requirements.lock"), locked("requirements-test.lock")
    assert len(runtime) > 30
    assert runtime.items() <= test.items()


def test_every_locked_package_has_hashes_and_no_registry() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert len(blocks) == len(locked(name))
        assert all(
            re.match(r"[a-z0-9-]+==\S+( ; .+)? \\\n    --hash=sha256:[0-9a-f]{64}", block) for block in blocks
        )
        assert "://" not in text


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for wanted, name in ((project["dependencies"], "requirements.lock"),
                         (project["optional-dependencies"]["test"], "requirements-test.lock")):  # fmt: skip
        found = locked(name)
        for line in wanted:
            package = re.split(r"[<>=!~\[; ]", line)[0]
            assert package in found, f"run make lock: {package} is missing in {name}"
