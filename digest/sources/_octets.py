"""UTF-8 with a few odd bytes in it stays UTF-8. Never reads a whole document as Windows wrote it for the sake of one byte."""

import re

_TAIL = rb"[\x80-\xbf]"
_LETTERS = (  # well-formed sequences of more than one byte (RFC 3629, section 4)
    rb"(?:[\xc2-\xdf]%b|\xe0[\xa0-\xbf]%b|[\xe1-\xec\xee\xef]%b{2}|\xed[\x80-\x9f]%b|\xf0[\x90-\xbf]%b{2}"
    rb"|[\xf1-\xf3]%b{3}|\xf4[\x80-\x8f]%b{2})+"
) % ((_TAIL,) * 7)
_RUNS = re.compile(rb"(%b)|([\xe0-\xf4]%b{1,2}|[\x80-\xff])" % (_LETTERS, _TAIL))
_FEW = 5_000
_CUT = frozenset(
    b"\xc2\xc3\xe2\xf0"
)  # how é, ’, … and emoji begin; one that no letter follows was cut in two


def utf8_but_for_a_few(body: bytes) -> bytes | None:
    """The document as clean UTF-8: a letter that was cut in two is left out, a lone byte is read as Windows-1252.

    None: not UTF-8 at all, since its odd bytes outnumber its letters or are thousands. Linear in the length of body.
    """
    pieces: list[bytes] = []
    at = letters = odd = 0
    for found in _RUNS.finditer(body):
        if found[1]:
            letters += 1
            continue
        odd += 1
        if odd > _FEW:
            return None
        pieces += (body[at : found.start()], _meant(found[2], body[found.end() : found.end() + 1]))
        at = found.end()
    return b"".join((*pieces, body[at:])) if letters >= odd else None


def _meant(odd: bytes, following: bytes) -> bytes:
    if len(odd) > 1 or odd in (b"\xc2", b"\xc3") or (odd[0] in _CUT and not following.isalpha()):
        return b""
    return odd.decode("cp1252", "ignore").encode()
