"""The letter's HTML: what Word, Gmail, a screen reader and a hostile feed each need it to be."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import RenderError
from digest.model import EventStatus, Language
from digest.render.press import Press
from digest.render.templates import packaged_folder
from digest.rules.preflight_message import source_bytes
from tests import render_kit as kit

EN, FR = Language.EN, Language.FR


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(kit.config())


@pytest.fixture(scope="module")
def html(press: Press) -> str:
    return press.preview(press.edition(kit.month_of_12(), EN))[0]


def of(press: Press, issue: object, language: Language = EN) -> str:
    return press.preview(press.edition(issue, language))[0]  # type: ignore[arg-type]


def test_styles_stand_in_the_elements_and_dark_mode_in_the_head(html: str) -> None:
    head, _, body = html.partition("<body")
    assert "@media (prefers-color-scheme:dark)" in head
    assert "@media (max-width:480px)" in head
    assert "[data-ogsc]" in head
    assert "<!--HEADCSS-->" not in html
    assert "<style" not in body
    assert body.count("style=") > 60
    assert "{{" not in html


def test_word_gets_its_table_of_600_pixels(html: str) -> None:
    assert re.search(r'<!--\[if mso\]><table role="presentation" width="600"', html)
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->")
    assert 'style="border-collapse:separate;max-width:600px"' in html


def test_nothing_is_loaded_and_nothing_watches(html: str) -> None:
    assert not re.search(r"<(img|script|link|iframe|object|video|form|svg)\b", html)
    assert not re.search(r"url\(|@import|@font-face", html)


def test_the_whole_is_one_article_in_its_language(press: Press) -> None:
    for language in Language:
        page = of(press, kit.month_of_12(), language)
        assert re.search(rf'<html lang="{language.value}" dir="ltr"', page)
        assert re.search(rf'role="article"[^>]*lang="{language.value}" dir="ltr"', page)


def test_an_item_in_another_language_says_so_to_eye_and_ear(press: Press) -> None:
    english, french = of(press, kit.month_of_12(), EN), of(press, kit.month_of_12(), FR)
    assert re.search(r'<h3 [^>]*lang="fr"[^>]*><a [^>]*hreflang="fr"[^>]*>Ce que nos centres', english)
    assert english.count("(in&nbsp;French)") == 2
    assert french.count("(en&nbsp;anglais)") == 10
    assert not re.search(r'<h3 [^>]*lang="fr"', french)


def test_an_editors_words_win_and_are_in_the_editions_language(press: Press) -> None:
    issue = kit.month_of_12()
    placed = tuple(
        replace(p, title={"fr": "Heures de bureau"}, blurb={"fr": "Apportez un écran."})
        if p.item.id == 1
        else p
        for p in issue.placed
    )
    french = of(press, replace(issue, placed=placed), FR)
    assert re.search(r'<h3 style="[^"]*"><a [^>]*hreflang="en"[^>]*>Heures de bureau</a></h3>', french)
    assert "Apportez un écran." in french
    assert "Office hours: ask" not in french
    assert "Office hours: ask" in of(press, replace(issue, placed=placed), EN)


def test_right_to_left_items_turn_only_themselves(press: Press) -> None:
    page = of(press, kit.right_to_left())
    assert page.count('dir="rtl"') == 3
    assert re.search(r'<h3 [^>]*lang="ar"', page)
    assert "(in&nbsp;Arabic)" in page


def test_a_cancelled_event_is_struck_out_and_cannot_be_added(html: str) -> None:
    part = html.partition("Accessibility meet-up")[2].partition("<h2")[0]
    assert "Cancelled" in part
    assert "<s><time" in part
    assert "Add to calendar" not in part
    assert html.count(">Add to calendar<") == 4


def test_each_link_to_a_calendar_is_named_by_its_event(html: str) -> None:
    labels = re.findall(r'aria-label="(Add to calendar: [^"]+)"', html)
    assert len(labels) == len(set(labels)) == 4


@pytest.mark.parametrize("status", list(EventStatus))
def test_every_status_of_an_event_can_be_printed(press: Press, status: EventStatus) -> None:
    event = kit.event(1, "Meet-up", "2026-12-03T12:00-05:00", place="Toronto", status=status)
    for language in Language:
        assert "Meet-up" in of(press, kit.issue([event]), language)


def test_what_a_feed_says_is_text_and_nothing_more(press: Press) -> None:
    evil = kit.post(
        1, "<script>alert(1)</script> & \u202eevil\u0092", url="javascript:alert(1)", author='"><b>x', source="A & B",
        summary="{{ 7 * 7 }} {% raw %} <img src=x onerror=alert(1)> \x00",
    )  # fmt: skip
    page = of(press, kit.issue(posts=[evil]))
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page
    assert "\u202e" not in page
    assert "\u0092" not in page
    assert "{{ 7 * 7 }}" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; evil" in page


def test_an_editors_note_is_text_with_links_and_never_a_template(press: Press) -> None:
    note = "Hello {{ config }} <b>you</b>.\n\nSee https://example.org/a?b=1&c=2, and (https://example.org/x).\n\n\n\nBye"
    page = of(press, kit.issue(texts={("note", "en"): note}))
    assert "Hello {{ config }} &lt;b&gt;you&lt;/b&gt;." in page
    assert 'href="https://example.org/a?b=1&amp;c=2"' in page
    assert 'href="https://example.org/x"' in page
    assert len(re.findall(r'<p style="margin:20px 0 0">', page)) == 3


def test_french_words_of_editors_get_their_no_break_spaces(press: Press) -> None:
    page = of(press, kit.issue(texts={("note", "fr"): "Bonjour : voici « la suite » !"}), FR)
    assert "Bonjour&nbsp;: voici «&nbsp;la suite&nbsp;»&nbsp;!" in page


def test_an_issue_without_anything_is_still_a_letter(press: Press) -> None:
    page = of(press, kit.issue())
    assert "December 2026</h1>" in page
    assert "<h2" in page
    assert "Add all events" not in page


@pytest.mark.parametrize("language", list(Language))
def test_25_items_weigh_under_30_kb_and_100_stay_under_gmails_cut(press: Press, language: Language) -> None:
    assert source_bytes(press.edition(kit.month_of(25), language).html) < 30_000
    assert source_bytes(press.edition(kit.month_of(100), language).html) < 100_000


def test_an_operators_template_wins_file_by_file(tmp_path: Path) -> None:
    folder = tmp_path / "letter"
    folder.mkdir()
    own = (
        (packaged_folder() / "letter/parts.html")
        .read_text()
        .replace('<p class="blurb"', '<p class="blurb" title="ours"')
    )
    (folder / "parts.html").write_text(own)
    press = Press(kit.config(), folders=[tmp_path])
    assert 'title="ours"' in of(press, kit.month_of_12())


@pytest.mark.parametrize(
    "source", ["{{ view.nothing }}", "{% if %}", "{{ view.title", "{{ none.nothing.more }}"]
)
def test_a_broken_template_says_which_and_why(tmp_path: Path, source: str) -> None:
    (tmp_path / "letter").mkdir()
    (tmp_path / "letter/letter.html").write_text(source)
    with pytest.raises(RenderError, match=r"letter/letter\.html"):
        Press(kit.config(), folders=[tmp_path]).edition(kit.small(), EN)


def test_a_template_without_a_place_for_head_styles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").mkdir()
    whole = (packaged_folder() / "letter/letter.html").read_text().replace("<!--HEADCSS-->", "")
    (tmp_path / "letter/letter.html").write_text(whole)
    with pytest.raises(RenderError, match="HEADCSS"):
        Press(kit.config(), folders=[tmp_path]).edition(kit.small(), EN)


def test_a_linked_style_sheet_is_never_fetched_nor_read_from_disk(tmp_path: Path) -> None:
    sheet = tmp_path / "secret.css"
    sheet.write_text("p{color:#123456}")
    (tmp_path / "letter").mkdir()
    for address in (f"file://{sheet}", str(sheet), "http://127.0.0.1:9/x.css"):
        whole = (packaged_folder() / "letter/letter.html").read_text()
        linked = whole.replace("<!--HEADCSS-->", f'<!--HEADCSS--><link rel="stylesheet" href="{address}">')
        (tmp_path / "letter/letter.html").write_text(linked)
        assert "#123456" not in of(Press(kit.config(), folders=[tmp_path]), kit.small())


def test_a_preview_holds_no_mark_and_no_readers_link(press: Press) -> None:
    for page in press.preview(press.edition(kit.month_of_12(), FR)):
        assert "slot-" not in page
        assert "/unsubscribe/" not in page
