"""The readers, on small feeds and calendars of our own: identity, dates, zones, series, and what is refused."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.app import use_packaged_zones
from digest.errors import ErrorKind, SourceError
from digest.model import Entry, EventStatus, Harvest, ItemKind, LeftOutWhy
from digest.sources import KINDS, ParseContext, sniff
from tests.http_kit import ics, post, rss

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
TORONTO = ZoneInfo("America/Toronto")


@pytest.fixture(autouse=True)
def packaged_zones() -> None:
    use_packaged_zones()


def read(
    kind: str, body: bytes, *, url: str = "https://blog.example.org/feed", language: str | None = None
) -> Harvest:
    context = ParseContext(
        url=url, now=NOW, horizon=NOW + timedelta(days=80), language=language, timezone="America/Toronto"
    )
    return KINDS[kind].parse(body, context)


def one(kind: str, body: bytes) -> Entry:
    (entry,) = read(kind, body).entries
    return entry


def refusal(kind: str, body: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(kind, body)
    return caught.value


# --- feeds


def test_a_post_is_read_with_everything_a_reader_would_notice() -> None:
    entry = one(
        "feed",
        rss(
            "<title>Service &amp;amp; design</title><link>/1?utm_source=rss</link>"
            "<guid isPermaLink='false'>x:1/2-long-enough</guid>"
            "<author>ana@example.org (Ana Tremblay)</author><category>design</category>"
            "<pubDate>Tue, 10 Nov 2026 10:00:00 NST</pubDate>"
            "<description>&lt;p&gt;We rebuilt the benefits form with the people who fill it in.&lt;/p&gt;"
            "&lt;script&gt;x&lt;/script&gt;</description>",
            head="<language>en-CA</language>",
        ),
    )
    assert entry.title == "Service & design"
    assert entry.url == "https://blog.example.org/1"
    assert entry.author == "Ana Tremblay"
    assert entry.language == "en"
    assert entry.tags == ("design",)
    assert entry.published == datetime(2026, 11, 10, 13, 30, tzinfo=UTC)
    assert entry.summary == "We rebuilt the benefits form with the people who fill it in."
    assert entry.html == "<p>We rebuilt the benefits form with the people who fill it in.</p>"
    assert entry.keys == ("guid:x:1/2-long-enough", "link:blog.example.org/1")


def test_the_same_post_has_the_same_hash_and_an_edit_another() -> None:
    first = one("feed", rss(post(1, date="Tue, 10 Nov 2026 10:00:00 GMT")))
    again = one(
        "feed", rss(post(1, date="Wed, 11 Nov 2026 10:00:00 GMT"), head="<lastBuildDate>now</lastBuildDate>")
    )
    edited = one("feed", rss(post(1, words="Corrected.")))
    assert first.content_hash == again.content_hash != edited.content_hash


def test_a_guid_that_two_posts_share_does_not_make_them_one() -> None:
    items = (
        "<title>a</title><guid>same</guid><link>https://x.example/a</link>",
        "<title>b</title><guid>same</guid><link>https://x.example/b</link>",
        "<title>c</title><guid>same</guid>",
    )
    entries = read("feed", rss(*items)).entries
    keys = [set(entry.keys) for entry in entries]
    assert len(entries) == 3
    assert not keys[0] & keys[1]
    assert not keys[1] & keys[2]


def test_a_link_that_every_post_shares_is_no_identity() -> None:
    entries = read(
        "feed",
        rss(
            "<title>a</title><link>https://x.example/news</link>",
            "<title>b</title><link>https://x.example/news</link>",
        ),
    ).entries
    assert not set(entries[0].keys) & set(entries[1].keys)


def test_short_guids_mean_something_only_beside_their_host() -> None:
    body = rss("<title>a</title><guid isPermaLink='false'>42</guid>")
    here = read("feed", body, url="https://a.example/feed").entries[0]
    there = read("feed", body, url="https://b.example/feed").entries[0]
    assert not set(here.keys) & set(there.keys)


def test_a_note_that_names_the_original_gives_its_link_as_a_key() -> None:
    words = "&lt;p&gt;&lt;em&gt;Originally published at &lt;/em&gt;&lt;a href=&quot;https://ana.example/form?utm_x=1&quot;&gt;ana.example&lt;/a&gt;&lt;/p&gt;"
    entry = one(
        "medium",
        rss(
            f"<title>x</title><guid>https://medium.com/p/0123456789ab</guid><description>{words}</description>"
        ),
    )
    assert entry.keys[:1] == ("medium:0123456789ab",)
    assert "link:ana.example/form" in entry.keys


def test_posts_without_title_and_link_are_still_told_apart() -> None:
    entries = read(
        "feed", rss("<description>One thing.</description>", "<description>Another.</description>")
    ).entries
    assert [entry.title for entry in entries] == ["One thing.", "Another."]
    assert entries[0].keys != entries[1].keys


def test_relative_links_and_pictures_become_absolute() -> None:
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://base.example/dir/'><entry><id>tag:x,2026:1</id>"
        b"<title>t</title><link href='post'/><updated>2026-11-10T10:00:00Z</updated>"
        b"<content type='html'>&lt;a href='other'&gt;o&lt;/a&gt;</content></entry></feed>"
    )
    entry = one("feed", body)
    assert entry.url == "https://base.example/dir/post"
    assert 'href="https://base.example/dir/other"' in entry.html


def test_a_feed_whose_dates_lie_ahead_is_a_feed_of_events() -> None:
    items = [post(number, date=f"Fri, {number} Dec 2026 19:00:00 EST") for number in (4, 11, 18)]
    entries = read("feed", rss(*items)).entries
    assert {entry.kind for entry in entries} == {ItemKind.EVENT}
    assert entries[0].occasion is not None
    assert entries[0].occasion.starts == datetime(2026, 12, 5, 0, 0, tzinfo=UTC)
    assert entries[0].published is None


def test_one_future_date_among_others_is_a_fault_and_not_an_event() -> None:
    entries = read("feed", rss(post(1), post(2), post(3, date="Fri, 11 Dec 2026 19:00:00 EST"))).entries
    assert {entry.kind for entry in entries} == {ItemKind.POST}


def test_json_feeds_are_read() -> None:
    body = (
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "T", "language": "fr-CA", "items": [{"id": 7, '
        b'"url": "https://x.example/7", "title": "Un &amp; deux", "content_html": "<p>Bonjour</p>", '
        b'"date_published": "2026-11-10T10:00:00-05:00", "authors": [{"name": "Zo\xc3\xab"}], "tags": ["a", 3]}, "junk"]}'
    )
    harvest = read("feed", body)
    (entry,) = harvest.entries
    assert (entry.title, entry.language, entry.author, entry.tags) == ("Un & deux", "fr", "Zoë", ("a",))
    assert entry.published == datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
    assert len(harvest.left_out) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ErrorKind.NOT_A_FEED), (b"   \n", ErrorKind.NOT_A_FEED), (b"hello", ErrorKind.NOT_A_FEED),
        (b"<html><body>x</body></html>", ErrorKind.NOT_A_FEED), (b'{"a": 1}', ErrorKind.NOT_A_FEED), (b'{"a": ',
        ErrorKind.PARSE),
        (b"<!DOCTYPE html><title>Just a moment...</title>", ErrorKind.CHALLENGE),
        (b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
         b"<rss version='2.0'><channel><title>&x;</title></channel></rss>", ErrorKind.PARSE),
        ("<!DOCTYPE r [<!ENTITY a 'b'>]><rss version='2.0'/>".encode("utf-16"), ErrorKind.PARSE),
        (ics("UID:1\nSUMMARY:x\nDTSTART:20261201T100000Z"), ErrorKind.NOT_A_FEED),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_refused_by_kind(body: bytes, kind: ErrorKind) -> None:
    assert refusal("feed", body).kind is kind
    assert refusal("medium", body).kind is kind


def test_references_to_characters_that_do_not_exist_cost_nothing() -> None:
    assert one("feed", rss("<title>a&#1114112;b&#xFFFFFFF;</title><guid>x</guid>")).title == "ab"


def test_the_newest_five_hundred_are_kept() -> None:
    assert len(read("feed", rss(*[post(number) for number in range(600)])).entries) == 500


def test_the_kind_of_an_answer_is_found_out() -> None:
    medium = rss("<title>x</title>", head="<generator>Medium</generator>")
    assert sniff(rss(post(1)), "https://x.example/") == "feed"
    assert sniff(rss(post(1)), "https://medium.com/feed/@ana") == "medium"
    assert sniff(medium, "https://own.example/feed") == "medium"
    assert sniff(b"\xef\xbb\xbf\n" + ics("UID:1\nDTSTART:20261201"), "https://x.example/") == "ical"
    assert sniff(b'{"version": "https://jsonfeed.org/version/1"}', "https://x.example/") == "feed"


# --- Medium


def medium(words: str, *, more: str = "") -> Entry:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;")
    return one(
        "medium",
        rss(
            f"<title>T</title><guid>https://medium.com/p/0123456789ab</guid>{more}<description>{escaped}</description>"
        ),
    )


@pytest.mark.parametrize(
    ("end", "is_told"),
    [
        ("Continue reading on Medium »", True),
        ("<em>This is a member-only story.</em>", True),
        ("The end.", False),
    ],
)
def test_a_post_of_which_members_alone_read_the_rest_says_so(end: str, is_told: bool) -> None:
    words = "We rebuilt the benefits form with the people who fill it in, and this is how it went. " * 8
    entry = one(
        "medium",
        rss(
            "<title>A post</title><guid isPermaLink='false'>https://medium.com/p/0123456789ab</guid>"
            f"<description>&lt;p&gt;{words}&lt;/p&gt;&lt;p&gt;{end.replace('<', '&lt;')}&lt;/p&gt;</description>"
        ),
    )
    assert ("member-only" in entry.flags, entry.is_full, entry.minutes is None) == (
        is_told,
        not is_told,
        is_told,
    )


def test_mediums_footer_and_pixel_go() -> None:
    entry = medium(
        "<h3>T</h3><p>Enough words to be the first paragraph of a post, which means more than sixty.</p>"
        "<img src='https://medium.com/_/stat?event=post' width='1' height='1'>"
        "<hr><p><a href='https://medium.com/c/t'>T</a> was originally published in <a href='https://medium.com/c'>Civic</a> "
        "on Medium, where people are continuing the conversation by highlighting and responding to this story.</p>"
    )
    assert "originally" not in entry.html
    assert "<img" not in entry.html
    assert entry.is_full


def test_a_teaser_is_not_taken_for_the_post() -> None:
    entry = medium(
        '<div class="medium-feed-item"><p class="medium-feed-snippet">A teaser of it.</p><p class="medium-feed-link">x</p></div>'
    )
    assert entry.html == "<p>A teaser of it.</p>"
    assert not entry.is_full
    assert "excerpt" in entry.flags


def test_a_reply_is_flagged_and_a_short_post_with_tags_is_not() -> None:
    assert "reply" in medium("<p>Thanks, I agree with all of this!</p>").flags
    assert "reply" not in medium("<p>Thanks!</p>", more="<category>design</category>").flags


# --- calendars


def event(lines: str, **head: str) -> Entry:
    return one("ical", ics(f"UID:a-long-uid@x.example\nSUMMARY:Talk\n{lines}", **head))


def starts(body: bytes) -> list[str]:
    entries = read("ical", body).entries
    return [f"{entry.occasion.starts.astimezone(TORONTO):%m-%d %H:%M}" for entry in entries if entry.occasion]


@pytest.mark.parametrize(
    ("line", "utc", "zone"),
    [
        ("DTSTART:20261201T150000Z", "2026-12-01 15:00", "America/Toronto"),
        ("DTSTART;TZID=America/Vancouver:20261201T100000", "2026-12-01 17:00", "America/Vancouver"),
        ("DTSTART;TZID=Eastern Standard Time:20261201T100000", "2026-12-01 15:00", "America/Toronto"),
        ("DTSTART;TZID=/vendor.example/20260101/America/Halifax:20261201T100000", "2026-12-01 14:00", "America/Halifax"),
        ("DTSTART;TZID=\"UTC-04:00\":20261201T100000", "2026-12-01 14:00", "America/Toronto"),
        ("DTSTART:20261201T100000", "2026-12-01 15:00", "America/Toronto"),
        ("DTSTART;VALUE=DATE:20261201", "2026-12-01 05:00", "America/Toronto"),
    ],
)  # fmt: skip
def test_times_are_read_in_their_own_zone(line: str, utc: str, zone: str) -> None:
    occasion = event(line).occasion
    assert occasion is not None
    assert f"{occasion.starts:%Y-%m-%d %H:%M}" == utc
    assert occasion.timezone == zone


def test_a_zone_that_nobody_knows_is_guessed_and_flagged() -> None:
    entry = event("DTSTART;TZID=Our Office:20261201T100000")
    assert entry.occasion is not None
    assert entry.occasion.starts == datetime(2026, 12, 1, 15, tzinfo=UTC)
    assert "zone-guessed" in entry.flags
    assert "zone-guessed" not in event("DTSTART:20261201T100000").flags


def test_an_all_day_event_ends_the_day_after_its_last() -> None:
    occasion = event("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203").occasion
    assert occasion is not None
    assert occasion.all_day
    assert occasion.ends == datetime(2026, 12, 3, 5, tzinfo=UTC)


def test_no_end_is_no_end_and_an_end_before_the_start_is_none() -> None:
    for more in ("", "DTEND:20261201T140000Z", "DTEND:20261201T150000Z"):
        occasion = event(f"DTSTART:20261201T150000Z\n{more}").occasion
        assert occasion is not None
        assert occasion.ends is None


def test_a_series_keeps_its_hour_when_the_clocks_change_and_skips_its_exceptions() -> None:
    body = ics(
        "UID:s@x.example\nSUMMARY:Weekly\nDTSTART;TZID=America/Toronto:20261013T180000\nRRULE:FREQ=WEEKLY;UNTIL=20261201T230000Z\n"
        "EXDATE;TZID=America/Toronto:20261110T180000",
        "UID:s@x.example\nSUMMARY:Moved\nRECURRENCE-ID;TZID=America/Toronto:20261117T180000\nDTSTART;TZID=America/Toronto:20261118T190000",
        "UID:s@x.example\nSUMMARY:Weekly\nRECURRENCE-ID;TZID=America/Toronto:20261124T180000\nSTATUS:CANCELLED\n"
        "DTSTART;TZID=America/Toronto:20261124T180000",
    )
    assert sorted(starts(body)) == [
        "10-13 18:00", "10-20 18:00", "10-27 18:00", "11-03 18:00", "11-18 19:00", "11-24 18:00", "12-01 18:00",
    ]  # fmt: skip
    by_title = {entry.occasion.starts.day: entry for entry in read("ical", body).entries if entry.occasion}
    assert by_title[24].occasion is not None
    assert by_title[24].occasion.status is EventStatus.CANCELLED
    assert by_title[19].title == "Moved"
    assert by_title[19].keys[0].endswith("/20261117")


def test_a_series_without_end_gives_at_most_fifty_dates_up_to_the_horizon() -> None:
    entries = read(
        "ical", ics("UID:d@x.example\nSUMMARY:Daily\nDTSTART:20200101T150000Z\nRRULE:FREQ=DAILY")
    ).entries
    assert len(entries) == 50
    assert min(entry.occasion.starts for entry in entries if entry.occasion) >= NOW - timedelta(days=1)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3,4",
     "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"],
)  # fmt: skip
def test_rules_that_would_expand_for_ever_are_refused_by_name(rule: str) -> None:
    bad = f"UID:b@x.example\nSUMMARY:Endless\nDTSTART:20150101T150000Z\nRRULE:{rule}"
    harvest = read("ical", ics(bad, "UID:g@x.example\nSUMMARY:Good\nDTSTART:20261201T150000Z"))
    assert [entry.title for entry in harvest.entries] == ["Good"]
    assert "Endless" in harvest.left_out[0].what
    assert refusal("ical", ics(bad)).kind is ErrorKind.PARSE


def test_a_broken_event_costs_only_itself() -> None:
    body = ics(
        "UID:1@x.example\nSUMMARY:First\nDTSTART:20261201T150000Z",
        "UID:2@x.example\nSUMMARY:Broken\nDTSTART:20269999T150000Z",
        "UID:3@x.example\nSUMMARY:Third\nX\nDURATION:P15M\nDTSTART:20261202T150000Z",
    )
    harvest = read("ical", body)
    assert [entry.title for entry in harvest.entries] == ["First", "Third"]
    assert "Broken" in harvest.left_out[0].what


def test_lines_that_stand_there_twice_count_once() -> None:
    twice = (
        "UID:1@x.example\nDTSTART:20261201T150000Z\nDTSTART:20261202T150000Z\nDTEND:20261201T160000Z\nDTEND:20261201T170000Z\n"
        "RECURRENCE-ID:20261201T150000Z\nRECURRENCE-ID:20261203T150000Z"
    )
    assert starts(ics(twice)) == ["12-01 10:00"]


def test_time_zone_rules_that_cannot_be_read_do_not_cost_the_events() -> None:
    head = (
        "BEGIN:VTIMEZONE\nTZID:America/Toronto\nTZID:America/Toronto\nBEGIN:STANDARD\n"
        "TZOFFSETTO:+5744\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    assert starts(ics("UID:1@x.example\nDTSTART;TZID=America/Toronto:20261201T150000", head=head)) == [
        "12-01 15:00"
    ]


def test_a_zone_that_one_calendar_defines_is_not_lent_to_the_next() -> None:
    head = (
        "BEGIN:VTIMEZONE\nTZID:{}\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    for name in ("Our Office", "Eastern Standard Time"):
        event(f"DTSTART;TZID={name}:20261201T100000", head=head.format(name))
        entry = event(f"DTSTART;TZID={name}:20261201T100000")
        assert entry.occasion is not None
        assert entry.occasion.starts == datetime(2026, 12, 1, 15, tzinfo=UTC)


def test_a_zone_of_the_file_alone_is_followed_and_flagged() -> None:
    head = (
        "BEGIN:VTIMEZONE\nTZID:Our Office\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0800\nTZOFFSETTO:-0800\n"
        "END:STANDARD\nEND:VTIMEZONE\n"
    )
    entry = event("DTSTART;TZID=Our Office:20261201T100000", head=head)
    assert entry.occasion is not None
    assert entry.occasion.starts == datetime(2026, 12, 1, 18, tzinfo=UTC)
    assert "zone-guessed" in entry.flags


def test_a_stale_zone_inside_the_file_gives_way_to_the_packaged_one() -> None:
    head = (
        "BEGIN:VTIMEZONE\nTZID:America/Vancouver\nBEGIN:STANDARD\nDTSTART:20071104T020000\nTZOFFSETFROM:-0700\n"
        "TZOFFSETTO:-0800\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    entry = event("DTSTART;TZID=America/Vancouver:20261201T100000", head=head)
    assert entry.occasion is not None
    assert entry.occasion.starts == datetime(2026, 12, 1, 17, tzinfo=UTC)


def test_online_meetings_are_seen_in_place_and_words() -> None:
    place = event("DTSTART:20261201T150000Z\nLOCATION:https://us02web.zoom.us/j/123").occasion
    words = event(
        "DTSTART:20261201T150000Z\nLOCATION:Online\nDESCRIPTION:Join at https://meet.google.com/abc-defg now"
    ).occasion
    room = event("DTSTART:20261201T150000Z\nLOCATION:City Hall").occasion
    assert place is not None
    assert (place.online, place.place) == ("https://us02web.zoom.us/j/123", None)
    assert words is not None
    assert (words.online, words.place) == ("https://meet.google.com/abc-defg", None)
    assert room is not None
    assert (room.online, room.place) == (None, "City Hall")


@pytest.mark.parametrize("title", ["Talk (Cancelled)", "CANCELED: Talk", "ANNULÉ : Causerie"])
def test_a_cancellation_that_only_the_title_tells_is_heard(title: str) -> None:
    entry = one("ical", ics(f"UID:1@x.example\nSUMMARY:{title}\nDTSTART:20261201T150000Z"))
    assert entry.occasion is not None
    assert entry.occasion.status is EventStatus.CANCELLED


def test_organizers_give_a_name_and_never_an_address() -> None:
    entry = event("DTSTART:20261201T150000Z\nORGANIZER;CN=Civic Tech:mailto:ana@example.org")
    assert entry.author == "Civic Tech"
    assert (
        event("DTSTART:20261201T150000Z\nORGANIZER;CN=ana@example.org:mailto:ana@example.org").author is None
    )


PIECES = [
    b"<rss version='2.0'>", b"<channel>", b"<item>", b"</item>", b"<title>", b"</title>", b"&#1114112;", b"&lt;",
    b"<![CDATA[", b"]]>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"<entry>", b"<pubDate>Tue, 99 Nov 2026</pubDate>", b"<guid>",
    b"\x00", b"\xff\xfe",
    b"BEGIN:VCALENDAR\n", b"BEGIN:VEVENT\n", b"DTSTART:20261201T150000Z\n", b"DTSTART;VALUE=DATE:20261201\n",
    b"DTSTART;TZID=X:20261201T1\n",
    b"RRULE:FREQ=WEEKLY\n", b"RRULE:FREQ=MONTHLY;BYDAY=9XX\n", b"EXDATE:\n", b"RECURRENCE-ID:20261208\n", b"UID:1\n",
    b"END:VEVENT\n",
    b"END:VCALENDAR\n", b"RDATE;VALUE=PERIOD:20261201T150000Z/PT1H\n", b"DURATION:-P1W\n", b"SEQUENCE:x\n",
    b'{"version": "https://jsonfeed.org/version/1",',
    b'"items": [', b'{"id": 1}', b"]}", b"<html>", b"<script type=application/ld+json>",
    b"[{\"@type\": \"Event\", \"startDate\": ", b"\"2026-12-01T10:00\"}]",
    b"<p itemscope itemtype=x/Event>", b"<?xml version='1.0' encoding='utf-7'?>",
]  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=5000)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=25), st.sampled_from(sorted(KINDS)))
def test_no_bytes_break_a_reader(pieces: list[bytes], kind: str) -> None:
    with suppress(SourceError):
        read(kind, b"".join(pieces))


# --- pages of events


def page(*blocks: str) -> bytes:
    scripts = "".join(f'<script type="application/ld+json">{block}</script>' for block in blocks)
    return f"<!DOCTYPE html><html><head><title>Events</title>{scripts}</head><body></body></html>".encode()


def test_events_of_a_page_are_found_wherever_they_are_nested() -> None:
    body = page(
        '{"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, {"@type": ["Thing", "MusicEvent"], '
        '"name": "A &amp; B", '
        '"startDate": "2026-12-01T19:00:00-05:00", "endDate": "2026-12-01T21:00:00-05:00", "url": "/e/12345?utm_source=x", '
        '"location": {"@type": "Place", "name": "Library", '
        '"address": {"streetAddress": "1 Main St", "addressLocality": "Ottawa"}}}]}',
        '[{"@type": "http://schema.org/Event", "name": "Soirée", "startDate": "2026-12-02", "endDate": "2026-12-03",}]',
        "{ this is no JSON",
        "",
    )
    harvest = read("event-page", body)
    first, second = harvest.entries
    assert (first.title, first.url) == ("A & B", "https://blog.example.org/e/12345")
    assert first.occasion is not None
    assert first.occasion.starts == datetime(2026, 12, 2, 0, 0, tzinfo=UTC)
    assert first.occasion.place == "Library, 1 Main St, Ottawa"
    assert second.occasion is not None
    assert second.occasion.all_day
    assert second.occasion.ends == datetime(2026, 12, 4, 5, 0, tzinfo=UTC)
    assert [str(one) for one in harvest.left_out] == ["'JSON-LD': 1 blocks of it are broken"]
    assert harvest.left_out[0].why is LeftOutWhy.BLOCK, "no number of an entry is told"


def test_the_language_of_a_page_is_that_of_its_events_unless_somebody_says_better() -> None:
    event = (
        '<script type="application/ld+json">{"@type": "Event", "name": "Demo", '
        '"startDate": "2026-12-01T19:00:00-05:00"%s}</script>'
    )
    events = event % "" + event % ', "inLanguage": "fr"'
    page = f'<!doctype html><html class="x" lang="en-CA"><body>{events}</body></html>'.encode()
    harvest = read("event-page", page)
    assert harvest.language == "en"
    assert [one.language for one in harvest.entries] == ["en", "fr"]
    assert read("event-page", page, language="es").entries[0].language == "es", "a setting of the source"


@pytest.mark.parametrize(
    ("more", "status", "online", "place"),
    [
        ("", EventStatus.CONFIRMED, None, "Library"),
        ('"eventStatus": "https://schema.org/EventCancelled"', EventStatus.CANCELLED, None, "Library"),
        ('"eventStatus": "EventPostponed"', EventStatus.POSTPONED, None, "Library"),
        ('"eventStatus": "https://schema.org/EventRescheduled"', EventStatus.RESCHEDULED, None, "Library"),
        ('"eventStatus": "https://schema.org/EventMovedOnline"', EventStatus.CONFIRMED, "", None),
        ('"eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode"', EventStatus.CONFIRMED, "", None),
        ('"eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode"', EventStatus.CONFIRMED, "", "Library"),
        ('"location": [{"@type": "VirtualLocation", "url": "https://zoom.us/j/1"}, {"@type": "Place", "name": "Library"}]',
         EventStatus.CONFIRMED, "https://zoom.us/j/1", "Library"),
        ('"location": "https://zoom.us/j/1"', EventStatus.CONFIRMED, "https://zoom.us/j/1", None),
    ],
)  # fmt: skip
def test_what_a_page_says_of_status_and_attendance_is_heard(
    more: str, status: EventStatus, online: str | None, place: str | None
) -> None:
    start = '{"@type": "Event", "name": "Talk", "startDate": "2026-12-01T19:00:00-05:00", "location": {"name": "Library"}'
    occasion = one("event-page", page(start + (f", {more}" if more else "") + "}")).occasion
    assert occasion is not None
    assert (occasion.status, occasion.online, occasion.place) == (status, online, place)


def test_microdata_is_read_when_there_is_no_json() -> None:
    body = (
        b"<!DOCTYPE html><div itemscope itemtype='https://schema.org/Event'>"
        b"<a itemprop=url href='/e/1'><b itemprop=name>Talk</b></a>"
        b"<meta itemprop=startDate content='2026-12-01T19:00'>"
        b"<span itemprop=location itemscope itemtype='https://schema.org/Place'>"
        b"<span itemprop=name>Library</span></span></div>"
    )
    assert sniff(body, "https://x.example/") == "event-page"
    entry = one("event-page", body)
    assert (entry.title, entry.url) == ("Talk", "https://blog.example.org/e/1")
    assert entry.occasion is not None
    assert (entry.occasion.place, entry.flags) == ("Library", ("zone-guessed",))


def test_evening_hours_written_as_utc_ask_for_a_look() -> None:
    assert (
        "check-zone"
        in one(
            "event-page", page('{"@type": "Event", "name": "x", "startDate": "2026-12-01T19:00:00+00:00"}')
        ).flags
    )


def test_the_zone_of_a_page_is_one_whose_clock_agrees_with_it() -> None:
    occasion = one(
        "event-page", page('{"@type": "Event", "name": "x", "startDate": "2026-12-01T19:00:00-07:00"}')
    ).occasion
    assert occasion is not None
    assert occasion.timezone == "America/Vancouver"
    assert occasion.starts == datetime(2026, 12, 2, 2, 0, tzinfo=UTC)


def test_a_page_without_events_is_a_page() -> None:
    assert refusal("event-page", b"<!DOCTYPE html><p>Hello</p>").kind is ErrorKind.NOT_A_FEED
    assert (
        refusal("event-page", page('{"@type": "Event", "name": "x", "startDate": "soon"}')).kind
        is ErrorKind.PARSE
    )


@pytest.mark.parametrize("kind", ["feed", "medium", "ical", "event-page"])
@pytest.mark.parametrize(
    "spelling", ["{path}", "file://{path}", '<!DOCTYPE rss SYSTEM "file://{path}"><rss version="2.0"/>']
)
def test_an_answer_that_names_a_file_opens_no_file(tmp_path: Path, kind: str, spelling: str) -> None:
    """F4 of the guide: feedparser, given a text, would open the file of that name."""
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss(post(1, title="Not for you")))
    try:
        found = str(read(kind, spelling.format(path=secret).encode()))
    except SourceError as error:
        found = str(error)
    assert "Not for you" not in found


def test_what_markup_leaves_of_a_name_keeps_no_open_bracket() -> None:
    body = rss(post(1) + "<author>&quot;&amp;lt;b&amp;gt;&quot; (Eve &amp;lt;script&amp;gt;)</author>")
    author = read("feed", body).entries[0].author or ""
    assert "Eve" in author
    assert not set(author) & set('()"')
