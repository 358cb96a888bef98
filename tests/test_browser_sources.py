"""An editor adds a source in a real browser without script: paste, look, add; axe finds nothing on what is shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from digest.config import SourcePart
from tests import browser_kit
from tests.http_kit import answer, post, rss, serving
from tests.test_browser_pages import sign_in

pytestmark = pytest.mark.browser
HOME = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/blog.xml">\
<script type="application/ld+json">\
{"@type":"Event","name":"Evening","startDate":"2026-12-01T19:00:00-05:00"}</script></head></html>'


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_source_is_found_and_added_without_script(
    site: browser_kit.Served, browser: Any, prefix: str
) -> None:
    app = site.app
    with app.store.write():
        mover = app.store.sources.add(SourcePart(name="Mover", url="https://old.example/feed"))
        app.store.sources.remember(replace(
            mover, moved_to="https://new.example/feed", moved_count=6, moved_since=app.clock() - timedelta(days=8),
            gap_at=app.clock(), paused=True,
        ))  # fmt: skip
    plain, scripted = (
        browser.new_context(viewport=browser_kit.PHONE, java_script_enabled=on) for on in (False, True)
    )
    for context in (plain, scripted):
        sign_in(site, context)
    with serving() as blog:
        blog.pages["/"] = answer(HOME, content_type="text/html")
        blog.pages["/blog.xml"] = rss(post(1), post(2), head="<language>fr</language>", title="Le blogue")
        for context in (scripted, plain):
            page = context.new_page()
            page.goto(f"{site.url}{prefix}/desk/sources")
            page.fill("#url", blog.url("/"))
            page.locator("form[action$='/sources/look'] button").click()
            assert page.input_value("#name") == "Le blogue"
            assert (
                page.locator("section.box form[action$='/sources/look']").count() == 1
            )  # the page's own events
            if context is scripted:
                assert browser_kit.faults(page) == []
        page.locator("form[action$='/sources/add'] button").click()
        assert page.url.endswith("/desk/sources?did=added")
    assert app.store.sources.get("Le blogue").url == blog.url("/blog.xml")
