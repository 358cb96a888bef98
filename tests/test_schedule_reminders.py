"""Reminders to editors: once each, in their language, none about an issue that was approved, none to readers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.app import App
from digest.model import NoticeKind
from digest.schedule_reminders import remind, reminders
from tests import web_kit
from tests.conftest import Clock


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def letters(app: App) -> list[tuple[NoticeKind, str]]:
    with app.store.write():
        found = app.store.notices.claim(count=100, now=app.clock(), lease_s=60)
        for notice in found:
            app.store.notices.settle(notice.id, state="sent", now=app.clock())
    return [(notice.kind, notice.address.reveal()) for notice in found]


def test_a_draft_is_announced_once_to_editors_and_approvers(app: App) -> None:
    app.publish.assemble(web_kit.fill(app).period)
    remind(app)
    remind(app)
    assert sorted(letters(app)) == [
        (NoticeKind.DRAFT_READY, "dana@example.org"), (NoticeKind.DRAFT_READY, "emile@example.org"),
    ]  # fmt: skip


def test_three_days_one_day_and_the_day_itself_are_said_once_each(app: App, clock: Clock) -> None:
    issue = app.publish.assemble(web_kit.fill(app).period)
    said = []
    clock.time = issue.send_at - timedelta(days=4)
    while clock() < issue.send_at + timedelta(days=4):
        remind(app)
        said += [kind for kind, address in letters(app) if address == "dana@example.org"]
        clock.forward(hours=5)
    assert said == [
        NoticeKind.DRAFT_READY,
        NoticeKind.DUE_SOON,
        NoticeKind.DUE_TOMORROW,
        NoticeKind.DUE_TODAY,
    ]


def test_a_clock_that_stood_still_says_the_nearest_only(app: App, clock: Clock) -> None:
    issue = app.publish.assemble(web_kit.fill(app).period)
    clock.time = issue.send_at - timedelta(hours=20)
    remind(app)
    assert {kind for kind, _ in letters(app)} <= {NoticeKind.DUE_TOMORROW, NoticeKind.DUE_TODAY}
    assert len(reminders(issue, now=clock(), zone="America/Toronto")) >= 3


def test_an_approved_issue_reminds_nobody(app: App, clock: Clock) -> None:
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    issue = app.publish.approve(month.period, by="test")
    clock.time = issue.send_at - timedelta(hours=2)
    assert remind(app) == 0
    assert letters(app) == []


def test_a_source_silent_for_a_day_is_told_once_until_it_fails_anew(app: App, clock: Clock) -> None:
    source = app.store.sources.get("Harbour City")

    def fail(since: timedelta) -> None:
        with app.store.write():
            app.store.sources.remember(replace(source, fail_count=3, failing_since=clock() - since))

    fail(timedelta(hours=23))
    assert remind(app) == 0
    fail(timedelta(hours=25))
    assert (remind(app), remind(app)) == (1, 0)
    assert {kind for kind, _ in letters(app)} == {NoticeKind.SOURCES_SILENT}
    clock.forward(days=3)
    fail(timedelta(hours=30))
    assert remind(app) == 1


def test_a_reminder_reads_in_the_editors_language_and_leads_to_the_desk(app: App) -> None:
    app.publish.assemble(web_kit.fill(app).period)
    remind(app)
    app.send.notices()
    found = sorted(path.read_bytes() for path in app.config.path(app.config.mail.folder).glob("*.eml"))
    french = next(letter for letter in found if b"emile@example.org" in letter)
    english = next(letter for letter in found if b"dana@example.org" in letter)
    assert b"https://digest.example.org/desk/" in english
    assert b"Ouvrir le pupitre" in french
    assert b"Open the desk" in english
    assert b"config.toml" not in english


def test_a_source_that_is_gone_is_told_at_once(app: App) -> None:
    web_kit.fill(app)
    source = app.store.sources.get("Harbour City")
    with app.store.write():
        app.store.sources.remember(
            replace(source, fail_count=1, failing_since=app.clock(), last_error_kind="gone", paused=True)
        )
    remind(app)
    remind(app)
    assert [kind for kind, _ in letters(app)] == [NoticeKind.SOURCES_SILENT] * 2, "one each for two editors"
