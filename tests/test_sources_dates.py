"""Dates of posts as content systems write them when they have none, or in numbers: read right, or flagged and put right later."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from digest.app import open_app
from digest.config import Config
from digest.rules.dates import read_date
from tests.conftest import Clock
from tests.http_kit import rss, serving

NO_DATES = [
    "Wed, 30 Nov -0001 00:00:00 +0000",
    "-0001-11-30T00:00:00+00:00",
    "2026-20-11",
    "11/12/2026",
    "2 hours ago",
]


def dated(when: str) -> bytes:
    return rss(
        "<title>A post that was scheduled</title><link>/p/1</link><guid>https://blog.example.org/?p=1</guid>"
        f"<pubDate>{when}</pubDate><description>Words enough to know it by again.</description>"
    )


@pytest.mark.parametrize("written", NO_DATES)
def test_what_is_no_date_is_flagged_and_gives_way_to_the_true_one(
    make_config: Callable[[str], Config], clock: Clock, written: str
) -> None:
    with serving() as site:
        config = make_config(f'delay_s = 0\n[[sources]]\nname = "blog"\nurl = "{site.url("/feed")}"\n')
        with open_app(config, clock=clock) as app:
            site.pages["/feed"] = dated(written)
            app.collect.visit()
            (item,) = app.store.items.all_between(
                clock.time.replace(year=2000), clock.time.replace(year=2030)
            )
            assert (item.published, item.flags) == (None, ("date-unread",))
            true = clock.time.replace(microsecond=0)
            site.pages["/feed"] = dated(f"{true:%a, %d %b %Y %H:%M:%S} +0000")
            app.collect.visit(every=True)
            (item,) = app.store.items.all_between(
                clock.time.replace(year=2000), clock.time.replace(year=2030)
            )
            assert (item.published, item.flags) == (true, ())
            assert app.collect.visit(every=True)[0].updated == 0


@pytest.mark.parametrize(
    "written",
    [
        "11/20/2026 5:00:00 PM",
        "Fri, 11/20/2026 - 17:00",
        "ven, 20/11/2026 - 17:00",
        "20/11/2026 17 h",
        "11/20/2026 at 5 p.m. EST",
    ],
)
def test_a_date_in_numbers_is_read_where_it_can_mean_one_day_only(written: str) -> None:
    found = read_date(written, timezone="America/Toronto")
    assert found is not None
    assert found.at == datetime(2026, 11, 20, 22, tzinfo=UTC)


def test_the_weekday_says_which_number_is_the_month() -> None:
    for written, month, day in (
        ("Thu, 11/12/2026 - 09:05", 11, 12),
        ("ven, 11/12/2026 - 09:05", 12, 11),
        ("05/05/2026 09:05", 5, 5),
    ):
        found = read_date(written)
        assert found is not None
        assert (found.at.month, found.at.day) == (month, day)
    for written in ("11/12/2026", "Mon, 11/12/2026 - 09:05", "13/13/2026", "02/30/2026", "11/20/2026 25:61"):
        assert read_date(written) is None
