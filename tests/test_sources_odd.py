"""What feeds, calendars and pages of the wild get wrong: read to the right words and hour. Each case was once our fault."""

import json
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest

from digest.model import Entry, EventStatus
from digest.rules.cleaning import safe_html
from digest.rules.dates import read_date
from digest.rules.text import bare_words, language_of
from digest.sources import KINDS, ParseContext
from tests.http_kit import ics, rss

zoneinfo.reset_tzpath(to=())  # as the program does: the system may not know what changed in 2026
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
WEEKLY = "UID:a\nSUMMARY:Night\nDTSTART;TZID=America/Toronto:20261201T190000\nRRULE:FREQ=DAILY;COUNT=4\n"


def read(kind: str, body: bytes, *, timezone: str = "America/Toronto") -> list[Entry]:
    context = ParseContext(
        url="https://site.example.org/x",
        now=NOW,
        horizon=NOW + timedelta(days=120),
        timezone=timezone,
        headers={},
    )
    return list(KINDS[kind].parse(body, context).entries)


def entry(kind: str, body: bytes, *, timezone: str = "America/Toronto") -> Entry:
    (one,) = read(kind, body, timezone=timezone)
    return one


def of_feed(inside: str) -> Entry:
    return entry("feed", rss(f"<title>A</title><link>https://x.example/a</link>{inside}"))


def of_page(*blocks: str) -> list[Entry]:
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return read("event-page", f"<!doctype html><html><head>{scripts}</head></html>".encode())


def starts(entries: list[Entry]) -> list[str]:
    return [f"{one.occasion.starts:%m-%dT%H:%M}" for one in entries if one.occasion]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("Thu, 12 Nov 2026 12:00:00 America/Toronto", datetime(2026, 11, 12, 17, tzinfo=UTC)),
        ("12 Nov 2026 12:00 pm", datetime(2026, 11, 12, 17, tzinfo=UTC)),
        ("2026-11-12T12:00Z[America/Toronto]", datetime(2026, 11, 12, 12, tzinfo=UTC)),
        ("2026-11-12T12:00:00-05:00[America/Toronto]", datetime(2026, 11, 12, 17, tzinfo=UTC)),
    ],
)
def test_a_zone_is_read_as_a_zone_and_not_as_a_half_of_the_day(written: str, instant: datetime) -> None:
    found = read_date(written, timezone="America/Toronto")
    assert found is not None
    assert found.at == instant


@pytest.mark.parametrize(
    ("words", "language"), [("R&D 2026", None), ("Section C", None), ("Bo's", None), ("L’été", "fr"), ("l’avenir, d'abord", "fr")]
)  # fmt: skip
def test_a_single_letter_is_french_only_before_its_apostrophe(words: str, language: str | None) -> None:
    assert language_of(words) == language


@pytest.mark.parametrize(
    ("inside", "author"),
    [
        ("<author>jane@x.photography (Jane Doe)</author>", "Jane Doe"),
        ("<author>jane@x.photography</author>", None),
        ("<dc:creator>Jane</dc:creator><dc:creator>Bo</dc:creator>", "Jane, Bo"),
    ],
)
def test_authors_are_all_named_and_none_by_an_address(inside: str, author: str | None) -> None:
    body = rss(f"<title>A</title><link>https://x.example/a</link>{inside}")
    spaced = body.replace(b"<rss ", b'<rss xmlns:dc="http://purl.org/dc/elements/1.1/" ', 1)
    assert entry("feed", spaced).author == author


def test_words_that_were_escaped_once_too_often_are_words_again() -> None:
    twice = "&amp;lt;p&amp;gt;Hello&amp;lt;/p&amp;gt;"
    assert of_feed(f"<description>{twice}</description>").html == "<p>Hello</p>"
    assert "&lt;p&gt;" in of_feed("<description>How the &amp;lt;p&amp;gt; tag came to be</description>").html


def test_what_may_deceive_in_a_title_goes_and_leaves_a_flag() -> None:
    (odd,) = read("feed", rss("<title>Invoice \u202egpj.exe</title><link>https://x.example/a</link>"))
    assert (odd.title, odd.flags) == ("Invoice gpj.exe", ("odd-characters", "undated"))
    event = entry("ical", ics("UID:a\nSUMMARY:Talk \u202eklat\nDTSTART:20261201T190000Z"))
    assert "odd-characters" in event.flags


def test_a_dtd_that_nobody_fetches_costs_no_letter() -> None:
    body = (
        b'<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        b'"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel><title>T</title><item>'
        b"<title>L&eacute;a &agrave; Qu&eacute;bec</title><link>http://x.example/1</link></item></channel></rss>"
    )
    assert entry("feed", body).title == "Léa à Québec"


