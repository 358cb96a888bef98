"""A source that attacks: over 150 carriers of scripts as titles, words, names, places and links, through every page that
shows them, in Chromium with scripts on. None runs, and no request leaves.
"""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from digest.app import App
from digest.errors import InputRefused
from digest.join_hand import Form
from digest.model import Address, Entry, IssueState, ItemId, ItemKind, Language, Occasion
from tests import browser_kit, http_kit, web_kit
from tests.test_text import SCRIPTS

# What breaks out of an attribute, a title, a comment, a template, a JSON island, a Markdown link or a URL.
OTHERS = (
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)', "' onfocus='alert(1)' autofocus='", '" autofocus onfocus=alert(1) x="',
    "` onmouseover=alert(1) `", "--><script>alert(1)</script><!--", "]]><script>alert(1)</script>", "{{ 7*7 }}",
    "{% for x in ().__class__.__bases__ %}{% endfor %}", "${alert(1)}", "#{alert(1)}", "<%= alert(1) %>", "[[alert(1)]]",
    "[x](javascript:alert(1))", "![x](x onerror=alert(1))", "<javascript:alert(1)>", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "//x.example/a.js", "https://x.example/\"onerror=alert(1)", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;", "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "<script\x00>alert(1)</script>", "<scr\u200bipt>alert(1)</scr\u200bipt>", "\u202e<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞", "<svg><script>alert(1)</script></svg>", "<svg><animate onbegin=alert(1) attributeName=x>",
    "<svg><set attributeName=onmouseover to=alert(1)>", "<svg><use href='data:image/svg+xml,<svg onload=alert(1)>#x'/>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'>", "<math href='javascript:alert(1)'>x</math>",
    "<input onfocus=alert(1) autofocus>", "<img src=x onerror='fetch(`https://x.example/`)'>",
    "<img srcset='https://x.example/a.png 2x'>", "<link rel=prefetch href='https://x.example/'>",
    "<link rel=dns-prefetch href='https://x.example/'>", "<script type=module>import 'https://x.example/a.js'</script>",
    "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"https://x.example/\"]}]}</script>",
    "<a href='https://x.example' download>x</a>", "<div hx-get='https://x.example/' hx-trigger=load>x</div>",
    "<div hx-on::load='alert(1)'>x</div>", "<div data-hx-get='/desk/' data-hx-trigger=load>x</div>",
    "<form id=token><input name=value></form>", "<a id=phrases data-saving=x>x</a>",
    "<template shadowrootmode=open><script>alert(1)</script>",
    "<object data='javascript:alert(1)'>", "<embed src='javascript:alert(1)'>", "<iframe src='javascript:alert(1)'></iframe>",
    "<frameset onload=alert(1)>", "<body onpageshow=alert(1)>", "<x contenteditable onblur=alert(1)>y</x>",
    "<x onclick=alert(1) style='position:fixed;inset:0'>y</x>", "<style>*{background:url('https://x.example/')}</style>",
    "<p style='behavior:url(x.htc)'>x</p>", "<div style='width:expression(alert(1))'>x</div>",
    "<meta http-equiv=Set-Cookie content='desk=x'>", "<meta name=referrer content=unsafe-url>",
    "<track default src='https://x.example/a.vtt'>", "<video poster='https://x.example/p.png'></video>",
    "<audio src='https://x.example/a.mp3' autoplay></audio>", "<source src='https://x.example/a.mp4'>",
    "<bgsound src='https://x.example/a.wav'>", "<image src=x onerror=alert(1)>", "<image href='https://x.example/i.png'>",
    "<area href='javascript:alert(1)' shape=default>", "<map><area ping='https://x.example'></map>",
    "<details ontoggle=alert(1) open><summary>x</summary></details>", "<video onloadstart=alert(1)><source>",
    "<style onload=alert(1)></style>", "<link rel=stylesheet href=data:text/css,*{} onload=alert(1)>",
    "<img loading=lazy src='https://x.example/l.png'>", "<picture><source srcset='https://x.example/s.png'><img></picture>",
    "<input type=image src='https://x.example/i.png'>", "<button type=submit formaction='https://x.example'>x</button>",
    "<a target=_blank rel=opener href='https://x.example'>x</a>", "<base target=_parent>", "<plaintext>",
    "<xmp><script>alert(1)</script></xmp>",
    "<noembed><script>alert(1)</script></noembed>", "<listing>&lt;img onerror=alert(1) src=x&gt;</listing>",
    "=HYPERLINK(\"https://x.example\")", "@SUM(1+1)*cmd|' /C calc'!A0", "\r\nX-Injected: 1\r\n\r\n<script>alert(1)</script>",
    "{\"__proto__\":{\"x\":1}}", "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<a href='\x0bjavascript:alert(1)'>x</a>",
)  # fmt: skip
CARRIERS = (*SCRIPTS, *OTHERS)


