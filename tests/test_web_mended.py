"""What a stranger found in the web part, each fault as the sentence that must hold instead."""

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask

from digest import cli_house
from digest.app import App
from digest.model import Address, ItemId, Language, NoticeKind, Role
from digest.rules import consent, preflight
from digest.rules.proof import Evidence
from digest.web import outline
from tests import readers_kit, web_kit
from tests.conftest import Clock
from tests.render_kit import NOTICES
from tests.web_kit import form_token, press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


# --- words typed while somebody approves -------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_note_saved_after_the_approval_is_shown_in_full(
    app: App, web: Flask, month: web_kit.Month, prefix: str
) -> None:
    client = signed_in(app, web)
    app.publish.approve(month.period, by="another")
    typed = {f"{field}-{code}": f"My {field} {code}" for field in ("theme", "note") for code in ("en", "fr")}
    shown = press(client, f"{prefix}/desk/issues/{month.period}/note", status=409, **typed)
    assert all(words in shown for words in typed.values())
    assert ("approuvé" if prefix else "approved and frozen") in shown


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_words_for_an_item_saved_after_the_approval_are_shown_in_full(
    app: App, web: Flask, month: web_kit.Month, prefix: str
) -> None:
    client = signed_in(app, web)
    item = app.publish.approve(month.period, by="another").placed[0].item.id
    typed = {f"{field}-{code}": f"My {field} {code}" for field in ("title", "blurb") for code in ("en", "fr")}
    shown = press(client, f"{prefix}/desk/issues/{month.period}/items/{item}", status=409, **typed)
    assert all(words in shown for words in typed.values())
    assert f'lang="{"fr" if prefix else "en"}"' in shown[:60]
    assert ("approuvé" if prefix else "approved and frozen") in shown


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_day_that_cannot_be_meant_is_told_in_the_editors_language(
    app: App, web: Flask, month: web_kit.Month, prefix: str
) -> None:
    client = signed_in(app, web)
    app.publish.approve(month.period, by="another")
    path = f"{prefix}/desk/issues/{month.period}/schedule"
    for day, said in (("2020-01-01", "est passé" if prefix else "is past"),
                      ("2999-01-01", "plus d’un an" if prefix else "more than a year away")):  # fmt: skip
        assert said in press(client, path, status=409, day=day, hour="09:00")


def test_the_approver_reads_the_numbers_that_are_frozen(app: App, web: Flask, month: web_kit.Month) -> None:
    for one in month.readers[1:]:
        with app.store.write():
            app.store.subscribers.save(replace(one, paused_until=app.clock() + timedelta(days=300)))
    page = read(signed_in(app, web), f"/desk/issues/{month.period}/approve")
    issue = app.publish.approve(month.period, by="another")
    assert sum(app.store.deliveries.counts(issue.id).values()) == 1
    assert "<dd>1 confirmed reader</dd>" in page
    assert " KB · 1 reader<" in page
    assert " KB · 0 readers<" in page


def test_the_history_names_who_sent_a_test_letter_and_in_which_language(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    press(client, f"{base}test")
    assert {edit.editor for edit in app.store.issues.edits(app.store.issues.get(month.period).id)
            if edit.act == "test"} == {"1"}  # fmt: skip
    page = read(client, f"{base}history")
    assert "Sent a test letter, EN" in page
    assert "Sent a test letter, FR" in page


def test_a_departure_in_another_year_names_the_year(app: App, month: web_kit.Month) -> None:
    issue = app.store.issues.get(month.period)
    for days, named in ((0, False), (300, True)):
        moved = replace(issue, send_at=app.clock() + timedelta(days=days))
        told = outline.due(moved, Language.EN, app.config, now=app.clock()).day
        assert (str(moved.send_at.year) in told) is named


# --- the outbox is for this very machine -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "headers"),
    [
        ("192.0.2.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Forwarded-Host": "localhost"}),
        ("::1", {"Forwarded": "for=192.0.2.7"}),
    ],
)
def test_the_outbox_is_closed_to_other_machines(web: Flask, remote: str, headers: dict[str, str]) -> None:
    for prefix, words in (("", "the machine it runs on"), ("/fr", "la machine où")):
        answer = web.test_client().get(
            f"{prefix}/outbox/", headers=headers, environ_base={"REMOTE_ADDR": remote}
        )
        assert answer.status_code == 404
        assert words in answer.text
        home = web.test_client().get(f"{prefix}/", headers=headers, environ_base={"REMOTE_ADDR": remote})
        assert "/outbox/" not in home.text


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_the_outbox_is_open_to_this_machine(web: Flask, remote: str) -> None:
    assert web.test_client().get("/outbox/", environ_base={"REMOTE_ADDR": remote}).status_code == 200


