"""Where the feed or calendar of an address may be: known rewrites, what a page announces, the usual places. Pure; asks nobody."""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser

from digest.rules.links import host_of, owner_of, shown_link, without_feed_scheme
from digest.sources import medium
from digest.sources._page import announced, is_of_comments, not_too_deep

_USUAL = (
    "feed",
    "feed.xml",
    "rss.xml",
    "atom.xml",
    "index.xml",
    "index.rss",
    "rss/",
    "feed.json",
    "events/feed/",
)
_LUMA_ID = re.compile(r"\bcal-[A-Za-z0-9]{8,40}\b")
_YOUTUBE_ID = re.compile(r"\"(?:channelId|externalId)\":\"(UC[\w-]{22})\"|/channel/(UC[\w-]{22})")
_FEED_LINK = re.compile(
    r"\.(rss|atom|rdf)(\?|$)|/(rss|atom|feeds?|fil|flux)(\.xml|\.php)?/?(\?|$)|/index\.xml(\?|$)"
    r"|[?&](type=9818\b|format=(rss|feed|atom)|feed=(rss2?|atom))",
    re.IGNORECASE,
)
_FEED_WORDS = re.compile(r"\W*(fil|flux)?\W*(rss|atom)\W*(2\.0)?\W*(feed|fil|flux)?\W*", re.IGNORECASE)
_CALENDAR_LINK = re.compile(r"(\.ics(\?|$)|/ical/?(\?|$)|[?&]ical=1|/feed/ics)", re.IGNORECASE)


def spellings(text: str) -> list[str]:
    """What a person pasted, as addresses to ask one after the other: `example.org` may be https or, on an old server, http.

    `webcal:` and `feed:` stand before an address of the web, or in the place of its scheme.
    """
    text = re.sub(r"^(?:webcals?|feed):(?=//|https?://)", "", text.strip().strip("<>"), flags=re.IGNORECASE)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", text):
        return [text]
    text = text.removeprefix("//")
    return [f"https://{text}", f"http://{text}"]


def rewritten(url: str) -> str | None:
    """The feed or calendar of an address whose platform is known by its host; None: the address is to be asked itself."""
    split = urlsplit(url)
    host, steps = host_of(url).removeprefix("www."), [step for step in split.path.split("/") if step]
    if medium.claims(url):
        feed = medium.prepare(url)
        return feed if feed != url else None
    if host == "meetup.com" and steps and steps[0] not in ("find", "topics", "apps", "cities"):
        group = steps[1] if re.fullmatch(r"[a-z]{2}-[A-Z]{2}", steps[0]) and len(steps) > 1 else steps[0]
        return f"https://www.meetup.com/{group}/events/ical/"
    if host == "calendar.google.com" or (host.startswith("google.") and steps[:1] == ["calendar"]):
        return _google(split.query, split.path)
    if host == "youtube.com" and steps[:1] in (["channel"], ["playlist"]):
        query = parse_qs(split.query)
        name, value = (
            ("channel_id", steps[1]) if len(steps) > 1 else ("playlist_id", query.get("list", [""])[0])
        )
        return f"https://www.youtube.com/feeds/videos.xml?{name}={quote(value)}" if value else None
    if host == "github.com" and len(steps) == 2:
        return f"https://github.com/{steps[0]}/{steps[1]}/releases.atom"
    if host in ("luma.com", "lu.ma") and (found := _LUMA_ID.search(url)):
        return _luma(found[0])
    return None


def proposed(body: bytes, url: str, headers: Mapping[str, str] | None = None) -> list[str]:
    """Addresses to try for a page: those it announces, those its platform is known to have, the usual places. Best first."""
    tree = LexborHTMLParser(not_too_deep(body[:600_000].decode("utf-8", "replace")))
    found = [
        *announced(body, url, headers),
        *_of_platform(body, url, tree),
        *_linked(url, tree),
        *_usual(url),
    ]
    shown = (link for address in found if (link := shown_link(address, base=url)))
    return [link for link in dict.fromkeys(shown) if link != url]


