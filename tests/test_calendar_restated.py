"""A calendar says a series anew at each visit: what stands in the pool is what it said last, and nothing stands there twice."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.config_file import read_config
from digest.model import EventStatus, Item, ItemKind, Language, Period
from digest.sources import KINDS, ParseContext
from digest.web import outline
from tests.conftest import NOW, Clock
from tests.http_kit import Asked, Site, answer, ics, serving

TUESDAY = date(2026, 11, 24)
TORONTO = "America/Toronto"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=3"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[App]:
    with_two = "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\nkind = "ical"\n'
        for name in ("cal", "other")
    )
    site.pages["/other"] = answer(ics("UID:away@other.example\nSUMMARY:Away\nDTSTART:20270901T120000Z"))
    opened = open_app(make_config("delay_s = 0\n" + with_two), clock=clock)
    yield opened
    opened.close()


def event(
    *lines: str, day: str = "20261124", hour: int = 18, uid: str = "w1@civic.example", n: int = 0
) -> str:
    start = f"DTSTART;TZID={TORONTO}:{day}T{hour:02}0000"
    return "\n".join((f"UID:{uid}", "SUMMARY:Hack night", f"SEQUENCE:{n}", start, *lines))


def say(
    app: App, site: Site, *events: str, head: str = "", at: str = "/cal", clock: Clock | None = None
) -> None:
    site.pages[at] = answer(ics(*events, head=head))
    app.collect.visit([at[1:]])
    if clock is not None:
        clock.forward(hours=6)


def pool(app: App, *, source: str = "cal") -> list[Item]:
    now = app.clock()
    found = app.store.items.all_between(now, now + timedelta(days=400))
    return [item for item in found if item.kind is ItemKind.EVENT and item.source == source]


def on(app: App, *, source: str = "cal") -> list[str]:
    """When what is not called off begins."""
    return [shown(item) for item in pool(app, source=source) if item.occasion and not is_off(item)]


def off(app: App) -> list[str]:
    return [shown(item) for item in pool(app) if is_off(item)]


def shown(item: Item) -> str:
    assert item.occasion is not None
    return f"{item.occasion.starts.astimezone(ZoneInfo(item.occasion.timezone)):%m-%d %H:%M}"


def is_off(item: Item) -> bool:
    return item.occasion is not None and item.occasion.status is EventStatus.CANCELLED


def test_a_series_at_another_hour_moves_every_date(app: App, site: Site) -> None:
    say(app, site, event(WEEKLY))
    say(app, site, event(WEEKLY, hour=19, n=1))
    assert on(app) == ["11-24 19:00", "12-01 19:00", "12-08 19:00"]
    assert off(app) == []


@pytest.mark.parametrize(
    "restated",
    [
        (WEEKLY, f"EXDATE;TZID={TORONTO}:20261201T180000,20261208T180000"),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261126T045959Z",),
        ("RRULE:FREQ=WEEKLY;COUNT=1",),
        (),
    ],
    ids=["exdate", "until", "count", "single"],
)
def test_a_date_that_its_series_no_longer_gives_is_called_off_and_comes_back(
    app: App, site: Site, restated: tuple[str, ...]
) -> None:
    say(app, site, event(WEEKLY))
    say(app, site, event(*restated, n=1))
    assert on(app) == ["11-24 18:00"]
    assert off(app) == ["12-01 18:00", "12-08 18:00"]
    assert [item.flags for item in pool(app) if is_off(item)] == [("withdrawn",)] * 2
    app.collect.visit(["cal"])
    assert off(app) == ["12-01 18:00", "12-08 18:00"]
    say(app, site, event(WEEKLY, n=2))
    assert on(app) == ["11-24 18:00", "12-01 18:00", "12-08 18:00"]
    assert all(not item.flags for item in pool(app))


def test_a_single_event_that_becomes_a_series_is_its_first_date(app: App, site: Site) -> None:
    say(app, site, event())
    say(app, site, event(WEEKLY, n=1))
    assert on(app) == ["11-24 18:00", "12-01 18:00", "12-08 18:00"]


def test_a_series_that_goes_on_under_another_name_at_another_hour_is_moved(app: App, site: Site) -> None:
    """Google's "this and following events"."""
    say(app, site, event("RRULE:FREQ=WEEKLY;COUNT=4"))
    first = event("RRULE:FREQ=WEEKLY;UNTIL=20261208T045959Z", n=1)
    then = event(
        "RRULE:FREQ=WEEKLY;COUNT=2", day="20261208", hour=19, uid="w1_R20261208T230000@civic.example"
    )
    for _ in range(2):
        say(app, site, first, then)
        assert on(app) == ["11-24 18:00", "12-01 18:00", "12-08 19:00", "12-15 19:00"]
        assert off(app) == []


