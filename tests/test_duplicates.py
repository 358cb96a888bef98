"""Likeness: copies are found, and what merely resembles is left alone. A wrong merge is worse than a missed one."""

import random
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model import Entry, Item, ItemId, ItemKind, Occasion, SourceId
from digest.rules.duplicates import Neighbours, containment, likeness_of
from digest.rules.gather import Add, Copy, Doubt, decide
from digest.rules.near import Likeness, hints
from digest.sources import KINDS, ParseContext

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
START = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
TEXT = (
    "We rebuilt the benefits form with the people who fill it in and halved the time it takes. What follows is what we "
    "learned from forty interviews in six provinces, from the first sketches on paper to the day the old form was retired. "
    "Nobody asked for a portal. They asked for a form that remembers what they said last year and that a friend can help with."
)


OTHER = (
    "Libraries lend more than books: tools, seeds, instruments and, in one town of the north shore, a quiet hour with somebody "
    "who has filled in every benefit claim there is. We went to see three of them in the spring, spoke with the people behind "
    "the counter and those in front of it, and came home with a list of small things that any municipality could try out."
)


def event(title: str, *, starts: datetime = START, url: str | None = None, online: str | None = None,
          place: str | None = None, flags: tuple[str, ...] = (), all_day: bool = False,
          language: str | None = None) -> Entry:  # fmt: skip
    occasion = Occasion(
        starts=starts, timezone="America/Toronto", online=online, place=place, all_day=all_day
    )
    return Entry(
        kind=ItemKind.EVENT, keys=(f"uid:{title}",), title=title, url=url, occasion=occasion, flags=flags, language=language
    )  # fmt: skip


def post(title: str, words: str = TEXT, *, published: datetime = NOW, author: str | None = None,
         url: str | None = None) -> Entry:  # fmt: skip
    return Entry(
        kind=ItemKind.POST, keys=(f"guid:{title}",), title=title, url=url, html=f"<p>{words}</p>", published=published,
        author=author
    )  # fmt: skip


