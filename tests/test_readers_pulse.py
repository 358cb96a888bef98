"""Who is here: counts from which no small group can be worked out."""

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.model import Address, Language, Period, SubscriberState
from digest.rules import pulse
from digest.rules.pulse import FLOOR, UNSAID
from digest.web import charts, create_web
from tests import web_kit
from tests.conftest import Clock
from tests.readers_kit import joins, leave_token

names = st.sampled_from(["a", "b", "c", "d", "e"])
counts = st.one_of(st.integers(0, 12), st.integers(0, 200))


@settings(max_examples=300)
@given(
    st.dictionaries(names, st.dictionaries(names, counts, min_size=1), min_size=1),
    st.lists(st.integers(0, 100), max_size=4),
)
def test_no_small_cell_can_be_worked_out(places: dict[str, dict[str, int]], cuts: list[int]) -> None:
    total = sum(sum(found.values()) for found in places.values())
    roles, left = {}, total
    for number, cut in enumerate(cuts):
        roles[f"role{number}"] = min(left, cut)
        left -= roles[f"role{number}"]
    roles[UNSAID] = left
    shown = pulse.pulse(places=places, roles=roles, total=total)
    values, equations = _system(places, roles, total)
    seen = _seen(shown)
    for key, count in values.items():
        if 0 < count < FLOOR:
            assert seen[key] is None, key
    unknown = [key for key in values if seen[key] is None]
    small = [key for key in unknown if 0 < values[key] < FLOOR]
    assert not [key for key in small if _follows(key, unknown, equations)]
    # a sum over hidden cells only, below the floor, would give a small group away as well
    for whole, parts in equations:
        gone = [key for key in parts if seen[key] is None]
        if seen[whole] is not None and gone:
            assert sum(values[key] for key in gone) >= FLOOR


def _system(
    places: dict[str, dict[str, int]], roles: dict[str, int], total: int
) -> tuple[dict[tuple[str, ...], int], list[tuple[tuple[str, ...], list[tuple[str, ...]]]]]:
    values: dict[tuple[str, ...], int] = {("total",): total}
    equations: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = [
        (("total",), [("level", level) for level in places]), (("total",), [("role", role) for role in roles]),
    ]  # fmt: skip
    for level, found in places.items():
        values["level", level] = sum(found.values())
        values |= {("place", level, name): n for name, n in found.items()}
        equations.append((("level", level), [("place", level, name) for name in found]))
    return values | {("role", role): n for role, n in roles.items()}, equations


def _seen(shown: pulse.Pulse) -> dict[tuple[str, ...], int | None]:
    seen: dict[tuple[str, ...], int | None] = {("total",): shown.total}
    seen |= {("level", level.name): level.count for level in shown.levels}
    seen |= {("place", level.name, cell.name): cell.count for level in shown.levels for cell in level.places}
    return seen | {("role", cell.name): cell.count for cell in shown.roles}


def _follows(
    key: tuple[str, ...], unknown: list[tuple[str, ...]],
    equations: list[tuple[tuple[str, ...], list[tuple[str, ...]]]],
) -> bool:  # fmt: skip
    """Whether linear algebra alone gives this cell: its unit vector lies in the row space of what is unknown."""
    rows = [
        [Fraction(-1 if one == whole else 1 if one in parts else 0) for one in unknown]
        for whole, parts in equations
    ]
    target = [Fraction(one == key) for one in unknown]
    return _rank(rows) == _rank([*rows, target])


