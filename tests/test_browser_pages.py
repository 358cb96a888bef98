"""Every page in a real browser: axe-core finds nothing, in both languages, on a phone and a desktop, light and dark."""

import re
from dataclasses import replace
from typing import Any

import pytest

from digest.app import App
from digest.invite import invite
from digest.model import Address, ItemId, Language, Role
from tests import browser_kit, web_kit

pytestmark = pytest.mark.browser

SIZES = {"phone": browser_kit.PHONE, "desktop": browser_kit.DESKTOP, "320 px": {"width": 320, "height": 640}}


def sign_in(site: browser_kit.Served, context: Any) -> None:
    app = site.app
    link = invite(app.store, app.links, address_text="dana@example.org", role=Role.APPROVER, language=Language.EN,
                  now=app.clock())  # fmt: skip
    page = context.new_page()
    page.goto(link)
    with page.expect_navigation():  # a page closed on its way somewhere may never say that it is closed
        page.locator("main button").click()
    page.close()


def before_the_first(app: App) -> list[str]:
    return [
        "/",
        "/issues/",
        "/manage",
        "/code",
        "/outbox/",
        "/nope",
        "/desk/",
        "/desk/sources",
        "/desk/sign-in/x",
    ]


def while_drafting(app: App, month: web_kit.Month) -> list[str]:
    """A draft with everything in it: a theme, notes, a late item, a failing source, an empty section."""
    app.publish.assemble(month.period)
    failing = app.store.sources.get("Harbour City")
    late = web_kit.post("A late arrival", now=app.clock())
    with app.store.write():
        app.store.sources.remember(
            replace(failing, fail_count=1, last_error="harbour.example did not answer.")
        )
        other = app.store.items.add(late, source=failing.id, now=app.clock())
        app.store.twins.ask(ItemId(1), other, now=app.clock())
        app.store.twins.copy(ItemId(1), ItemId(2), now=app.clock())
    app.publish.write(month.period, field="note", language=Language.EN, words="Good morning.", by="test")
    app.publish.assemble(month.period)
    base = f"/desk/issues/{month.period}/"
    item = app.store.issues.get(month.period).section("coming-up")[1].item.id
    return [
        "/desk/",
        "/desk/sources",
        base,
        f"{base}?did=up&item={item}",
        f"{base}?view=text",
        f"{base}?view=375&letter=fr",
        f"{base}#letter",
        f"{base}#checks",
        f"{base}note",
        f"{base}items/{item}",
        f"{base}checks",
        f"{base}approve",
        f"{base}send",
        f"{base}sending",
        f"{base}history",
        f"{base}own?kind=event",
        f"{base}own?kind=post",
        "/desk/pool?shown=all",
        "/desk/pool?tab=events",
        "/desk/twins",
    ]


def while_scheduled(app: App, month: web_kit.Month) -> list[str]:
    app.publish.approve(month.period, by="test")
    app.publish.schedule(month.period, by="test", at=app.clock())
    base = f"/desk/issues/{month.period}/"
    return [base, f"{base}send", f"{base}history"]  # fmt: skip


def when_sent(app: App, month: web_kit.Month) -> list[str]:
    app.send.issue(month.period, early=True)
    issue = app.store.issues.get(month.period)
    url = app.config.list.url
    reader, other = month.readers[0], month.readers[2]
    app.join.leave(app.links.unsubscribe(other.id, version=0, issue=issue.id).rpartition("/")[2])
    letter = sorted(path.name for path in app.config.path(app.config.mail.folder).glob("*.eml"))[0]
    links = (
        app.links.unsubscribe(reader.id, version=0, issue=issue.id), app.links.unsubscribe(other.id, version=0, issue=issue.id),
        app.links.preferences(reader.id, version=0, issue=issue.id), app.links.confirm(reader.id, version=0, now=app.clock()),
    )  # fmt: skip
    first = issue.section("coming-up")[0].item.id
    return [
        "/", "/issues/", f"/issues/{month.period}", f"/items/{first}", "/outbox/", f"/outbox/{letter}",
        *(link.removeprefix(url) for link in links), "/confirm/broken", f"/desk/issues/{month.period}/",
        f"/desk/issues/{month.period}/sending", f"/desk/issues/{month.period}/letters",
    ]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_axe_finds_nothing_on_any_page(site: browser_kit.Served, browser: Any, prefix: str) -> None:
    app = site.app
    contexts = [
        browser.new_context(viewport=SIZES[size], color_scheme=scheme)
        for size, scheme in (("phone", "light"), ("desktop", "dark"))
    ]
    for context in contexts:
        sign_in(site, context)
    found: list[str] = []

    def look(paths: list[str]) -> None:
        for context in contexts:
            page = context.new_page()
            for path in paths:
                page.goto(f"{site.url}{prefix}{path}")
                found.extend(browser_kit.faults(page))
            page.close()

    look(before_the_first(app))
    month = web_kit.fill(app)
    look(["/desk/"])
    look(while_drafting(app, month))
    look(while_scheduled(app, month))
    look(when_sent(app, month))
    for context in contexts:
        browser_kit.close(context)
    assert found == []


