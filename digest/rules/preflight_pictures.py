"""Preflight of pictures: words in their place, and a form, size and weight that mail programs take. Our own letter has none
but the operator's logo; templates of theirs may bring more."""

import re
from collections.abc import Iterator
from typing import Any

from digest.rules.proof import Element, Fault, Proof, Severity

ALT_MOST = 150
WEIGHT_MOST, SIDE_MOST_PX = 200_000, 1_200
_FILE_NAME = re.compile(r"\S+\.(png|jpe?g|gif|webp|svg)", re.IGNORECASE)
_NOT_EVERYWHERE = re.compile(r"\.(webp|svg|avif)(\?|$)", re.IGNORECASE)


def alt(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for image in page.all("img"):
            words = image.attrs.get("alt")
            slots: dict[str, Any] = {"what": image.attrs.get("src", "")[:80]}
            if words is None or _FILE_NAME.fullmatch(words.strip()):
                yield Fault(where="template", language=language, slots=slots)
            elif not words.strip() and image.attrs.get("role") not in {"presentation", "none"}:
                yield Fault(where="template", language=language, slots=slots, sentence="unchosen")
            elif len(words) > ALT_MOST:
                slots = {"n": len(words), "most": ALT_MOST}
                yield Fault(
                    where="template", language=language, severity=Severity.WARN, sentence="long", slots=slots
                )


def img(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        for image in page.all("img"):
            yield from (
                Fault(
                    where=_place(image, proof),
                    language=language,
                    severity=severity,
                    sentence=sentence,
                    slots=slots,
                )
                for sentence, severity, slots in _faults(image, proof)
            )


def _faults(image: Element, proof: Proof) -> Iterator[tuple[str, Severity, dict[str, Any]]]:
    source = image.attrs.get("src", "")
    what: dict[str, Any] = {"what": source[:80]}
    if source.startswith("data:"):
        yield "data", Severity.BLOCK, what
        return
    is_ours = source.startswith(proof.config.list.url)  # links-home tells of a list without https
    if not (is_ours or source.startswith("https://")) or _NOT_EVERYWHERE.search(source):
        yield "fail", Severity.WARN, what
    known = proof.evidence.pictures.get(source)
    shown = {name: int(side) for name in ("width", "height") if (side := image.attrs.get(name, "")).isdigit()}
    sides = [*shown.values(), *([known.width, known.height] if known else [])]
    if max(sides, default=0) > SIDE_MOST_PX:
        yield "wide", Severity.WARN, what | {"n": max(sides), "most": SIDE_MOST_PX}
    if known and known.width < shown.get("width", 0):
        yield "small", Severity.WARN, what | {"n": known.width, "least": shown["width"]}
    if known is None:
        yield "unchecked", Severity.WARN, what
    elif known.weight > WEIGHT_MOST:
        yield "heavy", Severity.WARN, what | {"n": known.weight // 1000, "most": WEIGHT_MOST // 1000}


def _place(image: Element, proof: Proof) -> str:
    return "config:letter.logo" if image.attrs.get("src", "") in proof.evidence.pictures else "template"