@pytest.mark.parametrize("start", ["20261124T180000", "20261125T010000Z"], ids=["floating", "utc"])
def test_a_zone_that_is_put_right_moves_the_dates(app: App, site: Site, start: str) -> None:
    lines = f"UID:w1@civic.example\nSUMMARY:Hack night\nDTSTART:{start}\n{WEEKLY}"
    say(app, site, lines)
    say(app, site, lines, head="X-WR-TIMEZONE:America/Vancouver\n")
    assert on(app) == ["11-24 18:00", "12-01 18:00", "12-08 18:00"]
    assert off(app) == []


def test_a_uid_that_is_not_in_the_answer_is_absent_and_not_called_off(app: App, site: Site) -> None:
    say(app, site, event(WEEKLY), event(uid="w2@civic.example"))
    say(app, site, event(uid="w2@civic.example"))
    assert on(app) == ["11-24 18:00", "11-24 18:00", "12-01 18:00", "12-08 18:00"]


@pytest.mark.parametrize(
    "body",
    [
        ics(event("RRULE:FREQ=WEEKLY;COUNT=three", n=1)),
        ics(event("RRULE:FREQ=SECONDLY", n=1)),
        ics(event("RDATE:tomorrow", n=1)),
        ics(event(f"RECURRENCE-ID;TZID={TORONTO}:20261124T180000", n=1)),
        ics(event(n=1), event("SUMMARY:More", day="20261125", n=1)),
        ics(event(n=1), head="METHOD:REQUEST\n"),
        ics(event(n=1)).replace(b"END:VCALENDAR", b""),
        ics(event("RRULE\x00FREQ=WEEKLY", "X-\x07\x08", n=1)),
    ],
    ids=["rule", "too-fine", "rdate", "one-date-alone", "two-of-a-name", "request", "cut", "odd-lines"],
)
def test_what_was_not_read_whole_calls_nothing_off(app: App, site: Site, body: bytes) -> None:
    say(app, site, event(WEEKLY))
    site.pages["/cal"] = answer(body)
    app.collect.visit(["cal"])
    assert off(app) == []
    assert {"11-24 18:00", "12-01 18:00", "12-08 18:00"} <= set(on(app))


def test_what_another_source_still_shows_is_asked_about(app: App, site: Site) -> None:
    name = "a-long-shared-uid@civic.example"
    for at in ("/cal", "/other"):
        say(app, site, event(WEEKLY, uid=name), at=at)
    say(app, site, event(uid=name, n=1))
    assert on(app) == ["11-24 18:00", "12-01 18:00", "12-08 18:00"]
    assert [item.flags for item in pool(app)] == [(), ("withdrawn",), ("withdrawn",)]
    say(app, site, event(WEEKLY, uid=name, n=2))
    assert [item.flags for item in pool(app)] == [(), (), ()]


def test_a_date_taken_out_while_its_issue_is_approved_is_told_and_taken_over_at_the_hold(
    app: App, site: Site
) -> None:
    period = Period(2026, 12)
    say(app, site, event(WEEKLY, day="20261203"))
    app.publish.assemble(period)
    app.publish.approve(period, by="ada")
    (placed,) = app.store.issues.get(period).section("coming-up")
    say(app, site, event(WEEKLY, f"EXDATE;TZID={TORONTO}:20261203T180000", day="20261203", n=1))
    for _ in range(2):
        (placed,) = app.store.issues.get(period).section("coming-up")
        assert not is_off(placed.item)
        tags = outline.row(placed, Language.EN, app.config).tags
        assert ("bad", "called off at its source") in tags
        app.collect.visit(["cal"])
    app.publish.hold(period, by="ada")
    (placed,) = app.store.issues.get(period).section("coming-up")
    assert is_off(placed.item)


