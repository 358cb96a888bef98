"""RSS, RDF, Atom and JSON Feed become entries. Pure: bytes in, never an address, since feedparser would open it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from digest.errors import ErrorKind, SourceError
from digest.model import Harvest, LeftOut, LeftOutWhy
from digest.rules.dates import When, read_date, read_struct
from digest.rules.links import shown_link
from digest.rules.text import atom_title, is_odd, language_tag, one_line, opened, title_text
from digest.sources import json_feed
from digest.sources._author import author_of
from digest.sources._entry import Draft, finished, holds_events_alone, is_of_events
from digest.sources._event_feed import told
from digest.sources._kind import MOST_ENTRIES, Kind, ParseContext
from digest.sources._octets import utf8_but_for_a_few
from digest.sources._page import challenge, is_challenge, is_html, not_a_feed, opening
from digest.sources._swift import read_plain
from digest.sources._walls import Wall, wall_of

_SAID = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_ENTITY = re.compile(rb"<\0?!\0?E\0?N\0?T\0?I\0?T\0?Y", re.IGNORECASE)
_DTD = re.compile(rb"<!DOCTYPE\s+(?:rss|rdf)[^>\[]*>", re.IGNORECASE)
_BAD_REFERENCE = re.compile(rb"&#(?:0*(\d{7,})|[xX]0*([0-9a-fA-F]{6,}));")
_SURROGATE = rb"#(?:0*5[5-7]\d{3}(?:;|(?!\d))|[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}(?:;|(?![0-9a-fA-F])))"
_A_SURROGATE, _SURROGATES = (
    re.compile(_SURROGATE),
    re.compile(rb"&(?:amp;)?%b(?:&(?:amp;)?%b)*" % ((_SURROGATE,) * 2)),
)
_OPENS = re.compile(rb"<(?:[\w-]+:)?(?:item|entry)(?:\s[^<>]*)?>", re.IGNORECASE)
_CLOSES = re.compile(rb"</(?:[\w-]+:)?(?:item|entry)\s*>", re.IGNORECASE)
_ENDS = re.compile(rb"</(?:[\w-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
MOST_TAGS = 200_000  # of a feed that is not plain: two to four seconds of feedparser's time
_READ_HERE = re.compile(r"\s*-?\d{4}-\d\d-\d\d|.* -?000\d ")  # whatever else of this form names no day
_DATED = ("published", "updated", "created")
_FAULTS = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    RecursionError,
    ArithmeticError,
)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The words of an entry without what its platform wrapped around them."""

    html: str
    is_full: bool | None = None
    flags: tuple[str, ...] = ()


Trim = Callable[[str, Any], Trimmed]


def parse(body: bytes, context: ParseContext) -> Harvest:
    """All entries of one answer, newest 500. Raises SourceError (not-a-feed, challenge, parse)."""
    return read(body, context)


def read(body: bytes, context: ParseContext, *, trim: Trim | None = None) -> Harvest:
    """`parse`, with the platform's own way of trimming the words."""
    if json_feed.is_json(body):
        return json_feed.parse(body, context)
    body = _checked(body, context)
    parsed: Any = read_plain(body, context.headers, most=MOST_ENTRIES)
    drafts: list[Draft] = []
    left_out: list[LeftOut] = []
    if parsed is None:
        if mended := _utf8(body, context):
            body, parsed = mended, read_plain(mended, context.headers, most=MOST_ENTRIES)
        parsed = parsed or _parsed(body, context)
        left_out += _cut_off(parsed, body)
    trim = trim or _trimmed_by(wall_of(body))
    for number, raw in enumerate(parsed.entries[:MOST_ENTRIES], start=1):
        try:
            draft = _draft(raw, parsed, context, trim)
            if draft.title or draft.link or draft.html:
                drafts.append(draft)
            else:
                left_out.append(LeftOut(str(number), LeftOutWhy.SHAPE, json_feed.EMPTY))
        except _FAULTS as error:
            left_out.append(LeftOut(str(number), LeftOutWhy.SHAPE, type(error).__name__))
    if not drafts and any(one.why is LeftOutWhy.SHAPE and one.detail != json_feed.EMPTY for one in left_out):
        raise SourceError(
            ErrorKind.PARSE, f"None of the {len(parsed.entries)} entries of the feed could be read."
        )
    title = _title(parsed.feed, parsed) or None
    language = language_tag(parsed.feed.get("language"))
    of_events = is_of_events(drafts, context)
    return Harvest(
        title=title,
        language=language,
        entries=finished(drafts, context, feed_language=language, of_events=of_events),
        of_events=of_events and holds_events_alone(drafts, context),
        left_out=tuple(left_out),
        pause_s=_pause_s(parsed.feed),
    )


