"""Moving house: subscribers import and export, in the shapes of other programs. Files with addresses are private (0600)."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

import click

from digest.app import App
from digest.cli_door import Door, as_json, interruptible, pass_door, print_json, progress, say
from digest.errors import InputRefused
from digest.join_roster import Report, bring
from digest.model import Consent, Reading, Subscriber, SubscriberId, SubscriberState
from digest.rules.consent import ONLY_THEY
from digest.rules.roster_columns import Line, neutral
from digest.rules.roster_shapes import cells, shapes

_PAGE, _FEW = 1000, 20
_SHARED = "Perhaps no person's own (info@, admin@, noreply@), taken all the same; look at line"
_ODD = "Domains that mix alphabets, taken all the same; look twice at line"
_GOES_ON = "They are in; run the same command again for the rest, nobody comes in twice."
_DRY_STOPPED = "Stopped; nothing was changed."
basis_option = click.option(
    "--basis", type=click.Choice(["express", "implied"]), required=True,
    help="express: they said yes, and --origin says where; they are confirmed. implied: they are asked by mail.",
)  # fmt: skip
origin_option = click.option(
    "--origin",
    required=True,
    metavar="TEXT",
    help='Where the consent comes from: "sign-up sheet, 12 May 2026".',
)
language_option = click.option(
    "--language",
    type=click.Choice([*(str(one) for one in Reading), "both"]),
    help="Language of their letter, en+fr and fr+en both in one; left out: the list's first.",
)


class _Stopped(Exception):
    """Somebody pressed Ctrl+C; how many lines were done by then."""


@click.command("import")
@click.argument("file", type=click.File("rb"))
@basis_option
@origin_option
@language_option
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option(
    "--rejects", type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows that were refused to this CSV, each with its line and the reason.",
)  # fmt: skip
@as_json
@pass_door
def import_(
    door: Door, file: Any, basis: str, origin: str, language: str | None, dry_run: bool, rejects: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Bring in a CSV file with a column "email", a plain list of addresses, or the JSON of our own export; - reads
    standard input.

    Files of Mailchimp, Substack, Ghost, listmonk, Mailman, Buttondown, Keila and Constant Contact are recognised by
    their header: who left, bounced or complained there is kept out here. Cut off, run it again.
    """
    with interruptible() as is_stopped:
        data = file if file.seekable() else io.BytesIO(file.read())

        def tell(done: int) -> None:
            step(done, "")
            if is_stopped():
                raise _Stopped(done)

        total = _count_lines(data)
        try:
            with (
                door.open() as app,
                progress("Importing", total=total, quiet=as_json) as step,
                _rejects(rejects) as write_reject,
            ):
                report = bring(
                    data, join=app.join, store=app.store, basis=basis, origin=origin, language=language,
                    dry_run=dry_run, on_progress=tell, on_refused=write_reject,
                )  # fmt: skip
                step(total, "")  # a person may take several lines, and a line may hold nobody
        except _Stopped as stopped:
            click.echo(
                _DRY_STOPPED if dry_run else f"Stopped after {stopped.args[0]} lines. {_GOES_ON}", err=True
            )
            click.get_current_context().exit(130)
    if as_json:
        print_json(_report_json(report, dry_run=dry_run))
        return
    _tell(report, dry_run=dry_run, rejects=rejects)


def _count_lines(file: BinaryIO) -> int:
    """For the progress bar: how many people at most. A first line without an address is the header."""
    has_header = b"@" not in file.readline()
    count = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    file.seek(0)
    return count + (not has_header)


def _tell(report: Report, *, dry_run: bool, rejects: Path | None) -> None:
    for number, reason in report.refused[: None if rejects is None else 0]:
        click.echo(f"line {number}: {reason}", err=True)
    if report.source not in {"csv", "plain"}:
        say(f"Read as a list of {report.source}.")
    counts = report.counts
    if dry_run:
        say("Nothing was changed; this is what would happen:")
    say(f"{counts['confirmed']} confirmed, {counts['asked']} asked, {counts['known']} known already, "
        f"{counts['left']} kept out because they left, {len(report.refused)} refused.")  # fmt: skip
    if here := sum(reason == ONLY_THEY for _, reason in report.refused):
        say(f"{here} of the refused had left here before, or were forgotten.")
    for lines, what in ((report.shared, _SHARED), (report.odd, _ODD)):
        if lines:
            say(f"{what} {_few(lines)}.")
    if report.rivals:
        say(
            f"Several columns hold addresses: {report.rivals[0]} was read, not {', '.join(report.rivals[1:])}."
        )
    if dry_run and report.unread:
        say(f"Columns that say nothing to us: {_few(report.unread)}.")
    if report.marks:
        say(f"{report.marks} keyed marks of people who may not come back were read too; they count where the key is the "
            "same as there.")  # fmt: skip
    if rejects is not None and report.refused:
        say(f"The refused rows stand in {rejects}. It holds addresses: delete it when you are done.")


