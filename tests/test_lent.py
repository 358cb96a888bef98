"""Of one event on several listings the letter prints all that any of them says, whoever was visited first."""

from collections.abc import Callable, Iterator
from itertools import permutations

import pytest

from digest.app import open_app
from digest.config import Config
from digest.model import Item, Period
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, serving

PERIOD = Period(2026, 12)
JAM = "UID:{0}@{0}.example\nSUMMARY:Winter data jam\nURL:https://jam.example.org/e/winter\nDTSTART:20261203T230000Z"
HALL = "LOCATION:City Hall\\, Ottawa"
ENDS = "DTEND:{}"
WORDS = "DESCRIPTION:Bring your laptop.\nORGANIZER;CN=Jam Org:mailto:jam@example.org"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def printed(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[Callable[..., Item]]:
    """What the letter holds once these calendars were visited, one after the other."""
    names = ("first", "second", "third")
    text = "delay_s = 0\n" + "".join(
        f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in names
    )
    with open_app(make_config(text), clock=clock) as app:

        def read(*events: str) -> Item:
            for name, event in zip(names, events, strict=False):
                site.pages["/" + name] = answer(ics(event))
                app.collect.visit([name])
                clock.forward(hours=1)
            app.publish.assemble(PERIOD)
            (placed,) = app.store.issues.get(PERIOD).section("coming-up")
            return placed.item

        yield read


def jam(uid: str, *lines: str, hour: str = "23") -> str:
    return "\n".join((JAM.format(uid).replace("T23", f"T{hour}"), *lines))


@pytest.mark.parametrize("page", ["https://jam.example.org/e/winter", "https://{0}.example.org/winter"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_letter_prints_what_any_of_the_listings_says(
    printed: Callable[..., Item], order: tuple[int, ...], page: str
) -> None:
    """Known by one page, or merged by title, hour and place."""
    is_one_page = "{" not in page
    there = [] if is_one_page else [HALL]
    listings = (jam("aa", *there), jam("bb", HALL, WORDS), jam("cc", ENDS.format("20261204T010000Z"), *there))
    told = [listing.replace(JAM.splitlines()[2][4:], page.format(listing[4:6])) for listing in listings]
    item = printed(*(told[place] for place in order))
    assert item.occasion is not None
    assert (item.occasion.place, item.author, item.summary) == (
        "City Hall, Ottawa",
        "Jam Org",
        "Bring your laptop.",
    )
    assert item.occasion.ends is not None
    assert item.occasion.ends.hour == 1


def test_what_is_lent_follows_its_listing_and_never_stands_over_what_is_said(
    printed: Callable[..., Item],
) -> None:
    assert printed(jam("aa"), jam("bb", HALL)).occasion.place == "City Hall, Ottawa"  # type: ignore[union-attr]
    moved = printed(jam("aa"), jam("bb", "LOCATION:Library\\, Ottawa"))
    assert moved.occasion is not None
    assert moved.occasion.place == "Library, Ottawa"
    own = printed(jam("aa", "LOCATION:Ottawa Library"))
    assert own.occasion is not None
    assert own.occasion.place == "Ottawa Library"
    assert printed(jam("aa"), jam("bb")).occasion.place is None  # type: ignore[union-attr]
