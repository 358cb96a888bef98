"""Whether an address that readers will follow answers. It reads no content, and goes nowhere the collector may not go."""

import re

from digest.errors import ErrorKind, SourceError
from digest.sources._http import Client, Manners


class Answering:
    """Asks web addresses with the collector's own client: its pauses, its time limit, its guard. Threads may share it."""

    def __init__(self, manners: Manners, *, user_agent: str, ca_file: str | None = None) -> None:
        self._client = Client(manners, user_agent=user_agent, ca_file=ca_file)

    def look(self, url: str) -> str:
        """`ok`, a status as `404`, or the name of an ErrorKind. A page too large to read is a page."""
        try:
            self._client.get(url)
        except SourceError as error:
            if error.kind is ErrorKind.TOO_BIG:
                return "ok"
            status = re.search(r"\((\d{3})\)", str(error))
            return status.group(1) if status else error.kind.value
        return "ok"
