"""Judging what a source said: properties over made-up entries, and the cases that people would notice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.errors import ErrorKind, SourceError
from digest.model import Entry, Harvest, ItemId, ItemKind, Source, SourceId
from digest.rules.gather import MOST_CHANGES, Add, AlsoIn, Fetched, Intent, Known, Seen, Update, decide
from digest.rules.plan import failed, has_gap, is_due, moved_for_good, succeeded

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
BLOG, PLANET = SourceId(1), SourceId(2)
SOURCE = Source(id=BLOG, name="blog", url="https://blog.example.org/feed", kind="feed")
KEYS = st.sampled_from([f"guid:{letter}" for letter in "abcdef"] + [f"link:{letter}" for letter in "abc"])


def _made(kind: ItemKind, keys: list[str], words: str) -> Entry:
    """Readers give posts and events keys of their own sort, as here."""
    named = tuple(f"event-{key}" if kind is ItemKind.EVENT else key for key in keys)
    return Entry(kind=kind, keys=named, title="A title", url=None, content_hash=words)


ENTRIES = st.lists(
    st.builds(
        _made,
        st.sampled_from(ItemKind),
        st.lists(KEYS, min_size=1, max_size=3, unique=True),
        st.sampled_from("12"),
    ),
    max_size=12,
)


class Pool:
    """What the store does with intents, in memory: the smallest thing that `decide` can be tried against."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.count = 0

    def take(self, entries: list[Entry], *, source: SourceId) -> list[Intent]:
        asked = {key: self.known[key] for entry in entries for key in entry.keys if key in self.known}
        intents = decide(entries, asked, source=source, now=NOW)
        for intent in intents:
            self._carry_out(intent, source)
        return intents

    def _carry_out(self, intent: Intent, source: SourceId) -> None:
        entry = intent.entry
        if isinstance(intent, Add):
            self.count += 1
            item = Known(
                id=ItemId(self.count), kind=entry.kind, content_hash=entry.content_hash, sources=frozenset({source}),
                owner=source, published=entry.published,
            )  # fmt: skip
        else:
            item = next(known for known in self.known.values() if known.id == intent.item)
            if isinstance(intent, AlsoIn):
                item = replace(item, sources=item.sources | {source})
            elif isinstance(intent, Update):
                item = replace(item, content_hash=entry.content_hash)
        for key in entry.keys:
            self.known.setdefault(key, item)
        self.known = {key: item if known.id == item.id else known for key, known in self.known.items()}

    def sources(self) -> dict[ItemId, frozenset[SourceId]]:
        return {known.id: known.sources for known in self.known.values()}


def entry(
    *keys: str, words: str = "1", published: datetime | None = None, kind: ItemKind = ItemKind.POST
) -> Entry:
    return Entry(kind=kind, keys=keys, title="A post", url=None, content_hash=words, published=published)


@given(ENTRIES)
def test_the_second_visit_to_an_unchanged_source_finds_nothing_new(entries: list[Entry]) -> None:
    pool = Pool()
    pool.take(entries, source=BLOG)
    count = pool.count
    assert not any(isinstance(intent, Add | AlsoIn) for intent in pool.take(entries, source=BLOG))
    assert pool.count == count


@given(ENTRIES)
def test_every_key_of_every_entry_is_known_afterwards(entries: list[Entry]) -> None:
    pool = Pool()
    pool.take(entries, source=BLOG)
    assert {key for one in entries for key in one.keys} == set(pool.known)


@given(ENTRIES, st.randoms())
def test_the_order_of_entries_does_not_change_how_many_items_there_are(
    entries: list[Entry], random: object
) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Pool(), Pool()
    one.take(entries, source=BLOG)
    other.take(shuffled, source=BLOG)
    assert one.count == other.count


@given(ENTRIES)
def test_no_two_intents_of_one_visit_add_the_same_key(entries: list[Entry]) -> None:
    intents = Pool().take(entries, source=BLOG)
    added = [
        (intent.entry.kind, key) for intent in intents if isinstance(intent, Add) for key in intent.entry.keys
    ]
    assert len(added) == len(set(added))


@given(ENTRIES)
def test_an_item_seen_at_two_sources_is_one_with_both(entries: list[Entry]) -> None:
    pool = Pool()
    pool.take(entries, source=BLOG)
    count = pool.count
    pool.take(entries, source=PLANET)
    assert pool.count == count
    assert all(sources == {BLOG, PLANET} for sources in pool.sources().values())


