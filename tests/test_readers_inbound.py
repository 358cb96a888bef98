"""Leaving by letter: the token of our mailto, or one word in answer to a letter of ours. Nobody else is moved or answered."""

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest import schedule
from digest.app import App, open_app
from digest.config import Config
from digest.join import Ask
from digest.mail.inbox import incoming
from digest.mail.reports import report
from digest.model import DeliveryId, DeliveryState, IssueId, NoticeKind, SubscriberState
from digest.rules.inbound import Incoming, wish
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import (
    ANN,
    complaint,
    is_known,
    joins,
    leave_token,
    letter_token,
    manage_token,
    person,
    taken,
)

OURS = "<1.5.0123456789abcdef@lists.example.org>"


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def letter(subject: str = "hello", body: str = "", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "evil@example.com", "letter@lists.example.org", subject
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made.as_bytes()


def published(app: App) -> tuple[IssueId, DeliveryId]:
    """An issue that Ann got; the ids of her letter."""
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    issue = app.store.issues.get(month.period)
    listed = app.store.deliveries.listed(issue.id, DeliveryState.SENT, limit=50)
    row = next(one for one in listed if one.subscriber == person(app).id)
    return issue.id, row.id


def has_left(app: App) -> bool:
    return person(app).state is SubscriberState.LEFT


def test_the_token_of_our_mailto_leaves_whoever_wrote_and_twice_is_once(app: App) -> None:
    joins(app)
    joins(app, "evil@example.com")
    for _ in range(2):
        assert app.take_letter(letter(f"unsubscribe {leave_token(app)}", Auto_Submitted="auto-generated"))
        assert has_left(app)
    assert person(app, "evil@example.com").state is SubscriberState.CONFIRMED, "the From line says nothing"
    lines = app.store.consents.of(person(app).id)
    assert [line.method for line in lines if line.act == "left"] == ["mail"]


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Unsubscribe", ""), ("Re: Test letter: November", "unsubscribe\n\n> old words"), ("RE: x", "Stop."),
        ("Ré : x", "Désabonnement svp"), ("Re: x", "please unsubscribe me, thanks".replace(",", "")),
        ("Rép : Désabonnez-moi", ""), ("Re: x", "Se désabonner"), ("Re: x", "désinscription"), ("Re: x", "Me désinscrire"),
        ("Re: x", "Désinscrivez-moi"), ("Re: x", "Unsubscribe me please"), ("Re: x", "Me désabonner s'il vous plaît"),
    ],
)  # fmt: skip
def test_one_word_in_answer_to_a_letter_of_ours_leaves(app: App, subject: str, body: str) -> None:
    joins(app)
    ours = app.links.message_id(*published(app))
    assert app.take_letter(letter(subject, body, In_Reply_To=ours, References=f"<x@example.com> {ours}"))
    assert has_left(app)
    assert app.store.consents.of(person(app).id)[-1].method == "reply"


QUOTED = {
    "en": "\n\nOn Mon, Nov 2, 2026 at 9:00 AM Test letter <letter@lists.example.org>\nwrote:\n> # November\n> unsubscribe\n",
    "fr": "\n\nLe lun. 2 nov. 2026 à 09 h 00, Infolettre d’essai <letter@lists.example.org>\na écrit\u00a0:\n> # Novembre\n",
    "outlook": "\n\n________________________________\nDe : Infolettre d’essai\nEnvoyé : lundi\nObjet : Novembre\n\nÀ venir\n",
    "phone": "\n\nEnvoyé de mon iPhone\n\n> Le 2 nov. 2026, Infolettre <letter@lists.example.org> a écrit :\n>\n> À venir\n",
}


