"""Issues in a real file: their items, texts, log and frozen editions; moves made once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import NotFound, StoreError
from digest.model import (
    Edition,
    IssueState,
    Language,
    Period,
    Placed,
    Reading,
)
from digest.store.sqlite import SqliteStore, open_store
from tests.store_kit import NOVEMBER, NOW, days, draft, kept, named_source, post

FROZEN = Edition(reading=Reading.EN, subject="S", html="<p>", text="t", letter=b"\x00\xff\r\n", sha256="1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db")
    yield opened
    opened.close()


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
    numbers = [(str(issue.period), issue.number) for issue in store.issues.all()]
    assert numbers == [("2026-12", 3), ("2026-11", 2), ("2026-10", 1)]
    with store.write():
        store.issues.freeze(store.issues.get(NOVEMBER).id, [FROZEN])
        store.issues.move(
            store.issues.get(NOVEMBER).id, from_={IssueState.DRAFT}, to=IssueState.APPROVED, hash="h"
        )
    early = NOVEMBER.previous().previous()
    draft(store, period=early)
    assert store.issues.get(early).number == 4, "what is frozen keeps its number"


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
        store.issues.freeze(issue_id, [FROZEN])
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
    english = FROZEN
    french = replace(english, reading=Reading.FR, subject="É")
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
        store.issues.freeze(issue_id, [FROZEN])
        store.issues.move(issue_id, from_=[IssueState.DRAFT], to=IssueState.APPROVED, hash="h")
    assert store.issues.cut_off_before(NOVEMBER) == NOW
    assert store.issues.cut_off_before(Period(2026, 9)) is None
    assert store.issues.used_items() == {one.id}
    frozen = {key: known.frozen for key, known in store.items.known(["link:1", "link:2"]).items()}
    assert frozen == {"link:1": True, "link:2": False}
