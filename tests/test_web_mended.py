"""What a stranger found in the web part, each fault as the sentence that must hold instead."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy

import pytest
from flask import Flask

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, Language, NoticeKind
from digest.rules import consent
from digest.web import create_web
from tests import readers_kit, web_kit
from tests.conftest import Clock
from tests.test_web_desk import press, read, sign_in, token


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


@pytest.fixture
def web(app: App) -> Flask:
    return create_web(app)


@pytest.fixture
def month(app: App) -> web_kit.Month:
    made = web_kit.fill(app)
    app.publish.assemble(made.period)
    return made


# --- words typed while somebody approves -------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_note_saved_after_the_approval_is_shown_in_full(
    app: App, web: Flask, month: web_kit.Month, prefix: str
) -> None:
    client = sign_in(app, web)
    app.publish.approve(month.period, by="another")
    typed = {f"{field}-{code}": f"My {field} {code}" for field in ("theme", "note") for code in ("en", "fr")}
    shown = press(client, f"{prefix}/desk/issues/{month.period}/note", status=409, **typed)
    assert all(words in shown for words in typed.values())
    assert ("approuvé" if prefix else "approved and frozen") in shown


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_words_for_an_item_saved_after_the_approval_are_shown_in_full(
    app: App, web: Flask, month: web_kit.Month, prefix: str
) -> None:
    client = sign_in(app, web)
    item = app.publish.approve(month.period, by="another").placed[0].item.id
    typed = {f"{field}-{code}": f"My {field} {code}" for field in ("title", "blurb") for code in ("en", "fr")}
    shown = press(client, f"{prefix}/desk/issues/{month.period}/items/{item}", status=409, **typed)
    assert all(words in shown for words in typed.values())
    assert f'lang="{"fr" if prefix else "en"}"' in shown[:60]
    assert ("approuvé" if prefix else "approved and frozen") in shown


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
    client = sign_in(app, web)
    answer = client.post("/desk/assemble", data={"token": "é"}, base_url="https://digest.example.org")
    assert answer.status_code == 403


@pytest.mark.parametrize("number", [2**63, 2**64, 10**40])
def test_a_number_beyond_every_id_names_nothing(
    app: App, web: Flask, month: web_kit.Month, number: int
) -> None:
    client = sign_in(app, web)
    rules = [rule for rule in web.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 6
    for rule in rules:
        path = re.sub(r"<int:\w+>", str(number), rule.rule).replace("<period>", str(month.period))
        path = re.sub(r"<\w+>", "1", path)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            data = {"token": token(client), "act": "up"} if method == "POST" else None
            answer = client.open(path, method=method, data=data, base_url="https://digest.example.org")
            assert answer.status_code == 404, (method, path)


def test_numbers_beyond_every_id_in_a_form_are_no_accident(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = sign_in(app, web)
    base = f"/desk/issues/{month.period}"
    for path, name in ((f"{base}/add", "item"), (f"{base}/undo", "seen"), (f"{base}/redo", "seen")):
        data = {"token": token(client), name: str(2**70)}
        assert client.post(path, data=data, base_url="https://digest.example.org").status_code < 500, path


def test_a_month_that_is_none_is_refused_kindly(app: App, web: Flask, month: web_kit.Month) -> None:
    client = sign_in(app, web)
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
    shown = read(sign_in(app, web), "/desk/people/pulse")
    assert "<rect" in shown
    assert not re.search(r'<svg[^>]*class="[^"]*\bbar\b', shown)


@pytest.mark.parametrize("language", [Language.EN, Language.FR])
@pytest.mark.parametrize("kind", list(NoticeKind))
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
