"""The web version of an issue: axe-core at letter widths, light and dark; the Nu HTML checker; nothing fetched from elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digest.app import open_app
from digest.config import Config
from digest.web import create_web
from tests import browser_kit, web_kit
from tests.test_letter_tools import needs_nu, nu


@pytest.mark.browser
def test_axe_finds_nothing_in_the_web_version_at_any_width(site: browser_kit.Served) -> None:
    month = web_kit.fill(site.app)
    web_kit.publish(site.app, month)
    found: list[str] = []
    with browser_kit.chromium() as browser:
        for scheme in ("light", "dark"):
            for width in (320, 375, 600):
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page, asked = context.new_page(), list[str]()
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                for prefix in ("", "/fr"):
                    page.goto(f"{site.url}{prefix}/issues/{month.period}")
                    found += [f"{width} {scheme}: {fault}" for fault in browser_kit.faults(page)]
                    found += [f"{width}: too wide"] * _is_wide(page, width)
                found += [url for url in asked if not url.startswith(site.url)]
                context.close()
    assert found == []


def _is_wide(page: Any, width: int) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth") > width)


@needs_nu
def test_the_nu_html_checker_finds_nothing_in_the_archive(
    make_config: Callable[[str], Config], tmp_path: Path
) -> None:
    paths = []
    with open_app(make_config(web_kit.SOURCES)) as app:
        month = web_kit.fill(app)
        web_kit.publish(app, month)
        item = app.store.issues.get(month.period).section("coming-up")[0].item.id
        client = create_web(app).test_client()
        for number, path in enumerate(("/", "/issues/", f"/issues/{month.period}", f"/items/{item}")):
            for prefix in ("", "/fr"):
                paths.append(tmp_path / f"{number}{prefix.strip('/')}.html")
                paths[-1].write_text(client.get(prefix + path).text, encoding="utf-8")
    assert nu(*paths) == []
