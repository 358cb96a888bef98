"""Small things for the tests of readers: people, their links, the letters that wait for them."""

import re
from collections.abc import Callable

from digest.app import App
from digest.join import Ask, Form
from digest.model import (
    Address,
    DeliveryId,
    DeliveryState,
    IssueId,
    IssueState,
    Language,
    Notice,
    Outcome,
    Period,
    Subscriber,
)
from digest.render.press import Press
from digest.send_letters import seal_of_all
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
    wanted = who.new_address or who.address
    return app.links.new_address(who.id, version=who.version, address=wanted, now=app.clock()).rpartition(
        "/"
    )[2]


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


# --- letters that come back ---------------------------------------------------------------------------------------------


def sent_issue(
    app: App, clock: Clock, period: Period, *, refused: str = "", reply: str = ""
) -> dict[str, DeliveryId]:
    """An issue that has left to all who may have it; their letters by address. refused: whose mail server says no."""
    deliveries, now = app.store.deliveries, clock()
    with app.store.write():
        issue = app.store.issues.create(period=period, since=now, until=now, send_at=now, placed=[])
        edition = Press(app.config).edition(app.store.issues.get(period), Language.EN)
        app.store.issues.freeze(issue, [edition])
        deliveries.list_audience(issue, languages=[Language.EN], now=now)
        app.store.issues.move(
            issue,
            from_={IssueState.DRAFT},
            to=IssueState.APPROVED,
            approved_at=now,
            hash=seal_of_all({Language.EN: edition}),
        )
        app.store.issues.move(issue, from_={IssueState.APPROVED}, to=IssueState.SENDING, sending_since=now)
        run = deliveries.begin_run(issue, now=now, lease_s=60)
        claimed = deliveries.claim(run, count=999, now=now)
        deliveries.commit(
            run, outcomes=[], intents=[(one.id, place) for place, one in enumerate(claimed)], now=now
        )
        no = {one.id for one in claimed if refused and one.address.key.endswith(refused)}
        outcomes = [
            Outcome(delivery=one.id, state=DeliveryState.FAILED, code=int(reply[:3]), reply=reply[4:])
            if one.id in no else Outcome(delivery=one.id, state=DeliveryState.SENT, code=250)
            for one in claimed
        ]  # fmt: skip
        deliveries.commit(run, outcomes=outcomes, intents=[], now=now)
        app.store.issues.move(issue, from_={IssueState.SENDING}, to=IssueState.SENT, sent_at=now)
    return {one.address.key: one.id for one in claimed}


def dsn(
    app: App, delivery: DeliveryId, *, status: str = "5.1.1", words: str = "550 5.1.1 no such user",
    action: str = "failed", to: str | None = None, recipient: str = "somebody@forwarded.example",
) -> bytes:  # fmt: skip
    """A delivery report (RFC 3464) as a mail server sends it to the envelope's sender."""
    token = app.links.bounce_token(delivery) if to is None else to
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: bounce+{token}@lists.example.org\r\n"
        "Subject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n--B--\r\n"
    ).encode()


def complaint(message_id: str, *, kind: str = "abuse") -> bytes:
    """An abuse report (RFC 5965): the provider has taken the address out, our Message-ID is left."""
    return (
        "From: feedback@provider.example\r\nTo: abuse@lists.example.org\r\nSubject: FW: a letter\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nThis is an abuse report.\r\n"
        f"--B\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: x/1\r\nVersion: 1\r\n"
        f"\r\n--B\r\nContent-Type: message/rfc822\r\n\r\nTo: <redacted>\r\nMessage-ID: {message_id}\r\n"
        "Subject: a letter\r\n\r\nhello\r\n--B--\r\n"
    ).encode()
