"""The shapes that the tables of config.toml are made of: zones, addresses, colours, texts in two languages."""

from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from digest.model import Language


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write it like America/Toronto") from None
    return name


def _web_address(url: str) -> str:
    if (
        not url.startswith(("http://", "https://"))
        or len(url) < 10
        or any(c.isspace() for c in url)
        or not _is_parted(url)
    ):
        raise ValueError(f"{url!r} is not a web address; write it like https://digest.example.org")
    return url


def _is_parted(url: str) -> bool:
    """Whether host and port can be told apart: a bracket is closed, a port is below 65536."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _mail_address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(c.isspace() or not c.isprintable() or c in "<>,;" for c in text):
        raise ValueError(f"{text!r} is not an e-mail address; write it like digest@example.org")
    return text


def _cron(line: str) -> str:
    if len(line.split()) != 5:
        raise ValueError(f"{line!r} is not a cron line: five fields, minute hour day month weekday")
    return line


Zone = Annotated[str, AfterValidator(_known_zone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
CronLine = Annotated[str, AfterValidator(_cron)]


class Part(BaseModel):
    """A table of config.toml. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, validate_default=True)


class Texts(Part):
    """One text in each language: `name.en = …`, `name.fr = …`. A plain string stands for both."""

    en: str
    fr: str

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, value: Any) -> Any:
        return {"en": value, "fr": value} if isinstance(value, str) else value

    def in_(self, language: str) -> str:
        return self.fr if language == Language.FR else self.en
