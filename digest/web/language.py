"""Which language a page speaks: the path says it, `/fr/…` or not. Never a cookie, never a guess that the path contradicts."""

from flask import g, request

from digest.model import Language
from digest.words import Words

PREFIX = "/fr"


def of_path(path: str) -> Language:
    return Language.FR if path == PREFIX or path.startswith(f"{PREFIX}/") else Language.EN


def bare(path: str) -> str:
    """The path without its language: `/fr/issues/` and `/issues/` are one page."""
    return (path[len(PREFIX) :] or "/") if of_path(path) is Language.FR else path


def path_in(language: Language, path: str) -> str:
    """The twin of a bare path."""
    return f"{PREFIX}{path}" if language == Language.FR else path


def spoken() -> Language:
    """The language of this request."""
    language: Language = g.get("language") or of_path(request.path)
    return language


def speak(language: Language) -> None:
    """For pages behind a mailed link: whoever wrote the letter knows what its reader speaks.

    `/fr/` in the path or `?lang=en` (what the switch on such a page says) still wins.
    """
    if of_path(request.path) is Language.EN and request.args.get("lang") != Language.EN:
        g.language = language


def preferred() -> Language:
    """What the browser asks for; only where nothing else is known (a link that cannot be read)."""
    best = request.accept_languages.best_match([Language.EN.value, Language.FR.value])
    return Language(best) if best else Language.EN


def words() -> Words:
    return Words(spoken())


def switch_path(path: str) -> str:
    """The same page in the other language."""
    if spoken() is Language.EN:
        return path_in(Language.FR, bare(path))
    return bare(path) if of_path(path) is Language.FR else f"{path}?lang=en"
