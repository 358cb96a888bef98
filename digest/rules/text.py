"""Foreign text made fit to show: plain lines, words, a language. HTML is made safe in cleaning.py, never here."""

import re
import unicodedata
from functools import lru_cache
from html import escape, unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

LONGEST_HTML = 400_000  # characters of one item that are looked at
LONGEST_TITLE = 300
LONGEST_SUMMARY = 320
WORDS_A_MINUTE = 230

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
_FRENCH_WORDS = """
  le la les des une du et est dans pour que qui sur avec pas sont nous vous ce cette ces aux au leur mais ou plus
  par son sa ses notre nos votre vos comment pourquoi être avons ont fait entre sans chez très aussi été leurs
  dont il elle ils on ne se en à qu jusqu lorsqu l' d' c' n' s' j' m' t' l’ d’ c’ n’ s’ j’ m’ t’
"""
_FRENCH = frozenset(_FRENCH_WORDS.split())
_ENGLISH_WORDS = """
  the and of to is for that with on are this we you it as be at from by not have has was our your an or how what
  why when their they can will but more all about which who new do does us its i my been were into than if one
  out up
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_TELLING = _FRENCH | _ENGLISH
_SURE_WORDS = """
  dans avec nous vous notre votre nos vos leur leurs pourquoi avons ont sont être chez très aussi dont cette aux une lorsqu
  the and of with how what why when their they which who you your our from this that these are have has was were will can
