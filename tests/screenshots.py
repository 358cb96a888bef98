"""`python -m tests.screenshots`: the pictures of README, docs/letter/ and docs/desk/, made-up months, headless Chromium."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import screenshots_desk
from tests.browser_kit import CHROMIUM, FLAGS

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT = 1280, 900
FORCED_DARK = ("--enable-features=WebContentsForceDark", "--blink-settings=forceDarkModeEnabled=true")


def main() -> int:
    if CHROMIUM is None:
        print("No Chromium on this machine: no pictures were made.", file=sys.stderr)
        return 1
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = subprocess.Popen(
            [sys.executable, "-m", "digest", "demo", "--dir", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            issue, desk = _addresses(demo)
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1)
            letter = _picture_letter(page, issue)
            _picture_states(browser, letter)
            _picture_desk(page, desk)
            screenshots_desk.take(browser)
            browser.close()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *FORCED_DARK])
            _picture(browser, letter, "600-forced-dark", width=600)
        finally:
            browser.close()
            demo.terminate()
            demo.wait(30)
    return 0


def _addresses(demo: "subprocess.Popen[str]") -> tuple[str, str]:
    assert demo.stdout is not None
    said = ""
    for line in demo.stdout:
        said += line
        if "Ctrl+C" in line:
            break
    issue = re.search(r"http://\S+/issues/\S+", said)
    desk = re.search(r"http://\S+/desk/sign-in/\S+", said)
    assert issue is not None
    assert desk is not None
    return issue.group(), desk.group()


def _picture_letter(page: Any, issue: str) -> str:
    """The letter as a mail program shows it: the caught letter's own HTML part, and its address."""
    home = issue.partition("/issues/")[0]
    page.goto(f"{home}/outbox/")
    letter = page.locator('a[href$=".eml"]', has_text="Civic Letter").first.get_attribute("href")
    page.set_viewport_size({"width": 720, "height": 960})
    page.goto(f"{home}{letter}/html")
    page.screenshot(path=ROOT / "docs" / "letter.png")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    return f"{home}{letter}/html"


def _picture_states(browser: Any, letter: str) -> None:
    """Its beginning as different people see it; forced dark needs a browser of its own."""
    for width in (600, 375):
        for scheme in ("light", "dark"):
            _picture(browser, letter, f"{width}-{scheme}", width=width, scheme=scheme)
    _picture(browser, letter, "600-no-images", width=600, images=False)


def _picture(
    browser: Any, letter: str, name: str, *, width: int, scheme: str = "light", images: bool = True
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 1200}, color_scheme=scheme)
    if not images:
        page.route(re.compile(r"\.(png|jpe?g|gif|webp|svg)(\?|$)"), lambda route: route.abort())
    page.goto(letter)
    folder = ROOT / "docs" / "letter"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    page.close()


def _picture_desk(page: Any, link: str) -> None:
    page.goto(link)
    page.locator("main button").first.click()
    page.wait_for_url("**/desk/")
    page.locator('a[href*="/desk/issues/"]').first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=ROOT / "docs" / "desk.png")


if __name__ == "__main__":
    sys.exit(main())
