"""A believable month for the tests of the letter: made-up people at example.org, fixed dates, two languages."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as reading
from typing import Any
from zoneinfo import ZoneInfo, reset_tzpath

from digest.config import Config
from digest.model import (
    Address,
    Community,
    EventStatus,
    Issue,
    IssueId,
    IssueState,
    Item,
    ItemId,
    ItemKind,
    Language,
    NoticeKind,
    Occasion,
    Period,
    Person,
    Placed,
    PulseBrief,
    Share,
    SubscriberId,
)
from digest.render.letter import Slots

# As app.py does: the machine's own zone data may be older than the law (guide: collecting, section 8).
reset_tzpath(to=())
ZoneInfo.clear_cache()

SEND_AT = datetime(2026, 12, 1, 14, tzinfo=UTC)
SEEN = datetime(2026, 11, 20, tzinfo=UTC)
NOTE_EN = (
    "Good morning. Three teams cut their forms in half this month and wrote down how, with the numbers. "
    "The events start on Thursday; two calls close before the 10th.\n\n"
    "New here? Every past letter is at https://digest.example.org/issues/ and costs nothing but time.\n\n"
    "Maya and Olivier"
)
NOTE_FR = (
    "Bonjour. Trois équipes ont coupé leurs formulaires de moitié ce mois-ci et racontent comment, chiffres à l’appui. "
    "Les événements commencent jeudi ; deux appels se terminent avant le 10.\n\n"
    "Vous arrivez ? Tous les numéros sont à https://digest.example.org/fr/issues/ et ne coûtent que du temps.\n\n"
    "Maya et Olivier"
)


NOTICES = tuple(
    kind for kind in NoticeKind if kind is not NoticeKind.NEWEST
)  # those with a template of their own


def config(**parts: Any) -> Config:
    """A list that could send tomorrow: public address, postal address, both languages."""
    about = {
        "name": {"en": "Digital Government Digest", "fr": "Le Bulletin du gouvernement numérique"},
        "from": "digest@example.org",
        "reply_to": "editors@example.org",
        "postal_address": {
            "en": "100 Queen St W, Toronto ON M5H 2N2",
            "fr": "100, rue Queen O., Toronto (Ontario) M5H 2N2",
        },
        "url": "https://digest.example.org",
        "timezone": "America/Toronto",
    }
    return Config(**{"list": about | parts.pop("list", {}), **parts})


def post(number: int, title: str, **more: Any) -> Item:
    known = {"source": "Prairie Digital", "language": "en", "minutes": 6, "url": f"https://posts.example.org/{number}",
             "published": SEEN - timedelta(days=number), "first_seen": SEEN}  # fmt: skip
    return Item(id=ItemId(number), kind=ItemKind.POST, title=title, **(known | more))


def event(number: int, title: str, starts: str, *, hours: float = 1, **more: Any) -> Item:
    """starts: ISO 8601 with an offset. What belongs to the occasion (timezone, place, online…) may be among `more`."""
    begin = datetime.fromisoformat(starts).astimezone(UTC)
    fields = ("timezone", "place", "online", "status", "all_day", "sequence", "uid")
    occasion = {"timezone": "America/Toronto"} | {name: more.pop(name) for name in fields if name in more}
    known = {
        "source": "Civic Tech Harbour",
        "language": "en",
        "url": f"https://events.example.org/{number}",
        "first_seen": SEEN,
    }
    return Item(id=ItemId(number), kind=ItemKind.EVENT, title=title, **(known | more),
                occasion=Occasion(starts=begin, ends=begin + timedelta(hours=hours), **occasion))  # fmt: skip


def issue(
    events: Sequence[Item] = (), posts: Sequence[Item] = (), calls: Sequence[Item] = (),
    *, texts: dict[tuple[str, str], str] | None = None, **more: Any,
) -> Issue:  # fmt: skip
    named = (("coming-up", events), ("worth-reading", posts), ("calls", calls))
    placed = tuple(Placed(item=item, section=section, position=position)
                   for section, items in named for position, item in enumerate(items))  # fmt: skip
    fields = {"id": IssueId(15), "period": Period(2026, 12), "number": 15, "state": IssueState.DRAFT, "revision": 3,
              "since": SEEN - timedelta(days=30), "until": SEEN, "send_at": SEND_AT,
              "placed": placed, "texts": texts or {}}  # fmt: skip
    return Issue(**(fields | more))


def month_of_12() -> Issue:
    """Five events, five posts, two calls: two zones, online, in person, cancelled, French, an editor's own words."""
    events = [
        event(1, "Office hours: ask a service designer", "2026-12-03T12:00-05:00", online="https://meet.example.org/a",
              source="Prairie Digital", summary="Bring one screen or one paragraph. Two designers, four slots, no slides."),
        event(2, "Hack night 612: open transit data", "2026-12-08T18:30-05:00", hours=2.5, place="Toronto",
              summary="The agency that publishes the feed is in the room. Beginners welcome; pizza at six."),
        event(3, "Clinique : rédiger en langage clair", "2026-12-10T13:00-05:00", hours=1.5, online="", language="fr",
              source="Service numérique", summary="Apportez une lettre, repartez avec une lettre deux fois plus courte."),
        event(4, "Data standards working group", "2026-12-15T10:00-07:00", timezone="America/Vancouver",
              place="Victoria", online="https://meet.example.org/b", source="Pacific Commons"),
        event(5, "Accessibility meet-up", "2026-12-17T18:00-04:00", hours=2, timezone="America/Halifax", place="Halifax",
              status=EventStatus.CANCELLED),
    ]  # fmt: skip
    posts = [
        post(6, "We replaced a 14-page form with four questions", author="Ines Okafor",
             summary="What the team cut, whom they had to convince, and the one question they put back after a month."),
        post(7, "Ce que nos centres d’appels nous ont appris", language="fr", source="Service numérique", minutes=4,
             author="Luc Tremblay",
             summary="Écouter vingt appels vaut mieux que lire deux cents sondages : récit d’une semaine au téléphone."),
        post(8, "Procurement in the open: month three", source="Harbour City", minutes=8, author="Dana Whitefeather",
             also_in=("Prairie Digital",),
             summary="Bids, questions and scores are public from the first day. What suppliers said, and what it cost in time."),
        post(9, "A small test for your error messages", source="Pacific Commons", minutes=3, author="Sam Achebe",
             summary="Read them aloud to someone who is late for work. If they sigh, rewrite; three examples, before and after."),
        post(10, "Why we turned the chatbot off", source="Harbour City", minutes=5, author="Wei Zhang",
             summary="Eighteen months of logs, one uncomfortable graph, and the plain page that answers better."),
    ]  # fmt: skip
    calls = [
        post(11, "Call for talks: Plain Services 2027", source="Plain Services", minutes=None,
             summary="Fifteen-minute talks about something you finished. Proposals close on 9 December."),
        post(12, "Interaction designer, two-year term", source="Prairie Digital", minutes=None,
             summary="Regina or anywhere in Saskatchewan; French an asset. Closes on 8 December."),
    ]  # fmt: skip
    texts = {("theme", "en"): "forms that ask less", ("theme", "fr"): "des formulaires plus courts",
             ("note", "en"): NOTE_EN, ("note", "fr"): NOTE_FR}  # fmt: skip
    return issue(events, posts, calls, texts=texts)


