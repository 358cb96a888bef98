"""Foreign HTML made safe, and its lead: an allow-list, clean links, no pixels. Nothing that could act on a page leaves here."""

import re
from functools import lru_cache, partial
from html import unescape

import nh3
from selectolax.lexbor import LexborNode

from digest.rules.links import LONGEST, PLAIN_CAMPAIGN, PLAIN_PAGE, host_of, shown_link
from digest.rules.text import LONGEST_HTML, LONGEST_SUMMARY, one_line, parsed, repaired, text_of

_TAG_NAMES = """
  a abbr b blockquote br caption cite code dd del dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark
  ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var
"""
TAGS = frozenset(_TAG_NAMES.split())
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height", "style"},  # no style is shown: it only tells what is hidden
    "abbr": {"title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "*": {"lang", "dir"},
}
_GONE_WHOLE = frozenset(
    [
        "script",
        "style",
        "noscript",
        "iframe",
        "frame",
        "object",
        "embed",
        "applet",
        "form",
        "button",
        "select",
        "textarea",
        "svg",
        "math",
        "template",
        "video",
        "audio",
        "canvas",
        "title",
        "dialog",
    ]
)
_COUNTERS = frozenset(
    {"pixel.wp.com", "stats.wordpress.com", "feeds.feedburner.com", "www.google-analytics.com"}
)
_HIDDEN = re.compile(
    r"(?:^|[;\s])(?:width|height)\s*:\s*[012](?:px)?\s*(?:;|$)|display\s*:\s*none", re.IGNORECASE
)
_TINY = re.compile(r"\s*0*[012](?!\d)")
_MAIL = re.compile(r"mailto:[^\s\"'<>]{3,250}", re.IGNORECASE)
# nh3 writes `<`, `>` and `"` inside attributes as references, so that these patterns need not look for them there.
_IMAGE = re.compile(r"<img\b[^>]*>")
_LINK = r'<a (?:(?:title|lang|dir|rel)="[^"]*+" )*+href="'
_PLAIN = rf'(?![^"]{{{LONGEST}}}){PLAIN_PAGE}'
_HREF = re.compile(rf'{_LINK}(?!{_PLAIN}")([^"]*)"')  # nearly all are plain and stay as they are
_CAMPAIGN = re.compile(rf'({_LINK}{_PLAIN})\?{PLAIN_CAMPAIGN}(?:&amp;{PLAIN_CAMPAIGN})*+(?=")')
_SRC = re.compile(r' src="([^"]*)"')
_STYLE = re.compile(r' style="([^"]*)"')
_EMPTY = re.compile(
    r"<(figure|p|a)\b[^>]*>(?=[ \n&<])(?:[ \n]|&nbsp;|<(?!img\b|/?(?:figure|p|a)\b)[^>]*>)*</\1>"
)
_MOST_NESTED = 8
_MANY_TAGS, _DEEPEST = (
    1_500,
    200,
)  # what stands deeper is read as words; the cleaner's time grows with the square of depth
_NESTING = re.compile(
    r"<(/?)(?!(?:p|li|d[dt]|t[drh]|option|br|hr|img|wbr|input|col|source|track|area|link|meta|embed|param)[\s/>])[a-zA-Z][^>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^>]*>")
_ASIDE = re.compile(r"<(figure|pre|h[1-6]|table)\b.*?</\1>", re.DOTALL)
_PARAGRAPH = re.compile(r"<p(?: [^>]*)?>")
_LEFT_OPEN = re.compile(r"</(?:figure|pre|table)>")
_BOILERPLATE = re.compile(
    r"(was originally published in|originally (published|appeared) (on|at|in)"
    r"|the post .{0,200} (appeared first on|first appeared)"
    r"|continue reading|read more|lire la suite|sign up for|subscribe to|photo (by|credit)|image credit|crédit photo"
    r"|follow us|suivez-nous|this post (is|was) (also )?available|\(?la version française|the english version|this story was"
    r"|l['’]article .{0,200} est apparu en premier|press enter or click|member-only story|view this email)",
    re.IGNORECASE,
)
_TONGUE = r"(?:english|french|anglais|français)"
_WIDGET = re.compile(  # what a platform or a template puts before the first words, told by how it begins
    r"\W*(?:thanks? for reading\b.{0,90}\b(?:subscribe|share)\b|merci (?:de|d['’]avoir) (?:lire|lu)\b.{0,90}\babonn"
    r"|(?:le français|l['’]anglais|la version \w+) suit\s*[).,/]"
    r"|(?:the )?(?:french|english)(?: version)? follows(?: below)?\s*[).,/]"
    r"|(?:(?:this|cet?|cette) (?:article|blog post|post|page|billet|texte) )?(?:(?:is|est) )?(?:also|aussi|également) "
    rf"(?:available in|disponible en) {_TONGUE}|(?:version (?:française|anglaise)|(?:french|english) version)\s*:"
    r"|(?:reading time|temps de lecture|durée de lecture)\s*:|(?:table of contents|table des matières|sommaire)\s*:"
    r"|(?:(?:posted|published) on [^.!?]{0,40}\bby|publiée? le [^.!?]{0,40}\bpar)\b[^.!?]*\Z"
    r"|(?:share this(?: \w+)?|partager? (?:cet? \w+|ceci)?) ?(?:on|sur|:) ?(?:facebook|twitter|linkedin|x\b|mastodon|bluesky)"
    r"|listen to this (?:article|post|story)\s*[:.(]|écoute[rz] (?:cet article|ce billet)\s*[:.(])",
    re.IGNORECASE,
)
_BOILERPLATE_HINTS = (
    "publi", "appeared", "reading", "read more", "lire la", "sign up", "subscribe", "photo", "image cr", "follow us",
    "suivez", "this post", "version", "this story", "apparu", "press enter", "member-only", "view this",
)  # fmt: skip


