"""What the page behind a suggested link says of itself. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """Each empty or None where the page is silent. language: two or three letters."""

    title: str = ""
    author: str = ""
    language: str | None = None
