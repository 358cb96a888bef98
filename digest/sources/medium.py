"""Medium: every address shape becomes its feed, posts lose the platform's wrapping. Pages are never read, only feeds."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from digest.model import Harvest
from digest.rules.links import host_of, is_medium_host
from digest.rules.text import plain_text
from digest.sources import feed
from digest.sources._kind import Kind, ParseContext

LANE = "medium.com"  # all its hosts and the domains of its publications share one limit
_NO_FEED = frozenset(
    {"m", "me", "search", "p", "plans", "membership", "about", "jobs", "topics", "explore-topics", "creators"}
)
_FOOTER = re.compile(r"<p>.{0,600}?was originally published in.{0,400}?</p>", re.IGNORECASE | re.DOTALL)
_RULE = re.compile(r"<hr\s*/?>\s*\Z", re.IGNORECASE)
_SNIPPET = re.compile(r"<p class=\"medium-feed-snippet\">(.*?)</p>", re.DOTALL)
_PIXEL = re.compile(r"<img[^>]*/_/stat\?[^>]*>")
_IDENTITY = re.compile(rb"<generator>\s*Medium\s*</generator>|https://medium\.com/p/[0-9a-f]{12}</guid>")


def parse(body: bytes, context: ParseContext) -> Harvest:
    """Raises SourceError. An account without posts (or a suspended one) gives an empty harvest."""
    return feed.read(body, context, trim=_trimmed)


def is_medium(body: bytes) -> bool:
    """By generator or by the shape of its guids: a publication may live on a domain of its own."""
    head = body[:200_000].replace(b"\0", b"")
    return b"edium" in head and bool(_IDENTITY.search(head))


def claims(url: str) -> bool:
    return is_medium_host(host_of(url))


def prepare(url: str) -> str:
    """The feed of any Medium page: profile, publication, tag, sub-domain, or the front page of an own domain.

    An address that is none of these (a file, a feed) stays as it is.
    """
    split = urlsplit(url)
    steps = [step for step in split.path.split("/") if step]
    if steps[:1] == ["feed"]:
        return url
    if steps[-1:] == ["feed"]:
        steps = steps[:-1]
    elif not claims(url) and steps and not steps[0].startswith("@") and steps[0] != "tagged":
        return url
    if host_of(url) in ("medium.com", "www.medium.com"):
        if not steps or steps[0] in _NO_FEED:
            return url
        kept = steps[:2] if steps[0] == "tag" else steps[:3] if steps[1:2] == ["tagged"] else steps[:1]
        return urlunsplit(("https", "medium.com", "/".join(["", "feed", *kept]), "", ""))
    kept = steps[:1] if steps and steps[0].startswith("@") else steps[:2] if steps[:1] == ["tagged"] else []
    return urlunsplit((split.scheme, split.netloc, "/".join(["", "feed", *kept]), "", ""))


def _trimmed(html: str, raw: Any) -> feed.Trimmed:
    """Footer, pixel and "continue reading" go; what is only a teaser says so."""
    if snippet := _SNIPPET.search(html):
        return feed.Trimmed(f"<p>{snippet[1]}</p>", is_full=False, flags=("excerpt",))
    if 'class="medium-feed-item"' in html or 'class="medium-feed-link"' in html:
        return feed.Trimmed("", is_full=False, flags=("excerpt",))
    words = _without_footer(_PIXEL.sub("", html).rstrip())
    flags = []
    if re.search(r"Continue reading on (Medium|<a)|member-only story", words[-1_500:], re.IGNORECASE):
        flags.append("member-only")
    if _is_reply(words, raw):
        flags.append("reply")
    return feed.Trimmed(words, is_full="member-only" not in flags, flags=tuple(flags))


def _without_footer(html: str) -> str:
    """Without the last paragraph, if it is Medium's own, and the rule above it."""
    at = html.rfind("<p>")
    if at < 0 or len(html) - at > 1_100 or not _FOOTER.fullmatch(html, at):
        return html
    head = html[:at].rstrip()
    return head[: -len(rule[0])] if (rule := _RULE.search(head[-20:])) else head


def _is_reply(html: str, raw: Any) -> bool:
    """A comment under somebody's post: no heading, no figure, no tags, fewer than 60 words."""
    if re.search(r"<(h[1-6]|figure)[\s>]", html) or raw.get("tags"):
        return False
    return len(plain_text(html).split()) < 60


KIND = Kind(name="medium", version="medium-10", parse=parse, claims=claims, prepare=prepare)