def test_the_page_behind_a_counting_link_is_the_link() -> None:
    body = rss(
        "<title>A</title><link>https://feeds.example/~r/1</link><f:origLink>https://x.example/real</f:origLink>"
    )
    spaced = body.replace(b"<rss ", b'<rss xmlns:f="http://rssnamespace.org/feedburner/ext/1.0" ', 1)
    assert entry("feed", spaced).url == "https://x.example/real"


def test_an_entry_that_holds_nothing_is_no_item() -> None:
    assert [one.title for one in read("feed", rss("<title>A</title>", "<title> </title>"))] == ["A"]


@pytest.mark.parametrize("fold", [b"\r\n ", b"\n\t"])
def test_a_line_that_is_folded_in_the_middle_of_a_letter_is_put_together(fold: bytes) -> None:
    whole = ics("UID:a\nSUMMARY:Réunion\nDTSTART:20261201T190000Z")
    first, second = whole.split("é".encode())
    assert entry("ical", first + b"\xc3" + fold + b"\xa9" + second).title == "Réunion"


def test_a_day_that_is_left_out_of_a_series_with_an_hour_is_that_date_alone() -> None:
    days = starts(read("ical", ics(f"{WEEKLY}EXDATE;VALUE=DATE:20261202")))
    assert days == ["12-02T00:00", "12-04T00:00", "12-05T00:00"]


def test_a_date_of_a_series_that_is_named_by_its_day_is_moved_and_not_doubled() -> None:
    moved = "UID:a\nSUMMARY:Moved\nRECURRENCE-ID;VALUE=DATE:20261202\nDTSTART;TZID=America/Toronto:20261210T190000"
    days = starts(read("ical", ics(WEEKLY, moved)))
    assert sorted(days) == ["12-02T00:00", "12-04T00:00", "12-05T00:00", "12-11T00:00"]


@pytest.mark.parametrize(
    "tzid", ["america/toronto", '"(UTC-05:00) Eastern Time (US & Canada)"', "Eastern Daylight Time"]
)
def test_a_zone_is_known_by_the_names_that_programs_show(tzid: str) -> None:
    body = ics(f"UID:a\nSUMMARY:Talk\nDTSTART;TZID={tzid}:20261201T190000")
    event = entry("ical", body, timezone="America/Halifax")
    assert event.occasion is not None
    assert event.occasion.starts == datetime(2026, 12, 2, tzinfo=UTC)
    assert event.occasion.timezone == "America/Toronto"
    assert "zone-guessed" not in event.flags, "Toronto and New York have one clock"


@pytest.mark.parametrize(
    "block",
    [
        '/* by hand */ {"@type": "Event",\n// the name\n"name": "Talk", "startDate": "2026-12-01T19:00:00-05:00"}',
        '{"@type": "WebPage"}{"@type": "Event", "name": "Talk", "startDate": "2026-12-01T19:00:00-05:00",}',
        r'{"@type": "Event", "name": "Talk", "description": "It\'s C:\\new", "startDate": "2026-12-01T19:00:00-05:00"}',
        '<!-- {"@type": "Event", "name": "Talk", "startDate": "2026-12-01T19:00:00-05:00"} -->',
    ],
)
def test_json_that_pages_break_is_mended(block: str) -> None:
    (event,) = of_page(block)
    assert (event.title, starts([event])) == ("Talk", ["12-02T00:00"])


@pytest.mark.parametrize(
    ("said", "status", "online"),
    [
        ('"schema:EventPostponed"', EventStatus.POSTPONED, None),
        ('"http://schema.org/EventCancelled/"', EventStatus.CANCELLED, None),
        ('["https://schema.org/EventRescheduled", "https://schema.org/EventMovedOnline"]', EventStatus.RESCHEDULED, ""),
    ],
)  # fmt: skip
def test_what_became_of_an_event_is_read_in_every_spelling(
    said: str, status: EventStatus, online: str | None
) -> None:
    (event,) = of_page(
        f'{{"@type": "Event", "name": "T", "startDate": "2026-12-01T19:00-05:00", "eventStatus": {said}}}'
    )
    assert event.occasion is not None
    assert (event.occasion.status, event.occasion.online) == (status, online)


def test_a_room_and_an_address_on_the_web_are_two_ways_to_come() -> None:
    (event,) = of_page("""{"@type": "Event", "name": "T", "startDate": "2026-12-01T19:00-05:00",
        "location": ["https://zoom.us/j/55", {"@type": "Place", "name": "Hall"}]}""")
    assert event.occasion is not None
    assert (event.occasion.place, event.occasion.online) == ("Hall", "https://zoom.us/j/55")


