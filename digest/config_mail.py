"""The tables of config.toml that say how letters leave: relays, domains with a pace of their own, hours, canaries."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from digest.config_shapes import MailAddress, Part

_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_RELAY_KEYS = ("server", "port", "security", "username", "auth", "password_file", "password", "ca_file", "connections",
               "per_connection", "rate")  # fmt: skip


def _domain(name: str) -> str:
    if "." not in name or "@" in name or any(c.isspace() for c in name):
        raise ValueError(f"{name!r} is not a mail domain; write it like example.org")
    return name.lower().encode("idna").decode("ascii")


class _Way(Part):
    """What every relay has."""

    server: str = Field("localhost", description="Name of the mail server (the relay).")
    port: int | None = Field(
        None, ge=1, le=65535, description="Left out: 465 with tls, 587 with starttls, 25 with none."
    )
    security: Literal["tls", "starttls", "none"] = Field(
        "starttls", description="none only for a relay on this machine."
    )
    username: str | None = Field(None, description="Login at the relay, if it asks for one.")
    auth: Literal["password", "xoauth2"] = Field(
        "password",
        description="password: PLAIN or LOGIN, whichever is offered; xoauth2: an access token (Google, Microsoft).",
    )
    password_file: Path | None = Field(
        None,
        description="File that holds the password, or the access token, and nothing else; read at every login.",
    )
    ca_file: Path | None = Field(
        None, description="Certificates to trust besides the system's, for a relay of your own."
    )
    connections: int = Field(
        2, ge=1, le=50, description="SMTP connections at once: 2 to a provider, 10 to a relay of yours."
    )
    per_connection: int = Field(
        0, ge=0, description="Letters on one connection before a new one is opened; 0: as many as it takes."
    )
    rate: float = Field(0, ge=0, description="Most letters a second; 0: as many as it takes.")

    @property
    def port_used(self) -> int:
        return self.port or _PORTS[self.security]


class RelayPart(_Way):
    """One of several mail servers; then `[mail]` itself names none."""

    name: str = Field(min_length=1, description="What logs and counters call it; must be unique.")
    weight: int = Field(
        1,
        ge=0,
        le=100,
        description="Its share of the letters beside the others; 0: only when no other works.",
    )


class DomainPart(Part):
    """A mail domain that is written to more slowly than the rest."""

    name: Annotated[str, AfterValidator(_domain)] = Field(description="The part after the @.")
    rate: float = Field(0, ge=0, description="Most letters a second to this domain; 0: no limit.")
    connections: int = Field(0, ge=0, le=50, description="Most letters to it in hand at once; 0: no limit.")


class _Transport(Part):
    transport: Literal["folder", "smtp"] = Field(
        "folder", description="folder writes .eml files; smtp sends them."
    )
    folder: Path = Field(Path("outbox"), description="Where the folder transport writes, beside config.toml.")


class MailPart(_Way, _Transport):
    """How letters leave. One mail server is named here; several under `[[mail.relay]]`."""

    password: SecretStr | None = Field(None, description="Only from the environment: DIGEST_MAIL__PASSWORD.")
    timeout_s: float = Field(
        300,
        gt=0,
        description="The most seconds to wait for an answer of the relay, save the final dot (600); RFC 5321 "
        "asks for 300 (greeting, MAIL, RCPT), 120 (DATA) and 180 (a piece of the body), which are not exceeded.",
    )
    bounce: MailAddress | None = Field(
        None, description="Envelope sender; +token is put before the @. Left out: the From address."
    )
    dkim_selector: str | None = Field(
        None,
        pattern=r"^[\w-]+(\.[\w-]+)*$",
        description="Sign letters ourselves (DKIM), under this selector.",
    )
    dkim_key_file: Path | None = Field(None, description="Its RSA key: PEM, 2048 bits or more, no password.")
    on_unsure: Literal["hold", "resend"] = Field(
        "hold", description="What to do with letters whose last answer was lost."
    )
    window: str = Field(
        "",
        description='Days and hours in which issues may leave, in the list\'s zone: `"mon-fri 08:00-18:00"`; '
        "left out: always. Outside them sending rests and goes on by itself.",
    )
    canary: Literal["off", "editors", "share"] | None = Field(
        None,
        description="Who gets an issue first: editors who subscribe, or they and canary_percent of the readers. "
        "Left out: editors, five minutes ahead, when it leaves by itself or by the desk; `digest send` does not wait.",
    )
    canary_percent: float = Field(
        5, gt=0, lt=100, description="With share: so many per cent of the readers, one at least."
    )
    canary_then: Literal["ask", "go"] = Field(
        "ask",
        description="After the first letters: wait for a person, or go on after canary_minutes if all went well.",
    )
    canary_minutes: int = Field(30, ge=0, description="With go: how long the first letters are waited for.")
    relay: tuple[RelayPart, ...] = Field((), description="Several mail servers, see below.")
    domain: tuple[DomainPart, ...] = Field((), description="Domains with a pace of their own, see below.")

    @field_validator("relay", "domain")
    @classmethod
    def _names_differ(cls, value: tuple[RelayPart | DomainPart, ...]) -> tuple[RelayPart | DomainPart, ...]:
        names = [one.name for one in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two of them are called {name!r}; names must differ")
        return value

    @model_validator(mode="after")
    def _one_way_to_name_relays(self) -> "MailPart":
        twice = [key for key in _RELAY_KEYS if self.relay and key in self.model_fields_set]
        if twice:
            raise ValueError(
                f"{twice[0]} stands under [mail] and there are [[mail.relay]] too; move it into one of them"
            )
        if self.relay and not any(one.weight for one in self.relay):
            raise ValueError("every [[mail.relay]] has weight 0; one must carry letters")
        return self

    @property
    def relays(self) -> tuple[RelayPart, ...]:
        """Every mail server; that of an older configuration is the only one, called "relay"."""
        if self.relay:
            return self.relay
        keys = {key: getattr(self, key) for key in _RELAY_KEYS if key != "password"}
        return (RelayPart(name="relay", **keys),)