def entries(now: Any) -> list[Entry]:
    """Every carrier as the title, the words, the author and the link of a post or an event; as a place and a link to join."""
    found = []
    for number, carrier in enumerate(CARRIERS):
        common = {
            "keys": (f"link:{number}",), "title": carrier, "summary": f"{carrier} number {number}", "author": carrier,
            "url": carrier if number % 3 == 0 else f"https://blog.example/{number}", "language": "en", "html": carrier,
            "tags": (carrier,), "content_hash": str(number), "flags": (carrier[:20],),
        }  # fmt: skip
        if number % 2:
            starts = now + timedelta(days=14, minutes=number)
            occasion = Occasion(
                starts=starts,
                ends=starts + timedelta(hours=1),
                place=carrier,
                online=carrier,
                uid=str(number),
            )
            found.append(Entry(kind=ItemKind.EVENT, occasion=occasion, **common))  # type: ignore[arg-type]
        else:
            found.append(Entry(kind=ItemKind.POST, published=now - timedelta(hours=number), **common))  # type: ignore[arg-type]
    return found


def watched(browser: Any, site: browser_kit.Served) -> tuple[Any, list[str]]:
    """A window whose every dialog, complaint and request to elsewhere is written down."""
    context = browser.new_context(viewport=browser_kit.DESKTOP)
    context.set_default_timeout(60_000)
    page = context.new_page()
    trouble: list[str] = []
    page.on("dialog", lambda dialog: (trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda said: trouble.append(f"console {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(f"fault {error}"))
    context.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((site.url, "data:", "about:")) else trouble.append(asked.url)
        ),
    )
    return context, trouble


def freeze(app: App, month: web_kit.Month) -> None:
    """Blocking checks are rightly many here; what is looked at is what would be published all the same."""
    frozen = {language: app.publish.preview(month.period, language) for language in Language}
    with app.store.write():
        issue, now = app.store.issues.get(month.period), app.clock()
        app.store.issues.freeze(issue.id, list(frozen.values()))
        for state in ("approved", "sending", "sent"):
            app.store.issues.move(
                issue.id, from_=set(IssueState), to=IssueState(state), sent_at=now, approved_at=now, hash="h"
            )


# --- the same through real doors ---------------------------------------------------------------------------------


def _xml(carrier: str) -> str:
    """Without the signs that no XML may hold; JSON brings them."""
    return "".join(sign for sign in carrier if sign >= " " or sign in "\t\n\r")


def rss(now: Any) -> bytes:
    """Each carrier as title, words twice over, author, category and every third as link: escaped, and as CDATA."""
    items = []
    for number, carrier in enumerate(map(_xml, CARRIERS)):
        link = carrier if number % 3 == 0 else f"https://blog.example/{number}"
        cdata = carrier.replace("]]>", "]]]]><![CDATA[>")
        items.append(
            f"<item><title>{escape(carrier)}</title><link>{escape(link)}</link><guid>rss-{number}</guid>"
            f"<description>{escape(escape(carrier))} number {number}</description><category>{escape(carrier)}</category>"
            f"<content:encoded><![CDATA[<p>{cdata}</p>]]></content:encoded><dc:creator>{escape(carrier)}</dc:creator>"
            f"<enclosure url={quoteattr(carrier)} type='image/png' length='1'/>"
            f"<pubDate>{now - timedelta(minutes=9 * number):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        )
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Blog</title>'
        + "".join(items)
        + "</channel></rss>"
    ).encode()


def json_feed(now: Any) -> bytes:
    items = [
        {"id": f"json-{number}", "url": f"https://json.example/{number}", "title": carrier, "content_html": carrier,
         "summary": carrier, "authors": [{"name": carrier, "url": carrier}], "tags": [carrier], "image": carrier,
         "date_published": (now - timedelta(minutes=9 * number + 4)).isoformat()}
        for number, carrier in enumerate(CARRIERS)
    ]  # fmt: skip
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "Json", "items": items}
    ).encode()


def calendar(now: Any) -> bytes:
    events = []
    for number, carrier in enumerate(CARRIERS):
        text = (
            _xml(carrier)
            .replace("\\", "\\\\")
            .replace("\r", "")
            .replace("\n", "\\n")
            .replace(",", "\\,")
            .replace(";", "\\;")
        )
        starts = now + timedelta(days=15, minutes=11 * number)
        events.append(
            f"BEGIN:VEVENT\r\nUID:cal-{number}@civic.example\r\nDTSTAMP:20261101T000000Z\r\n"
            f"DTSTART:{starts:%Y%m%dT%H%M%SZ}\r\nSUMMARY:{text} {number}\r\nLOCATION:{text}\r\n"
            f"DESCRIPTION:{text}\r\nURL:{_xml(carrier).split(chr(10))[0].strip()}\r\n"
            "END:VEVENT\r\n"
        )
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    ).encode()


@pytest.fixture
def feeds() -> Iterator[http_kit.Site]:
    with http_kit.serving() as opened:
        yield opened


@pytest.fixture
def settings(feeds: http_kit.Site) -> str:
    """Three sources that attack, beside those that never answer."""
    kinds = {"rss": "feed", "json": "feed", "calendar": "ical"}
    return "[issue]\nevents_most = 400\nposts_most = 400\nposts_per_source = 400\n" + "".join(
        f'[[sources]]\nname = "Hostile {name}"\nurl = "{feeds.url(f"/{name}")}"\nkind = "{kind}"\n'
        for name, kind in kinds.items()
    )


def collected(site: browser_kit.Served, feeds: http_kit.Site) -> None:
    now = site.app.clock()
    feeds.pages |= {
        "/rss": http_kit.answer(rss(now), content_type="application/rss+xml"),
        "/json": http_kit.answer(json_feed(now), content_type="application/feed+json"),
        "/calendar": http_kit.answer(calendar(now), content_type="text/calendar"),
    }
    visits = site.app.collect.visit(["Hostile rss", "Hostile json", "Hostile calendar"], every=True)
    assert all(one.new >= 0.9 * len(CARRIERS) for one in visits), visits


def suggested(site: browser_kit.Served) -> int:
    """Every carrier through the form that anybody may send, as title, words and place; the first half taken up."""
    app, past = site.app, site.app.clock() - timedelta(seconds=9)
    day = app.clock() + timedelta(days=16)
    for number, carrier in enumerate(CARRIERS):
        fields = {"kind": "event", "title": carrier, "url": f"https://s.example/{number}", "words": carrier, "place": carrier,
                  "date": f"{day:%Y-%m-%d}", "time": "18:30", "timezone": "America/Toronto", "email": ""}  # fmt: skip
        try:
            app.join.voices.suggest(fields, language=Language.EN, email="", ip=f"192.0.{number % 250}.9",
                                    form=Form(token=app.links.form(now=past)))  # fmt: skip
        except InputRefused:
            continue  # a carrier without one letter is no title
    sent = app.store.suggestions.count_open()
    for number, one in enumerate(app.join.voices.waiting()):
        if number % 2:
            app.join.voices.take(one.id, title=one.title, by="1")
    return sent


def edited(site: browser_kit.Served, month: web_kit.Month) -> int:
    """Every carrier as an editor's own title or blurb, saved as the drawer saves it; one more as each text of the note."""
    client = web_kit.signed_in(site.app, site.web)
    home = site.app.config.list.url
    token = re.search(r'name="token" value="([0-9a-f]{64})"', client.get("/desk/", base_url=home).text)
    placed = [p for p in site.app.store.issues.get(month.period).placed if p.section]
    save, done = f"/desk/issues/{month.period}/save", 0
    for number, (carrier, one) in enumerate(zip(CARRIERS, placed, strict=False)):
        name = ("title-en", "blurb-en", "title-fr", "blurb-fr")[number % 4]
        fields = {"token": token[1], "item": one.item.id, "name": name, "words": carrier, "seen": ""}
        assert client.post(save, data=fields, base_url=home).status_code == 200, carrier
        done += 1
    for number, name in enumerate(("theme-en", "theme-fr", "note-en", "note-fr")):
        fields = {"token": token[1], "name": name, "words": CARRIERS[number], "seen": ""}
        assert client.post(save, data=fields, base_url=home).status_code == 200
    return done


def test_carriers_through_feeds_form_and_drawer_run_nowhere_and_fetch_nothing(
    site: browser_kit.Served, browser: Any, feeds: http_kit.Site
) -> None:
    app = site.app
    month = web_kit.fill(app)
    collected(site, feeds)
    assert suggested(site) >= 150
    draft = app.publish.assemble(month.period)
    pages = draft.section("worth-reading") + draft.section("coming-up")
    assert len({p.item.id for p in pages}) >= 300
    assert edited(site, month) >= 150
    for language in Language:
        app.send.test(month.period, address=Address("dana@example.org"), language=language)

    context, trouble = watched(browser, site)
    page = context.pages[0]
    with page.expect_navigation():
        page.goto(web_kit.sign_in_link(app))
    with page.expect_navigation():
        page.locator("main button").first.click()
    base = f"/desk/issues/{month.period}"
    for path in (f"{base}/?view=600", f"{base}/?view=375&letter=fr"):
        page.goto(site.url + path)
        page.frame_locator(".letter iframe").locator("h1").first.wait_for()
    for one in pages[:: len(pages) // 12]:
        page.locator(f"#item-{one.item.id} [data-drawer]").click()
        page.locator("#drawer #sheet").wait_for()
        page.keyboard.press("Escape")
        page.locator("#drawer:not([open])").wait_for(state="attached")
    letters = sorted(path.name for path in app.config.path(app.config.mail.folder).glob("*.eml"))
    assert len(letters) == 2
    names = {source.name for source in app.store.sources.all()}
    pool = [
        f"/desk/pool?shown=all&tab={tab}&source={name.replace(' ', '+')}"
        for tab in ("posts", "events")
        for name in names
    ]
    shown = ["/desk/", *pool, "/desk/suggestions/", "/desk/sources", f"{base}/checks", f"{base}/history", f"{base}/note",
             f"{base}/compare", f"/fr{base}/"]  # fmt: skip
    shown += [f"/outbox/{name}{what}" for name in letters for what in ("", "/html")]
    for path in shown:
        page.goto(site.url + path, wait_until="load")
    freeze(app, month)
    for path in (
        "/",
        f"/issues/{month.period}",
        f"/fr/issues/{month.period}",
        f"{base}/letter/en",
        f"{base}/letter/fr",
    ):
        page.goto(site.url + path, wait_until="load")
    browser_kit.close(context)
    assert trouble == []


def test_more_than_a_hundred_and_fifty_carriers_are_tried() -> None:
    assert len(set(CARRIERS)) == len(CARRIERS) >= 150


def test_no_script_of_a_source_runs_anywhere_and_no_request_leaves(
    site: browser_kit.Served, browser: Any
) -> None:
    app, now = site.app, site.app.clock()
    month = web_kit.fill(app)
    sources = [source.id for source in app.store.sources.all()]
    with app.store.write():
        items = [
            app.store.items.add(one, source=sources[n % 4], now=now) for n, one in enumerate(entries(now))
        ]
    app.publish.assemble(month.period)
    for item in items:
        app.publish.add(month.period, ItemId(item), by="test")
    app.publish.write(month.period, field="note", language=Language.EN, words=CARRIERS[0], by="test")
    app.publish.cut(month.period, items[0], by="test")

    context, trouble = watched(browser, site)
    page = context.pages[0]
    with page.expect_navigation():
        page.goto(web_kit.sign_in_link(app))
    with page.expect_navigation():
        page.locator("main button").first.click()
    base = f"/desk/issues/{month.period}"
    for path in (f"{base}/?view=600", f"{base}/?view=375&letter=fr"):
        page.goto(site.url + path)
        page.frame_locator(".letter iframe").locator("h1").first.wait_for()
    shown = ["/desk/", "/desk/pool?shown=all", "/desk/pool?shown=all&tab=events", f"{base}/?view=text", f"{base}/history",
             f"{base}/checks", f"{base}/approve", f"{base}/note", f"/fr{base}/"]  # fmt: skip
    for path in [*shown, *(f"{base}/items/{item}" for item in items)]:
        page.goto(site.url + path, wait_until="load")
    freeze(app, month)
    public = [
        "/",
        "/issues/",
        f"/issues/{month.period}",
        f"/fr/issues/{month.period}",
        f"{base}/letter/en",
        f"{base}/letter/fr",
    ]
    for path in [*public, *(f"/items/{item}" for item in items[1:])]:
        page.goto(site.url + path, wait_until="load")
    assert "{{ 7*7 }}" in page.goto(f"{site.url}/issues/{month.period}").text()
    browser_kit.close(context)
    assert trouble == []
