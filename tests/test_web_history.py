"""Undo and the history at the desk, by plain forms; and the ladder of roles."""

import re

import pytest
from flask import Flask

from digest.app import App
from digest.model import Role
from digest.web import roles
from tests import web_kit
from tests.web_kit import press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def seen(html: str, way: str) -> str:
    found = re.search(rf'action="[^"]*/{way}".*?name="seen" value="(\d+)"', html)
    assert found is not None, way
    return found[1]


def test_an_act_is_undone_and_done_again_from_any_later_page(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    dana, emile = signed_in(app, web), signed_in(app, web, "emile@example.org")
    base, start = f"/desk/issues/{month.period}/", app.store.issues.get(month.period)
    item = start.section("coming-up")[1].item
    press(dana, f"{base}items/{item.id}/move", act="cut")
    html = read(emile, base)
    assert f"Put “{item.title}” on the bench" in html
    where = press(emile, f"{base}undo", seen=seen(html, "undo"))
    assert app.store.issues.get(month.period).placed == start.placed
    html = read(emile, where)
    assert f"Undone: Put “{item.title}” on the bench" in html
    press(dana, f"{base}redo", seen=seen(html, "redo"))
    assert item.id in {p.item.id for p in app.store.issues.get(month.period).section(None)}


def test_undo_refuses_when_somebody_did_something_else_meanwhile(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    first, second = (p.item for p in app.store.issues.get(month.period).section("coming-up")[:2])
    press(dana, f"{base}items/{first.id}/move", act="cut")
    html = read(dana, base)
    app.publish.cut(month.period, second.id, by="other")
    page = press(dana, f"/fr{base}undo", status=409, seen=seen(html, "undo"))
    assert "Quelqu’un a fait autre chose entre-temps" in page


def test_the_history_says_who_did_what_and_when(app: App, web: Flask, month: web_kit.Month) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    assert "Nothing has been done to this issue yet" in read(dana, f"{base}history")
    item = app.store.issues.get(month.period).section("coming-up")[0].item
    press(dana, f"{base}items/{item.id}/move", act="cut")
    press(dana, f"{base}undo")
    press(dana, f"{base}note", **{"note-en": "Good morning.", "seen-note-en": ""})
    app.publish.approve(month.period, by="command")
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td[^>]*>(.*?)</td>", read(dana, f"{base}history"))
    assert [(who, what) for _, who, what in rows] == [
        ("a command", "Approved"), ("dana", "Wrote the note (EN)"), ("dana", f"Undone: Put “{item.title}” on the bench"),
        ("dana", f'Put “{item.title}” on the bench <span class="tag">undone</span>'),
    ]  # fmt: skip
    assert all("10" in when for when, _, _ in rows)
    assert "Écrit\u00a0: le mot de l’équipe (EN)" in read(dana, f"/fr{base}history")


def test_a_form_that_stands_in_no_row_is_for_administrators_only() -> None:
    assert not roles.may(Role.APPROVER, "something_new")
    assert roles.may(Role.ADMIN, "something_new")


def test_the_ladder_has_every_role_once() -> None:
    assert set(roles.LADDER) == set(Role)
    assert len(roles.LADDER) == len(Role)
