"""The ledger: nobody twice, nobody lost, the unsure listed; with several processes and after a death."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import MoveRefused, StoreError
from digest.model import Delivery, DeliveryId, DeliveryState, IssueId, Language, Outcome, SubscriberState
from digest.store.sqlite import SqliteStore, open_store
from tests.store_kit import NOW, days, draft, readers, together

LEASE_S = 60
LATER = NOW + days(1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "subscribers.db")
    yield opened
    opened.close()


def listed(store: SqliteStore, count: int) -> IssueId:
    readers(store, count)
    issue = draft(store)
    with store.write():
        assert store.deliveries.list_audience(issue, languages=[Language.EN, Language.FR], now=NOW) == count
    return issue


def begin(store: SqliteStore, issue: IssueId) -> int:
    with store.write():
        return store.deliveries.begin_run(issue, now=NOW, lease_s=LEASE_S)


def claim(store: SqliteStore, run: int, count: int = 100) -> list[Delivery]:
    with store.write():
        return store.deliveries.claim(run, count=count, now=NOW)


def commit(
    store: SqliteStore, run: int, *outcomes: Outcome, intents: list[tuple[DeliveryId, int]] | None = None
) -> set[DeliveryId]:
    with store.write(durable=True):
        return store.deliveries.commit(run, outcomes=outcomes, intents=intents or [], now=NOW)


def sent(letter: Delivery) -> Outcome:
    return Outcome(delivery=letter.id, state=DeliveryState.SENT, code=250, reply="2.0.0 queued as 4F")


def counted(store: SqliteStore, issue: IssueId) -> dict[str, int]:
    return {state.value: count for state, count in store.deliveries.counts(issue).items() if count}


def test_confirmed_readers_are_listed_once_each_in_a_language_we_offer(store: SqliteStore) -> None:
    issue = draft(store)
    (reader,) = readers(store, 1, language=Language.FR)
    with store.write():
        for state in SubscriberState:
            if state is not SubscriberState.CONFIRMED:
                store.subscribers.add(
                    type(reader.address)(f"{state}@example.org"), language=Language.EN, state=state, now=NOW
                )
        assert store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW) == 1
        assert store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW) == 0
    (letter,) = claim(store, begin(store, issue))
    assert (letter.subscriber, letter.address, letter.edition) == (reader.id, reader.address, "en")
    assert len(store.deliveries.counts(issue)) == 8


def test_four_processes_claim_two_thousand_letters_and_none_twice(store: SqliteStore) -> None:
    issue = listed(store, 2000)
    script = (
        "import json, sys, time\nfrom digest.store.sqlite import open_store\nfrom tests.store_kit import NOW\n"
        f"store = open_store(sys.argv[1])\nwith store.write():\n    run = store.deliveries.begin_run({issue}, now=NOW,"
        " lease_s=60)\nmine = []\nGO\nwhile True:\n    with store.write():\n"
        "        block = store.deliveries.claim(run, count=17, now=NOW)\n    if not block:\n        break\n"
        "    mine += [letter.id for letter in block]\n    time.sleep(0.005)\nprint(json.dumps(mine))\nstore.close()\n"
    )
    shares = [json.loads(out) for out in together(script, path=store.path, count=4)]
    everything = [number for share in shares for number in share]
    assert len(everything) == len(set(everything)) == 2000
    assert sum(1 for share in shares if share) > 1, "they worked side by side"
    assert counted(store, issue) == {"claimed": 2000}


def test_a_letter_goes_from_queued_to_sent(store: SqliteStore) -> None:
    issue = listed(store, 3)
    run = begin(store, issue)
    one, two, _ = claim(store, run)
    assert commit(store, run, intents=[(one.id, 0)]) == {one.id}
    assert commit(store, run, sent(one), intents=[(two.id, 0)]) == {two.id}
    assert counted(store, issue) == {"sent": 1, "committing": 1, "claimed": 1}
    (done,) = store.deliveries.listed(issue, DeliveryState.SENT, limit=9)
    assert (done.id, done.code, done.reply, done.attempts) == (one.id, 250, "2.0.0 queued as 4F", 1)


def test_a_connection_never_owns_two_letters_in_doubt(store: SqliteStore) -> None:
    issue = listed(store, 3)
    run = begin(store, issue)
    one, two, three = claim(store, run)
    commit(store, run, intents=[(one.id, 0)])
    with pytest.raises(StoreError):
        commit(store, run, intents=[(three.id, 1), (two.id, 0)])
    assert counted(store, issue) == {"committing": 1, "claimed": 2}, "and nothing of that turn is kept"
    other = begin(store, issue)
    with store.write():
        store.deliveries.release(run)
    (again, _) = claim(store, other)
    assert commit(store, other, intents=[(again.id, 0)]) == {again.id}, (
        "the connections of another run are its own"
    )


def test_a_dead_runs_letters_go_back_or_become_unsure(store: SqliteStore) -> None:
    issue = listed(store, 5)
    run = begin(store, issue)
    letters = claim(store, run, count=4)
    commit(store, run, intents=[(letters[0].id, 0), (letters[1].id, 1)])
    commit(store, run, sent(letters[0]))
    with store.write():
        assert store.deliveries.recover(issue, now=NOW) == (0, 0), "its lease still holds"
        assert store.deliveries.live_run(issue, now=NOW)
        assert not store.deliveries.live_run(issue, now=LATER)
        assert store.deliveries.recover(issue, now=LATER) == (2, 1)
        assert store.deliveries.recover(issue, now=LATER) == (0, 0)
    assert counted(store, issue) == {"queued": 3, "unsure": 1, "sent": 1}
    assert [letter.id for letter in store.deliveries.listed(issue, DeliveryState.UNSURE, limit=9)] == [
        letters[1].id
    ]


def test_a_run_that_lost_its_lease_passes_nothing_even_by_its_own_clock(store: SqliteStore) -> None:
    issue = listed(store, 2)
    run = begin(store, issue)
    one, two = claim(store, run)
    with store.write():
        assert store.deliveries.commit(run, outcomes=[], intents=[(one.id, 0)], now=LATER) == set()
        store.deliveries.recover(issue, now=LATER)
        assert not store.deliveries.renew(run, now=NOW, lease_s=LEASE_S)
    assert commit(store, run, sent(one), intents=[(one.id, 0), (two.id, 1)]) == set()
    assert claim(store, run) == []
    assert counted(store, issue) == {"queued": 2}


def test_a_renewed_lease_holds_and_an_ended_run_is_dead_at_once(store: SqliteStore) -> None:
    issue = listed(store, 1)
    run = begin(store, issue)
    claim(store, run)
    with store.write():
        assert store.deliveries.renew(run, now=NOW + days(0.0005), lease_s=LEASE_S)
        assert store.deliveries.recover(issue, now=NOW + days(0.001)) == (0, 0)
        store.deliveries.end_run(run, now=NOW)
        assert not store.deliveries.live_run(issue, now=NOW)
        assert store.deliveries.recover(issue, now=NOW) == (1, 0)


def test_the_late_answer_of_a_run_given_up_ends_the_doubt(store: SqliteStore) -> None:
    issue = listed(store, 2)
    run = begin(store, issue)
    one, two = claim(store, run)
    commit(store, run, intents=[(one.id, 0), (two.id, 1)])
    with store.write():
        store.deliveries.recover(issue, now=LATER)
        assert store.deliveries.settle(two.id, state=DeliveryState.QUEUED, note="send again")
    commit(store, run, sent(one), sent(two))
    assert counted(store, issue) == {"sent": 1, "queued": 1}, "an editor's decision is not overruled"


def test_a_run_has_no_say_over_the_letters_of_another(store: SqliteStore) -> None:
    issue = listed(store, 2)
    mine, other = begin(store, issue), begin(store, issue)
    one, two = claim(store, mine)
    commit(store, mine, intents=[(one.id, 0)])
    assert (
        commit(store, other, sent(one), sent(two)._replace(state=DeliveryState.FAILED), intents=[(two.id, 0)])
        == set()
    )
    assert counted(store, issue) == {"committing": 1, "claimed": 1}


def test_a_doubt_is_not_sent_again_on_the_word_of_its_run(store: SqliteStore) -> None:
    issue = listed(store, 1)
    run = begin(store, issue)
    (letter,) = claim(store, run)
    commit(store, run, intents=[(letter.id, 0)])
    for state in (DeliveryState.UNSURE, DeliveryState.QUEUED):
        commit(store, run, Outcome(delivery=letter.id, state=state))
    assert counted(store, issue) == {"unsure": 1}


def test_a_reader_who_left_between_claim_and_intent_gets_no_final_dot(store: SqliteStore) -> None:
    issue = listed(store, 3)
    run = begin(store, issue)
    one, two, three = claim(store, run)
    reader = store.subscribers.get(one.subscriber)
    with store.write():
        store.subscribers.save(replace(reader, state=SubscriberState.LEFT))
        store.deliveries.cancel(reader.id)
        store.subscribers.save(
            replace(store.subscribers.get(two.subscriber), state=SubscriberState.SUSPENDED)
        )
    assert commit(store, run, intents=[(one.id, 0), (two.id, 1), (three.id, 2)]) == {three.id}
    assert counted(store, issue) == {"cancelled": 1, "claimed": 1, "committing": 1}
    with store.write():
        store.deliveries.cancel(three.subscriber)
        store.deliveries.release(run)
    assert claim(store, run) == []
    assert counted(store, issue) == {"cancelled": 2, "committing": 1}, "what may have its dot is not undone"


def test_readers_who_are_not_confirmed_any_more_never_hide_those_behind_them(store: SqliteStore) -> None:
    issue = listed(store, 10)
    with store.write():
        for reader in store.subscribers.everyone(limit=8):
            store.subscribers.save(replace(reader, state=SubscriberState.SUSPENDED))
    run = begin(store, issue)
    assert [len(claim(store, run, count=3)) for _ in range(3)] == [1, 1, 0]
    assert counted(store, issue) == {"cancelled": 8, "claimed": 2}


def test_a_deferred_letter_waits_for_its_time(store: SqliteStore) -> None:
    issue = listed(store, 2)
    run = begin(store, issue)
    one, two = claim(store, run)
    deferred = Outcome(
        delivery=one.id, state=DeliveryState.DEFERRED, code=451, reply="later", not_before=LATER
    )
    commit(
        store,
        run,
        deferred,
        deferred._replace(delivery=two.id, state=DeliveryState.FAILED, code=550, not_before=None),
    )
    assert counted(store, issue) == {"deferred": 1, "failed": 1}
    assert store.deliveries.next_due(issue) == LATER
    assert claim(store, run) == []
    with store.write():
        late = store.deliveries.begin_run(issue, now=LATER, lease_s=LEASE_S)
        (again,) = store.deliveries.claim(late, count=9, now=LATER)
    assert (again.id, again.attempts) == (one.id, 1)
    assert store.deliveries.next_due(issue) is None


def test_what_had_no_intent_cannot_become_sent(store: SqliteStore) -> None:
    issue = listed(store, 1)
    run = begin(store, issue)
    (letter,) = claim(store, run)
    commit(store, run, sent(letter))
    assert counted(store, issue) == {"claimed": 1}


def test_a_server_that_never_answered_leaves_a_doubt_that_people_or_links_end(store: SqliteStore) -> None:
    issue = listed(store, 3)
    run = begin(store, issue)
    letters = claim(store, run)
    commit(store, run, intents=[(letter.id, number) for number, letter in enumerate(letters)])
    commit(store, run, *[Outcome(delivery=letter.id, state=DeliveryState.UNSURE) for letter in letters])
    assert counted(store, issue) == {"unsure": 3}
    assert claim(store, run) == []
    with store.write():
        store.deliveries.arrived(issue, letters[0].subscriber)
        assert store.deliveries.settle(letters[1].id, state=DeliveryState.SENT, note="Ada asked the reader")
        assert not store.deliveries.settle(letters[1].id, state=DeliveryState.QUEUED, note="twice")
        assert store.deliveries.settle(letters[2].id, state=DeliveryState.QUEUED, note="send again")
        with pytest.raises(ValueError, match="a doubt ends as sent or queued"):
            store.deliveries.settle(letters[2].id, state=DeliveryState.FAILED, note="")
    assert counted(store, issue) == {"sent": 2, "queued": 1}


def test_a_list_is_given_up_only_while_nothing_was_taken_in_hand(store: SqliteStore) -> None:
    issue = listed(store, 2)
    with store.write():
        store.deliveries.cancel(store.subscribers.everyone(limit=1)[0].id)
        store.deliveries.drop(issue)
        assert store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW) == 2
    run = begin(store, issue)
    claim(store, run, count=1)
    with pytest.raises(MoveRefused, match="can be paused"), store.write():
        store.deliveries.drop(issue)
    assert counted(store, issue) == {"queued": 1, "claimed": 1}


def test_a_reply_is_kept_to_five_hundred_characters(store: SqliteStore) -> None:
    issue = listed(store, 1)
    run = begin(store, issue)
    (letter,) = claim(store, run)
    commit(store, run, Outcome(delivery=letter.id, state=DeliveryState.FAILED, code=554, reply="é" * 9000))
    assert len(store.deliveries.listed(issue, DeliveryState.FAILED, limit=1)[0].reply) == 500


SENDER = """
import os, random, signal, sys
from digest.model import DeliveryState, Outcome
from digest.store.sqlite import open_store
from tests.store_kit import NOW
store = open_store(sys.argv[1])
wire = open(sys.argv[1] + ".wire", "a", buffering=1)
with store.write():
    run = store.deliveries.begin_run(ISSUE, now=NOW, lease_s=60)
