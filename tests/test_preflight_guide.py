"""The rules are those of the table in the guide (letter, section 8), and docs/preflight.md tells of every one."""

import re
from pathlib import Path

import pytest

from digest.model import Language
from digest.rules.preflight import RULES, Severity
from digest.words import phrases

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "preflight.md").read_text(encoding="utf-8")
GUIDE = ROOT.parent / "shared" / "guide" / "letter.md"
# Every name in the guide's table, in its order; all of them are the names of our rules.
ASKED = re.findall(
    r"\S+",
    """
  subj-empty subj-len subj-repeat pre-len pre-dup from-align reply lu-headers unsub-link addr token-left size headcss c1
  html-parse lang-dir table-role heading alt img link-text link-scheme link-live link-track link-dup item-repeat contrast
  underline font-min cie ev-past ev-window ev-tz ev-ics ev-cancel fr-parity fr-typo count mix blurb pulse-k text-parity spam
  auth audience test-sent reading approval
""",
)
OWN = {
    "links-home",
    "remote",
    "link-http",
    "ev-doubt",
    "ev-place",
    "ev-cancelled",
    "changed",
    "item-title",
    "note",
    "people-gone",
}


@pytest.mark.parametrize("name", ASKED)
def test_a_rule_of_the_guide_is_a_rule_of_ours(name: str) -> None:
    assert name in {rule.id for rule in RULES}


def test_every_rule_is_of_the_guide_or_named_as_ours() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert set(ids) == set(ASKED) | OWN


def test_the_page_tells_of_every_rule_with_its_level() -> None:
    rows = dict(re.findall(r"(?m)^\| `([\w-]+)` \| (\w+)", PAGE.partition("## Where they differ")[0]))
    assert rows == {rule.id: str(rule.severity) for rule in RULES}


def test_every_rule_says_what_it_checks_in_both_languages() -> None:
    for rule in RULES:
        key = rule.id.replace("-", "_")
        for language in Language:
            assert key in phrases("preflight", language)
            told = [name for name in phrases("preflight", language) if name.startswith(f"{key}_")]
            assert told, f"{rule.id} has no sentence for what it finds"
    assert {rule.severity for rule in RULES} == set(Severity)


def test_every_departure_names_a_rule() -> None:
    named = set(re.findall(r"(?m)^\| `([\w-]+)`", PAGE.partition("## Where they differ")[2]))
    assert named
    assert named <= set(ASKED)


@pytest.mark.skipif(not GUIDE.is_file(), reason="the guide is not beside this tree")
def test_the_list_is_that_of_the_guide() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("## 8. Preflight")[2].partition("**Never print")[0]
    heads = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    assert [re.sub(r"[†*]", "", name).strip() for head in heads for name in head.split("·")] == ASKED
