"""Where to look for a post that may be the same under another title, and how near two titles are. Finds, never merges."""

import re
import unicodedata
from collections.abc import Iterable
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise
from zlib import crc32

TITLE, WORDS = "title:", "words:"  # how weak keys begin
FEWEST_WORDS = 48  # below, likeness of words means little
MARKS, MARK_WORDS, RARE_LETTERS = 4, 4, 9
MARKED_LETTERS = 1_600  # some 250 words
MOST_PARTS = 3
NEARLY_THE_SAME_WORD = 88
_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"\s[-\u2010-\u2015|·•»/]+\s|\s?[:()\[\]\u2014]\s?")
_ORDINALS = {
    word: str(number)
    for number, words in enumerate(
        ("i one un une first premiere premier", "ii two deux second deuxieme", "iii three trois third troisieme",
         "iv four quatre fourth quatrieme", "v five cinq fifth cinquieme", "vi six sixth sixieme", "vii seven sept",
         "viii eight huit", "ix nine neuf", "x ten dix"), start=1,
    )
    for word in words.split()
}  # fmt: skip
_COUNTING = "part partie parts week semaine day jour volume vol tome chapter chapitre episode season saison issue sprint"
_COUNTED = frozenset(_COUNTING.split())
_MONTHS = {
    word: f"month {number}"
    for number, words in enumerate(
        ("january janvier", "february fevrier", "", "april avril", "", "june juin", "july juillet", "august aout",
         "september septembre", "october octobre", "november novembre", "december decembre"), start=1,
    )
    for word in words.split()
}  # fmt: skip  # "March" and "May" are words too


class Likeness(IntEnum):
    """MAYBE is for an editor to settle."""

    NO = 0
    MAYBE = 1
    YES = 2


def hints(title: str, *, words: str) -> tuple[str, ...]:
    """Weak keys under which a post is found again: by its title, by parts of it ("… - Team blog"), and by a few of its
    runs of words, so chosen that two texts which are nearly one share some. words: its text, or "" to leave it at the
    title."""
    return tuple(dict.fromkeys([*_title_hints(title), *_marks(words)]))


def title_likeness(one: str, other: str) -> Likeness:
    """YES: the same words. MAYBE: one stands whole inside the other, and neither counts what the other does not."""
    mine, theirs = plain_words(one), plain_words(other)
    if mine == theirs:
        return Likeness.YES
    shorter, longer = sorted((mine, theirs), key=len)
    if not _says_enough(shorter) or _numbers(one) != _numbers(other):
        return Likeness.NO
    places = range(len(longer) - len(shorter) + 1)
    inside = any(
        all(nearly_the_same_word(a, b) for a, b in zip(shorter, longer[at:], strict=False)) for at in places
    )
    return Likeness.MAYBE if inside else Likeness.NO


def same_numbers(one: str, other: str) -> bool:
    """False when both titles count something, and not the same: #512 and #513, part one and part two."""
    mine, theirs = _numbers(one), _numbers(other)
    return mine == theirs or not mine or not theirs


def plain_words(text: str) -> list[str]:
    """Lower-case words without accents and punctuation."""
    if text.isascii():
        return _WORD.findall(text[:200_000].lower())
    decomposed = unicodedata.normalize("NFKD", text[:200_000]).casefold()
    return _WORD.findall("".join(c for c in decomposed if not unicodedata.combining(c)))


def says_enough(title: str) -> bool:
    """Whether a title names one thing: "v2.1.0" and "Update" do not."""
    return _says_enough(plain_words(title))


def _title_hints(title: str) -> Iterable[str]:
    parts = [title]
    if _BETWEEN.search(title):
        parts += [part for part in _BETWEEN.split(title) if part][:MOST_PARTS]
    for part in parts:
        words = plain_words(part)
        if _says_enough(words):
            yield TITLE + sha256(" ".join(words).encode()).hexdigest()[:32]


def _marks(text: str) -> list[str]:
    """The runs that begin with the long words of the smallest sums: both texts most likely hold these, or neither does.
    Only the opening is looked at: it is what a copy, a teaser and the whole have in common."""
    words = text[:MARKED_LETTERS].lower().split()
    if len(text) > MARKED_LETTERS:
        words.pop()  # it may be cut
    if len(words) < FEWEST_WORDS:
        return []
    rare = [word for word in words if len(word) >= RARE_LETTERS]
    sums = dict(zip(map(crc32, " ".join(rare).encode("utf-8", "replace").split(b" ")), rare, strict=False))
    return [_mark(words, words.index(sums[number])) for number in sorted(sums)[:MARKS]]


def _mark(words: list[str], at: int) -> str:
    run = words[at : at + MARK_WORDS]
    if not "".join(run).isalnum():
        run = _WORD.findall(" ".join(run))
    return f"{WORDS}{crc32(' '.join(run).encode('utf-8', 'replace')):08x}"


def _says_enough(words: list[str]) -> bool:
    return len(words) >= 3 and len(" ".join(words)) >= 12


def _numbers(title: str) -> frozenset[str]:
    """What a title counts: digits, months, and number words after a word like "part"."""
    words = plain_words(title)
    found = [digits.lstrip("0") or "0" for digits in re.findall(r"\d+", title)]
    found += [_MONTHS[word] for word in words if word in _MONTHS]
    for one, next_one in pairwise(words):
        if one in _COUNTED and next_one in _ORDINALS:  # part one
            found.append(_ORDINALS[next_one])
        elif next_one in _COUNTED and len(one) > 2 and one in _ORDINALS:  # first part
            found.append(_ORDINALS[one])
    return frozenset(found)


def nearly_the_same_word(one: str, other: str) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < 6:
        return False
    from rapidfuzz import fuzz  # 3 MB, which a million letters need not carry

    return fuzz.ratio(one, other) >= NEARLY_THE_SAME_WORD
