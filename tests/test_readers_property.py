"""Whatever people, strangers, machines and operators do in whatever order: who said yes gets the letter, and nobody else.

A state machine over the verbs, with the real database and the real sender into a real SMTP server on loopback. Links and
codes are the mailed ones. What ought to be is kept beside it by rules written anew here, from the guide.
"""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from digest.app import open_app
from digest.config import Config
from digest.errors import InputRefused, TokenRefused
from digest.join import Ask
from digest.join_choices import Choice
from digest.join_roster import bring
from digest.model import Address, EditorId, Language, Role, SubscriberState
from digest.rules.consent import Answer, standing
from tests import web_kit
from tests.conftest import NOW, Clock
from tests.readers_kit import complaint, dsn, leave_token, manage_token
from tests.smtp_kit import Accepted, Sink

ASKED, WAITING, IN, SUSPENDED, LEFT = (
    SubscriberState.ASKED, SubscriberState.WAITING, SubscriberState.CONFIRMED, SubscriberState.SUSPENDED, SubscriberState.LEFT,
)  # fmt: skip
HOME, AWAY = "example.org", "elsewhere.example"
NAMES = ("ann", "bo", "cy")
DAY, WEEK = timedelta(days=1), timedelta(days=7)
who = st.sampled_from(NAMES)


@dataclass
class Mailed:
    """A link that came by mail. era: how often the old links of this person had ended by then."""

    token: str
    era: int
    at: datetime
    code: str = ""


@dataclass
class Held:
    """A letter that somebody has. months: of one row only."""

    month: str
    leave: str
    message_id: str
    bounce: str
    at: datetime
    verdict: str = ""