def test_an_older_copy_changes_nothing_for_a_day(app: App, site: Site, clock: Clock) -> None:
    say(app, site, event(n=3), clock=clock)
    say(app, site, event(n=1, hour=12), clock=clock)
    assert on(app) == ["11-24 18:00"]
    say(app, site, event(f"LAST-MODIFIED:{clock():%Y%m%dT%H%M%SZ}", n=1, hour=13), clock=clock)
    assert on(app) == ["11-24 13:00"], "it says that it is newer"


def test_a_calendar_that_counts_anew_is_believed_after_a_day(app: App, site: Site, clock: Clock) -> None:
    say(app, site, event(WEEKLY, n=3, day="20261126"), clock=clock)
    for _ in range(5):
        say(app, site, event(n=0, hour=12, day="20261126"), clock=clock)
    assert on(app) == ["11-26 12:00"]


def test_an_older_copy_calls_nothing_off(app: App, site: Site) -> None:
    say(app, site, event(WEEKLY, n=3))
    say(app, site, event(n=2))
    assert off(app) == []


def test_new_uids_with_every_answer_are_the_same_events(app: App, site: Site) -> None:
    for n in range(4):
        say(
            app,
            site,
            event(uid=f"{n}-of-this-answer@civic.example"),
            event(uid=f"{n}-b@civic.example", hour=9),
        )
    assert on(app) == ["11-24 09:00", "11-24 18:00"]


def test_two_events_of_one_name_and_hour_stay_two(app: App, site: Site) -> None:
    for _ in range(2):
        say(app, site, event(uid="one-of-two@civic.example"), event(uid="two-of-two@civic.example"))
        assert on(app) == ["11-24 18:00", "11-24 18:00"]


def test_an_event_without_uid_moves_when_its_address_is_its_own(app: App, site: Site) -> None:
    for day in ("20261124", "20261127"):
        say(app, site, f"SUMMARY:Meet\nDTSTART:{day}T180000\nURL:https://x.example.org/2026/e/1234")
    assert on(app) == ["11-27 18:00"]
    for day in ("20261201", "20261202"):
        say(app, site, f"SUMMARY:Talks\nDTSTART:{day}T180000\nURL:https://x.example.org/2026/talks")
    assert on(app) == ["11-27 18:00", "12-01 18:00", "12-02 18:00"], "a year is no number of an event"


def test_dates_kept_under_their_old_keys_are_known_again(app: App, site: Site) -> None:
    say(app, site, event(WEEKLY))
    with app.store.write():
        app.store.items._db.change("DELETE FROM item_key WHERE key NOT GLOB 'uid:*/*T*Z'")
    say(app, site, event(WEEKLY, "LOCATION:Library", n=1))
    say(app, site, event(WEEKLY, hour=20, n=2))
    assert on(app) == ["11-24 20:00", "12-01 20:00", "12-08 20:00"]


@dataclass(frozen=True)
class Said:
    """A series as its calendar holds it."""

    n: int = 0
    hour: int = 18
    day: int = 0
    count: int | None = 6
    until: int | None = None
    rule: str = "WEEKLY"
    zone: str = TORONTO
    out: frozenset[int] = frozenset()
    changed: dict[int, str] = field(default_factory=dict)
    hours: str = ""

    def at(self, place: int) -> datetime:
        step = 1 if self.rule == "DAILY" else 7
        return datetime.combine(
            TUESDAY + timedelta(days=self.day + step * place), datetime.min.time()
        ).replace(hour=self.hour)

    def body(self) -> bytes:
        zone = f";TZID={self.zone}" if self.zone else ""
        head = f"UID:series-of-it@civic.example\nSUMMARY:Hack night\nSEQUENCE:{self.n}\n"
        lines = f"DTSTART{zone}:{self.at(0):%Y%m%dT%H%M%S}"
        if self.rule:
            lines += f"\nRRULE:FREQ={self.rule}{self.hours}" + (
                f";UNTIL={self.at(self.until) + timedelta(hours=12):%Y%m%dT%H%M%SZ}"
                if self.until is not None
                else f";COUNT={self.count}"
            )
            for place in sorted(self.out):
                lines += f"\nEXDATE{zone}:{self.at(place):%Y%m%dT%H%M%S}"
        events = [head + lines]
        for place, more in sorted(self.changed.items()) if self.rule and not self.hours else ():
            was = self.at(place)
            now = was + timedelta(days=1, hours=1) if more == "moved" else was
            status = "CANCELLED" if more == "off" else "CONFIRMED"
            events.append(
                f"{head}RECURRENCE-ID{zone}:{was:%Y%m%dT%H%M%S}\nDTSTART{zone}:{now:%Y%m%dT%H%M%S}\nSTATUS:{status}"
            )
        return ics(*events)


