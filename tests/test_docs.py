"""The papers say what the program does: every setting, command and option, and the README's commands are the ones that work."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from digest.cli import digest
from digest.config_doc import document, settings
from digest.config_file import read_config
from digest.errors import ErrorKind
from digest.model import DeliveryState
from digest.rules.cron import read_cron

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATING = (DOCS / "operating.md").read_text(encoding="utf-8")
DATAFLOW = (DOCS / "DATAFLOW.md").read_text(encoding="utf-8")


def commands(group: click.Group = digest, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(commands())


def test_configuration_md_is_what_config_py_says() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == document(), "run make docs"


def test_every_setting_explains_itself() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", document(), re.MULTILINE))
    assert len(settings()) > 45
    for setting in settings():
        assert rows[setting.rpartition(".")[2]].strip(), setting


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    """In the table of operating.md, with all its options; and --help has a sentence for each."""
    cells = [
        cell
        for row in OPERATING.splitlines()
        if row.startswith("|")
        for cell in re.findall(r"`(digest [^`]+)`", row)
    ]
    told = " ".join(cell for cell in cells if re.match(rf"digest {name}( |$)", cell))
    assert told, f"digest {name} is not in docs/operating.md"
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert max(parameter.opts, key=len) in told, f"digest {name} {parameter.opts[-1]}"
            assert parameter.help, f"digest {name} {parameter.opts[-1]} has no help"


def test_no_command_is_documented_that_does_not_exist() -> None:
    for page in (README, OPERATING, DATAFLOW):
        for told in re.findall(r"(?:`|^)digest ((?:[a-z]+ ?)+)", page, re.MULTILINE):
            words = told.split()
            assert words[0] in COMMANDS or " ".join(words[:2]) in COMMANDS, f"digest {told}"


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in (README, OPERATING, (DOCS / "configuration.md").read_text(encoding="utf-8")):
        for name in re.findall(r"(?:`|^)make ([a-z]+)", page, re.MULTILINE):
            assert name in targets, name
    assert {"demo", "run", "test", "lint", "bench", "lock", "docs", "golden", "screenshots"} <= targets


def test_the_readme_begins_with_two_commands_and_fits_two_screens() -> None:
    block = re.search(r"```\n(.*?)```", README, re.DOTALL)
    assert block
    assert block.group(1).split("\n") == ["make demo", "make test", ""]
    assert len(README.splitlines()) <= 80


def test_the_readmes_configuration_is_understood(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert block
    (tmp_path / "config.toml").write_text(block.group(1), encoding="utf-8")
    config = read_config(tmp_path / "config.toml")
    assert len(config.sources) == 1
    assert len([line for line in block.group(1).splitlines() if line.strip()]) <= 10


def test_every_link_and_picture_of_the_papers_is_there() -> None:
    for page in (ROOT / "README.md", *DOCS.glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_dataflow_names_every_way_a_visit_and_a_delivery_can_end() -> None:
    unnamed = {str(kind) for kind in ErrorKind if f"`{kind}`" not in DATAFLOW}
    assert not unnamed
    unnamed = {str(state) for state in DeliveryState if not re.search(rf"`?{state}`?", DATAFLOW)}
    assert not unnamed


def test_the_default_configuration_is_understood_and_sends_nothing_out() -> None:
    config = read_config(ROOT / "config.toml", environ={})
    assert config.mail.transport == "folder"
    assert [str(language) for language in config.list.languages] == ["en", "fr"]
    assert len(config.sources) >= 5
    for line in (config.schedule.collect, config.schedule.assemble, config.schedule.send):
        read_cron(line)


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first
    assert first.group(1).rstrip(",") == version
