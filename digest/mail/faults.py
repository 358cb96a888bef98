"""What a mail server, or the folder, can do to us: a MailError with its sentence and its code. Decides nothing."""

import errno

from digest.errors import MailError
from digest.model import Language, PauseReason
from digest.words import told

_WHY = {
    "it closed the connection": "closed", "the connection broke": "broke",
    "it answered with something that is no SMTP reply": "nonsense",
}  # fmt: skip
_SILENT = "no answer within the time-out ("
_NAMED = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT, errno.ECONNRESET}


def fault(code: str, **facts: object) -> MailError:
    """code: a sentence of digest/words/sending.*.toml; facts: what stands in it."""
    plain: dict[str, str | int] = {
        name: fact if type(fact) is int else str(fact) for name, fact in facts.items()
    }
    return MailError(told(PauseReason(code, plain), Language.EN), key=f"sending.{code}", **plain)


def ending(words: str) -> str:
    """What ended a connection, as a fact: ours by its code, the server's as it said them."""
    if words.startswith(_SILENT):
        return f"silent {words.removeprefix(_SILENT).rstrip(')')}"
    return _WHY.get(words, words)


def system_said(error: OSError) -> str:
    """What the system says of a connection that cannot be made."""
    if error.errno is None:
        return "nowhere"
    return errno.errorcode[error.errno].lower() if error.errno in _NAMED else (error.strerror or "").lower()
