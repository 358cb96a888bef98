"""Fixtures for every room: a clock to be moved by hand, a configuration on a fresh folder, an app on a real database."""

import os
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.app import App, open_app
from digest.config import Config
from digest.config_file import read_config

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
def config(make_config: Callable[[str], Config]) -> Config:
    return make_config("")


@pytest.fixture
def app(config: Config, clock: Clock) -> Iterator[App]:
    with open_app(config, clock=clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the corpus (../shared/corpus) is not here")
    return CORPUS
