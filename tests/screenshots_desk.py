"""The desk's screens for docs/desk/: both widths, light and dark, from a made-up month. Called by tests/screenshots.py."""

import io
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from digest.app import App, open_app
from digest.config_file import read_config
from digest.errors import ErrorKind, SourceError
from digest.model import (
    Address,
    Introduction,
    Language,
    Period,
    Role,
    Source,
    Subscriber,
    SubscriberState,
    Suggestion,
    SuggestionId,
    SuggestionKind,
    Visit,
    VisitOutcome,
)
from digest.rules.gather import Fetched
from digest.rules.plan import failed, succeeded
from tests import browser_kit, web_kit

FOLDER = Path(__file__).parent.parent / "docs" / "desk"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
WIDTHS = {"1280": {"width": 1280, "height": 860}, "375": {"width": 375, "height": 760}}
QUALITY = 60  # WebP; every picture together stays below 3 MB


class Calendar:
    """A clock that is moved by hand, so that pictures differ only where the desk does."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@contextmanager
def desk() -> Iterator[tuple[browser_kit.Served, Calendar, Period]]:
    """A month that was sent, with a correction, and the draft of the next one with a note, an edit and late news."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://localhost:{door.getsockname()[1]}"
        (Path(folder) / "config.toml").write_text(
            '[list]\nname.en = "Civic Letter"\nname.fr = "La Lettre civique"\nfrom = "letter@lists.example.org"\n'
            f'postal_address = "1 Main St, Ottawa"\nurl = "{url}"\n[signup]\npolicy = "domains"\ndomains = ["example.com"]\n'
            f"{web_kit.SOURCES}",
            encoding="utf-8",
        )
        clock = Calendar()
        with open_app(read_config(Path(folder) / "config.toml"), clock=clock) as app:
            period = _months(app, clock)
            with browser_kit.served(app, door=door) as site:
                yield site, clock, period


def _months(app: App, clock: Calendar) -> Period:
    month = web_kit.fill(app, readers=24)
    web_kit.publish(app, month)
    app.correct.page(month.period, {Language.EN: "The hack night is on Wednesday, not on Tuesday."}, by="1")
    clock.time += timedelta(days=14)
    sources = {source.name: source.id for source in app.store.sources.all()}
    with app.store.write():
        for number, title in enumerate((
            "What a queue taught us about forms", "Plain words, fewer calls", "Three months without a password",
            "A map that residents draw", "The archive nobody could open", "Testing with people who are busy",
        )):  # fmt: skip
            entry = web_kit.post(title, now=clock() - timedelta(days=1 + number), minutes=3 + number,
                                 summary="One team, one month, and what they would do again.")  # fmt: skip
            app.store.items.add(
                entry, source=sources["Prairie Digital" if number % 2 else "Harbour City"], now=clock()
            )
    draft = app.publish.assemble(month.period.next())
    item = draft.section("worth-reading")[0].item.id
    app.publish.reword(draft.period, item, language=Language.EN, by="1",
                       blurb="Fifteen words on why this matters to somebody who runs a counter and has ten minutes.")  # fmt: skip
    app.publish.write(draft.period, field="theme", language=Language.EN, words="Forms, and people", by="1")
    note = "November was about queues. Two teams wrote down what they learned."
    app.publish.write(draft.period, field="note", language=Language.EN, words=note, by="1")
    app.publish.cut(draft.period, draft.section("worth-reading")[-1].item.id, by="2")
    clock.time += timedelta(minutes=25)
    with app.store.write():
        late = web_kit.post("Late news from the harbour", now=clock(), summary="It came this morning.")
        app.store.items.add(late, source=sources["Harbour City"], now=clock())
    app.publish.assemble(draft.period)
    _people(app, month.readers)
    _worries(app)
    return draft.period


def _people(app: App, readers: Sequence[Subscriber]) -> None:
    """Somebody waits at the door, one reader says hello, another suggests an evening."""
    now = app.clock()
    with app.store.write():
        at = Address("rosa@elsewhere.example")
        waits = app.store.subscribers.add(at, language=Language.EN, state=SubscriberState.ASKED, now=now)
        app.store.subscribers.save(replace(
            waits, state=SubscriberState.WAITING, confirmed_at=now, note="I run the hack night in Regina."
        ))  # fmt: skip
        app.store.introductions.put(Introduction(
            subscriber=readers[0].id, name="Ann", who="I answer the phone at a licence office.",
            looks_for="Others who rewrite forms.", link="https://ann.example/", language=Language.EN, at=now,
        ))  # fmt: skip
        app.store.suggestions.add(Suggestion(
            id=SuggestionId(0), kind=SuggestionKind.EVENT, title="Forms clinic", url="https://clinic.example/forms",
            words="Bring a form, leave with half of it.", starts=now + timedelta(days=20), timezone="America/Toronto",
            place="Ottawa", language=Language.EN, at=now,
        ))  # fmt: skip


