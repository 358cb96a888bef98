"""Small things for the tests of readers: people, their links, the letters that wait for them."""

import re
from collections.abc import Callable

from digest.app import App
from digest.join import Ask, Form
from digest.model import Address, IssueId, Notice, Subscriber
from tests.conftest import Clock

ANN = "ann@example.org"
MakeConfig = Callable[[str], object]


def person(app: App, text: str = ANN) -> Subscriber:
    found = app.store.subscribers.find(Address(text))
    assert found is not None
    return found


def is_known(app: App, text: str = ANN) -> bool:
    return app.store.subscribers.find(Address(text)) is not None


def taken(app: App, clock: Clock) -> list[Notice]:
    """Every letter waiting, taken as if it had left."""
    with app.store.write():
        notices = app.store.notices.claim(count=10_000, now=clock(), lease_s=60)
        for notice in notices:
            app.store.notices.settle(notice.id, state="sent", now=clock())
    return notices


def confirm_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.confirm(who.id, version=who.version, now=app.clock()).rpartition("/")[2]


def manage_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.manage(who.id, version=who.version, now=app.clock()).rpartition("/")[2]


def letter_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.preferences(who.id, version=who.version, issue=IssueId(1)).rpartition("/")[2]


def leave_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.unsubscribe(who.id, version=who.version, issue=IssueId(0)).rpartition("/")[2]


def address_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.new_address(who.id, version=who.version, now=app.clock()).rpartition("/")[2]


def shown_form(app: App, clock: Clock, *, trap: str = "") -> Form:
    """A form that was shown three seconds ago."""
    token = app.join.form()
    clock.forward(seconds=3)
    return Form(token=token, trap=trap)


def joins(app: App, text: str = ANN, **more: str) -> Subscriber:
    """Asks and confirms."""
    app.join.ask(Ask(address=text, **more))  # type: ignore[arg-type]
    app.join.confirm(confirm_token(app, text))
    return person(app, text)


def code_in(notice: Notice) -> str:
    assert notice.secret is not None
    assert re.fullmatch(r"\d{6}", notice.secret)
    return notice.secret
