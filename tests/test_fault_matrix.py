"""Every fault that the guide names (sending, R1 to R18), and the tests that make it happen. Real sockets, real processes.

`pytest tests/test_fault_matrix.py -v` prints the table; a test that is renamed or gone fails its row. What no other file
shows stands below the table.
"""

import ast
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest.errors import StoreError
from digest.mail.connection import QUIT_TIMEOUT_S
from digest.mail.engine import DRAIN_S
from digest.mail.smtp import SmtpTransport
from digest.model import Address, DeliveryState, IssueState, Language, SubscriberState
from digest.rules.cron import next_slot
from digest.rules.returned import Verdict
from tests.send_kit import NOW, PERIOD, Room, approve, open_room, relay
from tests.smtp_kit import CERTIFICATE, Event, Sink
from tests.test_send_killed import SMTP, configure

HERE = Path(__file__).parent
MATRIX = {
    "R1 kill -9 at random moments and at chosen ones": (
        "test_send_killed:test_fifty_kills_lose_nobody_and_double_nobody",
        "test_send_killed:test_killed_while_it_writes_files_every_reader_has_one_and_no_doubt_is_left",
        "test_send_faults:test_a_storm_of_faults_breaks_no_promise",
    ),
    "R2 the connection drops or hangs at each of the ten points": (
        "test_mail_engine:test_a_drop_anywhere_loses_nobody_and_doubles_nobody",
        "test_mail_engine:test_a_server_that_falls_silent_before_the_dot_costs_a_connection_and_no_letter",
        "test_mail_engine:test_silence_after_the_dot_is_a_doubt_and_is_not_sent_again",
        "test_mail_engine:test_a_relay_that_never_answers_a_dot_ends_the_run_before_the_whole_list_is_in_doubt",
        "test_fault_matrix:test_a_drop_at_each_of_ten_points_is_repeated_only_where_no_dot_was_written",
    ),
    "R3 421, 450, 451, 452, 550, 552, 554, nonsense, 500 to EHLO": (
        "test_mail_engine:test_a_refusal_is_one_readers_and_the_rest_goes_on",
        "test_mail_engine:test_421_is_the_fate_of_the_connection_and_marks_nobody",
        "test_mail_engine:test_421_at_the_greeting_is_met_with_patience",
        "test_mail_engine:test_a_reply_that_is_none_ends_the_connection_and_loses_nobody",
        "test_mail_engine:test_ehlo_refused_is_answered_with_helo",
        "test_send:test_a_refusal_of_ourselves_marks_nobody_and_leaves_the_domain_alone",
        "test_send:test_an_unknown_mailbox_is_recorded_and_the_issue_is_finished",
        "test_send_pace:test_421_halves_the_relays_pace_and_the_next_run_begins_with_it",
        "test_send_pace:test_a_domain_that_pushes_back_is_slowed_and_the_next_run_remembers",
    ),
    "R4 the relay closes after N letters": (
        "test_mail_engine:test_a_relay_that_closes_after_every_few_letters_is_no_error",
        "test_send_pace:test_a_relay_that_takes_so_many_letters_a_connection_is_not_slowed",
    ),
    "R5 the first letters all fail: wrong password, blocked address": (
        "test_send:test_a_relay_that_refuses_the_first_letters_marks_nobody",
        "test_mail_engine:test_a_refused_login_says_so_and_marks_nobody",
        "test_mail_engine:test_a_refused_sender_stops_the_run_and_marks_nobody",
        "test_fault_matrix:test_a_blocked_address_pauses_the_run_with_its_words_and_the_next_call_goes_on",
        "test_fault_matrix:test_a_wrong_password_pauses_the_issue_marks_nobody_and_the_right_one_goes_on",
    ),
    "R6 two schedulers, workers, cron and web at once": (
        "test_send_faults:test_several_processes_at_once_send_once",
        "test_send:test_two_senders_at_once_send_once",
        "test_send:test_while_another_process_sends_nothing_is_done",
        "test_send:test_a_run_whose_lease_was_lost_writes_no_more_dots",
        "test_store_deliveries:test_four_processes_claim_two_thousand_letters_and_none_twice",
        "test_schedule:test_only_one_process_ticks",
        "test_web_doubts:test_a_double_click_on_send_sends_once",
    ),
    "R7 double click, approved twice, month assembled twice, old backup restored": (
        "test_store_issues:test_a_month_has_one_issue",
        "test_store_issues:test_a_move_is_made_once_and_only_from_where_it_may",
        "test_publish:test_assembling_twice_is_assembling_once",
        "test_send_control:test_a_restored_backup_sends_nothing_until_it_is_reconciled",
        "test_send_control:test_a_plain_copy_of_the_file_is_noticed_by_the_list_of_runs",
        "test_send_control:test_a_log_of_the_mail_server_tells_who_got_theirs",
        "test_send_control:test_a_plain_copy_restored_elsewhere_is_refused_for_its_list_of_runs_is_not_there",
        "test_send_control:test_a_copy_made_before_the_first_run_and_restored_elsewhere_is_refused_for_its_place",
        "test_send_control:test_an_issue_held_and_approved_anew_after_the_copy_takes_no_mark_from_its_log",
        "test_web_doubts:test_a_double_click_on_approve_freezes_once",
    ),
    "R8 down over the slot: an hour, three days, five weeks": (
        "test_schedule:test_after_a_short_absence_it_leaves_late",
        "test_schedule:test_after_a_long_absence_it_is_a_draft_again",
        "test_schedule:test_a_missed_hour_is_caught_up",
    ),
    "R9 the clocks of Toronto change, months are short": (
        "test_cron:test_an_hour_that_the_clocks_repeat_counts_once",
        "test_cron:test_an_hour_that_the_clocks_skip_is_not_lost",
        "test_cron:test_a_day_that_the_month_lacks_is_its_last",
        "test_rate:test_a_window_is_read_from_the_clock_on_the_wall",
        "test_fault_matrix:test_half_past_one_in_toronto_comes_once_though_the_clocks_say_it_twice",
    ),
    "R10 the clock jumps": (
        "test_send_faults:test_a_clock_that_jumps_doubles_nobody",
        "test_send_faults:test_no_letter_is_dated_before_the_last_issue",
    ),
    "R11 leaving, forgetting while sending": (
        "test_send:test_a_reader_who_leaves_while_the_letter_is_on_the_wire_does_not_get_it",
        "test_send:test_a_reader_who_left_before_is_not_sent_to",
        "test_store_deliveries:test_a_reader_who_left_between_claim_and_intent_gets_no_final_dot",
        "test_fault_matrix:test_a_person_forgotten_while_the_letter_is_on_the_wire_does_not_get_it",
        "test_fault_matrix:test_who_is_suspended_or_complains_while_it_is_sent_gets_no_dot",
    ),
    "R12 confirming while sending": (
        "test_send:test_a_reader_who_joined_after_approval_is_not_sent_to",
        "test_send_control:test_who_joined_since_gets_the_approved_letter_and_who_was_there_does_not",
    ),
    "R13 disk full, read-only, a growing log": (
        "test_send:test_a_full_disk_loses_nothing_and_sending_goes_on_afterwards",
        "test_mail_engine:test_a_full_disk_writes_no_dot_and_is_told",
        "test_fault_matrix:test_a_database_that_turns_read_only_lets_no_dot_out_and_sending_goes_on_afterwards",
        "test_fault_matrix:test_somebody_who_reads_for_the_whole_run_holds_up_nobody",
    ),
    "R14 the database is locked": (
        "test_send_faults:test_a_database_that_another_program_holds_loses_nothing",
        "test_mail_engine:test_a_store_that_was_busy_for_a_moment_loses_no_result",
        "test_web_desk:test_a_database_that_is_busy_is_a_503_that_says_so",
    ),
    "R15 the power fails": (
        "test_send:test_what_a_dot_rests_on_is_on_the_disk_first",
        "test_store_transactions:test_a_durable_decision_is_synced_in_full_and_only_that_one",
        "test_mail_engine:test_no_dot_is_written_before_a_slow_disk_has_its_intent",
    ),
    "R16 a backup while sending, a spoilt page": (
        "test_send_faults:test_a_backup_made_while_sending_is_whole",
        "test_store_transactions:test_check_names_a_page_that_the_disk_has_spoilt",
    ),
    "R17 one reader's letter cannot be made": (
        "test_send:test_a_reader_whose_letter_cannot_be_made_fails_alone",
    ),
    "R18 something changes after approval": (
        "test_send:test_bytes_that_were_not_approved_are_not_sent",
        "test_send:test_editions_swapped_for_whole_others_are_not_sent",
        "test_publish:test_a_change_at_the_source_does_not_reach_an_approved_letter",
    ),
    "Doubt: who ends it": (
        "test_fault_matrix:test_a_letter_in_doubt_has_arrived_when_anything_with_its_signed_mark_comes_back",
        "test_store_deliveries:test_a_server_that_never_answered_leaves_a_doubt_that_people_or_links_end",
        "test_web_doubts:test_a_letter_in_doubt_is_marked_or_sent_again_and_only_that_one",
        "test_send:test_doubts_go_again_by_themselves_when_the_operator_wants_that",
        "test_web_doubts:test_a_doubt_ends_when_anything_carries_the_mark_of_its_letter",
    ),
    "Control: pause, resume, stop, SIGTERM, once more": (
        "test_send:test_a_pause_stops_within_a_second_and_the_rest_is_exact",
        "test_send:test_a_stop_drains_and_the_next_call_goes_on",
        "test_fault_matrix:test_a_stop_leaves_within_ten_seconds_whatever_the_server_does",
        "test_cli:test_a_send_that_is_asked_to_stop_says_what_is_left_and_goes_on_later",
        "test_mail_engine:test_a_stop_does_not_wait_for_ever_for_an_answer",
        "test_mail_engine:test_a_stop_does_not_wait_for_a_server_that_never_greets",
        "test_send_control:test_failed_letters_go_once_more_and_no_others",
        "test_send_control:test_who_joined_since_gets_the_approved_letter_and_who_was_there_does_not",
    ),
    "Pace: halves, creeps up, retries, rests, hours, first letters": (
        "test_rate:test_only_a_wish_to_be_slower_slows_us",
        "test_rate:test_a_pace_halves_once_for_all_that_was_in_hand_and_creeps_up_again",
        "test_send_pace:test_421_halves_the_relays_pace_and_the_next_run_begins_with_it",
        "test_send_pace:test_a_domain_that_pushes_back_is_slowed_and_the_next_run_remembers",
        "test_send_pace:test_greylisting_slows_nobody",
        "test_send:test_a_greylisted_reader_is_tried_again_when_due_and_not_before",
        "test_send:test_a_mailbox_that_never_opens_is_given_up_after_four_days",
        "test_fault_matrix:test_a_mailbox_given_up_after_four_days_counts_nothing_against_its_reader",
        "test_send_pace:test_a_domain_that_refuses_us_rests_in_the_next_run_too",
        "test_schedule_alerts:test_a_domain_that_refuses_us_is_told_once_a_day",
        "test_schedule_alerts:test_a_pause_of_digests_own_is_told_once_and_a_persons_is_not",
        "test_send_control:test_a_run_ends_when_its_window_closes",
        "test_send_control:test_editors_get_it_first_and_the_rest_waits_for_a_word",
        "test_send_control:test_first_letters_that_fare_badly_ask_a_person",
        "test_web_machines:test_when_all_is_put_off_desk_command_and_numbers_say_until_when",
    ),
    "Several relays: weights, health, failover; what EHLO offers; TLS and login; time-outs": (
        "test_send_pace:test_relays_share_letters_by_weight",
        "test_send_pace:test_a_relay_in_reserve_carries_nothing_while_another_works",
        "test_send_pace:test_when_a_relay_dies_another_takes_its_letters_once_each",
        "test_send_pace:test_nothing_is_asked_of_a_server_that_it_did_not_offer",
        "test_send_pace:test_a_letter_too_big_for_the_server_pauses_the_run_and_marks_nobody",
        "test_mail_engine:test_a_local_part_beyond_ascii_needs_smtputf8_and_says_so",
        "test_send_postfix:test_the_parameters_of_a_dsn_are_asked_for_only_where_they_are_offered",
        "test_mail_engine:test_letters_go_over_verified_tls_with_a_login",
        "test_send_pace:test_an_access_token_is_shown_and_read_afresh_at_every_login",
        "test_mail_engine:test_a_certificate_that_nobody_vouches_for_is_refused",
        "test_mail_engine:test_tls_older_than_1_2_is_refused",
        "test_mail_engine:test_no_login_is_shown_before_tls_is_agreed",
        "test_mail_engine:test_a_password_never_goes_in_clear",
        "test_pace:test_answers_are_awaited_as_long_as_rfc_5321_asks",
    ),
    "One-off letters: with the act, ahead of bulk, retried, never inline": (
        "test_send_lane:test_the_act_and_its_letter_are_one_decision",
        "test_send_lane:test_a_request_is_answered_while_the_mail_server_says_nothing",
        "test_send_lane:test_letters_are_tried_one_two_four_minutes_later_and_never_forgotten",
        "test_send_pace:test_a_one_off_letter_goes_ahead_of_an_issue_at_a_relay_that_takes_no_further_connection",
        "test_send:test_notices_outlive_a_server_that_is_down_for_a_day",
    ),
    "A real relay: Postfix with real DSNs": (
        "test_send_postfix:test_postfix_takes_an_issue_once_and_its_dsn_names_the_delivery",
        "test_send_postfix:test_what_postfix_has_queued_is_kept_with_the_delivery",
    ),
}


