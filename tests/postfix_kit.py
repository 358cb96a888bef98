"""A private Postfix on loopback: its own configuration, queue and ports in a temporary folder; no service is touched."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

MASTER = Path("/usr/lib/postfix/sbin/master")
_MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.org
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [127.0.0.1]:{onward}
disable_dns_lookups = yes
smtp_tls_security_level = none
smtpd_tls_security_level = none
maillog_file = {home}/log
maillog_file_prefixes = {home}
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
           "trace", "maildrop", "public")  # fmt: skip


def why_not() -> str | None:
    """Why no Postfix can be started here; None: it can."""
    if not MASTER.exists():
        return "Postfix is not installed (Debian: apt-get install --no-install-recommends postfix)"
    return None if os.geteuid() == 0 else "only root may start a Postfix"


class Postfix:
    """A context manager. onward: the port on loopback to which it hands everything, DSNs included."""

    def __init__(self, *, onward: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._onward = onward
        self._home = Path(tempfile.mkdtemp(prefix="postfix-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Postfix":
        self._lay_out()
        command = [
            MASTER,
            "-c",
            self._home / "etc",
            "-d",
            "-e",
            "120",
        ]  # it ends by itself, whatever happens to us
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end_s = time.monotonic() + 20
        while time.monotonic() < end_s:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as knock:
                if knock.recv(3) == b"220":
                    return self
            time.sleep(0.05)
        log = self.log()
        self.__exit__()
        raise AssertionError(f"Postfix did not start: {log}")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
        shutil.rmtree(self._home, ignore_errors=True)

    def log(self) -> str:
        with suppress(OSError):
            return (self._home / "log").read_text()
        return ""

    def _lay_out(self) -> None:
        owner = pwd.getpwnam("postfix").pw_uid
        self._home.chmod(0o755)
        for folder in ("etc", "queue", "queue/pid", "data", *(f"queue/{name}" for name in _QUEUES)):
            (self._home / folder).mkdir(mode=0o755)
        for folder in ("data", *(f"queue/{name}" for name in _QUEUES)):
            os.chown(self._home / folder, owner, -1)
        (self._home / "etc" / "main.cf").write_text(_MAIN.format(home=self._home, onward=self._onward))
        (self._home / "etc" / "master.cf").write_text(_MASTER.format(port=self.port))
