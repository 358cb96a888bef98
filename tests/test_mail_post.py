"""One-off letters: our bytes through Flask-Mail's connection, with time-outs, verified TLS, and an outcome for every end."""

import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from digest.errors import MailError
from digest.mail.smtp import SmtpTransport
from digest.model import DeliveryState
from tests.smtp_kit import CERTIFICATE, DROP, STALL, Event, Sink, letter
from tests.test_mail_engine import transport


def test_the_bytes_that_arrive_are_the_bytes_we_made() -> None:
    one = letter(1)
    tricky = type(one)(
        delivery=one.delivery, sender=one.sender, recipient=one.recipient, pieces=(one.data, b".\r\n..x\r\n")
    )
    with Sink() as sink:
        assert transport(sink).post(tricky).state is DeliveryState.SENT
    assert sink.accepted[0].data == tricky.data
    assert (sink.accepted[0].sender, sink.accepted[0].recipient) == (
        "bounce@example.org",
        "reader1@example.org",
    )


def test_it_arrives_at_another_server_too() -> None:
    """aiosmtpd was written by others: our sink might share our mistakes."""
    got: list[Any] = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 OK"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert transport(port).post(letter(1)).state is DeliveryState.SENT
    finally:
        controller.stop()
    assert got == [("bounce@example.org", ["reader1@example.org"], letter(1).data)]


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_login_goes_over_verified_tls(tls: str) -> None:
    with Sink(tls=tls, login=("digest", "right")) as sink:
        way = transport(sink, security=tls, username="digest", password="right", ca_file=CERTIFICATE)
        assert way.post(letter(1)).state is DeliveryState.SENT
    assert len(sink.accepted) == 1


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str) -> None:
    with Sink(tls=tls) as sink, pytest.raises(MailError, match="cannot be trusted"):
        transport(sink, security=tls).post(letter(1))
    assert not sink.accepted


def test_a_refused_login_is_the_relays_fault() -> None:
    with (
        Sink(tls="tls", login=("digest", "right")) as sink,
        pytest.raises(MailError, match=r"refused our login: 535"),
    ):
        transport(sink, security="tls", username="digest", password="wrong", ca_file=CERTIFICATE).post(
            letter(1)
        )


def test_a_server_without_starttls_gets_nothing_in_clear() -> None:
    with Sink() as sink, pytest.raises(MailError, match="does not offer STARTTLS"):
        transport(sink, security="starttls").post(letter(1))
    assert not any(line.startswith("MAIL") for line in sink.commands)


@pytest.mark.parametrize(
    ("point", "reply", "state"),
    [
        ("RCPT", "550 5.1.1 no such user", DeliveryState.FAILED),
        ("RCPT", "450 4.2.0 greylisted", DeliveryState.DEFERRED),
        ("RCPT", "421 closing", DeliveryState.DEFERRED),
        ("RCPT", "550 5.7.1 you are blocked", DeliveryState.DEFERRED),
        ("DATA", "554 5.6.0 no", DeliveryState.FAILED),
        ("dot", "554 5.6.0 no", DeliveryState.FAILED),
        ("dot", "451 later", DeliveryState.DEFERRED),
        ("accepted", DROP, DeliveryState.UNSURE),
        ("QUIT", DROP, DeliveryState.SENT),
    ],
)
def test_every_end_has_its_outcome(point: str, reply: str, state: DeliveryState) -> None:
    with Sink(lambda event: reply if event.point == point else None) as sink:
        outcome = transport(sink).post(letter(1))
    assert outcome.state is state
    assert outcome.code == (int(reply[:3]) if reply[0].isdigit() else outcome.code)


@pytest.mark.parametrize(
    ("point", "reply", "words"),
    [
        ("MAIL", "550 5.7.1 not you", "refused us at MAIL: 550 5.7.1 not you"),
        ("connect", "554 no", "refused us at greeting: 554 no"),
        ("EHLO", DROP, "gave up at EHLO: it closed the connection"),
        ("RCPT", DROP, "gave up at RCPT: it closed the connection"),
    ],
)
def test_what_is_the_relays_fault_raises(point: str, reply: str, words: str) -> None:
    with (
        Sink(lambda event: reply if event.point == point else None) as sink,
        pytest.raises(MailError, match=words),
    ):
        transport(sink).post(letter(1))


def test_a_silent_server_is_not_waited_for_for_ever() -> None:
    def silent(event: Event) -> str | None:
        return STALL if event.point == "RCPT" else None

    with Sink(silent) as sink, pytest.raises(MailError, match=r"did not answer within 0\.3 s"):
        transport(sink, timeout_s=0.3).post(letter(1))


def test_a_header_cannot_be_smuggled_in_through_the_address() -> None:
    with Sink() as sink:
        way: SmtpTransport = transport(sink)
        outcome = way.post(letter(1, to="a@example.org>\r\nRCPT TO:<evil@example.org"))
    assert outcome.state is DeliveryState.FAILED
    assert not sink.accepted
