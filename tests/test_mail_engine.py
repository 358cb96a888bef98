"""The bulk sender against real sockets that behave and misbehave. Nobody lost, nobody twice, the unsure listed."""

import signal
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from digest.config_mail import MailPart
from digest.errors import ConfigError, MailError, StoreFull
from digest.mail.smtp import SmtpTransport
from digest.mail.tls import may_go_in_clear
from digest.model import DeliveryId, DeliveryState, Letter, Outcome
from tests.smtp_kit import CERTIFICATE, DROP, STALL, Event, MemoryLedger, MemoryPending, Sink, letter, letters


def transport(sink: Sink | int, *, connections: int = 2, password: str | None = None, dot_timeout_s: float = 600,
              drain_s: float = 8, **mail: Any) -> SmtpTransport:  # fmt: skip
    port = sink if isinstance(sink, int) else sink.port
    part = MailPart(**{"transport": "smtp", "server": "127.0.0.1", "port": port, "security": "none",
                       "connections": connections, "timeout_s": 5, **mail})  # fmt: skip
    return SmtpTransport(
        part, password=password, backoff_s=0.02, dot_timeout_s=dot_timeout_s, drain_s=drain_s
    )


def everyone_once(sink: Sink, ledger: MemoryLedger) -> None:
    """The promise: accepted exactly once when sent, at most once when unsure, never otherwise."""
    received = sink.received()
    assert all(count == 1 for count in received.values()), "a reader got two"
    got = {recipient for recipient, _ in received}
    for one, state in ledger.states.items():
        address = ledger.letters[one].recipient.reveal()
        if state is DeliveryState.SENT:
            assert address in got, f"{one} is called sent and never arrived"
        elif state not in (DeliveryState.UNSURE, DeliveryState.COMMITTING):
            assert address not in got, f"{one} arrived and is called {state}"


def script(
    point: str, answer: str, *, at: Callable[[Event], bool] = lambda event: event.count == 3
) -> Callable[[Event], str | None]:
    return lambda event: answer if event.point == point and at(event) else None


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("connections", [1, 7])
def test_every_letter_arrives_once_and_whole(pipelining: bool, connections: int) -> None:
    ledger = MemoryLedger(letters(150))
    with Sink(pipelining=pipelining) as sink:
        transport(sink, connections=connections).carry(ledger)
    assert ledger.counted() == {"sent": 150}
    everyone_once(sink, ledger)
    assert {one.data for one in sink.accepted} == {one.data for one in ledger.letters.values()}
    assert sink.connections <= connections
    assert all("queued as Q" in outcome.reply for outcome in ledger.outcomes.values())


def test_a_pipelining_relay_is_asked_once_a_letter_and_another_step_by_step() -> None:
    with Sink() as sink:
        transport(sink, connections=1).carry(MemoryLedger(letters(3)))
    assert [line.partition(" ")[0] for line in sink.commands if line] == [
        "EHLO",
        *["MAIL", "RCPT", "DATA"] * 3,
        "QUIT",
    ]


def test_dots_at_the_start_of_a_line_survive() -> None:
    one = letter(1)
    tricky = one.data + b".\r\n..\r\n.hidden\r\nend"
    ledger = MemoryLedger(
        [type(one)(delivery=one.delivery, sender=one.sender, recipient=one.recipient, pieces=(tricky,))]
    )
    with Sink() as sink:
        transport(sink).carry(ledger)
    assert sink.accepted[0].data == tricky + b"\r\n"


