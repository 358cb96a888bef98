"""Whatever people, strangers and operators do in whatever order: who said yes gets the letter, and nobody else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.app import App, open_app
from digest.config import Config
from digest.errors import InputRefused, TokenRefused
from digest.join import Ask
from digest.join_choices import Choice
from digest.join_roster import bring
from digest.model import Consent, Language, NoticeKind, Period, SubscriberState
from digest.rules.consent import Answer
from tests.conftest import NOW, Clock
from tests.readers_kit import is_known, leave_token, manage_token, person, taken

PEOPLE = ("ann@example.org", "bo@example.org")
DAY = timedelta(days=1)


@dataclass
class Person:
    """What we believe, without looking into the store. era: raised whenever old links must die."""

    is_in: bool = False
    is_gone: bool = False  # no import may bring them back
    era: int = 0
    mails: list[tuple[str, int, datetime]] = field(default_factory=list)
    codes: list[tuple[str, int, datetime]] = field(default_factory=list)
    left_at: datetime | None = None
    was_in: bool = False
    paused_until: date | None = None

    def leaves(self, now: datetime) -> None:
        self.was_in = self.was_in or self.is_in
        self.is_in, self.is_gone, self.left_at = False, True, now
        self.era += 1


class World:
    """The store and our belief about it, side by side."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app, self.clock, self.month = app, clock, Period(2027, 1)
        self.people = {text: Person() for text in PEOPLE}

    def ask(self, text: str) -> None:
        self.app.join.ask(Ask(address=text))
        self._read_mail()

    def _read_mail(self) -> None:
        for notice in taken(self.app, self.clock):
            who = self.people[notice.address.key]
            if notice.kind is NoticeKind.CONFIRM and notice.subscriber is not None:
                link = self.app.links.confirm(notice.subscriber, version=notice.version, now=self.clock())
                who.mails.append((link.rpartition("/")[2], who.era, self.clock()))
                if notice.secret:
                    who.codes = [*who.codes, (notice.secret, who.era, self.clock())]

    def confirm(self, text: str) -> None:
        """Every link ever mailed is tried; those of another era, or older than a week, must do nothing."""
        who = self.people[text]
        for link, era, at in who.mails:
            good = era == who.era and self.clock() - at < timedelta(days=7)
            try:
                answer = self.app.join.confirm(link).answer
            except TokenRefused:
                assert not good or not is_known(self.app, text)
                continue
            assert answer is Answer.ALREADY or good
            if answer is Answer.DONE:
                self._comes_in(who)

    def code(self, text: str) -> None:
        """Only the last code counts."""
        who = self.people[text]
        for number, (code, era, at) in enumerate(who.codes):
            good = era == who.era and self.clock() - at < timedelta(hours=1) and number == len(who.codes) - 1
            try:
                answer = self.app.join.confirm_code(text, code).answer
            except InputRefused:
                continue
            assert good or who.codes[-1][0] == code
            if answer is Answer.DONE:
                self._comes_in(who)

    def _comes_in(self, who: Person) -> None:
        who.is_in, who.is_gone = True, False
        self._read_mail()

    def leave(self, text: str) -> None:
        if is_known(self.app, text):
            before = person(self.app, text).state
            self.app.join.leave(leave_token(self.app, text))
            if before is not SubscriberState.LEFT:
                self.people[text].leaves(self.clock())

    def back(self, text: str) -> None:
        who = self.people[text]
        if not is_known(self.app, text):
            return
        answer = self.app.join.come_back(leave_token(self.app, text)).answer
        if answer is Answer.DONE:
            assert who.left_at is not None
            assert self.clock() - who.left_at <= DAY
            assert who.was_in
            who.is_in, who.is_gone = True, False

    def bring(self, text: str) -> None:
        who = self.people[text]
        bring(
            f"email\n{text}\n".encode(),
            join=self.app.join,
            store=self.app.store,
            basis="express",
            origin="a list",
        )
        self._read_mail()
        if not who.is_gone:
            who.is_in = True

    def bring_left(self, text: str) -> None:
        bring(f"email,status\n{text},unsubscribed\n".encode(), join=self.app.join, store=self.app.store, basis="express",
              origin="a list")  # fmt: skip
        self.people[text].leaves(self.clock())

    def bring_asked(self, text: str) -> None:
        """A list that says itself that they never confirmed there makes nobody a reader."""
        bring(f"email,status\n{text},unconfirmed\n".encode(), join=self.app.join, store=self.app.store, basis="express",
              origin="a list")  # fmt: skip
        self._read_mail()

    def bring_implied(self, text: str) -> None:
        bring(
            f"email\n{text}\n".encode(),
            join=self.app.join,
            store=self.app.store,
            basis="implied",
            origin="buyers",
        )
        self._read_mail()

    def complain(self, text: str) -> None:
        self.app.join.suppress(text, reason="complained")
        self.people[text].leaves(self.clock())

    def erase(self, text: str) -> None:
        if is_known(self.app, text):
            self.app.join.choices.forget(manage_token(self.app, text))
            self.people[text].leaves(self.clock())
            self.people[text].paused_until, self.people[text].was_in = None, False

    def pause(self, text: str) -> None:
        who = self.people[text]
        if who.is_in:
            who.paused_until = (self.clock() + timedelta(days=40)).date()
            self.app.join.choices.save(
                manage_token(self.app, text),
                Choice(language="en", timezone="UTC", pause_until=who.paused_until),
            )

    def day(self, text: str) -> None:
        self.clock.forward(hours=25)
        self.app.join.tidy()

    def send(self, text: str) -> None:
        """Who would get an issue that leaves now is exactly who said yes and does not pause."""
        with self.app.store.write():
            issue = self.app.store.issues.create(period=self.month, since=NOW, until=self.clock(), send_at=self.clock(),
                                                 placed=[])  # fmt: skip
            self.app.store.deliveries.list_audience(issue, languages=[Language.EN], now=self.clock())
            run = self.app.store.deliveries.begin_run(issue, now=self.clock(), lease_s=60)
            claimed = self.app.store.deliveries.claim(run, count=99, now=self.clock())
        self.month = self.month.next()
        today = self.clock().date()
        expected = {
            one for one, who in self.people.items()
            if who.is_in and (who.paused_until is None or who.paused_until <= today)
        }  # fmt: skip
        assert {one.address.key for one in claimed} == expected

    def explained(self) -> None:
        """The consent log says why each state is what it is."""
        for who in self.app.store.subscribers.everyone():
            assert told_by(self.app.store.consents.of(who.id)) is who.state


