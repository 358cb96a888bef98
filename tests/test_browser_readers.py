"""A reader's whole life in Chromium, in both languages, with script and without: from the form to being forgotten."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from digest.app import App
from digest.invite import invite
from digest.model import Address, Cadence, Farewell, Language, Role, SubscriberState
from digest.words import Words
from tests import browser_kit
from tests.http_kit import running
from tests.readers_kit import address_token, joins, manage_token, person

pytestmark = pytest.mark.browser
BO, MOVED = "bo@elsewhere.example", "bo@city.example"
GATE = '[signup]\npolicy = "domains"\ndomains = ["example.org", "city.example"]\n'


@pytest.fixture
def settings() -> str:
    return GATE


def new_page(browser: Any, *, script: bool = True, size: str = "phone") -> Any:
    viewport = browser_kit.PHONE if size == "phone" else browser_kit.DESKTOP
    context = browser.new_context(viewport=viewport, java_script_enabled=script)
    context.set_default_timeout(10_000)
    return context.new_page()


def sign_in(app: App, page: Any) -> None:
    link = invite(app.store, app.links, address_text="dana@example.org", role=Role.APPROVER, language=Language.EN,
                  now=app.clock())  # fmt: skip
    page.goto(link)
    page.locator("main button").click()


def mailed(site: browser_kit.Served, to: str) -> str:
    """The newest caught letter to this address."""
    site.settle()
    folder = site.app.config.path(site.app.config.mail.folder)
    letters = [path.read_text() for path in sorted(folder.glob("*.eml"))]
    return [one for one in letters if f"To: {to}" in one][-1]


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
@pytest.mark.parametrize("language", list(Language))
def test_a_life_from_sign_up_to_being_forgotten(
    site: browser_kit.Served, browser: Any, language: Language, script: bool
) -> None:
    app, words, prefix = site.app, Words(language), "/fr" if language is Language.FR else ""
    page = new_page(browser, script=script)
    page.goto(f"{site.url}{prefix}/")
    page.fill("#email", BO)
    page.fill("#note", "I keep the hack night")
    page.get_by_text(words("web.part")).click()
    assert not script or browser_kit.faults(page) == []
    page.get_by_label(words("letter.coming_up"), exact=True).check()
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name=words("web.subscribe")).click()
    letter = mailed(site, BO)
    code = re.search(r"(?<![\w.=@-])\d{6}(?!\w)", letter.partition("\n\n")[2])
    assert code is not None
    page.fill("#email", BO)
    page.fill("#code", code[0])
    page.get_by_role("button", name=words("web.code_button")).click()
    assert page.locator("h1").inner_text() == words("web.waiting_title")
    assert person(app, BO).state is SubscriberState.WAITING

    desk = new_page(browser, script=script, size="desktop")
    sign_in(app, desk)
    desk.goto(f"{site.url}{prefix}/desk/people/")
    assert "I keep the hack night" in desk.content()
    desk.get_by_role("button", name=words("desk.admit_label", address=BO)).click()
    assert desk.locator("[role=status]").inner_text() == words("desk.people_did_admitted")
    assert (person(app, BO).state, person(app, BO).topics) == (SubscriberState.CONFIRMED, ("coming-up",))

    page.goto(f"{site.url}{prefix}/preferences/{manage_token(app, BO)}")
    page.get_by_label(words("letter.calls"), exact=True).check()
    page.get_by_label(words("web.cadence_quarterly")).check()
    page.select_option("#timezone", "America/Halifax")
    page.get_by_role("button", name=words("web.settings_save")).click()
    assert (person(app, BO).cadence, person(app, BO).timezone) == (Cadence.QUARTERLY, "America/Halifax")
    assert page.locator("input[name=topics]:checked").count() == len(person(app, BO).topics) == 2
    page.get_by_label(words("web.cadence_events")).check()
    page.get_by_role("button", name=words("web.settings_save")).click()
    assert person(app, BO).cadence is Cadence.EVENTS
    page.fill("#email", MOVED)
    page.get_by_role("button", name=words("web.address_ask")).click()
    assert page.locator("[role=status]").inner_text() == words("web.address_asked")
    assert "/address/" in mailed(site, MOVED)
    page.goto(f"{site.url}{prefix}/address/{address_token(app, BO)}")
    page.get_by_role("button", name=words("web.address_button")).click()
    assert page.locator("h1").inner_text() == words("web.moved_title")

    page.goto(f"{site.url}{prefix}/preferences/{manage_token(app, MOVED)}")
    page.get_by_role("link", name=words("web.hello_link_text")).click()
    for field, text in (("#name", "Bo"), ("#who", "I keep the hack night."), ("#looks_for", "Other hosts.")):
        page.fill(field, text)
    page.get_by_role("button", name=words("web.hello_button")).click()
    assert page.locator("[role=status]").inner_text() == words("web.hello_kept")
    desk.goto(f"{site.url}{prefix}/desk/introductions/")
    assert "I keep the hack night. Other hosts." in desk.content()
    desk.get_by_role("button", name=words("desk.hello_show_label", name="Bo")).click()
    assert desk.locator("[role=status]").inner_text() == words("desk.hello_shown")
    page.get_by_role("button", name=words("web.hello_withdraw")).click()
    assert page.locator("[role=status]").inner_text() == words("web.hello_withdrawn")
    assert app.store.introductions.newest(limit=9) == []

    page.goto(f"{site.url}{prefix}/preferences/{manage_token(app, MOVED)}")
    page.get_by_role("button", name=words("web.leave_button")).click()
    assert page.locator("h1").inner_text() == words("web.left_title")
    assert person(app, MOVED).state is SubscriberState.LEFT
    page.get_by_label(words("web.why_often")).check()
    page.fill("#words", "Twice a year would do.")
    assert not script or browser_kit.faults(page) == []
    page.get_by_role("button", name=words("web.why_button")).click()
    assert page.locator("h1").inner_text() == words("web.why_thanks_title")
    assert [one.words for one in app.store.farewells.all()] == ["Twice a year would do."]
    page.get_by_role("button", name=words("web.left_undo")).click()
    assert page.locator("h1").inner_text() == words("web.back_title")
    assert person(app, MOVED).state is SubscriberState.CONFIRMED

    page.goto(f"{site.url}{prefix}/preferences/{manage_token(app, MOVED)}")
    page.get_by_role("link", name=words("web.forget_link")).click()
    page.get_by_role("button", name=words("web.forget_button")).click()
    assert page.locator("h1").inner_text() == words("web.forgotten_title")
    assert app.store.subscribers.find(Address(MOVED)) is None
    browser_kit.close(page.context)
    browser_kit.close(desk.context)


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_axe_finds_nothing_on_the_readers_pages(site: browser_kit.Served, browser: Any, prefix: str) -> None:
    app = site.app
    joins(app)
    joins(app, "bo@elsewhere.example", note="I keep the hack night")
    joins(app, "cy@ontarіo.ca")
    with app.store.write():
        for number in range(60):
            domain = "ontario.ca" if number < 25 else "canada.ca" if number < 50 else "yukon.ca"
            app.store.subscribers.add(Address(f"r{number}@{domain}"), language=Language.EN, role="policy",
                                      state=SubscriberState.CONFIRMED, now=app.clock())  # fmt: skip
        for month in ("2026-08", "2026-09"):
            app.store.head_counts.keep(month, kind="all", counts={"all": 40})
        for number in range(12):
            line = "x" * 140 if number == 3 else ""
            said = Farewell(month="2026-08", reason="often", words=line, language=Language.EN)
            app.store.farewells.add(said)
    app.join.tidy()
    hello = {
        "name": "Ann",
        "who": "x" * 200,
        "looks_for": "y " * 90,
        "link": f"https://ann.example/{'long' * 40}",
    }
    app.join.introductions.say_hello(manage_token(app), hello)
    app.join.choices.ask_address(manage_token(app), "ann.new@example.org")
    event = {
        "kind": "event",
        "title": "Hack night",
        "url": f"https://civic.example/{'long' * 40}",
        "date": "2026-12-03",
    }
    app.join.voices.suggest(event, language=Language.FR, form=None, ip=None)
    invitation = app.join.gate.invitation(manage_token(app)).rpartition("/")[2]
    paths = [
        "/", "/embed", f"/invited/{invitation}", "/invited/over", f"/preferences/{manage_token(app)}",
        f"/preferences/{manage_token(app)}/forget", f"/address/{address_token(app)}", "/desk/people/",
        "/desk/people/?did=domain&n=2", "/desk/people/pulse", "/suggest", "/desk/suggestions/",
        f"/preferences/{manage_token(app)}/hello", "/desk/introductions/",
    ]  # fmt: skip
    found: list[str] = []
    for size, scheme in (("phone", "light"), ("desktop", "dark")):
        viewport = browser_kit.PHONE if size == "phone" else browser_kit.DESKTOP
        context = browser.new_context(viewport=viewport, color_scheme=scheme)
        page = context.new_page()
        sign_in(app, page)
        for path in paths:
            page.goto(f"{site.url}{prefix}{path}")
            found.extend(browser_kit.faults(page))
            width = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if width > 0:
                found.append(f"{path} scrolls sideways by {width} pixels ({size})")
        browser_kit.close(context)
    assert found == []


def test_a_scanner_that_runs_scripts_decides_nothing(site: browser_kit.Served, browser: Any) -> None:
    """S6 with a real browser: every link of a reader opened, waited at, nothing pressed."""
    app = site.app
    joins(app)
    before = person(app)
    links = [
        app.links.unsubscribe(before.id, version=before.version, issue=1),  # type: ignore[arg-type]
        app.links.manage(before.id, version=before.version, now=app.clock()),
        app.links.confirm(before.id, version=before.version, now=app.clock()),
    ]
    page = new_page(browser)
    for link in links:
        for _ in range(3):
            page.goto(f"{link}?confirm=true", wait_until="networkidle")
    assert person(app) == before
    browser_kit.close(page.context)


def test_a_scanner_does_not_sign_in_with_an_editors_link(site: browser_kit.Served, browser: Any) -> None:
    """S19 with a real browser."""
    link = invite(site.app.store, site.app.links, address_text="dana@example.org", role=Role.APPROVER,
                  language=Language.EN, now=site.app.clock())  # fmt: skip
    page = new_page(browser)
    for _ in range(3):
        page.goto(f"{link}?confirm=true", wait_until="networkidle")
    assert page.context.cookies() == []
    page.context.close()
    page = new_page(browser)
    sign_in(site.app, page)
    page.context.close()


@contextmanager
def host_page(site: browser_kit.Served, element: str) -> Iterator[str]:
    """The address of a page of somebody else's, French, with the element in it."""
    host = Flask("host")
    html = (
        f'<!doctype html><html lang="fr"><meta name="viewport" content="width=device-width"><title>x</title>{element}'
        f'<script src="{site.url}/static/embed.js"></script>'
    )
    host.add_url_rule("/", view_func=lambda: html)
    with running(make_server("127.0.0.1", 0, host, threaded=True)) as port:
        yield f"http://127.0.0.1:{port}/"


