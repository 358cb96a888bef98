"""What the templates of the letter and of the web archive are given: plain values in words, nothing of any reader."""

from dataclasses import dataclass

from digest.model import ItemKind, Language
from digest.render.text import Run
from digest.render.theme import Theme
from digest.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenView:
    """When an event takes place. line: in words, with zones; short: its first hour alone; at: POSIX seconds, to sort by.

    starts, ends: ISO 8601 with the offset of the event's zone. month, day, weekday: a small calendar page.
    """

    line: str
    short: str
    at: float
    starts: str
    ends: str | None
    month: str
    day: str
    weekday: str
    length: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """A post, an event or a call, ready to print.

    id: item id, also the page /items/<id>. lang, blurb_lang: their language when it differs from
    the edition's, else "". hreflang: language of what the link opens. language_note: "in French", or "".
    meta: the second line in pieces, to be joined with " · "; it holds neither `when` nor the language note.
    place: where, in words; venue: the same without "Online".
    status: "Cancelled" and the like, "" when all is well. add_url: the event's .ics, None for posts.
    """

    id: int
    kind: ItemKind
    title: str
    url: str | None
    lang: str
    dir: str
    hreflang: str
    language_note: str
    source: str
    author: str | None
    minutes: str | None
    meta: tuple[str, ...]
    blurb: str
    blurb_lang: str
    blurb_dir: str
    when: WhenView | None
    place: str | None
    venue: str | None
    is_online: bool
    online_url: str | None
    is_cancelled: bool
    status: str
    add_url: str | None
    page_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """A reader who says hello. id: the reader's. lang, dir: of who and looks_for when it is another language, else ""."""

    id: int
    name: str
    who: str
    looks_for: str
    link: str | None
    lang: str
    dir: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionView:
    """id: coming-up, worth-reading, calls, missed-it, pulse, people, have-your-say: also its anchor. name: its heading.

    count: `9 events`, "" where nothing is counted. lead, shares: of pulse, a sentence and (what, how many). people: of people.
    """

    id: str
    name: str
    count: str = ""
    items: tuple[ItemView, ...] = ()
    lead: str = ""
    shares: tuple[tuple[str, str], ...] = ()
    people: tuple[PersonView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLanguage:
    """A twin of this edition. name: the language's own name; url: the issue's page there."""

    language: Language
    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """One edition of one issue. note: paragraphs of runs. glance: pieces to be joined with " · ".

    parts: what is printed, in its order. sections: those of them that hold items.
    """

    language: Language
    dir: str
    period: str
    number: int
    list_name: str
    title: str
    month: str
    theme: str
    issue_line: str
    minutes: int
    words: int
    note: tuple[tuple[Run, ...], ...]
    glance: tuple[str, ...]
    sections: tuple[SectionView, ...]
    parts: tuple[SectionView, ...]
    web_url: str
    home_url: str
    calendar_url: str | None
    others: tuple[OtherLanguage, ...]
    contact: str
    postal_address: str
    description: str
    footer: str
    subject: str
    preheader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One language of a letter. anchor: what stands before the ids of its sections, so that none is there twice.

    told: "whole"; of the second half of a letter that would be cut off: "titles", or "link" alone to the web.
    """

    view: IssueView
    words: Words
    anchor: str
    told: str = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a reader's own addresses stand."""

    unsubscribe: str
    preferences: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoView:
    """The operator's logo. width: as it is shown, in pixels. alt: the list's name."""

    url: str
    width: int
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContext:
    """All that the templates of the letter are given. halves: one, or in a letter in both languages two, top to bottom.

    view, words: of the first half. subject: of the whole letter. theme, dark: colours and type, light and dark.
    logo: none where the list's name is set in type.
    """

    halves: tuple[Half, ...]
    view: IssueView
    words: Words
    subject: str
    links: Links
    theme: Theme
    dark: Theme
    logo: LogoView | None = None
