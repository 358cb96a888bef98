"""Whoever comes in is greeted: a welcome, and the newest issue with links of their own. Once, and never after leaving."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.join import Ask
from digest.model import IssueState, Language, NoticeKind, SubscriberState
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import (
    ANN,
    address_token,
    complaint,
    confirm_token,
    joins,
    leave_token,
    manage_token,
    person,
    taken,
)


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def caught(app: App, to: str = ANN) -> list[EmailMessage]:
    folder = app.config.path(app.config.mail.folder)
    found = [
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))
    ]
    return [one for one in found if one["To"] == to and "List-Id" in one]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Coming up"), ("fr", "À venir"), ("fr+en", "À venir")]
)
def test_a_newcomer_gets_the_newest_issue_with_links_of_their_own(
    app: App, language: str, title: str
) -> None:
    joins(app, "both@example.org", language="fr+en")
    web_kit.publish(app, web_kit.fill(app))
    joins(app, language=language)
    app.send.notices()
    [letter] = caught(app)
    part = letter.get_body(("plain",))
    assert part is not None
    text = part.get_content()
    assert title.casefold() in text.casefold()
    assert ("coming up" in text.casefold()) is (language != "fr")
    leave = letter["List-Unsubscribe"].partition(">")[0].lstrip("<")
    assert leave in text
    client = create_web(app).test_client()
    client.post(leave.removeprefix(app.config.list.url), data={"List-Unsubscribe": "One-Click"})
    assert person(app).state is SubscriberState.LEFT


def test_who_reads_both_gets_both_though_nobody_did_when_it_was_approved(app: App) -> None:
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    issue = app.store.issues.get(month.period)
    assert "en+fr" not in app.store.issues.editions(issue.id)
    joins(app, language="en+fr")
    app.send.notices()
    [letter] = caught(app)
    part = letter.get_body(("plain",))
    assert part is not None
    text = part.get_content().casefold()
    assert -1 < text.find("coming up") < text.find("à venir")


def test_who_is_to_get_it_or_has_it_does_not_get_it_twice(app: App, clock: Clock) -> None:
    joins(app)
    assert [one.kind for one in taken(app, clock)] == [NoticeKind.CONFIRM, NoticeKind.WELCOME], (
        "none has left yet"
    )
    web_kit.publish(app, web_kit.fill(app))
    app.join.leave(leave_token(app))
    clock.forward(days=2)
    joins(app)
    assert NoticeKind.NEWEST not in [one.kind for one in taken(app, clock)]
    assert len(caught(app)) == 1


def test_who_leaves_before_it_has_left_does_not_get_it(app: App) -> None:
    web_kit.publish(app, web_kit.fill(app))
    joins(app)
    app.join.leave(leave_token(app))
    app.send.notices()
    assert caught(app) == []


@pytest.mark.parametrize("way", ["leave", "forget", "complain"])
def test_nothing_that_waited_for_somebody_leaves_after_they_have(app: App, clock: Clock, way: str) -> None:
    """A welcome, a link, a word of thanks: all that was queued ends with leaving, and only theirs."""
    who = joins(app)
    joins(app, "bo@example.org")
    with app.store.write():
        for kind in (NoticeKind.THANKS, NoticeKind.MANAGE, NoticeKind.REMINDER, NoticeKind.NEW_ADDRESS):
            app.store.notices.queue(kind, subscriber=who.id, language=Language.EN, now=clock())
    if way == "leave":
        app.join.leave(leave_token(app))
    elif way == "forget":
        app.join.forget(ANN)
    else:
        app.take_letter(complaint(app.links.notice_id(1)))
    assert {notice.address.reveal() for notice in taken(app, clock)} == {"bo@example.org"}


def test_the_old_mailbox_is_told_of_a_move_also_when_its_reader_left_since(app: App, clock: Clock) -> None:
    joins(app)
    taken(app, clock)
    app.join.choices.ask_address(manage_token(app), "new@example.com")
    app.join.choices.move(address_token(app))
    app.join.leave(leave_token(app, "new@example.com"))
    assert [(one.kind, one.address.reveal()) for one in taken(app, clock)] == [
        (NoticeKind.ADDRESS_MOVED, ANN)
    ]


def promised(app: App) -> str:
    app.join.ask(Ask(address=ANN))
    page = create_web(app).test_client().post(f"/confirm/{confirm_token(app)}").get_data(as_text=True)
    found = re.search(r"comes to .* on ([^<]*)\.", page)
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    ("step", "day"),
    [("nothing", "1 December"), ("draft", "3 December"), ("approved", "1 January"), ("sent", "1 January")],
)
def test_the_day_promised_is_that_of_the_next_issue_that_can_reach_them(
    app: App, step: str, day: str
) -> None:
    month = web_kit.fill(app)
    assert str(month.period) == "2026-12"
    if step != "nothing":
        issue = app.publish.assemble(month.period)
        with app.store.write():
            app.store.issues.move(
                issue.id,
                from_={IssueState.DRAFT},
                to=IssueState.DRAFT,
                send_at=issue.send_at + timedelta(days=2),
            )
    if step in {"approved", "sent"}:
        app.publish.approve(month.period, by="test")
    if step == "sent":
        app.send.issue(month.period)
    assert day in promised(app).replace("\xa0", " ")
