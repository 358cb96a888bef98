"""Headers and MIME of a printed letter, each row of the guide's table held on the bytes themselves."""

import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.errors import RenderError
from digest.model import Address, Language, NoticeKind
from digest.render.message import encoded_words, header_lines, quoted_printable, to_header
from digest.render.press import Press
from tests import render_kit as kit

EN, FR = Language.EN, Language.FR


@pytest.fixture(scope="module")
def letters() -> dict[Language, bytes]:
    press = Press(kit.config())
    return {
        language: press.compiled(press.edition(kit.month_of_12(), language)).splice(kit.reader())
        for language in Language
    }


def head(data: bytes) -> str:
    return data.partition(b"\r\n\r\n")[0].decode("ascii")


@pytest.mark.parametrize("language", list(Language))
def test_a_letter_is_seven_bit_with_crlf_and_short_lines(
    letters: dict[Language, bytes], language: Language
) -> None:
    data = letters[language]
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
    assert max(map(len, head(data).split("\r\n"))) <= 998
    assert max(map(len, data.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


@pytest.mark.parametrize("language", list(Language))
def test_each_header_stands_once(letters: dict[Language, bytes], language: Language) -> None:
    names = re.findall(r"(?m)^([A-Za-z-]+):", head(letters[language]))
    assert len(names) == len({name.lower() for name in names})
    wanted = {"From", "Reply-To", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id",
              "List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "List-Help", "List-Owner", "List-Subscribe",
              "Feedback-ID", "Precedence", "X-Auto-Response-Suppress"}  # fmt: skip
    assert wanted <= set(names)


def test_headers_say_what_a_list_letter_must(letters: dict[Language, bytes]) -> None:
    message = kit.parsed(letters[FR])
    token = "q" * 28
    assert message["To"] == "maya@example.org"
    assert message["From"] == "Le Bulletin du gouvernement numérique <digest@example.org>"
    assert message["List-Unsubscribe"] == (
        f"<https://digest.example.org/unsubscribe/{token}>, <mailto:editors@example.org?subject=unsubscribe%20{token}>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Archive"] == "<https://digest.example.org/fr/issues/2026-12>"
    assert str(message["List-Id"]) == "Le Bulletin du gouvernement numérique <digest.example.org>"
    assert message["Precedence"] == "bulk"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Auto-Submitted"] is None
    assert message["Date"].datetime == kit.SEND_AT


@pytest.mark.parametrize("length", [30, 60, 76, 120, 200])
def test_the_link_to_leave_is_never_folded_nor_encoded(length: int) -> None:
    press = Press(kit.config())
    compiled = press.compiled(press.edition(kit.small(), FR))
    token = "a" * (length - len("https://digest.example.org/unsubscribe/")) if length > 45 else "a"
    data = compiled.splice(kit.reader(token=token))
    line = next(line for line in head(data).split("\r\n") if line.startswith("List-Unsubscribe:"))
    assert line.startswith(f"List-Unsubscribe: <https://digest.example.org/unsubscribe/{token}>, <mailto:")
    assert f'href="https://digest.example.org/unsubscribe/{token}"' in kit.part(kit.parsed(data), "html")


def test_feedback_id_has_four_fields_and_no_person(letters: dict[Language, bytes]) -> None:
    fields = kit.parsed(letters[EN])["Feedback-ID"].split(":")
    assert len(fields) == 4
    assert 5 <= len(fields[3]) <= 15
    press = Press(kit.config())
    compiled = press.compiled(press.edition(kit.month_of_12(), EN))
    assert kit.parsed(compiled.splice(kit.reader("sam@example.com")))["Feedback-ID"].split(":") == fields


def test_two_bodies_of_the_same_content_the_text_first(letters: dict[Language, bytes]) -> None:
    message = kit.parsed(letters[EN])
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert {p["Content-Transfer-Encoding"] for p in message.iter_parts()} == {"quoted-printable"}
    assert {p.get_content_charset() for p in message.iter_parts()} == {"utf-8"}
    assert not list(message.iter_attachments())


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200))
def test_any_subject_comes_back_whole_in_short_words(subject: str) -> None:
    data = header_lines([("Subject", subject)])
    for line in data.decode("ascii").rstrip("\r\n").split("\r\n"):
        assert all(len(word) <= 75 for word in line.split(" ") if word.startswith("=?"))
    if not subject.isascii():
        assert kit.parsed(data + b"\r\n")["Subject"] == subject


def test_an_encoded_word_is_never_cut_inside_a_character() -> None:
    for word in encoded_words("é" * 200).split(" "):
        assert len(word) <= 75
        assert kit.parsed(f"Subject: {word}\n\n".encode())["Subject"].strip("é") == ""


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\x00b", "a\u2028b"])
def test_a_line_break_never_enters_a_header(bad: str) -> None:
    with pytest.raises(RenderError):
        header_lines([("Subject", bad)])
    with pytest.raises(ValueError, match="control sign"):
        kit.config(list={"name": {"en": bad, "fr": bad}})
    sound = kit.config()
    name = sound.list.name.model_copy(update={"en": bad})  # past the door of the configuration
    with pytest.raises(RenderError):
        Press(sound.model_copy(update={"list": sound.list.model_copy(update={"name": name})})).edition(
            kit.small(), EN
        )


@pytest.mark.parametrize(
    "bad",
    [
        "a@example.org\r\nBcc: b@example.org",
        "a,b@example.org",
        "<a@example.org>",
        "a@b@example.org",
        "a b@example.org",
    ],
)
def test_an_address_that_would_change_the_header_is_refused(bad: str) -> None:
    with pytest.raises(RenderError) as caught:
        to_header(Address(bad))
    assert "example" not in str(caught.value)


def test_a_domain_beyond_ascii_becomes_its_a_label() -> None:
    assert to_header(Address("info@straße.de")) == b"info@xn--strae-oqa.de"
    assert to_header(Address("zoé@example.org")) == "zoé@example.org".encode()


@given(st.text(alphabet=st.sampled_from("ab .=\n\réF\u00a0"), max_size=400))
def test_any_body_survives_quoted_printable(text: str) -> None:
    coded = quoted_printable(text)
    assert quopri.decodestring(coded).decode() == "\r\n".join(
        text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    for line in coded.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))


def test_a_body_never_begins_a_line_with_a_dot_or_from() -> None:
    coded = quoted_printable(".\n..a\nFrom here\n" + "x" * 75 + ".y\n")
    assert all(not line.startswith((b".", b"From ")) for line in coded.split(b"\r\n"))


@pytest.mark.parametrize("kind", kit.NOTICES)
@pytest.mark.parametrize("language", list(Language))
def test_a_notice_is_made_by_a_machine_and_holds_nothing_of_the_asker(
    kind: NoticeKind, language: Language
) -> None:
    link = f"https://digest.example.org/confirm/{'q' * 28}"
    data = Press(kit.config()).notice(kind, to=Address("maya@example.org"), language=language,
                                      message_id="<notice.1.ab@example.org>", date=kit.SEND_AT, link=link)  # fmt: skip
    message = kit.parsed(data)
    assert data.isascii()
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["To"] == "maya@example.org"
    assert message["List-Unsubscribe"] is None
    text, html = kit.part(message, "plain"), kit.part(message, "html")
    has_link = kind is not NoticeKind.ADDRESS_MOVED  # it goes to a mailbox that is its reader's no more
    assert (link in text.splitlines()) is has_link
    assert (f'href="{link}"' in html) is has_link
    assert "maya" not in text
    assert "maya" not in html
    assert f'lang="{language.value}"' in html
    assert max(map(len, text.splitlines())) <= 78
