"""`digest sources`: an operator pastes an address and is told what is there; lists go in and out."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from digest.cli import run
from digest.errors import InputRefused
from digest.rules.opml import Outline, read_opml, write_opml
from tests.http_kit import Site, answer, ics, post, rss, serving

SOON = datetime.now(UTC) + timedelta(days=20)  # the command's own clock is the machine's
EVENT = "UID:1\nDTSTART:20261201T180000Z\nSUMMARY:Meeting"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        '[collect]\nallow_private = ["127.0.0.1"]\n[[sources]]\nname = "Told"\nurl = "https://told.example/feed"\n'
    )
    return path


def _run(config: Path, *words: str) -> int:
    return run(["--config", str(config), "sources", *words])


def _blog(site: Site) -> None:
    page = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/blog.xml"></head></html>'
    site.pages["/"] = answer(page, content_type="text/html")
    site.pages["/blog.xml"] = rss(post(1), post(2), head="<language>fr</language>", title="Le blogue")


def test_a_home_page_is_enough_and_says_what_it_found(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        _blog(site)
        assert _run(config, "add", site.url("/"), "--dry-run") == 0
        said = capsys.readouterr().out
        assert "Found: Le blogue (feed)" in said
        assert "2 posts, in French, the newest of 2026-11-10" in said
        assert "Added" not in said
        assert _run(config, "add", site.url("/")) == 0
        assert 'Added as "Le blogue"' in capsys.readouterr().out
        assert _run(config, "add", site.url("/blog.xml")) == 1
        assert 'collected already, as "Le blogue"' in capsys.readouterr().err
    assert _run(config, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["sources"]
    assert [(one["name"], one["added"], one["language"]) for one in listed] == [
        ("Told", False, None),
        ("Le blogue", True, "fr"),
    ]


def _page(path: str, *events: str, feed: str) -> bytes:
    """A page that states events in JSON-LD, each with its address, and announces a feed."""
    stated = [
        {
            "@type": "Event",
            "name": f"Evening {at}",
            "startDate": f"{SOON:%Y-%m-%d}T1{at}:00:00-05:00",
            "url": url,
        }
        for at, url in enumerate(events, start=1)
    ]
    link = f'<link rel="alternate" type="application/rss+xml" href="{feed}">'
    return f"""<!doctype html><html><head><title>{path}</title>{link}
    <script type="application/ld+json">{json.dumps(stated)}</script></head><body></body></html>""".encode()


@pytest.mark.parametrize(
    ("path", "events", "feed", "first"),
    [
        ("/", ("/events/1",), "/blog.xml", "feed"),  # a blog's home page
        ("/calendar", ("/events/1", "/events/2"), "/dates.ics", "ical"),  # a venue's calendar
        ("/calendar", ("/events/1",), "/dates.ics", "ical"),  # a thin month there
        ("/calendar", ("/events/1", "/events/2"), "/blog.xml", "event-page"),  # whose feed holds no events
        ("/events/1", ("/events/1",), "/dates.ics", "event-page"),  # a single event
        ("/events/1", ("https://tickets.example.org/9",), "/blog.xml", "event-page"),  # booked elsewhere
        ("/events/1", ("/events/1", "/events/1"), "/blog.xml", "event-page"),  # on two days
    ],
)
def test_a_page_of_events_that_announces_a_feed_is_both_the_likelier_first(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    events: tuple[str, ...],
    feed: str,
    first: str,
) -> None:
    with serving() as site:
        _blog(site)
        site.pages["/dates.ics"] = answer(
            ics(*(f"UID:{at}\nDTSTART:{SOON:%Y%m%d}T1{at}0000Z\nSUMMARY:Evening {at}" for at in (1, 2))),
            content_type="text/calendar",
        )
        site.pages[path] = answer(_page(path, *events, feed=feed), content_type="text/html")
        assert _run(config, "add", site.url(path), "--dry-run", "--json") == 0
        found = json.loads(capsys.readouterr().out)["source"]
        assert found["kind"] == first
        [other] = found["others"]
        assert {found["url"], other["url"]} == {site.url(path), site.url(feed)}
        assert _run(config, "add", site.url(path), "--dry-run") == 0
        assert f"--exactly {other['url']}" in capsys.readouterr().out
        assert _run(config, "add", "--exactly", other["url"], "--json") == 0
        added = json.loads(capsys.readouterr().out)["source"]
        assert (added["url"], added["others"]) == (other["url"], [])


@pytest.mark.parametrize(
    ("path", "first"), [("/events/", "ical"), ("/\u00e9v\u00e9nements/", "ical"), ("/", "feed")]
)
def test_of_what_a_page_announces_all_is_named_and_that_of_events_first_on_a_page_of_events(
    config: Path, capsys: pytest.CaptureFixture[str], path: str, first: str
) -> None:
    with serving() as site:
        _blog(site)
        site.pages["/fil.xml"] = rss(post(3), post(4))
        site.pages["/dates.ics"] = ics(f"UID:1\nDTSTART:{SOON:%Y%m%d}T190000Z\nSUMMARY:Evening")
        links = [("rss+xml", "/blog.xml"), ("rss+xml", "/fil.xml"), ("calendar", "/dates.ics")]
        head = "".join(
            f'<link rel="alternate" type="{"text" if sort == "calendar" else "application"}/{sort}" href="{link}">'
            for sort, link in [("rss+xml", "/comments/feed"), *links]
        )
        asked = quote(path)
        site.pages[asked] = answer(f"<!doctype html><html>{head}</html>".encode(), content_type="text/html")
        assert _run(config, "add", site.url(asked), "--dry-run", "--json") == 0
        found = json.loads(capsys.readouterr().out)["source"]
        assert found["kind"] == first
        assert {found["url"], *(other["url"] for other in found["others"])} == {
            site.url(link) for _, link in links
        }


def test_a_page_of_events_stands_when_what_it_announces_fails(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        site.pages["/"] = answer(_page("/", "/events/1", feed="/gone.xml"), content_type="text/html")
        assert _run(config, "add", site.url("/"), "--json") == 0
        source = json.loads(capsys.readouterr().out)["source"]
        assert (source["kind"], source["others"]) == ("event-page", [])


def test_a_list_that_cannot_be_written_is_one_sentence(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(config, "export", "/nowhere/at/all.opml") == 1
    assert "/nowhere/at/all.opml cannot be written: No such file or directory." in capsys.readouterr().err


def test_a_paused_source_that_is_named_is_visited_and_said_to_be_paused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        _blog(site)
        assert _run(config, "add", site.url("/")) == 0
        assert _run(config, "pause", "Le blogue") == 0
        capsys.readouterr()
        assert run(["--config", str(config), "collect", "Le blogue"]) == 0
    said = capsys.readouterr().out
    assert '"Le blogue" is paused; it is visited this once because you named it.' in said
    assert "2 new" in said


def test_the_usual_places_are_tried_when_a_page_announces_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        site.pages["/club"] = answer(
            b"<!doctype html><html><body>Hello</body></html>", content_type="text/html"
        )
        site.pages["/atom.xml"] = rss(post(1))
        site.pages["/club/feed.xml"] = ics(EVENT)
        assert _run(config, "add", site.url("/club"), "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["added"], found["source"]["kind"], found["source"]["events"]) == (True, "ical", 1)
        assert len(site.asked) <= 9


def test_a_page_without_any_feed_is_refused_in_a_sentence(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        site.pages["/"] = answer(b"<!doctype html><html></html>", content_type="text/html")
        assert _run(config, "add", site.url("/")) == 1
    assert "web page, not a feed" in capsys.readouterr().err


def test_sources_are_paused_resumed_and_removed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as site:
        _blog(site)
        assert _run(config, "add", site.url("/"), "--name", "Blog") == 0
    assert _run(config, "pause", "Blog") == 0
    assert _run(config, "list") == 0
    assert "Paused by an editor." in capsys.readouterr().out
    assert _run(config, "resume", "Blog") == 0
    assert _run(config, "remove", "Blog") == 0
    assert _run(config, "remove", "Blog") == 1
    assert _run(config, "remove", "Told") == 1
    assert "stands in config.toml" in capsys.readouterr().err
    assert _run(config, "move", "Told") == 1
    assert "has not moved" in capsys.readouterr().err


def test_lists_of_feeds_go_out_and_come_in(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.opml"
    file.write_bytes(write_opml([
        Outline(name="A & B", url="https://a.example/feed?x=1&y=2", language="fr"),
        Outline(name="Again", url="http://www.told.example/feed/"),
        Outline(name="Told", url="https://other.example/feed"),
    ], title="<List>"))  # fmt: skip
    assert _run(config, "import", str(file)) == 0
    said = capsys.readouterr().out
    assert "2 added, 1 left out" in said
    assert "more left out" not in said
    assert _run(config, "export") == 0
    names = [(one.name, one.url) for one in read_opml(capsys.readouterr().out.encode())[0]]
    assert names == [
        ("Told", "https://told.example/feed"), ("A & B", "https://a.example/feed?x=1&y=2"), ("Told 2", "https://other.example/feed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b"hello", b"<html/>", b"<opml><body>", b'<!DOCTYPE o [<!ENTITY a "b">]><opml>&a;</opml>', b"<opml>" + b" " * 2_100_000],
)  # fmt: skip
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(InputRefused):
        read_opml(body)


def test_an_address_that_could_act_is_never_taken_from_a_list() -> None:
    body = b'<opml><body><outline xmlUrl="javascript:alert(1)"/><outline xmlUrl="file:///etc/passwd"/></body></opml>'
    assert read_opml(body) == ([], 2)


@pytest.mark.parametrize("pasted", ["http://[::1", "http://x.example:99999/", "https://a]b/"])
def test_what_is_no_web_address_is_told_so(
    config: Path, capsys: pytest.CaptureFixture[str], pasted: str
) -> None:
    assert _run(config, "add", pasted) == 1
    assert "not a web address" in capsys.readouterr().err


def test_a_round_ends_badly_only_when_nobody_could_be_visited_and_names_who_failed(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cron mails what stands on standard error, and looks at the exit status."""
    with serving() as site:
        _blog(site)
        site.pages["/broken"] = b"hello"
        sources = "".join(
            f'[[sources]]\nname = "{name}"\nurl = "{site.url(path)}"\n'
            for name, path in (("Good", "/blog.xml"), ("Bad", "/broken"))
        )
        config.write_text(f'[collect]\nallow_private = ["127.0.0.1"]\ndelay_s = 0\n{sources}')
        assert run(["--config", str(config), "collect", "--all"]) == 0
        assert "1 of 2 visited sources failed: Bad." in capsys.readouterr().err
        assert run(["--config", str(config), "collect", "Bad", "--json"]) == 1
        said = capsys.readouterr()
        assert json.loads(said.out)["sources"][0]["outcome"] == "failed"
        assert "1 of 1 visited source failed: Bad." in said.err
        assert run(["--config", str(config), "collect", "Good"]) == 0
        assert "failed:" not in capsys.readouterr().err


