"""Administrators and their page: invite, change a role, end every session; nobody else gets there."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, Role
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import press, read, signed_in


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    admin = '[[editors]]\naddress = "ada@example.org"\nrole = "admin"\n'
    with open_app(make_config(web_kit.SOURCES + admin), clock=clock) as opened:
        yield opened


def number(app: App, address: str) -> int:
    found = app.store.editors.find(Address(address))
    assert found is not None
    return found.id


def test_an_administrator_invites_somebody_who_gets_a_link_once(app: App, web: Flask) -> None:
    ada = signed_in(app, web, "ada@example.org")
    fields = {"email": "noor@example.org", "role": "editor", "language": "fr"}
    assert "did=invited" in press(ada, "/desk/editors", **fields)  # type: ignore[arg-type]
    web.extensions["digest"].errands.wait()
    letters = [path.read_bytes() for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    assert sum(b"noor@example.org" in letter for letter in letters) == 1
    assert "noor@example.org" in read(ada, "/desk/editors")
    again = press(ada, "/fr/desk/editors", status=400, **fields)  # type: ignore[arg-type]
    assert "siège déjà au pupitre" in again
    wrong = {**fields, "email": "no address"}
    assert "not an address" in press(ada, "/desk/editors", status=400, **wrong)  # type: ignore[arg-type]


def test_an_invitation_says_who_invites_and_as_what_in_the_language_chosen(app: App, web: Flask) -> None:
    """Nobody asked for this link: a letter that says so would be deleted."""
    ada = signed_in(app, web, "ada@example.org")
    for language, role in (("fr", "approver"), ("en", "contributor")):
        fields = {"email": f"{language}@example.org", "role": role, "language": language}
        press(ada, "/fr/desk/editors" if language == "en" else "/desk/editors", **fields)  # type: ignore[arg-type]
    web.extensions["digest"].errands.wait()
    parsed = [message_from_bytes(path.read_bytes(), policy=default)
              for path in app.config.path(app.config.mail.folder).glob("*.eml")]  # fmt: skip
    told = {one["To"]: one["Subject"] + one.get_body(("plain",)).get_content() for one in parsed}
    assert "you are invited" in told["en@example.org"]
    assert "Invited by ada. Your role: Contributor." in told["en@example.org"]
    assert "une invitation" in told["fr@example.org"]
    assert "L’invitation vient de ada. Votre rôle\u00a0: Approbation." in told["fr@example.org"]
    assert not [text for text in told.values() if "asked for" in text or "avez demandé" in text]
    path = re.findall(r"/desk/sign-in/\S{32}", told["en@example.org"])[0]
    assert web.test_client().post(path, base_url=web_kit.URL).status_code == 303


def test_a_changed_role_counts_at_once_and_a_configured_one_stands(app: App, web: Flask) -> None:
    ada, noor = signed_in(app, web, "ada@example.org"), signed_in(app, web, "noor@example.org")
    path = f"/desk/editors/{number(app, 'noor@example.org')}/role"
    press(noor, "/desk/assemble")
    press(ada, path, role="contributor")
    press(noor, "/desk/assemble", status=403)
    press(ada, path, status=400, role="emperor")
    for address in ("dana@example.org", "ada@example.org"):
        page = press(ada, f"/desk/editors/{number(app, address)}/role", status=400, role="editor")
        assert "stands in config.toml" in page
    assert app.store.editors.get(number(app, "dana@example.org")).role is Role.APPROVER  # type: ignore[arg-type]


def test_signing_out_everywhere_ends_all_sessions_of_one_and_no_other(app: App, web: Flask) -> None:
    ada = signed_in(app, web, "ada@example.org")
    dana = [signed_in(app, web, "dana@example.org") for _ in range(2)]
    emile = signed_in(app, web, "emile@example.org")
    press(ada, f"/desk/editors/{number(app, 'dana@example.org')}/sign-out")
    assert all("Mail me a link" in read(client, "/desk/") for client in dana)
    assert "Sign out" in read(emile, "/desk/")
    assert "Sign out" in read(ada, "/desk/")


@pytest.mark.parametrize("address", ["dana@example.org", "emile@example.org", "cam@example.org"])
def test_nobody_else_sees_who_sits_at_the_desk(app: App, web: Flask, address: str) -> None:
    client = signed_in(app, web, address)
    html = read(client, "/desk/editors", status=403)
    assert "Your role does not reach that far" in html
    assert not re.search(r"ada@example", html)
    assert "/desk/editors" not in read(client, "/desk/")


# --- one's own page, and the door --------------------------------------------------------------------------------


def test_an_editor_sees_her_sessions_and_ends_one_or_all_others(app: App, web: Flask, clock: Clock) -> None:
    first = signed_in(app, web)
    clock.forward(hours=1)
    second, third = signed_in(app, web), signed_in(app, web)
    emile = signed_in(app, web, "emile@example.org")
    page = read(third, "/desk/you")
    marks = re.findall(r'name="session" value="([0-9a-f]{16})"', page)
    assert page.count("<p>By a mailed link") == 3
    assert page.count("this browser") == 1
    assert len(set(marks)) == 2
    press(emile, "/desk/you/sessions/end", session=marks[0])  # not hers
    assert all("Sign out" in read(client, "/desk/") for client in (first, second, third))
    press(third, "/desk/you/sessions/end", session=marks[1])
    assert "Mail me a link" in read(first, "/desk/")
    link = web_kit.sign_in_link(app).removeprefix(web_kit.URL)
    press(third, "/desk/you/sessions/end-others")
    assert "Mail me a link" in read(second, "/desk/")
    assert web.test_client().post(link, base_url=web_kit.URL).status_code == 410
    assert "Sign out" in read(third, "/desk/")
    assert "Sign out" in read(emile, "/desk/")


def links_mailed(app: App, web: Flask) -> int:
    web.extensions["digest"].errands.wait()
    letters = [path.read_bytes() for path in app.config.path(app.config.mail.folder).glob("*.eml")]
    return sum(b"your sign-in link" in letter for letter in letters)


def test_nobody_is_flooded_with_links(app: App, web: Flask, clock: Clock) -> None:
    """One a minute, five an hour, and the answer is the same for all."""
    client = web.test_client()

    def ask(address: str, ip: str = "127.0.0.1") -> str:
        return client.post("/desk/link", data={"email": address}, base_url=web_kit.URL,
                           environ_base={"REMOTE_ADDR": ip}).text  # fmt: skip

    assert ask("dana@example.org") == ask("nobody@example.org") == ask("dana@example.org")
    assert links_mailed(app, web) == 1
    for _ in range(30):
        clock.forward(minutes=1)
        ask("dana@example.org")
    assert links_mailed(app, web) == 5
    clock.forward(hours=1)
    for _ in range(70):
        ask("nobody@example.org", "203.0.113.7")
    said = ask("dana@example.org", "203.0.113.9")
    assert links_mailed(app, web) == 5, "that neighbourhood has knocked sixty times"
    assert ask("dana@example.org", "198.51.100.1") == said
    assert links_mailed(app, web) == 6


def test_a_link_waits_for_a_button_works_once_and_not_for_long(app: App, web: Flask, clock: Clock) -> None:
    """A scanner opens it, runs its scripts, follows what it finds: GET and HEAD change nothing."""
    client = web.test_client()
    client.post("/desk/link", data={"email": "dana@example.org"}, base_url=web_kit.URL)
    web.extensions["digest"].errands.wait()
    letter = next(app.config.path(app.config.mail.folder).glob("*.eml")).read_text("utf-8")
    path = re.findall(r"/desk/sign-in/[\w-]{32}", letter.replace("=\r\n", "").replace("=\n", ""))[0]
    for _ in range(3):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = client.open(path, method=method, base_url=web_kit.URL)
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers
    clock.forward(minutes=29)
    answer = client.post(path, base_url=web_kit.URL)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    for part in ("__Host-desk=", "SameSite=Lax", "HttpOnly", "Secure", "Path=/", "Max-Age=1209600"):
        assert part in cookie
    assert web.test_client().post(path, base_url=web_kit.URL).status_code == 410
    late = web_kit.sign_in_link(app, "emile@example.org").removeprefix(web_kit.URL)
    clock.forward(hours=24)
    assert web.test_client().post(late, base_url=web_kit.URL).status_code == 410
    clock.forward(days=13, hours=1)
    assert "Mail me a link" in read(client, "/desk/")
