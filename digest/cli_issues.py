"""Commands for the month: assemble, issues, show, preflight, approve, hold, send, status."""

import sys
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Literal
from zoneinfo import ZoneInfo

import click

from digest import cli_json
from digest.app import App
from digest.cli_door import (
    Door,
    as_json,
    columns,
    interruptible,
    issue_argument,
    pace_line,
    pass_door,
    period_option,
    print_json,
    progress,
    say,
)
from digest.errors import InputRefused, MailError, MoveRefused
from digest.model import (
    Address,
    Canary,
    CanaryStage,
    Delivery,
    DeliveryState,
    Issue,
    IssueState,
    Language,
    Period,
    Reading,
)
from digest.render.letter import Slots
from digest.rules.assemble import SECTIONS
from digest.rules.consent import judged_address, readings
from digest.rules.preflight import RULES, Check
from digest.send_report import Report
from digest.words import told

_BY = "command"
_ODD, _NAMED = (DeliveryState.FAILED, DeliveryState.DEFERRED, DeliveryState.UNSURE), 20


@click.command()
@period_option("The month; left out: that of the next date in [schedule] send.")
@as_json
@pass_door
def assemble(door: Door, period: Period | None, as_json: bool) -> None:
    """Make the draft of a month, or bring what is new to its bench. Editors' choices stay."""
    with door.open() as app:
        issue = app.publish.assemble(period)
    if as_json:
        print_json(cli_json.issue(issue))
        return
    if issue.state is not IssueState.DRAFT:
        say(f"{issue.period} is {issue.state}; nothing was changed.")
        return
    say(f"The draft of {issue.period} is ready: {_contents(issue)}.")


@click.command()
@as_json
@pass_door
def issues(door: Door, as_json: bool) -> None:
    """List all issues, the newest first."""
    with door.open() as app:
        found = app.store.issues.all()
    if as_json:
        print_json(cli_json.issues(found))
        return
    if not found:
        say("No issue yet. Make one with: digest assemble")
    for line in columns([[str(i.period), f"no. {i.number}", i.state, _when(i.send_at, app)] for i in found]):
        say(line)


@click.command()
@issue_argument
@click.option("--as", "form", type=click.Choice(["html", "text", "eml", "json"]), default="text", show_default=True,
              help="The letter's HTML or text part, the whole message, or what stands where.")  # fmt: skip
@click.option(
    "--language", type=click.Choice([str(one) for one in Reading]), help="Left out: the list's first."
)
@pass_door
def show(door: Door, period: Period, form: str, language: str | None) -> None:
    """Show an issue as its readers get it; the links of a reader do nothing here."""
    with door.open() as app:
        if form == "json":
            print_json(cli_json.issue(app.store.issues.get(period)))
            return
        offered = readings(app.config.list.languages)
        chosen = Reading(language) if language else offered[0]
        if chosen not in offered:
            raise InputRefused(f"This list has no edition in {chosen}; see [list] languages.")
        edition = app.publish.preview(period, chosen)
        if form == "eml":
            letter = app.press.compiled(edition).splice(_nobody(app.config.list.url, date=app.clock()))
            sys.stdout.buffer.write(letter)
            return
        html, text = app.press.preview(edition)
    say(html if form == "html" else text)


@click.command()
@issue_argument
@click.option("--accept", metavar="RULE", help="Let the warnings of this rule pass, with --because.")
@click.option("--because", metavar="TEXT", help="Why they may stand; kept with the issue.")
@click.option("--look", is_flag=True, help="First visit the links, and ask SpamAssassin and a name server.")
@as_json
@pass_door
def preflight(
    door: Door, period: Period, accept: str | None, because: str | None, look: bool, as_json: bool
) -> None:
    """Check an issue: what blocks it, what to look at. Status 1 when something blocks."""
    _refuse_rule(accept, because)
    with door.open() as app:
        issue = app.store.issues.get(period)
        if look:
            app.look.at(period)
        if accept is None:
            checks = app.publish.preflight(period)
        else:
            checks = app.publish.accept(period, rule=accept, why=because or "", by=_BY)
    if as_json:
        print_json(cli_json.preflight(issue, checks))
    else:
        _print_checks(checks)
    if any(check.severity == "block" and check.outcome == "fail" for check in checks):
        click.get_current_context().exit(1)


