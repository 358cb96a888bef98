"""From what a feed says of a post to an Entry: cleaned, keyed, hashed. The one place where identity is settled for feeds."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from html import unescape

from digest.model import Entry, ItemKind, Occasion
from digest.rules.cleaning import lead, safe_html
from digest.rules.dates import When
from digest.rules.gather import OWN_MARK, UNDATED, UNREAD
from digest.rules.links import host_of, is_front_page, is_medium_host, same_page_key, shown_link
from digest.rules.near import hints
from digest.rules.text import bare_words, is_odd, language_of, minutes_to_read, one_line
from digest.sources._kind import ParseContext

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


def finished(
    drafts: Sequence[Draft], context: ParseContext, *, feed_language: str | None, of_events: bool = False
) -> tuple[Entry, ...]:
    """Entries of one feed. What several share (a guid, a link) cannot tell them apart and is not taken as a key alone."""
    named = [_guid(draft, context) if draft.guid else "" for draft in drafts]
    guids = Counter(guid for guid, draft in zip(named, drafts, strict=True) if draft.guid)
    links = Counter(same_page_key(draft.link) for draft in drafts if draft.link)
    found = [_original(draft) for draft in drafts]
    originals = Counter(same_page_key(link) for link in found if link)
    counts = links + originals
    made = []
    for draft, original, guid in zip(drafts, found, named, strict=True):
        entry, words = _entry(draft, context, feed_language=feed_language)
        keys = _keys(draft, entry, context, original=original, guid=guid, guids=guids, links=counts)
        if draft.starts or (of_events and draft.published):
            entry, keys = _as_event(entry, keys, draft, context)
        else:
            is_late = entry.published and context.now - entry.published > LOOKED_FOR
            keys += hints(entry.title, words="" if is_late else words)
            if entry.published is None:
                entry = replace(entry, flags=(*entry.flags, UNREAD if draft.unread else UNDATED))
        made.append(replace(entry, keys=keys, content_hash=content_hash(entry, words=words)))
    return tuple(made)


def content_hash(entry: Entry, *, words: str | None = None) -> str:
    """Of what a reader would notice: not of dates of the feed, not of markup, not of tracking.

    words: those of the entry's HTML, when they are at hand.
    """
    occasion = entry.occasion
    when = (
        (
            occasion.starts,
            occasion.ends,
            occasion.all_day,
            occasion.place,
            occasion.online,
            occasion.status.value,
        )
        if occasion
        else ()
    )
    words = bare_words(entry.html) if words is None else words
    parts = (entry.title, entry.url, entry.author, entry.summary, words, entry.is_full, *when)
    return sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()


def hashed_key(*parts: object) -> str:
    return (
        "hash:" + sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()[:32]
    )


def scoped(text: str, url: str) -> str:
    """An identity as it is when it means something everywhere; else (`42`) marked as one of its source alone, at its host."""
    text = one_line(text, longest=400)
    if len(text) >= 16 and (re.search(r"[:/@]", text) or _UUID.search(text)):
        return text
    return f"{OWN_MARK}{host_of(url)}#{text}"


def _entry(draft: Draft, context: ParseContext, *, feed_language: str | None) -> tuple[Entry, str]:
    """The entry without its keys, and its bare words, one space between two."""
    html = safe_html(draft.html, base=draft.base)
    summary = lead(html, title=draft.title)
    words = bare_words(html)
    title = draft.title or one_line(summary, longest=90) or (draft.link or "")
    language = draft.language or feed_language or context.language or language_of(f"{title}. {words[:800]}")
    flags = list(draft.flags)
    if is_odd(draft.title) or is_odd(draft.html[:20_000]):
        flags.append("odd-characters")
    if draft.published and draft.published.zone_guessed:
        flags.append("zone-guessed")
    entry = Entry(
        kind=ItemKind.POST,
        keys=(),
        title=title,
        url=draft.link,
        language=language,
        published=draft.published.at if draft.published else None,
        updated=draft.updated.at if draft.updated else None,
        author=one_line(draft.author, longest=120) or None,
        summary=summary,
        html=html,
        is_full=draft.is_full,
        minutes=minutes_to_read(words.count(" ") + 1) if draft.is_full else None,
        tags=draft.tags,
        flags=tuple(dict.fromkeys(flags)),
    )
    return entry, words


def _keys(
    draft: Draft,
    entry: Entry,
    context: ParseContext,
    *,
    original: str | None,
    guid: str,
    guids: Counter[str],
    links: Counter[str],
) -> tuple[str, ...]:
    """The ladder: Medium's post id, guid, the original's link, the link, and a hash when there is nothing else."""
    keys: list[str] = []
    if post := medium_id(draft.guid, draft.link):
        keys.append(f"medium:{post}")
    if draft.guid:
        if guids[guid] > 1:
            guid += f" {same_page_key(draft.link)}" if draft.link else ""
            shared = draft.link is None or links[same_page_key(draft.link)] > 1
            guid += f" {hashed_key(entry.title, entry.published)}" if shared else ""
        keys.append(f"guid:{guid}")
    if original and links[same_page_key(original)] <= 1 + (original == draft.link):
        keys.append(f"link:{same_page_key(original)}")
    if draft.link and links[same_page_key(draft.link)] == 1 and not is_front_page(draft.link):
        keys.append(f"link:{same_page_key(draft.link)}")
    if not keys:
        keys.append(hashed_key(entry.title, entry.published or entry.summary, host_of(context.url)))
    return tuple(dict.fromkeys(keys))


def _guid(draft: Draft, context: ParseContext) -> str:
    """One spelling; the fragment stays, since some feeds tell their entries apart by nothing else."""
    if re.match(r"https?://[^/]", draft.guid) and (link := shown_link(draft.guid)):
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
    return ("originally " in low or "first " in low) and any(
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


def _as_event(
    entry: Entry, keys: tuple[str, ...], draft: Draft, context: ParseContext
) -> tuple[Entry, tuple[str, ...]]:
    when = draft.starts or draft.published
    if when is None:
        return entry, keys
    occasion = Occasion(
        starts=when.at,
        ends=draft.ends.at if draft.ends and draft.ends.at > when.at else None,
        timezone=when.timezone or context.timezone,
        all_day=not when.has_time,
        place=draft.place,
    )
    flags = tuple(dict.fromkeys((*entry.flags, *(("zone-guessed",) if when.zone_guessed else ()))))
    event = replace(entry, kind=ItemKind.EVENT, occasion=occasion, published=None, minutes=None, flags=flags)
    return event, tuple(f"event-{key}" for key in keys)