def item(entry: Entry, *, number: int = 1) -> Item:
    return Item(
        id=ItemId(number), kind=entry.kind, title=entry.title, url=entry.url, source="other", published=entry.published,
        first_seen=NOW, author=entry.author, html=entry.html, occasion=entry.occasion, flags=entry.flags,
        language=entry.language,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        (event("Civic hack night"), event("Civic Hack Night!"), Likeness.YES),
        (event("Hacknight #512"), event("Hacknight #513"), Likeness.NO),
        (event("FWD50 2026"), event("FWD50 2027"), Likeness.NO),
        (event("Civic hack night"), event("Civic hack night", starts=START + timedelta(days=7)), Likeness.NO),
        (event("Civic hack night"), event("Civic hack night", starts=START + timedelta(hours=1)), Likeness.NO),
        (event("Civic hack night", flags=("zone-guessed",)), event("Civic hack night",
        starts=START + timedelta(hours=1)), Likeness.MAYBE),
        (event("Open house", place="Library, Ottawa"), event("Open house", place="Town Hall, Halifax"), Likeness.MAYBE),
        (event("Open house", place="Library, Ottawa"), event("Open House", place="Ottawa library"), Likeness.YES),
        (event("Meetup"), event("Python meetup Toronto"), Likeness.MAYBE),
        (event("ODS office hours"), event("Ontario Digital Service Office Hours"), Likeness.MAYBE),
        (event("ODS office hours", url="https://x.example/e/1"), event("Ontario Digital Service",
        url="https://www.x.example/e/1/"),
         Likeness.YES),
        (event("Office hours", online="https://zoom.us/j/1"), event("Heures de bureau", online="https://zoom.us/j/1"),
        Likeness.YES),
        (event("Board games", online="https://zoom.us/j/1"), event("Annual assembly", online="https://zoom.us/j/1",
        starts=START + timedelta(minutes=15)), Likeness.MAYBE),
        (event("Civic tech meetup"), event("Civic tech meetup Ottawa"), Likeness.MAYBE),
        (event("Civic tech meetup Waterloo"), event("Civic tech meetup Ottawa"), Likeness.MAYBE),
        (event("Service design clinic A"), event("Service design clinic B"), Likeness.MAYBE),
        (event("Python workshop"), event("Python workshop for beginners"), Likeness.MAYBE),
        (event("Rencontre civique"), event("Rencontre civique de Gatineau"), Likeness.MAYBE),
        (event("Service design clinic Part I"), event("Service design clinic Part II"), Likeness.NO),
        (event("Civic tech meetup", place="City Hall"), event("Civic tech meetup Ottawa", place="City hall"),
         Likeness.YES),
        (event("Civic tech meetup", place="City Hall"), event("Civic tech meetup Ottawa"), Likeness.MAYBE),
        (event("Civic hack night"), event("Civic hacknight"), Likeness.YES),
        (event("Open workshops at night"), event("Open workshop at night"), Likeness.YES),
        (event("Digital day", url="https://x.example/en/day", language="en"),
         event("Journée du numérique", url="https://x.example/fr/journee", language="fr"), Likeness.MAYBE),
        (event("Digital day", url="https://x.example/en/day", language="en"),
         event("Budget night", url="https://x.example/en/budget", language="en"), Likeness.NO),
        (event("Digital day", url="https://lu.ma/a", language="en"),
         event("Journée du numérique", url="https://lu.ma/b", language="fr"), Likeness.NO),
        (event("A talk", url="https://x.example/"), event("Another thing", url="https://x.example/"), Likeness.NO),
        (event("Design office hours"), event("Access office hours"), Likeness.MAYBE),
        (event("Budget night"), event("Service design for beginners"), Likeness.NO),
        (event("Office hours"), event("Office hours"), Likeness.MAYBE),
        (event("Office hours", online="https://zoom.us/j/1"), event("Office hours", online="https://zoom.us/j/2"),
         Likeness.MAYBE),
        (event("Service design clinic", online="https://zoom.us/j/1"), event("Service design clinic",
         online="https://zoom.us/j/2"), Likeness.MAYBE),
        (event("Service design clinic", online="https://zoom.us/j/1", place="City Hall"), event("Service design clinic",
         online="https://zoom.us/j/1?pwd=x", place="City hall"), Likeness.YES),
        (event("Service design clinic", url="https://a.example/1"), event("Service design clinic", url="https://b.example/2"),
         Likeness.MAYBE),
        (event("Service design clinic", url="https://a.example/1", place="City Hall"), event("Service design clinic",
         url="https://b.example/2", place="City hall"), Likeness.YES),
        (event("Bureau fermé", all_day=True), event("Bureau fermé", all_day=True), Likeness.MAYBE),
        (event("Journée de la famille au centre-ville", all_day=True),
         event("Journée de la famille au centre-ville", all_day=True), Likeness.MAYBE),
        (event("Portes ouvertes", place="Library, Ottawa"), event("Portes ouvertes", place="Ottawa library"), Likeness.YES),
        (event("Conference day", all_day=True), event("Conference day"), Likeness.NO),
    ],
)  # fmt: skip
def test_events_are_alike_by_hour_then_title_page_or_link(
    one: Entry, other: Entry, likeness: Likeness
) -> None:
    assert likeness_of(one, item(other)) is likeness
    assert likeness_of(other, item(one)) is likeness


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        (post("A better form"), post("A Better Form"), Likeness.YES),
        (post("A better form", TEXT + " And more."), post("A better form"), Likeness.YES),
        (post("A better form for all"), post("A better form for all - Team blog"), Likeness.YES),
        (post("Une démarche plus simple"), post("Une demarche plus simples – le blogue"), Likeness.YES),
        (post("A better form for all: what we learned", TEXT), post("A better form for all", TEXT + f" {OTHER}"[:90]),
         Likeness.YES),
        (post("A better form for all", TEXT), post("A better form for all: the talk", f"{TEXT[:200]} {OTHER}"),
         Likeness.MAYBE),
        (post("A better form"), post("What forty interviews taught us"), Likeness.MAYBE),
        (post("What we read lately", f"{TEXT} {OTHER} {OTHER}"), post("A better form for all"), Likeness.NO),
        (post("A better form for all, part 1"), post("A better form for all, part 2"), Likeness.NO),
        (post("A better form for all (part one)"), post("A better form for all (Part Two)"), Likeness.NO),
        (post("Une démarche simple, partie I"), post("Une démarche simple, partie II"), Likeness.NO),
        (post("Service design, Week 12"), post("Service design, Week 13"), Likeness.NO),
        (post("Our report for October"), post("Our report for November"), Likeness.NO),
        (post("A better form for all"), post("A better form for all, part 2"), Likeness.MAYBE),
        (post("Hiring a service designer"), post("Hiring a service developer"), Likeness.MAYBE),
        (post("A better form for all", "A teaser.", author="Ana"), post("A better form for all | Blog", author="Ana"),
         Likeness.MAYBE),
        (post("A better form"), post("Another form", OTHER), Likeness.NO),
        (post("v2.1.0", url="https://github.com/cds/one/releases/v2.1.0"),
         post("v2.1.0", url="https://github.com/cds/two/releases/v2.1.0"), Likeness.NO),
        (post("v2.1.0", url="https://a.example/1"), post("v2.1.0", url="https://a.example/2"), Likeness.MAYBE),
        (post("A better form", url="https://a.example/1"), post("A better form", url="https://a.example/2"), Likeness.YES),
        (post("A better form", url="https://a.example/1"), post("A better form", url="https://b.example/2"), Likeness.YES),
        (post("Weeknotes for us", "Nothing " * 60), post("Weeknotes for us"), Likeness.NO),
        (post("A better form"), post("A better form", published=NOW - timedelta(days=61)), Likeness.NO),
        (post("A better form", "A teaser.", author="Ana"), post("A better form", author="Ana"), Likeness.MAYBE),
        (post("A better form", "A teaser.", author="Ana"), post("A better form", author="Bo"), Likeness.NO),
        (post("A better form", TEXT[:100]), post("A better form", TEXT, published=NOW - timedelta(days=2)),
         Likeness.MAYBE),
        (post("A better form", TEXT[:100]), post("A better form", published=NOW - timedelta(days=9)), Likeness.NO),
        (post("A better form", OTHER[:100], author="Ana"), post("A better form", author="Bo"), Likeness.NO),
        (post("A better form", "A teaser."), post("A better form"), Likeness.MAYBE),
    ],
)  # fmt: skip
def test_posts_are_alike_by_title_and_words(one: Entry, other: Entry, likeness: Likeness) -> None:
    assert likeness_of(one, item(other)) is likeness