@pytest.mark.parametrize("below", QUOTED, ids=str)
@pytest.mark.parametrize(
    "said",
    [
        "unsubscribe", "Hello,\n\nPlease remove me from your mailing list, thank you.", "I would like to unsubscribe",
        "Bonjour,\n\nVeuillez me désabonner de votre liste d’envoi, merci!",
        "Désinscription", "Bonjour à tous\n\nMerci de me retirer de la liste.",
        normalize("NFD", "Désabonnez-moi, s'il vous plaît."), "Je souhaite me désinscrire",
    ],
)  # fmt: skip
def test_a_wish_above_the_quoted_letter_leaves_in_both_languages(app: App, said: str, below: str) -> None:
    joins(app)
    ours = app.links.message_id(*published(app))
    assert app.take_letter(letter("Re: Test letter", said + QUOTED[below], In_Reply_To=ours))
    assert has_left(app)


def test_an_answer_written_as_html_alone_is_read_too(app: App) -> None:
    joins(app)
    made = EmailMessage()
    made["From"], made["Subject"] = ANN, "RE: Test letter"
    made["In-Reply-To"] = app.links.message_id(*published(app))
    made.set_content(
        '<html><head><style>p{}</style></head><body><div dir="ltr">Bonjour,</div><p>D&eacute;sabonnez-moi svp</p><hr>'
        "<p>De&nbsp;: Infolettre</p><blockquote>Coming up</blockquote></body></html>", subtype="html",
    )  # fmt: skip
    assert app.take_letter(made.as_bytes())
    assert has_left(app)


def test_an_alphabet_that_nobody_knows_does_not_hide_a_token(app: App) -> None:
    joins(app)
    odd = letter(f"unsubscribe {leave_token(app)}").replace(b'charset="utf-8"', b'charset="x-nobody"')
    assert b"x-nobody" in odd
    assert app.take_letter(odd)
    assert has_left(app)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}, {"Return_Path": "<>"},
        {"In_Reply_To": OURS}, {"In_Reply_To": ""},
    ],
)  # fmt: skip
def test_machines_and_forged_answers_move_nobody(app: App, headers: dict[str, str]) -> None:
    joins(app)
    answers = {"In_Reply_To": app.links.message_id(*published(app))}
    assert not app.take_letter(letter("unsubscribe", "unsubscribe", **(answers | headers)))
    assert not has_left(app)


@pytest.mark.parametrize(
    "body",
    [
        "I would never unsubscribe, this is great", "> unsubscribe", "How do I unsubscribe?", "", "stop sending events only",
        "-- \nunsubscribe", "On Monday Ann wrote:\nunsubscribe", "Hello,\n\n> unsubscribe", "Bonjour,",
        "Please do not unsubscribe me", "Je ne veux pas me désabonner", "leave the date as it is", "stop the list of events",
        "Merci de désabonner Ann", "Pourquoi me désabonner", "Unsubscribe Bo from the list", "arrêt de bus",
    ],
)  # fmt: skip
def test_what_is_not_plainly_a_wish_is_left_to_people(app: App, body: str) -> None:
    joins(app)
    ours = app.links.message_id(*published(app))
    assert not app.take_letter(letter("Re: Test letter", body, In_Reply_To=ours))
    assert not has_left(app)


def test_no_other_token_leaves_by_mail(app: App) -> None:
    joins(app)
    for token in (letter_token(app), manage_token(app), "A" * 28):
        assert not app.take_letter(letter(f"unsubscribe {token}"))
    assert not has_left(app)


def test_a_maildir_is_read_once_and_nothing_in_it_is_lost(
    make_config: Callable[[str], Config], clock: Clock, tmp_path: Path
) -> None:
    with open_app(make_config('[inbound]\nmaildir = "Maildir"\n'), clock=clock) as app:
        joins(app)
        taken(app, clock)
        new, cur = tmp_path / "Maildir" / "new", tmp_path / "Maildir" / "cur"
        assert schedule.read_inbox(app) == 0, "no folder yet"
        new.mkdir(parents=True)
        (new / "1.a").write_bytes(letter(f"unsubscribe {leave_token(app)}"))
        (new / "2.b").write_bytes(letter("a kind word"))
        (new / "3.c").write_bytes(b"\xff\xfe no mail at all")
        assert schedule.read_inbox(app) == 3
        assert has_left(app)
        assert sorted(path.name for path in cur.iterdir()) == ["1.a:2,S", "2.b:2,", "3.c:2,"]
        assert list(new.iterdir()) == []
        assert taken(app, clock) == [], "nobody is answered"
        assert schedule.read_inbox(app) == 0


