"""The sample community's own web site, on loopback: its feeds, its calendar, its pages, and one address that is no feed."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from digest.config import SourcePart
from digest.sample import feeds
from digest.sample.month import (
    PUBLICATIONS,
    Publication,
    SampleEvent,
    SamplePost,
    sample_events,
    sample_posts,
)

_TYPES = {
    "medium": "text/xml; charset=UTF-8",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
_KINDS = {"medium": "medium", "atom": "feed", "json": "feed"}
BROKEN = "Atlantic Data Circle"


class SampleSite:
    """Serves the sample month over real HTTP until closed. `clock` dates it.

    Posts and events that come after the letter has left appear once `publish_late()` was called.
    """

    def __init__(self, *, clock: Callable[[], datetime], port: int = 0) -> None:
        self._clock = clock
        self._now = clock()
        self._late_at: datetime | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="sample-site", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "SampleSite":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish_late(self) -> None:
        """What the community writes after the letter has left."""
        self._late_at = self._clock()

    def sources(self) -> list[SourcePart]:
        """These sources, as config.toml would name them; the last one is broken on purpose."""
        posts = [SourcePart(name=p.name, url=f"{self.url}{p.path}", kind=_KINDS[p.format], language=p.language)
                 for p in PUBLICATIONS]  # fmt: skip
        calendar = SourcePart(
            name="Civic calendar", url=f"{self.url}/calendar.ics", kind="ical", timezone="America/Toronto"
        )
        broken = SourcePart(name=BROKEN, url=f"{self.url}/atlantic/feed.xml", kind="feed", language="en")
        return [*posts, calendar, broken]

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and body of one address."""
        for publication in PUBLICATIONS:
            if path == publication.path:
                return 200, _TYPES[publication.format], self._feed(publication)
        if path == "/calendar.ics":
            body = feeds.ical(self._events(), site=self.url, stamp=self._now)
            return 200, "text/calendar; charset=utf-8", body
        if path == "/atlantic/feed.xml":
            words = "<p>The Atlantic Data Circle has a new home. Ask your host for the address.</p>"
            return 200, "text/html; charset=utf-8", feeds.page("We have moved", words)
        found = self._page(path)
        if found is not None:
            return 200, "text/html; charset=utf-8", found
        return 404, "text/html; charset=utf-8", feeds.page("Nothing here", "<p>No page has this address.</p>")

    def _feed(self, publication: Publication) -> bytes:
        posts = [post for post in self._posts() if publication.key in post.publications]
        if publication.format == "medium":
            return feeds.medium(publication, posts, site=self.url, now=self._clock())
        write = feeds.atom if publication.format == "atom" else feeds.json_feed
        return write(publication, posts, site=self.url)

    def _posts(self) -> list[SamplePost]:
        early = sample_posts(self._now)
        if self._late_at is None:
            return early
        late = [post for post in sample_posts(self._late_at, late=True) if post.late]
        return late + early

    def _events(self) -> list[SampleEvent]:
        return sample_events(self._now, late=self._late_at is not None)

    def _page(self, path: str) -> bytes | None:
        for post in self._posts():
            if feeds.post_link(post, site="") == path:
                by = f'<p class="by">{escape(post.author)} · {post.published:%Y-%m-%d}</p>'
                return feeds.page(post.title, by + feeds.post_html(post), language=post.language)
        for event in self._events():
            if feeds.event_link(event, site="") == path:
                where = f'<p class="by">{escape(event.place or event.online)}</p><p>{escape(event.text)}</p>'
                return feeds.page(event.title, where, language=event.language)
        return None


def _handler(site: SampleSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = site.answer(self.path.partition("?")[0])
            etag = f'"{sha256(body).hexdigest()[:16]}"'
            if status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: the terminal belongs to the demo."""

    return Handler
