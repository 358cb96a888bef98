"""The sections that are no lists of news: who reads along, who is new here, what was missed; and the checks on them."""

import re
from dataclasses import replace

import pytest

from digest.config import SourcePart
from digest.model import Issue, Language, PulseBrief, Share
from digest.render.press import Press
from digest.render.view import issue_view
from digest.rules.preflight import check
from tests import render_kit as kit

PULSE, PEOPLE, month = kit.PULSE, kit.PEOPLE, kit.community


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(kit.config())


def test_who_reads_along_is_a_table_with_a_caption(press: Press) -> None:
    html, text = press.preview(press.edition(month(pulse=PULSE), Language.FR))
    assert ">Qui nous lit</h2>" in html
    assert "Environ 310 personnes lisent cette infolettre.</caption>" in html
    assert 'scope="row"' in html
    assert "Nouvelle-Écosse" in html
    assert "Nouvelle-Écosse ............................. 90" in text
    assert "Qui nous lit" not in press.preview(press.edition(month(), Language.FR))[0]


def test_people_introduce_themselves_in_their_own_language(press: Press) -> None:
    html, text = press.preview(press.edition(month(people=PEOPLE), Language.EN))
    assert re.search(r'<p dir="ltr" lang="fr"[^>]*>Je rédige des lettres', html)
    assert 'href="mailto:luc@example.org"' in html
    assert "javascript" not in html + text
    assert "Ann &lt;b&gt;Lee&lt;/b&gt;" in html
    assert "* Luc Tremblay" in text


def test_what_was_missed_has_no_hour_to_keep_and_is_not_the_next_event(press: Press) -> None:
    html = press.preview(press.edition(month(), Language.EN))[0]
    assert html.index("Missed it?") > html.index("Calls and openings")
    assert "/items/40.ics" not in html
    assert "next: Thu" in html.replace("&nbsp;", " ")


def test_an_event_among_the_posts_is_counted_as_an_event() -> None:
    """At a glance, in the subject and beside the section's name."""
    issue = kit.month_of_12()
    moved = tuple(
        replace(one, section="worth-reading", position=99) if one.item.id == 4 else one
        for one in issue.placed
    )
    view = issue_view(replace(issue, placed=moved, texts={}), Language.EN, kit.config())
    assert view.glance[:3] == ("5 events", "5 posts", "2 calls")
    assert [section.count for section in view.sections] == ["4 events", "5 posts, 1 event", "2 calls"]
    french = issue_view(replace(issue, placed=moved), Language.FR, kit.config())
    assert french.glance[:2] == ("5 événements", "5 articles")


def failing(issue: Issue, **more: object) -> set[str]:
    config = kit.config(mail={"transport": "smtp", "server": "relay.example.net"}, **more)
    press = Press(config)
    editions = {one.value: press.edition(issue, one) for one in Language}
    return {
        line.id
        for line in check(issue, editions, config=config, now=kit.SEEN, readers=50)
        if line.outcome == "fail"
    }


def test_preflight_lets_the_past_be_past_in_its_own_section() -> None:
    assert not {"ev-past", "table-role", "heading", "text-parity", "pulse-k"} & failing(
        month(pulse=PULSE, people=PEOPLE)
    )


@pytest.mark.parametrize(
    "pulse",
    [
        replace(PULSE, places=(Share("ontario", 300), Share("yukon", 4))),
        replace(PULSE, total=275),
        replace(PULSE, total=9),
    ],
)
def test_counts_that_give_a_small_group_away_stop_the_letter(pulse: PulseBrief) -> None:
    assert "pulse-k" in failing(month(pulse=pulse))


def test_one_jurisdiction_that_outweighs_all_others_is_told() -> None:
    names = {placed.item.source for placed in kit.month_of_12().placed}
    homes = [SourcePart(name=name, url="https://a.example.org", jurisdiction="ontario") for name in names]
    assert "mix" in failing(kit.month_of_12(), sources=homes)
    mixed = [
        one.model_copy(update={"jurisdiction": ["ontario", "federal", "yukon"][n % 3]})
        for n, one in enumerate(homes)
    ]
    assert "mix" not in failing(kit.month_of_12(), sources=mixed)
