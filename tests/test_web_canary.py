"""The first letters, seen from the desk: editors who subscribe get an issue ahead, and can stop it or let it go."""

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from flask import Flask
from flask.testing import FlaskClient

from digest import schedule
from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, DeliveryState, IssueState, Language, SubscriberState
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def dana(app: App, web: Flask) -> FlaskClient:
    return signed_in(app, web)


def subscribe(app: App, *addresses: str) -> None:
    with app.store.write():
        for address in addresses:
            asked = app.store.subscribers.add(Address(address), language=Language.EN,
                                              state=SubscriberState.ASKED, now=app.clock())  # fmt: skip
            app.store.subscribers.save(
                replace(asked, state=SubscriberState.CONFIRMED, confirmed_at=app.clock())
            )


def leaves(app: App, clock: Clock, month: web_kit.Month, client: FlaskClient) -> None:
    """Approved, "send now", and ten minutes on the clock."""
    base = f"/desk/issues/{month.period}/"
    if app.store.issues.get(month.period).state is IssueState.DRAFT:
        approve(app, month, client)
    assert press(client, f"{base}send").endswith("did=scheduled")
    clock.forward(minutes=9, seconds=59)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SCHEDULED
    clock.forward(seconds=1)
    schedule.send_due(app)


def approve(app: App, month: web_kit.Month, client: FlaskClient) -> None:
    revision = app.store.issues.get(month.period).revision
    press(client, f"/desk/issues/{month.period}/approve", revision=revision, then="wait")


def sent(app: App, month: web_kit.Month) -> int:
    return app.store.deliveries.counts(app.store.issues.get(month.period).id)[DeliveryState.SENT]


