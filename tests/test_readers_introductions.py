"""Introductions: two sentences of a reader's own, read by an editor, shown in an issue, and taken back at any time."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from difflib import ndiff
from email import message_from_bytes, policy

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.errors import MoveRefused, RenderError, TokenRefused
from digest.join_choices import Choice
from digest.model import Address, Cadence, DeliveryState, Edition, Issue, IssueState, Reading, SubscriberState
from digest.render.press import Press
from digest.rules.introduce import IntroductionRefused, judged_hello
from digest.schedule import send_due
from digest.send_letters import must_be_as_approved
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import ANN, confirm_token, joins, leave_token, letter_token, manage_token, person

HELLO = {"name": "Ann", "who": "I run intake for a small city.", "looks_for": "Anybody who has moved forms off paper.",
         "link": "https://ann.example/me"}  # fmt: skip


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def says_hello(app: App, text: str = ANN, **other: str) -> None:
    app.join.introductions.say_hello(manage_token(app, text), HELLO | other)


def let_in(app: App, text: str = ANN) -> bool:
    [one] = [one for one in app.join.introductions.waiting() if one.subscriber == person(app, text).id]
    return app.join.introductions.settle(one.subscriber, shown=True, seen=one.at, by="1")


def named(issue: Issue) -> list[str]:
    return [one.name for one in issue.community.people]


def test_hello_is_read_by_an_editor_and_stands_in_the_next_issue_only(app: App) -> None:
    joins(app)
    month = web_kit.fill(app)
    says_hello(app)
    issue = app.publish.assemble(month.period)
    app.join.tidy()
    assert named(app.store.issues.get(month.period)) == [], "no editor has read it"
    assert let_in(app)
    assert named(app.store.issues.get(issue.period)) == ["Ann"]
    app.publish.approve(month.period, by="1")
    app.join.tidy()
    later = app.publish.assemble(type(month.period)(month.period.year + 1, 1))
    assert named(later) == []
    assert named(app.store.issues.get(month.period)) == ["Ann"]
    app.publish.hold(month.period, by="1")
    app.join.tidy()
    assert named(app.store.issues.get(month.period)) == ["Ann"], "an issue that is held gives it back"


@pytest.mark.parametrize("way", ["withdraws", "leaves", "is forgotten", "says something else"])
def test_it_is_taken_back_everywhere_at_once(app: App, way: str) -> None:
    joins(app)
    joins(app, "bo@example.org")
    month = web_kit.fill(app)
    says_hello(app)
    says_hello(app, "bo@example.org", name="Bo")
    assert let_in(app)
    assert let_in(app, "bo@example.org")
    web_kit.publish(app, month)
    draft = app.publish.assemble(type(month.period)(month.period.year + 1, 1)).period
    assert sorted(named(app.store.issues.get(month.period))) == ["Ann", "Bo"]
    if way == "withdraws":
        app.join.introductions.withdraw(manage_token(app))
        app.join.introductions.withdraw(manage_token(app))
        assert app.join.introductions.mine(manage_token(app)) is None
    elif way == "leaves":
        app.join.leave(leave_token(app))
    elif way == "is forgotten":
        app.join.forget(ANN)
    else:
        says_hello(app, name="Anna")
    assert named(app.store.issues.get(month.period)) == ["Bo"]
    assert "Ann" not in named(app.store.issues.get(draft))
    if way in {"withdraws", "is forgotten"}:
        app.store.backup(app.config.path("copy.db"))
        rows = app.store._db.rows("SELECT value FROM issue_community UNION ALL SELECT value FROM setting")
        assert not any("intake" in row[0] for row in rows if "Ann" in row[0])


@pytest.mark.parametrize("way", ["withdraws", "is forgotten"])
def test_the_frozen_letters_of_a_sent_issue_let_go_of_it_and_newcomers_do_not_get_it(
    app: App, clock: Clock, way: str
) -> None:
    """Whoever comes afterwards gets the newest issue, and the file holds no word of hers any more."""
    for address, language in ((ANN, "en"), ("bo@example.org", "en"), ("cy@example.org", "en+fr")):
        joins(app, address, language=language)
    app.join.choices.save(
        manage_token(app, "bo@example.org"), Choice(language="en", timezone="America/Vancouver")
    )
    month = web_kit.fill(app)
    says_hello(app)
    says_hello(app, "bo@example.org", name="Bo", who="I sit by the sea.")
    for address in (ANN, "bo@example.org"):
        assert let_in(app, address)
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")
    app.send.issue(month.period)
    issue = app.store.issues.get(month.period)
    assert issue.state is IssueState.SENT
    before = app.store.issues.editions(issue.id)
    assert {"en", "fr", "en+fr"} < set(before)
    assert all("intake" in one.text for one in before.values())
    if way == "withdraws":
        app.join.introductions.withdraw(manage_token(app))
    else:
        app.join.forget(ANN)
    app.send.notices()
    after = app.store.issues.editions(issue.id)
    assert set(after) == set(before)
    for one in after.values():
        assert "I sit by the sea." in one.text
        assert "intake" not in f"{one.text}{one.html}{one.letter!r}{one.view}"
    assert app.send.notices() == 0
    folder = app.config.path(app.config.mail.folder)
    for path in folder.glob("*.eml"):
        path.unlink()
    joins(app, "new@example.org")
    app.send.notices()
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
    [newest] = [one for one in letters if one["To"] == "new@example.org" and one["List-Unsubscribe"]]
    body = newest.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "I sit by the sea." in body
    assert "intake" not in body
    must_be_as_approved(app.store.issues.get(month.period), after)
    app.store.backup(app.config.path("copy.db"))
    if way == "is forgotten":
        assert b"intake for a small" not in app.config.path("copy.db").read_bytes()


def test_who_comes_back_within_a_day_is_shown_again(app: App) -> None:
    joins(app)
    web_kit.fill(app)
    says_hello(app)
    let_in(app)
    app.join.leave(leave_token(app))
    app.join.come_back(leave_token(app))
    app.join.tidy()
    assert named(app.publish.assemble()) == ["Ann"]


def test_words_that_changed_since_an_editor_saw_them_are_not_let_in(app: App, clock: Clock) -> None:
    joins(app)
    says_hello(app)
    [seen] = app.join.introductions.waiting()
    clock.forward(minutes=1)
    says_hello(app, who="Something else entirely.")
    assert not app.join.introductions.settle(seen.subscriber, shown=True, seen=seen.at, by="1")
    assert [one.who for one in app.join.introductions.waiting()] == ["Something else entirely."]
    [now] = app.join.introductions.waiting()
    assert app.join.introductions.settle(now.subscriber, shown=False, seen=now.at, by="1")
    assert not app.join.introductions.settle(now.subscriber, shown=True, seen=now.at, by="1")
    assert app.join.introductions.waiting() == []


def test_only_a_fresh_link_of_a_reader_says_hello(app: App) -> None:
    joins(app)
    for token in (letter_token(app), leave_token(app), confirm_token(app)):
        for act in (lambda t: app.join.introductions.say_hello(t, HELLO), app.join.introductions.withdraw):
            with pytest.raises(TokenRefused):
                act(token)
    app.join.leave(leave_token(app))
    assert person(app).state is SubscriberState.LEFT
    with pytest.raises(TokenRefused):
        app.join.introductions.say_hello(manage_token(app), HELLO)


def test_no_more_than_four_stand_in_one_issue_the_newest(app: App, clock: Clock) -> None:
    for number in range(6):
        joins(app, f"r{number}@example.org")
        says_hello(app, f"r{number}@example.org", name=f"R{number}")
        clock.forward(minutes=1)
        let_in(app, f"r{number}@example.org")
    web_kit.fill(app)
    assert named(app.publish.assemble()) == ["R5", "R4", "R3", "R2"]


def test_both_acts_are_in_the_log_and_the_words_in_ones_own_copy(app: App) -> None:
    joins(app)
    says_hello(app)
    copy = app.join.choices.dossier(manage_token(app))
    assert copy["introduction"]["who"] == HELLO["who"]
    json.dumps(copy)
    app.join.introductions.withdraw(manage_token(app))
    assert app.join.choices.dossier(manage_token(app))["introduction"] is None
    assert [line.act for line in app.store.consents.of(person(app).id)][-2:] == ["introduced", "withdrew"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "\u202e "}, "name"), ({"who": ""}, "who"), ({"looks_for": "\n\n"}, "looks_for"),
        ({"link": "javascript:alert(1)"}, "link"), ({"link": "nobody@"}, "link"), ({"link": "a b@example.org"}, "link"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_which_field(change: dict[str, str], field: str) -> None:
    with pytest.raises(IntroductionRefused) as refused:
        judged_hello(HELLO | change)
    assert refused.value.field == field


def test_a_link_may_be_an_address_or_missing_and_words_are_one_line() -> None:
    assert judged_hello(HELLO | {"link": "ann@Example.org"}).link == "mailto:ann@example.org"
    assert judged_hello(HELLO | {"link": ""}).link is None
    assert judged_hello(HELLO | {"who": "I am\r\nBcc: x\u202e " + "y" * 500}).who.startswith(
        "I am Bcc: x yyy"
    )
    assert len(judged_hello(HELLO | {"who": "y" * 500}).who) == 200


def test_what_was_approved_and_taken_back_does_not_leave(app: App, clock: Clock) -> None:
    """The page promises: gone from the site and from the next issue. The letter is frozen, so it waits for an editor."""
    joins(app)
    month = web_kit.fill(app)
    says_hello(app)
    assert let_in(app)
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")

    def told() -> str:
        return next(str(c.outcome) for c in app.publish.preflight(month.period) if c.id == "people-gone")

    assert told() == "pass"
    app.publish.schedule(month.period, by="1")
    app.join.introductions.withdraw(manage_token(app))
    assert told() == "fail"
    assert any("Ann took" in c.message_en for c in app.publish.preflight(month.period))
    clock.time = app.store.issues.get(month.period).send_at + timedelta(minutes=1)
    send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.DRAFT
    assert not any(app.store.deliveries.counts(app.store.issues.get(month.period).id).values())
    assert told() == "pass", "the draft shows those who are there"


def test_an_issue_that_shows_somebody_against_their_word_cannot_be_scheduled_nor_sent(app: App) -> None:
    joins(app)
    month = web_kit.fill(app)
    says_hello(app)
    assert let_in(app)
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")
    app.join.introductions.withdraw(manage_token(app))
    with pytest.raises(MoveRefused, match="taken back: Ann"):
        app.publish.schedule(month.period, by="1")
    with pytest.raises(MoveRefused, match="taken back: Ann"):
        app.send.issue(month.period)
    issue = app.store.issues.get(month.period)
    assert issue.state is IssueState.APPROVED
    assert {state for state, many in app.store.deliveries.counts(issue.id).items() if many} == {
        DeliveryState.QUEUED
    }


_MARKS = re.compile("[0-9a-f]{24}")


def opened(app: App, month: web_kit.Month) -> tuple[Issue, dict[str, Edition]]:
    issue = app.store.issues.get(month.period)
    return issue, app.store.issues.editions(issue.id)


@pytest.mark.parametrize("way", ["withdraws", "leaves", "is forgotten", "says something else"])
def test_what_is_taken_back_while_an_issue_leaves_is_not_in_the_rest_of_its_letters(
    app: App, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Nobody has to do anything: the run goes on with the approved letters but for the words, and the log says so."""
    monkeypatch.setattr("digest.send_run.LOOK_S", 0.0)
    for address, name in ((ANN, "Ann"), ("bo@example.org", "Bo")):
        joins(app, address)
        says_hello(app, address, name=name, who=f"{name} runs intake for a small city.")
        assert let_in(app, address)
    month, now = web_kit.fill(app), app.clock()
    choices = [
        (reading, zone) for reading in Reading for zone in ("", "America/Vancouver", "America/Halifax")
    ]
    with app.store.write():
        for number in range(180):
            reading, zone = choices[number % len(choices)]
            one = app.store.subscribers.add(
                Address(f"r{number}@example.org"), language=reading, state=SubscriberState.CONFIRMED, now=now
            )
            cadence = Cadence.QUARTERLY if number % 5 == 0 else Cadence.EVERY
            app.store.subscribers.save(replace(one, timezone=zone, cadence=cadence))
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")
    before, was = opened(app, month)
    counts: list[int] = []

    def takes_back() -> bool:
        sent = app.store.deliveries.counts(before.id)[DeliveryState.SENT]
        if sent and not counts:
            counts.append(sent)
            if way == "withdraws":
                app.join.introductions.withdraw(manage_token(app))
            elif way == "leaves":
                app.join.leave(leave_token(app))
            elif way == "is forgotten":
                app.join.forget(ANN)
            else:
                says_hello(app, name="Anna", who="Anna does something else.")
        return False

    report = app.send.issue(month.period, stop=takes_back)
    issue, letters = opened(app, month)
    assert issue.state is IssueState.SENT
    folder = app.config.path(app.config.mail.folder)
    texts = []
    for path in sorted(folder.glob("issue-*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        texts.append(letter.get_body(("plain",)).get_content())  # type: ignore[attr-defined]
    assert len(texts) == report.sent
    assert app.store.deliveries.counts(issue.id)[DeliveryState.SENT] == report.sent
    whose = [("Ann runs" in text, "Bo runs" in text) for text in texts]
    assert 0 < sum(ann for ann, _ in whose) <= counts[0] + 50, "those that were on their way"
    assert sum(bo for _, bo in whose) > 100
    assert set(letters) == set(was)
    assert any("@" in key for key in was)
    assert any("#recap@" in key for key in was), "recaps introduce people too"
    for key, one in letters.items():
        assert "Ann runs" not in f"{one.text}{one.html}{one.letter!r}{one.view}", key
        assert ("Bo runs" in one.text) == ("Bo runs" in was[key].text), key
        then, anew = (_MARKS.sub("*", each.text).splitlines() for each in (was[key], one))
        assert not [line for line in ndiff(then, anew) if line.startswith("+ ")], key
    must_be_as_approved(issue, letters)
    [left_out] = [edit for edit in app.store.issues.edits(issue.id) if edit.act == "leave out"]
    assert left_out.detail == {"count": 1, "was": before.hash, "hash": issue.hash}


def test_an_issue_waits_for_a_person_when_words_taken_back_cannot_be_taken_out(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    joins(app)
    month = web_kit.fill(app)
    says_hello(app)
    assert let_in(app)
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")
    with app.store.write():
        app.store.issues.move(
            app.store.issues.get(month.period).id, from_={IssueState.APPROVED}, to=IssueState.SENDING,
            sending_since=app.clock(),
        )  # fmt: skip
    app.join.introductions.withdraw(manage_token(app))

    def fails(*_: object, **__: object) -> Edition:
        raise RenderError("a template that an operator broke")

    with monkeypatch.context() as broken:
        broken.setattr(Press, "of_views", fails)
        report = app.send.issue(month.period)
    assert report.state is IssueState.PAUSED
    assert not report.sent
    assert "could not be made anew" in str(report.reason)
    report = app.send.issue(month.period)
    assert (report.state, report.sent) == (IssueState.SENT, 6)
    assert all("intake" not in one.text for one in opened(app, month)[1].values())
