"""The desk in a real browser, quick: dragging, keys, autosave, two editors, a cut network; and the effort of a whole issue."""

from typing import Any

import pytest

from digest.model import Address, IssueState, ItemId, Language, Role
from digest.words import Words
from tests import browser_kit, web_kit
from tests.desk_kit import FRAME, Hand, fuller, rise, sit

pytestmark = pytest.mark.browser
EN = Words(Language.EN)


@pytest.fixture
def month(site: browser_kit.Served) -> web_kit.Month:
    made = web_kit.fill(site.app)
    site.app.publish.assemble(made.period)
    return made


def base(month: web_kit.Month) -> str:
    return f"/desk/issues/{month.period}/"


def order(site: browser_kit.Served, month: web_kit.Month, section: str | None) -> list[int]:
    return [p.item.id for p in site.app.store.issues.get(month.period).section(section)]


def has_note(site: browser_kit.Served, month: web_kit.Month, language: Language) -> str:
    return site.app.store.issues.get(month.period).text("note", language)


def test_items_are_dragged_within_a_section_to_another_one_and_to_the_bench(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand = sit(site, browser, base(month), viewport={"width": 1280, "height": 1900})
    first, second, third = order(site, month, "coming-up")
    hand.drag(hand.row(first).locator(".grip"), hand.row(third), before=False)
    hand.hears("to place 3 of 3 in Coming up")
    assert order(site, month, "coming-up") == [second, third, first]
    post = order(site, month, "worth-reading")[0]
    hand.drag(hand.row(first).locator(".grip"), hand.row(post))
    hand.hears(
        EN(
            "desk.did_move",
            title=hand.row(first).locator("h3").inner_text(),
            place=1,
            count=7,
            section="Worth reading",
        )
    )
    assert order(site, month, "worth-reading")[:2] == [first, post]
    benched = order(site, month, None)[0]
    hand.drag(hand.row(post).locator(".grip"), hand.row(benched))
    hand.hears("is on the bench")
    assert order(site, month, None)[:2] == [post, benched]
    for _ in range(3):
        before = hand.page.locator("#outline").get_attribute("data-mark")
        hand.press("z")
        hand.page.locator(f"#outline:not([data-mark='{before}'])").wait_for()
    assert order(site, month, "coming-up") == [first, second, third], "three undone, exactly"
    rise(hand)


def touch_drag(page: Any, grip: Any, onto: Any) -> None:
    """A finger on the grip, carried over a row, let go in its lower half."""
    line = page.context.new_cdp_session(page)
    start, end = grip.bounding_box(), onto.bounding_box()
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    until = end["y"] + end["height"] - 4

    def finger(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": a, "y": b} for a, b in points]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    finger("touchStart", (x, y))
    for step in range(1, 13):
        finger("touchMove", (x, y + (until - y) * step / 12))
    finger("touchMove", (x, until - 1))
    finger("touchEnd")


def test_what_is_dragged_looks_like_a_row_and_escape_gives_it_up(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (
        (made := sit(site, browser, base(month), viewport={"width": 1280, "height": 1900})),
        made.page,
    )
    first, _, third = before = order(site, month, "coming-up")
    start, end = (hand.row(one).locator(".grip").bounding_box() for one in (first, third))
    page.mouse.move(start["x"] + 8, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 12, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] - 4, steps=12)
    hung = page.locator(".sortable-fallback")
    hung.wait_for()
    assert (
        hung.evaluate("one => getComputedStyle(one).listStyleType + getComputedStyle(one).borderTopStyle")
        == "nonesolid"
    )
    page.keyboard.press("Escape")
    page.mouse.up()
    hung.wait_for(state="detached")
    shown = page.locator("#rows-coming-up > li").evaluate_all("rows => rows.map(one => +one.dataset.item)")
    assert shown == before == order(site, month, "coming-up")
    hand.drag(hand.row(first).locator(".grip"), hand.row(third), before=False)
    hand.hears("to place 3 of 3 in Coming up")
    rise(hand)


def test_a_finger_drags_an_item_on_a_phone_and_buttons_do_the_same(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    phone = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
    hand, page = (made := sit(site, browser, f"{base(month)}#outline", **phone)), made.page
    first, second, third = order(site, month, "coming-up")
    hand.row(first).scroll_into_view_if_needed()
    touch_drag(page, hand.row(first).locator(".grip"), hand.row(second))
    hand.hears("to place 2 of 3 in Coming up")
    assert order(site, month, "coming-up") == [second, first, third]
    page.locator(f"#item-{first} button[value=up]").tap()
    hand.hears("to place 1 of 3 in Coming up")
    page.locator(f"#item-{third} button[value=cut]").tap()
    hand.hears("is on the bench")
    assert order(site, month, "coming-up") == [first, second]
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
    assert not page.evaluate(wide)
    rise(hand)


def test_a_whole_issue_is_made_with_keys_alone(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    _, second, third = order(site, month, "coming-up")
    page.locator(
        "#outline"
    ).focus()  # where the first Tab after the head leads; see the test of Tab in test_browser_pages
    hand.press("j", "j", "Alt+ArrowUp")
    hand.hears("to place 1 of 3")
    page.locator(f"#item-{second}:focus").wait_for()
    hand.press("j", "c")
    hand.hears("is on the bench")
    page.locator(f"#item-{third}:focus").wait_for()
    assert order(site, month, "coming-up") == [second, third]
    hand.press("z")
    hand.hears("Undone")
    hand.press("y")
    hand.hears("Done again")
    page.locator(f"#item-{third}").focus()
    hand.press("e")
    page.locator("#drawer #blurb-en:focus").wait_for()
    hand.write("Plain words, in an hour and a half, with people who write for a living.")
    hand.press("Escape")
    page.locator(f"#item-{third}:focus").wait_for()
    page.frame_locator(FRAME).get_by_text("with people who write for a living").wait_for()
    hand.press("n")
    page.locator("#drawer #note-en:focus").wait_for()
    hand.write("Good morning.")
    hand.press("Tab")
    page.locator("#drawer .state", has_text=EN("live.saved")).wait_for()
    assert has_note(site, month, Language.EN) == "Good morning."
    hand.press("Escape")
    hand.press("?")
    page.locator("#keys-help[open]").wait_for()
    page.locator("#keys-on").uncheck()
    hand.press("Escape")
    page.locator(f"#item-{second}").focus()
    hand.press("c", "j", "z", "e", "n")
    assert page.locator("dialog[open]").count() == 0
    assert page.locator(f"#item-{second}:focus").count() == 1
    hand.press("Alt+ArrowDown")
    hand.hears("to place 2 of 2")
    assert order(site, month, "coming-up") == [third, second], (
        "letters are off, Alt with an arrow is no letter"
    )
    rise(hand)


def test_letters_typed_into_a_field_are_words_and_no_commands(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand = sit(site, browser, base(month))
    start = order(site, month, "coming-up")
    hand.click(hand.page.locator("[data-drawer]").first)
    hand.page.locator("#note-en").click()
    hand.write("jkcxzy?eatnp")
    hand.press("Control+z")
    hand.write("jkcx")
    hand.click(hand.page.get_by_role("button", name="Save", exact=True))
    hand.hears(EN("desk.did_noted"))
    assert order(site, month, "coming-up") == start
    assert "jkcx" in has_note(site, month, Language.EN)
    rise(hand)


def test_two_editors_see_each_other_and_lose_no_word(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    dana, emile = sit(site, browser, base(month)), sit(site, browser, base(month), who="emile@example.org")
    for hand in (dana, emile):
        hand.page.locator("[data-drawer][href*='/note']").click()
        hand.page.locator("#note-en").wait_for()
    dana.page.locator("#note-en").focus()
    asks(emile.page)
    emile.page.locator("#others", has_text="dana is writing the note (EN)").wait_for()
    assert (
        emile.page.locator("div:has(> #note-en)").get_attribute("data-busy")
        == "dana is writing the note (EN)"
    )
    dana.write("Good morning from Dana.")
    emile.fill(emile.page.locator("#note-fr"), "Bonjour d’Émile.")
    emile.page.locator("#note-en").focus()
    emile.write("Good morning from Emile.")
    dana.press("Tab")
    dana.page.locator(".state", has_text=EN("live.saved")).wait_for()
    emile.press("Tab")
    clash = emile.page.locator(".clash")
    clash.wait_for()
    assert "Good morning from Dana." in clash.inner_text()
    assert emile.page.locator("#note-en").input_value() == "Good morning from Emile."
    assert has_note(site, month, Language.EN) == "Good morning from Dana."
    assert has_note(site, month, Language.FR) == "Bonjour d’Émile."
    assert browser_kit.faults(emile.page) == []
    emile.click(emile.page.get_by_role("button", name="Save", exact=True))
    emile.page.locator(".unsent", has_text=EN("live.choose")).first.wait_for()
    box, fold = clash.bounding_box(), emile.page.locator("#drawer form > .actions").last.bounding_box()
    assert box["y"] + box["height"] <= fold["y"] + 1, "the two texts are seen, above the row with Save"
    emile.page.locator(".clash button:focus").wait_for()
    emile.fill(emile.page.locator("#note-en"), "Good morning from Dana and Emile.")
    emile.click(emile.page.get_by_role("button", name=EN("live.take_mine")))
    emile.page.locator(".state", has_text=EN("live.saved")).first.wait_for()
    clash.wait_for(state="detached")
    emile.click(emile.page.get_by_role("button", name="Save", exact=True))
    emile.hears(EN("desk.did_noted"))
    assert has_note(site, month, Language.EN) == "Good morning from Dana and Emile."
    emile.complaints[:] = [line for line in emile.complaints if "409" not in line]
    rise(dana)
    rise(emile)


def test_of_one_editor_in_two_windows_the_newest_words_win_in_both(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, address = sit(site, browser, f"{base(month)}note"), f"{site.url}{base(month)}note"
    other = hand.page.context.new_page()
    other.goto(address)
    for page, words in ((hand.page, "one one one"), (other, "two two two")):
        page.locator("#note-en").fill(words)
    for page in (hand.page, other):
        page.locator("div:has(> #note-en) > .state", has_text=EN("live.saved")).wait_for()
        shows(page, "two two two")
    assert has_note(site, month, Language.EN) == "two two two"
    hand.page.locator("#note-en").fill("three")
    hand.page.locator("#note-fr").focus()
    shows(other, "three")
    assert has_note(site, month, Language.EN) == "three"
    rise(hand)


def shows(page: Any, words: str) -> None:
    """The field of the note holds these words, or will in a moment."""
    from playwright.sync_api import expect

    expect(page.locator("#note-en")).to_have_value(words)


def test_what_one_editor_moves_the_other_sees_without_a_reload(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    dana, emile = sit(site, browser, base(month)), sit(site, browser, base(month), who="emile@example.org")
    first = order(site, month, "coming-up")[0]
    dana.click(dana.row(first).locator("[value=cut]"))
    dana.hears("is on the bench")
    asks(emile.page)
    emile.page.locator(f"#rows-bench #item-{first}").wait_for()
    late = web_kit.post("A late arrival", now=site.app.clock())
    with site.app.store.write():
        site.app.store.items.add(late, source=site.app.store.sources.all()[0].id, now=site.app.clock())
    site.app.publish.assemble(month.period)
    asks(emile.page)
    emile.page.locator("#rows-bench li", has_text="A late arrival").locator(".tag", has_text="new").wait_for()
    site.app.publish.approve(month.period, by="test")
    asks(emile.page)
    emile.page.locator("#others a", has_text=EN("live.reload")).click()
    emile.page.locator(".steps [aria-current]", has_text="Approved").wait_for()
    rise(dana)
    rise(emile)


def asks(page: Any) -> None:
    """The page asks at once what it would ask within ten seconds: its window comes to the front."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_words_typed_while_the_network_is_cut_outlive_a_reload(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    item = order(site, month, "worth-reading")[0]
    hand.click(hand.row(item).locator("[data-drawer]"))
    page.locator("#blurb-en").click()
    hand.write("Half of this sentence was typed before,")
    page.context.set_offline(True)
    hand.write(" half after the cable was cut.")
    hand.press("Tab")
    page.locator("#drawer .unsent", has_text="no connection").wait_for()
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    assert asked == ["beforeunload"], "leaving is questioned while something is unsent"
    page.context.set_offline(False)
    page.goto(site.url + base(month))
    typed = "Half of this sentence was typed before, half after the cable was cut."
    page.frame_locator(FRAME).get_by_text(typed).wait_for()
    assert next(p for p in site.app.store.issues.get(month.period).placed if p.item.id == item).blurb == {
        "en": typed
    }
    assert page.locator("#unsent").inner_text() == ""
    page.on("dialog", lambda dialog: pytest.fail("nothing is unsent, and leaving is questioned"))
    page.reload()
    hand.complaints[:] = [line for line in hand.complaints if "ERR_INTERNET_DISCONNECTED" not in line]
    rise(hand)


def test_words_are_sent_by_themselves_when_the_network_is_back(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (
        (made := sit(site, browser, f"{base(month)}note")),
        made.page,
    )  # its own page, without the drawer
    page.context.set_offline(True)
    page.locator("#note-fr").click()
    hand.write("Bonjour.")
    hand.press("Tab")
    page.locator(".unsent", has_text="no connection").wait_for()
    assert page.locator(".state", has_text=EN("live.unsaved")).count() == 1
    page.context.set_offline(False)
    page.locator(".state", has_text=EN("live.saved")).wait_for()
    assert has_note(site, month, Language.FR) == "Bonjour."
    hand.complaints[:] = [line for line in hand.complaints if "ERR_INTERNET_DISCONNECTED" not in line]
    rise(hand)


@pytest.mark.parametrize("in_drawer", [True, False])
def test_the_save_button_stays_and_says_so_while_the_network_is_cut(
    site: browser_kit.Served, browser: Any, month: web_kit.Month, in_drawer: bool
) -> None:
    hand, page = (made := sit(site, browser, base(month) + ("" if in_drawer else "note"))), made.page
    if in_drawer:
        page.locator("[data-drawer][href*='/note']").click()
    page.locator("#note-en").wait_for()
    page.context.set_offline(True)
    page.locator("#note-en").fill("Not sent yet.")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    page.locator("#sheet .unsent", has_text="no connection").wait_for()
    assert page.locator("#note-en").input_value() == "Not sent yet."
    assert page.get_by_text(EN("desk.did_noted")).count() == 0
    assert has_note(site, month, Language.EN) == ""
    page.context.set_offline(False)
    page.locator(".state", has_text=EN("live.saved")).wait_for()
    assert has_note(site, month, Language.EN) == "Not sent yet."
    hand.complaints[:] = [line for line in hand.complaints if "ERR_INTERNET_DISCONNECTED" not in line]
    rise(hand)


def test_words_written_into_an_issue_that_was_approved_meanwhile_are_kept(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    page.locator("[data-drawer][href*='/note']").click()
    page.locator("#note-en").click()
    site.app.publish.approve(month.period, by="test")
    hand.write("One more line.")
    hand.press("Tab")
    page.locator(".clash", has_text=EN("live.refused")).wait_for()
    assert page.locator("#note-en").input_value() == "One more line."
    page.goto(
        f"{site.url}{base(month)}note"
    )  # its fields can only be read now: the words are shown beside them
    page.locator("#strays", has_text="One more line.").wait_for()
    assert page.locator("#note-en").get_attribute("readonly") is not None
    site.app.publish.hold(month.period, by="test")
    page.goto(site.url + base(month))
    page.frame_locator(FRAME).get_by_text("One more line.").wait_for()
    assert has_note(site, month, Language.EN) == "One more line."
    hand.complaints[:] = [line for line in hand.complaints if "409" not in line]
    rise(hand)


def test_words_whose_item_is_gone_are_shown_and_hold_nothing_up(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    item, other = order(site, month, "worth-reading")[:2]
    hand.click(hand.row(item).locator("[data-drawer]"))
    page.locator("#blurb-en").click()
    with site.app.store.write():
        site.app.store.twins.copy(ItemId(other), ItemId(item), now=site.app.clock())
    hand.write("Words for an item that is merged meanwhile.")
    hand.press("Tab")
    page.locator("#drawer .clash", has_text=EN("live.no_place")).wait_for()
    hand.press("Escape")
    page.locator("[data-drawer][href*='/note']").click()
    page.locator("#note-en").fill("The note goes all the same.")
    hand.press("Tab")
    page.locator(".state", has_text=EN("live.saved")).wait_for()
    assert has_note(site, month, Language.EN) == "The note goes all the same."
    stray = page.locator("#strays", has_text="Words for an item that is merged meanwhile.")
    stray.wait_for()
    page.on("dialog", lambda dialog: pytest.fail("what waits for a person does not question leaving"))
    page.goto(site.url + base(month))
    stray.wait_for()  # kept over a reload, and not sent away by it
    hand.click(stray.get_by_role("button", name=EN("live.forget")))
    stray.wait_for(state="detached")
    page.reload()
    page.frame_locator(FRAME).get_by_text("The note goes all the same.").wait_for()
    assert stray.count() == 0
    hand.complaints[:] = [x for x in hand.complaints if "404" not in x]
    rise(hand)


def test_a_text_that_no_field_takes_is_kept_beside_it(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, f"{base(month)}note")), made.page
    page.evaluate("document.querySelector('#theme-en').name = 'theme-xx'")
    page.evaluate("document.querySelector('[name=seen-theme-en]').name = 'seen-theme-xx'")
    page.locator("#theme-en").fill("A theme in a language that is gone")
    page.locator("#note-en").fill("And the note.")
    page.locator(".clash", has_text=EN("live.no_place")).wait_for()
    page.locator(".state", has_text=EN("live.saved")).wait_for()
    assert has_note(site, month, Language.EN) == "And the note."
    assert page.locator("#theme-en").input_value() == "A theme in a language that is gone"
    hand.complaints[:] = [line for line in hand.complaints if "400" not in line]
    rise(hand)


def test_whose_role_became_too_low_is_told_so_and_who_is_signed_out_that(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, f"{base(month)}note", who="ed@example.org")), made.page
    ed = site.app.store.editors.find(Address("ed@example.org"))
    assert ed is not None
    with site.app.store.write():
        site.app.store.editors.set_role(ed.id, Role.CONTRIBUTOR)
    page.locator("#note-en").fill("Mine.")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    page.locator(".clash", has_text=EN("desk.why_role")).wait_for()
    assert page.get_by_text(EN("live.signed_out")).count() == 0
    with site.app.store.write():
        site.app.store.editors.revoke_all(ed.id)
    page.locator("#note-fr").fill("Le mien.")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    page.locator(".unsent", has_text=EN("live.signed_out")).wait_for()
    assert page.locator("#note-en").input_value() == "Mine."
    assert has_note(site, month, Language.EN) == ""
    page.on("dialog", lambda dialog: dialog.accept())
    hand.complaints[:] = [line for line in hand.complaints if "403" not in line]
    rise(hand)


def test_the_original_is_restored_and_the_source_taken_up_in_the_drawer(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    placed = site.app.store.issues.get(month.period).section("worth-reading")[0]
    hand.click(hand.row(placed.item.id).locator("[data-drawer]"))
    hand.click(page.locator("[data-take=blurb-en]"))
    assert page.locator("#blurb-en").input_value() == placed.item.summary
    hand.write(" And so on.")
    hand.press("Tab")
    page.locator(".state", has_text=EN("live.saved")).wait_for()
    page.frame_locator(FRAME).get_by_text("And so on.").wait_for()
    hand.click(page.locator("[data-restore=en]"))
    page.frame_locator(FRAME).get_by_text("And so on.").wait_for(state="detached")
    again = next(p for p in site.app.store.issues.get(month.period).placed if p.item.id == placed.item.id)
    assert again.blurb == {}
    rise(hand)


def test_the_letter_is_looked_at_in_every_way_beside_an_open_drawer(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    page.locator("[data-drawer][href*='/note']").click()
    page.locator("#note-en").wait_for()
    ways = {
        "FR": "[src*='/letter/fr']",
        "375": ".w375",
        "Dark": "[src*='look=dark']",
        "No images": "[src*='look=bare']",
    }
    for label, expected in ways.items():
        hand.click(page.locator(".switch a", has_text=label).first)
        page.locator(f"{FRAME}{expected}").wait_for()
        assert page.locator("#drawer[open] #note-en").count() == 1
    assert page.locator(f"{FRAME}.w375").count() == 1
    hand.fill(page.locator("#note-fr"), "Bonjour à toutes et à tous.")
    hand.press("Tab")
    page.frame_locator(FRAME).get_by_text("Bonjour à toutes et à tous.").wait_for()
    page.reload()
    page.locator(f"{FRAME}.w375[src*='/letter/fr?look=bare']").wait_for()
    rise(hand)


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_axe_finds_nothing_in_the_drawer_or_among_the_keys(
    site: browser_kit.Served, browser: Any, month: web_kit.Month, prefix: str
) -> None:
    found: list[str] = []
    for viewport, scheme in ((browser_kit.DESKTOP, "light"), (browser_kit.PHONE, "dark")):
        hand = sit(site, browser, prefix + base(month), viewport=viewport, color_scheme=scheme)
        for opener in ("[data-drawer][href*='/note']", "[data-drawer][href*='/items/']"):
            hand.page.goto(site.url + prefix + base(month))
            hand.page.locator(opener).first.click()
            hand.page.locator("#drawer[open] h1").wait_for()
            found += browser_kit.faults(hand.page)
        hand.page.goto(site.url + prefix + base(month))
        hand.page.locator("#outline").focus()
        hand.press("?")
        hand.page.locator("#keys-help[open]").wait_for()
        found += browser_kit.faults(hand.page)
        rise(hand)
    assert found == []


def test_a_25_item_issue_goes_from_draft_to_approved_in_at_most_40_interactions(
    site: browser_kit.Served, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut three, move two, mend two blurbs, write both notes, send a test, approve."""
    app, month = site.app, fuller(site.app)
    assert sum(1 for p in app.store.issues.get(month.period).placed if p.section) == 25
    hand, page = (made := sit(site, browser, base(month))), made.page
    make_the_month(hand, site, month)
    issue = app.store.issues.get(month.period)
    assert issue.state is IssueState.SCHEDULED
    assert sum(1 for p in issue.placed if p.section) == 22
    assert sum(1 for p in issue.placed if p.blurb) == 2
    assert issue.text("note", Language.EN)
    assert issue.text("note", Language.FR)
    site.settle()
    assert page.locator(".steps [aria-current]").inner_text() == "Scheduled"
    with capsys.disabled():
        print(f"\n25 items from draft to approved: {len(hand.interactions)} interactions (at most 40)")
    assert len(hand.interactions) <= 40
    rise(hand)


def make_the_month(hand: Hand, site: browser_kit.Served, month: web_kit.Month) -> None:
    page = hand.page
    events, posts = order(site, month, "coming-up"), order(site, month, "worth-reading")
    for item in (events[3], posts[2], posts[5]):
        hand.click(hand.row(item).locator("[value=cut]"))
        page.locator(f"#rows-bench #item-{item}").wait_for()
    for item in (posts[7], posts[9]):
        hand.click(hand.row(item).locator("[value=top]"))
        page.locator(f"#rows-worth-reading > #item-{item}:first-child").wait_for()
    for item in (posts[9], posts[7]):
        hand.click(hand.row(item).locator("[data-drawer]"))
        page.locator("#blurb-en:focus").wait_for()
        hand.write(
            f"What number {item} changed for the people who wait at the counter, told by those who stand behind it."
        )
        hand.press("Escape")
        page.locator("#drawer:not([open])").wait_for(state="attached")
    hand.click(page.locator("[data-drawer][href*='/note']"))
    hand.fill(page.locator("#note-en"), "Good morning. Ten events and a dozen posts this month.")
    hand.fill(page.locator("#note-fr"), "Bonjour. Dix événements et une douzaine de textes ce mois-ci.")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    hand.hears(EN("desk.did_noted"))
    hand.click(page.get_by_role("button", name=EN("desk.send_test")))
    hand.hears(EN("desk.did_tested"))
    hand.click(page.get_by_role("link", name=EN("desk.approve_open")))
    hand.click(page.locator("button[value=schedule]"))
    hand.hears("It leaves")


def test_the_pool_is_gone_through_with_single_keys(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    source = site.app.store.sources.all()[0].id
    with site.app.store.write():
        for n in range(3):
            site.app.store.items.add(
                web_kit.post(f"Came late, no. {n}", now=site.app.clock()), source=source, now=site.app.clock()
            )
    hand, page = (made := sit(site, browser, "/desk/pool")), made.page
    titles = page.locator(".rowtitle").all_inner_texts()
    page.locator(".rows li").first.focus()
    hand.press("j", "a")
    hand.hears(titles[1])
    page.locator("li:focus", has_text=titles[2]).wait_for()
    assert titles[1] in [
        p.item.title for p in site.app.store.issues.get(month.period).section("worth-reading")
    ]
    hand.press("u")
    hand.hears("Undone")
    page.locator("li", has_text=titles[1]).wait_for()
    assert titles[1] not in [
        p.item.title for p in site.app.store.issues.get(month.period).section("worth-reading")
    ]
    assert browser_kit.faults(page) == []
    rise(hand)


def test_an_item_of_the_pool_is_put_off_and_pinned_by_the_keys_that_its_help_lists(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    source = site.app.store.sources.all()[0].id
    with site.app.store.write():
        for n in range(3):
            site.app.store.items.add(
                web_kit.post(f"Came late, no. {n}", now=site.app.clock()), source=source, now=site.app.clock()
            )
    hand, page = (made := sit(site, browser, "/desk/pool")), made.page
    titles = page.locator(".rowtitle").all_inner_texts()
    page.locator(".rows li").nth(1).focus()
    hand.press("s")
    page.locator("li:focus", has_text=titles[2]).wait_for()
    assert titles[1] not in page.locator(".rowtitle").all_inner_texts()
    hand.press("i")
    page.locator("li:first-child", has_text=titles[2]).locator(".tag.ok").wait_for()
    page.locator("li", has_text=titles[2]).focus()
    hand.press("?")
    keys = page.locator("#keys-help[open] kbd").all_inner_texts()
    assert {"s", "i", "a", "o", "u"} <= set(keys)
    used = page.eval_on_selector_all(
        "main [data-key]", "all => all.flatMap(one => one.dataset.key.split(' '))"
    )
    assert set(used) <= set(keys), "every key of a row stands in the list"
    assert "outline" not in page.locator("#keys-help").inner_text()
    rise(hand)


def test_what_could_not_be_done_is_said_and_stays_said(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    first, second, third = order(site, month, "coming-up")
    site.app.publish.cut(month.period, ItemId(first), by="other")
    hand, page = (made := sit(site, browser, base(month))), made.page
    site.app.publish.cut(month.period, ItemId(second), by="other")
    page.locator("#outline").focus()
    hand.press("z")  # means the first cut, which is no longer the last act
    page.locator(f"#rows-bench #item-{second}").wait_for()
    hand.hears(EN("desk.why_moved_on"))
    page.context.set_offline(True)
    hand.click(hand.row(third).locator("[value=cut]"))
    hand.hears(EN("live.not_done"))
    page.context.set_offline(False)
    assert order(site, month, "coming-up") == [third]
    hand.complaints.clear()  # the 409 and the cut network
    rise(hand)


def test_a_browser_whose_storage_is_full_still_saves(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    hand, page = (made := sit(site, browser, base(month))), made.page
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    page.locator("[data-drawer][href*='/note']").click()
    page.locator("#note-fr").fill("Bonjour sans étagère.")
    hand.click(page.get_by_role("button", name="Save", exact=True))
    hand.hears(EN("desk.did_noted"))
    assert has_note(site, month, Language.FR) == "Bonjour sans étagère."
    hand.complaints.clear()  # the full storage
    rise(hand)


def test_the_page_of_the_sending_moves_by_itself(
    site: browser_kit.Served, browser: Any, month: web_kit.Month
) -> None:
    site.app.publish.approve(month.period, by="test")
    site.app.send.issue(month.period, stop=lambda: True)
    assert site.app.store.issues.get(month.period).state is IssueState.SENDING
    hand = sit(site, browser, f"{base(month)}sending")
    hand.page.locator("h1", has_text="is on its way").wait_for()
    site.app.send.issue(month.period)
    hand.page.locator("h1", has_text="has been sent").wait_for()
    assert hand.page.locator("#progress[hx-get]").count() == 0, "and then it rests"
    rise(hand)
