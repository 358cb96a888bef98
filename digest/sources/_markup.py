"""Events stated inside a page: schema.org in JSON-LD and in microdata, as plain dictionaries. Pure; judges no dates."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from digest.sources._page import not_too_deep

MOST_DEPTH = 12
MOST_EVENTS = 500
LONGEST_PAGE = 3_000_000
LONGEST_TAG = 2_000  # characters of a <script …>
MOST_TRIES = 20  # empty values of one name, before a filled one is no longer looked for
_OPENS, _CLOSES = re.compile(r"<script\b", re.IGNORECASE), re.compile(r"</script\s*>", re.IGNORECASE)
_WRAPPING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>|;)\s*$")
_ODD_BACKSLASH = re.compile(r"\\(?![\"\\/bfnrtu])(?<!\\\\)")
_COMMENT = re.compile(r"^[ \t]*//[^\n]*", re.MULTILINE)
_NOTHING = re.compile(r"[\s,;]*")
_DECODER = json.JSONDecoder(strict=False)
_NOT_EVENTS = frozenset({"deliveryevent", "publicationevent", "usercomments", "userinteraction"})


def holds_events(body: bytes) -> bool:
    """A cheap look, before the page is taken for one of events."""
    head = body[:LONGEST_PAGE]
    return bool(re.search(rb"(schema\.org/|[\"'])[A-Za-z]*Event[\"'\s>]", head)) and (
        b"ld+json" in head or b"itemtype" in head.lower() or head.lstrip()[:1] in (b"{", b"[")
    )


def json_ld_events(text: str) -> tuple[list[dict[str, Any]], int]:
    """Every object whose type ends in Event, in order, and how many blocks were no JSON. Plain JSON (lines) will do."""
    blocks = _blocks(text) if "<" in text[:200] else iter((text,))
    found: dict[str, dict[str, Any]] = {}
    broken = 0
    for block in blocks:
        loaded = _loaded(block)
        if loaded is None:
            broken += bool(block.strip())
        for event in _events_in(loaded, 0):
            if len(found) == MOST_EVENTS:
                return list(found.values()), broken
            found.setdefault(repr(event), event)
    return list(found.values()), broken


def _blocks(text: str) -> Iterator[str]:
    """What stands between the tags of scripts of type ld+json; each character is looked at once."""
    at = 0
    while opening := _OPENS.search(text, at):
        at = opening.end()
        end = text.find(">", at, at + LONGEST_TAG)
        if end < 0 or "ld+json" not in text[at:end].lower():
            continue
        closing = _CLOSES.search(text, end)
        if closing is None:
            return
        yield text[end + 1 : closing.start()]
        at = closing.end()


def microdata_events(text: str) -> list[dict[str, Any]]:
    """itemscope with a type that ends in Event (HTML, section 5)."""
    tree = LexborHTMLParser(not_too_deep(text))
    scopes = tree.css("[itemscope][itemtype]")[: MOST_EVENTS * 10]
    return [_properties(node, 0) for node in scopes if is_event_type(node.attributes.get("itemtype"))][
        :MOST_EVENTS
    ]


def is_event_type(kind: Any) -> bool:
    """`Event`, `https://schema.org/MusicEvent`, or a list with one of these."""
    if isinstance(kind, list):
        return any(is_event_type(part) for part in kind)
    if not isinstance(kind, str):
        return False
    return any(
        (name := re.split(r"[/#:]", part)[-1].lower()).endswith(("event", "festival", "hackathon"))
        and name not in _NOT_EVENTS
        for part in kind.split()
    )


def _loaded(block: str) -> Any:
    """The block as JSON, mended where web pages like to break it: commas at ends, comments, odd backslashes; or several
    values one after the other."""
    text = _WRAPPING.sub("", _WRAPPING.sub("", block)).strip()
    mended = re.sub(r",(\s*[}\]])", r"\1", _ODD_BACKSLASH.sub("", text))
    for attempt in (text, mended, _without_comments(mended)):
        try:
            return _values(attempt)
        except (ValueError, RecursionError):
            continue
    return None


def _without_comments(text: str) -> str:
    first, *others = text.split("/*")
    kept = [first, *(rest for other in others for rest in other.split("*/", 1)[1:])]
    return _COMMENT.sub("", "".join(kept))


def _values(text: str) -> list[Any]:
    """Raises ValueError."""
    found, at = [], _NOTHING.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        value, at = _DECODER.raw_decode(text, at)
        found.append(value)
        at = _NOTHING.match(text, at).end()  # type: ignore[union-attr]
    return found


def _events_in(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > MOST_DEPTH:
        return
    if isinstance(value, list):
        for part in value:
            yield from _events_in(part, depth + 1)
    elif isinstance(value, dict):
        if is_event_type(value.get("@type")) and (value.get("startDate") or value.get("name")):
            yield value
        for name, part in value.items():
            if isinstance(part, dict | list) and name != "superEvent":
                yield from _events_in(part, depth + 1)


def _properties(scope: LexborNode, depth: int) -> dict[str, Any]:
    """The itemprops of one scope; a scope inside is a value of its own. The first of several values counts."""
    found: dict[str, Any] = {"@type": scope.attributes.get("itemtype") or ""}
    tries: Counter[str] = Counter()
    waiting = list(scope.iter(include_text=False))[::-1]
    while waiting:
        node = waiting.pop()
        inner = "itemscope" in node.attributes
        for name in (node.attributes.get("itemprop") or "").split()[:5]:
            if found.get(name) or len(tries) > MOST_EVENTS or tries[name] >= MOST_TRIES:
                continue
            tries[name] += 1
            if value := (_properties(node, depth + 1) if inner and depth < MOST_DEPTH else _value(node)):
                found[name] = value
        if not inner:
            waiting += list(node.iter(include_text=False))[::-1]
    if depth and len(found) == 1:
        found["name"] = scope.text(deep=True, separator=" ").strip()
    return found


def _value(node: LexborNode) -> str:
    attributes = node.attributes
    for name in ("content", "datetime"):
        if attributes.get(name):
            return str(attributes[name])
    if node.tag in ("a", "link", "area"):
        return attributes.get("href") or ""
    if node.tag in ("img", "iframe", "source"):
        return attributes.get("src") or ""
    return " ".join(node.text(deep=True, separator=" ").split())