def test_a_changed_entry_updates_only_through_the_source_that_owns_it() -> None:
    pool = Pool()
    pool.take([entry("guid:a")], source=BLOG)
    pool.take([entry("guid:a", words="planet's")], source=PLANET)
    assert [type(i) for i in pool.take([entry("guid:a", words="planet's")], source=PLANET)] == [Seen]
    assert [type(i) for i in pool.take([entry("guid:a", words="2")], source=BLOG)] == [Update]


def test_an_edit_never_moves_a_post_to_another_date() -> None:
    pool = Pool()
    first = NOW - timedelta(days=40)
    pool.take([entry("guid:a", published=first)], source=BLOG)
    (update,) = pool.take([entry("guid:a", words="2", published=NOW)], source=BLOG)
    assert isinstance(update, Update)
    assert update.entry.published == first


def test_an_item_of_an_approved_issue_keeps_its_words_and_says_that_its_source_moved_on() -> None:
    known = Known(
        id=ItemId(1), kind=ItemKind.POST, content_hash="1", sources=frozenset({BLOG}), owner=BLOG, frozen=True
    )
    (intent,) = decide([entry("guid:a", words="2")], {"guid:a": known}, source=BLOG, now=NOW)
    assert intent == Seen(ItemId(1), entry("guid:a", words="2"), frozen=True)


def test_a_post_that_announces_an_event_is_not_the_event() -> None:
    pool = Pool()
    pool.take([entry("link:x", kind=ItemKind.EVENT)], source=BLOG)
    (intent,) = pool.take([entry("link:x", "guid:p")], source=BLOG)
    assert isinstance(intent, Add)
    assert intent.entry.keys == ("guid:p",)


def test_dates_that_cannot_be_true_count_from_the_first_sight_and_say_so() -> None:
    for wrong in (
        NOW + timedelta(days=3),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
    ):
        (intent,) = decide([entry("guid:a", published=wrong)], {}, source=BLOG, now=NOW)
        assert intent.entry.published is None
        assert "date-guessed" in intent.entry.flags


def test_old_posts_of_a_new_source_stay_old() -> None:
    old = datetime(2019, 5, 1, tzinfo=UTC)
    (intent,) = decide([entry("guid:a", published=old)], {}, source=BLOG, now=NOW)
    assert intent.entry.published == old


def test_failures_wait_longer_each_time_up_to_a_day_and_success_forgets_them() -> None:
    source, waits = SOURCE, []
    for _ in range(8):
        source = failed(source, SourceError(ErrorKind.DNS, "No."), now=NOW)
        assert source.next_at is not None
        waits.append((source.next_at - NOW) / timedelta(hours=1))
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24]
    assert source.failing_since == NOW
    well = succeeded(source, Fetched(kind="feed", parser="feed-1"), now=NOW)
    assert (well.fail_count, well.failing_since, well.last_error, well.last_ok_at) == (0, None, None, NOW)


def test_a_failure_keeps_the_validators_of_the_last_good_answer() -> None:
    source = replace(SOURCE, etag='"1"', last_modified="then", parser="feed-1")
    after = failed(source, SourceError(ErrorKind.CHALLENGE, "No."), now=NOW)
    assert (after.etag, after.last_modified, after.parser, after.kind) == ('"1"', "then", "feed-1", "feed")


def test_retry_after_is_honoured_up_to_a_day() -> None:
    error = SourceError(ErrorKind.RATE_LIMITED, "No.", retry_after_s=5 * 3600)
    assert failed(SOURCE, error, now=NOW).next_at == NOW + timedelta(hours=5)
    error = SourceError(ErrorKind.RATE_LIMITED, "No.", retry_after_s=9e9)
    assert failed(SOURCE, error, now=NOW).next_at == NOW + timedelta(hours=24)


def test_a_good_source_is_due_again_at_the_next_round_of_six_hours() -> None:
    for number in range(50):
        source = replace(SOURCE, name=f"source {number}")
        after = succeeded(source, Fetched(kind="feed", parser="feed-1"), now=NOW)
        assert not is_due(after, now=NOW + timedelta(hours=4))
        assert is_due(after, now=NOW + timedelta(hours=6))


def test_a_source_may_ask_to_be_left_alone_for_a_day_and_no_longer() -> None:
    for pause_s, hours in ((12 * 3600, 12), (9e9, 24)):
        after = succeeded(SOURCE, Fetched(kind="feed", parser="feed-1", pause_s=pause_s), now=NOW)
        assert after.next_at is not None
        assert after.next_at - NOW >= timedelta(hours=hours)
        assert after.next_at - NOW <= timedelta(hours=24)


