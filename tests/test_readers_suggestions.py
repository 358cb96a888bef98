"""Suggestions: from a stranger's form to the pool, through the guards and an editor's eye."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from digest import schedule
from digest.app import App
from digest.collect_lookup import Lookup
from digest.errors import ErrorKind, NotFound, SourceError
from digest.join import Form
from digest.join_choices import dossier_rows
from digest.model import ItemKind, Language, NoticeKind, SuggestionId
from digest.rules.lookup import Glimpse
from digest.rules.suggest import SuggestionRefused, judged_offer, offer_to_come
from digest.sources.glance import Glance, glimpse
from digest.words import Words
from tests import web_kit
from tests.conftest import Clock
from tests.http_kit import answer, serving
from tests.readers_kit import ANN, joins, leave_token, manage_token, shown_form, taken
from tests.test_sources_http import Manners

URL = "https://digest.example.org"
EVENT = {"kind": "event", "title": "Hack\u202e night\r\nBcc: x", "url": "https://civic.example/night?utm_source=x",
         "date": "2026-12-03",
         "time": "18:30", "timezone": "America/Halifax", "place": "Halifax", "words": "Come"}  # fmt: skip


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def dana(app: App, web: Flask) -> FlaskClient:
    return web_kit.signed_in(app, web)


def suggested(app: App, clock: Clock, *, email: str = "", **sent: str) -> SuggestionId:
    app.join.voices.suggest(
        EVENT | sent, language=Language.EN, email=email, form=shown_form(app, clock), ip="192.0.2.1"
    )
    return app.join.voices.waiting()[-1].id


def test_what_a_reader_suggested_is_in_their_copy_of_everything(app: App, clock: Clock) -> None:
    joins(app)
    suggested(app, clock, email=ANN)
    number = suggested(app, clock, email=ANN, kind="idea", title="More maps", url="")
    suggested(app, clock, email="somebody@example.org", title="A stranger's")
    assert app.join.voices.put_aside(number, by="1")
    known = app.join.choices.dossier(manage_token(app))
    event, idea = known["suggestions"]
    assert (event["title"], event["link"], event["words"]) == (
        "Hack night Bcc: x",
        "https://civic.example/night",
        "Come",
    )
    assert (event["starts"], event["place"], event["state"]) == (
        "2026-12-03T22:30:00+00:00",
        "Halifax",
        "open",
    )
    assert (idea["kind"], idea["title"], idea["state"]) == ("idea", "More maps", "aside")
    rows = dict(dossier_rows(known))
    assert rows["suggestions 2 title"] == "More maps"


def test_an_event_goes_into_the_pool_and_its_reader_is_thanked(app: App, clock: Clock) -> None:
    joins(app)
    taken(app, clock)
    number = suggested(app, clock, email=ANN)
    [one] = app.join.voices.waiting()
    assert (one.title, one.url) == ("Hack night Bcc: x", "https://civic.example/night")
    assert one.starts == datetime(2026, 12, 3, 22, 30, tzinfo=UTC)
    item_id = app.join.voices.take(number, title="Hack night", by="1")
    assert item_id is not None
    [item] = app.store.items.get([item_id])
    assert (item.kind, item.title, item.source) == (ItemKind.EVENT, "Hack night", "Suggested by readers")
    assert item.occasion is not None
    assert (item.occasion.timezone, item.occasion.place) == ("America/Halifax", "Halifax")
    assert taken(app, clock) == [], "nobody has read it yet"
    assert app.join.voices.take(number, title="x", by="1") is None
    assert taken(app, clock) == []
    assert app.join.voices.waiting() == []


def test_a_taken_event_is_placed_in_the_draft(app: App, clock: Clock) -> None:
    app.join.voices.take(suggested(app, clock), title="Hack night", by="1")
    issue = app.publish.assemble()
    assert "Hack night" in [placed.item.title for placed in issue.placed]
    assert "Suggested by readers" not in {source.name for source in app.store.sources.all()}
    assert "Suggested by readers" not in {
        source.name for source in app.store.sources.due(clock() + timedelta(days=9))
    }


def test_whoever_suggested_it_is_thanked_once_it_stands_in_a_sent_issue(app: App, clock: Clock) -> None:
    joins(app)
    cut = suggested(app, clock, email=ANN, title="Cut", url="https://civic.example/cut", time="19:30")
    kept = suggested(app, clock, email=ANN)
    items = [app.join.voices.take(number, title="", by="1") for number in (cut, kept)]
    issue = app.publish.assemble()
    assert items[0] is not None
    app.publish.cut(issue.period, items[0], by="1")
    taken(app, clock)
    schedule.tick(app)
    assert taken(app, clock) == []
    app.publish.approve(issue.period, by="1")
    app.send.issue(issue.period)
    assert app.join.voices.thank() == 1
    assert [notice.kind for notice in taken(app, clock)] == [NoticeKind.THANKS]
    assert app.join.voices.thank() == 0


@pytest.mark.parametrize(("language", "title"), [("en", "Thank you"), ("fr", "Merci"), ("fr+en", "Merci")])
def test_three_of_somebodys_in_one_issue_are_one_letter_in_their_language(
    app: App, clock: Clock, language: str, title: str
) -> None:
    joins(app, language=language)
    for hour in ("18:30", "19:30", "20:30"):
        url = f"https://civic.example/{hour[:2]}"
        number = suggested(app, clock, email=ANN, title=f"Night {hour[:2]}", url=url, time=hour)
        app.join.voices.take(number, title="", by="1")
    month = app.publish.assemble().period
    app.publish.approve(month, by="1")
    app.send.issue(month)
    taken(app, clock)
    assert app.join.voices.thank() == 1
    assert app.send.notices() == 1
    folder = app.config.path(app.config.mail.folder)
    letters = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*.eml")]
    [thanks] = [one.get_body(("plain",)).get_content() for one in letters if "List-Id" not in one]  # type: ignore[attr-defined]
    assert title in thanks
    clock.forward(days=2)
    assert (app.join.voices.thank(), taken(app, clock)) == (0, [])


def test_nobody_who_has_left_since_is_thanked(app: App, clock: Clock) -> None:
    joins(app)
    number = suggested(app, clock, email=ANN, kind="idea")
    app.join.leave(leave_token(app))
    app.join.voices.take(number, title="", by="1")
    joins(app)
    taken(app, clock)
    assert app.join.voices.thank() == 0, "and coming back brings no late thanks"


PAGE = """<!doctype html><html lang="fr-CA"><head><title>Billet | Mon blogue</title>
<meta property="og:title" content="Des formulaires &amp;amp; des gens">
<meta name="author" content="Zo&eacute; &lt;b&gt;Roy&lt;/b&gt;">
<script type="application/ld+json">{"@type": "Article", "author": {"name": "Somebody else"}}</script></head><body>x</body>"""


def test_the_page_behind_a_link_is_looked_up_and_its_title_is_enough(app: App, clock: Clock) -> None:
    with serving() as site:
        site.pages["/billet"] = PAGE.encode()
        number = suggested(app, clock, kind="post", title="", url=site.url("/billet"), words="", date="")
        lookup = Lookup(app.store, Glance(Manners(), user_agent="digest/test"), clock=clock)
        assert lookup.due() == 1
        assert lookup.due() == 0, "each is visited once"
    [one] = app.join.voices.waiting()
    assert (one.found_title, one.author, one.found_language) == (
        "Des formulaires & des gens",
        "Zoé Roy",
        "fr",
    )
    item_id = app.join.voices.take(number, title="", by="1")
    assert item_id is not None
    [item] = app.store.items.get([item_id])
    assert (item.title, item.author, item.language) == ("Des formulaires & des gens", "Zoé Roy", "fr")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/", "http://169.254.169.254/latest/", "http://10.0.0.8/",
     "http://0x7f000001/", "http://127.1/"],
)  # fmt: skip
def test_a_strangers_link_is_never_followed_into_our_own_network(app: App, clock: Clock, url: str) -> None:
    """Though the operator lets sources live there ([collect] allow_private)."""
    assert app.config.collect.allow_private
    suggested(app, clock, kind="post", url=url)
    app.lookup.due()
    for one in app.join.voices.waiting():
        assert one.is_looked_up
        assert one.fault in {"private-address", "dns"}


def test_a_redirect_into_our_own_network_is_not_followed(clock: Clock) -> None:
    """The door of strangers, with only the test's own server let through by name of another manner."""
    with serving() as site:
        site.pages["/there"] = answer(status=302, location="http://10.0.0.8/secret")
        glance = Glance(Manners(), user_agent="digest/test")
        with pytest.raises(SourceError) as refused:
            glance.look(site.url("/there"))
    assert refused.value.kind is ErrorKind.PRIVATE_ADDRESS