def _linked(url: str, tree: LexborHTMLParser) -> list[str]:
    """Calendars that stand in the page, and what its text links to: calendars, then feeds of the same owner."""
    inside: list[str] = []
    calendars: list[str] = []
    feeds: list[str] = []
    for node in tree.css("iframe[src], a[href]"):
        href = (node.attributes.get("src" if node.tag == "iframe" else "href") or "").strip()
        link = without_feed_scheme(
            urljoin(url, href) if ":" not in href.partition("/")[0] else href, page=url
        )
        if "google." in link and "/calendar" in link and (known := rewritten(link)):
            (inside if node.tag == "iframe" else calendars).append(known)
        elif node.tag == "iframe":
            continue
        elif _CALENDAR_LINK.search(href) or href.lower().startswith("webcal"):
            calendars.append(link)
        elif href.lower().startswith("feed:") or (
            owner_of(host_of(link)) == owner_of(host_of(url))
            and (_FEED_LINK.search(link) or _FEED_WORDS.fullmatch(node.text(deep=True)[:40]))
        ):
            feeds.append(link)
    return [*inside, *calendars, *sorted(feeds, key=is_of_comments)]


def _of_platform(body: bytes, url: str, tree: LexborHTMLParser) -> list[str]:
    text, root = body[:600_000].decode("utf-8", "replace"), urlunsplit((*urlsplit(url)[:2], "/", "", ""))
    generator = tree.css_first("meta[name=generator]")
    made_by = ((generator.attributes.get("content") if generator else "") or "").lower()
    host, found = host_of(url), []
    if (host.endswith(("luma.com", "lu.ma"))) and (luma := _LUMA_ID.search(text)):
        found.append(_luma(luma[0]))
    if host.endswith("youtube.com") and (channel := _YOUTUBE_ID.search(text)):
        found.append(f"https://www.youtube.com/feeds/videos.xml?channel_id={channel[1] or channel[2]}")
    if "gancio" in made_by or ("/api/events" in text and "gancio" in text.lower()):
        found.append(f"{root}feed/ics")
    if "mobilizon" in text[:60_000].lower() and (group := re.search(r"/@[\w.-]+", urlsplit(url).path)):
        found.append(f"{root}{group[0][1:]}/feed/ics")
    if "tribe-events" in text or "the-events-calendar" in text:
        found += [f"{root}events/?ical=1", f"{root}events/feed/"]
    if "wordpress" in made_by or "/wp-content/" in text:
        found.append(f"{root}feed/")
    if medium.is_medium(body) or "cdn-client.medium.com" in text:
        found.append(f"{root}feed")
    return found


def _usual(url: str) -> list[str]:
    """Beside the page and at the root of its site, the usual names first."""
    path = urlsplit(url).path
    beside = url if path.endswith("/") else f"{url.partition('?')[0]}/"
    return [urljoin(base, name) for name in _USUAL for base in dict.fromkeys((beside, urljoin(url, "/")))]


def _luma(calendar: str) -> str:
    return f"https://api.luma.com/ics/get?entity=calendar&id={calendar}"


def _google(query: str, path: str) -> str | None:
    """The embed page and the share link name the calendar; a private one answers 404."""
    if path.endswith(".ics"):
        return None
    names = parse_qs(query)
    calendar = _calendar_named((names.get("src") or names.get("cid") or [""])[0])
    return (
        f"https://calendar.google.com/calendar/ical/{quote(calendar, safe='')}/public/basic.ics"
        if calendar
        else None
    )


def _calendar_named(name: str) -> str:
    """Google's own button writes the name in base64."""
    if "@" in name:
        return name
    try:
        spelled = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return name
    return spelled if re.fullmatch(r"[!-~]+@[\w.-]+", spelled) else name