def small() -> Issue:
    """One event and nothing else: no note, no theme."""
    return issue([event(1, "Office hours", "2026-12-03T12:00-05:00", online="")])


def month_of(count: int) -> Issue:
    """As many items as asked, a third of them events, every fourth in French, with blurbs of ordinary length."""
    blurb = "What the team cut, whom they had to convince, and the one question they put back after a month of calls."
    events, posts = [], []
    for number in range(1, count + 1):
        language = "fr" if number % 4 == 0 else "en"
        title = (
            f"Atelier no {number} : écrire pour être lu"
            if language == "fr"
            else f"Workshop {number}: write to be read"
        )
        if number % 3 == 0:
            day = 2 + number % 27
            events.append(
                event(
                    number,
                    title,
                    f"2026-12-{day:02d}T12:00-05:00",
                    online="",
                    language=language,
                    summary=blurb,
                )
            )
        else:
            posts.append(post(number, title, language=language, author=f"Writer {number}", summary=blurb))
    texts = {("theme", "en"): "much to read", ("theme", "fr"): "beaucoup à lire", ("note", "en"): NOTE_EN,
             ("note", "fr"): NOTE_FR}  # fmt: skip
    return issue(events, posts, texts=texts)


def right_to_left() -> Issue:
    """Items in Arabic and Hebrew beside an English one."""
    return issue(
        [event(1, "لقاء مفتوح حول الخدمات الرقمية", "2026-12-03T12:00-05:00", online="", language="ar")],
        [post(2, "איך כותבים טופס קצר", language="he", summary="ארבע שאלות במקום ארבעה עשר עמודים, ומה נשאר בחוץ."),
         post(3, "Forms that ask less", summary="Four questions in place of fourteen pages, and what stayed out.")],
    )  # fmt: skip


PULSE = PulseBrief(
    total=310, places=(Share("ontario", 120), Share("nova-scotia", 90), Share("federal", 60)),
    roles=(Share("design", 140), Share("policy", 20)),
)  # fmt: skip
PEOPLE = (
    Person(subscriber=SubscriberId(7), name="Luc Tremblay", who="Je rédige des lettres au ministère.",
           looks_for="Je cherche quelqu’un qui les relit.", language=Language.FR, link="mailto:luc@example.org"),
    Person(subscriber=SubscriberId(9), name="Ann <b>Lee</b>", who="I run a help desk.", looks_for="I look for calm.",
           language=Language.EN, link="javascript:alert(1)"),
)  # fmt: skip


def community(**told: object) -> Issue:
    """The month with what was missed; told: who reads along (pulse) and who is new (people)."""
    made = month_of_12()
    past = Placed(item=event(40, "Open house, with slides", "2026-11-03T12:00-05:00", online=""), section="missed-it",
                  position=0)  # fmt: skip
    return replace(made, placed=(*made.placed, past), community=Community(**told))  # type: ignore[arg-type]


def every_section() -> Issue:
    return community(pulse=PULSE, people=PEOPLE)


def reader(address: str = "maya@example.org", *, token: str = "q" * 28) -> Slots:
    return Slots(to=Address(address), message_id="<15.7.0123456789abcdef@example.org>", date=SEND_AT,
                 unsubscribe_url=f"https://digest.example.org/unsubscribe/{token}",
                 preferences_url=f"https://digest.example.org/preferences/{token}")  # fmt: skip


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=reading)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
