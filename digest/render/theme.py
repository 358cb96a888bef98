"""The letter's colours and type, light and dark. Values only."""

from dataclasses import dataclass, replace

from digest.colour import contrast
from digest.config import Config

SERIF = "Iowan Old Style,Palatino,Noto Serif,Georgia,serif"
SANS = "'Noto Sans','Segoe UI',Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One mode (light or dark) of the look, as #rrggbb. on_accent: words upon the accent."""

    paper: str
    sheet: str
    ink: str
    soft: str
    line: str
    accent: str
    on_accent: str
    link: str
    warn: str
    serif: str = SERIF
    sans: str = SANS

    def pairs(self) -> dict[str, tuple[str, str]]:
        """Every pair of words and ground that the letter prints, by name."""
        words = {
            "ink": self.ink,
            "soft": self.soft,
            "accent": self.accent,
            "link": self.link,
            "warn": self.warn,
        }
        return {f"{name} on sheet": (colour, self.sheet) for name, colour in words.items()} | {
            "on_accent on accent": (self.on_accent, self.accent)
        }


_LIGHT = Theme(paper="#faf8f4", sheet="#ffffff", ink="#1d2125", soft="#565f68", line="#e3ded4", accent="#1c5d48",
              on_accent="#ffffff", link="#0b57a4", warn="#8a5a00")  # fmt: skip
_DARK = Theme(paper="#14171a", sheet="#1b1f23", ink="#ece8e1", soft="#a9b1b8", line="#31373d", accent="#86d0b0",
             on_accent="#10221b", link="#8fc3ff", warn="#f0c36a")  # fmt: skip


def themes(config: Config) -> tuple[Theme, Theme]:
    """Light and dark, with the accents of the configuration and the words upon them that stand out most."""
    letter = config.letter
    return _with(_LIGHT, letter.accent), _with(_DARK, letter.accent_dark)


def _with(theme: Theme, accent: str) -> Theme:
    if accent == theme.accent:
        return theme
    words = max((_LIGHT.on_accent, _DARK.on_accent), key=lambda colour: contrast(colour, accent))
    return replace(theme, accent=accent, on_accent=words)
