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

from PIL import Image

from digest.app import App, open_app
from digest.config_file import read_config
from digest.model import (
    Address,
    Introduction,
    Language,
    Period,
    Role,
    Subscriber,
    SubscriberState,
    Suggestion,
    SuggestionId,
    SuggestionKind,
)
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
        app.store.sources.remember(replace(
            failing, fail_count=2, last_error="service.example did not answer within 20 seconds.", last_error_kind="timeout",
            next_at=app.clock() + timedelta(hours=2),
        ))  # fmt: skip
        app.store.twins.ask(first, second, now=app.clock())
        for number, state, code, reply in ((2, "unsure", None, ""), (3, "failed", 550, "No such mailbox.")):
            app.store._db.change(
                "UPDATE delivery SET state = :state, code = :code, reply = :reply WHERE id = :id",
                {"id": number, "state": state, "code": code, "reply": reply},
            )


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
