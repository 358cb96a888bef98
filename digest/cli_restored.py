"""The command for an old copy of the database that was put back: says what may have left since, sends nothing."""

from typing import TextIO

import click

from digest.cli_door import Door, pass_door, say

_LEFT = "{period} began to leave after this copy was made, which knows nothing of it. It is neither approved nor sent."


@click.command()
@click.option("--log", type=click.File("r", errors="replace"),
              help="A log of the mail server, of letters that left: lines with message-id=<…>, each of a letter that a "
                   "further line says was accepted or queued. Letters named have left; all others are in doubt.")  # fmt: skip
@click.option("--nothing-left", is_flag=True,
              help="You know that no letter left after the copy was made; with --log, none but those named in it.")  # fmt: skip
@pass_door
def reconcile(door: Door, log: TextIO | None, nothing_left: bool) -> None:
    """After an old copy of the database was put back: settle which letters have left, so that sending may go on.

    Without an option every letter that the copy did not know the end of is in doubt, listed, and not sent by itself;
    a month that began to leave after the copy was made can be neither approved nor sent, until --nothing-left.
    """
    with door.open() as app:
        waits = app.send.restored.barred()
        if not app.send.restored.must_be_settled() and not (waits and nothing_left):
            for period in waits:
                say(_LEFT.format(period=period))
            say("This database knows of all that was sent; there is nothing to settle.")
            return
        done = app.send.restored.settle(nothing_left=nothing_left, log=log)
    if log is not None:
        say(f"{done.found} letters were found in the log; they will not be sent again.")
    if done.doubtful or not nothing_left:
        say(
            f"{done.doubtful} letters may have left since; they are in doubt: see digest status, or the desk."
        )
    else:
        say("Sending may go on where the copy stands.")
    for period in done.unknown:
        say(_LEFT.format(period=period))
    say("People who left or joined since the copy was made are not known here: tell those you know of.")


COMMANDS = (reconcile,)
