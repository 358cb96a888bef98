"""What everyone may read: only what was sent, in two languages and six shapes, and nothing of any reader in it."""

import io
import json
import re
from datetime import UTC, datetime

import feedparser
import pytest
from flask.testing import FlaskClient
from icalendar import Calendar

from digest.app import App
from digest.model import Community, Language, Person
from digest.render.card import can_draw
from digest.render.linked import item_data
from digest.render.markdown import plain
from digest.render.view import issue_view
from digest.store.sqlite.introductions import written
from digest.web import create_web
from tests import render_kit, web_kit

FILES = ("/issues/{}", "/issues/{}.txt", "/issues/{}.md", "/issues/{}.json", "/issues/{}.ics")


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.fixture
def client(app: App) -> FlaskClient:
    return create_web(app).test_client()


@pytest.fixture
def month(app: App) -> web_kit.Month:
    return web_kit.fill(app)


def test_a_draft_or_an_approved_issue_is_nowhere_to_be_seen(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    app.publish.assemble(month.period)
    title = app.store.issues.get(month.period).section("worth-reading")[0].item
    for step in ("draft", "approved", "scheduled"):
        if step == "approved":
            app.publish.approve(month.period, by="test")
        if step == "scheduled":
            app.publish.schedule(month.period, by="test")
        for prefix in ("", "/fr"):
            for path in FILES:
                assert client.get(prefix + path.format(month.period)).status_code == 404, (step, path)
            assert client.get(f"{prefix}/items/{title.id}").status_code == 404
            for path in ("/", "/issues/", "/feed.xml", "/feed.atom", "/feed.json", "/events.ics"):
                assert title.title not in client.get(prefix + path).text, (step, path)


def test_a_sent_issue_stands_in_the_archive_in_both_languages(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    english, french = client.get(f"/issues/{month.period}"), client.get(f"/fr/issues/{month.period}")
    assert english.status_code == french.status_code == 200
    assert "Coming up" in english.text
    assert "À venir" in french.text
    assert "We replaced a 14-page form" in english.text
    assert 'lang="fr" dir="ltr">Ce que nos centres d’appels' in english.text
    assert "en anglais" in french.text.replace("\u00a0", " ")
    assert f"/issues/{month.period}" in client.get("/issues/").text
    assert f"/fr/issues/{month.period}" in client.get("/fr/").text


def test_a_sent_issue_says_what_was_sent_however_its_items_change(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    people = tuple(
        Person(subscriber=reader.id, name=f"Reader {reader.id}", who="I design forms.", looks_for="I look for tests.",
               language=Language.EN)
        for reader in month.readers[:2]
    )  # fmt: skip
    with app.store.write():
        app.store.introductions.keep_picture(Community(people=people))
    web_kit.publish(app, month)
    paths = [f"{prefix}/issues/{month.period}{end}" for prefix in ("", "/fr") for end in ("", ".txt", ".md")]
    before = {path: client.get(path).text for path in [*paths, "/feed.xml"]}
    assert "Reader 1" in before[paths[0]]
    with app.store.write():
        app.store._db.change("UPDATE item SET title = 'Changed at its source', summary = 'Other words.'")
    assert {path: client.get(path).text for path in before} == before
    with app.store.write():
        app.store._db.change(
            "UPDATE issue_community SET value = :v", {"v": written(Community(people=people[1:]))}
        )
    for path in paths[:2]:
        after = client.get(path).text
        assert people[0].name not in after
        assert people[1].name in after


def test_no_public_page_holds_a_token_or_an_address_of_a_reader(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    issue = app.store.issues.get(month.period)
    links = [
        make(reader.id, version=reader.version, issue=issue.id).rpartition("/")[2]
        for reader in month.readers for make in (app.links.unsubscribe, app.links.preferences)
    ]  # fmt: skip
    paths = [path.format(month.period) for path in FILES]
    paths += [
        "/",
        "/issues/",
        "/feed.xml",
        "/feed.atom",
        "/feed.json",
        "/events.ics",
        "/metrics",
        "/healthz",
        "/manage",
    ]
    paths += [f"/items/{placed.item.id}" for placed in issue.placed if placed.section]
    for path in paths:
        body = client.get(path).text
        assert not [token for token in links if token in body], path
        assert not [r for r in month.readers if r.address.reveal() in body], path
        assert not re.search(r"/(unsubscribe|preferences|confirm)/[A-Za-z0-9_=-]{8}", body), path


def test_the_text_is_the_letters_own_in_the_language_of_the_path(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    answer = client.get(f"/fr/issues/{month.period}.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Language"] == "fr"
    assert "À venir" in answer.text


def test_the_json_names_items_as_the_command_does(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    data = json.loads(client.get(f"/issues/{month.period}.json").data)
    assert data["issue"] == str(month.period)
    assert [section["name"] for section in data["sections"]] == ["coming-up", "worth-reading"]
    first = data["sections"][0]["items"][0]
    assert first["kind"] == "event"
    assert first["starts"] == "2026-12-03T17:00:00+00:00"
    assert first["timezone"] == "America/Toronto"


def test_calendars_parse_and_keep_one_identity_for_an_event(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    bodies = [
        client.get(path).data
        for path in ("/events.ics", f"/issues/{month.period}.ics", f"/fr/issues/{month.period}.ics")
    ]
    found = [sorted(str(e["UID"]) for e in Calendar.from_ical(body).walk("VEVENT")) for body in bodies]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 3
    event = Calendar.from_ical(bodies[0]).walk("VEVENT")[0]
    assert event["DTSTART"].dt == datetime(2026, 12, 3, 17, 0, tzinfo=UTC)
    number = app.store.issues.get(month.period).section("coming-up")[0].item.id
    single = Calendar.from_ical(client.get(f"/items/{number}.ics").data).walk("VEVENT")
    assert str(single[0]["UID"]) in found[0]


def test_rss_and_atom_parse_without_a_complaint(app: App, client: FlaskClient, month: web_kit.Month) -> None:
    web_kit.publish(app, month)
    for path, version in (
        ("/feed.xml", "rss20"),
        ("/feed.atom", "atom10"),
        ("/fr/feed.xml", "rss20"),
        ("/fr/feed.atom", "atom10"),
    ):
        parsed = feedparser.parse(io.BytesIO(client.get(path).data))
        assert not parsed.bozo, (path, parsed.get("bozo_exception"))
        assert parsed.version == version
        entry = parsed.entries[0]
        prefix = "/fr" if path.startswith("/fr") else ""
        assert entry.link == f"https://digest.example.org{prefix}/issues/{month.period}"
        assert "14-page form" in entry.content[0].value
        assert entry.published_parsed[:3] == (2026, 11, 20)


def test_the_json_feed_has_its_calendar_attached(app: App, client: FlaskClient, month: web_kit.Month) -> None:
    web_kit.publish(app, month)
    answer = client.get("/fr/feed.json")
    assert answer.content_type.startswith("application/feed+json")
    feed = json.loads(answer.data)
    assert (feed["version"], feed["language"]) == ("https://jsonfeed.org/version/1.1", "fr")
    assert feed["items"][0]["attachments"][0]["mime_type"] == "text/calendar"


def test_empty_feeds_and_calendars_are_whole(client: FlaskClient) -> None:
    assert not feedparser.parse(io.BytesIO(client.get("/feed.atom").data)).bozo
    assert json.loads(client.get("/feed.json").data)["items"] == []
    assert not Calendar.from_ical(client.get("/events.ics").data).walk("VEVENT")


def test_a_page_that_has_not_changed_is_answered_304(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    first = client.get(f"/issues/{month.period}")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get(f"/issues/{month.period}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_what_a_source_wrote_is_never_markup(app: App, client: FlaskClient, month: web_kit.Month) -> None:
    nasty = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    source = app.store.sources.all()[0].id
    with app.store.write():
        app.store.items.add(
            web_kit.post(nasty, now=app.clock(), summary=nasty), source=source, now=app.clock()
        )
    web_kit.publish(app, month)
    for path in ("/", f"/issues/{month.period}", f"/fr/issues/{month.period}"):
        body = client.get(path).text
        assert "<script" not in body.replace('<script type="application/ld+json">', "", 1)
        assert "<img" not in body
        assert "&lt;script&gt;" in body
    for entry in feedparser.parse(io.BytesIO(client.get("/feed.xml").data)).entries:
        assert "<script" not in entry.content[0].value


def test_machines_see_life_and_numbers(app: App, client: FlaskClient, month: web_kit.Month) -> None:
    web_kit.publish(app, month)
    assert client.get("/healthz").data == b"ok\n"
    metrics = client.get("/metrics").text
    assert 'digest_deliveries{state="sent"} 5' in metrics
    assert 'digest_subscribers{state="confirmed"} 5' in metrics
    assert "digest_sources_failing 0" in metrics
    assert "digest_sources 4" in metrics


def linked(client: FlaskClient, path: str) -> dict[str, object]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', client.get(path).text, re.DOTALL)
    assert found is not None
    told = json.loads(found.group(1))
    assert isinstance(told, dict)
    return told


def test_machines_find_the_events_of_an_issue(app: App, client: FlaskClient, month: web_kit.Month) -> None:
    web_kit.publish(app, month)
    for prefix, language in (("", "en"), ("/fr", "fr")):
        told = linked(client, f"{prefix}/issues/{month.period}")
        assert (told["@type"], told["inLanguage"]) == ("PublicationIssue", language)
        entries = [each["item"] for each in told["mainEntity"]["itemListElement"]]  # type: ignore[index]
        events = {each["name"]: each for each in entries if each["@type"] == "Event"}
        hack = events["Hack night 612: open transit data"]
        assert datetime.fromisoformat(hack["startDate"]).utcoffset() is not None
        assert {place["@type"] for place in hack["location"]} == {"Place", "VirtualLocation"}
        assert all(each["url"].startswith("https://") for each in entries)


def test_machines_are_told_what_was_called_off_and_what_is_only_in_person() -> None:
    view = issue_view(render_kit.month_of_12(), Language.EN, render_kit.config())
    items = [item_data(item, view) for item in view.sections[0].items]
    assert [item["eventStatus"].rpartition("/Event")[2] for item in items] == [
        *["Scheduled"] * 4,
        "Cancelled",
    ]
    modes = [
        item["eventAttendanceMode"].rpartition("/")[2].removesuffix("EventAttendanceMode") for item in items
    ]
    assert modes == ["Online", "Offline", "Online", "Mixed", "Offline"]
    assert items[2]["location"] == [{"@type": "VirtualLocation", "url": "https://events.example.org/3"}]


def test_the_issue_as_markdown_says_what_the_page_says(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    web_kit.publish(app, month)
    answer = client.get(f"/fr/issues/{month.period}.md")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    for placed in app.store.issues.get(month.period).placed:
        if placed.section is not None:
            assert f"](<{placed.item.url}>)" in answer.text
    assert "## À venir" in answer.text


def test_no_title_is_markup_in_markdown() -> None:
    assert plain("[x](javascript:1) *b* <b> `c` # | _d_") == (
        r"\[x\](javascript:1) \*b\* \<b\> \`c\` \# \| \_d\_"
    )


def test_an_issue_has_a_picture_where_its_address_is_shared(
    app: App, client: FlaskClient, month: web_kit.Month
) -> None:
    if not can_draw():
        pytest.skip("no Pillow, or no font with accents, on this machine")
    web_kit.publish(app, month)
    english, french = (client.get(f"{prefix}/issues/{month.period}.png") for prefix in ("", "/fr"))
    for answer in (english, french):
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.data[:8] == b"\x89PNG\r\n\x1a\n"
        assert [int.from_bytes(answer.data[at : at + 4], "big") for at in (16, 20)] == [1200, 630]
        assert len(answer.data) < 60_000
    assert english.data != french.data
    page = client.get(f"/fr/issues/{month.period}").text
    assert f'property="og:image" content="https://digest.example.org/fr/issues/{month.period}.png"' in page
    assert 'property="og:image:alt"' in page


def test_without_pillow_the_page_names_no_picture(
    app: App, client: FlaskClient, month: web_kit.Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digest.web.archive.can_draw", lambda: False)
    web_kit.publish(app, month)
    assert "og:image" not in client.get(f"/issues/{month.period}").text
    assert client.get(f"/issues/{month.period}.png").status_code == 404
