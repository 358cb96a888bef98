"""How fast letters leave: ours into Postfix's smtp-sink, beside smtp-source and a Flask-Mail loop on the same sink.

    python -m bench.sending [--readers 20000] [--connections 1 20 50] [--rounds 5] [--flask-mail 300]
    python -m bench.sending --bulk [--readers 1000000] [--takes-ms 2] [--tls] [--dkim]

Needs smtp-sink and smtp-source (Debian: postfix; never started as a service). The ledger is the real one, durable.
"""

import argparse
import contextlib
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.relay import CERTIFICATE, relay
from digest.config import Config
from digest.mail.smtp import SmtpTransport
from digest.model import DeliveryState, IssueState, Language, Period
from digest.render.press import Press, Signer
from digest.rules.tokens import Links
from digest.send import Send
from digest.send_letters import seal_of_all
from digest.store.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PERIOD = Period(2026, 11)
PATH = "/usr/sbin:/usr/lib/postfix/sbin:/usr/bin"


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """smtp-sink on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = shutil.which("smtp-sink", path=PATH)
    if program is None:
        raise SystemExit("smtp-sink is not here: install Debian's postfix package (it need not be started)")
    as_root = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program, *as_root, f"127.0.0.1:{port}", "1024"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def smtp_source(port: int, *, count: int, connections: int, size: int) -> float:
    """Letters per second of Postfix's own load generator, connections kept open (-d)."""
    program = shutil.which("smtp-source", path=PATH)
    assert program is not None
    began = time.perf_counter()
    subprocess.run(
        [program, "-d", "-s", str(connections), "-m", str(count), "-l", str(size), "-f", "a@example.org",
         "-t", "b@example.org", f"127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return count / (time.perf_counter() - began)


def reopened(folder: Path, *, dkim: bool = False) -> tuple[Config, SqliteStore, Press, Links]:
    config = Config(
        list={"from": "letter@lists.example.org", "url": "https://digest.example.org"},
        mail={"bounce": "bounce@lists.example.org"}, home=folder,
    )  # fmt: skip
    store = open_store(folder / "subscribers.db", now=NOW)
    press = Press(config, signer=signer() if dkim else None)
    return config, store, press, Links(config.list.url, key=b"k" * 32, domain=config.list.domain)


def signer() -> Signer:
    """Our own DKIM signature, RSA 2048."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from digest.mail.dkim import DkimSigner

    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return DkimSigner(pem, domain="lists.example.org", selector="letter")


def prepared(
    folder: Path, *, readers: int, kilobytes: int, dkim: bool = False
) -> tuple[Config, SqliteStore, Press, Links]:
    """An approved issue of that size for so many readers, made in another process: its memory is not the sender's."""
    maker = get_context("spawn").Process(target=prepare, args=(folder, readers, kilobytes))
    maker.start()
    maker.join()
    assert maker.exitcode == 0
    return reopened(folder, dkim=dkim)


def prepare(folder: Path, readers: int, kilobytes: int) -> None:
    _, store, press, _ = reopened(folder)
    with store.write():
        store._db.change(
            """WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :readers)
               INSERT INTO subscriber (address, address_key, state, language, confirmed_at)
               SELECT 'reader' || i || '@example.org', 'reader' || i || '@example.org', 'confirmed',
                 iif(i % 3, 'en', 'fr'), 0 FROM n""",
            {"readers": readers},
        )
        store.issues.create(period=PERIOD, since=NOW - timedelta(days=30), until=NOW, send_at=NOW, placed=())
        issue = store.issues.get(PERIOD)
        line = "Café, événements and what public servants wrote, built and planned this month. "
        for language in Language:
            words = line * int(kilobytes * 1024 * 0.36 / len(line))
            store.issues.write_text(issue.id, field="note", language=language, words=words)
        issue = store.issues.get(PERIOD)
        editions = {language: press.edition(issue, language) for language in Language}
        store.issues.freeze(issue.id, list(editions.values()))
        store.deliveries.list_audience(issue.id, languages=list(Language), now=NOW)
        store.issues.move(
            issue.id, from_={IssueState.DRAFT}, to=IssueState.APPROVED, hash=seal_of_all(editions)
        )
    store.close()


def ours(
    port: int, *, readers: int, connections: int, kilobytes: int, tls: bool = False, dkim: bool = False
) -> tuple[float, float, int]:
    """Letters per second through the whole pipeline, CPU microseconds a letter, and the octets of one."""
    with tempfile.TemporaryDirectory() as folder:
        config, store, press, links = prepared(Path(folder), readers=readers, kilobytes=kilobytes, dkim=dkim)
        part = config.mail.model_copy(
            update={
                "transport": "smtp",
                "server": "127.0.0.1",
                "port": port,
                "security": "tls" if tls else "none",
                "ca_file": CERTIFICATE if tls else None,
                "connections": connections,
            }
        )
        send = Send(
            store, press, SmtpTransport(part), clock=lambda: datetime.now(UTC), config=config, links=links
        )
        cpu, began = time.process_time(), time.perf_counter()
        report = send.issue(PERIOD)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        counts = store.deliveries.counts(store.issues.get(PERIOD).id)
        assert report.state is IssueState.SENT, report
        assert counts[DeliveryState.SENT] == readers, counts
        size = len(store.issues.editions(store.issues.get(PERIOD).id)[Language.EN].letter)
        store.close()
    return readers / seconds, cpu_s / readers * 1e6, size


def flask_mail_loop(port: int, *, count: int, kilobytes: int) -> float:
    """What most communities run: a loop with Flask-Mail, one connection, each message rendered and built."""
    from flask import Flask, render_template_string
    from flask_mail import Mail, Message

    app = Flask("bench", root_path=str(Path(__file__).parent))
    app.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=port, MAIL_DEFAULT_SENDER="a@example.org")
    mail, line = (
        Mail(app),
        "<p>Café, événements and what public servants wrote, built and planned this month.</p>\n",
    )
    page = "{% for one in rows %}{{ one|safe }}{% endfor %}{{ link }}"
    rows = [line] * int(kilobytes * 1024 * 0.42 / len(line))
    began = time.perf_counter()
    with app.app_context(), mail.connect() as connection:
        for number in range(count):
            body = render_template_string(
                page, rows=rows, link=f"https://digest.example.org/unsubscribe/{number}"
            )
            connection.send(
                Message("November", recipients=[f"reader{number}@example.org"], body=body, html=body)
            )
    return count / (time.perf_counter() - began)


def compared(port: int, *, connections: int, chosen: argparse.Namespace) -> float:
    """Turn by turn with smtp-source on the same sink, letters of the same size; our median rate."""
    ratios, mine, theirs, cpu = [], [], [], []
    for _ in range(chosen.rounds):
        rate, micros, size = ours(
            port, readers=chosen.readers, connections=connections, kilobytes=chosen.kilobytes
        )
        beside = smtp_source(port, count=chosen.readers, connections=connections, size=size)
        ratios.append(rate / beside)
        mine.append(rate)
        theirs.append(beside)
        cpu.append(micros)
    print(
        f"S={connections}: ours {statistics.median(mine):,.0f}/s, smtp-source -d {statistics.median(theirs):,.0f}/s; "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
        f"{statistics.median(cpu):.0f} us CPU a letter ({size / 1024:.1f} KB)", flush=True,
    )  # fmt: skip
    return statistics.median(mine)


def bulk(chosen: argparse.Namespace) -> None:
    """One large issue, once: minutes, and how much memory the sender took beyond what its imports took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    connections, is_plain = chosen.connections[0], not (chosen.takes_ms or chosen.tls)
    with sink() if is_plain else relay(takes_ms=chosen.takes_ms, tls=chosen.tls) as port:
        rate, micros, size = ours(
            port, readers=chosen.readers, connections=connections, kilobytes=chosen.kilobytes,
            tls=chosen.tls, dkim=chosen.dkim,
        )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{chosen.readers:,} letters of {size / 1024:.1f} KB by {connections} connections in "
        f"{chosen.readers / rate / 60:.1f} minutes, {rate:,.0f}/s, {micros:.0f} us CPU a letter; "
        f"peak memory {peak:.0f} MB, of which {before:.0f} MB stood before (imports)"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--readers", type=int, default=20_000)
    options.add_argument("--connections", type=int, nargs="*", default=[20])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--kilobytes", type=int, default=26, help="of words; markup and headers come on top")
    options.add_argument("--flask-mail", type=int, default=300)
    options.add_argument("--bulk", action="store_true", help="one issue for all readers, no comparison")
    options.add_argument(
        "--takes-ms", type=float, default=0.0, help="with --bulk: a relay that thinks so long"
    )
    options.add_argument("--tls", action="store_true", help="with --bulk: over TLS")
    options.add_argument("--dkim", action="store_true", help="with --bulk: signed by us, RSA 2048")
    chosen = options.parse_args()
    if chosen.bulk:
        bulk(chosen)
        return
    with sink() as port:
        print(
            f"{chosen.readers} letters, medians of {chosen.rounds} rounds, ledger durable (synchronous=FULL)"
        )
        for connections in chosen.connections:
            rate = compared(port, connections=connections, chosen=chosen)
        if chosen.flask_mail:
            slow = statistics.median(
                flask_mail_loop(port, count=chosen.flask_mail, kilobytes=chosen.kilobytes) for _ in range(3)
            )
            print(
                f"Flask-Mail loop, its one connection kept: {slow:,.0f}/s; "
                f"ours at {connections} is {rate / slow:.0f} x that"
            )


if __name__ == "__main__":
    main()
