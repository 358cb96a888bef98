"""Whatever a feed says, a letter comes of it that passes its own test and that preflight does not stop."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.model import Language
from digest.render.calendar import issue_file
from digest.render.press import Press
from digest.rules.preflight import blocking, check
from tests import render_kit as kit

NASTY = st.one_of(
    st.text(max_size=80),
    st.sampled_from([
        "", " ", "\u00a0", "\u2028para\u2029", "a\u200bb", "\u202eevil", "\ufeff", "<b>bold</b>", "</td></table>", "&amp;&nbsp;",
        "{{ 7*7 }}",
        "{% include 'x' %}", "slot-unsubscribe-" + "0" * 24, "https://example.org/" + "x" * 300,
        "see https://a.example.org. And more",
        "-- ", ".", "..", "From me", "=20", "x" * 500, "\x00\x1b[31m", "é" * 90, "👩‍🚀" * 30, "نص عربي",
        "a\r\nBcc: b", '" onload="x', "<!--", "]]>",
        "<!--HEADCSS-->", "<![endif]-->",
    ]),
)  # fmt: skip
URLS = st.sampled_from([
    None, "", "javascript:alert(1)",
    "https://example.org/a?b=1&c=2#d", 'https://example.org/"onclick="x',
    "https://example.org/é",
    "https://example.org/a b", "//example.org", "HTTPS://EXAMPLE.ORG/X", "https://example.org/<b>",
    "data:text/html,x", "https://[::1", "https://",
    "mailto:a@example.org",
])  # fmt: skip
ITS_OWN = {"item-title", "ev-past", "ev-tz", "link-scheme"}  # what is truly wrong with an item


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(title=NASTY, summary=NASTY, author=NASTY, source=NASTY, place=NASTY, url=URLS, online=URLS, note=NASTY, theme=NASTY,
       language=st.sampled_from(["en", "fr", "ar", "xx-nonsense", "", None]))  # fmt: skip
def test_whatever_a_feed_says_a_sound_letter_comes_of_it(
    title: str, summary: str, author: str, source: str, place: str, url: str | None, online: str | None, note: str,
    theme: str, language: str | None,
) -> None:  # fmt: skip
    event = kit.event(1, title, "2026-12-03T12:00-05:00", place=place, online=online, url=url, summary=summary,
                      source=source, language=language)  # fmt: skip
    post = kit.post(2, title, url=url, summary=summary, author=author, source=source, language=language)
    texts = {("note", "en"): note, ("theme", "en"): theme, ("note", "fr"): note, ("theme", "fr"): theme}
    issue = kit.issue([event], [post], texts=texts)
    config = kit.config(mail={"transport": "smtp"})
    press = Press(config)
    editions = {lang: press.edition(issue, lang) for lang in Language}
    for edition in editions.values():
        message = kit.parsed(press.compiled(edition).splice(kit.reader()))
        assert kit.part(message, "html").count("/unsubscribe/") == 1
        assert "<script" not in edition.html
        assert edition.html.count("<!--[if mso]>") == edition.html.count("<![endif]-->")
    stops = blocking(check(issue, editions, config=config, now=kit.SEND_AT - timedelta(days=1), readers=1))
    their_own = ITS_OWN | (
        {"token-left"} if note.strip() or theme.strip() else set()
    )  # an editor left braces there
    assert [(c.id, c.message_en) for c in stops if c.id not in their_own] == []
    assert issue_file(issue, config=config, language=Language.FR, now=kit.SEND_AT)
