"""axe-core on every page that a browser can open: the URL map itself is walked, by an admin, in a month where much goes on.

Every page is looked at in both languages, at both widths, light and dark; a page that is added later is walked as well.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.routing import Rule

from digest.model import Address, Period, Role
from tests import browser_kit, screenshots_desk, web_kit

pytestmark = pytest.mark.browser

# No pages: read by machines, or files, or the bare letter, which is looked at where it is rendered (test_letter_browser).
NO_PAGES = frozenset({
    "archive.calendar", "archive.atom", "archive.json_feed", "archive.rss", "archive.issue_calendar", "archive.issue_json",
    "archive.issue_md", "archive.issue_card", "archive.issue_text", "archive.item_calendar", "machines.health",
    "machines.metrics", "outbox.letter_html", "outbox.letter_raw", "settings.mine_csv", "settings.mine_json",
    "entrances.form_json", "desk.letter", "static",
})  # fmt: skip
LOOKS = {
    "": (("phone", browser_kit.PHONE, "light"), ("desktop", browser_kit.DESKTOP, "dark")),
    "/fr": (("phone", browser_kit.PHONE, "dark"), ("desktop", browser_kit.DESKTOP, "light")),
}


@pytest.fixture(scope="module")
def rich() -> Iterator[tuple[browser_kit.Served, Period]]:
    """The month of the pictures in docs/desk/: an issue sent, the next one a draft, people and worries waiting."""
    with screenshots_desk.desk() as (site, _, period):
        yield site, period


def pages(site: browser_kit.Served) -> list[Rule]:
    rules = [rule for rule in site.web.url_map.iter_rules() if "GET" in (rule.methods or ())]
    return [rule for rule in rules if not rule.rule.startswith("/fr/") and rule.endpoint not in NO_PAGES]


def paths(site: browser_kit.Served, period: Period) -> list[str]:
    """An address for each page, two for those of an issue: the draft, and the one that was sent."""
    app = site.app
    ann = app.store.subscribers.find(Address("reader0@example.com"))
    assert ann is not None
    issue, links = app.store.issues.get(period), app.links
    sent = app.store.issues.get(period.previous())
    ann = replace(ann, new_address=Address("reader0@example.net"))
    with app.store.write():
        app.store.subscribers.save(ann)
    mailed = {
        "settings.address_page": links.new_address(
            ann.id, version=ann.version, address=Address("reader0@example.net"), now=app.clock()
        ),
        "settings.settings_page": links.manage(ann.id, version=ann.version, now=app.clock()),
        "public.confirm_page": links.confirm(ann.id, version=ann.version, now=app.clock()),
        "leaving.leave_page": links.unsubscribe(ann.id, version=ann.version, issue=sent.id),
        "entrances.invited": links.invitation(ann.id, version=ann.version, now=app.clock()),
    }
    tokens = {name: link.rpartition("/")[2] for name, link in mailed.items()}
    letters = app.config.path(app.config.mail.folder)
    common = {
        "secret": "x" * 43, "code": "en", "name": next(letters.glob("*.eml")).name,
        "number": issue.section("worth-reading")[0].item.id,
    }  # fmt: skip
    found = []
    for rule in pages(site):
        token = tokens.get(rule.endpoint, tokens["settings.settings_page"])
        inside = [issue, sent] if "period" in rule.arguments else [sent]
        for one in inside[1:] if rule.endpoint.startswith("archive.") else inside:
            if rule.endpoint in {"desk.own_page", "desk.approve_page"} and one is sent:
                continue
            number = (
                one.section("worth-reading")[0].item.id if one.section("worth-reading") else common["number"]
            )
            slots = common | {"token": token, "period": str(one.period), "number": number}
            path = rule.build(slots, append_unknown=False)
            assert path is not None, rule
            found.append(path[1])
    return found


@pytest.mark.parametrize("prefix", list(LOOKS))
@pytest.mark.parametrize("at", [0, 1], ids=["phone", "desktop"])
def test_axe_finds_nothing_on_any_page_of_the_url_map(
    rich: tuple[browser_kit.Served, Period], browser: Any, prefix: str, at: int
) -> None:
    site, period = rich
    _, viewport, scheme = LOOKS[prefix][at]
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(web_kit.sign_in_link(site.app, "ada@example.org", role=Role.ADMIN))
    with page.expect_navigation():
        page.locator("main button").first.click()
    found: list[str] = []
    walked = paths(site, period)
    for path in walked:
        answer = page.goto(f"{site.url}{prefix}{path}")
        if answer.status != 200 and "/sign-in/" not in path:
            found.append(f"{path} answers {answer.status}")
        found += browser_kit.faults(page)
    browser_kit.close(context)
    assert len(walked) >= len(pages(site)) > 30
    assert found == []
