"""`digest demo`: a month of a made-up community, through the same verbs as a real one. Everything it makes lies in one folder."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from digest import demo_words
from digest.app import App, now, open_app
from digest.config_file import read_config
from digest.errors import InputRefused, MailError
from digest.invite import invite
from digest.model import Issue, IssueState, Item, Language, Period, Role, Visit
from digest.rules.preflight import Check
from digest.sample.people import sample_readers
from digest.sample.site import SampleSite
from digest.serve import free_port, serve

DEFAULT_READERS = 50
EDITOR = "editor@example.org"
_HOST = "127.0.0.1"
_MARK = ".made-by-digest-demo"
_OURS = ("config.toml", "subscribers.key")
_DATABASE = "subscribers.db"
_BY = "demo"
# What shows how far sending is: given the total, a context whose step takes how many are done, and a line.
Sending = Callable[[int], AbstractContextManager[Callable[[int, str], None]]]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def _unseen(total: int) -> Iterator[Callable[[int, str], None]]:
    """Progress that nobody watches."""
    yield lambda done, line: None


class Demo:
    """Makes the folder, starts the sample community's site and opens the house; a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        readers: int,
        say: Callable[[str], None],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._folder = folder
        self._wanted = port
        self._readers = readers
        self._say = say
        self._clock = clock
        self._opened = ExitStack()

    def __enter__(self) -> "Demo":
        """Raises InputRefused when the folder is not ours to use, ConfigError when no port is free."""
        _forget_overrides()
        with ExitStack() as opened:
            opened.enter_context(_claimed(self._folder))
            self._port = free_port(_HOST, wanted=self._wanted) or free_port(_HOST, wanted=8000)
            self._site = opened.enter_context(
                SampleSite(clock=self._clock, port=free_port(_HOST, wanted=self._port + 1))
            )
            config = self._folder / "config.toml"
            config.write_text(
                demo_words.config_text(port=self._port, sources=self._site.sources(), editor=EDITOR),
                encoding="utf-8",
            )
            self._app: App = opened.enter_context(open_app(read_config(config), clock=self._clock))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def run(self, *, sending: Sending = _unseen) -> None:
        """The month, told while it happens. Raises DigestError when a step of it cannot be done."""
        local = self._app.clock().astimezone(ZoneInfo(self._app.config.list.timezone))
        period = Period(local.year, local.month)
        self._say(
            f"A month of a made-up community, in the folder {self._folder} (our own words; everybody lives at example.org)."
        )
        self._say("")
        self._tell(demo_words.collected(self._collect(), items=len(self._pool()), shared=self._shared()))
        self._tell(demo_words.assembled(self._app.publish.assemble(period)))
        self._join()
        checks = self._approve(period)
        readers = self._app.store.subscribers.stats().by_language
        self._tell(demo_words.approved(checks, readers=readers))
        self._send(period, sending=sending)
        self._tell(demo_words.next_month(self._next_month(period)))

    def stay(self) -> None:
        """Serves the site until somebody stops it."""
        app = self._app

        def ready(port: int) -> None:
            link = invite(
                app.store,
                app.links,
                address_text=EDITOR,
                role=Role.APPROVER,
                language=Language.EN,
                now=app.clock(),
            )
            newest = next(issue for issue in app.store.issues.all() if issue.state is IssueState.SENT)
            command = f"{called_as()} --config {self._folder / 'config.toml'}"
            self._tell(
                demo_words.addresses(
                    url=app.config.list.url, period=newest.period, sign_in=link, command=command
                )
            )

        serve(app, host=_HOST, port=self._port, on_ready=ready)
        self._say("")
        self._say(f"Stopped. What was made stays in {self._folder}{os.sep}; the next demo replaces it.")

    def _join(self) -> None:
        app = self._app
        with app.store.write():
            for reader in sample_readers(self._readers):
                app.join.add(
                    reader.address, basis="express", origin="the sample community", language=reader.language
                )

    def _approve(self, period: Period) -> list[Check]:
        """An editor's hand: a theme and a note in both languages, the checks, the approval."""
        publish = self._app.publish
        for language in self._app.config.list.languages:
            publish.write(period, field="theme", language=language, words=demo_words.theme(language), by=_BY)
            publish.write(period, field="note", language=language, words=demo_words.note(language), by=_BY)
        checks = publish.preflight(period)
        publish.approve(period, by=_BY)
        return checks

    def _send(self, period: Period, *, sending: Sending) -> None:
        began = monotonic()
        with sending(self._readers) as step:
            report = self._app.send.issue(period, on_progress=lambda at: step(at.sent, ""))
        if report.state is not IssueState.SENT:
            raise MailError(f"The issue was not sent: it is {report.state}. {report.reason or ''}".strip())
        issue = self._app.store.issues.get(period)
        self._tell(demo_words.sent(
            self._app.store.deliveries.counts(issue.id), editions=self._app.store.issues.editions(issue.id),
            seconds=monotonic() - began, outbox=self._folder / "outbox",
        ))  # fmt: skip

    def _next_month(self, period: Period) -> Issue:
        """The community goes on writing, and the next draft waits for whoever wants to try the desk."""
        self._site.publish_late()
        self._app.collect.visit(every=True)
        return self._app.publish.assemble(period.next())

    def _collect(self) -> list[Visit]:
        return self._app.collect.visit(every=True)

    def _pool(self) -> list[Item]:
        return self._app.store.items.all_between(_LONG_AGO, self._app.clock() + timedelta(days=3650))

    def _shared(self) -> int:
        return sum(bool(item.also_in) for item in self._pool())

    def _tell(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(line)


def _forget_overrides() -> None:
    """A mail server of the real letter may be named in the environment; the demo must never reach it."""
    for name in [name for name in os.environ if name.startswith("DIGEST_") and "__" in name]:
        del os.environ[name]


def called_as() -> str:
    """How this very program is called from here: words that can be pasted."""
    beside = Path(sys.executable).with_name("digest")
    if shutil.which("digest"):
        return "digest"
    if Path(".venv/bin/digest").exists():
        return ".venv/bin/digest"
    return str(beside) if beside.exists() else f"{sys.executable} -m digest"


class _claimed:
    """The folder, ours while the demo runs: made, or emptied of what an earlier demo made. Nothing else is touched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = -1

    def __enter__(self) -> Path:
        folder, mark = self._folder, self._folder / _MARK
        try:
            folder.mkdir(parents=True, exist_ok=True)
            names = (*_OURS, _DATABASE, "outbox")
            if not mark.exists() and any((folder / name).exists() for name in names):
                raise InputRefused(
                    f"{folder} holds something that no demo made; name another folder with --dir."
                )
            self._lock = os.open(mark, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise InputRefused(f"The folder {folder} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise InputRefused(
                f"A demo is running in {folder} already; stop it with Ctrl+C, or name another --dir."
            ) from error
        self._clear()
        return folder

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def _clear(self) -> None:
        for name in _OURS:
            (self._folder / name).unlink(missing_ok=True)
        for path in self._folder.glob(f"{_DATABASE}*"):
            path.unlink()
        for path in (self._folder / "outbox").glob("*.eml"):
            path.unlink()
