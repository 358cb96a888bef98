"""Preflight of what mail programs can show: the letter's HTML and CSS held against the data of caniemail.com. Pure."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from digest.rules.proof import Fault, Page, Proof, Severity

# Shares of opened letters by mail program; a start, to be replaced by a list's own (guide: letter, section 8).
WEIGHTS = {"apple": 0.26, "gmail": 0.44, "outlook-windows": 0.12}
LACK_WARNS, LACK_BLOCKS = 0.25, 0.50
# Used on purpose: where it lacks, nothing of what the letter says is lost.
ALLOWED = {
    "css-at-media-prefers-color-scheme": "an extra; the base colours survive being inverted",
    "css-color-scheme": "an extra, as above",
    "css-text-wrap": "evens out the lines of the h1, no more",
}
_TAGS = (
    {f"h{n}": "html-h1-h6" for n in range(1, 7)}
    | dict.fromkeys(["ul", "ol", "li", "dl"], "html-lists")
    | dict.fromkeys(["article", "aside", "details", "figure", "footer", "header", "main", "nav", "section", "time"],
                    "html-semantics")
    | {"input": "html-input-text", "s": "html-strike", "button": "html-button-submit"}
)  # fmt: skip
_WORDS = (
    (r"\bvar\(", "css-variables"), (r"\bcalc\(", "css-unit-calc"), (r"\bclamp\(", "css-function-clamp"),
    (r"linear-gradient\(", "css-linear-gradient"), (r"radial-gradient\(", "css-radial-gradient"),
    (r"display:\s*(inline-)?flex", "css-display-flex"), (r"display:\s*(inline-)?grid", "css-display-grid"),
    (r"display:\s*none", "css-display-none"), (r"background[^;{}]*url\(", "css-background-image"),
    (r"[\d.]rem\b", "css-unit-rem"), (r"[\d.]em\b", "css-unit-em"), (r"[\d.]vw\b", "css-unit-vw"),
    (r"[\d.]vh\b", "css-unit-vh"), (r"!important", "css-important"), (r"rgba\(", "css-rgba"),
    (r"@media[^{]*prefers-color-scheme", "css-at-media-prefers-color-scheme"),
    (r"@media[^{]*prefers-reduced-motion", "css-at-media-prefers-reduced-motion"), (r"@media[^{]*width", "css-at-media"),
    (r"@font-face", "css-at-font-face"), (r"@import", "css-at-import"), (r"@supports", "css-at-supports"),
    (r"@keyframes", "css-at-keyframes"), (r":hover", "css-pseudo-class-hover"), (r"::?before", "css-pseudo-element-before"),
    (r"\[[\w-]+\]", "css-selector-attribute"), (r":has\(", "css-pseudo-class-has"),
)  # fmt: skip
_ATTRIBUTES = ("align", "aria-hidden", "aria-label", "background", "cellpadding", "cellspacing", "dir", "height",
               "hidden", "lang", "role", "srcset", "valign", "width")  # fmt: skip


def cie(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for feature, (title, share) in lacking(page).items():
            if feature in ALLOWED or share < LACK_WARNS:
                continue
            severity = Severity.BLOCK if share >= LACK_BLOCKS else Severity.WARN
            slots = {"what": title, "n": round(share * 100)}
            yield Fault(where="template", language=language, severity=severity, slots=slots)


def lacking(page: Page) -> dict[str, tuple[str, float]]:
    """Feature to its title and the share of mail programs that lack it, of all the features a page uses."""
    known = data()
    return {
        name: (
            known[name]["title"],
            sum(WEIGHTS[family] * lack for family, lack in known[name]["lacks"].items()),
        )
        for name in sorted(used(page))
        if name in known
    }


def used(page: Page) -> set[str]:
    """The features of a page, by the names of caniemail.com."""
    inline = ";".join(element.attrs["style"] for element in page.elements if "style" in element.attrs)
    css = f"{page.head_css};{inline}"
    found = {slug for pattern, slug in _WORDS if re.search(pattern, css)}
    for name in set(re.findall(r"(?:^|[;{\s])([a-z][a-z-]+)\s*:", css)):
        found |= {f"css-{name}", f"css-{name.split('-')[0]}"}
    for element in page.elements:
        found.add(_TAGS.get(element.tag, f"html-{element.tag}"))
        found |= {f"html-{name}" for name in _ATTRIBUTES if name in element.attrs}
        url = element.attrs.get("href", "") or element.attrs.get("src", "")
        picture = re.search(r"\.(webp|svg|avif|apng|gif|heif|tiff|png|jpg)(\?|$)", url.lower())
        if element.tag == "img" and picture:
            found.add(f"image-{picture.group(1)}")
        if element.tag == "img" and url.startswith("data:"):
            found.add("image-base64")
        if element.tag == "a" and url.startswith("#"):
            found.add("html-anchor-links")
    return found


@cache
def data() -> dict[str, dict[str, Any]]:
    """Feature to {title, lacks: mail program to the share of its versions without it}. See its file for date and licence."""
    text = files("digest").joinpath("data", "caniemail.json").read_text(encoding="utf-8")
    features: dict[str, dict[str, Any]] = json.loads(text)["features"]
    return features
