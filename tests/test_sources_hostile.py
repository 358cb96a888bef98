"""F1 to F9 of the guide to collecting: what each hostile case is held by, as a table; and those that stand nowhere else."""

import gzip
import importlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import escape

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.errors import ErrorKind, SourceError
from digest.rules.gather import is_hint
from digest.sources import KINDS, ParseContext
from digest.web import create_web
from tests.conftest import NOW, Clock
from tests.http_kit import Site, answer, ics, raw, rss, serving
from tests.web_kit import read, signed_in

HELD = {
    "F1 script in title, body, link, author, enclosure, category":
        "test_browser_hostile.test_no_script_of_a_source_runs_anywhere_and_no_request_leaves",
    "F1 at least 150 payloads": "test_browser_hostile.test_more_than_a_hundred_and_fifty_carriers_are_tried",
    "F1 the corpus": "test_sources_corpus.test_no_script_and_no_pixel_of_the_corpus_survives",
    "F2 template code in an editor's text": "test_letter_html.test_an_editors_note_is_text_with_links_and_never_a_template",
    "F2 template code of a source": "test_sources_hostile.test_template_code_of_a_source_is_only_words",
    "F3 private addresses, 60 forms": "test_sources_http.test_there_are_at_least_sixty_forms_of_private_addresses_tried",
    "F3 odd schemes, user names": "test_sources_http.test_what_is_no_web_address_is_refused_without_a_lookup",
    "F3 odd ports": "test_sources_http.test_ports_of_other_services_are_refused",
    "F3 by a redirect": "test_sources_http.test_a_redirect_to_where_we_must_not_go_is_refused",
    "F3 by changing DNS": "test_sources_http.test_a_name_that_changes_its_address_between_check_and_connection_is_not_followed",
    "F3 one private address among public ones": "test_sources_http.test_one_private_address_among_public_ones_spoils_the_host",
    "F4 a local file by path, file: or DOCTYPE": "test_sources_read.test_an_answer_that_names_a_file_opens_no_file",
    "F5 entities, external entities": "test_sources_hostile.test_entities_are_refused_before_they_cost_anything",
    "F5 within the child": "test_sources_reader.test_a_flood_of_entities_and_of_items_stays_cheap",
    "F6 gzip, nested": "test_sources_http.test_a_gzip_bomb_is_not_unpacked",
    "F6 deflate": "test_sources_http.test_a_deflate_bomb_is_not_unpacked",
    "F6 brotli and what else nobody asked for": "test_sources_hostile.test_what_is_packed_in_a_way_nobody_asked_for_is_refused",
    "F6 lying Content-Length, endless body":
        "test_sources_http.test_an_answer_over_the_limit_is_cut_whatever_it_says_of_its_length",
    "F7 slow headers, slow body": "test_sources_http.test_a_slow_drip_ends_with_the_wall_clock",
    "F7 a resolver that hangs": "test_sources_http.test_a_resolver_that_hangs_does_not_hang_us",
    "F7 others on time": "test_collect.test_failing_sources_are_named_and_stop_nobody",
    "F8 12 MB": "test_sources_hostile.test_twelve_megabytes_are_refused_at_five",
    "F8 as many small items": "test_sources_read.test_the_newest_five_hundred_are_kept",
    "F8 nothing but tags": "test_sources_hostile.test_a_feed_of_nothing_but_tags_is_refused_before_it_costs_anything",
    "F8 endless lists of dates": "test_sources_hostile.test_a_series_with_endless_lists_of_dates_costs_only_itself",
    "F7 a page of dripping feeds":
        "test_sources_discover.test_a_page_of_slow_feeds_is_looked_at_within_one_deadline_and_nothing_is_asked_twice",
    "F9 charset, BOM, NUL, U+202E, 10 KB title, year 9999, no guid, reused guid":
        "test_sources_hostile.test_odd_feeds_are_read",
    "F9 mutated feeds (10,000 a kind in bench.fuzzing)": "test_sources_fuzzed.test_damaged_answers_are_read_or_refused_by_name",
    "calendars that expand for ever": "test_sources_read.test_rules_that_would_expand_for_ever_are_refused_by_name",
    "readers that hang": "test_sources_reader.test_an_answer_that_takes_too_long_is_given_up_and_the_next_one_is_read",
    "readers that raise": "test_sources_reader.test_a_bug_in_a_reader_is_a_typed_error_with_a_trace_for_us",
}  # fmt: skip
CONTEXT = ParseContext(url="https://x.example/feed", now=NOW, horizon=NOW + timedelta(days=60))
TEMPLATES = (
    "{{ 7*7 }}", "{{ config }}", "{{ self.__init__.__globals__ }}", "{% for x in (1,2) %}x{% endfor %}", "{# gone #}",
    "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{ ''.__class__.__mro__ }}", "{{ env.SECRET }}", "%(name)s", "{title}", "{0}",
)  # fmt: skip


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


