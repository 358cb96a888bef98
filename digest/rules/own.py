"""A post or event that an editor writes by hand, as an entry of the pool. Judged like any form; nothing is guessed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from digest.model import Entry, ItemKind, Language, Occasion, SuggestionKind
from digest.rules.links import same_page_key, shown_link
from digest.rules.suggest import Offer, SuggestionRefused, judged_offer

LONGEST_MINUTES = 14 * 24 * 60


@dataclass(frozen=True, slots=True)
class Own:
    """What the form holds. minutes: how long an event lasts, 0 where nobody says. online: its link, or "" for online
    without one; None: in a place, or nobody says."""

    offer: Offer
    language: Language
    minutes: int = 0
    online: str | None = None


def judged_own(sent: Mapping[str, str], *, zone: str) -> Own:
    """sent: as for a suggestion, and minutes, online ("on" when it is), join (its link), language, as typed.

    Raises SuggestionRefused with the field to be mended: kind, title, url, starts, minutes, join or language.
    """
    if sent.get("kind") not in {SuggestionKind.POST, SuggestionKind.EVENT}:
        raise SuggestionRefused("kind")
    offer = judged_offer(sent, zone=zone)
    try:
        language = Language(sent.get("language", ""))
    except ValueError:
        raise SuggestionRefused("language") from None
    if offer.starts is None:
        return Own(offer, language)
    typed = sent.get("minutes", "").strip()
    if typed and not (
        typed.isascii() and typed.isdigit() and len(typed) < 7 and int(typed) <= LONGEST_MINUTES
    ):
        raise SuggestionRefused("minutes")
    joined = sent.get("join", "").strip()
    link = shown_link(joined) if joined else None
    if joined and link is None:
        raise SuggestionRefused("join")
    online = link or ("" if sent.get("online") else None)
    return Own(offer, language, int(typed or 0), online)


def doubts(own: Own, sent: Mapping[str, str], *, now: datetime) -> tuple[str, ...]:
    """What an event's beginning may be by mistake: past, skipped (the clocks leap over that hour), twice (they repeat it)."""
    starts = own.offer.starts
    if starts is None:
        return ()
    found = ["past"] if starts <= now else []
    local = starts.astimezone(ZoneInfo(own.offer.timezone or "UTC"))
    typed = time.fromisoformat(sent.get("time", "").strip() or "00:00")
    if (local.hour, local.minute) != (typed.hour, typed.minute):
        found.append("skipped")
    elif local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        found.append("twice")
    return tuple(found)


def entry_of(own: Own, *, now: datetime) -> Entry:
    """The entry, known by its link, or by its title and beginning where it has none."""
    offer = own.offer
    hashed = sha256(
        repr((offer.title, offer.url, offer.words, offer.starts, offer.place, own.online)).encode()
    ).hexdigest()
    key = f"link:{same_page_key(offer.url)}" if offer.url else f"own:{hashed}"
    occasion = None
    if offer.starts is not None:
        occasion = Occasion(
            starts=offer.starts, ends=offer.starts + timedelta(minutes=own.minutes) if own.minutes else None,
            timezone=offer.timezone or "UTC", place=offer.place or None, online=own.online, uid=f"own-{hashed[:20]}",
        )  # fmt: skip
    return Entry(
        kind=ItemKind.EVENT if occasion else ItemKind.POST, keys=(key,), title=offer.title, url=offer.url,
        language=own.language.value, published=None if occasion else now, summary=offer.words, occasion=occasion,
        content_hash=hashed,
    )  # fmt: skip
