"""Every route at once: looking changes nothing, a form must be ours, and each answer carries its armour."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from digest.app import App, open_app
from digest.config import Config
from digest.model import Role
from digest.web import create_web, roles
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import URL

WRITING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def dana(app: App, web: Flask) -> FlaskClient:
    return web_kit.signed_in(app, web)


def walk(app: App, web: Flask, month: web_kit.Month, method: str) -> list[tuple[str, str]]:
    """Every route that takes the method, with values that exist: (the function behind it, path)."""
    reader = month.readers[0]
    tokens = {
        "confirm": app.links.confirm(reader.id, version=0, now=app.clock()),
        "unsubscribe": app.links.unsubscribe(reader.id, version=0, issue=1),  # type: ignore[arg-type]
        "address": app.links.new_address(reader.id, version=0, address=reader.address, now=app.clock()),
        "invited": app.links.invitation(reader.id, version=0, now=app.clock()),
        "preferences": app.links.preferences(reader.id, version=0, issue=1),  # type: ignore[arg-type]
    }
    item = app.store.issues.get(month.period).placed[0].item.id
    values = {"period": str(month.period), "number": item, "code": "en", "secret": "x" * 32, "name": "letter-1.eml",
              "filename": "look.css"}  # fmt: skip
    found = []
    for rule in web.url_map.iter_rules():
        if method not in (rule.methods or set()):
            continue
        kind = rule.rule.removeprefix("/fr").split("/")[1]
        values["token"] = tokens.get(kind, "").rpartition("/")[2]
        # A route with a part that is not known here fails the walk: give it a value above.
        _, path = rule.build({name: values[name] for name in rule.arguments}) or ("", "")
        found.append((rule.endpoint.rpartition(".")[2], path.partition("?")[0]))
    assert len(found) > 20
    return found


def paths(app: App, web: Flask, month: web_kit.Month, method: str) -> list[str]:
    return [path for _, path in walk(app, web, month, method)]


def forms(app: App, web: Flask, month: web_kit.Month) -> list[tuple[str, str]]:
    """Every form of the desk behind its door: (the function that takes it, path)."""
    inside = [
        (name, path) for name, path in walk(app, web, month, "POST") if "/desk/" in path and name not in DOORS
    ]
    assert len(inside) >= 40
    return inside


def state(app: App) -> dict[str, object]:
    """All that the database holds, but for what is only about the passing of time."""
    import sqlite3

    with closing(sqlite3.connect(f"file:{app.store.path}?mode=ro", uri=True)) as db:
        tables = [
            name
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    db.close()
    return found


def test_no_get_head_or_options_changes_anything(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    before = state(app)
    for path in paths(app, web, month, "GET"):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = dana.open(path, method=method, base_url=URL, buffered=True)
            assert answer.status_code < 500, (method, path)
    assert state(app) == before
    assert not app.config.path(app.config.mail.folder).exists()


def test_every_desk_form_refuses_a_missing_and_a_foreign_token(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    foreign = web_kit.form_token(web_kit.signed_in(app, web, "emile@example.org"))
    before = state(app)
    for _, path in forms(app, web, month):
        for data in ({}, {"token": ""}, {"token": "0" * 64}, {"token": foreign}):
            assert dana.post(path, data=data, base_url=URL).status_code == 403, path
        assert web.test_client().post(path, data={"token": foreign}, base_url=URL).status_code == 403, path
    assert state(app) == before


def test_every_desk_form_refuses_a_foreign_origin(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    token = web_kit.form_token(dana)
    before = state(app)
    foreign = (
        {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Origin": "http://digest.example.org"},
    )  # fmt: skip
    for path in (p for p in paths(app, web, month, "POST") if "/desk/" in p):
        for headers in foreign:
            answer = dana.post(path, data={"token": token}, base_url=URL, headers=headers)
            assert answer.status_code == 403, (path, headers)
    assert state(app) == before


@pytest.mark.parametrize("role", Role)
def test_every_desk_form_refuses_a_role_too_low(
    app: App, web: Flask, month: web_kit.Month, role: Role
) -> None:
    """A new form that stands in no row of the table is for administrators only, and so is refused here to all others."""
    client = web_kit.signed_in(app, web, "somebody@example.org", role=role)
    token, before, asked = web_kit.form_token(client), state(app), 0
    for endpoint, path in sorted(forms(app, web, month)):
        if roles.may(role, endpoint):
            continue
        asked += 1
        answer = client.post(path, data={"token": token}, base_url=URL)
        assert answer.status_code == 403, (endpoint, path)
        assert ("Votre rôle" if path.startswith("/fr/") else "Your role") in answer.text
    assert state(app) == before
    assert asked > 0 or role is Role.ADMIN


def test_the_table_of_roles_names_every_form_and_no_other(app: App, web: Flask, month: web_kit.Month) -> None:
    there = {endpoint for endpoint, _ in forms(app, web, month)}
    assert there == set(roles.NEEDS)


# Forms that anybody may send. None of them acts on a cookie, so that a foreign page can do no more than its visitor
# could by hand; each says what it asks for instead.
OPEN_FORMS = {
    "subscribe": "a proof of the form, and a letter that must be confirmed",
    "embed_filled": "the same", "subscribe_json": "the same", "confirm_code": "a code from a letter",
    "confirm": "a token from a letter", "leave": "a token from a letter", "settings": "a token from a letter",
    "ask_address": "a token from a letter", "forget": "a token from a letter", "move": "a token from a letter",
    "hello": "a token from a letter",
    "manage": "a letter to whoever owns the address", "suggest": "a proof of the form; an editor decides",
}  # fmt: skip
# At the desk, and yet before anybody is signed in: they refuse a foreign origin like all others there.
DOORS = {
    "ask_link": "a letter to whoever owns the address",
    "sign_in": "a secret from a letter",
    "ask_passkey": "nothing: it asks a device to sign, so often in an hour",
    "sign_in_by_passkey": "a signature",
}


def test_a_form_outside_the_desk_is_open_on_purpose(app: App, web: Flask) -> None:
    writing = [rule for rule in web.url_map.iter_rules() if rule.methods & WRITING]  # type: ignore[operator]
    outside = {rule.endpoint.rpartition(".")[2] for rule in writing if "/desk/" not in rule.rule}
    assert outside == set(OPEN_FORMS)
    reading = [
        p.name
        for p in (Path(__file__).parent.parent / "digest" / "web").glob("*.py")
        if "request.cookies" in p.read_text("utf-8")
    ]
    assert reading == ["sessions.py"]


def test_an_open_form_without_its_proof_changes_nothing(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    readers, consents = state(app)["subscriber"], state(app)["consent"]
    for rule in web.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or "/desk/" in rule.rule:
            continue
        _, path = rule.build({"token": "q" * 28} if "token" in rule.arguments else {}) or ("", "")
        answer = dana.post(path.partition("?")[0], base_url=URL)
        assert answer.status_code < 500, path
    assert (state(app)["subscriber"], state(app)["consent"]) == (readers, consents)


def test_nothing_is_written_by_any_other_method(web: Flask) -> None:
    for rule in web.url_map.iter_rules():
        assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST"}, rule.rule
        if "POST" in (rule.methods or set()):
            assert "GET" not in (rule.methods or set()), f"{rule.rule} looks and writes by one function"


def test_our_own_forms_pass_with_the_origin_that_browsers_send(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    token = web_kit.form_token(dana)
    for headers in ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": URL}, {}):
        answer = dana.post("/desk/assemble", data={"token": token}, base_url=URL, headers=headers)
        assert answer.status_code == 303, headers


def test_a_route_that_only_takes_forms_refuses_get(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    looking = set(paths(app, web, month, "GET"))
    for path in set(paths(app, web, month, "POST")) - looking:
        assert dana.get(path, base_url=URL).status_code in {404, 405}, path


def test_every_answer_carries_its_armour(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    for path in [*paths(app, web, month, "GET"), "/nope"]:
        headers = dana.get(path, base_url=URL, buffered=True).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), path
        assert "unsafe-eval" not in policy
        assert (
            "'unsafe-inline'" not in policy.replace("style-src 'unsafe-inline'", "")
            or "sandbox" not in policy
        )
        if "sandbox" not in policy:
            assert "unsafe-inline" not in policy, path
            # One page is meant to stand in a frame: the form for other sites.
            framed = "frame-ancestors *" if path.endswith("/embed") else "frame-ancestors 'none'"
            for part in ("form-action 'self'", "base-uri 'none'", framed):
                assert part in policy, path
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        if "/desk" in path or "/unsubscribe" in path or "/preferences" in path or "/confirm" in path:
            assert headers["Cache-Control"] == "no-store", path
        assert "Set-Cookie" not in headers, path


def test_no_page_holds_an_inline_script_or_style(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    web_kit.publish(app, month)
    for path in paths(app, web, month, "GET"):
        answer = dana.get(path, base_url=URL, buffered=True)
        if answer.mimetype != "text/html" or "sandbox" in answer.headers["Content-Security-Policy"]:
            continue
        assert not re.search(
            r"<script(?![^>]*\bsrc=)(?! type=\"application/ld\+json\">)|<style|\sstyle=|\son[a-z]+=|javascript:",
            answer.text,
        ), path


def test_the_desk_shows_nothing_to_a_stranger(app: App, web: Flask, month: web_kit.Month) -> None:
    title = app.store.issues.get(month.period).placed[0].item.title
    stranger = web.test_client()
    for path in (p for p in paths(app, web, month, "GET") if "/desk/" in p):
        answer = stranger.get(path, base_url=URL)
        assert answer.status_code in {200, 303}, path
        assert title not in answer.text
        assert "example.com" not in answer.text


def test_the_style_sheets_stay_small(app: App, web: Flask) -> None:
    client = web.test_client()
    for own in ("public.css", "desk.css"):  # a page has the look and one of these
        sizes = [len(client.get(f"/static/{name}", buffered=True).data) for name in ("look.css", own)]
        assert sum(sizes) <= 20_000, own


def test_the_outbox_is_closed_when_letters_really_leave(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    config = make_config('[mail]\ntransport = "smtp"\nserver = "127.0.0.1"\nport = 9\nsecurity = "none"\n')
    folder = config.path(config.mail.folder)
    folder.mkdir()
    (folder / "letter-1.eml").write_bytes(b"Subject: hello\r\n\r\nsecret\r\n")
    with open_app(config, clock=clock) as opened:
        client = create_web(opened).test_client()
        for path in (
            "/outbox/",
            "/fr/outbox/",
            "/outbox/letter-1.eml",
            "/outbox/letter-1.eml/raw",
            "/outbox/letter-1.eml/html",
        ):
            assert client.get(path).status_code == 404
        assert "/outbox/" not in client.get("/").text


@pytest.mark.parametrize(
    "name", ["../config.toml", "..%2fconfig.toml", "config.toml", ".letter-1.eml.9", "x/../../config.toml"]
)
def test_the_outbox_opens_no_other_file(app: App, web: Flask, name: str) -> None:
    app.config.path(app.config.mail.folder).mkdir(exist_ok=True)
    for part in ("", "/raw", "/html"):
        assert web.test_client().get(f"/outbox/{name}{part}").status_code == 404
