"""docs/letter.md names everything that a template of the letter is given, and nothing that it is not."""

import re
from dataclasses import fields
from pathlib import Path

from jinja2.meta import find_undeclared_variables

from digest.model import Language
from digest.render.context import (
    Half,
    IssueView,
    ItemView,
    LetterContext,
    Links,
    LogoView,
    OtherLanguage,
    PersonView,
    SectionView,
    WhenView,
)
from digest.render.letter import Marks
from digest.render.press import Press
from digest.render.templates import environment
from digest.render.view import issue_view
from tests import render_kit as kit

PAGE = (Path(__file__).parent.parent / "docs" / "letter.md").read_text(encoding="utf-8")


def test_every_field_of_the_context_is_documented() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))
    for view in (
        PersonView,
        LogoView,
        LetterContext,
        Half,
        Links,
        IssueView,
        SectionView,
        ItemView,
        WhenView,
        OtherLanguage,
    ):
        assert {field.name for field in fields(view)} <= told, view.__name__


def test_the_templates_are_given_what_the_page_says() -> None:
    press, seen = Press(kit.config()), set[str]()
    views = [issue_view(kit.month_of_12(), language, kit.config()) for language in Language]
    context = press.context(views, Marks("0" * 24))
    for name in ("letter.html", "letter.txt", "parts.html", "head.css", "inline.css"):
        source = press.templates.loader.get_source(press.templates, f"letter/{name}")[0]  # type: ignore[union-attr]
        seen |= find_undeclared_variables(press.templates.parse(source))
    assert seen == {field.name for field in fields(LetterContext)}
    assert press.html(context)
    assert press.text(context)
    assert {"wrap", "rule", "told", "leader", "attribute"} <= set(environment().filters)


def test_every_template_named_there_exists() -> None:
    names = set(re.findall(r"`((?:letter|mail)/[\w.]+)`", PAGE))
    assert names
    for name in names:
        assert environment().get_template(name)
