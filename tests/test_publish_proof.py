"""What the store keeps for preflight: earlier letters, test letters, accepted warnings, looks outside. A real database."""

from datetime import timedelta

import pytest

from digest.app import App
from digest.errors import Conflict, InputRefused
from digest.model import Address, IssueState, Item, ItemId, Language, Period, Placed
from digest.rules.preflight import Check, mark
from digest.rules.proof import Look
from tests.conftest import NOW, Clock
from tests.test_publish import PERIOD, a_note, stocked

__all__ = ["stocked"]
NEXT = Period(2027, 1)


def told(app: App, rule: str, *, period: Period = PERIOD) -> list[Check]:
    return [check for check in app.publish.preflight(period) if check.id == rule]


def test_a_test_letter_is_remembered_until_the_words_change(stocked: App) -> None:
    stocked.publish.assemble()
    assert {c.outcome for c in told(stocked, "test-sent")} == {"fail"}
    for language in Language:
        stocked.send.test(PERIOD, address=Address("ann@example.org"), language=language)
    assert [c.outcome for c in told(stocked, "test-sent")] == ["pass"]
    stocked.publish.write(PERIOD, field="theme", language=Language.FR, words="autre chose", by="test")
    assert [(c.outcome, c.language) for c in told(stocked, "test-sent")] == [("fail", Language.FR)]


def test_an_accepted_warning_stays_with_its_reason_and_lapses_with_another_fault(stocked: App) -> None:
    stocked.publish.assemble()
    assert {c.outcome for c in told(stocked, "note")} == {"fail"}
    stocked.publish.accept(PERIOD, rule="note", why="A quiet  month", by="maya")
    assert {c.outcome for c in told(stocked, "note")} == {"accepted"}
    assert "maya: A quiet month" in told(stocked, "note")[0].message_en
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="word " * 200, by="maya")
    assert {c.outcome for c in told(stocked, "note")} == {"fail"}
    edits = stocked.store.issues.edits(stocked.store.issues.get(PERIOD).id)
    assert [(e.editor, e.detail["rule"]) for e in edits if e.act == "accept"] == [("maya", "note")]


def test_a_warning_is_accepted_as_it_was_looked_at_or_not_at_all(stocked: App) -> None:
    stocked.publish.assemble(PERIOD)
    seen = mark(told(stocked, "note"))
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="Only in English.", by="eve")
    with pytest.raises(Conflict):
        stocked.publish.accept(PERIOD, rule="note", why="A quiet month", by="maya", seen=seen)
    assert "accepted" not in {c.outcome for c in told(stocked, "note")}
    stocked.publish.accept(
        PERIOD, rule="note", why="A quiet month", by="maya", seen=mark(told(stocked, "note"))
    )


@pytest.mark.parametrize(
    ("rule", "why"), [("subj-empty", "never mind"), ("nonsense", "never mind"), ("note", " ")]
)
def test_only_a_warning_that_stands_can_be_accepted_and_only_with_a_reason(
    stocked: App, rule: str, why: str
) -> None:
    stocked.publish.assemble()
    with pytest.raises(InputRefused):
        stocked.publish.accept(PERIOD, rule=rule, why=why, by="maya")


def test_the_next_month_is_held_against_this_one(stocked: App, clock: Clock) -> None:
    """Same subject, an item kept a second time, two readers where there were none before."""
    stocked.publish.assemble()
    a_note(stocked)
    stocked.publish.approve(PERIOD, by="test")
    stocked.send.issue(PERIOD)
    assert stocked.store.issues.get(PERIOD).state is IssueState.SENT
    clock.forward(days=25)
    stocked.publish.assemble(NEXT)
    issue = stocked.store.issues.get(NEXT)
    first = stocked.store.items.get([ItemId(1)])[0]
    with stocked.store.write():
        stocked.store.issues.extend(issue.id, until=issue.until, late=[_placed(first)])
        for language in Language:
            subject = stocked.store.issues.editions(stocked.store.issues.get(PERIOD).id)[language].subject
            stocked.store.issues.write_text(issue.id, field="subject", language=language, words=subject)
    assert [c.where for c in told(stocked, "item-repeat", period=NEXT)] == ["item:1"]
    assert {c.outcome for c in told(stocked, "subj-repeat", period=NEXT)} == {"fail"}
    assert "December 2026" in told(stocked, "subj-repeat", period=NEXT)[0].message_en
    assert stocked.store.proofs.last_audience(NEXT) == 2
    assert stocked.store.proofs.last_audience(PERIOD) is None


def test_the_last_look_at_a_link_is_kept(stocked: App) -> None:
    store, url = stocked.store, "https://blog.example.org/1"
    with store.write():
        store.proofs.keep_look("link", url, value="404", at=NOW - timedelta(days=1))
        store.proofs.keep_look("link", url, value="ok", at=NOW)
    assert store.proofs.looks("link", [url, "https://never.example.org/"]) == {("link", url): Look(NOW, "ok")}
    assert store.proofs.looks("spam", [url]) == {}
    with store.write():
        store.proofs.keep_look("auth", "example.org", value="SPF", at=NOW + timedelta(days=61))
    assert store.proofs.looks("link", [url]) == {}


def _placed(item: Item) -> Placed:

    return Placed(item=item, section="worth-reading", position=0)
