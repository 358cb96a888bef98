"""The doors for readers, without a browser: what each page answers, and that looking never decides."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, Language, Reading, Subscriber, SubscriberState
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def client(app: App) -> FlaskClient:
    return create_web(app).test_client()


def send_form(client: FlaskClient, clock: Clock, path: str, **fields: str) -> TestResponse:
    """Opens the page of a form, takes a moment to fill it in, as people do, and sends it."""
    opened = client.get({"/subscribe": "/", "/fr/subscribe": "/fr/"}.get(path, path)).text
    proof = re.search(r'name="form" value="([^"]+)"', opened)
    assert proof is not None
    clock.forward(seconds=5)
    return client.post(path, data={"form": proof[1], **fields}, environ_base={"REMOTE_ADDR": "203.0.113.77"})


def found(app: App, address: str) -> Subscriber:
    known = app.store.subscribers.find(Address(address))
    assert known is not None
    return known


def confirm_path(app: App, address: str) -> str:
    known = found(app, address)
    return app.links.confirm(known.id, version=known.version, now=app.clock()).removeprefix(
        app.config.list.url
    )


def leave_path(app: App, who: Subscriber) -> str:
    return app.links.unsubscribe(who.id, version=who.version, issue=1).removeprefix(app.config.list.url)  # type: ignore[arg-type]


def settings_path(app: App, who: Subscriber) -> str:
    return app.links.preferences(who.id, version=who.version, issue=1).removeprefix(app.config.list.url)  # type: ignore[arg-type]


def test_the_front_page_says_when_the_first_issue_leaves(client: FlaskClient) -> None:
    assert "Tuesday 1\u00a0December 2026" in client.get("/").text
    assert "mardi 1er\u00a0décembre 2026" in client.get("/fr/").text


@pytest.mark.parametrize("path", ["/", "/issues/", "/manage"])
def test_every_public_page_names_its_twin_and_itself(client: FlaskClient, path: str) -> None:
    for language, prefix in (("en", ""), ("fr", "/fr")):
        html = client.get(prefix + path).text
        assert f'<html lang="{language}">' in html
        assert f'rel="canonical" href="https://digest.example.org{prefix}{path}"' in html
        assert f'hreflang="en" href="https://digest.example.org{path}"' in html
        assert f'hreflang="fr" href="https://digest.example.org/fr{path}"' in html
    assert f'href="/fr{path}" lang="fr"' in client.get(path).text
    assert f'href="{path}" lang="en"' in client.get(f"/fr{path}").text


def test_asking_answers_the_same_bytes_for_every_address(app: App, client: FlaskClient, clock: Clock) -> None:
    known = web_kit.fill(app).readers[0]
    with app.store.write():
        left = web_kit.reader(app, 77)
    app.join.leave(leave_path(app, left).rpartition("/")[2])
    answers = [
        send_form(client, clock, "/subscribe", email=address, language="en")
        for address in ("new@example.net", "new@example.net", known.address.reveal(), left.address.reveal())
    ]
    assert {a.status_code for a in answers} == {200}
    assert len({a.data for a in answers}) == 1
    assert len({tuple(sorted((k, v) for k, v in a.headers if k != "Date")) for a in answers}) == 1


def test_asking_keeps_language_role_and_a_shortened_network(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/fr/subscribe", email="new@example.net", language="fr", role="design")
    who = found(app, "new@example.net")
    assert (who.language, who.role, who.state) == (Language.FR, "design", SubscriberState.ASKED)
    entry = app.store.consents.of(who.id)[0]
    assert (entry.network, entry.page) == ("203.0.113.0/24", "/fr/subscribe")


@pytest.mark.parametrize(("path", "read"), [("/subscribe", Language.EN), ("/fr/subscribe", Language.FR)])
@pytest.mark.parametrize("letter", ["en", "fr", "fr+en"])
def test_the_words_kept_with_a_consent_are_those_on_the_page_whatever_the_letters_language(
    app: App, client: FlaskClient, clock: Clock, path: str, read: Language, letter: str
) -> None:
    home = client.get("/fr/" if read is Language.FR else "/").text
    send_form(client, clock, path, email="new@example.net", language=letter)
    line = app.store.consents.of(found(app, "new@example.net").id)[0]
    assert line.wording in unescape(home)
    assert (line.language, line.wording) == (read, app.config.signup.wording.in_(read))
    told = client.get(f"{path.replace('subscribe', 'subscribe.json')}").json
    clock.forward(seconds=5)
    assert told is not None
    client.post(f"{path}.json", json={"email": "two@example.net", "language": letter, "form": told["form"]})
    assert app.store.consents.of(found(app, "two@example.net").id)[0].wording == told["wording"]


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_part_of_the_letter_can_be_chosen_at_the_door_and_nothing_is_ticked_before(
    app: App, client: FlaskClient, clock: Clock, prefix: str
) -> None:
    home = client.get(f"{prefix}/").text
    assert re.findall(r'name="topics" value="([\w-]+)">', home) == ["coming-up", "worth-reading", "calls"]
    assert "<details" in home
    assert 'name="topics"' not in client.get(f"{prefix}/embed").text, "a frame cannot grow"
    chosen = {"email": "new@example.net", "topics": ["calls", "coming-up"]}
    wrong = client.post(f"{prefix}/subscribe", data=chosen | {"email": "new@"}).text
    assert re.findall(r'name="topics" value="([\w-]+)" checked', wrong) == ["coming-up", "calls"]
    assert re.search(r'<details class="part" open>', wrong)
    send_form(client, clock, f"{prefix}/subscribe", **chosen)  # type: ignore[arg-type]
    assert found(app, "new@example.net").topics == ("coming-up", "calls")


def test_who_asks_again_before_confirming_has_chosen_what_was_chosen_last(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    first = {"email": "new@example.net", "topics": ["calls"], "role": "design", "timezone": "America/Halifax"}
    send_form(client, clock, "/subscribe", **first)  # type: ignore[arg-type]
    clock.forward(hours=25)
    send_form(client, clock, "/subscribe", email="new@example.net", role="policy")
    again = found(app, "new@example.net")
    assert (again.topics, again.role, again.timezone) == ((), "policy", "America/Halifax")


def test_a_letter_of_one_section_offers_no_part_of_it(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config('[letter]\nsections = ["coming-up", "pulse"]\n'), clock=clock) as app:
        assert 'name="topics"' not in create_web(app).test_client().get("/").text


def test_a_made_up_role_is_not_kept(app: App, client: FlaskClient, clock: Clock) -> None:
    send_form(client, clock, "/subscribe", email="new@example.net", role="<b>king</b>")
    assert found(app, "new@example.net").role is None


@pytest.mark.parametrize(
    ("path", "sentence"), [("/subscribe", "Write your whole"), ("/fr/subscribe", "Écrivez votre adresse")]
)
def test_a_malformed_address_is_told_so_in_words_and_kept_in_the_field(
    client: FlaskClient, path: str, sentence: str
) -> None:
    answer = client.post(path, data={"email": 'somebody"at<example', "language": "fr"})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert "somebody&#34;at&lt;example" in answer.text
    assert re.search(r'value="fr" checked', answer.text)


def test_opening_the_confirmation_link_fifty_times_confirms_nothing(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/subscribe", email="new@example.net")
    path = confirm_path(app, "new@example.net")
    for _ in range(50):
        for method in (client.get, client.head, client.options):
            assert method(path + "?confirm=true").status_code == 200
    assert found(app, "new@example.net").state is SubscriberState.ASKED
    assert client.post(path).status_code == 200
    assert found(app, "new@example.net").state is SubscriberState.CONFIRMED


def test_a_link_used_twice_is_friendly_and_says_it_is_done(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/fr/subscribe", email="new@example.net", language="fr")
    path = confirm_path(app, "new@example.net")
    assert "Bienvenue" in client.post(path).text
    again = client.get(path)
    assert again.status_code == 200
    assert "Vous êtes sur la liste" in again.text
    assert client.post(path).status_code == 200


def test_a_page_behind_a_link_speaks_its_readers_language_and_can_be_switched(
    app: App, client: FlaskClient
) -> None:
    reader = web_kit.fill(app).readers[1]
    path = leave_path(app, reader)
    page = client.get(path).text
    assert '<html lang="fr">' in page
    assert f'href="{path}?lang=en"' in page
    assert '<html lang="en">' in client.get(f"{path}?lang=en").text
    assert '<html lang="fr">' in client.get(f"/fr{path}").text


def test_an_expired_link_is_gone_and_a_broken_one_not_found(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/subscribe", email="new@example.net", language="fr")
    path = confirm_path(app, "new@example.net")
    clock.forward(days=8)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 410
        assert "Ce lien n’est plus valide" in answer.text
    assert found(app, "new@example.net").state is SubscriberState.ASKED
    for broken in (path[:-1], path[:-3] + "AAA", "/confirm/x"):
        assert client.get(broken, headers={"Accept-Language": "fr-CA"}).status_code == 404
        assert "Ce lien n’est pas complet" in client.get(broken, headers={"Accept-Language": "fr-CA"}).text


def test_a_confirm_link_of_before_leaving_shows_no_button_that_would_do_nothing(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/subscribe", email="new@example.net")
    path = confirm_path(app, "new@example.net")
    assert client.post(path).status_code == 200
    assert client.get(path).status_code == 200
    client.post(leave_path(app, found(app, "new@example.net")), data={"List-Unsubscribe": "One-Click"})
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 410
        assert "<button" not in answer.text.partition("<main")[2].partition("</main>")[0]


def test_a_leave_link_confirms_nobody(app: App, client: FlaskClient, clock: Clock) -> None:
    send_form(client, clock, "/subscribe", email="new@example.net")
    token = leave_path(app, found(app, "new@example.net")).rpartition("/")[2]
    assert client.post(f"/confirm/{token}").status_code in {404, 410}
    assert found(app, "new@example.net").state is SubscriberState.ASKED


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_leaves_without_a_cookie_in_both_encodings_however_often(
    app: App, client: FlaskClient, kind: str
) -> None:
    reader = web_kit.fill(app).readers[1]
    path = leave_path(app, reader)
    for _ in range(3):
        answer = client.post(path, data={"List-Unsubscribe": "One-Click"}, content_type=kind,
                             headers={"User-Agent": "Mail scanner", "Origin": "https://mail.example.com"})  # fmt: skip
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert found(app, reader.address.reveal()).state is SubscriberState.LEFT
    acts = [entry for entry in app.store.consents.of(reader.id) if entry.act == "left"]
    assert [entry.method for entry in acts] == ["one-click"]


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"confirm": "1"}])
def test_a_wrong_body_shows_the_page_and_changes_nothing(
    app: App, client: FlaskClient, body: dict[str, str]
) -> None:
    reader = web_kit.fill(app).readers[0]
    answer = client.post(leave_path(app, reader), data=body)
    assert answer.status_code == 200
    assert "Stop the letters" in answer.text
    assert found(app, reader.address.reveal()).state is SubscriberState.CONFIRMED


def test_one_click_of_somebody_forgotten_is_answered_as_done(app: App, client: FlaskClient) -> None:
    reader = web_kit.fill(app).readers[0]
    path = leave_path(app, reader)
    app.join.forget(reader.address.reveal())
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert client.get(path).status_code == 410


def test_leaving_can_be_taken_back_for_a_day_and_not_longer(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    reader = web_kit.fill(app).readers[0]
    path = leave_path(app, reader)
    client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert "You are back on the list" in client.post(path, data={"undo": "1"}).text
    assert found(app, reader.address.reveal()).state is SubscriberState.CONFIRMED
    client.post(path, data={"List-Unsubscribe": "One-Click"})
    clock.forward(hours=25)
    assert "Taking it back works for a day" in client.post(path, data={"undo": "1"}).text
    assert found(app, reader.address.reveal()).state is SubscriberState.LEFT


def test_a_page_about_a_reader_shows_only_the_masked_address(app: App, client: FlaskClient) -> None:
    reader = web_kit.fill(app).readers[0]
    for path in (leave_path(app, reader), settings_path(app, reader)):
        html = client.get(path).text
        assert "r•••@example.com" in html
        assert reader.address.reveal() not in html


def test_the_link_in_a_letter_chooses_the_language_or_leaves(app: App, client: FlaskClient) -> None:
    reader = web_kit.fill(app).readers[0]
    path = settings_path(app, reader)
    client.get(path)
    assert "Kept." in client.post(f"{path}?lang=en", data={"language": "fr"}, follow_redirects=True).text
    assert found(app, reader.address.reveal()).language == Language.FR
    assert client.post(path, data={"language": "tlh"}).status_code == 200
    assert found(app, reader.address.reveal()).language == Language.FR
    client.post(path, data={"leave": "1"})
    assert found(app, reader.address.reveal()).state is SubscriberState.LEFT
    client.post(path, data={"undo": "1"})
    assert found(app, reader.address.reveal()).state is SubscriberState.CONFIRMED


def test_both_languages_in_one_letter_can_be_chosen_at_joining_and_in_the_settings(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    web_kit.fill(app)
    for path, value in (("/", "en+fr"), ("/fr/", "fr+en")):
        assert f'name="language" value="{value}"' in client.get(path).text
    send_form(client, clock, "/fr/subscribe", email="new@example.org", language="fr+en")
    reader = found(app, "new@example.org")
    assert (reader.language, reader.language.first) == (Reading.FR_EN, Language.FR)
    page = client.get(settings_path(app, reader)).text
    assert re.findall(r'name="language" value="([^"]+)"( checked)?', page) == [
        ("en", ""), ("fr", ""), ("en+fr", ""), ("fr+en", " checked"),
    ]  # fmt: skip
    page = client.post(settings_path(app, reader), data={"language": "en+fr"}, follow_redirects=True).text
    assert "in English and French" in page
    assert found(app, "new@example.org").language is Reading.EN_FR


def test_asking_for_settings_answers_alike_and_mails_only_readers(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    reader = web_kit.fill(app).readers[0]
    answers = [
        send_form(client, clock, "/manage", email=a) for a in (reader.address.reveal(), "nobody@example.net")
    ]
    assert answers[0].data == answers[1].data
    assert client.post("/manage", data={"email": "nobody"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/nope", "/issues/2026-13", "/issues/2031-01", "/items/99", "/fr/issues/x.json"]
)
def test_what_does_not_exist_is_said_in_both_languages(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "Cette page n’existe pas" in answer.text
    assert f'<html lang="{"fr" if path.startswith("/fr") else "en"}">' in answer.text


def test_a_get_where_only_a_form_may_go_is_405_with_the_methods_allowed(client: FlaskClient) -> None:
    answer = client.get("/subscribe")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_form_that_is_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/subscribe", data={"email": "x" * 400_000}).status_code == 413


def test_a_form_that_nobody_was_shown_does_nothing_and_says_the_same(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    good = send_form(client, clock, "/subscribe", email="new@example.net")
    other, there = {"email": "other@example.net"}, {"REMOTE_ADDR": "203.0.113.77"}
    bad = [
        client.post("/subscribe", data={**other, "form": "made-up"}, environ_base=there),
        send_form(client, clock, "/subscribe", email="other@example.net", nickname="Bob"),
    ]
    assert {answer.data for answer in bad} == {good.data}
    assert app.store.subscribers.find(Address("other@example.net")) is None


def test_the_fields_of_the_contract_are_enough_to_sign_up(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    """POST /subscribe with email and language, as scripts do, and as people do whose browser fills the form in."""
    good = send_form(client, clock, "/subscribe", email="new@example.net")
    bare, there = {"email": "bare@example.net", "language": "fr"}, {"REMOTE_ADDR": "203.0.113.77"}
    assert client.post("/subscribe", data=bare, environ_base=there).data == good.data
    opened = re.search(r'name="form" value="([^"]+)"', client.get("/").text)
    assert opened is not None
    client.post("/subscribe", data={"email": "quick@example.net", "language": "en", "form": opened[1]})
    for address in ("bare@example.net", "quick@example.net"):
        assert app.store.subscribers.find(Address(address)) is not None


def test_a_page_with_a_form_is_nobody_elses(client: FlaskClient) -> None:
    for path in ("/", "/fr/", "/manage"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


def test_six_digits_typed_in_the_open_tab_confirm_as_the_link_does(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    send_form(client, clock, "/fr/subscribe", email="new@example.net", language="fr")
    client.application.extensions["digest"].errands.wait()
    letter = next(app.config.path(app.config.mail.folder).glob("letter-*.eml")).read_text()
    code = re.search(r"(?<![\w.=@-])\d{6}(?!\w)", letter.partition("\n\n")[2])
    assert code is not None
    wrong = client.post(
        "/fr/code", data={"email": "new@example.net", "code": "000 000" if code[0] != "000000" else "1"}
    )
    assert wrong.status_code == 400
    assert "Ce code ne va pas" in wrong.text
    assert 'value="new@example.net"' in wrong.text
    nobody = client.post("/fr/code", data={"email": "nobody@example.net", "code": code[0]})
    assert nobody.status_code == 400
    assert "Ce code ne va pas" in nobody.text
    right = client.post("/fr/code", data={"email": "new@example.net", "code": f"{code[0][:3]} {code[0][3:]}"})
    assert "Bienvenue" in right.text
    assert found(app, "new@example.net").state is SubscriberState.CONFIRMED
