"""What a person decides around sending: when it leaves, what becomes of a letter in doubt."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from digest import schedule
from digest.app import App
from digest.model import DeliveryState, IssueState, Language
from digest.web import outline
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def test_an_approver_chooses_day_and_hour_in_the_zone_of_the_list(
    app: App, web: Flask, month: web_kit.Month, clock: Clock
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    app.publish.approve(month.period, by="test")
    press(client, f"{base}schedule", day="2026-12-03", hour="08:30")
    assert app.config.list.timezone == "America/Toronto"
    assert app.store.issues.get(month.period).send_at == datetime(2026, 12, 3, 13, 30, tzinfo=UTC)
    soon = (clock() + timedelta(minutes=2)).astimezone(ZoneInfo("America/Toronto"))
    press(client, f"{base}schedule", day=f"{soon:%Y-%m-%d}", hour=f"{soon:%H:%M}")
    assert app.store.issues.get(month.period).send_at == clock() + timedelta(minutes=10)
    assert "is past" in press(client, f"{base}schedule", status=409, day="2026-01-01", hour="08:30")
    assert app.store.issues.get(month.period).send_at == clock() + timedelta(minutes=10)
    says = press(client, f"/fr{base}schedule", status=400, day="bientôt", hour="")
    assert "Ce n’est pas un jour et une heure" in says


def test_what_was_begun_goes_on_at_once_and_a_draft_does_not(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    assert "This issue is still a draft" in press(client, f"{base}send", status=409)
    app.publish.approve(month.period, by="test")
    app.send.issue(month.period, stop=lambda: True)
    press(client, f"{base}pause")
    assert press(client, f"{base}send").endswith(f"{base}sending")
    web.extensions["digest"].errands.wait()
    assert app.store.issues.get(month.period).state is IssueState.SENT


def doubt(app: App, month: web_kit.Month, count: int) -> list[int]:
    """The issue sent, and of so many letters the last answer lost."""
    web_kit.publish(app, month)
    issue = app.store.issues.get(month.period)
    chosen = [one.id for one in app.store.deliveries.listed(issue.id, DeliveryState.SENT, limit=count)]
    with app.store.write():
        for number in chosen:
            app.store._db.change(
                "UPDATE delivery SET state = 'unsure', reply = '' WHERE id = :id", {"id": number}
            )
    return [int(number) for number in chosen]


def test_a_letter_in_doubt_is_marked_or_sent_again_and_only_that_one(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    first, second = doubt(app, month, 2)
    folder = app.config.path(app.config.mail.folder)
    before = set(folder.glob("*.eml"))
    html = read(client, f"{base}letters")
    assert "reader0@example.com" in html
    assert "It arrived" in html
    assert "did=sent" in press(client, f"{base}letters/{first}", verdict="sent")
    assert app.store.issues.get(month.period).state is IssueState.SENT
    assert "did=again" in press(client, f"{base}letters/{second}", verdict="again")
    assert "did=late" in press(client, f"{base}letters/{second}", verdict="again")
    assert app.store.issues.get(month.period).state is IssueState.SENDING
    schedule.send_due(app)
    issue = app.store.issues.get(month.period)
    assert issue.state is IssueState.SENT
    assert app.store.deliveries.counts(issue.id)[DeliveryState.SENT] == 5
    new = [message_from_bytes(path.read_bytes()) for path in set(folder.glob("*.eml")) - before]
    assert len({message["Message-ID"] for message in new}) <= 1
    assert [e.act for e in app.store.issues.edits(issue.id)][-3:] == ["settle", "settle", "finish"]


def test_letters_put_off_are_listed_with_the_servers_words_and_the_next_try(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    (number,) = doubt(app, month, 1)
    due = int((app.clock() + timedelta(minutes=15)).timestamp() * 1_000_000)
    with app.store.write():
        app.store._db.change(
            "UPDATE delivery SET state = 'deferred', code = 451, reply = '4.7.1 greylisted', not_before = :due "
            "WHERE id = :id", {"id": number, "due": due},
        )  # fmt: skip
    assert "letters that did not get through" in read(client, f"{base}sending")
    html = read(client, f"{base}letters").partition('id="deferred"')[2]
    assert "reader0@example.com" in html
    assert "451 4.7.1 greylisted" in html
    assert (
        outline.moment(app.clock() + timedelta(minutes=15), Language.EN, app.config, now=app.clock()) in html
    )
    assert "Remises à plus tard" in read(client, f"/fr{base}letters")


def test_letters_of_another_issue_are_not_settled_from_here(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    (number,) = doubt(app, month, 1)
    other = app.publish.assemble(month.period.next())
    assert "did=late" in press(client, f"/desk/issues/{other.period}/letters/{number}", verdict="sent")
    assert app.store.deliveries.counts(app.store.issues.get(month.period).id)[DeliveryState.UNSURE] == 1


@pytest.mark.parametrize("address", ["emile@example.org", "cam@example.org"])
def test_addresses_of_letters_in_doubt_are_shown_to_approvers_only(
    app: App, web: Flask, month: web_kit.Month, address: str
) -> None:
    doubt(app, month, 1)
    html = read(signed_in(app, web, address), f"/desk/issues/{month.period}/letters", status=403)
    assert not re.search(r"reader\d@example", html)


# --- a doubt ends by itself ----------------------------------------------------------------------------------------

BOUNCE = """From: MAILER-DAEMON@mx.example.com
To: <letter@lists.example.org>
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; somebody@example.com
Action: failed
Status: 5.2.2

