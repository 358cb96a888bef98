"""One letter per edition, spliced per reader: right in every slot, quick, and unchanged since it was frozen."""

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import RenderError
from digest.model import Language
from digest.render.letter import Compiled, Marks, compile_letter
from digest.render.press import Press
from tests import render_kit as kit

EN, FR = Language.EN, Language.FR


@pytest.fixture(scope="module")
def press() -> Press:
    return Press(kit.config())


@pytest.mark.parametrize("language", list(Language))
def test_a_spliced_letter_reads_like_a_plain_render(press: Press, language: Language) -> None:
    edition = press.edition(kit.month_of_12(), language)
    reader = kit.reader(token="t&o='k\"en"[:6])
    message = kit.parsed(press.compiled(edition).splice(reader))
    html, text = edition.html, edition.text
    for kind in ("unsubscribe", "preferences"):
        url = getattr(reader, f"{kind}_url")
        mark = next(word for word in text.split() if word.startswith(f"slot-{kind}-"))
        html, text = html.replace(mark, escape(url)), text.replace(mark, url)
    assert kit.part(message, "html").rstrip("\n") == html.rstrip("\n")
    assert kit.part(message, "plain").rstrip("\n") == text.rstrip("\n")


def test_two_readers_differ_only_in_their_own_places(press: Press) -> None:
    compiled = press.compiled(press.edition(kit.month_of_12(), EN))
    one = compiled.splice(kit.reader("one@example.org", token="1" * 28)).split(b"\r\n")
    two = compiled.splice(kit.reader("two@example.org", token="2" * 28)).split(b"\r\n")
    differing = [a for a, b in zip(one, two, strict=True) if a != b]
    assert len(differing) == 6
    assert [line.partition(b":")[0] for line in differing[:2]] == [b"To", b"List-Unsubscribe"]
    assert all(b"1" * 28 in line for line in differing[1:])


def test_the_frozen_bytes_make_the_same_letter(press: Press) -> None:
    edition = press.edition(kit.month_of_12(), FR)
    assert press.compiled(edition).splice(kit.reader()) == Compiled.from_bytes(edition.letter).splice(
        kit.reader()
    )
    assert Compiled.from_bytes(edition.letter).to_bytes() == edition.letter


def test_the_same_issue_gives_the_same_edition(press: Press) -> None:
    assert press.edition(kit.month_of_12(), EN) == Press(kit.config()).edition(kit.month_of_12(), EN)


@pytest.mark.parametrize("damage", [b"", b"garbage", b"digest letter 1\n{}\n", b"digest letter 1\n[]\nabc"])
def test_damaged_frozen_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(RenderError):
        Compiled.from_bytes(damage)


def test_a_frozen_letter_cut_short_is_refused(press: Press) -> None:
    letter = press.edition(kit.small(), EN).letter
    with pytest.raises(RenderError):
        Compiled.from_bytes(letter[:-1])


@given(token=st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=300), min_size=1, max_size=90))
def test_no_link_breaks_out_of_its_slot(token: str) -> None:
    compiled = Press(kit.config()).compiled(_SMALL)
    try:
        data = compiled.splice(kit.reader(token=token))
    except RenderError:
        return
    message = kit.parsed(data)
    assert set(message.keys()) == set(kit.parsed(compiled.splice(kit.reader())).keys())
    assert f"https://digest.example.org/unsubscribe/{token}" in kit.part(message, "plain").splitlines()
    assert all(len(line) <= 76 for line in data.partition(b"\r\n\r\n")[2].split(b"\r\n"))


_SMALL = Press(kit.config()).edition(kit.small(), EN)


def test_a_feed_cannot_have_a_readers_link_printed_in_its_own(press: Press) -> None:
    seen = press.edition(kit.small(), EN)
    mark = next(word for word in seen.text.split() if word.startswith("slot-unsubscribe-"))
    thief = kit.issue(
        [
            kit.event(
                1,
                "Office hours",
                "2026-12-03T12:00-05:00",
                online="",
                url=f"https://thief.example.com/?{mark}",
            )
        ]
    )
    data = press.compiled(press.edition(thief, EN)).splice(kit.reader(token="s" * 28))
    assert b"thief.example.com" in data
    html = kit.part(kit.parsed(data), "html")
    assert f"https://thief.example.com/?{mark}" in html


def test_a_letter_that_does_not_come_back_as_written_is_never_frozen() -> None:
    marks = Marks("0" * 24)
    whole = compile_letter(b"Subject: x\r\n", html=f"<p>{marks.unsubscribe}</p>\n", text=f"{marks.preferences}\n", marks=marks,
                           mail_to="a@example.org")  # fmt: skip
    assert whole.splice(kit.reader())
    with pytest.raises(RenderError, match="own test"):
        compile_letter(b"Subject: x\r\n", html="<p>a\rb</p>", text="x", marks=marks, mail_to="a@example.org")
