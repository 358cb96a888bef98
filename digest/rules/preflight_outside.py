"""Preflight of what a letter cannot tell of itself: earlier issues, sources, links, records. Pure: it is handed the evidence."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from digest.model import EventStatus, Item, Occasion, Period
from digest.rules.proof import Element, Fault, Look, Page, Proof, Severity, is_private

LOOK_LIVES = timedelta(hours=24)
SOURCE_LIVES = timedelta(
    hours=36
)  # sources are visited four times a day; a day and a half is a fault of ours
SPAM_WARNS, SPAM_BLOCKS = 2.0, 5.0
_DEAD = frozenset({"gone", "dns", "tls", "404", "410", "private-address"})


def subj_repeat(proof: Proof) -> Iterator[Fault]:
    if proof.evidence.subjects is None:
        yield Fault(sentence="unchecked")
        return
    earlier = {subject.casefold().strip(): period for period, subject in reversed(proof.evidence.subjects)}
    for language, edition in proof.editions.items():
        period = earlier.get(edition.subject.casefold().strip())
        if period:
            yield Fault(where="subject", language=language, slots={"period": Period.parse(period)})


def item_repeat(proof: Proof) -> Iterator[Fault]:
    if proof.evidence.printed is None:
        yield Fault(sentence="unchecked")
        return
    for placed in proof.placed:
        period = proof.evidence.printed.get(placed.item.id)
        if period:
            slots = {"what": placed.item.title[:60], "period": Period.parse(period)}
            yield Fault(where=f"item:{placed.item.id}", slots=slots)


def test_sent(proof: Proof) -> Iterator[Fault]:
    if proof.evidence.tested is None:
        yield Fault(sentence="unchecked")
        return
    for language, edition in proof.editions.items():
        if edition.sha256 not in proof.evidence.tested:
            yield Fault(language=language)


def ev_cancel(proof: Proof) -> Iterator[Fault]:
    """The letter against what its source said last: called off, or at another hour. Old news proves nothing."""
    stale: set[str] = set()
    for placed in proof.placed:
        occasion = placed.item.occasion
        if occasion is None:
            continue
        seen = (proof.evidence.read_at or {}).get(placed.item.source)
        if seen is None or proof.now - seen > SOURCE_LIVES:
            stale.add(placed.item.source)
        for language, page in proof.pages.items():
            if _prints_otherwise(page, placed.item, occasion):
                slots = {"what": placed.item.title[:60]}
                yield Fault(where=f"item:{placed.item.id}", language=language, slots=slots)
                break
    if stale:
        yield Fault(sentence="unchecked", slots={"sources": ", ".join(sorted(stale)[:5])})


def link_live(proof: Proof) -> Iterator[Fault]:
    unseen = len(_unreachable(proof))
    for url in outside_links(proof):
        look = _fresh(proof, "link", url)
        where = next((f"item:{p.item.id}" for p in proof.placed if p.item.url == url), "")
        if look is None:
            unseen += 1
        elif look.value in _DEAD:
            yield Fault(where=where, slots={"what": url[:80], "why": look.value})
        elif look.value != "ok":
            yield Fault(where=where, sentence="unchecked_doubt", slots={"what": url[:80], "why": look.value})
    if unseen:
        yield Fault(sentence="unchecked", slots={"n": unseen})


def spam(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        look = proof.evidence.looks.get(("spam", edition.sha256))
        if look is None:
            yield Fault(sentence="unchecked", language=language)
            continue
        score, _, rules = look.value.partition(" ")
        if float(score) > SPAM_WARNS:
            severity = Severity.BLOCK if float(score) > SPAM_BLOCKS else Severity.WARN
            yield Fault(language=language, severity=severity, slots={"score": score, "rules": rules})


def auth(proof: Proof) -> Iterator[Fault]:
    look = _fresh(proof, "auth", proof.config.list.domain)
    if look is None:
        yield Fault(sentence="unchecked", slots={"domain": proof.config.list.domain})
        return
    wanted = {"SPF", "DMARC"} | ({"DKIM"} if proof.config.mail.dkim_selector else set())
    missing = sorted(wanted - set(look.value.split()))
    if missing:
        slots = {"domain": proof.config.list.domain, "missing": ", ".join(missing)}
        yield Fault(where="config:list.from", slots=slots)


def outside_links(proof: Proof) -> list[str]:
    """Every address of the letter that is neither ours nor of a private network, once, in order."""
    return [url for url in _links(proof) if not is_private(url)]


def _unreachable(proof: Proof) -> list[str]:
    """Addresses of this machine or network, which nobody visits from here."""
    return [url for url in _links(proof) if is_private(url)]


def _links(proof: Proof) -> list[str]:
    found = dict.fromkeys(
        link.attrs.get("href", "") for page in proof.pages.values() for link in page.all("a")
    )
    home = proof.config.list.url
    return [url for url in found if re.match(r"https?://", url) and not url.startswith(home)]


def _fresh(proof: Proof, kind: str, key: str) -> Look | None:
    look = proof.evidence.looks.get((kind, key))
    return look if look is not None and proof.now - look.at <= LOOK_LIVES else None


def _prints_otherwise(page: Page, item: Item, occasion: Occasion) -> bool:
    """Whether the event stands in this page with another hour than the item has now, or as if it were on."""
    printed = _time_of(page, item)
    if printed is None:
        return False
    is_struck = any(element.tag == "s" for element in printed.up())
    if (occasion.status is EventStatus.CANCELLED) != is_struck:
        return True
    text = printed.attrs.get("datetime", "")
    try:
        if occasion.all_day:
            return (
                date.fromisoformat(text[:10])
                != occasion.starts.astimezone(ZoneInfo(occasion.timezone)).date()
            )
        return datetime.fromisoformat(text) != occasion.starts.replace(second=0, microsecond=0)
    except (ValueError, TypeError, KeyError):
        return False  # ev-tz tells of a zone that nobody knows


def _time_of(page: Page, item: Item) -> Element | None:
    """The hour printed below the item's title."""
    found = False
    for element in page.elements:
        if element.tag == "h3":
            links = [child.attrs.get("href") for child in element.children if child.tag == "a"]
            found = item.url in links if links else " ".join(element.words.split()) == item.title
        elif element.tag == "time" and found:
            return element
    return None
