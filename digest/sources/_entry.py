"""From what a feed says of a post to an Entry: cleaned, keyed, hashed. The one place where identity is settled for feeds."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import NamedTuple

from digest.model import Entry, ItemKind, Occasion
from digest.rules.cleaning import lead, safe_html
from digest.rules.dates import When, zone_named
from digest.rules.links import host_of, is_front_page, is_medium_host, same_page_key, shown_link
from digest.rules.marks import OWN_MARK, UNDATED, UNREAD
from digest.rules.near import hints
from digest.rules.text import bare_words, is_odd, language_of, minutes_to_read, one_line
from digest.sources._kind import ParseContext
from digest.sources._places import zone_of_words
from digest.sources._whole_days import begin_of, whole_days

_MEDIUM_GUID = re.compile(r"https?://(?:[\w.-]+\.)?medium\.com/p/([0-9a-f]{8,12})/?$")
_MEDIUM_LINK = re.compile(r"(?:/p/|-|/)([0-9a-f]{10,12})(?:[?#].*)?$")
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"(?:originally|first) (?:published|posted|appeared) (?:at|on)\b[^<>]{0,40}(?:</?(?:em|i|strong|b|span)>[^<>]{0,40}){0,3}"
    r"<a\s[^>]*href=\"([^\"]+)\"",
    re.IGNORECASE,
)
_EVENT_PAGE = re.compile(
    r"://[^/?#]+/(?:[^?#]*/)?(?:events?|evenements?|%C3%A9v%C3%A9nements?|événements?|activites|agenda)/[^?#]"
    r"|[?&](?:post_type=)?(?:tribe_events|event)\b",
    re.IGNORECASE,
)

LOOKED_FOR = timedelta(days=120)  # what is older comes into no issue: it is looked for by its title alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as its feed states it. html is foreign and unsafe; everything else is already plain and checked."""

    title: str
    guid: str = ""
    link: str | None = None
    html: str = ""
    base: str = ""
    published: When | None = None
    updated: When | None = None
    author: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    is_full: bool = True
    flags: tuple[str, ...] = ()
    starts: When | None = None
    ends: When | None = None
    place: str | None = None
    unread: bool = False  # it states when it was published, and nobody can read that


class _Names(NamedTuple):
    """What an entry goes by. page: the key of its link. original: where it was first published."""

    guid: str
    page: str | None
    original: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feed:
    """What the entries of one answer share. guids, links: how many of them go by each."""

    context: ParseContext
    language: str | None
    of_events: bool
    guids: Counter[str]
    links: Counter[str]


def finished(
    drafts: Sequence[Draft], context: ParseContext, *, feed_language: str | None, of_events: bool = False
) -> tuple[Entry, ...]:
    """Entries of one feed. What several share (a guid, a link) cannot tell them apart and is not taken as a key alone."""
    named = [_names(draft, context) for draft in drafts]
    guids = Counter(names.guid for names in named if names.guid)
    links = Counter(names.page for names in named if names.page)
    links.update(same_page_key(names.original) for names in named if names.original)
    feed = _Feed(context=context, language=feed_language, of_events=of_events, guids=guids, links=links)
    return tuple(_entry(draft, names, feed) for draft, names in zip(drafts, named, strict=True))


def content_hash(entry: Entry) -> str:
    """Of what a reader would notice: not of dates of the feed, not of markup, not of tracking."""
    return _hash_of(
        entry.title, entry.url, entry.author, entry.summary, words=bare_words(entry.html), is_full=entry.is_full,
        occasion=entry.occasion,
    )  # fmt: skip


def _hash_of(*lines: str | None, words: str, is_full: bool, occasion: Occasion | None) -> str:
    """words: the many words, plain ASCII more often than the lines, so that they are hashed by themselves."""
    when: tuple[object, ...] = ()
    if occasion:
        times = occasion.starts, occasion.ends, occasion.all_day
        when = (*times, occasion.place, occasion.online, occasion.status.value)
    hashed = sha256(_joined(*lines, ""))
    hashed.update(words.encode("utf-8", "replace"))
    hashed.update(_joined("", is_full, *when))
    return hashed.hexdigest()


def _joined(*parts: object) -> bytes:
    return "\x1f".join(map(str, parts)).encode("utf-8", "replace")


def hashed_key(*parts: object) -> str:
    return "hash:" + sha256(_joined(*parts)).hexdigest()[:32]


def scoped(text: str, url: str) -> str:
    """An identity as it is when it means something everywhere; else (`42`) marked as one of its source alone, at its host."""
    text = one_line(text, longest=400)
    if len(text) >= 16 and (re.search(r"[:/@]", text) or _UUID.search(text)):
        return text
    return f"{OWN_MARK}{host_of(url)}#{text}"


def _entry(draft: Draft, names: _Names, feed: _Feed) -> Entry:
    html = safe_html(draft.html, base=draft.base)
    summary = lead(html, title=draft.title)
    words = bare_words(html)
    title = draft.title or one_line(summary, longest=90) or (draft.link or "")
    author = one_line(draft.author, longest=120) or None
    spoken = draft.language or feed.language or feed.context.language
    published = draft.published.at if draft.published else None
    keys = _keys(draft, names, feed, title=title, at=published, summary=summary)
    when = draft.starts or (draft.published if feed.of_events else None)
    occasion = _occasion(draft, when, feed.context) if when else None
    if when is None:
        is_late = published and feed.context.now - published > LOOKED_FOR
        keys += hints(title, words="" if is_late else words)
    return Entry(
        kind=ItemKind.EVENT if when else ItemKind.POST,
        keys=tuple(f"event-{key}" for key in keys) if when else keys,
        title=title,
        url=draft.link,
        language=spoken or language_of(f"{title}. {words[:800]}"),
        published=None if when else published,
        updated=draft.updated.at if draft.updated else None,
        author=author,
        summary=summary,
        html=html,
        is_full=draft.is_full,
        minutes=minutes_to_read(words.count(" ") + 1) if draft.is_full and not when else None,
        tags=draft.tags,
        occasion=occasion,
        flags=_flags(draft, when),
        content_hash=_hash_of(
            title, draft.link, author, summary, words=words, is_full=draft.is_full, occasion=occasion
        ),
    )


