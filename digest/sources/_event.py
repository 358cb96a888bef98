"""What calendars and event pages have in common: from a stated event to an Entry. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import unescape

from digest.model import Entry, EventStatus, ItemKind, Occasion
from digest.rules.cleaning import lead, safe_html
from digest.rules.links import shown_link
from digest.rules.text import (
    LONGEST_HTML,
    LONGEST_SUMMARY,
    as_html,
    is_odd,
    language_of,
    one_line,
    opened,
    plain_text,
    repaired,
)
from digest.sources._entry import content_hash, hashed_key
from digest.sources._kind import ParseContext
from digest.sources._venue import venue


def _mark(words: str) -> str:
    """A mark of the title, not a word of it: "How a cancelled project taught us" takes place."""
    return (
        rf"^\W*(?:(?:event|meeting|événement|rencontre|réunion)\W+)?{words}\b|[(\[][^)\]]*\b{words}\b|\b{words}\W*(?<!\?)$"
        rf"|[-–—:|/,;!*]\s*{words}\b|\b{words}\s*[-–—:|/,;!*]|\b(?:is|are|has been|est|sont|a été)\s+{words}\b"
    )


_CANCELLED = re.compile(_mark(r"(?:cancel+ed|annul[ée]e?s?|cancelad[oa])"), re.IGNORECASE)
_POSTPONED = re.compile(
    rf"\bpostponed\b|\breport[ée]e?s?\b(?= (?:au|à)\b)|{_mark(r'report[ée]e?s?')}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """An event as its source states it. about: foreign HTML or text; place and url may be anything.

    One without a title is called by its first words, else after its page or calendar, else by its place; an address is no title.
    """

    title: str
    occasion: Occasion
    about: str = ""
    url: str | None = None
    author: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    within: str = ""  # what its page or calendar is called


def event_entry(stated: Stated, *, keys: tuple[str, ...], context: ParseContext) -> Entry:
    """Cleaned, hashed, its manner of attendance and status found out from words where nobody says them."""
    about = opened(stated.about)
    if re.search(r"<[a-zA-Z/!][^>]*>", about):
        html = safe_html(about, base=context.url)
        summary = lead(html, title=stated.title)
    else:
        html = as_html(unescape(repaired(stated.about[:LONGEST_HTML])))
        summary = one_line(unescape(stated.about), longest=LONGEST_SUMMARY)
    link = shown_link(stated.url, base=context.url)
    occasion = _settled(stated, plain=plain_text(html) if "http" in html else "")
    words = f"{stated.title}. {summary}"
    flags = list(stated.flags)
    if is_odd(stated.about):
        flags.append("odd-characters")
    entry = Entry(
        kind=ItemKind.EVENT,
        keys=keys,
        title=stated.title or one_line(summary, longest=90) or stated.within or occasion.place or "",
        url=link or (occasion.online or None),
        language=stated.language or context.language or language_of(words),
        author=stated.author,
        summary=summary,
        html=html,
        tags=stated.tags,
        occasion=occasion,
        flags=tuple(dict.fromkeys(flags)),
    )
    return replace(entry, content_hash=content_hash(entry))


def odd_title(written: str) -> tuple[str, ...]:
    """The flag of a title that held what may deceive, as long as it is still there to be seen."""
    return ("odd-characters",) if is_odd(written) else ()


def _settled(stated: Stated, *, plain: str) -> Occasion:
    occasion = stated.occasion
    where = venue(
        one_line(occasion.place, longest=300) or None,
        online=occasion.online,
        beside=f"{stated.url or ''} {plain}",
    )
    status = occasion.status
    if status in (EventStatus.CONFIRMED, EventStatus.TENTATIVE):
        status = named_status(stated.title) or status
    return replace(occasion, place=where.place, online=where.online, status=status)


def named_status(title: str) -> EventStatus | None:
    """`(Cancelled)`, `ANNULÉ :` and the like: many sites say it nowhere else."""
    if _CANCELLED.search(title):
        return EventStatus.CANCELLED
    return EventStatus.POSTPONED if _POSTPONED.search(title) else None


def told_apart(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Weak keys (a page with a time, a hash) that different events of one answer share are nobody's identity."""
    titles: dict[str, set[str]] = {}
    for entry in entries:
        for key in entry.keys:
            titles.setdefault(key, set()).add(entry.title)
    shared = {key for key, found in titles.items() if len(found) > 1}
    return tuple(_with_own_keys(entry, shared) for entry in entries)


def _with_own_keys(entry: Entry, shared: set[str]) -> Entry:
    kept = tuple(key for key in entry.keys if key not in shared)
    if kept == entry.keys:
        return entry
    start = entry.occasion.starts if entry.occasion else None
    return replace(entry, keys=kept or ("event-" + hashed_key(entry.title, start, *entry.keys),))
