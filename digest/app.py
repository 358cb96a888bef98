"""The composition root: validates everything, then opens, wires and closes. The one file that reads the clock."""

import hashlib
import os
import secrets
import zoneinfo
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType

from digest.collect import Collect
from digest.collect_lookup import Lookup
from digest.config import Config
from digest.errors import AddressRefused, ConfigError
from digest.join import Join
from digest.mail import Transport, open_transport
from digest.mail.inbox import incoming
from digest.mail.records import sender_records
from digest.mail.reports import report
from digest.mail.spam import spam_score
from digest.passkeys import Passkeys
from digest.publish import Publish
from digest.publish_correct import Correct
from digest.publish_look import Look, Outside
from digest.render.logo import Logo, read_logo
from digest.render.press import Press, Signer
from digest.rules.consent import ascii_domain
from digest.rules.cron import read_cron
from digest.rules.echo import marks
from digest.rules.tokens import Links
from digest.rules.window import read_window
from digest.send import Send
from digest.send_calls import Calls
from digest.sources import open_answering, open_calling, open_fetcher, open_glance
from digest.store.sqlite import SqliteStore, open_store


def now() -> datetime:
    """The time, in UTC. Everybody else is handed it."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything, wired. A context manager; closing it twice is closing it once."""

    config: Config
    clock: Callable[[], datetime]
    store: SqliteStore
    links: Links
    press: Press
    transport: Transport
    collect: Collect
    publish: Publish
    look: Look
    correct: Correct
    send: Send
    calls: Calls
    join: Join
    lookup: Lookup
    passkeys: Passkeys
    _closing: ExitStack = field(repr=False)

    def __enter__(self) -> "App":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    def take_letter(self, data: bytes) -> bool:
        """One letter that came in. True when a wish in it was granted, or a report about a letter of ours was noted; all
        else is for people to read.

        Whatever it says, a mark of ours in it ends a doubt about the letter that bore it.
        """
        self.send.heard(data)
        return self.join.inbound.take(incoming(data)) or self.join.returned.take(report(data), marks(data))

    def before_closing(self, work: Callable[[], object]) -> None:
        """Has `work` done first when this is closed: whoever runs threads on the store ends them there."""
        self._closing.callback(work)


def open_app(config: Config, *, clock: Callable[[], datetime] = now) -> App:
    """Raises ConfigError before anything is opened, StoreError when the database cannot be; leaves nothing half open."""
    use_packaged_zones()
    _judge(config)
    password = config.mail.password.get_secret_value() if config.mail.password is not None else None
    secret = _webhook_secret(config)
    with ExitStack() as opened:
        store = open_store(config.path(config.store.url), now=clock())
        opened.callback(store.close)
        _remember_configuration(store, config)
        keys = _keys(config, store)
        links = Links(
            config.list.url, key=keys[0], domain=config.list.domain, earlier=keys[1:-1], first=keys[-1]
        )
        press = Press(config, folders=template_folders(config), signer=_signer(config), logo=_logo(config))
        transport = open_transport(
            config.mail, folder=config.path(config.mail.folder), password=password, home=config.home
        )  # fmt: skip
        contact = config.collect.contact or config.list.url
        fetcher = open_fetcher(config.collect, contact=contact, timezone=config.list.timezone)
        opened.callback(fetcher.close)
        send = Send(store, press, transport, config=config, clock=clock, links=links)
        publish = Publish(store, press, config=config, clock=clock, restored=send.restored)
        calling = open_calling(config.collect, contact=contact)
        links_answer = open_answering(config.collect, contact=contact)
        outside = Outside(
            link=links_answer.look,
            spam=spam_score,
            records=partial(sender_records, selector=config.mail.dkim_selector or ""),
        )
        return App(
            config=config, clock=clock, store=store, links=links, press=press, transport=transport,
            collect=Collect(store, fetcher, config=config, clock=clock),
            publish=publish, look=Look(store, publish, press, outside, config=config, clock=clock),
            correct=Correct(store, clock=clock),
            calls=Calls(store, calling.post, url=config.webhook.url, secret=secret, clock=clock),
            send=send,
            join=Join(store, config=config, clock=clock, links=links),
            passkeys=Passkeys(store, url=config.list.url, clock=clock),
            lookup=Lookup(store, open_glance(config.collect, contact=contact), clock=clock),
            _closing=opened.pop_all(),
        )  # fmt: skip


