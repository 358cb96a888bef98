"""What a kind of source is: a name, a version and a pure reader of bytes. Nothing here asks the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digest.model import Harvest

MOST_ENTRIES = 500  # of one answer; the newest are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseContext:
    """Around the bytes of an answer. url: where they came from, after redirects. horizon: series are expanded up to it.

    language, timezone: the source's, taken when the answer names none. headers: lower-case names. of_events: the dates of
    its feed are beginnings, as an earlier answer has shown.
    """

    url: str
    now: datetime
    horizon: datetime
    language: str | None = None
    timezone: str = "UTC"
    headers: Mapping[str, str] = field(default_factory=dict)
    of_events: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """version: raised with every change of the reader that may read an unchanged answer differently.

    parse: raises SourceError. claims: whether an address is of this kind without looking. prepare: the address to ask
    for, given the one a person pasted.
    """

    name: str
    version: str
    parse: Callable[[bytes, ParseContext], Harvest]
    claims: Callable[[str], bool]
    prepare: Callable[[str], str]
