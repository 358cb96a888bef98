"""One odd byte in a document of UTF-8 costs at most its own letter, in every kind of source."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rules.gather import Harvest
from digest.sources import event_page, feed, ical, json_feed
from digest.sources._kind import ParseContext
from digest.sources._octets import utf8_but_for_a_few

NOW = datetime(2026, 11, 12, tzinfo=UTC)
TITLE = "Où l’on apprend que la 3e étape n’est pas la dernière"
FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Données à Québec</title><item>'
    f"<title>{TITLE}</title><link>https://blog.example/a</link><description>Même si l’été est fini.@@</description>"
    "</item></channel></rss>"
)
CALENDAR = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261201T180000Z\r\n"
    f"SUMMARY:{TITLE}\r\nLOCATION:Bibliothèque de Québec\r\nDESCRIPTION:Ouvert à tous@@\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
JSON = (
    '{"version": "https://jsonfeed.org/version/1.1", "title": "Données", "items": [{"id": "1", "title": "'
    + TITLE
    + '", "content_text": "Même si l’été est fini.@@"}]}'
)
PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><script type="application/ld+json">{"@type": "Event", "name": "'
    + TITLE
    + '", "startDate": "2026-12-01T18:00:00-05:00", "url": "https://x.example/e"}</script></head>'
    "<body><h1>Soirée</h1><footer>@@</footer></body></html>"
)
KINDS = {
    "feed": (feed, FEED),
    "calendar": (ical, CALENDAR),
    "json": (json_feed, JSON),
    "page": (event_page, PAGE),
}
SAID = {"page": "text/html; charset=utf-8", "calendar": "text/calendar; charset=utf-8"}


def context(headers: Mapping[str, str]) -> ParseContext:
    return ParseContext(
        url="https://blog.example/",
        timezone="America/Toronto",
        language="fr",
        now=NOW,
        horizon=NOW + timedelta(days=90),
        headers=headers,
    )


def read(kind: str, odd: bytes) -> Harvest:
    reader, text = KINDS[kind]
    body = text.encode().replace(b"@@", odd)
    harvest: Harvest = reader.parse(body, context({"content-type": SAID.get(kind, "application/xml")}))
    return harvest


@pytest.mark.parametrize("odd", [b" caf\xc3", b" l\xe2\x80", b"\xe9", b" \x92", b"\xf0\x9f\x98", b"\x81"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_byte_leaves_every_other_letter_as_it_is(kind: str, odd: bytes) -> None:
    entry = read(kind, odd).entries[0]
    assert entry.title == TITLE
    assert not {*"ÃâÂ€"} & {*f"{entry!r}"}


def test_a_letter_cut_in_two_goes_and_a_byte_of_windows_is_read() -> None:
    assert utf8_but_for_a_few("l’été à la caf".encode() + b"\xc3<b>") == "l’été à la caf<b>".encode()
    assert (
        utf8_but_for_a_few("l’été \xe0 la ".encode() + b"ch\xe2teau \x93ouverte\x94")
        == "l’été à la château “ouverte”".encode()
    )


def test_a_document_of_windows_stays_one() -> None:
    assert utf8_but_for_a_few("L’été à Québec, déjà".encode("cp1252")) is None
    body = FEED.replace("@@", "").replace("UTF-8", "windows-1252").encode("cp1252")
    assert feed.parse(body, context({"content-type": "text/xml"})).entries[0].title == TITLE
    bare = FEED.replace("@@", "").replace(' encoding="UTF-8"', "").encode("cp1252")
    assert feed.parse(bare, context({"content-type": "text/xml"})).entries[0].title == TITLE


@given(st.text(), st.binary(max_size=40))
def test_what_comes_out_is_always_utf8_and_clean_text_stays(text: str, odd: bytes) -> None:
    whole = text.encode("utf-8", "ignore")
    assert utf8_but_for_a_few(whole) == whole
    if (mended := utf8_but_for_a_few(whole + b" " + odd)) is not None:
        mended.decode()
        assert mended.startswith(whole + b" ")
