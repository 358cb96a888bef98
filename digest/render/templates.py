"""Where templates lie and how they are read: an operator's folder first, file by file, then ours."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from digest.render.text import attribute, leader, rule, told, wrap


def packaged_folder() -> Path:
    """The templates that came with the program: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def environment(folders: Sequence[Path] = ()) -> Environment:
    """A Jinja environment over `folders`, the first one winning, with the packaged folder behind them.

    HTML and XML are escaped, text is not. A name the context does not hold is an error, never an empty space.
    """
    places = [*folders, packaged_folder()]
    made = Environment(
        loader=FileSystemLoader(places),
        autoescape=select_autoescape(
            enabled_extensions=("html", "xml"), default=False, default_for_string=True
        ),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["attribute"] = attribute
    made.filters["leader"] = leader
    made.filters["told"] = told
    made.filters["wrap"] = wrap
    made.filters["rule"] = rule
    return made
