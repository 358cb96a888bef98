"""docs/letter.md names everything that a template of the letter is given, and nothing that it is not."""

import re
from dataclasses import fields
from pathlib import Path

from digest.model import Language
from digest.render.letter import Marks
from digest.render.press import Press
from digest.render.templates import environment
from digest.render.view import IssueView, ItemView, OtherLanguage, SectionView, WhenView, issue_view
from tests import render_kit as kit

PAGE = (Path(__file__).parent.parent / "docs" / "letter.md").read_text(encoding="utf-8")


def test_every_field_of_the_context_is_documented() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))
    for view in (IssueView, SectionView, ItemView, WhenView, OtherLanguage):
        assert {field.name for field in fields(view)} <= told, view.__name__


def test_the_templates_are_given_what_the_page_says() -> None:
    context = Press(kit.config())._context(
        issue_view(kit.small(), Language.EN, kit.config()), Marks("0" * 24)
    )
    assert {"view", "words", "links", "theme", "dark"} == set(context) - {"paragraph_text"}
    assert {"wrap", "rule", "attribute"} <= set(environment().filters)


def test_every_template_named_there_exists() -> None:
    names = set(re.findall(r"`((?:letter|mail)/[\w.]+)`", PAGE))
    assert names
    for name in names:
        assert environment().get_template(name)
