"""Making the month: assemble, edit, approve, schedule, hold. One act, one transaction. Nothing is ever sent from here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from digest.config import Config
from digest.errors import Conflict, InputRefused, MoveRefused, NotFound
from digest.model import (
    BY_EDITORS,
    Edition,
    Entry,
    Issue,
    IssueState,
    ItemId,
    Language,
    Period,
    Placed,
    Reading,
)
from digest.publish_editions import Editions, Press, Printed
from digest.publish_evidence import evidence
from digest.publish_memory import Memory, Settled
from digest.publish_signers import is_second, signers
from digest.publish_undo import Undo
from digest.rules import assemble, cron, departure, edition
from digest.rules.assemble import Window
from digest.rules.preflight import Acceptance, Check, blocking, check, mark, print_faults
from digest.rules.undo import row_of


class Publish:
    """The editors' verb. `by` is who does it, for the log: an editor's id, "command" or "schedule"."""

    def __init__(
        self, store: Memory, press: Press, *, config: Config, clock: Callable[[], datetime], restored: Settled
    ) -> None:
        self._store, self._restored = store, restored
        self._press = press
        self._editions = Editions(store, press, config=config)
        self._config = config
        self._clock = clock
        self.history = Undo(store, clock=clock)

    # --- assembling ---------------------------------------------------------------------------------------------

    def next_period(self) -> Period:
        """The month of the next date in `[schedule] send`."""
        zone = self._config.list.timezone
        slot = cron.next_slot(self._config.schedule.send, zone, after=self._clock()).astimezone(
            ZoneInfo(zone)
        )
        return Period(slot.year, slot.month)

    def assemble(self, period: Period | None = None) -> Issue:
        """Makes the draft of that month, or brings what is new to its bench. Editors' choices stay; an issue that is
        no longer a draft is returned as it is."""
        now = self._clock()
        period = period or self.next_period()
        with self._store.write():
            issues = self._store.issues
            issue = issues.find(period)
            if issue is not None and issue.state is not IssueState.DRAFT:
                return issue
            window = self._window(period, issue, now=now)
            pool = self._store.items.pool(
                posts_since=window.since - assemble.LATE_ARRIVAL, posts_until=window.until,
                events_from=window.events_from, events_until=window.events_until,
            )  # fmt: skip
            used = issues.used_items()
            if issue is None:
                placed = assemble.draft(pool, window=window, used=used, limits=self._config.issue)
                issues.create(
                    period=period,
                    since=window.since,
                    until=window.until,
                    send_at=window.events_from,
                    placed=placed,
                )
            else:
                late = assemble.late(pool, issue=issue, window=window, used=used)
                issues.extend(issue.id, until=window.until, late=late)
            return issues.get(period)

    def _window(self, period: Period, issue: Issue | None, *, now: datetime) -> Window:
        zone = ZoneInfo(self._config.list.timezone)
        slot = cron.slot_in(self._config.schedule.send, str(zone), period=period)
        slot = slot or assemble.month(period, zone)[0]
        previous = issue.since if issue else self._store.issues.cut_off_before(period)
        return assemble.window(
            period, slot=slot, now=now, previous_cut_off=previous, zone=zone, limits=self._config.issue
        )

    # --- editing ------------------------------------------------------------------------------------------------

    def keep(self, period: Period, item: ItemId, *, by: str, section: str | None = None) -> Issue:
        """Takes an item off the bench, to the end of its section or of the one named."""
        return self._edit(period, "keep", item, by, lambda issue: edition.kept(issue, item, section=section))

    def add(self, period: Period, item: ItemId, *, by: str) -> Issue:
        """Takes any item of the pool into the issue, to the end of its section. Raises NotFound."""
        found = self._store.items.get([item])
        if not found:
            raise NotFound(f"There is no item {item} in the pool.")
        return self._edit(period, "add", item, by, lambda issue: edition.added(issue, found[0]))

    def write_own(self, period: Period, entry: Entry, *, by: str) -> tuple[Issue, ItemId]:
        """A post or event of an editor's own: into the pool and into the draft, together. Raises InputRefused for what
        the pool knows already."""
        with self._store.write():
            self._draft(period)
            if self._store.items.known(entry.keys):
                raise InputRefused("The pool holds this already.", key="desk.why_known")
            source = self._store.suggestions.source(BY_EDITORS, url=self._config.list.url)
            item = self._store.items.add(entry, source=source, now=self._clock())
            return self.add(period, item, by=by), item

    def cut(self, period: Period, item: ItemId, *, by: str) -> Issue:
        """Puts an item on the bench."""
        return self._edit(period, "cut", item, by, lambda issue: edition.cut(issue, item))

    def move(self, period: Period, item: ItemId, *, direction: edition.Direction, by: str) -> Issue:
        """Moves an item up, down, to the top or the bottom of its section."""
        return self._edit(period, f"move {direction}", item, by,
                          lambda issue: edition.moved(issue, item, direction=direction))  # fmt: skip

    def put(
        self, period: Period, item: ItemId, *, section: str | None, before: ItemId | None, by: str
    ) -> Issue:
        """Puts an item in front of another one, or at the end of a section; None is the bench."""
        return self._edit(period, "put", item, by,
                          lambda issue: edition.put(issue, item, section=section, before=before))  # fmt: skip

    def reword(
        self, period: Period, item: ItemId, *, language: Language, by: str,
        title: str | None = None, blurb: str | None = None, seen: tuple[str, str] | None = None,
    ) -> Issue:  # fmt: skip
        """An editor's own title and blurb in one language; "" gives the source's back, None leaves it.

        seen: the editor's (title, blurb) that the form showed. What the sender did not change stays as it is now; raises
        Conflict when somebody else changed the very words that the sender changed.
        """

        def change(issue: Issue) -> tuple[Placed, ...]:
            placed = next((p for p in issue.placed if p.item.id == item), None)
            asked = {"title": title, "blurb": blurb}
            if placed is not None and seen is not None:
                there = {"title": placed.title.get(language, ""), "blurb": placed.blurb.get(language, "")}
                for name, was in zip(asked, seen, strict=True):
                    asked[name] = edition.changed(asked[name], seen=was)
                    if asked[name] is not None and there[name] not in {edition.plain(was), asked[name]}:
                        raise Conflict(
                            "Somebody else changed these words meanwhile.", theirs="\n".join(there.values())
                        )
            return edition.reworded(issue, item, language=language, **asked)

        return self._edit(period, "reword", item, by, change)

    def write(
        self, period: Period, *, field: str, language: Language, words: str, by: str, seen: str | None = None
    ) -> Issue:
        """The editors' note or the theme in one language. seen: as in reword. Raises Conflict, InputRefused."""
        if field not in edition.TEXT_FIELDS:
            raise InputRefused(
                f"An issue has no text called {field!r}; it has {', '.join(edition.TEXT_FIELDS)}."
            )
        words = edition.plain(words)
        with self._store.write():
            issue = self._draft(period)
            there = issue.text(field, language)
            if seen is not None and edition.changed(words, seen=seen) is None:
                return issue
            if seen is not None and there not in {edition.plain(seen), words}:
                raise Conflict("Somebody else changed this text meanwhile.", theirs=there)
            if there != words:
                self._store.issues.write_text(issue.id, field=field, language=language, words=words)
                self._changed(issue, act="write", by=by, field=field, language=language, was=there, now=words)
            return self._store.issues.get(period, bench=())

    def _edit(
        self, period: Period, act: str, item: ItemId, by: str, change: Callable[[Issue], tuple[Placed, ...]]
    ) -> Issue:
        with self._store.write():
            issue = self._draft(period, bench=[item])
            placed = change(issue)
            if set(_rows(placed)) != set(_rows(issue.placed)):
                self._store.issues.place(issue.id, placed, was=issue.placed)
                self._changed(
                    issue,
                    act=act,
                    by=by,
                    item=item,
                    was=row_of(issue.placed, item),
                    now=row_of(placed, item),
                )
            return self._store.issues.get(period, bench=[item])

    def _draft(self, period: Period, *, bench: Collection[ItemId] = ()) -> Issue:
        issue = self._store.issues.get(period, bench=bench)
        edition.must_be_draft(issue)
        return issue

    def _changed(self, issue: Issue, *, act: str, by: str, **detail: Any) -> None:
        self._store.issues.bump(issue.id, revision=issue.revision)
        self._store.issues.log(issue.id, editor=by, act=act, detail=detail, at=self._clock())

    # --- checking, freezing, letting go -------------------------------------------------------------------------

    def preview(self, period: Period, reading: Reading | Language) -> Edition:
        """The very letter: frozen when the issue is approved, rendered from the draft before."""
        return self._editions.one(self._store.issues.get(period, bench=()), reading)

    def letters(self, period: Period) -> tuple[Issue, dict[str, Edition]]:
        """An issue and its letters as they would leave now, by key; groups of zones left out."""
        issue = self._store.issues.get(period, bench=())
        return issue, self._editions.checked(issue)

    def preflight(self, period: Period) -> list[Check]:
        """All checks on the letters as they would leave now."""
        return self._checks(*self.letters(period))

    def accept(self, period: Period, *, rule: str, why: str, by: str, seen: str | None = None) -> list[Check]:
        """Lets the warnings of one rule pass, as they are now and for this issue. Raises InputRefused.

        The word lapses when the rule finds something else later. What stops approval cannot be accepted.
        seen: what names the warnings that were looked at; raises Conflict when they are others by now.
        """
        why = " ".join(why.split())
        if not 3 <= len(why) <= 200:
            raise InputRefused("Say in 3 to 200 characters why this may stand.", key="desk.why_reason")
        issue, editions = self.letters(period)
        checks = self._checks(issue, editions)
        now_there = mark([line for line in checks if line.id == rule])
        if not now_there:
            raise InputRefused(
                f"{rule!r} warns of nothing that could be accepted; see: digest preflight {period}",
                key="desk.why_no_warning",
            )
        if seen not in {None, now_there}:
            raise Conflict("These checks warn of something else by now; look at them once more.")
        with self._store.write():
            now = self._clock()
            word = Acceptance(by=by, why=why, mark=now_there)
            self._store.proofs.accept(issue.id, rule=rule, word=word, at=now)
            self._store.issues.log(
                issue.id, editor=by, act="accept", detail={"rule": rule, "why": why}, at=now
            )
        return self.preflight(period)

    def approve(self, period: Period, *, by: str, seen: str | None = None) -> Issue:
        """Freezes the letters and lists the readers, together. Where two people must approve, the first leaves a draft.

        seen: what the page of whoever approves showed (edition.shown); raises Conflict when it is another draft by now.
        Raises MoveRefused when a check blocks, or when letters of it may have left that this database knows nothing of.
        """
        issue = self._store.issues.get(period, bench=())
        to = edition.after("approve", issue)
        edition.must_be_as_seen(issue, seen)
        self._restored.refuse(period)
        checked = self._editions.checked(issue)
        stops = blocking(self._checks(issue, checked))
        if stops:
            raise MoveRefused(
                f"{period} cannot be approved: {' '.join(c.message_en for c in stops)}",
                key="desk.why_stopped",
            )
        printed = self._editions.printed(issue, checked)
        self._prove(printed, seen=checked)
        editions, now = printed.editions, self._clock()
        with self._store.write(durable=True):
            issues = self._store.issues
            if self._config.desk.approvals > 1 and not is_second(
                self._store, issue, by=by, letters=_hash(editions)
            ):
                issues.log(issue.id, editor=by, act="sign", detail={"hash": _hash(editions)}, at=now)
                return issue
            if not issues.bump(issue.id, revision=issue.revision):
                raise Conflict(f"Somebody changed {period} while you approved it; look at it once more.")
            issues.freeze(issue.id, list(editions.values()))
            if (logo := self._press.logo) is not None:
                self._store.logos.keep(logo.name, kind=logo.kind, data=logo.data)
            if not issues.move(issue.id, from_={issue.state}, to=to, approved_at=now, approved_by=by,
                               hash=_hash(editions)):  # fmt: skip
                raise Conflict(f"Somebody else approved {period} just now.")
            self._store.deliveries.list_audience(
                issue.id,
                languages=self._config.list.languages,
                now=now,
                editions=editions,
                zones=printed.zones,
                empty=printed.empty,
            )
            self._store.deliveries.spare(issue.id)
            issues.log(issue.id, editor=by, act="approve", detail={"hash": _hash(editions)}, at=now)
            return issues.get(period, bench=())

    def _prove(self, printed: Printed, *, seen: Collection[str]) -> None:
        """No letter leaves broken that nobody looked at. Raises MoveRefused."""
        for cut, part in printed.parts.items():
            unseen = {key: one for key, one in printed.editions.items() if key not in seen and one.cut == cut}
            stops = print_faults(part, unseen, config=self._config, now=self._clock())
            if stops:
                raise MoveRefused(
                    f"{part.period} cannot be approved: {' '.join(c.message_en for c in stops)}",
                    key="desk.why_unseen_stopped", letter=stops[0].language or "", rule=stops[0].id,
                )  # fmt: skip

    def signers(self, period: Period) -> set[str]:
        """Who has approved these very letters so far, where two people must."""
        issue, editions = self.letters(period)
        return signers(self._store, issue, _hash(editions))

    def schedule(
        self, period: Period, *, by: str, at: datetime | None = None, seen: str | None = None
    ) -> Issue:
        """Lets an approved issue leave by itself at `at`, its own date unless given, and never within ten minutes.

        Raises MoveRefused for a day gone by or far off, and when an event of the letter would be over by then.
        """
        now = self._clock()
        with self._store.write():
            issue = self._store.issues.get(period)
            to = edition.after("schedule", issue)
            edition.must_be_as_seen(issue, seen)
            self._restored.refuse(period)
            send_at = departure.moment(issue, at, now=now)
            departure.must_show_nobody_against_their_word(issue, self._store.issues.editions(issue.id))
            self._store.issues.move(issue.id, from_={issue.state}, to=to, send_at=send_at)
            detail = {"send_at": send_at.isoformat(), "own": issue.send_at.isoformat()}
            if issue.state is IssueState.SCHEDULED:
                detail["was"] = detail["own"]
            self._store.issues.log(issue.id, editor=by, act="schedule", detail=detail, at=now)
            return self._store.issues.get(period, bench=())

    def hold(self, period: Period, *, by: str) -> Issue:
        """Back to draft, while nothing was sent. The frozen letters, the list of readers and a date that was chosen are
        given up."""
        with self._store.write():
            issue = self._store.issues.get(period, bench=())
            to = edition.after("hold", issue)
            self._restored.refuse(period)
            deliveries, now = self._store.deliveries, self._clock()
            at_work = deliveries.live_run(issue.id, now=now)
            edition.must_be_unsent(issue, deliveries.counts(issue.id), at_work=at_work)
            return self._thawed(issue, to=to, by=by)

    def take_back(self, period: Period, *, by: str) -> Issue:
        """Back to draft, while none but the first letters have left and nobody is at work: who has one gets the mended
        issue as well, with everybody else, and nobody the very same letter twice."""
        with self._store.write(durable=True):
            issue = self._store.issues.get(period, bench=())
            to = edition.after("take back", issue)
            self._restored.refuse(period)
            deliveries, now = self._store.deliveries, self._clock()
            if deliveries.live_run(issue.id, now=now):
                raise MoveRefused(
                    f"Letters of {period} are on their way; stop it first.", key="desk.why_not_first"
                )
            return self._thawed(issue, to=to, by=by, first=deliveries.withdraw(issue.id, now=now))

    def _thawed(self, issue: Issue, *, to: IssueState, by: str, **detail: int) -> Issue:
        self._store.deliveries.drop(issue.id)
        self._store.issues.move(
            issue.id, from_={issue.state}, to=to, approved_at=None, approved_by=None, hash=None,
            sending_since=None, pause_reason=None,
            send_at=departure.own_date(issue, self._store.issues.edits(issue.id)),
        )  # fmt: skip
        self._store.issues.thaw(issue.id)
        self._changed(issue, act="hold", by=by, **detail)
        return self._store.issues.get(issue.period, bench=())

    def audience(self, issue: Issue) -> Mapping[str, int]:
        """How many readers would get it if it were approved now, by what they read."""
        empty = self._editions.empty(issue)
        return self._store.subscribers.audience(issue.period, send_at=issue.send_at, empty=empty)

    def _checks(self, issue: Issue, editions: Mapping[str, Edition]) -> list[Check]:
        now, config = self._clock(), self._config
        return check(
            issue, editions, config=config, now=now,
            readers=sum(self.audience(issue).values()),
            evidence=evidence(self._store, issue, editions, config=config, now=now, frozen=self._frozen(issue),
                              logo=self._press.logo),
            accepted=self._store.proofs.accepted(issue.id),
        )  # fmt: skip

    def _frozen(self, issue: Issue) -> str | None:
        """What names the letters that are frozen, as they are in the store now."""
        return _hash(self._store.issues.editions(issue.id)) if issue.hash else None


def _hash(editions: Mapping[str, Edition]) -> str:
    return sha256("".join(f"{k}:{editions[k].sha256};" for k in sorted(editions)).encode()).hexdigest()


def _rows(placed: Sequence[Placed]) -> list[tuple[Any, ...]]:
    return [(p.item.id, p.section, p.position, tuple(sorted(p.title.items())), tuple(sorted(p.blurb.items())), p.chosen)
            for p in placed]  # fmt: skip
