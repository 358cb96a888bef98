"""The pace of relays and domains on the wire: who is slowed, who is not, what a restart remembers, who takes over."""

import logging
import threading
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config_mail import DomainPart, MailPart, RelayPart
from digest.errors import MailError
from digest.mail.smtp import SmtpTransport
from digest.model import IssueState
from digest.rules.rate import START_RATE, Paces
from tests.send_kit import NOW, PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import CERTIFICATE, DROP, Event, MemoryLedger, Sink, letter, letters


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    opened: list[Room] = []

    def make(readers: int = 20, **settings: object) -> Room:
        opened.append(open_room(tmp_path, **settings))
        approve(opened[-1], readers)
        return opened[-1]

    yield make
    for room in opened:
        room.store.close()


def several(*ports: int, **of_each: object) -> SmtpTransport:
    """One relay for each port: a, b, c …"""
    parts = tuple(
        RelayPart(name="abc"[n], server="127.0.0.1", port=port, security="none",
                  **{key: value[n] if isinstance(value, list) else value for key, value in of_each.items()})
        for n, port in enumerate(ports)
    )  # fmt: skip
    return SmtpTransport(MailPart(transport="smtp", relay=parts, timeout_s=5.0), backoff_s=0.01)


def move(room: Room, numbers: range, *, domain: str) -> None:
    """These readers live at another domain."""
    with room.store.write():
        for n in numbers:
            room.store._db.change(
                "UPDATE subscriber SET address = :to, address_key = :to WHERE address = :was",
                {"to": f"reader{n}@{domain}", "was": f"reader{n}@example.org"},
            )


# --- domains -------------------------------------------------------------------------------------------------------


def test_a_domain_with_a_rate_is_written_to_slowly_and_holds_up_nobody(
    make_room: Callable[..., Room],
) -> None:
    room = make_room(30, domain=(DomainPart(name="slow.example", rate=20),))
    move(room, range(1, 11), domain="slow.example")
    with Sink() as sink:
        began_s = time.monotonic()
        report = room.send(relay(room, sink.port)).issue(PERIOD)
        seconds = time.monotonic() - began_s
    assert (report.state, report.sent, report.deferred) == (IssueState.SENT, 30, 0)
    assert seconds > 9 / 20 - 0.1, "ten letters at twenty a second"
    late = [name.endswith("slow.example") for name in sink.recipients()][-8:]
    assert all(late), "the others did not wait"


def test_a_domain_never_has_more_in_hand_than_it_may(make_room: Callable[..., Room]) -> None:
    room = make_room(12, domain=(DomainPart(name="example.org", connections=1),))
    inside, most = Counter[str](), []

    def count(event: Event) -> None:
        inside["now"] += {"DATA": 1, "accepted": -1}.get(event.point, 0)
        most.append(inside["now"])

    with Sink(count, delay_s=0.005, pipelining=False) as sink:
        report = room.send(relay(room, sink.port, connections=4)).issue(PERIOD)
    assert report.sent == 12
    assert max(most) == 1


def test_a_domain_that_pushes_back_is_slowed_and_the_next_run_remembers(
    make_room: Callable[..., Room], caplog: pytest.LogCaptureFixture
) -> None:
    clock = {"now": NOW}
    room = make_room(6, clock=lambda: clock["now"])
    caplog.set_level(logging.INFO, "digest")

    def busy(event: Event) -> str | None:
        return "450 4.7.1 slower please" if event.point == "RCPT" and event.count == 1 else None

    with Sink(busy) as sink:
        send = room.send(relay(room, sink.port, connections=1))
        first = send.issue(PERIOD)
        assert (first.sent, first.deferred, first.failed) == (5, 1, 0)
        (learned,) = room.store.paces.all()
        assert (learned.kind, learned.name, learned.rate) == ("domain", "example.org", START_RATE / 2)
        clock["now"] = first.next_due or NOW
        known = Paces()
        known.load(room.store.paces.all(), now=clock["now"])
        assert known.domains["example.org"].rate == START_RATE / 2, "a restart goes on at the learned pace"
        assert send.issue(PERIOD).state is IssueState.SENT
    assert any("act=slower" in line and "domain=example.org" in line for line in caplog.messages)
    assert not any("@" in line for line in caplog.messages)


def test_greylisting_slows_nobody(make_room: Callable[..., Room]) -> None:
    room = make_room(6)
    with Sink(lambda e: "450 4.2.0 greylisted" if e.point == "RCPT" else None) as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).deferred == 6
    assert room.store.paces.all() == []


