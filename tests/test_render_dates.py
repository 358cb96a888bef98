"""Days, hours and zones in words, as Canadians read them in the winter when the Prairies stopped changing clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.model import Language, Occasion, Period
from digest.render import dates
from tests import render_kit as kit

NOON = datetime(2026, 12, 1, 17, tzinfo=UTC)
EN, FR = Language.EN, Language.FR
NB = "\u00a0"


def said(text: str) -> str:
    return text.replace(NB, " ")


def span(occasion: Occasion, language: Language) -> str:
    return said(dates.span(occasion, language, list_zone="America/Toronto"))


def test_a_day_is_written_as_the_language_writes_it() -> None:
    assert said(dates.day(NOON, "America/Toronto", EN)) == "Tue 1 Dec"
    assert said(dates.day(NOON, "America/Toronto", FR)) == "mar. 1er déc."
    assert said(dates.day(NOON + timedelta(days=1), "America/Toronto", FR)) == "mer. 2 déc."
    assert said(dates.long_day(NOON, "America/Toronto", FR)) == "mardi 1er décembre 2026"
    assert dates.month(Period(2026, 12), FR) == "décembre 2026"


def test_a_day_is_the_day_of_its_zone() -> None:
    late = datetime(2026, 12, 2, 3, tzinfo=UTC)
    assert said(dates.day(late, "America/Toronto", EN)) == "Tue 1 Dec"
    assert said(dates.day(late, "Asia/Tokyo", EN)) == "Wed 2 Dec"


@pytest.mark.parametrize(
    ("hour", "minute", "english", "french"),
    [(0, 0, "midnight", "minuit"), (0, 5, "12:05 a.m.", "0 h 05"), (9, 0, "9 a.m.", "9 h"), (12, 0, "noon", "midi"),
     (12, 30, "12:30 p.m.", "12 h 30"), (13, 0, "1 p.m.", "13 h"), (18, 30, "6:30 p.m.", "18 h 30")],
)  # fmt: skip
def test_an_hour_has_twelve_hours_in_english_and_twenty_four_in_french(
    hour: int, minute: int, english: str, french: str
) -> None:
    at = datetime(2026, 12, 1, hour, minute, tzinfo=UTC)
    assert said(dates.hour(at, "UTC", EN)) == english
    assert said(dates.hour(at, "UTC", FR)) == french


def test_an_hour_is_never_torn_from_its_sign() -> None:
    at = datetime(2026, 12, 1, 18, 30, tzinfo=UTC)
    assert dates.hour(at, "UTC", EN) == f"6:30{NB}p.m."
    assert dates.hour(at, "UTC", FR) == f"18{NB}h{NB}30"


def test_zones_have_names_and_no_abbreviations() -> None:
    assert dates.zone_name("America/Toronto", NOON, EN) == "Eastern time"
    assert dates.zone_name("America/Vancouver", NOON, FR) == "heure du Pacifique"
    assert dates.zone_name("America/St_Johns", NOON, FR) == "heure de Terre-Neuve"


def test_a_zone_with_two_hours_on_that_date_is_named_by_its_city() -> None:
    july = datetime(2026, 7, 2, 16, tzinfo=UTC)
    assert dates.zone_name("America/Winnipeg", NOON, EN) == "Winnipeg time"
    assert dates.zone_name("America/Regina", NOON, EN) == "Regina time"
    assert dates.zone_name("America/Edmonton", july, EN) == "Mountain time"


def test_a_zone_elsewhere_is_named_by_its_city_with_elision_in_french() -> None:
    assert dates.zone_name("Europe/Paris", NOON, FR) == "heure de Paris"
    assert dates.zone_name("Europe/Oslo", NOON, FR) == "heure d’Oslo"
    assert dates.zone_name("UTC", NOON, FR) == "temps universel (UTC)"


def test_an_event_in_person_has_the_hour_of_its_place_alone() -> None:
    halifax = Occasion(starts=NOON, timezone="America/Halifax", place="Halifax")
    assert span(halifax, EN) == "Tue 1 Dec, 1 p.m. Atlantic"
    assert span(halifax, FR) == "mar. 1er déc., 13 h, heure de l’Atlantique"


def test_an_event_online_has_at_most_two_hours_more_computed_for_its_date() -> None:
    winter = Occasion(starts=NOON, timezone="America/Toronto", online="")
    summer = Occasion(starts=datetime(2026, 7, 2, 16, tzinfo=UTC), timezone="America/Toronto", online="")
    assert span(winter, EN) == "Tue 1 Dec, noon Eastern (10 a.m. Pacific, 1 p.m. Atlantic)"
    assert span(summer, EN) == "Thu 2 Jul, noon Eastern (9 a.m. Pacific, 1 p.m. Atlantic)"
    assert span(winter, FR) == "mar. 1er déc., midi, heure de l’Est (10 h Pacifique, 13 h Atlantique)"


def test_another_zone_on_another_day_says_which() -> None:
    late = Occasion(starts=datetime(2026, 12, 2, 3, 30, tzinfo=UTC), timezone="America/Vancouver", online="")
    assert span(late, EN) == "Tue 1 Dec, 8:30 p.m. Pacific (10:30 p.m. Eastern, 11:30 p.m. Atlantic)"
    later = Occasion(starts=datetime(2026, 12, 2, 4, 30, tzinfo=UTC), timezone="America/Vancouver", online="")
    assert "Wed 12:30 a.m. Atlantic" in span(later, EN)


def test_newfoundland_keeps_its_half_hour() -> None:
    event = Occasion(starts=NOON, timezone="America/St_Johns", place="St. John’s")
    assert span(event, EN) == "Tue 1 Dec, 1:30 p.m. Newfoundland"


def test_an_event_of_whole_days_ends_on_its_last_day() -> None:
    midnight = datetime(2026, 12, 1, 5, tzinfo=UTC)
    one = Occasion(
        starts=midnight, ends=midnight + timedelta(days=1), timezone="America/Toronto", all_day=True
    )
    two = Occasion(
        starts=midnight, ends=midnight + timedelta(days=2), timezone="America/Toronto", all_day=True
    )
    assert span(one, EN) == "Tue 1 Dec, all day"
    assert span(two, FR) == "du mar. 1er déc. au mer. 2 déc."


def test_an_event_over_days_has_both_ends() -> None:
    jam = Occasion(starts=NOON, ends=NOON + timedelta(hours=50), timezone="America/Toronto", place="Toronto")
    assert span(jam, EN) == "Tue 1 Dec, noon Eastern to Thu 3 Dec, 2 p.m."
    assert dates.length(jam, EN) is None


def test_a_length_reads_like_speech() -> None:
    def of(minutes: int, language: Language) -> str:
        return said(
            dates.length(Occasion(starts=NOON, ends=NOON + timedelta(minutes=minutes)), language) or ""
        )

    assert [of(m, EN) for m in (45, 60, 90)] == ["45 min", "1 h", "1 h 30 min"]
    assert of(90, FR) == "1 h 30"
    assert of(65, FR) == "1 h 05"


def test_numbers_are_grouped_as_the_language_groups_them() -> None:
    assert dates.number(1412, EN) == "1,412"
    assert dates.number(1412, FR) == f"1{NB}412"


def test_an_unknown_zone_does_not_stop_a_letter() -> None:
    assert said(dates.hour(NOON, "Mars/Olympus", EN)) == "5 p.m."


def test_the_zone_data_knows_the_law_of_2026() -> None:
    hours = {zone: dates.utc_offset(zone, NOON).total_seconds() / 3600 for zone in
             ("America/Vancouver", "America/Edmonton", "America/Winnipeg")}  # fmt: skip
    assert hours == {"America/Vancouver": -7, "America/Edmonton": -6, "America/Winnipeg": -5}
    assert kit.SEND_AT.tzinfo is UTC
