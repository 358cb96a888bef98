"""A relay to measure against: takes every letter, after some milliseconds, over TLS if asked; Postfix's smtp-sink can do neither.

One process a connection, so that it is never what holds us up. It is not a test double: it looks at nothing.
"""

import argparse
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent.parent
CERTIFICATE = HERE / "tests" / "data" / "relay.pem"
_ANSWERS = {
    b"EHLO": b"250-relay\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


@contextlib.contextmanager
def relay(*, takes_ms: float = 0.0, tls: bool = False) -> Iterator[int]:
    """Its port on loopback. takes_ms: how long it thinks before it takes a letter."""
    command = [sys.executable, "-m", "bench.relay", "--takes-ms", str(takes_ms), *(["--tls"] if tls else [])]
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def serve(*, takes_s: float, context: ssl.SSLContext | None) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children need no farewell
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            one, _ = server.accept()
            if os.fork():
                one.close()
                continue
            with contextlib.suppress(OSError), one:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                talk(context.wrap_socket(one, server_side=True) if context else one, takes_s=takes_s)
            os._exit(0)


def talk(one: socket.socket, *, takes_s: float) -> None:
    """One connection to its end. Answers leave when nothing more can be read from what has come."""
    one.sendall(b"220 relay\r\n")
    come, answers, is_letter, looked = bytearray(), b"", False, 0
    while True:
        mark = b"\r\n.\r\n" if is_letter else b"\n"
        end = come.find(mark, looked)
        if end < 0:
            looked = max(0, len(come) - len(mark) + 1)
            if answers:
                one.sendall(answers)
                answers = b""
            more = one.recv(262_144)
            if not more:
                return
            come += more
            continue
        word = bytes(come[:4]).upper()
        del come[: end + len(mark)]
        looked = 0
        if is_letter:
            time.sleep(takes_s)
            answers += b"250 2.0.0 taken\r\n"
        else:
            answers += _ANSWERS.get(word, b"250 2.1.0 yes\r\n")
        is_letter = word == b"DATA" and not is_letter


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--takes-ms", type=float, default=0.0)
    options.add_argument("--tls", action="store_true")
    chosen = options.parse_args()
    context = None
    if chosen.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    serve(takes_s=chosen.takes_ms / 1000, context=context)


if __name__ == "__main__":
    main()
