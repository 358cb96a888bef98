"""A logo of the operator's own: a file beside config.toml, linked and never attached, known before anything is sent."""

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.app import open_app
from digest.config import Config
from digest.errors import ConfigError
from digest.model import Language, Reading
from digest.render.logo import read_logo
from digest.render.press import Press
from digest.web import create_web
from tests import render_kit as kit
from tests import web_kit


def png(width: int, height: int, *, more: bytes = b"") -> bytes:
    """A grey picture; `more` makes it heavier."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x88" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [
        chunk(b"IHDR", head),
        *([chunk(b"tEXt", b"c\0" + more)] if more else []),
        chunk(b"IDAT", rows),
        chunk(b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11\x08\x00\x28\x00\xa0"
    + b"\0" * 10
    + b"\xff\xda\x00\x0c"
    + b"\0" * 20
    + b"\xff\xd9"
)
FILLED = JPEG.replace(b"\xff\xc0", b"\xff\xff\xff\xc0")  # fill bytes before a marker, as T.81 B.1.1.2 allows


def test_its_size_is_read_from_its_bytes() -> None:
    read = [read_logo(data, shown_px=180) for data in (png(320, 80), JPEG, FILLED)]
    assert [(one.width, one.height, one.kind) for one in read] == [
        (320, 80, "image/png"),
        (160, 40, "image/jpeg"),
        (160, 40, "image/jpeg"),
    ]
    assert read_logo(png(320, 80), shown_px=180).name != read_logo(png(320, 81), shown_px=180).name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg/>",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png(3, 3)[:20],
        JPEG[:10],
        b"\xff\xd8\xff",
        png(320, 80)[:33],
        png(320, 80)[:-12],
        png(320, 80).replace(b"\x78\x9c", b"\x78\x9d"),
        JPEG[:-2],
        JPEG[:40],
    ],
)
def test_what_is_no_picture_for_letters_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_logo(data, shown_px=180)


def test_it_stands_in_place_of_the_name_which_is_read_without_pictures() -> None:
    logo = read_logo(png(320, 80), shown_px=160)
    press = Press(kit.config(), logo=logo)
    for reading in Reading:
        html, text = press.preview(press.edition(kit.month_of_12(), reading))
        assert html.count("<img") == 1
        name = kit.config().list.name.in_(reading.first)
        assert f'alt="{name}" src="https://digest.example.org/logo/{logo.name}" width="160"' in html
        assert 'class="logo"' not in html
        assert text == Press(kit.config()).preview(Press(kit.config()).edition(kit.month_of_12(), reading))[1]
    assert b"image/" not in press.compiled(press.edition(kit.small(), Language.EN)).splice(kit.reader())


def with_logo(make_config: Callable[[str], Config], data: bytes) -> Config:
    config = make_config(f'{web_kit.SOURCES}\n[letter]\nlogo = "logo.png"\n')
    config.path(Path("logo.png")).write_bytes(data)
    return config


@pytest.mark.parametrize(("data", "found"), [(png(320, 80), ("pass", "")), (png(1400, 80), ("fail", "1400")),
                                             (png(320, 8, more=b"x" * 210_000), ("fail", "210 KB")),
                                             (png(1, 1), ("fail", "1 px wide"))])  # fmt: skip
def test_the_list_weighs_and_serves_it(
    make_config: Callable[[str], Config], data: bytes, found: tuple[str, str]
) -> None:
    with open_app(with_logo(make_config, data)) as app:
        month = web_kit.fill(app)
        app.publish.assemble(month.period)
        told = [c for c in app.publish.preflight(month.period) if c.id == "img"]
        assert {str(c.outcome) for c in told} == {found[0]}
        assert all(found[1] in c.message_en for c in told)
        assert found[0] == "pass" or {c.where for c in told} == {"config:letter.logo"}
        client = create_web(app).test_client()
        assert app.press.logo is not None
        served = client.get(f"/logo/{app.press.logo.name}")
        assert (served.status_code, served.data, served.mimetype) == (200, data, "image/png")
        assert client.get("/logo/other.png").status_code == 404


@pytest.mark.parametrize("later", ["another", "none"])
def test_a_letter_that_was_approved_keeps_its_picture(
    make_config: Callable[[str], Config], later: str
) -> None:
    data = png(320, 80)
    config = with_logo(make_config, data)
    with open_app(config) as app:
        month = web_kit.fill(app)
        app.publish.assemble(month.period)
        app.publish.approve(month.period, by="command")
        [shown] = {*re.findall(r"/logo/[\w.]+", app.publish.preview(month.period, Language.EN).html)}
    if later == "another":
        config.path(Path("logo.png")).write_bytes(png(300, 80))
    else:
        config = config.model_copy(update={"letter": config.letter.model_copy(update={"logo": None})})
    with open_app(config) as app:
        served = create_web(app).test_client().get(shown)
        assert (served.status_code, served.data, served.mimetype) == (200, data, "image/png")


def test_a_logo_that_cannot_be_used_is_named_before_anything_opens(
    make_config: Callable[[str], Config],
) -> None:
    with pytest.raises(ConfigError, match=r"logo: .*is no PNG or JPEG"):
        open_app(with_logo(make_config, b"<svg/>"))
    with pytest.raises(ConfigError, match=r"gone\.png"):
        open_app(make_config('[letter]\nlogo = "gone.png"\n'))
