"""The letter before judges from outside: the Nu HTML checker and SpamAssassin. One that is missing is skipped by name."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.mail.spam import spam_score
from digest.model import Reading
from digest.render.press import Press
from tests import render_kit as kit
from tests.remake_golden import GOLDEN, ISSUES

ROOT = Path(__file__).parent.parent
NU = Path(os.environ.get("VNU_JAR", ROOT / ".tools/node_modules/vnu-jar/build/dist/vnu.jar"))
OUTLOOKS_OWN = ".*(mso-|xmlns:).*"  # what stands there for Word's engine alone
LETTERS = sorted(path.name for path in GOLDEN.glob("*.eml"))

needs_nu = pytest.mark.skipif(
    not NU.is_file() or shutil.which("java") is None,
    reason="no Nu HTML checker (vnu-jar, java) on this machine",
)
needs_spamassassin = pytest.mark.skipif(
    shutil.which("spamassassin") is None, reason="no SpamAssassin on this machine"
)


def nu(*paths: Path) -> list[str]:
    """What the Nu HTML checker finds, one line each; warnings are not asked for."""
    command = ["java", "-jar", str(NU), "--errors-only", "--no-langdetect", "--filterpattern", OUTLOOKS_OWN]
    done = subprocess.run(
        [*command, *map(str, paths)], capture_output=True, text=True, timeout=120, check=False
    )
    assert bool(done.returncode) == bool(done.stderr.strip()), done.stdout
    return done.stderr.splitlines()


def pages(folder: Path) -> Iterator[Path]:
    """Every letter in both languages as a reader gets it, and every one-off letter."""
    press = Press(kit.config())
    for name, (build, _) in ISSUES.items():
        for language in Reading:
            path = folder / f"{name}.{language.value}.html"
            path.write_text(press.preview(press.edition(build(), language))[0], encoding="utf-8")
            yield path
    for name in LETTERS:
        path = folder / f"{name}.html"
        path.write_text(kit.part(kit.parsed((GOLDEN / name).read_bytes()), "html"), encoding="utf-8")
        yield path


@needs_nu
def test_the_nu_html_checker_finds_nothing_in_any_letter(tmp_path: Path) -> None:
    assert nu(*pages(tmp_path)) == []


@needs_nu
def test_the_nu_html_checker_would_find_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text((GOLDEN / "small.en.html").read_text(encoding="utf-8").replace("</h1>", "</h1><p><h2>"))
    assert nu(path)


@needs_spamassassin
@pytest.mark.parametrize("name", LETTERS)
def test_spamassassin_finds_a_letter_harmless(name: str) -> None:
    said = spam_score((GOLDEN / name).read_bytes())
    assert said is not None
    assert float(said.split(" ")[0]) <= 0.0, said


@needs_spamassassin
def test_spamassassin_would_find_a_shouting_letter() -> None:
    data = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: FREE MONEY NOW!!!\r\n\r\nBUY VIAGRA NOW!!! CLICK HERE\r\n"
    said = spam_score(data)
    assert said is not None
    assert float(said.split(" ")[0]) > 2.0, said
