"""Why people left: asked once, answered or not, told to editors only together with others, and never beside a name."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from digest.app import App
from digest.model import Farewell, Language, SubscriberState
from digest.rules import farewell
from digest.rules.farewell import REASONS
from digest.rules.pulse import FLOOR
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import ANN, joins, leave_token, letter_token, manage_token, person

BUTTON = {"List-Unsubscribe": "One-Click", "from": "page"}
ASKED = {"": "What made you leave?", "/fr": "Qu’est-ce qui vous fait partir"}


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    return web.test_client()


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_whoever_leaves_by_the_button_is_asked_once_below_the_undo(
    app: App, client: FlaskClient, prefix: str
) -> None:
    joins(app, language=prefix.strip("/") or "en")
    path = f"{prefix}/unsubscribe/{leave_token(app)}"
    assert ASKED[prefix] not in client.get(path).text
    page = client.post(path, data=BUTTON).text
    assert page.index('name="undo"') < page.index(ASKED[prefix])
    assert re.findall(r'name="reason" value="(\w+)"', page) == list(REASONS)
    assert "required" not in page
    for again in (client.post(path, data=BUTTON), client.get(path), client.get(f"{path}?why=0")):
        assert ASKED[prefix] not in again.text


def test_a_mail_program_that_leaves_for_its_reader_is_asked_nothing(app: App, client: FlaskClient) -> None:
    joins(app)
    answer = client.post(f"/unsubscribe/{leave_token(app)}", data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, 'name="reason"' in answer.text) == (200, False)
    assert person(app).state is SubscriberState.LEFT


def test_the_page_of_the_settings_leads_to_the_question_too(app: App, client: FlaskClient) -> None:
    joins(app)
    answer = client.post(f"/preferences/{manage_token(app)}", data={"leave": "1"}, follow_redirects=True)
    assert ASKED[""] in answer.text
    action = re.search(r'action="([^"]+)">\n<fieldset>', answer.text)
    assert action is not None
    assert "Thank you" in client.post(action[1], data={"reason": "often"}).text
    assert [one.reason for one in app.store.farewells.all()] == ["often"]


def test_an_answer_is_kept_once_with_the_month_and_without_the_person(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    joins(app, language="fr")
    path = f"/unsubscribe/{leave_token(app)}"
    client.post(path, data=BUTTON)
    sent = {"reason": "expected", "words": f"  trop\tlong,\ndit {ANN}  "}
    assert "Merci" in client.post(path, data=sent).text
    for later in (sent, {"reason": "often"}):
        assert "Merci" not in client.post(path, data=later).text
    assert app.store.farewells.all() == [
        Farewell(month=f"{clock():%Y-%m}", reason="expected", words="trop long, dit …", language=Language.FR)
    ]
    assert "trop long" not in str(app.join.choices.dossier(manage_token(app)))


def test_the_undo_still_works_after_an_answer_and_who_leaves_again_is_not_asked_again(
    app: App, client: FlaskClient, clock: Clock
) -> None:
    joins(app)
    path = f"/unsubscribe/{leave_token(app)}"
    client.post(path, data=BUTTON)
    assert 'name="undo"' in client.post(path, data={"reason": "often"}).text
    client.post(path, data={"undo": "1"})
    assert person(app).state is SubscriberState.CONFIRMED
    clock.forward(days=400)
    again = f"/unsubscribe/{leave_token(app)}"
    assert ASKED[""] not in client.post(again, data=BUTTON).text
    client.post(again, data={"reason": "other"})
    assert len(app.store.farewells.all()) == 1


@pytest.mark.parametrize("case", ["reads on", "a day later", "nothing said", "forgotten", "asked only"])
def test_what_nobody_who_has_just_left_said_is_not_kept(
    app: App, client: FlaskClient, clock: Clock, case: str
) -> None:
    joins(app)
    path, sent = f"/unsubscribe/{leave_token(app)}", {"reason": "often"}
    if case not in {"reads on", "asked only"}:
        client.post(path, data=BUTTON)
    if case == "a day later":
        clock.forward(hours=25)
    if case == "nothing said":
        sent = {"reason": "x" * 99, "words": " \n"}
    if case == "forgotten":
        app.join.forget(ANN)
    before = None if case == "forgotten" else person(app).state
    assert client.post(path, data=sent).status_code == (410 if case == "forgotten" else 200)
    assert app.store.farewells.all() == []
    assert before is None or person(app).state is before


def test_the_link_in_a_letter_answers_as_the_one_in_its_foot_does(app: App, client: FlaskClient) -> None:
    joins(app)
    client.post(f"/unsubscribe/{leave_token(app)}", data=BUTTON)
    client.post(f"/unsubscribe/{letter_token(app)}", data={"words": "Bye."})
    assert [(one.reason, one.words) for one in app.store.farewells.all()] == [("other", "Bye.")]


def test_no_row_tells_who_came_when(app: App, tmp_path: Path) -> None:
    """Not by a number, not by its place: the key is drawn by lot."""
    said = [Farewell(month="2026-11", reason="other", words=str(n), language=Language.EN) for n in range(40)]
    with app.store.write():
        for one in said:
            app.store.farewells.add(one)
    found = app.store.farewells.all()
    assert sorted(found, key=lambda one: int(one.words)) == said
    assert found != said


def test_what_people_said_goes_when_those_who_left_then_are_forgotten(app: App, clock: Clock) -> None:
    with app.store.write():
        for month in ("2023-10", "2023-12", "2026-11"):
            app.store.farewells.add(Farewell(month=month, reason="often", words="", language=Language.EN))
    app.join.tidy()  # 1,095 days before 2026-11 end in 2023-11
    assert [one.month for one in app.store.farewells.all()] == ["2023-12", "2026-11"]


# --- what editors see -----------------------------------------------------------------------------------------------------

answers = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(REASONS)).map(lambda one: (f"2026-0{one[0]}", one[1])),
    max_size=60,
)


@given(answers)
def test_each_month_tells_of_ten_people_more_or_of_nobody_more(sent: list[tuple[str, str]]) -> None:
    """Every answer has words of its own here, so what a picture adds to the one before can be counted."""
    said = [
        Farewell(month=month, reason=reason, words=str(number), language=Language.EN)
        for number, (month, reason) in enumerate(sent)
    ]
    before: set[str] = set()
    for month in [f"2026-{number:02}" for number in range(1, 11)]:
        shown = farewell.picture([one for one in said if one.month <= month], month=month)
        lines = {words for words, _ in shown.lines}
        assert before <= lines
        assert not 0 < len(lines - before) < FLOOR
        assert all(said[int(number)].month < month for number in lines)
        before = lines


@given(answers)
def test_no_reason_of_few_is_told_nor_worked_out(sent: list[tuple[str, str]]) -> None:
    said = [Farewell(month=month, reason=reason, language=Language.EN) for month, reason in sent]
    shown = farewell.picture(said, month="2026-10")
    assert (shown.total is None) == (len(said) < FLOOR)
    hidden = [cell.name for cell in shown.reasons if cell.count is None]
    behind = sum(1 for one in said if one.reason in hidden)
    assert not hidden or (len(hidden) >= 2 and behind >= FLOOR) or shown.total is None
    assert all(cell.count is None or cell.count % 10 == 0 for cell in shown.reasons)


def test_the_desk_shows_them_among_the_numbers_once_the_month_is_over(app: App, clock: Clock) -> None:
    web = create_web(app)

    def page(prefix: str = "") -> str:
        return (
            web_kit.signed_in(app, web).get(f"{prefix}/desk/people/pulse", base_url=app.config.list.url).text
        )

    with app.store.write():
        for number in range(24):
            app.store.farewells.add(
                Farewell(month=f"{clock():%Y-%m}", reason="often" if number < 12 else "other", language=Language.EN,
                         words="<b>Too much</b>" if number == 3 else "")
            )  # fmt: skip
    assert "It is shown here once 10 have answered" in page()
    clock.forward(days=31)
    shown = page()
    assert re.search(r'It came too often</th>.*?<td class="num">10</td>', shown, re.DOTALL)
    assert "About 20 of those who left since November 2026 said why." in shown
    assert '<li lang="en">&lt;b&gt;Too much&lt;/b&gt;</li>' in shown
    assert "Pourquoi on nous quitte" in page("/fr")
