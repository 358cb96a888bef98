"""How letters leave: a folder of .eml files, or a mail server. Which one is a line of config.toml."""

from pathlib import Path

from digest.config_mail import MailPart
from digest.mail.ledger import Ledger, Transport

__all__ = ["Ledger", "Transport", "open_transport"]


def open_transport(
    mail: MailPart, *, folder: Path, password: str | None = None, home: Path = Path()
) -> Transport:
    """The transport that `mail` asks for; nothing is connected or written yet.

    home: the folder that ca_file is taken from. Raises ConfigError for settings that must not be used.
    """
    if mail.transport == "folder":
        from digest.mail.folder import FolderTransport

        return FolderTransport(folder)
    from digest.mail.smtp import SmtpTransport

    return SmtpTransport(mail, password=password, home=home)
