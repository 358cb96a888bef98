"""Administrators and their page: invite, change a role, end every session; nobody else gets there."""

import re
from collections.abc import Callable, Iterator

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
