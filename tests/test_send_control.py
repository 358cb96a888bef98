"""Who gets an issue first, in which hours, once more, and not again after an old copy was put back."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from digest.cli import run
from digest.errors import MoveRefused
from digest.model import (
    Address,
    CanaryStage,
    DeliveryId,
    DeliveryState,
    IssueState,
    Language,
    NoticeKind,
    Role,
    SubscriberState,
)
from digest.store.sqlite import open_store
from tests.send_kit import NOW, PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import Event, Sink


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> object:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_room(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Room]]:
    opened: list[Room] = []

    def make(readers: int = 20, **settings: object) -> Room:
        opened.append(open_room(tmp_path, clock=clock, **settings))
        approve(opened[-1], readers)
        return opened[-1]

    yield make
    for room in opened:
        room.store.close()


def editor(room: Room, address: str) -> None:
    with room.store.write():
        room.store.editors.add(Address(address), role=Role.APPROVER, language=Language.EN)


# --- the first letters ---------------------------------------------------------------------------------------------


def test_editors_get_it_first_and_the_rest_waits_for_a_word(make_room: Callable[..., Room]) -> None:
    room = make_room(20, canary="editors")
    editor(room, "reader3@example.org")
    editor(room, "nobody@example.org")
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert report.state is IssueState.PAUSED
        assert report.reason == "The first letter has left. Look at it; the rest goes when you say so."
        assert sink.recipients() == ["reader3@example.org"]
        first = send.canary(PERIOD)
        assert first is not None
        assert (first.stage, first.total, first.open) == (CanaryStage.WAITING, 1, 0)
        assert send.issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 20
    after = send.canary(PERIOD)
    assert after is not None
    assert after.stage is CanaryStage.REST


def test_a_share_goes_first_and_the_rest_follows_by_itself(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(40, canary="share", canary_percent=10, canary_then="go", canary_minutes=30)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert (report.state, report.sent) == (IssueState.SENDING, 4)
        assert report.rests_until == NOW + timedelta(minutes=30)
        assert send.rests_until(room.issue) == report.rests_until
        clock.now = NOW + timedelta(minutes=30)
        assert send.rests_until(room.issue) is None
        assert send.issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 40


def test_first_letters_that_fare_badly_ask_a_person(make_room: Callable[..., Room]) -> None:
    room = make_room(40, canary="share", canary_percent=10, canary_then="go")
    with Sink(lambda e: "450 4.2.0 greylisted" if e.point == "RCPT" and e.count > 1 else None) as sink:
        report = room.send(relay(room, sink.port)).issue(PERIOD)
    assert report.state is IssueState.PAUSED
    assert "3 of them did not arrive" in (report.reason or "")


def test_a_stop_among_the_first_letters_goes_on_with_them(make_room: Callable[..., Room]) -> None:
    room = make_room(40, canary="share", canary_percent=25)
    with Sink() as sink:
        send = room.send(relay(room, sink.port, connections=1))
        send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 4)
        assert room.issue.state is IssueState.SENDING
        assert 4 <= len(sink.accepted) < 10
        assert send.issue(PERIOD).state is IssueState.PAUSED
        assert len(sink.accepted) == 10


def test_without_editors_who_subscribe_everybody_is_sent_to(make_room: Callable[..., Room]) -> None:
    room = make_room(5, canary="editors")
    with Sink() as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == 5


# --- hours ---------------------------------------------------------------------------------------------------------


def test_outside_its_hours_an_issue_begins_and_rests(make_room: Callable[..., Room], clock: Clock) -> None:
    room = make_room(5, window="mon-fri 08:00-18:00")  # NOW is Friday, 10 in Toronto
    clock.now = NOW + timedelta(hours=9)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert (report.state, report.sent, sink.connections) == (IssueState.SENDING, 0, 0)
        assert report.rests_until == NOW + timedelta(days=2, hours=22), "Monday at 8"
        clock.now = report.rests_until
        assert send.issue(PERIOD).state is IssueState.SENT


def test_a_run_ends_when_its_window_closes(make_room: Callable[..., Room], clock: Clock) -> None:
    room = make_room(400, window="08:00-18:00")

    def closes(event: Event) -> None:
        if event.point == "accepted" and event.count == 5:
            clock.now = NOW + timedelta(hours=9)

    with Sink(closes, delay_s=0.01) as sink:
        report = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
    assert report.state is IssueState.SENDING
    assert 5 <= report.sent < 400
    assert report.rests_until == NOW + timedelta(hours=22)
    assert room.counts() == {"sent": report.sent, "queued": 400 - report.sent}


# --- once more -----------------------------------------------------------------------------------------------------


def test_failed_letters_go_once_more_and_no_others(make_room: Callable[..., Room]) -> None:
    room = make_room(6)
    with Sink(lambda e: "550 5.1.1 nobody" if e.point == "RCPT" and "reader2@" in e.line else None) as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).state is IssueState.SENT
    assert room.counts() == {"sent": 5, "failed": 1}
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        assert send.again(PERIOD, only="failed", by="kim") == 1
        assert room.issue.state is IssueState.SENDING
        assert send.issue(PERIOD).state is IssueState.SENT
        assert send.again(PERIOD, only="failed", by="kim") == 0
    assert sink.recipients() == ["reader2@example.org"]


def test_who_joined_since_gets_the_approved_letter_and_who_was_there_does_not(
    make_room: Callable[..., Room], clock: Clock
) -> None:
    room = make_room(4)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))
        send.issue(PERIOD)
        clock.now = NOW + timedelta(hours=3)
        with room.store.write():
            for name, state in (("new", SubscriberState.CONFIRMED), ("asked", SubscriberState.ASKED)):
                room.store.subscribers.add(
                    Address(f"{name}@example.org"), language=Language.FR, state=state, now=clock.now
                )
        assert send.again(PERIOD, only="joined-since", by="kim") == 1
        assert send.issue(PERIOD).state is IssueState.SENT
    assert sink.recipients()[4:] == ["new@example.org"]


def test_an_issue_that_was_never_approved_has_nothing_to_send_again(make_room: Callable[..., Room]) -> None:
    room = make_room(2)
    with room.store.write():
        room.store.issues.move(room.issue.id, from_={IssueState.APPROVED}, to=IssueState.DRAFT)
    with Sink() as sink, pytest.raises(MoveRefused):
        room.send(relay(room, sink.port)).again(PERIOD, only="failed", by="kim")


# --- an old copy put back (R7) -------------------------------------------------------------------------------------


def put_back(room: Room, copy: Path) -> Room:
    """As operating.md says."""
    room.store.close()
    for name in ("subscribers.db", "subscribers.db-wal", "subscribers.db-shm"):
        (copy.parent / name).unlink(missing_ok=True)
    shutil.copy(copy, copy.parent / "subscribers.db")
    room.store = open_store(copy.parent / "subscribers.db", now=NOW)
    return room


def test_a_restored_backup_sends_nothing_until_it_is_reconciled(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(10)
    room.store.backup(tmp_path / "copy.db")
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        with pytest.raises(MoveRefused, match="digest reconcile"):
            send.issue(PERIOD)
        done = send.restored.settle(nothing_left=False, log=None)
        assert (done.doubtful, done.found) == (10, 0)
        assert not send.restored.must_be_settled()
        assert room.issue.state is IssueState.PAUSED
        send.issue(PERIOD)
    assert room.counts() == {"unsure": 10}
    assert set(sink.received().values()) == {1}, "nobody got two"


def test_a_plain_copy_of_the_file_is_noticed_by_the_list_of_runs(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(4)
    room.store.close()
    shutil.copy(tmp_path / "subscribers.db", tmp_path / "copy.db")
    room.store = open_store(tmp_path / "subscribers.db", now=NOW)
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        with pytest.raises(MoveRefused, match="digest reconcile"):
            send.issue(PERIOD)
        assert len(sink.accepted) == 4


def test_a_log_of_the_mail_server_tells_who_got_theirs(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(10)
    room.store.backup(tmp_path / "copy.db")
    with Sink() as sink:
        room.send(relay(room, sink.port, connections=1)).issue(PERIOD, stop=lambda: len(sink.accepted) >= 4)
        some = len(sink.accepted)
        assert 4 <= some < 10
        log = [f"postfix/cleanup[7]: 4F: message-id={one.message_id}" for one in sink.accepted]
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        done = send.restored.settle(
            nothing_left=True, log=[*log, "message-id=<1.2.0123456789abcdef@example.org>"]
        )
        assert done.found == some
        assert send.issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 10


def test_what_the_mail_server_refused_at_the_dot_is_no_letter_that_left(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(3)
    room.store.backup(tmp_path / "copy.db")
    ids = [room.links.message_id(room.issue.id, DeliveryId(number)) for number in (1, 2, 3)]
    log = [
        *(f"Nov 22 03:00:01 mx postfix/cleanup[7]: 4F{n}x: message-id={one}" for n, one in enumerate(ids)),
        "Nov 22 03:00:01 mx postfix/cleanup[7]: 4F1x: milter-reject: END-OF-MESSAGE from unknown: 5.7.1 spam",
        "Nov 22 03:00:01 mx postfix/cleanup[7]: 4F2x: reject: body x from unknown; 5.7.1 no",
        f"Nov 22 03:09:01 mx postfix/cleanup[7]: 5A2x: message-id={ids[2]}",
        "Nov 22 03:09:02 mx postfix/smtp[9]: 5A2x: to=<x>, status=sent (250 ok)",
    ]
    send = put_back(room, tmp_path / "copy.db").send(relay(room, 1))
    done = send.restored.settle(nothing_left=False, log=log)
    assert (done.found, done.doubtful) == (2, 1), "the third was refused, tried again and taken"


def test_an_issue_begun_after_the_copy_is_named(make_room: Callable[..., Room], tmp_path: Path) -> None:
    room = open_room(tmp_path)
    room.store.backup(tmp_path / "copy.db")
    approve(room, 3)
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        assert send.restored.settle(nothing_left=False, log=None).unknown == (str(PERIOD),)
        approve(room, 3)  # as if by another hand
        with pytest.raises(MoveRefused, match="knows nothing of them"):
            send.issue(PERIOD)
        send.restored.settle(nothing_left=True, log=None)
        send.restored.refuse(PERIOD)
    room.store.close()


def test_letters_that_a_log_does_not_name_are_in_doubt(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(6)
    room.store.backup(tmp_path / "copy.db")
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        log = [f"message-id={one.message_id}" for one in sink.accepted[:2]]
        done = send.restored.settle(nothing_left=False, log=log)
        send.issue(PERIOD)
    assert (done.found, done.doubtful) == (2, 4)
    assert set(sink.received().values()) == {1}, "nobody got two"


def test_a_log_that_names_no_letter_of_ours_settles_nothing(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(4)
    room.store.backup(tmp_path / "copy.db")
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        for nothing_left in (False, True):
            with pytest.raises(MoveRefused, match="nothing was settled"):
                send.restored.settle(nothing_left=nothing_left, log=["status=sent (250 ok)"])
        assert send.restored.must_be_settled()


def test_a_log_marks_nothing_of_an_issue_that_was_a_draft_in_the_copy(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(3)
    with room.store.write():
        room.store.issues.move(room.issue.id, from_={IssueState.APPROVED}, to=IssueState.DRAFT)
    room.store.backup(tmp_path / "copy.db")
    with room.store.write():
        room.store.issues.move(room.issue.id, from_={IssueState.DRAFT}, to=IssueState.APPROVED)
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        log = [f"message-id={one.message_id}" for one in sink.accepted]
        done = send.restored.settle(nothing_left=True, log=log)
        assert (done.found, done.unknown) == (0, (str(PERIOD),))
        with pytest.raises(MoveRefused, match="knows nothing of them"):
            send.restored.refuse(PERIOD)
    assert room.counts() == {"queued": 3}


def test_letters_of_an_approval_taken_back_leave_their_numbers_to_nobody(
    make_room: Callable[..., Room],
) -> None:
    room = make_room(3)
    before = {one.id for one in room.store.deliveries.listed(room.issue.id, DeliveryState.QUEUED, limit=9)}
    with room.store.write():
        room.store.deliveries.drop(room.issue.id)
        room.store.deliveries.list_audience(room.issue.id, languages=room.config.list.languages, now=NOW)
    after = {one.id for one in room.store.deliveries.listed(room.issue.id, DeliveryState.QUEUED, limit=9)}
    assert len(after) == 3
    assert min(after) > max(before)


def test_an_issue_held_and_approved_anew_after_the_copy_takes_no_mark_from_its_log(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    """The letters that left have numbers that the copy never gave, so none of its readers is marked for another."""
    room = make_room(6)
    room.store.backup(tmp_path / "copy.db")
    with room.store.write():  # held; somebody left, so everybody behind would move up by one
        room.store.deliveries.drop(room.issue.id)
        room.store._db.change("UPDATE subscriber SET state = 'left' WHERE id = 1")
        room.store.deliveries.list_audience(room.issue.id, languages=room.config.list.languages, now=NOW)
    with Sink() as sink:
        send = room.send(relay(room, sink.port, connections=1))
        send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 2)
        log = [f"message-id={one.message_id}" for one in sink.accepted]
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        done = send.restored.settle(nothing_left=True, log=log)
        assert (done.found, done.doubtful) == (0, 6)
        send.issue(PERIOD)
    assert room.counts() == {"unsure": 6}
    assert set(sink.received().values()) == {1}, "nobody got two"


def test_after_a_restored_copy_is_settled_no_number_of_the_lost_time_is_given_again(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(3)
    room.store.backup(tmp_path / "copy.db")
    with Sink() as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
        with room.store.write():  # somebody joins, and gets a letter
            room.store.subscribers.add(
                Address("late@example.org"), language=Language.EN, state=SubscriberState.CONFIRMED, now=NOW
            )
            room.store._db.change(
                "UPDATE subscriber SET confirmed_at = approved_at + 1 FROM issue WHERE subscriber.id = 4"
            )
        send = room.send(relay(room, sink.port))
        assert send.again(PERIOD, only="joined-since", by="kim") == 1
        send.issue(PERIOD)
        lost = {room.links.read_message_id(one.message_id)[1] for one in sink.accepted}
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        send.restored.settle(nothing_left=True, log=None)
        with room.store.write():
            added = room.store.subscribers.add(
                Address("new@example.org"), language=Language.EN, state=SubscriberState.CONFIRMED, now=NOW
            )
            room.store.deliveries.list_audience(room.issue.id, languages=room.config.list.languages, now=NOW)
            assert room.store.deliveries.begin_run(room.issue.id, now=NOW, lease_s=1) > 2
        assert added.id > 4, "a leave link of the lost time is nobody's"
        rows = room.store.deliveries.listed(room.issue.id, DeliveryState.QUEUED, limit=9)
        assert max(one.id for one in rows) > max(lost) + 1_000


# --- copied, moved, restored elsewhere -----------------------------------------------------------------------------


def elsewhere(room: Room, folder: Path, *names: str) -> Room:
    """Plain copies of these files in another folder, as on another machine; the database is closed meanwhile."""
    room.store.close()
    folder.mkdir()
    for name in names:
        shutil.copy(room.config.home / name, folder / name)
    room.store = open_store(room.config.home / "subscribers.db", now=NOW)
    config = room.config.model_copy(update={"home": folder})
    return Room(config, open_store(folder / "subscribers.db", now=NOW), room.press, room.links, room.clock)


def test_a_plain_copy_restored_elsewhere_is_refused_for_its_list_of_runs_is_not_there(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(5)
    with Sink() as sink:
        room.send(relay(room, sink.port, connections=1)).issue(PERIOD, stop=lambda: len(sink.accepted) >= 2)
        there = elsewhere(room, tmp_path / "there", "subscribers.db")
        room.send(relay(room, sink.port)).issue(PERIOD)
        send = there.send(relay(there, sink.port))
        with pytest.raises(MoveRefused, match=r"subscribers\.db\.runs.*is not here") as refused:
            send.issue(PERIOD)
        assert refused.value.key == "desk.why_moved"
        send.restored.settle(nothing_left=False, log=None)
        send.issue(PERIOD)
        there.store.close()
    assert set(sink.received().values()) == {1}, "nobody got two"
    assert len(sink.received()) == 5


def test_a_copy_made_before_the_first_run_and_restored_elsewhere_is_refused_for_its_place(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(3)
    with Sink() as sink:
        room.send(relay(room, sink.port)).restored.refuse(PERIOD)  # as approving does
        there = elsewhere(room, tmp_path / "there", "subscribers.db")
        room.send(relay(room, sink.port)).issue(PERIOD)
        with pytest.raises(MoveRefused, match="If it was only moved"):
            there.send(relay(there, sink.port)).issue(PERIOD)
        there.store.close()
    assert len(sink.accepted) == 3


def test_a_folder_moved_whole_is_asked_once_and_goes_on(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(5)
    with Sink() as sink:
        room.send(relay(room, sink.port, connections=1)).issue(PERIOD, stop=lambda: len(sink.accepted) >= 2)
        there = elsewhere(room, tmp_path / "there", "subscribers.db", "subscribers.db.runs")
        send = there.send(relay(there, sink.port))
        with pytest.raises(MoveRefused, match="digest reconcile --nothing-left"):
            send.issue(PERIOD)
        assert send.restored.settle(nothing_left=True, log=None).doubtful == 0
        assert send.issue(PERIOD).state is IssueState.SENT
        assert there.send(relay(there, sink.port)).restored.sign() is None
        there.store.close()
    assert len(sink.accepted) == len(sink.received()) == 5


def test_what_happens_every_day_raises_no_alarm(make_room: Callable[..., Room], tmp_path: Path) -> None:
    """Opened again, backed up, written by another release's upgrade, its list of runs not to be written."""
    room = make_room(4)
    with Sink() as sink:
        send = room.send(relay(room, sink.port, connections=1))
        send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 1)
        room.store.backup(tmp_path / "copy.db")
        room.store._db.rows("VACUUM")
        room.store.close()
        room.store = open_store(tmp_path / "subscribers.db", now=NOW)
        send = room.send(relay(room, sink.port, connections=1))
        send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 2)
        (tmp_path / "subscribers.db.runs").unlink()
        (tmp_path / "subscribers.db.runs").mkdir()  # from here on it cannot be written
        send.restored.settle(nothing_left=True, log=None)
        for _ in range(2):
            send.issue(PERIOD, stop=lambda: len(sink.accepted) >= 3)
        assert send.restored.sign() is None
        (tmp_path / "subscribers.db.runs").rmdir()
        assert send.issue(PERIOD).state is IssueState.SENT