@pytest.mark.parametrize("fault", MATRIX)
def test_every_fault_has_its_tests(fault: str) -> None:
    for name in MATRIX[fault]:
        module, _, test = name.partition(":")
        tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
        assert any(isinstance(node, ast.FunctionDef) and node.name == test for node in tree.body), name


def test_no_fault_of_the_guide_is_left_out() -> None:
    assert [f"R{n}" for n in range(1, 19)] == [fault.split()[0] for fault in MATRIX if fault.startswith("R")]


# --- what no other file shows --------------------------------------------------------------------------------------


@pytest.fixture
def make_room(tmp_path: Path) -> Iterator[Callable[..., Room]]:
    opened: list[Room] = []

    def make(readers: int, **settings: object) -> Room:
        opened.append(open_room(tmp_path, **settings))
        approve(opened[-1], readers)
        return opened[-1]

    yield make
    for room in opened:
        room.store.close()


TEN_POINTS = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "body", "dot", "accepted", "hang", "QUIT")


@pytest.mark.parametrize("pipelining", [True, False], ids=["grouped", "stepwise"])
@pytest.mark.parametrize("point", TEN_POINTS)
def test_a_drop_at_each_of_ten_points_is_repeated_only_where_no_dot_was_written(
    make_room: Callable[..., Room], point: str, pipelining: bool
) -> None:
    """R2, the whole way: relay, engine, ledger. dot: read and not kept; accepted: kept, never answered; hang: kept, silence."""
    room = make_room(12)
    at, answer = ("accepted", "stall!") if point == "hang" else (point, "drop!")
    turn = 1 if point in {"connect", "EHLO", "QUIT"} else 5
    with Sink(lambda e: answer if (e.point, e.count) == (at, turn) else None, pipelining=pipelining) as sink:
        send = room.send(relay(room, sink.port, dot_timeout_s=0.3))
        while room.issue.state is not IssueState.SENT:
            send.issue(PERIOD)
    doubts = room.rows(DeliveryState.UNSURE)
    received = sink.received()
    assert set(received.values()) == {1}, "nobody got two"
    assert {name for name, _ in received} | set(doubts) == {f"reader{n}@example.org" for n in range(1, 13)}
    assert len(doubts) <= 1, "one connection was lost"
    if point in {"connect", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"}:
        assert not doubts, "no dot was written, so it was repeated"
    if point in {"dot", "accepted", "hang"}:
        assert len(doubts) == 1, "its dot was written, so it was not"


@pytest.mark.parametrize(
    ("point", "words"),
    [("connect", "554 5.7.1 your address is blocked"), ("MAIL", "550 5.7.1 your address is blocked"),
     ("RCPT", "550 5.7.1 your address is blocked"), ("dot", "554 5.7.1 your address is blocked")],
)  # fmt: skip
def test_a_blocked_address_pauses_the_run_with_its_words_and_the_next_call_goes_on(
    make_room: Callable[..., Room], point: str, words: str
) -> None:
    """R5: whoever says it, and where."""
    clock = {"now": NOW}
    room = make_room(100, clock=lambda: clock["now"])
    is_blocked = True
    with Sink(lambda e: words if is_blocked and e.point == point else None) as sink:
        send = room.send(relay(room, sink.port))
        report = send.issue(PERIOD)
        assert report.state is IssueState.PAUSED
        assert "your address is blocked" in (report.reason or "")
        assert not {"failed", "unsure", "sent"} & set(room.counts())
        is_blocked = False
        clock["now"] = NOW.replace(day=21)
        assert send.issue(PERIOD).state is IssueState.SENT
    assert room.counts() == {"sent": 100}
    assert len(sink.accepted) == len(sink.received()) == 100


def test_half_past_one_in_toronto_comes_once_though_the_clocks_say_it_twice() -> None:
    """R9, in 2026: 1 November has 01:30 twice, 8 March has no 02:30."""
    zone = ZoneInfo("America/Toronto")
    first = next_slot("30 1 * * *", "America/Toronto", after=datetime(2026, 11, 1, 4, 0, tzinfo=UTC))
    assert first is not None
    second = next_slot("30 1 * * *", "America/Toronto", after=first)
    assert second is not None
    assert [one.astimezone(zone).date().day for one in (first, second)] == [1, 2]
    spring = next_slot("30 2 * * *", "America/Toronto", after=datetime(2026, 3, 8, 5, 0, tzinfo=UTC))
    assert spring == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_a_person_forgotten_while_the_letter_is_on_the_wire_does_not_get_it(
    make_room: Callable[..., Room],
) -> None:
    """R11."""
    room = make_room(6)

    def forget(event: Event) -> None:
        if event.point != "DATA" or event.recipient != "reader4@example.org":
            return
        with room.store.write():
            found = room.store.subscribers.find(Address("reader4@example.org"))
            assert found is not None
            room.store.deliveries.cancel(found.id)
            room.store.subscribers.forget(found.id)

    with Sink(forget) as sink:
        report = room.send(relay(room, sink.port, connections=1)).issue(PERIOD)
    assert report.state is IssueState.SENT
    assert room.counts() == {"sent": 5, "cancelled": 1}
    assert "reader4@example.org" not in sink.recipients()


def test_a_database_that_turns_read_only_lets_no_dot_out_and_sending_goes_on_afterwards(
    make_room: Callable[..., Room],
) -> None:
    """R13. What is in doubt afterwards is what was on its way: one a connection at most."""
    room = make_room(40)
    with Sink() as sink:
        send = room.send(relay(room, sink.port))

        def turn() -> bool:
            if len(sink.accepted) >= 10:
                room.store._db.rows("PRAGMA query_only = ON")
            return False

        with pytest.raises(StoreError):
            send.issue(PERIOD, stop=turn)
        arrived = len(sink.accepted)
        assert 10 <= arrived < 40
        room.store._db.rows("PRAGMA query_only = OFF")
        assert send.issue(PERIOD).state is IssueState.SENT
    doubts = room.rows(DeliveryState.UNSURE)
    assert len(doubts) <= 2
    assert set(sink.received().values()) == {1}
    assert len(set(sink.recipients()) | set(doubts)) == 40


def test_somebody_who_reads_for_the_whole_run_holds_up_nobody(make_room: Callable[..., Room]) -> None:
    """R13, R14: the write-ahead log grows meanwhile and is cleared afterwards."""
    room = make_room(80)
    reader = sqlite3.connect(room.store.path, isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM delivery WHERE state = 'queued'").fetchone()
    with Sink() as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).state is IssueState.SENT
    assert (
        reader.execute("SELECT count(*) FROM delivery WHERE state = 'queued'").fetchone() == before == (80,)
    )
    reader.execute("COMMIT")
    reader.close()
    busy, _, _ = room.store._db.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
    assert busy == 0
    assert room.store.path.with_name("subscribers.db-wal").stat().st_size == 0


DSN = """From: mailer@relay.example.org\r\nTo: {to}\r\nSubject: Undelivered\r\n\r\nReporting-MTA: dns; relay\r\n\r\n{said}\r\n"""


@pytest.mark.parametrize("mark", ["return address", "message id", "forged return", "forged id", "nothing"])
def test_a_letter_in_doubt_has_arrived_when_anything_with_its_signed_mark_comes_back(
    make_room: Callable[..., Room], mark: str
) -> None:
    """A bounce, a complaint, an answer. A mark that we did not sign proves nothing."""
    room = make_room(3, bounce="bounce@lists.example.org")
    with Sink(lambda e: "drop!" if e.point == "accepted" and e.count == 2 else None) as sink:
        send = room.send(relay(room, sink.port, connections=1))
        send.issue(PERIOD)
        (doubtful,) = room.store.deliveries.listed(room.issue.id, DeliveryState.UNSURE, limit=9)
        token = room.links.bounce_token(doubtful.id)
        message = room.links.message_id(room.issue.id, doubtful.id)
        to, said = {
            "return address": (f"bounce+{token.upper()}@lists.example.org", ""),
            "message id": ("abuse@lists.example.org", f"Original-Mail: {message}"),
            "forged return": (f"bounce+{'a' * 26}@lists.example.org", ""),
            "forged id": (
                "x@lists.example.org",
                f"<{room.issue.id}.{doubtful.id}.{'0' * 16}@lists.example.org>",
            ),
            "nothing": ("x@lists.example.org", "ENVID 2, reader2@example.org"),
        }[mark]
        is_proof = mark in {"return address", "message id"}
        assert send.heard(DSN.format(to=to, said=said).encode()) == is_proof
        assert send.heard(DSN.format(to=to, said=said).encode()) == 0
    assert room.counts() == ({"sent": 3} if is_proof else {"sent": 2, "unsure": 1})


def test_a_reader_who_confirms_while_it_is_sent_waits_for_the_next_issue(
    make_room: Callable[..., Room],
) -> None:
    """R12: the list was frozen at approval."""
    room = make_room(20)

    def join(event: Event) -> None:
        if event.point == "accepted" and event.count == 5:
            with room.store.write():
                room.store.subscribers.add(
                    Address("late@example.org"),
                    language=Language.EN,
                    state=SubscriberState.CONFIRMED,
                    now=NOW,
                )

    with Sink(join) as sink:
        assert room.send(relay(room, sink.port)).issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == 20
    assert "late@example.org" not in sink.recipients()


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a_wrong_password_pauses_the_issue_marks_nobody_and_the_right_one_goes_on(
    make_room: Callable[..., Room], tls: str
) -> None:
    """R5, the whole way: the reason has its code, so that the desk says it in either language."""
    room = make_room(30)
    secret = {"security": tls, "username": "digest", "ca_file": CERTIFICATE}
    with Sink(tls=tls, login=("digest", "right")) as sink:

        def way(password: str) -> SmtpTransport:
            part = room.config.mail.model_copy(
                update={
                    "transport": "smtp",
                    "server": "127.0.0.1",
                    "port": sink.port,
                    "timeout_s": 5.0,
                    **secret,
                }
            )
            return SmtpTransport(part, password=password, backoff_s=0.02)

        report = room.send(way("wrong")).issue(PERIOD)
        assert report.state is IssueState.PAUSED
        assert room.issue.pause_reason is not None
        assert room.issue.pause_reason.code == "login"
        assert room.counts() == {"queued": 30}
        assert not sink.accepted
        assert room.send(way("right")).issue(PERIOD).state is IssueState.SENT
    assert len(sink.accepted) == len(sink.received()) == 30


@pytest.mark.parametrize("state", ["suspended", "left"])
def test_who_is_suspended_or_complains_while_it_is_sent_gets_no_dot(
    make_room: Callable[..., Room], state: str
) -> None:
    """R11: a bounce or a complaint comes in while the letter is on the wire, and nothing but the state has changed yet."""
    room = make_room(6)

    def strike(event: Event) -> None:
        if event.point == "DATA" and event.recipient == "reader4@example.org":
            with room.store.write():
                room.store._db.change("UPDATE subscriber SET state = :state WHERE id = 4", {"state": state})

    with Sink(strike) as sink:
        send = room.send(relay(room, sink.port, connections=1))
        while room.issue.state is not IssueState.SENT:
            send.issue(PERIOD)
    assert room.counts() == {"sent": 5, "cancelled": 1}
    assert "reader4@example.org" not in sink.recipients()


def test_a_mailbox_given_up_after_four_days_counts_nothing_against_its_reader(
    make_room: Callable[..., Room],
) -> None:
    """A 4xx is the server's wish, however long it lasts; a 5.1.1 is the address."""
    clock = {"now": NOW}
    room = make_room(4, clock=lambda: clock["now"])

    def answer(event: Event) -> str | None:
        late, gone = "reader2@" in event.line, "reader3@" in event.line
        return "451 4.2.2 later" if late else "550 5.1.1 unknown user" if gone else None

    with Sink(lambda e: answer(e) if e.point == "RCPT" else None) as sink:
        send = room.send(relay(room, sink.port))
        while (report := send.issue(PERIOD)).state is not IssueState.SENT:
            assert report.next_due is not None
            clock["now"] = report.next_due
    assert room.counts() == {"sent": 2, "failed": 2}
    history = {
        name: room.store.returns.history(found.id, since=None, limit=9)
        for name in ("reader2", "reader3")
        if (found := room.store.subscribers.find(Address(f"{name}@example.org"))) is not None
    }
    assert history == {"reader2": [], "reader3": [Verdict.HARD]}
    assert len(room.store.returns.refused(issues=5)) == 1


def test_a_stop_leaves_within_ten_seconds_whatever_the_server_does(make_room: Callable[..., Room]) -> None:
    """SIGTERM to `digest send`, while no final dot is answered: what cannot be known is listed, the rest is exact."""
    room = make_room(40)
    configure(room.config.home, SMTP.format(port="{port}").replace("connections = 3", "connections = 2"))
    path = room.config.home / "config.toml"
    reached = threading.Event()

    def silent(event: Event) -> str | None:
        if event.point == "accepted" and event.count >= 12:
            reached.set()
            return "stall!"
        return None

    with Sink(silent) as sink:
        path.write_text(path.read_text().replace("{port}", str(sink.port)))
        process = subprocess.Popen(
            [sys.executable, "-m", "digest", "--config", str(path), "send", str(PERIOD)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=HERE.parent,
        )  # fmt: skip
        try:
            assert reached.wait(60)
            process.send_signal(signal.SIGTERM)
            errors = process.communicate(timeout=60)[1]
        finally:
            process.kill()
            process.wait()
    assert DRAIN_S + QUIT_TIMEOUT_S <= 10, "what it waits for at the most"
    assert process.returncode == 130, errors
    counts = room.counts()
    assert 1 <= counts["unsure"] <= 2
    assert counts["sent"] >= 10
    assert counts["queued"] == 40 - counts["sent"] - counts["unsure"]
    assert f"Stopped with {counts['queued']} letters waiting" in errors
    assert len(sink.accepted) == len(sink.received()) == counts["sent"] + counts["unsure"]