@pytest.fixture
def collected(make_config: Callable[[str], Config], clock: Clock, site: Site) -> Iterator[Callable[[], App]]:
    opened: list[App] = []

    def visited() -> App:
        text = "delay_s = 0\ntimeout_s = 10\n" + f'[[sources]]\nname = "x"\nurl = "{site.url("/feed")}"\n'
        opened.append(app := open_app(make_config(text), clock=clock))
        return app

    yield visited
    for app in opened:
        app.close()


@pytest.mark.parametrize("case", list(HELD))
def test_each_hostile_case_of_the_guide_has_its_test(case: str) -> None:
    module, _, name = HELD[case].partition(".")
    assert callable(getattr(importlib.import_module(f"tests.{module}"), name))


def test_no_case_of_the_guide_is_left_out() -> None:
    assert {case.split()[0] for case in HELD} >= {f"F{number}" for number in range(1, 10)}


def test_template_code_of_a_source_is_only_words(collected: Callable[[], App], site: Site) -> None:
    """F2: what a source writes is shown as it stands, at the desk and in the letter, and never worked out."""
    site.pages["/feed"] = rss(
        *(
            f"<title>Odd {number} {escape(code)}</title><link>https://x.example/{number}</link>"
            f"<pubDate>Tue, 10 Nov 2026 10:00:00 GMT</pubDate><description>{escape(escape(code))} in the middle of"
            " a sentence that is long enough to be taken for the summary of it all.</description>"
            for number, code in enumerate(TEMPLATES)
        )
    )
    app = collected()
    app.collect.visit()
    issue = app.publish.assemble()
    client = signed_in(app, create_web(app))
    pages = [read(client, "/desk/pool"), read(client, f"/desk/issues/{issue.period}/")]
    for number, code in enumerate(TEMPLATES):
        shown = escape(code).replace("&#x27;", "&#39;")
        assert any(f"Odd {number} {shown}" in page for page in pages), code
    assert not any(re.search(r"Odd \d+ (49|xx|<Config)", page) for page in pages)


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">',
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x SYSTEM "http://127.0.0.1:1/">',
        '<!entity a "lower">',
        '<!ENTITY % p SYSTEM "http://127.0.0.1:1/p.dtd"> %p;',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_entities_are_refused_before_they_cost_anything(
    collected: Callable[[], App], site: Site, declared: str, encoding: str
) -> None:
    """F5: neither expanded nor fetched."""
    site.pages["/feed"] = (
        f'<?xml version="1.0"?><!DOCTYPE r [{declared}]><rss version="2.0"><channel><title>&b;</title>'
        "<item><title>&x;</title></item></channel></rss>"
    ).encode(encoding)
    (visit,) = collected().collect.visit()
    assert visit.error_kind in {ErrorKind.PARSE.value, ErrorKind.NOT_A_FEED.value}
    assert len(site.asked) == 1


@pytest.mark.parametrize("packed", ["br", "zstd", "compress", "gzip, br", "br, gzip, br", "exi"])
def test_what_is_packed_in_a_way_nobody_asked_for_is_refused(
    collected: Callable[[], App], site: Site, packed: str
) -> None:
    """F6: we ask for gzip and deflate; thirty megabytes of zeros in 27 bytes of brotli are not unpacked."""
    bomb = bytes.fromhex("5bffffff0160e2ffffffbfc00124c001c4ffffff7f810348800388ff")
    site.pages["/feed"] = answer(
        gzip.compress(bomb) if packed.endswith("gzip") else bomb, content_encoding=packed
    )
    (visit,) = collected().collect.visit()
    assert visit.error_kind in {
        kind.value for kind in (ErrorKind.TOO_BIG, ErrorKind.CONNECTION, ErrorKind.NOT_A_FEED)
    }


def test_twelve_megabytes_are_refused_at_five(collected: Callable[[], App], site: Site) -> None:
    """F8: 20,000 items; reading stops at the limit, whatever else would come."""
    item = "<item><title>{}</title><description>" + "words " * 95 + "</description></item>"
    body = (
        "<rss version='2.0'><channel>" + "".join(map(item.format, range(20_000))) + "</channel></rss>"
    ).encode()
    assert len(body) > 12_000_000
    site.pages["/feed"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)
    (visit,) = collected().collect.visit()
    assert visit.error_kind == ErrorKind.TOO_BIG.value


def _feed(item: str, *, encoding: str = "utf-8") -> bytes:
    return (
        rss(item).decode().replace('encoding="utf-8"', f'encoding="{encoding}"').encode(encoding, "replace")
    )


