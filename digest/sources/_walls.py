"""Posts that a feed shows only the beginning of, since the rest is for members: told by what their platform writes. Never
by a mere "Read more", which is how blogs end their excerpts.

Substack ends what is paid for with a paragraph of one link, "Read more", to the post itself; Ghost leaves the text of what
is not public empty; Jetpack, membership plugins and people write a sentence. Medium has a file of its own, and Patreon
gives no feed of posts.
"""

import re
from collections.abc import Callable
from typing import Any

from digest.rules.links import same_page_key

_WHO = (
    r"(?:(?:paid|paying|premium|registered|logged[-\s]in)\s)*(?:subscribers?|members?|supporters?|patrons?)"
)
_QUI = r"(?:abonn[ée]+(?:[·.]?e)?s?|membres?|adhérent[·.]?e?s?|donateurs?|mécènes)"
_WHAT = r"(?:post|article|story|content|episode|issue|newsletter|essay|page|video|entry)"
_SENTENCE = re.compile(
    rf"""\W*(?: (?:this|the\ (?:rest|remainder)\ of\ (?:this|the))\ {_WHAT}\ is\ (?:only\ )?
           (?:for|available\ to|visible\ to|reserved\ for|restricted\ to|exclusive\ to|limited\ to)\ (?:our\ )?{_WHO}(?:\ only)?
         | (?:subscribe|upgrade|sign\ up|log\ in|become\ an?\ {_WHO}(?:\ of\ .{{1,60}})?)\ to\ (?:
             (?:continue|keep)\ reading
             | (?:get\ access\ to|read|access|unlock|see)\ the\ (?:rest|remainder|full)\b.{{0,80}} )
         | (?:ce|cet|cette)\ (?:texte|article|billet|contenu|épisode|publication|infolettre|page)\ est\ (?:exclusivement\ )?
           (?:réservée?|accessible)\ (?:uniquement\ |seulement\ )?(?:aux|à\ nos|à\ mes)\ {_QUI}(?:\ payants?)?
         | la\ suite\ (?:de\ (?:ce|cet|cette)\ \w+\ )?est\ réservée\ (?:aux|à\ nos|à\ mes)\ {_QUI}(?:\ payants?)?
         | (?:abonnez-vous|connectez-vous)\ pour\ (?:continuer\ (?:la\ |votre\ )?lecture|lire\ la\ suite)
       )\W*""".replace("\\ ", r"\s"),
    re.IGNORECASE | re.VERBOSE,
)
_HINTS = (
    "subscri",
    "member",
    "patron",
    "supporter",
    "abonn",
    "membre",
    "donat",
    "upgrade",
    "log in",
    "sign up",
)
_BLOCK = re.compile(
    r"<(p|h[1-6]|div)\b[^<>]*>((?:(?!</?(?:p|h[1-6]|div)\b).)*)</\1>", re.IGNORECASE | re.DOTALL
)
_LONGEST_SENTENCE = 200
_HEAD, _TAIL = 600, 1_500
_MORE = re.compile(
    r"<p>\s*<a\b[^<>]*\bhref=\"([^\"<>]+)\"[^<>]*>\s*(?:Read more|Lire la suite)\s*</a>\s*</p>\s*\Z",
    re.IGNORECASE,
)
_SEEN = re.compile(r"<(?:img|iframe|video|audio|figure|embed|object)\b|[^\s<>][^<>]*(?:<|\Z)", re.IGNORECASE)

Wall = Callable[[str, Any], tuple[str, bool]]


def wall_of(body: bytes) -> Wall:
    """How the platform that made this feed keeps its members' posts: of their words, those that all may read, and whether
    there are others."""
    head = body[:20_000]
    if b"<generator>Substack<" in head:
        return _of_substack
    return _of_ghost if b"<generator>Ghost " in head else _of_any


def _of_substack(html: str, raw: Any) -> tuple[str, bool]:
    found = _MORE.search(html, max(0, len(html) - _TAIL))
    if found and _page(found[1]) == _page(raw.get("link") or ""):
        return html[: found.start()].rstrip(), True
    return _of_any(html, raw)


def _page(link: str) -> str:
    return same_page_key(link.partition("?")[0])


def _of_ghost(html: str, raw: Any) -> tuple[str, bool]:
    """Its feed always holds a text, an empty one where nobody may read it."""
    texts = [str(one.get("value") or "") for one in raw.get("content", ())]
    if texts and not any(_SEEN.search(text[:_TAIL]) for text in texts):
        return html, True
    return _of_any(html, raw)


def _of_any(html: str, _raw: Any) -> tuple[str, bool]:
    """By a block that says so and nothing else, at the end or the very beginning."""
    low = (html[:_HEAD] + html[-_TAIL:]).lower()
    if not any(hint in low for hint in _HINTS):
        return html, False
    head, tail = (html[:-_TAIL], html[-_TAIL:]) if len(html) > _TAIL else ("", html)
    begun = _BLOCK.sub(_unless_said, head[:_HEAD])
    ended = _BLOCK.sub(_unless_said, tail)
    is_said = (begun, ended) != (head[:_HEAD], tail)
    return (begun + head[_HEAD:] + ended).strip() if is_said else html, is_said


def _unless_said(block: re.Match[str]) -> str:
    """Nothing of a block that says that the rest is for members."""
    words = " ".join(re.sub(r"<[^<>]*>", " ", block[2]).split())
    return "" if len(words) <= _LONGEST_SENTENCE and _SENTENCE.fullmatch(words) else block[0]
