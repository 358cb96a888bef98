"""How fast readers come in: a million rows imported beside csv alone, sign-ups beside a bare Flask insert. One run each.

python -m bench.bench_readers [ROWS [ASKS]]: prints one line per figure; ratios are what counts, they travel between machines.
"""

import csv
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.asking import tell
from digest.app import open_app
from digest.config import Config
from digest.join_roster import bring

ROWS = 1_000_000


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside what it is held against."""

    name: str
    ours: float
    beside: float
    unit: str


def write_list(path: Path, rows: int) -> None:
    """A listmonk export: one row in a hundred cannot be used, one in a hundred has left."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["uuid", "email", "name", "attributes", "status", "created_at", "updated_at"])
        for number in range(rows):
            mark = secrets.token_hex(5)
            address = f"{mark}.{number}@example.org" if number % 100 else f"{mark}..{number}@example.org"
            status = "disabled" if number % 100 == 1 else "enabled"
            at = f"2024-0{number % 9 + 1}-1{number % 9} 12:34:56.789 +0000 UTC"
            out.writerow(
                [f"{mark}-{number}", address, f"Reader {number}", '{"team": "digital"}', status, at, at]
            )


def write_mailchimp(path: Path, rows: int) -> None:
    """A Mailchimp export, 23 columns wide, of the same people."""
    header = (
        "Email Address,First Name,Last Name,Address,Phone Number,Organisation,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
        "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header.split(","))
        for number in range(rows):
            mark = secrets.token_hex(5)
            address = f"{mark}.{number}@example.org" if number % 100 else f"{mark}..{number}@example.org"
            at = f"2024-0{number % 9 + 1}-1{number % 9} 12:34:56"
            out.writerow([address, "Reader", str(number), "", "", "City", "2", at, "", at,
                          f"198.51.{number % 256}.{number % 251}", "45.4", "-75.7", "-5", "-4",
                          "America/Toronto", "CA", "ON", at, str(number), mark, "", "alpha,beta"])  # fmt: skip


def csv_alone_s(path: Path) -> float:
    begun = time.perf_counter()
    read_through(path)
    return time.perf_counter() - begun


def csv_alone_cpu_s(path: Path) -> float:
    begun = time.process_time()
    read_through(path)
    return time.process_time() - begun


def read_through(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass


def importing(home: Path, rows: int, *, write: Callable[[Path, int], None], name: str) -> list[Figure]:
    path = home / "list.csv"
    write(path, rows)
    alone = csv_alone_s(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with open_app(Config(home=home)) as app, path.open("rb") as data:
        begun, began_at = time.perf_counter(), time.process_time()
        report = bring(data, join=app.join, store=app.store, basis="express", origin="bench")
        ours = time.perf_counter() - begun
        cpu = time.process_time() - began_at
    alone = (alone + csv_alone_s(path)) / 2  # before and after: the machine may not be ours alone
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert report.counts["confirmed"] == rows - rows // 100 * (2 if write is write_list else 1), report.counts
    return [
        Figure(f"import of {name}, seconds", ours, alone, "s of csv alone"),
        Figure(f"import of {name}, CPU seconds", cpu, csv_alone_cpu_s(path), "CPU s of csv alone"),
        Figure(f"import of {name}, peak memory", peak, before, "MB before it"),
    ]


def run(rows: int = ROWS) -> list[Figure]:
    found: list[Figure] = []
    for name, write in (("7 columns", write_list), ("23 columns", write_mailchimp)):
        with tempfile.TemporaryDirectory() as home:
            found += importing(Path(home), rows, write=write, name=name)
    del found[-1]  # the process's peak only grows: the first import's is the one that was measured
    return found


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:3]]
    for figure in run(*sizes[:1]):
        print(f"{figure.name}: {figure.ours:.2f} beside {figure.beside:.2f} {figure.unit}, "
              f"ratio {figure.ours / figure.beside:.2f}")  # fmt: skip
    tell(*sizes[1:])


if __name__ == "__main__":
    main()