# --- no token that opens something stands in the log -------------------------------------------------------------


def test_the_consent_log_keeps_routes_without_their_tokens(app: App, web: Flask) -> None:
    who = readers_kit.joins(app)
    client = web.test_client()
    tokens = [readers_kit.letter_token(app), readers_kit.leave_token(app), readers_kit.manage_token(app)]
    client.post(f"/fr/preferences/{tokens[0]}", data={"language": "fr"})
    client.post(f"/preferences/{tokens[2]}", data={"language": "fr", "cadence": "monthly"})
    client.post(f"/unsubscribe/{tokens[1]}", data={"List-Unsubscribe": "One-Click"})
    pages = [consent.page for consent in app.store.consents.of(who.id)]
    assert {"/fr/preferences", "/unsubscribe"} <= set(pages)
    assert not any(token in page for token in tokens for page in pages)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", "/"), ("/subscribe", "/subscribe"), ("/fr/subscribe.json", "/fr/subscribe.json"), ("", ""),
        ("/unsubscribe/AgAAAb", "/unsubscribe"), ("/preferences/AgAAAb/address", "/preferences"),
        ("/confirm/abcdefghijklmnopqrstuvwxyzabcdef", "/confirm"), ("/code?email=a@b", "/code"),
    ],
)  # fmt: skip
def test_a_route_ends_before_its_token(path: str, kept: str) -> None:
    assert consent.route_of(path) == kept


# --- forged input ------------------------------------------------------------------------------------------------