@pytest.mark.parametrize("bad", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\nb\r\n", b"a\0b\r\n"])
def test_a_bare_line_end_never_reaches_the_socket(bad: bytes) -> None:
    one = letter(1)
    broken = type(one)(
        delivery=one.delivery, sender=one.sender, recipient=one.recipient, pieces=(one.data + bad,)
    )
    ledger = MemoryLedger([broken, letter(2)])
    with Sink() as sink:
        transport(sink).carry(ledger)
    assert ledger.states == {DeliveryId(1): DeliveryState.FAILED, DeliveryId(2): DeliveryState.SENT}
    assert sink.recipients() == ["reader2@example.org"]


@pytest.mark.parametrize("address", ["a b@example.org", "a\r\nRCPT TO:<evil@example.org>@example.org", "<a>@example.org",
                                     "no-at-sign", "a\x00@example.org", "@example.org"])  # fmt: skip
def test_an_address_that_would_break_out_never_reaches_the_socket(address: str) -> None:
    ledger = MemoryLedger([letter(1), letter(2)])
    ledger.letters[DeliveryId(1)] = letter(1, to=address)
    with Sink() as sink:
        transport(sink).carry(ledger)
    assert ledger.states[DeliveryId(1)] is DeliveryState.FAILED
    assert ledger.outcomes[DeliveryId(1)].reply.startswith("address:")
    assert sink.recipients() == ["reader2@example.org"]
    assert not any("evil" in line for line in sink.commands)


def test_a_local_part_beyond_ascii_needs_smtputf8_and_says_so() -> None:
    readers = [letter(1, to="rené@example.org"), letter(2, to="rene@straße.example")]
    without = MemoryLedger(readers)
    with Sink() as sink:
        transport(sink).carry(without)
    assert without.states == {DeliveryId(1): DeliveryState.FAILED, DeliveryId(2): DeliveryState.SENT}
    assert without.outcomes[DeliveryId(1)].reply == "needs-smtputf8"
    assert sink.recipients() == ["rene@xn--strae-oqa.example"]
    ledger = MemoryLedger([letter(1, to="rené@example.org")])
    ledger.letters[DeliveryId(1)] = letter(1, to="rené@example.org")
    with Sink(offers=("SMTPUTF8", "8BITMIME", "SIZE 1000000")) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 1}
    assert any("SMTPUTF8" in line and "BODY=8BITMIME" in line and "SIZE=" in line for line in sink.commands)


# --- R3: replies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("point", "reply", "state"),
    [
        ("RCPT", "550 5.1.1 no such user", "failed"),
        ("RCPT", "552 5.2.2 mailbox full", "failed"),
        ("RCPT", "550 no such user", "failed"),
        ("RCPT", "450 4.2.1 greylisted", "deferred"),
        ("RCPT", "451 try later", "deferred"),
        ("RCPT", "452 4.5.3 too many", "deferred"),
        ("RCPT", "550 5.7.1 your address is blocked", "deferred"),
        ("DATA", "451 4.3.0 not now", "deferred"),
        ("DATA", "554 5.6.0 no", "failed"),
        ("dot", "451 4.3.0 not now", "deferred"),
        ("dot", "554 5.6.0 we do not like it", "failed"),
        ("dot", "554-5.6.0 we do\r\n554 5.6.0 not like it", "failed"),
    ],
)
def test_a_refusal_is_one_readers_and_the_rest_goes_on(
    point: str, reply: str, state: str, pipelining: bool
) -> None:
    ledger = MemoryLedger(letters(12))
    with Sink(script(point, reply), pipelining=pipelining) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 11, state: 1}
    everyone_once(sink, ledger)
    outcome = next(one for one in ledger.outcomes.values() if one.state is not DeliveryState.SENT)
    assert outcome.code == int(reply[:3])
    assert sink.connections <= 2


def test_what_a_server_says_is_kept_without_the_address() -> None:
    ledger = MemoryLedger(letters(2))
    reply = "550 5.1.1 <reader1@example.org>: Recipient reader1@example.org rejected " + "x" * 900
    with Sink(
        lambda event: reply if event.recipient == "reader1@example.org" and event.point == "RCPT" else None
    ) as sink:
        transport(sink).carry(ledger)
    kept = ledger.outcomes[DeliveryId(1)].reply
    assert kept.startswith("5.1.1 (address): Recipient (address) rejected")
    assert len(kept) <= 500


