"""A real browser against the real site on loopback: headless Chromium with Playwright, and axe-core on what it shows."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from digest.app import App
from digest.web import create_web
from digest.web.site import Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
PHONE, DESKTOP = {"width": 375, "height": 760}, {"width": 1280, "height": 860}


class _Quiet(WSGIRequestHandler):
    def log_request(self, *args: Any) -> None:
        """Nothing: tests print enough."""


@dataclass(frozen=True, slots=True)
class Served:
    """A site that answers at `url`."""

    url: str
    app: App
    web: Flask

    def settle(self) -> None:
        """Waits until letters asked for by requests have left."""
        found = self.web.extensions["digest"]
        assert isinstance(found, Site)
        found.errands.wait()


def _read_first(web: Flask) -> Callable[[dict[str, Any], Any], list[bytes]]:
    """Files are read and closed before the answer goes: the server forgets them when a browser hangs up meanwhile."""

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        parts: Any = web(environ, start_response)
        with closing(parts):
            return list(parts)

    return answer


@contextmanager
def served(app: App, *, door: socket.socket) -> Iterator[Served]:
    """The site in a thread, at this open door, whose port its configuration names."""
    web, port = create_web(app), door.getsockname()[1]
    server = make_server(
        "127.0.0.1", port, _read_first(web), threaded=True, request_handler=_Quiet, fd=door.fileno()
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    running = Served(f"http://127.0.0.1:{port}", app, web)
    try:
        yield running
    finally:
        running.settle()
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. Tests that ask for it are skipped, by name, on a machine without Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            with suppress(Exception):
                browser.close()


def close(context: Any) -> None:
    """Closes a context once its pages rest: Chromium may never answer when told to close one that is on its way."""
    for page in context.pages:
        page.goto("about:blank")
    context.close()


def faults(page: Any) -> list[str]:
    """What axe-core finds on a page: one line a rule and element; [] is well.

    Frames are taken out first, their titles looked at here: a sandboxed letter runs no script, and axe may wait for its
    answer for ever. The letter itself is looked at where it is rendered.
    """
    from axe_playwright_python.sync_playwright import Axe

    untitled = page.locator("iframe:not([title]), iframe[title='']").count()
    page.evaluate("document.querySelectorAll('iframe').forEach(frame => frame.remove())")
    found = Axe().run(page).response["violations"]
    return [f"{page.url} frame-title"] * untitled + [
        f"{page.url} {rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]
