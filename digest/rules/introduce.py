"""What readers say of themselves, judged when it comes in: two sentences, a name, perhaps a way to reach them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from digest.errors import AddressRefused, InputRefused
from digest.rules.consent import readable_address
from digest.rules.guard import one_line
from digest.rules.links import shown_link

NAME_LENGTH, SENTENCE_LENGTH, LINK_LENGTH = 80, 200, 500
MOST_IN_AN_ISSUE = 4


class IntroductionRefused(InputRefused):
    """field: which is to be mended: name, who, looks_for or link."""

    def __init__(self, field: str) -> None:
        super().__init__(f"The field {field} of this introduction cannot be used.")
        self.field = field


@dataclass(frozen=True, slots=True)
class Hello:
    """An introduction that can be kept. link: a web address or `mailto:`."""

    name: str
    who: str
    looks_for: str
    link: str | None


def judged_hello(sent: Mapping[str, str]) -> Hello:
    """sent: name, who, looks_for, link, as typed; a link may be an e-mail address. Raises IntroductionRefused."""
    found = {
        field: one_line(sent.get(field, ""), most=most)
        for field, most in (("name", NAME_LENGTH), ("who", SENTENCE_LENGTH), ("looks_for", SENTENCE_LENGTH))
    }
    for field, text in found.items():
        if not text:
            raise IntroductionRefused(field)
    return Hello(link=_link(sent.get("link", "").strip()[:LINK_LENGTH]), **found)


def _link(typed: str) -> str | None:
    if not typed:
        return None
    if "@" in typed and "/" not in typed:
        try:
            return f"mailto:{readable_address(typed.removeprefix('mailto:')).reveal()}"
        except AddressRefused:
            raise IntroductionRefused("link") from None
    link = shown_link(typed)
    if link is None:
        raise IntroductionRefused("link")
    return link