def test_a_page_that_cannot_be_read_is_said_so_and_stops_no_other(app: App, clock: Clock) -> None:
    with serving() as site:
        site.pages["/pdf"] = answer(b"%PDF-1.7", content_type="application/pdf")
        site.pages["/big"] = answer(b"<!doctype html>" + b"x" * 300_000)
        site.pages["/good"] = PAGE.encode()
        for path in ("/pdf", "/gone", "/big", "/good"):
            suggested(app, clock, kind="post", title="x", url=site.url(path))
        assert Lookup(app.store, Glance(Manners(), user_agent="digest/test"), clock=clock).due() == 4
    faults = [one.fault for one in app.join.voices.waiting()]
    assert faults == ["not-a-feed", "http", "too-big", ""]


@given(st.text(max_size=300))
def test_any_page_gives_a_harmless_glimpse(text: str) -> None:
    for body in (text.encode(), f"<html><title>{text}</title><meta name=author content='{text}'>".encode()):
        found = glimpse(body)
        assert "<script" not in found.title.lower() or "<" not in text
        assert not re.search(r"[\x00-\x1f\u202a-\u202e\u2066-\u2069]", found.title + found.author)
        assert len(found.title) <= 400


def test_deep_json_is_no_fault() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    assert glimpse(f'<script type="application/ld+json">{deep}</script>'.encode()) == Glimpse()


