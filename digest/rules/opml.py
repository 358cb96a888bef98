"""Lists of feeds as OPML 2.0 (opml.org/spec2), read with suspicion and written plainly. No entity is ever expanded."""

from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from digest.errors import InputRefused
from digest.rules.links import shown_link, without_feed_scheme
from digest.rules.text import language_tag, title_text

MOST = 2_000
LARGEST = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of a list."""

    name: str
    url: str
    language: str | None = None


def read_opml(body: bytes) -> tuple[list[Outline], int]:
    """Each address once, in the order of the file, and how many outlines have none that can be visited. Raises InputRefused."""
    found: dict[str, Outline] = {}
    roots: list[str] = []
    unusable: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        roots.append(tag.lower())
        named = {name.lower(): value for name, value in attributes.items()}
        url = shown_link(without_feed_scheme(named.get("xmlurl", "")))
        if tag.lower() == "outline" and "xmlurl" in named and url is None:
            unusable.append(named["xmlurl"])
        if tag.lower() == "outline" and url and url not in found and len(found) < MOST:
            name = title_text(named.get("title") or named.get("text"))
            found[url] = Outline(name=name, url=url, language=language_tag(named.get("language")))

    def refuse(*_declared: object) -> None:
        raise InputRefused("The file declares XML entities, which a list of feeds has no use for.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    if len(body) > LARGEST:
        raise InputRefused("The file is too large for a list of feeds.")
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise InputRefused(
            f"The file is no OPML: it breaks off or goes wrong in line {error.lineno}."
        ) from error
    if roots[:1] != ["opml"]:
        raise InputRefused("The file is no OPML: that is what other readers export their list of feeds as.")
    return list(found.values()), len(unusable)


def write_opml(outlines: list[Outline], *, title: str) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">']
    lines += [f"  <head><title>{escape(title)}</title></head>", "  <body>"]
    for one in outlines:
        name, language = quoteattr(one.name), f" language={quoteattr(one.language)}" if one.language else ""
        lines.append(
            f'    <outline type="rss" text={name} title={name} xmlUrl={quoteattr(one.url)}{language}/>'
        )
    return "\n".join([*lines, "  </body>", "</opml>", ""]).encode()
