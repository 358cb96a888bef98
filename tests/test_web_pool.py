"""The pool and what editors write by hand: looked at, filtered, taken into the draft, undone."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from digest.app import App
from digest.model import ItemKind, Language, Occasion, Suggestion, SuggestionId, SuggestionKind
from tests import web_kit
from tests.conftest import Clock
from tests.web_kit import press, read, signed_in


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def month(app: App, clock: Clock) -> web_kit.Month:
    """A draft, and one post and one event that have come in since it was made."""
    made = web_kit.fill(app)
    app.publish.assemble(made.period)
    clock.forward(hours=1)
    sources = {source.name: source.id for source in app.store.sources.all()}
    with app.store.write():
        late = web_kit.post("A late post", now=clock() - timedelta(minutes=5), language="fr")
        app.store.items.add(late, source=sources["Harbour City"], now=clock())
    return made


def titles(html: str) -> list[str]:
    return re.findall(r'<h2 class="rowtitle"[^>]*>(?:<a[^>]*>)?([^<]*)', html)


def test_the_pool_shows_what_no_letter_holds_and_takes_one_in(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    html = read(client, "/desk/pool")
    assert "A late post" in titles(html)
    held = {p.item.title for p in app.store.issues.get(month.period).section("worth-reading")}
    assert not held & set(titles(html))
    number = re.search(r'name="item" value="(\d+)"', html.partition("A late post")[2])
    assert number is not None
    where = press(
        client, f"/desk/issues/{month.period}/add", item=number[1], tab="posts", source="Harbour City"
    )
    assert "tab=posts" in where
    assert "source=Harbour+City" in where
    assert app.store.issues.get(month.period).section("worth-reading")[-1].item.title == "A late post"
    html = read(client, where)
    assert "Took “A late post” from the pool" in html
    assert "A late post" not in titles(html)
    press(client, f"/desk/issues/{month.period}/undo")
    assert int(number[1]) not in {p.item.id for p in app.store.issues.get(month.period).placed}


def test_the_pool_is_filtered_by_kind_source_language_and_what_is_used(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    every = titles(read(client, "/desk/pool?shown=all"))
    assert len(every) == 7
    assert titles(read(client, "/desk/pool?shown=all&source=Harbour+City")) == [
        "A late post", "Procurement in the open: month three", "A glossary is a service too",
    ]  # fmt: skip
    french = titles(read(client, "/desk/pool?shown=all&language=fr"))
    assert "A late post" in french
    assert len(french) == 3
    events = read(client, "/desk/pool?shown=all&tab=events")
    assert len(titles(events)) == 4
    assert "in the letter" in events
    assert titles(read(client, "/desk/pool?tab=nonsense&language=xx&shown=?")) == titles(
        read(client, "/desk/pool")
    )


def test_the_pool_is_filtered_by_day_and_says_why_a_row_is_not_in_the_letter(
    app: App, web: Flask, month: web_kit.Month, clock: Clock
) -> None:
    client, (source, *_) = signed_in(app, web), app.store.sources.all()
    with app.store.write():
        old = web_kit.post("An old post", now=clock() - timedelta(days=9))
        app.store.items.add(old, source=source.id, now=clock())
        far = clock() + timedelta(days=70)
        app.store.items.add(
            web_kit.event("A far evening", Occasion(starts=far)),
            source=source.id,
            now=clock() - timedelta(days=3),
        )
    week = titles(read(client, "/desk/pool?shown=all&days=7"))
    assert "A late post" in week
    assert "An old post" not in week
    assert "An old post" in titles(read(client, "/desk/pool?shown=all&days=30"))
    events = "/desk/pool?shown=all&tab=events"
    assert "A far evening" in titles(read(client, events))
    assert "A far evening" not in titles(read(client, f"{events}&days=30"))
    assert "too far ahead for this issue" in read(client, events).partition("A far evening")[2][:600]
    assert "came after the draft was made" in read(client, "/desk/pool").partition("A late post")[2][:600]
    where = press(client, "/desk/pool/triage", item="1", act="pin", days="7", shown="all")
    assert "days=7" in where


def test_the_suggestions_are_the_third_tab_of_the_pool(app: App, web: Flask, clock: Clock) -> None:
    client = signed_in(app, web)
    assert "Suggestions (0)" in read(client, "/desk/pool")
    idea = Suggestion(
        id=SuggestionId(0),
        kind=SuggestionKind.IDEA,
        title="Tell us more about forms",
        language=Language.EN,
        at=clock(),
    )
    with app.store.write():
        app.store.suggestions.add(idea)
    assert "Suggestions (1)" in read(client, "/desk/pool")
    assert re.search(
        r'href="/desk/suggestions/" aria-current="page">Suggestions \(1\)', read(client, "/desk/suggestions/")
    )


def test_the_keys_of_the_pool_are_told_without_a_draft_too(app: App, web: Flask) -> None:
    web_kit.fill(app)
    assert app.store.issues.all() == []
    assert 'id="keys-open"' in read(signed_in(app, web), "/desk/pool")


def test_a_contributor_sees_the_pool_without_buttons(app: App, web: Flask, month: web_kit.Month) -> None:
    html = read(signed_in(app, web, "cam@example.org"), "/desk/pool?shown=all")
    assert "A late post" in titles(html)
    assert "Add to the letter" not in html


def test_an_event_of_an_editors_own_stands_in_the_draft_with_its_zone(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    where = press(
        client, f"{base}own", kind="event", title="Open house", date="2026-12-10", time="19:00",
        timezone="America/Halifax", minutes="90", place="Halifax", online="on", language="en", words="Come and ask.",
    )  # fmt: skip
    item = app.store.issues.get(month.period).section("coming-up")[-1].item
    assert (item.title, item.source, item.kind) == ("Open house", "Editors", ItemKind.EVENT)
    assert item.occasion is not None
    assert item.occasion.starts == datetime(2026, 12, 10, 23, 0, tzinfo=UTC)
    assert item.occasion.ends == datetime(2026, 12, 11, 0, 30, tzinfo=UTC)
    assert (item.occasion.timezone, item.occasion.place, item.occasion.online) == (
        "America/Halifax",
        "Halifax",
        "",
    )
    assert "Kept “Open house”" in read(client, where)
    assert "Open house" in read(client, f"{base}letter/en")
    assert "Editors" not in {source.name for source in app.store.sources.all()}
    again = press(
        client, f"{base}own", status=400, kind="event", title="Open house", date="2026-12-10", time="19:00",
        timezone="America/Halifax", minutes="90", place="Halifax", online="on", language="en", words="Come and ask.",
    )  # fmt: skip
    assert "The pool holds this already" in again
    assert 'value="Halifax"' in again, "what was typed stands in the form"
    item = app.store.issues.get(month.period).section("coming-up")
    number = next(one.item.id for one in item if one.item.title == "Open house")
    assert f'href="{base}items/{number}"' in again


def test_an_event_of_an_editors_own_is_looked_at_before_it_is_kept(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    held = app.store.issues.get(month.period).section("coming-up")[0].item
    assert held.occasion is not None
    local = held.occasion.starts.astimezone(ZoneInfo("America/Toronto"))
    typed = {"kind": "event", "title": "Open <house>", "date": f"{local:%Y-%m-%d}", "timezone": "America/Toronto",
             "minutes": "90", "place": "Halifax", "language": "en", "act": "look"}  # fmt: skip
    html = press(client, f"{base}own", status=200, time=f"{local:%H:%M}", **typed)
    assert "BEGIN:VEVENT" in html
    assert "SUMMARY;LANGUAGE=en:Open &lt;house&gt;" in html
    look = html.partition('id="look"')[2].partition("</section>")[0]
    assert held.title in look
    assert "at that time" in look
    assert 'value="Halifax"' in html, "what was typed stands in the form"
    assert "Open &lt;house&gt;" not in read(client, f"{base}letter/en")
    calm = press(client, f"{base}own", status=200, time="03:00", **typed)
    assert "Nothing else in the pool takes place then." in calm


@pytest.mark.parametrize(("when", "says"), [
    (("2026-11-01", "12:00", "America/Toronto"), "has begun already"),
    (("2027-03-14", "02:30", "America/Toronto"), "That hour does not exist"),
    (("2027-11-07", "01:30", "America/Toronto"), "That hour comes twice"),
])  # fmt: skip
def test_a_beginning_that_may_be_a_mistake_is_said_before_an_event_is_kept(
    app: App, web: Flask, month: web_kit.Month, when: tuple[str, str, str], says: str
) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    fields = {"kind": "event", "title": "Open house", "date": when[0], "time": when[1], "timezone": when[2],
              "language": "en"}  # fmt: skip
    before = app.store.issues.get(month.period)
    for act in ({"act": "look"}, {}):
        html = press(client, f"{base}own", status=200, **fields, **act)
        assert says in html
        assert 'value="Open house"' in html
    assert app.store.issues.get(month.period) == before
    sure = re.findall(r'name="sure" value="([a-z ]+)"', html)
    second = {"second": "on"} if "twice" in sure[0] else {}
    press(client, f"{base}own", **fields, **second, sure=sure[0])
    kept = next(p.item for p in app.store.issues.get(month.period).placed if p.item.title == "Open house")
    assert kept.occasion is not None
    if second:
        assert kept.occasion.starts == web_kit.utc(2027, 11, 7, 6, 30)


def test_a_post_of_an_editors_own_stands_among_the_posts(app: App, web: Flask, month: web_kit.Month) -> None:
    client, base = signed_in(app, web), f"/desk/issues/{month.period}/"
    press(
        client, f"{base}own", kind="post", title="Un billet", url="https://billets.example/un", language="fr"
    )
    item = app.store.issues.get(month.period).section("worth-reading")[-1].item
    assert (item.title, item.language, item.url) == ("Un billet", "fr", "https://billets.example/un")


@pytest.mark.parametrize(("field", "typed", "says"), [
    ("title", " ", "Give it a title."), ("url", "javascript:alert(1)", "Write the whole link"),
    ("date", "tomorrow", "Say the day and the hour"), ("minutes", "long", "Write the minutes"),
    ("join", "my room", "Write the whole link to join"), ("language", "xx", "Choose the language"),
    ("timezone", "Mars/Olympus", "Say the day and the hour"),
])  # fmt: skip
def test_what_cannot_be_used_is_said_and_nothing_typed_is_lost(
    app: App, web: Flask, month: web_kit.Month, field: str, typed: str, says: str
) -> None:
    client, before = signed_in(app, web), app.store.issues.get(month.period)
    fields = {"kind": "event", "title": "Open house", "date": "2026-12-10", "time": "19:00", "words": "Kept words.",
              "timezone": "America/Toronto", "language": "en", field: typed}  # fmt: skip
    html = press(client, f"/desk/issues/{month.period}/own", status=400, **fields)  # type: ignore[arg-type]
    assert says in html
    assert "Kept words." in html
    assert app.store.issues.get(month.period) == before


def test_nothing_is_written_by_hand_into_an_approved_issue(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    app.publish.approve(month.period, by="test")
    path = f"/desk/issues/{month.period}/own"
    assert "approved and frozen" in read(client, path, status=409)
    press(client, path, status=409, kind="post", title="X", url="https://x.example/", language="en")


def test_the_pool_of_an_approved_month_says_that_it_is_frozen(
    app: App, web: Flask, month: web_kit.Month
) -> None:
    client = signed_in(app, web)
    app.publish.approve(month.period, by="test")
    for _ in ("approved", "scheduled"):
        shown = read(client, "/desk/pool")
        assert "approved and frozen: hold it first" in shown
        assert f'<a href="/desk/issues/{month.period}/">' in shown
        assert "no draft" not in shown
        assert "figé" in read(client, "/fr/desk/pool")
        press(client, f"/desk/issues/{month.period}/schedule")
    press(client, f"/desk/issues/{month.period}/hold")
    assert "frozen" not in read(client, "/desk/pool")


def test_what_is_put_off_comes_back_after_a_month_and_what_is_pinned_stands_on_top(
    app: App, web: Flask, clock: Clock
) -> None:
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    with app.store.write():
        source = app.store.sources.all()[0].id
        first, second = (
            app.store.items.add(web_kit.post(title, now=clock()), source=source, now=clock())
            for title in ("Put this off", "Pin this")
        )
    emile = signed_in(app, web, "emile@example.org")
    before = app.store.issues.get(month.period)
    press(emile, "/desk/pool/triage", item=first, act="snooze")
    press(emile, "/desk/pool/triage", item=second, act="pin")
    page = read(emile, "/desk/pool")
    assert "Put this off" not in page
    assert page.index("Pin this") < min((page.find(t) for t in ("We replaced",) if t in page), default=10**9)
    assert "pinned" in page
    assert "Put this off" in read(emile, "/desk/pool?shown=asleep")
    assert "Pin this" not in read(emile, "/desk/pool?shown=asleep")
    assert app.store.issues.get(month.period) == before
    press(emile, "/desk/pool/triage", item=first, act="wake")
    assert "Put this off" in read(emile, "/desk/pool")
    press(emile, "/desk/pool/triage", item=first, act="snooze")
    clock.forward(days=31)
    assert "Put this off" not in read(signed_in(app, web, "emile@example.org"), "/desk/pool?shown=asleep")
    press(signed_in(app, web), "/desk/pool/triage", status=404, item=10**6, act="pin")
    press(signed_in(app, web), "/desk/pool/triage", status=400, item=first, act="burn")


def test_what_was_put_off_or_pinned_is_said_and_undone(app: App, web: Flask, month: web_kit.Month) -> None:
    client = signed_in(app, web)
    number = re.search(r'name="item" value="(\d+)"', read(client, "/desk/pool").partition("A late post")[2])
    assert number is not None
    press(client, "/desk/pool/triage", item=number[1], act="pin")
    where = press(client, "/desk/pool/triage", item=number[1], act="snooze")
    html = read(client, where)
    assert "Put off a month: “A late post”" in html
    assert "A late post" not in titles(html)
    assert 'value="pin" data-page-key="u z"' in html
    assert "Remis d’un mois" in read(client, f"/fr{where}")
    html = read(client, press(client, "/desk/pool/triage", item=number[1], act="pin"))
    assert "Pinned on top: “A late post”" in html
    assert "A late post" in titles(html)
    assert read(client, "/desk/pool?did=snooze&item=999999&before=wake")
    assert read(client, "/desk/pool?did=snooze&item=-1&before=x")