def test_a_strangers_address_is_not_kept_and_nobody_is_thanked(app: App, clock: Clock) -> None:
    number = suggested(app, clock, email="stranger@example.org")
    assert app.join.voices.waiting()[0].subscriber is None
    app.join.voices.take(number, title="x", by="1")
    assert taken(app, clock) == []
    app.store.backup(app.config.path("copy.db"))
    assert b"stranger@example.org" not in app.config.path("copy.db").read_bytes()


def test_what_the_pool_knows_already_is_not_put_in_twice(app: App, clock: Clock) -> None:
    first = app.join.voices.take(suggested(app, clock, kind="post"), title="x", by="1")
    second = app.join.voices.take(suggested(app, clock, kind="post"), title="y", by="1")
    assert first == second


def test_an_idea_is_thanked_for_and_is_no_item(app: App, clock: Clock) -> None:
    joins(app)
    taken(app, clock)
    assert (
        app.join.voices.take(suggested(app, clock, kind="idea", url="", email=ANN), title="", by="1") is None
    )
    assert [notice.kind for notice in taken(app, clock)] in ([], [NoticeKind.THANKS])
    assert app.join.voices.waiting() == []


def test_put_aside_is_put_aside_and_an_unknown_one_is_said_so(app: App, clock: Clock) -> None:
    number = suggested(app, clock)
    assert app.join.voices.put_aside(number, by="1")
    assert not app.join.voices.put_aside(number, by="1")
    assert taken(app, clock) == []
    with pytest.raises(NotFound):
        app.join.voices.take(SuggestionId(99), title="x", by="1")


@pytest.mark.parametrize("form", [Form(token=""), Form(token="x" * 32)])
def test_the_guards_of_sign_up_stand_here_too(app: App, form: Form) -> None:
    app.join.voices.suggest(EVENT, language=Language.EN, form=form, ip="192.0.2.1")
    assert app.join.voices.waiting() == []


