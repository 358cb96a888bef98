"""JSON Feed 1.0 and 1.1 (jsonfeed.org) become entries. Pure; anything that is not of the expected shape is left aside."""

import json
import re
from html import escape
from typing import Any
from urllib.parse import urljoin

from digest.errors import ErrorKind, SourceError
from digest.model import Harvest, LeftOut, LeftOutWhy
from digest.rules.dates import read_date
from digest.rules.links import shown_link
from digest.rules.text import as_html, language_tag, one_line, title_text
from digest.sources._author import author_name
from digest.sources._entry import Draft, finished, holds_events_alone, is_of_events
from digest.sources._kind import MOST_ENTRIES, ParseContext
from digest.sources._octets import utf8_but_for_a_few
from digest.sources._page import opening

EMPTY = "empty"  # an entry with neither title, link nor words
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def is_json(body: bytes) -> bool:
    return opening(body, most=64).startswith("{")


def parse(body: bytes, context: ParseContext) -> Harvest:
    """Raises SourceError: parse for broken JSON, not-a-feed for JSON of another kind."""
    try:
        text = _text_of(body)
        feed = json.loads(text, strict=False)
        if _SURROGATE.search(text):  # half a character, which no file or mail can hold
            feed = json.loads(_mended(json.dumps(feed, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        raise SourceError(
            ErrorKind.PARSE, "The answer begins like JSON but is broken; the site must mend it."
        ) from error
    version = feed.get("version") if isinstance(feed, dict) else None
    if not isinstance(version, str) or not re.match(r"https?://(www\.)?jsonfeed\.org/version/1", version):
        raise SourceError(ErrorKind.NOT_A_FEED, "The answer is JSON, but not a JSON Feed; check the address.")
    items = feed.get("items")
    drafts, left_out = [], []
    for number, raw in enumerate(items[:MOST_ENTRIES] if isinstance(items, list) else [], start=1):
        draft = _draft(raw, feed, context) if isinstance(raw, dict) else None
        if draft and (draft.title or draft.link or draft.html):
            drafts.append(draft)
        else:
            left_out.append(LeftOut(str(number), LeftOutWhy.SHAPE, EMPTY if draft else "not an object"))
    language = language_tag(_text(feed, "language"))
    of_events = is_of_events(drafts, context)
    return Harvest(
        title=title_text(_text(feed, "title")) or None,
        language=language,
        entries=finished(drafts, context, feed_language=language, of_events=of_events),
        of_events=of_events and holds_events_alone(drafts, context),
        left_out=tuple(left_out),
    )


def _text_of(body: bytes) -> str:
    """Raises ValueError when it is in no encoding that JSON is written in."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return (utf8_but_for_a_few(body) or body).decode("utf-8-sig")


def _draft(raw: dict[str, Any], feed: dict[str, Any], context: ParseContext) -> Draft:
    base = urljoin(context.url, _text(feed, "home_page_url"))
    identity = raw.get("id")
    guid = str(identity) if isinstance(identity, str | int | float) else ""
    html = _text(raw, "content_html") or as_html(_text(raw, "content_text"))
    summary = _text(raw, "summary")
    dated = _text(raw, "date_published") or _text(raw, "date_modified")
    published = read_date(dated, timezone=context.timezone)
    return Draft(
        guid=guid.strip(),
        title=title_text(_text(raw, "title")),
        link=shown_link(
            _text(raw, "url") or _text(raw, "external_url") or (guid if "://" in guid else ""), base=base
        ),
        html=html or (f"<p>{escape(summary)}</p>" if summary else ""),
        base=base,
        published=published,
        unread=published is None and bool(dated.strip()),
        updated=read_date(_text(raw, "date_modified"), timezone=context.timezone),
        author=_author(raw) or _author(feed),
        language=language_tag(_text(raw, "language")),
        tags=tuple(
            dict.fromkeys(
                one_line(tag, longest=60) for tag in _list(raw, "tags")[:20] if isinstance(tag, str)
            )
        ),
        is_full=bool(html),
    )


def _mended(text: str) -> str:
    """Lone surrogates as U+FFFD; pairs are characters already."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _author(holder: dict[str, Any]) -> str | None:
    """1.1 has a list of authors, 1.0 one author; some write a mere name for either."""
    said = holder.get("authors")
    people = [*(said if isinstance(said, list) else [said])[:4], holder.get("author")]
    names = (_text(one, "name") if isinstance(one, dict) else one for one in people)
    shown = (author_name(name) for name in names if isinstance(name, str))
    return ", ".join(dict.fromkeys(name for name in shown if name)) or None


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []
