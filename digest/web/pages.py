"""One template and its values become one page. Everything a template may say comes from here; see docs for the names."""

from typing import Any

from flask import Response, g, make_response, request

from digest.model import Language
from digest.web import language as tongue
from digest.web.security import is_from_here
from digest.web.site import site


def page(name: str, /, *, status: int = 200, **values: Any) -> Response:
    """templates/web/<name> as an answer. `values` come on top of the names that every page has."""
    response = make_response(rendered(name, **values), status)
    response.headers["Content-Language"] = tongue.spoken().value
    return response


def rendered(name: str, /, **values: Any) -> str:
    """templates/web/<name> as text."""
    return site().templates.get_template(f"web/{name}").render({**_names(), **values})


def to(path: str) -> str:
    """A path of ours in the language of this page."""
    return f"{request.script_root}{tongue.path_in(tongue.spoken(), path)}"


def public_url(path: str, language: Language) -> str:
    """The full address of a bare path, for feeds, canonical links and machines."""
    return f"{site().config.list.url}{tongue.path_in(language, path)}"


def _names() -> dict[str, Any]:
    here, language = site(), tongue.spoken()
    other = Language.FR if language is Language.EN else Language.EN
    return {
        "words": tongue.words(),
        "lang": language.value,
        "other_lang": other.value,
        "switch": f"{request.script_root}{tongue.switch_path(request.path)}",
        "to": to,
        "asset": asset,
        "shown_form": here.app.join.form,
        "public_url": public_url,
        "bare_path": tongue.bare(request.path),
        "list": here.config.list,
        "list_name": here.config.list.name.in_(language),
        "is_trial": here.config.mail.transport == "folder" and is_from_here(),
        "editor": g.get("editor"),
        "form_token": g.get("form_token", ""),
    }


def asset(name: str) -> str:
    """A static file by the version that is installed."""
    return f"{request.script_root}/static/{name}?v={site().prints[name]}"
