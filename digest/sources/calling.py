"""Posting to an address that the operator named. It goes nowhere the collector may not go, and reads no more than whether."""

from collections.abc import Mapping

from digest.sources._http import Client, Manners


class Calling:
    """The collector's own client: its time limit, its guard against private addresses."""

    def __init__(self, manners: Manners, *, user_agent: str, ca_file: str | None = None) -> None:
        self._client = Client(manners, user_agent=user_agent, ca_file=ca_file)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Raises SourceError unless it was taken."""
        self._client.post(url, body, headers=headers)
