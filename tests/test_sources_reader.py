"""Reading in a process of its own: what hangs, swells or breaks costs one source one visit."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from digest.errors import ErrorKind, SourceError
from digest.sources import ParseContext
from digest.sources._child import Request, read
from digest.sources._reader import Reader
from digest.sources._starting import start
from tests.http_kit import ics, post, rss

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CONTEXT = ParseContext(url="https://blog.example.org/feed", now=NOW, horizon=NOW + timedelta(days=80))
# What no rule of ours refuses, and the library works at for minutes: dates that never come, looked for until the year 9999.
NEVER = "UID:{}\nSUMMARY:x\nDTSTART:20260101T100000Z\nRRULE:FREQ=DAILY;BYMONTH=1;BYYEARDAY=200;INTERVAL=7"
ENDLESS = ics(*[NEVER.format(number) for number in range(60)])


@pytest.fixture
def reader() -> Iterator[Reader]:
    opened = Reader(longest_s=3, most=2)
    yield opened
    opened.close()


def test_answers_are_read_and_their_kind_is_found_out(reader: Reader) -> None:
    kind, harvest = reader.read("", rss(post(1)), CONTEXT)
    assert kind == "feed"
    assert [entry.title for entry in harvest.entries] == ["Post number 1"]


def test_refusals_arrive_typed_and_the_process_lives_on(reader: Reader) -> None:
    for _ in range(3):
        with pytest.raises(SourceError) as caught:
            reader.read("feed", b"hello", CONTEXT)
        assert caught.value.kind is ErrorKind.NOT_A_FEED
    assert len(reader._desks) == 1


def test_an_answer_that_takes_too_long_is_given_up_and_the_next_one_is_read(reader: Reader) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match="took more than 3 s") as caught:
        reader.read("ical", ENDLESS, CONTEXT)
    assert caught.value.kind is ErrorKind.PARSE
    assert time.monotonic() - began < 20
    assert reader.read("feed", rss(post(1)), CONTEXT)[1].entries


def test_a_process_that_was_started_early_reads_and_ends_with_its_reader() -> None:
    early = start()
    reader = Reader(most=2, begun=[early])
    assert reader.read("feed", rss(post(1)), CONTEXT)[1].entries
    assert [desk.child for desk in reader._desks] == [early]
    reader.close()
    assert early.returncode is not None


def test_a_process_that_went_to_sleep_is_replaced_without_a_word(reader: Reader) -> None:
    reader.read("feed", rss(post(1)), CONTEXT)
    reader._desks[0].child.kill()
    reader._desks[0].child.wait()
    assert reader.read("feed", rss(post(1)), CONTEXT)[1].entries


def test_an_answer_that_waits_behind_one_that_hangs_is_read_by_another_process() -> None:
    """Both lie before the one process: only the one at work fails."""
    reader = Reader(longest_s=3, most=1)
    found: dict[str, object] = {}

    def ask(kind: str, body: bytes) -> None:
        try:
            found[kind] = len(reader.read(kind, body, CONTEXT)[1].entries)
        except SourceError as error:
            found[kind] = str(error)

    reader.read("feed", rss(post(1)), CONTEXT)
    desk = reader._desks[0]
    hanging = threading.Thread(target=ask, args=("ical", ENDLESS))
    hanging.start()
    while not desk.outlet.locked():
        pass
    waiting = threading.Thread(target=ask, args=("feed", rss(post(2))))
    waiting.start()
    while desk.jobs < 2 and waiting.is_alive():
        pass
    hanging.join()
    waiting.join()
    reader.close()
    assert found == {"ical": "The answer took more than 3 s to read; refused.", "feed": 1}
    assert desk.child.returncode is not None


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_an_answer_that_waits_behind_one_that_kills_is_not_blamed(size: int) -> None:
    """Also when it is too long to lie in the pipe."""
    reader = Reader(longest_s=20, most=1)
    found: list[int] = []
    reader.read("feed", rss(post(1)), CONTEXT)
    desk = reader._desks[0]
    with desk.outlet:  # somebody is being served
        body = rss(post(2)) + b" " * size
        waiting = threading.Thread(
            target=lambda: found.append(len(reader.read("feed", body, CONTEXT)[1].entries))
        )
        waiting.start()
        while not desk.inlet.locked():
            pass
        desk.child.kill()
        desk.broken = True
    waiting.join()
    reader.close()
    assert found == [1]


def test_threads_share_the_processes(reader: Reader) -> None:
    found: list[str] = []

    def ask(number: int) -> None:
        found.append(reader.read("feed", rss(post(number)), CONTEXT)[1].entries[0].title)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"Post number {number}" for number in range(12))
    assert len(reader._desks) <= 2


def test_a_bug_in_a_reader_is_a_typed_error_with_a_trace_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug cannot be had on demand, so one is put in."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("digest.sources.feed.read_plain", broken)
    reply = read(Request("feed", rss(post(1)), CONTEXT))
    assert (reply.harvest, reply.error_kind) == (None, ErrorKind.PARSE)
    assert "a bug" in reply.trace
    assert "a bug" not in reply.message


def test_the_trace_of_a_bug_is_logged_at_debug(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def local(_child: object, request: Request) -> object:
        return read(request)

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(reader, "_exchange", local)
    monkeypatch.setattr("digest.sources.feed.read_plain", broken)
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceError):
        reader.read("feed", rss(post(1)), CONTEXT)
    assert "a bug" in caplog.text


def test_a_flood_of_entities_and_of_items_stays_cheap(reader: Reader) -> None:
    """F5 and F8 of the guide: what would unfold to much is refused, what is merely long is cut at five hundred."""
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "'
        + b"a" * 1000
        + b'"><!ENTITY b "'
        + b"&a;" * 1000
        + b'">]><rss>&b;</rss>'
    )
    began = time.monotonic()
    with pytest.raises(SourceError, match="entities"):
        reader.read("feed", bomb, CONTEXT)
    assert len(reader.read("feed", rss(*[post(number) for number in range(3000)]), CONTEXT)[1].entries) == 500
    assert time.monotonic() - began < 20