@contextmanager
def opened(folder: Path, site: Site, *, clock: Clock) -> Iterator[App]:
    (folder / "config.toml").write_text(
        '[list]\nname.en = "T"\nname.fr = "T"\nfrom = "letter@lists.example.org"\npostal_address = "1 Main St"\n'
        'url = "https://digest.example.org"\n[collect]\nallow_private = ["127.0.0.0/8"]\ndelay_s = 0\n'
        f'[[sources]]\nname = "cal"\nurl = "{site.url("/cal")}"\ntimezone = "{TORONTO}"\n',
        encoding="utf-8",
    )
    app = open_app(read_config(folder / "config.toml"), clock=clock)
    try:
        yield app
    finally:
        app.close()


PLACES = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("hour"), st.integers(8, 20)),
    st.tuples(st.just("day"), st.integers(0, 3)),
    st.tuples(st.just("count"), st.integers(1, 9)),
    st.tuples(st.just("until"), st.one_of(st.none(), PLACES)),
    st.tuples(st.just("rule"), st.sampled_from(["", "WEEKLY", "DAILY"])),
    st.tuples(st.just("zone"), st.sampled_from(["", TORONTO, "America/Vancouver", "America/St_Johns"])),
    st.tuples(st.just("out"), st.frozensets(PLACES, max_size=3)),
    st.tuples(st.just("changed"), st.dictionaries(PLACES, st.sampled_from(["moved", "off"]), max_size=2)),
    st.tuples(st.just("hours"), st.sampled_from(["", ";BYHOUR=9,18"])),
)


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=6))
def test_after_each_visit_the_pool_holds_what_the_calendar_said_last(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    said, clock = Said(), Clock(NOW)
    with serving() as site, opened(tmp_path_factory.mktemp("walk"), site, clock=clock) as app:
        for name, value in [("count", 6), *steps]:
            said = replace(said, **{name: value, "n": said.n + 1})  # type: ignore[arg-type]
            site.pages["/cal"] = answer(said.body())
            app.collect.visit(["cal"])
            horizon = clock() + timedelta(days=80)
            context = ParseContext(url=site.url("/cal"), now=clock(), horizon=horizon, timezone=TORONTO)
            stated = KINDS["ical"].parse(said.body(), context).entries
            expected = sorted(
                one.occasion.starts
                for one in stated
                if one.occasion and one.occasion.status is EventStatus.CONFIRMED
            )
            kept = sorted(item.occasion.starts for item in pool(app) if item.occasion and not is_off(item))
            assert kept == expected, (said, off(app))
            clock.forward(hours=2)


def test_a_calendar_that_answers_nothing_new_is_read_again_each_week_and_when_its_zone_is_set(
    make_config: Callable[[str], Config], clock: Clock, site: Site
) -> None:
    body = ics("UID:on-and-on@x.example\nSUMMARY:On\nDTSTART:20261124T180000\nRRULE:FREQ=WEEKLY")

    def calendar(asked: Asked, connection: socket.socket) -> None:
        known = asked.headers.get("if-none-match") == '"1"'
        (answer(status=304) if known else answer(body, ETag='"1"'))(asked, connection)

    site.pages["/cal"] = calendar
    text = f'delay_s = 0\n[[sources]]\nname = "cal"\nurl = "{site.url("/cal")}"\n'
    app = open_app(make_config(text), clock=clock)
    app.collect.visit()
    clock.forward(hours=30)
    app.collect.visit()
    assert [asked.headers.get("if-none-match") for asked in site.asked] == [None, '"1"']
    last = pool(app)[-1].occasion
    clock.forward(days=28)
    app.collect.visit()
    later = pool(app)[-1].occasion
    assert last is not None
    assert later is not None
    assert later.starts == last.starts + timedelta(days=28)
    app.close()
    app = open_app(make_config(f'{text}timezone = "America/Vancouver"\n'), clock=clock)
    app.collect.visit(["cal"])
    assert {shown(item)[6:] for item in pool(app)} == {"18:00"}
    assert {item.occasion.timezone for item in pool(app) if item.occasion} == {"America/Vancouver"}
    app.close()
