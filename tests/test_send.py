"""Sending an issue: who gets it, what is recorded, when it pauses, and that it is sent once whatever happens."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from digest.errors import MailError, MoveRefused, RenderError, StoreFull
from digest.mail.folder import FolderTransport
from digest.model import (
    Address,
    DeliveryState,
    IssueState,
    Language,
    NoticeKind,
    Reading,
    SubscriberState,
)
from digest.rules.tokens import Purpose
from digest.send_alone import alone
from digest.words import told
from tests.send_kit import NOW, PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import DROP, Event, Sink


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_room(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Room]]:
    opened: list[Room] = []

    def make(readers: int = 12, **mail: Any) -> Room:
        room = open_room(tmp_path, clock=clock, **mail)
        opened.append(room)
        approve(room, readers)
        return room

    yield make
    for room in opened:
        room.store.close()


def on(point: str, answer: str, *readers: int) -> Callable[[Event], str | None]:
    names = {f"reader{number}@example.org" for number in readers}
    return lambda event: answer if event.point == point and (not names or event.recipient in names) else None


def everybody(readers: int) -> set[str]:
    return {f"reader{number}@example.org" for number in range(1, readers + 1)}


# --- the usual way -----------------------------------------------------------------------------------------------


def test_every_reader_gets_the_letter_once_in_their_language(make_room: Callable[..., Room]) -> None:
    room = make_room(30, bounce="bounce@lists.example.org")
    with Sink() as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent, report.waiting) == (IssueState.SENT, 30, 0)
    assert room.counts() == {"sent": 30}
    assert sorted(sink.recipients()) == sorted(f"reader{n}@example.org" for n in range(1, 31))
    for one in sink.accepted:
        message = message_from_bytes(one.data, policy=default)
        number = int(one.recipient.removeprefix("reader").partition("@")[0])
        assert message["To"] == one.recipient
        assert message["Content-Language"] == ("fr" if number % 3 == 0 else "en")
        token = str(message["List-Unsubscribe"]).partition(">")[0].rpartition("/")[2]
        assert room.links.read(token, allowed={Purpose.LEAVE}, now=NOW).subscriber == number
        local = one.sender.partition("@")[0]
        delivery = room.links.read_bounce_token(local.removeprefix("bounce+"))
        assert message["Message-ID"] == room.links.message_id(room.issue.id, delivery)


@pytest.mark.parametrize("state", [IssueState.DRAFT, IssueState.SENT])
def test_only_an_approved_issue_is_sent(make_room: Callable[..., Room], state: IssueState) -> None:
    room = make_room(3)
    if state is IssueState.SENT:
        with Sink() as sink:
            room.send(relay(room, sink.port)).issue(PERIOD)
    else:
        with room.store.write():
            room.store.issues.move(room.issue.id, from_={IssueState.APPROVED}, to=state)
    with Sink() as sink, pytest.raises(MoveRefused, match="2026-11"):
        room.send(relay(room, sink.port)).issue(PERIOD)
    assert sink.connections == 0


def test_bytes_that_were_not_approved_are_not_sent(make_room: Callable[..., Room]) -> None:
    """R18: a frozen letter that was changed afterwards, in the letter or in the hash, by whoever can open the file."""
    room = make_room(3)
    with room.store.write():
        room.store._db.change("DROP TRIGGER edition_is_frozen")
        room.store._db.change("UPDATE edition SET letter = CAST('forged' AS BLOB) WHERE key = 'fr'")
    with Sink() as sink, pytest.raises(MoveRefused, match="not what was approved"):
        room.send(relay(room, sink.port)).issue(PERIOD)
    assert sink.connections == 0
    assert room.counts() == {"queued": 3}


def test_editions_swapped_for_whole_others_are_not_sent(make_room: Callable[..., Room]) -> None:
    room = make_room(3)
    with room.store.write():
        room.store._db.change("DROP TRIGGER issue_keeps_its_hash")
        room.store.issues.move(
            room.issue.id, from_={IssueState.APPROVED}, to=IssueState.APPROVED, hash="0" * 64
        )
    with Sink() as sink, pytest.raises(MoveRefused, match="not what was approved"):
        room.send(relay(room, sink.port)).issue(PERIOD)
    assert sink.connections == 0


def test_progress_is_told(make_room: Callable[..., Room]) -> None:
    room = make_room(20)
    seen = []
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD, on_progress=seen.append)
    assert (seen[-1].sent, seen[-1].total) == (20, 20)


# --- what a reply does -------------------------------------------------------------------------------------------


def test_an_unknown_mailbox_is_recorded_and_the_issue_is_finished(make_room: Callable[..., Room]) -> None:
    room = make_room(12)
    with Sink(on("RCPT", "550 5.1.1 <reader4@example.org> no such user", 4)) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent, report.failed) == (IssueState.SENT, 11, 1)
    failed = room.store.deliveries.listed(room.issue.id, DeliveryState.FAILED, limit=5)
    assert [(one.address.reveal(), one.code, one.reply) for one in failed] == [
        ("reader4@example.org", 550, "5.1.1 (address) no such user")
    ]


def test_a_greylisted_reader_is_tried_again_when_due_and_not_before(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(12)
    with Sink(
        lambda event: "451 4.7.1 greylisted" if event.point == "RCPT" and event.count <= 3 else None
    ) as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert (report.state, report.sent, report.deferred) == (IssueState.SENDING, 9, 3)
        assert report.next_due == NOW + timedelta(minutes=15)
        clock.forward(minutes=14)
        assert send.issue(PERIOD).sent == 0
        clock.forward(minutes=1)
        report = send.issue(PERIOD)
    assert (report.state, report.sent) == (IssueState.SENT, 3)
    assert len(sink.accepted) == len(sink.received()) == 12


def test_a_mailbox_that_never_opens_is_given_up_after_four_days(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(3)
    with Sink(on("RCPT", "452 4.2.2 full", 2)) as sink:
        send = room.send(relay(room, sink.port))
        tries = 0
        while (report := send.issue(PERIOD)).state is not IssueState.SENT:
            tries += 1
            assert report.next_due is not None
            clock.time = report.next_due
    assert 20 < tries < 40
    assert timedelta(days=4) <= clock.time - NOW < timedelta(days=4, hours=5)
    assert room.counts() == {"sent": 2, "failed": 1}


def test_the_bytes_are_the_same_at_every_try(make_room: Callable[..., Room], clock: Clock) -> None:
    room = make_room(3)
    bodies: list[bytes] = []

    class Keeping(Sink):
        def ask(self, point: str, connection: int, **rest: Any) -> str | None:
            return "451 4.3.0 later" if point == "accepted" and len(self.accepted) <= 3 else None

    with Keeping() as sink:
        send = room.send(relay(room, sink.port))
        send.issue(PERIOD)
        clock.forward(hours=1)
        send.issue(PERIOD)
        bodies = [one.data for one in sorted(sink.accepted, key=lambda one: one.recipient)]
    assert len(bodies) == 6
    assert bodies[0::2] == bodies[1::2]


def test_a_refusal_of_ourselves_marks_nobody_and_leaves_the_domain_alone(
    make_room: Callable[..., Room],
) -> None:
    """x.7.x speaks of us: after five in a row the rest of that domain waits, the others go on."""
    room = make_room(40)
    with room.store.write():
        for number in range(1, 21):
            room.store._db.change(
                "UPDATE subscriber SET address = :a, address_key = :a WHERE id = :id",
                {"a": f"reader{number * 2}@strict.example", "id": number * 2},
            )
    strict = lambda event: event.point == "RCPT" and event.recipient.endswith("strict.example")  # noqa: E731
    with Sink(lambda event: "550 5.7.1 your network is listed" if strict(event) else None) as sink:
        report = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
    assert room.counts() == {"sent": 20, "deferred": 20}
    assert report.shunned == {"strict.example": "550 5.7.1 your network is listed"}
    assert report.state is IssueState.SENDING


def test_a_relay_that_refuses_the_first_letters_marks_nobody(make_room: Callable[..., Room]) -> None:
    """R5: a blocked address may look like a list of bad readers. Until one is taken, nobody is called failed."""
    room = make_room(60)
    with Sink(on("RCPT", "550 blocked using a list")) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert report.reason is not None
    assert "accepted none, lately with: 550 blocked using a list" in report.reason
    assert room.counts() == {"queued": 60}
    assert len([line for line in sink.commands if line.startswith("RCPT")]) < 30
    with Sink() as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).sent == 60
    assert room.counts() == {"sent": 60}


def test_a_relay_that_begins_to_refuse_everybody_pauses_the_run(make_room: Callable[..., Room]) -> None:
    room = make_room(120)
    with Sink(
        lambda event: "550 no more today" if event.point == "RCPT" and event.count > 30 else None
    ) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    counts = room.counts()
    assert counts["sent"] == 30
    assert counts["failed"] <= 25
    assert counts["queued"] >= 60


def test_the_failures_before_the_first_success_are_written_after_it(make_room: Callable[..., Room]) -> None:
    room = make_room(8)
    with Sink(on("RCPT", "550 5.1.1 no such user", 1, 2, 3)) as sink:
        report = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
    assert (report.state, report.sent, report.failed) == (IssueState.SENT, 5, 3)


# --- the relay ---------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_pauses_the_issue_and_it_goes_on_later(make_room: Callable[..., Room]) -> None:
    room = make_room(10)
    with Sink() as gone:
        port = gone.port
    report = room.send(relay(room, port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert report.reason is not None
    assert "cannot be reached" in report.reason
    assert room.counts() == {"queued": 10}
    why = room.issue.pause_reason
    assert why is not None
    assert (why.code, told(why, Language.EN)) == ("unreachable", report.reason)
    assert "injoignable\u00a0: connexion refusée" in told(why, Language.FR)
    with Sink() as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent, report.reason) == (IssueState.SENT, 10, None)
    assert room.issue.pause_reason is None


def test_a_doubt_is_listed_and_the_letter_is_not_sent_again(make_room: Callable[..., Room]) -> None:
    room = make_room(10)
    with Sink(lambda event: DROP if event.point == "accepted" and event.count == 4 else None) as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert (report.state, report.sent, report.unsure, report.doubtful) == (IssueState.SENT, 9, 1, 1)
    assert room.counts() == {"sent": 9, "unsure": 1}
    assert room.rows(DeliveryState.UNSURE) == [sink.recipients()[3]]


def test_doubts_go_again_by_themselves_when_the_operator_wants_that(make_room: Callable[..., Room]) -> None:
    room = make_room(10, on_unsure="resend")
    with Sink(lambda event: DROP if event.point == "accepted" and event.count == 4 else None) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent) == (IssueState.SENT, 10)
    assert sorted(sink.received().values()) == [1] * 9 + [2]


# --- people ------------------------------------------------------------------------------------------------------


def leave(room: Room, number: int) -> None:
    """What join.py does when somebody leaves: one transaction."""
    with room.store.write():
        found = room.store.subscribers.find(Address(f"reader{number}@example.org"))
        assert found is not None
        room.store._db.change("UPDATE subscriber SET state = 'left' WHERE id = :id", {"id": found.id})
        room.store.deliveries.cancel(found.id)


def test_a_reader_who_left_before_is_not_sent_to(make_room: Callable[..., Room]) -> None:
    room = make_room(10)
    leave(room, 3)
    with Sink() as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.sent, report.left_out) == (9, 1)
    assert "reader3@example.org" not in sink.recipients()


@pytest.mark.parametrize("point", ["RCPT", "DATA", "body"])
def test_a_reader_who_leaves_while_the_letter_is_on_the_wire_does_not_get_it(
    make_room: Callable[..., Room], point: str
) -> None:
    """R11: everything is written but the dot; leaving then still works."""
    room = make_room(10)

    def leaving(event: Event) -> None:
        if event.point == point and event.recipient == "reader5@example.org":
            leave(room, 5)

    with Sink(leaving) as sink:
        report = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
    if point != "body":
        assert "reader5@example.org" not in sink.recipients()
        assert (report.state, report.sent, report.left_out) == (IssueState.SENT, 9, 1)
    assert len(sink.accepted) == len(sink.received()) == report.sent


def test_a_reader_who_joined_after_approval_is_not_sent_to(make_room: Callable[..., Room]) -> None:
    """R12."""
    room = make_room(5)
    with room.store.write():
        room.store.subscribers.add(
            Address("late@example.org"), language=Language.EN, state=SubscriberState.CONFIRMED, now=NOW
        )
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
    assert "late@example.org" not in sink.recipients()


def test_a_reader_whose_letter_cannot_be_made_fails_alone(make_room: Callable[..., Room]) -> None:
    """R17."""
    room = make_room(10)
    with room.store.write():
        room.store._db.change("UPDATE subscriber SET address = 'bad reader@example.org' WHERE id = 4")
    with Sink() as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert (report.state, report.sent, report.failed) == (IssueState.SENT, 9, 1)
    failed = room.store.deliveries.listed(room.issue.id, DeliveryState.FAILED, limit=5)
    assert failed[0].reply.startswith("render: ")


# --- once, and stops ---------------------------------------------------------------------------------------------


def test_two_senders_at_once_send_once(make_room: Callable[..., Room]) -> None:
    """R6."""
    room = make_room(60)
    reports = []
    with Sink(delay_s=0.002) as sink:
        senders = [
            threading.Thread(target=lambda: reports.append(room.send(relay(room, sink.port)).issue(PERIOD)))
            for _ in range(4)
        ]
        for thread in senders:
            thread.start()
        for thread in senders:
            thread.join(20)
    assert len(sink.accepted) == len(sink.received()) == 60
    assert sorted(one.sent for one in reports if not one.busy) == [60]
    assert all(one.busy for one in reports if not one.sent)


def test_while_another_process_sends_nothing_is_done(make_room: Callable[..., Room], tmp_path: Path) -> None:
    room = make_room(5)
    with alone(tmp_path / "subscribers.db.sending") as ours, Sink() as sink:
        assert ours
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.busy
    assert sink.connections == 0
    assert room.counts() == {"queued": 5}


def test_a_run_whose_lease_was_lost_writes_no_more_dots(make_room: Callable[..., Room]) -> None:
    """R6, R10: a run that was declared dead while it slept must find that out before its next dot."""
    room = make_room(30)

    def bury(event: Event) -> None:
        if event.point == "accepted" and event.count == 10:
            with room.store.write():
                room.store.deliveries.recover(room.issue.id, now=NOW, alone=True)

    with Sink(bury) as sink:
        first = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
        assert len(sink.accepted) == 10
        assert first.state is IssueState.SENDING
        second = room.send(relay(room, sink.port)).issue(PERIOD)
    assert second.state is IssueState.SENT
    assert all(count == 1 for count in sink.received().values())
    assert set(sink.recipients()) | set(room.rows(DeliveryState.UNSURE)) == everybody(30)


def test_a_pause_stops_within_a_second_and_the_rest_is_exact(make_room: Callable[..., Room]) -> None:
    room = make_room(200)
    with Sink(delay_s=0.005) as sink:
        send = room.send(relay(room, sink.port))
        reports = []
        thread = threading.Thread(target=lambda: reports.append(send.issue(PERIOD)))
        thread.start()
        while len(sink.accepted) < 20:
            pass
        send.pause(PERIOD, by="editor@example.org")
        thread.join(3)  # it takes half a second; the rest is for a busy machine
        assert not thread.is_alive()
        counts = room.counts()
        assert counts["sent"] == len(sink.accepted)
        assert counts["queued"] == 200 - counts["sent"]
        assert reports[0].state is IssueState.PAUSED
        send.resume(PERIOD, by="editor@example.org")
        assert send.issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 200


def test_a_stop_drains_and_the_next_call_goes_on(make_room: Callable[..., Room]) -> None:
    room = make_room(100)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 20)
        assert report.state is IssueState.SENDING
        assert 20 <= report.sent < 100
        assert report.waiting == 100 - report.sent
        assert send.issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 100


def test_a_full_disk_loses_nothing_and_sending_goes_on_afterwards(make_room: Callable[..., Room]) -> None:
    """R13: max_page_count stands for the disk."""
    room = make_room(60)
    wordy = "250 2.0.0 queued " + "x" * 450
    with Sink(lambda event: wordy if event.point == "accepted" else None) as sink:
        pages = room.store._db.value("PRAGMA page_count")
        for room_left in range(0, 60, 2):  # pages; somebody frees a little, until some letters leave
            room.store._db.rows(f"PRAGMA max_page_count = {pages + room_left}")
            with pytest.raises(StoreFull, match="no room left"):
                room.send(relay(room, sink.port)).issue(PERIOD)
            if sink.accepted:
                break
        assert 0 < len(sink.accepted) < 60
        room.store._db.rows("PRAGMA max_page_count = 1000000")
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.state is IssueState.SENT
    assert report.doubtful <= 2, "one a connection"
    assert all(count == 1 for count in sink.received().values())
    assert set(sink.recipients()) | set(room.rows(DeliveryState.UNSURE)) == everybody(60)


def test_what_a_dot_rests_on_is_on_the_disk_first(
    make_room: Callable[..., Room], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: a power failure may take what WAL with NORMAL has acknowledged; the ledger's commits are FULL."""
    room, levels = make_room(20), []
    commit = room.store.deliveries.commit

    def watched(run: int, **rest: Any) -> Any:
        levels.append(room.store._db.value("PRAGMA synchronous"))
        return commit(run, **rest)

    monkeypatch.setattr(room.store.deliveries, "commit", watched)
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
    assert len(levels) >= 10
    assert set(levels) == {2}, "2 is FULL"


