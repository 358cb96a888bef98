"""Foreign text made fit to show: safe HTML, plain lines, a summary, a language. Nothing leaves here that could act on a page."""

import re
import unicodedata
from functools import cache
from html import escape, unescape

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from digest.rules.links import host_of, shown_link

LONGEST_HTML = 400_000  # characters of one item that are looked at
LONGEST_TITLE = 300
LONGEST_SUMMARY = 320
WORDS_A_MINUTE = 230

_TAG_NAMES = """
  a abbr b blockquote br caption cite code dd del dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark
  ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var
"""
TAGS = frozenset(_TAG_NAMES.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "abbr": {"title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "*": {"lang", "dir"},
}
_DROPPED = (
    "script, style, noscript, iframe, frame, object, embed, applet, form, input, button, select, textarea, svg, math, "
    "template, video, audio, canvas, link, meta, base, title, dialog"
)
_BLOCKS = "p, div, li, br, tr, td, th, h1, h2, h3, h4, h5, h6, blockquote, figure, figcaption, pre, hr, dt, dd, section"
_CONTROLS = dict.fromkeys(
    [
        *range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F, 0xAD, 0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F),
        *range(0x2060, 0x2065), *range(0x2066, 0x206A), 0xFEFF, *range(0xFFF9, 0xFFFC), 0xFFFD,
        *range(0xD800, 0xE000), *range(0xE0000, 0xE0020),
    ]
)  # fmt: skip
_C1 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_C1[0x85] = "…"
_ODD = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd\u202a-\u202e\u2066-\u2069]")
_PLAIN_ASCII = bytes([0x09, 0x0A, 0x0C, 0x0D, *range(0x20, 0x7F)])
_BOILERPLATE = re.compile(
    r"(was originally published in|originally (published|appeared) (on|at|in)"
    r"|the post .{0,200} (appeared first on|first appeared)"
    r"|continue reading|read more|lire la suite|sign up for|subscribe to|photo (by|credit)|image credit|crédit photo"
    r"|follow us|suivez-nous|this post (is|was) (also )?available|\(?la version française|the english version|this story was"
    r"|l['’]article .{0,200} est apparu en premier|press enter or click|member-only story|view this email)",
    re.IGNORECASE,
)
_FRENCH_WORDS = """
  le la les des une du et est dans pour que qui sur avec pas sont nous vous ce cette ces aux au leur mais ou plus
  par son sa ses notre nos votre vos comment pourquoi être avons ont fait entre sans chez très aussi été leurs
  dont il elle ils on ne se en à l d qu c n s j m t jusqu lorsqu
"""
_FRENCH = frozenset(_FRENCH_WORDS.split())
_ENGLISH_WORDS = """
  the and of to is for that with on are this we you it as be at from by not have has was our your an or how what
  why when their they can will but more all about which who new do does us its i my been were into than if one
  out up
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_ESCAPED_TWICE = re.compile(
    r"</?(script|style|img|svg|math|iframe|object|embed|form|input|video|audio|details|body|base|link|meta|a|b|i|em|strong"
    r"|span|p|br|font|sup|sub)\b[^>]*>",
    re.IGNORECASE,
)
_FRENCH_ACCENT = re.compile("[éèêàùçôœâî]")
_TAG = re.compile(r"<[^>]+>")
_ASCII_WORD = re.compile(r"[a-z]+")
_WORD = re.compile(r"[^\W\d_]+")


def repaired(text: str) -> str:
    """C1 bytes become what Windows-1252 meant by them; controls, bidirectional overrides and invisible marks go.

    The joiner U+200D stays: emoji need it. Line ends stay too.
    """
    if text.isascii() and not is_odd(text):
        return text
    return unicodedata.normalize("NFC", text.translate(_C1).translate(_CONTROLS))


def is_odd(text: str) -> bool:
    """Whether `repaired` would remove something that may have been put there to deceive."""
    if text.isascii():
        return bool(text.encode("ascii").translate(None, _PLAIN_ASCII))  # ten times as quick as the pattern
    return bool(_ODD.search(text))


def one_line(text: str | None, *, longest: int = LONGEST_TITLE) -> str:
    """Plain text on one line, cut at a word."""
    line = " ".join(repaired((text or "")[: longest * 20]).split())
    return shortened(line, longest=longest)


def shortened(line: str, *, longest: int) -> str:
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[longest // 2 :] else cut).rstrip(" ,;:.—–-") + "…"


def title_text(markup: str | None) -> str:
    """A title as feeds write them: HTML once or twice escaped, or none at all. Never holds markup that acts; plain text."""
    text = (markup or "")[: LONGEST_TITLE * 20]
    if "&" in text or "<" in text:
        text = plain_text(text) if re.search(r"<[a-zA-Z/!]", text) else unescape(text)
        if _ESCAPED_TWICE.search(text):
            text = plain_text(text)
        text = unescape(text)
    return one_line(text)


def plain_text(markup: str) -> str:
    """What a reader would see of HTML, blocks kept apart by line ends."""
    return _text_of(_parsed(markup))


def safe_html(markup: str, *, base: str = "") -> str:
    """The allow-list applied: no script carrier, no pixel, no form, every link absolute and clean. nh3 has the last word."""
    return safe_and_lead(markup, base=base, title="")[0]


def safe_and_lead(markup: str, *, base: str, title: str) -> tuple[str, str]:
    """`safe_html` and the `lead` of it, for one parsing."""
    tree = _parsed(markup)
    if tree is None:
        return "", ""
    for node in tree.css("a[href]"):
        _set_or_drop(node, "href", node.attrs.get("href"), base)
    for node in tree.css("img"):
        source = None if _is_pixel(node) else shown_link(node.attributes.get("src"), base=base)
        if source is None:
            node.decompose()
        else:
            node.attrs["src"] = source
    for node in tree.css("figure, p, a"):
        if not _begins_with_words(node) and not node.text(deep=True).strip() and not node.css_first("img"):
            node.decompose()
    return _cleaner().clean(repaired(tree.inner_html or "")).strip(), _lead(tree, title)


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        clean_content_tags={"script", "style"},
    )


def as_html(text: str) -> str:
    """Plain text as paragraphs."""
    return "".join(f"<p>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())


def lead(html: str, *, title: str = "") -> str:
    """The first real paragraph (over 60 characters, no boiler-plate, not the title again), else what text there is."""
    tree = _parsed(html)
    return "" if tree is None else _lead(tree, title)


def _lead(tree: LexborNode, title: str) -> str:
    """Takes the tree apart."""
    for node in tree.css("figure, pre, h1, h2, h3, h4, h5, h6, table, hr"):
        node.decompose()
    for node in tree.css("p"):
        whole = (
            _text_of(node) if node.css_first("br") else node.text(deep=True)
        )  # no other block stands in a p
        text = one_line(whole, longest=LONGEST_SUMMARY)
        if len(text) > 60 and not _BOILERPLATE.match(text) and not _BOILERPLATE.search(text[:90]):
            return text
    lines = (one_line(line, longest=LONGEST_SUMMARY) for line in _text_of(tree).split("\n"))
    kept = [line for line in lines if line and line != title and not _BOILERPLATE.search(line)]
    return one_line(" ".join(kept), longest=LONGEST_SUMMARY)


def bare_words(html: str) -> str:
    """The words of HTML that is clean already, for counting and guessing: quicker than `plain_text`, less exact."""
    return unescape(_TAG.sub(" ", html))


def minutes_to_read(words: int) -> int | None:
    """Whole minutes, at least one; None when there is next to nothing to read."""
    return None if words < 40 else max(1, round(words / WORDS_A_MINUTE))


def language_of(text: str) -> str | None:
    """ "en", "fr", or None in doubt, by stop words and accents of at most the first 2,000 characters."""
    head = text[:2_000].lower()
    words = (_ASCII_WORD if head.isascii() else _WORD).findall(head)
    accented = 0 if head.isascii() else sum(1 for word in words if _FRENCH_ACCENT.search(word))
    french = sum(map(_FRENCH.__contains__, words)) + 0.5 * accented
    english = sum(map(_ENGLISH.__contains__, words))
    if french + english < 1 or abs(french - english) < max(1.0, 0.3 * max(french, english)):
        return None
    return "fr" if french > english else "en"


def language_tag(tag: str | None) -> str | None:
    """`en-CA`, `EN_us`, `fr` as their two or three letters; None for what is no language tag."""
    first = re.split(r"[-_]", (tag or "").strip().lower())[0]
    return first if re.fullmatch(r"[a-z]{2,3}", first) else None


def _parsed(markup: str) -> LexborNode | None:
    body = LexborHTMLParser(markup[:LONGEST_HTML]).body
    if body is not None:
        for node in body.css(_DROPPED):
            node.decompose()
    return body


def _text_of(tree: LexborNode | None) -> str:
    """Blocks end lines, inline tags separate nothing."""
    if tree is None:
        return ""
    for node in tree.css(_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    lines = (" ".join(line.split()) for line in repaired(tree.text(deep=True)).split("\n"))
    return "\n".join(line for line in lines if line)


def _begins_with_words(node: LexborNode) -> bool:
    """The quick way to see that a node is not empty, for most of them."""
    first = node.child
    return first is not None and first.is_text_node and bool((first.text_content or "").strip())


def _set_or_drop(node: LexborNode, name: str, stated: str | None, base: str) -> None:
    value = _mail_or_link(stated, base)
    if value is None:
        del node.attrs[name]
    elif value != stated:
        node.attrs[name] = value


def _mail_or_link(href: str | None, base: str) -> str | None:
    if (
        href
        and href[:7].lower() == "mailto:"
        and re.fullmatch(r"mailto:[^\s\"'<>]{3,250}", href, re.IGNORECASE)
    ):
        return href
    return shown_link(href, base=base)


def _is_pixel(node: LexborNode) -> bool:
    """Width or height of 2 or less, or a path or host that only counts."""
    attributes = node.attributes
    for name in ("width", "height"):
        size = re.match(r"\s*(\d+)", attributes.get(name) or "")
        if size and int(size[1]) <= 2:
            return True
    if re.search(
        r"(?:^|[;\s])(?:width|height)\s*:\s*[012](?:px)?\s*(?:;|$)|display\s*:\s*none",
        attributes.get("style") or "",
    ):
        return True
    source = attributes.get("src") or ""
    host = host_of(source)
    return "/_/stat" in source or host in {
        "pixel.wp.com",
        "stats.wordpress.com",
        "feeds.feedburner.com",
        "www.google-analytics.com",
    }