def test_editors_get_it_five_minutes_ahead_and_the_rest_follows_by_itself(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org", "emile@example.org")
    for page in ("approve", "send"):
        path = f"/desk/issues/{month.period}/{page}"
        if page == "approve":
            assert "All others get it 5 minutes later, unless somebody stops it." in read(dana, path)
    leaves(app, clock, month, dana)
    assert sent(app, month) == 2
    letters = [path.read_text("utf-8") for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    assert sum("To: dana@example.org" in one or "To: emile@example.org" in one for one in letters) == 2
    page = read(dana, f"/desk/issues/{month.period}/sending")
    assert "The first 2 letters have left. Look at yours: all others follow at" in page
    assert "Looks right: send to everyone" in page
    assert ">Stop</button>" in page
    assert "C’est bon\u00a0: envoyer à tout le monde" in read(dana, f"/fr/desk/issues/{month.period}/sending")
    clock.forward(minutes=4, seconds=59)
    schedule.send_due(app)
    assert sent(app, month) == 2
    assert "Nobody is at it" not in read(dana, f"/desk/issues/{month.period}/sending")
    clock.forward(seconds=1)
    schedule.send_due(app)
    assert sent(app, month) == 7
    assert app.store.issues.get(month.period).state is IssueState.SENT


def test_a_button_lets_the_rest_go_at_once(
    app: App, web: Flask, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org")
    leaves(app, clock, month, dana)
    assert sent(app, month) == 1
    press(dana, f"/desk/issues/{month.period}/send")
    web.extensions["digest"].errands.wait()
    assert sent(app, month) == 6
    assert app.store.issues.get(month.period).state is IssueState.SENT
    history = read(dana, f"/desk/issues/{month.period}/history")
    assert "Looked at the first letters: sent it to everyone" in history
    assert "Began to send" in history


def test_stop_keeps_the_rest_until_somebody_says_so(
    app: App, web: Flask, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org")
    leaves(app, clock, month, dana)
    base = f"/desk/issues/{month.period}/"
    press(dana, f"{base}pause")
    clock.forward(days=2)
    schedule.send_due(app)
    assert sent(app, month) == 1
    page = read(dana, f"{base}sending")
    assert "all others wait until you say so" in page
    assert page.count("Looks right: send to everyone") == 1
    press(dana, f"{base}hold", status=409)  # a letter has left
    emile = signed_in(app, web, "emile@example.org")
    assert "Looks right" not in read(emile, f"{base}sending")
    press(emile, f"{base}send", status=403)
    press(dana, f"{base}send")
    web.extensions["digest"].errands.wait()
    assert sent(app, month) == 6


@pytest.mark.parametrize("stopped", [False, True])
def test_first_letters_with_a_mistake_are_taken_back_mended_and_sent_to_everybody(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient, stopped: bool
) -> None:
    subscribe(app, "dana@example.org", "emile@example.org")
    leaves(app, clock, month, dana)
    base = f"/desk/issues/{month.period}/"
    if stopped:
        press(dana, f"{base}pause")
    assert "The 2 who have it get the mended issue too" in read(dana, f"{base}sending")
    assert "recevront aussi le numéro corrigé" in read(dana, f"/fr{base}sending")
    assert press(dana, f"{base}take-back").endswith("did=taken")
    page = read(dana, f"{base}?did=taken")
    assert "Taken back: the issue is a draft again" in page
    assert "2 first letters had left" in read(dana, f"{base}history")
    clock.forward(days=1)
    schedule.send_due(app)
    assert sent(app, month) == 0
    app.publish.write(month.period, field="note", language=Language.EN, words="Mended words.", by="1")
    leaves(app, clock, month, dana)
    clock.forward(minutes=5)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SENT
    assert sent(app, month) == 7
    letters = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in app.config.path(app.config.mail.folder).glob("*.eml")
    ]
    issues = [one for one in letters if "List-Unsubscribe" in one]
    mine = [one for one in issues if one["To"] == "dana@example.org"]
    assert len(mine) == 2
    assert len({one["Message-ID"] for one in issues}) == len(issues) == 9
    assert sum("Mended words." in one.as_string() for one in mine) == 1
    reader = app.store.subscribers.find(Address("dana@example.org"))
    assert reader is not None
    assert [one.state for one in app.store.deliveries.of(reader.id)] == [DeliveryState.SENT] * 2
    for one in mine:  # an answer or a bounce to either letter finds her
        issue, delivery = app.links.read_message_id(one["Message-ID"])
        assert app.store.deliveries.reader_of(issue, delivery) == reader.id
        assert app.store.returns.whose(delivery) == (issue, reader.id)


def test_who_has_the_very_letter_gets_it_once_when_nothing_was_mended(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org")
    leaves(app, clock, month, dana)
    press(dana, f"/desk/issues/{month.period}/take-back")
    leaves(app, clock, month, dana)
    clock.forward(minutes=5)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SENT
    letters = [path.read_text("utf-8") for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    assert sum("To: dana@example.org" in one and "List-Unsubscribe:" in one for one in letters) == 1
    assert sent(app, month) == 5


def test_nothing_is_taken_back_once_others_have_it_nor_by_who_may_not_approve(
    app: App, web: Flask, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org", *(f"many{number}@example.com" for number in range(300)))
    door = f"/desk/issues/{month.period}/take-back"
    press(dana, door, status=409)
    leaves(app, clock, month, dana)
    press(signed_in(app, web, "emile@example.org"), door, status=403)
    clock.forward(minutes=5)
    app.send.issue(month.period, stop=lambda: sent(app, month) > 1)
    assert app.store.issues.get(month.period).state is IssueState.SENDING
    assert sent(app, month) > 1
    assert 'take-back"' not in read(dana, f"/desk/issues/{month.period}/sending")
    assert "Other letters than the first" in press(dana, door, status=409)
    assert app.store.issues.get(month.period).state is IssueState.SENDING


def test_a_log_that_names_letters_taken_back_bars_nothing(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org")
    leaves(app, clock, month, dana)
    folder = app.config.path(app.config.mail.folder)
    lines = [
        f"postfix/cleanup[7]: 4FxYz{n}: message-id={message_from_bytes(path.read_bytes(), policy=policy.default)['Message-ID']}"
        for n, path in enumerate(folder.glob("*.eml"))
    ]
    press(dana, f"/desk/issues/{month.period}/take-back")
    with app.store.write():
        app.store.settings.put("copied", "1")
    assert app.send.restored.settle(nothing_left=False, log=lines).unknown == ()
    leaves(app, clock, month, dana)


def test_a_command_sends_to_all_and_so_does_a_desk_whose_editors_do_not_subscribe(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    subscribe(app, "dana@example.org")
    app.publish.approve(month.period, by="command")
    app.send.issue(month.period)
    assert sent(app, month) == 6


def test_without_editors_among_the_readers_all_wait_while_approvers_are_told_where_to_stop_it(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    for page in ("approve", "send"):
        if page == "send":
            approve(app, month, dana)
        text = read(dana, f"/desk/issues/{month.period}/{page}")
        assert "No editor subscribes" in text
        assert "5 minutes later all letters leave" in text
        assert "Editors who subscribe" not in text
    leaves(app, clock, month, dana)
    assert (sent(app, month), app.store.issues.get(month.period).state) == (0, IssueState.SENDING)
    assert app.send.notices() == 1  # the approver; an editor can stop nothing
    (letter,) = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in app.config.path(app.config.mail.folder).glob("*.eml")
        if b"dana@example.org" in path.read_bytes()
    ]
    body = letter.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert "5 letters leave at" in text
    assert f"{web_kit.URL}/desk/issues/{month.period}/sending" in text
    page = read(dana, f"/desk/issues/{month.period}/sending")
    assert "No letter has left yet. They leave at" in page
    assert ">Stop</button>" in page
    assert "Hold: back to draft" in page
    schedule.send_due(app)
    assert app.send.notices() == 0, "it is said once"
    clock.forward(minutes=5)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SENT


def test_a_stop_before_the_first_letter_holds_beyond_the_five_minutes(
    app: App, clock: Clock, month: web_kit.Month, dana: FlaskClient
) -> None:
    leaves(app, clock, month, dana)
    press(dana, f"/desk/issues/{month.period}/pause")
    clock.forward(days=1)
    schedule.send_due(app)
    assert sent(app, month) == 0
    assert "They leave when you say so" in read(dana, f"/desk/issues/{month.period}/sending")
    press(dana, f"/desk/issues/{month.period}/hold")
    leaves(app, clock, month, dana)
    assert sent(app, month) == 0, "approved anew it waits anew"


def test_the_configuration_says_otherwise(make_config: Callable[[str], Config], clock: Clock) -> None:
    for extra, first, state in (
        ('canary = "off"', 6, IssueState.SENT),
        ('canary = "editors"', 1, IssueState.PAUSED),
    ):
        with open_app(make_config(f"[mail]\n{extra}\n{web_kit.SOURCES}"), clock=clock) as app:
            month = web_kit.fill(app)
            app.publish.assemble(month.period)
            subscribe(app, "dana@example.org")
            client = signed_in(app, create_web(app))
            page = read(client, f"/desk/issues/{month.period}/approve")
            assert ("Editors who subscribe get it first. All others wait" in page) is (
                state is IssueState.PAUSED
            )
            leaves(app, clock, month, client)
            assert (sent(app, month), app.store.issues.get(month.period).state) == (first, state)
        for path in app.store.path.parent.glob("subscribers.*"):
            path.unlink()
