"""The process in which foreign bytes are read: limited in memory, killed from outside when it takes too long. No network."""

import gc
import pickle
import resource
import select
import struct
import sys
import traceback
import zoneinfo
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, BinaryIO

from digest.errors import ErrorKind, SourceError
from digest.model import Entry, Harvest
from digest.sources._kind import ParseContext
from digest.sources._page import main_feeds
from digest.sources._sound import sound
from digest.sources.discover import proposed
from digest.sources.kinds import KINDS, sniff

MOST_MEMORY = 1_500_000_000  # bytes of address space; a plain reader needs a tenth of it
IDLE_S = 60
LINKS, ANNOUNCED = "links", "announced"
_LENGTH = struct.Struct(">Q")
_NAMES = tuple(field.name for field in fields(Entry))
_VALUES = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True)
class Request:
    """kind "": to be found out from the bytes. LINKS, ANNOUNCED: only looked through for feeds and calendars."""

    kind: str
    body: bytes
    context: ParseContext


@dataclass(frozen=True, slots=True)
class Reply:
    """Either a harvest or a typed error; trace: for us, when it was a bug."""

    kind: str
    harvest: Harvest | None = None
    error_kind: ErrorKind | None = None
    message: str = ""
    trace: str = ""
    links: tuple[str, ...] = ()


def read(request: Request) -> Reply:
    """A bug in a reader is the misfortune of this source, told to its editor, and nobody else's."""
    kind = request.kind
    try:
        if kind == LINKS:
            return Reply(
                kind, links=tuple(proposed(request.body, request.context.url, request.context.headers))
            )
        if kind == ANNOUNCED:
            return Reply(
                kind, links=tuple(main_feeds(request.body, request.context.url, request.context.headers))
            )
        kind = kind or sniff(request.body, request.context.url)
        return Reply(kind, harvest=sound(KINDS[kind].parse(request.body, request.context)))
    except SourceError as error:
        return Reply(kind, error_kind=error.kind, message=str(error))
    except MemoryError:
        return Reply(
            kind,
            error_kind=ErrorKind.TOO_BIG,
            message="The answer needs more memory than we give to one source.",
        )
    except Exception as error:  # noqa: BLE001 foreign bytes: whatever they break, it is theirs alone
        message = f"The answer could not be read ({type(error).__name__}); please report this address to us."
        return Reply(kind, error_kind=ErrorKind.PARSE, message=message, trace=traceback.format_exc())


def receive(stream: BinaryIO) -> object:
    """Raises EOFError when the other side is gone."""
    thing, rows = pickle.loads(_whole(stream, _LENGTH.unpack(_whole(stream, _LENGTH.size))[0]))
    if not rows:
        return thing
    entries = tuple(Entry(**dict(zip(_NAMES, row, strict=True))) for row in rows)
    return replace(thing, harvest=replace(thing.harvest, entries=entries))


def _whole(stream: BinaryIO, size: int) -> bytes:
    """Not a byte more, from a stream that may give less at a time."""
    pieces, missing = [], size
    while missing:
        piece = stream.read(missing)
        if not piece:
            raise EOFError
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def send(stream: BinaryIO, thing: object) -> None:
    """Entries, of which there are many, as mere values: frozen dataclasses take five times as long."""
    rows: tuple[Any, ...] = ()
    if isinstance(thing, Reply) and thing.harvest:
        rows = tuple(map(_VALUES, thing.harvest.entries))
        thing = replace(thing, harvest=replace(thing.harvest, entries=()))
    data = pickle.dumps((thing, rows), protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def main() -> None:
    """Answers requests until its parent is gone or has had nothing to read for a minute."""
    zoneinfo.reset_tzpath(to=())
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.freeze()
    gc.set_threshold(
        100_000
    )  # an answer is read and gone: there is little to find, and looking costs a fifth of the time
    outlet = sys.stdout.buffer
    # Unbuffered: a next request that left the pipe early would not be seen to be there.
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as inlet:
        while select.select([inlet], [], [], IDLE_S)[0]:
            try:
                request = receive(inlet)
            except EOFError:
                return
            if isinstance(request, Request):
                send(outlet, read(request))


if __name__ == "__main__":
    from digest.sources import _child  # so that what is pickled has one name on both sides

    _child.main()
