"""How long a letter takes: view, HTML, text, compile, preflight, splice. Medians and best, in one process.

    python -m bench.letter [--rounds 40]

Budgets (guide: letter, section 10): an edition of 25 items printed in 5 ms, preflight 150 ms, one reader's splice 10 µs.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from digest.model import Language
from digest.render.letter import Marks, compile_letter
from digest.render.press import Press
from digest.render.view import issue_view
from digest.rules.preflight import check
from digest.rules.preflight_message import source_bytes
from tests import render_kit as kit

SPLICES = 1_000


def timed(act: Callable[[], object], *, rounds: int) -> tuple[float, float]:
    """Median and best, in milliseconds."""
    spans = []
    for _ in range(rounds):
        begin = time.perf_counter()
        act()
        spans.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spans), min(spans)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=40)
    rounds = options.parse_args().rounds
    config, issue, marks = kit.config(), kit.month_of(25), Marks("0" * 24)
    press, reader = Press(config), kit.reader()
    view = issue_view(issue, Language.EN, config)
    context = press.context([view], marks)
    html, text = press.html(context), press.text(context)
    editions = {language.value: press.edition(issue, language) for language in Language}
    compiled = press.compiled(editions[Language.EN])

    def printed() -> None:
        fresh = issue_view(issue, Language.EN, config)
        again = press.context([fresh], marks)
        press.html(again)
        press.text(again)

    def compile_once() -> object:
        return compile_letter(b"Subject: x\r\n", html=html, text=text, marks=marks, mail_to="a@example.org")

    def spliced() -> None:
        for _ in range(SPLICES):
            compiled.splice(reader)

    print("25 items; milliseconds, median (best)")
    for name, act, budget in (
        ("one edition printed: view, HTML, text", printed, 5.0),
        ("compiled and proved", compile_once, None),
        ("preflight of both editions", lambda: check(issue, editions, config=config, now=kit.SEND_AT, readers=1), 150.0),
        (f"{SPLICES} readers spliced, so µs each", spliced, 10.0),
    ):  # fmt: skip
        median, best = timed(act, rounds=rounds)
        verdict = "" if budget is None else f"   budget {budget:g}: {'kept' if best <= budget else 'MISSED'}"
        print(f"  {name:42} {median:7.2f} ({best:.2f}){verdict}")
    for count in (25, 100):
        sizes = [source_bytes(press.edition(kit.month_of(count), language).html) for language in Language]
        print(
            f"  {count} items weigh, as they travel: {' and '.join(f'{size:,} B' for size in sizes)} (EN, FR)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
