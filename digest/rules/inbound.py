"""What a letter that comes in asks for: to leave, or nothing that a program may decide. Pure; who it says it is from counts
for nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

_TOKEN = re.compile(
    r"(?:unsubscribe|désabonnement)[\s:+]+([A-Za-z0-9_-]{28})(?![A-Za-z0-9_-])", re.IGNORECASE
)
_OURS = re.compile(r"<((?:notice|\d{1,10})\.\d{1,18}\.[0-9a-f]{16}@[^<>\s]{1,255})>")
_WISH = re.compile(
    r"(?:please |kindly |i (?:want|wish|would like|’d like) to |s’il vous plaît,? |svp,? |veuillez |merci de |prière de "
    r"|je (?:veux|voudrais|souhaite|désire) )?"
    r"(?:unsubscribe|stop|remove me|leave|take me off"
    r"|d[ée]sabonne(?:z|r|ment)?(?:[- ]moi)?|(?:me |se |vous )?(?:d[ée]sabonner|d[ée]sinscrire)|d[ée]sinscri(?:ption|vez[- ]moi)"
    r"|(?:retirez|enlevez)[- ]moi|me (?:retirer|enlever)|arr[êe]t)"
    r"(?: me| moi)?(?: (?:from |off )?(?:this|the|your) (?:mailing )?(?:list|letter|newsletter)"
    r"| de (?:la |cette |votre )(?:liste|infolettre)(?: d’envoi)?)?"
    r"(?:,? (?:please|svp|s’il vous plaît|merci|thanks|thank you))*[\s.!]*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:bonjour|bonsoir|salut|all[ôo]|hello|hi|hey|good (?:morning|afternoon|evening))"
    r"(?: (?:there|all|everyone|everybody|à tous|à toutes|à toutes et à tous|madame, monsieur))?[\s,.!:]*",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"^(>|-- ?$|_{5,}|-{3,} ?(original|message)|on .* wrote:$|le .* a écrit\s?:$|from:|de\s?:)", re.IGNORECASE
)
_ANSWERED = re.compile(r"^((re|ré|tr|fwd?|rép)\s?:\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One letter, as far as it is looked at. answers: In-Reply-To and References. to: the addresses it was sent to.

    is_automatic: a machine wrote it (RFC 3834): then its words say nothing, and a token in it still does.
    """

    subject: str = ""
    body: str = ""
    to: Sequence[str] = ()
    answers: Sequence[str] = ()
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """To leave. token: of a leave link; message_id: of the letter that was answered. One of them is there."""

    token: str = ""
    message_id: str = ""


def wish(letter: Incoming) -> Wish | None:
    """By the token that our mailto put into the subject or the address, else by the words of an answer to a letter of
    ours: "unsubscribe" as its whole subject, or first line after a greeting. None: for people to read."""
    for text in (letter.subject, *letter.to):
        found = _TOKEN.search(text)
        if found:
            return Wish(token=found[1])
    ours = [match[0] for text in letter.answers for match in [_OURS.search(text)] if match]
    if not ours or letter.is_automatic:
        return None
    says = (_ANSWERED.sub("", letter.subject.strip()), _first_line(letter.body))
    return Wish(message_id=ours[0]) if any(_WISH.fullmatch(_plain(text)) for text in says) else None


def _first_line(body: str) -> str:
    for line in body.splitlines()[:50]:
        text = line.strip()
        if _QUOTED.match(text):
            return ""
        if text and not _GREETING.fullmatch(_plain(text)):
            return text
    return ""


def _plain(text: str) -> str:
    """One kind of apostrophe and of blank, accents as one sign: some programs write them as two."""
    return " ".join(normalize("NFC", text).replace("'", "’").replace("\u00a0", " ").split())
