"""Moving house: subscribers import and export, in the shapes of other programs. Files with addresses are private (0600)."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import click

from digest.app import App
from digest.cli_door import Door, Step, as_json, interruptible, pass_door, print_json, progress, say
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
_FOREIGN = (
    "Take care: {n} that must never be written to again {are} known in this list by a keyed fingerprint alone, made with "
    "another key. Nothing here keeps {them} out, and a later list can bring {them} back. With the old subscribers.key in "
    "place before the database is made, the same list keeps {them} out."
)
_KEYED = "{n} that must never be written to again {are} known here by a keyed fingerprint alone. "
_LEFT_BEHIND = _KEYED + (
    "No other program can read that, so {they} {are} not in this file: a later list there can bring {them} back. The open "
    "JSON (--as json) takes {them} along, together with the file subscribers.key."
)
_NEED_KEY = _KEYED + (
    "This file takes {them} along, but keeps nobody out of a new house unless the file subscribers.key goes along too: in its "
    "place there before the database is made."
)
_NO_WORD = "{n} who left here {are} not in this file, since it has no word for that; keep {them} out in the other place by hand."
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
    """Somebody pressed Ctrl+C; how many lines or people were done by then, of how many."""


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
@click.option(
    "--without-suppressions", is_flag=True,
    help="Bring in our own JSON although its suppressions were made with another key and keep nobody out here.",
)  # fmt: skip
@as_json
@pass_door
def import_(
    door: Door, file: Any, basis: str, origin: str, language: str | None, dry_run: bool, rejects: Path | None,
    without_suppressions: bool, as_json: bool,
) -> None:  # fmt: skip
    """Bring in a CSV file with a column "email", a plain list of addresses, or the JSON of our own export; - reads
    standard input.

    Files of Mailchimp, Substack, Ghost, listmonk, Mailman, Buttondown, Keila and Constant Contact are recognised by
    their header: who left, bounced or complained there is kept out here. Cut off, run it again.
    """
    with interruptible() as is_stopped:
        data = file if file.seekable() else io.BytesIO(file.read())

        def tell(done: int, total: int) -> None:
            if not done:
                steps.append(shown.enter_context(progress("Importing", total=total, quiet=as_json)))
            steps[-1](done, "")
            if done < total and is_stopped():
                raise _Stopped(done, total)

        steps = list[Step]()
        try:
            with door.open() as app, _rejects(rejects) as write_reject, ExitStack() as shown:
                report = bring(
                    data, join=app.join, store=app.store, basis=basis, origin=origin, language=language,
                    dry_run=dry_run, lets_go=without_suppressions, on_progress=tell, on_refused=write_reject,
                )  # fmt: skip
        except _Stopped as stopped:
            done, total = stopped.args
            click.echo(_DRY_STOPPED if dry_run else f"Stopped at {done} of {total}. {_GOES_ON}", err=True)
            click.get_current_context().exit(130)
    if as_json:
        print_json(_report_json(report, dry_run=dry_run))
        return
    _tell(report, dry_run=dry_run, rejects=rejects)


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
        say(
            f"{report.marks} keyed fingerprints of people who may not come back came along; they keep them out here too."
        )
    if report.foreign:
        click.echo(_counted(_FOREIGN, report.foreign), err=True)
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
            written = _write(app, sys.stdout, shape)
        else:
            with _private(file) as out:
                written = _write(app, out, shape)
            say(
                f"{written.readers} readers written to {file}. It holds addresses: keep it as you keep the database."
            )
    if written.keyed:
        click.echo(_counted(_NEED_KEY if shape == "json" else _LEFT_BEHIND, written.keyed), err=True)
    if written.unsaid:
        click.echo(_counted(_NO_WORD, written.unsaid, what=("person", "people")), err=True)


class _Written(NamedTuple):
    """readers: in the file. unsaid: who left, and is not in it. keyed: whom nothing but the suppression list knows."""

    readers: int
    unsaid: int
    keyed: int


def _counted(text: str, n: int, *, what: tuple[str, str] = ("address", "addresses")) -> str:
    if n == 1:
        return text.format(n=f"1 {what[0]}", are="is", they="it", them="it")
    return text.format(n=f"{n} {what[1]}", are="are", they="they", them="them")


def _write(app: App, out: IO[str], name: str) -> _Written:
    if name == "json":
        return _write_json(app, out)
    shape, count, unsaid = shapes()[name], 0, 0
    rows = csv.writer(out, lineterminator="\n")
    if shape.header:
        rows.writerow(shape.header)
    for reader in everyone(app):
        row = cells(shape, reader)
        if row is not None:
            rows.writerow(row)
            count += 1
        elif reader.state is SubscriberState.LEFT:
            unsaid += 1
    return _Written(count, unsaid, _keyed(app))


def _keyed(app: App) -> int:
    """How many are known by their mark alone: who left with a row here has an address in every file that can say so."""
    named = 0
    for page in _pages(app, {SubscriberState.LEFT, SubscriberState.SUSPENDED}):
        named += len(app.store.roster.suppressed(app.join.marks([reader.address.key for reader in page])))
    return app.store.suppressions.count() - named


def _write_json(app: App, out: IO[str]) -> _Written:
    """One object; a reader a line, so that it is written and can be read as a stream."""
    count = 0
    head = {
        "format": "digest-readers/1", "exported_at": app.clock().isoformat(), "key": app.join.key_name(),
        "marks": app.store.suppressions.count(),
    }  # fmt: skip
    out.write(f'{json.dumps(head)[:-1]}, "readers": [')
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
    return _Written(count, 0, _keyed(app))


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
        "marks_of_another_key": report.foreign,
        "shared": report.shared,
        "mixed_alphabets": report.odd,
        "columns_unread": report.unread,
        "columns_of_addresses": report.rivals,
        "source": report.source,
        "sha256": report.sha256,
    }
