"""What a visit was told, in both languages, from real answers of a site: no sentence is quoted in English to a French editor."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import digest
from digest.errors import ErrorKind, SourceError
from digest.model import Language, LeftOut, LeftOutWhy
from digest.rules.visit_words import exactly_in_words, in_words, with_left_out
from digest.sources import KINDS, ParseContext
from digest.sources._page import challenge
from digest.sources.fetch import Fetch
from digest.words import Words
from tests import screenshots_desk
from tests.conftest import NOW
from tests.http_kit import Script, answer, ics, serving

PAGE = b'<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/gone.xml"></head></html>'


PARKED = b"<!doctype html><title>example.org is for sale</title><p>Make an offer.</p>"


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
        (
            answer(b"Scheduled maintenance.", status=503, retry_after="60"),
            "closed for maintenance",
            "pour entretien",
        ),
        (answer(b"x", status=503, retry_after="60"), "asks us to come back later", "revenir plus tard"),
        (answer(PARKED, content_type="text/html"), "is parked or for sale", "\u00e0 vendre ou en attente"),
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


_SAMPLES = {
    "MOST_TAGS": "200,000",
    "host": "blog.example.org", "name": "tumblr.com", "split.scheme": "ftp", "port": "25", "source.kind": "telepathy",
    "known": "feed, ical", "MOST_HOPS": "5", "most // 1000": "5,000", "len(blocks)": "3", "len(parsed.entries)": "12",
    "type(error).__name__": "OverflowError", "self._longest_s": "20", "status": "503", "feeds[0]": "https://blog.example.org/feed",
    "slow": "https://blog.example.org/slow",
}  # fmt: skip
_NEVER_STORED = {
    "glance.py": "a suggested link is looked up; what fails leaves its fields empty",
    "leads elsewhere": "a webhook is called; its failure is logged for operators",
}


def _raised() -> Iterator[tuple[str, str, ast.AST]]:
    """Of every failure that the code can state: its file, its sort, and the expression of its sentence."""
    for path in sorted(Path(digest.__file__).parent.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                named = {
                    target.id: node.value
                    for node in ast.walk(function) if isinstance(node, ast.Assign)
                    for target in node.targets if isinstance(target, ast.Name)
                }  # fmt: skip
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and (said := _stated(call)):
                        kind, message = said
                        if isinstance(message, ast.Name):
                            message = named[message.id]
                        yield path.name, kind, _with(message, named)


def _stated(call: ast.Call) -> tuple[str, ast.expr] | None:
    name = getattr(call.func, "id", "")
    if name == "SourceError":
        return ast.unparse(call.args[0]), call.args[1]
    told = {keyword.arg: keyword.value for keyword in call.keywords}
    return (
        (ast.unparse(told["error_kind"]), told["message"]) if name == "Reply" and "message" in told else None
    )


def _with(message: ast.AST, named: dict[str, ast.expr]) -> ast.AST:
    """`f"{page} It announces …"`, with the sentence that `page` holds in its place."""

    class Named(ast.NodeTransformer):
        def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
            held = named.get(getattr(node.value, "id", ""))
            return held if isinstance(held, ast.Constant) else node

    return Named().visit(message)


def _sentences() -> Iterator[tuple[str, ErrorKind]]:
    for file, kind, message in _raised():
        if ast.unparse(message) in ("reply.message", "str(error)"):
            continue  # of another process, where it was stated
        if isinstance(message, ast.Call):  # with_left_out("calendar", …): the words themselves
            key = ast.literal_eval(message.args[0])
            for why in LeftOutWhy:
                yield with_left_out(key, [LeftOut("Hack night", why, "")]), ErrorKind.PARSE
        else:
            pieces = message.values if isinstance(message, ast.JoinedStr) else [message]
            said = "".join(
                str(piece.value) if isinstance(piece, ast.Constant) else _SAMPLES[ast.unparse(piece.value)]
                for piece in pieces
            )
            if not any(left in file or left in said for left in _NEVER_STORED):
                yield said, ErrorKind[kind.rpartition(".")[2]]


def test_every_failure_that_can_be_stored_has_its_sentence_in_both_languages() -> None:
    told = list(dict.fromkeys(_sentences()))
    assert len(told) > 45, "the code states its failures in a way that this test does not see"
    assert {kind for _, kind in told} == set(ErrorKind)
    for said, kind in told:
        assert in_words(said, kind, Words(Language.EN)) == said, said
        french = exactly_in_words(said, Words(Language.FR))
        assert french not in ("", said), said
        assert not re.search(r"\b(the|answer|first|is)\b", french.replace("Hack night", "")), french


def test_what_is_told_of_a_challenge_of_a_size_and_of_a_calendar_is_french_throughout() -> None:
    words = Words(Language.FR)
    assert in_words(str(challenge("https://blog.example.org/feed")), "challenge", words).startswith(
        "blog.example.org a"
    )
    large = in_words("The answer is larger than 5,000 kB; we stopped reading.", "too-big", words)
    assert large == "La r\u00e9ponse d\u00e9passe 5\u00a0000\u00a0ko\u00a0; nous avons cess\u00e9 de lire."
    calendar = ics("UID:a\nSUMMARY:Hack night\nDTSTART:nonsense")
    with pytest.raises(SourceError) as caught:
        KINDS["ical"].parse(calendar, ParseContext(url="https://x.example/c.ics", now=NOW, horizon=NOW))
    assert "Le premier est" in in_words(str(caught.value), "parse", words)


def test_the_pictures_of_the_desk_show_failures_that_a_visit_can_write() -> None:
    with screenshots_desk.desk() as (site, _, _period):
        sources = site.app.store.sources.all()
    failing = [source for source in sources if source.fail_count]
    assert failing
    assert all(source.last_visit_at for source in sources)
    for source in failing:
        assert exactly_in_words(source.last_error, Words(Language.FR)), source.last_error
        assert source.failing_since
        assert source.last_ok_at
