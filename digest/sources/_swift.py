"""Plain, well-formed RSS 2.0 and Atom read in a fifth of feedparser's time, to the same words. In any doubt: None, never a guess.

What comes out has the names that feedparser gives, so that feed.py reads both alike; tests hold both to the same entries,
file by file. feedparser's own habits are kept where they show: a guid lends its address to an entry without a link, text
that was encoded as UTF-8 twice is mended.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

_ATOM = "http://www.w3.org/2005/Atom"
_CORE = ("", _ATOM)
_SPELLED = {
    "http://purl.org/rss/1.0/modules/content/ encoded": "content:encoded",
    "http://purl.org/dc/elements/1.1/ creator": "author",
    "http://purl.org/dc/elements/1.1/ date": "updated",
}
_SILENT_SPACES = frozenset(
    {
        "http://wellformedweb.org/commentAPI/",
        "http://purl.org/rss/1.0/modules/slash/",
        "http://purl.org/rss/1.0/modules/syndication/",
        "http://purl.org/syndication/thread/1.0",
        "http://www.georss.org/georss",
        "http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html",
        "com-wordpress:feed-additions:1",
    }
)  # elements of these say nothing that we read
_SILENT_NAMES = """
  comments enclosure source generator docs rating skiphours skipdays cloud image copyright rights webmaster contributor
  icon logo subtitle