def _worries(app: App) -> None:
    """A source that does not answer, two posts that may be one, and letters in doubt and refused."""
    failing = app.store.sources.get("Service numérique")
    lately = app.store.items.all_between(app.clock() - timedelta(days=9), app.clock())
    first, second = (item.id for item in lately[-2:])
    with app.store.write():
        _visits(app, failing)
        app.store.twins.ask(first, second, now=app.clock())
        for number, state, code, reply in ((2, "unsure", None, ""), (3, "failed", 550, "No such mailbox.")):
            app.store._db.change(
                "UPDATE delivery SET state = :state, code = :code, reply = :reply WHERE id = :id",
                {"id": number, "state": state, "code": code, "reply": reply},
            )


def _visits(app: App, source: Source) -> None:
    """As visits go: every source answered two days ago; since yesterday one does not, twice by now."""
    now = app.clock()
    for one in app.store.sources.all():
        well = succeeded(one, Fetched(kind=one.kind, parser="1"), now=now - timedelta(days=2))
        app.store.sources.remember(replace(well, next_at=now + timedelta(hours=3)))
        app.store.sources.log(Visit(source=well, outcome=VisitOutcome.UNCHANGED), at=now - timedelta(days=2))
        source = well if one.id == source.id else source
    slow = SourceError(ErrorKind.TIMEOUT, f"{urlsplit(source.url).hostname} took too long to answer.")
    for at in (now - timedelta(hours=20), now - timedelta(hours=1)):
        source = failed(source, slow, now=at)
        told = Visit(source=source, outcome=VisitOutcome.FAILED, error_kind=slow.kind.value, error=str(slow))
        app.store.sources.remember(source)
        app.store.sources.log(told, at=at)


def screens(app: App, period: Period) -> dict[str, str]:
    """Name to path; every screen of the desk that a test of the URL map knows as a page."""
    base, before = f"/desk/issues/{period}", f"/desk/issues/{period.previous()}"
    item = app.store.issues.get(period).section("worth-reading")[0].item.id
    return {
        "home": "/desk/", "pool": "/desk/pool", "pool-events": "/desk/pool?tab=events&shown=all",
        "issue": f"{base}/", "issue-text": f"{base}/?view=text#letter", "note": f"{base}/note", "item": f"{base}/items/{item}",
        "own-event": f"{base}/own?kind=event", "checks": f"{base}/checks", "compare": f"{base}/compare",
        "history": f"{base}/history", "approve": f"{base}/approve", "sent": f"{before}/sending",
        "people": "/desk/people/", "sources": "/desk/sources", "suggestions": "/desk/suggestions/",
        "editors": "/desk/editors", "twins": "/desk/twins", "introductions": "/desk/introductions/",
        "counts": "/desk/people/pulse", "letters": f"{before}/letters",
        "you": "/desk/you", "import": "/desk/people/import", "accueil": "/fr/desk/", "numero": f"/fr{base}/",
    }  # fmt: skip


def take(browser: Any) -> int:
    """All of them; how many. Those of an earlier run that no screen has any more are removed."""
    FOLDER.mkdir(exist_ok=True)
    made = set()
    with desk() as (site, _, period):
        for scheme in ("light", "dark"):
            for width, viewport in WIDTHS.items():
                context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
                page = context.new_page()
                made |= _signed_out(page, site, width, scheme)
                paths = screens(site.app, period)
                made |= {
                    _picture(page, site.app.config.list.url + path, f"{name}-{width}-{scheme}")
                    for name, path in paths.items()
                }
                browser_kit.close(context)
        made |= _scheduled(browser, site, period)
    for old in set(FOLDER.glob("*.webp")) - made:
        old.unlink()
    return len(made)


def _signed_out(page: Any, site: browser_kit.Served, width: str, scheme: str) -> set[Path]:
    door = _picture(page, f"{site.app.config.list.url}/desk/", f"door-{width}-{scheme}")
    link = web_kit.sign_in_link(site.app, "ada@example.org", role=Role.ADMIN)
    button = _picture(page, link, f"sign-in-{width}-{scheme}")
    with page.expect_navigation():
        page.locator("main button").first.click()
    return {door, button}


def _scheduled(browser: Any, site: browser_kit.Served, period: Period) -> set[Path]:
    """The same issue once it is approved: read only, with what is left until it leaves."""
    site.app.publish.approve(period, by="1")
    site.app.publish.schedule(period, by="1")
    made = set()
    for scheme in ("light", "dark"):
        for width, viewport in WIDTHS.items():
            context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            page.goto(web_kit.sign_in_link(site.app, "ada@example.org", role=Role.ADMIN))
            with page.expect_navigation():
                page.locator("main button").first.click()
            for name, path in (("scheduled", ""), ("send", "send"), ("sending", "sending")):
                made.add(
                    _picture(
                        page,
                        f"{site.app.config.list.url}/desk/issues/{period}/{path}",
                        f"{name}-{width}-{scheme}",
                    )
                )
            browser_kit.close(context)
    return made


def _picture(page: Any, url: str, name: str) -> Path:
    page.goto(url, wait_until="load")
    path = FOLDER / f"{name}.webp"
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=QUALITY, method=6)
    return path
