"""From sign-up to goodbye, on a real database."""

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.errors import AddressRefused, DigestError, InputRefused, NotFound, TokenRefused
from digest.join import Ask, Join
from digest.join_roster import bring
from digest.model import Address, IssueId, Language, NoticeKind, Subscriber, SubscriberState
from digest.rules.consent import Answer
from digest.rules.tokens import Purpose
from tests.conftest import NOW, Clock
from tests.readers_kit import manage_token

ANN = "ann@example.org"


def person(app: App, text: str = ANN) -> Subscriber:
    found = app.store.subscribers.find(Address(text))
    assert found is not None
    return found


def confirm_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.confirm(who.id, version=who.version, now=app.clock()).rpartition("/")[2]


def leave_token(app: App, text: str = ANN) -> str:
    who = person(app, text)
    return app.links.unsubscribe(who.id, version=who.version, issue=IssueId(0)).rpartition("/")[2]


def queued(app: App, clock: Clock) -> list[NoticeKind]:
    """Every letter waiting, taken as if it had left."""
    with app.store.write():
        notices = app.store.notices.claim(count=100, now=clock(), lease_s=60)
        for notice in notices:
            app.store.notices.settle(notice.id, state="sent", now=clock())
    return [notice.kind for notice in notices]


def test_somebody_asks_confirms_and_is_in(app: App, clock: Clock) -> None:
    app.join.ask(Ask(address=ANN, language="fr", page="/fr/"))
    assert person(app).state is SubscriberState.ASKED
    assert queued(app, clock) == [NoticeKind.CONFIRM]
    assert app.join.confirm(confirm_token(app)).answer is Answer.DONE
    assert (person(app).state, person(app).language) == (SubscriberState.CONFIRMED, Language.FR)
    assert queued(app, clock) == [NoticeKind.WELCOME]
    assert app.join.confirm(confirm_token(app)).answer is Answer.ALREADY


def test_each_act_is_in_the_consent_log_with_the_wording(app: App) -> None:
    app.join.ask(Ask(address=ANN, language="en", page="/", network="192.0.2.0/24"))
    app.join.confirm(confirm_token(app), page="/confirm")
    app.join.leave(leave_token(app), method="one-click")
    log = app.store.consents.of(person(app).id)
    assert [(c.act, c.method) for c in log] == [
        ("asked", "form"),
        ("confirmed", "link"),
        ("left", "one-click"),
    ]
    assert log[0].wording == app.config.signup.wording.en
    assert log[0].network == "192.0.2.0/24"


def test_one_letter_a_day_however_often_somebody_types_the_address(app: App, clock: Clock) -> None:
    for _ in range(20):
        app.join.ask(Ask(address=ANN))
    assert queued(app, clock) == [NoticeKind.CONFIRM]
    clock.forward(hours=24)
    app.join.ask(Ask(address="ANN@example.org"))
    assert queued(app, clock) == [NoticeKind.CONFIRM]


def test_a_member_who_asks_again_gets_the_way_to_their_settings(app: App, clock: Clock) -> None:
    app.join.add(ANN, basis="express", origin="test")
    app.join.ask(Ask(address=ANN, language="fr"))
    assert queued(app, clock) == [NoticeKind.MANAGE]
    assert person(app).language == Language.EN


def test_a_malformed_address_is_refused_and_nothing_stored(app: App) -> None:
    with pytest.raises(AddressRefused):
        app.join.ask(Ask(address="nobody"))
    assert app.store.subscribers.everyone() == []


def test_an_expired_confirm_link_is_refused(app: App, clock: Clock) -> None:
    app.join.ask(Ask(address=ANN))
    token = confirm_token(app)
    clock.forward(days=7, minutes=2)
    with pytest.raises(TokenRefused, match="expired"):
        app.join.confirm(token)


def test_leaving_is_at_once_and_twice_is_once(app: App) -> None:
    app.join.add(ANN, basis="express", origin="test")
    assert app.join.leave(leave_token(app)).answer is Answer.DONE
    assert app.join.leave(leave_token(app)).answer is Answer.ALREADY
    assert person(app).state is SubscriberState.LEFT


def test_leaving_is_undone_within_a_day_and_not_later(app: App, clock: Clock) -> None:
    app.join.add(ANN, basis="express", origin="test")
    app.join.leave(leave_token(app))
    assert app.join.come_back(leave_token(app)).answer is Answer.DONE
    assert person(app).state is SubscriberState.CONFIRMED
    app.join.leave(leave_token(app))
    clock.forward(hours=25)
    assert app.join.come_back(leave_token(app)).answer is Answer.WAITING
    assert person(app).state is SubscriberState.LEFT


def test_only_the_letter_that_left_and_a_fresh_link_of_theirs_undo_it(app: App) -> None:
    """An older letter may have been handed on to somebody."""
    app.join.add(ANN, basis="express", origin="test")
    who = person(app)
    older, newer = (
        app.links.unsubscribe(who.id, version=who.version, issue=IssueId(n)).rpartition("/")[2]
        for n in (5, 6)
    )
    app.join.leave(newer)
    assert app.join.come_back(older).answer is Answer.WAITING
    assert person(app).state is SubscriberState.LEFT
    assert app.join.come_back(newer).answer is Answer.DONE
    app.join.leave(newer)
    assert app.join.come_back(manage_token(app)).answer is Answer.DONE


def test_an_old_confirm_link_cannot_bring_back_who_left(app: App) -> None:
    app.join.ask(Ask(address=ANN))
    old = confirm_token(app)
    app.join.confirm(old)
    app.join.leave(leave_token(app))
    with pytest.raises(TokenRefused):
        app.join.confirm(old)
    assert person(app).state is SubscriberState.LEFT