def _flags(draft: Draft, when: When | None) -> tuple[str, ...]:
    flags = list(draft.flags)
    if is_odd(draft.title) or is_odd(draft.html[:20_000]):
        flags.append("odd-characters")
    if (draft.published and draft.published.zone_guessed) or (when and when.zone_guessed):
        flags.append("zone-guessed")
    if not when and not draft.published:
        flags.append(UNREAD if draft.unread else UNDATED)
    return tuple(dict.fromkeys(flags))


def _keys(
    draft: Draft, names: _Names, feed: _Feed, *, title: str, at: datetime | None, summary: str
) -> tuple[str, ...]:
    """The ladder: Medium's post id, guid, the original's link, the link, and a hash when there is nothing else."""
    keys: list[str] = []
    guid, page, original = names
    is_alone = page is not None and feed.links[page] == 1
    if post := medium_id(draft.guid, draft.link):
        keys.append(f"medium:{post}")
    if guid:
        if feed.guids[guid] > 1:
            guid += f" {page}" if page else ""
            guid += "" if is_alone else f" {hashed_key(title, at)}"
        keys.append(f"guid:{guid}")
    if original and feed.links[first := same_page_key(original)] <= 1 + (original == draft.link):
        keys.append(f"link:{first}")
    if is_alone and draft.link and not is_front_page(draft.link):
        keys.append(f"link:{page}")
    if not keys:
        keys.append(hashed_key(title, at or summary, host_of(feed.context.url)))
    return tuple(dict.fromkeys(keys))


def _names(draft: Draft, context: ParseContext) -> _Names:
    page = same_page_key(draft.link) if draft.link else None
    return _Names(_guid(draft, context) if draft.guid else "", page, _original(draft))


def _guid(draft: Draft, context: ParseContext) -> str:
    """One spelling; the fragment stays, since some feeds tell their entries apart by nothing else."""
    if draft.guid.startswith(("http://", "https://")) and (link := shown_link(draft.guid)):
        fragment = link.partition("#")[2]
        return same_page_key(link) + (f"#{fragment}" if fragment else "")
    return scoped(draft.guid, context.url)


def medium_id(guid: str, link: str | None) -> str | None:
    """The id that a Medium post keeps in every feed it appears in."""
    if found := _MEDIUM_GUID.match(guid):
        return found[1]
    if link and is_medium_host(host_of(link)) and (found := _MEDIUM_LINK.search(link)):
        return found[1]
    return None


def _original(draft: Draft) -> str | None:
    """The link of an "originally published at" note; never a mere front page, never Medium's own footer."""
    if not _may_note(draft.html.lower()):
        return None
    noted = (_ORIGINAL.search(end) for end in (draft.html[-4_000:], draft.html[:2_000]))
    found = next((note for note in noted if note), None)
    link = shown_link(unescape(found[1]), base=draft.base) if found else None
    return None if link is None or is_front_page(link) or is_medium_host(host_of(link)) else link


def _may_note(low: str) -> bool:
    """A quick look before the slow one."""
    return ("originally" in low or "first" in low) and any(
        f"{verb} {word}" in low for verb in ("published", "posted", "appeared") for word in ("at", "on")
    )


def is_of_events(drafts: Sequence[Draft], context: ParseContext) -> bool:
    """Dates in the future are starts, not faults, when most of a feed has them (The Events Calendar does so), or when one
    has and all lead to pages of events. A feed that was one of events stays one, however few lie ahead."""
    if context.of_events:
        return True
    limit = context.now + timedelta(days=1)
    ahead = sum(1 for draft in drafts if draft.published and limit < draft.published.at)
    return bool(ahead) and ((ahead >= 2 and ahead * 2 > len(drafts)) or all(map(_leads_to_event, drafts)))


def holds_events_alone(drafts: Sequence[Draft], context: ParseContext) -> bool:
    """Nothing in it was published yet: a feed of posts and events together is judged at each visit."""
    limit = context.now - timedelta(days=1)
    return all((draft.published and draft.published.at > limit) or _leads_to_event(draft) for draft in drafts)


def _leads_to_event(draft: Draft) -> bool:
    return bool(_EVENT_PAGE.search(draft.link or "") or _EVENT_PAGE.search(draft.guid))


def _occasion(draft: Draft, when: When, context: ParseContext) -> Occasion:
    there = zone_of_words(draft.place) if when.has_time and not when.zone_guessed else None
    name = there or when.timezone or context.timezone
    zone, ends = zone_named(name) or UTC, draft.ends.at if draft.ends and draft.ends.at > when.at else None
    starts, all_day = when.at, not when.has_time
    if draft.starts and (days := whole_days(starts.astimezone(zone), ends and ends.astimezone(zone))):
        (starts, ends), all_day = (begin_of(day, zone) for day in days), True
    return Occasion(
        starts=starts,
        ends=ends,
        timezone=name,
        all_day=all_day,
        place=draft.place,
    )
