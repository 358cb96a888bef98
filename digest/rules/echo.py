"""A letter that comes back, or is complained of or answered, proves that ours arrived: its marks are looked for. Pure.

Only marks that we signed count, and they prove arrival alone: what a report says of the reader is for people to judge.
"""

import re
from typing import NamedTuple

_RETURN = re.compile(rb"\+([a-z0-9]{16,40})@", re.IGNORECASE)
_MESSAGE = re.compile(rb"<(\d{1,10}\.\d{1,18}\.[0-9a-f]{16}@[^<>\s]{1,255})>")
_NOTICE = re.compile(rb"<(notice\.\d{1,18}\.[0-9a-f]{16}@[^<>\s]{1,255})>")
_MOST = 50  # marks that are looked at in one letter


class Marks(NamedTuple):
    """returns: of our envelope's sender (VERP); messages: Message-IDs of ours, notices: those of one-off letters. None is
    proven yet."""

    returns: tuple[str, ...]
    messages: tuple[str, ...]
    notices: tuple[str, ...] = ()


def marks(data: bytes) -> Marks:
    """As they stand anywhere in it: in its address, its references, the headers that it gives back."""
    returns = dict.fromkeys(found.decode("ascii").lower() for found in _RETURN.findall(data)[:_MOST])
    messages = dict.fromkeys(found.decode("ascii", "replace") for found in _MESSAGE.findall(data)[:_MOST])
    notices = dict.fromkeys(found.decode("ascii", "replace") for found in _NOTICE.findall(data)[:_MOST])
    return Marks(tuple(returns), tuple(messages), tuple(notices))
