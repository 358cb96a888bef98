"""Preflight of what is told: events, posts, limits, both languages, the text part. Faults out, nothing mended."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.model import EventStatus, Issue, ItemKind, Language, Occasion, Placed
from digest.rules.preflight_message import LEAVE_MARK, SETTINGS_MARK
from digest.rules.proof import Fault, Proof, Severity
from digest.rules.taken_back import taken_back
from digest.rules.tongue import deadlines, misdated
from digest.words import Words

TEXT_LINE_MOST = 78
BLURB_LEAST, BLURB_MOST = 8, 45
LIMITS = {
    "coming-up": (3, 15),
    "worth-reading": (5, 15),
    "calls": (0, 6),
    "missed-it": (0, 3),
}  # guide: desk, section 8
POSTS_PER_SOURCE = 3
MIX_LEAST, MIX_MOST = 5, 0.60  # of the items whose sources say where they are at home
GROUP_LEAST = 10
NOTE_WORDS = {Language.EN: 80, Language.FR: 95}
_PLAIN = re.compile(r"\w [:;?!»](?=\s|$)|« |\w'\w")


def ev_past(proof: Proof) -> Iterator[Fault]:
    for placed in over(proof.issue, proof.issue.send_at):
        yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})
    leaves = proof.issue.send_at.astimezone(ZoneInfo(proof.config.list.timezone)).date()
    for placed in proof.issue.section("calls"):
        said = {
            day for one in proof.languages for day in deadlines(" ".join(printed(placed, one)), about=leaves)
        }
        if said and max(said) < leaves:  # read out of words, so it may be wrong
            slots = {"what": placed.item.title[:60], "day": max(said)}
            yield Fault(
                where=f"item:{placed.item.id}", severity=Severity.WARN, sentence="deadline", slots=slots
            )


def ev_window(proof: Proof) -> Iterator[Fault]:
    last = proof.issue.send_at + timedelta(days=proof.config.issue.events_days)
    for placed, occasion in _events(proof):
        if occasion.starts > last:
            slots = {"what": placed.item.title[:60], "days": proof.config.issue.events_days}
            yield Fault(where=f"item:{placed.item.id}", slots=slots)


def ev_tz(proof: Proof) -> Iterator[Fault]:
    for placed, occasion in _events(proof):
        ends_first = occasion.ends is not None and occasion.ends <= occasion.starts
        if not _zone_is_known(occasion.timezone) or occasion.starts.tzinfo is None or ends_first:
            yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})
    about = proof.issue.send_at.date()
    for where, text in _told(proof):
        for phrase in misdated(text, about=about):
            yield Fault(where=where, severity=Severity.WARN, sentence="weekday", slots={"what": phrase})


def _told(proof: Proof) -> Iterator[tuple[str, str]]:
    """What the letter says in whole sentences, with the place to mend it: theme, note, titles, blurbs."""
    for field in ("theme", "note"):
        yield from ((field, proof.issue.text(field, language)) for language in proof.languages)
    for placed in proof.placed:
        said = [words for one in proof.languages for words in (printed(placed, one))]
        yield from ((f"item:{placed.item.id}", words) for words in dict.fromkeys(said))


def printed(placed: Placed, language: Language) -> tuple[str, str]:
    """Title and blurb as this language shows them."""
    return placed.title.get(language) or placed.item.title, placed.blurb.get(language) or placed.item.summary


def ev_doubt(proof: Proof) -> Iterator[Fault]:
    for placed, _ in _events(proof):
        if {"zone-guessed", "date-guessed"} & set(placed.item.flags):
            yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})
        elif "check-zone" in placed.item.flags:
            yield Fault(
                where=f"item:{placed.item.id}", sentence="hour", slots={"what": placed.item.title[:60]}
            )


def ev_place(proof: Proof) -> Iterator[Fault]:
    for placed, occasion in _events(proof):
        if not (occasion.place or "").strip() and occasion.online is None:
            yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})


def ev_cancelled(proof: Proof) -> Iterator[Fault]:
    for placed, occasion in _events(proof):
        if occasion.status in {EventStatus.CANCELLED, EventStatus.POSTPONED}:
            yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})


def changed(proof: Proof) -> Iterator[Fault]:
    for placed in proof.placed:
        if placed.changed_at_source:
            yield Fault(where=f"item:{placed.item.id}", slots={"what": placed.item.title[:60]})


def item_title(proof: Proof) -> Iterator[Fault]:
    for placed in proof.placed:
        if not placed.item.title.strip() or (placed.item.kind is ItemKind.POST and not placed.item.url):
            has_title = bool(placed.item.title.strip())
            what = placed.item.title[:60] if has_title else placed.item.url or placed.item.summary[:60]
            yield Fault(where=f"item:{placed.item.id}", sentence="fail" if has_title else "untitled",
                        slots={"what": what, "source": placed.item.source})  # fmt: skip


def fr_parity(proof: Proof) -> Iterator[Fault]:
    if len(proof.languages) < len(Language):
        return
    for field in ("note", "theme"):
        english, french = (
            proof.issue.text(field, language).strip() for language in (Language.EN, Language.FR)
        )
        slots = {"what": _called(field)}
        if bool(english) != bool(french):
            yield Fault(where=field, language=Language.FR if english else Language.EN, slots=slots)
        elif english and not 0.6 <= len(french) / len(english) <= 1.9:
            yield Fault(where=field, language=Language.FR, sentence="ratio", slots=slots)
    yield from _said_in_one(proof)
    for placed in proof.placed:
        for field, words in (("title", placed.title), ("blurb", placed.blurb)):
            given = [language for language in Language if words.get(language, "").strip()]
            if len(given) == 1:
                missing = Language.FR if given == [Language.EN] else Language.EN
                slots = {"what": _called(field, placed.item.title[:60])}
                yield Fault(where=f"item:{placed.item.id}", language=missing, slots=slots)


def _said_in_one(proof: Proof) -> Iterator[Fault]:
    """Texts of the configuration that one language has and the other lacks."""
    about, letter = proof.config.list, proof.config.letter
    texts = {"list.description": about.description, "list.postal_address": about.postal_address,
             "letter.footer": letter.footer}  # fmt: skip
    texts |= {f"letter.names.{name}": words for name, words in letter.names.items()}
    for key, words in texts.items():
        if bool(words.en.strip()) != bool(words.fr.strip()):
            missing = Language.FR if words.en.strip() else Language.EN
            slots = {"what": f"{key}.{missing}"}
            yield Fault(where=f"config:{key}", language=missing, slots=slots)


def _called(field: str, title: str = "") -> dict[Language, str]:
    return {one: Words(one)(f"preflight.fr_parity_{field}", title=title) for one in Language}


def fr_typo(proof: Proof) -> Iterator[Fault]:
    """What the press cannot mend by itself (render/text.py french): a quotation mark without its other half."""
    edition = proof.editions.get(Language.FR)
    if edition is None:
        return
    own = [
        (field, proof.issue.text(field, Language.FR)) for field in ("note", "theme", "subject", "preheader")
    ]
    for placed in proof.placed:
        shown = [placed.title.get(Language.FR, ""), placed.blurb.get(Language.FR, "")]
        if placed.item.language == "fr":
            shown = [
                own or theirs
                for own, theirs in zip(shown, (placed.item.title, placed.item.summary), strict=True)
            ]
        own += [(f"item:{placed.item.id}", words) for words in shown]
    for where, words in own:
        text = re.sub(r"\S+://\S+", "", words)
        if text.count('"') % 2:
            slots = {"what": text[max(0, text.rindex('"') - 20) :][:40].strip()}
            yield Fault(where=where, language=Language.FR, slots=slots)
    found = _PLAIN.search(edition.subject)
    if found:
        yield Fault(where="theme", language=Language.FR, sentence="print", slots={"what": found.group()})


def count(proof: Proof) -> Iterator[Fault]:
    for section, (least, most) in LIMITS.items():
        found = len(proof.issue.section(section))
        if not least <= found <= most:
            yield Fault(
                where=f"section:{section}",
                slots={"n": found, "least": least, "most": most, "section": _names(proof, section)},
            )


def _names(proof: Proof, section: str) -> dict[Language, str]:
    """How the letter heads this section, in each language."""
    own = {str(name): texts for name, texts in proof.config.letter.names.items()}.get(section)
    return {language: (own.in_(language) if own else "") or Words(language)(f"letter.{section.replace('-', '_')}")
            for language in Language}  # fmt: skip


def mix(proof: Proof) -> Iterator[Fault]:
    posts = [p.item.source for p in proof.placed if p.section == "worth-reading"]
    for source, found in Counter(posts).items():
        if found > max(POSTS_PER_SOURCE, proof.config.issue.posts_per_source):
            yield Fault(where="section:worth-reading", slots={"n": found, "source": source})
    homes = {source.name: source.jurisdiction for source in proof.config.sources if source.jurisdiction}
    known = Counter(homes[p.item.source] for p in proof.placed if p.item.source in homes)
    total = sum(known.values())
    for home, found in known.items():
        if total >= MIX_LEAST and found / total > MIX_MOST:
            slots = {"n": found, "total": total, "home": _home(home)}
            yield Fault(where="section:worth-reading", sentence="home", slots=slots)


def _home(name: str) -> dict[Language, str]:
    return {one: Words(one)(f"desk.place_{name.replace('-', '_')}") for one in Language}


def people_gone(proof: Proof) -> Iterator[Fault]:
    for name in taken_back(proof.issue, proof.editions):
        yield Fault(where="section:people", slots={"what": name})


def pulse_k(proof: Proof) -> Iterator[Fault]:
    """A small group in the counts of readers, told or left over when what is told is taken from the whole."""
    pulse = proof.issue.community.pulse
    if pulse is None or "pulse" not in proof.config.letter.sections:
        return
    for shares in (pulse.places, pulse.roles):
        rest = pulse.total - sum(one.count for one in shares)
        small = [one.count for one in shares if one.count < GROUP_LEAST] or (
            [rest] if 0 < rest < GROUP_LEAST else []
        )
        if small or pulse.total < GROUP_LEAST:
            yield Fault(where="section:pulse", slots={"n": GROUP_LEAST})
            return


def blurb(proof: Proof) -> Iterator[Fault]:
    posts = [placed for placed in proof.placed if placed.section == "worth-reading"]
    for placed in posts:
        for language in proof.languages:
            words = printed(placed, language)[1]
            breaks_off = words.rstrip().endswith(("…", "...", "[…]", "[...]"))
            if not BLURB_LEAST <= len(words.split()) <= BLURB_MOST or breaks_off:
                slots = {"what": placed.item.title[:60], "n": len(words.split())}
                yield Fault(where=f"item:{placed.item.id}", slots=slots)
                break
    theirs = sum(not any(placed.blurb.values()) for placed in posts)
    if theirs:
        yield Fault(
            where="section:worth-reading", severity=Severity.INFO, sentence="theirs", slots={"n": theirs}
        )


def note(proof: Proof) -> Iterator[Fault]:
    for language in proof.languages:
        words = len(proof.issue.text("note", language).split())
        if not 0 < words <= NOTE_WORDS[language]:
            yield Fault(where="note", language=language, slots={"n": words, "most": NOTE_WORDS[language]},
                        sentence="fail" if words else "empty")  # fmt: skip


def text_parity(proof: Proof) -> Iterator[Fault]:
    for language, edition in proof.editions.items():
        flat = "".join(edition.text.split())
        for link in proof.pages[language].all("a"):
            url = link.attrs.get("href", "")
            if not url.startswith("mailto:") and url not in edition.text:
                yield Fault(where="template", language=language, slots={"what": url[:80]})
        for element in proof.pages[language].all("h1", "h2", "h3", "time"):
            if "".join(element.words.split()) not in flat:
                yield Fault(
                    where="template", language=language, slots={"what": " ".join(element.words.split())[:80]}
                )
        marked = SETTINGS_MARK.sub("", LEAVE_MARK.sub("", edition.text))
        for line in marked.splitlines():
            is_one_word = max(map(len, line.split()), default=0) > TEXT_LINE_MOST - 8
            if len(line) > TEXT_LINE_MOST and "://" not in line and not is_one_word:
                yield Fault(where="template", language=language, slots={"what": line[:80]})


def reading(proof: Proof) -> Iterator[Fault]:
    """The figures that the letter prints of itself: of its note, titles and blurbs."""
    views = [one.view for one in proof.editions.values() if one.view]
    if not views:
        yield Fault(sentence="unchecked")
        return
    told = json.loads(views[0])["view"]
    yield Fault(slots={"n": told["words"], "minutes": told["minutes"]}, sentence="pass")


def over(issue: Issue, at: datetime) -> list[Placed]:
    """Events of an issue that have ended by then; those that are told as missed are meant to be."""
    return [
        placed for placed in issue.placed
        if placed.section not in {None, "missed-it"} and placed.item.occasion
        and (placed.item.occasion.ends or placed.item.occasion.starts) <= at
    ]  # fmt: skip


def _events(proof: Proof) -> Iterator[tuple[Placed, Occasion]]:
    for placed in proof.placed:
        if placed.item.occasion is not None and placed.section != "missed-it":  # what is over is meant to be
            yield placed, placed.item.occasion


def _zone_is_known(name: str) -> bool:
    try:
        datetime(2026, 1, 1, tzinfo=UTC).astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