def _logo(config: Config) -> Logo | None:
    """Raises ConfigError."""
    if config.letter.logo is None:
        return None
    path = config.path(config.letter.logo)
    try:
        return read_logo(path.read_bytes(), shown_px=config.letter.logo_width)
    except (OSError, ValueError) as error:
        raise ConfigError(f"[letter] logo: {path} is no PNG or JPEG that can be read.") from error


def _webhook_secret(config: Config) -> bytes:
    """Raises ConfigError: what is posted as JSON must be signed; a Slack address is a secret itself."""
    part = config.webhook
    if part.secret is not None:
        return part.secret.get_secret_value().encode()
    if part.secret_file is not None:
        path = config.path(part.secret_file)
        try:
            return path.read_text(encoding="utf-8").strip().encode()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"[webhook] secret_file: {path} cannot be read.") from error
    if part.url is not None and not part.is_slack:
        raise ConfigError(
            "[webhook] url needs a secret to sign with: set DIGEST_WEBHOOK__SECRET or name a secret_file."
        )
    return b""


def use_packaged_zones() -> None:
    """Takes time-zone data from the tzdata package: the system's may be older than what provinces decided in 2026."""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


def template_folders(config: Config) -> list[Path]:
    """An operator's own templates, which win file by file over the packaged ones."""
    own = config.path("templates")
    return [own] if own.is_dir() else []


def _judge(config: Config) -> None:
    """What needs more than the shape of a value."""
    for name in ("collect", "assemble", "send"):
        try:
            read_cron(getattr(config.schedule, name))
        except ValueError as error:
            raise ConfigError(f"[schedule] {name}: {error}.") from error
    try:
        read_window(config.mail.window)
    except ValueError as error:
        raise ConfigError(f"[mail] window: {error}.") from error
    for domain in config.signup.domains:
        try:
            ascii_domain(domain)
        except AddressRefused:
            raise ConfigError(f"[signup] domains: {domain!r} is not a domain name.") from None


def _signer(config: Config) -> Signer | None:
    """Our own DKIM signature, when the configuration asks for one."""
    selector, key_file = config.mail.dkim_selector, config.mail.dkim_key_file
    if selector is None and key_file is None:
        return None
    if selector is None or key_file is None:
        raise ConfigError("[mail] dkim_selector and dkim_key_file belong together; one of them is missing.")
    try:
        from digest.mail.dkim import DkimSigner
    except ImportError as error:
        raise ConfigError(
            "[mail] dkim_selector needs the package cryptography; install it beside digest."
        ) from error
    path = config.path(key_file)
    try:
        return DkimSigner(path.read_bytes(), domain=config.list.domain, selector=selector)
    except OSError as error:
        raise ConfigError(f"[mail] dkim_key_file: {path} cannot be read.") from error


def _keys(config: Config, store: SqliteStore) -> list[bytes]:
    """The secrets behind every link: the one that signs, those whose links are still good, and the very first.

    In the file one a line, the newest on top; `retired ` before one ends its links. The first ever must stay there:
    the suppression list was made with it. Lost, all would break, so it is guarded.
    """
    path = config.path(config.store.key_file) if config.store.key_file else store.path.with_suffix(".key")
    expected = store.settings.get("key_sha256")
    if expected is None:
        _make_key(path)
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise ConfigError(
            f"{path} is missing: without it the leave links in letters already sent stop working. "
            "Put it back from your backup, beside the database."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: it must hold the key that signs links.") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    keys = [line.removeprefix("retired ").strip().encode() for line in lines]
    found = hashlib.sha256(keys[-1]).hexdigest()
    if expected is None:
        with store.write():
            expected = store.settings.get("key_sha256") or found
            store.settings.put("key_sha256", expected)
    if found != expected:
        raise ConfigError(
            f"{path} does not end with the key that this database was made with; put the right one back."
        )
    good = [key for key, line in zip(keys, lines, strict=True) if not line.startswith("retired ")]
    if not good:
        raise ConfigError(f"{path} holds retired keys only; put a new one on its first line.")
    return [*good, keys[-1]]


def _make_key(path: Path) -> None:
    """Written whole before it has its name, so that of several processes starting at once one wins and all read it."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigError(f"The key {path} cannot be written: {error.strerror}.") from error


def _remember_configuration(store: SqliteStore, config: Config) -> None:
    """Sources and editors of config.toml into the store, when they differ from last time."""
    parts = config.model_dump_json(include={"sources", "editors"})
    mark = hashlib.sha256(parts.encode()).hexdigest()
    if store.settings.get("configuration_sha256") == mark:
        return
    with store.write():
        store.sources.sync(config.sources)
        store.editors.sync(config.editors)
        store.settings.put("configuration_sha256", mark)
