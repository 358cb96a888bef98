"""The doctor: what is well, what is broken, what could not be looked at. It changes nothing and sends nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.app import App, open_app, use_packaged_zones
from digest.config import Config
from digest.config_file import read_config
from digest.errors import ConfigError, DigestError, ErrorKind, MailError
from digest.model import Language, Source, SourceMonth
from digest.rules.plan import has_gap, has_turned_lately, moved_for_good
from digest.words import Words

_RED_AFTER = timedelta(days=7)
_DNS_S = 5.0
_NEVER_ASKED = {ErrorKind.UNKNOWN_KIND, ErrorKind.NO_ADDRESS, ErrorKind.PRIVATE_ADDRESS}
_OUT_OF_REACH = {ErrorKind.DNS, ErrorKind.TLS, ErrorKind.NO_HTTPS, ErrorKind.TIMEOUT, ErrorKind.CONNECTION}
_NOBODYS = {"example", "test", "invalid", "localhost", "local"}  # RFC 2606, RFC 6761
_MADE_UP = ("example.org", "example.com", "example.net")
# guide: collecting, section 8. What the western provinces decided in 2026, which older time-zone data does not know.
_WINTER = datetime(2026, 12, 1, 12, tzinfo=UTC)
_OFFSETS = {"America/Vancouver": -7, "America/Edmonton": -6, "America/Winnipeg": -5}


@dataclass(frozen=True, slots=True)
class Finding:
    """outcome: pass, fail, warn, not-checked."""

    id: str
    outcome: str
    message: str


def examine(config_path: Path) -> list[Finding]:
    """Everything in order; when the configuration or the database cannot be used, what depends on it is not checked."""
    found = [_zones()]
    try:
        config = read_config(config_path)
    except DigestError as error:
        return [*found, Finding("configuration", "fail", str(error))]
    understood = Finding("configuration", "pass", f"{config_path} is understood.")
    try:
        with open_app(config) as app:
            found += [understood, *_database(app), *source_findings(app), _mail(app), *_people(app)]
    except ConfigError as error:
        return [*found, Finding("configuration", "fail", f"{config_path}: {error}")]
    except DigestError as error:
        found.append(understood)
        found.append(Finding("database" if not isinstance(error, MailError) else "mail", "fail", str(error)))
    return [*found, *_dns(config)]


def _zones() -> Finding:
    use_packaged_zones()
    wrong = [zone for zone, hours in _OFFSETS.items()
             if _WINTER.astimezone(ZoneInfo(zone)).utcoffset() != timedelta(hours=hours)]  # fmt: skip
    release = _iana_version()
    if wrong:
        return Finding("time-zones", "fail", f"The time-zone data ({release}) is too old for {', '.join(wrong)}: "
                                             "upgrade the package tzdata.")  # fmt: skip
    return Finding(
        "time-zones", "pass", f"IANA {release} knows Vancouver, Edmonton and Winnipeg in winter 2026."
    )


def _iana_version() -> str:
    return str(getattr(import_module("tzdata"), "IANA_VERSION", "of unknown version"))


def _database(app: App) -> Iterator[Finding]:
    faults = app.store.check()
    for fault in faults:
        yield Finding("database", "fail", fault)
    if not faults:
        yield Finding("database", "pass", f"{app.store.path} is sound.")


def source_findings(app: App) -> Iterator[Finding]:
    sources = app.store.sources.all()
    if not sources:
        yield Finding(
            "sources", "warn", "No source is named in the configuration; no post or event will come in."
        )
    asked = [source for source in sources
             if source.last_visit_at is not None and source.last_error_kind not in _NEVER_ASKED]  # fmt: skip
    if asked and all(source.fail_count and source.last_error_kind in _OUT_OF_REACH for source in asked):
        yield Finding("sources", "fail", "No source answers; look at this machine's way to the network.")
    now = app.clock()
    this_month = datetime(now.year, now.month, 1, tzinfo=UTC)
    past = {month.source: month for month in app.store.sources.months(since=this_month)}
    first_at: dict[str, str] = {}
    for source in sources:
        id_ = f"source {source.name}"
        if (first := first_at.setdefault(source.url.rstrip("/"), source.name)) != source.name:
            yield Finding(
                id_, "warn", f'has the same address as "{first}", so one of them is visited for nothing.'
            )
        yield from _changes(source, now=now)
        if source.paused:
            why = (
                "it says it is gone for good" if source.last_error_kind == ErrorKind.GONE else "by an editor"
            )
            yield Finding(id_, "warn", f"is paused: {why}.")
        elif source.last_visit_at is None:
            yield Finding(id_, "not-checked", "never visited yet; digest collect does.")
        elif source.fail_count and source.failing_since and now - source.failing_since > _RED_AFTER:
            yield Finding(id_, "fail", f"fails since {source.failing_since:%Y-%m-%d}: {source.last_error}")
        elif source.fail_count:
            ours = source.last_error_kind == ErrorKind.UNKNOWN_KIND
            yield Finding(id_, "fail" if ours else "warn", f"the last visit failed: {source.last_error}")
        else:
            answered = f"answered at {source.last_ok_at:%Y-%m-%d %H:%M} UTC; next visit {_next(source)}."
            yield Finding(id_, "pass", f"{answered} {_lately(past.get(source.id))}")
        if source.undated:
            yield Finding(id_, "warn", Words(Language.EN)(f"sources.most_{source.undated.replace('-', '_')}"))
        if source.left_out:
            yield Finding(
                id_, "warn",
                f"{source.left_out} of its entries could not be read, the first is {source.left_out_first!r}.",
            )  # fmt: skip


def _changes(source: Source, *, now: datetime) -> Iterator[Finding]:
    """What became of its address, its kind or its posts, which somebody should look at."""
    id_ = f"source {source.name}"
    if moved := moved_for_good(source, now=now):
        yield Finding(
            id_, "warn", f"has moved for good to {moved}; change its address, or: digest sources move."
        )
    if source.turned_at and has_turned_lately(source, now=now):
        told = f"was of the kind {source.was_kind} until {source.turned_at:%Y-%m-%d} and is {source.kind} since then."
        yield Finding(id_, "warn", f"{told} Look at its address if that surprises you.")
    if has_gap(source, now=now):
        yield Finding(
            id_, "warn", f"posts may be missing since {source.gap_at:%Y-%m-%d}: all was new to us then."
        )


def _next(source: Source) -> str:
    return f"at {source.next_at:%Y-%m-%d %H:%M} UTC" if source.next_at else "at the next round"


def _lately(month: SourceMonth | None) -> str:
    """What it brought and how often it failed in this month."""
    if month is None:
        return "Nothing new this month."
    failures = ", ".join(f"{count} × {kind}" for kind, count in sorted(month.failures.items()))
    failed = f", failed: {failures}" if failures else ", none failed"
    return f"This month {month.items} new, {month.visits} visits{failed}."


def _mail(app: App) -> Finding:
    try:
        return Finding("mail", "pass", app.transport.probe())
    except MailError as error:
        return Finding("mail", "fail", str(error))


def _people(app: App) -> Iterator[Finding]:
    if not app.store.editors.all():
        yield Finding(
            "editors",
            "warn",
            "Nobody can approve an issue yet. Let somebody in with: digest editors invite ADDRESS",
        )
    address = app.config.list.postal_address
    if not (address.en.strip() and address.fr.strip()):
        yield Finding(
            "postal-address",
            "warn",
            "[list] postal_address is empty; Canadian law (CASL) asks for one in every letter.",
        )


def _dns(config: Config) -> Iterator[Finding]:
    """What receivers look for before they believe a From address. Only when a resolver can be asked."""
    domain = config.list.domain
    if domain.rpartition(".")[2] in _NOBODYS or domain.endswith(_MADE_UP):
        yield Finding(
            "dns", "not-checked", f"{domain} is a name for examples; set [list] from to an address of yours."
        )
        return
    questions: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        ("dns-mx", domain, lambda text: True, "MX"),
        ("dns-spf", domain, lambda text: text.startswith("v=spf1"), "TXT"),
        ("dns-dmarc", f"_dmarc.{domain}", lambda text: text.startswith("v=DMARC1"), "TXT"),
    )
    for id_, name, wanted, kind in questions:
        found = _record(id_, name, wanted=wanted, kind=kind)
        yield found
        if found.outcome == "not-checked":  # no name server: the others would only take as long again
            return


def _record(id_: str, name: str, *, wanted: Callable[[str], bool], kind: str) -> Finding:
    import dns.exception
    import dns.resolver

    try:
        answer = dns.resolver.resolve(name, kind, lifetime=_DNS_S)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Finding(
            id_, "warn", f"{name} has no {kind} record of this sort; letters may be taken for spam."
        )
    except (dns.exception.DNSException, OSError) as error:
        return Finding(id_, "not-checked", f"no name server answered about {name} ({type(error).__name__}).")
    texts = [record.to_text().strip('"') for record in answer]
    if any(wanted(text) for text in texts):
        return Finding(id_, "pass", f"{name} has one.")
    return Finding(id_, "warn", f"{name} has no {kind} record of this sort; letters may be taken for spam.")
