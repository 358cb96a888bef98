"""The operator's logo: known by its bytes, shown by an address that changes with them. Nothing is fetched or made smaller."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_NO_FRAMES = frozenset([0xC4, 0xC8, 0xCC])  # among the markers of frames, what is something else
_ALONE = frozenset([0x01, *range(0xD0, 0xD8)])  # markers with nothing behind them
_SCAN, _END = 0xDA, b"\xff\xd9"


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
    """Raises ValueError for what is neither PNG nor JPEG, or has no whole picture in it."""
    kind = "png" if data.startswith(_PNG) else "jpeg" if data.startswith(_JPEG) else ""
    if not kind:
        raise ValueError("neither PNG nor JPEG")
    try:
        width, height = _png(data) if kind == "png" else _jpeg(data)
    except (struct.error, IndexError, zlib.error) as error:
        raise ValueError("cut short") from error
    if not width or not height:
        raise ValueError("no picture in it")
    name = f"{sha256(data).hexdigest()[:16]}.{'png' if kind == 'png' else 'jpg'}"
    return Logo(data=data, name=name, kind=f"image/{kind}", width=width, height=height, shown_px=shown_px)


def _png(data: bytes) -> tuple[int, int]:
    """Its size; (0, 0) where its pixels do not come to their end."""
    width, height, pixels, is_whole = 0, 0, zlib.decompressobj(), False
    for kind, body in _chunks(data):
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            pixels.decompress(body)
        is_whole = kind == b"IEND"
    return (width, height) if is_whole and pixels.eof else (0, 0)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Up to the end, or to the first that is damaged."""
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        [sum_told] = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if zlib.crc32(kind + body) != sum_told:
            return
        yield kind, body
        at += 12 + length


def _jpeg(data: bytes) -> tuple[int, int]:
    """Its size; (0, 0) where no scan follows that comes to its end."""
    size, at = (0, 0), 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a marker may be filled up in front
            at += 1
            continue
        if marker == _SCAN:
            return size if _END in data[at:] else (0, 0)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            size = width, height
        at += 2 if marker in _ALONE else 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return 0, 0
