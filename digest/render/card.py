"""The picture of an issue where its address is shared (Open Graph, 1200 by 630). Without Pillow or a font there is none."""

import io
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from digest.render.context import IssueView
from digest.render.theme import Theme

WIDTH, HEIGHT, EDGE = 1200, 630, 80
_MOST_LINES = 3


# Pillow's own font has no accents; these stand on most machines, the first one found wins.
_HEAVY = ("NotoSerif-Bold.ttf", "DejaVuSerif-Bold.ttf", "LiberationSerif-Bold.ttf", "Georgia Bold.ttf")
_PLAIN = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf")


@cache
def can_draw() -> bool:
    """Whether there is Pillow here, and type with accents."""
    return find_spec("PIL") is not None and None not in (_font(_HEAVY, 10), _font(_PLAIN, 10))


def _font(names: tuple[str, ...], size: int) -> Any:
    from PIL import ImageFont

    for name in names:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None


def card(view: IssueView, theme: Theme) -> bytes:
    """A PNG. Same words and colours, same bytes; the last few are remembered. Only where can_draw()."""
    place = urlsplit(view.home_url).netloc
    return _drawn(view.list_name, view.title, " · ".join(view.glance[:3]), place, theme)


@lru_cache(maxsize=16)
def _drawn(name: str, title: str, glance: str, place: str, theme: Theme) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), theme.paper)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 24, HEIGHT), fill=theme.accent)
    draw.text((EDGE, EDGE - 10), name, fill=theme.accent, font=_font(_HEAVY, 40))
    font, top = _font(_HEAVY, 70), EDGE + 80
    for line in _lines(title, font):
        draw.text((EDGE, top), line, fill=theme.ink, font=font)
        top += 94
    small = _font(_PLAIN, 32)
    draw.text((EDGE, HEIGHT - EDGE - 84), glance, fill=theme.soft, font=small)
    draw.line((EDGE, HEIGHT - EDGE - 28, WIDTH - EDGE, HEIGHT - EDGE - 28), fill=theme.line, width=2)
    draw.text((EDGE, HEIGHT - EDGE - 8), place, fill=theme.soft, font=small)
    written = io.BytesIO()
    image.save(written, format="PNG", optimize=True)
    return written.getvalue()


def _lines(title: str, font: Any) -> list[str]:
    """Broken between words to the width of the picture; what would be a fourth line ends in an ellipsis."""
    lines = [""]
    for word in title.split(" "):
        wider = f"{lines[-1]} {word}".strip()
        if font.getlength(wider) <= WIDTH - 2 * EDGE or not lines[-1]:
            lines[-1] = wider
        else:
            lines.append(word)
    return lines if len(lines) <= _MOST_LINES else [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]}…"]