@pytest.mark.parametrize(("encoding", "declared"), [("cp1252", ""), ("latin-1", "<meta charset=iso-8859-1>")])
def test_a_page_that_is_not_in_utf_8_keeps_its_letters(encoding: str, declared: str) -> None:
    block = '{"@type": "Event", "name": "Été à Québec", "startDate": "2026-12-01T19:00-05:00"}'
    page = f'<!doctype html><html><head>{declared}<script type="application/ld+json">{block}</script></head></html>'
    assert entry("event-page", page.encode(encoding)).title == "Été à Québec"


@pytest.mark.parametrize(
    ("place", "offset", "zone"),
    [
        ("Edmonton", "-06:00", "America/Edmonton"),
        ("Hall, Saskatoon, SK", "-06:00", "America/Regina"),
        ("", "-06:00", "America/Edmonton"),
        ("Winnipeg", "-05:00", "America/Winnipeg"),
        ("Toronto", "-05:00", "America/Toronto"),
        ("Calgary", "-05:00", "America/Edmonton"),  # whatever clock wrote it down
    ],
)
def test_an_hour_of_a_page_is_in_the_zone_of_its_place(place: str, offset: str, zone: str) -> None:
    (one,) = of_page(
        json.dumps(
            {"@type": "Event", "name": "A", "startDate": f"2026-12-03T18:00:00{offset}", "location": place}
        )
    )
    assert one.occasion is not None
    assert one.occasion.timezone == zone


@pytest.mark.parametrize(
    ("said", "author"),
    [("admin", None), ("null", None), ("By Jane Doe", "Jane Doe"), ("par Zoé Roy", "Zoé Roy"), ("Byron Lee", "Byron Lee"),
        ("@jane", "jane"), ("Jane Doe (she/her)", "Jane Doe (she/her)"),
        ("noreply@blogger.com (Unknown)", None), ("(Jane Doe)", "Jane Doe")],
)  # fmt: skip
@pytest.mark.parametrize("declared", ["", "<!DOCTYPE rss>"])  # the swift way and feedparser's
def test_an_author_is_named_as_the_feed_does_and_nobody_is_called_unknown(
    said: str, author: str | None, declared: str
) -> None:
    body = rss(f"<title>A</title><link>https://x.example/a</link><author>{said}</author>")
    assert entry("feed", body.replace(b"<rss ", declared.encode() + b"<rss ", 1)).author == author


@pytest.mark.parametrize("declared", ["", "<!DOCTYPE rss>"])
@pytest.mark.parametrize(
    ("kind", "url"), [("audio/mpeg", "https://cast.example.org/7.mp3"), ("image/png", None)]
)
def test_an_episode_without_a_page_leads_to_what_there_is_to_hear(
    declared: str, kind: str, url: str | None
) -> None:
    enclosure = f'<enclosure url="https://cast.example.org/7.mp3" length="1" type="{kind}"/>'
    body = rss(f"<title>A</title><guid isPermaLink='false'>e-7</guid>{enclosure}")
    assert entry("feed", body.replace(b"<rss ", declared.encode() + b"<rss ", 1)).url == url


def test_what_is_nested_beyond_sense_is_words_and_takes_no_square_of_time() -> None:
    deep = f"{'<div><b>' * 15_000}Words{'</b></div>' * 15_000} and more"
    shallow = safe_html(deep)
    assert shallow.count("<b>") <= 200
    assert bare_words(shallow) == "Words and more"
    whole = "<ul>" + "<li><p>one <b>two</b><br/>three</p>" * 2_000 + "</ul>"
    assert safe_html(whole).count("<b>two</b>") == 2_000