# --- the folder --------------------------------------------------------------------------------------------------


def test_the_folder_holds_one_file_a_reader(make_room: Callable[..., Room], tmp_path: Path) -> None:
    room = make_room(120)
    report = room.send(FolderTransport(tmp_path / "outbox")).issue(PERIOD)
    files = sorted((tmp_path / "outbox").iterdir())
    assert (report.state, report.sent, len(files)) == (IssueState.SENT, 120, 120)
    readers = {str(message_from_bytes(file.read_bytes(), policy=default)["To"]) for file in files}
    assert len(readers) == 120
    assert all(file.suffix == ".eml" and file.stat().st_mode & 0o777 == 0o600 for file in files)


def test_a_letter_in_doubt_is_looked_for_in_the_folder(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(6)
    outbox = tmp_path / "outbox"
    send = room.send(FolderTransport(outbox))
    send.issue(PERIOD)
    files = sorted(outbox.iterdir())
    files[1].unlink()
    before = {file: file.stat().st_mtime_ns for file in outbox.iterdir()}
    with room.store.write():  # as a crash between the intents and the results leaves it
        room.store._db.change(
            "UPDATE delivery SET state = 'committing', connection = id WHERE id IN (1, 2, 3)"
        )
        room.store._db.change("UPDATE run SET ended_at = NULL")
        room.store._db.change("UPDATE issue SET state = 'sending'")
    report = send.issue(PERIOD)
    assert report.state is IssueState.SENT
    assert room.counts() == {"sent": 6}
    assert {file: file.stat().st_mtime_ns for file in outbox.iterdir() if file in before} == before
    assert len(list(outbox.iterdir())) == 6


def test_a_folder_that_cannot_be_written_pauses_the_issue(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(6)
    (tmp_path / "outbox").write_text("a file stands in the way")
    report = room.send(FolderTransport(tmp_path / "outbox")).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert room.counts() == {"queued": 6}


# --- one-off letters ---------------------------------------------------------------------------------------------


def ask(room: Room, *numbers: int) -> None:
    with room.store.write():
        for number in numbers:
            reader = room.store.subscribers.add(
                Address(f"new{number}@example.org"),
                language=Language.FR,
                state=SubscriberState.ASKED,
                now=NOW,
            )
            room.store.notices.queue(NoticeKind.CONFIRM, subscriber=reader.id, language=Language.FR, now=NOW)


def test_a_confirmation_leaves_with_a_link_that_works(make_room: Callable[..., Room]) -> None:
    room = make_room(1)
    ask(room, 1)
    with Sink() as sink:
        assert room.send(relay(room, sink.port)).notices() == 1
    message = message_from_bytes(sink.accepted[0].data, policy=default)
    body = message.get_body(("plain",))
    assert body is not None
    token = body.get_content().partition("/confirm/")[2].split()[0]
    found = room.store.subscribers.find(Address("new1@example.org"))
    assert found is not None
    assert room.links.read(token, allowed={Purpose.CONFIRM}, now=NOW).subscriber == found.id
    assert message["Content-Language"] == "fr"
    assert room.store.notices.pending() == 0


@pytest.mark.parametrize("gone", ["dropped", "forgotten"])
def test_a_notice_that_was_taken_up_does_not_leave_once_its_reader_has(
    make_room: Callable[..., Room], gone: str
) -> None:
    """Twenty are taken up at once: whoever leaves while the first is on the wire gets none of theirs."""
    room = make_room(1)
    ask(room, 1, 2, 3)

    def leaving(event: Event) -> None:
        if event.point == "RCPT" and event.recipient == "new1@example.org":
            found = room.store.subscribers.find(Address("new2@example.org"))
            assert found is not None
            with room.store.write():
                if gone == "dropped":
                    room.store.notices.drop({NoticeKind.CONFIRM}, subscriber=found.id)
                else:
                    room.store.subscribers.forget(found.id)

    with Sink(leaving) as sink:
        assert room.send(relay(room, sink.port)).notices() == 2
    assert sorted(sink.recipients()) == ["new1@example.org", "new3@example.org"]
    assert room.store.notices.pending() == 0


def test_a_notice_that_fails_for_now_is_tried_again_and_stops_no_other(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(1)
    ask(room, 1, 2, 3)
    greylist = lambda event: event.point == "RCPT" and event.recipient.startswith("new2") and event.count == 2  # noqa: E731
    with Sink(lambda event: "451 later" if greylist(event) else None) as sink:
        send = room.send(relay(room, sink.port))
        assert send.notices() == 2
        assert send.notices() == 0
        clock.forward(minutes=1)
        assert send.notices() == 1
    assert sorted(sink.recipients()) == [f"new{n}@example.org" for n in (1, 2, 3)]
    assert room.store.notices.pending() == 0


def test_notices_outlive_a_server_that_is_down_for_a_day(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(1)
    ask(room, 1, 2)
    with Sink() as gone:
        port = gone.port
    for _ in range(24):
        assert room.send(relay(room, port)).notices() == 0
        clock.forward(hours=1)
    with Sink() as sink:
        assert room.send(relay(room, sink.port)).notices() == 2


def test_a_notice_to_nowhere_fails_and_its_secret_is_gone(make_room: Callable[..., Room]) -> None:
    room = make_room(1)
    ask(room, 1)
    with Sink(on("RCPT", "550 5.1.1 no such user")) as sink:
        assert room.send(relay(room, sink.port)).notices() == 0
    assert room.store.notices.pending() == 0


def test_a_test_letter_goes_to_one_address_and_marks_nobody(make_room: Callable[..., Room]) -> None:
    room = make_room(4)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        for _ in range(2):
            outcome = send.test(PERIOD, address=Address("editor@example.org"), language=Language.FR)
            assert outcome.state is DeliveryState.SENT
    assert sink.recipients() == ["editor@example.org"] * 2
    assert room.counts() == {"queued": 4}
    assert message_from_bytes(sink.accepted[0].data, policy=default)["Content-Language"] == "fr"


def test_a_test_letter_through_a_server_that_is_down_says_so(make_room: Callable[..., Room]) -> None:
    room = make_room(1)
    with Sink() as gone:
        port = gone.port
    with pytest.raises(MailError, match="cannot be reached"):
        room.send(relay(room, port)).test(PERIOD, address=Address("editor@example.org"), language=Language.EN)


def test_a_frozen_letter_that_cannot_be_read_is_told(make_room: Callable[..., Room]) -> None:
    room = make_room(2)
    with pytest.raises(RenderError, match="cannot be read"):
        room.press.compiled(next(iter(room.store.issues.editions(room.issue.id).values())).__class__(
            reading=Reading.EN, subject="", html="", text="", letter=b"x", sha256=""))  # fmt: skip
