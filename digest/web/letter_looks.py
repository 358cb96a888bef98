"""The previewed letter as other programs show it: the sender's own bytes, less what such a program would ignore."""

import re
from html import unescape

_DARK = re.compile(r"@media ?\(prefers-color-scheme: ?dark\)")
_SCHEME = re.compile(r"color-scheme: ?light dark")
_HEAD_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"<h3\b[^>]*>(.*?)</h3>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def seen(html: str, look: str) -> str:
    """light and dark: whatever this screen prefers; word: no styles in the head, as desktop Outlook; else as it is."""
    if look in {"dark", "light"}:
        html = _DARK.sub("@media all" if look == "dark" else "@media not all", html)
        return _SCHEME.sub(f"color-scheme: {look}", html)
    return _HEAD_STYLE.sub("", html) if look == "word" else html


def marked(html: str, title: str) -> str:
    """With a mark named `at` on the heading that holds this title, so that the frame can open there."""
    for heading in _HEADING.finditer(html):
        if unescape(_TAG.sub("", heading[1])).split() == title.split():
            return f'{html[: heading.start()]}<h3 id="at"{html[heading.start() + 3 :]}'
    return html
