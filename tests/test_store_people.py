"""Readers, consents, notices, editors, leases and ticks in a real file."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.config import EditorPart
from digest.errors import NotFound, StoreError
from digest.model import (
    Address,
    Consent,
    DeliveryState,
    Editor,
    Language,
    NoticeId,
    NoticeKind,
    Outcome,
    Period,
    Role,
    Subscriber,
    SubscriberState,
)
from digest.store.sqlite import SqliteStore, open_store
from tests.store_kit import NOW, addresses, days, draft, readers, together

ADA = Address("Ada@example.org")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db")
    yield opened
    opened.close()


def ask(
    store: SqliteStore, address: Address = ADA, state: SubscriberState = SubscriberState.ASKED
) -> Subscriber:
    with store.write():
        return store.subscribers.add(address, language=Language.FR, state=state, now=NOW)


# --- readers ---------------------------------------------------------------------------------------------------


def test_a_reader_is_found_however_the_address_is_spelled(store: SqliteStore) -> None:
    asked = ask(store)
    assert store.subscribers.find(Address("ADA@EXAMPLE.ORG")) == asked == store.subscribers.get(asked.id)
    assert asked.address.reveal() == "Ada@example.org"
    assert store.subscribers.find(Address("bob@example.org")) is None
    with pytest.raises(StoreError) as refused:
        ask(store, Address("aDa@example.org"))
    assert "ada" not in str(refused.value).lower()


def test_every_column_of_a_reader_is_saved(store: SqliteStore) -> None:
    asked = ask(store)
    changed = replace(
        asked, address=Address("a.l@example.org"), state=SubscriberState.LEFT, language=Language.EN, role="designer",
        timezone="America/Toronto", topics=("data", "événements"), version=3, asked_at=NOW + days(1),
        confirmed_at=NOW + days(2), left_at=NOW + days(3),
    )  # fmt: skip
    with store.write():
        store.subscribers.save(changed)
    assert store.subscribers.get(asked.id) == changed
    assert store.subscribers.find(ADA) is None


def test_a_forgotten_reader_leaves_no_trace_but_the_nameless_log(store: SqliteStore) -> None:
    ada, bob = ask(store, state=SubscriberState.CONFIRMED), ask(store, Address("bob@example.org"))
    issue = draft(store)
    with store.write():
        store.consents.log(
            ada.id, Consent(act="asked", at=NOW, language=Language.FR, method="form", network="192.0.2.0")
        )
        store.notices.queue(NoticeKind.CONFIRM, subscriber=ada.id, language=Language.FR, now=NOW)
        store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW)
        store.subscribers.forget(ada.id)
    for gone in (lambda: store.subscribers.get(ada.id), lambda: save(store, ada)):
        with pytest.raises(NotFound):
            gone()
    assert store.consents.of(ada.id) == []
    assert [tuple(row) for row in store._db.rows("SELECT subscriber, act, network FROM consent")] == [
        (None, "asked", None)
    ]
    assert store.notices.pending() == 0
    assert store.deliveries.counts(issue)[DeliveryState.CANCELLED] == 1
    assert store.check() == []
    again = ask(store)
    assert again.id not in (ada.id, bob.id), "links in old letters carry the number"
    store.close()
    for file in store.path.parent.glob("subscribers.db*"):
        assert b"192.0.2.0" not in file.read_bytes()


def save(store: SqliteStore, subscriber: Subscriber) -> None:
    with store.write():
        store.subscribers.save(subscriber)


def test_a_forgotten_readers_answered_letters_keep_their_state_and_lose_the_servers_words(
    store: SqliteStore,
) -> None:
    (reader,) = readers(store, 1)
    issue = draft(store)
    with store.write():
        store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW)
        run = store.deliveries.begin_run(issue, now=NOW, lease_s=60)
        (letter,) = store.deliveries.claim(run, count=9, now=NOW)
        refused = Outcome(
            delivery=letter.id, state=DeliveryState.FAILED, code=550, reply="<reader0@example.org> unknown"
        )
        store.deliveries.commit(run, outcomes=[refused], intents=[], now=NOW)
        store.subscribers.forget(reader.id)
    (row,) = store.deliveries.listed(issue, DeliveryState.FAILED, limit=9)
    assert (row.subscriber, row.address.reveal(), row.code, row.reply) == (0, "", 550, "")


def test_readers_are_paged_by_number(store: SqliteStore) -> None:
    everyone = readers(store, 7)
    ask(store)
    first = store.subscribers.everyone(states={SubscriberState.CONFIRMED}, limit=4)
    rest = store.subscribers.everyone(states={SubscriberState.CONFIRMED}, after=first[-1].id, limit=4)
    assert addresses([*first, *rest]) == addresses(everyone)
    assert len(store.subscribers.everyone()) == 8
    assert store.subscribers.everyone(states=[]) == []


def test_who_asked_and_never_confirmed_is_deleted_when_the_time_is_over(store: SqliteStore) -> None:
    ask(store)
    ask(store, Address("sure@example.org"), SubscriberState.CONFIRMED)
    with store.write():
        assert store.subscribers.delete_stale_asked(NOW) == 0
        assert store.subscribers.delete_stale_asked(NOW + days(7)) == 1
    assert addresses(store.subscribers.everyone()) == ["sure@example.org"]


def test_statistics_count_confirmed_readers_and_all_states(store: SqliteStore) -> None:
    readers(store, 3)
    ask(store, Address("a@canada.example"), SubscriberState.CONFIRMED)
    ask(store, Address("b@canada.example"))
    with store.write():
        store.suppressions.add("mark", reason="forgotten", at=NOW)
        store.subscribers.add(
            Address("c@canada.example"),
            language=Language.EN,
            state=SubscriberState.LEFT,
            now=NOW,
            role="designer",
        )
    stats = store.subscribers.stats()
    assert {state.value: count for state, count in stats.by_state.items()} == {
        "asked": 1, "waiting": 0, "confirmed": 4, "suspended": 0, "left": 1,
    }  # fmt: skip
    assert (stats.suppressed, stats.by_language, stats.by_role) == (1, {"en": 3, "fr": 1}, {})
    assert stats.by_domain == {"canada.example": 1, "example.org": 3}
    audience = store.subscribers.audience(Period(2026, 12), send_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert sum(audience.values()) == 4


def test_a_knock_is_counted_by_the_hour_and_can_be_taken_back(store: SqliteStore) -> None:
    with store.write():
        assert store.guards.count({7: 1, -9: 1}) == {7: 1, -9: 1}
        assert store.guards.count({7: 1}) == {7: 2}
        store.guards.uncount(7, hour=1)
        store.guards.uncount(-9, hour=2)
        assert store.guards.count({7: 1, -9: 1}) == {7: 2, -9: 2}
        assert store.guards.count({7: 2}) == {7: 1}


# --- consents --------------------------------------------------------------------------------------------------


def test_a_long_import_copies_its_pages_home_once_and_leaves_no_long_log(store: SqliteStore) -> None:
    log, room = store.path.with_name(f"{store.path.name}-wal"), 1 << 20
    with store.roster.at_length():
        for number in range(40):
            with store.write():
                store.settings.put(f"part {number}", "x" * room)
        assert store.path.stat().st_size < 10 * room, "not after each block"
    assert store.path.stat().st_size > 40 * room, "but before somebody else has to"
    with store.write():
        store.settings.put("afterwards", "a little")
    assert log.stat().st_size <= 32 * room


def test_the_consent_log_only_grows(store: SqliteStore) -> None:
    ada = ask(store)
    line = Consent(
        act="asked", at=NOW, language=Language.FR, method="form", page="/fr/", wording="Oui, je veux la lettre.",
        basis="express", origin="site", network="192.0.2.0",
    )  # fmt: skip
    with store.write():
        store.consents.log(ada.id, line)
        store.consents.log(ada.id, replace(line, act="confirmed"))
        store.consents.log(None, line)
    assert store.consents.of(ada.id) == [line, replace(line, act="confirmed")]
    for statement in (
        "UPDATE consent SET wording = 'No'",
        "UPDATE consent SET at = 0",
        "DELETE FROM consent",
    ):
        with pytest.raises(StoreError), store.write():
            store._db.change(statement)
    assert store._db.value("SELECT count(*) FROM consent") == 3


def test_a_suppressed_address_stays_so_until_the_person_comes_back(store: SqliteStore) -> None:
    with store.write():
        store.suppressions.add("mark", reason="complaint", at=NOW)
        store.suppressions.add("mark", reason="forgotten", at=NOW + days(1))
    assert (store.suppressions.has("mark"), store.suppressions.has("other"), store.suppressions.count()) == (
        True,
        False,
        1,
    )
    assert store._db.value("SELECT reason FROM suppression") == "complaint"
    with store.write():
        store.suppressions.remove("mark")
    assert not store.suppressions.has("mark")


# --- notices ---------------------------------------------------------------------------------------------------


def test_a_notice_leaves_once_and_its_secret_goes_with_it(store: SqliteStore) -> None:
    ada = ask(store)
    with store.write():
        store.notices.queue(
            NoticeKind.MANAGE, subscriber=ada.id, version=2, language=Language.FR, secret="s3", now=NOW
        )
        (notice,) = store.notices.claim(count=9, now=NOW, lease_s=60)
        assert store.notices.claim(count=9, now=NOW, lease_s=60) == []
    assert (notice.address, notice.secret, notice.version, notice.attempts) == (ADA, "s3", 2, 1)
    assert (notice.subscriber, notice.editor, notice.queued_at) == (ada.id, None, NOW)
    with store.write():
        store.notices.settle(notice.id, state="sent", code=250, reply="ok", now=NOW)
    assert store.notices.pending() == 0
    assert store._db.value("SELECT secret FROM notice") is None


def test_a_notice_that_could_not_leave_waits_and_that_of_a_dead_process_is_taken_up(
    store: SqliteStore,
) -> None:
    ada = ask(store)
    with store.write():
        store.notices.queue(NoticeKind.CONFIRM, subscriber=ada.id, language=Language.FR, secret="s", now=NOW)
        (notice,) = store.notices.claim(count=1, now=NOW, lease_s=60)
        store.notices.settle(notice.id, state="queued", not_before=NOW + days(1), code=451, now=NOW)
        assert store.notices.claim(count=1, now=NOW, lease_s=60) == []
        (again,) = store.notices.claim(count=1, now=NOW + days(1), lease_s=60)
        assert (again.attempts, again.secret) == (2, "s")
        (taken_up,) = store.notices.claim(count=1, now=NOW + days(2), lease_s=60)
    assert taken_up.id == notice.id
    assert store.notices.pending() == 1


def test_new_notices_and_those_that_wait_are_taken_in_their_order(store: SqliteStore) -> None:
    ada = ask(store)

    def queue() -> NoticeId:
        return store.notices.queue(NoticeKind.MANAGE, subscriber=ada.id, language=Language.FR, now=NOW)

    def take(*, after: int, count: int = 9) -> list[NoticeId]:
        return [one.id for one in store.notices.claim(count=count, now=NOW + days(after), lease_s=60)]

    with store.write():
        first, second, third = queue(), queue(), queue()
        assert take(after=0, count=2) == [first, second]
        store.notices.settle(first, state="queued", not_before=NOW + days(2), now=NOW)
        store.notices.settle(second, state="sent", now=NOW)
        fourth = queue()
        assert store.notices.pending() == 3
        assert take(after=1) == [third, fourth]
        store.notices.settle(third, state="queued", now=NOW)
        store.notices.settle(fourth, state="failed", now=NOW)
        fifth = queue()
        assert take(after=3) == [first, third, fifth]
        queue()
        store.notices.drop([NoticeKind.MANAGE], subscriber=ada.id)
        assert store.notices.pending() == 0
        assert take(after=9) == []
        assert take(after=9) == [] != [queue()]
        assert len(take(after=9)) == store.notices.pending() == 1


def test_when_a_notice_was_last_queued_is_asked_by_kind_and_person(store: SqliteStore) -> None:
    ada = ask(store)
    with store.write():
        editor = store.editors.add(ADA, role=Role.EDITOR, language=Language.EN)
        for at in (NOW, NOW + days(1)):
            store.notices.queue(NoticeKind.CONFIRM, subscriber=ada.id, language=Language.FR, now=at)
        store.notices.queue(NoticeKind.SIGN_IN, editor=editor.id, language=Language.EN, now=NOW + days(2))
        with pytest.raises(ValueError, match="one subscriber or one editor"):
            store.notices.queue(NoticeKind.SIGN_IN, language=Language.EN, now=NOW)
    assert store.notices.last_queued(NoticeKind.CONFIRM, subscriber=ada.id) == NOW + days(1)
    assert store.notices.last_queued(NoticeKind.SIGN_IN, editor=editor.id) == NOW + days(2)
    assert store.notices.last_queued(NoticeKind.MANAGE, subscriber=ada.id) is None


# --- editors ---------------------------------------------------------------------------------------------------


def invited(store: SqliteStore) -> Editor:
    with store.write():
        editor = store.editors.add(ADA, role=Role.EDITOR, language=Language.FR)
        store.editors.give_pass(
            "link", editor=editor.id, purpose="sign-in", now=NOW, expires_at=NOW + days(1)
        )
        store.editors.give_pass(
            "session", editor=editor.id, purpose="session", now=NOW, expires_at=NOW + days(1)
        )
    return editor


def test_a_sign_in_link_opens_once_and_a_session_until_it_ends(store: SqliteStore) -> None:
    editor = invited(store)
    assert store.editors.session("link", now=NOW) is None
    with store.write():
        assert store.editors.redeem("session", now=NOW) is None
        assert store.editors.redeem("link", now=NOW + days(1)) is None
        assert store.editors.redeem("link", now=NOW) == editor
        assert store.editors.redeem("link", now=NOW) is None
    assert store.editors.session("session", now=NOW) == editor
    assert store.editors.session("session", now=NOW + days(1)) is None
    with store.write():
        store.editors.revoke("session")
    assert store.editors.session("session", now=NOW) is None


def test_of_four_processes_with_one_sign_in_link_one_gets_in(store: SqliteStore) -> None:
    invited(store)
    script = (
        "import sys\nfrom digest.store.sqlite import open_store\nfrom tests.store_kit import NOW\n"
        "store = open_store(sys.argv[1])\nGO\nwith store.write():\n"
        "    print(store.editors.redeem('link', now=NOW) is not None)\nstore.close()\n"
    )
    assert sorted(together(script, path=store.path, count=4)) == ["False\n"] * 3 + ["True\n"]


def test_an_editor_taken_out_of_the_configuration_loses_the_desk_and_invited_ones_stay(
    store: SqliteStore,
) -> None:
    ada = invited(store)
    bob = EditorPart(address="Bob@example.org", role="admin", language=Language.FR)
    with store.write():
        store.editors.sync([bob])
        found = store.editors.find(Address("bob@example.org"))
        assert found is not None
        assert (found.role, found.language) == (Role.ADMIN, Language.FR)
        store.editors.give_pass("bobs", editor=found.id, purpose="session", now=NOW, expires_at=NOW + days(1))
        store.editors.sync([bob])
    assert store.editors.session("bobs", now=NOW) == found
    with store.write():
        store.editors.sync([])
    assert store.editors.session("bobs", now=NOW) is None
    assert store.editors.all() == [ada]
    with pytest.raises(NotFound):
        store.editors.get(found.id)


# --- leases, ticks, settings -----------------------------------------------------------------------------------


def test_a_lease_has_one_owner_until_it_is_over_or_given_back(store: SqliteStore) -> None:
    with store.write():
        assert store.leases.take("metronome", owner="a", now=NOW, for_s=60)
        assert not store.leases.take("metronome", owner="b", now=NOW, for_s=60)
        assert store.leases.take("metronome", owner="a", now=NOW, for_s=86400)
        assert not store.leases.take("metronome", owner="b", now=NOW + days(0.5), for_s=60)
        assert store.leases.take("metronome", owner="b", now=NOW + days(1), for_s=86400)
        store.leases.release("metronome", owner="a")
        assert not store.leases.take("metronome", owner="a", now=NOW + days(1), for_s=60)
        store.leases.release("metronome", owner="b")
        assert store.leases.take("metronome", owner="a", now=NOW + days(1), for_s=60)


def test_of_five_processes_one_takes_the_lease_and_records_the_tick(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    open_store(path).close()
    script = (
        "import sys\nfrom digest.store.sqlite import open_store\nfrom tests.store_kit import NOW\n"
        "store = open_store(sys.argv[1])\nGO\nwith store.write():\n"
        "    print(store.leases.take('metronome', owner=sys.argv[3], now=NOW, for_s=60))\nwith store.write():\n"
        "    print(store.ticks.record('assemble', due='2026-11-20', at=NOW, outcome=sys.argv[3]))\nstore.close()\n"
    )
    printed = [line for out in together(script, path=path, count=5) for line in out.split()]
    assert printed.count("True") == 2
    with closing(open_store(path)) as store:
        assert store.ticks.done("assemble", "2026-11-20")
        assert not store.ticks.done("assemble", "2026-11-21")


def test_a_setting_is_the_last_one_put(store: SqliteStore) -> None:
    assert store.settings.get("a") is None
    with store.write():
        store.settings.put("a", "1")
        store.settings.put("a", "2")
    assert store.settings.get("a") == "2"
