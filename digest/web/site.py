"""What a request finds ready: the opened program, its templates, the errands. Made once by create_web."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import cast

from flask import current_app
from jinja2 import Environment

from digest.app import App
from digest.config import Config

LOG = logging.getLogger("digest.web")


class Errands:
    """Work that a request starts and does not wait for. One of a kind at a time; asked again meanwhile, it runs once more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._again: dict[str, Callable[[], object] | None] = {}
        self._threads: set[Thread] = set()

    def run(self, name: str, work: Callable[[], object]) -> None:
        with self._lock:
            if name in self._again:
                self._again[name] = work
                return
            self._again[name] = None
            thread = Thread(target=self._work, args=(name, work), name=f"digest-{name}", daemon=True)
            self._threads.add(thread)
        thread.start()

    def wait(self, timeout_s: float) -> None:
        """For closing down and for tests."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout_s)

    def _work(self, name: str, work: Callable[[], object]) -> None:
        following: Callable[[], object] | None = work
        while following:
            try:
                following()
            except Exception:
                LOG.exception("%s did not finish", name)
            with self._lock:
                following = self._again[name]
                if following:
                    self._again[name] = None
                else:
                    del self._again[name]


@dataclass(frozen=True, slots=True)
class Site:
    """prints: short hashes of the static files, so that browsers keep each version for good."""

    app: App
    prints: Mapping[str, str]
    errands: Errands = field(default_factory=Errands)

    @property
    def templates(self) -> Environment:
        """An operator's folder in front, file by file."""
        return self.app.press.templates

    @property
    def config(self) -> Config:
        return self.app.config


def site() -> Site:
    return cast(Site, current_app.extensions["digest"])


def post_notices() -> None:
    """One-off letters leave at once instead of at the next tick. Called for every asker alike, known or not."""
    here = site()
    here.errands.run("notices", here.app.send.notices)
