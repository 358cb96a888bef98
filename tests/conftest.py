"""Fixtures for every room: a clock to be moved by hand, a configuration on a fresh folder, an app on a real database."""

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask

from digest.app import App, open_app
from digest.config import Config
from digest.config_file import read_config
from digest.web import create_web
from tests import browser_kit, web_kit

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
ZONES = ("UTC", "America/St_Johns", "America/Vancouver", "Asia/Kathmandu", "Pacific/Auckland")
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def pytest_configure(config: pytest.Config) -> None:
    """Every run stands in another time zone and locale; both are printed, so that a failure can be met again."""
    zone = os.environ.get("DIGEST_TEST_TZ") or random.Random(os.getpid()).choice(ZONES)
    os.environ["DIGEST_TEST_TZ"] = os.environ["TZ"] = zone
    os.environ.setdefault("DIGEST_TEST_LANG", random.Random(os.getpid()).choice(("C", "C.UTF-8")))
    os.environ["LC_ALL"] = os.environ["DIGEST_TEST_LANG"]
    time.tzset()
    for variable in [name for name in os.environ if name.startswith("DIGEST_") and "TEST" not in name]:
        del os.environ[variable]
    # No test is timed: how long a machine with other work takes says nothing about us.
    hypothesis.settings.register_profile("digest", deadline=None)
    hypothesis.settings.load_profile("digest")


def pytest_report_header() -> str:
    return f"time zone {os.environ['TZ']}, locale {os.environ['LC_ALL']} (set DIGEST_TEST_TZ, DIGEST_TEST_LANG to choose)"


class Clock:
    """The clock that tests hand out; it stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.time = start

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[[str], Config]:
    """Writes config.toml into a fresh folder and reads it."""

    def make(extra: str = "") -> Config:
        path = tmp_path / "config.toml"
        path.write_text(
            '[list]\nname.en = "Test letter"\nname.fr = "Infolettre d’essai"\nfrom = "letter@lists.example.org"\n'
            'postal_address = "1 Main St, Ottawa"\nurl = "https://digest.example.org"\n'
            '[collect]\nallow_private = ["127.0.0.0/8"]\n' + extra,
            encoding="utf-8",
        )
        return read_config(path)

    return make


@pytest.fixture
def settings() -> str:
    """What config.toml says besides; a module with more to say has a fixture of this name."""
    return ""


@pytest.fixture
def config(make_config: Callable[[str], Config], settings: str) -> Config:
    return make_config(settings)


@pytest.fixture
def app(config: Config, clock: Clock) -> Iterator[App]:
    with open_app(config, clock=clock) as opened:
        yield opened


@pytest.fixture
def web(app: App) -> Flask:
    return create_web(app)


@pytest.fixture
def month(app: App) -> web_kit.Month:
    """A draft in the making; its sources are `web_kit.SOURCES`."""
    made = web_kit.fill(app)
    app.publish.assemble(made.period)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_kit.chromium() as opened:
        yield opened


@pytest.fixture
def site(
    make_config: Callable[[str], Config], settings: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[browser_kit.Served]:
    """The site on loopback with `web_kit.SOURCES` and the true clock, for a browser."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setenv("DIGEST_LIST__URL", f"http://127.0.0.1:{door.getsockname()[1]}")
        config = make_config(settings + web_kit.SOURCES)
        with open_app(config) as app, browser_kit.served(app, door=door) as running:
            yield running


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the corpus (../shared/corpus) is not here")
    return CORPUS
