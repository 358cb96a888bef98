"""A random walk through the real doors of an issue: the desk, the commands, the clock. After each step all must agree."""

import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import click
import pytest

from digest import schedule
from digest.app import App, open_app
from digest.cli_door import Door
from digest.cli_issues import COMMANDS
from digest.config import Config
from digest.errors import DigestError
from digest.model import DeliveryState, IssueState
from digest.rules.edition import MOVES
from digest.send_letters import seal_of_all
from digest.web import create_web
from tests import web_kit
from tests.conftest import Clock

LEGAL = {(was.value, to.value) for moves in MOVES.values() for was, to in moves.items()}
LEFT = (DeliveryState.SENT, DeliveryState.COMMITTING, DeliveryState.UNSURE, DeliveryState.FAILED)
SETTINGS = {
    "all at once": "",
    "some first, then a person": '[mail]\ncanary = "share"\ncanary_percent = 40\ncanary_then = "ask"\n',
    "some first, then the clock": '[mail]\ncanary = "share"\ncanary_percent = 40\ncanary_then = "go"\n',
    "two approve": "[desk]\napprovals = 2\n",
}
STEPS = dict.fromkeys(SETTINGS, 32) | {"two approve": 70}


class Inside(Door):
    """The commands, on the house that is open already, by its clock."""

    app: App

    def open(self) -> AbstractContextManager[App]:  # type: ignore[override]
        return nullcontext(self.app)


