"""Who wrote an entry, from what its feed says: names. Never a mail address, which is personal data nobody gave us for this,
never an account's bare role, never whoever looks after the channel's web server."""

import re
from functools import lru_cache
from typing import Any

from digest.rules.text import title_text

_NOBODY = frozenset(
    ("unknown", "admin", "administrator", "administrateur", "administratrice", "webmaster", "root", "wordpress", "null",
     "none", "undefined", "n/a")
)  # fmt: skip  # as Blogger, WordPress and templates call who shows no profile
_BY = re.compile(r"(?:(?i:by)|(?i:par)(?=\s+\S+\s+\S))\s+(?=[^\W\d_a-zà-ÿ])")
_OFFICE = re.compile(
    r"\b(?:web|team|équipe|admin\w*|webm\w+|editors?|éditeurs?|rédaction|office|bureau|services?|support|communications?|info"
    r"|contact|department|ministère|ministry|media|médias?|digital|numérique|news|nouvelles|technical|tech|help|feed)\b",
    re.IGNORECASE,
)
_MOST = 4  # names


def author_of(raw: Any, feed: Any, *, is_atom: bool) -> str | None:
    """Of the entry; else of the feed it was taken from (RFC 4287, 4.2.1); else of the feed itself, where several names in a
    channel of RSS are several ways to name one, and its managing editor only counts as a person."""
    for holder in (raw, raw.get("source") or {}, feed if is_atom else {}):
        if found := _said(holder):
            return found
    return None if is_atom else _of_channel(feed)


def _said(holder: Any) -> str:
    several = [name for one in holder.get("authors", ())[:_MOST] if (name := author_name(one.get("name")))]
    if len(several) > 1:
        return ", ".join(dict.fromkeys(several))
    whole, detail = holder.get("author"), (holder.get("author_detail") or {}).get("name")
    # feedparser looks for addresses in its own way and leaves half of those with a long last part
    for text in (whole,) if whole and ("@" in whole or "(" in whole) else (detail, whole):
        if name := author_name(text):
            return name
    return ""


def _of_channel(feed: Any) -> str | None:
    """Beside a mail address stands who manages it (managingEditor); podcasts and blogs name their author without one."""
    people = [
        (author_name(one.get("name")), bool(one.get("email"))) for one in feed.get("authors", ())[:_MOST]
    ]
    for name, is_mailed in sorted(people, key=lambda person: person[1]):
        if name and not (is_mailed and not _is_person(name)):
            return name
    only = _said(feed)
    return only if only and not any(name for name, _ in people) else None


def _is_person(name: str) -> bool:
    words = name.split()
    return (
        2 <= len(words) <= 4 and all(word[:1].isupper() for word in words[::2]) and not _OFFICE.search(name)
    )


@lru_cache(maxsize=256)  # one feed is written by few
def author_name(text: str | None) -> str:
    """ "" for what names nobody."""
    name = re.sub(r"[<(]?\S+@\S+\.\S+[>)]?", "", title_text(text)).strip(" <>,;")
    if name.startswith("(") or name.count("(") != name.count(")"):
        name = name.strip(" ()<>,;")
    if name.count("(") != name.count(")"):
        name = re.sub(r"[()]|[\"“”]{2}", "", name).strip()
    if by := _BY.match(name):
        name = name[by.end() :]
    return "" if name.casefold() in _NOBODY else name.removeprefix("@")
