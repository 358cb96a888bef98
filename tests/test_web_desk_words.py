"""At the desk: a warning accepted with a reason, the way to the place to mend, another section, what was done, two approvals."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from digest.app import App, open_app
from digest.config import Config
from digest.errors import MoveRefused
from digest.invite import invite
from digest.model import Address, IssueState, ItemId, Language, Role
from digest.publish_look import Outside
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import press, read, signed_in


@pytest.fixture
def month(app: App) -> web_kit.Month:
    made = web_kit.fill(app)
    app.publish.assemble(made.period)
    return made


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    admin = '[[editors]]\naddress = "ada@example.org"\nrole = "admin"\n'
    with open_app(make_config(web_kit.SOURCES + admin), clock=clock) as opened:
        yield opened


@pytest.fixture
def web(app: App) -> Flask:
    return create_web(app)


def test_a_warning_is_accepted_with_a_reason_that_everybody_sees(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    before = read(dana, f"{base}checks")
    assert '<input type="hidden" name="rule" value="note">' in before
    assert "accept" in press(dana, f"{base}accept", rule="note", why="A month without a note.")
    page = read(dana, f"{base}checks?did=accepted")
    assert "Accepted by dana: A month without a note." in page
    assert '<input type="hidden" name="rule" value="note">' not in page
    assert "Let the check “The editors’ note is short” pass: A month without a note." in read(
        dana, f"{base}history"
    )
    assert "Vérification « Le mot" in read(dana, f"/fr{base}history")
    assert "3 to 200 characters" in press(dana, f"{base}accept", status=400, rule="test-sent", why="x")
    assert "nothing any more" in press(dana, f"{base}accept", status=400, rule="note", why="Once more.")
    app.publish.write(month.period, field="note", language=Language.EN, words="One line.", by="1")
    assert "Accepted by dana" not in read(dana, f"{base}checks")


def test_what_stops_an_issue_cannot_be_accepted_nor_can_anything_once_it_is_frozen(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    press(dana, f"{base}accept", status=400, rule="addr", why="We have no address.")
    app.publish.approve(month.period, by="1")
    press(dana, f"{base}accept", status=409, rule="note", why="Too late for that.")
    assert "<details>" not in read(dana, f"{base}checks")


def test_a_fault_leads_to_the_place_to_mend(app: App, web: Flask, month: web_kit.Month) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    item = app.store.issues.get(month.period).section("worth-reading")[0].item.id
    app.publish.reword(month.period, item, language=Language.EN, blurb="Click here. " + "word " * 150, by="1")
    for path in (f"{base}checks", base, f"{base}approve", f"/fr{base}checks"):
        page = read(dana, path)
        links = re.findall(
            rf'href="((?:/fr)?{base}(?:items/\d+#(?:title|blurb)-\w\w|note#\w+-\w\w|#sec-[\w-]+))" aria-label',
            page,
        )
        assert any("note#note-" in link for link in links), path
        assert any("#blurb-" in link for link in links), "the field, not only the page"
        for link in links:
            target, _, anchor = link.partition("#")
            assert not anchor or f'id="{anchor}"' in read(dana, target), link


def test_an_item_goes_to_another_section_without_a_script(app: App, web: Flask, month: web_kit.Month) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    item = app.store.issues.get(month.period).section("worth-reading")[0].item.id
    assert '<option value="calls">' in read(dana, f"{base}items/{item}")
    press(dana, f"{base}items/{item}/move", act="keep", section="calls")
    assert [p.item.id for p in app.store.issues.get(month.period).section("calls")] == [item]
    press(dana, f"{base}items/{item}/move", status=404, act="keep", section="sports")


def test_an_items_page_tells_what_was_done_to_it_and_what_stood_there(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    item = app.store.issues.get(month.period).section("worth-reading")[0].item.id
    other = app.store.issues.get(month.period).section("worth-reading")[1].item.id
    for blurb in ("First words.", "Second words."):
        app.publish.reword(month.period, ItemId(item), language=Language.EN, blurb=blurb, by="1")
    app.publish.cut(month.period, ItemId(other), by="1")
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    page = read(dana, f"{base}items/{item}").partition("What was done to it")[2]
    assert page.count("Changed the words of") == 2
    assert "before: First words." in page
    assert "before: the source’s own words" in page
    assert "on the bench" not in page


# --- two people approve ------------------------------------------------------------------------------------------


@pytest.fixture
def two(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    more = '[[editors]]\naddress = "vera@example.org"\nrole = "approver"\n[desk]\napprovals = 2\n'
    with open_app(make_config(web_kit.SOURCES + more), clock=clock) as opened:
        opened.publish.assemble(web_kit.fill(opened).period)
        yield opened


def approve(app: App, client: web_kit.FlaskClient, *, status: int = 303) -> str:
    period = app.publish.next_period()
    revision = app.store.issues.get(period).revision
    return press(client, f"/desk/issues/{period}/approve", status=status, revision=revision, then="schedule")


def test_where_two_must_approve_the_second_person_freezes_the_very_same_letters(two: App) -> None:
    web, period = create_web(two), two.publish.next_period()
    dana, vera = signed_in(two, web), signed_in(two, web, "vera@example.org")
    path = f"/desk/issues/{period}/approve"
    assert "You are the first" in read(dana, path)
    assert "did=signed" in approve(two, dana)
    assert two.store.issues.get(period).state is IssueState.DRAFT
    assert "must be the second" in approve(two, dana, status=409)
    assert "dana has approved these very letters" in read(vera, path)
    assert "did=scheduled" in approve(two, vera)
    assert [e.act for e in two.store.issues.edits(two.store.issues.get(period).id)] == [
        "sign",
        "approve",
        "schedule",
    ]


def test_a_first_approval_and_its_end_are_told_on_the_issue_and_the_dashboard(two: App) -> None:
    web, period = create_web(two), two.publish.next_period()
    dana, vera = signed_in(two, web), signed_in(two, web, "vera@example.org")
    pages = ("/desk/", f"/desk/issues/{period}/")
    assert not any("has approved" in read(vera, path) for path in pages)
    approve(two, dana)
    assert all(
        "dana has approved these letters. A second person is waited for." in read(vera, path)
        for path in pages
    )
    two.publish.write(period, field="note", language=Language.EN, words="Mended.", by="9")
    assert all("The draft changed after dana had approved it" in read(vera, path) for path in pages)


def test_a_first_approval_lapses_with_the_next_edit_and_with_a_hold(two: App) -> None:
    web, period = create_web(two), two.publish.next_period()
    dana, vera = signed_in(two, web), signed_in(two, web, "vera@example.org")
    approve(two, dana)
    two.publish.write(period, field="note", language=Language.EN, words="Mended.", by="9")
    assert "did=signed" in approve(two, vera)
    assert "did=scheduled" in approve(two, dana)
    press(dana, f"/desk/issues/{period}/hold")
    assert "did=signed" in approve(two, dana)
    assert two.store.issues.get(period).state is IssueState.DRAFT


@pytest.mark.parametrize("what", ["removed", "made an editor"])
def test_the_approval_of_who_may_approve_no_more_counts_no_more(two: App, what: str) -> None:
    web, period = create_web(two), two.publish.next_period()
    dana, olga = signed_in(two, web), signed_in(two, web, "olga@example.org", role=Role.APPROVER)
    who = two.store.editors.find(Address("olga@example.org"))
    assert who is not None
    assert "did=signed" in approve(two, olga)
    assert "olga has approved these very letters" in read(dana, f"/desk/issues/{period}/approve")
    with two.store.write():
        two.store.editors.remove(who.id) if what == "removed" else two.store.editors.set_role(
            who.id, Role.EDITOR
        )
    assert "You are the first" in read(dana, f"/desk/issues/{period}/approve")
    assert "did=signed" in approve(two, dana)
    assert two.store.issues.get(period).state is IssueState.DRAFT
    assert "did=scheduled" in approve(two, signed_in(two, web, "vera@example.org"))


def test_no_command_approves_where_two_people_must(two: App) -> None:
    with pytest.raises(MoveRefused, match="at the desk"):
        two.publish.approve(two.publish.next_period(), by="command")


# --- the log of the desk itself ----------------------------------------------------------------------------------


def test_roles_invitations_and_sign_ins_are_in_a_log_that_names_no_address(app: App, web: Flask) -> None:
    ada = signed_in(app, web, "ada@example.org")
    press(ada, "/desk/editors", email="noor@example.org", role="editor", language="fr")
    noor = app.store.editors.find(Address("noor@example.org"))
    assert noor is not None
    press(ada, f"/desk/editors/{noor.id}/role", role="approver")
    press(ada, f"/desk/editors/{noor.id}/sign-out")
    acts = [line.act for line in app.store.desk_log.newest(most=9)]
    assert acts == ["sign out everywhere", "role", "link", "invite", "sign in"]
    assert not any("@" in str(line.detail) for line in app.store.desk_log.newest(most=9))
    assert "Made noor Approver, who was Editor" in read(ada, "/desk/editors")
    assert "A changé le rôle de noor" in read(ada, "/fr/desk/editors")


def test_an_invitation_leads_to_the_desk_in_the_editors_language(app: App) -> None:
    for language, prefix in ((Language.FR, "/fr/desk/"), (Language.EN, "/desk/")):
        link = invite(app.store, app.links, address_text=f"{language}@example.org", role=Role.EDITOR, language=language,
                      now=app.clock())  # fmt: skip
        assert link.startswith(web_kit.URL + prefix)


def test_what_editors_write_themselves_has_their_name_in_each_language(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    fields = {
        "kind": "post",
        "title": "A note of ours",
        "url": "https://ours.example/note",
        "words": "Words.",
        "language": "en",
    }
    press(signed_in(app, web), f"/desk/issues/{month.period}/own", **fields)  # type: ignore[arg-type]
    english, french = (app.publish.preview(month.period, language).text for language in Language)
    assert "Our editors" in english
    assert "Notre équipe" in french
    assert "Editors" not in french


def test_the_links_are_visited_behind_the_page_and_the_checks_then_know(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    dana, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    seen = []
    app.look._outside = Outside(
        link=lambda url: seen.append(url) or "ok", spam=lambda _: "-1.0 NONE", records=lambda _: "SPF"
    )
    before = app.publish.preflight(month.period)
    assert {one.outcome for one in before if one.id in {"link-live", "spam", "auth"}} == {"not-checked"}
    assert "Visit the links" in read(dana, f"{base}checks")
    press(dana, f"{base}look")
    web.extensions["digest"].errands.wait()
    assert seen
    assert "Come back to this page" in read(dana, f"{base}checks?did=looking")
    after = {one.id: one.outcome for one in app.publish.preflight(month.period)}
    assert (after["spam"], after["auth"]) == ("pass", "fail")
