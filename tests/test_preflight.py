"""Preflight: a clean month passes, each seeded fault is caught by the rule that is named for it, nothing is pretended."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from digest.config import Config
from digest.model import Edition, EventStatus, Issue, Language, Placed
from digest.render.press import Press
from digest.rules.preflight import (
    RULES,
    Acceptance,
    Check,
    CheckOutcome,
    Severity,
    blocking,
    check,
    mark,
)
from digest.rules.preflight_message import source_bytes
from digest.words import phrases
from tests import render_kit as kit

EN, FR = Language.EN, Language.FR
Editions = dict[Language, Edition]


def clean_month() -> Issue:
    """The month without its cancelled event, printed for a list that sends for real."""
    issue = kit.month_of_12()
    kept = tuple(
        p for p in issue.placed if not p.item.occasion or p.item.occasion.status is EventStatus.CONFIRMED
    )
    return replace(issue, placed=kept)


def real() -> Config:
    return kit.config(mail={"transport": "smtp", "server": "relay.example.net"})


def printed(issue: Issue, config: Config) -> Editions:
    press = Press(config)
    return {language: press.edition(issue, language) for language in Language}


def checks(issue: Issue, editions: Mapping[Language, Edition] | None = None, **more: Any) -> list[Check]:
    config = more.pop("config", None) or real()
    return check(issue, editions or printed(issue, config), config=config, now=kit.SEND_AT - timedelta(days=2),
                 **({"readers": 50} | more))  # fmt: skip


def failing(lines: list[Check]) -> set[str]:
    return {line.id for line in lines if line.outcome is CheckOutcome.FAIL}


_CLEAN: dict[str, Any] = {}


def test_the_checks_tell_the_reading_time_that_the_letter_prints() -> None:
    issue, told = clean_month(), re.compile(r"(\d+) min")
    long = "and so on, word by word, " * 6
    for placed in (
        issue.placed,
        tuple(replace(p, blurb=dict.fromkeys(Language, long)) for p in issue.placed),
    ):
        editions = printed(replace(issue, placed=placed), real())
        [line] = [c for c in checks(replace(issue, placed=placed), editions) if c.id == "reading"]
        at_head = told.search(" ".join(editions[Language.EN].html.split()))
        assert at_head is not None
        assert told.findall(line.message_en) == [at_head[1]]
    without = {one: replace(edition, view="") for one, edition in editions.items()}
    assert {c.outcome for c in checks(issue, without) if c.id == "reading"} == {CheckOutcome.NOT_CHECKED}


@pytest.fixture
def clean() -> tuple[Issue, Editions]:
    """Printed once; a test that changes it makes a copy."""
    if not _CLEAN:
        _CLEAN["issue"] = clean_month()
        _CLEAN["editions"] = printed(_CLEAN["issue"], real())
    return _CLEAN["issue"], dict(_CLEAN["editions"])


def test_a_clean_month_has_no_fault(clean: tuple[Issue, Editions]) -> None:
    issue, editions = clean
    lines = checks(issue, editions)
    assert [line.message_en for line in lines if line.outcome is CheckOutcome.FAIL] == []
    assert blocking(lines) == []


def test_every_rule_answers_once_when_nothing_is_wrong(clean: tuple[Issue, Editions]) -> None:
    assert list(dict.fromkeys(line.id for line in checks(*clean))) == [rule.id for rule in RULES]
    once = [line.id for line in checks(*clean) if line.outcome is not CheckOutcome.NOT_CHECKED]
    assert len(once) == len(set(once))


def test_what_did_not_run_is_never_said_to_pass(clean: tuple[Issue, Editions]) -> None:
    by_id = {line.id: line for line in checks(*clean)}
    unrun = {id_ for id_, line in by_id.items() if line.outcome is CheckOutcome.NOT_CHECKED}
    assert unrun == {
        "link-live", "spam", "auth", "ev-cancel", "ev-ics", "subj-repeat", "item-repeat", "test-sent"}  # fmt: skip
    for rule in RULES:
        assert by_id[rule.id].message_en.count("Not checked") == (rule.id in unrun)
        assert by_id[rule.id].message_fr.count("Non vérifié") == (rule.id in unrun)


def test_every_sentence_exists_in_both_languages(clean: tuple[Issue, Editions]) -> None:
    for line in checks(*clean):
        assert line.message_en
        assert line.message_fr
        assert line.message_en != line.message_fr
        assert line.message("fr") == line.message_fr
    assert {rule.id.replace("-", "_") for rule in RULES} <= set(phrases("preflight", FR))


# --- faults of the print: HTML, text or bytes changed after the press -------------------------------------------


def html(find: str, put: str, *, count: int = 1) -> Callable[[Edition], Edition]:
    def change(edition: Edition) -> Edition:
        changed = re.sub(find, put, edition.html, count=count, flags=re.DOTALL)
        assert changed != edition.html, f"{find} is not in the letter"
        return replace(edition, html=changed)

    return change


def text(find: str, put: str, *, count: int = 0) -> Callable[[Edition], Edition]:
    def change(edition: Edition) -> Edition:
        changed = re.sub(find, put, edition.text, count=count)
        assert changed != edition.text, f"{find} is not in the text"
        return replace(edition, text=changed)

    return change


def letter(find: bytes, put: bytes) -> Callable[[Edition], Edition]:
    def change(edition: Edition) -> Edition:
        assert find in edition.letter
        return replace(edition, letter=edition.letter.replace(find, put, 1))

    return change


BODY = "</h1>"
PNG = "https://digest.example.org/a.png"
PRINT_FAULTS: dict[str, tuple[str, Callable[[Edition], Edition]]] = {
    "no subject": ("subj-empty", lambda e: replace(e, subject="")),
    "a subject of three letters": ("subj-len", lambda e: replace(e, subject="Dec")),
    "a subject as long as a page": ("subj-len", lambda e: replace(e, subject="Digital " * 12)),
    "no preview line": ("pre-len", html(r'<div class="preheader"[^>]*>.*?</div>', "")),
    "a preview line that repeats the subject": ("pre-dup", lambda e: replace(e, html=re.sub(
        r'(<div class="preheader"[^>]*>).*?</div>', rf"\g<1>{e.subject} and so on and so forth for a while</div>", e.html))),
    "From at another domain": ("from-align", letter(b"<digest@example.org>", b"<digest@example.com>")),
    "no Reply-To": ("reply", letter(b"Reply-To:", b"X-Reply:")),
    "no one-click header": ("lu-headers", letter(b"List-Unsubscribe-Post:", b"X-Post:")),
    "no List-Id": ("lu-headers", letter(b"List-Id:", b"X-Id:")),
    "no link to leave in the HTML": ("unsub-link", html(r'<a href="slot-unsubscribe[^>]*>.*?</a>', "")),
    "a link to leave that nobody sees": ("unsub-link", html(r'(<a href="slot-unsubscribe[^>]*>).*?</a>', r"\1</a>")),
    "no link to leave in the text": ("unsub-link", text(r"slot-unsubscribe-\w+", "gone")),
    "no postal address": ("addr", html("100 Queen St W", "")),
    "a template left over": ("token-left", html(BODY, "</h1><p>{{ view.title }}</p>")),
    "None in the print": ("token-left", html(BODY, "</h1><p>Issue None</p>")),
    "TODO in the print": ("token-left", html(BODY, "</h1><p>TODO write this</p>")),
    "lorem ipsum": ("token-left", html(BODY, "</h1><p>Lorem ipsum dolor</p>")),
    "a letter that Gmail clips": ("size", html(BODY, "</h1><p>" + "much to say " * 9000 + "</p>")),
    "no styles in the head": ("headcss", html(r"<style>:root.*?</style>", "")),
    "16 KB of styles in the head": ("headcss", html("<style>:root", "<style>" + "a{color:red} " * 1300 + ":root")),
    "a C1 control sign": ("c1", html(BODY, "</h1><p>it\u0092s</p>")),
    "an open direction mark": ("c1", html(BODY, "</h1><p>\u202eabc</p>")),
    "a replacement character": ("c1", html(BODY, "</h1><p>caf\ufffd</p>")),
    "an element never closed": ("html-parse", html(BODY, "</h1><div>")),
    "an element closed twice": ("html-parse", html(BODY, "</h1></div>")),
    "an id used twice": ("html-parse", html(BODY, '</h1><p id="coming-up">x</p>')),
    "no language on html": ("lang-dir", html('<html lang="en"', "<html")),
    "no direction on the wrapper": ("lang-dir", html(r'(role="article"[^>]*?) dir="ltr"', r"\1")),
    "a French title without lang": ("lang-dir", html(r'<h3 lang="fr" dir="ltr"', "<h3")),
    "a layout table without role": ("table-role", html(r'(<table[^>]*) role="presentation"', r"\1")),
    "two h1": ("heading", html(BODY, "</h1><h1>Again</h1>")),
    "a level left out": ("heading", html(r"<h2([^>]*)>(.*?)</h2>", r"<h4\1>\2</h4>")),
    "an empty heading": ("heading", html(BODY, "</h1><h2></h2>")),
    "a picture without words": ("alt", html(BODY, '</h1><img src="https://digest.example.org/a.png">')),
    "a file name for words": ("alt", html(BODY, '</h1><img src="https://digest.example.org/a.png" alt="a.png">')),
    "decoration that nobody chose": ("alt", html(BODY, '</h1><img src="https://digest.example.org/a.png" alt="">')),
    "a picture told at length": ("alt", html(BODY, f'</h1><img src="{PNG}" alt="{"a word " * 30}">')),
    "a picture wider than any screen": ("img", html(BODY, f'</h1><img src="{PNG}" alt="a chart" width="2400">')),
    "a picture inside the letter": ("img", html(BODY, '</h1><img src="data:image/png;base64,AA" alt="a chart">')),
    "a picture Outlook cannot show": ("img", html(BODY, '</h1><img src="https://digest.example.org/a.webp" alt="a chart">')),
    "a tracking pixel": ("remote", html(BODY, '</h1><img src="https://t.example.com/o.gif" alt="" width="1" height="1">')),
    "a remote style sheet": ("remote", html("</head>", '<link rel="stylesheet" href="https://x.example.com/a.css"></head>')),
    "a background from afar": ("remote", html(BODY, '</h1><p style="background:url(https://x.example.com/b.png)">x</p>')),
    "click here": ("link-text", html(BODY, '</h1><p><a href="https://a.example.org">Click here</a></p>')),
    "a bare address": ("link-text", html(BODY, '</h1><a href="https://a.example.org">https://a.example.org</a>')),
    "an empty link": ("link-text", html(BODY, '</h1><p><a href="https://a.example.org"></a></p>')),
    "two links with one name": ("link-text", html(BODY, '</h1><a href="https://a.example.org">Minutes</a><a href="https://b.example.org">Minutes</a>')),
    "a script for a link": ("link-scheme", html(BODY, '</h1><a href="javascript:alert(1)">Minutes</a>')),
    "a link to this machine": ("link-scheme", html(BODY, '</h1><a href="http://localhost:8000/x">Minutes</a>')),
    "a link to a private network": ("link-scheme", html(BODY, '</h1><a href="https://10.0.0.7/x">Minutes</a>')),
    "a page for rehearsals": ("link-scheme", html(BODY, '</h1><a href="https://staging.example.org/x">Minutes</a>')),
    "a page behind a sign-in": ("link-scheme", html(BODY, '</h1><a href="https://a.example.org/login?next=/x">Minutes</a>')),
    "a link that is not encrypted": ("link-http", html(BODY, '</h1><a href="http://old.example.org/x">Minutes</a>')),
    "a tracking code": ("link-track", html(BODY, '</h1><a href="https://a.example.org/?utm_source=x">Minutes</a>')),
    "a layout Gmail cannot show": ("cie", html(BODY, '</h1><p style="position:absolute;box-shadow:0 0 2px #000">x</p>')),
    "a picture most cannot show": ("cie", html(BODY, '</h1><video src="https://a.example.org/x.mp4"></video>')),
    "grey on white": ("contrast", html(BODY, '</h1><p style="color:#a0a0a0">faint</p>')),
    "white on white": ("contrast", html(r"color:#1d2125;", "color:#ffffff;")),
    "dark words in dark mode": ("contrast", html(r"\.meta,\.foot\{color:#\w+", ".meta,.foot{color:#333333")),
    "a link without its line": ("underline", html("text-decoration:underline", "text-decoration:none")),
    "type of nine pixels": ("font-min", html(BODY, '</h1><p style="font-size:9px">small</p>')),
    "a letter changed after it was printed": ("approval", html("Good morning", "Good evening")),
    "a text changed after it was printed": ("approval", text("Good morning", "Good evening")),
    "bytes changed after they were compiled": ("approval", letter(b"Good morning", b"Good evening")),
    "a title missing in the text": ("text-parity", text("Hack night 612: open transit data", "Hack night")),
    "a link missing in the text": ("text-parity", text(r"https://posts\.example\.org/8\n", "\n")),
    "an hour missing in the text": ("text-parity", text("6:30", "7:30")),
    "a text line of 100 columns": ("text-parity", text("Good morning.", "Good morning. " + "word " * 20)),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(PRINT_FAULTS))
def test_a_fault_in_the_print_is_caught_by_its_rule(clean: tuple[Issue, Editions], fault: str) -> None:
    issue, editions = clean
    rule, change = PRINT_FAULTS[fault]
    editions[EN] = change(editions[EN])
    lines = checks(issue, editions)
    assert rule in failing(lines)
    caught = [line for line in lines if line.id == rule and line.outcome is CheckOutcome.FAIL]
    assert all(line.language in {EN, None} for line in caught)


# --- faults of the issue: what editors and sources bring --------------------------------------------------------


@dataclass(frozen=True)
class Seed:
    rule: str
    where: str
    build: Callable[[], Issue]


def with_item(placed_at: int, **changes: Any) -> Callable[[], Issue]:
    """The clean month with one item changed; fields of its occasion may be among the changes."""

    def build() -> Issue:
        issue = clean_month()
        placed = list(issue.placed)
        item = placed[placed_at].item
        for name, value in changes.items():
            if item.occasion and hasattr(item.occasion, name):
                item = replace(item, occasion=replace(item.occasion, **{name: value}))
            else:
                item = replace(item, **{name: value})
        placed[placed_at] = replace(placed[placed_at], item=item)
        return replace(issue, placed=tuple(placed))

    return build


def with_placed(placed_at: int, **changes: Any) -> Callable[[], Issue]:
    def build() -> Issue:
        issue = clean_month()
        placed: list[Placed] = list(issue.placed)
        placed[placed_at] = replace(placed[placed_at], **changes)
        return replace(issue, placed=tuple(placed))

    return build


def with_text(field: str, language: str, words: str) -> Callable[[], Issue]:
    return lambda: replace(clean_month(), texts={**clean_month().texts, (field, language): words})


LATER = kit.SEND_AT + timedelta(days=60)
ISSUE_FAULTS: dict[str, Seed] = {
    "an event that is over": Seed("ev-past", "item:1", with_item(
        0, starts=kit.SEND_AT - timedelta(days=3), ends=kit.SEND_AT - timedelta(days=3, hours=-1))),
    "an event in spring": Seed("ev-window", "item:1", with_item(0, starts=LATER, ends=LATER + timedelta(hours=1))),
    "a zone nobody knows": Seed("ev-tz", "item:2", with_item(1, timezone="Mars/Olympus")),
    "an event that ends before it starts": Seed("ev-tz", "item:2", with_item(1, ends=kit.SEND_AT)),
    "a zone that was guessed": Seed("ev-doubt", "item:2", with_item(1, flags=("zone-guessed",))),
    "an hour of another clock": Seed("ev-doubt", "item:2", with_item(1, flags=("check-zone",))),
    "an event nowhere": Seed("ev-place", "item:2", with_item(1, place=None)),
    "an event called off": Seed("ev-cancelled", "item:2", with_item(1, status=EventStatus.CANCELLED)),
    "an item changed at its source": Seed("changed", "item:2", with_placed(1, changed_at_source=True)),
    "a post without a link": Seed("item-title", "item:6", with_item(4, url=None)),
    "a note of 200 words": Seed("note", "note", with_text("note", "en", "word " * 200)),
    "no note": Seed("note", "note", with_text("note", "en", "")),
    "a French note missing": Seed("fr-parity", "note", with_text("note", "fr", "")),
    "a French note half as long": Seed("fr-parity", "note", with_text("note", "fr", "Bonjour à tous.")),
    "a blurb in one language": Seed("fr-parity", "item:6", with_placed(
        4, blurb={"en": "Eight good words that say why to read it."})),
    "a French quotation that never ends": Seed("fr-typo", "note", with_text(
        "note", "fr", kit.NOTE_FR.replace("à l’appui", '"à l’appui'))),
    "a Tuesday that is a Thursday": Seed("ev-tz", "item:1",
        with_item(0, summary="Come on Tuesday, December 3, with one screen.")),
    "un mardi qui est un jeudi": Seed("ev-tz", "note", with_text("note", "fr", "Dès mardi 3 décembre.")),
    "a call that is closed": Seed("ev-past", "item:11", with_item(9, summary="Proposals close on 20 November.")),
    "an English post called French": Seed("lang-dir", "item:6", with_item(4, language="fr")),
    "the same page with and without www": Seed("link-dup", "item:8", with_item(6, url="http://www.posts.example.org/6/#top")),
    "two events only": Seed("count", "section:coming-up", lambda: replace(
        clean_month(), placed=clean_month().placed[2:])),
    "five posts of one source": Seed("mix", "section:worth-reading", lambda: replace(clean_month(), placed=tuple(
        replace(p, item=replace(p.item, source="One")) if p.section == "worth-reading" else p for p in clean_month().placed))),
    "a blurb that breaks off": Seed("blurb", "item:6", with_item(
        4, summary="What the team cut, whom they had to convince, and…")),
    "a blurb of three words": Seed("blurb", "item:6", with_item(4, summary="Worth a read")),
    "one page twice": Seed("link-dup", "item:8", with_item(6, url="https://posts.example.org/6")),
    "a feed's tracking code": Seed("link-track", "item:6", with_item(4, url="https://posts.example.org/6?source=rss-1")),
    "an editor's TODO": Seed("token-left", "template", with_text("note", "en", kit.NOTE_EN + "\n\nTODO thank the hosts")),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(ISSUE_FAULTS))
def test_a_fault_in_the_issue_is_caught_by_its_rule_and_place(fault: str) -> None:
    seed = ISSUE_FAULTS[fault]
    lines = checks(seed.build())
    assert (seed.rule, seed.where) in {(c.id, c.where) for c in lines if c.outcome is CheckOutcome.FAIL}


def test_a_text_that_one_language_lacks_is_named_in_the_readers_language() -> None:
    """Three of them were told in three identical lines."""
    issue = with_placed(
        4, title={"en": "An own title"}, blurb={"en": "Eight good words that say why to read it."}
    )()
    lines = [line for line in checks(issue)
             if line.id == "fr-parity" and line.outcome is CheckOutcome.FAIL]  # fmt: skip
    assert len({line.message_en for line in lines}) == len({line.message_fr for line in lines}) == 2
    assert "the title of “" in lines[0].message_en
    assert "le chapeau de «" in lines[1].message_fr


# What needs evidence is seeded in test_preflight_outside.py, what needs a list's configuration below.
ELSEWHERE = {"subj-repeat", "item-repeat", "test-sent", "link-live", "spam", "auth", "ev-cancel", "ev-ics", "audience",
             "links-home", "pulse-k", "people-gone"}  # fmt: skip


def test_every_rule_has_a_fault_of_its_own() -> None:
    seeded = {rule for rule, _ in PRINT_FAULTS.values()} | {seed.rule for seed in ISSUE_FAULTS.values()}
    assert seeded | ELSEWHERE == {rule.id for rule in RULES if rule.severity is not Severity.INFO}
    assert len(PRINT_FAULTS) + len(ISSUE_FAULTS) >= 80


def test_an_empty_link_stops_the_letter_and_a_vague_one_does_not(clean: tuple[Issue, Editions]) -> None:
    issue, editions = clean
    for words, severity in (("", Severity.BLOCK), ("here", Severity.WARN)):
        linked = html(BODY, f'</h1><a href="https://a.example.org">{words}</a>')(editions[EN])
        lines = checks(issue, {**editions, EN: linked})
        assert {c.severity for c in lines if c.id == "link-text" and c.outcome is CheckOutcome.FAIL} == {
            severity
        }


def test_a_weekday_that_fits_its_date_is_left_alone() -> None:
    words = "From Thursday 3 December; next Tue, Dec 8; on Friday, 1 January 2027; et mardi 8 décembre."
    assert "ev-tz" not in failing(checks(with_text("note", "en", words)()))


def test_a_footer_in_one_language_is_told_with_its_setting() -> None:
    config = kit.config(letter={"footer": {"en": "Made by volunteers.", "fr": ""}},
                        mail={"transport": "smtp", "server": "relay.example.net"})  # fmt: skip
    told = [
        c
        for c in checks(clean_month(), config=config)
        if c.id == "fr-parity" and c.outcome is CheckOutcome.FAIL
    ]
    assert [(c.where, c.language) for c in told] == [("config:letter.footer", FR)]


def test_blurbs_that_nobody_rewrote_are_told_and_stop_nothing(clean: tuple[Issue, Editions]) -> None:
    told = [c for c in checks(*clean) if c.id == "blurb"]
    assert [(c.severity, c.outcome) for c in told] == [(Severity.INFO, CheckOutcome.PASS)]
    assert told[0].message_en.startswith("5 blurbs are their sources’ own words")


def test_the_words_of_a_post_are_its_own_affair() -> None:
    """A post about templates, called "None of us reads {{ forms }}", is no fault of ours."""
    lines = checks(with_item(4, title="None of us reads {{ forms }}: a TODO list", summary="The undefined, {% if %}, "
                             "lorem ipsum and None stand in this sentence, which may well be wrapped.")())  # fmt: skip
    assert "token-left" not in failing(lines)


def test_nobody_to_send_to_stops_a_real_list(clean: tuple[Issue, Editions]) -> None:
    issue, editions = clean
    assert [c.id for c in blocking(checks(issue, editions, readers=0))] == ["audience"]


def test_trying_it_out_is_not_stopped_by_what_only_real_letters_need() -> None:
    """A folder of caught letters on this machine: no postal address, http links, nobody subscribed."""
    config = kit.config(list={"url": "http://127.0.0.1:8000", "postal_address": {"en": "", "fr": ""}})
    issue = clean_month()
    lines = checks(issue, printed(issue, config), config=config, readers=0)
    assert blocking(lines) == []
    assert {"addr", "audience", "lu-headers", "links-home"} <= failing(lines)


def test_the_same_letter_is_stopped_when_it_leaves_for_real() -> None:
    config = kit.config(list={"postal_address": {"en": "", "fr": ""}, "url": "http://digest.example.org"},
                        mail={"transport": "smtp", "server": "relay.example.net"})  # fmt: skip
    issue = clean_month()
    lines = checks(issue, printed(issue, config), config=config, readers=0)
    assert {"addr", "audience", "lu-headers"} <= {c.id for c in blocking(lines)}


def accepting(rule: str, lines: list[Check]) -> dict[str, Acceptance]:
    return {rule: Acceptance(by="Maya", why="a quiet month", mark=mark([c for c in lines if c.id == rule]))}


def test_an_editor_may_accept_a_warning_but_never_a_block() -> None:
    issue = with_text("note", "en", "")()
    words = accepting("note", checks(issue, readers=0)) | accepting("audience", checks(issue, readers=0))
    lines = checks(issue, accepted=words, readers=0)
    accepted = [c for c in lines if c.outcome is CheckOutcome.ACCEPTED]
    assert {c.id for c in accepted} == {"note"}
    assert all(
        "Maya: a quiet month" in c.message_en and "Maya: a quiet month" in c.message_fr for c in accepted
    )
    assert [c.id for c in blocking(lines)] == ["audience"]


def test_an_acceptance_lapses_when_the_rule_finds_something_else() -> None:
    words = accepting("note", checks(with_text("note", "en", "")()))
    both = replace(with_text("note", "en", "")(), texts={})
    assert "note" in failing(checks(both, accepted=words))


def test_a_letter_over_gmails_limit_is_stopped_and_one_near_it_is_not(clean: tuple[Issue, Editions]) -> None:
    issue, editions = clean
    for kilobytes, severity in ((85, Severity.WARN), (101, Severity.BLOCK)):
        missing = kilobytes * 1000 - source_bytes(editions[EN].html)
        grown = editions[EN].html.replace(BODY, BODY + "<p>" + "x" * (missing * 73 // 76) + "</p>")
        lines = checks(issue, {**editions, EN: replace(editions[EN], html=grown)})
        assert {c.severity for c in lines if c.id == "size" and c.outcome is CheckOutcome.FAIL} == {severity}


def test_the_size_is_that_of_the_source_as_it_travels(clean: tuple[Issue, Editions]) -> None:
    _, editions = clean
    press = Press(real())
    spliced = press.compiled(editions[EN]).splice(kit.reader(token="q" * 162))
    body = spliced.rpartition(b"Content-Transfer-Encoding: quoted-printable")[2]
    assert source_bytes(editions[EN].html) == pytest.approx(len(body), rel=0.02)