def test_the_link_of_a_letter_chooses_the_language_but_does_not_manage(app: App) -> None:
    app.join.add(ANN, basis="express", origin="test")
    who = person(app)
    letter = app.links.preferences(who.id, version=who.version, issue=IssueId(1)).rpartition("/")[2]
    app.join.choose(letter, language="fr")
    assert person(app).language == Language.FR
    with pytest.raises(TokenRefused, match="something else"):
        app.join.who(letter, allowed={Purpose.MANAGE})


def test_the_forgotten_leave_no_address_and_no_import_brings_them_back(app: App) -> None:
    app.join.add(ANN, basis="express", origin="test")
    token = leave_token(app)
    app.join.forget(ANN)
    assert app.store.subscribers.everyone() == []
    with pytest.raises(InputRefused, match="only they themselves"):
        app.join.add(ANN, basis="express", origin="another list")
    with pytest.raises(TokenRefused, match="no longer belongs"):
        app.join.leave(token)
    with pytest.raises(NotFound):
        app.join.forget(ANN)
    assert ANN.encode() not in app.store.path.read_bytes()


def test_the_forgotten_may_come_back_by_themselves(app: App) -> None:
    app.join.add(ANN, basis="express", origin="test")
    app.join.forget(ANN)
    app.join.ask(Ask(address=ANN))
    app.join.confirm(confirm_token(app))
    app.join.add(ANN, basis="express", origin="test")
    assert person(app).state is SubscriberState.CONFIRMED


def test_only_express_consent_with_an_origin_confirms(app: App, clock: Clock) -> None:
    assert app.join.add(ANN, basis="implied", origin="a conference").state is SubscriberState.ASKED
    assert queued(app, clock) == [NoticeKind.CONFIRM]
    with pytest.raises(InputRefused, match="where this consent comes from"):
        app.join.add("luc@example.org", basis="express", origin=" ")
    assert app.join.add(ANN, basis="express", origin="paper form").state is SubscriberState.CONFIRMED


def test_a_gate_by_domain_lets_others_wait(make_config: object, clock: Clock) -> None:
    config: Config = make_config('[signup]\npolicy = "domains"\ndomains = ["ontario.ca"]\n')  # type: ignore[operator]
    with open_app(config, clock=clock) as app:
        for text in ("a@ontario.ca", "b@example.org"):
            app.join.ask(Ask(address=text))
            app.join.confirm(confirm_token(app, text))
        assert person(app, "a@ontario.ca").state is SubscriberState.CONFIRMED
        assert person(app, "b@example.org").state is SubscriberState.WAITING


def test_those_who_never_confirm_are_deleted_after_a_week(app: App, clock: Clock) -> None:
    app.join.ask(Ask(address=ANN))
    clock.forward(days=8)
    assert app.join.tidy() == 1
    assert app.store.subscribers.everyone() == []


ROSTER = (
    b"email,language,status\nann@example.org,fr,enabled\nnot an address,,\n"
    b"luc@example.org,,unsubscribed\nANN@example.org,,\n"
)


def test_a_dry_run_reports_the_same_and_changes_nothing(app: App) -> None:
    dry = bring(ROSTER, join=app.join, store=app.store, basis="express", origin="old list", dry_run=True)
    assert app.store.subscribers.everyone() == []
    wet = bring(ROSTER, join=app.join, store=app.store, basis="express", origin="old list")
    assert (dry.counts, dry.refused) == (wet.counts, wet.refused)
    assert wet.counts == {"confirmed": 1, "left": 1, "known": 1}
    assert [line for line, _ in wet.refused] == [3]
    again = bring(ROSTER, join=app.join, store=app.store, basis="express", origin="old list")
    assert again.counts == {"known": 2, "left": 1}


def test_who_left_elsewhere_stays_out(app: App) -> None:
    bring(ROSTER, join=app.join, store=app.store, basis="express", origin="old list")
    with pytest.raises(InputRefused):
        app.join.add("luc@example.org", basis="express", origin="another")


acts = st.lists(
    st.tuples(
        st.sampled_from(["ask", "confirm", "leave", "back", "add", "forget", "choose", "day"]),
        st.sampled_from(["a@example.org", "b@example.org"]),
    ),
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_any_acts_leave_a_state_that_the_consent_log_explains(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str]]
) -> None:
    home = tmp_path_factory.mktemp("acts")
    clock = Clock(NOW)
    with open_app(Config(home=home), clock=clock) as app:
        for act, text in acts:
            clock.forward(minutes=1)
            _try(app.join, app, act, text, clock)
        for who in app.store.subscribers.everyone():
            last = app.store.consents.of(who.id)[-1]
            agreed = [c for c in app.store.consents.of(who.id) if c.act in {"confirmed", "added", "left"}]
            if who.state is SubscriberState.CONFIRMED:
                assert agreed, last
                assert agreed[-1].act in {"confirmed", "added"}
            if who.state is SubscriberState.LEFT:
                assert agreed[-1].act == "left"


def _try(join: Join, app: App, act: str, text: str, clock: Clock) -> None:
    try:
        if act == "ask":
            join.ask(Ask(address=text, language=random.choice(["en", "fr"])))
        elif act == "confirm":
            join.confirm(confirm_token(app, text))
        elif act == "leave":
            join.leave(leave_token(app, text))
        elif act == "back":
            join.come_back(leave_token(app, text))
        elif act == "add":
            join.add(text, basis="express", origin="test")
        elif act == "forget":
            join.forget(text)
        elif act == "choose":
            who = person(app, text)
            join.choose(
                app.links.manage(who.id, version=who.version, now=clock()).rpartition("/")[2], language="fr"
            )
        else:
            clock.time += timedelta(days=1)
    except (DigestError, AssertionError):
        return