def _few(lines: Sequence[int | str]) -> str:
    """The first of them, and how many more."""
    more = len(lines) - _FEW
    return ", ".join(map(str, lines[:_FEW])) + (f" and {more} more" if more > 0 else "")


@contextmanager
def _rejects(path: Path | None) -> Iterator[Any]:
    """What writes a refused row; None when nobody asked for them."""
    if path is None:
        yield None
        return
    with _private(path) as file:
        rows = csv.writer(file, lineterminator="\n")
        headed = False

        def write(header: Sequence[str], line: Line, reason: str) -> None:
            nonlocal headed
            if not headed:
                rows.writerow(["line", "reason", *(header or ["address"])])
                headed = True
            rows.writerow([line.number, reason, *map(neutral, line.cells)])

        yield write


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """Raises InputRefused when the file cannot be written."""
    try:
        with open(
            os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", newline="", encoding="utf-8"
        ) as file:
            yield file
    except OSError as error:
        raise InputRefused(f"{path} cannot be written: {error.strerror}.") from error


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option(
    "--as", "shape", type=click.Choice([*shapes(), "json"]), default="digest", show_default=True,
    help="The program that shall read it; json holds everything, consents and suppressions too.",
)  # fmt: skip
@pass_door
def export(door: Door, file: Path | None, shape: str) -> None:
    """Write all readers, to FILE or to standard output."""
    with door.open() as app:
        if file is None:
            _write(app, sys.stdout, shape)
            return
        with _private(file) as out:
            count = _write(app, out, shape)
    say(f"{count} readers written to {file}. It holds addresses: keep it as you keep the database.")


def _write(app: App, out: IO[str], name: str) -> int:
    if name == "json":
        return _write_json(app, out)
    shape, count = shapes()[name], 0
    rows = csv.writer(out, lineterminator="\n")
    if shape.header:
        rows.writerow(shape.header)
    for reader in everyone(app):
        row = cells(shape, reader)
        if row is not None:
            rows.writerow(row)
            count += 1
    return count


def _write_json(app: App, out: IO[str]) -> int:
    """One object; a reader a line, so that it is written and can be read as a stream."""
    count = 0
    out.write(
        f'{{"format": "digest-readers/1", "exported_at": {json.dumps(app.clock().isoformat())}, "readers": ['
    )
    for page in _pages(app, None):
        consents = app.store.consents.of_all([reader.id for reader in page])
        for reader in page:
            out.write(",\n" if count else "\n")
            out.write(json.dumps(_open(reader, consents.get(reader.id, [])), ensure_ascii=False))
            count += 1
    out.write('\n], "suppressed": [')
    for number, (mark, reason, at) in enumerate(app.store.roster.marks()):
        out.write(",\n" if number else "\n")
        out.write(json.dumps({"mark": mark, "reason": reason, "at": at.isoformat()}))
    out.write("\n]}\n")
    return count


def _open(reader: Subscriber, consents: Sequence[Consent]) -> dict[str, Any]:
    moments = ("asked_at", "confirmed_at", "left_at", "paused_until")
    return {
        "address": reader.address.reveal(), "state": reader.state, "language": reader.language,
        "timezone": reader.timezone, "role": reader.role, "topics": reader.topics, "cadence": reader.cadence,
        "note": reader.note, "sponsor": reader.sponsor,
        **{name: _iso(getattr(reader, name)) for name in moments},
        "consents": [
            {
                "at": line.at.isoformat(), "act": line.act, "method": line.method, "page": line.page,
                "language": line.language, "wording": line.wording, "basis": line.basis, "origin": line.origin,
                "network": line.network,
            }
            for line in consents
        ],
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def everyone(app: App, states: set[SubscriberState] | None = None) -> Iterator[Subscriber]:
    """All readers, one after the other."""
    for page in _pages(app, states):
        yield from page


def _pages(app: App, states: set[SubscriberState] | None) -> Iterator[list[Subscriber]]:
    after = SubscriberId(0)
    while page := app.store.subscribers.everyone(states=states, after=after, limit=_PAGE):
        yield page
        after = page[-1].id


def _report_json(report: Report, *, dry_run: bool) -> dict[str, Any]:
    counts = {name: report.counts[name] for name in ("confirmed", "asked", "known", "left")}
    refused = [{"line": number, "reason": reason} for number, reason in report.refused]
    return {
        **counts,
        "refused": refused,
        "dry_run": dry_run,
        "marks": report.marks,
        "shared": report.shared,
        "mixed_alphabets": report.odd,
        "columns_unread": report.unread,
        "columns_of_addresses": report.rivals,
        "source": report.source,
        "sha256": report.sha256,
    }
