"""Every route at once: looking changes nothing, a form must be ours, and each answer carries its armour."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from digest.app import App, open_app
from digest.config import Config
from digest.invite import invite
from digest.model import Language, Role
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock

URL = "https://digest.example.org"


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


@pytest.fixture
def dana(app: App, web: Flask) -> FlaskClient:
    link = invite(
        app.store,
        app.links,
        address_text="dana@example.org",
        role=Role.APPROVER,
        language=Language.EN,
        now=app.clock(),
    )
    client = web.test_client()
    client.post(link.removeprefix(URL), base_url=URL)
    return client


def paths(app: App, web: Flask, month: web_kit.Month, method: str) -> list[str]:
    """Every route that takes the method, with values that exist."""
    reader = month.readers[0]
    tokens = {
        "confirm": app.links.confirm(reader.id, version=0, now=app.clock()),
        "unsubscribe": app.links.unsubscribe(reader.id, version=0, issue=1),  # type: ignore[arg-type]
        "address": app.links.new_address(reader.id, version=0, now=app.clock()),
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
        token = tokens.get(kind, "").rpartition("/")[2]
        _, path = rule.build(
            {**values, "token": token} | {k: v for k, v in values.items() if k in rule.arguments}
        ) or ("", "")
        found.append(path.partition("?")[0])
    assert len(found) > 20
    return found


def state(app: App) -> dict[str, object]:
    """All that the database holds, but for what is only about the passing of time."""
    import sqlite3

    with sqlite3.connect(f"file:{app.store.path}?mode=ro", uri=True) as db:
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
    before = state(app)
    other = web.test_client()
    link = invite(
        app.store,
        app.links,
        address_text="emile@example.org",
        role=Role.APPROVER,
        language=Language.EN,
        now=app.clock(),
    )
    other.post(link.removeprefix(URL), base_url=URL)
    foreign = re.search(r'name="token" value="([0-9a-f]{64})"', other.get("/desk/", base_url=URL).text)
    assert foreign is not None
    desk = [
        p
        for p in paths(app, web, month, "POST")
        if "/desk/" in p and "/sign-in/" not in p and not p.endswith("/link")
    ]
    assert len(desk) >= 20
    before = state(app)
    for path in desk:
        for data in ({}, {"token": ""}, {"token": "0" * 64}, {"token": foreign[1]}):
            assert dana.post(path, data=data, base_url=URL).status_code == 403, path
        assert web.test_client().post(path, data={"token": foreign[1]}, base_url=URL).status_code == 403, path
    assert state(app) == before


def test_every_desk_form_refuses_a_foreign_origin(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    token = re.search(r'name="token" value="([0-9a-f]{64})"', dana.get("/desk/", base_url=URL).text)
    assert token is not None
    before = state(app)
    foreign = (
        {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"}, {"Origin": "http://digest.example.org"},
    )  # fmt: skip
    for path in (p for p in paths(app, web, month, "POST") if "/desk/" in p):
        for headers in foreign:
            answer = dana.post(path, data={"token": token[1]}, base_url=URL, headers=headers)
            assert answer.status_code == 403, (path, headers)
    assert state(app) == before


def test_our_own_forms_pass_with_the_origin_that_browsers_send(
    app: App, web: Flask, month: web_kit.Month, dana: FlaskClient
) -> None:
    token = re.search(r'name="token" value="([0-9a-f]{64})"', dana.get("/desk/", base_url=URL).text)
    assert token is not None
    for headers in ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": URL}, {}):
        answer = dana.post("/desk/assemble", data={"token": token[1]}, base_url=URL, headers=headers)
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
