"""The previewed letter as other programs show it: the sender's own bytes, less what such a program would ignore."""

import re
from html import unescape

_DARK = "@media (prefers-color-scheme: dark)"
_HEAD_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"<h3\b[^>]*>(.*?)</h3>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def seen(html: str, look: str) -> str:
    """light and dark: whatever this screen prefers; word: no styles in the head, as desktop Outlook; else as it is."""
    if look == "dark":
        return html.replace(_DARK, "@media all").replace("color-scheme: light dark", "color-scheme: dark")
    if look == "light":
        return html.replace(_DARK, "@media not all").replace(
            "color-scheme: light dark", "color-scheme: light"
        )
    return _HEAD_STYLE.sub("", html) if look == "word" else html


def marked(html: str, title: str) -> str:
    """With a mark named `at` on the heading that holds this title, so that the frame can open there."""
    for heading in _HEADING.finditer(html):
        if unescape(_TAG.sub("", heading[1])).split() == title.split():
            return f'{html[: heading.start()]}<h3 id="at"{html[heading.start() + 3 :]}'
    return html
