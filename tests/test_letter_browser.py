"""The letter in a real browser: axe-core finds nothing, nothing is fetched, nothing is wider than the screen."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from digest.model import Address, Language, Reading
from digest.render.press import Press
from tests import render_kit as kit
from tests.browser_kit import chromium

pytestmark = pytest.mark.browser
WIDTHS = (320, 375, 600)
NOT_FOR_LETTERS = {"region", "landmark-one-main"}  # guide: letter, section 9


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of letter as a file."""
    folder, press = tmp_path_factory.mktemp("letters"), Press(kit.config())
    found = {}
    issues = {"month": kit.month_of_12(), "right-to-left": kit.right_to_left(), "small": kit.small(),
              "every section": kit.every_section()}  # fmt: skip
    for name, issue in issues.items():
        for language in Reading:
            found[f"{name} {language.value}"] = press.preview(press.edition(issue, language))[0]
    found["a shortened half"] = press.preview(press.edition(kit.month_of(60), Reading.EN_FR))[0]
    long = kit.post(
        1, "W" * 300, url="https://posts.example.org/" + "x" * 300, author="Y" * 90, summary="Z" * 500
    )
    found["one long word"] = press.preview(press.edition(kit.issue(posts=[long]), Language.EN))[0]
    for kind, language in product(kit.NOTICES, Language):
        data = press.notice(kind, to=Address("maya@example.org"), language=language, date=kit.SEND_AT, code="482 913",
                            message_id="<n.1.a@example.org>", link=f"https://digest.example.org/confirm/{'q' * 28}")  # fmt: skip
        found[f"notice {kind.value} {language}"] = kit.part(kit.parsed(data), "html")
    for name, html in found.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in found}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


def opened(browser: Any, path: Path, *, width: int, scheme: str) -> tuple[Any, list[str]]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, [url for url in asked if not url.startswith("file:")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_and_nothing_runs_over(
    pages: dict[str, Path], browser: Any, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for name, path in pages.items():
        page, asked = opened(browser, path, width=width, scheme=scheme)
        violations = [v for v in Axe().run(page).response["violations"] if v["id"] not in NOT_FOR_LETTERS]
        told = [f"{name}: {v['id']} {n['html'][:120]}" for v in violations for n in v["nodes"]]
        assert told == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert asked == [], f"{name} fetches something"
        page.context.close()


UNSTYLE = """document.querySelectorAll('[style],style').forEach(e => {
  e.removeAttribute('style'); if (e.tagName == 'STYLE') e.remove() })"""
COLOURS = """['.card', 'h1', '.meta', '.button', 'a'].map(s => {
  const c = getComputedStyle(document.querySelector(s)); return [c.color, c.backgroundColor] })"""


def test_it_can_be_read_without_any_style(pages: dict[str, Path], browser: Any) -> None:
    page, _ = opened(browser, pages["month en"], width=375, scheme="light")
    page.evaluate(UNSTYLE)
    words = page.inner_text("body")
    assert "Office hours: ask a service designer" in words
    assert words.index("Coming up") < words.index("Worth reading") < words.index("Unsubscribe")
    page.context.close()


def test_dark_mode_changes_every_ground_and_word(pages: dict[str, Path], browser: Any) -> None:
    page, _ = opened(browser, pages["month en"], width=600, scheme="dark")
    shown = page.evaluate(COLOURS)
    assert shown[0] == ["rgb(236, 232, 225)", "rgb(27, 31, 35)"]
    assert shown[1][0] == "rgb(236, 232, 225)"
    assert shown[2][0] == "rgb(169, 177, 184)"
    assert shown[3][1] == "rgb(134, 208, 176)"
    assert shown[4][0] == "rgb(143, 195, 255)"
    page.context.close()
