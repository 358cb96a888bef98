"""A believable month for the tests of the web: posts, events and readers, put into a real store."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from digest.app import App
from digest.model import (
    Address,
    Entry,
    EventStatus,
    ItemKind,
    Language,
    Occasion,
    Period,
    Subscriber,
    SubscriberState,
)  # fmt: skip

SOURCES = """
[[sources]]
name = "Prairie Digital"
url = "https://prairie.example/feed"
kind = "feed"
[[sources]]
name = "Service numérique"
url = "https://service.example/fil"
kind = "feed"
language = "fr"
[[sources]]
name = "Harbour City"
url = "https://harbour.example/feed"
kind = "feed"
[[sources]]
name = "Civic calendar"
url = "https://civic.example/calendar.ics"
kind = "ical"
[[editors]]
address = "dana@example.org"
role = "approver"
[[editors]]
address = "emile@example.org"
role = "editor"
language = "fr"
[[editors]]
address = "cam@example.org"
role = "contributor"
"""

_POSTS = (
    ("Prairie Digital", "en", "We replaced a 14-page form with four questions", 6,
     "What the team cut, whom they had to convince, and the one question they put back."),
    ("Service numérique", "fr", "Ce que nos centres d’appels nous ont appris", 4,
     "Trois semaines à l’écoute, et une liste de mots que personne ne comprenait."),
    ("Harbour City", "en", "Procurement in the open: month three", 8,
     "Eleven vendors answered; seven of them had never worked for a city before."),
    ("Prairie Digital", "en", "The release that nobody noticed", 3, "A quiet migration, told by the people on call."),
    ("Harbour City", "en", "A glossary is a service too", 5, "Why the city publishes its words, and how residents correct them."),
    ("Service numérique", "fr", "Un an sans code postal obligatoire", 5, "Ce que disent les chiffres, et ce qu’ils taisent."),
)  # fmt: skip
_EVENTS = (
    (13, 17, "Office hours: ask a service designer", "en", None, "https://meet.example/office", 60),
    (18, 23, "Hack night 612: open transit data", "en", "Toronto", "", 150),
    (20, 18, "Clinique : rédiger en langage clair", "fr", None, "https://meet.example/clinique", 90),
    (27, 17, "Accessibility meetup: forms without traps", "en", "Ottawa, 234 Laurier Ave W", None, 120),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """What fill() made."""

    period: Period
    readers: tuple[Subscriber, ...]


def fill(app: App, *, readers: int = 5) -> Month:
    """Six posts, four events and confirmed readers, every other one French; no draft yet. The last event is cancelled."""
    now = app.clock()
    sources = {source.name: source.id for source in app.store.sources.all()}
    with app.store.write():
        for number, (source, language, title, minutes, summary) in enumerate(_POSTS):
            app.store.items.add(post(title, now=now - timedelta(days=2 + 3 * number), language=language, minutes=minutes,
                                     summary=summary), source=sources[source], now=now)  # fmt: skip
        for number, (days, hour, title, language, place, online, minutes) in enumerate(_EVENTS):
            starts = (now + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
            occasion = Occasion(starts=starts, ends=starts + timedelta(minutes=minutes), timezone="America/Toronto",
                                place=place, online=online, uid=f"event-{number}@civic.example")  # fmt: skip
            if number == len(_EVENTS) - 1:
                occasion = replace(occasion, status=EventStatus.CANCELLED)
            app.store.items.add(
                event(title, occasion, language=language), source=sources["Civic calendar"], now=now
            )
        people = tuple(reader(app, number) for number in range(readers))
    return Month(period=app.publish.next_period(), readers=people)


def post(title: str, *, now: datetime, language: str = "en", minutes: int = 4, summary: str = "") -> Entry:
    url = f"https://posts.example/{sha256(title.encode()).hexdigest()[:8]}"
    return Entry(
        kind=ItemKind.POST, keys=(f"link:{url}",), title=title, url=url, language=language, published=now,
        author=f"Writer {len(title)}", summary=summary, minutes=minutes, content_hash=sha256(title.encode()).hexdigest(),
    )  # fmt: skip


def event(title: str, occasion: Occasion, *, language: str = "en") -> Entry:
    url = f"https://civic.example/{sha256(title.encode()).hexdigest()[:8]}"
    return Entry(kind=ItemKind.EVENT, keys=(f"uid:{occasion.uid}",), title=title, url=url, language=language,
                 summary="Bring a question; leave with two.", occasion=occasion,
                 content_hash=sha256(title.encode()).hexdigest())  # fmt: skip


def reader(app: App, number: int) -> Subscriber:
    language = Language.FR if number % 2 else Language.EN
    added = app.store.subscribers.add(Address(f"reader{number}@example.com"), language=language,
                                      state=SubscriberState.ASKED, now=app.clock())  # fmt: skip
    confirmed = replace(added, state=SubscriberState.CONFIRMED, confirmed_at=app.clock())
    app.store.subscribers.save(confirmed)
    return confirmed


def publish(app: App, month: Month) -> None:
    """The month assembled, approved and sent, by the verbs themselves."""
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="test")
    app.send.issue(month.period)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]
