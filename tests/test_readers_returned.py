"""Letters that come back, the whole way: a dead address is written to no more, who complains has left, a forgery does nothing."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from digest import schedule
from digest.app import App, open_app
from digest.config import Config
from digest.errors import InputRefused
from digest.join import Ask
from digest.model import (
    Address,
    DeliveryId,
    DeliveryState,
    Language,
    NoticeKind,
    Period,
    Role,
    SubscriberState,
)
from digest.rules.consent import standing
from digest.rules.returned import Verdict
from tests.conftest import Clock
from tests.readers_kit import (
    ANN,
    complaint,
    confirm_token,
    dsn,
    is_known,
    joins,
    leave_token,
    manage_token,
    person,
    sent_issue,
    taken,
)

BO = "bo@example.org"


@pytest.fixture
def app(make_config: Callable[[str], Config], clock: Clock) -> Iterator[App]:
    with open_app(make_config('[inbound]\nmaildir = "Maildir"\n'), clock=clock) as opened:
        joins(opened)
        joins(opened, BO)
        taken(opened, clock)
        yield opened


@pytest.fixture
def months(app: App, clock: Clock) -> Callable[..., dict[str, DeliveryId]]:
    numbers = count(1)

    def one_more(**more: str) -> dict[str, DeliveryId]:
        clock.forward(days=30)
        number = next(numbers)
        return sent_issue(app, clock, Period(2027 + number // 12, number % 12 + 1), **more)

    return one_more


Months = Callable[..., dict[str, DeliveryId]]


def state(app: App, text: str = ANN) -> SubscriberState:
    return person(app, text).state


def last_line(app: App, text: str = ANN) -> tuple[str, str, str]:
    line = app.store.consents.of(person(app, text).id)[-1]
    return line.act, line.method, line.origin


def test_a_dead_address_is_suspended_by_its_second_issue_and_the_log_says_why(
    app: App, months: Months
) -> None:
    for issue in (1, 2):
        letter = months()[ANN]
        for _ in range(3):
            app.take_letter(dsn(app, letter))
        expected = SubscriberState.CONFIRMED if issue == 1 else SubscriberState.SUSPENDED
        assert state(app) is expected, "however many reports arrive, an issue counts once"
    assert last_line(app) == ("suspended", "bounce", "5.1.1")
    assert state(app, BO) is SubscriberState.CONFIRMED
    assert set(months()) == {BO}


def test_the_reports_arrive_by_maildir_and_are_read_once(
    app: App, months: Months, tmp_path: Path, clock: Clock
) -> None:
    new, cur = tmp_path / "Maildir" / "new", tmp_path / "Maildir" / "cur"
    new.mkdir(parents=True)
    for month in (1, 2):
        (new / f"{month}.a").write_bytes(dsn(app, months()[ANN]))
        assert schedule.read_inbox(app) == 1
    assert state(app) is SubscriberState.SUSPENDED
    assert sorted(path.name for path in cur.iterdir()) == ["1.a:2,S", "2.a:2,S"]
    assert taken(app, clock) == [], "a returned letter is never answered"


def test_a_mailbox_that_is_full_is_kept_until_five_issues_in_a_row(app: App, months: Months) -> None:
    full = {"status": "5.2.2", "words": "552 5.2.2 mailbox full"}
    for _ in range(4):
        app.take_letter(dsn(app, months()[ANN], **full))
    months()
    for _ in range(4):
        app.take_letter(dsn(app, months()[ANN], **full))
        assert state(app) is SubscriberState.CONFIRMED, "a letter that arrived is a new beginning"
    app.take_letter(dsn(app, months()[ANN], **full))
    assert state(app) is SubscriberState.SUSPENDED


def test_a_refusal_because_of_us_marks_nobody_and_is_left_for_people(app: App, months: Months) -> None:
    for _ in range(7):
        ours = dsn(app, months()[ANN], status="5.7.26", words="550 5.7.26 unauthenticated mail")
        assert not app.take_letter(ours)
    assert state(app) is SubscriberState.CONFIRMED


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_what_is_no_failure_marks_nobody(app: App, months: Months, action: str) -> None:
    for _ in range(3):
        assert not app.take_letter(dsn(app, months()[ANN], action=action, status="4.0.0", words="wait"))
    assert state(app) is SubscriberState.CONFIRMED


def test_a_forged_mark_or_none_does_nothing(app: App, months: Months) -> None:
    for _ in range(3):
        letter = months()[ANN]
        good = app.links.bounce_token(letter)
        for token in (good[:-1] + ("0" if good[-1] != "0" else "1"), "0" * 26, "ann=example.org"):
            assert not app.take_letter(dsn(app, letter, to=token, recipient=ANN))
        assert not app.take_letter(complaint(f"<1.{letter}.0123456789abcdef@lists.example.org>"))
    assert state(app) is SubscriberState.CONFIRMED
    assert app.store.returns.counts(app.store.issues.all()[0].id)[Verdict.HARD] == 0


def test_a_good_mark_acts_on_its_own_letter_whoever_the_report_names(app: App, months: Months) -> None:
    for _ in range(2):
        app.take_letter(dsn(app, months()[ANN], recipient=BO))
    assert (state(app), state(app, BO)) == (SubscriberState.SUSPENDED, SubscriberState.CONFIRMED)


def test_a_complaint_leaves_at_once_and_no_import_brings_them_back(
    app: App, months: Months, clock: Clock
) -> None:
    letter = months()[ANN]
    issue = app.store.returns.whose(letter)
    assert issue is not None
    report = complaint(app.links.message_id(issue[0], letter))
    for _ in range(2):
        assert app.take_letter(report)
    assert state(app) is SubscriberState.LEFT
    assert last_line(app)[:2] == ("left", "complaint")
    assert taken(app, clock) == [], "no second letter says so"
    assert set(months()) == {BO}
    with pytest.raises(InputRefused):
        app.join.add(ANN, basis="express", origin="a list")
    app.join.ask(Ask(address=ANN))
    app.join.confirm(confirm_token(app))
    assert state(app) is SubscriberState.CONFIRMED, "only they themselves can come back"


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "other"])
def test_reports_of_another_kind_undo_and_do_nothing(app: App, months: Months, kind: str) -> None:
    letter = months()[ANN]
    whose = app.store.returns.whose(letter)
    assert whose is not None
    assert not app.take_letter(complaint(app.links.message_id(whose[0], letter), kind=kind))
    assert state(app) is SubscriberState.CONFIRMED


def test_a_report_ends_the_doubt_about_its_letter(app: App, clock: Clock) -> None:
    now = clock()
    with app.store.write():
        issue = app.store.issues.create(period=Period(2027, 1), since=now, until=now, send_at=now, placed=[])
        app.store.deliveries.list_audience(issue, languages=[Language.EN], now=now)
        run = app.store.deliveries.begin_run(issue, now=now, lease_s=60)
        claimed = app.store.deliveries.claim(run, count=9, now=now)
        app.store.deliveries.commit(
            run, outcomes=[], intents=[(one.id, n) for n, one in enumerate(claimed)], now=now
        )
    clock.forward(minutes=5)
    with app.store.write():
        app.store.deliveries.recover(issue, now=clock())
    letter = next(one.id for one in claimed if one.address.key == ANN)
    assert app.store.deliveries.counts(issue)[DeliveryState.UNSURE] == 2
    app.take_letter(dsn(app, letter))
    assert app.store.deliveries.counts(issue)[DeliveryState.UNSURE] == 1
    assert [one.id for one in app.store.deliveries.listed(issue, DeliveryState.SENT, limit=9)] == [letter]


def test_the_way_back_is_a_new_confirmation_and_it_clears_the_score(app: App, months: Months) -> None:
    for _ in range(2):
        app.take_letter(dsn(app, months()[ANN]))
    assert state(app) is SubscriberState.SUSPENDED
    app.join.ask(Ask(address=ANN))
    app.join.confirm(confirm_token(app))
    app.take_letter(dsn(app, months()[ANN]))
    assert state(app) is SubscriberState.CONFIRMED, "one more bad day is only one"
    app.take_letter(dsn(app, months()[ANN]))
    assert state(app) is SubscriberState.SUSPENDED


def test_who_has_left_stays_left_whatever_comes_back(app: App, months: Months) -> None:
    first, second = months()[ANN], months()[ANN]
    app.join.leave(leave_token(app))
    for letter in (first, second):
        app.take_letter(dsn(app, letter))
    assert state(app) is SubscriberState.LEFT


def test_a_report_about_somebody_forgotten_does_nothing(app: App, months: Months) -> None:
    letter = months()[ANN]
    app.take_letter(dsn(app, letter))
    app.join.choices.forget(manage_token(app))
    assert not app.take_letter(dsn(app, letter))
    assert not is_known(app)


def test_mail_servers_that_say_no_at_once_count_too(app: App, months: Months) -> None:
    for issue in (1, 2):
        months(refused=ANN, reply="550 5.1.1 nobody here")
        app.join.tidy()
        assert (state(app) is SubscriberState.SUSPENDED) is (issue == 2)
    assert last_line(app)[:2] == ("suspended", "bounce")


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "550 5.7.1 blocked"])
def test_a_mail_server_that_was_only_late_or_means_us_counts_nothing(
    app: App, months: Months, reply: str
) -> None:
    for _ in range(7):
        months(refused=ANN, reply=reply)
        app.join.tidy()
    assert state(app) is SubscriberState.CONFIRMED


def test_a_storm_of_returns_suspends_nobody_and_tells_the_editors_once(
    app: App, months: Months, clock: Clock
) -> None:
    with app.store.write():
        app.store.editors.add(Address("dana@example.org"), role=Role.APPROVER, language=Language.EN)
        for number in range(40):
            app.store.subscribers.add(Address(f"r{number}@example.com"), language=Language.EN, now=clock(),
                                      state=SubscriberState.CONFIRMED)  # fmt: skip
    first, second = months(), months()
    assert len(second) == 42
    suspended = []
    for address in first:
        app.take_letter(dsn(app, first[address]))
        app.take_letter(dsn(app, second[address]))
        suspended.append(state(app, address) is SubscriberState.SUSPENDED)
    assert sum(suspended) < 20
    assert not any(suspended[20:])
    assert [one.kind for one in taken(app, clock)] == [NoticeKind.MANY_RETURN]


def crowd(app: App, clock: Clock, size: int, domain: str) -> None:
    with app.store.write():
        if not app.store.editors.all():
            app.store.editors.add(Address("dana@example.org"), role=Role.APPROVER, language=Language.EN)
        for number in range(size):
            app.store.subscribers.add(Address(f"r{number}@{domain}"), language=Language.EN, now=clock(),
                                      state=SubscriberState.CONFIRMED)  # fmt: skip


def at(letters: dict[str, DeliveryId], domain: str) -> list[str]:
    return [address for address in letters if address.endswith(f"@{domain}")]


def test_who_was_suspended_before_a_storm_showed_is_written_to_again(
    app: App, months: Months, clock: Clock
) -> None:
    """The first of them, in the second storm in a row: one provider's fault is no reader's."""
    crowd(app, clock, 60, "big.example")
    crowd(app, clock, 60, "other.example")
    taken(app, clock)
    for _ in (1, 2, 3):
        letters = months()
        for address in at(letters, "big.example"):
            app.take_letter(dsn(app, letters[address]))
        assert {state(app, address) for address in letters} == {SubscriberState.CONFIRMED}
    assert {notice.kind for notice in taken(app, clock)} <= {NoticeKind.MANY_RETURN, NoticeKind.NEWEST}
    for _ in range(4):
        app.take_letter(dsn(app, months()["r0@big.example"], status="5.2.2", words="552 5.2.2 mailbox full"))
    assert state(app, "r0@big.example") is SubscriberState.CONFIRMED, "storms count for nothing afterwards"
    for _ in (1, 2):
        app.take_letter(dsn(app, months()["r1@big.example"]))
    assert state(app, "r1@big.example") is SubscriberState.SUSPENDED, "and excuse nobody"


def test_half_of_a_small_domain_at_once_is_a_storm_unless_the_domain_is_gone(
    app: App, months: Months, clock: Clock
) -> None:
    crowd(app, clock, 8, "small.example")
    crowd(app, clock, 8, "gone.example")
    for _ in (1, 2):
        letters = months()
        for address in at(letters, "small.example"):
            app.take_letter(dsn(app, letters[address]))
        for address in at(letters, "gone.example"):
            app.take_letter(dsn(app, letters[address], status="5.1.2", words="550 5.1.2 host not found"))
    assert {state(app, address) for address in at(letters, "small.example")} == {SubscriberState.CONFIRMED}
    assert {state(app, address) for address in at(letters, "gone.example")} == {SubscriberState.SUSPENDED}
    for line in app.store.consents.of(person(app, "r0@small.example").id):
        assert line.act != "suspended" or line.at < clock()


def test_mail_servers_that_refuse_all_of_a_domain_suspend_nobody(
    app: App, months: Months, clock: Clock
) -> None:
    crowd(app, clock, 6, "small.example")
    for _ in (1, 2):
        letters = months(refused="@small.example", reply="550 5.1.1 nobody here")
        app.join.tidy()
    assert {state(app, address) for address in at(letters, "small.example")} == {SubscriberState.CONFIRMED}
    assert NoticeKind.MANY_RETURN in {notice.kind for notice in taken(app, clock)}


def test_a_refusal_because_of_us_tells_the_editors_once_a_day(app: App, months: Months, clock: Clock) -> None:
    crowd(app, clock, 1, "big.example")
    taken(app, clock)
    letters = months()
    for address in letters:
        app.take_letter(dsn(app, letters[address], status="5.7.1", words="550 5.7.1 blocked by policy"))
    assert [notice.kind for notice in taken(app, clock)] == [NoticeKind.REFUSED_FOR_US]
    app.send.notices()


def test_who_is_suspended_is_written_to_again_when_the_desk_says_so(
    app: App, months: Months, clock: Clock
) -> None:
    for _ in (1, 2):
        app.take_letter(dsn(app, months()[ANN]))
    number = person(app).id
    assert [one.words for one in app.store.returns.suspended()] == ["550 5.1.1 no such user"]
    clock.forward(minutes=1)
    assert app.join.returned.write_again(number, by="1")
    assert not app.join.returned.write_again(number, by="1")
    assert app.store.returns.suspended() == []
    assert last_line(app) == ("resumed", "desk", "1")
    assert standing(app.store.consents.of(number)) is SubscriberState.CONFIRMED
    letter = months()
    assert ANN in letter
    app.take_letter(dsn(app, letter[ANN]))
    assert state(app) is SubscriberState.CONFIRMED, "what failed before is forgotten"
    app.take_letter(dsn(app, months()[ANN]))
    assert state(app) is SubscriberState.SUSPENDED


def test_no_words_of_another_machine_outlive_a_person_in_the_log(app: App, months: Months) -> None:
    """They may hold a name; the log is never deleted."""
    for _ in (1, 2):
        app.take_letter(dsn(app, months()[ANN], words="550 5.1.1 Ann Archibald is no such user"))
    app.join.forget(ANN)
    app.store.backup(app.config.path("copy.db"))
    assert b"Archibald" not in app.config.path("copy.db").read_bytes()


def test_what_is_kept_of_it_is_shown_to_the_person_and_goes_with_them(app: App, months: Months) -> None:
    letter = months()[ANN]
    app.take_letter(dsn(app, letter, words="550 5.1.1 <ann@example.org> no such user"))
    told = app.join.choices.dossier(manage_token(app))["letters"][-1]
    assert told["came_back"] == "hard: 550 5.1.1 (address) no such user"
    app.join.choices.forget(manage_token(app))
    assert app.store.returns.counts(app.store.issues.all()[0].id)[Verdict.HARD] == 1
