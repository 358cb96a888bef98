"""What preflight looks at: the issue, its printed editions and their HTML read once into elements. Values only."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from digest.config import Config
from digest.model import Edition, Issue, ItemId, Language, Placed

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "cite",
        "code",
        "del",
        "em",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "u",
    ]
)
IMPLIED_END = frozenset(["p", "li", "tr", "td", "th", "tbody", "thead", "option", "dt", "dd"])


class Severity(StrEnum):
    """block stops approval; warn asks an editor to look, or to accept with a reason; info is told."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class CheckOutcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    ACCEPTED = "accepted"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of preflight. id: the rule's, stable. where: what to mend: "subject", "note", "theme", "item:<id>",
    "config:<table.key>", "template", or "" when it is nobody's to mend. language: key of the edition, when it is one."""

    id: str
    severity: Severity
    outcome: CheckOutcome
    message_en: str
    message_fr: str
    where: str = ""
    language: str | None = None

    def message(self, language: str) -> str:
        return self.message_fr if language == Language.FR else self.message_en


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a rule found. language: the edition's key.

    slots: what its sentence names. severity: when it differs from the rule's own.

    sentence "unchecked" (or one that begins so): the rule could not run, and says why; it is no fault then.
    """

    where: str = ""
    slots: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    severity: Severity | None = None
    sentence: str = "fail"


@dataclass(eq=False, slots=True)
class Element:
    """One element of a page with its inline style. text: its own words, without those of its children."""

    tag: str
    attrs: dict[str, str]
    parent: "Element | None"
    children: "list[Element]" = field(default_factory=list)
    text: str = ""
    words: str = ""
    _style: dict[str, str] | None = None
    _is_hidden: bool | None = None

    @property
    def style(self) -> dict[str, str]:
        if self._style is None:
            pairs = (piece.partition(":") for piece in self.attrs.get("style", "").split(";"))
            self._style = {name.strip().lower(): value.strip() for name, _, value in pairs if value}
        return self._style

    @property
    def is_hidden(self) -> bool:
        """Whether nobody sees it, by itself or by what it stands in."""
        if self._is_hidden is None:
            own = self.tag in {"head", "title", "style"} or self.style.get("display") == "none"
            self._is_hidden = own or (self.parent is not None and self.parent.is_hidden)
        return self._is_hidden

    @property
    def classes(self) -> list[str]:
        return self.attrs.get("class", "").split()

    def up(self) -> "Iterator[Element]":
        """Itself, then its parents."""
        here: Element | None = self
        while here is not None:
            yield here
            here = here.parent


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.faults: list[str] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> names an attribute twice")
        element = Element(
            tag, {name: value or "" for name, value in attrs}, self.open[-1] if self.open else None
        )
        if self.open:
            self.open[-1].children.append(element)
        self.elements.append(element)
        if tag not in INLINE:
            self._part()
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1].tag != tag and self.open[-1].tag in IMPLIED_END:
            self.open.pop()
        if self.open and self.open[-1].tag == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes nothing that is open")

    def _part(self) -> None:
        """Words on both sides of a block are not one word."""
        for element in self.open:
            element.words += " "

    def handle_data(self, data: str) -> None:
        if self.open:
            self.open[-1].text += data
            for element in self.open:
                element.words += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


class Page:
    """The HTML of one edition, read once."""

    def __init__(self, html: str) -> None:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        self.elements = reader.elements
        self.comments = reader.comments
        self.faults = reader.faults + [
            f"<{e.tag}> is never closed" for e in reader.open if e.tag not in IMPLIED_END
        ]
        self._of_tags: dict[tuple[str, ...], list[Element]] = {}

    def all(self, *tags: str) -> list[Element]:
        if tags not in self._of_tags:
            self._of_tags[tags] = [element for element in self.elements if element.tag in tags]
        return self._of_tags[tags]

    @cached_property
    def titled(self) -> dict[str, list[Element]]:
        """The headings of items by their words, blanks left out."""
        found: dict[str, list[Element]] = {}
        for head in self.all("h3"):
            found.setdefault("".join(head.words.split()), []).append(head)
        return found

    @cached_property
    def words(self) -> str:
        """What a person reads, in one line."""
        return " ".join("".join(body.words for body in self.all("body")).split())

    @cached_property
    def head_css(self) -> str:
        return "".join(style.text for style in self.all("style"))


@lru_cache(maxsize=4)
def _page(html: str) -> Page:
    """The editions of one issue are asked about twice in a row: for what was kept about them, and for their faults."""
    return Page(html)


@dataclass(frozen=True, slots=True)
class Look:
    """One look outside, and when it was taken. value: what was found, in the vocabulary of the rule that reads it."""

    at: datetime
    value: str


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A warning that somebody lets pass. mark: of the faults they saw; with other faults it counts no more."""

    by: str
    why: str
    mark: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the letter links to, as its file is. weight: in bytes; width, height: in pixels."""

    weight: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the letter cannot tell about itself. None, or no entry: nobody looked, and the rule says so.

    subjects: (period, subject) of earlier letters, newest first. printed: item to the earlier issue it stood in.
    tested: hashes of the editions of which a test letter left. read_at: source to its last good visit.
    last_audience: how many letters the last issue had. calendars: the issue's .ics by language. looks: (kind, key) to
    what was found outside: ("link", address), ("spam", an edition's hash), ("auth", domain). frozen: the hash of all letters
    that are frozen, as they are now. pictures: address to what stands there.
    """

    subjects: Sequence[tuple[str, str]] | None = None
    printed: Mapping[ItemId, str] | None = None
    tested: Collection[str] | None = None
    read_at: Mapping[str, datetime | None] | None = None
    last_audience: int | None = None
    calendars: Mapping[Language, bytes] | None = None
    looks: Mapping[tuple[str, str], Look] = field(default_factory=dict)
    frozen: str | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Everything a rule may look at. editions: by key, without those of a zone."""

    issue: Issue
    editions: Mapping[str, Edition]
    config: Config
    now: datetime
    readers: int
    evidence: Evidence = field(default_factory=Evidence)

    @cached_property
    def pages(self) -> dict[str, Page]:
        return {key: _page(edition.html) for key, edition in self.editions.items()}

    @property
    def languages(self) -> tuple[Language, ...]:
        """Those the list is made in."""
        return self.config.list.languages

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """What is printed: every section in its order, the bench left out."""
        kept = [placed for placed in self.issue.placed if placed.section is not None]
        return tuple(sorted(kept, key=lambda p: (p.section or "", p.position)))

    @cached_property
    def is_rehearsal(self) -> bool:
        """Nothing can reach a real reader as it should: caught in a folder, or links that lead to this machine."""
        return self.config.mail.transport == "folder" or is_private(self.config.list.url)

    def leaving(self) -> Severity:
        """Blocks when letters leave for real, warns while somebody is only trying things out."""
        return Severity.WARN if self.is_rehearsal else Severity.BLOCK


def is_private(url: str) -> bool:
    """Whether an address leads to this machine or a private network, as far as its text tells."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".test", ".invalid")):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


@lru_cache(maxsize=256)
@lru_cache(maxsize=256)
def colour(value: str) -> str | None:
    """`#rrggbb` of a CSS colour written in hex, else None."""
    found = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value.strip().lower())
    if not found:
        return None
    digits = found.group(1)
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(sign * 2 for sign in digits)
