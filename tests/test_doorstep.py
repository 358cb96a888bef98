"""Sign-up at the doorstep: what a crowd sends is answered there, and nobody can tell from the answer. S9 of the guide."""

import re
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from digest.app import App, open_app
from digest.config import Config
from digest.send_courtesy import Courtesy
from digest.web import create_web
from tests.conftest import Clock
from tests.readers_kit import ANN, joins, person

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}
FIELDS = {"language": "fr", "role": "design", "topics": "news events", "note": "I  run it", "nickname": ""}


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    caps = "[signup]\nasks_per_ip = 10000\nasks_per_network = 10000\nasks_per_domain = 10000\nasks_per_hour = 10000\n"
    with open_app(make_config(caps), clock=clock) as opened:
        yield opened


@pytest.fixture
def client(app: App) -> FlaskClient:
    return create_web(app).test_client()


def post(client: FlaskClient, app: App, clock: Clock, email: str, **more: Any) -> TestResponse:
    """As a browser elsewhere sends it."""
    form = app.join.form()
    clock.forward(seconds=5)
    path, kind = more.pop("path", "/subscribe"), more.pop("kind", "application/x-www-form-urlencoded")
    answer = client.post(path, data=FIELDS | {"email": email, "form": form} | more, content_type=kind,
                         environ_base=ELSEWHERE)  # fmt: skip
    client.application.extensions["digest"].errands.wait()
    return answer


def through_flask(client: FlaskClient, app: App, clock: Clock, email: str, **more: Any) -> TestResponse:
    """The same fields in another wrapping, which the doorstep does not open."""
    return post(client, app, clock, email, kind="multipart/form-data", **more)


def told(answer: TestResponse) -> tuple[object, ...]:
    return answer.status_code, answer.data, sorted(answer.headers.items())


@pytest.fixture
def flask_asked(client: FlaskClient) -> list[str]:
    asked: list[str] = []

    @client.application.before_request
    def note() -> None:
        asked.append("")

    return asked


@pytest.mark.parametrize("path", ["/subscribe", "/fr/subscribe"])
def test_the_doorstep_answers_and_writes_what_flask_would(
    app: App, client: FlaskClient, clock: Clock, path: str, flask_asked: list[str]
) -> None:
    post(client, app, clock, "first@example.org", path=path)
    flask_asked.clear()
    here = post(client, app, clock, "here@example.org", path=path)
    assert not flask_asked
    there = through_flask(client, app, clock, "there@example.org", path=path)
    assert flask_asked
    assert told(here) == told(there)
    assert here.headers["Content-Language"] == ("fr" if path.startswith("/fr") else "en")
    rows = [person(app, f"{name}@example.org") for name in ("here", "there")]
    assert len({(one.language, one.role, one.topics, one.note, one.state) for one in rows}) == 1
    lines = [app.store.consents.of(one.id)[0] for one in rows]
    assert len({(one.act, one.page, one.network, one.wording, one.method) for one in lines}) == 1
    assert lines[0].network == "198.51.100.0/24"


def test_nobody_can_ask_at_the_doorstep_who_is_subscribed(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    """S9: same bytes, same headers, times less than 5 ms apart."""
    joins(app)
    app.join.suppress("left@example.org", reason="left")
    kinds = {
        "known": ANN,
        "unknown": "n{}@example.org",
        "gone": "left@example.org",
        "trap": "t{}@example.org",
    }
    answers, spent = set(), {kind: list[float]() for kind in kinds}
    for number in range(60):
        for kind, text in kinds.items():
            form = app.join.form()
            clock.forward(seconds=5)
            sent = {"email": text.format(number), "form": form, "nickname": "x" if kind == "trap" else ""}
            begun = time.perf_counter()
            answer = client.post("/subscribe", data=sent, environ_base=ELSEWHERE)
            spent[kind].append(time.perf_counter() - begun)
            answers.add((answer.status_code, answer.data, tuple(sorted(answer.headers.items()))))
    client.application.extensions["digest"].errands.wait()
    assert len(answers) == 1
    quick = [statistics.quantiles(times, n=10)[0] for times in spent.values()]
    assert max(quick) - min(quick) < 0.005


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@example.org", "é" * 400])
def test_what_is_no_address_comes_back_in_the_form(
    app: App, client: FlaskClient, clock: Clock, email: str
) -> None:
    here = post(client, app, clock, email)
    there = through_flask(client, app, clock, email)
    assert here.status_code == there.status_code == 400

    def without_token(answer: TestResponse) -> str:
        return re.sub(r'name="form" value="[^"]+"', "", answer.text)

    assert without_token(here) == without_token(there)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"email=\xff%ff", "application/x-www-form-urlencoded"),
        (b"email=ann%40example.org", "text/plain"),
        (b"email=ann%40example.org&note=" + b"x" * 40_000, "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_an_odd_body_is_left_to_flask(
    app: App, client: FlaskClient, body: bytes, kind: str, flask_asked: list[str]
) -> None:
    client.post("/subscribe", data="email=x%40example.org", content_type="application/x-www-form-urlencoded",
                environ_base=ELSEWHERE)  # fmt: skip
    flask_asked.clear()
    assert client.post("/subscribe", data=body, content_type=kind, environ_base=ELSEWHERE).status_code in {
        200,
        400,
    }
    assert flask_asked
    client.application.extensions["digest"].errands.wait()


