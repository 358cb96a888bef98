"""What readers choose behind a fresh link, and what the link in a letter may not. Abuse case S11 of the guide."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.errors import AddressRefused, InputRefused, TokenRefused
from digest.join import Ask
from digest.join_choices import Choice, dossier_rows
from digest.model import Address, Cadence, Language, NoticeKind, Period, SubscriberState
from digest.rules.consent import Answer, standing
from tests import web_kit
from tests.conftest import NOW, Clock
from tests.readers_kit import (
    ANN,
    address_token,
    confirm_token,
    is_known,
    joins,
    leave_token,
    letter_token,
    manage_token,
    person,
    taken,
)

NEW = "ann.new@example.com"


def test_choices_are_kept_and_logged(app: App) -> None:
    joins(app)
    choice = Choice(language="fr", timezone="America/Halifax", role="policy", cadence="quarterly")
    app.join.choices.save(manage_token(app), choice)
    ann = person(app)
    assert (ann.language, ann.timezone, ann.role, ann.cadence) == (
        Language.FR, "America/Halifax", "policy", Cadence.QUARTERLY,
    )  # fmt: skip
    assert app.store.consents.of(ann.id)[-1].act == "chose"


@pytest.mark.parametrize(
    "choice",
    [
        Choice(language="en", timezone="Mars/Olympus"),
        Choice(language="en", cadence="hourly"),
        Choice(language="en", pause_until=date(2031, 1, 1)),
    ],
)
def test_a_choice_that_does_not_exist_changes_nothing(app: App, choice: Choice) -> None:
    before = joins(app)
    with pytest.raises(InputRefused):
        app.join.choices.save(manage_token(app), choice)
    assert person(app) == before


def test_the_link_of_a_letter_opens_none_of_this(app: App) -> None:
    """S11."""
    before = joins(app)
    token = letter_token(app)
    for act in (
        lambda: app.join.choices.save(token, Choice(language="fr")),
        lambda: app.join.choices.ask_address(token, NEW),
        lambda: app.join.choices.dossier(token),
        lambda: app.join.choices.forget(token),
        lambda: app.join.gate.invitation(token),
    ):
        with pytest.raises(TokenRefused):
            act()
    assert person(app) == before


def listed(app: App, period: Period, *, send_at: datetime) -> set[str]:
    with app.store.write():
        issue = app.store.issues.create(
            period=period, since=app.clock(), until=app.clock(), send_at=send_at, placed=[]
        )
        app.store.deliveries.list_audience(issue, languages=[Language.EN], now=app.clock())
        run = app.store.deliveries.begin_run(issue, now=app.clock(), lease_s=60)
        return {d.address.reveal() for d in app.store.deliveries.claim(run, count=99, now=app.clock())}


def test_a_pause_holds_letters_back_until_its_day(app: App) -> None:
    joins(app)
    joins(app, "luc@example.org")
    app.join.choices.save(
        manage_token(app), Choice(language="en", timezone="Europe/Paris", pause_until=date(2026, 12, 15))
    )
    assert person(app).paused_until == datetime(2026, 12, 14, 23, 0, tzinfo=UTC)
    assert listed(app, Period(2026, 11), send_at=datetime(2026, 12, 1, 14, tzinfo=UTC)) == {"luc@example.org"}
    assert listed(app, Period(2026, 12), send_at=datetime(2027, 1, 1, 14, tzinfo=UTC)) == {
        "luc@example.org",
        ANN,
    }
    app.join.choices.save(manage_token(app), Choice(language="en"))
    assert person(app).paused_until is None


def test_pausing_takes_back_a_letter_that_has_not_left(app: App) -> None:
    joins(app)
    with app.store.write():
        issue = app.store.issues.create(
            period=Period(2026, 11), since=app.clock(), until=app.clock(), send_at=app.clock(), placed=[]
        )
        app.store.deliveries.list_audience(issue, languages=[Language.EN], now=app.clock())
    app.join.choices.save(manage_token(app), Choice(language="en", pause_until=date(2027, 1, 1)))
    with app.store.write():
        run = app.store.deliveries.begin_run(issue, now=app.clock(), lease_s=60)
        assert app.store.deliveries.claim(run, count=9, now=app.clock()) == []


def test_every_third_month_means_march_june_september_december(app: App) -> None:
    joins(app)
    app.join.choices.save(manage_token(app), Choice(language="en", cadence="quarterly"))
    for month in range(1, 13):
        expected = {ANN} if month in {3, 6, 9, 12} else set()
        assert listed(app, Period(2027, month), send_at=datetime(2027, month, 1, tzinfo=UTC)) == expected


# --- another address -------------------------------------------------------------------------------------------------


def test_an_address_changes_only_when_both_ends_said_so(app: App, clock: Clock) -> None:
    joins(app)
    taken(app, clock)
    old_leave, old_manage = leave_token(app), manage_token(app)
    app.join.choices.ask_address(old_manage, NEW)
    assert person(app).address == Address(ANN)
    [notice] = taken(app, clock)
    assert (notice.kind, notice.address) == (NoticeKind.NEW_ADDRESS, Address(NEW))
    token = address_token(app)
    assert app.join.choices.move(token).answer is Answer.DONE
    assert person(app, NEW).state is SubscriberState.CONFIRMED
    assert not is_known(app)
    for act in (lambda: app.join.choices.move(token), lambda: app.join.choices.dossier(old_manage)):
        with pytest.raises(TokenRefused):
            act()
    assert app.join.leave(old_leave).answer is Answer.DONE


def test_nobody_moves_to_a_domain_that_is_never_written_to(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    """Nor is a letter sent there, or after a link went out and the domain was blocked since."""
    with open_app(make_config(""), clock=clock) as app:
        joins(app)
        taken(app, clock)
        app.join.choices.ask_address(manage_token(app), "v@sub.blocked.example")
        assert len(taken(app, clock)) == 1
        link = address_token(app)
    with open_app(make_config('[signup]\nblocked_domains = ["blocked.example"]\n'), clock=clock) as app:
        with pytest.raises(TokenRefused):
            app.join.choices.move(link)
        app.join.choices.ask_address(manage_token(app), "w@blocked.example")
        assert taken(app, clock) == []
        assert person(app).address == Address(ANN)


def test_of_two_changes_asked_for_at_once_one_letter_leaves_to_the_last(app: App, clock: Clock) -> None:
    joins(app)
    taken(app, clock)
    for address in ("first@example.com", NEW):
        app.join.choices.ask_address(manage_token(app), address)
    assert [notice.address for notice in taken(app, clock)] == [Address(NEW)]


def test_a_link_proves_only_the_address_it_went_to(app: App, clock: Clock) -> None:
    """Whoever mistyped asks again at once; the mailbox of the slip cannot bring the letter to a third."""
    joins(app)
    taken(app, clock)
    app.join.choices.ask_address(manage_token(app), "an@example.com")
    assert [one.address for one in taken(app, clock)] == [Address("an@example.com")]
    slip = address_token(app)
    app.join.choices.ask_address(manage_token(app), NEW)
    assert [one.address for one in taken(app, clock)] == [Address(NEW)]
    with pytest.raises(TokenRefused):
        app.join.choices.move(slip)
    assert app.join.choices.move(address_token(app)).answer is Answer.DONE
    assert person(app, NEW).state is SubscriberState.CONFIRMED


def test_letters_to_new_addresses_are_few_a_day_whoever_is_known(app: App, clock: Clock) -> None:
    joins(app)
    joins(app, "bo@example.com")
    taken(app, clock)
    letters = 0
    for number in range(9):
        app.join.choices.ask_address(manage_token(app), f"victim{number % 2}@example.net")
        app.join.choices.ask_address(manage_token(app), "bo@example.com")
        letters += len(taken(app, clock))
    assert letters == 3
    clock.forward(hours=25)
    app.join.choices.ask_address(manage_token(app), "victim@example.net")
    assert len(taken(app, clock)) == 1


def test_a_new_settings_link_comes_when_the_last_one_has_ended(app: App, clock: Clock) -> None:
    """After two hours, and at once after a move; never more than three a day."""
    joins(app)
    taken(app, clock)

    def links(address: str = ANN) -> list[tuple[NoticeKind, Address]]:
        app.join.manage(address)
        return [(one.kind, one.address) for one in taken(app, clock)]

    one = (NoticeKind.MANAGE, Address(ANN))
    assert links() == [one]
    clock.forward(hours=1, minutes=59)
    assert links() == [], "the first still works"
    clock.forward(minutes=2)
    assert links() == [one]
    app.join.choices.ask_address(manage_token(app), NEW)
    app.join.choices.move(address_token(app))
    taken(app, clock)
    assert links(NEW) == [(NoticeKind.MANAGE, Address(NEW))]
    for _ in range(9):
        clock.forward(hours=2, minutes=1)
        assert links(NEW) == []
    clock.forward(hours=5)
    assert links(NEW) == [(NoticeKind.MANAGE, Address(NEW))]


def test_whose_old_mailbox_failed_gets_letters_at_the_new_one(app: App, clock: Clock) -> None:
    joins(app)
    with app.store.write():
        app.store.subscribers.save(replace(person(app), state=SubscriberState.SUSPENDED))
    app.join.choices.ask_address(manage_token(app), NEW)
    assert app.join.choices.move(address_token(app)).answer is Answer.DONE
    assert person(app, NEW).state is SubscriberState.CONFIRMED
    log = app.store.consents.of(person(app, NEW).id)
    assert [line.act for line in log][-2:] == ["moved", "resumed"]
    assert standing(log) is SubscriberState.CONFIRMED


def test_the_address_that_was_left_is_told_and_learns_nothing_of_the_new_one(app: App, clock: Clock) -> None:
    joins(app, language="fr")
    app.join.choices.ask_address(manage_token(app), NEW)
    app.send.notices()
    folder = app.config.path(app.config.mail.folder)
    for path in folder.glob("*.eml"):
        path.unlink()
    app.join.choices.move(address_token(app))
    app.send.notices()
    [path] = folder.glob("*.eml")
    letter = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert letter["To"] == ANN
    for kind in ("plain", "html"):
        part = letter.get_body((kind,))  # type: ignore[attr-defined]
        text = part.get_content()
        assert "à une autre adresse" in " ".join(text.split())
        assert app.config.list.from_ in text, "whom to write to if it was not them"
        assert "/preferences/" not in text
        assert NEW not in text
    assert app.store.notices.last_queued(NoticeKind.ADDRESS_MOVED, subscriber=person(app, NEW).id) is not None


def test_a_new_address_that_belongs_to_a_reader_is_not_taken_and_nobody_learns_it(
    app: App, clock: Clock
) -> None:
    joins(app)
    joins(app, NEW)
    taken(app, clock)
    app.join.choices.ask_address(manage_token(app), NEW)
    assert taken(app, clock) == []
    with pytest.raises(TokenRefused):
        app.join.choices.move(address_token(app))
    assert is_known(app)
    with pytest.raises(AddressRefused):
        app.join.choices.ask_address(manage_token(app), "nonsense")


def test_a_new_address_goes_through_the_gate_again(make_config: object, clock: Clock) -> None:
    config: Config = make_config('[signup]\npolicy = "domains"\ndomains = ["example.org"]\n')  # type: ignore[operator]
    with open_app(config, clock=clock) as app:
        assert joins(app).state is SubscriberState.CONFIRMED
        app.join.choices.ask_address(manage_token(app), NEW)
        assert app.join.choices.move(address_token(app)).answer is Answer.WAITING
        assert person(app, NEW).state is SubscriberState.WAITING


def test_an_address_somebody_only_asked_for_is_free_for_its_owner(app: App) -> None:
    joins(app)
    app.join.ask(Ask(address=NEW))
    app.join.choices.ask_address(manage_token(app), NEW)
    app.join.choices.move(address_token(app))
    assert person(app, NEW).state is SubscriberState.CONFIRMED


# --- a copy, the end ---------------------------------------------------------------------------------------------------


def test_a_person_sees_everything_that_is_known_of_them(app: App) -> None:
    app.join.ask(Ask(address=ANN, role="policy", note="I write forms", network="192.0.2.0/24", page="/"))
    app.join.confirm(confirm_token(app))
    listed(app, Period(2026, 11), send_at=app.clock())
    known = app.join.choices.dossier(manage_token(app))
    assert (known["address"], known["role"], known["note"]) == (ANN, "policy", "I write forms")
    assert [line["act"] for line in known["consents"]] == ["asked", "confirmed"]
    assert known["consents"][0]["wording"] == app.config.signup.wording.en
    assert len(known["consents"][0]["wording_version"]) == 12
    assert known["consents"][0]["network"] == "192.0.2.0/24"
    assert known["letters"][0]["issue"] == "2026-11"
    rows = dict(dossier_rows(known))
    assert rows["consents 1 act"] == "asked"
    columns = {row[1] for row in app.store.subscribers._db.rows("PRAGMA table_info(subscriber)")}
    told = {"id": "", "address_key": "", "version": "", "sponsor": "", "declined_at": ""}
    assert columns - set(told) <= set(known) | {"new_address"}


def test_a_person_forgets_themselves(app: App) -> None:
    joins(app)
    token = manage_token(app)
    app.join.choices.forget(token)
    assert not is_known(app)
    with pytest.raises(TokenRefused):
        app.join.choices.forget(token)
    with pytest.raises(InputRefused, match="only they themselves"):
        app.join.add(ANN, basis="express", origin="a list")


# --- retention -----------------------------------------------------------------------------------------------------------


def test_what_need_not_be_kept_is_not_kept(make_config: object, clock: Clock) -> None:
    config: Config = make_config("[retention]\nnetwork_days = 30\nleft_days = 60\nnotices_days = 10\n")  # type: ignore[operator]
    with open_app(config, clock=clock) as app:
        app.join.ask(Ask(address=ANN, network="192.0.2.0/24"))
        app.join.confirm(confirm_token(app))
        joins(app, "luc@example.org")
        app.join.leave(leave_token(app))
        taken(app, clock)
        ann = person(app).id
        clock.forward(days=31)
        app.join.tidy()
        assert [line.network for line in app.store.consents.of(ann)] == [None, None, None]
        assert app.store.notices._db.value("SELECT count(*) FROM notice") == 0
        assert is_known(app)
        clock.forward(days=30)
        app.join.tidy()
        assert not is_known(app)
        assert is_known(app, "luc@example.org")
        assert app.store.suppressions.count() == 1
        assert app.store.consents._db.value("SELECT count(*) FROM consent WHERE subscriber IS NULL") >= 3


def test_the_log_says_what_was_chosen_and_who_chose_nothing_new_chose_nothing(app: App) -> None:
    joins(app)
    app.join.choose(letter_token(app), language="fr")
    choice = Choice(language="fr", cadence="events", topics=("calls",), timezone="America/Halifax",
                    pause_until=(NOW + timedelta(days=30)).date())  # fmt: skip
    for _ in range(2):
        app.join.choices.save(manage_token(app), choice)
    told = [line.origin for line in app.store.consents.of(person(app).id) if line.act == "chose"]
    until = (NOW + timedelta(days=30)).date()
    assert told == [
        "language: fr",
        f"time zone: America/Halifax; how often: events; sections: calls; paused until: {until}",
        "",
    ]


def test_the_newest_issue_that_greeted_a_newcomer_is_among_their_letters(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as app:
        month = web_kit.fill(app, readers=1)
        web_kit.publish(app, month)
        joins(app)
        assert [one["state"] for one in app.join.choices.dossier(manage_token(app))["letters"]] == ["queued"]
        app.send.notices()
        [told] = app.join.choices.dossier(manage_token(app))["letters"]
        assert (told["issue"], told["state"], told["came_back"]) == (str(month.period), "sent", "")
        assert told["at"] == app.clock().isoformat()


def test_a_newcomer_greeted_with_an_issue_is_not_sent_it_again(
    make_config: Callable[[str], Config], clock: Clock
) -> None:
    with open_app(make_config(web_kit.SOURCES), clock=clock) as app:
        month = web_kit.fill(app, readers=1)
        web_kit.publish(app, month)
        clock.forward(hours=1)
        joins(app)
        assert app.send.again(month.period, only="joined-since", by="kim") == 0


@pytest.mark.parametrize("gone", ["left", "suspended"])
def test_a_strangers_form_changes_no_choice_of_who_may_come_back_without_confirming(
    app: App, clock: Clock, gone: str
) -> None:
    joins(app)
    mine = replace(person(app), role="policy", timezone="America/Halifax", topics=("calls",))
    if gone == "suspended":
        mine = replace(mine, state=SubscriberState.SUSPENDED)
    with app.store.write():
        app.store.subscribers.save(mine)
    clock.forward(hours=25)
    link = leave_token(app)
    if gone == "left":
        app.join.leave(link)
    app.join.ask(Ask(address=ANN, role="other", timezone="America/Regina", topics=("coming-up",)))
    assert NoticeKind.CONFIRM in [one.kind for one in taken(app, clock)]
    if gone == "left":
        app.join.come_back(link)
    else:
        assert app.join.returned.write_again(mine.id, by="dana")
    ann = person(app)
    assert ann.state is SubscriberState.CONFIRMED
    assert (ann.role, ann.timezone, ann.topics) == ("policy", "America/Halifax", ("calls",))