def _refuse_rule(accept: str | None, because: str | None) -> None:
    """A rule is named before a reason is asked for. Raises UsageError."""
    if accept is None and because is not None:
        raise click.UsageError("--because goes with --accept RULE.")
    known = [rule.id for rule in RULES]
    if accept is not None and accept not in known:
        near = get_close_matches(accept, known, n=1)
        raise click.UsageError(
            f'There is no rule "{accept}".'
            + (f' Did you mean "{near[0]}"?' if near else " The checks name theirs: digest preflight ISSUE")
        )
    if accept is not None and because is None:
        raise click.UsageError("--accept RULE goes with --because TEXT: say why the warnings may stand.")


@click.command()
@issue_argument
@pass_door
def approve(door: Door, period: Period) -> None:
    """Freeze an issue: the letters and the list of readers. It leaves at its hour, or now by: digest send ISSUE"""
    with door.open() as app:
        issue = app.publish.approve(period, by=_BY)
        counts = app.store.deliveries.counts(issue.id)
        now = app.clock()
    say(f"{period} is approved; {counts[DeliveryState.QUEUED]} letters wait.")
    if issue.send_at > now:
        say(
            f"They leave at {_when(issue.send_at, app)} while digest serve runs, or now by: digest send {period}"
        )
    else:
        say(f"Its date has passed, so it does not leave by itself. Send it with: digest send {period}")


@click.command()
@issue_argument
@click.option("--take-back", "first_too", is_flag=True,
              help="Also when its first letters have left: who has one gets the mended issue too.")  # fmt: skip
@pass_door
def hold(door: Door, period: Period, first_too: bool) -> None:
    """Back to draft, while nothing was sent."""
    with door.open() as app:
        (app.publish.take_back if first_too else app.publish.hold)(period, by=_BY)
    say(f"{period} is a draft again.")


@click.command()
@issue_argument
@click.option(
    "--test", "address", metavar="ADDRESS", help="Send one copy of each edition there; readers get nothing."
)
@click.option(
    "--language", type=click.Choice([str(one) for one in Reading]), help="With --test: this edition only."
)
@click.option("--only", type=click.Choice(["failed", "joined-since"]),
              help="Of a begun or sent issue: the letters that failed once more, or those of readers who joined "
              "since it was approved.")  # fmt: skip
@click.option("--now", "early", is_flag=True,
              help="Do not wait for the hour of a scheduled issue: nobody can hold it any more.")  # fmt: skip
@pass_door
def send(
    door: Door,
    period: Period,
    address: str | None,
    language: str | None,
    only: Literal["failed", "joined-since"] | None,
    early: bool,
) -> None:
    """Send an approved issue, or go on sending it, until nothing can be done now."""
    if language is not None and address is None:
        raise click.UsageError("--language goes with --test; without it the whole issue leaves.")
    if only is not None and address is not None:
        raise click.UsageError("--test and --only say different things; name one.")
    with door.open() as app:
        app.transport.ready()
        if address is not None:
            _send_test(app, period, judged_address(address), language=language)
            return
        if only is not None and not app.send.again(period, only=only, by=_BY):
            say(
                f"{period}: no letter {'has failed' if only == 'failed' else 'is for a reader who joined since'}."
            )
            return
        total = sum(app.store.deliveries.counts(app.store.issues.get(period).id).values())
        with progress("Sending", total=total or None) as step, interruptible() as stopping:
            report = app.send.issue(
                period,
                on_progress=lambda at: step(at.sent + at.deferred + at.failed + at.unsure, ""),
                stop=stopping,
                early=early,
            )
            stopped = stopping() and report.waiting > 0
        issue = app.store.issues.get(period)
        counts, first = app.store.deliveries.counts(issue.id), app.send.canary(period)
    _tell(report, issue, counts, app, first=first)
    if stopped:
        click.echo(
            f"Stopped with {report.waiting} letters waiting; go on with: digest send {period}", err=True
        )
        click.get_current_context().exit(130)


@click.command()
@issue_argument
@as_json
@pass_door
def status(door: Door, period: Period, as_json: bool) -> None:
    """Count the letters of an issue by state."""
    with door.open() as app:
        issue = app.store.issues.get(period)
        counts = app.store.deliveries.counts(issue.id)
        first, at_work = app.send.canary(period), app.store.paces.progress(issue.id, now=app.clock())
        rests, put_off = app.send.rests_until(issue), app.send.put_off_until(issue)
        odd = {
            state: app.store.deliveries.listed(issue.id, state, limit=_NAMED) for state in _ODD if not as_json
        }
    if as_json:
        print_json(cli_json.status(issue, counts))
        return
    say(status_line(issue, counts))
    if at_work is not None:
        say(f"  at work: {pace_line(at_work)}")
    if first is not None and first.stage is not CanaryStage.REST:
        fared = ", ".join(f"{count} {state}" for state, count in first.counts.items())
        say(f"  first letters ({first.stage}): {fared}")
    if put_off is not None:
        say(f"  all that is left was put off by mail servers; the next try is due at {_when(put_off, app)}")
    if rests is not None:
        say(f"  the rest goes at {_when(rests, app)} while digest serve runs")
    if issue.pause_reason and issue.state is IssueState.PAUSED:
        say(f"  paused: {told(issue.pause_reason, Language.EN)}")
    for state, listed in odd.items():
        for delivery in listed:
            say(f"  {state}: {delivery.address.reveal()} ({_why(state, delivery)})")
        if counts[state] > len(listed):
            say(f"  {state}: and {counts[state] - len(listed)} more")


