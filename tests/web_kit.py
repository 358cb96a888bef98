"""A believable month for the tests of the web: posts, events and readers, put into a real store."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from flask import Flask
from flask.testing import FlaskClient

from digest.app import App
from digest.invite import invite
from digest.model import (
    Address,
    Consent,
    Entry,
    EventStatus,
    Item,
    ItemKind,
    Language,
    Occasion,
    Period,
    Role,
    Subscriber,
    SubscriberState,
)  # fmt: skip

URL = "https://digest.example.org"  # what tests/conftest.py writes as [list] url

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


def restated(item: Item) -> Entry:
    """What its source says of the item, in other words than before."""
    return Entry(
        kind=item.kind, keys=(), title=item.title, url=item.url, summary=f"{item.summary} Mended.",
        occasion=item.occasion, content_hash="another",
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
    said = Consent(act="confirmed", at=app.clock(), language=language, method="link")
    app.store.consents.log(added.id, said)
    return confirmed


def publish(app: App, month: Month) -> None:
    """The month assembled, approved and sent, by the verbs themselves."""
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="test")
    app.send.issue(month.period)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


# --- the desk without a browser ----------------------------------------------------------------------------------


def sign_in_link(
    app: App, address: str = "dana@example.org", *, role: Role = Role.EDITOR, language: Language = Language.EN
) -> str:
    """The whole link. role, language: of somebody whom config.toml does not name."""
    return invite(app.store, app.links, address_text=address, role=role, language=language, now=app.clock())


def signed_in(
    app: App, web: Flask, address: str = "dana@example.org", *, role: Role = Role.EDITOR,
    language: Language = Language.EN,
) -> FlaskClient:  # fmt: skip
    """A browser without a screen that sits at the desk; role as in sign_in_link."""
    client = web.test_client()
    path = sign_in_link(app, address, role=role, language=language).removeprefix(app.config.list.url)
    assert client.post(path, base_url=app.config.list.url).status_code == 303
    return client


def read(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, base_url=URL)
    assert answer.status_code == status, path
    return answer.text


def form_token(client: FlaskClient) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', read(client, "/desk/"))
    assert found is not None
    return found[1]


def press(client: FlaskClient, path: str, *, status: int = 303, **fields: object) -> str:
    """Sends a form of the desk; where it led, or the page that came instead."""
    answer = client.post(path, data={"token": form_token(client), **fields}, base_url=URL)
    assert answer.status_code == status, answer.text
    return answer.headers.get("Location", "") or answer.text