def test_a_354_after_every_recipient_was_refused_is_ended_with_a_bare_dot() -> None:
    """Legal (RFC 5321 3.3), and then alone a dot is written without a commit: it ends a letter to nobody."""

    class Lenient(Sink):
        def ask(self, point: str, connection: int, **rest: Any) -> str | None:
            if point == "DATA" and not rest.get("recipient"):
                return "354 go on then"
            return super().ask(point, connection, **rest)

    ledger = MemoryLedger(letters(6))
    with Lenient(script("RCPT", "550 5.1.1 no", at=lambda event: event.count == 2)) as sink:
        transport(sink, connections=1).carry(ledger)
    assert ledger.counted() == {"sent": 5, "failed": 1}
    everyone_once(sink, ledger)


@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA", "dot"])
def test_421_is_the_fate_of_the_connection_and_marks_nobody(point: str) -> None:
    ledger = MemoryLedger(letters(20))
    with Sink(script(point, "421 4.3.2 shutting down", at=lambda event: event.count in (3, 9))) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 20}
    everyone_once(sink, ledger)
    assert sink.connections >= 3


def test_a_letter_that_comes_back_in_the_very_turn_of_the_last_claim_goes_again() -> None:
    """Another connection asks for more and finds nothing, before what came back is written."""
    ledger, each_has_one = _Held(letters(2)), threading.Barrier(2)

    def script(event: Event) -> str | None:
        if event.point == "MAIL" and event.count <= 2:
            each_has_one.wait(5)
        if event.point != "dot" or event.count > 2:
            return None
        ledger.at_dot.append(event.count)
        assert ledger.loop_stands.wait(5)
        if event.count == 1:
            return "421 4.3.2 going down"
        assert until(lambda: sink.answers == ledger.before + 1)
        return None

    with Sink(script) as sink:
        ledger.sink = sink
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 2}
    everyone_once(sink, ledger)


def test_a_letter_that_comes_back_on_the_last_connection_goes_though_its_relay_wants_fewer() -> None:
    """The other connection has found nothing to do and is over, so this one is the first of the fewer."""
    ledger, each_has_one = MemoryLedger(letters(2)), threading.Barrier(2)

    def script(event: Event) -> str | None:
        if event.point == "MAIL" and event.count <= 2:
            each_has_one.wait(5)
        if event.point == "dot" and event.connection == 2:
            assert until(lambda: "QUIT" in sink.commands)
            return "421 4.3.2 too many"
        return None

    with Sink(script) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 2}


class _Held(MemoryLedger):
    """Lets the loop stand while both letters wait for the answer to their dot, until both answers are there."""

    def __init__(self, letters: list[Letter]) -> None:
        super().__init__(letters)
        self.at_dot: list[int] = []
        self.loop_stands, self.before = threading.Event(), 0
        self.sink: Sink

    def stopping(self) -> bool:
        if len(self.at_dot) == 2 and not self.loop_stands.is_set():
            self.before = self.sink.answers
            self.loop_stands.set()
            assert until(lambda: self.sink.answers == self.before + 2)
        return False


def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
    patience = time.monotonic() + seconds
    while not condition() and time.monotonic() < patience:
        time.sleep(0.001)
    return condition()


def test_421_at_the_greeting_is_met_with_patience() -> None:
    ledger = MemoryLedger(letters(5))
    with Sink(script("connect", "421 busy", at=lambda event: event.count <= 2)) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 5}


def test_a_server_that_takes_two_connections_and_refuses_more_gets_two() -> None:
    ledger = MemoryLedger(letters(60))
    with Sink(
        script("connect", "421 too many connections", at=lambda event: event.connection > 2), delay_s=0.002
    ) as sink:
        transport(sink, connections=6).carry(ledger)
    assert ledger.counted() == {"sent": 60}


