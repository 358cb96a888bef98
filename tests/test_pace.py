"""What a reply means and when to try again: values in, values out."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.config_mail import MailPart
from digest.model import DeliveryId, DeliveryState, Outcome, PauseReason
from digest.rules.pace import Meaning, Phase, Watch, meaning, notice_retry_at, patience_s, retry_at

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phase", "code", "text", "expected"),
    [
        (Phase.GREETING, 220, "hello", Meaning.YES),
        (Phase.GREETING, 554, "no", Meaning.STOP),
        (Phase.GREETING, 421, "busy", Meaning.CLOSING),
        (Phase.AUTH, 535, "5.7.8 wrong", Meaning.STOP),
        (Phase.AUTH, 454, "4.7.0 later", Meaning.CLOSING),
        (Phase.MAIL, 550, "5.7.1 sender", Meaning.STOP),
        (Phase.MAIL, 451, "later", Meaning.CLOSING),
        (Phase.RCPT, 250, "ok", Meaning.YES),
        (Phase.RCPT, 251, "forwarded", Meaning.YES),
        (Phase.RCPT, 450, "4.7.1 greylisted", Meaning.LATER),
        (Phase.RCPT, 452, "4.2.2 full", Meaning.LATER),
        (Phase.RCPT, 550, "5.1.1 unknown", Meaning.NEVER),
        (Phase.RCPT, 552, "5.2.2 full", Meaning.NEVER),
        (Phase.RCPT, 501, "5.1.3 bad address", Meaning.NEVER),
        (Phase.RCPT, 550, "5.7.1 listed", Meaning.OURS),
        (Phase.RCPT, 554, "5.7.1 relay access denied", Meaning.OURS),
        (Phase.RCPT, 530, "authentication required", Meaning.OURS),
        (Phase.RCPT, 503, "bad sequence", Meaning.OURS),
        (Phase.RCPT, 421, "closing", Meaning.CLOSING),
        (Phase.DATA, 354, "go", Meaning.YES),
        (Phase.DATA, 250, "?", Meaning.NONSENSE),
        (Phase.RCPT, 354, "?", Meaning.NONSENSE),
        (Phase.DOT, 250, "queued", Meaning.YES),
        (Phase.DOT, 354, "?", Meaning.NONSENSE),
        (Phase.DOT, 554, "5.7.1 spam", Meaning.OURS),
        (Phase.DOT, 421, "closing", Meaning.CLOSING),
        (Phase.DOT, 700, "?", Meaning.NONSENSE),
    ],
)
def test_a_reply_means_what_its_phase_makes_of_it(
    phase: Phase, code: int, text: str, expected: Meaning
) -> None:
    assert meaning(phase, code, text) is expected


@pytest.mark.parametrize(
    ("phase", "seconds"),
    [(Phase.CONNECT, 60), (Phase.GREETING, 300), (Phase.HELLO, 300), (Phase.MAIL, 300), (Phase.RCPT, 300),
     (Phase.DATA, 120), (Phase.BODY, 180), (Phase.DOT, 600)],
)  # fmt: skip
def test_answers_are_awaited_as_long_as_rfc_5321_asks(phase: Phase, seconds: float) -> None:
    assert patience_s(phase, most_s=MailPart().timeout_s) == seconds
    assert patience_s(phase, most_s=20) == (600 if phase is Phase.DOT else 20), (
        "the dot's time is nobody's to cut"
    )


def test_waits_grow_and_end_after_four_days() -> None:
    at, waits = NOW, []
    while (next_at := retry_at(len(waits) + 1, now=at)) is not None:
        waits.append((next_at - at).total_seconds() / 60)
        at = next_at
    assert waits[:6] == [15, 30, 60, 120, 240, 240]
    assert timedelta(days=4) <= at - NOW < timedelta(days=4, hours=4)


def test_a_one_off_letter_is_tried_more_often_and_for_two_days() -> None:
    at, tries = NOW, 0
    while (next_at := notice_retry_at(tries + 1, queued_at=NOW, now=at)) is not None:
        assert timedelta(minutes=1) <= next_at - at <= timedelta(hours=1)
        at, tries = next_at, tries + 1
    assert timedelta(days=1, hours=22) < at - NOW < timedelta(days=2)


def outcome(state: DeliveryState, code: int = 0, reply: str = "") -> Outcome:
    return Outcome(delivery=DeliveryId(1), state=state, code=code, reply=reply)


def test_bad_mailboxes_among_good_ones_never_halt_a_run() -> None:
    watch = Watch()
    for number in range(200):
        state = DeliveryState.FAILED if number % 2 else DeliveryState.SENT
        watch.saw(outcome(state, 550 if number % 2 else 250, "5.1.1 unknown"), domain="example.org")
    assert watch.halt is None
    assert watch.verdict_at_end(outcome(DeliveryState.FAILED, 550)) is None


def test_refusals_that_name_no_mailbox_halt_at_a_rate_not_at_a_total() -> None:
    watch = Watch()
    for number in range(1_000):  # one in four: bad, and no reason to stop
        if number % 4:
            watch.saw(outcome(DeliveryState.SENT, 250), domain="example.org")
        else:
            watch.saw(outcome(DeliveryState.FAILED, 550, "no"), domain="example.org")
    assert watch.halt is None
    for _ in range(20):
        watch.saw(outcome(DeliveryState.FAILED, 550, "blocked"), domain="example.org")
    assert watch.halt is not None
    assert watch.halt == PauseReason("refused_rate", {"count": 27, "of": 50, "said": "550 blocked"})


def test_one_letter_that_passes_ends_the_streak_of_a_domain() -> None:
    watch = Watch(accepted=True)
    for _ in range(4):
        watch.saw(outcome(DeliveryState.DEFERRED, 550, "5.7.1 listed"), domain="strict.example")
    watch.saw(outcome(DeliveryState.SENT, 250), domain="strict.example")
    watch.saw(outcome(DeliveryState.DEFERRED, 550, "5.7.1 listed"), domain="strict.example")
    assert not watch.shunned


def test_failures_of_our_own_making_say_nothing_about_the_relay() -> None:
    watch = Watch()
    for _ in range(100):
        watch.saw(outcome(DeliveryState.FAILED, 0, "needs-smtputf8"), domain="example.org")
    assert watch.halt is None
    assert watch.early == 0
