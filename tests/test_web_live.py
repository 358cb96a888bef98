"""What the desk's scripts ask of the server: one field saved, two texts kept, who is here; and the letter's looks."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from digest.app import App
from digest.model import Language
from digest.web.letter_looks import marked, seen
from digest.web.presence import GONE_AFTER
from tests.conftest import Clock
from tests.web_kit import SOURCES, URL, Month, form_token, post, press, read, signed_in


@pytest.fixture
def settings() -> str:
    return SOURCES


def ask(client: Any, path: str, *, status: int = 200, **fields: object) -> Any:
    answer = client.post(path, base_url=URL, data={"token": form_token(client), **fields})
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_one_field_is_saved_by_itself_and_logged(app: App, web: Flask, month: Month) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    placed = app.store.issues.get(month.period).section("worth-reading")[0]
    saved = ask(
        dana, f"{base}save", item=placed.item.id, name="blurb-fr", words=" Un mot.\r\nDeux. ", seen=""
    )
    assert saved == {"now": "Un mot.\nDeux."}
    assert ask(dana, f"{base}save", name="note-en", words="Good morning.", seen="") == {
        "now": "Good morning."
    }
    issue = app.store.issues.get(month.period)
    again = next(p for p in issue.placed if p.item.id == placed.item.id)
    assert (again.blurb, again.title, issue.text("note", Language.EN)) == (
        {"fr": "Un mot.\nDeux."},
        {},
        "Good morning.",
    )
    assert [edit.act for edit in app.store.issues.edits(issue.id)] == ["reword", "write"]


def test_two_people_in_one_field_both_keep_their_words(app: App, web: Flask, month: Month) -> None:
    dana, emile = signed_in(app, web), signed_in(app, web, "emile@example.org")
    save = f"/desk/issues/{month.period}/save"
    item = app.store.issues.get(month.period).section("coming-up")[0].item.id
    for fields in (
        {"name": "note-fr"},
        {"name": "title-en", "item": item},
        {"name": "blurb-en", "item": item},
    ):
        ask(emile, save, words="Hers", seen="", **fields)
        assert ask(dana, save, status=409, words="His", seen="", **fields) == {"theirs": "Hers"}
        assert ask(dana, save, words="His", seen="Hers", **fields) == {"now": "His"}
        assert ask(dana, save, words="His", seen="Hers", **fields) == {"now": "His"}, "sent twice, saved once"


def test_in_ones_own_two_windows_the_newest_wins(app: App, web: Flask, month: Month) -> None:
    dana, save = signed_in(app, web), f"/desk/issues/{month.period}/save"
    item = app.store.issues.get(month.period).section("coming-up")[0].item.id
    for fields in ({"name": "note-en"}, {"name": "blurb-en", "item": item}):
        ask(dana, save, words="In one window", seen="", **fields)
        assert ask(dana, save, words="In the other", seen="", **fields) == {"now": "In the other"}
    was = [edit.detail.get("was") for edit in app.store.issues.edits(app.store.issues.get(month.period).id)]
    assert "In one window" in was, "and the log keeps what was there"


def test_a_frozen_issue_takes_no_words_and_says_why(app: App, web: Flask, month: Month) -> None:
    dana, save = signed_in(app, web), f"/fr/desk/issues/{month.period}/save"
    app.publish.approve(month.period, by="test")
    refused = ask(dana, save, status=409, name="note-en", words="Late", seen="")
    assert "figé" in refused["refused"]
    assert ask(dana, save, status=409, name="note-en", words="", seen="")["refused"]


def test_a_role_too_low_is_told_to_the_script_as_such(app: App, web: Flask, month: Month) -> None:
    cam, save = signed_in(app, web, "cam@example.org"), f"/fr/desk/issues/{month.period}/save"
    fields = {"token": form_token(cam), "name": "note-en", "words": "Mine", "seen": ""}
    refused = cam.post(save, base_url=URL, data=fields, headers={"Accept": "application/json"})
    assert (refused.status_code, "Votre rôle" in refused.get_json()["refused"]) == (403, True)
    lost = web.test_client().post(save, base_url=URL, data=fields, headers={"Accept": "application/json"})
    assert (lost.status_code, lost.is_json) == (403, False)


@pytest.mark.parametrize("prefix", ["", "/fr"])
@pytest.mark.parametrize("who", ["dana@example.org", "cam@example.org"])
def test_the_note_is_only_read_where_it_cannot_be_changed(
    app: App, web: Flask, month: Month, who: str, prefix: str
) -> None:
    client, path = signed_in(app, web, who), f"{prefix}/desk/issues/{month.period}/note"
    fields = r"<(?:input type=\"text\"|textarea)[^>]*>"
    draft = read(client, path)
    if who.startswith("dana"):
        assert "readonly" not in draft
        app.publish.approve(month.period, by="test")
        frozen, why = read(client, path), "figé" if prefix else "approved and frozen"
    else:
        frozen, why = draft, "la rédaction" if prefix else "written by editors"
    assert why in frozen
    found = re.findall(fields, frozen)
    assert len(found) == 4
    assert all("readonly" in one for one in found)
    assert '<button class="main">' not in frozen
    assert " data-save>" not in frozen


def test_what_is_no_field_is_no_field(app: App, web: Flask, month: Month) -> None:
    dana, save = signed_in(app, web), f"/desk/issues/{month.period}/save"
    for name in ("", "note", "note-de", "subject-en", "note-en\n", "../note-en"):
        ask(dana, save, status=400, name=name, words="x", seen="")
    ask(dana, save, status=404, item=99_999, name="blurb-en", words="x", seen="")


def test_who_is_here_is_said_for_a_minute(app: App, web: Flask, month: Month, clock: Clock) -> None:
    dana, emile = signed_in(app, web), signed_in(app, web, "emile@example.org")
    here = f"/desk/issues/{month.period}/here"
    assert ask(dana, here, where="note-en")["others"] == []
    heard = ask(emile, f"/fr{here}", where="12/blurb-fr")
    assert heard["said"] == "dana écrit le mot (EN)"
    assert heard["mark"] == shown(dana, month)
    assert ask(dana, here, where="") == {
        "mark": shown(dana, month), "said": "emile is changing a blurb (FR)",
        "others": [{"name": "emile", "where": "12/blurb-fr", "says": "emile is changing a blurb (FR)"}],
    }  # fmt: skip
    clock.forward(seconds=GONE_AFTER.total_seconds() + 1)
    assert ask(dana, here, where="")["others"] == []


def shown(client: FlaskClient, month: Month) -> str:
    """What an open page holds against what it hears; as long as they are one, it is not fetched anew."""
    found = re.search(r'data-mark="([^"]+)"', read(client, f"/desk/issues/{month.period}/"))
    assert found is not None
    return found[1]


def test_a_late_arrival_and_an_edit_change_the_mark_of_an_open_page(
    app: App, web: Flask, month: Month
) -> None:
    dana, here = signed_in(app, web), f"/desk/issues/{month.period}/here"
    before = shown(dana, month)
    late = post("A late post", now=app.clock())
    with app.store.write():
        app.store.items.add(late, source=app.store.sources.all()[0].id, now=app.clock())
    app.publish.assemble(month.period)
    arrived = ask(dana, here, where="")["mark"]
    assert arrived == shown(dana, month) != before
    app.publish.keep(month.period, app.store.issues.get(month.period).section(None)[0].item.id, by="test")
    assert ask(dana, here, where="")["mark"] == shown(dana, month) != arrived


def test_the_original_comes_back_by_a_button_without_script(app: App, web: Flask, month: Month) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    item = app.store.issues.get(month.period).section("worth-reading")[0].item
    for code in (Language.EN, Language.FR):
        app.publish.reword(
            month.period, item.id, language=code, by="x", title=f"Mine {code}", blurb=f"Ours {code}"
        )
    html = read(dana, f"{base}items/{item.id}")
    assert html.count('name="restore"') == 2
    fields = {f"{seen}{name}-{code}": f"{said} {code}" for code in ("en", "fr") for name, said in
              (("title", "Mine"), ("blurb", "Ours")) for seen in ("", "seen-")}  # fmt: skip
    press(dana, f"{base}items/{item.id}", restore="fr", **fields)
    placed = next(p for p in app.store.issues.get(month.period).placed if p.item.id == item.id)
    assert (dict(placed.title), dict(placed.blurb)) == ({"en": "Mine en"}, {"en": "Ours en"})


def test_the_letter_is_shown_light_dark_bare_and_as_outlook_does(app: App, web: Flask, month: Month) -> None:
    dana, letter = signed_in(app, web), f"/desk/issues/{month.period}/letter/en"
    plain = read(dana, letter)
    assert re.search("prefers-color-scheme: ?dark", plain)
    assert "@media all" in read(dana, f"{letter}?look=dark")
    assert "@media not all" in read(dana, f"{letter}?look=light")
    assert "<style" not in read(dana, f"{letter}?look=word")
    bare = dana.get(f"{letter}?look=bare", base_url=URL)
    assert "img-src 'none'" in bare.headers["Content-Security-Policy"]
    assert read(dana, f"{letter}?look=nonsense") == plain == bare.text


def test_the_letter_opens_at_the_item_that_was_changed(app: App, web: Flask, month: Month) -> None:
    dana, issue = signed_in(app, web), app.store.issues.get(month.period)
    for placed in issue.section("worth-reading") + issue.section("coming-up"):
        html = read(dana, f"/desk/issues/{month.period}/letter/en?at={placed.item.id}")
        assert html.count('id="at"') == 1, placed.item.title
    assert 'id="at"' not in read(
        dana, f"/desk/issues/{month.period}/letter/en?at={issue.section(None)[0].item.id}"
    )


def test_a_title_with_signs_is_found_in_the_letter() -> None:
    html = '<h3 lang="fr"><a href="x">L&#39;été &lt;b&gt; &amp; "nous"</a></h3>'
    assert 'id="at"' in marked(html, 'L\'été <b> & "nous"')
    assert marked(html, "L'été") == html
    assert seen("<style>a{}</style><p>", "word") == "<p>"