@pytest.mark.parametrize(
    "listed",
    ["", " ", "203.0.113.7", "192.0.2.9, 203.0.113.7 , 198.51.100.2", "203.0.113.7,198.51.100.2", "x, , y", "2001:db8::1, x",
     '"203.0.113.7", "198.51.100.2"', "203.0.113.7,,", ",203.0.113.7", "127.0.0.1, 198.51.100.2"],
)  # fmt: skip
def test_behind_proxies_who_asks_is_whom_flask_would_see(
    make_config: Callable[[str], Config], clock: Clock, listed: str
) -> None:
    with open_app(make_config("[web]\ntrusted_proxies = 2\n"), clock=clock) as app:
        client, networks = create_web(app).test_client(), list[str | None]()
        for name, kind in (("here", "application/x-www-form-urlencoded"), ("there", "multipart/form-data")):
            client.post("/subscribe", data={"email": f"{name}@example.org", "form": app.join.form(), "nickname": ""},
                        content_type=kind, environ_base=ELSEWHERE, headers={"X-Forwarded-For": listed})  # fmt: skip
            networks.append(app.store.consents.of(person(app, f"{name}@example.org").id)[0].network)
        client.application.extensions["digest"].errands.wait()
        assert networks[0] == networks[1]


def test_an_address_written_in_any_escape_is_read_as_flask_reads_it(
    app: App, client: FlaskClient, flask_asked: list[str]
) -> None:
    for text in (
        "%61%40example.org",
        "b@example.org",
        "c+%40example.org",
        "d%2540example.org",
        "e%%40example.org",
        "f%4%40x.org",
    ):
        answers = []
        for tail in ("", "; charset=utf-8"):  # the doorstep does not open the second
            kind = f"application/x-www-form-urlencoded{tail}"
            answer = client.post(
                "/subscribe", data=f"email={text}", content_type=kind, environ_base=ELSEWHERE
            )
            answers.append((answer.status_code, re.findall(r'name="email"[^>]+', answer.text)))
        assert answers[0] == answers[1], text
    client.application.extensions["digest"].errands.wait()
    assert {one for one in ("a@example.org", "b@example.org") if person(app, one)} == {
        "a@example.org",
        "b@example.org",
    }


def test_a_database_that_others_hold_is_told_in_the_same_words(
    app: App, client: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.web.LONGEST_WAIT_S", 0.05)
    monkeypatch.setattr("digest.web.doorstep.LONGEST_WAIT_S", 0.05)
    with closing(sqlite3.connect(app.store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        here = client.post("/subscribe", data={"email": ANN}, environ_base=ELSEWHERE)
        there = client.post(
            "/subscribe", data={"email": ANN}, content_type="multipart/form-data", environ_base=ELSEWHERE
        )
    assert here.status_code == 503
    assert told(here) == told(there)


def test_an_operators_template_is_shown_as_soon_as_it_changes(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    config = make_config("")
    own = Path(config.home) / "templates" / "web"
    own.mkdir(parents=True)
    own.joinpath("code.html").write_text("first")
    with open_app(config, clock=clock) as app:
        client = create_web(app).test_client()
        said = []
        for number, text in enumerate(["first", "then", "{{ shown_form() }}", "{{ shown_form() }}"]):
            own.joinpath("code.html").write_text(text + " " * number)
            said.append(post(client, app, clock, f"n{number}@example.org").text.strip())
        assert said[:2] == ["first", "then"]
        assert len(set(said)) == 4  # a form's token is good once: that page is made anew each time


def test_letters_give_way_to_people_but_not_for_long() -> None:
    courtesy, done = Courtesy(), Event()

    def crowd() -> None:
        while not done.is_set():
            courtesy.asked()

    courtesy.give_way()  # nobody is there: at once
    courtesy.asked()
    begun = time.monotonic()
    courtesy.give_way()
    assert time.monotonic() - begun >= 0.019
    thread = Thread(target=crowd)
    thread.start()
    try:
        courtesy.give_way()  # comes back, however many ask
    finally:
        done.set()
        thread.join()
