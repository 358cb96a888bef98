"""Commands for readers: subscribers add, import, export, list, stats, forget. Addresses are shown here, to the operator, only."""

import sys
from collections import Counter
from typing import Any

import click

from digest.cli_door import Door, as_json, columns, pass_door, print_json, say
from digest.cli_roster import basis_option, everyone, export, import_, language_option, origin_option
from digest.model import Language, Reading, SubscriberState
from digest.rules.jurisdictions import jurisdiction

_NOTHING_CHANGED = "; nothing was changed."
_KNOWN = {
    SubscriberState.CONFIRMED: f"Known already, and gets the letter{_NOTHING_CHANGED}",
    SubscriberState.SUSPENDED: f"Known already, but letters to this address came back{_NOTHING_CHANGED}",
    SubscriberState.WAITING: f"Known already, and waits for an editor at the desk{_NOTHING_CHANGED}",
    SubscriberState.ASKED: "Known already, and asked already; they have still to confirm.",
}


@click.group()
def subscribers() -> None:
    """Add, import, export, list, count and forget readers."""


@subscribers.command()
@click.argument("address")
@basis_option
@origin_option
@language_option
@pass_door
def add(door: Door, address: str, basis: str, origin: str, language: str | None) -> None:
    """Bring in one person. Express consent confirms; implied consent only asks."""
    with door.open() as app:
        before = app.join.knows(address)
        added = app.join.add(address, basis=basis, origin=origin, language=language)
    if before is not None and before.state is added.state:
        say(_KNOWN[added.state])
    elif added.state is SubscriberState.CONFIRMED:
        say(f"Confirmed: gets the letter in {_language_name(added.language)}.")
    else:
        say(
            "Asked: a letter with a link to confirm leaves while digest serve runs; nothing else is sent until they do."
        )


@subscribers.command("list")
@click.option(
    "--state", type=click.Choice([str(one) for one in SubscriberState]), help="Only readers in this state."
)
@pass_door
def list_(door: Door, state: str | None) -> None:
    """Show the readers: number, state, language, address."""
    states = {SubscriberState(state)} if state else None
    with door.open() as app:
        rows = [[str(r.id), r.state, r.language, r.address.reveal()] for r in everyone(app, states)]
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


def _language_name(reading: Reading) -> str:
    return " and ".join({Language.EN: "English", Language.FR: "French"}[one] for one in reading.languages)


for moving in (import_, export):
    subscribers.add_command(moving)

COMMANDS = (subscribers,)