def test_the_custom_element_brings_the_form_into_another_sites_page(
    site: browser_kit.Served, browser: Any
) -> None:
    with host_page(site, "<digest-signup></digest-signup>") as address:
        page = new_page(browser)
        page.goto(address)
        frame = page.frame_locator("iframe")
        frame.locator("#email").fill(BO)
        page.wait_for_timeout(2_100)
        with page.context.expect_page() as opened:
            frame.get_by_role("button", name=Words(Language.FR)("web.subscribe")).click()
        assert opened.value.locator("h1").inner_text() == Words(Language.FR)("web.asked_title")
        assert person(site.app, BO).language == Language.FR
        browser_kit.close(page.context)


FITS = """() => new Promise(done => { const frame = document.querySelector("iframe");
  const look = () => frame.offsetHeight !== 720 ? done(frame.offsetHeight) : requestAnimationFrame(look); look(); })"""


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_frame_is_as_tall_as_the_form_in_it(site: browser_kit.Served, browser: Any, size: str) -> None:
    with host_page(site, "<digest-signup></digest-signup>") as address:
        page = new_page(browser, size=size)
        page.goto(address)
        tall = page.evaluate(FITS)
        inside = page.frames[1].evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert inside[0] <= inside[1] == tall
        browser_kit.close(page.context)


def test_a_height_that_the_page_asks_for_stays(site: browser_kit.Served, browser: Any) -> None:
    with host_page(site, '<digest-signup height="300px"></digest-signup>') as address:
        page = new_page(browser)
        page.goto(address)
        page.frame_locator("iframe").get_by_role("button").last.wait_for()
        page.evaluate("postMessage({digestSignupHeight: 900}, '*')")
        assert page.locator("iframe").bounding_box()["height"] == 300
        browser_kit.close(page.context)


GAPS = """() => [...document.querySelectorAll("form label[for]")].map(label => {
  const before = label.parentElement.previousElementSibling;
  return label.getBoundingClientRect().top - before.getBoundingClientRect().bottom; })"""


@pytest.mark.parametrize("size", ["phone", "desk"])
@pytest.mark.parametrize("path", ["/suggest", "/fr/suggest"])
def test_every_label_keeps_away_from_the_field_above(
    site: browser_kit.Served, browser: Any, path: str, size: str
) -> None:
    page = new_page(browser, size=size)
    page.goto(site.url + path)
    gaps = page.evaluate(GAPS)
    assert len(gaps) >= 8
    assert min(gaps) >= 12
