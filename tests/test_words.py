"""Every phrase exists in both languages, with the same slots, and French is set as French is."""

import re
import string
from typing import Any

import pytest

from digest.model import Language
from digest.words import ROOMS, Words, phrases

EN, FR = Language.EN, Language.FR
_SHOUTS = r"!(?!\w)|\bsuccessfully\b|\bplease note\b|an error occurred|veuillez noter"


def slots(phrase: Any) -> set[str]:
    texts = [phrase] if isinstance(phrase, str) else list(phrase.values())
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("room", ROOMS)
def test_both_languages_say_the_same_things(room: str) -> None:
    english, french = phrases(room, EN), phrases(room, FR)
    assert sorted(english) == sorted(french)
    assert [key for key in english if slots(english[key]) != slots(french[key])] == []
    assert [key for key in english if isinstance(english[key], str) != isinstance(french[key], str)] == []


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("room", ROOMS)
def test_every_phrase_says_something(room: str, language: Language) -> None:
    for key, phrase in phrases(room, language).items():
        texts = [phrase] if isinstance(phrase, str) else [phrase["one"], phrase["other"]]
        assert all(text.strip() for text in texts), key


@pytest.mark.parametrize("room", ROOMS)
def test_french_spaces_are_never_broken(room: str) -> None:
    for key, phrase in phrases(room, FR).items():
        for text in [phrase] if isinstance(phrase, str) else phrase.values():
            prose = re.sub(r"https?://\S+|<[^>]+>|\{[^}]*\}", "x", text)
            assert not re.search(r" [:;?!»]|« ", prose), f"{room}.{key}: a no-break space is missing"
            assert not re.search(r"[^\s\u00a0][?!;»](?!\w)", prose), f"{room}.{key}: no space before a sign"
            assert "\u202f" not in text, f"{room}.{key}: the narrow space is not used"
            assert not re.search(r"\w'\w", prose), f"{room}.{key}: a straight apostrophe"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("room", ROOMS)
def test_nobody_is_shouted_at(room: str, language: Language) -> None:
    for key, phrase in phrases(room, language).items():
        for text in [phrase] if isinstance(phrase, str) else phrase.values():
            unwanted = re.search(
                r"!(?!\w)|\bsuccessfully\b|\bplease note\b|an error occurred|veuillez noter",
                text,
                re.IGNORECASE,
            )
            assert unwanted is None, f"{room}.{key}: {text}"


def test_a_missing_phrase_or_slot_is_an_error() -> None:
    with pytest.raises(KeyError):
        Words(EN)("letter.no_such_phrase")
    with pytest.raises(KeyError):
        Words(EN)("letter.in_language", wrong="x")


def test_french_counts_nought_and_one_as_one() -> None:
    assert Words(FR)("letter.events", n=0) == "0 événement"
    assert Words(EN)("letter.events", n=0) == "0 events"
    assert Words(FR)("letter.events", n=2) == "2 événements"
    assert Words(FR)("letter.events", n=1412) == "1\u00a0412 événements"