"""
_SURE = frozenset(
    _SURE_WORDS.split()
)  # of these, one is worth more: no title of the other language borrows them
_FRENCH_LOOK = re.compile(r"eaux?$|eux$|euse$|oire$|ique$|aires?$|eurs?$|ettes?$|elles?$|[oa]is$|qu|[aeu]nt$")
_ENGLISH_LOOK = re.compile(r"w|k|sh|gh|th|oo|ing$|[^aeiou]y$|ed$")
_ESCAPED_TWICE = re.compile(
    r"</?(script|style|img|svg|math|iframe|object|embed|form|input|video|audio|details|body|base|link|meta|a|b|i|em|strong"
    r"|span|p|br|font|sup|sub)\b[^>]*>",
    re.IGNORECASE,
)
_WHOLLY_ESCAPED = re.compile(
    r"\s*&lt;(?:p|div|h[1-6]|ul|ol|figure|br|img|a|span|strong|em|b|i|blockquote|table|section|article)\b[^<]*&gt;",
    re.IGNORECASE,
)
_FORMATTED = re.compile(
    r"<(b|i|u|em|strong|span|a|sub|sup|font)\b[^<>]*>[^<>]*</\1>|<br\s*/?>", re.IGNORECASE
)
_FRENCH_ACCENT = re.compile("[éèêàùçôœâî]")
_ELIDED = r"[cdjlmnstCDJLMNST]['’](?=[^\W\d_])"  # `l'` is French; the s of `it's` and the D of R&D are not
_LETTERS = "".join(chr(code) if chr(code).isalpha() else " " for code in range(128))
_WORD = re.compile(rf"{_ELIDED}|[^\W\d_]+")
_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)  # where `str.split` splits, beside the space itself


def opened(markup: str) -> str:
    """HTML that was escaped once too often, as the HTML it was: when it begins with a tag and holds no real one."""
    return unescape(markup) if "<" not in markup and _WHOLLY_ESCAPED.match(markup) else markup


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
    if not text:
        return ""
    line = " ".join(repaired(text[: longest * 20]).split())
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


def atom_title(text: str | None, *, is_html: bool) -> str:
    """A title of Atom, which says whether it is HTML. One that is text, as one without a type is, means what it says (RFC
    4287, 3.1.1.1), so that "Using <details> in HTML" keeps its tag.

    Of the 179 of these in our corpus none was escaped twice, but there are feeds that do ("Nvidia&amp;#8217;s"), and some
    that forget to say type="html" ("<em>Blue Jasmine</em>"): a character's name, a line break and a whole pair of
    formatting tags are taken for what they mean, since hardly any title is about them; a tag alone is not.
    """
    line = (text or "")[: LONGEST_TITLE * 20]
    if (is_html or _FORMATTED.search(line)) and "<" in line:
        line = plain_text(line)
    elif is_html and "&" in line:
        line = unescape(line)
        line = plain_text(line) if _FORMATTED.search(line) else line
    return one_line(unescape(line) if "&" in line else line)


def plain_text(markup: str) -> str:
    """What a reader would see of HTML, blocks kept apart by line ends."""
    return text_of(parsed(markup))


def as_html(text: str) -> str:
    """Plain text as paragraphs."""
    return "".join(f"<p>{escape(part.strip())}</p>" for part in re.split(r"\n\s*\n", text) if part.strip())


def bare_words(html: str) -> str:
    """The words of HTML that is clean already, one space between two, for counting and guessing: quicker than
    `plain_text`, less exact."""
    said = [words for piece in html.split("<") if (words := piece[piece.find(">") + 1 :].strip())]
    return single_spaced(unescape(" ".join(said)))


def single_spaced(text: str) -> str:
    """`" ".join(text.split())`, in a third of the time where little is to do."""
    for space in _SPACES:
        if space in text:
            text = text.replace(space, " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


def minutes_to_read(words: int) -> int | None:
    """Whole minutes, at least one; None when there is next to nothing to read."""
    return None if words < 40 else max(1, round(words / WORDS_A_MINUTE))


def language_of(text: str) -> str | None:
    """ "en", "fr", or None in doubt, by stop words and accents of at most the first 2,000 characters."""
    head = text[:2_000].lower()
    words = _words_of(head)
    telling = list(filter(_TELLING.__contains__, words))
    if len(telling) < 6:  # among so many words of either language there are a score of them
        return None if len(words) > 80 else _language_of_a_line(text[:2_000])
    accented = 0 if head.isascii() else sum(1 for word in words if _FRENCH_ACCENT.search(word))
    french = sum(map(_FRENCH.__contains__, telling)) + 0.5 * accented
    english = sum(map(_ENGLISH.__contains__, telling))
    if abs(french - english) < max(1.0, 0.3 * max(french, english)):
        return None
    return "fr" if french > english else "en"


def _language_of_a_line(text: str) -> str | None:
    """With few stop words one does not decide, since titles borrow ("en masse", "La Ronge", "6 pm EST"): the look of the other
    words must agree, or a second one."""
    words = _words_of(text)
    if any(map(str.isupper, words)) and not text.isupper():
        words = [
            word for word in words if not word.isupper() or len(word.rstrip("'’")) == 1
        ]  # no EST, LA, ON
    if not words:
        return None
    french, english, french_look, english_look = map(sum, zip(*map(_weight, words), strict=True))
    lead = french + french_look - english - english_look
    told, looked = (french, french_look) if lead > 0 else (english, english_look)
    return None if abs(lead) < 1 or told < 1 or told + looked < 1.5 else "fr" if lead > 0 else "en"


def _words_of(text: str) -> list[str]:
    """Its runs of letters; an elided article is one by itself."""
    if text.isascii() and "'" not in text:
        return text.translate(_LETTERS).split()  # a fifth of the pattern's time
    return _WORD.findall(text)


@lru_cache(maxsize=4_096)  # the words of one source come again and again
def _weight(word: str) -> tuple[float, float, float, float]:
    """What a word says for French and English as a stop word, and by its look."""
    word = word.lower()
    if word in _TELLING:
        weight = 1.5 if word in _SURE else 1.0
        return weight * (word in _FRENCH), weight * (word in _ENGLISH), 0.0, 0.0
    if len(word) < 3:
        return 0.0, 0.0, 0.0, 0.0
    french = bool(_FRENCH_LOOK.search(word)) + bool(_FRENCH_ACCENT.search(word))
    return 0.0, 0.0, 0.5 * french, 0.5 * bool(_ENGLISH_LOOK.search(word))


def language_tag(tag: str | None) -> str | None:
    """`en-CA`, `EN_us`, `fr` as their two or three letters; None for what is no language tag."""
    if not tag:
        return None
    first = re.split(r"[-_]", tag.strip().lower())[0]
    return first if re.fullmatch(r"[a-z]{2,3}", first) else None


def parsed(markup: str) -> LexborNode | None:
    """The body of markup without what acts or hides; None when there is none."""
    body = LexborHTMLParser(markup[:LONGEST_HTML]).body
    if body is not None:
        for node in body.css(_DROPPED):
            node.decompose()
    return body


def text_of(tree: LexborNode | None) -> str:
    """Blocks end lines, inline tags separate nothing."""
    if tree is None:
        return ""
    for node in tree.css(_BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    lines = (" ".join(line.split()) for line in repaired(tree.text(deep=True)).split("\n"))
    return "\n".join(line for line in lines if line)
