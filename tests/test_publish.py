"""The month made: assemble, edit, approve, schedule, hold, on a real database."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from digest.app import App, open_app
from digest.config import Config, SourcePart
from digest.errors import Conflict, InputRefused, MoveRefused
from digest.model import (
    DeliveryState,
    Entry,
    Issue,
    IssueState,
    ItemId,
    ItemKind,
    Language,
    Occasion,
    PauseReason,
    Period,
)  # fmt: skip
from digest.rules import edition
from tests.conftest import NOW, Clock

PERIOD = Period(2026, 12)
SLOT = NOW + timedelta(days=11)  # 1 December, 9:00 in Toronto is ten and some days away

NO_RELAY = PauseReason("other", {"said": "No relay."})


def an_entry(number: int, *, event: bool = False, **more: object) -> Entry:
    when = (
        Occasion(starts=SLOT + timedelta(days=number), timezone="America/Toronto", online="")
        if event
        else None
    )
    return Entry(
        kind=ItemKind.EVENT if event else ItemKind.POST, keys=(f"guid:{number}",), title=f"A thing worth knowing, {number}",
        url=f"https://blog.example.org/{number}", published=None if event else NOW - timedelta(days=number),
        author=f"Author {number}", summary="What a team of four learned when it asked people first, and what it would do again.",
        language="en", occasion=when, content_hash=f"h{number}", **more,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def stocked(app: App) -> App:
    """Three posts and two events in the pool, two readers."""
    with app.store.write():
        app.store.sources.sync([SourcePart(name="Blog", url="https://blog.example.org/feed")])
        blog = app.store.sources.get("Blog")
        for number in range(1, 6):
            app.store.items.add(an_entry(number, event=number > 3), source=blog.id, now=NOW)
    app.join.add("ann@example.org", basis="express", origin="test", language="en")
    app.join.add("luc@example.org", basis="express", origin="test", language="fr")
    return app


def ids(issue: Issue, section: str | None) -> list[int]:
    return [p.item.id for p in issue.section(section)]


def _outbox(app: App) -> list[Path]:
    return sorted(app.config.path("outbox").rglob("*.eml"))


def a_note(app: App) -> None:
    app.publish.write(PERIOD, field="note", language=Language.EN, words="Good morning.", by="test")
    app.publish.write(PERIOD, field="note", language=Language.FR, words="Bonjour.", by="test")


def test_an_issue_that_paused_before_any_letter_left_is_a_draft_again(stocked: App) -> None:
    publish, shelf, ledger = stocked.publish, stocked.store.issues, stocked.store.deliveries
    publish.assemble(PERIOD)
    a_note(stocked)
    publish.approve(PERIOD, by="test")
    issue = shelf.get(PERIOD)

    def begin() -> int:
        with stocked.store.write():
            shelf.move(
                issue.id,
                from_={IssueState.APPROVED, IssueState.PAUSED},
                to=IssueState.SENDING,
                sending_since=NOW,
            )
            return ledger.begin_run(issue.id, now=NOW, lease_s=60)

    run = begin()
    with pytest.raises(MoveRefused, match="about to"):
        publish.hold(PERIOD, by="test")
    with stocked.store.write():
        stocked.store.canaries.begin(issue.id, percent=50, now=NOW)
        ledger.end_run(run, now=NOW)
        shelf.move(
            issue.id,
            from_={IssueState.SENDING},
            to=IssueState.PAUSED,
            pause_reason=NO_RELAY,
        )
    held = publish.hold(PERIOD, by="test")
    assert (held.state, held.sending_since, held.pause_reason) == (IssueState.DRAFT, None, None)
    assert stocked.store.canaries.get(issue.id) is None
    assert not any(ledger.counts(issue.id).values())
    publish.approve(PERIOD, by="test")
    assert stocked.send.issue(PERIOD).sent == 2
    with pytest.raises(MoveRefused):
        publish.hold(PERIOD, by="test")


def test_an_old_copy_put_back_changes_nothing_before_it_is_settled(stocked: App) -> None:
    publish = stocked.publish
    publish.assemble(PERIOD)
    a_note(stocked)
    publish.approve(PERIOD, by="test")
    mark = stocked.store.settings
    with stocked.store.write():
        mark.put("copied", "1")
    for act in (publish.hold, publish.schedule):
        with pytest.raises(MoveRefused, match="Say what happened: digest reconcile"):
            act(PERIOD, by="test")
    issue = stocked.store.issues.get(PERIOD)
    assert publish.assemble(PERIOD).state is IssueState.APPROVED
    assert stocked.store.deliveries.counts(issue.id)[DeliveryState.QUEUED] == 2
    stocked.send.restored.settle(nothing_left=True, log=None)
    publish.hold(PERIOD, by="test")
    for name, value, said in (
        ("copied", "1", "digest reconcile"),
        ("restored_months", str(PERIOD), "none left"),
    ):
        with stocked.store.write():
            mark.put("copied", "")
            mark.put(name, value)
        with pytest.raises(MoveRefused, match=said):
            publish.approve(PERIOD, by="test")


def test_the_next_period_is_the_month_of_the_next_sending_date(app: App) -> None:
    assert app.publish.next_period() == PERIOD


def test_assembling_twice_is_assembling_once(stocked: App) -> None:
    first = stocked.publish.assemble()
    assert (first.period, first.state, first.number) == (PERIOD, IssueState.DRAFT, 1)
    assert (ids(first, "coming-up"), ids(first, "worth-reading"), ids(first, None)) == ([4, 5], [1, 2, 3], [])
    assert stocked.publish.assemble().placed == first.placed
    assert len(stocked.store.issues.all()) == 1


def test_news_goes_to_the_bench_and_an_editors_choice_stays(stocked: App, clock: Clock) -> None:
    stocked.publish.assemble()
    stocked.publish.cut(PERIOD, ItemId(1), by="test")
    stocked.publish.move(PERIOD, ItemId(3), direction="top", by="test")
    clock.forward(hours=1)
    with stocked.store.write():
        blog = stocked.store.sources.get("Blog")
        new = Entry(
            kind=ItemKind.POST,
            keys=("guid:new",),
            title="Late",
            url=None,
            published=clock() - timedelta(minutes=5),
        )
        stocked.store.items.add(new, source=blog.id, now=clock())
    again = stocked.publish.assemble()
    assert ids(again, "worth-reading") == [3, 2]
    assert ids(again, None) == [1, 6]
    assert [p.arrived_late for p in again.section(None)] == [False, True]


def test_every_edit_is_in_the_log(stocked: App) -> None:
    issue = stocked.publish.assemble()
    stocked.publish.cut(PERIOD, ItemId(1), by="ann")
    stocked.publish.keep(PERIOD, ItemId(1), by="ann")
    stocked.publish.move(PERIOD, ItemId(5), direction="up", by="luc")
    stocked.publish.move(PERIOD, ItemId(5), direction="up", by="luc")  # at the edge: nothing to write down
    stocked.publish.reword(PERIOD, ItemId(1), language=Language.FR, title="Titre", by="luc")
    log = stocked.store.issues.edits(issue.id)
    assert [(e.editor, e.act) for e in log] == [
        ("ann", "cut"), ("ann", "keep"), ("luc", "move up"), ("luc", "reword"),
    ]  # fmt: skip


def test_two_editors_who_write_the_same_text_lose_neither(stocked: App) -> None:
    stocked.publish.assemble()
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="Hers", by="ann", seen="")
    with pytest.raises(Conflict) as caught:
        stocked.publish.write(PERIOD, field="note", language=Language.EN, words="His", by="luc", seen="")
    assert caught.value.theirs == "Hers"
    assert stocked.store.issues.get(PERIOD).text("note", "en") == "Hers"
    stocked.publish.write(PERIOD, field="note", language=Language.FR, words="La sienne", by="luc", seen="")


def test_an_editor_who_left_a_text_as_it_was_overwrites_nobody(stocked: App) -> None:
    stocked.publish.assemble()
    item = ItemId(1)
    stocked.publish.reword(
        PERIOD, item, language=Language.EN, title="Hers", blurb="", by="ann", seen=("", "")
    )
    stocked.publish.reword(PERIOD, item, language=Language.EN, title="", blurb="His", by="luc", seen=("", ""))
    placed = next(p for p in stocked.store.issues.get(PERIOD).placed if p.item.id == item)
    assert (placed.title, placed.blurb) == ({"en": "Hers"}, {"en": "His"})
    with pytest.raises(Conflict):
        stocked.publish.reword(
            PERIOD, item, language=Language.EN, title="Other", blurb="", by="luc", seen=("", "")
        )
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="Hers", by="ann", seen="")
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="", by="luc", seen="")
    assert stocked.store.issues.get(PERIOD).text("note", "en") == "Hers"


def test_an_event_comes_back_from_the_bench_to_its_date(stocked: App) -> None:
    stocked.publish.assemble()
    stocked.publish.cut(PERIOD, ItemId(4), by="ann")
    assert ids(stocked.publish.keep(PERIOD, ItemId(4), by="ann"), "coming-up") == [4, 5]


def test_an_event_of_an_editors_own_stands_at_its_date(stocked: App) -> None:
    before = ids(stocked.publish.assemble(PERIOD), "coming-up")
    when = Occasion(starts=SLOT + timedelta(days=4, hours=9), timezone="America/Toronto", online="")
    own = replace(an_entry(9, event=True), occasion=when)
    issue, item = stocked.publish.write_own(PERIOD, own, by="max")
    assert ids(issue, "coming-up") == [before[0], item, *before[1:]]
    assert [p.position for p in issue.section("coming-up")] == list(range(len(before) + 1))


def test_an_unknown_text_field_is_refused(stocked: App) -> None:
    stocked.publish.assemble()
    with pytest.raises(InputRefused, match="no text called 'footer'"):
        stocked.publish.write(PERIOD, field="footer", language=Language.EN, words="x", by="ann")


def test_approving_prints_one_letter_for_each_choice_of_languages_and_group_of_zones(stocked: App) -> None:
    chosen = {"eve@example.org": ("fr+en", None), "kim@example.org": ("en", "America/Vancouver"),
              "lou@example.org": ("en", "America/Montreal"), "max@example.org": ("en", "America/Toronto")}  # fmt: skip
    for address, (language, zone) in chosen.items():
        reader = stocked.join.add(address, basis="express", origin="test", language=language)
        with stocked.store.write():
            stocked.store.subscribers.save(replace(reader, timezone=zone))
    stocked.publish.assemble(PERIOD)
    a_note(stocked)
    assert set(stocked.publish.letters(PERIOD)[1]) == {"en", "fr", "fr+en"}
    issue = stocked.publish.approve(PERIOD, by="test")
    assert set(stocked.store.issues.editions(issue.id)) == {
        "en", "fr", "fr+en", "en@America/Toronto", "en@America/Vancouver",
    }  # fmt: skip
    assert set(stocked.publish.letters(PERIOD)[1]) == {"en", "fr", "fr+en"}
    stocked.send.issue(PERIOD)
    letters = [message_from_bytes(one.read_bytes(), policy=default) for one in _outbox(stocked)]
    told = {
        str(letter["To"]): part.get_content() for letter in letters if (part := letter.get_body(("plain",)))
    }
    hour = r"(?m)^  [A-Z][a-z]+ \d+\s[A-Z][a-z]+, (.*?)\r?$"
    first = {to: re.findall(hour, told[to])[0].replace("\xa0", " ") for to in ("ann@example.org", *chosen)}
    assert first == {
        "ann@example.org": "10 a.m. Eastern (8 a.m. Pacific, 11 a.m. Atlantic)",
        "eve@example.org": "10 a.m. Eastern (8 a.m. Pacific, 11 a.m. Atlantic)",
        "kim@example.org": "8 a.m. Pacific (10 a.m. Eastern)",
        "lou@example.org": "10 a.m. Eastern",
        "max@example.org": "10 a.m. Eastern",
    }
    assert "The English version is below." in told["eve@example.org"]


def test_approving_freezes_the_letters_and_lists_the_readers(stocked: App) -> None:
    issue = stocked.publish.assemble()
    a_note(stocked)
    approved = stocked.publish.approve(PERIOD, by="ann")
    assert approved.state is IssueState.APPROVED
    assert approved.hash
    assert set(stocked.store.issues.editions(issue.id)) == {Language.EN, Language.FR}
    assert stocked.store.deliveries.counts(issue.id)[DeliveryState.QUEUED] == 2
    with pytest.raises(MoveRefused, match="cannot be edited: it is approved and frozen"):
        stocked.publish.cut(PERIOD, ItemId(1), by="ann")
    with pytest.raises(MoveRefused, match="cannot approve"):
        stocked.publish.approve(PERIOD, by="luc")


def test_what_was_not_seen_is_not_approved_however_late_it_came(stocked: App, clock: Clock) -> None:
    """The page was looked at, then a colleague's words or a source's came in: what the page showed goes in with the press."""
    issue = stocked.publish.assemble(PERIOD)
    seen = edition.shown(issue)
    stocked.publish.write(PERIOD, field="note", language=Language.EN, words="Unseen words", by="eve")
    for told in (seen, str(issue.revision), ""):
        with pytest.raises(Conflict):
            stocked.publish.approve(PERIOD, by="max", seen=told)
    seen = edition.shown(stocked.store.issues.get(PERIOD))
    with stocked.store.write():
        stocked.store.items.update(ItemId(1), replace(an_entry(1), title="Another"), now=clock())
    with pytest.raises(Conflict):
        stocked.publish.approve(PERIOD, by="max", seen=seen)
    a_note(stocked)
    issue = stocked.store.issues.get(PERIOD)
    assert issue.state is IssueState.DRAFT
    frozen = stocked.publish.approve(PERIOD, by="max", seen=edition.shown(issue))
    with pytest.raises(Conflict):
        stocked.publish.schedule(PERIOD, by="max", seen=str(issue.revision))
    assert stocked.publish.schedule(PERIOD, by="max", seen=str(frozen.revision)).state is IssueState.SCHEDULED


def test_a_change_at_the_source_does_not_reach_an_approved_letter(stocked: App, clock: Clock) -> None:
    issue = stocked.publish.assemble()
    a_note(stocked)
    stocked.publish.approve(PERIOD, by="ann")
    before = stocked.publish.preview(PERIOD, Language.EN)
    with stocked.store.write():
        stocked.store.items.update(ItemId(1), an_entry(1, flags=("changed",)), now=clock())
    assert stocked.publish.preview(PERIOD, Language.EN) == before
    assert stocked.store.issues.editions(issue.id)[Language.EN] == before


def test_holding_gives_the_draft_back_and_approving_again_works(stocked: App) -> None:
    issue = stocked.publish.assemble()
    a_note(stocked)
    stocked.publish.approve(PERIOD, by="ann")
    held = stocked.publish.hold(PERIOD, by="ann")
    assert (held.state, held.hash) == (IssueState.DRAFT, None)
    assert stocked.store.issues.editions(issue.id) == {}
    assert sum(stocked.store.deliveries.counts(issue.id).values()) == 0
    stocked.publish.cut(PERIOD, ItemId(1), by="ann")
    assert stocked.publish.approve(PERIOD, by="ann").state is IssueState.APPROVED
    assert stocked.store.deliveries.counts(issue.id)[DeliveryState.QUEUED] == 2


def test_scheduling_never_leaves_less_than_ten_minutes(stocked: App, clock: Clock) -> None:
    stocked.publish.assemble()
    a_note(stocked)
    stocked.publish.approve(PERIOD, by="ann")
    assert stocked.publish.schedule(PERIOD, by="ann").send_at > clock() + timedelta(days=9)
    soon = stocked.publish.schedule(PERIOD, by="ann", at=clock())
    assert (soon.state, soon.send_at) == (IssueState.SCHEDULED, clock() + timedelta(minutes=10))
    assert stocked.publish.hold(PERIOD, by="ann").state is IssueState.DRAFT


def test_an_issue_that_nobody_would_get_cannot_be_approved_for_real_mail(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config('[mail]\ntransport = "smtp"\n'), clock=clock) as app:
        app.publish.assemble()
        with pytest.raises(MoveRefused, match="cannot be approved"):
            app.publish.approve(PERIOD, by="ann")


def test_what_an_approved_issue_used_is_not_used_again(stocked: App, clock: Clock) -> None:
    stocked.publish.assemble()
    a_note(stocked)
    stocked.publish.approve(PERIOD, by="ann")
    later = stocked.publish.assemble(Period(2027, 1))
    assert not {p.item.id for p in later.placed if p.section} & {1, 2, 3}