def test_a_guessed_language_is_told_but_never_kept_as_the_setting_of_a_source(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kept, it would be put on every post, also on those in the other language."""
    english = [
        post(n, words=f"What the city and the people of it have learned in year {n}.") for n in (1, 2, 3)
    ]
    french = post(
        4,
        title="La ville",
        words="Ce que la ville et les gens de la rue ont appris avec nous dans une année.",
    )
    with serving() as site:
        site.pages["/both.xml"] = rss(*english, french, title="Both")
        assert _run(config, "add", site.url("/both.xml")) == 0
        assert "4 posts, mostly in English" in capsys.readouterr().out
        assert _run(config, "list", "--json") == 0
        assert json.loads(capsys.readouterr().out)["sources"][1]["language"] is None
        assert run(["--config", str(config), "collect", "Both"]) == 0
        capsys.readouterr()
        assert run(["--config", str(config), "items", "--json"]) == 0
        items = json.loads(capsys.readouterr().out)["items"]
    assert sorted(item["language"] for item in items) == ["en", "en", "en", "fr"]


def test_what_an_import_cannot_use_is_counted(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "list.opml"
    file.write_text('<opml><body><outline xmlUrl="javascript:alert(1)"/><outline xmlUrl="file:///etc/passwd"/>'
                    '<outline text="A group"><outline xmlUrl="https://a.example/feed"/></outline></body></opml>')  # fmt: skip
    assert _run(config, "import", str(file)) == 0
    said = capsys.readouterr().out
    assert "1 added, 0 left out" in said
    assert "2 more left out: no address on the web." in said


def test_an_address_that_counts_visitors_is_the_same_source(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        _blog(site)
        site.pages["/blog.xml?utm_source=a"] = site.pages["/blog.xml"]
        assert _run(config, "add", site.url("/blog.xml")) == 0
        assert _run(config, "add", site.url("/blog.xml?utm_source=a")) == 1
        assert 'collected already, as "Le blogue"' in capsys.readouterr().err
        assert _run(config, "add", site.url("/blog.xml?utm_source=a"), "--dry-run") == 0
        assert 'collected already, as "Le blogue"' in capsys.readouterr().out


def test_a_good_link_is_found_behind_bad_ones(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="%s">'
    bad = ("http://169.254.169.254/feed", "http://10.0.0.1/feed", "file:///etc/passwd")
    with serving() as site:
        _blog(site)
        links = "".join(link % href for href in (*bad, "/blog.xml"))
        site.pages["/"] = answer(
            f"<!doctype html><html><head>{links}</head></html>".encode(), content_type="text/html"
        )
        assert _run(config, "add", site.url("/"), "--dry-run") == 0
        assert "Found: Le blogue (feed)" in capsys.readouterr().out


def test_a_page_that_announces_itself_is_not_advised(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        page = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/me"></head></html>'
        site.pages["/me"] = answer(page, content_type="text/html")
        assert _run(config, "add", "--exactly", site.url("/me")) == 1
        assert "It announces" not in capsys.readouterr().err


def test_a_proposed_command_can_be_pasted_into_a_shell(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        calendar = "/events/?post_type=tribe_events&ical=1"
        site.pages[calendar] = answer(ics(EVENT), content_type="text/calendar")
        site.pages["/"] = answer(
            _page("/", "/events/1", feed=calendar.replace("&", "&amp;")), content_type="text/html"
        )
        assert _run(config, "add", site.url("/"), "--dry-run") == 0
        [line] = [line for line in capsys.readouterr().out.splitlines() if "--exactly" in line]
        (added,) = shlex.split(line.partition("--exactly ")[2])
        assert _run(config, "add", "--exactly", added, "--dry-run") == 0
        assert site.url(calendar) in (added, *(site.url(one.path) for one in site.asked))


def test_the_list_of_sources_tells_of_what_could_not_be_read_as_the_checks_do(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as site:
        site.pages["/c.ics"] = answer(ics(EVENT, "UID:2\nSUMMARY:Board"), content_type="text/calendar")
        assert _run(config, "add", site.url("/c.ics"), "--name", "Board") == 0
        assert run(["--config", str(config), "collect", "Board"]) == 0
    capsys.readouterr()
    assert _run(config, "list") == 0
    assert "One entry could not be read." in capsys.readouterr().out
    assert _run(config, "list", "--json") == 0
    assert [one["left_out"] for one in json.loads(capsys.readouterr().out)["sources"]] == [0, 1]
