"""Makes the golden letters anew: python -m tests.remake_golden. Look at the difference as you would at code."""

from collections.abc import Callable, Iterator
from pathlib import Path

from digest.model import Address, Issue, Language, NoticeKind
from digest.render.calendar import issue_file
from digest.render.press import Press
from tests import render_kit as kit

GOLDEN = Path(__file__).parent / "golden"
ISSUES: dict[str, tuple[Callable[[], Issue], tuple[Language, ...]]] = {
    "small": (kit.small, (Language.EN,)),
    "month": (kit.month_of_12, (Language.EN, Language.FR)),
    "25-items": (lambda: kit.month_of(25), (Language.EN,)),
    "60-items": (lambda: kit.month_of(60), (Language.FR,)),
    "right-to-left": (kit.right_to_left, (Language.EN,)),
}


def made() -> Iterator[tuple[str, bytes]]:
    """File name and bytes of everything that is kept golden."""
    press, config = Press(kit.config()), kit.config()
    for name, (build, languages) in ISSUES.items():
        for language in languages:
            issue = build()
            edition = press.edition(issue, language)
            yield f"{name}.{language.value}.html", edition.html.encode()
            yield f"{name}.{language.value}.txt", edition.text.encode()
            yield f"{name}.{language.value}.eml", press.compiled(edition).splice(kit.reader())
            yield (
                f"{name}.{language.value}.ics",
                issue_file(issue, config=config, language=language, now=kit.SEND_AT),
            )
    for kind in NoticeKind:
        for language in Language:
            yield f"notice-{kind.value}.{language.value}.eml", press.notice(
                kind, to=Address("maya@example.org"), language=language, message_id="<notice.1.ab@example.org>",
                date=kit.SEND_AT, link=f"https://digest.example.org/confirm/{'q' * 28}",
            )  # fmt: skip


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.glob("[!.]*"):
        old.unlink()
    for name, data in made():
        (GOLDEN / name).write_bytes(data)


if __name__ == "__main__":
    main()
