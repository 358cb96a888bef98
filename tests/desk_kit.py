"""An editor's hands in a real browser: every click, key and typed text of the desk is counted, complaints are kept."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from digest.app import App
from digest.model import ItemKind, Occasion
from tests import browser_kit, web_kit

FRAME = ".letter iframe:not(.coming)"


@dataclass
class Hand:
    """One editor at one page. interactions: what she did, in order."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    interactions: list[str] = field(default_factory=list)

    def click(self, what: Any) -> None:
        self.interactions.append("click")
        what.click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.interactions.append(key)
            self.page.keyboard.press(key)

    def fill(self, what: Any, text: str) -> None:
        """A click into the field, and the typing as one."""
        self.interactions += ["click", "type"]
        what.fill(text)

    def write(self, text: str) -> None:
        """Types where the focus is."""
        self.interactions.append("type")
        self.page.keyboard.type(text)

    def drag(self, grip: Any, onto: Any, *, before: bool = True) -> None:
        self.interactions.append("drag")
        grip.scroll_into_view_if_needed()
        start, end = grip.bounding_box(), onto.bounding_box()
        self.page.mouse.move(start["x"] + 8, start["y"] + start["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(start["x"] + 12, start["y"] + start["height"] / 2 + 12, steps=4)
        y = end["y"] + (6 if before else end["height"] - 4)
        self.page.mouse.move(end["x"] + 60, y, steps=12)
        self.page.mouse.move(end["x"] + 62, y + (1 if before else -1), steps=3)
        self.page.mouse.up()

    def hears(self, sentence: str) -> None:
        """The status line says this, to eyes and to screen readers."""
        self.page.get_by_role("status").filter(has_text=sentence).wait_for()

    def row(self, item: int) -> Any:
        return self.page.locator(f"#item-{item}")


def sit(
    site: browser_kit.Served, browser: Any, path: str, *, who: str = "dana@example.org", **context: Any
) -> Hand:
    """Signs in with a mailed link in a fresh profile and opens a page."""
    opened = browser.new_context(**{"viewport": browser_kit.DESKTOP, **context})
    opened.set_default_timeout(15_000)
    page = opened.new_page()
    hand = Hand(page)
    page.on("console", lambda line: hand.complaints.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: hand.complaints.append(str(error)))
    page.goto(web_kit.sign_in_link(site.app, who))
    with page.expect_navigation():
        page.locator("main button").click()
    page.goto(site.url + path)
    return hand


def rise(hand: Hand) -> None:
    """Closes the profile; nothing may have complained meanwhile."""
    browser_kit.close(hand.page.context)
    assert hand.complaints == []


def fuller(app: App) -> web_kit.Month:
    """A month of 25 items in the draft: 10 events, 12 posts, 3 calls; more wait on the bench."""
    month, now = web_kit.fill(app), app.clock()
    sources = {source.name: source.id for source in app.store.sources.all()}
    with app.store.write():
        for n in range(9):
            starts = (now + timedelta(days=14 + n)).replace(hour=16, minute=0, second=0, microsecond=0)
            occasion = Occasion(starts=starts, ends=starts + timedelta(hours=1), timezone="America/Toronto",
                                online=f"https://meet.example/{n}", uid=f"more-{n}@civic.example")  # fmt: skip
            app.store.items.add(
                web_kit.event(f"Open clinic no. {n}", occasion), source=sources["Civic calendar"], now=now
            )
            post = web_kit.post(
                f"Field notes, part {n}",
                now=now - timedelta(hours=n + 1),
                summary=f"What week {n} taught us.",
            )
            app.store.items.add(post, source=list(sources.values())[n % 3], now=now)
    app.publish.assemble(month.period)
    issue = app.store.issues.get(month.period)
    for _ in range(3):
        spare = next(
            p for p in app.store.issues.get(month.period).section(None) if p.item.kind is ItemKind.POST
        )
        app.publish.put(month.period, spare.item.id, section="calls", before=None, by="test")
    for name, most in (("coming-up", 10), ("worth-reading", 12)):
        while len(app.store.issues.get(month.period).section(name)) < most:
            issue = app.store.issues.get(month.period)
            spare = next(
                p for p in issue.section(None) if (p.item.kind is ItemKind.EVENT) == (name == "coming-up")
            )
            app.publish.put(month.period, spare.item.id, section=name, before=None, by="test")
    return month
