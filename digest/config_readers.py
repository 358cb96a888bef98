"""The tables of config.toml about readers: who may join, what is kept and how long, where their answers arrive."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from digest.config_shapes import Part, Texts


class SignupPart(Part):
    """Who may join."""

    policy: Literal["open", "domains"] = Field(
        "open", description="open: everyone; domains: those below at once, others wait for an editor."
    )
    domains: tuple[str, ...] = Field((), description="Domains let in at once; sub-domains count.")
    wording: Texts = Field(
        Texts(
            en="Send me the monthly letter by e-mail. I can withdraw at any time with one click.",
            fr="Envoyez-moi l’infolettre mensuelle par courriel. Je peux me désabonner en tout temps, en un clic.",
        ),
        description="What people agree to; kept word for word with each consent.",
    )
    government: bool = Field(
        False,
        description="With policy domains: also let in at once the governments of the packaged list (digest/data).",
    )
    domains_file: Path | None = Field(None, description="Domains of your own, as in digest/data; they win.")
    blocked_domains: tuple[str, ...] = Field((), description="Never written to; who asks sees no difference.")
    notice: Texts = Field(
        Texts(en="", fr=""), description="Collection notice beside the form, where a law asks for one."
    )
    asks_per_ip: int = Field(20, ge=1, description="Most sign-ups heard from one IP address in an hour.")
    asks_per_network: int = Field(60, ge=1, description="Most from one neighbourhood (/24, /64) in an hour.")
    asks_per_domain: int = Field(
        200, ge=1, description="Most letters to one domain in an hour, from sign-ups."
    )
    asks_per_hour: int = Field(
        600, ge=1, description="Most letters from sign-ups in an hour; then it rests and editors are told."
    )
    remind_after_days: int = Field(
        0,
        ge=0,
        le=6,
        description="Days after which who asked and did not confirm is reminded, once; 0: never.",
    )


class RetentionPart(Part):
    """How long we keep what we need not keep."""

    network_days: int = Field(365, ge=0, description="Shortened network addresses in the consent log.")
    left_days: int = Field(
        1095, ge=1, description="People who left; then forgotten, save a keyed hash and a nameless log."
    )
    notices_days: int = Field(30, ge=2, description="The list of one-off letters that have left.")


class InboundPart(Part):
    """What readers write back."""

    maildir: Path | None = Field(
        None,
        description="Maildir that holds what comes to the reply address. A wish to leave is granted at once, returned "
        "letters and complaints are noted; all else is left there for you. Left out: nothing is read, unless your mail "
        "server hands mail to `digest inbound`.",
    )
