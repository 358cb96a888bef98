"""A real relay: Postfix takes the issue, hands it on, and says in a real DSN what the next server refused."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from digest.mail.envelope import original
from digest.model import DeliveryState
from tests.postfix_kit import Postfix, why_not
from tests.send_kit import PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import Event, Sink

needs_postfix = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def wait_for(what: Callable[[], bool], *, seconds: float = 30) -> bool:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if what():
            return True
        time.sleep(0.05)
    return what()


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    with ExitStack() as opened:

        def make(**mail: Any) -> Room:
            room = open_room(tmp_path, **mail)
            opened.callback(room.store.close)
            return room

        yield make


@needs_postfix
def test_postfix_takes_an_issue_once_and_its_dsn_names_the_delivery(make_room: Callable[..., Room]) -> None:
    room = make_room(bounce="bounce@lists.example.org")
    approve(room, 25)

    def next_server(event: Event) -> str | None:
        return "550 5.1.1 nobody here" if event.point == "RCPT" and "reader7@" in event.line else None

    with Sink(next_server) as world, Postfix(onward=world.port) as postfix:
        report = room.send(relay(room, postfix.port, connections=3)).issue(PERIOD)
        assert (report.sent, report.waiting) == (25, 0)
        assert wait_for(lambda: len(world.accepted) == 25), postfix.log()
    readers = [one for one in world.accepted if one.recipient.startswith("reader")]
    assert sorted(one.recipient for one in readers) == sorted(
        f"reader{n}@example.org" for n in range(1, 26) if n != 7
    )
    listed = room.store.deliveries.listed(room.issue.id, DeliveryState.SENT, limit=100)
    seventh = next(one for one in listed if one.address.reveal() == "reader7@example.org")
    (bounce,) = [one for one in world.accepted if one.recipient.startswith("bounce+")]
    token = bounce.recipient.removeprefix("bounce+").partition("@")[0]
    assert room.links.read_bounce_token(token) == seventh.id
    report_part = next(
        part
        for part in message_from_bytes(bounce.data).walk()
        if part.get_content_type() == "message/delivery-status"
    )
    status = report_part.as_string()
    assert f"Original-Envelope-Id: {seventh.id}\n" in status
    assert "Original-Recipient: rfc822;reader7@example.org" in status
    assert "Status: 5.1.1" in status
    assert (
        b"Content-Type: text/rfc822-headers" in bounce.data
    )  # RET=HDRS: our letter does not come back whole


@needs_postfix
def test_what_postfix_has_queued_is_kept_with_the_delivery(make_room: Callable[..., Room]) -> None:
    room = make_room()
    approve(room, 3)
    with Sink() as world, Postfix(onward=world.port) as postfix:
        room.send(relay(room, postfix.port)).issue(PERIOD)
        assert wait_for(lambda: len(world.accepted) == 3), postfix.log()
    replies = [one.reply for one in room.store.deliveries.listed(room.issue.id, DeliveryState.SENT, limit=9)]
    assert all("queued as" in reply for reply in replies)


def test_the_parameters_of_a_dsn_are_asked_for_only_where_they_are_offered(
    make_room: Callable[..., Room],
) -> None:
    room = make_room()
    approve(room, 2)
    with Sink(offers=("DSN",)) as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
    said = [line for line in sink.commands if line.startswith(("MAIL", "RCPT"))]
    assert all("RET=HDRS ENVID=" in line for line in said if line.startswith("MAIL"))
    assert all("NOTIFY=FAILURE,DELAY ORCPT=rfc822;reader" in line for line in said if line.startswith("RCPT"))


def test_no_sign_of_an_address_breaks_out_of_its_parameter() -> None:
    assert original("kim@example.org") == b"rfc822;kim@example.org"
    assert original("kim+a=b@example.org") == b"rfc822;kim+2Ba+3Db@example.org"
    assert original("zoé@example.org") == b"utf-8;zo\\x{E9}@example.org"
