"""What leaves the reading of foreign bytes: entries that every later step can count with. What cannot be kept is named."""

from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from digest.model import Entry, Harvest, LeftOut, LeftOutWhy, Occasion

_Text = TypeVar("_Text", str, str | None)
_FIRST_YEAR, _LAST_YEAR = 1995, 2199  # calendars and event pages hold 0001 and 9999 for "unknown" and "never"


def sound(harvest: Harvest) -> Harvest:
    """The same, without events of years that nobody means, and without lone surrogates, which JSON and XML can spell and
    no file or mail can hold."""
    kept, left_out = [], list(harvest.left_out)
    for entry in harvest.entries:
        occasion = entry.occasion
        if occasion and not _is_meant(occasion.starts):
            left_out.append(
                LeftOut(entry.title[:60], LeftOutWhy.TIMES, f"it begins in the year {occasion.starts.year}")
            )
            continue
        if occasion and occasion.ends and not _is_meant(occasion.ends):
            entry = replace(entry, occasion=replace(occasion, ends=None))
        kept.append(entry if _is_writable(entry) else _written(entry))
    if len(left_out) == len(harvest.left_out) and all(
        a is b for a, b in zip(kept, harvest.entries, strict=True)
    ):
        return harvest
    return replace(harvest, entries=tuple(kept), left_out=tuple(left_out))


def _is_meant(at: datetime) -> bool:
    return _FIRST_YEAR <= at.year <= _LAST_YEAR


def _is_writable(entry: Entry) -> bool:
    place = entry.occasion
    short = (entry.title, entry.url, entry.author, entry.summary, entry.language, *entry.tags, *entry.keys,
             *((place.place, place.online, place.uid, place.timezone) if place else ()))  # fmt: skip
    text = "".join(part for part in short if part)
    return text.isascii() or _mended(text) is text


def _written(entry: Entry) -> Entry:
    return replace(
        entry,
        title=_mended(entry.title),
        url=_mended(entry.url),
        author=_mended(entry.author),
        summary=_mended(entry.summary),
        language=_mended(entry.language),
        tags=tuple(_mended(tag) for tag in entry.tags),
        keys=tuple(_mended(key) for key in entry.keys),
        occasion=_mended_occasion(entry.occasion),
    )


def _mended_occasion(when: Occasion | None) -> Occasion | None:
    if when is None:
        return None
    return replace(when, place=_mended(when.place), online=_mended(when.online), uid=_mended(when.uid))


def _mended(text: _Text) -> _Text:
    """Two surrogates that belong together become their character, a lone one U+FFFD."""
    if text is None:
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
