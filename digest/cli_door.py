"""What all commands share: the configuration, the open house, ways to say things. No command is here."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from digest.app import App, open_app
from digest.config import Config
from digest.config_file import read_config
from digest.model import Period, RunProgress

Step = Callable[[int, str], None]


@dataclass(slots=True)
class Door:
    """The options before the command."""

    config_path: Path = Path("config.toml")
    debug: bool = False

    def config(self) -> Config:
        """Raises ConfigError."""
        return read_config(self.config_path)

    def open(self) -> App:
        """The house, wired; a context manager. Raises ConfigError, StoreError."""
        return open_app(self.config())


pass_door = click.make_pass_decorator(Door, ensure=True)
as_json = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object on standard output, nothing else."
)


def _period(ctx: click.Context, param: click.Parameter, value: str | None) -> Period | None:
    """An issue by its month: 2026-11. A wrong one is a wrong command line."""
    try:
        return None if value is None else Period.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


issue_argument = click.argument("period", metavar="ISSUE", callback=_period)


def period_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option("--period", metavar="YYYY-MM", callback=_period, help=text)


def say(text: str = "") -> None:
    """A line on standard output."""
    click.echo(text)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def columns(rows: list[list[str]]) -> Iterator[str]:
    """Rows as lines, each column as wide as its widest cell, the last one as it is."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join([*cells[:-1], row[-1]]).rstrip()


@contextmanager
def progress(title: str, *, total: int | None, quiet: bool = False) -> Iterator[Step]:
    """A bar on a terminal, plain lines elsewhere, both on standard error.

    The step takes how many are done by now and a line that says what was just done ("" for none).
    """
    if quiet:
        yield lambda done, line: None
        return
    if not sys.stderr.isatty():
        yield _plain(title, total)
        return
    from rich.console import Console  # 2 MB, needed on a terminal alone
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"),
             TimeElapsedColumn())  # fmt: skip
    began_s = time.monotonic()
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, pace="")

        def step(done: int, line: str) -> None:
            at = RunProgress(total=total or done, done=done, seconds=time.monotonic() - began_s)
            bar.update(task, completed=done, pace="" if line or not total else _speed(at))
            if line:
                bar.console.print(line, highlight=False, markup=False)

        yield step


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether somebody wants us to stop: the first Ctrl+C or SIGTERM asks, a second Ctrl+C insists."""
    asked = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asked.set()

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pace_line(at: RunProgress) -> str:
    """`300 of 1000, 120 a second, 6 s left`."""
    return f"{at.done} of {at.total}{', ' if _speed(at) else ''}{_speed(at)}"


def _speed(at: RunProgress) -> str:
    left = at.seconds_left
    if left is None:
        return ""
    rate = f"{at.rate:.0f} a second" if at.rate >= 1 else f"{at.rate * 60:.0f} a minute"
    minutes, seconds = divmod(round(left), 60)
    return f"{rate}, {f'{minutes} min {seconds:02} s' if minutes else f'{seconds} s'} left"


def _plain(title: str, total: int | None) -> Step:
    """Every named thing its line; of nameless ones a line at each tenth."""
    shown, began_s = 0, time.monotonic()

    def step(done: int, line: str) -> None:
        nonlocal shown
        if line:
            click.echo(line, err=True)
        elif total and done > shown and (done >= total or (done - shown) * 10 >= total):
            shown = done
            at = RunProgress(total=total, done=done, seconds=time.monotonic() - began_s)
            click.echo(f"{title}: {pace_line(at)}", err=True)

    return step
