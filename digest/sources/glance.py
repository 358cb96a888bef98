"""A page that somebody suggests: its title, author and language, as it says itself. Nothing else is read, nothing is kept.

The address is a stranger's, so no private address is visited, whatever the operator allows for sources of their own.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from digest.errors import ErrorKind, SourceError
from digest.rules.lookup import Glimpse
from digest.rules.text import language_of, language_tag, one_line, title_text
from digest.sources._http import Client, Manners
from digest.sources._page import challenge, is_challenge, is_html

LONGEST_HEAD = 600_000
MOST_BYTES = 2_000_000
LONGEST_WAIT_S = 10.0
_LD = re.compile(r"<script\b[^>]*ld\+json[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Strict:
    """The manners of the collector, without its doors to private addresses, and in more of a hurry."""

    timeout_s: float
    max_bytes: int
    delay_s: float
    allow_private: bool | tuple[str, ...] = ()


class Glance:
    """Asks with the collector's own client. Threads may share it."""

    def __init__(self, manners: Manners, *, user_agent: str, ca_file: str | None = None) -> None:
        self._client = Client(manners, user_agent=user_agent, ca_file=ca_file)

    @classmethod
    def of_strangers(cls, manners: Manners, *, user_agent: str) -> "Glance":
        strict = Strict(min(manners.timeout_s, LONGEST_WAIT_S), MOST_BYTES, manners.delay_s)
        return cls(strict, user_agent=user_agent)

    def look(self, url: str) -> Glimpse:
        """Raises SourceError: nothing answered, it is no web page, or it asks for a human."""
        answer = self._client.get(url)
        if is_challenge(answer.body, answer.headers):
            raise challenge(answer.url)
        if not is_html(answer.body):
            raise SourceError(ErrorKind.NOT_A_FEED, "The address is no web page.")
        return glimpse(answer.body)


def glimpse(body: bytes) -> Glimpse:
    """What a page says of itself. Pure; anything may be missing."""
    text = body[:LONGEST_HEAD].decode("utf-8-sig", "replace")
    tree = LexborHTMLParser(text)
    said: dict[str, str] = {}
    for node in tree.css("meta[content]"):
        name = (node.attributes.get("property") or node.attributes.get("name") or "").lower()
        said.setdefault(name, node.attributes.get("content") or "")
    heading = tree.css_first("title")
    title = said.get("og:title") or said.get("twitter:title") or (heading.text() if heading else "")
    root = tree.css_first("html")
    tag = (root.attributes.get("lang") if root else "") or said.get("og:locale") or ""
    shown = title_text(title)
    return Glimpse(
        title=shown,
        author=_author(said, text),
        language=language_tag(tag) or language_of(f"{shown} {said.get('og:description', '')}"),
    )


def _author(said: dict[str, str], text: str) -> str:
    """By a meta element, else by JSON-LD; an address of a profile is no name."""
    for name in ("author", "article:author", "parsely-author", "twitter:data1", "dc.creator"):
        found = title_text(said.get(name))[:100]
        if found and "://" not in found and not re.search(r"\d+ min", found):
            return found
    for block in _LD.findall(text)[:10]:
        try:
            found = one_line(_named(json.loads(block, strict=False), depth=0))[:100]
        except (ValueError, RecursionError):
            continue
        if found:
            return found
    return ""


def _named(value: Any, *, depth: int) -> str:
    """The first author's name in JSON-LD, wherever it stands."""
    if depth > 6:
        return ""
    if isinstance(value, list):
        return next((found for part in value[:50] if (found := _named(part, depth=depth + 1))), "")
    if not isinstance(value, dict):
        return ""
    author = value.get("author")
    first = author[0] if isinstance(author, list) and author else author
    name = first.get("name") if isinstance(first, dict) else first
    if isinstance(name, str) and name and "://" not in name:
        return title_text(name)
    return _named(value.get("@graph"), depth=depth + 1)