@dataclass
class Person:
    """What ought to be. Everything but the two addresses and what lies in the mailbox ends when they are forgotten."""

    address: str
    other: str
    state: SubscriberState | None = None
    era: int = 0
    asked_at: datetime = NOW
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    left_by: str = ""
    before: SubscriberState | None = None
    declined_at: datetime | None = None
    paused_until: datetime | None = None
    cadence: str = "every"
    sponsor: str = ""
    last_letter: datetime | None = None
    last_manage: datetime | None = None
    last_moved: datetime | None = None
    links: dict[str, list[Mailed]] = field(default_factory=dict)
    letters: list[Held] = field(default_factory=list)
    got: Counter[str] = field(default_factory=Counter)
    tries: int = 0

    def domain(self) -> str:
        return self.address.partition("@")[2]

    def pauses(self, at: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > at

    def fails(self) -> bool:
        """guide: bounces. By issues, the newest first, since they last confirmed."""
        since = self.confirmed_at or NOW
        lately = [one.verdict for one in reversed(self.letters) if one.at > since and one.bounce][:6]
        in_a_row = sum(1 for _ in takewhile(bool, lately))
        return lately.count("hard") >= 2 or in_a_row >= 5


class Readers(RuleBasedStateMachine):
    """Ann, Bo and Cy, an editor, and the world around them."""

    @initialize(policy=st.sampled_from(["open", "domains", "approval"]), joined=st.integers(0, 3))
    def opens(self, policy: str, joined: int) -> None:
        """joined: how many of the three are known from the start."""
        self.folder = Path(tempfile.mkdtemp(prefix="readers"))
        self.clock, self.policy = Clock(NOW), policy
        self.sink = Sink().__enter__()
        self.seen = 0
        config = Config(
            home=self.folder,
            list={"from": "letter@lists.example.org", "url": "http://127.0.0.1:9", "postal_address": "1 Main St, Ottawa"},
            mail={"transport": "smtp", "server": "127.0.0.1", "port": self.sink.port, "security": "none", "connections": 1,
                  "bounce": "bounce@lists.example.org"},
            signup={"policy": "open" if policy == "open" else "domains", "domains": [HOME] if policy == "domains" else []},
            sources=[{"name": "Harbour City", "url": "https://harbour.example/feed", "kind": "feed"}],
        )  # fmt: skip
        self.app = open_app(config, clock=self.clock)
        self.people = {name: Person(f"{name}@{HOME}", f"{name}@{AWAY}") for name in NAMES}
        self.domains = {HOME} if policy == "domains" else set[str]()
        self.suppressed: set[str] = set()
        self.pending: tuple[Any, dict[str, bool]] | None = None  # an approved month; who is to have it
        self.newest = ""
        self.told: dict[str, datetime] = {}
        with self.app.store.write():
            self.editor = self.app.store.editors.add(
                Address("dana@lists.example.org"), role=Role.CONTRIBUTOR, language=Language.EN
            )
        for name in NAMES[:joined]:
            self.joins(name, "", by_code=name == "bo")

    def teardown(self) -> None:
        if hasattr(self, "app"):
            self.app.close()
            self.sink.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the mailboxes ---------------------------------------------------------------------------------------------

    def mail(self) -> None:
        """Everything that waits leaves, and is read."""
        self.app.send.notices()
        for letter in self.sink.accepted[self.seen :]:
            self.seen += 1
            self._arrives(letter)

    def _arrives(self, letter: Accepted) -> None:
        person = next(
            (one for one in self.people.values() if letter.recipient in {one.address, one.other}), None
        )
        assert person is not None, "nobody else is ever written to"
        message = message_from_bytes(letter.data, policy=policy.default)
        assert isinstance(message, EmailMessage)
        text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        if "List-Unsubscribe" in message and re.search(r"/issues/\d{4}-\d\d", text):
            self._is_read(person, letter, message, text)
            return
        for kind in ("confirm", "address", "preferences"):
            found = re.search(rf"/{kind}/([\w-]{{28}})", text)
            if not found:
                continue
            code = re.search(r"(?<![\w.=@-])\d{6}(?!\w)", text) if kind == "confirm" else None
            if kind == "preferences" and not self._is_fresh(found[1]):
                continue  # the link of a welcome, which only chooses the language
            person.links.setdefault(kind, []).append(
                Mailed(found[1], person.era, self.clock(), code[0] if code else "")
            )
            if kind == "confirm":
                assert person.state in {ASKED, LEFT, SUSPENDED}, (
                    "a confirmation to somebody who need not confirm"
                )
                last = self.told.get(letter.recipient)
                assert last is None or self.clock() - last >= DAY, "two confirmations in a day"
                self.told[letter.recipient] = self.clock()
                person.tries = 0
            if kind == "preferences":
                person.last_manage = self.clock()
            if kind != "address":
                person.last_letter = self.clock()

    def _is_fresh(self, token: str) -> bool:
        try:
            self.app.join.gate._hand.links.read(token, allowed={4}, now=self.clock())  # type: ignore[arg-type]
        except TokenRefused:
            return False
        return True

    def _is_read(self, person: Person, letter: Accepted, message: EmailMessage, text: str) -> None:
        """An issue has come to somebody: they are in, at this address, and do not have it yet."""
        assert person.state is IN, "a letter to somebody who left, or never confirmed"
        assert letter.recipient == person.address
        month = re.search(r"/issues/(\d{4}-\d\d)", text)
        leave = re.search(r"/unsubscribe/([\w-]{28})", str(message["List-Unsubscribe"]))
        assert month is not None
        assert leave is not None
        person.got[month[1]] += 1
        assert person.got[month[1]] == 1, "nobody gets an issue twice"
        bounce = letter.sender.partition("+")[2].partition("@")[0]  # none when it was sent alone
        person.letters.append(Held(month[1], leave[1], letter.message_id, bounce, self.clock()))

    # --- what follows from the rules of the guide ------------------------------------------------------------------------

    def admits(self, one: Person) -> bool:
        inviter = self.people.get(one.sponsor)
        invited = one.sponsor == "editor" or (inviter is not None and inviter.state is IN)
        return self.policy == "open" or one.domain() in self.domains or invited

    def comes_in(self, one: Person, *, greeted: bool = True) -> None:
        name = self.name(one)
        one.state, one.left_at, one.declined_at = IN, None, None
        if self.pending and self.pending[1].get(name) is False and (greeted or not one.pauses(self.clock())):
            self.pending[1][name] = True
        self.mail()
        if greeted and self.newest:
            assert one.got[self.newest] == 1, "a newcomer is greeted with the newest issue"

    def name(self, one: Person) -> str:
        return next(name for name, person in self.people.items() if person is one)

    def stops(self, one: Person) -> None:
        if self.pending and self.name(one) in self.pending[1]:
            self.pending[1][self.name(one)] = False

    def leaves(self, one: Person, *, by: str) -> None:
        if one.state is LEFT or one.state is None:
            return
        one.before, one.state, one.left_at, one.left_by = one.state, LEFT, self.clock(), by
        one.era += 1
        self.stops(one)

    def ends(self, one: Person) -> None:
        """The row is gone. The mailbox is not: what lies in it must do nothing from now on."""
        if self.pending:
            self.pending[1].pop(self.name(one), None)
        fresh = Person(one.address, one.other, era=one.era + 1_000, links=one.links)
        old = [replace(held, month="gone") for held in one.letters]
        self.people[self.name(one)] = replace(fresh, letters=old)
        self.told.pop(one.address, None)

    def somebody(self, name: str, can: Callable[[Person], object]) -> str:
        """The one who is named if this can happen to them, else another, so that most steps are steps."""
        return next((one for one in (name, *NAMES) if can(self.people[one])), name)

    def knows(self, one: Person, link: Mailed) -> bool:
        """Whether a link was made for the row that stands now."""
        return one.state is not None and link.era // 1_000 == one.era // 1_000

    def is_forgotten_alone(self, letter: Held) -> bool:
        """What was sent alone is remembered for thirty days."""
        return not letter.bounce and self.clock() - letter.at > timedelta(days=29)

    def tick(self) -> None:
        self.clock.forward(minutes=1)

    # --- coming ---------------------------------------------------------------------------------------------------------

    @rule(name=who, by=st.sampled_from(["", "", "editor", *NAMES]))
    def asks(self, name: str, by: str) -> None:
        self.tick()
        one, invitation = self.people[name], ""
        inviter = self.people.get(by)
        if by == "editor":
            invitation = self.app.join.gate.editor_invitation(EditorId(self.editor.id)).rpartition("/")[2]
        elif inviter is not None and inviter is not one and inviter.state is IN:
            link = self.app.join.gate.invitation(manage_token(self.app, inviter.address))
            invitation = link.rpartition("/")[2]
        self.app.join.ask(Ask(address=one.address, invitation=invitation))
        rests = one.last_letter is not None and self.clock() - one.last_letter < DAY
        if not rests and one.declined_at is None and one.state in {None, ASKED, LEFT, SUSPENDED}:
            one.state, one.asked_at = one.state or ASKED, self.clock()
            one.sponsor = by if invitation else one.sponsor
        elif invitation and one.state is WAITING and one.declined_at is None:
            one.sponsor = by
        self.mail()

    @rule(name=who)
    def confirms_by_every_link_ever_mailed(self, name: str) -> None:
        self.tick()
        one = self.people[name]
        for link in list(one.links.get("confirm", [])):
            old = self.clock() - link.at > WEEK
            dead = (
                old or not self.knows(one, link) or (one.state not in {IN, WAITING} and link.era != one.era)
            )
            try:
                answer = self.app.join.confirm(link.token).answer
            except TokenRefused:
                assert dead
                continue
            assert not dead
            self._confirmed(one, answer, is_fresh=link.era == one.era)

    @rule(name=who)
    def types_the_code(self, name: str) -> None:
        self.tick()
        one = self.people[name]
        link = next(iter(reversed(one.links.get("confirm", []))), None)
        if link is None or not link.code:
            return
        one.tries += 1
        fits = self.clock() - link.at < timedelta(hours=1) and one.tries <= 5 and link.era == one.era
        try:
            answer = self.app.join.confirm_code(one.address, link.code).answer
        except InputRefused:
            assert not fits
            return
        assert fits
        self._confirmed(one, answer)

    def _confirmed(self, one: Person, answer: Answer, *, is_fresh: bool = True) -> None:
        invited_since = one.state is WAITING and is_fresh and one.declined_at is None and self.admits(one)
        if one.state in {IN, WAITING} and not invited_since:
            assert answer is (Answer.ALREADY if one.state is IN else Answer.WAITING)
            return
        one.confirmed_at, one.left_at, one.declined_at, one.paused_until = self.clock(), None, None, None
        self.suppressed.discard(one.address)
        if self.admits(one):
            assert answer is Answer.DONE
            self.comes_in(one)
        else:
            assert answer is Answer.WAITING
            one.state = WAITING

    @rule(name=who, by=st.sampled_from(["", "editor", *NAMES]), by_code=st.booleans())
    def joins(self, name: str, by: str, by_code: bool) -> None:
        name = self.somebody(name, lambda one: one.state not in {IN, WAITING})
        self.asks(name, by)
        (self.types_the_code if by_code else self.confirms_by_every_link_ever_mailed)(name)

    @rule(name=who)
    def an_editor_admits(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state is WAITING)
        self.tick()
        one = self.people[name]
        found = self.app.store.subscribers.find(Address(one.address))
        if found is None:
            return
        answer = self.app.join.gate.admit(found.id, by="1")
        assert (answer is Answer.DONE) is (one.state is WAITING)
        if one.state is WAITING:
            self.comes_in(one)

    @rule()
    @precondition(lambda self: self.policy != "open")
    def an_editor_admits_the_domain(self) -> None:
        self.tick()
        waiting = [one for one in self.people.values()
                   if one.state is WAITING and one.domain() == AWAY and one.declined_at is None]  # fmt: skip
        assert self.app.join.gate.admit_domain(AWAY, by="1") == len(waiting)
        self.domains.add(AWAY)
        for one in waiting:
            one.state = IN
        for one in waiting:
            self.comes_in(one)

    @rule(name=who)
    def an_editor_declines(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state is WAITING)
        self.tick()
        one = self.people[name]
        found = self.app.store.subscribers.find(Address(one.address))
        if found is None:
            return
        self.app.join.gate.decline(found.id, by="1")
        if one.state is WAITING and one.declined_at is None:
            one.declined_at = self.clock()
            one.era += 1
        self.mail()

    @rule(name=who, says=st.sampled_from(["subscribed", "implied", "unconfirmed", "unsubscribed"]))
    def an_operator_brings_a_list(self, name: str, says: str) -> None:
        self.tick()
        one = self.people[name]
        status = {"implied": "subscribed"}.get(says, says)
        bring(f"email,status\n{one.address},{status}\n".encode(), join=self.app.join, store=self.app.store,
              basis="implied" if says == "implied" else "express", origin="a list")  # fmt: skip
        if says == "unsubscribed":
            one.era += one.state is LEFT
            self.leaves(one, by="a list")
            self.suppressed.add(one.address)
        elif one.state is not LEFT and one.address not in self.suppressed:
            if says == "subscribed" and one.state in {None, ASKED, WAITING}:
                one.confirmed_at = self.clock()
                self.comes_in(one, greeted=False)
            one.state = one.state or ASKED
            one.asked_at = self.clock() if one.state is ASKED and one.last_letter is None else one.asked_at
        self.mail()

    # --- going ----------------------------------------------------------------------------------------------------------

    @rule(name=who, how=st.sampled_from(["one-click", "footer", "reply", "mailto"]), which=st.integers(0, 9))
    def leaves_by_a_letter(self, name: str, how: str, which: int) -> None:
        name = self.somebody(name, lambda one: one.letters and one.state is not LEFT)
        self.tick()
        one = self.people[name]
        if not one.letters:
            return
        letter = one.letters[which % len(one.letters)]
        ours = letter.month != "gone" and one.state is not None
        if how == "reply":
            if self.is_forgotten_alone(letter):
                return
            assert self.app.take_letter(_reply(letter.message_id)) is ours
        elif how == "mailto":
            assert self.app.take_letter(_mailto(letter.leave)) is ours
        else:
            try:
                self.app.join.leave(letter.leave, method="one-click" if how == "one-click" else "link")
            except TokenRefused:
                assert not ours
            else:
                assert ours
        if ours:
            self.leaves(one, by="themselves")

    @rule(name=who)
    def takes_it_back(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state is LEFT)
        self.tick()
        one = self.people[name]
        if one.state is None:
            return
        answer = self.app.join.come_back(leave_token(self.app, one.address)).answer
        soon = one.left_at is not None and self.clock() - one.left_at <= DAY
        if one.state is IN:
            assert answer is Answer.ALREADY
        elif one.state is LEFT and soon and one.left_by == "themselves" and one.before in {IN, WAITING}:
            assert answer is Answer.DONE
            one.state, one.left_at = one.before, None
            if one.state is IN:
                wants_all = one.cadence == "every" and not one.pauses(self.clock())
                self.comes_in(one, greeted=False)
                assert not (wants_all and self.newest) or one.got[self.newest] == 1
        else:
            assert answer is Answer.WAITING

    @rule(name=who)
    def complains(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state is not LEFT and one.letters)
        self.tick()
        one = self.people[name]
        letter = next((held for held in reversed(one.letters) if not self.is_forgotten_alone(held)), None)
        if letter is None:
            return
        ours = letter.month != "gone" and one.state is not None
        assert self.app.take_letter(complaint(letter.message_id)) is ours
        if ours:
            letter.verdict = "hard"
            self.suppressed.add(one.address)
            self.leaves(one, by="a complaint")

    @rule(name=who, verdict=st.sampled_from(["hard", "hard", "soft"]))
    def a_letter_comes_back(self, name: str, verdict: str) -> None:
        name = self.somebody(name, lambda one: one.state is IN and any(held.bounce for held in one.letters))
        self.tick()
        one = self.people[name]
        letter = next((held for held in reversed(one.letters) if held.bounce), None)
        if letter is None:
            return
        words = {"hard": ("5.1.1", "550 5.1.1 no such user"), "soft": ("4.2.2", "452 4.2.2 mailbox full")}[
            verdict
        ]
        report = dsn(self.app, 0, to=letter.bounce, status=words[0], words=words[1])  # type: ignore[arg-type]
        ours = letter.month != "gone" and one.state is not None
        assert self.app.take_letter(report) is ours
        if not ours:
            return
        letter.verdict = verdict if letter.verdict != "hard" else "hard"
        if one.state is IN and one.fails():
            one.state = SUSPENDED
            one.era += 1
            self.stops(one)

    @rule(name=who, by_command=st.booleans(), seldom=st.integers(0, 3))
    def is_forgotten(self, name: str, by_command: bool, seldom: int) -> None:
        self.tick()
        one = self.people[name]
        if one.state is None or seldom:
            return
        if by_command:
            self.app.join.forget(one.address)
        else:
            self.app.join.choices.forget(manage_token(self.app, one.address))
        self.suppressed.add(one.address)
        self.ends(one)

    # --- choosing -------------------------------------------------------------------------------------------------------

    @rule(name=who)
    def asks_for_the_settings(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state not in {None, ASKED})
        self.tick()
        one = self.people[name]
        before = len(one.links.get("preferences", []))
        self.app.join.manage(one.address)
        self.mail()
        due = one.state not in {None, ASKED} and (
            before == 0 or self.clock() - one.links["preferences"][before - 1].at >= DAY
        )
        came = len(one.links.get("preferences", [])) - before
        assert came == int(due) or (came == 1 and one.state not in {None, ASKED})

    @rule(name=who, cadence=st.sampled_from(["every", "quarterly"]), language=st.sampled_from(["en", "fr", "en+fr"]),
          days=st.sampled_from([0, 0, 3, 40]))  # fmt: skip
    def chooses(self, name: str, cadence: str, language: str, days: int) -> None:
        name = self.somebody(name, lambda one: one.links.get("preferences"))
        self.tick()
        one = self.people[name]
        until = (self.clock() + timedelta(days=days)).date() if days else None
        choice = Choice(language=language, cadence=cadence, timezone="UTC", pause_until=until)
        self.app.join.manage(one.address)
        self.mail()
        for link in one.links.get("preferences", [])[-3:]:
            good = (
                self.knows(one, link) and link.era == one.era and self.clock() - link.at < timedelta(hours=2)
            )
            try:
                self.app.join.choices.save(link.token, choice)
            except TokenRefused:
                assert not good
                continue
            assert good
            self._chosen(one, cadence, days)

    def _chosen(self, one: Person, cadence: str, days: int) -> None:
        midnight = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        was_paused = one.paused_until is not None
        one.cadence = cadence
        one.paused_until = midnight + timedelta(days=days) if days else None
        if days:
            self.stops(one)
        elif was_paused and one.state is IN and self.pending and self.name(one) in self.pending[1]:
            self.pending[1][self.name(one)] = True

    @rule(name=who)
    def moves_to_another_address(self, name: str) -> None:
        name = self.somebody(name, lambda one: one.state in {IN, WAITING})
        self.tick()
        one = self.people[name]
        if one.state is None or (one.last_moved is not None and self.clock() - one.last_moved < DAY):
            return
        self.app.join.choices.ask_address(manage_token(self.app, one.address), one.other)
        one.last_moved = self.clock()
        self.mail()
        before, old = one.state, one.address
        self.app.join.choices.move(one.links["address"][-1].token)
        one.address, one.other = one.other, one.address
        one.era += 1
        self.suppressed.discard(one.address)
        if old in self.told:
            self.told[one.address] = self.told.pop(old)
        if before is IN and not self.admits(one):
            one.state = WAITING
            self.stops(one)
        elif before is WAITING and self.admits(one):
            self.comes_in(one)
        self.mail()

    # --- sending --------------------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.pending is None)
    def a_month_is_approved(self) -> None:
        taken = {one.period for one in self.app.store.issues.all()}
        while (period := self.app.publish.next_period()) in taken:
            self._days(7)
        source = next(one.id for one in self.app.store.sources.all() if one.name == "Harbour City")
        with self.app.store.write():
            entry = web_kit.post(f"Post of {period}", now=self.clock() - timedelta(hours=1))
            self.app.store.items.add(entry, source=source, now=self.clock())
        self.app.publish.assemble(period)
        self.app.publish.approve(period, by="1")
        send_at = self.app.store.issues.get(period).send_at
        recap = period.month % 3 == 0
        listed = {name: True for name, one in self.people.items()
                  if one.state is IN and not one.pauses(send_at) and (one.cadence == "every" or recap)}  # fmt: skip
        self.pending = (period, listed)

    @rule()
    @precondition(lambda self: self.pending is not None)
    def the_month_leaves(self) -> None:
        assert self.pending is not None
        period, listed = self.pending
        self.tick()
        before = {name: one.got[str(period)] for name, one in self.people.items()}
        self.app.send.issue(period)
        self.mail()
        self.pending, self.newest = None, str(period)
        came = {name for name, one in self.people.items() if one.got[str(period)] > before[name]}
        assert came == {name for name, is_on in listed.items() if is_on}

    @rule(name=who, verdict=st.sampled_from(["hard", "soft", ""]))
    @precondition(lambda self: self.pending is None)
    def a_month_comes_and_somebodys_letter_goes_back(self, name: str, verdict: str) -> None:
        self.a_month_is_approved()
        self.the_month_leaves()
        if verdict:
            self.a_letter_comes_back(name, verdict)

    @rule(days=st.sampled_from([1, 1, 1, 2, 8]))
    def days_pass(self, days: int) -> None:
        self._days(days)

    def _days(self, days: int) -> None:
        for _ in range(days):
            self.clock.forward(hours=24, minutes=1)
            self.app.join.tidy()
            for one in list(self.people.values()):
                stale = one.state is ASKED and self.clock() - one.asked_at > WEEK
                refused = one.state is WAITING and one.declined_at and self.clock() - one.declined_at > WEEK
                if stale or refused:
                    self.ends(one)
        self.mail()

    # --- always ---------------------------------------------------------------------------------------------------------

    @invariant()
    def everybody_stands_where_they_ought_to_and_the_log_says_why(self) -> None:
        if not hasattr(self, "app"):
            return
        rows = {one.address.key: one for one in self.app.store.subscribers.everyone()}
        assert {key: one.state for key, one in rows.items()} == {
            one.address: one.state for one in self.people.values() if one.state is not None
        }
        for row in rows.values():
            log = self.app.store.consents.of(row.id)
            assert told_by([(line.act, line.basis) for line in log]) is row.state
            assert standing(log) is row.state

    @invariant()
    def nobody_is_kept_out_or_let_back_in_by_mistake(self) -> None:
        if not hasattr(self, "app"):
            return
        for one in self.people.values():
            for text in (one.address, one.other):
                mark = self.app.links.mark(Address(text))
                assert self.app.store.suppressions.has(mark) is (text in self.suppressed), text


def told_by(log: list[tuple[str, str]]) -> SubscriberState | None:
    """The state of a person as the consent log alone tells it: read by the test, not by the program."""
    state = None
    for act, basis in log:
        if act in {"confirmed", "admitted"} or (act in {"imported", "added"} and basis == "express"):
            state = IN
        elif act == "waits":
            state = WAITING
        elif act == "suspended":
            state = SUSPENDED
        elif act == "left":
            state = LEFT
        elif act in {"asked", "imported", "added"} and state is None:
            state = ASKED
    return state


def _reply(message_id: str) -> bytes:
    return f"From: x@example.com\r\nSubject: Re: news\r\nIn-Reply-To: {message_id}\r\n\r\nunsubscribe\r\n".encode()


def _mailto(token: str) -> bytes:
    return f"From: x@example.com\r\nSubject: unsubscribe {token}\r\n\r\n\r\n".encode()


TestReaders = Readers.TestCase
TestReaders.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


def test_the_property_would_notice_a_leaver_who_is_sent_to() -> None:
    """The net has no hole: a row changed behind the verbs is caught."""
    world = Readers()
    world.opens("open", 0)
    try:
        world.asks("ann", "")
        world.confirms_by_every_link_ever_mailed("ann")
        world.leaves(world.people["ann"], by="themselves")
        with pytest.raises(AssertionError):
            world.everybody_stands_where_they_ought_to_and_the_log_says_why()
        world.a_month_is_approved()
        with pytest.raises(AssertionError):
            world.the_month_leaves()
    finally:
        world.teardown()
