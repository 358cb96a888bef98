"""Sources, items and issues in a real file: what is remembered, and what is found again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import SourcePart
from digest.errors import NotFound, StoreError
from digest.model import (
    Edition,
    EventStatus,
    IssueState,
    Language,
    Period,
    Placed,
    Visit,
    VisitOutcome,
)
from digest.store.sqlite import SqliteStore, open_store
from digest.store.sqlite.columns import micros, moment
from tests.store_kit import NOVEMBER, NOW, days, draft, event, kept, named_source, post

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
    assert moment(micros(at)) == at


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
    with pytest.raises(NotFound, match=r"config\.toml names none"):
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
        "seen late", "in", "undated", "at the cut-off",
    ]  # fmt: skip


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


# --- issues ----------------------------------------------------------------------------------------------------


def test_an_issue_comes_back_whole(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    one, two = kept(store, post("link:1"), source=blog), kept(store, post("link:2"), source=blog)
    placed = [
        Placed(
            item=one,
            section="worth-reading",
            position=0,
            chosen=True,
            title={"fr": "Été"},
            blurb={"en": "Read it."},
        ),
        Placed(item=two, section=None, position=0),
    ]
    with store.write():
        issue_id = store.issues.create(
            period=NOVEMBER, since=NOW - days(30), until=NOW, send_at=NOW + days(2), placed=placed
        )
        store.issues.write_text(issue_id, field="intro", language="fr", words="Bonjour")
        store.issues.write_text(issue_id, field="intro", language="fr", words="Bonsoir")
        store.issues.write_text(issue_id, field="intro", language="en", words="Hello")
        store.issues.write_text(issue_id, field="intro", language="en", words="")
    issue = store.issues.get(NOVEMBER)
    assert issue.placed == tuple(placed)
    assert issue.texts == {("intro", "fr"): "Bonsoir"}
    assert (issue.number, issue.state, issue.revision, issue.send_at) == (
        1,
        IssueState.DRAFT,
        0,
        NOW + days(2),
    )
    assert store.issues.find(NOVEMBER.next()) is None
    with pytest.raises(NotFound, match="There is no issue 2026-12"):
        store.issues.get(NOVEMBER.next())


def test_a_month_has_one_issue(store: SqliteStore) -> None:
    draft(store)
    with pytest.raises(StoreError):
        draft(store)
    assert len(store.issues.all()) == 1


def test_issues_are_numbered_in_turn_and_shown_newest_first(store: SqliteStore) -> None:
    for period in (NOVEMBER, NOVEMBER.next(), NOVEMBER.previous()):
        draft(store, period=period)
    assert [(str(issue.period), issue.number) for issue in store.issues.all()] == [
        ("2026-12", 2), ("2026-11", 1), ("2026-10", 3),
    ]  # fmt: skip


def test_an_item_changed_at_its_source_is_marked_until_the_editor_has_seen_it(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    item = kept(store, post("link:1"), source=blog)
    issue_id = draft(store)

    def place(*placed: Placed) -> None:
        with store.write():
            store.issues.place(issue_id, placed)

    place(Placed(item=item, section="worth-reading", position=0))
    assert not store.issues.get(NOVEMBER).placed[0].changed_at_source
    with store.write():
        store.items.update(item.id, post("link:1", content_hash="b"), now=NOW)
    changed = store.issues.get(NOVEMBER).placed[0]
    assert changed.changed_at_source
    place(replace(changed, position=4))
    assert store.issues.get(NOVEMBER).placed[0].changed_at_source, "moving it is not reading it"
    place()
    place(changed)
    assert store.issues.get(NOVEMBER).placed[0].changed_at_source, "nor is taking it out and back"
    with store.write():
        store.items.update(item.id, post("link:1", content_hash="c"), now=NOW)
    place(replace(changed, changed_at_source=False))
    assert store.issues.get(NOVEMBER).placed[0].changed_at_source, (
        "what came after the editor looked is not seen"
    )
    place(replace(store.issues.get(NOVEMBER).placed[0], changed_at_source=False))
    assert not store.issues.get(NOVEMBER).placed[0].changed_at_source


def test_latecomers_join_and_nothing_that_stands_is_moved(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    one, two = kept(store, post("link:1"), source=blog), kept(store, post("link:2"), source=blog)
    issue_id = draft(store)
    with store.write():
        store.issues.place(issue_id, [Placed(item=one, section="worth-reading", position=0, chosen=True)])
        late = [Placed(item=item, section=None, position=0, arrived_late=True) for item in (one, two)]
        store.issues.extend(issue_id, until=NOW + days(1), late=late)
    issue = store.issues.get(NOVEMBER)
    assert issue.until == NOW + days(1)
    assert [(p.item.id, p.section, p.arrived_late) for p in issue.placed] == [
        (one.id, "worth-reading", False), (two.id, None, True),
    ]  # fmt: skip


def test_of_two_editors_who_saw_the_same_revision_one_wins(store: SqliteStore) -> None:
    issue_id = draft(store)
    with store.write():
        assert store.issues.bump(issue_id, revision=0)
        assert not store.issues.bump(issue_id, revision=0)
    assert store.issues.get(NOVEMBER).revision == 1


def test_the_log_of_edits_only_grows(store: SqliteStore) -> None:
    issue_id = draft(store)
    with store.write():
        store.issues.log(issue_id, editor="Ada", act="cut", detail={"item": 3, "from": "calls"}, at=NOW)
        store.issues.log(issue_id, editor="Ada", act="keep", detail={"item": 3}, at=NOW + days(1))
    assert [(edit.act, edit.editor, edit.at, edit.detail) for edit in store.issues.edits(issue_id)] == [
        ("cut", "Ada", NOW, {"item": 3, "from": "calls"}), ("keep", "Ada", NOW + days(1), {"item": 3}),
    ]  # fmt: skip
    for statement in ("UPDATE edit SET editor = 'Bob'", "DELETE FROM edit"):
        with pytest.raises(StoreError), store.write():
            store._db.change(statement)
    assert len(store.issues.edits(issue_id)) == 2


def test_a_move_is_made_once_and_only_from_where_it_may(store: SqliteStore) -> None:
    issue_id = draft(store)
    with store.write():
        moved = [
            store.issues.move(
                issue_id,
                from_={IssueState.DRAFT},
                to=IssueState.APPROVED,
                approved_at=NOW,
                approved_by="Ada",
                hash="h",
            )
            for _ in range(2)
        ]
    assert moved == [True, False]
    issue = store.issues.get(NOVEMBER)
    assert (issue.state, issue.approved_at, issue.approved_by, issue.hash) == (
        IssueState.APPROVED,
        NOW,
        "Ada",
        "h",
    )
    with store.write():
        store.issues.move(
            issue_id, from_=[IssueState.APPROVED], to=IssueState.DRAFT, approved_at=None, approved_by=None
        )
    issue = store.issues.get(NOVEMBER)
    assert (issue.approved_at, issue.approved_by, issue.hash) == (None, None, "h")
    with pytest.raises(TypeError, match="revision"), store.write():
        store.issues.move(issue_id, from_=[IssueState.DRAFT], to=IssueState.APPROVED, revision="9")


def test_frozen_editions_stay_as_they_were(store: SqliteStore) -> None:
    issue_id = draft(store)
    english = Edition(
        language=Language.EN, subject="S", html="<p>", text="t", letter=b"\x00\xff\r\n", sha256="1"
    )
    french = replace(english, language=Language.FR, subject="É")
    with store.write():
        store.issues.freeze(issue_id, [english, french])
    assert store.issues.editions(issue_id) == {Language.EN: english, Language.FR: french}
    with pytest.raises(StoreError), store.write():
        store.issues.freeze(issue_id, [replace(english, subject="other")])
    assert store.issues.editions(issue_id)[Language.EN] == english
    with store.write():
        store.issues.thaw(issue_id)
    assert store.issues.editions(issue_id) == {}


def test_the_cut_off_and_the_used_items_come_from_issues_that_are_no_draft(store: SqliteStore) -> None:
    blog = named_source(store, "blog")
    one, two = kept(store, post("link:1"), source=blog), kept(store, post("link:2"), source=blog)
    issue_id = draft(store, period=Period(2026, 9))
    with store.write():
        store.issues.place(
            issue_id,
            [Placed(item=one, section="calls", position=0), Placed(item=two, section=None, position=0)],
        )
    assert store.issues.cut_off_before(NOVEMBER) is None
    assert store.issues.used_items() == set()
    assert not store.items.known(["link:1"])["link:1"].frozen
    with store.write():
        store.issues.move(issue_id, from_=[IssueState.DRAFT], to=IssueState.APPROVED)
    assert store.issues.cut_off_before(NOVEMBER) == NOW
    assert store.issues.cut_off_before(Period(2026, 9)) is None
    assert store.issues.used_items() == {one.id}
    frozen = {key: known.frozen for key, known in store.items.known(["link:1", "link:2"]).items()}
    assert frozen == {"link:1": True, "link:2": False}
