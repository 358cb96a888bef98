"""Beside the month before, and after the letter has left: what is counted, and what the page may still say."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from digest.app import App
from digest.errors import StoreError
from digest.model import Address, Language, SubscriberState
from digest.rules.compare import compare
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import URL, press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES.replace('"Harbour City"', '"Harbour City"\njurisdiction = "nova-scotia"')


def next_month(app: App, clock: Clock) -> str:
    """A second month after a first one that was sent: one new post, and one that returns under a new number."""
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    clock.forward(days=20)
    with app.store.write():
        source = app.store.sources.get("Harbour City").id
        for title in ("Something new", "Another one"):
            app.store.items.add(
                web_kit.post(title, now=clock() - timedelta(days=1)), source=source, now=clock()
            )
        twin = replace(web_kit.post("We replaced a 14-page form with four questions", now=clock() - timedelta(days=1)),
                       keys=("guid:again",))  # fmt: skip
        app.store.items.add(twin, source=source, now=clock())
    return str(app.publish.assemble(month.period.next()).period)


def test_a_month_beside_the_last_counts_sections_languages_publications_and_repeats(
    app: App, web: Flask, clock: Clock
) -> None:
    period = next_month(app, clock)
    issues = [app.store.issues.get(one.period) for one in app.store.issues.all()]
    told = compare(*issues)
    assert told.sections["worth-reading"] == (3, 6)
    assert told.repeated == ("We replaced a 14-page form with four questions",)
    assert "Prairie Digital" in told.gone_sources
    page = read(signed_in(app, web), f"/desk/issues/{period}/compare")
    assert "Not this time: " in page
    assert "In both: We replaced a 14-page form" in page
    assert "Items in French" in page
    assert "Missed it? (items)" in page
    assert "Words of the letter (French)" in page
    french = read(signed_in(app, web), f"/fr/desk/issues/{period}/compare")
    assert "Éléments en français" in french
    assert "Mots de la lettre (anglais)" in french


def test_a_month_beside_the_last_tells_the_share_of_each_jurisdiction(
    app: App, web: Flask, clock: Clock
) -> None:
    period = next_month(app, clock)
    page = read(signed_in(app, web), f"/desk/issues/{period}/compare")
    found = re.findall(
        r'<th scope="row">Items: ([^<]+)</th><td class="num">(\d+)</td><td class="num">(\d+)</td>', page
    )
    assert found == [("place not said", "0", "7"), ("Nova Scotia", "3", "2")]
    assert "Éléments\u00a0: Nouvelle-Écosse" in read(signed_in(app, web), f"/fr/desk/issues/{period}/compare")


def test_the_first_month_has_nothing_beside_it(app: App, web: Flask) -> None:
    period = app.publish.assemble(web_kit.fill(app).period).period
    assert "no earlier issue" in read(signed_in(app, web), f"/desk/issues/{period}/compare")


def test_counts_by_domain_name_large_domains_only_and_no_address(app: App, web: Flask) -> None:
    with app.store.write():
        for number in range(14):
            domain = "city.example.org" if number < 11 else f"few{number}.example.org"
            app.store.subscribers.add(Address(f"p{number}@{domain}"), language=Language.EN,
                                      state=SubscriberState.CONFIRMED, now=app.clock())  # fmt: skip
    month = web_kit.fill(app, readers=0)
    web_kit.publish(app, month)
    page = re.sub(r' role="\w+"', "", read(signed_in(app, web), f"/desk/issues/{month.period}/sending"))
    assert '<th scope="row">city.example.org</th><td class="num">11</td><td class="num">11</td>' in page
    assert '<th scope="row">All others</th><td class="num">3</td>' in page
    assert "few11" not in page
    assert "@city" not in page


def test_a_correction_stands_dated_on_the_page_and_the_letter_stays(
    app: App, web: Flask, clock: Clock
) -> None:
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    issue = app.store.issues.get(month.period)
    letters = app.store.issues.editions(issue.id)
    dana, path = signed_in(app, web), f"/desk/issues/{month.period}/correct"
    words = {"words-en": "The meetup is on <b>Tuesday</b>.", "words-fr": "La rencontre est mardi."}
    assert "did=corrected" in press(dana, path, **words)  # type: ignore[arg-type]
    assert "ce qui est juste (anglais)" in read(dana, f"/fr/desk/issues/{month.period}/sending")
    page = web.test_client().get(f"/issues/{month.period}", base_url=URL).text
    assert "Correction, Fri 20\u00a0Nov 2026: The meetup is on &lt;b&gt;Tuesday&lt;/b&gt;." in page
    french = web.test_client().get(f"/fr/issues/{month.period}", base_url=URL).text
    assert "La rencontre est mardi." in french
    assert "The meetup" not in french
    assert app.store.issues.editions(issue.id) == letters
    assert "Corrected the web page" in read(dana, f"/desk/issues/{month.period}/history")
    assert "3 to 500" in press(dana, path, status=400)
    press(signed_in(app, web, "emile@example.org"), path, status=403, **words)  # type: ignore[arg-type]
    with pytest.raises(StoreError), app.store.write():
        app.store.corrections._db.change("DELETE FROM correction", {})


def test_a_correction_is_asked_for_in_both_languages_and_what_was_typed_stays(app: App, web: Flask) -> None:
    month = web_kit.fill(app)
    web_kit.publish(app, month)
    dana, path = signed_in(app, web), f"/desk/issues/{month.period}/correct"
    said = {"words-en": "The meetup is on Tuesday.", "words-fr": " "}
    page = press(dana, path, status=400, **said)  # type: ignore[arg-type]
    assert "Say it in each language" in page
    assert ">The meetup is on Tuesday.</textarea>" in page
    assert "dans chaque langue" in press(dana, f"/fr{path}", status=400, **said)  # type: ignore[arg-type]
    assert app.store.corrections.of(app.store.issues.get(month.period).id, Language.EN) == []


def test_what_has_not_left_has_no_page_to_correct(app: App, web: Flask) -> None:
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    dana = signed_in(app, web)
    press(
        dana,
        f"/desk/issues/{month.period}/correct",
        status=409,
        **{"words-en": "Too early.", "words-fr": "Trop tôt."},
    )
