"""A post that leads to an event's page under the event's title: an editor is asked, and the event stands for both."""

from collections.abc import Callable
from itertools import permutations

import pytest

from digest.app import App, open_app
from digest.collect_twins import Twins
from digest.config import Config
from digest.model import ItemKind, Period, Verdict
from tests.conftest import Clock
from tests.http_kit import answer, ics, rss, serving

PAGE = "https://www.meetup.example.com/civic-tech/events/303030303/"
NIGHT = f"UID:303@meetup.example.com\nSUMMARY:Civic Tech Toronto #555\nURL:{PAGE}\nDTSTART:20261202T230000Z"
POST = "<title>{0}</title><link>{1}</link><guid>{1}</guid><pubDate>{2} 12:00:00 GMT</pubDate>"


def verb(app: App) -> Twins:
    return Twins(app.store, clock=app.clock)


@pytest.mark.parametrize("order", list(permutations(("cal", "feed"))))
@pytest.mark.parametrize(
    ("title", "link", "date", "asked"),
    [
        ("Civic Tech Toronto #555", PAGE, "20 Nov 2026", True),
        ("Civic Tech Toronto #554", PAGE, "20 Nov 2026", False),
        ("Civic Tech Toronto #555", PAGE + "photos", "20 Nov 2026", False),
        ("Civic Tech Toronto #555", PAGE, "3 Dec 2026", False),
    ],
)
def test_a_post_on_the_page_of_an_event_is_asked_about_in_whatever_order(
    make_config: Callable[[str], Config], clock: Clock, order: tuple[str, ...], title: str, link: str, date: str, asked: bool
) -> None:  # fmt: skip
    with serving() as site:
        site.pages |= {"/cal": answer(ics(NIGHT)), "/feed": rss(POST.format(title, link, date))}
        text = "delay_s = 0\n" + "".join(
            f'[[sources]]\nname = "{name}"\nurl = "{site.url("/" + name)}"\n' for name in ("cal", "feed")
        )
        if date.endswith("Dec 2026"):
            clock.forward(days=14)
        with open_app(make_config(text), clock=clock) as app:
            for name in order:
                app.collect.visit([name])
            pairs = verb(app).waiting()
            assert bool(pairs) is asked
            for pair in pairs:
                verb(app).settle(pair.asked, pair.other.id, Verdict.SAME, by="1")
            if asked:
                app.publish.assemble(Period(2026, 12))
                placed = app.store.issues.get(Period(2026, 12)).placed
                assert [one.item.kind for one in placed] == [ItemKind.EVENT]
                assert app.collect.visit(every=True)
                assert not verb(app).waiting()
