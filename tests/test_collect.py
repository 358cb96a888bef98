"""Collecting: real HTTP on loopback, a real database. One source never costs another; nothing is lost or doubled."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from digest.app import App, open_app
from digest.cli_check import source_findings
from digest.cli_pool import visit_line
from digest.config import Config
from digest.errors import NotFound
from digest.model import Item, Visit, VisitOutcome
from digest.rules.plan import has_gap, moved_for_good
from digest.sources import KINDS
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, in_turn, post, raw, rss, serving

MEDIUM_POST = (
    "<title>Service design, slowly</title><guid isPermaLink='false'>https://medium.com/p/0123456789ab</guid>"
    "<pubDate>Tue, 10 Nov 2026 10:00:00 GMT</pubDate><link>{link}</link>"
    "<description>&lt;p&gt;Words enough to be a first paragraph of more than sixty characters.&lt;/p&gt;</description>"
)
HACK_NIGHT = (
    "UID:hack@civic.example\nSUMMARY:Hack night\nDTSTART;TZID=America/Toronto:20261103T190000\n"
    "DURATION:PT2H\nRRULE:FREQ=WEEKLY\nLOCATION:Toronto"
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def collector(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[Callable[..., App]]:
    """An app whose sources are pages of the site: `collector(blog="/blog", news=("/n", 'kind = "ical"'))`."""
    opened: list[App] = []

    def make(**sources: str | tuple[str, str]) -> App:
        text = "delay_s = 0\ntimeout_s = 2\n"
        for name, where in sources.items():
            path, more = (where, "") if isinstance(where, str) else where
            url = path if path.startswith("http") else site.url(path)
            text += f'[[sources]]\nname = "{name}"\nurl = "{url}"\n{more}\n'
        opened.append(app := open_app(make_config(text), clock=clock))
        return app

    yield make
    for app in opened:
        app.close()


def items(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=4000), now + timedelta(days=400))


def outcomes(visits: list[Visit]) -> dict[str, str]:
    return {visit.source.name: visit.error_kind or visit.outcome.value for visit in visits}


def test_a_round_visits_each_source_and_the_next_finds_them_waiting(
    collector: Callable[..., App], site: Site
) -> None:
    site.pages |= {"/blog": rss(post(1), post(2)), "/cal": ics(HACK_NIGHT)}
    app = collector(blog="/blog", cal="/cal")
    first = app.collect.visit()
    assert outcomes(first) == {"blog": "new", "cal": "new"}
    assert [visit.source.kind for visit in first] == ["feed", "ical"]
    assert first[0].new == 2
    assert outcomes(app.collect.visit()) == {"blog": "waiting", "cal": "waiting"}
    assert outcomes(app.collect.visit(every=True)) == {"blog": "unchanged", "cal": "unchanged"}
    assert len(site.asked) == 4


def test_rows_come_in_the_order_of_the_configuration(collector: Callable[..., App], site: Site) -> None:
    names = ["zebra", "apple", "mango", "kiwi"]
    site.pages |= {f"/{name}": rss(post(number)) for number, name in enumerate(names)}
    heard: list[Visit] = []
    visits = collector(**{name: f"/{name}" for name in names}).collect.visit(on_visit=heard.append)
    assert [visit.source.name for visit in visits] == names
    assert sorted(visit.source.name for visit in heard) == sorted(names)


def test_a_name_that_no_source_has_is_answered_with_the_nearest(
    collector: Callable[..., App], site: Site
) -> None:
    app = collector(civic_tech="/x")
    with pytest.raises(NotFound, match="civic_tech"):
        app.collect.visit(["civictech"])
    assert site.asked == []


def test_naming_a_source_visits_it_and_only_it_whether_due_or_not(
    collector: Callable[..., App], site: Site
) -> None:
    site.pages |= {"/a": rss(post(1)), "/b": rss(post(2))}
    app = collector(a="/a", b="/b")
    assert outcomes(app.collect.visit(["b"])) == {"b": "new"}
    assert outcomes(app.collect.visit(["b"])) == {"b": "unchanged"}


def test_failing_sources_are_named_and_stop_nobody(collector: Callable[..., App], site: Site) -> None:
    site.pages |= {
        "/good": rss(post(1)),
        "/challenge": answer(b"<html><title>Just a moment...</title></html>", status=403),
        "/page": b"<html><head><link rel=alternate type='application/rss+xml' href='/feed.xml'></head></html>",
        "/slow": raw(*[b"H"] * 100, pause_s=0.1),
        "/gone": answer(status=410),
        "/bomb": b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss version="2.0"/>',
        "/odd": rss(post(2)),
        "/text": b"hello",
        "/empty": b"",
    }
    app = collector(
        slow="/slow", challenge="/challenge", page="/page", gone="/gone", bomb="/bomb", odd=("/odd", 'kind = "telepathy"'),
        text="/text", empty="/empty", closed="http://127.0.0.1:1/feed", secret="http://10.9.8.7/feed", good="/good",
    )  # fmt: skip
    visits = app.collect.visit()
    assert outcomes(visits) == {
        "slow": "timeout", "challenge": "challenge", "page": "not-a-feed", "gone": "gone", "bomb": "parse",
        "odd": "unknown-kind", "text": "not-a-feed", "empty": "not-a-feed", "closed": "connection",
        "secret": "private-address", "good": "new",
    }  # fmt: skip
    said = {visit.source.name: visit.error or "" for visit in visits}
    assert site.url("/feed.xml") in said["page"]
    assert all(name in said["odd"] for name in ("medium", "feed", "ical"))
    assert all(
        text.endswith(".") or text.startswith("The address is a web page") for text in said.values() if text
    )
    assert [item.title for item in items(app)] == ["Post number 1"]


def test_a_bad_answer_never_replaces_a_good_list(
    collector: Callable[..., App], site: Site, clock: Clock
) -> None:
    bad = [
        answer(b"<html><title>Just a moment...</title></html>"),
        answer(b""),
        answer(rss()),
        answer(status=500),
        raw(b""),
    ]
    site.pages["/blog"] = in_turn(answer(rss(post(1), post(2))), *bad, answer(rss(post(2), post(3))))
    app = collector(blog="/blog")
    for _ in range(7):
        app.collect.visit(every=True)
        assert len(items(app)) >= 2
        clock.forward(hours=25)
    assert sorted(item.title for item in items(app)) == ["Post number 1", "Post number 2", "Post number 3"]


def test_the_same_medium_post_from_three_feeds_is_one_item(collector: Callable[..., App], site: Site) -> None:
    for path, link in (
        ("/user", "https://medium.com/@ana/slowly-0123456789ab?source=rss-1------2"),
        ("/publication", "https://medium.com/civic/slowly-0123456789ab?source=rss----9---4"),
        ("/own", "https://blog.civic.example/slowly-0123456789ab"),
    ):
        site.pages[path] = rss(MEDIUM_POST.format(link=link), head="<generator>Medium</generator>")
    app = collector(user="/user", publication="/publication", own=("/own", 'kind = "medium"'))
    visits = app.collect.visit()
    assert [visit.source.kind for visit in visits] == ["medium"] * 3
    (item,) = items(app)
    assert {item.source, *item.also_in} == {"user", "publication", "own"}
    assert outcomes(app.collect.visit(every=True)) == {
        "user": "unchanged",
        "publication": "unchanged",
        "own": "unchanged",
    }


def test_a_post_whose_words_change_is_updated_and_keeps_its_date(
    collector: Callable[..., App], site: Site
) -> None:
    later = post(1, words="Corrected: what it says now.", date="Fri, 20 Nov 2026 09:00:00 GMT")
    site.pages["/blog"] = in_turn(answer(rss(post(1))), answer(rss(later)))
    app = collector(blog="/blog")
    app.collect.visit()
    (visit,) = app.collect.visit(every=True)
    assert (visit.new, visit.updated) == (0, 1)
    (item,) = items(app)
    assert item.summary == "Corrected: what it says now."
    assert item.published is not None
    assert item.published.day == 10


def test_a_calendar_event_that_moves_is_moved_and_not_doubled(
    collector: Callable[..., App], site: Site
) -> None:
    talk = "UID:talk-12345@civic.example\nSUMMARY:A talk\nDTSTART:{}"
    site.pages["/cal"] = in_turn(
        answer(ics(talk.format("20261201T230000Z"))), answer(ics(talk.format("20261202T230000Z")))
    )
    app = collector(cal="/cal")
    app.collect.visit()
    app.collect.visit(every=True)
    (item,) = items(app)
    assert item.occasion is not None
    assert item.occasion.starts.day == 2


def test_one_date_of_a_series_that_moves_stays_the_same_item(
    collector: Callable[..., App], site: Site
) -> None:
    moved = (
        "UID:hack@civic.example\nSUMMARY:Hack night, on a Wednesday\nRECURRENCE-ID;TZID=America/Toronto:20261201T190000\n"
        "DTSTART;TZID=America/Toronto:20261202T190000\nDURATION:PT2H"
    )
    site.pages["/cal"] = in_turn(answer(ics(HACK_NIGHT)), answer(ics(HACK_NIGHT, moved)))
    app = collector(cal="/cal")
    (first,) = app.collect.visit()
    (second,) = app.collect.visit(every=True)
    assert first.new > 5
    assert (second.new, second.updated) == (0, 1)


def test_an_unchanged_source_is_asked_with_its_validators_and_answers_304(
    collector: Callable[..., App], site: Site
) -> None:
    site.pages["/blog"] = in_turn(answer(rss(post(1)), etag='"abc"'), answer(status=304))
    app = collector(blog="/blog")
    app.collect.visit()
    assert outcomes(app.collect.visit(every=True)) == {"blog": "unchanged"}
    assert site.asked[1].headers["if-none-match"] == '"abc"'
    assert app.store.sources.get("blog").etag == '"abc"'


def test_validators_of_another_parser_version_are_not_sent(collector: Callable[..., App], site: Site) -> None:
    site.pages["/blog"] = answer(rss(post(1)), etag='"abc"')
    app = collector(blog="/blog")
    app.collect.visit()
    with app.store.write():
        app.store.sources.remember(replace(app.store.sources.get("blog"), parser="feed-0"))
    app.collect.visit(every=True)
    assert "if-none-match" not in site.asked[1].headers


def test_a_failing_source_waits_longer_and_longer_and_comes_back(
    collector: Callable[..., App], site: Site, clock: Clock
) -> None:
    site.pages["/blog"] = in_turn(answer(status=500), answer(status=500), answer(rss(post(1))))
    app = collector(blog="/blog")
    app.collect.visit()
    assert outcomes(app.collect.visit()) == {"blog": "waiting"}
    clock.forward(hours=1, seconds=1)
    assert outcomes(app.collect.visit()) == {"blog": "http"}
    clock.forward(hours=1, seconds=1)
    assert outcomes(app.collect.visit()) == {"blog": "waiting"}
    clock.forward(hours=1)
    assert outcomes(app.collect.visit()) == {"blog": "new"}
    source = app.store.sources.get("blog")
    assert (source.fail_count, source.last_error_kind, source.failing_since) == (0, None, None)


def test_one_host_is_visited_one_request_at_a_time_and_hosts_in_parallel(
    collector: Callable[..., App], site: Site
) -> None:
    slow = raw(b"HTTP/1.1 200 OK\r\n\r\n" + rss(post(1)), pause_s=0.2)
    with serving() as other:
        site.pages |= {"/a": slow, "/b": slow}
        other.pages |= {"/c": slow, "/d": slow}
        elsewhere = other.url().replace("127.0.0.1", "localhost")
        app = collector(a="/a", b="/b", c=f"{elsewhere}c", d=f"{elsewhere}d")
        app.collect.visit()
        starts = sorted([*(asked.at for asked in site.asked), *(asked.at for asked in other.asked)])
        assert abs(site.asked[1].at - site.asked[0].at) >= 0.2
        assert starts[1] - starts[0] < 0.15


def test_a_medium_page_is_asked_for_its_feed() -> None:
    prepare = KINDS["medium"].prepare
    shapes = {
        "https://medium.com/@ana": "https://medium.com/feed/@ana",
        "https://medium.com/@ana/about?x=1": "https://medium.com/feed/@ana",
        "https://medium.com/@ana/feed": "https://medium.com/feed/@ana",
        "https://medium.com/feed/@ana": "https://medium.com/feed/@ana",
        "https://www.medium.com/ontariodigital": "https://medium.com/feed/ontariodigital",
        "https://medium.com/ontariodigital/": "https://medium.com/feed/ontariodigital",
        "https://medium.com/ontariodigital/tagged/design": "https://medium.com/feed/ontariodigital/tagged/design",
        "https://medium.com/ontariodigital/a-post-0123456789ab": "https://medium.com/feed/ontariodigital",
        "https://medium.com/tag/civic-tech": "https://medium.com/feed/tag/civic-tech",
        "https://medium.com/tag/civic-tech/latest": "https://medium.com/feed/tag/civic-tech",
        "https://ana.medium.com": "https://ana.medium.com/feed",
        "https://ana.medium.com/a-post-0123456789ab": "https://ana.medium.com/feed",
        "https://blog.civic.example/": "https://blog.civic.example/feed",
        "https://blog.civic.example/feed": "https://blog.civic.example/feed",
        "https://blog.civic.example/tagged/design": "https://blog.civic.example/feed/tagged/design",
        "http://127.0.0.1:8123/samples/medium.xml": "http://127.0.0.1:8123/samples/medium.xml",
    }
    assert {page: prepare(page) for page in shapes} == shapes


@pytest.mark.corpus
def test_the_medium_polls_of_two_years_give_ten_posts_and_thirteen_named_challenges(
    collector: Callable[..., App], site: Site, corpus: Path, clock: Clock
) -> None:
    polls = sorted((corpus / "medium").glob("poll_*"))
    assert len(polls) >= 107
    site.pages["/feed"] = in_turn(*[answer(poll.read_bytes()) for poll in polls])
    app = collector(medium=("/feed", 'kind = "medium"'))
    kept, kinds, moved = 0, [], set()
    for _poll in polls:
        (visit,) = app.collect.visit(["medium"])
        kinds.append(visit.error_kind)
        assert len(items(app)) >= kept, "something was lost"
        kept = len(items(app))
        moved |= {item.url for item in items(app) if item.url and "6cf9f4579155" in item.url}
        clock.forward(minutes=30)
    assert kept == 10
    assert kinds.count("challenge") == 13
    assert {kind for kind in kinds if kind} == {"challenge"}
    assert len(moved) == 2, "the link that moved was followed"
    assert all(visit.outcome is not VisitOutcome.FAILED for visit in app.collect.visit(["medium"]))


def test_the_same_event_in_two_listings_and_a_cross_post_are_one_item_each(
    collector: Callable[..., App], site: Site
) -> None:
    words = (
        "People asked for a form that remembers what they said last year, and a friend can help with it. " * 5
    )
    talk = "UID:{}\nSUMMARY:{}\nDTSTART:20261201T233000Z\nLOCATION:Ottawa Public Library"
    site.pages |= {
        "/ours": ics(talk.format("1-abcdefghijkl@a.example", "Forms that remember")),
        "/theirs": ics(talk.format("2-abcdefghijkl@b.example", "Forms that remember!")),
        "/blog": rss(post(1, title="A form that remembers", words=words)),
        "/copy": rss(post(99, title="A Form That Remembers", words=words + "First seen elsewhere.")),
    }
    app = collector(ours="/ours", theirs="/theirs", blog="/blog", copy="/copy")
    app.collect.visit()
    assert len(items(app)) == 2
    assert all(len(item.also_in) == 1 for item in items(app))
    assert {visit.outcome for visit in app.collect.visit(every=True)} == {VisitOutcome.UNCHANGED}


def test_two_sources_of_one_host_may_count_their_entries_alike(
    collector: Callable[..., App], site: Site
) -> None:
    """Each numbers what it has from 1: nothing of theirs is the same, and nothing may vanish."""
    numbered = "<title>{}</title><guid isPermaLink='false'>{}</guid>"
    talk = "UID:{}\nSUMMARY:{}\nDTSTART:{}"
    site.pages |= {
        "/blog": rss(numbered.format("Water meters", 1), numbered.format("What the snow crew told us", 2)),
        "/news": rss(numbered.format("Council opens its data", 1), numbered.format("New head of digital", 2)),
        "/one": ics(talk.format("1", "Story circle", "20261214T233000Z")),
        "/two": ics(talk.format("1", "Soldering morning", "20261220T150000Z")),
        "/dated": ics(talk.format("meeting-2026-12-16", "Board games", "20261216T233000Z")),
        "/dated2": ics(talk.format("meeting-2026-12-16", "Hack night", "20261216T190000Z")),
    }
    app = collector(blog="/blog", news="/news", one="/one", two="/two", dated="/dated", dated2="/dated2")
    assert [visit.new for visit in app.collect.visit()] == [2, 2, 1, 1, 1, 1]
    assert {item.also_in for item in items(app)} == {()}
    assert {visit.outcome for visit in app.collect.visit(every=True)} == {VisitOutcome.UNCHANGED}
    site.pages["/two"] = ics(talk.format("1", "Soldering morning", "20261221T150000Z"))
    site.pages["/news"] = rss(numbered.format("Council opens its data at last", 1))
    assert sum(visit.updated for visit in app.collect.visit(every=True)) == 2
    assert len(items(app)) == 8


def test_a_page_in_two_feeds_of_one_host_is_one_item_whatever_number_each_gives_it(
    collector: Callable[..., App], site: Site
) -> None:
    numbered = "<title>A</title><link>https://a.example/a</link><guid isPermaLink='false'>{}</guid>"
    site.pages |= {"/all": rss(numbered.format(7)), "/tag": rss(numbered.format(1))}
    app = collector(all="/all", tag="/tag")
    app.collect.visit()
    assert [item.also_in for item in items(app)] in ([("tag",)], [("all",)])


def test_a_source_that_says_it_is_gone_is_paused_and_the_others_go_on(
    collector: Callable[..., App], site: Site
) -> None:
    site.pages |= {"/blog": rss(post(1)), "/gone": answer(b"", status=410)}
    app = collector(blog="/blog", gone="/gone")
    assert outcomes(app.collect.visit()) == {"blog": "new", "gone": "gone"}
    assert app.store.sources.get("gone").paused
    assert outcomes(app.collect.visit(every=True)) == {"blog": "unchanged", "gone": "waiting"}


def test_permanent_redirects_are_proposed_after_a_week_and_obeyed_only_by_a_person(
    collector: Callable[..., App], site: Site, clock: Clock
) -> None:
    site.pages |= {"/old": answer(b"", status=301, location=site.url("/new")), "/new": rss(post(1), post(2))}
    app = collector(blog="/old")
    for _day in range(9):
        app.collect.visit(every=True)
        clock.forward(days=1)
    source = app.store.sources.get("blog")
    assert moved_for_good(source, now=clock()) == site.url("/new")
    assert source.url == site.url("/old")


def test_a_visit_that_knows_nothing_of_what_it_finds_warns_of_a_gap(
    collector: Callable[..., App], site: Site, clock: Clock
) -> None:
    site.pages["/blog"] = in_turn(
        answer(rss(post(1), post(2), post(3))), answer(rss(post(3), post(4), post(5))), answer(rss(post(6), post(7), post(8)))
    )  # fmt: skip
    app = collector(blog="/blog")
    for expected in (False, False, True):
        app.collect.visit(every=True)
        assert has_gap(app.store.sources.get("blog"), now=clock()) is expected
        clock.forward(hours=6)


def test_what_a_calendar_holds_unreadably_is_counted_and_named(
    collector: Callable[..., App], site: Site
) -> None:
    bad = "UID:b@x.example\nSUMMARY:Endless\nDTSTART:20150101T150000Z\nRRULE:FREQ=SECONDLY"
    good = "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z"
    site.pages["/cal"] = in_turn(
        answer(ics(bad, good), etag='"1"'), answer(b"", status=304), answer(ics(good))
    )
    app = collector(cal="/cal")
    (visit,) = app.collect.visit()
    assert (visit.new, visit.left_out) == (1, 1)
    assert visit_line(visit) == (
        "cal: 1 new. One entry could not be read. The first is “Endless”: it repeats too often to be followed."
    )
    app.collect.visit(every=True)
    source = app.store.sources.get("cal")
    assert (source.left_out, source.left_out_first, source.left_out_why) == (1, "Endless", "rule")
    app.collect.visit(every=True)
    assert app.store.sources.get("cal").left_out == 0


def test_what_stands_there_twice_is_no_fault(collector: Callable[..., App], site: Site) -> None:
    event = "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z"
    site.pages["/cal"] = ics(event, event)
    (visit,) = collector(cal="/cal").collect.visit()
    assert (visit.new, visit.left_out) == (1, 0)


def test_the_doctor_says_what_a_source_brought_and_when_it_is_visited_next(
    collector: Callable[..., App], site: Site
) -> None:
    bad = "UID:b@x.example\nSUMMARY:Endless\nDTSTART:20150101T150000Z\nRRULE:FREQ=SECONDLY"
    site.pages["/cal"] = ics(bad, "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z")
    app = collector(cal="/cal")
    app.collect.visit()
    told = [finding.message for finding in source_findings(app)]
    assert "This month 1 new, 1 visits, none failed." in told[0]
    assert "next visit at 2026-" in told[0]
    assert told[1] == "1 of its entries could not be read, the first is 'Endless'."


def test_the_doctor_blames_the_network_only_when_somebody_was_asked_and_out_of_reach(
    collector: Callable[..., App], site: Site
) -> None:
    site.pages["/page"] = answer(b"<!doctype html><p>Hello</p>", content_type="text/html")
    app = collector(odd=("/feed", 'kind = "rss2"'))
    app.collect.visit()
    assert [f.id for f in source_findings(app)] == ["source odd"]
    app = collector(odd=("/feed", 'kind = "rss2"'), page="/page")
    app.collect.visit(every=True)
    assert "sources" not in [f.id for f in source_findings(app)]
    app = collector(closed="http://127.0.0.1:9/feed", odd=("/feed", 'kind = "rss2"'))
    app.collect.visit(every=True)
    assert next(source_findings(app)).message.startswith("No source answers")


def test_the_doctor_tells_of_two_sources_with_one_address(collector: Callable[..., App], site: Site) -> None:
    told = [(f.id, f.message) for f in source_findings(collector(one="/feed", two="/feed", three="/other"))]
    assert ("source two", 'has the same address as "one", so one of them is visited for nothing.') in told
    assert sum("same address" in message for _, message in told) == 1


EVENT = "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z"
PLATFORMS = {
    "WordPress": ("/blog/", b'<meta name="generator" content="WordPress 6.5">', "/feed/", "feed"),
    "The Events Calendar": ("/whats-on/", b'<div class="tribe-events">', "/events/?ical=1", "ical"),
    "Gancio": ("/", b'<meta name="generator" content="Gancio 1.19">', "/feed/ics", "ical"),
    "Mobilizon": ("/@ottawa/events", b"<title>Ottawa - Mobilizon</title>", "/@ottawa/feed/ics", "ical"),
    "Medium on a domain of its own": ("/", b'<script src="https://cdn-client.medium.com/x.js">', "/feed", "medium"),
    "a page with an iCal button": ("/group", b'<a href="/group/events.ics">Add</a>', "/group/events.ics", "ical"),
    "a page that announces nothing": ("/news", b"", "/feed.xml", "feed"),
}  # fmt: skip


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_a_pasted_page_of_a_known_platform_leads_to_what_it_holds(
    collector: Callable[..., App], site: Site, platform: str
) -> None:
    path, page, feed, kind = PLATFORMS[platform]
    held = {
        "ical": ics(EVENT),
        "feed": rss(post(1)),
        "medium": rss(MEDIUM_POST.format(link="https://x.example/a")),
    }
    site.pages[path] = answer(b"<!doctype html><html><head>" + page, content_type="text/html")
    site.pages[feed] = held[kind]
    app = collector()
    found = app.collect.look(site.url(path), now=app.clock(), horizon=app.clock() + timedelta(days=80))
    assert (found.url, found.kind, len(found.harvest.entries)) == (site.url(feed), kind, 1)


def test_a_feed_that_became_a_calendar_is_read_as_one_and_back(
    collector: Callable[..., App], site: Site, clock: Clock
) -> None:
    site.pages["/x"] = rss(post(1))
    app = collector(x="/x")
    for body, kind in ((rss(post(1)), "feed"), (ics(HACK_NIGHT), "ical"), (rss(post(1), post(2)), "feed")):
        site.pages["/x"] = body
        (visit,) = app.collect.visit(every=True)
        assert (visit.error, visit.source.kind) == (None, kind)
        clock.forward(hours=6)
    site.pages["/x"] = answer(ics(), content_type="text/calendar")
    (visit,) = app.collect.visit(every=True)
    assert visit.error_kind is not None, "one without entries proves nothing"
