"""Dates of posts as content systems write them when they have none, or in numbers: read right, or flagged and put right later."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

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


def dated_post(name: str, when: datetime, *, updated: str = "") -> str:
    return (
        f"<title>About {name}</title><link>/p/{name}</link><guid>https://blog.example.org/p/{name}</guid>"
        f"<pubDate>{when:%a, %d %b %Y %H:%M:%S} +0000</pubDate>{updated}<description>What {name} is about.</description>"
    )


def test_a_draft_of_months_ago_counts_from_its_first_sight_and_an_archive_does_not(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    def ago(name: str, days: int) -> str:
        return dated_post(name, clock.time - timedelta(days=days))

    with serving() as site:
        config = make_config(f'delay_s = 0\n[[sources]]\nname = "blog"\nurl = "{site.url("/feed")}"\n')
        with open_app(config, clock=clock) as app:

            def pool() -> dict[str, tuple[datetime | None, tuple[str, ...]]]:
                found = app.store.items.all_between(
                    clock.time - timedelta(days=900), clock.time + timedelta(days=2)
                )
                return {item.title.removeprefix("About "): (item.published, item.flags) for item in found}

            first = [ago("news", 2), ago("spring", 200), ago("winter", 300)]
            site.pages["/feed"] = rss(*first)
            app.collect.visit()
            assert all(flags == () for _, flags in pool().values())
            later = [first[0], ago("draft", 100), *first[1:], ago("archive", 400)]
            site.pages["/feed"] = rss(*later)
            app.collect.visit(every=True)
            seen = pool()
            assert seen["draft"] == (clock.time, ("drafted-long-ago",))
            assert seen["archive"] == (clock.time.replace(microsecond=0) - timedelta(days=400), ())
            assert app.collect.visit(every=True)[0].updated == 0
            site.pages["/feed"] = rss(*(one.replace("What draft is", "All that draft is") for one in later))
            day = clock.time
            clock.time += timedelta(days=1)
            assert app.collect.visit(every=True)[0].updated == 1
            assert pool()["draft"][0] == day
            many = [dated_post(f"old{n}", day - timedelta(days=100 + n)) for n in range(5)]
            site.pages["/feed"] = rss(*later[:1], *many, *later[1:])
            app.collect.visit(every=True)
            assert [name for name, (_, flags) in pool().items() if "drafted-long-ago" in flags] == []
