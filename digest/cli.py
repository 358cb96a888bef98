"""The command `digest`: doors for operators. An error is one sentence and status 1; a wrong command line is status 2."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from digest import __version__, cli_house, cli_issues, cli_pool, cli_restored, cli_sources, cli_subscribers
from digest.cli_door import Door
from digest.errors import DigestError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=Path("config.toml"), envvar="DIGEST_CONFIG",
    show_default=True, show_envvar=True, help="The configuration.",
)  # fmt: skip
@click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
@click.version_option(__version__, prog_name="digest")
@click.pass_obj
def digest(door: Door, config_path: Path, debug: bool) -> None:
    """A community's monthly letter: collects posts and events, drafts the issue, lets editors approve it, and mails it."""
    door.config_path = config_path
    door.debug = debug
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


for command in (
    *cli_pool.COMMANDS,
    *cli_sources.COMMANDS,
    *cli_issues.COMMANDS,
    *cli_subscribers.COMMANDS,
    *cli_house.COMMANDS,
    *cli_restored.COMMANDS,
):
    digest.add_command(command)


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line; the exit status."""
    door = Door()
    try:
        status = digest.main(list(arguments), prog_name="digest", standalone_mode=False, obj=door)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has had enough
        return 1
    except DigestError as error:
        return _tell(error, str(error), debug=door.debug)
    except Exception as error:  # noqa: BLE001 a bug: it is shown, not swallowed
        sentence = f"This is a fault of digest itself ({type(error).__name__}: {error}); run it again with --debug and tell us."
        return _tell(error, sentence, debug=door.debug)
    return status if isinstance(status, int) else 0


def _tell(error: Exception, sentence: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    click.echo(sentence, err=True)
    return 1