def test_a_domain_that_refuses_us_rests_in_the_next_run_too(make_room: Callable[..., Room]) -> None:
    clock = {"now": NOW}
    room = make_room(10, clock=lambda: clock["now"])
    move(room, range(1, 9), domain="stern.example")
    asked: list[str] = []

    def refuse(event: Event) -> str | None:
        if event.point != "RCPT" or "stern" not in event.line:
            return None
        asked.append(event.line)
        return "550 5.7.1 we do not like you"

    with Sink(refuse) as sink:
        send = room.send(relay(room, sink.port, connections=1))
        report = send.issue(PERIOD)
        assert (report.sent, report.failed) == (2, 0)
        assert set(report.shunned) == {"stern.example"}
        tried = len(asked)
        clock["now"] = NOW + timedelta(minutes=20)
        send.issue(PERIOD)
        assert len(asked) == tried, "it rests for an hour"
        clock["now"] = NOW + timedelta(hours=2)
        send.issue(PERIOD)
        assert len(asked) > tried
    assert room.counts()["deferred"] == 8


def test_more_than_memory_should_hold_waits_in_the_ledger_and_no_try_is_counted(
    make_room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.send_pace.ASIDE_MOST", 3)
    room = make_room(20, domain=(DomainPart(name="example.org", rate=40),))
    clock = {"began_s": time.monotonic()}
    room.clock = lambda: NOW + timedelta(seconds=time.monotonic() - clock["began_s"])
    with Sink() as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent) == (IssueState.SENT, 20)
    tries = room.store._db.rows("SELECT max(attempts) AS most FROM delivery")[0]["most"]
    assert tries == 1
    assert len(sink.accepted) == len(sink.received()) == 20


# --- relays --------------------------------------------------------------------------------------------------------


def test_a_relay_is_given_no_more_letters_a_second_than_it_may_be() -> None:
    ledger = MemoryLedger(letters(12))
    part = MailPart(transport="smtp", server="127.0.0.1", security="none", rate=20, connections=3)
    with Sink() as sink:
        began_s = time.monotonic()
        SmtpTransport(part.model_copy(update={"port": sink.port})).carry(ledger)
        seconds = time.monotonic() - began_s
    assert ledger.counted() == {"sent": 12}
    assert seconds > 11 / 20 - 0.1


def test_421_halves_the_relays_pace_and_the_next_run_begins_with_it(make_room: Callable[..., Room]) -> None:
    room = make_room(8)

    def busy(event: Event) -> str | None:
        return "421 4.7.0 slower" if event.point == "MAIL" and event.count == 1 else None

    with Sink(busy) as sink:
        send = room.send(relay(room, sink.port, connections=4))
        assert send.issue(PERIOD).sent == 8
    (learned,) = room.store.paces.all()
    assert (learned.kind, learned.name) == ("relay", "relay")
    assert learned.rate == START_RATE / 2
    assert learned.width == 2


def test_a_relay_that_takes_so_many_letters_a_connection_is_not_slowed() -> None:
    ledger = MemoryLedger(letters(90))

    def worn(event: Event) -> str | None:
        return "421 4.4.2 enough on this connection" if event.point == "MAIL" and event.taken >= 25 else None

    with Sink(worn) as sink:
        part = MailPart(transport="smtp", server="127.0.0.1", port=sink.port, security="none", connections=1)
        SmtpTransport(part, backoff_s=0.01).carry(ledger)
    assert ledger.counted() == {"sent": 90}
    assert ledger.paces.learned(now=NOW) == []


def test_a_relay_that_takes_few_connections_is_not_asked_for_more_again() -> None:
    ledger = MemoryLedger(letters(60))
    open_now, refused = Counter[str](), []

    def two(event: Event) -> str | None:
        if event.point == "connect" and event.connection > 2:
            refused.append(event.connection)
            return "421 4.3.2 two are enough"
        open_now["n"] = max(open_now["n"], event.connection)
        return None

    with Sink(two, delay_s=0.002) as sink:
        part = MailPart(transport="smtp", server="127.0.0.1", port=sink.port, security="none", connections=6)
        SmtpTransport(part, backoff_s=0.01).carry(ledger)
    assert ledger.counted() == {"sent": 60}
    assert ledger.paces.relays["relay"].width < 6


def test_relays_share_letters_by_weight() -> None:
    ledger = MemoryLedger(letters(240))
    with Sink(delay_s=0.001) as first, Sink(delay_s=0.001) as second:
        several(first.port, second.port, weight=[3, 1]).carry(ledger)
    assert ledger.counted() == {"sent": 240}
    assert 140 <= len(first.accepted) < 240, "about three quarters; more if the second was held up"