def _rank(rows: list[list[Fraction]]) -> int:
    rows, rank = [row[:] for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((n for n in range(rank, len(rows)) if rows[n][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for n in range(len(rows)):
            if n != rank and rows[n][column]:
                factor = rows[n][column] / rows[rank][column]
                rows[n] = [a - factor * b for a, b in zip(rows[n], rows[rank], strict=True)]
        rank += 1
    return rank


def test_the_pulse_counts_confirmed_readers_by_whose_domain_it_is(app: App, clock: Clock) -> None:
    for domain, count in (("ontario.ca", 25), ("tbs-sct.gc.ca", 12), ("toronto.ca", 14), ("yukon.ca", 3)):
        for number in range(count):
            joins(app, f"r{number}@{domain}", role="policy" if number % 2 else "")
    app.join.leave(leave_token(app, "r0@ontario.ca"))
    shown = app.join.crowd.pulse()
    seen = {level.name: level.count for level in shown.levels}
    assert shown.total == 50
    assert seen["territorial"] is None
    assert list(seen.values()).count(None) == 2, "one hidden alone would be a subtraction away"
    assert seen["provincial"] == 20
    app.join.tidy()
    clock.forward(days=31)
    app.join.tidy()
    assert [(cell.name, cell.count) for cell in app.join.crowd.pulse().months] == [
        ("2026-11", 50),
        ("2026-12", 50),
    ]


def test_below_the_floor_nothing_is_shown(app: App) -> None:
    for number in range(9):
        joins(app, f"r{number}@ontario.ca")
    shown = app.join.crowd.pulse()
    assert shown.total is None
    assert all(level.count is None for level in shown.levels)


# --- over time ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 5000))
def test_what_is_told_is_a_multiple_of_ten_and_never_small(count: int) -> None:
    told = pulse.told(count)
    assert told % 10 == 0
    assert told == 0 if count == 0 else told >= FLOOR
    assert abs(told - count) <= 9 if count < FLOOR else abs(told - count) <= 5


worlds = st.lists(
    st.dictionaries(names, st.dictionaries(names, counts, min_size=1, max_size=3), min_size=1, max_size=4),
    min_size=1, max_size=3,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(worlds)
def test_no_small_cell_is_known_by_margins_and_months_together(
    months: list[dict[str, dict[str, int]]],
) -> None:
    """The attacker knows the rounding, all margins, and of each month that whoever was hidden before may still be there:
    bounds are tightened until nothing moves. No small group may end up with one possible size."""
    for places in months:
        total = sum(sum(found.values()) for found in places.values())
        values, equations = _system(places, {UNSAID: total}, total)
        seen = _seen(pulse.pulse(places=places, roles={UNSAID: total}, total=total))
        bounds = {key: _possible(seen[key], total=total) for key in values}
        _tighten(bounds, equations)
        known = [key for key, (low, high) in bounds.items() if low == high and 0 < values[key] < FLOOR]
        assert known == [] or total < FLOOR, known


def _possible(told: int | None, *, total: int) -> tuple[int, int]:
    """The sizes that a told number leaves open; a hidden one may be anything but nobody."""
    if told is None:
        return 1, max(total, 1) + 5
    return (0, 0) if told == 0 else (max(FLOOR, told - 5), told + 4)


def _tighten(
    bounds: dict[tuple[str, ...], tuple[int, int]],
    equations: list[tuple[tuple[str, ...], list[tuple[str, ...]]]],
) -> None:
    moved = True
    while moved:
        moved = False
        for whole, parts in equations:
            low, high = sum(bounds[one][0] for one in parts), sum(bounds[one][1] for one in parts)
            fresh = {whole: (max(bounds[whole][0], low), min(bounds[whole][1], high))}
            for one in parts:
                others_low, others_high = low - bounds[one][0], high - bounds[one][1]
                least, most = bounds[whole][0] - others_high, bounds[whole][1] - others_low
                fresh[one] = (max(bounds[one][0], least), min(bounds[one][1], most))
            for key, pair in fresh.items():
                moved |= pair != bounds[key]
                bounds[key] = pair


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(names, st.dictionaries(names, st.integers(0, 60), min_size=1), min_size=1),
    st.integers(1, FLOOR - 1),
    st.data(),
)
def test_a_few_who_came_between_two_pictures_are_not_told(
    before: dict[str, dict[str, int]], came: int, data: st.DataObject
) -> None:
    """Nine at most come to one place. Whatever number moves, moves by ten or by all there is: never by those who came."""
    level = data.draw(st.sampled_from(sorted(before)))
    place = data.draw(st.sampled_from(sorted(before[level])))
    after = {one: dict(found) for one, found in before.items()}
    after[level][place] += came
    pictures = []
    for places in (before, after):
        total = sum(sum(found.values()) for found in places.values())
        pictures.append(_seen(pulse.pulse(places=places, roles={UNSAID: total}, total=total)))
    for key in pictures[0]:
        first, second = pictures[0][key], pictures[1][key]
        if first is not None and second is not None:
            assert (second - first) % 10 == 0


def test_a_picture_in_an_issue_tells_no_more_than_the_page(app: App, clock: Clock) -> None:
    for domain, count in (("ontario.ca", 25), ("tbs-sct.gc.ca", 12), ("toronto.ca", 14), ("yukon.ca", 3)):
        for number in range(count):
            joins(app, f"r{number}@{domain}", role="policy" if number % 2 else "")
    app.join.tidy()
    issue = app.publish.assemble()
    brief = issue.community.pulse
    assert brief is not None
    assert brief.total == 50
    shown = app.join.crowd.pulse()
    assert {share.name: share.count for share in brief.levels} == {
        level.name: level.count for level in shown.levels if level.count
    }
    assert "yukon" not in str(brief)
    assert all(share.count >= FLOOR for part in (brief.levels, brief.places, brief.roles) for share in part)


@pytest.fixture
def sourced(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def _everywhere(app: App, month: Period) -> str:
    """Every number of who is here that anybody is shown: at the desk, on the issue's page, in its text and its JSON."""
    web = create_web(app)
    desk = web_kit.signed_in(app, web).get("/desk/people/pulse", base_url=app.config.list.url).text
    rows = re.findall(r'<tr><th scope="row">(\w[^<]*)</th>.*?<td class="num">([^<]*)</td>', desk, re.DOTALL)
    total = re.findall(r"[Aa]bout (\d+) readers", desk)
    client = web.test_client()
    page = re.search(r'id="pulse".*?</section>', client.get(f"/issues/{month}").text, re.DOTALL)
    others = [client.get(f"/issues/{month}.{kind}").text for kind in ("txt", "json")]
    assert total
    assert page is not None
    return str(([row for row in rows if not row[0].endswith("2026")], total, page[0], others))


@pytest.mark.parametrize("domain", ["ontario.ca", "tbs-sct.gc.ca", "toronto.ca", "gmail.com"])
def test_whoever_is_known_to_have_come_alone_between_two_months_is_in_no_number(
    sourced: App, clock: Clock, domain: str
) -> None:
    """Each cell stands where one reader more tips it to the next ten; the page, the issue and its JSON are looked at."""
    app, month = sourced, web_kit.fill(sourced)
    for whose, count in (("ontario.ca", 24), ("tbs-sct.gc.ca", 14), ("toronto.ca", 14), ("gmail.com", 13)):
        for number in range(count):
            _comes(app, f"r{number}@{whose}")
    app.join.tidy()
    web_kit.publish(app, month)
    before = _everywhere(app, month.period)
    clock.forward(days=31)
    _comes(app, f"known@{domain}")
    app.join.tidy()
    assert _everywhere(app, month.period) == before
    assert app.publish.assemble().community.pulse == app.store.issues.get(month.period).community.pulse
    assert [str(one) for _, one in app.join.crowd.history()][1:] == [
        str(one) for _, one in app.join.crowd.history()
    ][:-1]
    for number in range(9):
        _comes(app, f"n{number}@ontario.ca")
    app.join.tidy()
    assert _everywhere(app, month.period) != before, "with nine others the picture moves"


def _comes(app: App, address: str) -> None:
    with app.store.write():
        app.store.subscribers.add(Address(address), language=Language.EN, role="policy",
                                  state=SubscriberState.CONFIRMED, now=app.clock())  # fmt: skip


people = st.lists(st.tuples(names, st.integers(-3, 3)), max_size=8)


@given(st.lists(people, min_size=1, max_size=12))
def test_two_pictures_differ_by_ten_people_or_not_at_all(days: list[list[tuple[str, int]]]) -> None:
    here = dict.fromkeys("abcde", 20)
    kept: pulse.Counts = {}
    came_or_went = 0
    for day in days:
        for place, step in day:
            step = max(step, -here[place])
            here[place] += step
            came_or_went += abs(step)
        fresh = {"place": dict(here), "all": {"all": sum(here.values())}}
        told = pulse.steady(kept, fresh)
        if told == fresh or not kept:
            assert not kept or told == kept or came_or_went >= FLOOR
            came_or_went = 0 if told != kept else came_or_went
        kept = told


# --- plots --------------------------------------------------------------------------------------------------------------


def test_a_month_that_cannot_be_told_is_a_gap_in_the_line_and_never_a_zero() -> None:
    drawn = charts.line([("Jan", None), ("Feb", 20), ("Mar", 30), ("Apr", None), ("May", 40)], number=str)
    assert drawn is not None
    assert drawn.path.count("M") == 2
    assert [row.text for row in drawn.rows] == ["0", "20", "40"]
    assert [dot.text for dot in drawn.dots] == ["40"]
    assert charts.line([("Jan", None), ("Feb", 20)], number=str) is None
    assert charts.small([None, 10]) == ""


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**6)), max_size=30))
def test_every_point_lies_inside_its_picture(values: list[int | None]) -> None:
    drawn = charts.line([(str(n), count) for n, count in enumerate(values)], number=str)
    for path, wide, high in (
        (drawn.path if drawn else "", charts.WIDE, charts.HIGH),
        (charts.small(values), charts.SMALL_WIDE, charts.SMALL_HIGH),
    ):
        for x, y in re.findall(r"[ML](\S+) ([\d.e+-]+)", path.replace("M", " M").replace("L", " L")):
            assert 0 <= float(x) <= wide
            assert 0 <= float(y) <= high


def test_the_page_shows_growth_with_its_sentence_and_its_numbers(app: App, clock: Clock) -> None:
    with app.store.write():
        for number in range(40):
            app.store.subscribers.add(Address(f"r{number}@ontario.ca"), language=Language.EN,
                                      state=SubscriberState.CONFIRMED, now=clock())  # fmt: skip
    app.join.tidy()
    clock.forward(days=31)
    app.join.tidy()
    page = (
        web_kit.signed_in(app, create_web(app)).get("/desk/people/pulse", base_url=app.config.list.url).text
    )
    assert 'aria-label="From 40 readers in November 2026 to 40 in December 2026"' in page
    assert '<th scope="row">November 2026</th><td class="num">40</td>' in page


def test_an_empty_list_tells_no_counts_and_its_issue_can_be_approved() -> None:
    assert pulse.brief(pulse.pulse(places={}, roles={}, total=0)) is None