def test_a_source_that_is_gone_for_good_is_paused() -> None:
    assert failed(SOURCE, SourceError(ErrorKind.GONE, "gone"), now=NOW).paused
    assert not failed(SOURCE, SourceError(ErrorKind.HTTP, "404"), now=NOW).paused


def test_a_new_address_is_proposed_after_five_equal_redirects_over_a_week() -> None:
    source, there = SOURCE, Fetched(kind="feed", parser="1", moved_to="https://new.example/feed")
    for day in range(7):
        assert moved_for_good(source, now=NOW + timedelta(days=day)) is None
        source = succeeded(source, there, now=NOW + timedelta(days=day))
    assert moved_for_good(source, now=NOW + timedelta(days=8)) == "https://new.example/feed"
    other = succeeded(source, replace(there, moved_to="https://other.example/"), now=NOW + timedelta(days=9))
    assert moved_for_good(other, now=NOW + timedelta(days=9)) is None
    strange = succeeded(source, there, now=NOW + timedelta(days=9), recognised=False)
    assert moved_for_good(strange, now=NOW + timedelta(days=9)) is None


def test_a_redirect_to_somebody_elses_feed_never_proves_itself_by_what_it_brought_in() -> None:
    source = replace(SOURCE, last_ok_at=NOW - timedelta(days=1))
    there = Fetched(kind="feed", parser="1", moved_to="https://parked.example/feed")
    source = succeeded(source, there, now=NOW, recognised=False)
    for day in range(1, 12):  # from the second visit on its items are known
        source = succeeded(source, there, now=NOW + timedelta(days=day), recognised=True)
    assert moved_for_good(source, now=NOW + timedelta(days=12)) is None


def test_a_source_that_has_been_quiet_for_three_months_is_asked_once_a_day() -> None:
    def after(source: Source, *days: int, at: datetime = NOW) -> Source:
        entries = tuple(
            replace(_made(ItemKind.POST, [f"guid:{n}"], "1"), published=NOW - timedelta(days=n)) for n in days
        )
        harvest = Harvest(title=None, language=None, entries=entries) if days else None
        return succeeded(source, Fetched(kind="feed", parser="1", harvest=harvest), now=at)

    def wait(source: Source) -> timedelta:
        assert source.next_at is not None
        assert source.last_visit_at is not None
        return source.next_at - source.last_visit_at

    quiet = after(SOURCE, 91, 200)
    assert wait(quiet) == timedelta(days=1)
    assert wait(after(SOURCE, 89, 200)) < timedelta(hours=7)
    unchanged = after(quiet, at=NOW + timedelta(days=1))
    assert wait(unchanged) == timedelta(days=1), "304: nothing has changed"
    assert wait(after(after(SOURCE, 3), at=NOW + timedelta(days=1))) < timedelta(hours=7)
    assert wait(after(unchanged, 0, 91)) < timedelta(hours=7), "it woke up"


def test_a_feed_that_holds_nothing_we_knew_is_a_possible_gap() -> None:
    entries = tuple(_made(ItemKind.POST, [f"guid:{number}"], "1") for number in range(3))
    there = Fetched(kind="feed", parser="1", harvest=Harvest(title=None, language=None, entries=entries))
    assert not has_gap(succeeded(SOURCE, there, now=NOW, recognised=False), now=NOW)  # the very first visit
    visited = replace(SOURCE, last_ok_at=NOW - timedelta(days=1))
    gap = succeeded(visited, there, now=NOW, recognised=False)
    assert has_gap(gap, now=NOW)
    assert not has_gap(gap, now=NOW + timedelta(days=40))
    assert not has_gap(succeeded(visited, there, now=NOW, recognised=True), now=NOW)


def test_an_entry_that_changes_at_every_visit_is_followed_only_so_often() -> None:
    entry = _made(ItemKind.POST, ["guid:a"], "words")
    known = Known(
        id=ItemId(1), kind=ItemKind.POST, content_hash="older words", sources=frozenset({BLOG}), owner=BLOG
    )
    worn = replace(known, changes=MOST_CHANGES)
    assert isinstance(decide([entry], {"guid:a": known}, source=BLOG, now=NOW)[0], Update)
    assert isinstance(decide([entry], {"guid:a": worn}, source=BLOG, now=NOW)[0], Seen)
    dated = replace(entry, updated=NOW)
    assert isinstance(decide([dated], {"guid:a": worn}, source=BLOG, now=NOW)[0], Update)
