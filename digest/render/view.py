"""What the templates of the letter and of the web archive are given: one value, no look-ups behind it.

Everything here is in words of the edition's language, cleaned, with nothing that belongs to one reader.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from babel import Locale

from digest.config import Config
from digest.model import (
    BY_EDITORS,
    BY_READERS,
    EventStatus,
    Issue,
    Item,
    Language,
    Occasion,
    Placed,
)
from digest.render import dates
from digest.render.community import people_views, pulse_section
from digest.render.context import IssueView, ItemView, OtherLanguage, SectionView, WhenView
from digest.render.text import Run, clean, french, paragraphs, shorten, words_in
from digest.words import Words

WORDS_A_MINUTE = 230
PAST = "missed-it"  # what took place already: no hour to keep, nothing to add to a calendar
SUBJECT_MOST = 60  # what a phone shows; From names the list already, so the name goes first

_KINDS = {"coming-up": ("events", "posts"), "worth-reading": ("posts", "events"), "calls": ("calls_count",)}
_RIGHT_TO_LEFT = frozenset(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"])
OWN_NAMES = {Language.EN: "English", Language.FR: "Français"}


def issue_view(issue: Issue, language: Language, config: Config, *, zone: str = "") -> IssueView:
    """One issue in one language. What an editor left out is empty here; preflight tells.

    zone: of the readers it is for, who see their own hour at events online; "": all zones of the list in one line.
    """
    words, about = Words(language), config.list
    parts = tuple(
        part for name in config.letter.sections if (part := _part(name, issue, language, config, zone=zone))
    )  # fmt: skip
    sections = tuple(section for section in parts if section.items)
    theme = _own(issue.text("theme", language), language)
    name, month = about.name.in_(language), dates.month(issue.period, language)
    note = paragraphs(_own(issue.text("note", language), language, lines=True))
    count = _count_words(note, sections)
    minutes = max(1, round(count / WORDS_A_MINUTE))
    glance = _glance(sections, language)
    page = issue_url(config, language, str(issue.period))
    return IssueView(
        language=language, dir="ltr", period=str(issue.period), number=issue.number, list_name=name,
        title=_capital(f"{month}{words('letter.colon')}{theme}" if theme else month),
        month=_capital(month), theme=theme,
        issue_line=words("letter.issue_line", number=issue.number,
                         minutes=words("letter.minutes", n=minutes)),
        minutes=minutes, words=count, note=note, glance=glance, sections=sections, parts=parts, web_url=page,
        home_url=_url(config, language, "/"),
        calendar_url=f"{about.url}/issues/{issue.period}.ics" if _events(sections) else None,
        others=tuple(OtherLanguage(language=other, name=OWN_NAMES[other],
                                   url=issue_url(config, other, str(issue.period)))
                     for other in about.languages if other is not language),
        contact=about.reply_to or about.from_, postal_address=clean(about.postal_address.in_(language)),
        description=about.description.in_(language), footer=clean(config.letter.footer.in_(language)),
        subject=_subject(issue, language, name=name, month=month, theme=theme, sections=sections),
        preheader=_preheader(issue, language, sections),
    )  # fmt: skip


def issue_url(config: Config, language: Language, period: str) -> str:
    """The page of an issue; the first language of the list needs no prefix, French lives under /fr/."""
    return _url(config, language, f"/issues/{period}")


def section_name(section: str, language: Language, *, config: Config | None = None) -> str:
    """The heading of a section: `coming-up` is "Coming up" or "À venir", or what the configuration calls it."""
    own = {str(name): texts for name, texts in config.letter.names.items()} if config else {}
    if section in own and own[section].in_(language):
        return own[section].in_(language)
    return Words(language)(f"letter.{section.replace('-', '_')}")


def language_note(item_language: str | None, language: Language) -> str:
    """`in French`, `en anglais`; empty when it is the edition's own language or unknown."""
    tag = _primary(item_language)
    if tag in {"", language.value}:
        return ""
    name = language_name(tag, language)
    return Words(language)("letter.in_language", language=name) if name else ""


def language_name(tag: str, language: Language) -> str:
    """`French`, `anglais`; empty for a tag that names no language."""
    return str(Locale.parse(language.value).languages.get(tag, ""))