left = random.Random(int(sys.argv[3])).randrange(60)
def step():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
GO
answered = []
while True:
    with store.write():
        block = store.deliveries.claim(run, count=8, now=NOW)
        step()
    for first in range(0, len(block), 2):
        pair = block[first:first + 2]
        with store.write(durable=True):
            passed = store.deliveries.commit(
                run, outcomes=answered, intents=[(one.id, lane) for lane, one in enumerate(pair)], now=NOW)
            step()
        step()
        answered = []
        for one in pair:
            assert one.id in passed
            print(one.id, file=wire)
            step()
            answered.append(Outcome(delivery=one.id, state=DeliveryState.SENT, code=250))
    if not block:
        break
with store.write(durable=True):
    store.deliveries.commit(run, outcomes=answered, intents=[], now=NOW)
    store.deliveries.end_run(run, now=NOW)
"""


def test_killed_senders_lose_nobody_and_double_nobody(store: SqliteStore) -> None:
    """Two connections each; every process is killed after a random number of steps, or ends its work."""
    issue = listed(store, 120)
    wire = Path(f"{store.path}.wire")
    kills, dead_at = 0, NOW
    while counted(store, issue).get("queued"):
        died = together_and_die(store.path, issue=issue, seed=kills)
        kills += died
        dead_at += days(1)
        with store.write():
            store.deliveries.recover(issue, now=dead_at)
        assert kills < 60
    arrived = Counter(int(number) for number in wire.read_text().split())
    unsure = {letter.id for letter in store.deliveries.listed(issue, DeliveryState.UNSURE, limit=999)}
    done = {letter.id for letter in store.deliveries.listed(issue, DeliveryState.SENT, limit=999)}
    assert max(arrived.values()) == 1
    assert done <= set(arrived)
    assert set(arrived) <= done | unsure
    assert len(done | unsure) == 120
    assert len(unsure) <= 2 * kills
    assert kills > 0


def together_and_die(path: Path, *, issue: IssueId, seed: int) -> int:
    """Runs one sender to its end or death; whether it died."""
    script = SENDER.replace("ISSUE", str(issue)).replace("sys.argv[3]", f"'{seed}'")
    try:
        together(script, path=path, count=1)
    except AssertionError as died:
        if "Error" in str(died):  # it did not die, it failed
            raise
        return 1
    return 0


def test_the_hot_path_stays_fast(tmp_path: Path) -> None:
    """A turn of 100 answers and 100 intents reads no table from end to end."""
    with closing(open_store(tmp_path / "subscribers.db")) as store:
        issue = listed(store, 300)
        run = begin(store, issue)
        claim(store, run)
        plans: list[str] = []
        connection = store._db._line().connection
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        with store.write():
            letters = store.deliveries.claim(run, count=100, now=NOW)
            store.deliveries.commit(
                run, outcomes=[], intents=[(one.id, n) for n, one in enumerate(letters)], now=NOW
            )
            store.deliveries.commit(run, outcomes=[sent(one) for one in letters], intents=[], now=NOW)
        connection.set_trace_callback(None)
        for statement in statements:
            if statement.startswith(("SELECT", "UPDATE", "INSERT", "DELETE")):
                plans += [str(row["detail"]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert plans
        assert [plan for plan in plans if plan.startswith(("SCAN delivery", "SCAN s", "SCAN d"))] == []
