"""Preflight of links: what they say, where they lead, what they carry along. Nothing is visited here."""

import re
from collections import defaultdict
from collections.abc import Iterator

from digest.rules.links import same_page_key
from digest.rules.preflight_message import LEAVE_MARK, SETTINGS_MARK
from digest.rules.proof import Fault, Proof, Severity, is_private

_EMPTY_WORDS = frozenset({"click here", "here", "read more", "more", "link", "this", "this link", "learn more"}
                         | {"cliquez ici", "ici", "lire la suite", "en savoir plus", "lien"})  # fmt: skip
_BARE = re.compile(r"https?://|www\.", re.IGNORECASE)
_TRACKERS = re.compile(r"[?&](utm_\w+|fbclid|gclid|mc_eid|mc_cid|source=rss-)", re.IGNORECASE)
# Hosts for rehearsals and pages behind a door. Names are guesses, so they warn.
_NOT_FOR_READERS = re.compile(
    r"https?://(?:[\w-]+\.)*(?:staging|stage|preview|preprod|dev|uat|qa)\d*[.-]"
    r"|https?://[^/]+/(?:[^?#]*/)?(?:login|log-in|signin|sign-in|wp-login\.php|wp-admin|connexion|ouverture-de-session)(?:[/?#]|$)"
    r"|[?&](?:preview|draft)=(?:1|true)",
    re.IGNORECASE,
)


def link_text(proof: Proof) -> Iterator[Fault]:
    for language, page in proof.pages.items():
        targets: defaultdict[str, set[str]] = defaultdict(set)
        for link in page.all("a"):
            name = " ".join((link.attrs.get("aria-label") or link.words).split())
            targets[name.casefold()].add(link.attrs.get("href", ""))
            url = link.attrs.get("href", "")
            slots = {"what": name or url[:80]}
            if not name:
                yield Fault(where=_item_of(proof, url) or "template", language=language, severity=Severity.BLOCK,
                            sentence="empty", slots=slots)  # fmt: skip
            elif len(name) < 3 or name.casefold().strip(" .…:»>") in _EMPTY_WORDS or _BARE.match(name):
                yield Fault(where=_item_of(proof, url) or "template", language=language, slots=slots)
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
            elif _NOT_FOR_READERS.search(url):
                where = _item_of(proof, url)
                yield Fault(
                    where=where, language=language, slots=slots, severity=Severity.WARN, sentence="inside"
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
        url = same_page_key(placed.item.url or "").casefold()
        if url and url in seen:
            yield Fault(
                where=f"item:{placed.item.id}",
                slots={"what": placed.item.title[:60], "other": seen[url][:60]},
            )
        elif url:
            seen[url] = placed.item.title


def _links(proof: Proof) -> Iterator[tuple[str, str]]:
    first = next(iter(proof.pages), None)
    for language, page in proof.pages.items():
        for link in page.all("a"):
            url = link.attrs.get("href", "")
            if not url.startswith(proof.config.list.url) and (language == first or not _item_of(proof, url)):
                yield language, url


def _item_of(proof: Proof, url: str) -> str:
    return next((f"item:{p.item.id}" for p in proof.placed if url and p.item.url == url), "")