@given(st.binary(max_size=400))
def test_any_bytes_are_a_letter_without_a_wish(data: bytes) -> None:
    assert wish(incoming(data)) is None
    assert wish(incoming(b"In-Reply-To: " + OURS.encode() + b"\r\n" + data + b"\r\n\r\nhello")) is None


def test_deep_and_odd_letters_are_read_without_a_fault() -> None:
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(300))
    odd = b"Content-Type: text/plain; charset=made-up\nSubject: =?made-up?q?x?=\n\nunsubscribe"
    for data in (deep, odd, b"To: " + b"(" * 5000, b"Subject: x\n" * 5000):
        assert wish(incoming(data)) is None
    assert wish(Incoming(subject="unsubscribe " + "A" * 29)) is None


# --- the reminder -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"To: " + b"a," * 100_000,
        b"To: " + b"a,\n b," * 50_000,
        b"Subject: " + b"x" * 2_000_000,
        b'Content-Type: text/plain; x="' + b"a;" * 100_000,
        b"In-Reply-To: " + b"<[(" * 70_000,
        b"Content-Type: multipart/mixed; boundary=b\n" + b"\n--b\n\nx" * 30_000,
    ],
    ids=["many addresses", "many lines", "a long subject", "many parameters", "open brackets", "many parts"],
)
def test_no_header_of_a_stranger_takes_minutes_to_read(header: bytes) -> None:
    """A hundred thousand commas took the library more than fifty seconds, and a wish to leave waited behind them."""
    data = header + b"\n\nunsubscribe\n"
    found = incoming(data)
    assert all(len(text) <= 2_000 for text in (found.subject, *found.to, *found.answers))
    assert wish(found) is None
    assert not report(data).failures


def test_who_did_not_confirm_is_reminded_once_if_the_operator_wants_that(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config("[signup]\nremind_after_days = 3\n"), clock=clock) as app:
        app.join.ask(Ask(address=ANN))
        joins(app, "bo@example.org")
        taken(app, clock)
        for hours, kinds in ((71, []), (2, [NoticeKind.REMINDER]), (24, []), (24, [])):
            clock.forward(hours=hours)
            app.join.tidy()
            assert [one.kind for one in taken(app, clock)] == kinds
        clock.forward(hours=72)
        app.join.tidy()
        assert not is_known(app), "the last word was the reminder"


def test_a_crowd_that_never_confirmed_is_not_written_to_again(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config("[signup]\nremind_after_days = 1\nasks_per_hour = 5\n"), clock=clock) as app:
        for number in range(6):
            app.join.ask(Ask(address=f"a{number}@example.org"))
            clock.forward(minutes=50)
        taken(app, clock)
        clock.forward(hours=30)
        app.join.tidy()
        assert taken(app, clock) == []


def test_an_answer_or_a_complaint_about_a_letter_sent_alone_counts_too(app: App, clock: Clock) -> None:
    """The welcome and the newest issue of a newcomer, and a confirmation that nobody asked for."""
    joins(app)
    welcome = taken(app, clock)[-1]
    ours = app.links.notice_id(welcome.id)
    forged = ours.replace(f".{welcome.id}.", f".{welcome.id + 1}.")
    assert not app.take_letter(letter("Re: x", "unsubscribe", In_Reply_To=forged))
    assert app.take_letter(letter("Re: x", "unsubscribe", In_Reply_To=ours))
    assert has_left(app)
    app.join.ask(Ask(address="bo@example.org"))
    [asked] = taken(app, clock)
    assert not app.take_letter(complaint(forged))
    assert app.take_letter(complaint(app.links.notice_id(asked.id)))
    assert person(app, "bo@example.org").state is SubscriberState.LEFT
    assert app.store.suppressions.has(app.links.mark(person(app, "bo@example.org").address))
