"""Redesigns: what a source shows under new addresses is what it was; what only looks like it is not."""

from collections.abc import Callable, Iterator

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.model import ItemKind
from digest.rules.gather import MAYBE_TWICE
from tests.conftest import Clock
from tests.http_kit import Site, answer, ics, rss, serving

WORDS = (
    "For six months we learned how people renew a permit and what gets in their way, beside them in the office on a rainy "
    "Tuesday in Moncton with a notebook, a thermos of coffee and a great deal of patience, and this is number {0} of what "
    "we found, told in the order in which it happened to the {0} people who came in from the cold that day."
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def collected(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[Callable[..., App]]:
    """Visits of one source, one answer each."""
    opened: list[App] = []

    def visit(*answers: object) -> App:
        source = f'[[sources]]\nname = "town"\nurl = "{site.url("/town")}"\n'
        opened.append(app := open_app(make_config("delay_s = 0\n" + source), clock=clock))
        for said in answers:
            site.pages["/town"] = said  # type: ignore[assignment]
            app.collect.visit(every=True)
            clock.forward(hours=6)
        return app

    yield visit
    for app in opened:
        app.close()


def piece(n: int, at: str, *, title: str = "What we learned about permits, part {0}", words: str = WORDS,
          date: str = "{0} Nov 2026 12:0{1}:17 -0500", guid: str = "") -> str:  # fmt: skip
    link = f"https://{at}"
    return (
        f"<title>{title.format(n)}</title><link>{link}</link><guid>{guid or link}</guid>"
        f"<pubDate>{date.format(10 + n, n)}</pubDate><description>{words.format(n)}</description>"
    )


def shown(app: App) -> list[tuple[str, bool]]:
    """Links, and whether an editor is asked."""
    items = app.store.items.get(range(1, 20))  # type: ignore[arg-type]
    return [(item.url or item.title, MAYBE_TWICE in item.flags) for item in items]


@pytest.mark.parametrize(
    "moved",
    ["new.example.com/posts/{0}/", "old.example.org/blog/2026/{0}", "old.example.org/posts/{0}.html", "localhost:1313/{0}"],
)  # fmt: skip
def test_a_redesign_doubles_no_post_and_the_old_addresses_lead_to_them_too(
    collected: Callable[..., App], moved: str
) -> None:
    before = rss(*(piece(n, f"old.example.org/posts/{n}/") for n in range(4)))
    after = rss(*(piece(n, moved.format(n)) for n in range(4)))
    app = collected(before, after)
    assert shown(app) == [(f"https://{moved.format(n)}", False) for n in range(4)]
    assert not app.store.sources.all()[0].gap_at
    again = collected(before, after)
    assert [link for link, _ in shown(again)] == [link for link, _ in shown(app)]


def test_a_redesign_that_tells_the_same_hour_in_other_words_is_asked_about(
    collected: Callable[..., App],
) -> None:
    other = " ".join(f"quite{n} other{n}" for n in range(30))
    app = collected(rss(piece(1, "old.example.org/1")), rss(piece(1, "old.example.org/a", words=other)))
    assert shown(app) == [("https://old.example.org/1", False), ("https://old.example.org/a", True)]


def test_a_title_and_address_put_right_at_once_are_asked_about(collected: Callable[..., App]) -> None:
    before = piece(1, "news.example.org/launches-id", title="Ontario launches digital ID", words="")
    after = piece(1, "news.example.org/launches-an-id", title="Ontario launches a digital ID", words="")
    assert [asked for _, asked in shown(collected(rss(before), rss(after)))] == [False, True]


def test_a_redesign_that_dates_everything_anew_is_asked_about(collected: Callable[..., App]) -> None:
    before = rss(*(piece(n, f"old.example.org/{n}") for n in range(2)))
    after = rss(*(piece(n, f"new.example.org/{n}", date="21 Nov 2026 04:00:00 GMT") for n in range(2)))
    assert [asked for _, asked in shown(collected(before, after))] == [False, False, True, True]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([piece(1, "t.example.org/1", title="Weekly drop-in for all")],
         [piece(2, "t.example.org/2", title="Weekly drop-in for all")]),
        ([piece(1, "t.example.org/1", title="News from town hall", date="11 Nov 2026 00:00:00 GMT", words="One.")],
         [piece(n, f"t.example.org/{n}", title="News from town hall", date="11 Nov 2026 00:00:00 GMT", words="{0}.")
          for n in (2, 3)]),
        ([piece(1, "t.example.org/1")], [piece(1, "t.example.org/1"), piece(1, "t.example.org/2")]),
        ([piece(1, "t.example.org/1", title="A better form for all of us")],
         [piece(1, "t.example.org/2", title="Three libraries and a town", words="Nothing like it, I say. " * 9)]),
    ],
)  # fmt: skip
def test_a_post_that_only_looks_like_one_that_is_gone_is_another(
    collected: Callable[..., App], before: list[str], after: list[str]
) -> None:
    app = collected(rss(*before), rss(*after))
    links = {link for link, _ in shown(app)}
    assert len(links) == len(
        {piece[piece.index("<link>") : piece.index("</link>")] for piece in before + after}
    )
    assert not any(asked for _, asked in shown(app))


def test_a_list_that_is_cut_moves_nothing_and_asks(collected: Callable[..., App]) -> None:
    whole = rss(piece(1, "t.example.org/a")).decode()
    cut = whole.replace("</channel></rss>", "<item><title>And then").encode()
    app = collected(rss(piece(1, "t.example.org/1")), cut)
    assert shown(app) == [("https://t.example.org/1", False), ("https://t.example.org/a", True)]


def test_a_calendar_carried_over_to_another_account_is_the_same_events(
    collected: Callable[..., App],
) -> None:
    talk = "UID:{0}@google.example\nSUMMARY:Civic hack night\nLOCATION:{1}\nDTSTART:20261208T230000Z"
    other = talk.replace("hack night", "hack night, online")
    moved = collected(
        answer(ics(talk.format(1, "Library"))), answer(ics(talk.format(2, "Library\\, 3rd floor")))
    )
    assert len(shown(moved)) == 1
    asked = collected(answer(ics(talk.format(3, "Library"))), answer(ics(other.format(4, "Cafe on Main"))))
    assert [one for _, one in shown(asked)][1:] == [True]


@pytest.mark.parametrize(
    ("number", "title", "place", "language", "asked"),
    [
        (1, "Journée numérique", "90 Elgin", "fr", True),
        (2, "Journée de l’accessibilité", "90\\, rue Elgin\\, Ottawa", "fr", True),
        (2, "Budget night for residents", "90 Elgin\\, Ottawa", "en", False),
        (1, "Soirée du budget pour tous", "Centre sportif de Laval", "fr", False),
    ],
)
def test_one_event_in_two_languages_of_one_calendar_is_asked_about(
    collected: Callable[..., App], number: int, title: str, place: str, language: str, asked: bool
) -> None:
    event = "UID:{0}@gov.example\nSUMMARY:{1}\nLOCATION:{2}\nURL:https://gov.example/{0}/e\nDTSTART:20261204T140000Z"
    app = collected(
        answer(
            ics(
                event.format("1-en", "Accessibility day", "90 Elgin\\, Ottawa"),
                event.format(f"{number}-{language}", title, place),
            )
        )
    )
    assert len(app.store.items.all_between(app.clock(), app.clock().replace(year=2027))) == 2
    assert [one for _, one in shown(app)] == [False, asked]
    assert {item.kind for item in app.store.items.get([1])} == {ItemKind.EVENT}  # type: ignore[list-item]
