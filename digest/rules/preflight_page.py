"""Preflight of the page: HTML, language marks, headings, contrast. What a screen reader or Outlook would miss."""

import re
from collections.abc import Iterator

from digest.colour import contrast as ratio
from digest.model import Placed
from digest.rules.proof import Element, Fault, Page, Proof, Severity, colour
from digest.rules.tongue import guessed, primary

FONT_LEAST = 14.0
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
    for placed in proof.placed:
        said, heard = primary(placed.item.language), guessed(f"{placed.item.title}. {placed.item.summary}")
        if heard is not None and said and said != heard:
            slots = {"what": placed.item.title[:60]}
            yield Fault(
                where=f"item:{placed.item.id}", sentence=f"heard_{heard}", severity=Severity.WARN, slots=slots
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


def _styled(element: Element, name: str, dark: dict[str, str]) -> str | None:
    """dark: selectors that say this property to what each says."""
    value = element.style.get(name)
    if name == "background-color":
        value = value or element.attrs.get("bgcolor")
    if dark:
        for selector in (element.tag, *(f".{each}" for each in element.classes)):
            value = dark.get(selector, value)
    return colour(value or "")


def _inherited(page: Page, name: str, dark: dict[str, dict[str, str]]) -> list[str | None]:
    """Of each element, in order: its own colour, else its parent's; parents stand before their children."""
    told: dict[int, str | None] = {}
    said = {selector: declared[name] for selector, declared in dark.items() if name in declared}
    for element in page.elements:
        above = told[id(element.parent)] if element.parent else None
        told[id(element)] = _styled(element, name, said) or above
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


def _is_in_its_language(placed: Placed, page: Page) -> bool:
    """Whether a title of another language than what stands around it says so, everywhere."""
    tag = primary(placed.item.language)
    wanted = "".join(placed.item.title.split())
    heads = page.titled.get(wanted, []) if tag else []
    around = [next((e.attrs["lang"] for e in head.up() if e.attrs.get("lang")), "") for head in heads]
    return all(lang == tag or placed.title.get(lang) for lang in around)