def _why(state: DeliveryState, delivery: Delivery) -> str:
    """What a mail server last said of a letter."""
    said = f"{delivery.code or ''} {delivery.reply}".strip()
    if state is DeliveryState.UNSURE:
        return f"delivery {delivery.id}; the server's last answer was lost"
    return said or "no answer"


def _send_test(app: App, period: Period, address: Address, *, language: str | None) -> None:
    for one in (
        [Reading(language)] if language else [e.reading for e in app.publish.letters(period)[1].values()]
    ):
        outcome = app.send.test(period, address=address, language=one)
        if outcome.state is not DeliveryState.SENT:
            raise MailError(
                f"The test letter ({one}) did not leave: {outcome.state}, {outcome.code} {outcome.reply}"
            )
        say(f"A test letter ({one}) has left.")


def _when(moment: datetime, app: App) -> str:
    """A moment on the clock of the list, which says whose clock it is."""
    zone = app.config.list.timezone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"


def _tell(
    report: Report, issue: Issue, counts: Mapping[DeliveryState, int], app: App, *, first: Canary | None
) -> None:
    """What one call of send did. Raises MailError when it is paused, MoveRefused when another process is at it."""
    if report.busy:
        raise MoveRefused(f"Another process is sending {issue.period}; see: digest status {issue.period}")
    say(status_line(issue, counts))
    for domain, words in report.shunned.items():
        click.echo(f"{domain} refuses us for now: {words}", err=True)
    if report.next_due is not None:
        say(f"Put off by the mail server; the next try is due at {_when(report.next_due, app)}.")
    if report.rests_until is not None:
        say(
            f"Sending rests until {_when(report.rests_until, app)} and goes on by itself while digest serve runs."
        )
    if report.state is IssueState.PAUSED and first is not None and first.stage is CanaryStage.WAITING:
        say(f"{_sentence(report.reason)} The rest goes with: digest send {issue.period}")
        return
    if report.state is IssueState.PAUSED:
        raise MailError(
            f"Sending {issue.period} is paused: {_sentence(report.reason)} Go on with: digest send {issue.period}"
        )


def _sentence(text: str | None) -> str:
    """With its full stop, when another sentence follows."""
    text = (text or "").rstrip()
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."


def _nobody(url: str, *, date: datetime) -> Slots:
    """The place of a reader in a letter that is only looked at."""
    return Slots(to=Address("reader@example.org"), message_id="<preview@example.org>", date=date,
                 unsubscribe_url=f"{url}/", preferences_url=f"{url}/")  # fmt: skip


def status_line(issue: Issue, counts: Mapping[DeliveryState, int]) -> str:
    """An issue in one line; never just "sent" while a letter is unsure."""
    named = [f"{count} {state}" for state, count in counts.items() if count]
    unsure = counts.get(DeliveryState.UNSURE, 0)
    state = f"sent, with {unsure} unsure" if issue.state is IssueState.SENT and unsure else str(issue.state)
    return f"{issue.period}: {state}" + (f" ({', '.join(named)})" if named else "")


def _contents(issue: Issue) -> str:
    parts = [f"{len(issue.section(name))} in {name}" for name in SECTIONS if issue.section(name)]
    late = sum(placed.arrived_late for placed in issue.section(None))
    bench = f"{len(issue.section(None))} on the bench" + (f", {late} of them new" if late else "")
    return ", ".join([*parts, bench])


def _print_checks(checks: list[Check]) -> None:
    signs = {"pass": "ok", "accepted": "accepted", "not-checked": "not checked"}
    failed = {"block": "BLOCKS", "warn": "look", "info": "note"}
    for line in columns([[signs.get(c.outcome, failed[c.severity]), c.id, c.message_en] for c in checks]):
        say(line)


COMMANDS = (assemble, issues, show, preflight, approve, hold, send, status)