def test_ehlo_refused_is_answered_with_helo() -> None:
    ledger = MemoryLedger(letters(4))
    with Sink(script("EHLO", "500 what?", at=lambda event: True)) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 4}


def test_a_reply_that_is_none_ends_the_connection_and_loses_nobody() -> None:
    ledger = MemoryLedger(letters(10))
    with Sink(script("RCPT", "this is no reply")) as sink:
        transport(sink).carry(ledger)
    assert ledger.counted() == {"sent": 10}
    everyone_once(sink, ledger)


# --- R2: the connection drops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    "point", ["connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot", "accepted", "QUIT"]
)
def test_a_drop_anywhere_loses_nobody_and_doubles_nobody(point: str, pipelining: bool) -> None:
    once = 1 if point in ("connect", "EHLO", "QUIT") else 5
    ledger = MemoryLedger(letters(20, size=60_000))
    with Sink(script(point, DROP, at=lambda event: event.count == once), pipelining=pipelining) as sink:
        transport(sink).carry(ledger)
    everyone_once(sink, ledger)
    counted = ledger.counted()
    assert counted.get("unsure", 0) <= (1 if point in ("body", "dot", "accepted") else 0)
    assert counted["sent"] == 20 - counted.get("unsure", 0)
    if point == "accepted":
        assert counted["unsure"] == 1, "the 250 was never heard, so nobody can know"


def test_a_letter_that_breaks_every_connection_is_put_off_and_stops_nobody() -> None:
    ledger = MemoryLedger(letters(10))
    with Sink(
        lambda event: DROP if event.point == "RCPT" and event.recipient == "reader4@example.org" else None
    ) as sink:
        transport(sink).carry(ledger)
    assert ledger.states[DeliveryId(4)] is DeliveryState.DEFERRED
    assert ledger.counted() == {"sent": 9, "deferred": 1}


@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA", "body"])
def test_a_server_that_falls_silent_before_the_dot_costs_a_connection_and_no_letter(point: str) -> None:
    ledger = MemoryLedger(letters(6, size=2_000_000 if point == "body" else 400))
    with Sink(script(point, STALL)) as sink:
        transport(sink, timeout_s=0.5, connections=2, dot_timeout_s=0.5).carry(ledger)
    counted = ledger.counted()
    assert counted["sent"] + counted.get("unsure", 0) == 6
    assert counted.get("unsure", 0) <= (1 if point == "body" else 0)
    everyone_once(sink, ledger)


def test_silence_after_the_dot_is_a_doubt_and_is_not_sent_again() -> None:
    ledger = MemoryLedger(letters(6))
    with Sink(script("accepted", STALL)) as sink:
        transport(sink, dot_timeout_s=0.4).carry(ledger)
    assert ledger.counted() == {"sent": 5, "unsure": 1}
    everyone_once(sink, ledger)


def test_a_relay_that_closes_after_every_few_letters_is_no_error() -> None:
    """R4."""
    ledger = MemoryLedger(letters(40))
    with Sink(lambda event: DROP if event.point == "MAIL" and event.taken >= 4 else None) as sink:
        transport(sink, connections=1).carry(ledger)
    assert ledger.counted() == {"sent": 40}
    assert sink.connections == 10


def test_no_connection_carries_more_letters_than_the_operator_allows() -> None:
    ledger = MemoryLedger(letters(45))
    with Sink() as sink:
        transport(sink, connections=1, per_connection=20).carry(ledger)
        patience = time.monotonic() + 5  # the sink reads the last farewell in its own thread
        while sink.commands.count("QUIT") < 3 and time.monotonic() < patience:
            time.sleep(0.01)
    assert ledger.counted() == {"sent": 45}
    assert sink.connections == 3
    assert sink.commands.count("QUIT") == 3


# --- the relay itself --------------------------------------------------------------------------------------------


