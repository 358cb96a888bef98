"""What people suggest: judged when it comes in, and made an entry of the pool when an editor takes it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.errors import InputRefused
from digest.model import Entry, ItemKind, Occasion, Suggestion, SuggestionKind
from digest.rules.guard import one_line
from digest.rules.links import same_page_key, shown_link
from digest.rules.text import language_of

TITLE_LENGTH, WORDS_LENGTH, PLACE_LENGTH = 200, 1000, 200
MOST_OPEN = 500


class SuggestionRefused(InputRefused):
    """field: which of the form's fields is to be mended: kind, title, url, starts; past, hour: what is wrong with it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"The field {field} of this suggestion cannot be used.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion that can be kept."""

    kind: SuggestionKind
    title: str
    url: str | None
    words: str
    starts: datetime | None
    timezone: str | None
    place: str


def judged_offer(sent: Mapping[str, str], *, zone: str) -> Offer:
    """sent: kind, title, url, words, date (ISO), time (HH:MM; none: all day), timezone, place, as typed. zone: when none
    is named.

    A post needs its link and no title; an event its title and beginning; an idea its title. Raises SuggestionRefused.
    """
    try:
        kind = SuggestionKind(sent.get("kind", ""))
    except ValueError:
        raise SuggestionRefused("kind") from None
    typed = sent.get("url", "").strip()
    url = shown_link(typed) if typed else None
    if (typed and url is None) or (kind is SuggestionKind.POST and url is None):
        raise SuggestionRefused("url")
    title = one_line(sent.get("title", ""), most=TITLE_LENGTH)
    if not title and not (
        kind is SuggestionKind.POST and url
    ):  # the page behind a link says its title itself
        raise SuggestionRefused("title")
    named = sent.get("timezone") or zone
    starts = _starts(sent, named) if kind is SuggestionKind.EVENT else None
    return Offer(
        kind, title, url, one_line(sent.get("words", ""), most=WORDS_LENGTH), starts, named if starts else None,
        one_line(sent.get("place", ""), most=PLACE_LENGTH),
    )  # fmt: skip


def offer_to_come(sent: Mapping[str, str], *, zone: str, now: datetime) -> Offer:
    """The same from a stranger, who may only suggest what is still to come, at an hour that its zone has.

    Raises SuggestionRefused also with `past`, and `hour` for one that is skipped when clocks go forward.
    """
    offer = judged_offer(sent, zone=zone)
    if offer.starts is None:
        return offer
    typed = sent.get("time", "").strip()
    local = offer.starts.astimezone(ZoneInfo(offer.timezone or "UTC"))
    if typed and f"{local:%H:%M}" != f"{time.fromisoformat(typed):%H:%M}":
        raise SuggestionRefused("hour")
    ends = offer.starts if typed else offer.starts + timedelta(days=1)
    if ends <= now:
        raise SuggestionRefused("past")
    return offer


def is_whole_day(suggestion: Suggestion) -> bool:
    """Nobody said when it begins: kept as midnight where it takes place."""
    if suggestion.starts is None:
        return False
    local = suggestion.starts.astimezone(ZoneInfo(suggestion.timezone or "UTC"))
    return (local.hour, local.minute) == (0, 0)


def _starts(sent: Mapping[str, str], zone: str) -> datetime:
    """second: of an hour that the clocks repeat, the later one."""
    try:
        local = datetime.fromisoformat(
            f"{sent.get('date', '').strip()}T{sent.get('time', '').strip() or '00:00'}"
        )
        if not 2000 <= local.year <= 2100:
            raise SuggestionRefused("starts")
        return local.replace(tzinfo=ZoneInfo(zone), fold=int(bool(sent.get("second")))).astimezone(UTC)
    except (ValueError, ZoneInfoNotFoundError, OSError, OverflowError):
        raise SuggestionRefused("starts") from None


def shown_title(suggestion: Suggestion) -> str:
    """As it was typed, else as the page says, else its address."""
    return suggestion.title or suggestion.found_title or suggestion.url or ""


def spoken(suggestion: Suggestion) -> str:
    """The language of what is suggested: of its page, of its words, or that of the form."""
    guessed = language_of(f"{shown_title(suggestion)} {suggestion.words}")
    return suggestion.found_language or guessed or suggestion.language.value


def entry_of(suggestion: Suggestion, *, title: str) -> Entry | None:
    """The post or event to put into the pool, with the editor's title; None for an idea, which is no item."""
    if suggestion.kind is SuggestionKind.IDEA:
        return None
    words = one_line(title, most=TITLE_LENGTH) or shown_title(suggestion)
    key = f"link:{same_page_key(suggestion.url)}" if suggestion.url else f"suggestion:{suggestion.id}"
    occasion = None
    if suggestion.kind is SuggestionKind.EVENT and suggestion.starts is not None:
        occasion = Occasion(
            starts=suggestion.starts, timezone=suggestion.timezone or "UTC", all_day=is_whole_day(suggestion),
            place=suggestion.place or None,
            uid=f"suggestion-{suggestion.id}",
        )  # fmt: skip
    hashed = sha256(
        "\0".join([words, suggestion.url or "", suggestion.words, str(suggestion.starts)]).encode()
    )
    return Entry(
        kind=ItemKind.EVENT if occasion else ItemKind.POST, keys=(key,), title=words, url=suggestion.url,
        language=spoken(suggestion), author=suggestion.author or None, published=None if occasion else suggestion.at,
        summary=suggestion.words,
        occasion=occasion, content_hash=hashed.hexdigest(), flags=("suggested",),
    )  # fmt: skip
