"""The desk without a browser: signing in, moving items, losing no words, approving what was seen, sending."""

import re
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from digest import schedule
from digest.app import App
from digest.model import Address, IssueState, ItemId, Language, NoticeKind, PauseReason
from digest.render import dates
from digest.rules.assemble import SECTIONS
from digest.words import Words
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import URL, press, read, sign_in_link, signed_in

NO_RELAY = PauseReason("unreachable", {"relay": "mx.example.org port 587", "why": "econnrefused"})


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def titles(app: App, month: web_kit.Month, section: str | None) -> list[str]:
    return [placed.item.title for placed in app.store.issues.get(month.period).section(section)]


# --- the door ----------------------------------------------------------------------------------------------------


def test_opening_a_sign_in_link_signs_nobody_in_and_a_press_does_so_once(app: App, web: Flask) -> None:
    link = sign_in_link(app)
    scanner, first, second = (web.test_client() for _ in range(3))
    for _ in range(20):
        assert "Sign me in" in read(scanner, link.removeprefix(URL))
    assert "Mail me a link" in read(scanner, "/desk/")
    answer = first.post(link.removeprefix(URL), base_url=URL)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie
    assert cookie.startswith("__Host-desk=")
    assert second.post(link.removeprefix(URL), base_url=URL).status_code == 410
    assert "Sign out" in read(first, "/desk/")
    assert "Mail me a link" in read(second, "/desk/")


