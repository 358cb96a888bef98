"""Leaving while the letters leave: by each of the doors, over real SMTP and HTTP, nobody gets a letter after the answer."""

import threading
from collections.abc import Callable

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.model import DeliveryState, SubscriberState
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import complaint, joins, leave_token, letter_token, manage_token, person
from tests.smtp_kit import Event, Sink

PEOPLE = [f"r{number}@example.org" for number in range(24)]
DOORS = ("one-click", "multipart", "button", "letter", "settings", "forget", "mail", "complaint", "command")


def leaves(app: App, door: str, text: str) -> None:
    """Somebody goes by this door, whose answer has come when this returns."""
    client = create_web(app).test_client()
    one_click = {"List-Unsubscribe": "One-Click"}
    if door in {"one-click", "multipart"}:
        kind = "multipart/form-data" if door == "multipart" else "application/x-www-form-urlencoded"
        answer = client.post(f"/unsubscribe/{leave_token(app, text)}", data=one_click, content_type=kind)
    elif door == "button":
        answer = client.post(f"/fr/unsubscribe/{leave_token(app, text)}", data=one_click | {"from": "page"})
    elif door == "letter":
        answer = client.post(f"/preferences/{letter_token(app, text)}", data={"leave": "1"})
    elif door == "settings":
        answer = client.post(f"/preferences/{manage_token(app, text)}", data={"leave": "1"})
    elif door == "forget":
        answer = client.post(f"/preferences/{manage_token(app, text)}/forget")
    else:
        if door == "mail":
            letter = f"From: x@example.com\r\nSubject: unsubscribe {leave_token(app, text)}\r\n\r\n\r\n"
            assert app.take_letter(letter.encode())
        elif door == "complaint":
            issue = app.store.issues.all()[0].id
            waiting = [
                one for state in (DeliveryState.QUEUED, DeliveryState.CLAIMED)
                for one in app.store.deliveries.listed(issue, state, limit=99)
            ]  # fmt: skip
            one = next(one for one in waiting if one.address.reveal() == text)
            assert app.take_letter(complaint(app.links.message_id(issue, one.id)))
        else:
            app.join.forget(text)
        return
    assert answer.status_code in {200, 303}


@pytest.mark.parametrize("door", DOORS)
def test_whoever_goes_while_the_issue_leaves_gets_no_letter_after_the_answer(
    make_config: Callable[[str], Config], clock: Clock, door: str
) -> None:
    gone: list[str] = []
    lock, box = threading.Lock(), list[App]()

    def going(event: Event) -> None:
        """At every third letter the one goes whose turn is farthest away; the answer comes before this one's dot."""
        if event.point != "RCPT" or event.recipient not in PEOPLE or not box:
            return
        with lock:
            if event.count % 3 == 0 and len(gone) < 6:
                text = PEOPLE[-1 - len(gone)]
                leaves(box[0], door, text)
                gone.append(text)

    with Sink(going) as sink:
        smtp = (f'[mail]\ntransport = "smtp"\nserver = "127.0.0.1"\nport = {sink.port}\nsecurity = "none"\n'
                "connections = 1\n")  # fmt: skip
        with open_app(make_config(smtp + web_kit.SOURCES), clock=clock) as app:
            month = web_kit.fill(app)
            for text in PEOPLE:
                joins(app, text)
            with app.store.write():
                app.store.notices.claim(count=99, now=clock(), lease_s=9e6)
            box.append(app)
            web_kit.publish(app, month)
            box.clear()
            received = [one.recipient for one in sink.accepted]
            assert len(gone) >= 4
            assert not set(gone) & set(received)
            assert set(PEOPLE) - set(gone) <= set(received)
            assert len(received) == len(set(received))
            states = {person(app, text).state for text in gone if door not in {"forget", "command"}}
            assert states <= {SubscriberState.LEFT}