def test_an_approval_that_the_copy_does_not_know_takes_no_mark_from_a_log(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    room = make_room(3)
    room.store.backup(tmp_path / "copy.db")
    send = put_back(room, tmp_path / "copy.db").send(relay(room, 1))
    log = [f"message-id={room.links.message_id(room.issue.id, DeliveryId(n))}" for n in (1, 2, 3, 4)]
    done = send.restored.settle(nothing_left=True, log=log)
    assert (done.found, done.doubtful) == (0, 3)


def test_the_command_settles_and_says_so(
    make_room: Callable[..., Room], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = make_room(3)
    (tmp_path / "config.toml").write_text(
        '[list]\nfrom = "letter@lists.example.org"\nurl = "https://digest.example.org"\n'
    )
    command = ["--config", str(tmp_path / "config.toml"), "reconcile"]
    assert run(command) == 0
    assert "nothing to settle" in capsys.readouterr().out
    room.store.backup(tmp_path / "copy.db")
    put_back(room, tmp_path / "copy.db")
    assert run(["--config", str(tmp_path / "config.toml"), "send", str(PERIOD)]) == 1
    assert "digest reconcile" in capsys.readouterr().err
    assert run([*command, "--nothing-left"]) == 0
    assert "may go on" in capsys.readouterr().out
    assert run(["--config", str(tmp_path / "config.toml"), "send", str(PERIOD)]) == 0


# --- the log -------------------------------------------------------------------------------------------------------


def test_every_deed_is_one_line_without_an_address(
    make_room: Callable[..., Room], caplog: pytest.LogCaptureFixture
) -> None:
    room = make_room(5)
    caplog.set_level("INFO", "digest")
    with Sink(lambda e: "554 <kim@example.org> is not welcome" if e.point == "MAIL" else None) as sink:
        room.send(relay(room, sink.port)).issue(PERIOD)
    begin, end = caplog.messages[0], caplog.messages[-1]
    assert begin.startswith("act=begin issue=2026-11 run=1 queued=5")
    assert end.startswith("act=end issue=2026-11 run=1 state=paused")
    assert "(address)" in end
    assert not any("@" in line or "\n" in line for line in caplog.messages)


def test_settling_reconciling_and_one_off_letters_are_a_line_each(
    make_room: Callable[..., Room], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    room = make_room(3)
    caplog.set_level("INFO", "digest")
    with room.store.write():
        found = room.store.subscribers.find(Address("reader1@example.org"))
        assert found is not None
        room.store.notices.queue(
            NoticeKind.WELCOME, subscriber=found.id, version=1, language=Language.EN, now=NOW
        )
    with Sink(
        lambda e: "450 <reader1@example.org> not now" if e.point == "RCPT" and e.count == 1 else None
    ) as sink:
        send = room.send(relay(room, sink.port))
        send.notices()
        send.issue(PERIOD, stop=lambda: True)
        send.pause(PERIOD, by="7", name="Dana")
        send.resume(PERIOD, by="7")
        room.store.backup(tmp_path / "copy.db")
        send = put_back(room, tmp_path / "copy.db").send(relay(room, sink.port))
        send.restored.settle(nothing_left=False, log=None)
        doubts = room.store.deliveries.listed(room.issue.id, DeliveryState.UNSURE, limit=9)
        send.settle(PERIOD, doubts[0].id, again=False, by="7")
        send.heard(f"Message-ID: {room.links.message_id(room.issue.id, doubts[1].id)}\r\n\r\n".encode())
        send.test(PERIOD, address=Address("kim@example.org"), language=Language.EN, by="7")
    lines = [line for line in caplog.messages if line.startswith("act=")]
    wanted = [
        'act=notice number=1 kind=welcome state=queued attempt=1 code=450 said="(address) not now"',
        "act=pause issue=2026-11 by=7", "act=resume issue=2026-11 by=7", "act=reconcile sign=copy found=0 unsure=3",
        f"act=settle issue=2026-11 letter={doubts[0].id} to=sent by=7", f"act=settle letter={doubts[1].id} to=sent by=post",
        "act=test issue=2026-11 language=en by=7 state=sent code=250",
    ]  # fmt: skip
    for line in wanted:
        assert any(one.startswith(line) for one in lines), (line, lines)
    assert not any("@" in line or "\n" in line for line in caplog.messages)