def test_one_address_cannot_fill_the_desk(app: App, clock: Clock) -> None:
    forms = [shown_form(app, clock) for _ in range(60)]
    for form in forms:
        app.join.voices.suggest(EVENT, language=Language.EN, form=form, ip="192.0.2.1")
    assert len(app.join.voices.waiting()) == app.config.signup.asks_per_ip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "rant"}, "kind"), ({"title": " \u202e "}, "title"),
        ({"kind": "idea", "title": ""}, "title"), ({"kind": "post", "url": ""}, "url"),
        ({"url": "javascript:alert(1)"}, "url"), ({"date": ""}, "starts"), ({"time": "25:00"}, "starts"),
        ({"timezone": "Mars/Base"}, "starts"), ({"date": "0001-01-01", "timezone": "Asia/Tokyo"}, "starts"),
    ],
)  # fmt: skip
def test_a_suggestion_that_cannot_be_used_says_which_field(change: dict[str, str], field: str) -> None:
    with pytest.raises(SuggestionRefused) as refused:
        judged_offer(EVENT | change, zone="America/Toronto")
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"date": "2020-12-03"}, "past"), ({"date": "2026-11-30", "time": "00:01", "timezone": "UTC"}, "past"),
        ({"date": "2026-11-29", "time": "", "timezone": "UTC"}, "past"),
        ({"date": "2027-03-14", "time": "02:30", "timezone": "America/Toronto"}, "hour"),
    ],
)  # fmt: skip
def test_an_event_of_the_past_or_at_no_hour_is_refused(change: dict[str, str], field: str) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    with pytest.raises(SuggestionRefused) as refused:
        offer_to_come(EVENT | change, zone="America/Toronto", now=now)
    assert refused.value.field == field


@pytest.mark.parametrize("change", [
    {"date": "2026-11-30", "time": "", "timezone": "UTC"}, {"date": "2026-11-30", "time": "23:00", "timezone": "UTC"},
    {"date": "2027-11-07", "time": "01:30"}, {"date": "2027-03-14", "time": ""},
])  # fmt: skip
def test_an_event_of_today_or_in_an_hour_that_comes_twice_is_taken(change: dict[str, str]) -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert offer_to_come(EVENT | change, zone="America/Toronto", now=now).starts is not None


@pytest.mark.parametrize("prefix", ["", "/fr"])
def test_a_past_event_is_refused_kindly_and_the_form_stays_filled(
    app: App, web: Flask, clock: Clock, prefix: str
) -> None:
    client, words = web.test_client(), Words(Language.FR if prefix else Language.EN)
    proof = re.search(r'name="form" value="([^"]+)"', client.get(f"{prefix}/suggest").text)
    assert proof is not None
    clock.forward(seconds=5)
    refused = client.post(f"{prefix}/suggest", data=EVENT | {"form": proof[1], "date": "2020-12-03"})
    assert refused.status_code == 400
    assert words("web.suggest_error_past") in unescape(refused.text)
    for typed in ("2020-12-03", "18:30", "Halifax", "https://civic.example/night?utm_source=x"):
        assert f'value="{typed}"' in refused.text
    assert app.join.voices.waiting() == []


def test_an_event_without_an_hour_lasts_all_day(app: App, dana: FlaskClient, clock: Clock) -> None:
    number = suggested(app, clock, time="")
    assert "midnight" not in dana.get("/desk/suggestions/", base_url=URL).text
    item_id = app.join.voices.take(number, title="", by="1")
    assert item_id is not None
    [item] = app.store.items.get([item_id])
    assert item.occasion is not None
    assert item.occasion.all_day


def test_the_form_and_the_desk_in_both_languages(
    app: App, web: Flask, dana: FlaskClient, clock: Clock
) -> None:
    client = web.test_client()
    page = client.get("/fr/suggest").text
    proof = re.search(r'name="form" value="([^"]+)"', page)
    assert proof is not None
    clock.forward(seconds=5)
    wrong = client.post("/fr/suggest", data=EVENT | {"form": proof[1], "date": ""})
    assert wrong.status_code == 400
    assert "Dites le jour" in wrong.text
    assert 'value="https://civic.example/night?utm_source=x"' in wrong.text
    assert "Merci" in client.post("/fr/suggest", data=EVENT | {"form": proof[1]}).text
    desk = dana.get("/fr/desk/suggestions/", base_url=URL).text
    assert "Verser à la réserve" in desk
    assert "Halifax" in desk
    token = re.search(r'name="token" value="([^"]+)"', desk)
    assert token is not None
    number = app.join.voices.waiting()[0].id
    done = dana.post(
        f"/desk/suggestions/{number}/take", data={"token": token[1], "title": "Hack night"}, base_url=URL
    )
    assert done.headers["Location"].endswith("?did=used")
    assert dana.post("/desk/suggestions/99/aside", data={"token": token[1]}, base_url=URL).status_code == 404
    assert client.post(f"/desk/suggestions/{number}/take", base_url=URL).status_code == 403
