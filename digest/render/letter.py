"""One letter per edition, built once: static bytes with slots for what differs by reader, then spliced per reader.

Nothing is rendered per reader. Every slot is typed by its place: checked in a header, escaped in HTML, encoded in a body.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.utils import format_datetime
from functools import lru_cache
from html import escape

from digest.errors import RenderError
from digest.model import Address
from digest.render.message import LINE, alternative, in_quoted_printable, joint, quoted_printable, to_header

_FORMAT = b"digest letter 1\n"
_HEADER_SLOTS = ("To", "Date", "Message-ID", "List-Unsubscribe")
_BODY_SLOTS = ("unsubscribe text", "preferences text", "unsubscribe html", "preferences html")
_SLOTS = (*_HEADER_SLOTS, *_BODY_SLOTS)  # in the order in which they are filled
_ENCODED = re.compile("[=&']").search  # what quoted-printable or HTML writes otherwise
_MAY_STAND_IN_HEADERS = re.compile(
    r"(?:https?://[!#-;=?-~]+ ){2}<[!-;=?-~]+@[!-;=?-~]+>"
).fullmatch  # both links and the Message-ID, looked at in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """What differs by reader. message_id: with its angle brackets; date: aware; the links: absolute addresses."""

    to: Address
    message_id: str
    date: datetime
    unsubscribe_url: str
    preferences_url: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What the templates print where a reader's own links will stand.

    They hold a digest of the whole issue, so no feed can foresee them and have a reader's link printed in its own.
    """

    seed: str

    @property
    def unsubscribe(self) -> str:
        return f"slot-unsubscribe-{self.seed}"

    @property
    def preferences(self) -> str:
        return f"slot-preferences-{self.seed}"

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(f"slot-(unsubscribe|preferences)-{self.seed}")

    def filled(self, rendered: str, *, unsubscribe: str, preferences: str) -> str:
        """A render with something else where its marks stand."""
        return rendered.replace(self.unsubscribe, unsubscribe).replace(self.preferences, preferences)


class Compiled:
    """The bytes of one edition with their slots. `splice` makes one reader's message in a few microseconds."""

    def __init__(self, pieces: list[bytes | str], *, marks: Marks, mail_to: str) -> None:
        self.marks = marks
        self._pieces = pieces
        self._holes = [
            (index, _SLOTS.index(piece)) for index, piece in enumerate(pieces) if isinstance(piece, str)
        ]
        self._leave_by_mail = f">, <mailto:{mail_to}?subject=unsubscribe%20"
        self._leave_by_mail_bytes = self._leave_by_mail.encode("ascii")

    @property
    def pieces(self) -> Sequence[bytes | str]:
        """Static bytes, and names of slots, in their order."""
        return self._pieces

    def splice(self, slots: Slots) -> bytes:
        """Message bytes for one reader, CRLF, not dot-stuffed. Raises RenderError for a value that its place refuses."""
        return b"".join(self.cut(slots))

    def cut(self, slots: Slots) -> list[bytes]:
        """The same uncopied, as pieces in their order; what readers share is shared."""
        return self.filled(slots)

    def filled(self, slots: Slots) -> list[bytes]:
        """The pieces with this reader's values in their slots."""
        leave, settings = slots.unsubscribe_url, slots.preferences_url
        if not _MAY_STAND_IN_HEADERS(f"{leave} {settings} {slots.message_id}"):
            raise RenderError("A link or a Message-ID of this reader holds a sign that no header may hold.")
        bare_leave, bare_settings = leave.encode("ascii"), settings.encode("ascii")
        if len(leave) < LINE and len(settings) < LINE and not _ENCODED(leave + settings):
            in_bodies = (bare_leave, bare_settings, bare_leave, bare_settings)
        else:
            in_bodies = (
                in_quoted_printable(leave), in_quoted_printable(settings),
                in_quoted_printable(escape(leave)), in_quoted_printable(escape(settings)),
            )  # fmt: skip
        token = bare_leave.rpartition(b"/")[2]
        values = (
            to_header(slots.to), date_header(slots.date), slots.message_id.encode("ascii"),
            b"<%s%s%s>" % (bare_leave, self._leave_by_mail_bytes, token), *in_bodies,
        )  # fmt: skip
        filled = self._pieces.copy()
        for index, place in self._holes:
            filled[index] = values[place]
        return filled  # type: ignore[return-value]  # every str was a hole

    def to_bytes(self) -> bytes:
        """The form that is frozen in the store."""
        plan = [piece if isinstance(piece, str) else len(piece) for piece in self._pieces]
        head = json.dumps({"pieces": plan, "mail_to": self.mail_to, "marks": self.marks.seed}).encode("ascii")
        return b"".join([_FORMAT, head, b"\n", *(p for p in self._pieces if isinstance(p, bytes))])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Compiled":
        """Raises RenderError when these are not the bytes of a compiled letter."""
        try:
            if not data.startswith(_FORMAT):
                raise ValueError("unknown form")
            head, _, static = data[len(_FORMAT) :].partition(b"\n")
            plan = json.loads(head)
            pieces = list(_cut(plan["pieces"], static))
            return cls(pieces, marks=Marks(plan["marks"]), mail_to=plan["mail_to"])
        except (ValueError, KeyError, TypeError) as error:
            raise RenderError(
                "A frozen letter cannot be read; hold the issue and approve it again."
            ) from error

    @property
    def mail_to(self) -> str:
        return self._leave_by_mail.removeprefix(">, <mailto:").partition("?")[0]


