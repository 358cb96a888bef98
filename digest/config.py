"""config.toml as one typed class; every field explains itself. Nothing is opened here but the file itself.

The order that wins: environment (DIGEST_LIST__URL=…), then config.toml, then the defaults below.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from unicodedata import category

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from digest.colour import contrast
from digest.config_mail import MailPart
from digest.config_readers import InboundPart, RetentionPart, SignupPart
from digest.config_shapes import Colour, CronLine, MailAddress, Part, Texts, WebAddress, Zone
from digest.model import Language

Jurisdiction = Literal[
    "federal", "alberta", "british-columbia", "manitoba", "new-brunswick", "newfoundland-and-labrador",
    "northwest-territories", "nova-scotia", "nunavut", "ontario", "prince-edward-island", "quebec", "saskatchewan",
    "yukon", "elsewhere",
]  # fmt: skip
SectionName = Literal[
    "coming-up", "worth-reading", "calls", "missed-it", "pulse", "people", "have-your-say"
]  # fmt: skip


class ListPart(Part):
    """Who writes this letter."""

    name: Texts = Field(
        Texts(en="Digital Government Digest", fr="Le Bulletin du gouvernement numérique"),
        description="The name readers see: masthead, subject, From.",
    )
    description: Texts = Field(
        Texts(
            en="What public servants across Canada wrote, built and are meeting about this month",
            fr="Ce que les fonctionnaires du Canada ont écrit, bâti et prévu ce mois-ci",
        ),
        description="One sentence for the front page and the archive.",
    )
    from_: MailAddress = Field(
        "digest@example.org", alias="from", description="The address letters come from."
    )
    reply_to: MailAddress | None = Field(None, description="Where replies go; left out: the From address.")
    postal_address: Texts = Field(
        Texts(en="", fr=""), description="Postal address in every footer; Canadian law (CASL) asks for one."
    )
    url: WebAddress = Field(
        "http://127.0.0.1:8000", description="Public address of the web site, without a last slash."
    )
    languages: tuple[Language, ...] = Field(
        (Language.EN, Language.FR),
        min_length=1,
        description="Languages of the letter, the first one is the default.",
    )
    timezone: Zone = Field(
        "America/Toronto", description="Zone of the schedule and of events that name none."
    )
    id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="List-Id (RFC 2919), never to be changed; left out: digest.<domain of from>.",
    )

    @field_validator("name", "description", "postal_address")
    @classmethod
    def _in_one_line(cls, texts: Texts) -> Texts:
        if any(category(c) in {"Cc", "Zl", "Zp"} for c in texts.en + texts.fr):
            raise ValueError("A line break or another control sign stands in it; write it in one line")
        return texts

    @field_validator("url")
    @classmethod
    def _no_last_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @property
    def domain(self) -> str:
        return self.from_.rpartition("@")[2]

    @property
    def list_id(self) -> str:
        return self.id or f"digest.{self.domain}"


class StorePart(Part):
    """Where we remember."""

    url: str = Field(
        "subscribers.db", description="The SQLite file, beside config.toml unless the path is absolute."
    )
    key_file: Path | None = Field(
        None,
        description="The secret that signs links; left out: beside the database, "
        "ending in .key, made at the first run. Keep it with your backups.",
    )


class SchedulePart(Part):
    """When things happen: cron lines (minute hour day month weekday) in the list's time zone."""

    collect: CronLine = Field("17 */6 * * *", description="When sources that are due are visited.")
    assemble: CronLine = Field("0 6 24 * *", description="When the draft of the next issue is made.")
    send: CronLine = Field(
        "0 9 1 * *", description="When an approved issue leaves. Nothing unapproved ever does."
    )


