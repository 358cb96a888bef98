"""Makes the golden letters anew: python -m tests.remake_golden. Look at the difference as you would at code."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from digest.app import open_app
from digest.config_file import read_config
from digest.model import Address, Issue, Language, Reading
from digest.render.calendar import issue_file
from digest.render.press import Press
from digest.web import create_web
from tests import render_kit as kit
from tests import web_kit
from tests.conftest import NOW

GOLDEN = Path(__file__).parent / "golden"
ISSUES: dict[str, tuple[Callable[[], Issue], tuple[Reading, ...]]] = {
    "small": (kit.small, (Reading.EN,)),
    "month": (kit.month_of_12, tuple(Reading)),
    "every-section": (kit.every_section, tuple(Reading)),
    "25-items": (lambda: kit.month_of(25), (Reading.EN,)),
    "60-items": (lambda: kit.month_of(60), (Reading.FR, Reading.EN_FR)),
    "right-to-left": (kit.right_to_left, (Reading.EN,)),
}


def made() -> Iterator[tuple[str, bytes]]:
    """File name and bytes of everything that is kept golden."""
    press, config = Press(kit.config()), kit.config()
    for name, (build, readings) in ISSUES.items():
        for reading in readings:
            issue = build()
            edition = press.edition(issue, reading)
            yield f"{name}.{reading}.html", edition.html.encode()
            yield f"{name}.{reading}.txt", edition.text.encode()
            yield f"{name}.{reading}.eml", press.compiled(edition).splice(kit.reader())
            if not reading.is_both:
                yield (
                    f"{name}.{reading}.ics",
                    issue_file(issue, config=config, language=reading.first, now=kit.SEND_AT),
                )
    zoned = press.edition(kit.month_of_12(), Reading.EN, zone="America/Vancouver")
    yield "month.en.vancouver.txt", zoned.text.encode()
    for kind in kit.NOTICES:
        for language in Language:
            yield f"notice-{kind.value}.{language.value}.eml", press.notice(
                kind, to=Address("maya@example.org"), language=language, message_id="<notice.1.ab@example.org>",
                date=kit.SEND_AT, link=f"https://digest.example.org/confirm/{'q' * 28}",
            )  # fmt: skip


FEEDS = ("/feed.xml", "/feed.atom", "/feed.json", "/events.ics", "/issues/2026-12.md", "/issues/2026-12.json")


def feeds() -> Iterator[tuple[str, bytes]]:
    """What the site offers to programs once the sample month was sent, in both languages."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(
            '[list]\nname.en = "Test letter"\nname.fr = "Infolettre d’essai"\nfrom = "letter@lists.example.org"\n'
            'postal_address = "1 Main St, Ottawa"\nurl = "https://digest.example.org"\n' + web_kit.SOURCES,
            encoding="utf-8",
        )
        with open_app(read_config(config), clock=lambda: NOW) as app:
            web_kit.publish(app, web_kit.fill(app))
            client = create_web(app).test_client()
            for path in FEEDS:
                for prefix, language in (("", "en"), ("/fr", "fr")):
                    name, _, ending = path.rpartition("/")[2].rpartition(".")
                    yield f"site-{name}.{language}.{ending}", client.get(prefix + path).data


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("[!.]*"):
        old.unlink()
    for name, data in (*made(), *feeds()):
        (GOLDEN / name).write_bytes(data)


if __name__ == "__main__":
    main()
