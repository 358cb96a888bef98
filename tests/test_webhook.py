"""The webhook: told what editors are told, signed, tried again, in Slack's blocks where Slack listens; never of a reader."""

import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from digest import schedule
from digest.app import App, open_app
from digest.config import Config
from digest.errors import ConfigError
from digest.model import EventStatus, Language, NoticeKind
from digest.render import blocks
from digest.schedule_reminders import remind
from digest.send_calls import signature
from tests import web_kit
from tests.conftest import Clock
from tests.http_kit import Site, answer, in_turn, raw, serving

SECRET = "a secret of the operator"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


@pytest.fixture
def heard(site: Site) -> list[tuple[dict[str, str], bytes]]:
    """Every call that was taken, headers and body."""
    found: list[tuple[dict[str, str], bytes]] = []

    def script(asked: Any, connection: Any) -> None:
        body = asked.body
        while len(body) < int(asked.headers["content-length"]):
            body += connection.recv(65_536)
        found.append((asked.headers, body))
        answer(b"ok")(asked, connection)

    site.pages["/hook"] = script
    return found


@pytest.fixture
def make_app(
    make_config: Callable[[str], Config], clock: Clock, site: Site, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., App]]:
    opened: list[App] = []

    def make(more: str = "", *, path: str = "/hook") -> App:
        monkeypatch.setenv("DIGEST_WEBHOOK__SECRET", SECRET)
        config = make_config(f'{web_kit.SOURCES}[webhook]\nurl = "{site.url(path)}"\n{more}')
        opened.append(open_app(config, clock=clock))
        return opened[-1]

    yield make
    for app in opened:
        app.close()


def test_a_reminder_is_posted_signed_with_its_hour(
    make_app: Callable[..., App], heard: list[tuple[dict[str, str], bytes]], clock: Clock
) -> None:
    app = make_app()
    app.publish.assemble(web_kit.fill(app).period)
    remind(app)
    assert heard == []
    assert app.calls.all_due() == 1
    [(headers, body)] = heard
    told = json.loads(body)
    assert told["kind"] == "draft-ready"
    assert told["url"] == f"{web_kit.URL}/desk/"
    stamp = headers["digest-timestamp"]
    assert abs(int(stamp) - clock().timestamp()) < 2
    wanted = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
    assert headers["digest-signature"] == f"v1={wanted}"
    assert "@" not in body.decode()
    assert app.calls.all_due() == 0


def test_a_call_that_fails_is_tried_again_later_and_given_up_after_two_days(
    make_app: Callable[..., App], site: Site, heard: list[tuple[dict[str, str], bytes]], clock: Clock
) -> None:
    app = make_app()
    site.pages["/hook"] = in_turn(
        answer(status=500), raw(b"HTTP/1.1 302 Found\r\nLocation: /else\r\n\r\n"), site.pages["/hook"]
    )  # type: ignore[arg-type]
    app.publish.assemble(web_kit.fill(app).period)
    remind(app)
    assert [app.calls.all_due() for _ in range(3)] == [0, 0, 0]
    assert len(site.asked) == 1
    clock.forward(minutes=1)
    app.calls.all_due()
    clock.forward(minutes=1)
    app.calls.all_due()
    assert len(site.asked) == 2
    clock.forward(minutes=1)
    assert app.calls.all_due() == 1
    site.pages["/hook"] = answer(status=503)
    with app.store.write():
        app.store.calls.queue("draft-ready", payload="{}", now=clock())
    for _ in range(60):
        app.calls.all_due()
        clock.forward(hours=1)
    tries = len(site.asked)
    app.calls.all_due()
    assert len(site.asked) == tries


