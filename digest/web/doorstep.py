"""Sign-up at the doorstep: the one form that a crowd may send at once is answered before Flask is asked. Nothing is decided here.

What is out of the ordinary goes on to public.subscribe, which hears the same ask and answers with the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask
from jinja2 import Environment, Template, meta

from digest import errors
from digest.rules.guard import is_this_machine
from digest.web import public
from digest.web.site import Site, post_notices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATHS = frozenset({"/subscribe", "/fr/subscribe"})
_LONGEST = 16 * 1024
LONGEST_WAIT_S = 3.0
_ODD = "werkzeug.url_quote"  # what is no UTF-8 stays as it is written


@dataclass(frozen=True, slots=True)
class _Shown:
    """The answer that everybody gets. made_of: the templates that it was rendered from; none: it is never the same."""

    headers: list[tuple[str, str]]
    body: bytes
    made_of: tuple[Template, ...]


class Doorstep:
    """Stands in front of the site and of what werkzeug makes of the headers of proxies."""

    def __init__(self, flask_app: Flask, inner: "WSGIApplication", *, here: Site) -> None:
        self._flask, self._inner, self._here = flask_app, inner, here
        self._proxies = here.config.web.trusted_proxies
        self._shown: dict[str, _Shown] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        ip = self._from(environ)
        body = self._ordinary(environ, ip)
        if body is None:
            return self._inner(environ, start_response)
        path: str = environ["PATH_INFO"]
        shown = self._answer(path)
        try:
            if not shown.made_of or not self._heard(body, path, ip):
                return self._inner(environ, start_response)
        except Exception as error:  # noqa: BLE001 - raised again in there, and told as everywhere else
            environ[public.FAILED] = error
            return self._inner(environ, start_response)
        post_notices(self._here)
        start_response("200 OK", shown.headers.copy())
        return [shown.body]

    def _from(self, environ: "WSGIEnvironment") -> str | None:
        """Whom the last trusted proxy answers: what ProxyFix finds in a plain list, and what it leaves without one. None
        for a list that is not plain."""
        listed: str = environ.get("HTTP_X_FORWARDED_FOR", "") if self._proxies else ""
        hops = [one.strip() for one in listed.split(",")]
        if '"' in listed or (listed and not all(hops)):
            return None
        if listed and len(hops) >= self._proxies:
            return hops[-self._proxies]
        address: str | None = environ.get("REMOTE_ADDR")
        return address

    def _ordinary(self, environ: "WSGIEnvironment", ip: str | None) -> bytes | None:
        """What a browser sent with the form of sign-up, readable again; None for everything else."""
        if (
            environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] not in _PATHS or environ["SCRIPT_NAME"]
            or environ.get("CONTENT_TYPE") != "application/x-www-form-urlencoded"
            or ip is None or is_this_machine(ip)
        ):  # fmt: skip
            return None  # who tries it out at home is shown where the letters lie
        length: str = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdigit() and len(length) < 6 and int(length) <= _LONGEST):
            return None
        body: bytes = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        return body

    def _heard(self, body: bytes, path: str, ip: str | None) -> bool:
        """False for what public.subscribe must answer in words. Raises whatever an ask raises, but for that."""
        app = self._here.app
        try:
            pairs = _pairs(body.decode())
        except ValueError:
            return False
        app.send.courtesy.asked()
        app.store.wait_at_most(LONGEST_WAIT_S)
        try:
            app.join.ask(public.ask_in(pairs, path=path, ip=ip))
        except errors.AddressRefused:
            return False
        return True

    def _answer(self, path: str) -> _Shown:
        shown = self._shown.get(path)
        if shown is None or not all(one.is_up_to_date for one in shown.made_of):
            shown = self._shown[path] = self._rendered(path)
        return shown

    def _rendered(self, path: str) -> _Shown:
        """As Flask would answer somebody from elsewhere. A template of the operator's own may show another form, whose
        token is good only once."""
        made_of = _made_of(self._here.templates, "web/code.html")
        forms: list[str] = []

        def shown_form() -> str:
            forms.append("")
            return ""

        with self._flask.test_request_context(path, method="POST", environ_base={"REMOTE_ADDR": "192.0.2.1"}):
            self._flask.preprocess_request()
            response = self._flask.process_response(public.asked(shown_form=shown_form))
        return _Shown(response.headers.to_wsgi_list(), response.get_data(), () if forms else made_of)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Names and values as werkzeug reads them. Every address holds an @, which need not be looked for among all signs."""
    halves = (one.partition("=") for one in text.replace("+", " ").replace("%40", "@").split("&") if one)
    return [(unquote(name, errors=_ODD), unquote(value, errors=_ODD)) for name, _, value in halves]


def _made_of(templates: Environment, name: str) -> tuple[Template, ...]:
    """The templates behind a page as they are now; none when one of them is named only while it is rendered."""
    found: dict[str, Template] = {}
    waiting: list[str | None] = [name]
    while waiting:
        one = waiting.pop()
        if one is None or templates.loader is None:
            return ()
        if one not in found:
            found[one] = templates.get_template(one)
            source = templates.loader.get_source(templates, one)[0]
            waiting += meta.find_referenced_templates(templates.parse(source))
    return tuple(found.values())
