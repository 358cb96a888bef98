"""Sources and items in a real file: what is remembered, and what is found again."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import SourcePart
from digest.errors import NotFound
from digest.model import (
    EventStatus,
    Visit,
    VisitOutcome,
)
from digest.rules.assemble import dated
from digest.store.sqlite import SqliteStore, open_store
from digest.store.sqlite.columns import micros, moment
from tests.store_kit import NOW, days, event, kept, named_source, post

BLOG = "https://blog.example.org/feed"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db")
    yield opened
    opened.close()


def sync(store: SqliteStore, *parts: SourcePart) -> None:
    with store.write():
        store.sources.sync(parts)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_comes_back_to_the_microsecond(at: datetime) -> None:
    assert moment(micros(at)) == at.astimezone(UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        micros(NOW.replace(tzinfo=None))


# --- sources ---------------------------------------------------------------------------------------------------


def visited(store: SqliteStore) -> None:
    with store.write():
        store.sources.remember(
            replace(
                store.sources.get("blog"),
                kind="feed",
                etag='"1"',
                last_modified="Fri",
                parser="feed/1",
                next_at=NOW + days(1),
                fail_count=2,
                failing_since=NOW,
                last_visit_at=NOW,
                last_ok_at=NOW - days(1),
                last_error_kind="dns",
                last_error="no such host",
            )
        )


def test_what_visits_taught_survives_an_unchanged_configuration(store: SqliteStore) -> None:
    sync(store, SourcePart(name="blog", url=BLOG))
    visited(store)
    before = store.sources.get("blog")
    sync(store, SourcePart(name="blog", url=BLOG, section="calls"))
    assert store.sources.get("blog") == replace(before, section="calls")
    assert (before.etag, before.failing_since, before.fail_count) == ('"1"', NOW, 2)


def test_a_changed_address_is_another_place(store: SqliteStore) -> None:
    sync(store, SourcePart(name="blog", url=BLOG))
    visited(store)
    sync(store, SourcePart(name="blog", url="https://new.example.org/feed"))
    source = store.sources.get("blog")
    assert (source.kind, source.etag, source.last_modified, source.parser, source.next_at) == (
        "",
        None,
        None,
        None,
        None,
    )
    assert (source.fail_count, source.failing_since, source.last_error) == (0, None, None)


def test_a_kind_said_by_the_operator_wins_and_needs_a_whole_answer(store: SqliteStore) -> None:
    sync(store, SourcePart(name="blog", url=BLOG))
    visited(store)
    sync(store, SourcePart(name="blog", url=BLOG, kind="medium"))
    source = store.sources.get("blog")
    assert (source.kind, source.etag, source.next_at, source.fail_count) == ("medium", None, None, 2)


def test_a_source_no_longer_named_is_not_visited_but_keeps_its_items(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    item = kept(store, post("link:1"), source=blog)
    sync(store, SourcePart(name="other", url="https://other.example.org/"))
    assert [source.name for source in store.sources.all()] == ["other"]
    assert [source.name for source in store.sources.due(NOW)] == ["other"]
    assert store.items.get([item.id])[0].source == "blog"
    named_source(store, "blog")
    assert store.sources.get("blog").id == blog.id


def test_due_are_those_whose_time_has_come(store: SqliteStore) -> None:
    sync(store, SourcePart(name="blog", url=BLOG), SourcePart(name="new", url="https://new.example.org/"))
    visited(store)
    assert [source.name for source in store.sources.due(NOW)] == ["new"]
    assert [source.name for source in store.sources.due(NOW + days(1))] == ["blog", "new"]


def test_an_unknown_source_is_answered_with_the_nearest_name(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="we know none"):
        store.sources.get("blog")
    sync(store, SourcePart(name="Civic Tech Toronto", url=BLOG))
    with pytest.raises(NotFound, match="did you mean 'Civic Tech Toronto'"):
        store.sources.get("Civic Tech Tornto")


def test_visits_are_logged_newest_first_and_waiting_is_no_visit(store: SqliteStore) -> None:
    source = named_source(store, "blog")
    with store.write():
        store.sources.log(Visit(source=source, outcome=VisitOutcome.NEW, new=3, seconds=0.25), at=NOW)
        store.sources.log(Visit(source=source, outcome=VisitOutcome.WAITING), at=NOW + days(1))
        store.sources.log(
            Visit(source=source, outcome=VisitOutcome.FAILED, error_kind="dns", error="no such host"),
            at=NOW + days(2),
        )
    failed, new = store.sources.visits(source.id)
    assert (failed.outcome, failed.error_kind, failed.at) == (VisitOutcome.FAILED, "dns", NOW + days(2))
    assert (new.outcome, new.new, new.seconds, new.at) == (VisitOutcome.NEW, 3, 0.25, NOW)
    assert store.sources.visits(source.id, limit=1) == [failed]


# --- items -----------------------------------------------------------------------------------------------------


def test_an_item_comes_back_as_it_was_put(store: SqliteStore) -> None:
    source = named_source(store, "blog")
    entry = event("uid:1", starts=NOW + days(3), ends=NOW + days(3.1))
    item = kept(store, entry, source=source)
    assert item.occasion == entry.occasion
    assert (item.title, item.source, item.first_seen, item.also_in) == ("An event", "blog", NOW, ())
    other = kept(store, post("link:é"), source=source)
    assert (other.tags, other.published, other.occasion) == (("civic tech", "données"), NOW, None)


def test_items_put_in_together_get_ids_in_their_order_and_none_that_was_used(store: SqliteStore) -> None:
    source = named_source(store, "blog")
    entries = [post(f"link:{name}", title=f"Post {name}") for name in "cab"]
    with store.write():
        ids = store.items.add_all(entries, source=source.id, now=NOW)
        assert store.items.add_all([], source=source.id, now=NOW) == []
    assert [item.title for item in store.items.get(ids)] == [entry.title for entry in entries]
    with suppress(ZeroDivisionError), store.write():
        store.items.add(post("link:lost"), source=source.id, now=NOW)
        raise ZeroDivisionError
    assert kept(store, post("link:kept"), source=source).id == ids[-1] + 1


def test_the_same_post_elsewhere_is_one_item_and_every_key_finds_it(store: SqliteStore) -> None:
    blog, planet = named_source(store, "blog"), named_source(store, "planet")
    item = kept(store, post("medium:1"), source=blog)
    with store.write():
        store.items.also_in(item.id, source=planet.id, entry=post("guid:1"), now=NOW + days(1))
        store.items.also_in(item.id, source=planet.id, entry=post("guid:1"), now=NOW + days(2))
    found = store.items.known(["medium:1", "guid:1", "guid:2"])
    assert set(found) == {"medium:1", "guid:1"}
    assert found["guid:1"].id == item.id
    assert found["guid:1"].sources == {blog.id, planet.id}
    assert found["guid:1"].owner == blog.id
    assert store.items.get([item.id])[0].also_in == ("planet",)


def test_a_key_stays_with_the_item_that_had_it_first(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    first = kept(store, post("link:1"), source=blog)
    second = kept(store, replace(post("link:2"), keys=("link:2", "link:1")), source=blog)
    assert {key: known.id for key, known in store.items.known(["link:1", "link:2"]).items()} == {
        "link:1": first.id, "link:2": second.id,
    }  # fmt: skip


def test_an_update_says_it_anew_and_keeps_when_and_where_it_was_first_seen(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    item = kept(store, event("uid:1", starts=NOW), source=blog)
    off = event("uid:1", starts=NOW + days(1))
    assert off.occasion is not None
    off = replace(off, occasion=replace(off.occasion, status=EventStatus.CANCELLED), content_hash="new")
    with store.write():
        store.items.update(item.id, off, now=NOW + days(2))
    updated = store.items.get([item.id])[0]
    assert updated.occasion == off.occasion
    assert (updated.content_hash, updated.first_seen, updated.updated) == ("new", NOW, NOW + days(2))


def test_the_pool_holds_posts_of_the_span_and_events_to_come(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    since, until = NOW - days(30), NOW

    def add(key: str, published: datetime | None, seen: datetime) -> None:
        kept(store, post(key, published=published, title=key), source=blog, now=seen)

    add("too old", since - days(1), since - days(1))
    add("at the old cut-off", since, since)
    add("in", since + timedelta(seconds=1), until)
    add("at the cut-off", until, until)
    add("seen late", since - days(9), until - days(1))
    add("undated", None, until - days(2))
    guessed = replace(post("guessed", published=until - days(1), title="guessed"), flags=("date-guessed",))
    kept(store, guessed, source=blog, now=until - days(3))
    add("of tomorrow", until + days(1), until + days(1))
    for name, starts, ends in [
        ("over", NOW - days(2), NOW - days(1)), ("ends now", NOW - days(1), NOW), ("goes on", NOW - days(1), NOW + days(1)),
        ("no end, begun", NOW, None), ("soon", NOW + days(1), None), ("last", NOW + days(34), NOW + days(36)),
        ("too far", NOW + days(35), None),
    ]:  # fmt: skip
        kept(store, replace(event("uid:" + name, starts=starts, ends=ends), title=name), source=blog)
    pool = store.items.pool(
        posts_since=since, posts_until=until, events_from=NOW, events_until=NOW + days(35)
    )
    assert [item.title for item in pool] == [
        "goes on", "soon", "last",
        "seen late", "in", "undated", "guessed", "at the cut-off",
    ]  # fmt: skip
    shelf = store.items.shelf(
        posts_since=since, posts_until=until, events_from=NOW, events_until=NOW + days(35)
    )
    assert {(one.id, one.kind, one.source, one.language, one.dated) for one in shelf} == {
        (
            item.id,
            item.kind,
            item.source,
            item.language,
            item.occasion.starts if item.occasion else dated(item),
        )
        for item in pool
    }


def test_a_months_items_are_those_that_touch_it(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    start, end = NOW, NOW + days(30)
    for name, published in [("before", start - days(1)), ("first", start), ("next", end)]:
        kept(store, post(name, published=published, title=name), source=blog)
    for name, starts, ends in [
        ("over", start - days(2), start), ("into", start - days(1), start + days(1)), ("at start", start, None),
        ("out of", end - days(1), end + days(1)), ("after", end, None),
    ]:  # fmt: skip
        kept(store, replace(event("uid:" + name, starts=starts, ends=ends), title=name), source=blog)
    assert [item.title for item in store.items.all_between(start, end)] == [
        "into",
        "at start",
        "out of",
        "first",
    ]


def test_items_come_in_the_order_asked_for(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    one, two = kept(store, post("link:1"), source=blog), kept(store, post("link:2"), source=blog)
    assert [item.id for item in store.items.get([two.id, one.id])] == [two.id, one.id]
