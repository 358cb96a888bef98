"""What a visit was told, in both languages, from real answers of a site: no sentence is quoted in English to a French editor."""

import pytest

from digest.errors import SourceError
from digest.model import Language
from digest.rules.visit_words import in_words
from digest.sources.fetch import Fetch
from digest.words import Words
from tests.conftest import NOW
from tests.http_kit import Script, answer, serving

PAGE = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/gone.xml"></head></html>'


class _Manners:
    allow_private = ("127.0.0.1",)
    delay_s = 0.0
    timeout_s = 2.0
    max_bytes = 100_000


@pytest.mark.parametrize(
    ("script", "english", "french"),
    [
        (answer(b"", content_type="text/xml"), "empty page", "page vide"),
        (answer(b"%PDF-1.7 x", content_type="application/pdf"), "PDF document", "document PDF"),
        (answer(b'{"error": "no"}', content_type="application/json"), "not a JSON Feed", "pas un JSON Feed"),
        (answer(b"x", status=404), "no page at this address (404)", "pas de page \u00e0 cette adresse (404)"),
        (answer(b"x", status=403), "refused to answer us (403)", "refus\u00e9 de nous r\u00e9pondre (403)"),
        (answer(b"x", status=500), "answered with an error (500)", "r\u00e9pondu par une erreur (500)"),
        (answer(PAGE, content_type="text/html"), "announces this one: http", "annonce celui-ci\u00a0: http"),
        (answer(b"hello", content_type="text/plain"), "neither a feed", "ni un fil"),
    ],
)
def test_a_failure_is_told_exactly_in_both_languages(script: Script, english: str, french: str) -> None:
    fetch = Fetch(_Manners(), contact="https://list.example")  # type: ignore[arg-type]
    try:
        with serving() as site:
            site.pages["/x"] = script
            with pytest.raises(SourceError) as caught:
                fetch.look(site.url("/x"), now=NOW, horizon=NOW)
    finally:
        fetch.close()
    told = {
        language: in_words(str(caught.value), caught.value.kind.value, Words(language))
        for language in Language
    }
    assert english in told[Language.EN] == str(caught.value)
    assert french in told[Language.FR]
    assert "kept" not in told[Language.EN], "nothing was had yet"


def test_a_sentence_that_nobody_knows_is_told_by_its_sort() -> None:
    words = Words(Language.FR)
    assert in_words("Something else.", "dns", words) == words("sources.error_dns")
    assert in_words(None, "not-a-feed", words) == words("sources.error_not_a_feed")