class CollectPart(Part):
    """How sources are visited."""

    allow_private: bool | tuple[str, ...] = Field(
        (),
        description="Private addresses (IP or network) that sources may live at: an intranet, a test. true: all.",
    )
    timeout_s: float = Field(
        20, gt=0, description="Wall-clock seconds for one visit, redirects and body included."
    )
    max_bytes: int = Field(
        5_000_000, ge=1_000, description="Largest answer taken, in bytes after decompression."
    )
    delay_s: float = Field(2, ge=0, description="Seconds between two requests to one host.")
    workers: int = Field(8, ge=1, le=64, description="Hosts visited at the same time.")
    contact: str | None = Field(
        None, description="Shown in our User-Agent; left out: the list's web address."
    )

    @field_validator("allow_private")
    @classmethod
    def _networks(cls, value: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
        for network in () if isinstance(value, bool) else value:
            try:
                ip_network(network, strict=False)
            except ValueError:
                raise ValueError(
                    f"{network!r} is not an IP address or network; write 10.0.0.0/8 or 127.0.0.1"
                ) from None
        return value


class IssuePart(Part):
    """What goes into a draft; the rest waits on the bench."""

    events_days: int = Field(35, ge=1, description="Events from the send date to so many days on.")
    events_most: int = Field(10, ge=0, description="Most events in the draft.")
    posts_most: int = Field(12, ge=0, description="Most posts in the draft.")
    posts_per_source: int = Field(3, ge=1, description="Most posts of one source in the draft.")
    posts_per_author: int = Field(2, ge=1, description="Most posts of one author in the draft.")


class LetterPart(Part):
    """How the letter looks and what stands in it."""

    sections: tuple[SectionName, ...] = Field(
        ("coming-up", "worth-reading", "calls", "pulse", "missed-it", "people", "have-your-say"),
        min_length=1,
        description="Sections that are printed, in this order; one that is left out is not printed, nor one that is empty.",
    )
    names: dict[SectionName, Texts] = Field(
        {}, description='Other headings than ours: `names.calls.en = "Jobs"`, `names.calls.fr = "Emplois"`.'
    )
    zones: tuple[Zone, ...] = Field(
        ("America/Vancouver", "America/Halifax"),
        description="For events online: further zones whose hour is told, two at most beside the event's own.",
    )
    accent: Colour = Field("#1c5d48", description="Colour of the button and the list's name, on white.")
    accent_dark: Colour = Field("#86d0b0", description="The same in dark mode, on #1b1f23.")
    logo: Path | None = Field(
        None,
        description="Head of the letter in place of its name in type: PNG or JPEG beside config.toml, with a ground of its own "
        "(dark mode has no white behind it). Who sees no pictures reads the name.",
    )
    logo_width: int = Field(180, ge=40, le=520, description="How wide it is shown, in pixels.")
    footer: Texts = Field(
        Texts(en="", fr=""), description="A sentence of yours in every footer: who you are, who pays for it."
    )

    @field_validator("sections")
    @classmethod
    def _no_section_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a section stands there twice")
        return value

    @model_validator(mode="after")
    def _accents_can_be_read(self) -> "LetterPart":
        pairs = (("accent", self.accent, "#ffffff"), ("accent_dark", self.accent_dark, "#1b1f23"))
        for key, accent, ground in pairs:
            ratio = contrast(accent, ground)
            if ratio < 4.5:
                raise ValueError(
                    f"{key} {accent} stands out from {ground} by {ratio:.1f} to 1 only, and words need 4.5"
                )
        return self


class WebPart(Part):
    """The web site."""

    host: str = Field("127.0.0.1", description="Address to listen at.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen at.")
    trusted_proxies: int = Field(
        0, ge=0, description="How many reverse proxies stand in front (X-Forwarded-For)."
    )
    metrics_token_file: Path | None = Field(
        None,
        description="File with a token: who shows it (`Authorization: Bearer …`) may read /metrics from elsewhere; "
        "left out: this machine alone.",
    )


class DeskPart(Part):
    """The editors' desk."""

    approvals: int = Field(
        1,
        ge=1,
        le=2,
        description="How many people must approve an issue. 2: each at the desk, and both the very same letters.",
    )


class WebhookPart(Part):
    """An address of yours that hears what editors hear by mail, and gets each issue once it has been sent."""

    url: WebAddress | None = Field(None, description="Where to post; left out: nowhere.")
    format: Literal["json", "slack"] | None = Field(
        None, description="slack: blocks as Slack and Mattermost show them; left out: by the address."
    )
    secret_file: Path | None = Field(
        None, description="File with the secret that signs each call (docs/operating.md); json needs one."
    )
    secret: SecretStr | None = Field(None, description="Only from the environment: DIGEST_WEBHOOK__SECRET.")

    @property
    def is_slack(self) -> bool:
        host = (self.url or "").partition("://")[2].partition("/")[0]
        return self.format == "slack" or (self.format is None and host == "hooks.slack.com")


class SourcePart(Part):
    """One place that posts or events come from."""

    name: str = Field(min_length=1, description="What editors call it; must be unique.")
    url: WebAddress = Field(description="Address of the feed or calendar.")
    kind: str | None = Field(
        None, description="medium, feed, ical or event-page; left out: found out at the first visit."
    )
    section: str | None = Field(
        None, description="coming-up, worth-reading or calls; left out: by what each item is."
    )
    language: str | None = Field(None, description="Language of its items when they do not say.")
    timezone: Zone | None = Field(None, description="Zone of its times when they do not say.")
    jurisdiction: Jurisdiction | None = Field(
        None,
        description="Where it is at home: federal, ontario, nova-scotia… Checks tell when one outweighs all others, "
        "and the desk compares months by it.",
    )


class EditorPart(Part):
    """Somebody who may sign in at the desk."""

    address: MailAddress = Field(description="Where the sign-in link goes.")
    role: Literal["contributor", "editor", "approver", "admin"] = Field(
        "approver", description="What they may do."
    )
    language: Language = Field(Language.EN, description="Language of the desk and of our letters to them.")


class Config(BaseSettings):
    """The whole of config.toml."""

    model_config = SettingsConfigDict(
        env_prefix="DIGEST_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    list: ListPart = ListPart()
    store: StorePart = StorePart()
    schedule: SchedulePart = SchedulePart()
    mail: MailPart = MailPart()
    signup: SignupPart = SignupPart()
    retention: RetentionPart = RetentionPart()
    inbound: InboundPart = InboundPart()
    collect: CollectPart = CollectPart()
    issue: IssuePart = IssuePart()
    letter: LetterPart = LetterPart()
    web: WebPart = WebPart()
    desk: DeskPart = DeskPart()
    webhook: WebhookPart = WebhookPart()
    sources: tuple[SourcePart, ...] = ()
    editors: tuple[EditorPart, ...] = ()
    home: Path = Field(Path("."), exclude=True)  # the folder of config.toml; set by config_file.read_config

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Config":
        seen: set[str] = set()
        for source in self.sources:
            if source.name in seen:
                raise ValueError(f"two sources are called {source.name!r}; names must differ")
            seen.add(source.name)
        return self

    def path(self, path: Path | str) -> Path:
        """A path of the configuration, taken from the folder of config.toml."""
        return self.home / Path(path).expanduser()