PLAIN = "<title>Caf\u00e9</title><link>https://x.example/a</link><description>What it says.</description>"
ODD = {
    "wrong charset": PLAIN and rss(PLAIN).decode().encode("latin-1"),
    "windows-1252 by its name": _feed(PLAIN, encoding="windows-1252"),
    "a byte order mark": b"\xef\xbb\xbf" + rss(PLAIN),
    "UTF-16": rss(PLAIN).decode().replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16"),
    "NUL": rss(PLAIN).replace(b"What", b"Wh\0at"),
    "U+202E": rss(PLAIN.replace("What", "\u202eWhat")),
    "zero-width": rss(PLAIN.replace("What", "Wh\u200bat")),
    "a title of 10 KB": rss(PLAIN.replace("Caf\u00e9", "Caf\u00e9 " * 2_000)),
    "emoji joiners": rss(PLAIN.replace("Caf\u00e9", "Caf\u00e9 \U0001f469\u200d\U0001f4bb")),
    "the year 9999": rss(PLAIN + "<pubDate>Fri, 31 Dec 9999 23:59:59 GMT</pubDate>"),
    "no guid, no link": rss(PLAIN.replace("<link>https://x.example/a</link>", "")),
    "a guid for all": rss(PLAIN + "<guid>1</guid>", PLAIN.replace("/a<", "/b<") + "<guid>1</guid>"),
    "a C1 control": rss(PLAIN.replace("What", "What\u0092s")),
}


@pytest.mark.parametrize("odd", list(ODD))
def test_odd_feeds_are_read(odd: str, clock: Clock) -> None:
    """F9: the items come, plain and in one piece."""
    context = ParseContext(url="https://x.example/feed", now=clock(), horizon=clock())
    entries = KINDS["feed"].parse(ODD[odd], context).entries
    assert len(entries) == (2 if odd == "a guid for all" else 1)
    assert len({key for entry in entries for key in entry.keys if not is_hint(key)}) >= len(entries)
    for entry in entries:
        text = f"{entry.title} {entry.summary} {entry.html}"
        assert entry.title.startswith("Caf")
        assert len(entry.title) <= 300
        assert not re.search("[\0\x80-\x9f\u200b\u202e\ufeff]", text)
    assert "\u200d" in entries[0].title or odd != "emoji joiners"


@pytest.mark.parametrize("inside", [b"<a>" * 300_000 + b"</a>" * 300_000, b"<a></a>" * 150_000 + b"&nope"])
def test_a_feed_of_nothing_but_tags_is_refused_before_it_costs_anything(inside: bytes) -> None:
    """F8: the parser for what is not plain took ten seconds and a quarter of a gigabyte."""
    body = b'<rss version="2.0"><channel><item>' + inside + b"</item></channel></rss>"
    with pytest.raises(SourceError) as caught:
        KINDS["feed"].parse(body, CONTEXT)
    assert caught.value.kind is ErrorKind.TOO_BIG


def test_tags_that_are_words_are_not_counted() -> None:
    """A large feed of long posts, with a language of its own in one entry: read as ever."""
    words = b"<![CDATA[" + b"<p>Some <b>words</b> that a person wrote.</p>" * 1_000 + b"]]>"
    item = b'<item xml:lang="fr"><title>T</title><link>https://x.example/%d</link><description>' + words
    items = b"".join(item.replace(b"%d", b"%d" % n) + b"</description></item>" for n in range(60))
    found = KINDS["feed"].parse(b'<rss version="2.0"><channel>' + items + b"</channel></rss>", CONTEXT)
    assert len(found.entries) == 60


@pytest.mark.parametrize("name", ["EXDATE", "RDATE"])
@pytest.mark.parametrize("comma", [",", "\n{name}:", ",\n "])
def test_a_series_with_endless_lists_of_dates_costs_only_itself(name: str, comma: str) -> None:
    dates = (f"2026{1 + i % 12:02d}{1 + i % 28:02d}T{i % 24:02d}{i % 60:02d}00Z" for i in range(60_000))
    listed = f"{name}:" + comma.format(name=name).join(dates)
    body = ics(
        f"UID:a\nSUMMARY:Endless\nDTSTART:20201203T180000Z\nRRULE:FREQ=DAILY\n{listed}",
        "UID:b\nSUMMARY:Hack night\nDTSTART:20261203T180000Z",
    )
    found = KINDS["ical"].parse(body, CONTEXT)
    assert [entry.title for entry in found.entries] == ["Hack night"]
    assert [one.detail for one in found.left_out] == ["events that list 30000 dates and more"], (
        "before it is read"
    )
    assert not found.whole, "what may be missing is not called off"
