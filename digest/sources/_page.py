"""Answers that are not what was asked for: challenge pages, web pages, empty ones. Says which, never reads items from them."""

import re
from collections import Counter
from collections.abc import Mapping
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from digest.errors import ErrorKind, SourceError
from digest.rules.links import host_of, is_medium_host, same_page_key, shown_link, without_feed_scheme
from digest.sources._octets import utf8_but_for_a_few

# What only the interstitial itself carries. The scripts and headers with which the same products watch an ordinary page
# (Cloudflare's jsd/main.js, AWS WAF's token script, Imperva's _Incapsula_Resource, DataDome's header) say nothing here.
_CHALLENGE = re.compile(
    r"<title>\s*(just a moment|un instant|attention required|one moment, please|checking your browser|access denied"
    r"|ddos-guard|please wait|verify(ing)? (that )?you are (a )?human|are you a robot|security check|client challenge"
    r"|pardon our interruption|vercel security checkpoint|making sure you(&#39;|&apos;|&#x27;|['\u2019])re not a bot"
    r"|you are being redirected|bot verification)[\s.…!?]*(</title>|\|)"
    r"|cf-browser-verification|_cf_chl_opt|/cdn-cgi/challenge-platform/[^\"'\s<>]*orchestrate"
    r"|id=\"challenge-(form|error|running|stage)|<iframe[^>]*_incapsula_resource|id=\"px-captcha|captcha-delivery\.com/c"
    r"|window\.gokuProps|sec-if-cpt-container|id=\"anubis_|sucuri_cloudproxy_js|/\.well-known/sgcaptcha/",
    re.IGNORECASE,
)
_SAID_SO = (
    "cf-mitigated",
    "x-vercel-mitigated",
    "sg-captcha",
    "x-amzn-waf-action",
)  # response headers of such pages
DEEPEST = 8_000  # tags open at once, sloppily counted
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_LEAVES = frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "option",
        "thead",
        "tbody",
        "tfoot",
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)  # nobody need close them
_WINDOWS = frozenset(
    {"", "utf-8", "utf8", "iso-8859-1", "latin1", "us-ascii", "ascii"}
)  # said, and not meant
_FEED_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/rdf+xml",
    "text/calendar",
)
_LOOSE_TYPES = ("application/json", "text/xml", "application/xml")  # of feeds, and of much else
_COMMENTS = 2  # the rank of their feeds: last
_NO_FEED = re.compile(r"/wp-json/|oembed|opensearch|sitemap|/xmlrpc|wlwmanifest", re.IGNORECASE)
_PARKED = re.compile(
    r"\b(?:this|the) (?:premium )?domain(?: name)?\b[^<>]{0,60}\b(?:(?:is|may be) (?:parked|for sale)|has expired)\b"
    r"|<title>[^<]{0,40}\.[a-z]{2,12}\W{0,4}(?:is for sale|est à vendre)|buy this domain\b|\bdomain (?:is )?parked\b"
    r"|sedoparking\.|parkingcrew\.|/parking-lander/"
    r"|\bce (?:nom de )?domaine\b[^<>]{0,60}\b(?:à vendre|en vente|parqué|expiré)",
    re.IGNORECASE,
)
_LINK_HEADER = re.compile(r"<([^<>]{1,2000})>((?:\s*;\s*[\w*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]+))*)")


