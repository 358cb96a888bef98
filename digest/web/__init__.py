"""The doors for people: everyone's pages, the archive, the editors' desk. The one room that knows Flask."""

from hashlib import sha256
from pathlib import Path

from flask import Flask, g, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from digest.app import App
from digest.web import (
    archive,
    desk,
    desk_import,
    entrances,
    faults,
    hello,
    language,
    leaving,
    machines,
    outbox,
    public,
    security,
    settings,
    suggest,
)
from digest.web.doorstep import LONGEST_WAIT_S, Doorstep
from digest.web.site import Site, site

_STATIC = Path(__file__).parent / "static"
_LARGEST_FORM = 256 * 1024
_A_YEAR_S = 31_536_000


def create_web(app: App) -> Flask:
    """The web site of one opened program. Every page has its French twin under /fr/."""
    made = Flask("digest.web", static_folder=str(_STATIC), static_url_path="/static", template_folder=None)
    made.config.update(MAX_CONTENT_LENGTH=_LARGEST_FORM, MAX_FORM_MEMORY_SIZE=_LARGEST_FORM,
                       SEND_FILE_MAX_AGE_DEFAULT=_A_YEAR_S)  # fmt: skip
    made.url_map.converters["int"] = _Number
    here = Site(app=app, prints=_prints())
    made.extensions["digest"] = here
    app.before_closing(here.errands.close)
    for doors in (
        public.doors,
        leaving.doors,
        settings.doors,
        hello.doors,
        entrances.doors,
        suggest.doors,
        archive.doors,
        outbox.doors,
    ):
        blueprint = doors()
        made.register_blueprint(blueprint)
        made.register_blueprint(blueprint, url_prefix=language.PREFIX, name=f"{blueprint.name}_fr")
    made.register_blueprint(desk.doors(), url_prefix="/desk")
    made.register_blueprint(desk.doors(), url_prefix=f"{language.PREFIX}/desk", name="desk_fr")
    made.register_blueprint(machines.doors())
    made.before_request(_first)
    made.after_request(security.seal)
    faults.watch(made)
    proxies = app.config.web.trusted_proxies
    if proxies:
        made.wsgi_app = ProxyFix(made.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    made.wsgi_app = Doorstep(made, made.wsgi_app, here=here)  # type: ignore[method-assign]
    return made


class _Number(IntegerConverter):
    """A number in a path, if it can be the id of anything at all: SQLite counts in 64 bits."""

    regex = r"\d{1,18}"


def _first() -> None:
    """One step and not three: each costs every page a little.

    Another process that holds the database costs one request a few seconds, and not the whole site half a minute.
    """
    g.language = language.of_path(request.path)
    app = site().app
    app.send.courtesy.asked()
    app.store.wait_at_most(LONGEST_WAIT_S)
    desk_import.make_room()


def _prints() -> dict[str, str]:
    return {
        path.name: sha256(path.read_bytes()).hexdigest()[:10] for path in _STATIC.iterdir() if path.is_file()
    }
