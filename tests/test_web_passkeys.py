"""Passkeys, the second way to the desk: what opens it and what does not, with a device made of software."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address
from digest.passkeys import shown_name
from digest.web import sessions
from tests import passkey_kit, web_kit
from tests.conftest import Clock
from tests.passkey_kit import Device, add, ask, begin, knock
from tests.web_kit import URL, press, read, signed_in

ADMIN = '[[editors]]\naddress = "ada@example.org"\nrole = "admin"\n'


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES + ADMIN), clock=clock) as opened:
        yield opened


@pytest.fixture
def dana(app: App, web: Flask) -> FlaskClient:
    return signed_in(app, web)


@pytest.fixture
def phone(dana: FlaskClient) -> Device:
    return add(dana)


@pytest.fixture
def stranger(web: Flask) -> FlaskClient:
    return web.test_client()


def is_in(client: FlaskClient) -> bool:
    return "Sign out" in read(client, "/desk/")


def number(app: App, address: str) -> int:
    found = app.store.editors.find(Address(address))
    assert found is not None
    return found.id


# --- it opens ----------------------------------------------------------------------------------------------------


def test_a_passkey_is_added_listed_and_signs_in(
    app: App, web: Flask, dana: FlaskClient, phone: Device
) -> None:
    page = read(dana, "/desk/you")
    assert "Blue phone" in page
    assert "not used yet" in page
    other = web.test_client()
    assert knock(other, phone.signs(ask(other))) == 303
    assert "dana@example.org" in read(other, "/desk/you")
    assert "last used" in read(other, "/desk/you")
    assert "With a passkey" in read(dana, "/desk/you")
    assert [line.act for line in app.store.desk_log.newest(most=2)] == ["sign in by passkey", "passkey added"]


def test_passkeys_of_one_name_are_numbered_and_no_name_holds_signs_that_do_not_show() -> None:
    assert shown_name("My \u202eenohp\u200b\x07", otherwise="Passkey") == "My enohp"
    assert shown_name("\u2066 ", otherwise="Passkey", taken=["Passkey"]) == "Passkey 2"
    assert shown_name("Phone", otherwise="Passkey", taken=["Phone", "Phone 2"]) == "Phone 3"


def test_the_device_is_told_what_it_must_and_nothing_of_the_others(
    dana: FlaskClient, phone: Device, stranger: FlaskClient
) -> None:
    about = begin(dana)
    assert about["rp"]["id"] == "digest.example.org"
    assert about["authenticatorSelection"] | {"requireResidentKey": True} == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "preferred",
    }  # fmt: skip
    assert [one["id"] for one in about["excludeCredentials"]] == [passkey_kit.packed(phone.credential)]
    assert about["attestation"] == "none"
    asked = ask(stranger)
    assert asked["userVerification"] == "preferred"
    assert not asked.get("allowCredentials")
    assert asked["rpId"] == "digest.example.org"
    assert len(passkey_kit.unpacked(asked["challenge"])) == 32


def test_all_devices_of_one_editor_know_them_by_one_handle_that_says_nothing(
    app: App, web: Flask, dana: FlaskClient, phone: Device
) -> None:
    tablet = add(dana, name="Tablet")
    assert tablet.handle == phone.handle
    assert b"dana" not in phone.handle
    assert len(phone.handle) == 32
    assert add(signed_in(app, web, "emile@example.org")).handle != phone.handle


def test_a_device_that_does_not_count_signs_in_again_and_again(web: Flask, phone: Device) -> None:
    for _ in range(3):
        client = web.test_client()
        assert knock(client, phone.signs(ask(client))) == 303


def test_a_device_that_only_felt_a_touch_is_let_in(web: Flask, dana: FlaskClient) -> None:
    """User verification is preferred, not asked: the mailed link asks for less."""
    key, client = add(dana, Device(flags=passkey_kit.PRESENT)), web.test_client()
    assert knock(client, key.signs(ask(client))) == 303


def test_the_editor_is_told_by_mail_when_a_passkey_is_added(
    app: App, web: Flask, dana: FlaskClient, phone: Device
) -> None:
    web.extensions["digest"].errands.wait()
    letters = [path.read_text("utf-8") for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    told = [one for one in letters if "Subject: Test letter: a passkey was added" in one]
    assert len(told) == 1
    assert "To: dana@example.org" in told[0]
    assert f"{URL}/desk/you" in told[0]
    assert "sign-in/" not in told[0]


# --- it does not open --------------------------------------------------------------------------------------------


def test_an_answer_opens_once(web: Flask, phone: Device, stranger: FlaskClient) -> None:
    answer = phone.signs(ask(stranger))
    assert knock(stranger, answer) == 303
    assert knock(web.test_client(), answer) == 403


def test_a_refused_answer_has_used_its_challenge_up(phone: Device, stranger: FlaskClient) -> None:
    options = ask(stranger)
    assert knock(stranger, phone.lookalike(origin="https://evil.example").signs(options)) == 403
    assert knock(stranger, phone.signs(options)) == 403
    assert knock(stranger, phone.signs(ask(stranger))) == 303


def test_a_challenge_lives_five_minutes(clock: Clock, phone: Device, stranger: FlaskClient) -> None:
    options = ask(stranger)
    clock.forward(minutes=4, seconds=59)
    assert knock(stranger, phone.signs(options)) == 303
    options = ask(stranger)
    clock.forward(minutes=5)
    assert knock(stranger, phone.signs(options)) == 403


FALSE = {
    "another origin": {"origin": "https://evil.example"},
    "the same host by plain http": {"origin": "http://digest.example.org"},
    "another port": {"origin": "https://digest.example.org:8443"},
    "a host below ours": {"origin": "https://a.digest.example.org"},
    "another site's key": {"rp_id": "evil.example"},
    "nobody present": {"flags": 0},
    "another handle": {"handle": b"x" * 32},
    "no handle": {"handle": b""},
    "an unknown key": {"credential": b"x" * 16},
}


@pytest.mark.parametrize("how", FALSE)
def test_a_false_answer_is_refused_in_the_same_words(how: str, phone: Device, stranger: FlaskClient) -> None:
    answer = phone.lookalike(**FALSE[how]).signs(ask(stranger))
    refused = stranger.post("/desk/passkey", data={"answer": answer}, base_url=URL)
    assert refused.status_code == 403
    assert "This passkey was not accepted" in refused.text
    assert "Set-Cookie" not in refused.headers
    assert not is_in(stranger)


def test_a_signature_of_another_key_is_refused(phone: Device, stranger: FlaskClient) -> None:
    other = Device(handle=phone.handle, credential=phone.credential)
    assert knock(stranger, other.signs(ask(stranger))) == 403


def test_the_key_of_one_editor_never_opens_for_another(
    app: App, web: Flask, phone: Device, stranger: FlaskClient
) -> None:
    emile = add(signed_in(app, web, "emile@example.org"), name="Émile")
    assert knock(stranger, emile.lookalike(handle=phone.handle).signs(ask(stranger))) == 403
    assert knock(stranger, phone.lookalike(handle=emile.handle).signs(ask(stranger))) == 403
    assert knock(stranger, emile.signs(ask(stranger))) == 303
    assert "emile@example.org" in read(stranger, "/desk/you")


def test_a_copied_key_that_counts_backwards_is_refused_and_logged(
    app: App, web: Flask, dana: FlaskClient
) -> None:
    key = add(dana, Device(count=4))
    for count, status in ((5, 303), (5, 403), (3, 403), (0, 403), (6, 303)):
        client = web.test_client()
        assert knock(client, key.lookalike(count=count).signs(ask(client))) == status, count
    acts = [line.act for line in app.store.desk_log.newest(most=9)]
    assert acts.count("passkey refused") == 3


def test_a_removed_passkey_opens_nothing(
    web: Flask, dana: FlaskClient, phone: Device, stranger: FlaskClient
) -> None:
    assert press(dana, "/desk/you/passkeys/1/remove") == "/desk/you?did=removed"
    assert "Blue phone" not in read(dana, "/desk/you")
    assert knock(stranger, phone.signs(ask(stranger))) == 403


def test_nobody_removes_the_passkey_of_another(app: App, web: Flask, phone: Device) -> None:
    press(signed_in(app, web, "emile@example.org"), "/desk/you/passkeys/1/remove", status=404)
    assert app.store.passkeys.find(phone.credential) is not None


def test_a_challenge_to_add_is_for_one_editor_and_for_adding(
    app: App, web: Flask, dana: FlaskClient, stranger: FlaskClient
) -> None:
    emile, options = signed_in(app, web, "emile@example.org"), begin(dana)
    made = Device()
    press(emile, "/desk/you/passkeys", status=400, answer=made.creates(options))
    press(dana, "/desk/you/passkeys", status=400, answer=made.creates(options))  # used up by the other
    press(dana, "/desk/you/passkeys", status=400, answer=made.creates(begin(dana) | {"challenge": "eA"}))
    press(dana, "/desk/you/passkeys", status=400, answer=made.creates({**begin(dana), **ask(stranger)}))
    known = add(dana)
    assert knock(stranger, known.signs(begin(dana))) == 403
    assert len(app.store.passkeys.of(number(app, "dana@example.org"))) == 1  # type: ignore[arg-type]


def test_a_key_from_another_page_is_not_added(app: App, dana: FlaskClient) -> None:
    for made in (Device(origin="https://evil.example"), Device(rp_id="evil.example"), Device(flags=0)):
        page = press(dana, "/desk/you/passkeys", status=400, answer=made.creates(begin(dana)))
        assert "This passkey was not accepted" in page
    assert app.store.passkeys.is_empty()


def test_a_key_that_somebody_has_is_not_added_again(app: App, web: Flask, phone: Device) -> None:
    emile = signed_in(app, web, "emile@example.org")
    page = press(emile, "/desk/you/passkeys", status=400, answer=phone.creates(begin(emile)))
    assert "has a passkey of yours already" in page


def test_rubbish_is_refused_and_never_a_fault(web: Flask, dana: FlaskClient, phone: Device) -> None:
    """Whole answers with one part cut, turned or replaced: 403 for each, no trace, and nobody is let in."""
    client, dice = web.test_client(), random.Random(5)
    wrong = ["", "[]", "null", "{}", '"x"', "[" * 9_000, "{" * 100, "1e999", "x" * 30_000, "\U0001f600"]
    for _ in range(60):
        answer = json.loads(phone.signs(ask(client)))
        part = dice.choice(["clientDataJSON", "authenticatorData", "signature", "userHandle"])
        raw = bytearray(passkey_kit.unpacked(answer["response"][part]))
        raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        turned = passkey_kit.packed(bytes(raw[: dice.choice([len(raw), len(raw), dice.randrange(len(raw))])]))
        answer["response"][part] = dice.choice([turned, None, 7, [], {}, "é", "=", turned])
        wrong.append(json.dumps(answer))
    for one in wrong:
        assert knock(client, one) == 403, one[:200]
    assert not is_in(client)
    for one in wrong[:10]:
        press(dana, "/desk/you/passkeys", status=400, answer=one)


# --- how often ---------------------------------------------------------------------------------------------------


def test_one_neighbourhood_asks_sixty_times_an_hour(
    clock: Clock, phone: Device, stranger: FlaskClient
) -> None:
    for _ in range(sessions.KNOCKS):
        ask(stranger, REMOTE_ADDR="203.0.113.7")
    for address, status in (("203.0.113.8", 429), ("198.51.100.7", 200)):
        answer = stranger.post("/desk/passkey/begin", base_url=URL, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == status
    assert "Too many have asked" in stranger.post(
        "/desk/passkey/begin", base_url=URL, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    ).text  # fmt: skip
    clock.forward(hours=1)
    ask(stranger, REMOTE_ADDR="203.0.113.7")


def test_challenges_that_are_over_are_forgotten(app: App, clock: Clock, stranger: FlaskClient) -> None:
    for _ in range(5):
        ask(stranger)
    clock.forward(minutes=6)
    ask(stranger)
    with sqlite3.connect(app.store.path) as db:
        assert db.execute("SELECT count(*) FROM challenge").fetchone() == (1,)
    db.close()


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_door_speaks_of_passkeys_once_somebody_has_one(dana: FlaskClient, stranger: FlaskClient) -> None:
    assert "desk-passkey.js" not in read(stranger, "/desk/")
    add(dana)
    door = read(stranger, "/desk/")
    assert door.index("Mail me a link") < door.index("Sign in with a passkey")
    assert 'autocomplete="email webauthn"' in door
    assert "Entrer avec une clé d’accès" in read(stranger, "/fr/desk/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:8000", "the address of this site is a number (http://127.0.0.1:8000)"),
        ("https://[2001:db8::1]", "the address of this site is a number"),
        ("http://digest.example.org", "Passkeys need https"),
        ("http://localhost:8000", ""),
        ("https://digest.example.org", ""),
    ],
)
def test_where_browsers_make_none_the_page_says_why(
    make_config: Callable[[str], Config], clock: Clock, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.setenv("DIGEST_LIST__URL", url)
    with open_app(make_config(web_kit.SOURCES), clock=clock) as app:
        from digest.web import create_web

        client = create_web(app).test_client()
        path = web_kit.sign_in_link(app).removeprefix(url)
        assert client.post(path, base_url=url).status_code == 303
        page = client.get("/desk/you", base_url=url).text
        assert (why in page) if why else ('id="passkey"' in page)
        assert ("desk-passkey.js" in page) is not bool(why)
        assert client.post("/desk/passkey/begin", base_url=url).status_code == (404 if why else 200)


# --- who goes takes the keys along -------------------------------------------------------------------------------


def test_an_editor_who_is_removed_takes_sessions_and_passkeys_along(app: App, web: Flask) -> None:
    ada, noor = signed_in(app, web, "ada@example.org"), signed_in(app, web, "noor@example.org")
    key, client = add(noor), web.test_client()
    assert press(ada, f"/desk/editors/{number(app, 'noor@example.org')}/remove").endswith("did=removed")
    assert not is_in(noor)
    assert knock(client, key.signs(ask(client))) == 403
    assert app.store.passkeys.is_empty()
    for address in ("dana@example.org", "ada@example.org"):
        page = press(ada, f"/desk/editors/{number(app, address)}/remove", status=400)
        assert "stands in config.toml" in page
    assert "Removed from the desk: editor no." in read(ada, "/desk/editors")


def test_one_taken_out_of_the_configuration_loses_the_passkeys_too(
    app: App, web: Flask, phone: Device, make_config: Callable[[str], Config], clock: Clock
) -> None:
    app.close()
    with open_app(make_config(ADMIN), clock=clock) as after:
        assert after.store.passkeys.is_empty()


def test_an_administrator_takes_the_passkeys_of_a_lost_phone(
    app: App, web: Flask, dana: FlaskClient, phone: Device, stranger: FlaskClient
) -> None:
    ada = signed_in(app, web, "ada@example.org")
    assert "1 passkey" in read(ada, "/desk/editors")
    press(ada, f"/desk/editors/{number(app, 'dana@example.org')}/passkeys")
    assert knock(stranger, phone.signs(ask(stranger))) == 403
    assert is_in(dana)


def test_the_store_holds_no_secret_of_a_session_or_a_challenge(
    app: App, dana: FlaskClient, phone: Device, stranger: FlaskClient
) -> None:
    challenge = passkey_kit.unpacked(ask(stranger)["challenge"])
    knock(stranger, phone.signs(ask(stranger)))
    cookie = stranger.get_cookie("__Host-desk", domain="digest.example.org")
    assert cookie is not None
    files = Path(app.store.path).parent.glob("subscribers.db*")
    kept = b"".join(path.read_bytes() for path in files)
    assert phone.credential in kept
    for secret in (cookie.value.encode(), challenge, passkey_kit.packed(challenge).encode()):
        assert secret not in kept