def event_place(occasion: Occasion, language: Language) -> str | None:
    """Where: a place, "Online", both, or None when nobody says."""
    words, place = Words(language), venue(occasion)
    if not dates.is_online(occasion):
        return place
    return words("letter.place_and_online", place=place) if place else words("letter.online")


def venue(occasion: Occasion) -> str | None:
    """The place one can go to, if there is one."""
    place = clean(occasion.place or "")
    return None if place.startswith(("http://", "https://")) else place or None


def when_view(occasion: Occasion, language: Language, config: Config, *, zone: str = "") -> WhenView:
    month, day, weekday = dates.leaf(occasion.starts, occasion.timezone, language)
    return WhenView(
        line=dates.span(occasion, language, list_zone=config.list.timezone, also=config.letter.zones, own_zone=zone),
        short=dates.span(occasion, language, list_zone=config.list.timezone, own_zone=zone, most=0),
        at=occasion.starts.timestamp(),
        starts=dates.iso(occasion.starts, occasion.timezone, all_day=occasion.all_day),
        ends=dates.iso(occasion.ends, occasion.timezone, all_day=occasion.all_day) if occasion.ends else None,
        month=month, day=day, weekday=weekday, length=dates.length(occasion, language),
    )  # fmt: skip


def item_view(placed: Placed, language: Language, config: Config, *, zone: str = "") -> ItemView:
    """One item as this edition prints it; an editor's words win over the item's own."""
    item, words = placed.item, Words(language)
    foreign = _primary(item.language) not in {"", language.value}
    title, title_lang = _words_of(placed.title, item.title, item, language)
    if not title.strip():
        title, title_lang = words(f"letter.untitled_{item.kind}"), ""
    blurb, blurb_lang = _words_of(placed.blurb, item.summary, item, language)
    occasion = item.occasion
    when = when_view(occasion, language, config, zone=zone) if occasion else None
    place = event_place(occasion, language) if occasion else None
    minutes = words("letter.read_minutes", n=item.minutes) if item.minutes else None
    author = clean(item.author or "") or None
    source = source_name(item.source, language)
    others = [source_name(name, language) for name in item.also_in if name != item.source]
    also = words("letter.also_in", sources=", ".join(others)) if others else None
    meta = (
        [place, when.length, source]
        if when
        else [source, author if author != source else None, minutes, also]
    )
    status = _status(occasion, words)
    return ItemView(
        id=item.id, kind=item.kind, title=title, url=safe_url(item.url), lang=title_lang, dir=direction(title_lang),
        hreflang=_primary(item.language) if foreign else "",
        language_note=language_note(item.language, language),
        source=source, author=author, minutes=minutes, meta=tuple(piece for piece in meta if piece),
        blurb=blurb, blurb_lang=blurb_lang, blurb_dir=direction(blurb_lang), when=when, place=place,
        venue=venue(occasion) if occasion else None, is_online=bool(occasion and dates.is_online(occasion)),
        online_url=safe_url(occasion.online) if occasion else None,
        is_cancelled=bool(occasion and occasion.status is EventStatus.CANCELLED), status=status,
        add_url=f"{config.list.url}/items/{item.id}.ics" if occasion else None,
        page_url=_url(config, language, f"/items/{item.id}"),
    )  # fmt: skip


def source_name(name: str, language: Language) -> str:
    """What readers see as the publication; our own two have a name in each language."""
    own = {BY_EDITORS: "letter.by_editors", BY_READERS: "letter.by_readers"}.get(name)
    return Words(language)(own) if own else clean(name)


def direction(tag: str) -> str:
    """`rtl` for a language that is written from right to left, else `ltr`."""
    return "rtl" if _primary(tag) in _RIGHT_TO_LEFT else "ltr"


def safe_url(url: str | None) -> str | None:
    """The address when a browser may be sent there (http or https), else None."""
    text = (url or "").strip()
    return (
        text if text.lower().startswith(("https://", "http://")) and not any(map(str.isspace, text)) else None
    )


