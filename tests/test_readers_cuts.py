"""Less than the whole letter: sections, events only, a recap every third month. What was chosen is what is sent."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.errors import MoveRefused
from digest.join_choices import Choice
from digest.model import Address, Cadence, DeliveryState, IssueState, Language, Period, SubscriberState
from digest.rules.cuts import CHOICES, RECAP, cut_of, topics_of, trimmed
from digest.store.sqlite import open_store
from tests import render_kit, web_kit
from tests.conftest import NOW, Clock
from tests.readers_kit import joins, manage_token

ZONED = "America/Vancouver"
EVENT, POST = "Office hours: ask a service designer", "Procurement in the open: month three"


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as opened:
        yield opened


def chooses(app: App, text: str, **choice: object) -> None:
    joins(app, text)
    app.join.choices.save(manage_token(app, text), Choice(**({"language": "en"} | choice)))  # type: ignore[arg-type]


def letters(app: App) -> dict[str, str]:
    """Whom a letter was written to, and its text part; the caught ones so far."""
    found = {}
    for path in sorted(app.config.path(app.config.mail.folder).glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        part = message.get_body(("plain",))  # type: ignore[attr-defined]
        if "List-Id" in message:
            found[str(message["To"])] = part.get_content()
        path.unlink()
    return found


def editions(app: App, period: Period) -> list[str]:
    return sorted(app.store.issues.editions(app.store.issues.get(period).id))


def test_each_gets_what_was_chosen_and_the_editions_stay_few(app: App) -> None:
    month = web_kit.fill(app, readers=3)
    chooses(app, "events@example.org", cadence="events")
    chooses(app, "reads@example.org", cadence="events", topics=("worth-reading",))
    chooses(app, "west@example.org", cadence="events", timezone=ZONED)
    chooses(app, "posts@example.org", topics=("worth-reading",), timezone=ZONED)
    chooses(app, "calls@example.org", topics=("calls",))
    chooses(app, "most@example.org", topics=("worth-reading", "coming-up"))
    chooses(app, "all@example.org", topics=tuple(CHOICES))
    chooses(app, "lu@example.org", cadence="events", language="fr")
    web_kit.publish(app, month)
    sent = letters(app)
    assert "calls@example.org" not in sent, "nothing of it this month, so no letter"
    assert app.store.issues.get(month.period).state is IssueState.SENT
    for who, event, post in (
        ("events@example.org", True, False), ("reads@example.org", True, False),
        ("west@example.org", True, False), ("lu@example.org", True, False),
        ("posts@example.org", False, True), ("most@example.org", True, True), ("all@example.org", True, True),
        ("reader0@example.com", True, True),
    ):  # fmt: skip
        assert (EVENT in sent[who]) is event, who
        assert (POST in sent[who]) is post, who
    assert "Pacific" in sent["west@example.org"]
    assert editions(app, month.period) == [
        "en", "en#coming-up", "en#coming-up+worth-reading", f"en#coming-up@{ZONED}", "en#worth-reading", "fr",
        "fr#coming-up",
    ]  # fmt: skip


def test_a_recap_brings_what_was_worth_reading_in_three_months_once(app: App, clock: Clock) -> None:
    chooses(app, "quarterly@example.org", cadence="quarterly")
    joins(app, "every@example.org")
    titles = {}
    for number, month in enumerate((10, 11, 12)):
        clock.time = datetime(2026, month, 1, tzinfo=NOW.tzinfo) - timedelta(days=5)
        titles[month] = f"Post of month {month}"
        source = next(one.id for one in app.store.sources.all() if one.name == "Harbour City")
        with app.store.write():
            for title in (titles[month], f"Second of month {month}"):
                app.store.items.add(
                    web_kit.post(title, now=clock() - timedelta(days=1)), source=source, now=clock()
                )
        issue = app.publish.assemble(Period(2026, month))
        if number == 1:
            second = next(one for one in issue.placed if one.item.title == f"Second of month {month}")
            app.publish.cut(issue.period, second.item.id, by="1")
        app.publish.approve(issue.period, by="1")
        app.send.issue(issue.period)
        sent = letters(app)
        assert titles[month] in sent["every@example.org"]
        assert ("quarterly@example.org" in sent) is (month == 12)
    recap = sent["quarterly@example.org"]
    assert [recap.count(title) for title in titles.values()] == [1, 1, 1]
    assert "Second of month 11" not in recap, "an editor cut it"
    assert recap.index(titles[12]) < recap.index(titles[11]) < recap.index(titles[10])
    assert titles[10] not in sent["every@example.org"]


def test_a_letter_that_nobody_looked_at_does_not_leave_broken(
    make_config: Callable[[str], Config], clock: Clock, tmp_path: Path
) -> None:
    """An operator's template that is at fault only where one section stands alone: every check that editors see passes."""
    ours = (Path(__file__).parent.parent / "templates" / "letter" / "letter.html").read_text(encoding="utf-8")
    (tmp_path / "templates" / "letter").mkdir(parents=True)
    (tmp_path / "templates" / "letter" / "letter.html").write_text(
        ours.replace("<h1>", "{% if view.sections | length == 1 %}<h1></h1>{% endif %}<h1>"), encoding="utf-8"
    )
    with open_app(make_config(web_kit.SOURCES), clock=clock) as app:
        month = web_kit.fill(app).period
        chooses(app, "west@example.org", cadence="events", timezone=ZONED)
        app.publish.assemble(month)
        assert not [c for c in app.publish.preflight(month) if c.outcome == "fail" and c.severity == "block"]
        with pytest.raises(
            MoveRefused, match="English, events alone: The headings make no outline"
        ) as refused:
            app.publish.approve(month, by="command")
        assert refused.value.slots == {"letter": "en#coming-up", "rule": "heading"}
        assert app.store.issues.get(month).state is IssueState.DRAFT


