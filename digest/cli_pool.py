"""Commands for what comes in: collect, items."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from digest import cli_json
from digest.cli_door import Door, as_json, columns, pass_door, period_option, print_json, progress, say
from digest.model import Item, ItemKind, Language, Period, Visit, VisitOutcome
from digest.rules.assemble import month
from digest.words import Words

_LONG_AGO, _FAR_OFF = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every source, also those that are not due.")
@as_json
@pass_door
def collect(door: Door, sources: tuple[str, ...], every: bool, as_json: bool) -> None:
    """Visit the sources that are due, or the ones named. Ends with 1 when every one that was visited failed."""
    with door.open() as app:
        total = len(sources) or len(app.store.sources.all())
        for source in app.store.sources.all() if sources and not as_json else ():
            if source.name in sources and source.paused:
                say(f'"{source.name}" is paused; it is visited this once because you named it.')
        with progress("Collecting", total=total, quiet=as_json) as step:
            done: list[Visit] = []

            def heard(visit: Visit) -> None:
                done.append(visit)
                step(len(done), visit_line(visit))

            visits = app.collect.visit(sources, every=every, on_visit=heard)
    if as_json:
        print_json(cli_json.visits(visits))
    else:
        say(visits_line(visits))
    visited = [visit for visit in visits if visit.outcome is not VisitOutcome.WAITING]
    failed = [visit.source.name for visit in visited if visit.outcome is VisitOutcome.FAILED]
    if failed:
        click.echo(failed_line(failed, visited=len(visited)), err=True)
        click.get_current_context().exit(1 if len(failed) == len(visited) else 0)


@click.command()
@period_option("Posts dated and events taking place in this month.")
@as_json
@pass_door
def items(door: Door, period: Period | None, as_json: bool) -> None:
    """Show what is in the pool: posts and events."""
    with door.open() as app:
        zone = app.config.list.timezone
        start, end = month(period, ZoneInfo(zone)) if period else (_LONG_AGO, _FAR_OFF)
        found = app.store.items.all_between(start, end)
    if as_json:
        print_json(cli_json.items(found, zone=zone))
        return
    if not found:
        say("The pool is empty. Fill it with: digest collect")
    for line in columns([_row(item, zone) for item in found]):
        say(line)


def visit_line(visit: Visit) -> str:
    """One visit in words."""
    name = visit.source.name
    if visit.outcome is VisitOutcome.FAILED:
        return f"{name}: {visit.error} ({visit.error_kind})"
    if visit.outcome is VisitOutcome.WAITING:
        return f"{name}: not due yet"
    if visit.outcome is VisitOutcome.UNCHANGED:
        return f"{name}: nothing new{_left_out(visit)}"
    changed = f", {visit.updated} changed" if visit.updated else ""
    return f"{name}: {visit.new} new{changed}{_left_out(visit)}"


def _left_out(visit: Visit) -> str:
    """What of its answer could not be read, and the first of it."""
    if not visit.left_out:
        return ""
    words, source = Words(Language.EN), visit.source
    count = words("sources.left_out", n=visit.left_out)
    return f". {count} {words(f'sources.left_{source.left_out_why}', what=source.left_out_first)}"


def visits_line(visits: list[Visit]) -> str:
    """All visits in one sentence."""
    if not visits:
        return "No source is due. Visit them all the same with: digest collect --all"
    visited = [visit for visit in visits if visit.outcome is not VisitOutcome.WAITING]
    failed = sum(visit.outcome is VisitOutcome.FAILED for visit in visits)
    new, changed = sum(visit.new for visit in visits), sum(visit.updated for visit in visits)
    waiting = len(visits) - len(visited)
    parts = [
        f"{_many(len(visited), 'source')} visited",
        f"{new} new",
        f"{changed} changed",
        f"{failed} failed",
    ]
    return ", ".join(parts + ([f"{waiting} not due"] if waiting else [])) + "."


def failed_line(names: list[str], *, visited: int) -> str:
    """Who failed, for whoever reads what cron sends."""
    return f"{len(names)} of {_many(visited, 'visited source')} failed: {', '.join(names)}. See: digest sources list"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _row(item: Item, zone: str) -> list[str]:
    if item.kind is ItemKind.EVENT and item.occasion is not None:
        own = item.occasion.starts.astimezone(ZoneInfo(item.occasion.timezone))
        when = f"{own:%Y-%m-%d}" if item.occasion.all_day else f"{own:%Y-%m-%d %H:%M}"
    else:
        when = f"{(item.published or item.first_seen).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    also = f" (also in {', '.join(item.also_in)})" if item.also_in else ""
    return [str(item.id), item.kind, when, item.source + also, item.title]


COMMANDS = (collect, items)
