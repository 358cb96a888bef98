"""What may be one thing: asked once, merged or kept apart by a person, taken back by a person, and never asked again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from flask import Flask

from digest.app import App, open_app
from digest.collect_twins import Twins
from digest.config import Config
from digest.errors import Conflict, NotFound
from digest.model import Item, ItemId, Verdict, VisitOutcome
from digest.rules.duplicates import held_together
from digest.rules.gather import MAYBE_TWICE
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock
from tests.http_kit import Site, ics, post, rss, serving
from tests.web_kit import press, read, signed_in

WORDS = "People asked for a form that remembers what they said last year, and a friend can help with it. " * 5
TALK = "UID:{}\nSUMMARY:{}\nDTSTART:20261201T233000Z\nLOCATION:{}"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        opened.pages |= {
            "/ours": ics(TALK.format("1-abcdefghijkl@a.example", "Python meetup Ottawa", "Public library")),
            "/theirs": ics(TALK.format("2-abcdefghijkl@b.example", "Meetup", "Public library")),
        }
        yield opened


@pytest.fixture
def collected(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[App]:
    text = "delay_s = 0\ntimeout_s = 2\n"
    for name in ("ours", "theirs"):
        text += f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n'
    app = open_app(make_config(text), clock=clock)
    app.collect.visit()
    yield app
    app.close()


def standing(app: App) -> list[Item]:
    now = app.clock()
    return app.store.items.all_between(now - timedelta(days=400), now + timedelta(days=400))


def verb(app: App) -> Twins:
    return Twins(app.store, clock=app.clock)


def pair(app: App) -> tuple[ItemId, ItemId]:
    asked = verb(app).waiting()
    assert len(asked) == 1
    return asked[0].asked, asked[0].other.id


def test_an_unsure_pair_is_asked_about_and_stays_two_until_somebody_says_so(collected: App) -> None:
    one, other = pair(collected)
    assert len(standing(collected)) == 2
    assert [MAYBE_TWICE in item.flags for item in collected.store.items.get([one, other])] == [False, True]
    verb(collected).settle(one, other, Verdict.SAME, by="1")
    assert [(item.id, item.also_in) for item in standing(collected)] == [(one, ("theirs",))]
    assert not verb(collected).waiting()


@pytest.mark.parametrize("verdict", [Verdict.SAME, Verdict.APART])
def test_what_was_said_is_remembered_by_every_visit_that_follows(
    collected: App, site: Site, clock: Clock, verdict: Verdict
) -> None:
    one, other = pair(collected)
    verb(collected).settle(one, other, verdict, by="1")
    for number in range(2):
        clock.forward(days=1)
        site.pages["/theirs"] = ics(
            TALK.format("2-abcdefghijkl@b.example", "Meetup", f"Public library, room {number}")
        )
        visits = {visit.source.name: visit for visit in collected.collect.visit(every=True)}
        assert (visits["theirs"].new, visits["theirs"].updated) == (0, 1)
        assert not verb(collected).waiting()
        assert len(standing(collected)) == (1 if verdict is Verdict.SAME else 2)
        assert not any(MAYBE_TWICE in item.flags for item in standing(collected))


def test_a_merge_by_hand_is_taken_back_and_asked_again(collected: App) -> None:
    one, other = pair(collected)
    verb(collected).settle(one, other, Verdict.SAME, by="1")
    with pytest.raises(Conflict):
        verb(collected).settle(one, other, Verdict.APART, by="2")
    verb(collected).take_back(one, other, by="1")
    assert pair(collected) == (one, other)
    assert {item.id: item.also_in for item in standing(collected)} == {one: (), other: ()}
    assert MAYBE_TWICE in collected.store.items.get([other])[0].flags
    with pytest.raises(NotFound):
        verb(collected).settle(other, one, Verdict.SAME, by="1")


def test_an_open_doubt_survives_an_edit_at_the_source(collected: App, site: Site, clock: Clock) -> None:
    _, other = pair(collected)
    clock.forward(days=1)
    site.pages["/theirs"] = ics(TALK.format("2-abcdefghijkl@b.example", "Meetup", "Another room"))
    collected.collect.visit(every=True)
    assert collected.store.items.get([other])[0].flags.count(MAYBE_TWICE) == 1


def test_what_digest_merged_by_itself_can_be_parted_for_good(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    site.pages |= {
        "/ours": rss(post(1, title="A form that remembers", words=WORDS)),
        "/theirs": rss(post(99, title="A Form That Remembers", words=WORDS + "First seen elsewhere.")),
    }
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("ours", "theirs")
    )
    with open_app(make_config(text), clock=clock) as app:
        visits = app.collect.visit()
        assert [visit.new for visit in visits] == [1, 0]
        (merged,) = verb(app).settled()
        assert (merged.by, merged.kept) == ("", merged.asked)
        verb(app).take_back(merged.asked, merged.other.id, by="1")
        assert {item.also_in for item in standing(app)} == {()}
        assert len(standing(app)) == 2
        clock.forward(days=1)
        assert {visit.outcome for visit in app.collect.visit(every=True)} == {VisitOutcome.UNCHANGED}
        assert len(standing(app)) == 2
        assert not verb(app).waiting()


@pytest.mark.parametrize(
    ("title", "new", "asked"),
    [
        ("A form that remembers - Team blog", 0, 0),
        ("What people asked us for", 1, 1),
        ("A form that remembers, part 2", 1, 1),
    ],
)
def test_a_cross_post_under_another_title_is_one_item_or_a_question(
    make_config: Callable[[str], Config], clock: Clock, site: Site, title: str, new: int, asked: int
) -> None:
    site.pages |= {
        "/ours": rss(post(1, title="A form that remembers", words=WORDS)),
        "/theirs": rss(post(99, title=title, words=f"{WORDS} First seen elsewhere.")),
    }
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("ours", "theirs")
    )
    with open_app(make_config(text), clock=clock) as app:
        app.collect.visit(["ours"])
        (visit,) = [row for row in app.collect.visit(["theirs"]) if row.source.name == "theirs"]
        assert (visit.new, len(verb(app).waiting()), len(standing(app))) == (new, asked, 1 + new)


@pytest.mark.parametrize(
    ("source", "change"),
    [
        ("ours", ("Board games #41", "Board games #43")),
        ("ours", ("20261216", "20270120")),
        ("theirs", ("20261216", "20270120")),
        ("ours", ("STATUS:CONFIRMED", "STATUS:CANCELLED")),
        ("theirs", ("STATUS:CONFIRMED", "STATUS:CANCELLED")),
    ],
)
def test_a_listing_that_moves_renames_or_calls_off_its_event_hides_no_other_listing(
    make_config: Callable[[str], Config], clock: Clock, site: Site, source: str, change: tuple[str, str]
) -> None:
    games = (
        "UID:{}-abcdefghijkl@a.example\nSUMMARY:Board games #41\nDTSTART:20261216T233000Z\nSTATUS:CONFIRMED"
    )
    pages = {"ours": games.format(1), "theirs": games.format(2)}
    site.pages |= {f"/{name}": ics(page) for name, page in pages.items()}
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in pages
    )
    with open_app(make_config(text), clock=clock) as app:
        app.collect.visit(["ours"])
        app.collect.visit(["theirs"])
        assert [item.also_in for item in standing(app)] == [("theirs",)]
        site.pages["/" + source] = ics(pages[source].replace(*change))
        for _ in range(2):
            clock.forward(days=1)
            app.collect.visit(every=True)
            assert {item.source: item.also_in for item in standing(app)} == {"ours": (), "theirs": ()}
            assert len(verb(app).waiting()) == 1
            assert not verb(app).settled()
        one, other = pair(app)
        verb(app).settle(one, other, Verdict.SAME, by="1")
        site.pages["/" + source] = ics(pages[source].replace(*change) + "\nLOCATION:Main branch")
        clock.forward(days=1)
        app.collect.visit(every=True)
        assert len(standing(app)) == 1, "what an editor said stays"


def test_a_question_that_a_change_answers_is_asked_no_more_and_comes_back_with_its_reason(
    collected: App, site: Site, clock: Clock
) -> None:
    pair(collected)
    talk = TALK.format("1-abcdefghijkl@a.example", "Python meetup Ottawa", "Public library")
    for change, asked in ((("20261201", "20270112"), 0), (("20261201", "20261201"), 1)):
        clock.forward(days=1)
        site.pages["/ours"] = ics(talk.replace(*change))
        collected.collect.visit(every=True)
        assert len(verb(collected).waiting()) == asked
        assert sum(MAYBE_TWICE in item.flags for item in standing(collected)) == asked
        assert len(standing(collected)) == 2


def test_a_question_about_words_alone_stays_when_something_else_changes(
    collected: App, site: Site, clock: Clock
) -> None:
    pair(collected)
    clock.forward(days=1)
    site.pages["/ours"] = ics(
        TALK.format("1-abcdefghijkl@a.example", "Python meetup Ottawa", "Library, room 2")
    )
    collected.collect.visit(every=True)
    pair(collected)


def test_two_listings_of_one_event_that_move_one_after_the_other_are_one_again(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    games = "UID:{}-abcdefghijkl@a.example\nSUMMARY:Board games\nDTSTART:{}T233000Z"
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("ours", "theirs")
    )
    with open_app(make_config(text), clock=clock) as app:
        for ours, theirs, items, asked in (
            ("20261216", "20261216", 1, 0), ("20270120", "20261216", 2, 1), ("20270120", "20270120", 1, 0)
        ):  # fmt: skip
            site.pages |= {"/ours": ics(games.format(1, ours)), "/theirs": ics(games.format(2, theirs))}
            app.collect.visit(every=True)
            assert (len(standing(app)), len(verb(app).waiting())) == (items, asked)
            clock.forward(days=1)


def test_an_event_that_is_put_right_is_found_in_the_other_listing(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    games = "UID:{}-abcdefghijkl@a.example\nSUMMARY:Board games\nDTSTART:{}T233000Z"
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("ours", "theirs")
    )
    with open_app(make_config(text), clock=clock) as app:
        for theirs, items in (("20261223", 2), ("20261216", 1)):
            site.pages |= {"/ours": ics(games.format(1, "20261216")), "/theirs": ics(games.format(2, theirs))}
            app.collect.visit(every=True)
            assert len(standing(app)) == items
            clock.forward(days=1)
        (merged,) = verb(app).settled()
        verb(app).take_back(merged.asked, merged.other.id, by="1")
        assert len(standing(app)) == 2


def test_the_one_that_the_letter_holds_stands_for_both(collected: App) -> None:
    one, other = pair(collected)
    issue = collected.publish.assemble()
    in_section = {p.item.id for p in issue.placed if p.section}
    if one in in_section:
        collected.publish.cut(issue.period, one, by="1")
    collected.publish.add(issue.period, other, by="1")
    before = collected.store.issues.get(issue.period).revision
    verb(collected).settle(one, other, Verdict.SAME, by="1")
    assert [item.id for item in standing(collected)] == [other]
    draft = collected.store.issues.get(issue.period)
    assert [p.item.id for p in draft.placed if p.item.id in (one, other)] == [other]
    assert draft.revision > before
    verb(collected).take_back(one, other, by="1")
    assert {one, other} <= {p.item.id for p in collected.store.issues.get(issue.period).placed}


@pytest.mark.parametrize("language", ["", "/fr"])
def test_an_editor_settles_a_pair_at_the_desk_without_any_script(collected: App, language: str) -> None:
    web = create_web(collected)
    client = signed_in(collected, web)
    one, other = pair(collected)
    assert f"{language}/desk/twins" in read(client, f"{language}/desk/pool")
    html = read(client, f"{language}/desk/twins")
    assert "Python meetup Ottawa" in html
    assert "Public library" in html
    where = press(client, f"{language}/desk/twins", one=one, other=other, act="merge")
    assert ("fusionné" if language else "Merged") in read(client, where)
    assert len(standing(collected)) == 1
    press(client, f"{language}/desk/twins", one=one, other=other, act="apart", status=409)
    press(client, f"{language}/desk/twins", one=one, other=other, act="back")
    press(client, f"{language}/desk/twins", one=one, other=other, act="apart")
    assert len(standing(collected)) == 2
    press(client, "/desk/twins", one=one, other=other, act="burn", status=400)
    press(client, "/desk/twins", one=one, other=9999, act="merge", status=404)


def test_a_contributor_sees_the_pairs_and_settles_none(app: App, web: Flask) -> None:
    client = signed_in(app, web, "cam@example.org")
    assert 'value="merge"' not in read(client, "/desk/twins")
    press(client, "/desk/twins", one=1, other=2, act="merge", status=403)


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.mark.parametrize(("prefix", "says"), [("", "changed at the source"), ("/fr", "changé à la source")])
def test_a_source_that_changed_after_approval_is_flagged_at_the_desk(
    app: App, web: Flask, prefix: str, says: str
) -> None:
    month = web_kit.fill(app)
    app.publish.assemble(month.period)
    item = app.store.issues.get(month.period).section("worth-reading")[0].item
    app.publish.approve(month.period, by="test")
    client = signed_in(app, web)
    assert says not in read(client, f"{prefix}/desk/issues/{month.period}/")
    with app.store.write():
        app.store.items.changed_at_source(item.id, web_kit.restated(item), now=app.clock())
    assert says in read(client, f"{prefix}/desk/issues/{month.period}/")


@pytest.fixture
def chained(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> Iterator[tuple[App, list[ItemId]]]:
    """Five items of five sources, 1-2-3-4 and 5 beside, the middle pairs said to be the same by hand."""
    text = "delay_s = 0\n"
    for number in range(1, 6):
        site.pages[f"/{number}"] = rss(post(number, title=f"Quite another matter {'abcdef'[number] * 9}"))
        text += f'[[sources]]\nname = "{number}"\nurl = "{site.url(f"/{number}")}"\n'
    with open_app(make_config(text), clock=clock) as app:
        app.collect.visit()
        ids = sorted(item.id for item in standing(app))
        with app.store.write():
            for one, other in pairwise(ids[:4]):
                app.store.twins.ask(one, other, now=clock())
        yield app, ids


def heads(app: App) -> dict[ItemId, frozenset[str]]:
    return {item.id: frozenset({item.source, *item.also_in}) for item in standing(app)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("undone", list(permutations(range(3))))
def test_each_link_of_a_chain_is_undone_alone_in_whatever_order(
    chained: tuple[App, list[ItemId]], order: tuple[int, ...], undone: tuple[int, ...]
) -> None:
    app, ids = chained
    names = {item.id: item.source for item in standing(app)}
    alone = heads(app)
    for link in order:
        verb(app).settle(ids[link], ids[link + 1], Verdict.SAME, by="1")
    assert set(heads(app)) == {ids[0], ids[4]}
    left = {0, 1, 2}
    for link in undone:
        verb(app).take_back(ids[link], ids[link + 1], by="1")
        left -= {link}
        runs = held_together(ids, [(ids[at], ids[at + 1]) for at in left])
        assert set(heads(app).values()) == {frozenset(names[id_] for id_ in run) for run in runs}
    assert heads(app) == alone
    assert {(pair.asked, pair.other.id) for pair in verb(app).waiting()} == set(pairwise(ids[:4]))


def test_two_that_a_third_holds_together_are_parted_all_the_same(chained: tuple[App, list[ItemId]]) -> None:
    app, ids = chained
    with app.store.write():
        app.store.twins.ask(ids[0], ids[2], now=app.clock())
    for one, other in ((0, 1), (1, 2), (0, 2)):
        verb(app).settle(ids[one], ids[other], Verdict.SAME, by="1")
    assert set(heads(app)) == {ids[0], ids[3], ids[4]}
    verb(app).take_back(ids[0], ids[1], by="1")
    assert {ids[0], ids[1]} <= set(heads(app))
    assert heads(app)[ids[1]] == {"2"}


def test_two_of_one_identity_are_parted_at_the_desk_and_may_be_joined_again(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    """Two sites that both write `post-2026-11-12-newsletter` as their guid, say."""
    same = "<guid isPermaLink='false'>newsletter:2026-11-12</guid>"
    item = "<title>{}</title><link>https://{}.example/a</link>" + same + "<description>{}</description>"
    site.pages |= {
        "/ours": rss(item.format("Our newsletter", "ours", "What we did.")),
        "/theirs": rss(item.format("Their newsletter", "theirs", "What they did.")),
    }
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("ours", "theirs")
    )
    with open_app(make_config(text), clock=clock) as app:
        app.collect.visit(["ours"])
        app.collect.visit(["theirs"])
        assert [(one.title, one.also_in) for one in standing(app)] == [("Our newsletter", ("theirs",))]
        client = signed_in(app, create_web(app))
        assert "Un seul élément" in read(client, "/fr/desk/twins")
        assert "theirs means something else" in read(client, "/desk/twins")
        assert "other source" not in read(client, "/desk/twins"), "the line of a post names them, once"
        (one,) = verb(app).shared()
        press(client, "/desk/twins", one=one.item.id, source="ours", act="part", status=404)
        press(client, "/desk/twins", one=one.item.id, source="theirs", act="part")
        for _ in range(3):
            clock.forward(days=1)
            app.collect.visit(every=True)
            assert {one.title: one.also_in for one in standing(app)} == {
                "Our newsletter": (),
                "Their newsletter": (),
            }
        site.pages["/theirs"] = rss(item.format("Their newsletter, mended", "theirs", "What they did."))
        clock.forward(days=1)
        app.collect.visit(every=True)
        assert {one.title for one in standing(app)} == {"Our newsletter", "Their newsletter, mended"}
        assert not verb(app).shared()
        (pair,) = verb(app).settled()
        assert (pair.verdict, pair.by) == (Verdict.APART, "1")
        verb(app).take_back(pair.asked, pair.other.id, by="1")
        verb(app).settle(pair.asked, pair.other.id, Verdict.SAME, by="1")
        assert [one.also_in for one in standing(app)] == [("theirs",)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_chapters_are_never_one_by_a_listing_that_names_no_place(
    make_config: Callable[[str], Config], clock: Clock, site: Site, order: tuple[int, ...]
) -> None:
    meetup = "UID:{}-abcdefghijkl@a.example\nSUMMARY:Civic tech meetup\nDTSTART:20261216T233000Z\n{}"
    places = ("", "LOCATION:City Hall\\, Ottawa", "LOCATION:Library\\, Waterloo")
    site.pages |= {f"/{n}": ics(meetup.format(n, place)) for n, place in enumerate(places)}
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{n}"\nurl = "{site.url(f"/{n}")}"\n' for n in range(3)
    )
    with open_app(make_config(text), clock=clock) as app:
        for number in order:
            app.collect.visit([str(number)])
        assert not any({"1", "2"} <= {item.source, *item.also_in} for item in standing(app))
        (asked,) = verb(app).waiting()
        assert {asked.one.id, asked.other.id} == {item.id for item in standing(app)}
        verb(app).settle(asked.asked, asked.other.id, Verdict.APART, by="1")
        clock.forward(days=1)
        app.collect.visit(every=True)
        assert (len(standing(app)), verb(app).waiting()) == (2, [])


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_an_excerpt_is_asked_about_in_whatever_order_its_sources_are_visited(
    make_config: Callable[[str], Config], clock: Clock, site: Site, order: tuple[int, ...]
) -> None:
    said = WORDS + "That is what they told us, and what we are going to build with them in the coming spring."
    for number, words in enumerate((said[:100], said[:120], said, f"{said} First seen elsewhere.")):
        own = post(number, title="A form that remembers", words=words)
        site.pages[f"/{number}"] = rss(own)
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{n}"\nurl = "{site.url(f"/{n}")}"\n' for n in range(4)
    )
    with open_app(make_config(text), clock=clock) as app:
        for number in order:
            app.collect.visit([str(number)])
        assert len(standing(app)) == 3, "the two whole ones are one"
        asked = {item for found in verb(app).waiting() for item in (found.one.id, found.other.id)}
        assert asked == {item.id for item in standing(app)}
