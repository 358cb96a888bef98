"""Editors hear of it when sending stops by itself or a domain refuses us: once, in their language, and no reader does."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from digest.app import App
from digest.model import IssueState, LearnedPace, NoticeKind, PauseReason
from digest.schedule import send_due
from digest.schedule_alerts import alert
from tests import web_kit
from tests.conftest import Clock


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def told(app: App) -> list[tuple[str, int]]:
    rows = app.store._db.rows(
        "SELECT kind, count(*) AS n, count(subscriber) AS readers FROM notice GROUP BY kind"
    )
    assert not any(row["readers"] for row in rows)
    return [(row["kind"], row["n"]) for row in rows]


def pause(app: App, month: web_kit.Month, *, by: str) -> None:
    issue = app.store.issues.get(month.period)
    if issue.state is IssueState.DRAFT:
        issue = app.publish.approve(month.period, by="1")
    with app.store.write():
        app.store.issues.move(
            issue.id,
            from_={issue.state},
            to=IssueState.PAUSED,
            pause_reason=PauseReason("other", {"said": "535 wrong password"}),
        )
        app.store.issues.log(issue.id, editor=by, act="pause", detail={}, at=app.clock())


def test_a_pause_of_digests_own_is_told_once_and_a_persons_is_not(app: App, month: web_kit.Month) -> None:
    pause(app, month, by="1")
    assert alert(app) == 0
    pause(app, month, by="digest")
    assert (alert(app), alert(app)) == (1, 0)
    assert told(app) == [(NoticeKind.SENDING_HELD, 2)], "an approver and an editor; contributors are spared"
    pause(app, month, by="digest")
    assert alert(app) == 1, "stopped anew"


def test_a_domain_that_refuses_us_is_told_once_a_day(app: App, month: web_kit.Month) -> None:
    with app.store.write():
        app.store.paces.keep([
            LearnedPace(kind="domain", name="stern.example", rate=0, width=0, at=app.clock(), words="550 5.7.1 no",
                        rests_until=app.clock() + timedelta(hours=1)),
            LearnedPace(kind="domain", name="slow.example", rate=1, width=1, at=app.clock()),
        ])  # fmt: skip
    assert (alert(app), alert(app)) == (1, 0)
    assert told(app) == [(NoticeKind.DOMAIN_REFUSES, 2)]
    app.send.notices()
    letters = [path.read_text() for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    assert len(letters) == 2
    assert any("Un domaine nous refuse" in letter for letter in letters)


class TestHours:
    """The metronome and [mail] window."""

    @pytest.fixture
    def settings(self) -> str:
        return f'[mail]\nwindow = "tue 10:00-11:00"\n{web_kit.SOURCES}'

    def test_an_issue_that_falls_due_outside_its_hours_begins_and_leaves_in_them(
        self, app: App, month: web_kit.Month, clock: Clock
    ) -> None:
        issue = app.publish.approve(month.period, by="test")
        clock.time = issue.send_at
        send_due(app)
        begun = app.store.issues.get(month.period)
        opens = app.send.rests_until(begun)
        assert (begun.state, opens is not None) == (IssueState.SENDING, True)
        assert opens is not None
        clock.time = opens - timedelta(minutes=1)
        send_due(app)
        assert app.store.issues.get(month.period).state is IssueState.SENDING
        clock.time = opens
        send_due(app)
        assert app.store.issues.get(month.period).state is IssueState.SENT
        assert opens.astimezone(ZoneInfo("America/Toronto")).strftime("%a %H:%M") == "Tue 10:00"