def opening(body: bytes, *, most: int = 4_096) -> str:
    """The first characters of an answer, whatever its byte order mark says, without the mark and leading space."""
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if body.startswith(mark):
            return body[: most * 4 // 4 * 4].decode(encoding, "ignore").lstrip("\ufeff \t\r\n\0")
    if body[:4].replace(b"\0", b"") != body[:4] and b"<" in body[:4]:
        encoding = {0: "utf-16-le", 1: "utf-16-be", 3: "utf-32-be"}.get(body[:4].index(b"<"), "utf-16-le")
        return body[: most * 2].decode(encoding, "ignore").lstrip()
    return body[:most].removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip("\ufeff \t\r\n\0")


def decoded(body: bytes, headers: Mapping[str, str]) -> str:
    """A page's text: UTF-8 when it is that, else as its header or its head says, else what Windows wrote."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end >= len(body) - 3:  # only cut off in the middle of a letter
            return body.decode("utf-8-sig", "replace")
    head = headers.get("content-type", "").encode("ascii", "replace") + body[:2_048]
    named = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", head, re.IGNORECASE)
    name = named[1].decode("ascii").lower() if named else ""
    if name in ("", "utf-8", "utf8") and (mended := utf8_but_for_a_few(body)) is not None:
        return mended.decode("utf-8-sig")
    try:
        return body.decode("cp1252" if name in _WINDOWS else name, "replace")
    except LookupError:
        return body.decode("cp1252", "replace")


def not_too_deep(text: str) -> str:
    """A page up to where thousands of its tags are open: the work of the parser grows with the square of their number."""
    open_now: Counter[str] = Counter()
    depth = 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name in _LEAVES:
            continue
        if not tag[1]:
            open_now[name] += 1
            depth += 1
        elif open_now[name]:
            open_now[name] -= 1
            depth -= 1
        if depth > DEEPEST:
            return text[: tag.start()]
    return text


def is_html(body: bytes) -> bool:
    """A web page: by its first tag, comments and XML declaration set aside."""
    head = re.sub(r"^(\s|<\?xml.*?\?>|<!--.*?-->)+", "", opening(body), flags=re.DOTALL)
    if re.match(r"<!doctype\s+html|<html|<head|<body", head, re.IGNORECASE):
        return not re.search(r"<(rss|feed|rdf:rdf)[\s>]", head, re.IGNORECASE)
    return False


def is_challenge(body: bytes, headers: Mapping[str, str]) -> bool:
    """A page that wants proof of a human: by header, or by its text whatever its status."""
    if any(headers.get(name, "").lower() in ("challenge", "captcha") for name in _SAID_SO):
        return True
    return is_html(body) and bool(_CHALLENGE.search(body[:60_000].decode("utf-8", "replace")))


def challenge(url: str) -> SourceError:
    host = "Medium" if is_medium_host(host_of(url)) else host_of(url)
    return SourceError(ErrorKind.CHALLENGE, f"{host} answered with a page that asks whether we are human.")


def unavailable(body: bytes, host: str, *, wait_s: float | None) -> SourceError | None:
    """What a 503 means where its page or its Retry-After says more than its number; nobody asked us to slow down."""
    if b"maintenance" in body[:20_000].lower():
        return SourceError(ErrorKind.HTTP, f"{host} is closed for maintenance (503).", retry_after_s=wait_s)
    if wait_s is not None:
        message = f"{host} cannot answer just now (503) and asks us to come back later."
        return SourceError(ErrorKind.RATE_LIMITED, message, retry_after_s=wait_s)
    return None


def announced(body: bytes, url: str, headers: Mapping[str, str] | None = None) -> list[str]:
    """Addresses of the feeds and calendars that a page announces in its head or its header: the sure ones, those that may be
    something else, comment feeds, each in the page's order."""
    found = _ranked(body, url, headers or {})
    return sorted(found, key=lambda link: found[link])


def main_feeds(body: bytes, url: str, headers: Mapping[str, str]) -> list[str]:
    """Those of `announced`, without what readers say below the posts where there is anything else."""
    found = _ranked(body, url, headers)
    least = min(found.values(), default=0)
    return sorted(
        (link for link in found if found[link] == least or found[link] < _COMMENTS),
        key=lambda link: found[link],
    )


def _ranked(body: bytes, url: str, headers: Mapping[str, str]) -> dict[str, int]:
    tree = LexborHTMLParser(not_too_deep(decoded(body[:600_000], headers)))
    base_node = tree.css_first("base[href]")
    base = urljoin(url, (base_node.attributes.get("href") if base_node else "") or "")
    said = [
        {name.lower(): (value or "") for name, value in node.attributes.items()}
        for node in tree.css("link[href]")
    ]
    found: dict[str, int] = {}
    for attributes in [*_in_header(headers.get("link", "")), *said]:
        kind = attributes.get("type", "").lower().split(";")[0].strip()
        link = shown_link(without_feed_scheme(attributes["href"].strip(), page=url), base=base)
        if link is None or "alternate" not in attributes.get("rel", "").lower():
            continue
        if kind in _FEED_TYPES or (kind in _LOOSE_TYPES and not _NO_FEED.search(link)):
            is_comments = is_of_comments(link) or "comment" in attributes.get("title", "").lower()
            found.setdefault(link, _COMMENTS if is_comments else int(kind in _LOOSE_TYPES))
    return found


def is_of_comments(link: str) -> bool:
    """A feed of what readers say below the posts."""
    return "comment" in link.lower()


def _in_header(value: str) -> list[dict[str, str]]:
    """What a Link header names (RFC 8288)."""
    named = re.compile(r"([\w*]+)\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))")
    return [
        {"href": link[1], **{part[1].lower(): part[2] or part[3] for part in named.finditer(link[2])}}
        for link in _LINK_HEADER.finditer(value[:8_000])
    ]


def not_a_feed(body: bytes, url: str) -> SourceError:
    """The sentence for an answer that holds no items: with the address to use instead when the page names one."""
    if not body.strip():
        return SourceError(ErrorKind.NOT_A_FEED, "The address answered with an empty page.")
    if body.lstrip()[:5] == b"%PDF-":
        return SourceError(
            ErrorKind.NOT_A_FEED, "The answer is a PDF document, not a feed or calendar; check the address."
        )
    if is_html(body):
        feeds = [feed for feed in announced(body, url) if same_page_key(feed) != same_page_key(url)]
        page = "The address is a web page, not a feed or calendar."
        if feeds:
            return SourceError(ErrorKind.NOT_A_FEED, f"{page} It announces this one: {feeds[0]}")
        if _PARKED.search(body[:60_000].decode("utf-8", "replace")):
            message = "The domain of this address is parked or for sale: what was there is gone; look for its new address."
            return SourceError(ErrorKind.NOT_A_FEED, message)
        return SourceError(
            ErrorKind.NOT_A_FEED, f"{page} Look on that page for its RSS, Atom or calendar link."
        )
    return SourceError(
        ErrorKind.NOT_A_FEED,
        "The answer is neither a feed (RSS, Atom, JSON Feed) nor a calendar; check the address in a browser.",
    )