def test_every_letter_that_is_frozen_was_proved(app: App) -> None:
    month = web_kit.fill(app).period
    chooses(app, "west@example.org", cadence="events", timezone=ZONED)
    app.publish.assemble(month)
    app.publish.approve(month, by="command")
    assert "en#coming-up@America/Vancouver" in editions(app, month)
    told = {c.id: c.outcome for c in app.publish.preflight(month)}
    assert told["approval"] == "pass"


def test_a_choice_made_after_the_approval_counts_from_the_next_issue(app: App) -> None:
    month = web_kit.fill(app, readers=0)
    chooses(app, "late@example.org")
    app.publish.assemble(month.period)
    app.publish.approve(month.period, by="1")
    app.join.choices.save(manage_token(app, "late@example.org"), Choice(language="en", cadence="events"))
    app.send.issue(month.period)
    assert POST in letters(app)["late@example.org"]


def test_who_pauses_or_waits_for_a_recap_is_not_counted_as_audience(app: App) -> None:
    month = web_kit.fill(app, readers=2)
    chooses(app, "quarterly@example.org", cadence="quarterly")
    chooses(app, "resting@example.org", pause_until=(NOW + timedelta(days=60)).date())

    def count(period: Period, *, send_at: datetime) -> int:
        return sum(app.store.subscribers.audience(period, send_at=send_at).values())

    assert count(Period(2026, 11), send_at=NOW) == 2
    assert count(Period(2026, 12), send_at=NOW) == 3
    assert count(Period(2026, 12), send_at=NOW + timedelta(days=61)) == 4
    assert month.period.month == 12


def test_who_wants_only_what_is_empty_is_not_counted_before_approval_either(app: App) -> None:
    month = web_kit.fill(app, readers=2)
    chooses(app, "calls@example.org", topics=["calls"])
    chooses(app, "events@example.org", cadence="events")
    draft = app.publish.assemble(month.period)
    assert not draft.section("calls")
    said = app.publish.audience(draft)
    assert said == {"en": 2, "fr": 1}, "two plain readers and who wants events; nobody calls"
    app.publish.approve(month.period, by="test")
    counts = app.store.deliveries.counts(draft.id)
    assert sum(counts.values()) == sum(said.values())


def test_sections_asked_for_at_the_door_are_kept(app: App) -> None:
    joins(app, "a@example.org", topics=("calls", "coming-up", "gossip"))  # type: ignore[arg-type]
    found = app.store.subscribers.find(Address("a@example.org"))
    assert found is not None
    assert found.topics == ("coming-up", "calls")


def test_topics_stand_in_the_letters_order_and_all_of_them_are_none() -> None:
    assert topics_of(["calls", "coming-up"]) == ("coming-up", "calls")
    assert topics_of(CHOICES) == topics_of([]) == topics_of(["gossip"]) == ()


def test_a_choice_of_sections_that_this_letter_does_not_print_is_the_whole() -> None:
    issue = render_kit.small()
    assert trimmed(issue, "calls", printed=("coming-up", "worth-reading")) is issue
    assert trimmed(issue, "gossip") is issue


def test_an_events_letter_says_nothing_of_the_community_and_a_recap_no_bench() -> None:
    issue = render_kit.month_of_12()
    events = trimmed(issue, "coming-up")
    assert events is not None
    assert {one.section for one in events.placed} == {"coming-up"}
    assert events.community.people == ()
    recap = trimmed(issue, RECAP, earlier=[issue])
    assert recap is not None
    assert Counter(one.item.id for one in recap.placed).most_common(1)[0][1] == 1
    assert None not in {one.section for one in recap.placed}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(Cadence), st.sets(st.sampled_from(CHOICES)))
def test_the_store_says_of_many_what_the_rule_says_of_one(
    tmp_path_factory: pytest.TempPathFactory, cadence: Cadence, asked: set[str]
) -> None:
    store = open_store(tmp_path_factory.mktemp("cut") / "x.db", now=NOW)
    topics = topics_of(asked)
    with store.write():
        one = store.subscribers.add(Address("a@example.org"), language=Language.EN, topics=topics, now=NOW,
                                    state=SubscriberState.CONFIRMED)  # fmt: skip
        store.subscribers.save(
            type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"cadence": cadence})
        )
        issue = store.issues.create(period=Period(2026, 12), since=NOW, until=NOW, send_at=NOW, placed=())
    cut = cut_of(cadence, topics)
    assert [found for _, _, found in store.subscribers.cuts(recap=True)] == ([cut] if cut else [])
    keys = [f"en{'#' if cut else ''}{cut}"]
    with store.write():
        assert store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW, editions=keys) == 1
        [row] = store.deliveries.listed(issue, DeliveryState.QUEUED, limit=9)
        assert row.edition == keys[0]
        store.deliveries.drop(issue)
        listed = store.deliveries.list_audience(
            issue, languages=[Language.EN], now=NOW, empty=[cut] if cut else []
        )
        assert listed == (0 if cut else 1)
        store.deliveries.drop(issue)
        assert store.deliveries.list_audience(issue, languages=[Language.EN], now=NOW) == 1, (
            "not made: the whole"
        )
        [row] = store.deliveries.listed(issue, DeliveryState.QUEUED, limit=9)
        assert row.edition == "en"
    store.close()
