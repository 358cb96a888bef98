"""The text part: written for people who read mail as text, and no poorer than the HTML."""

import re

import pytest

from digest.model import Issue, Language, Placed
from digest.render.press import Press
from digest.render.text import clean, french, paragraphs, shorten, wrap
from digest.render.view import item_view
from tests import render_kit as kit

ISSUES = {
    "small": kit.small,
    "month": kit.month_of_12,
    "60 items": lambda: kit.month_of(60),
    "rtl": kit.right_to_left,
}


def printed(issue: Issue, language: Language) -> tuple[str, str]:
    press = Press(kit.config())
    return press.preview(press.edition(issue, language))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", list(ISSUES))
def test_lines_end_by_72_and_addresses_stand_alone(name: str, language: Language) -> None:
    for line in printed(ISSUES[name](), language)[1].splitlines():
        assert len(line) <= 72 or "://" in line
        assert "://" not in line or re.fullmatch(r"\s*https?://\S+", line)
        assert line == line.rstrip() or line == "-- "


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", list(ISSUES))
def test_every_title_link_and_date_of_the_html_is_in_the_text(name: str, language: Language) -> None:
    html, text = printed(ISSUES[name](), language)
    flat = "".join(text.split())
    unescaped = html.replace("&nbsp;", "\u00a0").replace("&amp;", "&")
    for words in re.findall(r"<h[123][^>]*>(?:<a[^>]*>)?([^<]+)", unescaped) + re.findall(
        r"<time[^>]*>([^<]+)", unescaped
    ):
        assert "".join(words.split()) in flat
    for url in re.findall(r'href="(https?://[^"]+)"', unescaped):
        assert url in text.split()


def test_the_text_is_not_scraped_from_the_html() -> None:
    _, text = printed(kit.month_of_12(), Language.EN)
    assert "<" not in text
    assert "&nbsp;" not in text
    assert "\u034f" not in text
    assert text.index("5 events") < text.index("Coming up")
    assert "\n-- \n" in text
    assert not re.search(r"\n{4,}", text)
    assert max(len(run) for run in re.findall(r"([=-])\1*", text)) <= 40


def test_a_heading_is_followed_by_its_items() -> None:
    _, text = printed(kit.month_of_12(), Language.FR)
    assert re.search(r"\n\nÀ venir\n-------\n\n\* Office hours", text)
    assert re.search(r"\n  Annulé\u00a0: jeu\. 17", text)


def test_wrapping_never_breaks_or_shortens_an_address() -> None:
    url = "https://example.org/" + "long-path/" * 12 + "?a=1&b=2"
    lines = wrap(f"Read this {url} and tell us, please", indent="* ", hang="  ").split("\n")
    assert lines == ["* Read this", f"  {url}", "  and tell us, please"]
    assert wrap(url) == url


def test_words_are_cleaned_without_losing_any() -> None:
    assert clean("  a\tb\n\nc\u0092\u202e\ufeff\x00 ") == "a b c"
    assert clean("18\u00a0h\u00a030") == "18\u00a0h\u00a030"
    assert clean("x\ud800y") == "xy"


def test_french_spaces_are_mended_only_where_a_space_stood() -> None:
    assert french("Oui : « non » ; si ! http://a") == "Oui\u00a0: «\u00a0non\u00a0»\u00a0; si\u00a0! http://a"


def test_paragraphs_part_at_blank_lines_and_link_addresses() -> None:
    first, second = paragraphs("One\nline (https://example.org/a).\r\n\r\nTwo")
    assert [run.url for run in first] == [None, "https://example.org/a", None]
    assert "".join(run.text for run in first) == "One line (example.org/a)."
    assert [run.text for run in second] == ["Two"]


def test_shortening_cuts_between_words() -> None:
    assert shorten("one two three", most=9) == "one two…"
    assert shorten("one two", most=7) == "one two"


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "Event without a title"), (Language.FR, "Événement sans titre")],
)
def test_what_has_no_title_is_called_by_its_sort_in_the_letters_language(
    language: Language, words: str
) -> None:
    placed = Placed(item=kit.event(1, "", "2026-12-03T12:00-05:00"), section="coming-up", position=0)
    assert item_view(placed, language, kit.config()).title == words