def told_by(log: Sequence[Consent]) -> SubscriberState | None:
    """The state of a person as the consent log alone tells it, line by line."""
    state: SubscriberState | None = None
    for line in log:
        if line.act == "confirmed" or (line.act in {"imported", "added"} and line.basis == "express"):
            state = SubscriberState.CONFIRMED
        elif line.act in {"asked", "imported", "added"}:
            state = state or SubscriberState.ASKED  # who has left and asks again is out until they confirm
        elif line.act == "left":
            state = SubscriberState.LEFT
    return state


ACTS = (
    "ask",
    "confirm",
    "code",
    "leave",
    "back",
    "bring",
    "bring_left",
    "bring_asked",
    "bring_implied",
    "complain",
    "erase",
    "pause",
    "day",
    "send",
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(PEOPLE)), min_size=5, max_size=30))
def test_who_said_yes_gets_the_letter_and_nobody_else(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, str]]
) -> None:
    clock = Clock(NOW)
    with open_app(Config(home=tmp_path_factory.mktemp("acts")), clock=clock) as app:
        world = World(app, clock)
        for act, text in [*acts, ("send", PEOPLE[0])]:
            clock.forward(minutes=1)
            getattr(world, act)(text)
            world.explained()


def test_the_property_would_notice_a_leaver_who_is_sent_to(app: App, clock: Clock) -> None:
    """The net has no hole: a row changed behind the verbs is caught."""
    world = World(app, clock)
    world.bring(PEOPLE[0])
    world.people[PEOPLE[0]].leaves(clock())
    with pytest.raises(AssertionError):
        world.send(PEOPLE[0])
