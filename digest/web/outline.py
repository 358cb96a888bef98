"""What the desk shows of an issue, as plain values: the outline, the steps, what it weighs. Nothing here changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

from digest.config import Config
from digest.model import Edit, Editor, EventStatus, Issue, IssueState, Item, ItemKind, Language, Placed
from digest.render import dates
from digest.render.text import words_in
from digest.render.view import item_view, section_name
from digest.rules.assemble import SECTIONS
from digest.rules.edition import default_section
from digest.rules.marks import DRAFTED, UNDATED, UNREAD, UNTRUE
from digest.words import Words

NOTE_WORDS = {Language.EN: 80, Language.FR: 95}
STEPS = (IssueState.DRAFT, IssueState.APPROVED, IssueState.SCHEDULED, IssueState.SENDING, IssueState.SENT)
_FLAG_NAMES = """
  undated date-unread date-guessed zone-guessed member-only reply maybe-twice private check-zone excerpt
  series-unread odd-characters told-otherwise withdrawn drafted-long-ago
"""
_FLAGS = frozenset(_FLAG_NAMES.split())
_UNDATED = frozenset({UNDATED, UNREAD, UNTRUE, DRAFTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item of the outline. tags: (kind, words), kind one of "", warn, bad, ok. section: where keeping puts it."""

    id: int
    title: str
    lang: str
    meta: str
    tags: tuple[tuple[str, str], ...]
    section: str
    section_name: str
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    id: str
    name: str
    count: str
    rows: tuple[Row, ...]


def sections(issue: Issue, language: Language, config: Config) -> list[Section]:
    """The sections in order, also those that are empty."""
    words = Words(language)
    most = {"coming-up": config.issue.events_most, "worth-reading": config.issue.posts_most}
    found = []
    for name in SECTIONS:
        rows = _rows(issue.section(name), language, config)
        count = words("desk.count_of", n=len(rows), most=most[name]) if name in most else str(len(rows))
        found.append(Section(id=name, name=section_name(name, language), count=count, rows=rows))
    return found


def bench(issue: Issue, language: Language, config: Config) -> tuple[Row, ...]:
    """What came after the draft was made first: nobody should have to look for it."""
    return _rows(sorted(issue.section(None), key=lambda p: not p.arrived_late), language, config)


def _rows(placed: Sequence[Placed], language: Language, config: Config) -> tuple[Row, ...]:
    return tuple(
        row(one, language, config, is_first=n == 0, is_last=n == len(placed) - 1)
        for n, one in enumerate(placed)
    )


def row(
    placed: Placed, language: Language, config: Config, *, is_first: bool = False, is_last: bool = False
) -> Row:
    words, item, section = Words(language), placed.item, default_section(placed)
    view = item_view(placed, language, config)
    meta = [view.when.line.split(" (")[0]] if view.when else []  # other zones: in the letter
    meta += view.meta
    if item.also_in and item.occasion:  # a post's line names them
        meta.append(words("desk.also_in", n=len(item.also_in)))
    return Row(
        id=item.id, title=view.title, lang=view.lang, meta=" · ".join(meta),
        tags=tuple(_tags(placed, view.language_note, language, zone=config.list.timezone)),
        section=placed.section or section, section_name=section_name(placed.section or section, language),
        is_first=is_first, is_last=is_last,
    )  # fmt: skip


def _tags(placed: Placed, language_note: str, language: Language, *, zone: str) -> list[tuple[str, str]]:
    item, words = placed.item, Words(language)
    found = _news(placed, language, words)
    found += [("warn", _flagged(flag, item, language, zone=zone)) for flag in item.flags if flag in _FLAGS]
    if item.kind is ItemKind.POST and not item.summary and not placed.blurb:
        found.append(("warn", words("desk.tag_no_blurb")))
    if language_note:
        found.append(("", language_note))
    return found


def _news(placed: Placed, language: Language, words: Words) -> list[tuple[str, str]]:
    """What became of it: whether it takes place, came late, or is told otherwise now."""
    item, found = placed.item, []
    if item.occasion and item.occasion.status is not EventStatus.CONFIRMED:
        kind = "bad" if item.occasion.status is EventStatus.CANCELLED else "warn"
        found.append((kind, words(f"letter.{item.occasion.status}")))
    if placed.arrived_late:
        found.append(("ok", words("desk.tag_new")))
    if placed.changed_at_source:
        found.append(_changed(placed, language, words))
    return found


def _flagged(flag: str, item: Item, language: Language, *, zone: str) -> str:
    """A doubt in words; of a post without a date, from which day it counts."""
    dated = {"when": dates.day(item.first_seen, zone, language)} if flag in _UNDATED else {}
    return Words(language)(f"desk.flag_{flag.replace('-', '_')}", **dated)