def compile_letter(headers: bytes, *, html: str, text: str, marks: Marks, mail_to: str) -> Compiled:
    """Static bytes and slots of one edition. headers: those that all readers share, CRLF lines.

    mail_to: where a letter goes that asks to leave. Raises RenderError when the letter, spliced for a trial reader and
    read back, differs from what was rendered.
    """
    slotted = b"".join(f"{name}: \0{name}\0\r\n".encode() for name in _HEADER_SLOTS)
    whole = alternative(slotted + headers, _body(text, marks, "text"), _body(html, marks, "html"))
    pieces = [piece.decode("ascii") if odd % 2 else piece for odd, piece in enumerate(whole.split(b"\0"))]
    compiled = Compiled(pieces, marks=marks, mail_to=mail_to)
    _prove(compiled, html=html, text=text)
    return compiled


def _body(rendered: str, marks: Marks, kind: str) -> bytes:
    """Quoted-printable, each slot on lines of its own: a soft break would split a mark, and a splice make a long line."""
    parts = marks.pattern.split(rendered)
    body = [quoted_printable(part) if odd % 2 == 0 else b"" for odd, part in enumerate(parts)]
    for odd in range(1, len(parts), 2):
        body[odd] = b"%s\0%s %s\0%s" % (joint(), parts[odd].encode(), kind.encode(), joint())
    return b"".join(body)


def _cut(plan: list[int | str], static: bytes) -> Iterator[bytes | str]:
    start = 0
    for step in plan:
        if isinstance(step, str):
            yield step
        else:
            yield static[start : start + step]
            start += step
    if start != len(static):
        raise ValueError("bytes missing or left over")


@lru_cache(maxsize=4)
def date_header(at: datetime) -> bytes:
    """RFC 5322 section 3.3; readers of one second share it."""
    return format_datetime(at).encode("ascii")


def _prove(compiled: Compiled, *, html: str, text: str) -> None:
    """The self-test at compile: a trial reader whose links need escaping, encoding and a line of their own."""
    links = {"unsubscribe": f"https://list.example.org/unsubscribe/{'q' * 70}?a=1&b='2'",
             "preferences": "https://list.example.org/preferences/t?x=%C3%A9&y=2"}  # fmt: skip
    trial = Slots(to=Address("trial+reader@example.org"), message_id="<1.2.abc@example.org>",
                  date=datetime.fromisoformat("2026-12-01T14:00:00+00:00"), unsubscribe_url=links["unsubscribe"],
                  preferences_url=links["preferences"])  # fmt: skip
    data = compiled.splice(trial)
    message = message_from_bytes(data)
    faults = [*_shape_faults(data)]
    parts = message.get_payload() if message.is_multipart() else []
    for part, wanted in zip(parts, (text, html), strict=False):
        there = {k: escape(v) for k, v in links.items()} if wanted is html else links
        found = part.get_payload(decode=True).decode("utf-8")
        if _lines(found) != _lines(compiled.marks.filled(wanted, **there)):
            faults.append(f"the {part.get_content_subtype()} part does not come back as it was written")
    leave = f"<{links['unsubscribe']}>, <mailto:"
    if (
        len(parts) != 2
        or message["To"] != trial.to.reveal()
        or not message["List-Unsubscribe"].startswith(leave)
    ):
        faults.append("a header does not come back as it was written")
    if faults:
        raise RenderError(f"The letter failed its own test: {'; '.join(faults)}.")


def _shape_faults(data: bytes) -> Iterator[str]:
    lines = data.split(b"\r\n")
    if not data.isascii():
        yield "a byte above 127"
    if any(b"\n" in line or b"\r" in line for line in lines):
        yield "a bare line end"
    if any(len(line) > 998 for line in lines):
        yield "a line over 998 characters"
    body = data.partition(b"\r\n\r\n")[2]
    if any(len(line) > 76 or line.startswith((b".", b"From ")) for line in body.split(b"\r\n")):
        yield "a body line that a relay would change"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip("\n")