def test_the_store_never_holds_the_secret_of_a_session(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    cookie = client.get_cookie("__Host-desk", domain="digest.example.org")
    assert cookie is not None
    for suffix in ("", "-wal"):
        path = app.store.path.with_name(app.store.path.name + suffix)
        assert not path.exists() or cookie.value.encode() not in path.read_bytes()


def test_asking_for_a_link_answers_alike_and_mails_editors_only_once_a_minute(
    app: App, web: Flask, clock: Clock
) -> None:
    client = web.test_client()
    answers = [
        client.post("/desk/link", data={"email": address}, base_url=URL)
        for address in ("nobody@example.org", "dana@example.org", "dana@example.org", "not an address")
    ]
    assert len({answer.data for answer in answers}) == 1
    dana = app.store.editors.find(Address("dana@example.org"))
    assert dana is not None
    first = app.store.notices.last_queued(NoticeKind.SIGN_IN, editor=dana.id)
    assert first == clock()
    clock.forward(seconds=30)
    client.post("/desk/link", data={"email": "dana@example.org"}, base_url=URL)
    assert app.store.notices.last_queued(NoticeKind.SIGN_IN, editor=dana.id) == first
    clock.forward(seconds=31)
    client.post("/desk/link", data={"email": "dana@example.org"}, base_url=URL)
    assert app.store.notices.last_queued(NoticeKind.SIGN_IN, editor=dana.id) == clock()


def test_a_session_ends_with_signing_out_and_after_two_weeks(app: App, web: Flask, clock: Clock) -> None:
    client = signed_in(app, web)
    copied = client.get_cookie("__Host-desk", domain="digest.example.org")
    assert copied is not None
    press(client, "/desk/sign-out")
    thief = web.test_client()
    thief.set_cookie("__Host-desk", copied.value, domain="digest.example.org", secure=True)
    assert "Mail me a link" in read(thief, "/desk/")
    again = signed_in(app, web)
    clock.forward(days=14, seconds=1)
    assert "Mail me a link" in read(again, "/desk/")


def test_an_editor_lands_on_the_desk_in_her_own_language(app: App, web: Flask) -> None:
    link = sign_in_link(app, "emile@example.org", language=Language.FR)
    answer = web.test_client().post(link.removeprefix(URL), base_url=URL)
    assert answer.headers["Location"] == "/fr/desk/"


# --- moves -------------------------------------------------------------------------------------------------------


def test_an_item_is_cut_put_back_moved_and_kept(app: App, web: Flask, month: web_kit.Month) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    before = titles(app, month, "coming-up")
    item = app.store.issues.get(month.period).section("coming-up")[0].item.id
    where = press(client, f"{base}items/{item}/move", act="cut")
    assert titles(app, month, "coming-up") == before[1:]
    assert "is on the bench" in read(client, where)
    assert "Undo" in read(client, where)
    press(client, f"{base}items/{item}/move", act="keep", section="coming-up")
    assert titles(app, month, "coming-up") == before  # an event goes by its date
    press(client, f"{base}items/{item}/move", act="down")
    assert titles(app, month, "coming-up") == [before[1], before[0], before[2]]
    where = press(client, f"{base}items/{item}/move", act="top")
    assert titles(app, month, "coming-up") == before
    assert "to place 1 of 3 in Coming up" in read(client, where)
    press(client, f"{base}items/{item}/move", act="down")
    assert titles(app, month, "coming-up") == [before[1], before[0], before[2]]
    press(client, f"{base}items/{item}/move", act="up")
    assert titles(app, month, "coming-up") == before
    press(client, f"{base}items/{item}/move", act="explode", status=400)


def test_moves_are_in_the_log_under_the_editors_name(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    issue = app.store.issues.get(month.period)
    press(client, f"/desk/issues/{month.period}/items/{issue.placed[0].item.id}/move", act="cut")
    dana = app.store.editors.find(Address("dana@example.org"))
    assert dana is not None
    assert [(edit.editor, edit.act) for edit in app.store.issues.edits(issue.id)] == [(str(dana.id), "cut")]


def test_words_typed_by_two_at_once_are_both_shown_and_none_is_lost(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    app.publish.write(
        month.period, field="note", language=Language.EN, words="Theirs, written first.", by="other"
    )
    fields = {
        "note-en": "Mine, typed meanwhile.",
        "seen-note-en": "",
        "theme-en": "forms",
        "seen-theme-en": "",
    }
    page = press(client, f"{base}note", status=409, **fields)
    assert "Mine, typed meanwhile." in page
    assert "Theirs, written first." in page
    issue = app.store.issues.get(month.period)
    assert issue.text("note", "en") == "Theirs, written first."
    assert issue.text("theme", "en") == "forms"
    seen = re.search(r'name="seen-note-en" value="([^"]*)"', page)
    assert seen is not None
    press(client, f"{base}note", status=303, **{"note-en": "Both together.", "seen-note-en": seen[1]})
    assert app.store.issues.get(month.period).text("note", "en") == "Both together."


def test_somebody_elses_move_does_not_refuse_my_words(app: App, web: Flask, month: web_kit.Month) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    read(client, f"{base}note")
    app.publish.cut(month.period, app.store.issues.get(month.period).placed[0].item.id, by="other")
    press(client, f"{base}note", status=303, **{"note-fr": "Bonjour.", "seen-note-fr": ""})
    assert app.store.issues.get(month.period).text("note", "fr") == "Bonjour."


def test_an_items_words_are_changed_per_language_and_given_back_when_emptied(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    item = app.store.issues.get(month.period).section("worth-reading")[0].item
    path = f"/desk/issues/{month.period}/items/{item.id}"
    press(
        client, path, status=303, **{"title-fr": "Quatre questions", "blurb-fr": "Ce que l’équipe a retiré."}
    )
    placed = app.store.issues.get(month.period).section("worth-reading")[0]
    assert (placed.title, placed.blurb) == ({"fr": "Quatre questions"}, {"fr": "Ce que l’équipe a retiré."})
    letter = read(client, f"/desk/issues/{month.period}/letter/fr")
    assert "Quatre questions" in letter
    press(
        client,
        path,
        status=303,
        **{"title-fr": "", "seen-title-fr": "Quatre questions", "seen-blurb-fr": "Ce que l’équipe a retiré."},
    )
    assert app.store.issues.get(month.period).section("worth-reading")[0].title == {}


def test_two_editors_of_one_title_see_both(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    item = app.store.issues.get(month.period).section("worth-reading")[0].item
    app.publish.reword(
        month.period, ItemId(item.id), language=Language.EN, by="other", title="Their title", blurb=""
    )
    page = press(
        client, f"/desk/issues/{month.period}/items/{item.id}", status=409, **{"title-en": "My title"}
    )
    assert "Their title" in page
    assert 'value="My title"' in page
    assert app.store.issues.get(month.period).section("worth-reading")[0].title == {"en": "Their title"}


# --- looking, approving, sending ---------------------------------------------------------------------------------


def test_the_preview_is_the_letter_in_a_sandbox_without_scripts(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    answer = client.get(f"/desk/issues/{month.period}/letter/en", base_url=URL)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    edition = app.publish.preview(month.period, Language.EN)
    assert answer.text == app.press.preview(edition)[0].replace("<head>", '<head><base target="_blank">', 1)
    assert read(client, f"/desk/issues/{month.period}/letter/de", status=404)


def test_an_issue_that_changed_since_it_was_looked_at_is_not_approved(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, path = signed_in(app, web), f"/desk/issues/{month.period}/approve"
    seen = re.search(r'name="revision" value="([^"]+)"', read(client, path))
    assert seen is not None
    app.publish.cut(month.period, app.store.issues.get(month.period).placed[0].item.id, by="other")
    page = press(client, path, status=409, revision=seen[1], then="schedule")
    assert "The draft changed since you opened this page" in page
    assert app.store.issues.get(month.period).state is IssueState.DRAFT


def test_an_issue_is_approved_held_approved_again_and_sent_ten_minutes_after_send_now(
    app: App, web: Flask, month: web_kit.Month, clock: Clock
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"

    def approve(then: str) -> None:
        revision = app.store.issues.get(month.period).revision
        press(client, f"{base}approve", revision=revision, then=then)

    approve("schedule")
    assert app.store.issues.get(month.period).state is IssueState.SCHEDULED
    assert "Hold: back to draft" in read(client, base)
    item = app.store.issues.get(month.period).placed[0].item.id
    press(client, f"{base}items/{item}/move", status=409, act="cut")
    press(client, f"{base}hold")
    assert app.store.issues.get(month.period).state is IssueState.DRAFT
    approve("wait")
    assert "5 letters are waiting" in read(client, f"{base}send")
    assert "did=scheduled" in press(client, f"{base}send")
    assert app.store.issues.get(month.period).send_at == clock() + timedelta(minutes=10)
    assert "read only until you hold it" in read(client, base)
    clock.forward(minutes=9, seconds=59)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SCHEDULED
    clock.forward(seconds=1)
    schedule.send_due(app)
    clock.forward(minutes=5)
    schedule.send_due(app)
    assert app.store.issues.get(month.period).state is IssueState.SENT
    assert "December 2026 has been sent" in read(client, f"{base}sending")
    press(client, f"{base}send", status=409)
    press(client, f"{base}hold", status=409)


def test_the_history_says_for_when_it_was_scheduled_and_instead_of_when(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    revision = app.store.issues.get(month.period).revision
    press(client, f"{base}approve", revision=revision, then="schedule")
    first = leaves_at(app, month)
    day = (app.clock() + timedelta(days=2)).date().isoformat()
    press(client, f"{base}schedule", day=day, hour="15:00")
    page = read(client, f"{base}history")
    assert f"Scheduled for {first}<" in page
    assert f"Scheduled for {leaves_at(app, month)} instead of {first}<" in page
    assert " au lieu de " in read(client, f"/fr{base}history")


def leaves_at(app: App, month: web_kit.Month) -> str:
    at, zone = app.store.issues.get(month.period).send_at, app.config.list.timezone
    return f"{dates.day(at, zone, Language.EN)}, {dates.hour(at, zone, Language.EN)}"


def test_who_approves_and_chooses_the_hour_is_asked_for_it_and_told_what_happens_else(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    assert "Approve and choose the hour" in read(client, f"{base}approve")
    revision = app.store.issues.get(month.period).revision
    assert press(client, f"{base}approve", revision=revision, then="wait").endswith("/send")
    for page in (base, f"{base}send"):
        assert f"t leaves {leaves_at(app, month)}" in read(client, page)


def test_a_test_letter_goes_to_the_editor_in_each_language(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    press(client, f"/desk/issues/{month.period}/test")
    letters = list(app.config.path(app.config.mail.folder).glob("letter-*.eml"))
    assert len(letters) == 2
    assert all(b"dana@example.org" in letter.read_bytes() for letter in letters)
    assert app.store.issues.get(month.period).state is IssueState.DRAFT


@pytest.mark.parametrize(("address", "may_cut", "may_approve"), [
    ("dana@example.org", True, True), ("emile@example.org", True, False), ("cam@example.org", False, False),
])  # fmt: skip
def test_each_role_may_do_what_it_may(
    app: App, web: Flask, month: web_kit.Month, address: str, may_cut: bool, may_approve: bool
) -> None:
    client, base = signed_in(app, web, address), f"/desk/issues/{month.period}/"
    issue = app.store.issues.get(month.period)
    press(client, f"{base}items/{issue.placed[0].item.id}/move", act="cut", status=303 if may_cut else 403)
    press(client, f"{base}note", status=303 if may_cut else 403)
    press(client, f"{base}test", status=303 if may_cut else 403)
    revision = app.store.issues.get(month.period).revision
    press(client, f"{base}approve", revision=revision, then="wait", status=303 if may_approve else 403)
    for act in ("schedule", "hold", "pause"):
        if not may_approve:
            press(client, f"{base}{act}", status=403)
    assert ("Approve…" in read(client, base)) is False


def test_what_paused_before_any_letter_left_can_be_held_at_the_desk(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web, "dana@example.org"), f"/desk/issues/{month.period}/"
    revision = app.store.issues.get(month.period).revision
    press(client, f"{base}approve", revision=revision, then="wait", status=303)
    issue = app.store.issues.get(month.period)
    with app.store.write():
        app.store.issues.move(
            issue.id,
            from_={issue.state},
            to=IssueState.PAUSED,
            pause_reason=NO_RELAY,
        )
    shown = read(client, f"{base}sending")
    assert "Hold: back to draft" in shown
    assert "mx.example.org port 587 cannot be reached: connection refused." in shown
    assert "mx.example.org port 587 est injoignable\u00a0: connexion refusée." in read(
        client, f"/fr{base}sending"
    )
    press(client, f"{base}hold", status=303)
    assert app.store.issues.get(month.period).state is IssueState.DRAFT


def test_the_dashboard_says_what_failed_and_when_we_try_again(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    from dataclasses import replace

    source = app.store.sources.get("Harbour City")
    with app.store.write():
        app.store.sources.remember(replace(
            source, fail_count=1, last_error="harbour.example did not answer.", next_at=app.clock() + timedelta(hours=1),
            last_ok_at=app.clock() - timedelta(hours=2),
        ))  # fmt: skip
    for path, words in (
        ("/desk/", "Next try 11 a.m."),
        ("/fr/desk/sources", "prochain essai\u00a0: 11\u00a0h"),
    ):
        html = read(signed_in(app, web), path).replace("\u00a0a.m.", " a.m.")
        assert "harbour.example did not answer." in html
        assert words in html


def test_a_database_that_is_busy_is_a_503_that_says_so(app: App, web: Flask) -> None:
    from digest.errors import StoreBusy

    def busy() -> str:
        raise StoreBusy("locked")

    web.add_url_rule("/fr/busy", view_func=busy)
    answer = web.test_client().get("/fr/busy")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "Un instant" in answer.text
    assert "We are busy for a moment" in answer.text


def test_a_fault_of_ours_shows_no_trace(web: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise ZeroDivisionError("secret detail of somebody@example.com")

    web.add_url_rule("/broken", view_func=broken)
    answer = web.test_client().get("/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "We could not make this page" in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(("prefix", "says", "way_out"), [
    ("", "This issue is approved and frozen. Hold it to change it.", "Back to the issue"),
    ("/fr", "Ce numéro est approuvé et figé. Retenez-le pour le changer.", "Revenir au numéro"),
])  # fmt: skip
def test_a_refused_move_says_why_in_the_language_of_the_page(
    app: App, web: Flask, month: web_kit.Month, prefix: str, says: str, way_out: str
) -> None:
    client, issue = signed_in(app, web), app.publish.approve(month.period, by="test")
    path = f"{prefix}/desk/issues/{month.period}/items/{issue.placed[0].item.id}/move"
    page = press(client, path, status=409, act="cut")
    assert says in page
    assert "cannot be edited" not in page
    assert way_out in page
    assert 'class="deskhead"' in page, "it stands in the frame of the desk"
    assert page.count("<main") == page.count("</main>") == 1
    strange = press(client, "/code", status=400, email="nobody@example.org", code="1")
    assert 'class="deskhead"' not in strange


def test_every_sentence_of_a_refusal_exists_in_both_languages() -> None:
    keys = {
        key
        for path in Path("digest").rglob("*.py")
        for key in re.findall(r'key="(desk\.why_\w+)"', path.read_text())
    }
    assert len(keys) >= 5
    for language in Language:
        empty = {f"desk.empty_{name.replace('-', '_')}" for name in SECTIONS}
        for key in {*keys, *empty, *(f"desk.why_{state}" for state in IssueState)}:
            assert Words(language)(key)


def test_a_busy_database_holds_a_visitor_up_for_seconds_only(app: App, web: Flask) -> None:
    holder = sqlite3.connect(app.store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    answer = web.test_client().post("/manage", data={"email": "ann@example.org"})
    waited_s = time.monotonic() - begun
    assert web.test_client().get("/").status_code == 200
    holder.execute("ROLLBACK")
    holder.close()
    assert answer.status_code == 503
    assert waited_s < 15


def test_the_first_page_says_that_an_old_copy_keeps_letters_in(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    assert "Nothing leaves at the moment" not in read(client, "/desk/")
    with app.store.write():
        app.store.settings.put("copied", "2026-11-01T00:00:00+00:00")
    assert "old copy of the database was put back" in read(client, "/desk/")
    assert "Rien ne part en ce moment" in read(client, "/fr/desk/")
    app.send.restored.settle(nothing_left=True, log=None)
    assert "Nothing leaves at the moment" not in read(client, "/desk/")