def test_a_server_that_is_down_marks_nobody_and_says_so() -> None:
    with Sink() as gone:
        port = gone.port
    ledger = MemoryLedger(letters(5))
    with pytest.raises(MailError, match=r"127\.0\.0\.1 port \d+ cannot be reached: .*refused"):
        transport(port).carry(ledger)
    assert not ledger.outcomes
    assert ledger.intents == 0


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_refused_login_says_so_and_marks_nobody(tls: str) -> None:
    ledger = MemoryLedger(letters(5))
    with (
        Sink(tls=tls, login=("digest", "right")) as sink,
        pytest.raises(MailError, match="refused our login: 535"),
    ):
        transport(sink, security=tls, username="digest", password="wrong", ca_file=CERTIFICATE).carry(ledger)
    assert not ledger.outcomes
    assert sink.connections == 1, "a wrong password is not tried again and again"


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_letters_go_over_verified_tls_with_a_login(tls: str, mechanism: str) -> None:
    ledger = MemoryLedger(letters(30, size=30_000))

    class OneMechanism(Sink):
        def ask(self, point: str, connection: int, **rest: Any) -> str | None:
            if point == "EHLO" and (tls == "tls" or self.commands.count("STARTTLS")):
                return f"250-sink\r\n250-PIPELINING\r\n250 AUTH {mechanism}"
            return super().ask(point, connection, **rest)

    with OneMechanism(tls=tls, login=("digest", "right")) as sink:
        transport(
            sink, connections=1, security=tls, username="digest", password="right", ca_file=CERTIFICATE
        ).carry(ledger)
    assert ledger.counted() == {"sent": 30}
    everyone_once(sink, ledger)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str) -> None:
    ledger = MemoryLedger(letters(2))
    with Sink(tls=tls) as sink, pytest.raises(MailError, match=r"certificate .* cannot be trusted"):
        transport(sink, security=tls).carry(ledger)
    assert not ledger.outcomes
    assert not any(line.startswith("MAIL") for line in sink.commands)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of ssl, for the versions that we refuse
