"""docs/PRIVACY.md says what the program keeps: its figures are those of the program, and no personal column is left out."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from digest import passkeys
from digest.config_readers import RetentionPart
from digest.rules import consent, guard, tokens
from digest.web import sessions

ROOT = Path(__file__).parent.parent
PRIVACY = (ROOT / "docs" / "PRIVACY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| (\d+) (days|hours|minutes) \| `(\w+)\.(\w+)` \|$", PRIVACY, re.MULTILINE)
MODULES = {"consent": consent, "guard": guard, "tokens": tokens, "sessions": sessions, "passkeys": passkeys}
SCHEMA = ROOT / "digest" / "store" / "sqlite"


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_figure_is_the_one_that_the_program_goes_by(row: tuple[str, ...]) -> None:
    _, number, unit, room, name = row
    told = timedelta(**{unit: int(number)})
    if room == "retention":
        assert told == timedelta(days=getattr(RetentionPart(), name))
    else:
        assert told == getattr(MODULES[room], name)


def test_every_retention_setting_and_every_term_is_in_the_table() -> None:
    told = {f"{room}.{name}" for _, _, _, room, name in ROWS}
    assert {f"retention.{name}" for name in RetentionPart.model_fields} <= told
    lives = {
        f"{room}.{name}" for room, module in MODULES.items() for name in vars(module)
        if name.endswith("_LIVES") and isinstance(getattr(module, name), timedelta)
    }  # fmt: skip
    assert lives <= told
    assert len(ROWS) == PRIVACY.count("days | `") + PRIVACY.count("hours | `") + PRIVACY.count("minutes | `")


def test_every_column_marked_personal_is_named() -> None:
    marked: set[str] = set()
    for path in sorted(SCHEMA.glob("schema*.py")):
        table = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"CREATE TABLE (\w+)", line):
                table = found[1]
            if "-- personal" in line:
                added = re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", line)
                marked.add(f"{added[1]}.{added[2]}" if added else f"{table}.{line.split()[0]}")
    assert len(marked) >= 10
    assert {name for name in marked if f"`{name}`" not in PRIVACY} == set()
