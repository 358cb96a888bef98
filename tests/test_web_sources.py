"""The desk's page of sources: an editor pastes an address, sees what is there, adds it, pauses, removes, moves it. No script."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from digest.app import App
from digest.cli_check import source_findings
from digest.config import SourcePart
from digest.errors import ErrorKind
from digest.model import Language, LeftOutWhy, Visit, VisitOutcome
from digest.words import Words
from tests import web_kit
from tests.conftest import Clock
from tests.http_kit import answer, ics, post, rss, serving
from tests.web_kit import press, read, signed_in

HOME = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/blog.xml"></head></html>'


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


def test_a_source_that_nobody_has_visited_says_so_in_both_languages(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with app.store.write():
        app.store.sources.add(SourcePart(name="Brand new", url="https://new.example/feed"))
    assert '<p class="meta">Not visited yet' in read(client, "/desk/sources")
    assert '<p class="meta">Pas encore visitée' in read(client, "/fr/desk/sources")


def test_the_kind_of_a_source_is_told_in_words(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with app.store.write():
        for name, kind in (("Théâtre", "event-page"), ("Odd", "telepathy")):
            app.store.sources.add(SourcePart(name=name, url=f"https://{name.lower()}.example/", kind=kind))
    english, french = read(client, "/desk/sources"), read(client, "/fr/desk/sources")
    for page, kinds in (
        (english, ("feed", "calendar", "event page")),
        (french, ("fil", "calendrier", "page d’événements")),
    ):
        for kind in (*kinds, "telepathy"):
            assert f'<span class="tag">{kind}</span>' in page


def test_an_editor_sees_what_is_there_before_it_is_added(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with serving() as site:
        site.pages["/"] = answer(HOME, content_type="text/html")
        site.pages["/blog.xml"] = rss(post(1), post(2), head="<language>fr</language>", title="Le blogue")
        shown = press(client, "/fr/desk/sources/look", url=site.url("/"), status=200)
        assert "Trouvé\u00a0: Le blogue" in shown
        assert "2 textes · en français · le plus récent\u00a0: mar. 10\u00a0nov. 2026" in shown
        assert len(app.store.sources.all()) == 4
        feed = site.url("/blog.xml")
        assert press(client, "/desk/sources/add", url=feed, name="Our blog") == "/desk/sources?did=added"
        assert "collected already, as “Our blog”" in press(client, "/desk/sources/look", url=feed, status=200)
        press(client, "/desk/sources/add", url=feed, name="Again", status=400)
    assert app.store.sources.get("Our blog").url == feed
    assert "Added. It is visited at the next round." in read(client, "/desk/sources?did=added")


def test_a_page_that_is_two_sources_shows_both_and_either_is_taken(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    event = """<script type="application/ld+json">{"@type": "Event", "name": "Evening",
    "startDate": "2026-12-01T19:00:00-05:00", "url": "/evening"}</script>"""
    with serving() as site:
        site.pages["/"] = answer(
            HOME.replace(b"</head>", f"{event}</head>".encode()), content_type="text/html"
        )
        site.pages["/blog.xml"] = rss(post(1), post(2), title="The blog")
        shown = press(client, "/desk/sources/look", url=site.url("/"), status=200)
        assert "Found: The blog" in shown
        assert "Another way to collect it: 1 event." in shown
        assert f'aria-label="Look at {site.url("/")} instead"' in shown
        other = press(client, "/desk/sources/look", url=site.url("/"), exactly="1", status=200)
        assert "event page" in other
        assert "Another way" not in other
        press(client, "/desk/sources/add", url=site.url("/"), exactly="1", name="Their events")
    assert app.store.sources.get("Their events").kind == "event-page"


def test_an_address_that_holds_nothing_is_explained_in_both_languages(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with serving() as site:
        site.pages["/"] = answer(b"<!doctype html><html></html>", content_type="text/html")
        assert "web page, not a feed" in press(client, "/desk/sources/look", url=site.url("/"), status=400)
        french = press(client, "/fr/desk/sources/look", url=site.url("/"), status=400)
    assert "et non un fil ou un calendrier" in french
    assert "son lien RSS, Atom ou calendrier" in french
    assert "10.0.0.1 is a private address" in press(
        client, "/desk/sources/look", url="http://10.0.0.1/", status=400
    )


def test_what_is_no_address_is_no_fault_of_a_site_in_either_language(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    for path, said in (("/desk", "no web address has"), ("/fr/desk", "qu’aucune adresse web ne contient")):
        html = press(client, f"{path}/sources/look", url="not an address", status=400)
        assert said in html
        assert "Le site" not in html.partition('role="alert"')[2][:400]


def test_sources_are_paused_and_resumed_and_only_added_ones_removed(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with app.store.write():
        app.store.sources.add(SourcePart(name="Added <one>", url="https://added.example/feed"))
    press(client, "/desk/sources/change", source="Added <one>", act="paused")
    html = read(client, "/desk/sources")
    assert "Visit Added &lt;one&gt; again" in html
    assert "Remove Added &lt;one&gt;" in html
    assert "Remove Harbour City" not in html
    press(client, "/desk/sources/change", source="Added <one>", act="resumed")
    assert not app.store.sources.get("Added <one>").paused
    assert "stands in config.toml" in press(
        client, "/desk/sources/change", source="Harbour City", act="removed", status=400
    )
    press(client, "/desk/sources/change", source="Added <one>", act="removed")
    assert len(app.store.sources.all()) == 4
    press(client, "/desk/sources/change", source="Added <one>", act="removed", status=404)
    press(client, "/desk/sources/change", source="Harbour City", act="burned", status=400)


def test_a_new_address_is_taken_by_a_press(app: App, web: Flask) -> None:
    client = signed_in(app, web)
    with app.store.write():
        source = app.store.sources.add(SourcePart(name="Mover", url="https://old.example/feed"))
        app.store.sources.remember(replace(
            source, moved_to="https://new.example/feed", moved_count=6, moved_since=app.clock() - timedelta(days=8),
        ))  # fmt: skip
    assert "It has moved for good to https://new.example/feed" in read(client, "/desk/sources")
    press(client, "/desk/sources/change", source="Mover", act="moved")
    assert app.store.sources.get("Mover").url == "https://new.example/feed"


def test_a_contributor_looks_on(app: App, web: Flask) -> None:
    client = signed_in(app, web, "cam@example.org")
    assert "/desk/sources/look" not in read(client, "/desk/sources")


@pytest.mark.parametrize("language", list(Language))
def test_every_sort_of_failure_has_its_words(language: Language) -> None:
    words = Words(language)
    assert len({words(f"sources.error_{kind.value.replace('-', '_')}") for kind in ErrorKind}) == len(
        ErrorKind
    )


def test_a_failure_is_told_in_french_and_since_when(app: App, web: Flask) -> None:
    source = app.store.sources.get("Harbour City")
    with app.store.write():
        app.store.sources.remember(replace(
            source, fail_count=3, last_error_kind="challenge", last_error="Medium answered with …",
            failing_since=app.clock() - timedelta(days=2),
        ))  # fmt: skip
    html = read(signed_in(app, web), "/fr/desk/sources")
    assert "prouver que nous sommes humains" in html
    assert '<span lang="en">Medium answered with …</span>' in html, (
        "nothing that the English page tells is left out"
    )
    assert re.search(r"Depuis .{4,40}, chaque visite échoue\.", html)


@pytest.mark.parametrize(
    ("prefix", "says"),
    [("", "2 entries could not be read. The first is “Board”: it has no start"),
        ("/fr", "2 éléments n’ont pas pu être lus. Le premier est « Board »")],
)  # fmt: skip
def test_what_could_not_be_read_is_told_on_the_page(app: App, web: Flask, prefix: str, says: str) -> None:
    source = app.store.sources.get("Harbour City")
    with app.store.write():
        app.store.sources.remember(
            replace(source, left_out=2, left_out_first="Board", left_out_why="no_start")
        )
    assert says in read(signed_in(app, web), f"{prefix}/desk/sources")


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_for_leaving_out_has_its_words(language: Language) -> None:
    told = {
        Words(language)(f"sources.left_{why}", what="x") for why in LeftOutWhy if why != LeftOutWhy.COUNTED
    }
    assert len(told) == len(LeftOutWhy) - 1


def test_a_source_shows_its_months_and_its_failures_by_kind(app: App, web: Flask, clock: Clock) -> None:
    clock.time = datetime(2026, 11, 12, 15, tzinfo=UTC)
    source = app.store.sources.get("Harbour City")
    with app.store.write():
        for days, kind in ((1, "challenge"), (2, "challenge"), (3, "timeout"), (40, None), (50, "timeout")):
            outcome = VisitOutcome.FAILED if kind else VisitOutcome.UNCHANGED
            visit = Visit(source=source, outcome=outcome, error_kind=kind, error=kind)
            app.store.sources.log(visit, at=clock() - timedelta(days=days))
        for number in range(3):
            early = web_kit.post(f"Story {number}", now=clock())
            app.store.items.add(early, source=source.id, now=clock() - timedelta(days=40))
    html = read(signed_in(app, web), "/desk/sources").partition("Harbour City")[2]
    assert "3 entries in six months; 4 of 5 visits failed" in html
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", html)[:6]
    assert [month for month, _ in rows][:3] == ["Nov\u00a02026", "Oct\u00a02026", "Sep\u00a02026"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", rows[0][1]) == ["0", "3", "2 × human asked for, 1 × too slow"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", rows[1][1]) == ["3", "1", "–"]
    assert 'height="20"/>' in html
    assert "4\u00a0visites sur 5 ont échoué" in read(signed_in(app, web), "/fr/desk/sources")


@pytest.mark.parametrize("language", list(Language))
def test_every_sort_of_failure_has_a_short_name(language: Language) -> None:
    names = {Words(language)(f"sources.fail_{kind.value.replace('-', '_')}") for kind in ErrorKind}
    assert len(names) == len(ErrorKind)


def test_a_failing_source_is_red_after_a_week_and_stands_first(app: App, web: Flask, clock: Clock) -> None:
    client = signed_in(app, web)
    good, *_, source = app.store.sources.all()
    for fails, days, shade in ((1, 0, "tag"), (3, 1, "tag warn"), (5, 7, "tag bad")):
        with app.store.write():
            app.store.sources.remember(
                replace(
                    source, fail_count=fails, failing_since=clock() - timedelta(days=days),
                    last_error_kind="http", last_error="a.example has no page at this address (404); check it.",
                )
            )  # fmt: skip
        page = read(client, "/desk/sources")
        assert f'<span class="{shade}">not answering</span>' in page
        assert page.index(f">{source.name} ") < page.index(f">{good.name} ")
    assert "(404)\u00a0; v\u00e9rifiez-la." in read(client, "/fr/desk/sources")
    assert "Tel que noté" not in read(client, "/fr/desk/sources")


def test_a_feed_that_became_a_calendar_says_so_for_a_month(app: App, web: Flask, clock: Clock) -> None:
    client = signed_in(app, web)
    with serving() as site:
        site.pages["/x"] = answer(rss(post(1)))
        with app.store.write():
            app.store.sources.add(SourcePart(name="Turning", url=site.url("/x")))
        app.collect.visit(["Turning"])
        assert "another kind" not in read(client, "/desk/sources")
        clock.forward(days=1)
        site.pages["/x"] = answer(
            ics("UID:a\nSUMMARY:Night\nDTSTART:20261201T230000Z"), content_type="text/calendar"
        )
        app.collect.visit(["Turning"])
        clock.forward(days=1)
        app.collect.visit(["Turning"])
    client = signed_in(app, web)
    assert "feed until Sat 21\u00a0Nov, calendar since then" in read(client, "/desk/sources")
    assert "fil jusqu’au sam. 21\u00a0nov., calendrier depuis" in read(client, "/fr/desk/sources")
    assert any("was of the kind feed until 2026-11-21" in finding.message for finding in source_findings(app))
    clock.forward(days=31)
    assert "another kind" not in read(signed_in(app, web), "/desk/sources")
