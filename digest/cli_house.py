"""Commands for the house itself: demo, check, migrate, serve, backup, editors."""

import logging
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

import click

from digest.app import use_packaged_zones
from digest.cli_check import Finding, examine
from digest.cli_door import Door, as_json, pass_door, print_json, progress, say
from digest.config import Config
from digest.demo import DEFAULT_READERS, Demo, called_as
from digest.invite import INVITATION_LIVES, invite
from digest.mail.inbox import MOST_BYTES
from digest.model import Language, Role
from digest.serve import serve as serve_until_stopped


@click.command()
@click.option("--once", is_flag=True, help="End after sending; leave no site running.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="Port of the site; the next free one when it is taken.")  # fmt: skip
@click.option("--readers", type=click.IntRange(1, 100_000), default=DEFAULT_READERS, show_default=True,
              help="How many sample readers.")  # fmt: skip
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True,
              help="Where everything is made. An older demo there is replaced; any other folder is left alone.")  # fmt: skip
@pass_door
def demo(door: Door, once: bool, port: int, readers: int, folder: Path) -> None:
    """Show a month happen on a made-up community: no network, no mail server, no configuration."""
    use_packaged_zones()
    with Demo(folder, port=port, readers=readers, say=say) as running:
        running.run(sending=lambda total: progress("Sending", total=total))
        if not once:
            running.stay()


@click.command()
@as_json
@pass_door
def check(door: Door, as_json: bool) -> None:
    """Look after digest's health; status 1 when something is broken."""
    findings = examine(door.config_path)
    broken = any(finding.outcome == "fail" for finding in findings)
    if as_json:
        checks = [{"id": f.id, "outcome": f.outcome, "message": f.message} for f in findings]
        print_json({"ok": not broken, "checks": checks})
    else:
        for finding in findings:
            say(_line(finding))
        looks = any(finding.outcome == "warn" for finding in findings)
        say("Something is broken; see above." if broken else
            "Nothing is broken; some lines above want a look." if looks else "All is well.")  # fmt: skip
    click.get_current_context().exit(1 if broken else 0)


@click.command()
@pass_door
def migrate(door: Door) -> None:
    """Bring the database to this version; a copy of an older one is made first."""
    config = door.config()
    path = config.path(config.store.url).absolute()
    existed = path.exists()
    before = set(path.parent.glob(f"{path.name}.before-*"))
    door.open().close()
    copies = sorted(set(path.parent.glob(f"{path.name}.before-*")) - before)
    if copies:
        say(f"{path} was brought to this version. The copy made before: {copies[0]}")
    else:
        say(f"{path} {'is at this version' if existed else 'was made'}.")


@click.command()
@click.option("--host", help="Address to listen at; left out: [web] host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen at; left out: [web] port.")
@pass_door
def serve(door: Door, host: str | None, port: int | None) -> None:
    """Run the web site and the metronome until stopped."""
    if not door.debug:
        logging.getLogger().setLevel(logging.INFO)
    with door.open() as app:
        app.transport.ready()
        where = host or app.config.web.host
        number = app.config.web.port if port is None else port

        def ready(listening: int) -> None:
            say(f"The site is at {_address(where, listening)} (its public address: {app.config.list.url}).")
            advise(app.config, host=where)
            say("Stop it with Ctrl+C.")

        serve_until_stopped(app, host=where, port=number, on_ready=ready)
    say("Stopped.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_door
def backup(door: Door, file: Path) -> None:
    """Write a consistent copy of the database, while digest runs."""
    with door.open() as app:
        app.store.backup(file)
        key = (
            app.config.path(app.config.store.key_file)
            if app.config.store.key_file
            else app.store.path.with_suffix(".key")
        )
    say(f"The copy is {file}. Keep {key} with it: without the key the links in old letters stop working.")


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@pass_door
def inbound(door: Door, file: BinaryIO) -> None:
    """Take one letter that came in, from FILE or a pipe: grant a wish to leave, or note what came back; all else stays."""
    data = file.read(MOST_BYTES + 1)
    with door.open() as app:
        done = len(data) <= MOST_BYTES and app.take_letter(data)
    say("Done: its wish was granted, or its report noted." if done else "Nothing to do: people may read it.")


@click.group()
def editors() -> None:
    """Let editors in."""


@editors.command("invite")
@click.argument("address")
@click.option(
    "--role",
    type=click.Choice([str(one) for one in Role]),
    default=str(Role.APPROVER),
    show_default=True,
    help="What a new editor may do.",
)
@click.option(
    "--language",
    type=click.Choice([str(one) for one in Language]),
    default=str(Language.EN),
    show_default=True,
    help="Language of their desk.",
)
@pass_door
def invite_(door: Door, address: str, role: str, language: str) -> None:
    """Print a link that signs an editor in at the desk, once."""
    with door.open() as app:
        link = invite(
            app.store,
            app.links,
            address_text=address,
            role=Role(role),
            language=Language(language),
            now=app.clock(),
        )
    say(link)
    click.echo(
        f"It works once, within {INVITATION_LIVES.total_seconds() / 3600:.0f} hours, while the site runs.",
        err=True,
    )


def _line(finding: Finding) -> str:
    signs = {"pass": "ok", "fail": "BROKEN", "warn": "look", "not-checked": "not checked"}
    return f"{signs[finding.outcome]:<11}  {finding.id}: {finding.message}"


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


def advise(config: Config, *, host: str) -> None:
    """What somebody who starts the site should know of its configuration."""
    if not config.editors:
        say(
            f"No editor is named in the configuration. Let one in with: {called_as()} editors invite you@example.org"
        )
    if config.mail.transport == "folder":
        say(
            f"No letter leaves this machine: they are written to {config.path(config.mail.folder)} and shown at /outbox/."
        )
        if not _is_loopback(host):
            say(
                f"/outbox/ answers this machine only, though the site listens at {host}: its letters hold sign-in links."
            )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


COMMANDS = (demo, check, migrate, serve, backup, inbound, editors)
