"""The command for an old copy of the database that was put back: says what may have left since, sends nothing."""

from typing import TextIO

import click

from digest.cli_door import Door, pass_door, say


@click.command()
@click.option("--log", type=click.File("r", errors="replace"),
              help="A log of the mail server: letters named in it have left, all others have not.")  # fmt: skip
@click.option("--nothing-left", is_flag=True, help="You know that no letter left after the copy was made.")
@pass_door
def reconcile(door: Door, log: TextIO | None, nothing_left: bool) -> None:
    """After an old copy of the database was put back: settle which letters have left, so that sending may go on.

    Without an option every letter that the copy did not know the end of is in doubt, listed, and not sent by itself.
    """
    if log is not None and nothing_left:
        raise click.UsageError("--log and --nothing-left say different things; name one.")
    with door.open() as app:
        if not app.send.restored.must_be_settled():
            say("This database knows of all that was sent; there is nothing to settle.")
            return
        done = app.send.restored.settle(nothing_left=nothing_left, log=log)
    if log is not None:
        say(f"{done.found} letters were found in the log; they will not be sent again.")
    elif nothing_left:
        say("Sending may go on where the copy stands.")
    else:
        say(
            f"{done.doubtful} letters may have left since; they are in doubt: see digest status, or the desk."
        )
    for period in done.unknown:
        say(
            f"{period} began to leave after this copy was made, which knows nothing of it. Do not send it again."
        )
    say("People who left or joined since the copy was made are not known here: tell those you know of.")


COMMANDS = (reconcile,)
