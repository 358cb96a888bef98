"""Preflight of the page: HTML, language marks, headings, links, contrast. What a screen reader or Outlook would miss."""

import re
from collections import defaultdict
from collections.abc import Iterator

from digest.colour import contrast as ratio
from digest.model import Placed
from digest.rules.preflight_message import LEAVE_MARK, SETTINGS_MARK
from digest.rules.proof import Element, Fault, Page, Proof, colour, is_private

FONT_LEAST = 14.0
_EMPTY_WORDS = frozenset({"click here", "here", "read more", "more", "link", "this", "this link", "learn more"}
                         | {"cliquez ici", "ici", "lire la suite", "en savoir plus", "lien"})  # fmt: skip
_TRACKERS = re.compile(r"[?&](utm_\w+|fbclid|gclid|mc_eid|mc_cid|source=rss-)", re.IGNORECASE)
_LARGE_PX = 24.0


def html_parse(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        ids = [e.attrs["id"] for e in page.elements if "id" in e.attrs]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        for what in [*page.faults[:3], *(f'id="{name}"' for name in twice)]:
            yield Fault(where="template", language=language, slots={"what": what})


def lang_dir(proof: Proof) -> Iterator[Fault]:
    for key, page in proof.pages.items():
        spoken = [one.value for one in proof.editions[key].reading.languages]
        wrappers = [*page.all("html")[:1], *(e for e in page.elements if e.attrs.get("role") == "article")]
        halves = {e.attrs.get("lang") for e in page.all("div") if e.attrs.get("dir")}
        is_said = all(e.attrs.get("lang") == spoken[0] and e.attrs.get("dir") for e in wrappers)
        if len(wrappers) < 2 or not is_said or not halves.issuperset(spoken):
            yield Fault(where="template", language=key, slots={"what": "html, role=article"})
        for element in page.elements:
            if element.tag in {"h3", "p"} and element.attrs.get("lang") and not element.attrs.get("dir"):
                yield Fault(where="template", language=key, slots={"what": element.words[:60]})
        for placed in proof.placed:
            if not _is_in_its_language(placed, page):
                yield Fault(
                    where=f"item:{placed.item.id}", language=key, slots={"what": placed.item.title[:60]}
                )


def table_role(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for table in page.all("table"):
            is_data = any(e.tag == "caption" for e in table.children) and any(
                _inside(e, table) for e in page.all("th")
            )
            if table.attrs.get("role") != "presentation" and not is_data:
                yield Fault(where="template", language=language)


def heading(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        heads = page.all("h1", "h2", "h3", "h4", "h5", "h6")
        levels = [int(e.tag[1]) for e in heads]
        skipped = any(later > before + 1 for before, later in zip([0, *levels], levels, strict=False))
        if levels.count(1) != 1 or skipped or any(not e.words.strip() for e in heads):
            yield Fault(where="template", language=language)


def alt(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for image in page.all("img"):
            words = image.attrs.get("alt")
            if words is None or re.fullmatch(r"\S+\.(png|jpe?g|gif|webp|svg)", words.strip(), re.IGNORECASE):
                yield Fault(
                    where="template", language=language, slots={"what": image.attrs.get("src", "")[:80]}
                )


def img(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for image in page.all("img"):
            source = image.attrs.get("src", "")
            if not source.startswith("https://") or re.search(r"\.(webp|svg)(\?|$)", source, re.IGNORECASE):
                yield Fault(where="template", language=language, slots={"what": source[:80]})


def remote(proof: Proof) -> Iterator[Fault]:
    """Anything that a client would fetch by itself, save images, tells somebody that the letter was opened."""
    for language, page in proof.pages.items():
        loads = page.all(
            "link", "script", "iframe", "object", "embed", "video", "audio", "source", "form", "input"
        )
        pixels = [e for e in page.all("img") if {e.attrs.get("width"), e.attrs.get("height")} & {"0", "1"}]
        fetched = re.search(
            r"url\(|@import", page.head_css + " ".join(e.attrs.get("style", "") for e in page.elements)
        )
        if loads or pixels or fetched:
            what = f"<{(loads or pixels)[0].tag}>" if loads or pixels else "url()"
            yield Fault(where="template", language=language, slots={"what": what})


def link_text(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        targets: defaultdict[str, set[str]] = defaultdict(set)
        for link in page.all("a"):
            name = " ".join((link.attrs.get("aria-label") or link.words).split())
            targets[name.casefold()].add(link.attrs.get("href", ""))
            if len(name) < 3 or name.casefold().strip(" .…:»>") in _EMPTY_WORDS:
                yield Fault(
                    where="template", language=language, slots={"what": name or link.attrs.get("href", "")}
                )
        for name, urls in targets.items():
            if len(urls) > 1:
                yield Fault(where="theme", language=language, slots={"what": name[:60]})


def link_scheme(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for link in page.all("a"):
            url = link.attrs.get("href", "")
            if (
                LEAVE_MARK.fullmatch(url)
                or SETTINGS_MARK.fullmatch(url)
                or url.startswith(proof.config.list.url)
            ):
                continue
            slots = {"what": url[:80] or link.words[:60]}
            if not url.startswith(("https://", "http://", "mailto:")):
                yield Fault(where=_item_of(proof, url), language=language, slots=slots)
            elif is_private(url) and not is_private(
                proof.config.list.url
            ):  # else links-home has said it once
                yield Fault(
                    where=_item_of(proof, url), language=language, slots=slots, severity=proof.leaving()
                )


def link_http(proof: Proof) -> Iterator[Fault]:
    own: set[str] = set()
    for language, url in _links(proof):
        if url.startswith("http://") and is_private(url):
            own.add(url)
        elif url.startswith("http://"):
            yield Fault(where=_item_of(proof, url), language=language, slots={"what": url[:80]})
    if own:
        yield Fault(sentence="unchecked", slots={"n": len(own)})


def link_track(proof: Proof) -> Iterator[Fault]:
    for language, url in _links(proof):
        if _TRACKERS.search(url):
            yield Fault(where=_item_of(proof, url), language=language, slots={"what": url[:80]})


def link_dup(proof: Proof) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for placed in proof.placed:
        url = (placed.item.url or "").split("#")[0].rstrip("/").casefold()
        if url and url in seen:
            yield Fault(
                where=f"item:{placed.item.id}",
                slots={"what": placed.item.title[:60], "other": seen[url][:60]},
            )
        elif url:
            seen[url] = placed.item.title


def contrast(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for mode, rules in (("light", {}), ("dark", dark_rules(page.head_css))):
            inks, grounds = _inherited(page, "color", rules), _inherited(page, "background-color", rules)
            for element, ink, ground in zip(page.elements, inks, grounds, strict=True):
                fault = (
                    _low_contrast(element, ink or "#000000", ground or "#ffffff")
                    if element.text.strip() and not element.is_hidden else None
                )  # fmt: skip
                if fault:
                    slots = {"what": element.text.strip()[:40], "ratio": f"{fault:.1f}"}
                    yield Fault(where="template", language=language, slots=slots, sentence=mode)
                    break


def underline(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for link in page.all("a"):
            if "underline" not in link.style.get("text-decoration", ""):
                yield Fault(where="template", language=language, slots={"what": link.words.strip()[:60]})


def font_min(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for element in page.elements:
            if element.text.strip() and not element.is_hidden and _px(element) < FONT_LEAST:
                yield Fault(where="template", language=language, slots={"what": element.text.strip()[:40]})
                break


def dark_rules(css: str) -> dict[str, dict[str, str]]:
    """Selector to declarations of the dark @media block; a selector of several steps counts by its last one."""
    block = re.search(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{((?:[^{}]*\{[^{}]*\})*)", css)
    found: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", block.group(1) if block else ""):
        declared = dict(_declaration(piece) for piece in body.split(";") if ":" in piece)
        for selector in selectors.split(","):
            found.setdefault(selector.split()[-1], {}).update(declared)
    return found


def _declaration(piece: str) -> tuple[str, str]:
    name, _, value = piece.partition(":")
    return name.strip().lower(), value.replace("!important", "").strip()


def _styled(element: Element, name: str, dark: dict[str, dict[str, str]]) -> str | None:
    value = element.style.get(name)
    if name == "background-color":
        value = value or element.attrs.get("bgcolor")
    for selector in (element.tag, *(f".{each}" for each in element.classes)):
        value = dark.get(selector, {}).get(name, value)
    return colour(value or "")


def _inherited(page: Page, name: str, dark: dict[str, dict[str, str]]) -> list[str | None]:
    """Of each element, in order: its own colour, else its parent's; parents stand before their children."""
    told: dict[int, str | None] = {}
    for element in page.elements:
        above = told[id(element.parent)] if element.parent else None
        told[id(element)] = _styled(element, name, dark) or above
    return list(told.values())


def _low_contrast(element: Element, ink: str, ground: str) -> float | None:
    found = ratio(ink, ground)
    return found if found < (3.0 if _px(element) >= _LARGE_PX else 4.5) else None


def _px(element: Element) -> float:
    for here in element.up():
        found = re.match(r"([\d.]+)px", here.style.get("font-size", ""))
        if found:
            return float(found.group(1))
    return 16.0


def _inside(element: Element, outer: Element) -> bool:
    return any(here is outer for here in element.up())


def _links(proof: Proof) -> Iterator[tuple[str, str]]:
    first = next(iter(proof.pages), None)
    for language, page in proof.pages.items():
        for link in page.all("a"):
            url = link.attrs.get("href", "")
            if not url.startswith(proof.config.list.url) and (language == first or not _item_of(proof, url)):
                yield language, url


def _item_of(proof: Proof, url: str) -> str:
    return next((f"item:{p.item.id}" for p in proof.placed if url and p.item.url == url), "")


def _is_in_its_language(placed: Placed, page: Page) -> bool:
    """Whether a title of another language than what stands around it says so, everywhere."""
    tag = (placed.item.language or "").replace("_", "-").split("-")[0].casefold()
    wanted = "".join(placed.item.title.split())
    heads = page.titled.get(wanted, []) if tag else []
    around = [next((e.attrs["lang"] for e in head.up() if e.attrs.get("lang")), "") for head in heads]
    return all(lang == tag or placed.title.get(lang) for lang in around)
