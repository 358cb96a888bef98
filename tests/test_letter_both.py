"""A letter in both languages, and a letter in a reader's own zone: chosen, printed, checked, frozen, sent."""

import re
from dataclasses import replace
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from digest.model import Address, Language, Reading, SubscriberState
from digest.render import dates
from digest.render.press import CUT_OFF, Press
from digest.render.zones import GROUPS_MOST, zone_groups
from digest.rules.consent import reading_or_first, readings
from digest.rules.preflight import blocking, check
from digest.rules.preflight_message import SIZE_BLOCKS, source_bytes
from tests import render_kit as kit
from tests.send_kit import approve, open_room

BOTH = (Language.EN, Language.FR)


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(kit.config())


def test_both_languages_stand_in_one_letter_the_chosen_one_first(press: Press) -> None:
    for reading in (Reading.EN_FR, Reading.FR_EN):
        edition = press.edition(kit.month_of_12(), reading)
        page, text = press.preview(edition)
        heads = ["Coming up", "À venir"] if reading is Reading.EN_FR else ["À venir", "Coming up"]
        assert re.findall(">(Coming up|À venir)<", page) == heads
        assert re.search(rf'<html lang="{reading.first}"', page)
        assert re.search(rf'<div lang="{reading.languages[1]}" dir="ltr">', page)
        assert page.count("<h1") == 1
        assert [text.count(name) for name in ("Coming up", "À venir", "Unsubscribe", "Se désabonner")] == [
            1,
            1,
            1,
            1,
        ]
        message = kit.parsed(press.compiled(edition).splice(kit.reader()))
        assert message["Content-Language"] == ", ".join(reading.languages)
        assert message["Subject"] == edition.subject
        assert len(edition.subject) <= 60


def test_an_item_is_marked_only_where_the_language_around_it_differs(press: Press) -> None:
    page = press.preview(press.edition(kit.month_of_12(), Reading.EN_FR))[0]
    english, french = page.split('<div lang="fr" dir="ltr">', 1)
    assert re.search(r'<h3 [^>]*lang="fr"[^>]*><a [^>]*>Ce que nos centres', english)
    assert not re.search(r'<h3 [^>]*lang="fr"', french)
    assert re.search(r'<h3 [^>]*lang="en"[^>]*><a [^>]*>Procurement in the open', french)


def test_preflight_of_both_finds_nothing_that_stops_it(press: Press) -> None:
    config = kit.config(mail={"transport": "smtp", "server": "relay.example.net"})
    issue = kit.month_of_12()
    issue = replace(issue, placed=tuple(p for p in issue.placed if "Accessibility" not in p.item.title))
    editions = {one.value: press.edition(issue, one) for one in Reading}
    lines = check(issue, editions, config=config, now=kit.SEEN, readers=5)
    assert blocking(lines) == []
    broken = replace(
        editions["en+fr"], html=editions["en+fr"].html.replace('<div lang="fr" dir="ltr">', "<div>")
    )
    found = blocking(check(issue, {**editions, "en+fr": broken}, config=config, now=kit.SEEN, readers=5))
    assert {(line.id, line.language) for line in found} == {("lang-dir", "en+fr"), ("approval", "en+fr")}
    assert found[0].message_en.startswith("Both, English first")


def test_twenty_five_items_in_both_languages_stay_under_gmails_clip(press: Press) -> None:
    assert source_bytes(press.edition(kit.month_of(25), Reading.FR_EN).html) < 60_000


@pytest.mark.parametrize(
    ("asked", "offered", "reading"),
    [("en+fr", BOTH, "en+fr"), ("fr+en", BOTH, "fr+en"), ("both", BOTH, "en+fr"), ("en fr", BOTH, "en+fr"),
     ("FR", BOTH, "fr"), ("de", BOTH, "en"), (None, BOTH, "en"), ("en+fr", (Language.FR,), "fr"),
     ("both", (Language.FR,), "fr"), ("+", BOTH, "en")],
)  # fmt: skip
def test_what_somebody_asks_to_read_is_understood(
    asked: str | None, offered: tuple[Language, ...], reading: str
) -> None:
    assert reading_or_first(asked, offered=offered) == reading
    assert len(readings(offered)) == (4 if len(offered) == 2 else 1)


def test_an_event_online_is_told_in_the_readers_own_hour_first(press: Press) -> None:
    def lines(zone: str) -> list[str]:
        page = press.preview(press.edition(kit.month_of_12(), Language.EN, zone=zone))[0]
        return [
            re.sub("<.*?>", "", found)
            for found in re.findall(r"<time [^>]*>(.*?)</time>", page.replace("&nbsp;", " "))
        ]

    assert lines("")[:2] == [
        "Thu 3 Dec, noon Eastern (10 a.m. Pacific, 1 p.m. Atlantic)",
        "Tue 8 Dec, 6:30 p.m. Eastern",
    ]
    assert lines("America/Vancouver")[:2] == [
        "Thu 3 Dec, 10 a.m. Pacific (noon Eastern)",
        "Tue 8 Dec, 6:30 p.m. Eastern",
    ]
    assert lines("America/St_Johns")[0] == "Thu 3 Dec, 1:30 p.m. Newfoundland (noon Eastern)"
    assert lines("America/Toronto")[0] == "Thu 3 Dec, noon Eastern"
    assert lines("Asia/Tokyo")[0] == "Fri 4 Dec, 2 a.m. Tokyo time (Thu noon Eastern)"


