"""What a request finds ready: the opened program, its templates, the errands. Made once by create_web."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Lock, Thread, current_thread
from typing import cast

from flask import current_app
from jinja2 import Environment

from digest.app import App
from digest.config import Config
from digest.web.presence import Presence

LOG = logging.getLogger("digest.web")


class Errands:
    """Work that a request starts and does not wait for. One of a kind at a time; asked again meanwhile, it runs once more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._closing = Event()
        self._again: dict[str, Callable[[], object] | None] = {}
        self._threads: set[Thread] = set()

    def run(self, name: str, work: Callable[[], object]) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            if name in self._again:
                self._again[name] = work
                return
            self._again[name] = None
            thread = Thread(target=self._work, args=(name, work), name=f"digest-{name}", daemon=True)
            self._threads.add(thread)
            thread.start()  # inside: nobody may wait for a thread that has not begun

    def is_closing(self) -> bool:
        """Long work asks, and leaves the rest for the next start."""
        return self._closing.is_set()

    def wait(self) -> None:
        """Until nothing is under way."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Nothing new is begun, what is under way is let end: the store must not be closed under it."""
        self._closing.set()
        self.wait()

    def _work(self, name: str, work: Callable[[], object]) -> None:
        following: Callable[[], object] | None = work
        while following:
            try:
                following()
            except Exception:
                LOG.exception("%s did not finish", name)
            with self._lock:
                following = None if self._closing.is_set() else self._again[name]
                if following:
                    self._again[name] = None
                else:
                    del self._again[name]
                    self._threads.discard(current_thread())


@dataclass(frozen=True, slots=True)
class Site:
    """prints: short hashes of the static files, so that browsers keep each version for good."""

    app: App
    prints: Mapping[str, str]
    errands: Errands = field(default_factory=Errands)
    presence: Presence = field(default_factory=Presence)

    @property
    def templates(self) -> Environment:
        """An operator's folder in front, file by file."""
        return self.app.press.templates

    @property
    def config(self) -> Config:
        return self.app.config


def site() -> Site:
    return cast(Site, current_app.extensions["digest"])


def post_notices(here: Site | None = None) -> None:
    """One-off letters leave in the next quiet moment instead of at the next tick. Called for every asker alike, known or not."""
    here = here or site()
    here.app.send.courtesy.asked()
    here.errands.run("notices", here.app.send.notices)
