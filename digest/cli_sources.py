"""Commands for where things come from: sources add, list, pause, resume, remove, move, import, export."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click

from digest.app import App
from digest.cli_door import Door, as_json, columns, pass_door, print_json, say
from digest.collect_adopt import Adopt, Proposal
from digest.errors import InputRefused
from digest.model import Source
from digest.rules.plan import has_gap, moved_for_good
from digest.rules.visit_words import in_words
from digest.words import Words


def adopting(app: App) -> Adopt:
    return Adopt(app.store, app.collect, clock=app.clock)


@click.group()
def sources() -> None:
    """Look after the sources: those of config.toml, and those added here or at the desk."""


name_argument = click.argument("name", metavar="SOURCE")


@sources.command()
@click.argument("url", metavar="URL")
@click.option("--dry-run", is_flag=True, help="Only say what is there.")
@click.option("--exactly", is_flag=True, help="Take what stands at this address, not the feed it announces.")
@click.option("--name", help="What editors call it; left out: its own title.")
@click.option("--section", help="coming-up, worth-reading or calls; left out: by what each item is.")
@as_json
@pass_door
def add(
    door: Door, url: str, dry_run: bool, exactly: bool, name: str | None, section: str | None, as_json: bool
) -> None:
    """Find the feed or calendar behind any address, and collect it from now on."""
    with door.open() as app:
        adopt = adopting(app)
        proposal = adopt.look(url, exactly=exactly)
        source = None if dry_run else adopt.add(proposal, name=name, section=section)
    if as_json:
        print_json({"added": source is not None, "source": _proposed(proposal, source)})
        return
    for line in told(proposal):
        say(line)
    if source is not None:
        say(
            f'Added as "{source.name}". It is visited at the next round, or now with: digest collect "{source.name}"'
        )


@sources.command("list")
@as_json
@pass_door
def list_(door: Door, as_json: bool) -> None:
    """Show all sources and how each is doing."""
    with door.open() as app:
        now, found = app.clock(), app.store.sources.all()
        words = Words(app.config.list.languages[0])
    if as_json:
        print_json({"sources": [_stated(source, now=now) for source in found]})
        return
    for line in columns([[s.name, s.kind or "?", condition(s, words, now=now), s.url] for s in found]):
        say(line)
    if not found:
        say("There is no source yet. Add one with: digest sources add URL")


@sources.command()
@name_argument
@pass_door
def pause(door: Door, name: str) -> None:
    """Stop visiting a source until it is resumed."""
    with door.open() as app:
        adopting(app).pause(name)
    say(f'"{name}" is paused. Go on with: digest sources resume "{name}"')


@sources.command()
@name_argument
@pass_door
def resume(door: Door, name: str) -> None:
    """Visit a paused source again."""
    with door.open() as app:
        adopting(app).pause(name, paused=False)
    say(f'"{name}" is visited again.')


@sources.command()
@name_argument
@pass_door
def remove(door: Door, name: str) -> None:
    """Forget a source that was added here or at the desk; what came from it stays."""
    with door.open() as app:
        adopting(app).remove(name)
    say(f'"{name}" is no longer visited; its posts and events stay.')


@sources.command()
@name_argument
@pass_door
def move(door: Door, name: str) -> None:
    """Take the new address that a source has been redirecting to for good."""
    with door.open() as app:
        source = adopting(app).accept_move(name)
    say(f'"{name}" is now collected from {source.url}')


@sources.command("import")
@click.argument("file", type=click.File("rb"))
@pass_door
def import_(door: Door, file: BinaryIO) -> None:
    """Add the sources of an OPML file, as other readers export it."""
    with door.open() as app:
        added, left, unusable = adopting(app).bring(file.read())
    say(f"{len(added)} added, {len(left)} left out: collected already.")
    if unusable:
        say(f"{unusable} more left out: no address on the web.")


@sources.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@pass_door
def export(door: Door, file: Path | None) -> None:
    """Write all sources as OPML, into FILE or to standard output."""
    with door.open() as app:
        body = adopting(app).listed(title=app.config.list.name.in_(app.config.list.languages[0]))
    if file is None:
        click.echo(body.decode(), nl=False)
    else:
        try:
            file.write_bytes(body)
        except OSError as error:
            raise InputRefused(f"{file} cannot be written: {error.strerror}.") from error
        say(f"Written: {file}")


def told(proposal: Proposal) -> list[str]:
    """What was found, for a person."""
    spoken = proposal.language or proposal.heard
    language = {"en": "in English", "fr": "in French", None: "in a language it does not say"}.get(
        spoken, f"in the language “{spoken}”"
    )
    if spoken and not proposal.language and not proposal.throughout:
        language = f"mostly {language}"
    newest = f", the newest of {proposal.newest:%Y-%m-%d}" if proposal.newest else ""
    lines = [f"Found: {proposal.name} ({proposal.kind}) at {proposal.url}"]
    lines.append(f"{counted(proposal)}, {language}{newest}.")
    lines += [f"  {title}" for title in proposal.titles]
    if proposal.known:
        lines.append(f'It is collected already, as "{proposal.known}".')
    for other in proposal.others:
        lines.append(f"Another way: {other.kind}, {counted(other)}.")
        lines.append(f"  To take it instead: digest sources add --exactly {shlex.quote(other.url)}")
    return lines


def counted(proposal: Proposal) -> str:
    counts = [
        f"{n} {noun}{'' if n == 1 else 's'}"
        for n, noun in ((proposal.posts, "post"), (proposal.events, "event"))
        if n
    ]
    return " and ".join(counts) or "Nothing in it yet"


def condition(source: Source, words: Words, *, now: datetime) -> str:
    """How a source is doing, in one sentence."""
    if source.paused and source.last_error_kind == "gone":
        return words("sources.paused_gone")
    if source.paused:
        return words("sources.paused")
    if source.fail_count and source.last_error_kind:
        return in_words(source.last_error, source.last_error_kind, words)
    if moved := moved_for_good(source, now=now):
        return words("sources.moved", url=moved)
    if has_gap(source, now=now):
        return words("sources.gap")
    if source.left_out:
        return words("sources.left_out", n=source.left_out)
    return words("sources.well" if source.last_ok_at else "sources.not_yet")


def _proposed(proposal: Proposal, source: Source | None) -> dict[str, Any]:
    return {
        "name": source.name if source else proposal.name, "url": proposal.url, "kind": proposal.kind,
        "language": proposal.language, "posts": proposal.posts, "events": proposal.events,
        "newest": proposal.newest.isoformat() if proposal.newest else None, "known": proposal.known,
        "others": [_proposed(other, None) for other in proposal.others],
    }  # fmt: skip


def _stated(source: Source, *, now: datetime) -> dict[str, Any]:
    return {
        "name": source.name, "url": source.url, "kind": source.kind or None, "language": source.language,
        "added": source.added, "paused": source.paused, "failures": source.fail_count,
        "failing_since": _iso(source.failing_since), "last_ok": _iso(source.last_ok_at), "next": _iso(source.next_at),
        "error": {"kind": source.last_error_kind, "message": source.last_error} if source.fail_count else None,
        "left_out": source.left_out, "moved_to": moved_for_good(source, now=now), "possible_gap": has_gap(source, now=now),
    }  # fmt: skip


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


COMMANDS = (sources,)