def _checked(body: bytes, context: ParseContext) -> bytes:
    """The answer, if it may be a feed, without references that no character answers to."""
    if is_challenge(body, context.headers):
        raise challenge(context.url)
    if is_html(body) or not body.strip() or opening(body, most=64).startswith("BEGIN:VCALENDAR"):
        raise not_a_feed(body, context.url)
    if _ENTITY.search(body):
        raise SourceError(
            ErrorKind.PARSE, "The feed declares XML entities, which we do not expand; its maker must mend it."
        )
    if b"<!DOCTYPE" in body[:1_000]:
        body = _DTD.sub(b"", body, count=1)  # nobody fetches it, and with it every `&eacute;` would be lost
    if b"#" not in body:
        return body
    if _A_SURROGATE.search(body):
        body = _SURROGATES.sub(_as_one, body)
    return _BAD_REFERENCE.sub(b"", body) if b"&#" in body else body


def _as_one(found: re.Match[bytes]) -> bytes:
    """Halves of characters written as numbers, as .NET and Java do: pairs become their character, lone ones U+FFFD."""
    numbers = [number.strip(b";&").lower() for number in found[0].replace(b"amp;", b"").split(b"#")[1:]]
    text = "".join(chr(int(n[1:], 16) if n.startswith(b"x") else int(n)) for n in numbers)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    lead = b"&amp;#" if found[0].startswith(b"&amp;") else b"&#"
    return b"".join(lead + b"%d;" % ord(character) for character in whole)


def _cut_off(parsed: Any, body: bytes) -> list[LeftOut]:
    """What a document that does not end says of itself; its open entry is taken away, since half a post is none."""
    body = body.replace(b"\0", b"")
    last = last_open = 0
    for found in _OPENS.finditer(body):
        last, last_open = found.end(), found.start()
    if _ENDS.search(body, last):
        return []
    is_open = last_open and (not _CLOSES.search(body, last) or body.rfind(b"<![CDATA[") > body.rfind(b"]]>"))
    if not is_open or not parsed.entries:
        return [LeftOut(str(len(parsed.entries) + 1), LeftOutWhy.CUT, "the document does not end")]
    parsed.entries.pop()
    return [LeftOut(str(len(parsed.entries) + 1), LeftOutWhy.CUT, "the document ends in the middle of it")]


def _utf8(body: bytes, context: ParseContext) -> bytes | None:
    """For what calls itself UTF-8, or nothing: the parser would take all of it for Windows-1252 for the sake of one byte."""
    said = [
        *_SAID.findall(context.headers.get("content-type", "").encode("ascii", "replace")),
        *_SAID.findall(body[:200]),
    ]
    if any(name.lower() not in (b"utf-8", b"utf8") for name in said) or body.startswith(
        (b"\xff\xfe", b"\xfe\xff")
    ):
        return None
    try:
        body.decode()
    except UnicodeDecodeError:
        return utf8_but_for_a_few(body)
    return None