def _changed(placed: Placed, language: Language, words: Words) -> tuple[str, str]:
    """What differs, where readers would stand before a closed door: another day or hour, or none at all."""
    was, now = placed.item.occasion, placed.stated_now
    if was and now and now.status is EventStatus.CANCELLED:
        return "bad", words("desk.tag_called_off")
    if was and now and (was.starts, was.all_day) != (now.starts, now.all_day):
        when = dates.day(now.starts, now.timezone, language)
        hour = "" if now.all_day else f", {dates.hour_in_zone(now.starts, now.timezone, language)}"
        return "bad", words("desk.tag_moved", when=when + hour)
    return "warn", words("desk.tag_changed")


def alarms(issue: Issue, language: Language, words: Words) -> list[str]:
    """Events of the letter that are called off, or not any more when the letter says."""
    found = []
    for placed in (p for p in issue.placed if p.section is not None):
        said = [text for kind, text in _news(placed, language, words) if kind == "bad"]
        title = placed.title.get(language, "") or placed.item.title
        found += [
            f"{title}: {text}" if language is Language.EN else f"{title}\N{NO-BREAK SPACE}: {text}"
            for text in said[:1]
        ]
    return found


def mark(issue: Issue, *, waiting: tuple[int, int]) -> str:
    """Changes whenever an open page of this issue would show something else: an edit, a late arrival, a moved event.

    waiting: how much is on the bench, and how much of it came late; a page may hold any part of the bench itself.
    """
    facts = (*waiting, *((p.item.id, p.changed_at_source, p.stated_now, p.item.occasion and p.item.occasion.status)
                         for p in issue.placed if p.section is not None))  # fmt: skip
    return f"{issue.revision}.{issue.state}.{crc32(repr(facts).encode()):x}"


def note_summary(issue: Issue, languages: Sequence[Language], words: Words) -> str:
    """`EN 62 of 80 words · FR empty`."""
    pieces = []
    for language in languages:
        count = words_in(issue.text("note", language))
        code = language.upper()
        pieces.append(words("desk.note_words", language=code, count=count, most=NOTE_WORDS[language]) if count
                      else words("desk.note_empty", language=code))  # fmt: skip
    return " · ".join(pieces)


def steps(issue: Issue, words: Words) -> list[tuple[str, bool]]:
    """The five steps in words, with the current one marked; a paused issue stands at sending."""
    here = IssueState.SENDING if issue.state is IssueState.PAUSED else issue.state
    return [(words("desk.state_paused") if step is here and issue.state is IssueState.PAUSED
             else words(f"desk.state_{step}"), step is here) for step in STEPS]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """When an issue is to leave, in words; left: how long until then, empty when that is over."""

    day: str
    left: str


def due(issue: Issue, language: Language, config: Config, *, now: datetime) -> Due:
    words, zone = Words(language), config.list.timezone
    years = {at.astimezone(ZoneInfo(zone)).year for at in (issue.send_at, now)}
    day = dates.day(issue.send_at, zone, language, year=len(years) > 1)
    when = f"{day}, {dates.hour(issue.send_at, zone, language)}"
    return Due(when, in_words(issue.send_at - now, words) if issue.send_at > now else "")


def in_words(span: timedelta, words: Words) -> str:
    """`3 d 4 h`, `4 h 10 min`, `10 min`: two units at most."""
    minutes = max(1, round(abs(span.total_seconds()) / 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return words("desk.days_hours", days=days, hours=hours) if hours else words("desk.days", n=days)
    if hours:
        return words("desk.hours_minutes", hours=hours, minutes=minutes % 60)
    return words("desk.minutes", n=minutes)


def moment(at: datetime, language: Language, config: Config, *, now: datetime) -> str:
    """The hour when it was today in the list's zone, else the day and the hour."""
    zone = config.list.timezone
    hour, day = dates.hour(at, zone, language), dates.day(at, zone, language)
    return hour if day == dates.day(now, zone, language) else f"{day}, {hour}"


def saved(edits: Sequence[Edit], issue: Issue, language: Language, config: Config, *, now: datetime) -> str:
    """`Saved 10:42 a.m.`: the last thing an editor did; nothing yet: as assembled."""
    words = Words(language)
    return (
        words("desk.saved", when=moment(edits[-1].at, language, config, now=now))
        if edits
        else words("desk.untouched")
    )


def short_name(editor: Editor) -> str:
    """How editors call each other here: what stands before the @."""
    return editor.address.reveal().rpartition("@")[0]


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
