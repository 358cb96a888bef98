"""The whole story in a real browser, without a line of script: sign up, confirm, edit, approve, send, read, leave."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from digest.app import App
from digest.model import Address, IssueState, SubscriberState
from digest.words import Words
from tests import browser_kit, web_kit

pytestmark = pytest.mark.browser


@pytest.fixture(params=["with script", "without script"])
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A fresh profile at phone width. Anything the browser complains about fails the test."""
    context = browser.new_context(
        viewport=browser_kit.PHONE, java_script_enabled=request.param == "with script"
    )
    context.set_default_timeout(10_000)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    browser_kit.close(context)
    assert complaints == []


def newest_letter(site: browser_kit.Served, page: Any, words: Words) -> None:
    """Opens the newest caught letter, as a person would: from the outbox."""
    site.settle()
    page.goto(f"{site.url}{'/fr' if words.language == 'fr' else ''}/outbox/")
    page.locator("table.mails a").first.click()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_month_happens_in_the_browser(site: browser_kit.Served, page: Any, language: str) -> None:
    app, words, prefix = site.app, Words(language), "/fr" if language == "fr" else ""  # type: ignore[arg-type]
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    sign_up(site, page, words, prefix)
    sit_down(site, page, words)
    edit(app, page, words, month)
    approve_and_send(site, page, words, month)
    read_and_leave(site, page, words, prefix, month)


def sign_up(site: browser_kit.Served, page: Any, words: Words, prefix: str) -> None:
    page.goto(f"{site.url}{prefix}/")
    page.get_by_label(words("web.email")).fill("new.reader@example.net")
    page.wait_for_timeout(2_100)  # a form sent within two seconds is a machine's
    page.get_by_role("button", name=words("web.subscribe")).click()
    assert page.locator("h1").inner_text() == words("web.asked_title")
    newest_letter(site, page, words)
    page.locator("pre a", has_text="/confirm/").click()
    assert page.locator("h1").inner_text() == words("web.confirm_title")
    assert page.locator("html").get_attribute("lang") == words.language
    page.get_by_role("button", name=words("web.confirm_button")).click()
    assert page.locator("h1").inner_text() == words("web.confirmed_title")
    known = site.app.store.subscribers.find(Address("new.reader@example.net"))
    assert known is not None
    assert (known.state, known.language) == (SubscriberState.CONFIRMED, words.language)


def sit_down(site: browser_kit.Served, page: Any, words: Words) -> None:
    prefix = "/fr" if words.language == "fr" else ""
    page.goto(f"{site.url}{prefix}/desk/")
    page.get_by_label(words("desk.door_email")).fill("dana@example.org")
    page.get_by_role("button", name=words("desk.door_button")).click()
    newest_letter(site, page, words)
    link = page.locator("pre a", has_text="/desk/sign-in/").get_attribute("href")
    page.goto(f"{site.url}{prefix}{link.removeprefix(site.url).removeprefix('/fr')}")
    page.get_by_role("button", name=words("desk.sign_in_button")).click()
    page.get_by_role("link", name=re.compile("2026|2027")).first.wait_for()


def edit(app: App, page: Any, words: Words, month: web_kit.Month) -> None:
    """Cuts, takes back, moves; writes the note in both languages; looks at the letter."""
    page.locator("a.main").first.click()
    events = [p.item for p in app.store.issues.get(month.period).section("coming-up")]
    page.get_by_role("button", name=words("desk.cut_label", title=events[0].title)).click()
    hears(page, words("desk.did_cut", title=events[0].title))
    page.get_by_role("button", name=words("desk.undo")).click()
    hears(page, words("desk.log_undo", what="").strip())
    page.get_by_role("button", name=words("desk.cut_label", title=events[1].title)).click()
    hears(page, words("desk.did_cut", title=events[1].title))
    page.get_by_role("button", name=words("desk.up_label", title=events[2].title)).click()
    hears(page, events[2].title)
    focused = page.locator(":focus")
    assert focused.get_attribute("value") == (
        "down" if page.locator("li.here button[value=up]").is_disabled() else "up"
    )
    placed = [p.item.title for p in app.store.issues.get(month.period).section("coming-up")]
    assert placed == [events[2].title, events[0].title]
    page.locator(f'#outline a[href*="/{month.period}/note"]').click()
    page.locator("#theme-en").fill("forms that ask less")
    page.locator("#note-en").fill("Good morning.\n\nThree teams cut their forms in half.")
    page.locator("#note-fr").fill("Bonjour.\n\nTrois équipes ont coupé leurs formulaires en deux.")
    page.get_by_role("button", name=words("desk.save"), exact=True).click()
    hears(page, words("desk.did_noted"))
    page.get_by_role("link", name=words("desk.tab_letter"), exact=True).click()
    frame = page.frame_locator(".letter iframe")
    assert frame.locator("h1").inner_text().replace("\u00a0", " ")
    assert events[1].title not in frame.locator("body").inner_text()
    assert page.locator(".outline").is_hidden()


def hears(page: Any, sentence: str) -> None:
    """The page says this sentence, to eyes and to screen readers."""
    page.get_by_role("status").filter(has_text=sentence).wait_for()


def approve_and_send(site: browser_kit.Served, page: Any, words: Words, month: web_kit.Month) -> None:
    page.get_by_role("link", name=words("desk.approve_open")).click()
    page.locator("button[value=schedule]").click()
    assert site.app.store.issues.get(month.period).state is IssueState.SCHEDULED
    page.get_by_role("button", name=words("desk.hold")).click()
    hears(page, words("desk.did_held"))
    page.get_by_role("link", name=words("desk.approve_open")).click()
    page.get_by_role("button", name=words("desk.approve_only")).click()
    page.locator("main button.main").click()
    assert words("desk.read_only") in page.locator(".said[role=region]").inner_text()
    assert site.app.store.issues.get(month.period).state is IssueState.SCHEDULED
    site.app.send.issue(month.period, early=True)  # what the metronome does when the ten minutes are over
    page.goto(f"{page.url.partition('?')[0]}sending")
    assert site.app.store.issues.get(month.period).state is IssueState.SENT
    assert words("desk.delivery_sent") in page.locator(".counts").inner_text()
    assert page.locator(".counts li", has_text=words("desk.delivery_sent")).locator("b").inner_text() == "6"


def read_and_leave(
    site: browser_kit.Served, page: Any, words: Words, prefix: str, month: web_kit.Month
) -> None:
    page.get_by_role("link", name=words("desk.read_public")).click()
    assert page.url == f"{site.url}{prefix}/issues/{month.period}"
    assert page.locator("article h2").count() >= 2
    page.goto(f"{site.url}{prefix}/outbox/")
    row = page.locator("tr", has_text="new.reader@example.net").locator("a", has_text=re.compile(":"))
    row.first.click()
    page.locator("pre a", has_text="/unsubscribe/").first.click()
    assert "n•••@example.net" in page.locator("main").inner_text()
    page.get_by_role("button", name=words("web.leave_button")).click()
    assert page.locator("h1").inner_text() == words("web.left_title")
    known = site.app.store.subscribers.find(Address("new.reader@example.net"))
    assert known is not None
    assert known.state is SubscriberState.LEFT
    page.get_by_role("button", name=words("web.left_undo")).click()
    assert page.locator("h1").inner_text() == words("web.back_title")