"""
_SILENT = frozenset(_SILENT_NAMES.split())
_SILENT_IN_FEED = frozenset({"description", "pubdate", "lastbuilddate", "updated", "category"})
_TEXTS = {
    "title": "title", "link": "link", "guid": "id", "id": "id", "description": "summary", "summary": "summary",
    "content": "content", "content:encoded": "content", "pubdate": "published", "published": "published", "updated": "updated",
    "author": "author", "category": "category", "language": "language", "ttl": "ttl", "name": "name", "email": "email",
}  # fmt: skip
_IN_FEED = frozenset({"title", "link", "id", "author", "language", "ttl"})
_IN_ENTRY = frozenset(
    {"title", "link", "id", "summary", "content", "published", "updated", "author", "category"}
)
_PLAIN_IN_ENTRY = {  # most elements, told by their whole name
    **{name: name for name in ("title", "link", "guid", "description", "author", "category")},
    **{f"{_ATOM} {name}": name for name in ("title", "id", "published", "updated", "author")},
    "pubDate": "pubdate",
    **_SPELLED,
}
_ENTRIES = frozenset({"item", "entry"})
_HOMES = {"channel": ["rss"], "item": ["rss", "channel"], "entry": ["feed"]}
_TYPES = {
    None: "text/plain", "text": "text/plain", "text/plain": "text/plain", "html": "text/html", "text/html": "text/html",
}  # fmt: skip
_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d (?:GMT|[+-]\d{4})"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
)
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)
_C1_REFERENCE = re.compile(rb"&#0*1[2-5]\d;|&#[xX]0*[89][0-9a-fA-F];")
_C1_BYTES = re.compile(rb"\xc2[\x80-\x9f]")
_C1 = re.compile("[\x80-\x9f]")


@dataclass(slots=True)
class Parsed:
    """What feedparser would have called its result: its names, only those that we read."""

    feed: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    version: str = "rss20"


class _Doubtful(Exception):
    """Nothing for us: feedparser knows what is meant."""


def read_plain(body: bytes, headers: Mapping[str, str], *, most: int) -> Parsed | None:
    """None: not plain. most: entries that are looked at; the rest is not read, only checked for form."""
    charset = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", headers.get("content-type", ""), re.IGNORECASE)
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        return None
    body = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body.startswith(b"<") or _DECLARED.match(body) or b"xml:base" in body or b"<!DOCTYPE" in body:
        return None
    if (b"#" in body and b"&#" in body and _C1_REFERENCE.search(body)) or (
        not body.isascii() and _C1_BYTES.search(body)
    ):
        return None
    try:
        return _Reading(most=most).of(body)
    except (_Doubtful, expat.ExpatError):
        return None


class _Reading:
    """One document. path: lower-case names of the open elements that we read; silent: depth inside one that we do not."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._parsed = Parsed()
        self._path: list[str] = []
        self._silent = 0
        self._is_atom = False
        self._language: str | None = None
        self._holder: dict[str, Any] = self._parsed.feed
        self._attributes: dict[str, str] = {}
        self._pieces: list[str] = []

    def of(self, body: bytes) -> Parsed:
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = 65_536
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        parser.Parse(body, True)
        return self._parsed

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._silent:
            self._silent += 1
            return
        path = self._path
        if not attributes and path and path[-1] in _ENTRIES and (plain := _PLAIN_IN_ENTRY.get(tag)):
            path.append(plain)
            self._attributes = attributes
            self._pieces.clear()
            return
        space, _, local = tag.rpartition(" ")
        name = local.lower() if space in _CORE else _SPELLED.get(tag, "")
        if attributes and path:
            _refuse_scoped(attributes)
        if not path:
            self._root(tag, attributes)
        elif self._is_at_home("channel"):
            if name != "channel" or self._parsed.feed:
                raise _Doubtful
            path.append(name)
        elif name in _ENTRIES and self._is_at_home(name):
            self._entry(name)
        else:
            self._element(name, space, attributes)
        self._pieces.clear()

    def _root(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "rss" and attributes.get("version", "").startswith("2."):
            self._path.append("rss")
        elif tag == f"{_ATOM} feed" and "version" not in attributes:
            self._path.append("feed")
            self._is_atom = True
            self._parsed.version = "atom10"
        else:
            raise _Doubtful
        self._language = attributes.get("http://www.w3.org/XML/1998/namespace lang") or None
        if "lang" in attributes or "base" in attributes:
            raise _Doubtful
        if self._language:
            self._parsed.feed["language"] = self._language

    def _is_at_home(self, name: str) -> bool:
        """Whether what stands open now is the only place where `name` belongs."""
        return self._path == _HOMES[name]

    def _entry(self, name: str) -> None:
        self._path.append(name)
        self._holder = {}
        if len(self._parsed.entries) < self._most:
            self._parsed.entries.append(self._holder)

    def _element(self, name: str, space: str, attributes: dict[str, str]) -> None:
        """An element of the feed or of an entry, or a name inside an author."""
        inside = self._path[-1]
        is_feed = inside in ("channel", "feed")
        if inside in ("item", "entry") or is_feed:
            if name == "enclosure" and not is_feed and "url" in attributes:
                heard = {"rel": "enclosure", "href": attributes["url"], "type": attributes.get("type", "")}
                self._holder.setdefault("links", []).append(heard)
            if name == "source" and self._is_atom and not is_feed:
                self._holder["source"] = {}
            if space in _SILENT_SPACES or name in _SILENT or (is_feed and name in _SILENT_IN_FEED):
                self._silent = 1
                return
            key = _TEXTS.get(name)
            if key not in (_IN_FEED if is_feed else _IN_ENTRY) or (is_feed and self._parsed.entries):
                raise _Doubtful
            if key == "link" and "href" in attributes:
                self._silent = 1
                self._linked(attributes)
                return
        elif inside == "author" and name in ("name", "email", "uri") and not "".join(self._pieces).strip():
            self._silent = 1 if name == "uri" else 0
            if self._silent:
                return
        else:
            raise _Doubtful
        self._path.append(name)
        self._attributes = attributes

    def _linked(self, attributes: dict[str, str]) -> None:
        """Atom's link: the last alternate page wins, as with feedparser."""
        rel, kind = attributes.get("rel", "alternate").lower(), attributes.get("type", "text/html").lower()
        href = attributes["href"]
        if re.match(r"\w+:///", href) or {"url", "uri"} & attributes.keys():
            raise _Doubtful
        self._holder.setdefault("links", []).append({"rel": rel, "href": href})
        if rel == "alternate" and kind in ("text/html", "html", "application/xhtml+xml", "xhtml"):
            self._holder["link"] = href

    def _end(self, _tag: str) -> None:
        if self._silent:
            self._silent -= 1
            self._pieces.clear()
            return
        name = self._path.pop()
        if name in _ENTRIES:
            if "source" in self._holder and not self._holder.get("author"):
                raise _Doubtful  # who wrote it stands in the source
            self._holder = self._parsed.feed
        elif name not in ("channel", "rss", "feed"):
            self._said(name, "".join(self._pieces).strip())
        self._pieces.clear()

    def _said(self, name: str, raw: str) -> None:
        key, holder, attributes = _TEXTS[name], self._holder, self._attributes
        text = raw if raw.isascii() else _mended(raw)
        if key in holder and not (key in ("category", "link") or (key == "language" and self._language)):
            raise _Doubtful
        if key == "category":
            _tagged(holder, text, attributes)
        elif key in ("published", "updated"):
            if not _DATE.fullmatch(text):
                raise _Doubtful
            holder[key] = text
        elif key in ("summary", "content"):
            self._worded(name, key, text, attributes)
        elif key in ("name", "email"):
            self._named(key, raw)
        elif key == "author":
            self._authored(text)
        elif key == "link":
            self._linked_by_text(text)
        else:
            holder[key] = text
            if key == "title":
                kind = _TYPES.get(attributes.get("type", "text").lower(), "")
                holder["title_detail"] = {"language": self._language, "base": "", "type": kind}
            if key == "id" and attributes.get("isPermaLink", "true") == "true":
                holder.setdefault("link", text)

    def _worded(self, name: str, key: str, text: str, attributes: dict[str, str]) -> None:
        kind: str | None = "text/html"
        if name in ("summary", "content") and not self._is_atom:
            raise _Doubtful  # feedparser then guesses what the words are
        if name in ("summary", "content"):
            declared = attributes.get("type")
            kind = _TYPES.get(declared.lower() if declared else None)
        if (
            kind is None
            or not attributes.keys() <= {"type"}
            or (name in ("description", "content:encoded") and attributes)
        ):
            raise _Doubtful
        detail = {"type": kind, "language": self._language, "base": "", "value": text}
        if key == "summary":
            self._holder["summary"], self._holder["summary_detail"] = text, detail
        else:
            self._holder["content"] = [detail]

    def _named(self, key: str, text: str) -> None:
        detail = self._holder.setdefault("author_detail", {})
        if key in detail:
            raise _Doubtful
        detail[key] = text

    def _authored(self, text: str) -> None:
        """Plain text (dc:creator), or the end of Atom's author, whose name has been heard already."""
        detail = self._holder.get("author_detail")
        if (detail is not None and (text or not detail.get("name"))) or "@" in text:
            raise _Doubtful
        self._holder["author"] = detail["name"] if detail else text
        if text:
            self._holder["author_detail"] = {"name": text}

    def _linked_by_text(self, text: str) -> None:
        links = self._holder.setdefault("links", [])
        if (
            self._attributes
            or any(link["rel"] == "alternate" for link in links)
            or re.match(r"\w+:///", text)
        ):
            raise _Doubtful
        if self._holder is not self._parsed.feed:
            text = text.replace("&amp;", "&")
        text = re.sub("&([A-Za-z0-9_]+);", r"&\g<1>", text)
        links.append({"rel": "alternate", **({"href": text} if text else {})})
        self._holder["link"] = text


def _refuse_scoped(attributes: dict[str, str]) -> None:
    """A language or base of its own below the root, base64: rare, and feedparser's business."""
    for name in attributes:
        if name in ("lang", "base", "mode", "src") or name.endswith((" lang", " base")):
            raise _Doubtful
        if name != "isPermaLink" and not name.islower() and " " not in name:
            raise _Doubtful


def _mended(text: str) -> str:
    try:
        text = text.encode("iso-8859-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text
    if _C1.search(text):
        raise _Doubtful
    return text


def _tagged(holder: dict[str, Any], text: str, attributes: dict[str, str]) -> None:
    """Text is the term of a category that has none, or a category beside the one of the attributes."""
    tags: list[dict[str, str | None]] = holder.setdefault("tags", [])
    scheme = attributes.get("scheme", attributes.get("domain"))
    tag = {"term": attributes.get("term"), "scheme": scheme, "label": attributes.get("label")}
    if any(tag.values()) and tag not in tags:
        tags.append(tag)
    if text and tags and not tags[-1]["term"]:
        tags[-1]["term"] = text
    elif text and (tag := {"term": text, "scheme": None, "label": None}) not in tags:
        tags.append(tag)
