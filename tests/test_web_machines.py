"""What machines may read, and from where; and what the desk says of the pace."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from digest.app import App
from digest.model import DeliveryState, IssueState, LearnedPace, PauseReason
from digest.store.sqlite.columns import micros
from digest.web import create_web
from tests import web_kit

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def client(app: App) -> FlaskClient:
    return create_web(app).test_client()


@pytest.mark.parametrize(
    ("headers", "environ"),
    [({}, ELSEWHERE), ({"X-Forwarded-For": "192.0.2.7"}, {}), ({"Authorization": "Bearer wrong"}, ELSEWHERE)],
)
def test_numbers_are_for_this_machine_alone(
    client: FlaskClient, headers: dict[str, str], environ: dict[str, str]
) -> None:
    assert client.get("/metrics", headers=headers, environ_overrides=environ).status_code == 404


def test_who_shows_the_token_reads_them_from_elsewhere(app: App, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    web = app.config.web.model_copy(update={"metrics_token_file": token})
    made = create_web(replace(app, config=app.config.model_copy(update={"web": web})))
    shown = {"Authorization": "Bearer s3cret"}
    assert made.test_client().get("/metrics", headers=shown, environ_overrides=ELSEWHERE).status_code == 200
    wrong = {"Authorization": "Bearer "}
    assert made.test_client().get("/metrics", headers=wrong, environ_overrides=ELSEWHERE).status_code == 404


def test_numbers_tell_of_pace_and_rest_and_name_nobody(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    now = app.clock()
    with app.store.write():
        app.store.paces.keep([
            LearnedPace(kind="domain", name="stern.example", rate=2.5, width=1, at=now, words="550 5.7.1 no",
                        rests_until=now + timedelta(hours=1)),
            LearnedPace(kind="relay", name="house", rate=0, width=3, at=now),
        ])  # fmt: skip
    body = client.get("/metrics").text
    assert "digest_letters_sent_total 5" in body
    assert "# TYPE digest_letters_sent_total counter" in body
    assert 'digest_pace_rate{kind="domain",name="stern.example"} 2.5' in body
    assert 'digest_resting{kind="domain",name="stern.example"} 1' in body
    assert 'name="house"' not in body, "no limit, no rest"
    assert "@" not in body
    for line in body.splitlines():
        assert line.startswith("#") or line.rpartition(" ")[2].replace(".", "").isdigit()


def test_the_desk_tells_the_pace_and_the_time_left(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    period = month.period
    app.publish.approve(period, by="test")
    issue = app.store.issues.get(period)
    with app.store.write():
        app.store.issues.move(
            issue.id, from_={IssueState.APPROVED}, to=IssueState.SENDING, sending_since=app.clock()
        )
        run = app.store.deliveries.begin_run(issue.id, now=app.clock() - timedelta(seconds=30), lease_s=300)
        app.store.paces.note_progress(run, total=600, done=120, now=app.clock())
    desk = web_kit.signed_in(app, create_web(app))
    assert "240 letters a minute; about 2 min left" in web_kit.read(desk, f"/desk/issues/{period}/sending")
    assert "encore 2\u00a0min environ" in web_kit.read(desk, f"/fr/desk/issues/{period}/sending")


def test_when_all_is_put_off_desk_command_and_numbers_say_until_when(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    period = month.period
    app.publish.approve(period, by="test")
    issue = app.store.issues.get(period)
    with app.store.write():
        app.store.issues.move(
            issue.id, from_={IssueState.APPROVED}, to=IssueState.SENDING,
            sending_since=app.clock() - timedelta(hours=1),
        )  # fmt: skip
        due = micros(app.clock() + timedelta(minutes=30))
        app.store._db.change(
            "UPDATE delivery SET state = 'deferred', not_before = :due, code = 450", {"due": due}
        )
    count = app.store.deliveries.counts(issue.id)[DeliveryState.DEFERRED]
    desk = web_kit.signed_in(app, create_web(app))
    page = web_kit.read(desk, f"/desk/issues/{period}/sending")
    assert f"{count} letters were put off by their mail servers; the first is tried again at" in page
    assert "Nobody is sending just now" not in page, "it is not stalled, it waits"
    assert "remises à plus tard" in web_kit.read(desk, f"/fr/desk/issues/{period}/sending")
    assert f'digest_next_try_seconds{{issue="{period}"}} 1800' in client.get("/metrics").text


def test_numbers_say_that_an_issue_is_paused_and_why(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    app.publish.approve(month.period, by="test")
    issue = app.store.issues.get(month.period)
    with app.store.write():
        app.store.issues.move(
            issue.id, from_={IssueState.APPROVED}, to=IssueState.PAUSED, pause_reason=PauseReason("login", {})
        )
    assert f'digest_paused{{issue="{month.period}",reason="login"}} 1' in client.get("/metrics").text
