"""Who is forgotten is in no byte of the database and of the log beside it, also when somebody was reading just then."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.join import Ask
from digest.model import Language, SuggestionKind
from digest.schedule import tick
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import ANN, joins, manage_token, shown_form

HELLO = {
    "name": "Ann Wintergreen",
    "who": "I keep lamps alight.",
    "looks_for": "Keepers of old lamps.",
    "link": "",
}
THEIRS = (ANN, "Wintergreen", "keep lamps", "Keepers of", "I was there myself", "More about lanterns")


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def found(app: App, *words: str) -> set[str]:
    """Which of their words a look at the bytes of both files finds."""
    path = app.store.path
    held = b"".join(path.with_name(path.name + end).read_bytes() for end in ("", "-wal"))
    return {word for word in words or THEIRS if word.encode() in held}


def suggested(app: App, clock: Clock, **sent: str) -> None:
    app.join.voices.suggest(
        {"title": "A walk with lamps", "url": "", "words": ""} | sent,
        language=Language.EN, email=ANN, form=shown_form(app, clock), ip="192.0.2.1",
    )  # fmt: skip


@pytest.fixture
def ann(app: App, clock: Clock) -> str:
    """A reader who has said all that can be said here, among others; a fresh link of hers."""
    for number in range(40):
        joins(app, f"ann{number}@example.com")
    joins(app)
    app.join.introductions.say_hello(manage_token(app), HELLO)
    suggested(app, clock, kind="post", url="https://lamps.example/walk", words="I was there myself")
    suggested(app, clock, kind="idea", title="More about lanterns")
    assert found(app) == set(THEIRS)
    return manage_token(app)


@pytest.mark.parametrize("how", ["link", "command"])
def test_who_is_forgotten_is_in_no_byte_of_a_running_house(app: App, ann: str, how: str) -> None:
    if how == "link":
        app.join.choices.forget(ann)
    else:
        app.join.forget(ANN)
    assert found(app) == set()
    assert found(app, "ann7@example.com", "lamps.example/walk") == {"ann7@example.com", "lamps.example/walk"}


def test_of_a_suggestion_only_what_is_about_the_thing_outlives_its_reader(app: App, ann: str) -> None:
    app.join.choices.forget(ann)
    [one] = app.join.voices.waiting()
    assert (one.kind, one.title, one.url) == (
        SuggestionKind.POST,
        "A walk with lamps",
        "https://lamps.example/walk",
    )
    assert (one.words, one.subscriber) == ("", None)


def test_while_somebody_reads_the_log_waits_for_the_next_tick(app: App, ann: str) -> None:
    with closing(sqlite3.connect(app.store.path, isolation_level=None)) as other:  # another program's
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM subscriber").fetchone()
        app.join.choices.forget(ann)
        assert ANN in found(app), "what is being read cannot be taken away"
        assert not app.store.traces.clear()
        other.execute("COMMIT")
        assert tick(app)
    assert found(app) == set()


def test_an_erasure_while_the_log_is_emptied_is_not_overlooked(app: App) -> None:
    with app.store.write():
        app.store.traces.left()
    first = app.store.settings.get("log to be emptied")
    with app.store.write():
        app.store.traces.left()
    assert app.store.settings.get("log to be emptied") not in (None, first)
    assert app.store.traces.clear()
    assert app.store.settings.get("log to be emptied") is None
    assert app.store.traces.clear(), "there is nothing to do"


def test_words_that_are_taken_back_are_in_no_byte_either(app: App, ann: str) -> None:
    app.join.introductions.withdraw(ann)
    assert found(app, *THEIRS[1:4]) == set()


def test_a_new_introduction_leaves_nothing_of_the_old_one(app: App, ann: str) -> None:
    app.join.introductions.say_hello(ann, HELLO | {"name": "A. W.", "who": "I sleep.", "looks_for": "Beds."})
    assert tick(app)
    assert found(app, *THEIRS[1:4]) == set()


def test_who_never_confirmed_is_gone_with_the_day(app: App, clock: Clock) -> None:
    app.join.ask(Ask(address="never@example.org"))
    clock.forward(days=8)
    assert tick(app)
    assert found(app, "never@example.org") == set()
