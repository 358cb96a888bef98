"""The operator's logo: known by its bytes, shown by an address that changes with them. Nothing is fetched or made smaller."""

import re
import struct
from dataclasses import dataclass, field
from hashlib import sha256

_JPEG_SIZES = re.compile(
    rb"[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]"
)  # start of frame: what says how large it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """data: PNG or JPEG. name: where it stands under /logo/. width, height: of the file; shown_px: in the letter."""

    data: bytes = field(repr=False)
    name: str
    kind: str
    width: int
    height: int
    shown_px: int


def read_logo(data: bytes, *, shown_px: int) -> Logo:
    """Raises ValueError for what is neither PNG nor JPEG."""
    kind = (
        "png" if data.startswith(b"\x89PNG\r\n\x1a\n") else "jpeg" if data.startswith(b"\xff\xd8\xff") else ""
    )
    try:
        width, height = _png(data) if kind == "png" else _jpeg(data)
    except (struct.error, IndexError) as error:
        raise ValueError("cut short") from error
    if not kind or not width or not height:
        raise ValueError("neither PNG nor JPEG")
    name = f"{sha256(data).hexdigest()[:16]}.{'png' if kind == 'png' else 'jpg'}"
    return Logo(data=data, name=name, kind=f"image/{kind}", width=width, height=height, shown_px=shown_px)


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", data[16:24])
    return (width, height) if data[12:16] == b"IHDR" else (0, 0)


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == 0xFF:
        if _JPEG_SIZES.match(data, at + 1):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return 0, 0