@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize(("version", "is_taken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_tls_older_than_1_2_is_refused(tls: str, version: str, is_taken: bool) -> None:
    ledger = MemoryLedger(letters(2))
    with Sink(tls=tls, tls_most=ssl.TLSVersion[version]) as sink:
        way = transport(sink, connections=1, security=tls, ca_file=CERTIFICATE)
        if is_taken:
            way.carry(ledger)
        else:
            with pytest.raises(MailError, match=r"does not speak TLS 1\.2 or later"):
                way.carry(ledger)
    assert len(sink.accepted) == (2 if is_taken else 0)
    assert is_taken or not any(line.startswith("MAIL") for line in sink.commands)


def test_no_login_is_shown_before_tls_is_agreed() -> None:
    with Sink(tls="starttls", login=("digest", "right")) as sink:
        transport(
            sink, security="starttls", username="digest", password="right", ca_file=CERTIFICATE, connections=1
        ).carry(MemoryLedger(letters(1)))
    verbs = [line.partition(" ")[0] for line in sink.commands]
    assert verbs.index("STARTTLS") < verbs.index("AUTH")
    assert verbs[: verbs.index("STARTTLS")] == ["EHLO"]


def test_a_server_without_starttls_gets_nothing_in_clear() -> None:
    ledger = MemoryLedger(letters(2))
    with Sink() as sink, pytest.raises(MailError, match="offers no STARTTLS"):
        transport(sink, security="starttls").carry(ledger)
    assert not any(line.startswith("MAIL") for line in sink.commands)


def test_words_slipped_in_before_tls_are_noticed() -> None:
    with (
        Sink(script("STARTTLS", "220 go\r\n250 injected", at=lambda event: True), tls="starttls") as sink,
        pytest.raises(MailError, match="in clear after STARTTLS"),
    ):
        transport(sink, security="starttls", ca_file=CERTIFICATE).carry(MemoryLedger(letters(1)))


def test_a_password_never_goes_in_clear() -> None:
    with pytest.raises(ConfigError, match="in clear"):
        transport(25, username="digest", password="secret")


def test_settings_that_cannot_work_are_told_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(MailError, match="no password"):
        transport(25, security="tls", username="digest").ready()
    with pytest.raises(ConfigError, match="no certificates can be read"):
        transport(25, security="tls", ca_file=tmp_path / "nothing.pem")


@pytest.mark.parametrize(
    ("peer", "may"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("2600::1", False),
        ("", False),
    ],
)
def test_letters_go_in_clear_only_where_nobody_listens(peer: str, may: bool) -> None:
    assert may_go_in_clear(peer) is may


def test_a_refused_sender_stops_the_run_and_marks_nobody() -> None:
    ledger = MemoryLedger(letters(9))
    with (
        Sink(script("MAIL", "550 5.7.1 sender not yours", at=lambda event: True)) as sink,
        pytest.raises(MailError, match=r"refused our sender: 550 5\.7\.1"),
    ):
        transport(sink).carry(ledger)
    assert not ledger.outcomes


def test_a_relay_that_drops_everything_ends_the_run() -> None:
    ledger = MemoryLedger(letters(30))
    with (
        Sink(script("DATA", DROP, at=lambda event: True)) as sink,
        pytest.raises(MailError, match="ends every connection"),
    ):
        transport(sink).carry(ledger)
    assert sink.connections <= 4
    assert "sent" not in ledger.counted()


def test_a_relay_that_never_answers_a_dot_ends_the_run_before_the_whole_list_is_in_doubt() -> None:
    ledger = MemoryLedger(letters(100))
    with (
        Sink(lambda event: DROP if event.point == "accepted" and event.taken >= 1 else None) as sink,
        pytest.raises(MailError),
    ):
        transport(sink, connections=2).carry(ledger)
    assert ledger.counted()["unsure"] <= 12
    everyone_once(sink, ledger)


# --- stops -------------------------------------------------------------------------------------------------------


def test_a_reader_who_left_gets_no_dot_and_the_rest_goes_on() -> None:
    ledger = MemoryLedger(letters(20))
    ledger.left = {DeliveryId(5), DeliveryId(6), DeliveryId(19)}
    with Sink() as sink:
        transport(sink).carry(ledger)
    assert len(sink.accepted) == 17
    assert {ledger.states[one] for one in ledger.left} == {DeliveryState.CLAIMED}
    everyone_once(sink, ledger)


def test_a_stop_finishes_the_dots_and_begins_nothing_more() -> None:
    ledger = MemoryLedger(letters(2_000))

    def stop_after(one: MemoryLedger) -> None:
        one.stop = one.intents >= 40

    ledger.on_commit = stop_after
    with Sink(delay_s=0.02) as sink:
        transport(sink, connections=3).carry(ledger)
    counted = ledger.counted()
    assert 40 <= counted["sent"] < 2_000
    assert "committing" not in counted
    assert "unsure" not in counted
    everyone_once(sink, ledger)


def test_a_stop_does_not_wait_for_ever_for_an_answer() -> None:
    ledger = MemoryLedger(letters(50))
    ledger.on_commit = lambda one: setattr(one, "stop", one.intents >= 10)
    with Sink(script("accepted", STALL, at=lambda event: event.count == 9)) as sink:
        began = time.monotonic()
        transport(sink, connections=2, drain_s=0.5).carry(ledger)
        assert time.monotonic() - began < 15
    assert ledger.counted().get("unsure") == 1
    everyone_once(sink, ledger)


def test_a_stop_does_not_wait_for_a_server_that_never_greets() -> None:
    ledger = MemoryLedger(letters(5))
    with Sink(lambda event: STALL) as sink:
        threading.Timer(0.3, lambda: setattr(ledger, "stop", True)).start()
        began = time.monotonic()
        transport(sink, timeout_s=30).carry(ledger)
        assert time.monotonic() - began < 15
    assert not ledger.outcomes


def test_a_full_disk_writes_no_dot_and_is_told() -> None:
    """R13: no intent on the disk, no dot."""
    ledger = MemoryLedger(letters(60))

    def fill(one: MemoryLedger) -> None:
        if one.intents >= 20:
            raise StoreFull("no room left")

    ledger.on_commit = fill
    with Sink() as sink, pytest.raises(StoreFull):
        transport(sink, connections=3).carry(ledger)
    counted = ledger.counted()
    assert len(sink.accepted) == ledger.intents
    assert counted.get("committing", 0) <= 3, "at most one doubt a connection"


def test_a_store_that_was_busy_for_a_moment_loses_no_result() -> None:
    ledger = MemoryLedger(letters(60))
    refusals = iter([True])

    def busy_once(one: MemoryLedger) -> None:
        if one.intents >= 20 and next(refusals, False):
            raise StoreFull("busy")

    ledger.on_commit = busy_once
    with Sink() as sink, pytest.raises(StoreFull):
        transport(sink, connections=3).carry(ledger)
    assert "committing" not in ledger.counted()
    everyone_once(sink, ledger)


def test_a_bug_in_the_ledger_is_not_swallowed() -> None:
    ledger = MemoryLedger(letters(10))

    def stumble(one: MemoryLedger) -> None:
        if one.intents == 4:
            one.on_commit = None
            raise ZeroDivisionError

    ledger.on_commit = stumble
    with Sink() as sink, pytest.raises(ZeroDivisionError):
        transport(sink, connections=1).carry(ledger)
    everyone_once(sink, ledger)


def test_a_keyboard_interrupt_waits_for_the_answers_to_dots_already_written() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a build that runs in the background ignores it
    ledger = MemoryLedger(letters(2_000))
    ledger.on_commit = lambda one: signal.raise_signal(signal.SIGINT) if one.commits == 9 else None
    with Sink(delay_s=0.02) as sink, pytest.raises(KeyboardInterrupt):
        transport(sink, connections=3).carry(ledger)
    counted = ledger.counted()
    assert 0 < counted["sent"] < 100
    assert "unsure" not in counted
    assert "committing" not in counted
    everyone_once(sink, ledger)


@pytest.mark.parametrize("failing", range(2, 12))
def test_a_claim_that_fails_between_commit_and_dots_leaves_no_letter_behind(failing: int) -> None:
    """The block runs out while dots are due: a store that fails at that very moment must not strand the others."""

    class Failing(MemoryLedger):
        claims = 0

        def claim(self, count: int) -> list[Letter]:
            self.claims += 1
            if self.claims >= failing:
                raise StoreFull("no room left")
            return super().claim(5 if self.claims == 1 else 1)

    ledger = Failing(letters(60))
    ledger.on_commit = lambda one: time.sleep(0.01)  # so that several lanes are ready in one turn
    with Sink() as sink, pytest.raises(StoreFull):
        transport(sink, connections=5).carry(ledger)
    assert "committing" not in ledger.counted()
    assert ledger.counted().get("sent", 0) == len(sink.accepted)
    everyone_once(sink, ledger)


class SlowDisk(MemoryLedger):
    """Its commits take 10 ms, so a thread waits for them.

    on_disk: readers whose intent is safe. failing: from which commit on the disk is full.
    """

    failing = 0

    def __init__(self, letters: list[Letter]) -> None:
        super().__init__(letters)
        self.on_disk: set[str] = set()
        self.threads: set[str] = set()

    def begin(self, outcomes: Sequence[Outcome], intents: Sequence[tuple[DeliveryId, int]]) -> MemoryPending:
        before = dict(self.states)
        pending = super().begin(outcomes, intents)

        def finish() -> None:
            time.sleep(0.01)
            self.threads.add(threading.current_thread().name)
            if self.failing and self.commits >= self.failing:
                self.states = before
                raise StoreFull("no room left")
            self.on_disk |= {self.letters[one].recipient.reveal() for one in pending.passed}

        return MemoryPending(pending.passed, finish, pending.done)


def test_no_dot_is_written_before_a_slow_disk_has_its_intent() -> None:
    ledger, early = SlowDisk(letters(150)), []
    with Sink(lambda event: early.append(event.recipient) if event.point == "dot" and
              event.recipient not in ledger.on_disk else None) as sink:  # fmt: skip
        transport(sink, connections=6).carry(ledger)
    assert early == []
    assert ledger.counted() == {"sent": 150}
    assert "scribe" in ledger.threads
    everyone_once(sink, ledger)


def test_letters_whose_connection_breaks_while_the_disk_is_at_work_go_again() -> None:
    ledger = SlowDisk(letters(150))
    with Sink(lambda event: DROP if event.point == "body" and event.count % 9 == 0 else None) as sink:
        transport(sink, connections=6).carry(ledger)
    assert ledger.counted() == {"sent": 150}
    everyone_once(sink, ledger)


def test_a_slow_disk_that_fills_up_lets_no_dot_out() -> None:
    ledger = SlowDisk(letters(150))
    ledger.failing = 25
    with Sink() as sink, pytest.raises(StoreFull):
        transport(sink, connections=6).carry(ledger)
    assert set(sink.recipients()) <= ledger.on_disk
    assert 0 < len(sink.accepted) < 150


def test_a_connection_alone_is_not_held_up_by_the_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an hour to gather in, its run ends all the same: one commit a letter, and one for the last answer."""
    monkeypatch.setattr("digest.mail.engine.GATHER_S", 3_600.0)
    ledger = MemoryLedger(letters(40))
    with Sink() as sink:
        transport(sink, connections=1).carry(ledger)
    assert ledger.counted() == {"sent": 40}
    assert ledger.commits == 41


def test_a_dot_does_not_wait_for_connections_that_have_nothing_to_share() -> None:
    """From the twentieth letter on the relay holds up all connections but one, until three more dots have come on that one."""
    ledger, there = MemoryLedger(letters(40)), threading.Event()
    free: list[int] = []
    dots: list[str] = []
    in_time: list[bool] = []

    def hold(event: Event) -> None:
        if event.point == "DATA" and event.count == 20:
            free.append(event.connection)
        elif event.point == "DATA" and event.count > 20 and event.connection not in free:
            in_time.append(there.wait(20))
        elif event.point == "dot" and event.connection in free:
            dots.append(event.recipient)
            if len(dots) == 3:
                there.set()

    with Sink(hold) as sink:
        transport(sink, connections=4).carry(ledger)
    everyone_once(sink, ledger)
    assert len(in_time) >= 3
    assert all(in_time)
    assert ledger.counted() == {"sent": 40}


def test_connections_that_are_ready_together_share_a_commit() -> None:
    ledger = SlowDisk(letters(160))  # while it is at work, the relay answers the others
    with Sink() as sink:
        transport(sink, connections=8).carry(ledger)
    everyone_once(sink, ledger)
    assert ledger.counted() == {"sent": 160}
    assert ledger.commits <= 80


def test_an_answer_is_recorded_when_no_dot_comes_to_share_its_commit() -> None:
    ledger, known = MemoryLedger(letters(2)), threading.Event()
    recorded: list[bool] = []

    def note(_: MemoryLedger) -> None:
        if ledger.commits == 1:
            known.set()

    def second_letter_waits(event: Event) -> None:
        if event.point == "MAIL" and event.count == 2:
            recorded.append(known.wait(20))

    ledger.on_commit = note
    with Sink(second_letter_waits, pipelining=False) as sink:
        transport(sink, connections=1).carry(ledger)
    assert recorded == [True]
    assert ledger.commits == 4, "dot, answer, dot, answer"