def _part(name: str, issue: Issue, language: Language, config: Config, *, zone: str) -> SectionView | None:
    """One section, or None when there is nothing in it."""
    heading = section_name(name, language, config=config)
    if name == "have-your-say":
        return SectionView(id=name, name=heading)
    if name == "pulse":
        return pulse_section(issue.community.pulse, heading, language)
    if name == "people":
        people = people_views(issue.community.people, language)
        return SectionView(id=name, name=heading, people=people) if people else None
    items = tuple(item_view(placed, language, config, zone=zone) for placed in issue.section(name))
    if name == PAST:
        items = tuple(replace(item, add_url=None) for item in items)
    count = ", ".join(_told(_counted(name, items), language))
    return SectionView(id=name, name=heading, items=items, count=count) if items else None


def _counted(section: str, items: Sequence[ItemView]) -> dict[str, int]:
    """How many of what, by the name of its phrase. What an editor moved is counted as what it is, not by where it stands."""
    events = sum(item.when is not None for item in items)
    found = {"events": events, "posts": len(items) - events, "calls_count": len(items)}
    return {kind: found[kind] for kind in _KINDS.get(section, ()) if found[kind]}


def _told(counts: Mapping[str, int], language: Language) -> list[str]:
    return [Words(language)(f"letter.{kind}", n=n) for kind, n in counts.items()]


def _glance(sections: tuple[SectionView, ...], language: Language) -> tuple[str, ...]:
    """Each kind once, in the order in which the sections bring them; and when the next event is."""
    found: Counter[str] = Counter()
    for section in sections:
        found.update(_counted(section.id, section.items))
    pieces = _told(found, language)
    coming = [item.when.short for item in _events(sections) if item.when and not item.is_cancelled]
    if coming:
        pieces.append(Words(language)("letter.next_event", when=coming[0]))
    return tuple(pieces)


def _events(sections: tuple[SectionView, ...]) -> list[ItemView]:
    events = [item for section in sections if section.id != PAST for item in section.items if item.when]
    return sorted(events, key=lambda item: item.when.at if item.when else 0.0)


def joint_subject(views: Sequence[IssueView]) -> str:
    """What a letter in both languages is called: both subjects, themes or months if they fit, else the first subject."""
    wishes = [
        [view.subject for view in views],
        [_capital(view.theme) for view in views],
        [view.month for view in views],
    ]
    joined = (" · ".join(wish) for wish in wishes if all(wish))
    return next((wish for wish in joined if len(wish) <= SUBJECT_MOST), views[0].subject)


def _subject(
    issue: Issue, language: Language, *, name: str, month: str, theme: str, sections: tuple[SectionView, ...]
) -> str:
    own = _own(issue.text("subject", language), language)
    if own:
        return own
    about = theme or month
    named = f"{name}{Words(language)('letter.colon')}{about}"
    counted = [section.count for section in sections[:1] if section.count]
    wishes = [", ".join([named, *counted]), named, ", ".join([_capital(about), *counted]), _capital(about)]
    return next((wish for wish in wishes if len(wish) <= SUBJECT_MOST), _capital(about))


def _preheader(issue: Issue, language: Language, sections: tuple[SectionView, ...]) -> str:
    own = _own(issue.text("preheader", language), language)
    titles = [section.items[0].title for section in sections]
    return own or shorten(" · ".join(titles), most=110)


def _count_words(note: tuple[tuple[Run, ...], ...], sections: tuple[SectionView, ...]) -> int:
    told = [run.text for paragraph in note for run in paragraph]
    told += [f"{item.title} {item.blurb}" for section in sections for item in section.items]
    return sum(map(words_in, told))


def _words_of(own: Mapping[str, str], theirs: str, item: Item, language: Language) -> tuple[str, str]:
    """The words to print and their language when it is not the edition's."""
    if clean(own.get(language, "")):
        return _own(own[language], language), ""
    tag = _primary(item.language)
    text = clean(theirs)
    return (french(text) if tag == "fr" else text), (tag if tag not in {"", language.value} else "")


def _status(occasion: Occasion | None, words: Words) -> str:
    if occasion is None or occasion.status is EventStatus.CONFIRMED:
        return ""
    return words(f"letter.{occasion.status.value}")


def _own(text: str, language: Language, *, lines: bool = False) -> str:
    text = text.strip() if lines else clean(text)
    return french(text) if language is Language.FR else text


def _url(config: Config, language: Language, path: str) -> str:
    return f"{config.list.url}{'/fr' if language is Language.FR else ''}{path}"


def _primary(tag: str | None) -> str:
    return (tag or "").replace("_", "-").split("-")[0].casefold()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