def safe_html(markup: str, *, base: str = "") -> str:
    """The allow-list applied: no script carrier, no pixel, no form, every link absolute and clean. nh3 has the last word
    on every tag and attribute that stays; after it addresses are only spelled out or go, and whole elements go."""
    markup = markup[:LONGEST_HTML]
    clean = _cleaner().clean(_shallow(markup) if markup.count("<") > _MANY_TAGS else markup)
    mended = repaired(clean)
    if mended != clean:  # what was hidden behind references may be markup now
        clean = _cleaner().clean(mended)
    if " href=" in clean:
        if "?utm_" in clean:
            clean = "".join(
                _CAMPAIGN.split(clean)
            )  # what the pattern keeps of a match stands between the pieces
        clean = _HREF.sub(partial(_linked, base=base), clean)
    if "<img" in clean:
        clean = _IMAGE.sub(partial(_picture_or_nothing, base=base), clean)
    return _without_empties(clean).strip()


def _shallow(markup: str) -> str:
    """Without the tags that stand too deep."""
    depth = 0

    def kept(found: re.Match[str]) -> str:
        nonlocal depth
        is_end = bool(found[1])
        is_deep = depth > _DEEPEST if is_end else depth >= _DEEPEST
        depth = max(0, depth - 1) if is_end else depth + (not found[0].endswith("/>"))
        return " " if is_deep else found[0]

    return _NESTING.sub(kept, markup)


def lead(html: str, *, title: str = "") -> str:
    """The first real paragraph of safe HTML (over 60 characters, no boiler-plate, not the title again), else what text
    there is."""
    paragraphs = _ASIDE.sub(" ", html)
    if not _LEFT_OPEN.search(paragraphs):
        end = 0
        while (head := _PARAGRAPH.search(paragraphs, end)) and (
            end := paragraphs.find("</p>", head.end())
        ) > 0:
            words = unescape(_TAG.sub("", paragraphs[head.end() : end].replace("<br>", "\n")))
            if (text := one_line(words, longest=LONGEST_SUMMARY)) and _leads(text):
                return text
    tree = parsed(html)
    return "" if tree is None else _searched(tree, title)


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        clean_content_tags=set(_GONE_WHOLE),
    )


def _linked(found: re.Match[str], *, base: str) -> str:
    """The head of a link with its address spelled out and clean, or without one."""
    written = found[1]
    link = _mail_or_link(unescape(written) if "&" in written else written, base)
    if link == written:
        return found[0]
    head = found[0][: found.start(1) - found.start() - len(' href="')]
    return head if link is None else f'{head} href="{_written(link)}"'


def _written(address: str) -> str:
    """As nh3 writes an attribute, so that cleaning twice is cleaning once."""
    return address.replace("&", "&amp;").replace('"', "&quot;").replace("\xa0", "&nbsp;")


def _without_empties(clean: str) -> str:
    """Figures, paragraphs and links with neither words nor a picture go, from the inside out."""
    for _ in range(_MOST_NESTED):
        shorter = _EMPTY.sub("", clean)
        if shorter == clean:
            break
        clean = shorter
    return clean


def _picture_or_nothing(found: re.Match[str], *, base: str) -> str:
    """A picture that is there to be seen; its style only told whether it is."""
    image = found[0]
    source, style = _SRC.search(image), _STYLE.search(image) if " style=" in image else None
    if (
        _is_tiny(image, ' width="')
        or _is_tiny(image, ' height="')
        or source is None
        or (style and _HIDDEN.search(style[1]))
    ):
        return ""
    address = unescape(source[1]) if "&" in source[1] else source[1]
    link = shown_link(address, base=base)
    if link is None or "/_/stat" in address or host_of(link) in _COUNTERS:
        return ""
    seen = _STYLE.sub("", image) if style else image
    return seen if link == source[1] else seen.replace(source[0], f' src="{_written(link)}"', 1)


def _is_tiny(image: str, side: str) -> bool:
    at = image.find(side)
    return at > 0 and _TINY.match(image, at + len(side)) is not None


def _searched(tree: LexborNode, title: str) -> str:
    """Takes the tree apart."""
    for node in tree.css("figure, pre, h1, h2, h3, h4, h5, h6, table, hr"):
        node.decompose()
    for node in tree.css("p"):
        whole = (
            text_of(node) if node.css_first("br") else node.text(deep=True)
        )  # no other block stands in a p
        text = one_line(whole, longest=LONGEST_SUMMARY)
        if _leads(text):
            return text
    lines = (one_line(line, longest=LONGEST_SUMMARY) for line in text_of(tree).split("\n"))
    kept = [line for line in lines if line and line != title and not _BOILERPLATE.search(line)]
    return one_line(" ".join(kept), longest=LONGEST_SUMMARY)


def _leads(text: str) -> bool:
    if len(text) <= 60 or _WIDGET.match(text):
        return False
    low = text.lower()
    for hint in _BOILERPLATE_HINTS:  # a quick look before the slow one
        if hint in low:
            break
    else:
        return True
    return not _BOILERPLATE.match(text) and not _BOILERPLATE.search(text[:90])


def _mail_or_link(href: str, base: str) -> str | None:
    if href[:7].lower() == "mailto:" and _MAIL.fullmatch(href):
        return href
    return shown_link(href, base=base)
