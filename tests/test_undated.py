"""Posts whose source gives no date, or none that can be read or be true: said of each, and of a source where it is the rule."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask

from digest.app import App
from digest.cli_check import source_findings
from digest.config import SourcePart
from digest.rules.gather import Update
from tests import web_kit
from tests.conftest import Clock
from tests.http_kit import answer, post, rss, serving
from tests.test_gather import BLOG, NOW, entry
from tests.test_gather import Pool as Known
from tests.web_kit import read, signed_in

NONE, UNREAD, UNTRUE = "", "Date: on a Tuesday", "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture
def settings() -> str:
    return web_kit.SOURCES


@pytest.mark.parametrize(
    ("date", "english", "french", "rule", "regle"),
    [
        (NONE, "no date given, first seen Tue 3\u00a0Nov", "sans date donnée, repéré le mar. 3\u00a0nov.",
         "Most of its posts have no date", "La plupart de ses textes n’ont pas de date"),
        (UNREAD, "date unreadable, first seen Tue 3\u00a0Nov", "date illisible, repéré le mar. 3\u00a0nov.",
         "The dates of most of its posts cannot be read", "Les dates de la plupart de ses textes sont illisibles"),
        (UNTRUE, "date impossible, first seen Tue 3\u00a0Nov", "date impossible, repéré le mar. 3\u00a0nov.",
         "The dates of most of its posts cannot be true", "Les dates de la plupart de ses textes sont impossibles"),
    ],
)  # fmt: skip
def test_a_post_without_a_date_says_from_when_it_counts_and_its_source_that_it_is_the_rule(
    app: App, web: Flask, clock: Clock, date: str, english: str, french: str, rule: str, regle: str
) -> None:
    clock.time = datetime(2026, 11, 3, 15, tzinfo=UTC)
    client = signed_in(app, web)
    with serving() as site:
        items = [post(1, date=date), post(2, date=date), post(3, date="Mon, 02 Nov 2026 10:00:00 GMT")]
        site.pages["/feed"] = answer(rss(*items).replace(b"<pubDate></pubDate>", b""))
        with app.store.write():
            app.store.sources.add(SourcePart(name="Loose", url=site.url("/feed")))
        app.collect.visit(["Loose"])
    assert read(client, "/desk/pool?tab=posts").count(english) == 2
    assert read(client, "/fr/desk/pool?tab=posts").count(french) == 2
    assert rule in read(client, "/desk/sources")
    assert regle in read(client, "/fr/desk/sources")
    assert any(rule in finding.message for finding in source_findings(app) if finding.id == "source Loose")


def test_a_date_that_we_know_is_not_doubted_when_its_source_forgets_it() -> None:
    pool = Known()
    pool.take([entry("guid:a", published=NOW)], source=BLOG)
    (update,) = pool.take([replace(entry("guid:a", words="2"), flags=("undated", "reply"))], source=BLOG)
    assert isinstance(update, Update)
    assert (update.entry.published, update.entry.flags) == (NOW, ("reply",))
