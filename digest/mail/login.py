"""Logging in at a relay: PLAIN, LOGIN or XOAUTH2, and the secret read afresh each time, since access tokens are renewed."""

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from digest.mail.faults import fault


@dataclass(frozen=True, slots=True)
class Login:
    """username, and the password or access token: as given, or in a file. mechanism: password or xoauth2.

    relay: its name, where there are several; its password is then in a file of its own.
    """

    username: str
    mechanism: str = "password"
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    relay: str = ""

    def secret(self) -> str:
        """Raises MailError when there is none, or its file cannot be read."""
        if self.password is None and self.password_file is None:
            raise fault("no_password_of", name=self.relay) if self.relay else fault("no_password")
        if self.password_file is None:
            return self.password or ""
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise fault("unreadable_password", file=self.password_file) from error

    def xoauth2(self) -> bytes:
        """The one line that Google and Microsoft ask for. Raises MailError."""
        return b64encode(f"user={self.username}\x01auth=Bearer {self.secret()}\x01\x01".encode())

    def plain(self) -> bytes:
        """RFC 4616. Raises MailError."""
        return b64encode(f"\0{self.username}\0{self.secret()}".encode())

    def steps(self) -> tuple[bytes, bytes]:
        """What LOGIN asks for, one after the other. Raises MailError."""
        return b64encode(self.username.encode()), b64encode(self.secret().encode())

    @property
    def refusal(self) -> str:
        """The fault when it was refused: says where to look."""
        return "token" if self.mechanism == "xoauth2" else "login"
