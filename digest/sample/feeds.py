"""Sample posts and events dressed as the outside writes them. Values in, bytes out."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from html import escape

from digest.sample.month import Publication, SampleEvent, SamplePost


def medium(publication: Publication, posts: Sequence[SamplePost], *, site: str, now: datetime) -> bytes:
    """RSS 2.0 as Medium serves it: post ids in the guid, links with ?source=, a counting pixel, lastBuildDate of now."""
    slug = publication.path.rpartition("/")[2]
    channel = sha256(slug.encode()).hexdigest()[:12]
    home = f"{site}/{slug}?source=rss----{channel}---4"
    items = "".join(_medium_item(post, publication, link=f"{post_link(post, site=site)}?source=rss----{channel}---4")
                    for post in posts)  # fmt: skip
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom" version="2.0" \
xmlns:cc="http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html">
    <channel>
        <title><![CDATA[{publication.name} - Medium]]></title>
        <description><![CDATA[{publication.about} - Medium]]></description>
        <link>{home}</link>
        <generator>Medium</generator>
        <lastBuildDate>{_rfc822(now)}</lastBuildDate>
        <atom:link href="{site}{publication.path}" rel="self" type="application/rss+xml"/>
        <webMaster><![CDATA[yourfriends@medium.com]]></webMaster>
        <atom:link href="http://medium.superfeedr.com" rel="hub"/>
{items}    </channel>
</rss>
""".encode()


def _medium_item(post: SamplePost, publication: Publication, *, link: str) -> str:
    tags = "".join(f"            <category><![CDATA[{tag}]]></category>\n" for tag in post.tags)
    foot = (f'<hr><p><a href="{link}">{escape(post.title)}</a> was originally published in '
            f"<a>{publication.name}</a> on Medium, where people are continuing the conversation by highlighting "
            f"and responding to this story.</p>")  # fmt: skip
    pixel = (f'<img src="https://medium.com/_/stat?event=post.clientViewed&referrerSource=full_rss&postId={post.hex}" '
             f'width="1" height="1" alt="">')  # fmt: skip
    moment = post.published.astimezone(UTC)
    return f"""        <item>
            <title><![CDATA[{post.title}]]></title>
            <link>{link}</link>
            <guid isPermaLink="false">https://medium.com/p/{post.hex}</guid>
{tags}            <dc:creator><![CDATA[{post.author}]]></dc:creator>
            <pubDate>{_rfc822(moment)}</pubDate>
            <atom:updated>{moment:%Y-%m-%dT%H:%M:%S}.000Z</atom:updated>
            <content:encoded><![CDATA[{post_html(post)}{foot}{pixel}]]></content:encoded>
        </item>
"""


def atom(publication: Publication, posts: Sequence[SamplePost], *, site: str) -> bytes:
    """RFC 4287, with xml:lang."""
    entries = "".join(
        f"""  <entry>
    <id>tag:example.org,2024:{publication.key}/{post.id}</id>
    <title>{escape(post.title)}</title>
    <link rel="alternate" type="text/html" href="{post_link(post, site=site)}"/>
    <published>{post.published.astimezone(UTC).isoformat()}</published>
    <updated>{post.published.astimezone(UTC).isoformat()}</updated>
    <author><name>{escape(post.author)}</name></author>
    <content type="html">{escape(post_html(post))}</content>
  </entry>
"""
        for post in posts
    )
    updated = max((post.published for post in posts), default=datetime(2024, 1, 1, tzinfo=UTC))
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{publication.language}">
  <id>tag:example.org,2024:{publication.key}</id>
  <title>{escape(publication.name)}</title>
  <subtitle>{escape(publication.about)}</subtitle>
  <link rel="self" href="{site}{publication.path}"/>
  <updated>{updated.astimezone(UTC).isoformat()}</updated>
{entries}</feed>
""".encode()


def json_feed(publication: Publication, posts: Sequence[SamplePost], *, site: str) -> bytes:
    """JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": publication.name,
        "description": publication.about,
        "language": publication.language,
        "feed_url": f"{site}{publication.path}",
        "items": [
            {
                "id": f"tag:example.org,2024:{publication.key}/{post.id}",
                "url": post_link(post, site=site),
                "title": post.title,
                "content_html": post_html(post),
                "date_published": post.published.astimezone(UTC).isoformat(),
                "authors": [{"name": post.author}],
                "tags": list(post.tags),
                "language": post.language,
            }
            for post in posts
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def ical(events: Iterable[SampleEvent], *, site: str, stamp: datetime) -> bytes:
    """RFC 5545: CRLF, folded at 75 octets, TZID by IANA name."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//example.org//Sample civic calendar//EN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Civic calendar",
        "X-WR-TIMEZONE:America/Toronto",
    ]
    for event in events:
        lines += _vevent(event, site=site, stamp=stamp)
    return "".join(_fold(line) for line in [*lines, "END:VCALENDAR"]).encode()


def _vevent(event: SampleEvent, *, site: str, stamp: datetime) -> list[str]:
    if event.days:
        end = event.starts.date() + timedelta(days=event.days)
        times = [f"DTSTART;VALUE=DATE:{event.starts:%Y%m%d}", f"DTEND;VALUE=DATE:{end:%Y%m%d}"]
    else:
        ends = event.starts + timedelta(minutes=event.minutes)
        times = [f"DTSTART;TZID={event.zone}:{event.starts:%Y%m%dT%H%M%S}",
                 f"DTEND;TZID={event.zone}:{ends:%Y%m%dT%H%M%S}"]  # fmt: skip
    extra = [f"RRULE:{event.rule}"] if event.rule else []
    if event.place or event.online:
        extra.append(f"LOCATION:{_text(event.place or event.online)}")
    language = ";LANGUAGE=fr" if event.language == "fr" else ""
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        *times,
        *extra,
        f"STATUS:{event.status}",
        f"SUMMARY{language}:{_text(event.title)}",
        f"DESCRIPTION{language}:{_text(event.text)}",
        f"URL:{event_link(event, site=site)}",
        "END:VEVENT",
    ]


def post_link(post: SamplePost, *, site: str) -> str:
    """Where a post can be read while the sample site is up."""
    return f"{site}/posts/{post.id}-{post.hex}"


def event_link(event: SampleEvent, *, site: str) -> str:
    return f"{site}/events/{event.uid.partition('@')[0]}"


def post_html(post: SamplePost) -> str:
    return "".join(
        f"<h3>{escape(text[3:], quote=False)}</h3>"
        if text.startswith("## ")
        else f"<p>{escape(text, quote=False)}</p>"
        for text in post.paragraphs
    )


def page(title: str, body: str, *, language: str = "en") -> bytes:
    """A plain page of the sample site: what a reader sees after a click in the letter."""
    return f"""<!doctype html>
<html lang="{language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>body{{font:17px/1.6 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}}
h1{{font-family:Georgia,serif;line-height:1.25}}.by{{color:#565f68}}</style>
<h1>{escape(title)}</h1>
{body}
</html>
""".encode()


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _fold(line: str) -> str:
    """RFC 5545 section 3.1: at most 75 octets a line, never inside a character."""
    parts, part = [], ""
    for character in line:
        if len((part + character).encode()) > 74:
            parts.append(part)
            part = ""
        part += character
    return "\r\n ".join([*parts, part]) + "\r\n"