def test_a_relay_in_reserve_carries_nothing_while_another_works() -> None:
    ledger = MemoryLedger(letters(40))
    with Sink() as first, Sink() as reserve:
        several(first.port, reserve.port, weight=[1, 0]).carry(ledger)
    assert (len(first.accepted), len(reserve.accepted)) == (40, 0)


@pytest.mark.parametrize("point", ["connect", "EHLO", "MAIL", "DATA", "body"])
@pytest.mark.parametrize("weight", [[1, 1], [1, 0]])
def test_when_a_relay_dies_another_takes_its_letters_once_each(point: str, weight: list[int]) -> None:
    ledger = MemoryLedger(letters(60))

    def dies(event: Event) -> str | None:
        is_dead = event.point == point and (point in {"connect", "EHLO"} or event.count > 6)
        return DROP if is_dead else None

    with Sink(dies) as first, Sink() as second:
        several(first.port, second.port, weight=weight).carry(ledger)
    counted = ledger.counted()
    doubts = counted.pop("unsure", 0)  # the sink may drop when body and dot are both on their way
    assert counted == {"sent": 60 - doubts}
    assert point == "body" or not doubts
    both = first.received() + second.received()
    assert len(both) >= 60 - doubts
    assert set(both.values()) == {1}
    assert len(second.accepted) > 0


def test_a_refused_login_at_one_relay_is_another_relays_work(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "digest")
    ledger, refused = MemoryLedger(letters(20)), threading.Event()

    def refuse(event: Event) -> str | None:
        if event.point != "MAIL":
            return None
        refused.set()
        return "550 go away"

    def wait(event: Event) -> None:
        refused.wait(10)

    with Sink(refuse) as first, Sink(wait) as second:
        several(first.port, second.port).carry(ledger)
    assert len(second.accepted) == 20
    assert any("act=relay-down relay=a" in line for line in caplog.messages)