def test_no_page_scrolls_sideways_at_320_pixels_or_in_large_type(
    site: browser_kit.Served, browser: Any
) -> None:
    app = site.app
    context = browser.new_context(viewport=SIZES["320 px"])
    sign_in(site, context)
    page = context.new_page()
    month = web_kit.fill(app)
    wide: list[str] = []
    for paths in (
        before_the_first(app),
        while_drafting(app, month),
        while_scheduled(app, month),
        when_sent(app, month),
    ):
        for path in paths:
            for prefix in ("", "/fr"):
                page.goto(f"{site.url}{prefix}{path}")
                if page.evaluate(
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
                ):
                    wide.append(f"{prefix}{path}")
    browser_kit.close(context)
    assert wide == []


BROKEN = """() => [...document.querySelectorAll(".table :is(th, td)")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/\\S+/g)) {
    const range = document.createRange();
    range.setStart(texts.currentNode, word.index);
    range.setEnd(texts.currentNode, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0]);
  }
  return found;
})"""


@pytest.mark.parametrize("width", [320, 375])
def test_no_table_breaks_a_word_or_a_domain_on_a_phone(
    site: browser_kit.Served, browser: Any, width: int
) -> None:
    app, month = site.app, web_kit.fill(site.app, readers=12)
    context = browser.new_context(viewport={"width": width, "height": 640})
    sign_in(site, context)
    page = context.new_page()
    web_kit.publish(app, month)
    base = f"/desk/issues/{month.period}/"
    for path in ("/desk/", f"{base}sending", f"{base}compare", "/desk/sources", "/desk/people/pulse"):
        for prefix in ("", "/fr"):
            page.goto(f"{site.url}{prefix}{path}")
            assert page.evaluate(BROKEN) == [], f"{prefix}{path}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{prefix}{path}"
    page.goto(f"{site.url}{base}sending")
    assert "example.com" in page.locator(".domains").inner_text()
    browser_kit.close(context)


def test_targets_on_a_phone_are_large_enough_to_touch(site: browser_kit.Served, browser: Any) -> None:
    app = site.app
    month = web_kit.fill(app)
    context = browser.new_context(viewport=browser_kit.PHONE)
    sign_in(site, context)
    page = context.new_page()
    small = """() => [...document.querySelectorAll(
        'button, .button, .acts a, .tabs a, .switch a, input:not([type=hidden]):not([type=radio]), select')]
      .filter(e => e.offsetParent && !e.classList.contains('linklike'))
      .map(e => [e.outerHTML.slice(0, 80), (e.closest('.choices label') || e).getBoundingClientRect()])
      .filter(([h, r]) => r.width < 24 || r.height < 24).map(([h, r]) => h)"""
    for path in ("/", "/manage", *while_drafting(app, month)):
        page.goto(site.url + path)
        for folded in page.locator("details.part").all():
            folded.evaluate("e => e.open = true")
        assert page.evaluate(small) == [], path
    browser_kit.close(context)


def test_a_whole_edit_is_made_with_the_keyboard_alone(site: browser_kit.Served, browser: Any) -> None:
    app = site.app
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    context = browser.new_context(viewport=browser_kit.DESKTOP)
    sign_in(site, context)
    page = context.new_page()
    page.goto(f"{site.url}/desk/issues/{month.period}/")
    titles = [p.item.title for p in app.store.issues.get(month.period).section("coming-up")]

    def tab_to(label: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.getAttribute('aria-label')") == label:
                return
        raise AssertionError(f"the keyboard never reaches {label!r}")

    tab_to(f"Down: {titles[0]}")
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="place 2").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Down: {titles[0]}"
    page.keyboard.press("Enter")
    page.get_by_role("status").filter(has_text="place 3").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"Up: {titles[0]}"
    placed = [p.item.title for p in app.store.issues.get(month.period).section("coming-up")]
    assert placed == [titles[1], titles[2], titles[0]]
    browser_kit.close(context)


def test_the_language_switch_keeps_the_page_also_behind_a_mailed_link(
    site: browser_kit.Served, browser: Any
) -> None:
    app = site.app
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    french = next(reader for reader in month.readers if reader.language == Language.FR)
    leave = app.links.unsubscribe(french.id, version=0, issue=app.store.issues.get(month.period).id)
    context = browser.new_context(viewport=browser_kit.DESKTOP)
    page = context.new_page()
    for path in ("/", f"/issues/{month.period}", leave.removeprefix(site.url)):
        page.goto(site.url + path)
        first = page.locator("html").get_attribute("lang")
        page.get_by_role("link", name=re.compile("^(Français|English)$")).first.click()
        second = page.locator("html").get_attribute("lang")
        assert {first, second} == {"en", "fr"}
        page.get_by_role("link", name=re.compile("^(Français|English)$")).first.click()
        assert page.locator("html").get_attribute("lang") == first
    page.locator("main button").click()
    known = app.store.subscribers.find(Address(french.address.reveal()))
    assert known is not None
    assert known.left_at is not None
    browser_kit.close(context)
