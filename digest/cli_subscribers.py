"""Commands for readers: subscribers add, import, export, list, stats, forget. Addresses are shown here, to the operator, only."""

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from digest.app import App
from digest.cli_door import Door, as_json, columns, pass_door, print_json, progress, say
from digest.errors import InputRefused
from digest.join_roster import Report, bring
from digest.model import Language, Subscriber, SubscriberId, SubscriberState
from digest.rules.jurisdictions import jurisdiction

_PAGE = 1000
_basis = click.option(
    "--basis", type=click.Choice(["express", "implied"]), required=True,
    help="express: they said yes, and --origin says where; they are confirmed. implied: they are asked by mail.",
)  # fmt: skip
_origin = click.option(
    "--origin",
    required=True,
    metavar="TEXT",
    help='Where the consent comes from: "sign-up sheet, 12 May 2026".',
)
_language = click.option(
    "--language",
    type=click.Choice([str(one) for one in Language]),
    help="Language of their letter; left out: the list's first.",
)


@click.group()
def subscribers() -> None:
    """Add, import, export, list, count and forget readers."""


@subscribers.command()
@click.argument("address")
@_basis
@_origin
@_language
@pass_door
def add(door: Door, address: str, basis: str, origin: str, language: str | None) -> None:
    """Bring in one person. Express consent confirms; implied consent only asks."""
    with door.open() as app:
        added = app.join.add(address, basis=basis, origin=origin, language=language)
    if added.state is SubscriberState.CONFIRMED:
        say(f"Confirmed: gets the letter in {_language_name(added.language)}.")
    else:
        say(
            "Asked: a letter with a link to confirm leaves while digest serve runs; nothing else is sent until they do."
        )


@subscribers.command("import")
@click.argument("file", type=click.File("rb"))
@_basis
@_origin
@_language
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@as_json
@pass_door
def import_(
    door: Door, file: Any, basis: str, origin: str, language: str | None, dry_run: bool, as_json: bool
) -> None:
    """Bring in a CSV file with a column "email", or a plain list of addresses; - reads standard input."""
    with door.open() as app, progress("Importing", total=None, quiet=as_json) as step:
        report = bring(
            file.read(), join=app.join, store=app.store, basis=basis, origin=origin, language=language,
            dry_run=dry_run, on_progress=lambda done: step(done, ""),
        )  # fmt: skip
    if as_json:
        print_json(_report_json(report, dry_run=dry_run))
        return
    for number, reason in report.refused:
        click.echo(f"line {number}: {reason}", err=True)
    counts = report.counts
    if dry_run:
        say("Nothing was changed; this is what would happen:")
    say(f"{counts['confirmed']} confirmed, {counts['asked']} asked, {counts['known']} known already, "
        f"{counts['left']} kept out because they left, {len(report.refused)} refused.")  # fmt: skip


@subscribers.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@pass_door
def export(door: Door, file: Path | None) -> None:
    """Write all readers as CSV, to FILE or to standard output."""
    with door.open() as app:
        text = io.StringIO(newline="")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(
            [
                "email",
                "state",
                "language",
                "timezone",
                "role",
                "topics",
                "asked_at",
                "confirmed_at",
                "left_at",
            ]
        )
        count = 0
        for reader in _everyone(app):
            rows.writerow([_plain(cell) for cell in _cells(reader)])
            count += 1
    if file is None:
        sys.stdout.write(text.getvalue())
        return
    try:
        file.touch(mode=0o600)
        file.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise InputRefused(f"{file} cannot be written: {error.strerror}.") from error
    say(f"{count} readers written to {file}. It holds addresses: keep it as you keep the database.")


@subscribers.command("list")
@click.option(
    "--state", type=click.Choice([str(one) for one in SubscriberState]), help="Only readers in this state."
)
@pass_door
def list_(door: Door, state: str | None) -> None:
    """Show the readers: number, state, language, address."""
    states = {SubscriberState(state)} if state else None
    with door.open() as app:
        rows = [[str(r.id), r.state, r.language, r.address.reveal()] for r in _everyone(app, states)]
    if not rows:
        say("Nobody yet. People join on the web site, or by: digest subscribers add")
    for line in columns(rows):
        say(line)


@subscribers.command()
@as_json
@pass_door
def stats(door: Door, as_json: bool) -> None:
    """Count the readers by state, language, jurisdiction and role."""
    with door.open() as app:
        counted = app.store.subscribers.stats()
    by_jurisdiction: Counter[str] = Counter()
    for domain, count in counted.by_domain.items():
        by_jurisdiction[jurisdiction(domain)] += count
    result: dict[str, Any] = {str(state): counted.by_state.get(state, 0) for state in SubscriberState}
    result["suppressed"] = counted.suppressed
    result["by_language"] = dict(counted.by_language)
    result["by_jurisdiction"] = dict(by_jurisdiction.most_common())
    result["by_role"] = dict(counted.by_role)
    if as_json:
        print_json(result)
        return
    for name, value in result.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {count}" for key, count in value.items()) or "nobody yet"
        say(f"{name.replace('_', ' ')}: {value}")


@subscribers.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_door
def forget(door: Door, address: str, yes: bool) -> None:
    """Delete a person and all that names them; a keyed hash stays, so that no import brings them back."""
    if not yes and sys.stdin.isatty():
        click.confirm("Forgetting a person cannot be undone. Go on?", abort=True)
    with door.open() as app:
        app.join.forget(address)
    say("Forgotten.")


def _everyone(app: App, states: set[SubscriberState] | None = None) -> Iterator[Subscriber]:
    after = SubscriberId(0)
    while page := app.store.subscribers.everyone(states=states, after=after, limit=_PAGE):
        yield from page
        after = page[-1].id


def _cells(reader: Subscriber) -> list[str]:
    moments = [reader.asked_at, reader.confirmed_at, reader.left_at]
    dates = [moment.isoformat() if moment else "" for moment in moments]
    return [reader.address.reveal(), reader.state, reader.language, reader.timezone or "", reader.role or "",
            " ".join(reader.topics), *dates]  # fmt: skip


def _plain(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _language_name(language: Language) -> str:
    return {Language.EN: "English", Language.FR: "French"}[language]


def _report_json(report: Report, *, dry_run: bool) -> dict[str, Any]:
    counts = {name: report.counts[name] for name in ("confirmed", "asked", "known", "left")}
    refused = [{"line": number, "reason": reason} for number, reason in report.refused]
    return {**counts, "refused": refused, "dry_run": dry_run}


COMMANDS = (subscribers,)
