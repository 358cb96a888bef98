"""Preflight of what the letter cannot tell about itself: with evidence it judges, without it says that nobody looked."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from digest.model import Edition, EventStatus, Issue, ItemId, Language
from digest.render.calendar import issue_file
from digest.rules.preflight import Check, CheckOutcome, Evidence, Severity, check
from digest.rules.preflight_clients import ALLOWED, LACK_WARNS, data, lacking
from digest.rules.preflight_outside import outside_links
from digest.rules.proof import Look, Page, Picture, Proof
from tests import render_kit as kit
from tests.test_preflight import clean_month, printed, real

NOW = kit.SEND_AT - timedelta(days=2)
FRESH = NOW - timedelta(hours=1)
OLD = NOW - timedelta(days=3)


def ics(issue: Issue, language: Language = Language.EN) -> bytes:
    return issue_file(issue, config=real(), language=language, now=NOW)


def well(issue: Issue, editions: Mapping[Language, Edition], **more: Any) -> Evidence:
    """Everything was looked at and nothing found."""
    links = outside_links(Proof(issue=issue, editions=editions, config=real(), now=NOW, readers=1))
    looks = {("link", url): Look(FRESH, "ok") for url in links}
    looks |= {("spam", edition.sha256): Look(FRESH, "-1.0 NONE") for edition in editions.values()}
    looks |= {("auth", "example.org"): Look(FRESH, "SPF DMARC")}
    known = {
        "subjects": [("2026-11", "Digital Government Digest: plain words")], "printed": {},
        "tested": {edition.sha256 for edition in editions.values()},
        "read_at": dict.fromkeys({p.item.source for p in issue.placed}, FRESH), "last_audience": 50, "looks": looks,
        "calendars": {language: ics(issue, language) for language in editions},
    }  # fmt: skip
    return Evidence(**(known | more))


def lines(rule: str, *, issue: Issue | None = None, looks: Mapping[tuple[str, str], Look] | None = None,
          drop: str = "", readers: int = 50, **more: Any) -> list[Check]:  # fmt: skip
    issue = issue or clean_month()
    editions = more.pop("editions", None) or printed(issue, real())
    evidence = well(issue, editions, **more)
    kept = {key: look for key, look in evidence.looks.items() if key[0] != drop}
    evidence = replace(evidence, looks={**kept, **(looks or {})})
    told = check(issue, editions, config=real(), now=NOW, readers=readers, evidence=evidence)
    return [line for line in told if line.id == rule]


def outcomes(rule: str, **more: Any) -> set[CheckOutcome]:
    return {line.outcome for line in lines(rule, **more)}


def test_with_all_evidence_everything_is_checked_and_passes() -> None:
    issue = clean_month()
    editions = printed(issue, real())
    told = check(issue, editions, config=real(), now=NOW, readers=50, evidence=well(issue, editions))
    assert {line.outcome for line in told} == {CheckOutcome.PASS}


def test_a_subject_of_last_month_is_caught() -> None:
    subject = printed(clean_month(), real())[Language.FR].subject
    told = lines("subj-repeat", subjects=[("2026-11", subject.upper()), ("2026-10", "another")])
    assert [(c.outcome, c.language) for c in told] == [(CheckOutcome.FAIL, Language.FR)]
    assert "November 2026" in told[0].message_en


def test_an_item_of_an_earlier_letter_is_caught() -> None:
    assert [c.where for c in lines("item-repeat", printed={ItemId(6): "2026-09"})] == ["item:6"]


def test_a_letter_that_nobody_tried_is_told_per_language() -> None:
    english = printed(clean_month(), real())[Language.EN].sha256
    assert [c.language for c in lines("test-sent", tested={english})] == [Language.FR]


def test_a_third_of_the_readers_gone_is_a_warning() -> None:
    told = lines("audience", last_audience=75)
    assert [(c.outcome, c.severity) for c in told] == [(CheckOutcome.FAIL, Severity.WARN)]
    assert outcomes("audience", last_audience=55) == {CheckOutcome.PASS}


def frozen_then(**now: Any) -> tuple[Issue, Mapping[Language, Edition]]:
    """Printed, and then its first event changed at the source."""
    issue = clean_month()
    editions = printed(issue, real())
    first, *rest = issue.placed
    assert first.item.occasion is not None
    moved = replace(first, item=replace(first.item, occasion=replace(first.item.occasion, **now)))
    return replace(issue, placed=(moved, *rest)), editions


def test_an_event_called_off_after_printing_stops_the_letter() -> None:
    issue, editions = frozen_then(status=EventStatus.CANCELLED)
    told = lines("ev-cancel", issue=issue, editions=editions)
    assert [(c.outcome, c.severity, c.where) for c in told] == [(CheckOutcome.FAIL, Severity.BLOCK, "item:1")]


def test_an_event_moved_after_printing_stops_the_letter() -> None:
    issue, editions = frozen_then(starts=datetime.fromisoformat("2026-12-03T18:00:00+00:00"))
    assert outcomes("ev-cancel", issue=issue, editions=editions) == {CheckOutcome.FAIL}


def test_a_cancelled_event_that_is_printed_as_such_is_well() -> None:
    issue, _ = frozen_then(status=EventStatus.CANCELLED)
    assert outcomes("ev-cancel", issue=issue) == {CheckOutcome.PASS}


def test_a_source_that_was_not_read_lately_proves_nothing() -> None:
    sources = dict.fromkeys({p.item.source for p in clean_month().placed}, FRESH) | {"Prairie Digital": OLD}
    told = lines("ev-cancel", read_at=sources)
    assert [c.outcome for c in told] == [CheckOutcome.NOT_CHECKED]
    assert "Prairie Digital" in told[0].message_en


@pytest.mark.parametrize(("find", "put", "what"), [
    (rb"DTSTAMP:[^\r]*\r\n", b"", "DTSTAMP"), (rb"UID:item-1@", b"UID:item-2@", "UID"), (rb"UID:item-1@", b"UID:x@", "UID"),
    (rb"DTSTART:(\d{8}T\d{6})Z", rb"DTSTART;TZID=America/Toronto:\1", "DTSTART"), (rb"\r\n", b"\n", "CRLF"),
    (rb"DTSTART:(\d{8}T\d{6})Z", rb"DTSTART:\1", "DTSTART"), (rb"BEGIN:VEVENT.*?END:VEVENT\r\n", b"", "VEVENT"),
    (rb"END:VCALENDAR\r\n", b"", "VCALENDAR"), (rb"SUMMARY", b"X-SUMMARY", "SUMMARY"), (rb"\r\n ", b"", "> 75"),
])  # fmt: skip
def test_a_calendar_that_a_strict_program_refuses_stops_the_letter(
    find: bytes, put: bytes, what: str
) -> None:
    data = ics(clean_month())
    broken = re.sub(find, put, data, count=1, flags=re.DOTALL)
    assert broken != data
    told = lines("ev-ics", calendars={Language.EN: broken})
    assert {(c.outcome, c.severity) for c in told} == {(CheckOutcome.FAIL, Severity.BLOCK)}
    assert any(what in c.message_en for c in told)


def test_a_link_to_this_machine_was_not_visited() -> None:
    issue = clean_month()
    first, *rest = issue.placed
    home = replace(first, item=replace(first.item, url="http://127.0.0.1:9/x"))
    assert CheckOutcome.NOT_CHECKED in outcomes("link-live", issue=replace(issue, placed=(home, *rest)))


def test_a_link_to_this_machine_is_not_called_encrypted() -> None:
    issue = clean_month()
    first, *rest = issue.placed
    home = replace(first, item=replace(first.item, url="http://127.0.0.1:9/x"))
    assert outcomes("link-http", issue=issue) == {CheckOutcome.PASS}
    (told,) = lines("link-http", issue=replace(issue, placed=(home, *rest)))
    assert told.outcome is CheckOutcome.NOT_CHECKED
    assert "one link inside this machine or network" in told.message_en
    assert "un lien vers cette machine ou ce réseau" in told.message_fr


def test_a_dead_link_is_told_with_its_item_and_a_shy_one_is_not_called_dead() -> None:
    post, event = "https://posts.example.org/6", "https://events.example.org/1"
    told = lines("link-live", looks={("link", post): Look(FRESH, "404"), ("link", event): Look(FRESH, "403")})
    assert {(c.where, c.outcome) for c in told} == {
        ("item:6", CheckOutcome.FAIL), ("item:1", CheckOutcome.NOT_CHECKED)}  # fmt: skip


def test_a_look_of_last_week_is_no_look() -> None:
    post = "https://posts.example.org/6"
    told = lines("link-live", looks={("link", post): Look(OLD, "404")})
    assert [c.outcome for c in told] == [CheckOutcome.NOT_CHECKED]
    assert outcomes("auth", looks={("auth", "example.org"): Look(OLD, "SPF DMARC")}) == {
        CheckOutcome.NOT_CHECKED
    }


def test_spam_warns_at_two_and_stops_at_five() -> None:
    sha256 = printed(clean_month(), real())[Language.EN].sha256
    for score, severity in (("2.4", Severity.WARN), ("5.3", Severity.BLOCK)):
        told = lines("spam", looks={("spam", sha256): Look(FRESH, f"{score} URI_HEX,SHOUTING")})
        assert [(c.outcome, c.severity) for c in told] == [(CheckOutcome.FAIL, severity)]
        assert "URI_HEX" in told[0].message_en
    assert outcomes("spam", drop="spam") == {CheckOutcome.NOT_CHECKED}


def test_letters_that_are_not_those_approved_stop() -> None:
    issue = replace(clean_month(), hash="a" * 64)
    told = lines("approval", issue=issue, frozen="b" * 64)
    assert [(c.outcome, c.severity) for c in told] == [(CheckOutcome.FAIL, Severity.BLOCK)]
    assert outcomes("approval", issue=issue, frozen="a" * 64) == {CheckOutcome.PASS}


def test_a_picture_is_weighed_where_somebody_can_and_else_not_checked() -> None:
    issue, url = clean_month(), "https://digest.example.org/logo/a.png"
    editions = {
        language: replace(one, html=one.html.replace("<h1", f'<img src="{url}" alt="a lighthouse"><h1', 1))
        for language, one in printed(issue, real()).items()
    }
    assert outcomes("img", issue=issue, editions=editions) == {CheckOutcome.NOT_CHECKED}
    for picture, found in ((Picture(20_000, 320, 80), {CheckOutcome.PASS}), (Picture(300_000, 320, 80), {CheckOutcome.FAIL}),
                           (Picture(20_000, 2_000, 80), {CheckOutcome.FAIL})):  # fmt: skip
        assert outcomes("img", issue=issue, editions=editions, pictures={url: picture}) == found


def test_a_missing_record_is_named() -> None:
    told = lines("auth", looks={("auth", "example.org"): Look(FRESH, "SPF")})
    assert [c.outcome for c in told] == [CheckOutcome.FAIL]
    assert "DMARC" in told[0].message_fr


def test_the_letter_uses_nothing_that_many_lack_but_what_is_argued_for() -> None:
    found = lacking(Page(printed(kit.month_of_12(), real())[Language.EN].html))
    wanting = {name for name, (_, share) in found.items() if share >= LACK_WARNS}
    assert wanting == set(ALLOWED)
    assert len(data()) >= 60