def test_readers_for_whom_all_is_told_alike_share_a_letter() -> None:
    config, zones = (
        kit.config(),
        ["America/Montreal", "America/Toronto", "America/Vancouver", "America/Iqaluit"],
    )
    found = zone_groups(kit.month_of_12(), zones, config=config)
    assert found == {"America/Toronto": "America/Toronto", "America/Montreal": "America/Toronto",
                     "America/Iqaluit": "America/Toronto", "America/Vancouver": "America/Vancouver"}  # fmt: skip
    in_person = kit.issue([kit.event(1, "Meet-up", "2026-12-03T18:00-05:00", place="Toronto")])
    assert zone_groups(in_person, zones, config=config) == {}


def test_the_number_of_groups_is_bounded() -> None:
    found = zone_groups(kit.month_of_12(), available_timezones(), config=kit.config())
    assert len(set(found.values())) == GROUPS_MOST
    assert {members[0] for members in dates.FAMILIES.values()} <= set(found)


def test_a_reader_is_listed_for_the_edition_they_chose_in_their_zone(tmp_path: Path) -> None:
    room = open_room(tmp_path)
    approve(room, 0)
    wanted = {
        "a@example.org": (Reading.EN, None, "en"),
        "b@example.org": (Reading.FR_EN, None, "fr+en"),
        "c@example.org": (Reading.FR, "America/Vancouver", "fr@America/Vancouver"),
        "d@example.org": (Reading.EN_FR, "America/Toronto", "en+fr@America/Toronto"),
        "e@example.org": (Reading.FR, "Europe/Paris", "fr"),
    }
    editions = ["en", "fr", "fr+en", "en+fr", "fr@America/Vancouver", "en+fr@America/Toronto"]
    zones = {"America/Vancouver": "America/Vancouver", "America/Toronto": "America/Toronto"}
    store = room.store
    with store.write():
        for address, (reading, zone, _) in wanted.items():
            store.subscribers.add(
                Address(address),
                language=reading,
                timezone=zone,
                state=SubscriberState.CONFIRMED,
                now=room.clock(),
            )
        assert store.subscribers.readings() == [
            (Reading.EN_FR, "America/Toronto"), (Reading.FR, "America/Vancouver"), (Reading.FR, "Europe/Paris"),
            (Reading.FR_EN, ""),
        ]  # fmt: skip
        assert store.deliveries.list_audience(
            room.issue.id, languages=BOTH, now=room.clock(), editions=editions, zones=zones
        ) == len(wanted)
    rows = store._db.rows(
        "SELECT address, edition FROM delivery JOIN subscriber ON subscriber.id = subscriber"
    )
    assert {row["address"]: row["edition"] for row in rows} == {to: key for to, (_, _, key) in wanted.items()}
    store.close()


@pytest.mark.parametrize("reading", [Reading.EN_FR, Reading.FR_EN])
@pytest.mark.parametrize("items", [25, 60, 100, 112])
def test_a_letter_in_both_languages_is_never_cut_off(items: int, reading: Reading) -> None:
    """Its first half is always whole; the second gives titles, or a link, when both in full would be hidden by Gmail."""
    config, issue = kit.config(), kit.month_of(items)
    edition = Press(config).edition(issue, reading)
    assert source_bytes(edition.html) <= SIZE_BLOCKS
    assert CUT_OFF < SIZE_BLOCKS
    first = Press(config).edition(issue, reading.languages[0])
    assert first.text.count("\n* ") == items
    told = edition.text.count("\n* ")
    assert told == (items if items == 112 else 2 * items)
    lines = [
        c
        for c in check(issue, {reading.value: edition}, config=config, now=kit.SEEN, readers=9)
        if c.id == "size"
    ]
    assert not blocking(lines)
    assert any(c.severity == "info" for c in lines) == (items > 25)


def test_a_shortened_half_says_so_and_where_the_rest_is() -> None:
    html, text = (press := Press(kit.config())).preview(press.edition(kit.month_of(60), Reading.EN_FR))
    second = html.partition('<div lang="fr"')[2]
    assert "Cette moitié ne donne que les titres" in second
    assert 'href="https://digest.example.org/fr/issues/2026-12"' in second
    assert second.count("<li") == 60
    assert "Le tout, sur le Web\u00a0:\nhttps://digest.example.org/fr/issues/2026-12\n" in text
    assert "text-parity" not in {
        c.id for c in blocking(check(kit.month_of(60), {"en+fr": press.edition(kit.month_of(60), Reading.EN_FR)},
                                     config=kit.config(), now=kit.SEEN, readers=9))}  # fmt: skip
