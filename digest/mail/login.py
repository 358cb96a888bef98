"""Logging in at a relay: PLAIN, LOGIN or XOAUTH2, and the secret read afresh each time, since access tokens are renewed."""

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from digest.errors import MailError


@dataclass(frozen=True, slots=True)
class Login:
    """username, and the password or access token: as given, or in a file. mechanism: password or xoauth2.

    lacking: what to say where there is neither.
    """

    username: str
    mechanism: str = "password"
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    lacking: str = "There is no password."

    def secret(self) -> str:
        """Raises MailError when there is none, or its file cannot be read."""
        if self.password is None and self.password_file is None:
            raise MailError(self.lacking)
        if self.password_file is None:
            return self.password or ""
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MailError(f"[mail] password_file: {self.password_file} cannot be read.") from error

    def xoauth2(self) -> bytes:
        """The one line that Google and Microsoft ask for. Raises MailError."""
        return b64encode(f"user={self.username}\x01auth=Bearer {self.secret()}\x01\x01".encode())

    def plain(self) -> bytes:
        """RFC 4616. Raises MailError."""
        return b64encode(f"\0{self.username}\0{self.secret()}".encode())

    def steps(self) -> tuple[bytes, bytes]:
        """What LOGIN asks for, one after the other. Raises MailError."""
        return b64encode(self.username.encode()), b64encode(self.secret().encode())

    def advice(self) -> str:
        """Where to look when it was refused."""
        what = "the access token, which may have expired" if self.mechanism == "xoauth2" else "the password"
        return f"Look at [mail] username and {what}."
