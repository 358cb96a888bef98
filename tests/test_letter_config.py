"""What an operator changes in config.toml: colours that can be read, sections, their names, zones, a sentence of their own."""

import re

import pytest
from pydantic import ValidationError

from digest.colour import contrast
from digest.config import LetterPart
from digest.model import Language
from digest.render.press import Press
from digest.render.theme import themes
from tests import render_kit as kit

EN, FR = Language.EN, Language.FR


def html(language: Language = EN, **letter: object) -> str:
    press = Press(kit.config(letter=letter))
    return press.preview(press.edition(kit.month_of_12(), language))[0]


@pytest.mark.parametrize(
    "accents",
    [("#1c5d48", "#86d0b0"), ("#7a1f5c", "#ffb3d9"), ("#004488", "#77aaff"), ("#767676", "#8a8a8a")],
)
def test_every_pair_of_colours_can_be_read_in_both_modes(accents: tuple[str, str]) -> None:
    for theme in themes(kit.config(letter={"accent": accents[0], "accent_dark": accents[1]})):
        low = {name: contrast(*pair) for name, pair in theme.pairs().items() if contrast(*pair) < 4.5}
        assert low == {}


def test_a_colour_of_ones_own_reaches_button_name_and_dark_mode() -> None:
    page = html(accent="#7a1f5c", accent_dark="#ffb3d9")
    assert re.search(r'class="button"[^>]*bgcolor="#7a1f5c"', page)
    assert re.search(r'class="name" style="[^"]*color:#7a1f5c', page)
    assert ".button{background-color:#ffb3d9 !important}" in page
    assert "#1c5d48" not in page


@pytest.mark.parametrize(("key", "colour"), [("accent", "#8fc3ff"), ("accent_dark", "#1c5d48")])
def test_a_colour_that_cannot_be_read_is_refused_with_its_ratio(key: str, colour: str) -> None:
    with pytest.raises(ValidationError, match=rf"{key} {colour} stands out from #\w+ by \d\.\d to 1 only"):
        LetterPart(**{key: colour})  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["red", "#12345", "#GGGGGG", "#fff", "url(x)"])
def test_a_colour_is_written_with_six_digits(wrong: str) -> None:
    with pytest.raises(ValidationError):
        LetterPart(accent=wrong)


def test_sections_are_printed_in_the_order_of_the_configuration() -> None:
    page = html(sections=["calls", "worth-reading"])
    assert re.findall(r'<h2 id="([\w-]+)"', page) == ["calls", "worth-reading"]
    last = html(sections=["have-your-say", "calls"])
    assert re.findall(r'<h2 id="([\w-]+)"', last) == ["have-your-say", "calls"]
    assert "Office hours" not in page
    assert "5 events" not in page


def test_a_section_can_have_another_name_in_each_language() -> None:
    names = {"calls": {"en": "Jobs and talks", "fr": "Emplois et conférences"}}
    assert 'id="calls"' in html(names=names)
    assert ">Jobs and talks</h2>" in html(names=names)
    assert ">Emplois et conférences</h2>" in html(FR, names=names)
    assert ">Coming up</h2>" in html(names=names)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sections": ["calls", "calls"]},
        {"sections": []},
        {"sections": ["gossip"]},
        {"names": {"gossip": "Gossip"}},
        {"zones": ["Mars"]},
    ],
)
def test_what_cannot_be_printed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LetterPart(**wrong)  # type: ignore[arg-type]


def test_online_events_are_told_in_the_zones_of_the_configuration() -> None:
    page = html(zones=["America/St_Johns"]).replace("&nbsp;", " ")
    assert "noon Eastern (1:30 p.m. Newfoundland)" in page
    assert "Pacific," not in page


def test_a_sentence_of_ones_own_stands_in_the_foot_as_text() -> None:
    assert "Paid for by <b>nobody</b>." not in html(footer="Paid for by <b>nobody</b>.")
    assert "Paid for by &lt;b&gt;nobody&lt;/b&gt;." in html(footer="Paid for by <b>nobody</b>.")