--b
Content-Type: text/rfc822-headers

Message-ID: {message}

--b--
"""
COMPLAINT = """From: fbl@provider.example
To: <letter@lists.example.org>
Subject: complaint
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: loop/1.0
Version: 1

--b
Content-Type: message/rfc822

Message-ID: {message}
Subject: the letter

--b--
"""


@pytest.mark.parametrize("by", ["bounce", "complaint", "unsubscribe", "one click", "click", "a scanner"])
def test_a_doubt_ends_when_anything_carries_the_mark_of_its_letter(
    app: App, web: Flask, month: web_kit.Month, by: str
) -> None:
    first, second = doubt(app, month, 2)
    issue = app.store.issues.get(month.period)
    rows = app.store.deliveries.listed(issue.id, DeliveryState.UNSURE, limit=9)
    (mine,) = [one for one in rows if one.id == first]
    links = app.links.letter(mine.subscriber, version=mine.version, issue=issue.id, delivery=mine.id)
    client, path = web.test_client(), lambda link: link.removeprefix(web_kit.URL)
    if by in {"bounce", "complaint"}:
        app.take_letter((BOUNCE if by == "bounce" else COMPLAINT).format(message=links.message_id).encode())
    elif by == "unsubscribe":
        client.post(path(links.unsubscribe), data={"List-Unsubscribe": "One-Click", "from": "page"})
    elif by == "one click":
        client.post(path(links.unsubscribe), data={"List-Unsubscribe": "One-Click"})
    else:
        before = app.store.subscribers.get(mine.subscriber)
        agent = {"User-Agent": "scanner"} if by == "a scanner" else {}
        client.open(path(links.preferences), method="HEAD" if agent else "GET", headers=agent)
        assert app.store.subscribers.get(mine.subscriber) == before, (
            "looking decides nothing about the reader"
        )
    rows = app.store.deliveries.listed(issue.id, DeliveryState.UNSURE, limit=9)
    assert [one.id for one in rows] == [second], "that of nobody else"
    forged = path(links.preferences)[:-4] + "AAAA"
    assert client.get(forged).status_code == 404


# --- pressed twice -------------------------------------------------------------------------------------------------


def test_a_double_click_on_send_sends_once(app: App, web: Flask, month: web_kit.Month) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    app.publish.approve(month.period, by="test")
    app.send.issue(month.period, stop=lambda: True)
    for _ in range(3):
        press(client, f"{base}send")
    web.extensions["digest"].errands.wait()
    letters = [
        message_from_bytes(one.read_bytes())
        for one in app.config.path(app.config.mail.folder).glob("issue-*.eml")
    ]
    assert (
        len(letters)
        == len({one["Message-ID"] for one in letters})
        == len({one["To"] for one in letters})
        == 5
    )
    runs = app.store._db.value("SELECT count(*) FROM run")
    assert runs <= 3, "the first press, and one more for all that came meanwhile"


def test_a_double_click_on_approve_freezes_once(app: App, web: Flask, month: web_kit.Month) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    revision = app.store.issues.get(month.period).revision
    press(client, f"{base}approve", revision=revision, then="wait")
    numbers = app.store._db.rows("SELECT id FROM delivery ORDER BY id")
    shown = press(client, f"{base}approve", status=200, revision=revision, then="wait")
    assert "is approved, nothing has left yet" in shown
    assert app.store._db.rows("SELECT id FROM delivery ORDER BY id") == numbers
    acts = [edit.act for edit in app.store.issues.edits(app.store.issues.get(month.period).id)]
    assert acts.count("approve") == 1
