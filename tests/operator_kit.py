"""The sample community under a test's clock: its site on loopback, a config.toml that names it, the opened house."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from digest.app import App, open_app
from digest.config_file import read_config
from digest.demo_words import config_text
from digest.sample.people import sample_readers
from digest.sample.site import SampleSite

EDITOR = "editor@example.org"


@dataclass(frozen=True)
class Community:
    """config: its config.toml. site: what it publishes."""

    config: Path
    site: SampleSite
    app: App

    def join(self, count: int) -> None:
        for one in sample_readers(count):
            self.app.join.add(one.address, basis="express", origin="a test", language=one.language)

    def issues(self) -> list[Path]:
        """What readers got of an issue; reminders to editors and other one-off letters left out."""
        return [path for path in self.letters() if path.name.startswith("issue-")]

    def letters(self) -> list[Path]:
        return sorted((self.config.parent / "outbox").glob("*.eml"))


@contextmanager
def community(folder: Path, *, clock: Callable[[], datetime], extra: str = "") -> Iterator[Community]:
    with SampleSite(clock=clock) as site:
        config = folder / "config.toml"
        config.write_text(
            config_text(port=8000, sources=site.sources(), editor=EDITOR) + extra, encoding="utf-8"
        )
        with open_app(read_config(config), clock=clock) as app:
            yield Community(config, site, app)
