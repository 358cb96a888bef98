"""Every phrase exists in both languages, with the same slots, and French is set as French is."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import digest
from digest.model import Language, PauseReason
from digest.words import ROOMS, Words, phrases, told

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


# --- why sending paused --------------------------------------------------------------------------------------------


def reasons() -> Iterator[tuple[str, set[str]]]:
    """Every reason that the program can give: its code, and what it knows to stand in the sentence."""
    for path in Path(digest.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if name not in {"fault", "PauseReason"} or not isinstance(node, ast.Call) or not node.args:
                continue
            if isinstance(node.args[0], ast.Constant):
                facts = node.args[1].keys if len(node.args) > 1 and isinstance(node.args[1], ast.Dict) else []
                names = {str(one.value) for one in facts if isinstance(one, ast.Constant)}
                yield str(node.args[0].value), names | {str(one.arg) for one in node.keywords}


def test_every_reason_to_pause_has_its_sentence_with_what_is_known_of_it() -> None:
    found = dict(reasons()) | {"login": {"relay", "said"}, "token": {"relay", "said"}}
    english = phrases("sending", EN)
    said = {key for key in english if not key.startswith(("why_", "phase_"))}
    assert set(found) == said
    assert {code for code in found if slots(english[code]) - found[code]} == set()


@pytest.mark.parametrize(
    ("reason", "english", "french"),
    [
        (PauseReason("unreachable", {"relay": "mx port 25", "why": "econnrefused"}),
         "The mail server mx port 25 cannot be reached: connection refused.",
         "Le serveur de courriel mx port 25 est injoignable : connexion refusée."),
        (PauseReason("drops", {"relay": "mx port 25", "why": "silent final dot"}),
         "The mail server mx port 25 ends every connection: no answer within the time-out (final dot)",
         "Le serveur de courriel mx port 25 met fin à chaque connexion : aucune réponse dans le délai (point final)"),
        (PauseReason("refused", {"relay": "mx port 25", "phase": "MAIL", "said": "554 5.7.1 no"}),
         "The mail server mx port 25 refused us at MAIL: 554 5.7.1 no",
         "Le serveur de courriel mx port 25 nous a refusés (MAIL) : 554 5.7.1 no"),
        (PauseReason("first_ask", {"n": 1}), "The first letter has left. Look at it; the rest goes when you say so.",
         "La première lettre est partie. Regardez-la ; les autres partent quand vous le dites."),
    ],
)  # fmt: skip
def test_a_reason_is_said_in_both_languages(reason: PauseReason, english: str, french: str) -> None:
    assert told(reason, EN) == english
    assert told(reason, FR).replace("\u00a0", " ") == french