def test_a_post_is_never_an_event() -> None:
    assert likeness_of(post("Civic hack night"), item(event("Civic hack night"))) is Likeness.NO


def test_titles_that_say_too_little_are_no_hint() -> None:
    assert not hints("Weeknotes", words="")
    assert hints("L’été à Québec", words="") == hints("L'ete a QUEBEC!", words="")


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("A better form for all — Team blog", ""),
        ("Team blog: A better form for all", ""),
        ("What forty interviews taught us", f"By Ana. {TEXT.replace('halved', 'cut in half')} First seen elsewhere."),
    ],
)  # fmt: skip
def test_a_post_under_another_title_shares_a_hint(title: str, words: str) -> None:
    assert set(hints("A better form for all", words=TEXT)) & set(hints(title, words=words))


def test_few_posts_are_compared_however_many_share_a_hint() -> None:
    pool = [
        item(post(f"The service design blog: number {n}", f"{OTHER} {n}"), number=n) for n in range(1, 400)
    ]
    near = Neighbours(pool).of(post("The service design blog: number 77", f"{OTHER} 77"))
    assert (near[0].id, len(near)) == (77, 8)


def test_a_copy_is_added_to_its_item_and_a_doubtful_one_is_flagged() -> None:
    pool = [
        item(event("Civic hack night"), number=7),
        item(event("Meetup", starts=START + timedelta(days=1)), number=8),
    ]
    entries = [
        event("Civic Hack Night"),
        event("Python meetup", starts=START + timedelta(days=1)),
        event("Something else"),
    ]
    copy, doubt, new = decide(entries, {}, source=SourceId(2), now=NOW, pool=pool)
    assert copy == Copy(ItemId(7), entries[0])
    assert isinstance(doubt, Doubt)
    assert doubt.item == ItemId(8)
    assert "maybe-twice" in doubt.entry.flags
    assert new == Add(entries[2])


def test_two_entries_of_one_source_are_never_both_the_same_item() -> None:
    entries = [event("Civic hack night"), replace(event("Civic hack night (bis)"), keys=("uid:2",))]
    first, second = decide(
        entries, {}, source=SourceId(2), now=NOW, pool=[item(event("Civic hack night"), number=7)]
    )
    assert isinstance(first, Copy)
    assert isinstance(second, Add)


def test_the_best_of_several_is_chosen() -> None:
    pool = [item(event("Meetup"), number=1), item(event("Python meetup Toronto"), number=2)]
    found, likeness, _ = Neighbours(pool).twin(event("Python Meetup Toronto"))
    assert (found and found.id, likeness) == (2, Likeness.YES)