def test_json_nested_without_end_is_refused_as_json(web: Flask) -> None:
    answer = web.test_client().post("/subscribe.json", data="[" * 50_000, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_a_form_token_with_an_accent_is_refused(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    answer = client.post("/desk/assemble", data={"token": "é"}, base_url="https://digest.example.org")
    assert answer.status_code == 403


@pytest.mark.parametrize("number", [2**63, 2**64, 10**40])
def test_a_number_beyond_every_id_names_nothing(
    app: App, web: Flask, month: web_kit.Month, number: int
) -> None:
    client = signed_in(app, web)
    rules = [rule for rule in web.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 6
    for rule in rules:
        path = re.sub(r"<int:\w+>", str(number), rule.rule).replace("<period>", str(month.period))
        path = re.sub(r"<\w+>", "1", path)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            data = {"token": form_token(client), "act": "up"} if method == "POST" else None
            answer = client.open(path, method=method, data=data, base_url="https://digest.example.org")
            assert answer.status_code == 404, (method, path)


def test_numbers_beyond_every_id_in_a_form_are_no_accident(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    base = f"/desk/issues/{month.period}"
    for path, name in ((f"{base}/add", "item"), (f"{base}/undo", "seen"), (f"{base}/redo", "seen")):
        data = {"token": form_token(client), name: str(2**70)}
        assert client.post(path, data=data, base_url="https://digest.example.org").status_code < 500, path


def test_a_month_that_is_none_is_refused_kindly(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    shown = press(client, "/fr/desk/assemble", status=400, period="zz")
    assert "Ce n’est pas un mois" in shown


def test_a_redirect_never_follows_a_forged_host(web: Flask) -> None:
    answer = web.test_client().get("/issues?page=2", headers={"Host": "evil.example"})
    assert answer.status_code in {301, 308}
    assert answer.headers["Location"] == "/issues/?page=2"


# --- pictures, sentences, forms ----------------------------------------------------------------------------------


def test_no_drawing_on_the_pulse_page_borrows_a_class_of_the_bottom_bar(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    for number in range(100, 120):
        with app.store.write():
            web_kit.reader(app, number)
    shown = read(signed_in(app, web), "/desk/people/pulse")
    assert "<rect" in shown
    assert not re.search(r'<svg[^>]*class="[^"]*\bbar\b', shown)


@pytest.mark.parametrize("language", [Language.EN, Language.FR])
@pytest.mark.parametrize("kind", NOTICES)
def test_the_foot_of_a_notice_is_whole_sentences(app: App, kind: NoticeKind, language: Language) -> None:
    letter = app.press.notice(
        kind, to=Address("ann@example.org"), language=language, message_id="<1@example.org>", date=app.clock(),
        link="https://digest.example.org/x",
    )  # fmt: skip
    message = message_from_bytes(letter, policy=policy.default)
    for part in ("plain", "html"):
        text = " ".join(message.get_body((part,)).get_content().split())  # type: ignore[union-attr]
        assert ".," not in text
        assert re.search(r"\. (Test letter|Infolettre d’essai), 1 Main St, Ottawa", text)


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("/subscribe", {"email": "ann@"}, {"email": "ann@example.org"}),
        ("/manage", {"email": "ann@"}, {"email": "ann@example.org"}),
    ],
)
def test_a_form_shown_again_filled_in_may_be_sent_at_once(
    app: App, web: Flask, clock: Clock, path: str, wrong: dict[str, str], right: dict[str, str]
) -> None:
    if path == "/manage":
        readers_kit.joins(app)
    client = web.test_client()
    first = readers_kit.shown_form(app, clock).token
    shown = client.post(path, data={**wrong, "form": first})
    assert shown.status_code == 400
    again = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert again is not None
    readers_kit.taken(app, clock)
    assert client.post(path, data={**right, "form": again[1]}).status_code == 200
    web.extensions["digest"].errands.wait()
    assert app.store.notices.last_queued(
        NoticeKind.MANAGE if path == "/manage" else NoticeKind.CONFIRM, subscriber=readers_kit.person(app).id
    )


# --- what has become of an item; what a check names --------------------------------------------------------------


@pytest.mark.parametrize(("prefix", "says"), [("", "is on the bench"), ("/fr", "est sur le banc")])
def test_a_move_of_an_item_that_a_colleague_cut_says_so(
    app: App, web: Flask, month: web_kit.Month, prefix: str, says: str
) -> None:
    client = signed_in(app, web)
    item = app.store.issues.get(month.period).section("worth-reading")[1].item.id
    app.publish.cut(month.period, item, by="another")
    landing = press(client, f"{prefix}/desk/issues/{month.period}/items/{item}/move", act="up")
    said = re.search(r'<span role="status">(.*?)</span>', read(client, landing))
    assert said is not None
    assert says in said[1]


def test_checks_name_items_sections_and_months_as_people_do(app: App, month: web_kit.Month) -> None:
    whole = app.store.issues.get(month.period)
    one = next(placed for placed in whole.placed if placed.section == "worth-reading")
    nameless = replace(one.item, title="", id=ItemId(901))
    unlinked = replace(one.item, url=None, id=ItemId(902))
    short = replace(one.item, summary="Go!", id=ItemId(903))
    placed = tuple(replace(one, item=item) for item in (nameless, unlinked, short))
    evidence = Evidence(subjects=[], printed={short.id: "2026-10"})
    checks = preflight.check(
        replace(whole, placed=placed), {code: app.publish.preview(month.period, code) for code in Language},
        config=app.config, now=app.clock(), readers=5, evidence=evidence,
    )  # fmt: skip
    told = {(c.id, c.where): (c.message_en, c.message_fr) for c in checks}
    assert all(str(one.item.url) in text for text in told["item-title", "item:901"])
    assert all(one.item.title in text for text in told["item-title", "item:902"])
    assert "“Worth reading” has 3 items" in told["count", "section:worth-reading"][0]
    assert "« À lire »" in told["count", "section:worth-reading"][1].replace("\u00a0", " ")
    assert ("1 word or" in told["blurb", "item:903"][0], "1 mot ou" in told["blurb", "item:903"][1]) == (
        True,
        True,
    )
    assert "October 2026" in told["item-repeat", "item:903"][0]
    assert "(octobre 2026)" in told["item-repeat", "item:903"][1]


# --- French ------------------------------------------------------------------------------------------------------


def test_months_inside_french_sentences_are_lower_case(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    pages = [read(client, f"/fr/desk/issues/{month.period}/approve"), read(client, "/fr/desk/")]
    item = app.publish.approve(month.period, by="test").placed[0].item.id
    app.send.issue(month.period)
    pages += [read(client, f"/fr/items/{item}"), read(client, f"/fr/issues/{month.period}")]
    assert "Approuver décembre 2026" in pages[0]
    for shown in pages:
        assert not re.search(r"[a-zé:»]\s+(<a [^>]*>)?Décembre 2026", shown)


def test_a_link_asked_for_on_the_french_page_is_french_and_leads_to_the_french_desk(
    app: App, web: Flask
) -> None:
    client = web.test_client()
    client.post("/fr/desk/link", data={"email": "dana@example.org"})
    web.extensions["digest"].errands.wait()
    letter = next(app.config.path(app.config.mail.folder).glob("letter-*.eml")).read_bytes()
    message = message_from_bytes(letter, policy=policy.default)
    assert message["Content-Language"] == "fr"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    link = re.search(r"https://digest\.example\.org(/fr/desk/sign-in/\S+)", text)
    assert link is not None
    assert client.post(link[1]).headers["Location"] == "/fr/desk/"


# --- pages for readers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_the_page_for_the_code_has_a_heading_of_its_own(web: Flask, prefix: str) -> None:
    opened = web.test_client().get(f"{prefix}/code").text
    assert re.search(r"<h1[^>]*>(Type the code|Saisir le code)", opened)
    assert "Or type" not in opened
    assert "Ou " not in re.findall(r"<h1[^>]*>(.*?)</h1>", opened)[0]


def test_settings_that_were_kept_are_shown_by_a_page_that_can_be_gone_back_to(app: App, web: Flask) -> None:
    readers_kit.joins(app)
    client = web.test_client()
    manage, plain = readers_kit.manage_token(app), readers_kit.letter_token(app)
    for path, sent in (
        (f"/preferences/{manage}", {"language": "en", "cadence": "every"}),
        (f"/preferences/{plain}", {"language": "en"}),
        (f"/fr/preferences/{plain}", {"language": "fr"}),
    ):
        answer = client.post(path, data=sent)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(path)
        assert 'role="status"' in client.get(answer.headers["Location"]).text
        assert 'role="status"' not in client.get(path).text
    asked = client.post(f"/preferences/{manage}/address", data={"email": "new@example.org"})
    assert asked.status_code == 303
    assert 'role="status"' in client.get(asked.headers["Location"]).text


# --- what operators are told -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])
def test_serve_says_that_other_machines_cannot_read_the_caught_letters(
    app: App, capsys: pytest.CaptureFixture[str], host: str, told: bool
) -> None:
    cli_house.advise(app.config, host=host)
    assert ("/outbox/ answers this machine only" in capsys.readouterr().out) is told


# --- the way to the other language -------------------------------------------------------------------------------


def test_on_every_desk_page_the_language_link_leads_to_the_same_page_in_the_other_language(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web, "admin@example.org", role=Role.ADMIN)
    item = app.store.issues.get(month.period).placed[0].item.id
    rules = [rule for rule in web.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = {
        rule.rule.replace("<period>", str(month.period)).replace("<int:number>", str(item)) for rule in rules
    }
    seen = set()
    for path in sorted(one for one in paths if one.startswith("/desk/") and "<" not in one):
        answer = client.get(path, base_url=web_kit.URL)
        if answer.status_code != 200 or not answer.content_type.startswith("text/html"):
            continue
        for here, other in ((path, "fr"), (f"/fr{path}", "en")):
            link = re.search(rf'<a href="([^"]*)" lang="{other}" hreflang="{other}">', read(client, here))
            assert link is not None, here
            assert link[1] == (f"/fr{path}" if other == "fr" else path), here
            assert f'<html lang="{other}"' in read(client, link[1]), here
        seen.add(path)
    base = f"/desk/issues/{month.period}/"
    assert {"/desk/", "/desk/pool", base, f"{base}note", f"{base}items/{item}", f"{base}checks"} <= seen
