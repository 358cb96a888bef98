"""The legal moves in the database itself: what stands in no table is refused, whoever writes it, past every verb."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.errors import StoreError
from digest.model import Edition, IssueState, Language, Placed, Reading
from digest.rules.edition import MOVES
from digest.store.sqlite import SqliteStore, open_store
from tests.store_kit import NOVEMBER, draft, kept, named_source, post

LEGAL = {(was, to) for moves in MOVES.values() for was, to in moves.items()}
FROZEN = Edition(reading=Reading.EN, subject="S", html="<p>", text="t", letter=b"x\r\n", sha256="1")
PACKAGE = Path(__file__).parent.parent / "digest"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db")
    yield opened
    opened.close()


def put(store: SqliteStore, state: IssueState) -> None:
    """An issue in this state, by the shortest legal way, with no letter listed."""
    way = {IssueState.DRAFT: [], IssueState.APPROVED: ["approved"], IssueState.SCHEDULED: ["approved", "scheduled"],
           IssueState.SENDING: ["approved", "sending"], IssueState.PAUSED: ["approved", "sending", "paused"],
           IssueState.SENT: ["approved", "sending", "sent"]}[state]  # fmt: skip
    issue_id = draft(store)
    with store.write():
        store.issues.freeze(issue_id, [FROZEN])
        for step in way:
            store._db.change(f"UPDATE issue SET state = '{step}', hash = 'h'")


@pytest.mark.parametrize("to", IssueState)
@pytest.mark.parametrize("was", IssueState)
def test_the_database_knows_just_the_moves_of_the_rules(
    store: SqliteStore, was: IssueState, to: IssueState
) -> None:
    put(store, was)
    statement = f"UPDATE issue SET state = '{to}', hash = 'h'"
    if (was, to) in LEGAL or was is to:
        with store.write():
            store._db.change(statement)
    else:
        with pytest.raises(StoreError, match="TRIGGER"), store.write():
            store._db.change(statement)
    assert store.issues.get(NOVEMBER).state is (to if (was, to) in LEGAL else was)


def test_an_issue_begins_as_a_draft(store: SqliteStore) -> None:
    for state in set(IssueState) - {IssueState.DRAFT}:
        with pytest.raises(StoreError), store.write():
            store._db.change(
                "INSERT INTO issue (period, number, state, since, until, send_at, hash) "
                f"VALUES ('2026-11', 1, '{state}', 0, 0, 0, 'h')"
            )
    assert store.issues.all() == []


@pytest.mark.parametrize("lacks", ["letters", "hash"])
def test_nothing_is_approved_without_its_letters_and_their_hash(store: SqliteStore, lacks: str) -> None:
    issue_id = draft(store)
    with store.write():
        if lacks == "hash":
            store.issues.freeze(issue_id, [FROZEN])
    with pytest.raises(StoreError), store.write():
        store._db.change(f"UPDATE issue SET state = 'approved', hash = {'NULL' if lacks == 'hash' else 1}")
    assert store.issues.get(NOVEMBER).state is IssueState.DRAFT


FROZEN_ONCE_APPROVED = {
    "its hash": "UPDATE issue SET hash = 'other'",
    "no hash": "UPDATE issue SET hash = NULL",
    "a letter changed": "UPDATE edition SET letter = CAST('forged' AS BLOB)",
    "a letter gone": "DELETE FROM edition",
    "a letter more": "INSERT INTO edition (issue, key, subject, html, text, letter, sha256) "
                     "SELECT issue, 'fr', subject, html, text, letter, sha256 FROM edition",
    "an item gone": "DELETE FROM issue_item",
    "an item moved": "UPDATE issue_item SET position = 9",
    "an item more": "INSERT INTO issue_item (issue, item, position, seen_hash) "
                    "SELECT issue, (SELECT max(id) FROM item), 0, '' FROM issue_item",
    "a note changed": "UPDATE issue_text SET words = 'forged'",
    "a note gone": "DELETE FROM issue_text",
    "a note more": "INSERT INTO issue_text (issue, field, language, words) SELECT id, 'note', 'fr', 'x' FROM issue",
}  # fmt: skip


@pytest.mark.parametrize("what", FROZEN_ONCE_APPROVED)
@pytest.mark.parametrize("state", ["approved", "scheduled", "sending", "paused", "sent"])
def test_what_was_approved_is_changed_by_no_statement(store: SqliteStore, what: str, state: str) -> None:
    blog, issue_id = named_source(store, "blog"), draft(store)
    one, _ = kept(store, post("link:1"), source=blog), kept(store, post("link:2"), source=blog)
    with store.write():
        store.issues.place(issue_id, [Placed(item=one, section="calls", position=0)])
        store.issues.write_text(issue_id, field="note", language=Language.EN, words="Hello")
        store.issues.freeze(issue_id, [FROZEN])
        for step in {"sent": ("approved", "sending", "sent"), "paused": ("approved", "paused"),
                     "approved": ("approved",)}.get(state, ("approved", state)):  # fmt: skip
            store._db.change(f"UPDATE issue SET state = '{step}', hash = 'h'")
    before = store.issues.get(NOVEMBER), store.issues.editions(issue_id)
    with pytest.raises(StoreError, match="TRIGGER"), store.write():
        store._db.change(FROZEN_ONCE_APPROVED[what])
    assert (store.issues.get(NOVEMBER), store.issues.editions(issue_id)) == before


@pytest.mark.parametrize("left", ["sent", "committing", "unsure", "failed"])
def test_an_issue_that_left_is_no_draft_again(store: SqliteStore, left: str) -> None:
    put(store, IssueState.PAUSED)
    with store.write():
        store._db.change(
            f"INSERT INTO delivery (issue, edition, state, run, connection) VALUES (1, 'en', '{left}', 1, 1)"
        )
    with pytest.raises(StoreError, match="TRIGGER"), store.write():
        store._db.change("UPDATE issue SET state = 'draft'")


@pytest.mark.parametrize("still", ["queued", "claimed", "committing", "deferred"])
def test_an_issue_with_letters_still_to_leave_is_not_sent(store: SqliteStore, still: str) -> None:
    put(store, IssueState.SENDING)
    with store.write():
        store._db.change(f"INSERT INTO delivery (issue, edition, state) VALUES (1, 'en', '{still}')")
    with pytest.raises(StoreError, match="TRIGGER"), store.write():
        store._db.change("UPDATE issue SET state = 'sent'")


def test_no_code_names_the_state_that_an_issue_goes_to() -> None:
    """Every move of an issue, in verbs, web, commands and clock, takes its end from the table in rules/edition.py."""
    moves, statements = [], []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = " ".join(node.value.split())
                if "UPDATE issue SET" in text and "state = " in text.partition(" WHERE ")[0]:
                    statements.append(path.name)
            if isinstance(node, ast.Call) and any(word.arg == "from_" for word in node.keywords):
                moves.append(path.name)
                (to,) = [word.value for word in node.keywords if word.arg == "to"]
                assert isinstance(to, ast.Name) or ast.unparse(to).startswith("after("), (
                    path,
                    ast.unparse(to),
                )
    assert len(moves) >= 8
    assert statements == [], "only store/sqlite/issues.py composes one, and the trigger judges it"