def test_a_footer_of_medium_goes_with_its_rule_and_nothing_before_it() -> None:
    link = '<a href="https://x.example">P</a>'
    footer = f"<hr><p>{link} was originally published in {link} on Medium.</p>"
    words = "<p>The book was originally published in 1962.</p><hr><p>It is long.</p>"
    item = f"<title>T</title><guid>https://medium.com/p/0123456789ab</guid><description><![CDATA[{words}{footer}\n]]></description>"
    assert entry("medium", rss(item)).html == words
    many = "<p>was originally published in" * 20_000
    assert "published in" in entry("medium", rss(item.replace(words + footer, many))).html


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("How a cancelled project taught us", "confirmed"),
        ("Why was it cancelled?", "confirmed"),
        ("Ce que des projets annulés nous apprennent", "confirmed"),
        ("Cancelled: Hack night", "cancelled"),
        ("CANCELLED Hack night", "cancelled"),
        ("Hack night - cancelled due to snow", "cancelled"),
        ("Hack night is cancelled", "cancelled"),
        ("Soirée (annulée, neige)", "cancelled"),
        ("Soirée annulée !", "cancelled"),
        ("REPORTÉ – Atelier sur les données", "postponed"),
        ("Reportée : Soirée", "postponed"),
        ("[REPORTÉ] Atelier", "postponed"),
        ("Atelier (reporté)", "postponed"),
        ("Atelier reporté au 3 mai", "postponed"),
        ("POSTPONED: Hack night", "postponed"),
        ("Ce que les élus ont reporté sur les citoyens", "confirmed"),
        ("Reported crime data, opened", "confirmed"),
    ],
)
def test_a_title_calls_an_event_off_by_a_mark_and_not_by_a_word(title: str, status: str) -> None:
    (one,) = read("ical", ics(f"UID:a\nSUMMARY:{title}\nDTSTART;TZID=America/Toronto:20261201T190000"))
    assert one.occasion is not None
    assert one.occasion.status.value == status


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("Microsoft Teams Meeting", None),
        ("Réunion Microsoft Teams", None),
        ("Zoom", None),
        ("Microsoft Teams Meeting; Boardroom 4", "Boardroom 4"),
    ],
)
def test_a_program_is_no_place(written: str, place: str | None) -> None:
    (one,) = read(
        "ical", ics(f"UID:a\nSUMMARY:A\nDTSTART;TZID=America/Toronto:20261201T190000\nLOCATION:{written}")
    )
    assert one.occasion is not None
    assert (one.occasion.place, one.occasion.online) == (place, "")


@pytest.mark.parametrize("written", ["Zoom Torino Cafe", "Teamsters Hall, Winnipeg"])
def test_a_place_that_is_named_like_a_program_is_one(written: str) -> None:
    (one,) = read(
        "ical", ics(f"UID:a\nSUMMARY:A\nDTSTART;TZID=America/Toronto:20261201T190000\nLOCATION:{written}")
    )
    assert one.occasion is not None
    assert one.occasion.place == written


def test_an_event_without_a_title_is_called_after_its_page_or_calendar_and_never_by_an_address() -> None:
    event = (
        '{"@type": "Event", "startDate": "2026-12-01T18:00:00-05:00", "url": "https://x.example/e/1234"%s}'
    )
    page = '<!doctype html><html><head><title>Hack night | Civic Tech</title><script type="application/ld+json">%s</script>'
    (bare,) = read("event-page", (page % event % "").encode())
    (told,) = read("event-page", (page % event % ', "description": "We meet at city hall."').encode())
    assert (bare.title, told.title) == ("Hack night | Civic Tech", "We meet at city hall.")
    inside = "UID:a\nURL:https://x.example/e/1\nDTSTART:20261201T230000Z\nLOCATION:City Hall"
    assert entry("ical", ics(inside, head="X-WR-CALNAME:Civic Tech Ottawa\n")).title == "Civic Tech Ottawa"
    assert entry("ical", ics(inside)).title == "City Hall"
    assert entry("ical", ics(inside.replace("\nLOCATION:City Hall", ""))).title == ""


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('<title type="text">Using &lt;details&gt; in HTML</title>', "Using <details> in HTML"),
        ("<title>Using &lt;details&gt; in HTML</title>", "Using <details> in HTML"),
        ("<title>When a &lt; b &amp; c &gt; d</title>", "When a < b & c > d"),
        ("<title>&lt;script&gt; considered harmful</title>", "<script> considered harmful"),
        ('<title type="text">Nvidia&amp;#8217;s R&amp;amp;D</title>', "Nvidia\u2019s R&D"),
        ("<title>&lt;em&gt;Blue Jasmine&lt;/em&gt; is here</title>", "Blue Jasmine is here"),
        ('<title type="html">A &amp;lt;b&amp;gt; tag</title>', "A <b> tag"),
        ('<title type="html">&amp;lt;em&amp;gt;Twice&amp;lt;/em&amp;gt;</title>', "Twice"),
        ('<title type="html">Using &lt;b&gt;tags&lt;/b&gt;</title>', "Using tags"),
        ('<title type="html">Using &amp;lt;details&amp;gt; in HTML</title>', "Using <details> in HTML"),
    ],
)
@pytest.mark.parametrize("is_plain", [True, False], ids=["swift", "feedparser"])
def test_a_title_that_atom_calls_text_means_what_it_says(written: str, said: str, *, is_plain: bool) -> None:
    head = '<feed xmlns="http://www.w3.org/2005/Atom"><title>A &lt;b&gt; c</title>' + (
        "" if is_plain else "<logo xml:base='/x'/>"
    )
    (one,) = read(
        "feed",
        f"{head}<entry>{written}<id>urn:x:1</id><updated>2026-11-10T10:00:00Z</updated></entry></feed>".encode(),
    )
    assert one.title == said