@dataclass
class Walker:
    """Takes steps, by dice, and looks around after each. told: what was done, for whoever reads a failure."""

    app: App
    clock: Clock
    dice: random.Random
    told: list[str] = field(default_factory=list)
    asked_now: datetime | None = None
    seen: dict[Path, str] = field(default_factory=dict)
    taken_back: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.month = web_kit.fill(self.app)
        self.app.publish.assemble(self.month.period)
        self.web = create_web(self.app)
        self.people = [
            web_kit.signed_in(self.app, self.web, who) for who in ("dana@example.org", "ada@example.org")
        ]
        self.base, self.number = f"/desk/issues/{self.month.period}/", 0
        self.commands = {one.name: one for one in COMMANDS}
        with sqlite3.connect(self.app.store.path) as db:
            db.execute("CREATE TABLE walked (was TEXT, becomes TEXT)")
            db.execute(
                "CREATE TRIGGER walking AFTER UPDATE OF state ON issue WHEN NEW.state <> OLD.state "
                "BEGIN INSERT INTO walked VALUES (OLD.state, NEW.state); END"
            )
        db.close()
        self.walk_on = [
            self.writes, self.approves, self.approves, self.approves, self.schedules, self.holds, self.sends_now, self.pauses,
            self.takes_back, self.goes_on, self.time_passes, self.time_passes,
            self.time_passes, self.commands_it, self.commands_it,
            self.assembles,
        ]  # fmt: skip

    @property
    def state(self) -> IssueState:
        return self.app.store.issues.get(self.month.period).state

    def step(self) -> None:
        act = self.dice.choice(self.walk_on)
        before = self.state
        try:
            what = act()
        except DigestError as refused:
            what = f"refused: {refused}"
        self.web.extensions["digest"].errands.wait()
        self.told.append(f"{self.clock():%d %H:%M} {before} {act.__name__} {what} -> {self.state}")
        self.look_around(before)

    # --- the doors ----------------------------------------------------------------------------------------------

    def press(self, door: str, **fields: object) -> str:
        client = self.dice.choice(self.people)
        answer = client.post(self.base + door, data={"token": web_kit.form_token(client), **fields},
                             base_url=web_kit.URL)  # fmt: skip
        assert answer.status_code in {303, 400, 409}, (door, answer.status_code, self.told)
        return f"{answer.status_code}"

    def writes(self) -> str:
        self.number += 1
        issue = self.app.store.issues.get(self.month.period)
        return self.press("note", revision=issue.revision,
                          **{"note-en": f"marker-{self.number}-", "note-fr": f"marker-{self.number}-"})  # fmt: skip

    def approves(self) -> str:
        revision = self.app.store.issues.get(self.month.period).revision
        then = self.dice.choice(["wait", "wait", "schedule"])
        return self.press("approve", revision=revision, then=then)

    def schedules(self) -> str:
        return self.press("schedule")

    def holds(self) -> str:
        return self.press("hold")

    def sends_now(self) -> str:
        before = self.state
        said = self.press("send")
        if before in {IssueState.APPROVED, IssueState.SCHEDULED} and self.state is IssueState.SCHEDULED:
            self.asked_now = self.clock()
        return said

    def goes_on(self) -> str:
        return self.press("send") if self.state in {IssueState.PAUSED, IssueState.SENDING} else "nothing"

    def pauses(self) -> str:
        return self.press("pause")

    def takes_back(self) -> str:
        said = self.press("take-back")
        if said == "303":
            self._letters()
            self.taken_back = set(self.seen)
        return said

    def assembles(self) -> str:
        self.app.publish.assemble(self.month.period)
        return ""

    def time_passes(self) -> str:
        self.clock.time += timedelta(minutes=self.dice.choice([1, 5, 11, 45, 60 * 13]))
        letters = self.dice.choice([2, 6, 1_000])
        schedule.send_due(self.app, stop=self._after(letters))
        return f"(stopped after {letters} looks)"

    def commands_it(self) -> str:
        name = self.dice.choice(["approve", "hold", "send", "send", "preflight"])
        inside = Inside()
        inside.app = self.app
        arguments = [str(self.month.period)]
        try:
            self.commands[name].main(arguments, prog_name=name, standalone_mode=False, obj=inside)
        except click.exceptions.Exit:
            return f"{name}: exit"
        return name

    def _after(self, looks: int) -> Callable[[], bool]:
        left = [looks]

        def stop() -> bool:
            left[0] -= 1
            return left[0] < 0

        return stop

    # --- what must be true ---------------------------------------------------------------------------------------

    def look_around(self, before: IssueState) -> None:
        app, period = self.app, self.month.period
        issue, counts = (
            app.store.issues.get(period),
            app.store.deliveries.counts(app.store.issues.get(period).id),
        )
        editions = app.store.issues.editions(issue.id)
        for was, becomes in self._walked():
            assert (was, becomes) in LEGAL, self.told
            if was == "scheduled" and becomes == "sending":  # by whatever door
                assert self.clock() >= issue.send_at, self.told
                if self.asked_now is not None:
                    assert self.clock() >= self.asked_now + timedelta(minutes=10), self.told
            if becomes == "draft":
                self.asked_now = None
        if issue.state is IssueState.DRAFT:
            assert (issue.hash, editions, sum(counts.values())) == (None, {}, 0), self.told
            assert self._letters() == {}, self.told
            return
        assert issue.hash == seal_of_all(editions), self.told
        approvals = [edit for edit in app.store.issues.edits(issue.id) if edit.act == "approve"]
        assert approvals[-1].detail["hash"] == issue.hash, self.told
        marker = issue.text("note", "en")
        letters, everything = self._letters(), self._everything()
        assert len(set(everything)) == len(everything), "nobody gets the same letter twice"
        assert len(letters) == counts[DeliveryState.SENT], self.told
        assert all(marker in text for text in letters.values()), self.told
        if issue.state in {IssueState.APPROVED, IssueState.SCHEDULED}:
            assert not any(counts[state] for state in LEFT), self.told
        if issue.state is IssueState.SENT:
            assert len({to for to, _ in self._everything()}) == 5, self.told

    def _walked(self) -> list[tuple[str, str]]:
        with sqlite3.connect(self.app.store.path) as db:
            found = db.execute("SELECT was, becomes FROM walked ORDER BY rowid").fetchall()
            db.execute("DELETE FROM walked")
        db.close()
        return [(was, becomes) for was, becomes in found]

    def _letters(self) -> dict[Path, str]:
        for path in self.app.config.path(self.app.config.mail.folder).glob("*.eml"):
            if path not in self.seen:
                message = message_from_bytes(path.read_bytes(), policy=policy.default)
                body = message.get_body(("plain",))
                is_issue = "List-Unsubscribe" in message and body is not None
                text = body.get_content() if is_issue and body is not None else ""
                self.seen[path] = text and f"{message['To']}\n{text}"
        return {path: text for path, text in self.seen.items() if text and path not in self.taken_back}

    def _everything(self) -> list[tuple[str, str]]:
        """Who got what, letters of issues that were taken back among it; without the links, which are of each letter."""
        parts = [text.partition("\n") for text in self.seen.values() if text]
        return [(to, re.sub(r"https://\S+", "", text)) for to, _, text in parts]


@pytest.fixture
def walk(make_config: Callable[[str], Config], clock: Clock) -> Iterator[Callable[[str, int], Walker]]:
    opened: list[App] = []

    def start(kind: str, seed: int) -> Walker:
        ada = '[[editors]]\naddress = "ada@example.org"\nrole = "approver"\n'
        opened.append(open_app(make_config(SETTINGS[kind] + web_kit.SOURCES + ada), clock=clock))
        return Walker(opened[-1], clock, random.Random(f"{kind} {seed}"))

    yield start
    for app in opened:
        app.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", SETTINGS)
def test_whatever_is_pressed_the_issue_goes_by_the_table_and_only_approved_bytes_leave(
    walk: Callable[[str, int], Walker], kind: str, seed: int
) -> None:
    walker = walk(kind, seed)
    for _ in range(STEPS[kind]):
        walker.step()
    assert {line.split()[2] for line in walker.told} > {"draft"}, "it came somewhere"