def test_comparing_many_events_with_many_does_not_take_for_ever() -> None:
    pool = [item(event(f"Talk about {n}", starts=START + timedelta(hours=n)), number=n) for n in range(5000)]
    entries = [event(f"Talk about {n}", starts=START + timedelta(hours=n, minutes=5)) for n in range(5000)]
    began = time.monotonic()
    intents = decide(entries, {}, source=SourceId(2), now=NOW, pool=pool)
    assert all(isinstance(intent, Copy) for intent in intents)
    assert time.monotonic() - began < 40


@pytest.mark.corpus
def test_real_posts_are_told_apart_from_each_other_and_found_in_their_cross_posts(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cross-posts: the first 25 words cut and 5 % of the rest changed."""
    chance = random.Random(1)
    context = ParseContext(url="https://medium.com/feed/x", now=NOW, horizon=NOW)
    body = (corpus / "medium" / "jinnabaalu_2026-05-03_medium-rss_83a7.xml").read_bytes()
    texts = [
        re.findall(r"\w+", re.sub("<[^>]+>", " ", e.html).lower())
        for e in KINDS["medium"].parse(body, context).entries
    ]
    texts = [words for words in texts if len(words) > 100]
    crossed = [[w if chance.random() > 0.05 else f"{w}x" for w in words[25:]] for words in texts]
    true = [containment(a, b) for a, b in zip(texts, crossed, strict=True)]
    false = [containment(a, b) for i, a in enumerate(texts) for j, b in enumerate(crossed) if i != j]
    with capsys.disabled():
        print(
            f"\n{len(texts)} posts: true pairs {min(true):.2f} to {max(true):.2f}, false pairs at most {max(false):.2f}"
        )
    sketched = [
        (set(hints("", words=" ".join(a))), set(hints("", words=" ".join(b))))
        for a, b in zip(texts, crossed, strict=True)
    ]
    assert all(one & other for one, other in sketched)
    assert min(true) > 0.6
    assert max(false) < 0.3


def _part_by_part(entries: Sequence[Entry]) -> tuple[dict[str, frozenset[str]], list[frozenset[str]]]:
    """One source after the other: which titles (with their number) are kept together, and which are asked about."""
    heads: dict[ItemId, Item] = {}
    copies: dict[ItemId, list[Item]] = {}
    asked: list[tuple[ItemId, ItemId]] = []
    for number, entry in enumerate(entries, start=1):
        (intent,) = decide(
            [entry], {}, source=SourceId(number), now=NOW, pool=list(heads.values()), copies=copies
        )
        mine = item(entry, number=number)
        if isinstance(intent, Copy):
            copies.setdefault(intent.item, []).append(mine)
            asked += [(intent.item, other) for other in intent.others]
        else:
            heads[mine.id] = mine
            if isinstance(intent, Doubt):
                asked += [(mine.id, other) for other in (intent.item, *intent.others)]
    held = {head: [head, *(copy.id for copy in copies.get(head, ()))] for head in heads}
    names = {head: frozenset(entries[one - 1].keys[0] for one in group) for head, group in held.items()}
    return {name: group for group in names.values() for name in group}, [
        names[a] | names[b] for a, b in asked
    ]


_LISTINGS = st.builds(
    lambda title, place, url: event(title, place=place, url=url),
    st.sampled_from(
        [
            "Civic tech meetup",
            "Civic tech meetup Ottawa",
            "Civic tech meetup Waterloo",
            "Civic tech meetup for beginners",
        ]
    ),
    st.sampled_from([None, "City Hall, Ottawa", "Library, Waterloo"]),
    st.sampled_from([None, None, "https://x.example/events/1", "https://x.example/events/2"]),
)


@given(st.lists(_LISTINGS, min_size=3, max_size=4))
def test_whoever_is_visited_first_the_same_is_one_or_an_editor_is_asked(listings: list[Entry]) -> None:
    numbered = [replace(entry, keys=(f"uid:{n}",)) for n, entry in enumerate(listings)]
    ends = [_part_by_part(order) for order in permutations(numbered)]
    for (one, _), (other, asked) in permutations(ends, 2):
        for name, group in one.items():
            for mate in group - other[name]:
                assert any({name, mate} <= pair for pair in asked), (name, mate)


def test_what_excludes_one_another_is_never_one_by_a_third() -> None:
    first = event("Civic tech meetup")
    ottawa, waterloo = (
        event("Civic tech meetup", place=place) for place in ("City Hall, Ottawa", "Library, Waterloo")
    )
    together, asked = _part_by_part(
        [replace(e, keys=(n,)) for n, e in zip("xyz", (first, ottawa, waterloo), strict=True)]
    )
    assert together["x"] == together["y"] == {"x", "y"}
    assert asked == [{"x", "y", "z"}]
