"""Bytes from a relay become replies. Nothing is sent from here and nothing is judged; an odd byte is an error, never a guess."""

import re
from typing import NamedTuple

LONGEST_LINE = 4_096
MOST_LINES = 200
MOST_SEEN = 16
KEPT_CHARACTERS = 500

_ADDRESS = re.compile(r"<?[^\s<>@,;:\"']+@[^\s<>,;:\"']+>?")


class BrokenReply(Exception):
    """A line is no part of an SMTP reply (RFC 5321 section 4.2)."""


class Reply(NamedTuple):
    """code: 200 to 599. lines: texts without the code, as sent (UTF-8, odd bytes replaced)."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.lines[0] if len(self.lines) == 1 else " ".join(self.lines)


class Replies:
    """Cuts what arrives into replies, however it was cut on its way."""

    __slots__ = ("_buffer", "_code", "_is_broken", "_lines", "_seen")

    def __init__(self) -> None:
        self._is_broken = False
        self._buffer = b""
        self._code = 0
        self._lines: list[str] = []
        self._seen: dict[bytes, Reply] = {}  # a server says the same few lines to every MAIL, RCPT and DATA

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes, up to the first line that belongs to none (`broken()`)."""
        *whole, self._buffer = (self._buffer + data).split(b"\n")
        found: list[Reply] = []
        try:
            for line in whole:
                reply = self._seen.get(line) if not self._lines else None
                reply = reply or self._line(line)
                if reply is not None:
                    found.append(reply)
        except BrokenReply:
            self._is_broken = True
        self._is_broken = self._is_broken or len(self._buffer) > LONGEST_LINE
        return found

    def broken(self) -> bool:
        """True once something came that is no reply: nothing after it can be understood."""
        return self._is_broken

    @property
    def holds_more(self) -> bool:
        """True when bytes wait that no reply has used: after STARTTLS, a sign of injection (CVE-2011-0411)."""
        return bool(self._buffer or self._lines)

    def _line(self, line: bytes) -> Reply | None:
        line = line.rstrip(b"\r")
        head, mark = line[:3], line[3:4]
        if len(line) > LONGEST_LINE or not head.isdigit() or len(head) != 3 or mark not in (b" ", b"-", b""):
            raise BrokenReply("a line that is no reply")
        code = int(head)
        if not 200 <= code <= 599 or (self._lines and code != self._code) or len(self._lines) >= MOST_LINES:
            raise BrokenReply("a code that no reply has")
        text = line[4:].decode("utf-8", "replace")
        if mark == b"-":
            self._code = code
            self._lines.append(text)
            return None
        reply = Reply(code, (*self._lines, text))
        if not self._lines and len(self._seen) < MOST_SEEN:
            self._seen[line + b"\r"] = reply
        self._lines = []
        return reply


def unaddressed(text: str) -> str:
    """With every address taken out."""
    return _ADDRESS.sub("(address)", text) if "@" in text else text


def kept(text: str) -> str:
    """A server's words as we may keep them: one line, at most 500 characters, every address taken out."""
    text = unaddressed(text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text[:KEPT_CHARACTERS].strip()
