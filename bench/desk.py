"""How long an editor waits: a move at the desk and the pages that follow it, with 60 items and 5,000 in the pool.

    python -m bench.desk [--rounds 40]

Budget (issue 5): the preview after an edit in 100 ms at the 95th percentile. What is timed is what a browser asks for,
one after the other, over the real application and a real database on a file: the form (until its redirect), the page of
the issue that it leads to, and the letter in its frame.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from flask.testing import FlaskClient

from digest.app import App, open_app
from digest.config_file import read_config
from digest.model import ItemId, Occasion, Period
from digest.web import create_web
from tests import web_kit

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ITEMS, POOL, READERS, BUDGET_MS = 60, 5_000, 2_000, 100.0
CONFIG = (
    '[list]\nname = "Civic Letter"\nfrom = "letter@lists.example.org"\npostal_address = "1 Main St, Ottawa"\n'
    f'url = "{web_kit.URL}"\n[issue]\nevents_most = 15\nposts_most = 45\nposts_per_source = 45\n'
)


def filled(app: App) -> Period:
    """A pool of 5,000 with words and markup of a believable length, and a draft of 60."""
    sources = [source.id for source in app.store.sources.all()]
    words = "What the team cut, whom they had to convince, and the one question they put back. "
    with app.store.write():
        for number in range(POOL):
            if number % 5 == 0:
                starts = NOW + timedelta(days=12 + number % 30, minutes=number)
                entry = web_kit.event(f"Evening {number} on open data", Occasion(
                    starts=starts, ends=starts + timedelta(hours=1), timezone="America/Toronto", place="Ottawa",
                    uid=f"{number}@civic.example"))  # fmt: skip
            else:
                entry = web_kit.post(f"Post {number} about forms", now=NOW - timedelta(minutes=8 * number),
                                     language="en" if number % 2 else "fr", summary=words * 3)  # fmt: skip
            app.store.items.add(entry, source=sources[number % len(sources)], now=NOW)
        for number in range(READERS):
            web_kit.reader(app, number)
    period = app.publish.assemble().period
    for placed in app.store.issues.get(period).section(None):
        issue = app.store.issues.get(period)
        if sum(1 for one in issue.placed if one.section) >= ITEMS:
            break
        app.publish.keep(period, placed.item.id, by="bench")
    return period


def timed(act: Callable[[], object]) -> float:
    begin = time.perf_counter()
    act()
    return (time.perf_counter() - begin) * 1000


def rounds_of(app: App, client: FlaskClient, period: Period, *, rounds: int) -> dict[str, list[float]]:
    base, token = f"/desk/issues/{period}/", web_kit.form_token(client)
    found: dict[str, list[float]] = {"edit": [], "letter": [], "edit and letter": [], "page": [], "pool": []}
    for number in range(rounds):
        placed = app.store.issues.get(period, bench=()).section("worth-reading")
        item = ItemId(placed[number % len(placed)].item.id)
        fields = {"token": token, "blurb-en": f"Why round {number} matters, in fifteen words at the very least, said once.",
                  "seen-blurb-en": placed[number % len(placed)].blurb.get("en", "")}  # fmt: skip
        if number % 2:
            fields, path = {"token": token, "act": "down"}, f"{base}items/{item}/move"
        else:
            path = f"{base}items/{item}"
        edit = timed(lambda fields=fields, path=path: web_kit_post(client, path, fields))  # type: ignore[misc]
        frame = f"{base}letter/{'en' if number % 3 else 'fr'}"
        letter = timed(lambda frame=frame: web_kit.read(client, frame))  # type: ignore[misc]
        found["edit"].append(edit)
        found["letter"].append(letter)
        found["edit and letter"].append(edit + letter)
        found["page"].append(timed(lambda: web_kit.read(client, base)))
        found["pool"].append(timed(lambda: web_kit.read(client, "/desk/pool")))
    return found


def web_kit_post(client: FlaskClient, path: str, fields: dict[str, str]) -> None:
    answer = client.post(path, data=fields, base_url=web_kit.URL)
    assert answer.status_code == 303, answer.text


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=40)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").write_text(CONFIG + web_kit.SOURCES, encoding="utf-8")
        with open_app(read_config(Path(folder) / "config.toml"), clock=lambda: NOW) as app:
            period = filled(app)
            client = web_kit.signed_in(app, create_web(app))
            issue = app.store.issues.get(period)
            inside = sum(1 for one in issue.placed if one.section)
            print(
                f"{inside} items in the draft, {len(issue.placed) - inside} on its bench, {POOL} in the pool; milliseconds"
            )
            print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before we began")
            found = rounds_of(app, client, period, rounds=rounds)
    for name, spans in found.items():
        late = sorted(spans)[max(0, round(0.95 * len(spans)) - 1)]
        verdict = (
            ""
            if name != "edit and letter"
            else f"   budget {BUDGET_MS:g}: {'kept' if late <= BUDGET_MS else 'MISSED'}"
        )
        print(f"  {name:18} median {statistics.median(spans):7.1f}   95 of 100 {late:7.1f}{verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
