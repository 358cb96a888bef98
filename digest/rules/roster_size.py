"""How much there is to read in a list, so that its progress ends at the whole: lines, or people where it is JSON. Pure."""

import re
from codecs import getincrementaldecoder

# Quotes inside a text of JSON have a stroke before them, so these are names and nothing that somebody wrote.
_NAMED = re.compile(rb'(?<!\\)"(?:address|mark)"\s*:')
_LONGEST = 64


class Size:
    """Fed piece by piece. encoding: utf-16 is decoded, in all others a line ends with the same bytes."""

    def __init__(self, *, encoding: str, is_json: bool) -> None:
        self._decoder = getincrementaldecoder(encoding)("replace") if encoding == "utf-16" else None
        self._is_json = is_json
        self._count, self._last, self._held = 0, b"", b""  # held: a \r whose \n may come with the next piece

    def add(self, chunk: bytes) -> None:
        if self._decoder is not None:
            chunk = self._decoder.decode(chunk).encode("utf-8", "replace")
        if self._is_json:
            self._add_names(chunk)
            return
        chunk = self._held + chunk
        self._held = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk.removesuffix(b"\r")
        # Old files end their lines with \r alone. To look for both ends in one file took longer than its proof (measured).
        self._count += chunk.count(b"\n") or chunk.count(b"\r")
        self._last = chunk[-1:] or self._last

    def _add_names(self, chunk: bytes) -> None:
        """A name may stand across two pieces: the end of one is looked at again with the next."""
        text, end = self._last + chunk, 0
        for found in _NAMED.finditer(text):
            self._count, end = self._count + 1, found.end()
        self._last = text[max(end, len(text) - _LONGEST) :]

    @property
    def count(self) -> int:
        """A last line without an end is one too."""
        is_open = not self._is_json and (self._held or self._last not in {b"", b"\n", b"\r"})
        return self._count + bool(is_open)
