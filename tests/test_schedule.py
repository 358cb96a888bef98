"""The metronome: what is due is done once, what was missed is caught up, and nothing unapproved ever leaves."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.errors import ErrorKind, MoveRefused, SourceError
from digest.model import DeliveryState, Issue, IssueId, IssueState, NoticeKind, Period
from digest.rules.plan import failed
from digest.rules.preflight_items import over
from digest.schedule import GRACE, Metronome, departure, gather, tick
from digest.send_canary import AHEAD
from tests.conftest import Clock
from tests.operator_kit import Community, community

DECEMBER = Period(2026, 12)
SEND_AT = datetime(2026, 12, 1, 14, tzinfo=UTC)  # 9:00 in Toronto
ASSEMBLE_AT = datetime(2026, 11, 24, 11, tzinfo=UTC)  # 6:00 in Toronto


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Community]:
    clock = Clock(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    with community(tmp_path, clock=clock) as made:
        yield made


def at(here: Community, moment: datetime) -> None:
    clock = here.app.clock
    assert isinstance(clock, Clock)
    clock.time = moment


def leaves(here: Community) -> None:
    """Its hour has come, and the minutes in which approvers may stop it have gone by."""
    tick(here.app)
    assert here.issues() == []
    at(here, here.app.clock() + AHEAD)
    tick(here.app)


def states(here: Community) -> dict[str, str]:
    return {str(issue.period): str(issue.state) for issue in here.app.store.issues.all()}


def drafted(here: Community) -> None:
    at(here, ASSEMBLE_AT + timedelta(minutes=1))
    here.join(4)
    tick(here.app)
    assert states(here)["2026-12"] == "draft"


def test_a_new_installation_collects_and_has_a_draft_at_once(here: Community) -> None:
    tick(here.app)
    assert states(here) == {"2026-11": "draft"}
    assert here.app.store.issues.get(Period(2026, 11)).section("worth-reading")


def test_no_month_is_drafted_behind_one_that_exists(here: Community) -> None:
    here.app.collect.visit(every=True)
    here.app.publish.assemble(DECEMBER)
    tick(here.app)
    assert states(here) == {"2026-12": "draft"}
    assert here.app.store.ticks.done("assemble", "2026-11")
    at(here, ASSEMBLE_AT + timedelta(days=30, hours=5))
    tick(here.app)
    assert states(here)["2027-01"] == "draft"


def test_an_early_draft_of_a_far_month_holds_up_no_month_before_it(here: Community) -> None:
    here.app.collect.visit(every=True)
    here.app.publish.assemble(Period(2027, 3))
    for month, day in ((DECEMBER, ASSEMBLE_AT), (Period(2027, 1), ASSEMBLE_AT + timedelta(days=30, hours=1))):
        at(here, day)
        tick(here.app)
        assert states(here)[str(month)] == "draft"
        assert here.app.store.issues.get(month).section("worth-reading") or month != DECEMBER
    assert sorted(states(here)) == ["2026-12", "2027-01", "2027-03"]
    numbers = {str(issue.period): issue.number for issue in here.app.store.issues.all()}
    assert numbers == {"2026-12": 1, "2027-01": 2, "2027-03": 3}


def test_no_draft_is_made_while_no_source_has_answered(here: Community) -> None:
    here.site.close()
    tick(here.app)
    assert states(here) == {}


def test_the_draft_of_the_next_month_appears_at_its_hour_and_once(here: Community) -> None:
    at(here, ASSEMBLE_AT - timedelta(minutes=1))
    tick(here.app)
    assert "2026-12" not in states(here)
    at(here, ASSEMBLE_AT)
    tick(here.app)
    first = here.app.store.issues.get(DECEMBER)
    tick(here.app)
    assert here.app.store.issues.get(DECEMBER) == first


def test_every_source_is_visited_once_more_just_before_the_draft_is_made(here: Community) -> None:
    at(here, ASSEMBLE_AT - timedelta(minutes=1))
    tick(here.app)
    here.site.publish_late()
    at(here, ASSEMBLE_AT)
    tick(here.app)
    placed = [p for p in here.app.store.issues.get(DECEMBER).placed if "roadmap" in p.item.title]
    assert placed
    assert not any(p.arrived_late for p in placed)


def test_a_server_that_asked_us_to_wait_is_left_alone_even_then(here: Community) -> None:
    at(here, ASSEMBLE_AT - timedelta(minutes=1))
    tick(here.app)
    sources = here.app.store.sources
    one, other = sources.all()[:2]
    wait = SourceError(ErrorKind.RATE_LIMITED, "Later.", retry_after_s=3_600)
    with here.app.store.write():
        sources.remember(failed(one, wait, now=here.app.clock()))
    before = [len(sources.visits(source.id, limit=100)) for source in (one, other)]
    at(here, ASSEMBLE_AT)
    tick(here.app)
    assert states(here)["2026-12"] == "draft"
    after = [len(sources.visits(source.id, limit=100)) for source in (one, other)]
    assert after == [before[0], before[1] + 1]


def test_a_missed_hour_is_caught_up(here: Community) -> None:
    at(here, ASSEMBLE_AT + timedelta(days=3, hours=5))
    tick(here.app)
    assert states(here)["2026-12"] == "draft"


def test_a_tick_that_comes_twice_visits_once(here: Community) -> None:
    tick(here.app)
    source = here.app.store.sources.all()[0]
    before = len(here.app.store.sources.visits(source.id, limit=100))
    tick(here.app)
    assert len(here.app.store.sources.visits(source.id, limit=100)) == before


def test_news_reaches_the_bench_of_the_draft_and_not_the_draft(here: Community) -> None:
    drafted(here)
    before = here.app.store.issues.get(DECEMBER)
    here.site.publish_late()
    at(here, ASSEMBLE_AT + timedelta(days=2))
    tick(here.app)
    after = here.app.store.issues.get(DECEMBER)
    assert {p.item.id for p in after.placed if p.section} == {p.item.id for p in before.placed if p.section}
    assert any(p.arrived_late and "roadmap" in p.item.title for p in after.section(None))


def test_what_nobody_approved_does_not_leave(here: Community) -> None:
    drafted(here)
    for hours in (0, 1, 20, 24 * 20):
        at(here, SEND_AT + timedelta(hours=hours))
        tick(here.app)
    assert states(here)["2026-12"] == "draft"
    assert here.issues() == []


def test_what_was_approved_in_time_leaves_at_its_hour_and_once(here: Community) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    at(here, SEND_AT - timedelta(seconds=1))
    tick(here.app)
    assert here.issues() == []
    at(here, SEND_AT)
    leaves(here)
    tick(here.app)
    assert len(here.issues()) == 4
    assert states(here)["2026-12"] == "sent"


def test_after_a_short_absence_it_leaves_late(here: Community) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    at(here, SEND_AT + timedelta(hours=3))
    leaves(here)
    assert states(here)["2026-12"] == "sent"


@pytest.mark.parametrize("away", [timedelta(hours=13), timedelta(days=3), timedelta(weeks=5)])
def test_after_a_long_absence_it_is_a_draft_again(here: Community, away: timedelta) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    at(here, SEND_AT + away)
    tick(here.app)
    assert states(here)["2026-12"] == "draft"
    assert here.issues() == []
    assert here.app.store.notices.last_queued(NoticeKind.NOT_SENT, editor=here.app.store.editors.all()[0].id)


def test_an_event_that_ended_before_the_letter_left_puts_the_issue_back(here: Community) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    first = min(placed.item.occasion.ends for placed in here.app.store.issues.get(DECEMBER).section("coming-up")
                if placed.item.occasion and placed.item.occasion.ends)  # fmt: skip
    here.app.publish.schedule(DECEMBER, at=first - timedelta(hours=1), by="test")
    at(here, first + timedelta(hours=1))
    tick(here.app)
    assert states(here)["2026-12"] == "draft"
    assert here.issues() == []
    assert here.app.store.notices.last_queued(NoticeKind.NOT_SENT, editor=here.app.store.editors.all()[0].id)
    tick(here.app)
    assert [edit.act for edit in here.app.store.issues.edits(here.app.store.issues.get(DECEMBER).id)].count(
        "hold"
    ) == 1


def test_what_was_approved_after_its_date_waits_for_a_person(here: Community) -> None:
    drafted(here)
    at(here, SEND_AT + timedelta(hours=1))
    here.app.publish.approve(DECEMBER, by="test")
    tick(here.app)
    assert states(here)["2026-12"] == "approved"
    here.app.send.issue(DECEMBER)
    assert len(here.issues()) == 4


def test_what_a_person_scheduled_late_leaves_then(here: Community) -> None:
    drafted(here)
    at(here, SEND_AT + timedelta(days=2))
    for placed in over(here.app.store.issues.get(DECEMBER), here.app.clock()):
        here.app.publish.cut(DECEMBER, placed.item.id, by="test")
    here.app.publish.approve(DECEMBER, by="test")
    here.app.publish.schedule(DECEMBER, by="test")
    at(here, SEND_AT + timedelta(days=2, minutes=11))
    leaves(here)
    assert states(here)["2026-12"] == "sent"


@pytest.mark.parametrize("days", [-365, -1, 366])
def test_a_day_gone_by_or_a_year_away_is_asked_again(here: Community, days: int) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    with pytest.raises(MoveRefused, match="past" if days < 0 else "more than a year"):
        here.app.publish.schedule(DECEMBER, at=here.app.clock() + timedelta(days=days), by="test")
    held = here.app.store.issues.get(DECEMBER)
    assert (held.state, held.send_at) == (IssueState.APPROVED, SEND_AT)


def test_a_later_day_is_refused_while_the_letter_announces_what_is_over_then(here: Community) -> None:
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    later = SEND_AT + timedelta(days=20)
    first = over(here.app.store.issues.get(DECEMBER), later)[0].item
    with pytest.raises(MoveRefused, match="Hold the issue, take it out") as refused:
        here.app.publish.schedule(DECEMBER, at=later, by="test")
    assert first.title[:60] in str(refused.value)
    here.app.publish.hold(DECEMBER, by="test")
    for placed in over(here.app.store.issues.get(DECEMBER), later):
        here.app.publish.cut(DECEMBER, placed.item.id, by="test")
    here.app.publish.approve(DECEMBER, by="test")
    assert here.app.publish.schedule(DECEMBER, at=later, by="test").send_at == later


def test_holding_gives_the_issue_its_own_day_back(here: Community) -> None:
    drafted(here)
    for _ in range(2):
        here.app.publish.approve(DECEMBER, by="test")
        for hours in (2, 1):
            at_ = SEND_AT - timedelta(hours=hours)
            assert here.app.publish.schedule(DECEMBER, at=at_, by="test").send_at == at_
        assert here.app.publish.hold(DECEMBER, by="test").send_at == SEND_AT


def test_only_one_process_ticks(here: Community) -> None:
    assert tick(here.app, owner="one")
    assert not tick(here.app, owner="two")
    at(here, here.app.clock() + timedelta(minutes=2))
    assert tick(here.app, owner="two")


def test_who_never_confirmed_is_deleted_once_a_day(here: Community) -> None:
    here.app.join.add("slow@example.org", basis="implied", origin="a test")
    at(here, here.app.clock() + timedelta(days=8))
    tick(here.app)
    assert sum(here.app.store.subscribers.stats().by_state.values()) == 0


def test_a_failing_act_stops_no_other(here: Community, caplog: pytest.LogCaptureFixture) -> None:
    """The clockwork goes on after a fault of ours, and says so."""
    here.app.join.add("slow@example.org", basis="implied", origin="a test")
    here.app.publish.assemble = None  # type: ignore[method-assign, assignment]
    beating = Metronome(here.app)
    beating.start()
    try:
        wait_for(lambda: len(here.letters()) == 1)
        wait_for(lambda: "fault of digest itself" in caplog.text)
    finally:
        beating.stop()


def test_the_clockwork_beats_by_itself_and_gives_the_lease_back(here: Community) -> None:
    beating = Metronome(here.app)
    beating.start()
    wait_for(lambda: bool(states(here)))
    beating.stop()
    assert tick(here.app, owner="somebody else")


def wait_for(happens: object, *, timeout_s: float = 20) -> None:
    until = time.monotonic() + timeout_s
    while not happens():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.05)


def issue(state: IssueState, *, approved_at: datetime | None = None) -> Issue:
    long_ago = SEND_AT - timedelta(days=30)
    return Issue(
        id=IssueId(1), period=DECEMBER, number=1, state=state, since=long_ago, until=long_ago, send_at=SEND_AT, revision=0,
        approved_at=approved_at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "approved", "now", "verdict"),
    [
        (IssueState.DRAFT, None, SEND_AT, "wait"),
        (IssueState.APPROVED, SEND_AT, SEND_AT, "go"),
        (IssueState.APPROVED, SEND_AT + timedelta(seconds=1), SEND_AT + timedelta(days=9), "wait"),
        (IssueState.APPROVED, SEND_AT, SEND_AT + GRACE, "go"),
        (IssueState.APPROVED, SEND_AT, SEND_AT + GRACE + timedelta(seconds=1), "too late"),
        (IssueState.SCHEDULED, SEND_AT, SEND_AT - timedelta(seconds=1), "wait"),
        (IssueState.SCHEDULED, SEND_AT, SEND_AT + GRACE + timedelta(seconds=1), "too late"),
        (IssueState.SENDING, SEND_AT, SEND_AT + timedelta(days=9), "go"),
        (IssueState.PAUSED, SEND_AT, SEND_AT, "wait"),
        (IssueState.SENT, SEND_AT, SEND_AT, "wait"),
    ],
)
def test_when_an_issue_leaves_by_itself(
    state: IssueState, approved: datetime | None, now: datetime, verdict: str
) -> None:
    assert departure(issue(state, approved_at=approved), now=now) == verdict


def test_a_sending_issue_goes_on_after_a_crash(here: Community) -> None:
    """A run that died left rows claimed; the next tick takes them up."""
    drafted(here)
    here.app.publish.approve(DECEMBER, by="test")
    found = here.app.store.issues.get(DECEMBER)
    with here.app.store.write():
        here.app.store.issues.move(
            found.id, from_={IssueState.APPROVED}, to=IssueState.SENDING, sending_since=here.app.clock()
        )
        run = here.app.store.deliveries.begin_run(found.id, now=here.app.clock(), lease_s=60)
        here.app.store.deliveries.claim(run, count=2, now=here.app.clock())
    gather(here.app)
    tick(here.app)
    assert len(here.issues()) == 4
    assert here.app.store.deliveries.counts(found.id)[DeliveryState.SENT] == 4
