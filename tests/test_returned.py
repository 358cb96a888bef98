"""What a returned letter says, over real ones: a hard mark is right nine times in ten, and no machine's chatter is a mark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.mail.reports import report
from digest.rules.returned import (
    Failure,
    Report,
    Verdict,
    finding,
    finding_of_reply,
    has_failed,
    is_harder,
    is_storm,
)

BOUNCES = Path(__file__).parent.parent.parent / "shared" / "corpus" / "bounces"
needs_corpus = pytest.mark.skipif(not BOUNCES.is_dir(), reason="the corpus of returned letters is not here")
HARD, SOFT, OURS = Verdict.HARD, Verdict.SOFT, Verdict.OURS


def corpus() -> Iterator[tuple[dict[str, Any], bytes]]:
    for line in (BOUNCES / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        yield told, (BOUNCES / told["path"]).read_bytes()


def verdict(data: bytes) -> Verdict | None:
    found = finding(report(data))
    return found.verdict if found else None


@needs_corpus
def test_a_hard_mark_is_right_and_most_dead_addresses_are_seen() -> None:
    """guide: bounces. One recipient each; two classes that the oracle calls soft against its own text are left out."""
    right = wrong = missed = 0
    for told, data in corpus():
        if told["kind"] != "bounce" or len(told["recipients"]) != 1:
            continue
        one = told["recipients"][0]
        if one["class"] not in {"hard", "soft"} or one["reason"] in {"filtered", "suspend"}:
            continue
        is_hard = verdict(data) is HARD
        right += is_hard and one["class"] == "hard"
        wrong += is_hard and one["class"] == "soft"
        missed += not is_hard and one["class"] == "hard"
    assert right / (right + wrong) >= 0.95
    assert right / (right + missed) >= 0.62


@needs_corpus
def test_machines_that_answer_or_tell_of_delivery_mark_nobody() -> None:
    seen = 0
    for told, data in corpus():
        if told["kind"] in {"auto-reply", "delivered-notice", "not-a-bounce"}:
            assert verdict(data) is None, told["path"]
            seen += 1
    assert seen >= 8


@needs_corpus
def test_complaints_are_seen_and_reports_of_signatures_are_none() -> None:
    for told, data in corpus():
        kind = told["recipients"][0].get("feedback_type") if told["kind"] == "complaint" else None
        if kind in {"abuse", "fraud", "opt-out"} and told["report_type"] == "feedback-report":
            assert verdict(data) is Verdict.COMPLAINT, told["path"]
        if kind == "auth-failure":
            assert verdict(data) is not Verdict.COMPLAINT, told["path"]


@needs_corpus
def test_line_ends_change_no_verdict_and_what_is_kept_names_nobody() -> None:
    for told, data in corpus():
        found = finding(report(data))
        crlf = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert finding(report(crlf)) == found, told["path"]
        assert found is None or "@" not in found.words, told["path"]


@needs_corpus
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_report_cut_or_shuffled_anywhere_breaks_nothing(data: st.DataObject) -> None:
    files = sorted(BOUNCES.rglob("*.eml"))
    raw = data.draw(st.sampled_from(files)).read_bytes()
    here, there = sorted(data.draw(st.tuples(*[st.integers(0, len(raw))] * 2)))
    finding(report(raw[:here]))
    finding(report(raw[there:] + raw[:here]))


def test_nested_and_huge_letters_are_read_in_bounds() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000)
    )
    assert finding(report(nested)) is None
    assert finding(report(b"Subject: x\n\n" + b"user unknown " * 800_000)) is None


@pytest.mark.parametrize(
    ("action", "status", "diagnostic", "expected"),
    [
        ("failed", "5.1.1", "smtp; 550 5.1.1 unknown user", HARD), ("failed", "5.0.0", "550 No such user here", HARD),
        ("failed", "", "550 user unknown", HARD), ("failed", "5.1.1", "552 5.2.2 mailbox full", SOFT),
        ("failed", "5.0.0", "550 5.7.1 user unknown", OURS), ("failed", "5.7.26", "", OURS),
        ("failed", "5.1.8", "sender address: domain not found", OURS), ("failed", "4.4.7", "expired", SOFT),
        ("failed", "5.1.1", "blocked by policy: no such user", SOFT), ("delayed", "4.4.1", "timed out", None),
        ("relayed", "2.0.0", "", None), ("delivered", "2.1.5", "", None), ("expanded", "2.0.0", "", None),
        ("failed", "5.1.1", "550 utilisateur inconnu", HARD), ("failed", "5.2.2", "boîte pleine", SOFT), ("failed", "", "", None),
    ],
)  # fmt: skip
def test_action_and_code_decide_and_some_words_forbid(
    action: str, status: str, diagnostic: str, expected: Verdict | None
) -> None:
    found = finding(Report(failures=[Failure(action=action, status=status, diagnostic=diagnostic)]))
    assert (found.verdict if found else None) is expected


def test_of_several_recipients_ours_is_asked() -> None:
    theirs = Failure(action="failed", status="5.1.1", recipients=("other@example.com",))
    ours = Failure(action="failed", status="4.2.2", recipients=("ann@example.org",))
    found = finding(Report(failures=[theirs, ours]), address="ann@example.org")
    assert found is not None
    assert found.verdict is SOFT


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [(550, "5.1.1 nobody", HARD), (550, "no such user", HARD), (554, "5.7.1 blocked", OURS), (552, "quota", SOFT),
     (450, "5.1.1 x", None)],
)  # fmt: skip
def test_a_mail_servers_own_no_is_judged_alike(code: int, words: str, expected: Verdict | None) -> None:
    found = finding_of_reply(code, words)
    assert (found.verdict if found else None) is expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([HARD], False), ([HARD, HARD], True), ([HARD, None, HARD], True), ([HARD, SOFT, SOFT], False),
        ([SOFT] * 4, False), ([SOFT] * 5, True), ([SOFT] * 4 + [None, SOFT], False), ([None, *[SOFT] * 5], False),
        ([None, None, None, None, None, None, HARD, HARD], False), ([], False), ([SOFT, SOFT, SOFT, SOFT, HARD], True),
    ],
)  # fmt: skip
def test_an_address_fails_by_issues_not_by_days(history: list[Verdict | None], expected: bool) -> None:
    assert has_failed(history) is expected


def test_a_mailbox_full_for_two_months_is_not_lost_and_a_dead_one_goes_at_the_second_issue() -> None:
    """guide: policy over simulated years."""
    for month in range(36):
        full = [SOFT if at % 12 in {3, 4} else None for at in range(month, -1, -1)]
        assert not has_failed(full)
    assert not has_failed([HARD, *[None] * 5])
    assert has_failed([HARD, HARD, *[None] * 4])


def test_the_gravest_report_counts_once_and_a_storm_needs_many() -> None:
    assert is_harder(HARD, None)
    assert is_harder(HARD, SOFT)
    assert not is_harder(SOFT, HARD)
    assert not is_harder(HARD, HARD)
    assert not is_storm(19, letters=19)
    assert not is_storm(20, letters=1_000)
    assert is_storm(20, letters=200)