def _parsed(body: bytes, context: ParseContext) -> Any:
    import feedparser  # most feeds are plain and never need it

    if _is_overgrown(body):
        raise SourceError(
            ErrorKind.TOO_BIG, f"The feed holds more than {MOST_TAGS:,} tags; we do not read it."
        )
    headers = {name: value for name, value in context.headers.items() if name == "content-type"}
    if b"xml:base" in body:
        headers["content-location"] = context.url
    try:
        parsed = feedparser.parse(
            BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except _FAULTS as error:
        raise SourceError(
            ErrorKind.PARSE, f"The feed is too broken to be read ({type(error).__name__})."
        ) from error
    if not parsed.get("version") and not parsed.entries:
        raise not_a_feed(body, context.url)
    return parsed


def _is_overgrown(body: bytes) -> bool:
    """Tags take the parser time and, where they stay open, memory; those inside CDATA are mere words to it."""
    if body.count(b"<") <= MOST_TAGS:
        return False
    return sum(piece.partition(b"<![CDATA[")[0].count(b"<") for piece in body.split(b"]]>")) > MOST_TAGS


def _trimmed_by(wall: Wall) -> Trim:
    def trim(html: str, raw: Any) -> Trimmed:
        html, is_walled = wall(html, raw)
        return Trimmed(html, is_full=False, flags=("member-only",)) if is_walled else Trimmed(html)

    return trim


def _draft(raw: Any, parsed: Any, context: ParseContext, trim: Trim) -> Draft:
    feed = parsed.feed
    base = _base(raw, feed, context)
    html, has_content = _words(raw)
    trimmed = trim(html, raw)
    published, updated = _dates(raw, context)
    event = told(raw, timezone=context.timezone)
    return Draft(
        guid=(raw.get("id") or "").strip(),
        title=_title(raw, parsed),
        link=shown_link(_link(raw), base=base),
        html=trimmed.html,
        base=base,
        published=published,
        updated=updated,
        author=author_of(raw, feed, is_atom=parsed.version.startswith("atom")),
        language=language_tag(_own_language(raw)),
        tags=_tags(raw),
        is_full=has_content if trimmed.is_full is None else trimmed.is_full,
        flags=(*trimmed.flags, *(("odd-characters",) if is_odd(raw.get("title") or "") else ())),
        starts=event.starts,
        ends=event.ends,
        place=event.place,
        unread=published is None and any(str(raw.get(name) or "").strip() for name in _DATED),
    )


def _title(holder: Any, parsed: Any) -> str:
    """Atom says whether its titles are HTML; RSS does not, and holds both."""
    if parsed.version != "atom10":
        return title_text(holder.get("title"))
    kind = (holder.get("title_detail") or {}).get("type")
    return atom_title(holder.get("title"), is_html=kind != "text/plain")


def _base(raw: Any, feed: Any, context: ParseContext) -> str:
    """xml:base as feedparser kept it, else the feed's own link, else where it came from."""
    details = [*raw.get("content", ()), raw.get("summary_detail"), raw.get("title_detail")]
    declared = next((detail.get("base") for detail in details if detail and detail.get("base")), "")
    home = _home(context.url, str(feed.get("link") or ""))
    return urljoin(home, str(declared)) if declared else home


@lru_cache(maxsize=4)
def _home(url: str, link: str) -> str:
    """The same for every entry of a feed."""
    return urljoin(url, link)


def _link(raw: Any) -> str:
    """The page a reader opens: the one behind a counter's link, link, else an alternate of HTML, else a guid that is an
    address, else what there is to hear or see."""
    link = raw.get("feedburner_origlink") or raw.get("link")
    if link and ("/" in link or link != raw.get("id")):  # a guid lends itself as a link, also a mere number
        return str(link)
    links = [
        link for link in raw.get("links", ()) if link.get("href") and link.get("rel") in (None, "alternate")
    ]
    if links:
        return str(links[0]["href"])
    guid = str(raw.get("id") or "")
    if guid.startswith(("http://", "https://")):
        return guid
    heard = (link for link in raw.get("links", ()) if str(link.get("type")).startswith(("audio/", "video/")))
    return next((str(link["href"]) for link in heard if link.get("href")), "")


def _words(raw: Any) -> tuple[str, bool]:
    """The longest text an entry carries, as HTML, and whether it came as content rather than as a summary."""
    details = [(detail, True) for detail in raw.get("content", ())]
    if raw.get("summary_detail"):
        details.append((raw["summary_detail"], False))
    best = max(details, key=lambda pair: len(pair[0].get("value") or ""), default=None)
    if best is None:
        return "", False
    value = opened(best[0].get("value") or "")
    if best[0].get("type") == "text/plain" and not re.search(r"</?[a-zA-Z][^>]*>", value):
        value = escape(value, quote=False) if "&" not in value else value
    return value, best[1] or len(value) > 1_500


def _dates(raw: Any, context: ParseContext) -> tuple[When | None, When | None]:
    """Ours first, feedparser's where ours knows no reading. `in` and not `get`: it lends `published` as `updated`."""
    found: dict[str, When | None] = {}
    for name in _DATED:
        if name not in raw:
            continue
        found[name] = read_date(raw[name], timezone=context.timezone)
        if (
            found[name] is None
            and not _READ_HERE.match(raw[name])
            and (at := read_struct(raw.get(f"{name}_parsed")))
        ):
            found[name] = When(at, zone_guessed=True)
    published = found.get("published") or found.get("created") or found.get("updated")
    return published, found.get("updated")


def _own_language(raw: Any) -> str | None:
    details = [raw.get("title_detail"), *raw.get("content", ()), raw.get("summary_detail")]
    spoken = next((detail.get("language") for detail in details if detail and detail.get("language")), None)
    return raw.get("language") or spoken


def _tags(raw: Any) -> tuple[str, ...]:
    terms = (one_line(tag.get("label") or tag.get("term"), longest=60) for tag in raw.get("tags", ())[:20])
    return tuple(dict.fromkeys(term for term in terms if term))


def _pause_s(feed: Any) -> float | None:
    """RSS <ttl> is in minutes."""
    ttl = str(feed.get("ttl") or "").strip()
    return float(ttl) * 60 if ttl.isdigit() and len(ttl) < 7 else None


KIND = Kind(name="feed", version="feed-10", parse=parse, claims=lambda url: False, prepare=lambda url: url)