def test_when_no_relay_works_the_run_pauses_with_the_last_reason_and_nobody_is_marked(
    make_room: Callable[..., Room],
) -> None:
    room = make_room(5)
    with Sink(lambda e: "554 no" if e.point == "connect" else None) as first, Sink() as second:
        second.close()
        report = room.send(several(first.port, second.port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert room.counts() == {"queued": 5}


def test_a_one_off_letter_goes_by_the_relay_that_works() -> None:
    with Sink() as first, Sink() as second:
        first.close()
        outcome = several(first.port, second.port).post(letter(1))
    assert str(outcome.state) == "sent"
    assert len(second.accepted) == 1


@pytest.mark.parametrize("connections", [1, 2])
def test_a_one_off_letter_goes_ahead_of_an_issue_at_a_relay_that_takes_no_further_connection(
    connections: int,
) -> None:
    """A confirmation does not wait for a long issue to end."""
    ledger = MemoryLedger(letters(20_000))

    def full(event: Event) -> str | None:
        is_one_more = event.point == "connect" and sink.open_connections > connections
        return "421 4.3.2 no more connections" if is_one_more else None

    with Sink(full, delay_s=0.002, keep=False) as sink:
        part = MailPart(
            transport="smtp", server="127.0.0.1", port=sink.port, security="none", connections=connections
        )
        transport = SmtpTransport(part, backoff_s=0.01)
        bulk = threading.Thread(target=transport.carry, args=(ledger,))
        bulk.start()
        while len(sink.accepted) < 20:
            time.sleep(0.001)
        outcome = transport.post(letter(99_999))
        is_under_way = bulk.is_alive()
        ledger.stop = True
        bulk.join(30)
    assert str(outcome.state) == "sent"
    assert is_under_way, "the issue was still being sent"


def test_the_doctor_asks_every_relay() -> None:
    with Sink() as first, Sink() as second:
        transport = several(first.port, second.port)
        assert transport.probe().count("answers") == 2
        second.close()
        with pytest.raises(MailError):
            transport.probe()


def test_relays_are_named_in_one_way_only() -> None:
    with pytest.raises(ValueError, match=r"server stands under \[mail\]"):
        MailPart(server="a.example.org", relay=(RelayPart(name="b"),))
    with pytest.raises(ValueError, match="names must differ"):
        MailPart(relay=(RelayPart(name="b"), RelayPart(name="b")))
    with pytest.raises(ValueError, match="weight 0"):
        MailPart(relay=(RelayPart(name="b", weight=0),))
    (only,) = MailPart(server="a.example.org", connections=7).relays
    assert (only.name, only.server, only.connections) == ("relay", "a.example.org", 7)


# --- XOAUTH2 -------------------------------------------------------------------------------------------------------


def oauth(port: int, token: Path, **rest: object) -> SmtpTransport:
    part = MailPart(
        transport="smtp", server="localhost", port=port, security="tls", ca_file=CERTIFICATE, username="letter@example.org",
        auth="xoauth2", password_file=token, timeout_s=5, **rest,
    )  # fmt: skip
    return SmtpTransport(part, backoff_s=0.01)


def test_an_access_token_is_shown_and_read_afresh_at_every_login(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    with Sink(tls="tls", login=("letter@example.org", "fresh"), mechanisms="XOAUTH2") as sink:
        transport = oauth(sink.port, token)
        with pytest.raises(MailError, match=r"refused our login: 535 .* access token"):
            transport.carry(MemoryLedger(letters(2)))
        with pytest.raises(MailError, match=r"refused our login: 535 .* access token"):
            transport.post(letter(1))
        token.write_text("fresh\n")
        ledger = MemoryLedger(letters(3))
        transport.carry(ledger)
        assert str(transport.post(letter(9)).state) == "sent"
    assert ledger.counted() == {"sent": 3}
    shown = b64decode(sink.tokens[-1]).decode()
    assert shown == "user=letter@example.org\x01auth=Bearer fresh\x01\x01"


def test_a_server_without_xoauth2_says_what_to_set(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("fresh")
    with Sink(tls="tls", login=("letter@example.org", "fresh")) as sink:
        for act in (lambda way: way.carry(MemoryLedger(letters(1))), lambda way: way.post(letter(1))):
            with pytest.raises(MailError, match='set \\[mail\\] auth to "password"'):
                act(oauth(sink.port, token))
    for act in (lambda way: way.ready(), lambda way: way.post(letter(1))):
        with (
            Sink(tls="tls", login=("letter@example.org", "fresh"), mechanisms="XOAUTH2") as sink,
            pytest.raises(MailError, match="password_file"),
        ):
            act(oauth(sink.port, tmp_path / "missing"))


# --- what EHLO offers decides ---------------------------------------------------------------------------------------


def said(sink: Sink, verb: str) -> list[str]:
    return [line for line in sink.commands if line.startswith(verb)]


@pytest.mark.parametrize("offers", [(), ("SIZE 1000000",), ("DSN",), ("8BITMIME",), ("SMTPUTF8", "8BITMIME"),
                                    ("SIZE", "DSN", "8BITMIME", "SMTPUTF8")])  # fmt: skip
@pytest.mark.parametrize("pipelining", [True, False])
def test_nothing_is_asked_of_a_server_that_it_did_not_offer(
    offers: tuple[str, ...], pipelining: bool
) -> None:
    plain, accented = letter(1), letter(2, to="zoé@example.org")
    eightbit = letter(3)
    eightbit = eightbit._replace(pieces=(*eightbit.pieces, "é\r\n".encode()))
    ledger = MemoryLedger([plain, accented, eightbit])
    with Sink(offers=offers, pipelining=pipelining) as sink:
        SmtpTransport(MailPart(transport="smtp", server="127.0.0.1", port=sink.port, security="none")).carry(
            ledger
        )
    mails, rcpts = said(sink, "MAIL"), said(sink, "RCPT")
    named = " ".join(offers)
    assert all(("SIZE=" in line) == ("SIZE 1" in named) for line in mails)
    assert all(("RET=HDRS ENVID=" in line) == ("DSN" in named) for line in mails)
    assert all(("NOTIFY=FAILURE,DELAY ORCPT=" in line) == ("DSN" in named) for line in rcpts)
    assert any("SMTPUTF8" in line for line in mails) == ("SMTPUTF8" in named)
    assert any("BODY=8BITMIME" in line for line in mails) == ("8BITMIME" in named)
    states = {int(one): str(state) for one, state in ledger.states.items()}
    assert states == {1: "sent", 2: "sent" if "SMTPUTF8" in named else "failed",
                      3: "sent" if "8BITMIME" in named else "failed"}  # fmt: skip
    why = {int(one): outcome.reply for one, outcome in ledger.outcomes.items()}
    assert "SMTPUTF8" in named or why[2] == "needs-smtputf8"
    assert "8BITMIME" in named or why[3] == "needs-8bitmime"


def test_a_letter_too_big_for_the_server_pauses_the_run_and_marks_nobody(
    make_room: Callable[..., Room],
) -> None:
    room = make_room(5)
    too_big = "552 5.3.4 message size exceeds fixed limit"
    with Sink(lambda e: too_big if e.point == "MAIL" else None, offers=("SIZE 1000",)) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert too_big in (report.reason or "")
    assert room.counts() == {"queued": 5}