def test_a_private_address_is_refused_unless_the_operator_allows_it(
    make_config: Callable[[str], Config], clock: Clock, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_WEBHOOK__SECRET", SECRET)
    monkeypatch.setenv("DIGEST_COLLECT__ALLOW_PRIVATE", "[]")
    config = make_config(f'[webhook]\nurl = "{site.url("/hook")}"\n')
    with open_app(config, clock=clock) as app:
        with app.store.write():
            app.store.calls.queue("draft-ready", payload="{}", now=clock())
        assert app.calls.all_due() == 0
    assert site.asked == []


def test_an_issue_that_was_sent_is_posted_once(
    make_app: Callable[..., App], heard: list[tuple[dict[str, str], bytes]], clock: Clock
) -> None:
    app = make_app()
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    for _ in range(3):
        remind(app)
        app.calls.all_due()
    [told] = [json.loads(body) for headers, body in heard if headers["digest-kind"] == "sent"]
    assert told["url"] == f"{web_kit.URL}/issues/{month.period}"
    titles = {item["title"] for section in told["sections"] for item in section["items"]}
    issue = app.store.issues.get(month.period)
    assert {" ".join(title.split()) for title in titles} == {p.item.title for p in issue.placed if p.section}


def test_an_issue_sent_long_before_there_was_a_webhook_is_old_news(
    make_app: Callable[..., App], heard: list[tuple[dict[str, str], bytes]], clock: Clock
) -> None:
    app = make_app()
    web_kit.publish(app, web_kit.fill(app))
    clock.forward(days=3)
    remind(app)
    app.calls.all_due()
    assert not [headers for headers, _ in heard if headers["digest-kind"] == "sent"]


def test_slack_gets_blocks_within_its_limits_and_no_markup_of_a_source(
    make_app: Callable[..., App], heard: list[tuple[dict[str, str], bytes]]
) -> None:
    app = make_app('format = "slack"\n')
    month = web_kit.fill(app)
    source = app.store.sources.all()[0].id
    with app.store.write():
        for number in range(40):
            title = f"<!channel> *{number}* <https://evil.example|click> & " + "long " * 40
            app.store.items.add(web_kit.post(title, now=app.clock()), source=source, now=app.clock())
    app.publish.assemble(month.period)
    for placed in app.store.issues.get(month.period).section(None):
        app.publish.keep(month.period, placed.item.id, by="1")
    made = json.loads(blocks.sent(app.store.issues.get(month.period), app.config))
    assert len(made["blocks"]) <= 50
    assert made["blocks"][0]["type"] == "header"
    for block in made["blocks"]:
        text = block.get("text", {}).get("text", "")
        assert len(text) <= (150 if block["type"] == "header" else 3_000)
    whole = json.dumps(made)
    assert "<!channel>" not in whole
    assert "<https://evil.example" not in whole
    assert "&lt;!channel&gt;" in whole
    remind(app)
    app.calls.all_due()
    assert json.loads(heard[0][1])["blocks"][0]["type"] == "section"


def test_json_without_a_secret_is_refused_and_slacks_own_address_needs_none(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with pytest.raises(ConfigError, match="secret"):
        open_app(make_config('[webhook]\nurl = "https://hook.example.org/x"\n'), clock=clock)
    with open_app(
        make_config('[webhook]\nurl = "https://hooks.slack.com/services/T/B/x"\n'), clock=clock
    ) as app:
        assert app.config.webhook.is_slack
    with pytest.raises(ConfigError, match="DIGEST_WEBHOOK__SECRET"):
        make_config('[webhook]\nurl = "https://hook.example.org/x"\nsecret = "x"\n')


def test_the_signature_is_what_a_receiver_computes() -> None:
    assert signature(b"k", "1", b"{}") == "v1=" + hmac.new(b"k", b"1.{}", sha256).hexdigest()


@pytest.mark.parametrize("approved", [False, True])
def test_an_event_that_moves_is_told_once_in_a_draft_and_in_an_approved_issue(
    make_app: Callable[..., App], clock: Clock, *, approved: bool
) -> None:
    app = make_app()
    period = web_kit.fill(app).period
    issue = app.publish.assemble(period)
    if approved:
        app.publish.approve(period, by="1")
    remind(app)
    event = issue.section("coming-up")[0].item
    assert event.occasion is not None
    with app.store.write():
        for notice in app.store.notices.claim(count=99, now=clock(), lease_s=60):
            app.store.notices.settle(notice.id, state="sent", now=clock())
        off = replace(event.occasion, status=EventStatus.CANCELLED)
        app.store.items.changed_at_source(
            event.id, replace(web_kit.restated(event), occasion=off), now=clock()
        )
    remind(app)
    remind(app)
    with app.store.write():
        told = app.store.notices.claim(count=99, now=clock(), lease_s=60)
    assert [one.kind for one in told] == [NoticeKind.EVENT_MOVED] * 2  # one approver, one editor
    for one in told:
        page, about = (one.secret or "").split("\n")
        assert page == f"issues/{period}/"
        month, said = (
            ("décembre 2026", "annulé") if one.language is Language.FR else ("December 2026", "called off")
        )
        assert about.startswith(f"{event.title} ({month})")
        assert said in about
    clock.forward(minutes=1)
    assert schedule.departure(app.store.issues.get(period), now=clock() - timedelta(days=1)) == "wait"
